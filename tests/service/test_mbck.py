#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gromox-mbck beside a running gromoxd, and after it was stopped."""
import os
import sqlite3
import subprocess

from gxservice import Server, fetch_all, gxtap, program


def mbck(s, *args, code=0):
    r = subprocess.run([program("gromox-mbck"), "-c", s.cfg, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                       timeout=120)
    assert r.returncode == code, r
    return r.stdout + r.stderr


def fill(s, n):
    for i in range(n):
        s.deliver(b"From: a@example.net\r\nSubject: message %d\r\n\r\nsome text %d\r\n" % (i, i) * (1 + i % 3))
    return fetch_all(s.wait_count(0, n))


def test_a_running_server_is_not_disturbed():
    with Server(users=1) as s:
        before = fill(s, 20)
        assert mbck(s, "--all") == ""
        assert "0 findings" in mbck(s, "-v", "-u", s.users[0])
        out = mbck(s, "-p", "-u", s.users[0], code=4)
        assert "open in another process" in out and "gromoxd" in out, out
        assert fetch_all(s.imap(0, "INBOX")) == before


def test_repairs_bring_everything_back():
    with Server(users=1) as s:
        before = fill(s, 20)
        s.stop()
        db = sqlite3.connect(os.path.join(s.dir, "user", "example.org", "user1", "exmdb", "gx.sqlite3"))
        with db:
            db.execute("UPDATE fstate SET total=3, uidnext=2 WHERE fid=13")
            db.execute("DELETE FROM mime WHERE id IN (SELECT body FROM msg LIMIT 5)")
            db.execute("UPDATE msg SET fid=0x7777 WHERE mid IN (SELECT mid FROM msg ORDER BY mid LIMIT 3)")
        db.close()
        mbck(s, "-u", s.users[0], code=2)
        mbck(s, "-p", "-u", s.users[0], code=1)
        assert mbck(s, "-u", s.users[0]) == ""
        s.start()
        inbox, lost = fetch_all(s.imap(0, "INBOX")), fetch_all(s.imap(0, '"Lost and found"'))
        assert len(inbox) == 17 and len(lost) == 3
        assert sorted([*inbox.values(), *lost.values()]) == sorted(before.values())
        s.deliver(b"Subject: another one\r\n\r\nx\r\n")
        assert max(fetch_all(s.wait_count(0, 18))) > max(before), "a UID was given twice"


if __name__ == "__main__":
    gxtap.main(globals())
