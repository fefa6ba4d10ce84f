#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""istore has the stores, imap and delivery reach them through it: one owner, and what happens when it goes and comes back."""
import os
import re
import signal
import subprocess
import threading
import time

from gxservice import PATIENCE, RawLmtp, Server, fetch_all, free_port, gxtap, program, run, wait_for

MAIL = b"Subject: number %d\r\nFrom: a@example.net\r\nTo: user1@example.org\r\nX-Serial: %d\r\n\r\nText of %d.\r\n"


def serials(m):
    return sorted(int(re.search(rb"X-Serial: (\d+)", d).group(1)) for d in fetch_all(m).values())


def owner_of(s, user):
    """pid and name in the lock file of a user's store."""
    path = os.path.join(s.dir, "user", "example.org", s.users[user].split("@")[0], "store.lock")
    with open(path) as f:
        return f.read().strip()


def other_config(s, name, **changes):
    path = os.path.join(s.dir, name)
    with open(s.cfg) as f:
        lines = [line for line in f if line.split("=")[0].strip() not in changes]
    with open(path, "w") as f:
        f.writelines(lines + [f"{k} = {v}\n" for k, v in changes.items()])
    return path


def test_mail_goes_the_whole_way():
    with Server(users=2, split=True) as s:
        for i in range(30):
            s.deliver(MAIL % (i, i, i))
        m = s.wait_count(0, 30)
        assert owner_of(s, 0) == f"pid {s.parts['istore'].pid}, istore", owner_of(s, 0)
        assert serials(m) == list(range(30))
        typ, data = m.fetch("1:*", "(ENVELOPE FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE)")
        assert typ == "OK" and len(data) == 30 and b'"number 7"' in data[7], data[7]
        assert m.search(None, "SUBJECT", '"number 12"')[1] == [b"13"]
        assert m.search(None, "BODY", '"Text of 12."')[1] == [b"13"]
        big = b"Subject: big\r\n\r\n" + b"0123456789abcdef\r\n" * 200000
        assert m.append("Drafts", "\\Seen", None, big)[0] == "OK"
        assert m.create("Work")[0] == "OK" and m.copy("1:10", "Work")[0] == "OK"
        assert m.store("1:5", "+FLAGS", "(\\Deleted blue)")[0] == "OK" and m.expunge()[0] == "OK"
        m.select("Drafts")
        assert list(fetch_all(m).values()) == [big]
        assert m.select("Work")[1] == [b"10"]
        assert m.rename("Work", "Play")[0] == "OK" and m.delete("Play")[0] == "OK"
        m.logout()


def test_idle_hears_of_deliveries():
    with Server(users=1, split=True) as s:
        m = s.imap(0, "INBOX")
        m.send(b"x IDLE\r\n")
        assert m.readline().startswith(b"+")
        s.deliver(MAIL % (1, 1, 1))
        assert m.readline().strip() == b"* 1 EXISTS"
        # and after the owner was away
        s.parts["istore"].kill()
        s.parts["istore"].wait()
        s.start_part("istore")
        s.deliver(MAIL % (2, 2, 2))
        m.sock.settimeout(60)
        assert m.readline().strip() == b"* 2 EXISTS"
        m.send(b"DONE\r\n")
        assert m.readline().startswith(b"x OK")
        m.logout()


def test_two_cannot_own():
    with Server(users=1, split=True) as s:
        s.deliver(MAIL % (1, 1, 1))
        s.wait_count(0, 1).logout()
        port = free_port()
        log = os.path.join(s.dir, "second.log")
        cfg = other_config(s, "second.cfg", imap_listen=f"127.0.0.1:{port}", imap_listen_tls="", lda_listen="", exmdb_listen="",
                           imap_support_tls="no", dequeue_path=s.dir + "/queue2", gromoxd_log_file=log)
        p = subprocess.Popen([program("gromoxd"), "-c", cfg], stdin=subprocess.DEVNULL)
        try:
            s.wait_for_ports(PATIENCE, lambda: p.poll(), port)
            import imaplib
            m = imaplib.IMAP4("127.0.0.1", port, timeout=30)
            try:
                m.login(s.users[0], "s3cret-pass")
                raise AssertionError("a second process opened the store")
            except imaplib.IMAP4.error as e:
                assert b"[UNAVAILABLE]" in e.args[0], e
            for words in (f"open in another process (pid {s.parts['istore'].pid}, istore)", "reach the store through it"):
                wait_for(words, lambda: words in open(log).read())
            m.shutdown()
        finally:
            p.terminate()
            p.wait(60)
        m = s.imap(0, "INBOX")
        assert serials(m) == [1]
        m.logout()


