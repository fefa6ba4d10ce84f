#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Attackers against a running server. After each attack it is alive, serves others at once and has let go of memory."""
import base64
import os
import random
import re
import resource
import select
import socket
import struct
import threading
import time

from gxservice import PASSWORD, RawLmtp, Server, gxtap, wait_for
from imapwire import Closed, Wire, read
import mailgen

SERVER = None
BAN = 8  # seconds
# How much more time and memory a build with sanitizers may take.
SANITIZED = 6 if gxtap.sanitized() else 1
INVARIANTS = re.compile(r"assert|SERVERBUG|internal|invariant|runtime error|Sanitizer|corrupt|ecError|misuse", re.I)


def server():
    global SERVER
    if SERVER is None:
        SERVER = Server(users=6, config="userfilter_maxbans = 1000\nimap_auth_times = 5\n"
                        f"block_interval_auths = {BAN}s\nimap_conn_timeout = 20s\nsmtp_conn_timeout = 20s\n").start()
        SERVER.first_rss = None
    return SERVER


def rss(s):
    with open(f"/proc/{s.proc.pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) // 1024


def open_fds(s):
    return len(os.listdir(f"/proc/{s.proc.pid}/fd"))


def sample(i, text=b"hello"):
    return mailgen.head(i) + b"Content-Type: text/plain\r\n\r\n" + text + b"\r\n"


def server_sockets(s):
    """Connections that the server still holds open."""
    inodes = set()
    for fd in os.listdir(f"/proc/{s.proc.pid}/fd"):
        try:
            m = re.match(r"socket:\[(\d+)\]", os.readlink(f"/proc/{s.proc.pid}/fd/{fd}"))
        except OSError:
            continue
        if m:
            inodes.add(m.group(1))
    found = []
    with open("/proc/net/tcp") as f:
        for line in f.readlines()[1:]:
            w = line.split()
            if w[9] in inodes and w[3] != "0A":
                found.append((int(w[1].split(":")[1], 16), w[3]))
    return found


def no_connection_left(s):
    wait_for("the end of all connections", lambda: not server_sockets(s))


def alive(s):
    """Another client is served; nothing about broken invariants is in the log."""
    assert s.proc.poll() is None, f"gromoxd ended with {s.proc.returncode}:\n{s.log_text()}"
    start = time.monotonic()
    with Wire(s, 5) as w:
        w.ok(b"SELECT INBOX")
    with RawLmtp(s.lmtp_port) as c:
        c.command(b"NOOP", b"250")
    print(f"# another client: {time.monotonic() - start:.2f} s")
    with open(s.log_path, errors="replace") as f:
        bad = [line for line in f if INVARIANTS.search(line)]
    assert not bad, bad[:5]


def after(attack):
    """Wraps a test: runs it, then looks at the server."""
    def test():
        s = server()
        attack(s)
        alive(s)
        no_connection_left(s)
        print(f"# {rss(s)} MB, {open_fds(s)} descriptors")
    test.__name__ = attack.__name__
    return test


def tcp(port, timeout=30):
    return socket.create_connection(("127.0.0.1", port), timeout=timeout)


def drain(sock, timeout=20):
    """All that comes until the server closes, or is silent for the time."""
    sock.settimeout(timeout)
    got = b""
    try:
        while True:
            d = sock.recv(65536)
            if not d:
                return got
            got += d
    except (socket.timeout, ConnectionError):
        return got


def push(sock, data):
    """As much as the server takes; False when it closed."""
    try:
        sock.sendall(data)
        return True
    except (ConnectionError, socket.timeout):
        return False


@after
def test_garbage(s):
    rng = random.Random(1)
    for port in (s.lmtp_port, s.imap_port, s.imaps_port):
        for size in (1, 100, 5000, 200000):
            with tcp(port) as c:
                push(c, rng.randbytes(size))
                push(c, b"\r\n" * 50 + b"\0" * 50 + b"\r\n")
                try:
                    c.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                drain(c, 5)


@after
def test_endless_line(s):
    for port in (s.lmtp_port, s.imap_port):
        with tcp(port) as c:
            for _ in range(400):
                if not push(c, b"a" * 65536):
                    break
            assert rss(s) < 1500, rss(s)
    with Wire(s, 0) as w:
        for _ in range(100):
            if not push(w.s, b"x" * 65536):
                break
    with Wire(s, 0) as w:
        w.send(b'a FETCH 1 "' + b"\\" * 60000)
        w.send(b'"\r\n')
        assert w.until(b"a")[1].startswith(b"a BAD")


@after
def test_headers_without_end(s):
    for body in (b"X-A: b\r\n" * 200000, b"X-Fold:\r\n" + b" a\r\n" * 300000, b"X" * 3000000 + b"\r\n", b": \r\n" * 300000):
        with RawLmtp(s.lmtp_port) as c:
            c.send_mail("a@example.net", [s.users[0]], body)
    with Wire(s, 0) as w:
        wait_for("the mail", lambda: int(re.search(rb"\* (\d+) EXISTS", b"".join(w.ok(b"SELECT INBOX"))).group(1)) == 4)
        for item in (b"ENVELOPE", b"BODYSTRUCTURE", b"BODY.PEEK[HEADER.FIELDS (SUBJECT X-A)]"):
            for r in w.ok(b"FETCH 1:* (%s)" % item):
                read(r)
        w.ok(b"SEARCH HEADER X-A b")
        w.ok(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
        w.ok(b"EXPUNGE")


@after
def test_announced_and_not_sent(s):
    cases = [b"a LOGIN {4000000000}", b"a LOGIN {99999999999999999999}", b"a LOGIN {4000000000+}", b"a LOGIN {-1}",
             b"a LOGIN {0}", b"a {5}", b"{5}", b"a LOGIN {}", b"a LOGIN {+}", b"a LOGIN {1+} {1+}"]
    for text in cases:
        with Wire(s) as w:
            w.send(text + b"\r\n")
            try:
                w.s.settimeout(0.2)
                w.response()
            except (socket.timeout, Closed):
                pass
    for text in (b"a APPEND INBOX {30000000}", b"a APPEND INBOX {30000000+}", b"a APPEND INBOX {99999999999}",
                 b"a APPEND INBOX {99999999999999999999+}", b"a APPEND INBOX (\\Seen) {200+}", b"a APPEND {70000}"):
        with Wire(s, 0) as w:
            w.send(text + b"\r\nabc")
    with RawLmtp(s.lmtp_port) as c:
        c.command(b"MAIL FROM:<a@example.net> SIZE=99999999999999999999", b"5")
        c.command(b"MAIL FROM:<a@example.net> SIZE=1000", b"250")
        c.command(b"RCPT TO:<%s>" % s.users[0].encode(), b"250")
        c.s.sendall(b"BDAT 60000000 LAST\r\nabc")


@after
def test_literals_in_every_place(s):
    with Wire(s) as w:
        user, pw = s.users[0].encode(), PASSWORD.encode()
        w.ok(b"LOGIN {%d}" % len(user), [user + b" {%d+}\r\n" % len(pw) + pw + b"\r\n"])
        w.ok(b"SELECT {5+}\r\nINBOX")
        w.ok(b"STATUS {5+}\r\ninbox (MESSAGES)")
        w.ok(b"LIST {0+}\r\n {1+}\r\n*")
        w.ok(b"CREATE {3+}\r\nlit")
        w.ok(b"RENAME {3+}\r\nlit {4+}\r\nlit2")
        w.ok(b"SUBSCRIBE {4+}\r\nlit2")
        w.ok(b"SEARCH SUBJECT {3+}\r\nabc BODY {2+}\r\nxy")
        w.ok(b"SEARCH CHARSET {5+}\r\nUTF-8 TEXT {4+}\r\n\xc3\xa4\xc3\xb6")
        w.ok(b"FETCH 1:* BODY.PEEK[HEADER.FIELDS ({7+}\r\nSubject)]")
        w.no(b"SEARCH SUBJECT {3+}\r\na\0b", b"BAD")
        w.no(b"STORE {1+}\r\n1 FLAGS ()", b"BAD")
        w.no(b"CREATE {4+}\r\na\0bc", b"BAD")
        w.ok(b"DELETE {4+}\r\nlit2")
        w.no(b"NOOP {3+}\r\nabc", b"BAD")


@after
def test_thousands_of_pipelined_commands(s):
    n = 5000
    with Wire(s, 0) as w:
        t = threading.Thread(target=push, args=(w.s, b"".join(b"p%d NOOP\r\n" % i for i in range(n))))
        t.start()
        for i in range(n):
            assert w.response().startswith(b"p%d OK" % i)
        t.join()
        n = 600
        t = threading.Thread(target=push, args=(w.s, b"".join(b'p%d LIST "" "*"\r\n' % i for i in range(n))))
        t.start()
        for i in range(n):
            w.until(b"p%d" % i)
        t.join()
    with RawLmtp(s.lmtp_port) as c:
        t = threading.Thread(target=push, args=(c.s, b"NOOP\r\nRSET\r\n" * 3000))
        t.start()
        for _ in range(6000):
            c.expect(b"250")
        t.join()
    # a client that never reads cannot make the server hold all answers
    with Wire(s, 0) as w:
        before = rss(s)
        w.s.settimeout(3)
        line = b"".join(b'q LIST "" "*"\r\n' for _ in range(1000))
        for _ in range(60):
            if not push(w.s, line):
                break
        assert rss(s) < before + 200 * SANITIZED, (before, rss(s))


@after
def test_half_closed(s):
    with tcp(s.imap_port) as c:
        c.sendall(b"a CAPABILITY\r\nb LOGOUT\r\n")
        c.shutdown(socket.SHUT_WR)
        got = drain(c)
        assert b"a OK" in got and b"b OK" in got, got
    with tcp(s.imap_port) as c:
        c.sendall(b'a LOGIN %s "%s"\r\nb SELECT INBOX\r\nc FETCH 1:* ALL\r\nd IDLE\r\n' % (s.users[0].encode(), PASSWORD.encode()))
        c.shutdown(socket.SHUT_WR)
        got = drain(c)
        assert b"c OK" in got, got
    with tcp(s.lmtp_port) as c:
        c.sendall(b"LHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<%s>\r\nDATA\r\nhalf a mes" % s.users[0].encode())
        c.shutdown(socket.SHUT_WR)
        drain(c)
    with Wire(s, 0) as w:
        assert b"* 0 EXISTS\r\n" in w.ok(b"SELECT INBOX")


@after
def test_cut_at_every_byte(s):
    imap = b'a LOGIN %s "%s"\r\nb SELECT INBOX\r\nc APPEND INBOX (\\Seen) {20+}\r\nSubject: x\r\n\r\nbody\r\n\r\nd IDLE\r\nDONE\r\n' % (
        s.users[1].encode(), PASSWORD.encode())
    lmtp = b"LHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<%s>\r\nDATA\r\nSubject: cut\r\n\r\nx\r\n.\r\nQUIT\r\n" % s.users[1].encode()
    for port, script in ((s.imap_port, imap), (s.lmtp_port, lmtp)):
        for i in range(0, len(script), 1 if SANITIZED == 1 else 3):
            c = tcp(port)
            push(c, script[:i])
            if i % 3 == 0:  # reset instead of an orderly end
                c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            c.close()
    with Wire(s, 1) as w:
        w.ok(b"SELECT INBOX")
        for r in w.ok(b"FETCH 1:* (FLAGS ENVELOPE BODY.PEEK[])"):
            read(r)


@after
def test_slow_readers(s):
    """Twenty clients ask for everything and read nothing."""
    with Wire(s, 2) as w:
        for i in range(8):
            _, last = w.append(b"INBOX", mailgen.head(i) + b"\r\n" + (b"x" * 998 + b"\r\n") * 3000)
            assert last.split(b" ")[1] == b"OK", last
    before = rss(s)
    slow = []
    for _ in range(20):
        w = Wire(s, 2)
        w.ok(b"SELECT INBOX")
        w.send(b"a FETCH 1:* (BODY.PEEK[])\r\n" * 10)
        slow.append(w)
    time.sleep(1)
    alive(s)
    grown = rss(s) - before
    assert grown < 300 * SANITIZED, f"{grown} MB for 20 readers"
    for w in slow[:3]:  # and it goes on where it stopped
        found, last = w.until(b"a")
        assert last.startswith(b"a OK") and len(found) == 8
    for w in slow:
        w.close()


@after
def test_two_thousand_connections(s):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = 2000 if SANITIZED == 1 else 500
    if hard != resource.RLIM_INFINITY and hard < want * 2:
        want = hard // 3
    if soft < want + 200:
        resource.setrlimit(resource.RLIMIT_NOFILE, (want + 200, hard))
    before, held = rss(s), []
    for i in range(want):
        held.append(tcp((s.imap_port, s.lmtp_port)[i % 2]))
    for c in held:
        assert c.recv(4096)[:3] in (b"* O", b"220"), "no greeting"
    alive(s)
    print(f"# {want} connections take {(rss(s) - before)} MB")
    for c in held:
        c.close()


@after
def test_commands_before_the_handshake(s):
    """What is pipelined behind STARTTLS in clear text is never answered."""
    c = tcp(s.imap_port)
    c.recv(4096)
    c.sendall(b"a STARTTLS\r\nb CAPABILITY\r\nc NOOP\r\n")
    assert c.recv(4096).startswith(b"a OK")
    w = Wire.__new__(Wire)
    w.s, w.n = c, 0
    try:
        w.start_tls()
        w.send(b"z NOOP\r\n")
        assert w.response().startswith(b"z OK")
    except OSError:  # the bytes in clear text broke the handshake: as good
        pass
    w.s.close()
    c = tcp(s.lmtp_port)
    c.recv(4096)
    c.sendall(b"LHLO x\r\n")
    c.recv(4096)
    c.sendall(b"STARTTLS\r\nMAIL FROM:<injected@example.net>\r\nRCPT TO:<%s>\r\n" % s.users[0].encode())
    assert c.recv(4096).startswith(b"220")
    w = Wire.__new__(Wire)
    w.s = c
    try:
        w.start_tls()
        w.send(b"DATA\r\n")
        assert w.f.readline().startswith(b"503")
    except OSError:
        pass
    w.s.close()
    with Wire(s) as w:
        w.ok(b"STARTTLS")
        w.start_tls()
        caps = w.ok(b"CAPABILITY")
        assert b"STARTTLS" not in caps[0] and b"LOGINDISABLED" not in caps[0]
        w.no(b"STARTTLS", b"BAD")


@after
def test_smuggling(s):
    """No end of data but CRLF.CRLF: one message or none, never two."""
    second = b"MAIL FROM:<evil@example.net>\r\nRCPT TO:<%s>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n" % s.users[3].encode()
    ends = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n\n.\r\n", b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\r\n.\r\r\n"]
    for hello in (b"EHLO", b"LHLO"):
        for e in ends:
            with tcp(s.lmtp_port) as c:
                c.sendall(hello + b" x\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<%s>\r\nDATA\r\nSubject: outer\r\n\r\nbody" % s.users[3].encode()
                          + e + second + b"QUIT\r\n")
                got = drain(c)
                assert got.count(b"354") == 1, (hello, e, got)
    with Wire(s, 3) as w:
        time.sleep(1)
        w.ok(b"SELECT INBOX")
        subjects = [read(r)[1][1][b"ENVELOPE"]["subject"] for r in w.ok(b"FETCH 1:* ENVELOPE") if b"FETCH" in r]
        assert set(subjects) <= {b"outer"}, subjects


@after
def test_brute_force(s):
    """Failures are slow, then refused though the password is right; others are not hit; it ends by itself."""
    user, password = s.users[4].encode(), PASSWORD.encode()

    def guess(n):
        with Wire(s) as w:
            w.no(b"LOGIN %s wrong%d" % (user, n))

    def right(text):
        with Wire(s) as w:
            return w.cmd(text)[1]
    for first in (True, *[False] * 9):
        start = time.monotonic()
        threads = [threading.Thread(target=guess, args=(n,)) for n in range(20)]
        for t in threads:
            t.start()
        alive(s)
        for t in threads:
            t.join()
        assert not first or time.monotonic() - start > 1.5, "no delay"
        answers = [right(b'LOGIN %s "%s"' % (user, password)),
                   right(b"AUTHENTICATE PLAIN " + base64.b64encode(b"\0%s\0%s" % (user, password)))]
        if all(b" NO [LIMIT]" in x for x in answers):
            break
        # On a slow machine the ban may be over by now: then once more, and nobody knows when the next one began.
        assert not first or time.monotonic() - start > BAN, answers
    else:
        raise AssertionError("never banned for long enough")
    wait_for("the end of the ban", lambda: right(b'LOGIN %s "%s"' % (user, password)).split(b" ")[1] == b"OK")
    with Wire(s) as w:
        for _ in range(30):
            try:
                w.cmd(b"XYZZY")
            except Closed:
                break
        else:
            raise AssertionError("bad commands without end before login")


@after
def test_search_bombs(s):
    with Wire(s, 2) as w:
        w.ok(b"SELECT INBOX")
        for text in (b"NOT " * 10000 + b"ALL", b"(" * 10000 + b"ALL" + b")" * 10000, b"(" * 20000,
                     b"OR " * 5000 + b"ALL " * 5001, b"OR " * 5000):
            w.no(b"SEARCH " + text, b"BAD")
            w.ok(b"NOOP")
        with Wire(s, 2) as x:  # beyond what a line may hold: BYE
            push(x.s, b"a SELECT INBOX\r\nb SEARCH " + b"NOT " * 100000 + b"ALL\r\n")
            assert b"* BYE" in drain(x.s)
        start = time.monotonic()
        w.cmd(b"SEARCH " + b"OR BODY zzz " * (30 // SANITIZED) + b"ALL")
        w.cmd(b"SEARCH " + b"NOT (TEXT abc) " * (30 // SANITIZED) + b"ALL")
        w.no(b"SEARCH " + b"NOT (TEXT abc) " * 33 + b"ALL", b"BAD")
        w.cmd(b"SEARCH TEXT {60000+}\r\n" + b"x" * 60000)
        w.cmd(b"SEARCH TEXT {60000+}\r\n" + b"x" * 59999 + b"y")
        print(f"# searches: {time.monotonic() - start:.1f} s")


@after
def test_sequence_set_bombs(s):
    with Wire(s, 2) as w:
        w.ok(b"SELECT INBOX")
        for one in (b"1:*", b"*:1", b"1", b"77777:1", b"*"):
            for command in (b"FETCH %s FLAGS", b"UID FETCH %s UID", b"UID SEARCH %s", b"SEARCH UID %s", b"STORE %s +FLAGS.SILENT (x)"):
                found, last = w.cmd(command % b",".join([one] * (60000 // (len(one) + 1))))
                assert len(found) <= 20, (one, command, len(found))
                for r in found:
                    read(r)
        for bad in (b"0", b"4294967296", b"1:0", b":", b"1:", b",", b"1,", b"1,,2", b"-1", b"1:2:3", b"", b"a", b"**", b"$x"):
            w.no(b"FETCH %s FLAGS" % bad, b"BAD")
            w.ok(b"NOOP")


@after
def test_names(s):
    with Wire(s, 1) as w:
        odd = [b'"a%b"', b'"a*b"', b'"a\\"b"', b'"a\\\\b"', b'"a b"', b'" a"', b'"a "', b'"a&-b"', b'"&AOQ-"', b'".."', b'"."', b'"a..b"',
               b'"~x"', b'"#news"', b'"{1}"', b'"(x)"', b'"NIL"', b'NIL', b'"%"', b'"a\tb"', b'"&2D3eAA-"', b'"' + b"n" * 200 + b'"']
        made = []
        for n in odd:
            _, last = w.cmd(b"CREATE " + n)
            assert last.split(b" ")[1] in (b"OK", b"NO"), (n, last)
            if last.split(b" ")[1] == b"OK":
                made.append(n)
        names = set()
        for r in w.ok(b'LIST "" "*"'):
            names.add(read(r)[1][1])
        for n in made:
            w.ok(b"STATUS %s (MESSAGES UIDNEXT)" % n)
            w.ok(b"SELECT " + n)
            w.ok(b"DELETE " + n)
        print(f"# {len(made)} of {len(odd)} odd names taken")
        for n in (b'""', b'"/"', b'"//"', b'"a//b"', b'"/a"', b'"&"', b'"&AO"', b'"&AAA-"', b'"&2AA-"', b'"&3AA-"', b'"&!-"', b'"\xff\xfe"',
                  b'"' + b"n" * 5000 + b'"', b'"' + b"a/" * 400 + b'"', b'"&AA0ACg-"', b'"&AAE-"', b'{4+}\r\na\r\nb', b'{2+}\r\na\n'):
            _, last = w.cmd(b"CREATE " + n)
            kind = last.split(b" ")[1]
            assert kind in (b"NO", b"BAD") or n in (b'"/a"',), (n, last)
        for r in w.ok(b'LIST "" "*"'):
            read(r)


@after
def test_deep_trees_and_patterns(s):
    with Wire(s, 1) as w:
        deep, k = b"d", 0
        while k < 300:
            _, last = w.cmd(b'CREATE "%s"' % deep)
            if last.split(b" ")[1] != b"OK":
                break
            deep, k = deep + b"/d", k + 1
        print(f"# {k} folders deep: {last!r}")
        assert k > 8
        start = time.monotonic()
        for p in (b"%*" * 20, b"*%" * 500, b"%/" * 100 + b"*", b"*d*d*d*d*d*d*d*d*d*d*d*d*d*x", b"%d%d%d*d%d*d%d*d%d*d*x*y*z", b"*" * 5000):
            for r in w.ok(b'LIST "" "%s"' % p):
                read(r)
        print(f"# {time.monotonic() - start:.1f} s for the patterns")
        for _ in range(400):
            deep = deep.rpartition(b"/")[0]
            if not deep or w.cmd(b'DELETE "%s"' % deep)[1].split(b" ")[1] == b"OK" and deep == b"d":
                break


@after
def test_large_and_many_appends(s):
    with Wire(s, 1) as w:
        big = mailgen.head(1) + b"\r\n" + (b"y" * 98 + b"\r\n") * 300000
        _, last = w.append(b"INBOX", big)
        assert last.split(b" ")[1] == b"OK" and b"APPENDUID" in last, last
        del big
        w.ok(b"SELECT INBOX")
        assert read(w.ok(b"FETCH * RFC822.SIZE")[0])[1][1][b"RFC822.SIZE"] > 30000000 - 100000
        one = sample(1)
        tag = w.tag()
        w.send(tag + b" APPEND INBOX {%d+}\r\n" % len(one) + one + b" {%d+}\r\n" % len(one) + one + b"\r\n")
        _, last = w.until(tag)
        assert last.split(b" ")[1] in (b"BAD", b"NO"), last
        w.ok(b"NOOP")
        w.no(b"APPEND nowhere {3+}\r\nabc")
        assert b"TRYCREATE" in w.no(b"APPEND nowhere {3+}\r\nabc")
        w.ok(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
        w.ok(b"EXPUNGE")


@after
def test_messages_and_mailboxes_gone(s):
    with Wire(s, 0) as a, Wire(s, 0) as b:
        a.ok(b"CREATE box")
        for i in range(6):
            a.append(b"box", sample(i))
        a.ok(b"SELECT box")
        b.ok(b"SELECT box")
        a.ok(b"COPY 1:3 box")
        b.ok(b"NOOP")
        a.ok(b"UID STORE 1:2 +FLAGS.SILENT (\\Deleted)")
        a.ok(b"EXPUNGE")
        # b still knows them
        for text in (b"UID STORE 1:2 +FLAGS (x)", b"STORE 1 +FLAGS (x)", b"FETCH 1:2 (BODY[] FLAGS)", b"FETCH 1 ENVELOPE",
                     b"COPY 1:2 INBOX", b"UID COPY 1:2 INBOX", b"UID MOVE 1 INBOX", b"SEARCH BODY hello"):
            found, last = b.cmd(text)
            assert last.split(b" ")[1] in (b"OK", b"NO"), (text, last)
            if not text.startswith(b"UID") and not text.startswith(b"COPY"):
                assert not any(b"EXPUNGE" in r for r in found), (text, found)
            for r in found:
                read(r)
        b.ok(b"NOOP")
        # two at once
        a.ok(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
        b.ok(b"NOOP")
        a.send(b"x EXPUNGE\r\n")
        b.send(b"x EXPUNGE\r\n")
        for w in (a, b):
            assert w.until(b"x")[1].startswith(b"x OK")
        a.ok(b"UID STORE 1:100 +FLAGS (\\Seen)")
        a.ok(b"UID FETCH 1:100 FLAGS")
        # the mailbox goes away under b
        a.ok(b"DELETE box")
        try:
            b.cmd(b"NOOP")
            b.cmd(b"FETCH 1 FLAGS")
        except (Closed, ConnectionError):
            pass
    with Wire(s, 0) as a:
        for i in range(3):
            a.append(b"INBOX", sample(i))
        count = [r for r in a.ok(b"SELECT INBOX") if r.endswith(b"EXISTS\r\n")]
        a.ok(b"RENAME INBOX renamed")
        assert b"* 0 EXISTS\r\n" in a.ok(b"SELECT INBOX")
        assert count[0] in a.ok(b"SELECT renamed"), count
        for text in (b"DELETE INBOX", b"RENAME renamed INBOX", b"CREATE INBOX", b"RENAME renamed renamed/below", b"CREATE inbox"):
            a.no(text)
        a.ok(b"DELETE renamed")


@after
def test_everybody_expunges(s):
    """Eight sessions mark, expunge, append and look at one mailbox; counts stay true."""
    stop = time.monotonic() + 3
    errors = []

    def work(n):
        rng = random.Random(n)
        try:
            with Wire(s, 3) as w:
                count = 0
                for r in w.ok(b"SELECT INBOX"):
                    if r.endswith(b"EXISTS\r\n"):
                        count = read(r)[1]
                while time.monotonic() < stop:
                    text = rng.choice([b"NOOP", b"EXPUNGE", b"STORE %d +FLAGS (\\Deleted)" % rng.randint(1, max(1, count)),
                                       b"UID FETCH 1:* FLAGS", b"FETCH 1:* FLAGS", b"SEARCH DELETED",
                                       b"APPEND INBOX {%d+}\r\n" % len(sample(n)) + sample(n), b"UID EXPUNGE 1:*"])
                    if b" %d " % count == b" 0 " and text.startswith((b"STORE", b"FETCH")):
                        continue
                    found, last = w.cmd(text)
                    if not last.split(b" ")[1] in (b"OK", b"NO"):
                        errors.append((text, last))
                    for r in found:
                        kind, v = read(r)
                        if kind == "EXISTS":
                            if v < count:
                                errors.append(("EXISTS shrank", count, v))
                            count = v
                        elif kind == "EXPUNGE":
                            if v > count or text.startswith((b"FETCH", b"STORE", b"SEARCH")):
                                errors.append((text, r, count))
                            count -= 1
                        elif kind == "FETCH" and v[0] > count:
                            errors.append((text, r, count))
        except BaseException as e:
            errors.append(repr(e))
    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors, errors[:5]


@after
def test_everybody_searches(s):
    """More costly searches than there are threads: others are served all the same."""
    hogs = []
    for _ in range(20):
        w = Wire(s, 2)
        w.ok(b"SELECT INBOX")
        w.send(b"a SEARCH " + b"NOT (TEXT abc) " * (32 // SANITIZED) + b"ALL\r\n")
        hogs.append(w)
    time.sleep(0.5)
    alive(s)
    for w in hogs:
        w.close()


@after
def test_fetch_bombs(s):
    """One command that asks for the same thousands of times, and nobody reads."""
    before = rss(s)
    start = time.monotonic()
    for text in (b"BODY.PEEK[] " * 4000, b"BODY.PEEK[TEXT]<0.100000> " * 2000, b"ENVELOPE " * 6000, b"BODYSTRUCTURE " * 4000,
                 b"BODY.PEEK[HEADER.FIELDS (FROM)] " * 1800):
        with Wire(s, 2) as w:
            w.ok(b"SELECT INBOX")
            w.send(b"a FETCH 1:* (" + text.strip() + b")\r\n")
            w.s.recv(100)
            time.sleep(0.3)
            assert rss(s) < before + 150 * SANITIZED, (text[:20], before, rss(s))
        no_connection_left(s)
        print(f"# {text[:20]}: {time.monotonic() - start:.1f} s")


@after
def test_list_bombs(s):
    with Wire(s, 4) as w:
        w.no(b"CREATE " + b"/".join([b"a" * 250] * 20))
        w.ok(b"CREATE " + b"/".join([b"a" * 240] * 8))
        start = time.monotonic()
        for p in (b"*" * 60000, b"*a" * 30000, b"*%" * 30000, b"*" + b"a" * 60000, b"%a" * 2000 + b"/" + b"*a" * 20000):
            w.cmd(b'LIST "" "%s"' % p)
            w.cmd(b'LIST "" (%s)' % b" ".join([p[:900]] * 64))
            w.ok(b'LIST "" (%s)' % b" ".join([p[:120]] * 64))
        print(f"# {time.monotonic() - start:.1f} s")


@after
def test_mime_bombs(s):
    bombs = {
        "parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 300000 + b"--b--\r\n",
        "addresses": b"To: " + b"a@b.example,\r\n " * 200000 + b"c@d.example\r\n\r\nx\r\n",
        "parameters": b"Content-Type: text/plain" + b"; a*0*=x" * 200000 + b"\r\n\r\nx\r\n",
        "comments": b"From: " + b"(" * 500000 + b"\r\n\r\nx\r\n",
        "words": b"Subject: " + b"=?utf-8?q?a?=\r\n " * 200000 + b"\r\n\r\nx\r\n",
        "messages": b"Content-Type: message/rfc822\r\n\r\n" * 50000 + b"x\r\n",
        "nested": b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(30000)),
        "references": b"References: " + b"<a@b>\r\n " * 300000 + b"\r\n\r\nx\r\n",
    }
    with Wire(s, 4) as w:
        w.ok(b"CREATE bombs")
        for name, data in bombs.items():
            start = time.monotonic()
            _, last = w.append(b"bombs", data)
            assert last.split(b" ")[1] == b"OK", (name, last)
            w.ok(b"SELECT bombs")
            for item in (b"ENVELOPE", b"BODYSTRUCTURE", b"BODY.PEEK[1.1.1.1.1]", b"BODY.PEEK[HEADER.FIELDS (TO)]"):
                for r in w.ok(b"FETCH * " + item):
                    try:
                        read(r)
                    except RecursionError:
                        pass
            w.ok(b"SEARCH TEXT nothing")
            print(f"# {name}: {time.monotonic() - start:.1f} s, {rss(s)} MB")


@after
def test_keywords_without_end(s):
    with Wire(s, 4) as w:
        w.append(b"INBOX", sample(1))
        w.ok(b"SELECT INBOX")
        for i in range(0, 3000, 50):
            w.cmd(b"STORE 1 FLAGS.SILENT (%s)" % b" ".join(b"k%d" % k for k in range(i, i + 50)))
        found = w.ok(b"SELECT INBOX")
        for r in found:
            read(r)
        size = sum(map(len, found))
        assert size < 60000, size
        w.ok(b"FETCH 1 FLAGS")


@after
def test_memory_is_back(s):
    """After all of it, and a second round of the large things, the server is no larger."""
    first = rss(s)
    for _ in range(3):
        test_large_and_many_appends()
        test_thousands_of_pipelined_commands()
    # the background still has texts of up to 16 MB in hand, to index them
    wait_for(f"less than {first + 60} MB", lambda: SANITIZED > 1 or rss(s) < first + 60)
    print(f"# {first} MB, then {rss(s)} MB")
    fds = open_fds(s)
    assert fds < 150, fds


def stop():
    if SERVER is not None:
        SERVER.stop()


gxtap.main(globals(), stop)
