#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An owner of stores that stays down: how much waits for it, who is refused meanwhile, and that nothing is lost or doubled."""
import imaplib
import os
import re
import subprocess

from gxservice import PATIENCE, RawLmtp, Server, fetch_all, free_port, gxtap, program, wait_for

MAIL = b"Subject: number %d\r\nX-Serial: %d\r\n\r\nText of %d.\r\n"
LIMIT = 5


class Site:
    """The first user's store is here, the second's at an owner of its own, as if on another host."""

    def __init__(self, split, **directives):
        self.port, self.serial = free_port(), 0
        text = "".join(f"{k} = {v}\n" for k, v in directives.items())
        self.s = s = Server(users=2, split=split, config=f"host_id = main\nexmdb_client_port = {self.port}\n{text}")
        s.tool("gromox-useradm", "-c", s.cfg, "server", "add", "localhost")
        s.tool("gromox-useradm", "-c", s.cfg, "user", "homeserver", s.users[1], "localhost")
        s.tool("gromox-useradm", "-c", s.cfg, "group", "add", "all@example.org")
        for user in s.users:
            s.tool("gromox-useradm", "-c", s.cfg, "group", "add-member", "all@example.org", user)
        self.cfg = os.path.join(s.dir, "other.cfg")
        with open(s.cfg) as f:
            lines = [line for line in f if line.split("=")[0].strip() not in ("host_id", "exmdb_listen")]
        with open(self.cfg, "w") as f:
            f.writelines(lines + ["host_id = localhost\n", f"exmdb_listen = 127.0.0.1:{self.port}\n"])

    def start_owner(self):
        self.p = subprocess.Popen([program("istore"), "-c", self.cfg], stdin=subprocess.DEVNULL, stdout=self.s.log, stderr=self.s.log)
        self.s.wait_for_ports(PATIENCE, lambda: self.p.poll(), self.port)

    def kill_owner(self):
        self.p.kill()
        self.p.wait()

    def send(self, *to):
        """@return the answers to RCPT; the message goes to those that are accepted."""
        with RawLmtp(self.s.lmtp_port) as c:
            c.command(b"MAIL FROM:<a@example.net>", b"250")
            answers = []
            for t in to:
                c.s.sendall(b"RCPT TO:<%s>\r\n" % t.encode())
                answers.append(c.reply())
            n = sum(a.startswith(b"250") for a in answers)
            if n > 0:
                self.serial += 1
                c.command(b"DATA", b"354")
                c.s.sendall(MAIL % (self.serial, self.serial, self.serial) + b".\r\n")
                for _ in range(n):
                    c.expect(b"250")
        return answers


def serials(s, user):
    try:
        m = s.imap(user, "INBOX")
    except (AssertionError, imaplib.IMAP4.error):
        return None  # not back yet
    found = sorted(int(re.search(rb"X-Serial: (\d+)", d).group(1)) for d in fetch_all(m).values())
    m.logout()
    return found


def fill(t, sent):
    """Mail for the second user until it is refused."""
    def one_more():
        a = t.send(t.s.users[1])[0]
        if not a.startswith(b"250"):
            return a
        sent.append(t.serial)
    return wait_for("a refusal", one_more)


def check_owner_stays_down(split):
    t = Site(split, lda_hold_max_messages=LIMIT)
    s = t.s
    with s:
        t.start_owner()
        sent = {0: [], 1: []}
        for user in (0, 1):
            assert t.send(s.users[user])[0].startswith(b"250")
            sent[user].append(t.serial)
            s.wait_count(user, 1).logout()
        t.kill_owner()
        a = fill(t, sent[1])
        assert a.startswith(b"451 4.4.1") and s.users[1].encode() in a, a
        assert len(sent[1]) >= 1 + LIMIT
        wait_for("the line about it", lambda: re.search(
            r"a server with stores: .*localhost:\d+: .*; \d+ messages \(\d+ KiB\) wait for it.*answered 451 until it is back", s.log_text()))
        s.wait_log("raise lda_hold_max and lda_hold_max_messages")
        # others go on, also in one message; a list with a member there does not
        a = t.send(*s.users, "all@example.org")
        assert a[0].startswith(b"250") and a[1].startswith(b"451 4.4.1") and a[2].startswith(b"451 4.4.1"), a
        sent[0].append(t.serial)
        s.wait_count(0, 2).logout()
        t.start_owner()
        try:
            wait_for("all of it", lambda: serials(s, 1) == sent[1])
            wait_for("an answer of 250", lambda: t.send(s.users[1])[0].startswith(b"250"))
            sent[1].append(t.serial)
            wait_for("the last", lambda: serials(s, 1) == sent[1])
            s.wait_log("mail for it is taken again")
            assert serials(s, 0) == sent[0]
            assert not os.path.exists(os.path.join(s.dir, "queue", "journal", "held"))
        finally:
            t.p.terminate()
            t.p.wait(PATIENCE)


def test_owner_stays_down():
    check_owner_stays_down(False)


def test_owner_stays_down_with_daemons_apart():
    check_owner_stays_down(True)


def test_disk_is_short():
    """Less free than there can be: nothing more for whom something waits, all for others."""
    t = Site(False, lda_hold_min_free="1024G")
    s = t.s
    with s:
        sent = []
        a = fill(t, sent)
        assert a.startswith(b"451 4.4.1") and len(sent) >= 1, a
        s.wait_log("the disk is nearly full", "lda_hold_min_free")
        assert t.send(s.users[0])[0].startswith(b"250")
        s.wait_count(0, 1).logout()
        t.start_owner()
        try:
            wait_for("all of it", lambda: serials(s, 1) == sent)
            wait_for("an answer of 250", lambda: t.send(s.users[1])[0].startswith(b"250"))
        finally:
            t.p.terminate()
            t.p.wait(PATIENCE)


gxtap.main(globals())