class Load(threading.Thread):
    def __init__(self, s, first, count):
        super().__init__(daemon=True)
        self.s, self.first, self.count, self.failure = s, first, count, None

    def run(self):
        try:
            with RawLmtp(self.s.lmtp_port) as c:
                for i in range(self.first, self.first + self.count):
                    c.send_mail("a@example.net", [self.s.users[0]], MAIL % (i, i, i))
                    time.sleep(0.002)
        except Exception as e:  # noqa: BLE001 the test tells of it
            self.failure = e


def test_owner_dies_under_load():
    """Deliveries are acknowledged by the journal and made when the owner is back, each once; a session gets errors or goes on."""
    with Server(users=1, split=True) as s:
        s.deliver(MAIL % (0, 0, 0))
        m = s.wait_count(0, 1)
        load = [Load(s, 1 + 400 * k, 400) for k in range(3)]
        for t in load:
            t.start()
        answers = []
        for _ in range(4):
            time.sleep(0.5)
            s.parts["istore"].send_signal(signal.SIGKILL)
            s.parts["istore"].wait()
            answers += [m.noop()[0], m.fetch("1", "(BODY.PEEK[])")[0]]
            s.start_part("istore")
            wait_for("the owner", lambda: m.fetch("1", "(ENVELOPE)")[0] == "OK")
            answers.append(m.store("1", "+FLAGS", "\\Flagged")[0])
        assert "NO" in answers and answers[-1] == "OK", answers
        for t in load:
            t.join()
            assert t.failure is None, t.failure
        s.wait_count(0, 1201, wait=120).logout()
        m.noop()
        assert serials(m) == list(range(1201))
        m.logout()
        s.stop()
        r = run([program("gromox-mbck"), "-c", s.cfg, s.dir + "/user/example.org/user1"], check=False)
        assert r.returncode == 0, r.stdout


def test_delivery_waits_for_the_owner():
    with Server(users=1, split=True) as s:
        s.parts["istore"].terminate()
        assert s.parts["istore"].wait(60) == 0
        s.deliver(MAIL % (5, 5, 5))
        import imaplib
        try:
            s.imap(0)
            raise AssertionError("logged in without the owner")
        except imaplib.IMAP4.error as e:
            assert b"[UNAVAILABLE]" in e.args[0], e
        s.start_part("istore")
        wait_for("the owner", lambda: "istore" in s.log_text() and can_login(s))
        m = s.wait_count(0, 1)
        assert serials(m) == [5]
        m.logout()


def can_login(s):
    try:
        s.imap(0).logout()
        return True
    except Exception:  # noqa: BLE001 not yet
        return False


def test_stores_of_another_server():
    """users.homeserver says which host has a store: it is reached there, by the split programs and by gromoxd."""
    for split in (True, False):
        port = free_port()
        s = Server(users=2, split=split, config=f"host_id = main\nexmdb_listen_port = {port}\n")
        s.tool("gromox-useradm", "-c", s.cfg, "server", "add", "localhost")
        s.tool("gromox-useradm", "-c", s.cfg, "user", "homeserver", s.users[1], "localhost")
        with s:
            cfg = other_config(s, "other.cfg", host_id="localhost", exmdb_listen=f"127.0.0.1:{port}")
            p = subprocess.Popen([program("istore"), "-c", cfg], stdin=subprocess.DEVNULL, stdout=s.log, stderr=s.log)
            try:
                s.wait_for_ports(PATIENCE, lambda: p.poll(), port)
                for user in (0, 1):
                    s.deliver(MAIL % (user, user, user), to=user)
                    m = s.wait_count(user, 1)
                    assert serials(m) == [user]
                    m.logout()
                assert owner_of(s, 1) == f"pid {p.pid}, istore", owner_of(s, 1)
                assert owner_of(s, 0) != owner_of(s, 1)
            finally:
                p.terminate()
                p.wait(60)


gxtap.main(globals())
