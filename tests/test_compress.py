#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gromox-compress on content files that are plain, packed, damaged and none; killed, and on a terminal."""
import fcntl
import hashlib
import json
import os
import pty
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gxtap  # noqa: E402
import storesamples  # noqa: E402


def text(seed, size=600000):
    rnd = random.Random(seed)
    words = [rnd.randbytes(rnd.randrange(2, 6)).hex().encode() for _ in range(4000)]
    return b" ".join(rnd.choice(words) for _ in range(size // 9))[:size]


class Sample(storesamples.Samples):
    """Also has a content file without compression that nobody refers to."""

    def __init__(self):
        super().__init__("gromox-compress")

    def __enter__(self):
        super().__enter__()
        self.cid = os.path.join(self.private, "cid")
        self.data = text(1)
        self.plain = self.add(self.data)
        return self

    def run(self, *args, code=0):
        if "--cid" not in args:
            return super().run(*args, code=code)
        r = subprocess.run([storesamples.program(self.tool), *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert r.returncode == code, (args, r)
        self.err = r.stderr
        return r.stdout

    def add(self, data):
        name = hashlib.sha256(data).hexdigest()
        os.makedirs(os.path.join(self.cid, name[:2]), exist_ok=True)
        path = os.path.join(self.cid, name[:2], name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def cid_run(self, *args, **kw):
        return json.loads(self.run("--json", "--cid", *args, **kw))

    def dump(self):
        return subprocess.run([storesamples.program("tests/storedump"), self.private], stdout=subprocess.PIPE, check=True).stdout

    killed = 0

    def kill(self, after, *args):
        p = subprocess.Popen([storesamples.program("gromox-compress"), *args], stdout=subprocess.DEVNULL)
        time.sleep(after)
        p.send_signal(signal.SIGKILL)
        self.killed += p.wait() == -signal.SIGKILL

    def is_sound(self):
        r = subprocess.run([storesamples.program("gromox-mbck"), "-c", self.cfg, "--only", "content-bytes", self.private])
        return r.returncode == 0


def test_help_version_and_wrong_arguments():
    storesamples.help_and_version("gromox-compress")
    with Sample() as s:
        for bad in ([], ["--cid"], ["-z", "0", s.private], ["-z", "23", s.private], ["-z", "6x", s.private], ["-z", "", s.private],
                    ["--cid", "--all", s.cid],
                    ["--cid", "-c", s.cfg, s.cid], ["--nonsense"]):
            s.run(*bad, code=2)
        for bad in (os.path.join(s.dir, "nothing"), s.cfg):
            s.run("--cid", bad, code=1)
            assert bad in s.err, s.err
        s.run("--cid", s.cfg + "/cid", code=1)
        assert s.cfg + "/cid: Not a directory" in s.err, s.err
        s.run(os.path.join(s.dir, "nothing"), code=1)
        assert "there is no store here" in s.err, s.err


def test_files_without_compression():
    with Sample() as s:
        before = s.dump()
        plain = s.cid_run("-n", s.cid)[0]
        assert plain["replaced"] == 0 and plain["before"] == plain["after"] and os.stat(s.plain).st_size == len(s.data)
        r = s.cid_run("-z", "1", s.cid)[0]
        assert r["objects"] == plain["objects"] == 2 and r["replaced"] == 1 and r["left"] == 0, r
        size = os.stat(s.plain).st_size
        assert r["before"] - r["after"] == len(s.data) - size > len(s.data) / 4, r
        assert s.cid_run(s.plain, "-z", "1")[0] == {"name": s.plain, "objects": 1, "replaced": 0, "left": 0, "before": size,
                                                   "after": size, "database": False}
        assert s.cid_run("-z", "22", os.path.dirname(s.plain))[0]["replaced"] == 1
        assert os.stat(s.plain).st_size < size and s.dump() == before
        assert s.run("--cid", s.cid).startswith(s.cid + ": 2 objects, 0 replaced, 0 left; ")


def test_a_damaged_file_is_told_and_left():
    with Sample() as s:
        with open(s.plain, "r+b") as f:
            f.write(b"L")
        other = s.add(s.data * 2)
        r = s.cid_run(s.cid, code=1)[0]
        assert (r["replaced"], r["left"]) == (1, 1) and s.plain in s.err and "another hash" in s.err, (r, s.err)
        assert os.stat(s.plain).st_size == len(s.data) and os.stat(other).st_size < len(s.data)


def test_whole_stores():
    with Sample() as s:
        before = s.dump()
        n = json.loads(s.run("-n", "--json", s.private))[0]
        r = json.loads(s.run("-z", "22", "--json", s.private, s.public))
        assert r[0]["objects"] == n["objects"] > 2 and r[0]["after"] < r[0]["before"] == n["before"], (n, r)
        assert r[0]["database"] and r[1]["database"] and r[1]["replaced"] == 0, r
        assert s.dump() == before and s.is_sound()


def test_a_store_in_use():
    with Sample() as s:
        before = s.dump()
        lock = os.open(os.path.join(s.private, "store.lock"), os.O_RDWR | os.O_CREAT)
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.pwrite(lock, b"pid 1, someone\n", 0)
        r = json.loads(s.run("--json", s.private, code=1))[0]
        assert "someone" in s.err and "its files are done, the objects in its database are not" in s.err, s.err
        assert not r["database"] and r["objects"] == 2 and r["replaced"] == 1, r
        all_of_it = json.loads(s.run("-n", "--json", s.private))[0]
        assert all_of_it["objects"] > 2, all_of_it
        os.close(lock)
        assert s.dump() == before and s.is_sound()


def test_a_killed_run_loses_nothing():
    with Sample() as s:
        before = s.dump()
        files = {s.plain: s.data}
        for i in range(2, 14):
            data = text(i, 200000 + 70000 * i)
            files[s.add(data)] = data
        for i in range(10):
            s.kill(0.01 + 0.02 * i, "--cid", s.cid)
            assert set(files) <= set(s.content_files())
        for i in range(100, 200):  # all of them may have been too late
            if s.killed == 0:
                data = text(i, 1000000)
                files[s.add(data)] = data
                s.kill(0, "--cid", s.cid)
        assert s.killed > 0
        r = s.cid_run("-z", "22", s.cid)[0]
        assert r["left"] == 0 and not [f for f in s.content_files() if f.endswith(".pack")], r
        # Their bytes are checked against their names.
        assert all(os.stat(f).st_size < len(d) for f, d in files.items())
        assert s.cid_run(s.cid)[0]["left"] == 0
        for i in range(10):
            s.kill(0.005 * i, "-c", s.cfg, "-z", "22", s.private)
        assert s.dump() == before and s.is_sound()


def test_progress_on_a_terminal():
    with Sample() as s:
        ours, theirs = pty.openpty()
        p = subprocess.Popen([storesamples.program("gromox-compress"), "--cid", s.cid], stdout=subprocess.PIPE, stderr=theirs,
                             text=True)
        os.close(theirs)
        out, shown = p.communicate()[0], b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        assert p.returncode == 0 and b" MiB" in shown and shown.endswith(b"\r\033[K") and "\r" not in out, (out, shown)


if __name__ == "__main__":
    gxtap.main(globals())
