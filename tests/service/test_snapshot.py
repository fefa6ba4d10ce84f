#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Snapshots beside a gromoxd that takes mail and loses some; mailboxes and a whole site come back from one."""
import base64
import json
import os
import random
import shutil
import subprocess
import threading

from gxservice import Server, fetch_all, gxtap, program

KINDS = ("hours", "days", "weeks", "months")


def mail(i):
    data = random.Random(i).randbytes(160000 if i % 3 == 0 else 2000)
    return (b"From: a@example.net\r\nSubject: number %d\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ntext\r\n--x\r\n"
            b"Content-Type: application/octet-stream; name=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n" % i
            + base64.encodebytes(data).replace(b"\n", b"\r\n") + b"--x--\r\n")


def subjects(messages):
    return {line for m in messages.values() for line in m.split(b"\r\n\r\n")[0].split(b"\r\n") if line.startswith(b"Subject: ")}


class Site(Server):
    def __init__(self):
        super().__init__(users=2)
        self.archive = self.dir + "-snapshots"
        self.snap_cfg = os.path.join(self.dir, "snapshot.cfg")
        with open(self.snap_cfg, "w") as f:
            f.write(f"subvolume_root = {self.dir}\nsnapshot_archive = {self.archive}\n")
            f.writelines(f"retention_{k} = 1\n" for k in KINDS)

    def snapshot(self):
        r = subprocess.run([program("gromox-snapshot"), "-c", self.snap_cfg, "--json"], stdout=subprocess.PIPE, timeout=120)
        assert r.returncode == 0, r
        return [x["name"] for x in json.loads(r.stdout)["snapshots"] if x["state"] == "made"]

    def box(self, top, user):
        return os.path.join(top, "user", "example.org", f"user{user + 1}")

    def is_clean(self, store):
        r = subprocess.run([program("gromox-mbck"), "-c", self.cfg, store], stdout=subprocess.PIPE, text=True, timeout=120)
        assert r.returncode == 0 and r.stdout == "", r

    def __exit__(self, kind, *rest):
        shutil.rmtree(self.archive, ignore_errors=True)
        super().__exit__(kind, *rest)


def test_under_load_and_back():
    with Site() as s:
        for i in range(12):
            s.deliver(mail(i))
        before = fetch_all(s.wait_count(0, 12))
        stop = threading.Event()

        def load():
            m = s.imap(1, "INBOX")
            for i in range(100, 100000):
                if stop.is_set():
                    return
                s.deliver(mail(i), to=1)
                if i % 5 == 0:
                    m.noop()
                    m.store("1:*", "+FLAGS", r"(\Deleted)")
                    m.expunge()
        t = threading.Thread(target=load)
        t.start()
        try:
            names = s.snapshot()
        finally:
            stop.set()
            t.join()
        assert len(names) == 4, names
        for name in names:
            for user in (0, 1):
                s.is_clean(s.box(os.path.join(s.archive, name), user))
        # The mailbox goes on, is lost, and comes back.
        for i in range(12, 15):
            s.deliver(mail(i))
        m = s.wait_count(0, 15)
        gone = max(fetch_all(m))
        s.stop()
        place, copy = s.box(s.dir, 0), s.box(os.path.join(s.archive, names[0]), 0)
        shutil.rmtree(place)
        subprocess.run(["cp", "-a", copy, place], check=True)
        s.is_clean(place)
        s.start()
        m = s.imap(0, "INBOX")
        assert fetch_all(m) == before
        s.deliver(mail(16))
        after = fetch_all(s.wait_count(0, 13))
        assert max(after) > gone, "a UID means two messages"
        # With what is known of a client made void, too.
        s.stop()
        s.tool("gromox-mkmidb", "-f", "-c", s.cfg, s.users[0])
        s.start()
        assert subjects(fetch_all(s.imap(0, "INBOX"))) == subjects(after)
        s.stop()
        s.is_clean(place)
        s.start()


def test_a_whole_site_comes_back():
    with Site() as s:
        for i in range(5):
            s.deliver(mail(i), to=i % 2)
        before = [fetch_all(s.wait_count(0, 3)), fetch_all(s.wait_count(1, 2))]
        name = s.snapshot()[0]
        s.stop()
        keep = (s.cfg, s.snap_cfg, s.cert, s.key, s.log_path)
        for entry in os.listdir(s.dir):
            path = os.path.join(s.dir, entry)
            if path not in keep:
                shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        subprocess.run(["cp", "-a", os.path.join(s.archive, name) + "/.", s.dir], check=True)
        s.start()
        assert [fetch_all(s.imap(u, "INBOX")) for u in (0, 1)] == before
        s.deliver(mail(7))
        s.wait_count(0, 4)


if __name__ == "__main__":
    gxtap.main(globals())
