# SPDX-License-Identifier: Apache-2.0
"""What run.py measures beyond rates: flushes, disk, memory, the way from LMTP to a waiting IMAP client."""
import os
import random
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from gxservice import RawLmtp  # noqa: E402
from imap_idle_mem import memory, tree  # noqa: E402


def flushes(server, load, count):
    """Flush calls a message, by strace on every process of the server while @load runs; None without strace."""
    if shutil.which("strace") is None:
        return None
    out = f"/tmp/gx-flush-{os.getpid()}"
    argv = ["strace", "-f", "-c", "-e", "trace=fsync,fdatasync,sync_file_range,msync", "-o", out]
    for pid in tree(server.pid):
        argv += ["-p", str(pid)]
    p = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    time.sleep(1)
    load()
    time.sleep(2)  # what comes behind the answers counts too
    p.send_signal(signal.SIGINT)
    p.wait()
    total = 0
    with open(out) as f:
        for line in f:
            w = line.split()
            if w and w[-1] in ("fsync", "fdatasync", "sync_file_range", "msync"):
                total += int(w[3])
    os.unlink(out)
    return round(total / count, 3)


def used(path):
    """Bytes of disk under @path, as du counts."""
    total = 0
    for d, _, names in os.walk(path):
        for n in [".", *names]:
            total += os.lstat(os.path.join(d, n)).st_blocks * 512
    return total


def small_message(i, rng):
    words = "the report meeting quarter budget please attached invoice project schedule contract review".split()
    head = (f"From: Sender {i} <sender{i % 50}@example.net>\r\nTo: user@example.org\r\nSubject: message number {i}\r\n"
            f"Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{i}.{rng.getrandbits(64):x}@example.net>\r\n"
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n")
    body = ""
    while len(head) + len(body) < 2106 - 80:
        body += " ".join(rng.choice(words) for _ in range(10)) + "\r\n"
    pad = 2106 - len(head) - len(body) - 2
    return (head + body + "x" * max(pad, 0) + "\r\n").encode()


def attachment_message(i, rng):
    import base64
    b64 = base64.encodebytes(rng.randbytes(75000)).replace(b"\n", b"\r\n")
    return (f"From: a@example.net\r\nTo: user@example.org\r\nSubject: picture {i}\r\nMIME-Version: 1.0\r\n"
            f"Message-ID: <pic{i}@example.net>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
            "Content-Type: text/plain\r\n\r\nSee the picture.\r\n--b\r\nContent-Type: image/jpeg\r\n"
            "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=p.jpg\r\n\r\n").encode() + \
        b64 + b"--b--\r\n"


def disk(server, user, make, count):
    """Bytes of disk a message under the server's directory, journals apart; @return (bytes a message, mean size)."""
    rng = random.Random(7)
    server.settle()
    before, size = used(server.mail_dir), 0
    with RawLmtp(server.lmtp_port) as c:
        for i in range(count):
            m = make(i, rng)
            size += len(m)
            c.send_mail("sender@example.net", [user], m)
    time.sleep(3)
    server.settle()
    return round((used(server.mail_dir) - before) / count), round(size / count)


def wake(server, user, password, rounds):
    """ms from MAIL FROM on an open LMTP connection to EXISTS at a client in IDLE: (p50, p99)."""
    with socket.create_connection(("127.0.0.1", server.imap_port)) as s, RawLmtp(server.lmtp_port) as c:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        f = s.makefile("rb")

        def until(word):
            while True:
                line = f.readline()
                if not line:
                    raise ConnectionError("the server closed the connection")
                if word in line:
                    return

        until(b"OK")
        for tag, cmd in ((b"a1", f"LOGIN {user} {password}"), (b"a2", "SELECT INBOX")):
            s.sendall(tag + b" " + cmd.encode() + b"\r\n")
            until(tag + b" OK")
        s.sendall(b"a3 IDLE\r\n")
        until(b"+")
        ms = []
        for i in range(rounds):
            m = small_message(i, random)
            t = time.perf_counter()
            c.send_mail("sender@example.net", [user], m)
            until(b"EXISTS")
            ms.append((time.perf_counter() - t) * 1000)
            time.sleep(0.02)
        ms.sort()
        return round(statistics.median(ms), 3), round(ms[int(len(ms) * 0.99)], 3)


def pss_kib(server):
    return memory(tree(server.pid))["pss_kb"]


def write_pack(path, make, count):
    rng = random.Random(3)
    with open(path, "wb") as f:
        for i in range(count):
            m = make(i, rng)
            f.write(struct.pack("<I", len(m)) + m)
    return path


def copy_many(server, user, password, target, times):
    """COPY 1:* of INBOX to @target, so often."""
    import imaplib
    m = imaplib.IMAP4("127.0.0.1", server.imap_port, timeout=600)
    m.login(user, password)
    m.create(target)
    m.select("INBOX")
    secs = []
    for _ in range(times):
        t = time.monotonic()
        typ, data = m.copy("1:*", target)
        assert typ == "OK", data
        secs.append(time.monotonic() - t)
    m.logout()
    return round(statistics.median(secs) * 1000, 1)
