#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/soak/operations.py with programs of this test in the place of libgxstore/faults: what it notes, reports and goes on with."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gxtap  # noqa: E402

PROGRAM = """#!/bin/sh
case $GX_OP in
list) echo one any; echo two any; echo three public; exit;;
two) [ -e "$top_builddir/broken" ] && { echo "not ok 1 - x"; exit 1; };;
three) [ -e "$top_builddir/slow" ] && { set -m; sleep 1000 & echo $! >"$top_builddir/begun.new"; mv "$top_builddir/begun.new" "$top_builddir/begun"; wait; };;
esac
echo "$GX_OP" >>"$top_builddir/ran"
echo "# seed 1"
echo "# $GX_OP, a call fails: about 5"
echo "# $GX_OP, a call fails: 5 times"
echo "# $GX_OP, the disk is full: 2 times"
echo "ok 1 - x"
"""


def put(path, text):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, 0o755)


class Build:
    """A build directory."""

    def __enter__(self):
        self.tmp = tempfile.TemporaryDirectory(prefix="gx-test-")
        self.dir = self.tmp.name
        os.makedirs(os.path.join(self.dir, "libgxstore", "faults"))
        for name in ("iofail", "oom"):
            put(self.path("libgxstore", "faults", "check_" + name), PROGRAM)
        return self

    def __exit__(self, *_):
        self.tmp.cleanup()

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def start(self, *args):
        script = os.path.join(gxtap.top_srcdir(), "tests", "soak", "operations.py")
        return subprocess.Popen([sys.executable, script, *args], env=dict(os.environ, top_builddir=self.dir), stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *args):
        p = self.start(*args)
        out, err = p.communicate()
        return p.returncode, out.decode(), err.decode()

    def report(self):
        with open(self.path("soak-operations", "operations.json")) as f:
            return json.load(f)

    def ran(self):
        with open(self.path("ran")) as f:
            return f.read().split()


def test_all_pass():
    with Build() as b:
        status, out, err = b.run("--forms", "io,memory", "--jobs", "2")
        assert status == 0, err
        r = b.report()
        assert r["forms"]["io"]["operations"] == 3 and r["forms"]["memory"]["injections"] == 21, r
        assert r["results"][0]["cases"] == {"a call fails": 5, "the disk is full": 2}, r
        assert r["missing"] == [] and "21 injections" in out, out
        assert len(err.splitlines()) == 6, err
        with open(b.path("soak-operations", "operations.txt")) as f:
            assert "passed" in f.readline()
        status, _, err = b.run("--forms", "io,memory")  # all is done
        assert status == 0 and err == "" and len(b.ran()) == 6, err


def test_failures_are_kept_and_tried_again():
    with Build() as b:
        put(b.path("broken"), "")
        status, _, err = b.run("--forms", "io")
        assert status == 1 and "failed, see two.io.log" in err, err
        with open(b.path("soak-operations", "two.io.log")) as f:
            assert f.read() == "not ok 1 - x\n"
        os.unlink(b.path("broken"))
        assert b.run("--forms", "io")[0] == 0
        assert b.ran() == ["one", "three", "two"], b.ran()


def runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_nothing_runs_longer_than_it_may():
    with Build() as b:
        put(b.path("slow"), "")
        assert b.run("--forms", "io", "--limit", "1", "three")[0] == 1
        assert b.report()["results"][0]["result"] == "unfinished", b.report()
        if os.path.exists(b.path("begun")):  # else it had not come so far
            with open(b.path("begun")) as f:
                assert not runs(int(f.read()))


def test_an_interruption_loses_one():
    with Build() as b:
        put(b.path("slow"), "")
        p = b.start("--forms", "io")
        while not os.path.exists(b.path("begun")):
            assert p.poll() is None
            time.sleep(0.02)
        p.send_signal(signal.SIGTERM)
        p.communicate()
        with open(b.path("begun")) as f:
            assert not runs(int(f.read()))
        assert p.returncode == 3
        assert b.report()["missing"] == [["three", "io"]], b.report()
        os.unlink(b.path("slow"))
        assert b.run("--forms", "io")[0] == 0
        assert b.ran() == ["one", "two", "three"], b.ran()


def test_another_build_is_done_again():
    with Build() as b:
        assert b.run("--forms", "io", "one")[0] == 0
        put(b.path("libgxstore", "faults", "check_iofail"), PROGRAM + "# another\n")
        assert b.run("--forms", "io", "--any-build", "one")[0] == 0
        assert b.ran() == ["one"]
        assert b.run("--forms", "io", "one")[0] == 0
        assert b.ran() == ["one", "one"]


def test_wrong_use():
    with Build() as b:
        assert b.run("--forms", "fire")[0] == 2
        status, _, err = b.run("four")
        assert status == 2 and "no operation four" in err, err
        assert b.run("--seconds", "0", "--forms", "io")[0] == 3
        assert b.run("--list")[1].split() == ["one", "two", "three"]


if __name__ == "__main__":
    gxtap.main(globals())
