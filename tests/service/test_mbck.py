#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gromox-mbck beside a running gromoxd, and after it was stopped; gromox-mkmidb between two starts."""
import os
import re
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


def test_imap_clients_begin_anew():
    def state(m):
        validity = int(re.search(rb"UIDVALIDITY (\d+)", m.status("INBOX", "(UIDVALIDITY)")[1][0]).group(1))
        m.select("INBOX")
        flags = [re.search(rb"FLAGS \(([^)]*)\)", x).group(1).split() for x in m.fetch("1:*", "(UID FLAGS)")[1]]
        return validity, [sorted(f for f in x if f != b"\\Recent") for x in flags], sorted(m.lsub()[1]), fetch_all(m)

    with Server(users=1) as s:
        fill(s, 6)
        m = s.imap(0, "INBOX")
        m.store("2:3", "+FLAGS", r"(\Flagged Travel)")
        m.store("1", "+FLAGS", r"(\Deleted)")
        m.expunge()
        m.create("Work")
        m.subscribe("Work")
        before = state(m)
        s.stop()
        s.tool("gromox-mkmidb", "-f", "-c", s.cfg, s.users[0])
        s.start()
        after = state(s.imap(0))
        assert after[0] > before[0] and after[1:3] == before[1:3], (before, after)
        assert list(after[3]) == [1, 2, 3, 4, 5] and list(before[3]) == [2, 3, 4, 5, 6]
        assert list(after[3].values()) == list(before[3].values())
        assert mbck(s, "--all") == ""


if __name__ == "__main__":
    gxtap.main(globals())
