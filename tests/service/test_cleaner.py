#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gromox-cleaner on the mailboxes of a running gromoxd: what was deleted long ago goes for good, the rest stays."""
import os
import random
import sqlite3
import subprocess

from gxservice import Server, gxtap, program


def mail(i):
    words = random.Random(i).randbytes(160000).hex().encode()
    lines = b"\r\n".join(words[k:k + 70] for k in range(0, len(words), 70))
    return b"From: a@example.net\r\nSubject: number %d\r\n\r\n" % i + lines + b"\r\n"


def clean(s, code=0):
    r = subprocess.run([program("gromox-cleaner"), "-c", s.cfg, "--mbop", program("gromox-mbop")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       timeout=120)
    assert r.returncode == code, r


def soft_deleted(s):
    """Messages of the first user that are deleted softly, once the server is down."""
    db = sqlite3.connect(os.path.join(s.dir, "user", "example.org", "user1", "exmdb", "gx.sqlite3"))
    n = db.execute("SELECT COUNT(*) FROM msg WHERE flags&512").fetchone()[0]
    db.close()
    return n


def test_old_ones_go():
    with Server(users=2) as s:
        for i in range(4):
            s.deliver(mail(i))
        m = s.wait_count(0, 4)
        s.tool("gromox-mbop", "--config", s.cfg, "-u", s.users[0], "emptyfld", "--soft", "INBOX")
        m.noop()
        clean(s)
        s.stop()
        assert soft_deleted(s) == 4, "thirty days are not over"
        with open(s.cfg, "a") as f:
            f.write("softpurge_purgetime = 0s\n")
        s.start()
        s.deliver(mail(9))
        s.wait_count(0, 1)
        clean(s)
        s.stop()
        assert soft_deleted(s) == 0
        for user in (1, 2):
            r = subprocess.run([program("gromox-mbck"), "-c", s.cfg, os.path.join(s.dir, "user", "example.org", f"user{user}")],
                               stdout=subprocess.PIPE, text=True)
            assert r.returncode == 0 and r.stdout == "", r
        s.start()
        s.wait_count(0, 1)


if __name__ == "__main__":
    gxtap.main(globals())
