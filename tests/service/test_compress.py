#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gromox-compress on the files of a mailbox that a running gromoxd has open."""
import base64
import os
import random
import subprocess

from gxservice import Server, fetch_all, gxtap, program


def mail(i):
    rnd = random.Random(i)
    words = [rnd.randbytes(4).hex().encode() for _ in range(3000)]
    data = b" ".join(rnd.choice(words) for _ in range(90000))
    return (b"From: a@example.net\r\nSubject: number %d\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ntext\r\n--x\r\n"
            b"Content-Type: application/octet-stream; name=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n" % i
            + base64.encodebytes(data).replace(b"\n", b"\r\n") + b"--x--\r\n")


def test_nobody_notices_but_the_disk():
    with Server(users=1) as s:
        for i in range(4):
            s.deliver(mail(i))
        box = os.path.join(s.dir, "user", "example.org", "user1")
        cid = os.path.join(box, "cid")
        m = s.wait_count(0, 4)
        before = fetch_all(m)

        def size():
            return sum(os.stat(os.path.join(d, f)).st_size for d, _, files in os.walk(cid) for f in files)
        was = size()
        assert was > 200000
        r = subprocess.run([program("gromox-compress"), "-z", "19", "--cid", cid], stdout=subprocess.PIPE, text=True)
        assert r.returncode == 0 and "4 objects, 4 replaced, 0 left" in r.stdout, r
        assert size() < was
        assert fetch_all(m) == fetch_all(s.imap(0, "INBOX")) == before
        # What needs the database needs the server out of the way.
        r = subprocess.run([program("gromox-compress"), "-c", s.cfg, box], stderr=subprocess.PIPE, text=True)
        assert r.returncode == 1 and "gromoxd" in r.stderr, r
        r = subprocess.run([program("gromox-compress"), "-n", "-c", s.cfg, "--all"], stdout=subprocess.PIPE, text=True)
        assert r.returncode == 0 and "objects" in r.stdout, r
        m.store("1:2", "+FLAGS", r"(\Deleted)")
        m.expunge()
        s.deliver(mail(3))
        after = fetch_all(s.wait_count(0, 3))
        assert list(after.values())[:2] == list(before.values())[2:]
        s.stop()
        r = subprocess.run([program("gromox-mbck"), "-c", s.cfg, box], stdout=subprocess.PIPE, text=True)
        assert r.returncode == 0, r
        s.start()


if __name__ == "__main__":
    gxtap.main(globals())
