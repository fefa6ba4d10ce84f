#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Outlook's sessions where istore has the stores: http and gromoxd hand requests on to it."""
import json
import os
import re
import signal
import socket
import struct
import subprocess
import tempfile

from gxservice import PASSWORD, PATIENCE, SPLIT, Server, gxtap, program, wait_for
from exmdbwire import Client as Exmdb, eid
import mapiwire

SMTP, RIGHTS = 0x39fe001f, 0x66730003
IPM, INBOX = 9, 0xd
scratch = tempfile.mkdtemp(prefix="gx-front-")


def serve(mode, front="http", users=2, **kw):
    s = Server(users=users, split=True, http=True, config=f"istore_standalone = {mode}\ncache_interval = 1\n", **kw)
    s.split_parts = (SPLIT + ("http",)) if front == "http" else ("istore", "gromoxd")
    return s


def mapi(s, *args, user=0, code=0, data=None, box="x"):
    r = subprocess.run([program("gromox-mapi"), "-u", s.users[user], "--url", f"https://localhost:{s.https_port}/mapi/emsmdb/?MailboxId={box}",
                        "--dn", dn(user), "--cacert", s.cert, *args], env=dict(os.environ, GX_PASSWORD=PASSWORD), input=data,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    assert r.returncode == code, (args, r.returncode, r.stdout, r.stderr)
    return r.stdout if code == 0 else r.stderr.decode()


def dn(user):
    return mapiwire.essdn(user + 1, f"user{user + 1}")


def session(s, user=0, **kw):
    c = mapiwire.Client(s.http_port, s.users[user], dn(user), **kw)
    a = c.connect()
    assert a.code == 0 and a.error == 0, (a.status, a.code)
    ec, handles = c.logon()
    assert ec == 0, hex(ec)
    return c, handles


def directory(s, user):
    return os.path.join(s.dir, "user", "example.org", f"user{user + 1}")


def use_a_mailbox(s):
    s.deliver(b"From: a@example.net\r\nSubject: number one\r\n\r\nhello\r\n")
    s.wait_count(0, 1).logout()
    assert [m["subject"] for m in json.loads(mapi(s, "--json", "ls", "Inbox"))] == ["number one"]
    body = "".join(f"line {i} of a long text\r\n" for i in range(20000))
    where = mapi(s, "put", "Drafts", "-", data=f"From: a@example.net\r\nSubject: large\r\n\r\n{body}".encode()).decode().strip()
    out = mapi(s, "cat", where).decode()
    assert "Subject: large" in out and "line 19999 of" in out, out[:1000]
    copy = os.path.join(scratch, f"copy{s.http_port}")
    mapi(s, "sync", copy)
    assert any(b"number one" in open(os.path.join(copy, n), "rb").read() for n in os.listdir(copy) if n.endswith(".eml")), os.listdir(copy)
    watch_mail(s)


def watch_mail(s):
    w = subprocess.Popen([program("gromox-mapi"), "-u", s.users[0], "--url", f"https://localhost:{s.https_port}/mapi/emsmdb/?MailboxId=x", "--dn",
                          dn(0), "--cacert", s.cert, "--json", "watch", "Inbox"], env=dict(os.environ, GX_PASSWORD=PASSWORD),
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert b"watching" in w.stderr.readline()
    s.deliver(b"From: a@example.net\r\nSubject: number two\r\n\r\nhello\r\n")
    seen = set()
    while "new-mail" not in seen:
        line = w.stdout.readline()
        assert line, "it has ended"
        seen.add(json.loads(line)["event"])
    w.send_signal(signal.SIGINT)
    assert w.wait(60) == 0


def let_in(s, owner, user):
    """Into the inbox."""
    c = Exmdb(("127.0.0.1", s.exmdb_port), directory(s, owner))
    for f in (IPM, INBOX):
        c.update_folder_permission(eid(f), False, [(1, {SMTP: s.users[user], RIGHTS: 0x5fb})])
    c.close()


def end_istore(s):
    s.parts["istore"].kill()
    s.parts["istore"].wait()


def istore_again(s):
    s.start_part("istore")
    s.wait_for_ports(PATIENCE, lambda: s.parts["istore"].poll(), s.exmdb_port)


def check_restarts(s):
    c, _ = session(s)
    # another connection, another front: the session goes on; a wait ends with an answer
    c.send("NotificationWait", struct.pack("<2I", 0, 0))
    r = c.connection.getresponse()
    assert r.read(12) == b"PROCESSING\r\n"
    s.parts["http"].terminate()
    rest = r.read()
    assert b"DONE\r\nX-ResponseCode: 0\r\n" in rest and rest.endswith(b"\r\n\r\n" + bytes(16)), rest
    c.close()
    assert s.parts["http"].wait(60) == 0
    s.start_part("http")
    s.wait_for_ports(PATIENCE, lambda: s.parts["http"].poll(), s.http_port)
    assert c.ask("PING").code == 0
    # the owner dies while a client waits, and is away for a while
    c.send("NotificationWait", struct.pack("<2I", 0, 0))
    r = c.connection.getresponse()
    assert r.read(12) == b"PROCESSING\r\n"
    end_istore(s)
    try:
        rest = r.read()
        assert b"DONE" not in rest, rest
    except Exception as e:  # noqa: BLE001 an answer that ends too early
        assert "IncompleteRead" in repr(e), e
    c.close()
    a = c.ask("PING")
    assert (a.status, a.code) == (200, 10), (a.status, a.code)
    other = mapiwire.Client(s.http_port, s.users[0], c.dn)
    a = other.connect()
    assert a.status == 503 and a.headers["Retry-After"], a.status
    istore_again(s)
    a = c.ask("PING")
    assert (a.status, a.code) == (200, 10), (a.status, a.code)
    c.cookies.clear()
    assert c.connect().code == 0 and c.logon()[0] == 0
    c.close()
    other.close()


def check_hangup(s):
    """A client that hangs up takes its request out of istore."""
    c, _ = session(s)
    c.send("NotificationWait", struct.pack("<2I", 0, 0))
    assert c.connection.getresponse().read(12) == b"PROCESSING\r\n"

    def requests():
        mark = len(s.log_text())
        s.parts["http"].send_signal(signal.SIGUSR1)
        return wait_for("the report", lambda: [line for line in s.log_text()[mark:].splitlines() if "handed on requests=" in line])[-1]
    assert "requests=1 " in requests(), requests()
    c.close()
    wait_for("the end of the request", lambda: "requests=0 " in requests())


def check_strangers(s):
    """Only those are believed that istore knows; a password is none of its business."""
    with socket.socket(socket.AF_UNIX) as u:
        u.connect(os.path.join(s.dir, "istore-http.sock"))
        u.sendall(b"POST /mapi/emsmdb/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic eDp4\r\nContent-Length: 0\r\n\r\n")
        assert b" 403 " in u.recv(100)


def test_http_before_istore():
    with serve(1) as s:
        use_a_mailbox(s)
        # others' mailboxes, and public folders
        assert "ecLoginPerm" in mapi(s, "--mailbox", dn(0), "ls", user=1, code=3)
        let_in(s, 0, 1)
        assert b"number one" in mapi(s, "--mailbox", dn(0), "ls", "Inbox", user=1)
        s.tool("gromox-mkpublic", "-c", s.cfg, "example.org")
        mapi(s, "--public", "ls")
        # the address book stays with http
        assert b"user2@example.org" in mapi(s, "--json", "resolve", "user2", code=0)
        check_hangup(s)
        check_strangers(s)
        check_restarts(s)


def test_gromoxd_before_istore():
    with serve(1, front="gromoxd") as s:
        use_a_mailbox(s)


def workers_of(pid):
    """Stores that have a process, by its id."""
    found = {}
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/children") as f:
            for child in f.read().split():
                with open(f"/proc/{child}/cmdline", "rb") as g:
                    words = g.read().split(b"\0")
                if b"--store" in words:
                    found[words[words.index(b"--store") + 1].decode()] = int(child)
    return found


def answered(a):
    """None: try again. Who dies just then may still take a connection, or the request itself."""
    return a if a.status != 503 and a.code != 0 else None


def mailbox_id(s, address):
    """What autodiscover gives out."""
    r = s.tool("gromox-dscli", "-e", address, "-u", s.users[0], "-H", f"https://localhost:{s.https_port}/autodiscover/autodiscover.xml",
               "--insecure", "--xml")
    return re.search(rb"emsmdb/\?MailboxId=([^<\s]+)", r.stdout).group(1).decode()


def test_a_process_for_each_store():
    s = serve(3)
    with open(s.cfg, "a") as f:
        f.write(f"oxdisco_exonym = localhost:{s.https_port}\n")
    with s:
        use_a_mailbox(s)
        let_in(s, 0, 1)
        # a session reaches the mailbox that the URL names; the client finds the way to others, where autodiscover knows it
        assert b"number one" in mapi(s, "--mailbox", dn(0), "ls", "Inbox", user=1)
        assert "the mailbox is at" in mapi(s, "--mailbox", dn(1), "ls", "Inbox", user=0, code=4)
        assert b"number one" in mapi(s, "--mailbox", dn(0), "ls", "Inbox", user=1, box=s.users[0])
        assert b"number one" in mapi(s, "--mailbox", dn(0), "ls", "Inbox", user=1, box=mailbox_id(s, s.users[0]))
        s.tool("gromox-mkpublic", "-c", s.cfg, "example.org")
        mapi(s, "--public", "ls", box=mailbox_id(s, "public.folder.root@example.org"))
        # the process of one mailbox dies: its sessions are gone, those of the other are not
        mine, _ = session(s)
        other, _ = session(s, user=1)
        running = workers_of(s.parts["istore"].pid)
        os.kill(running[directory(s, 0)], signal.SIGKILL)
        a = wait_for("an answer", lambda: answered(mine.ask("PING")))
        assert (a.status, a.code) == (200, 10), (a.status, a.code)
        mine.cookies.clear()
        assert mine.connect().code == 0 and mine.logon()[0] == 0
        assert other.ask("PING").code == 0
        mine.close()
        other.close()
        check_hangup(s)
        check_restarts(s)


def test_mailboxes_of_other_hosts():
    s = Server(users=2, http=True)
    s.tool("gromox-useradm", "-c", s.cfg, "server", "add", "other.example.org")
    s.tool("gromox-useradm", "-c", s.cfg, "user", "homeserver", s.users[1], "other.example.org")
    with s:
        session(s)[0].close()
        c = mapiwire.Client(s.http_port, s.users[1], dn(1))
        a = c.connect()
        assert (a.status, a.headers["Location"]) == (302, "https://other.example.org/mapi/emsmdb/?MailboxId=x"), (a.status, a.headers)
        c.close()


def second(s, *args, other=None, code=0):
    """The mailbox of the second user by way of the first server, with the certificates of both, or of one."""
    trusted = os.path.join(scratch, f"trusted{len(os.listdir(scratch))}.pem")
    with open(trusted, "wb") as f:
        for x in [s] + ([other] if other is not None else []):
            with open(x.cert, "rb") as g:
                f.write(g.read())
    return mapi(s, "--cacert", trusted, *args, user=1, code=code)


def test_the_client_follows_to_other_hosts():
    s, other = Server(users=2, http=True), Server(users=2, http=True)
    with open(s.cfg, "a") as f:
        f.write(f"oxdisco_exonym = localhost:{s.https_port}\n")
    s.tool("gromox-useradm", "-c", s.cfg, "server", "add", "other.example.org", "--extname", f"localhost:{other.https_port}")
    s.tool("gromox-useradm", "-c", s.cfg, "user", "homeserver", s.users[1], "other.example.org")
    with s, other:
        # its owner is sent on with HTTP, and autodiscover says the same
        other.deliver(b"From: a@example.net\r\nSubject: over there\r\n\r\nhello\r\n", to=1)
        other.wait_count(1, 1).logout()
        assert b"over there" in second(s, "ls", "Inbox", other=other)
        # a certificate that does not hold
        assert "certificate" in second(s, "ls", code=4)
        # others are by RopLogon
        r = mapi(s, "--mailbox", dn(1), "ls", code=4)
        assert "the mailbox is at other.example.org" in r, r


gxtap.main(globals())
