#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gromox-snapshot: its configuration, its report, and snapshots by btrfs(8), for which a script stands in."""
import json
import os
import pty
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gxtap  # noqa: E402
import storesamples  # noqa: E402

BTRFS = """#!/bin/sh
echo "$*" >>"$GX_BTRFS_LOG"
case "$1 $2" in
"subvolume snapshot") cp -a "$3" "$4" ;;
"property set") exit ${GX_BTRFS_SEAL:-0} ;;
*) exit 1 ;;
esac
"""


class Sample(storesamples.Samples):
    def __init__(self):
        super().__init__("gromox-snapshot")

    def __enter__(self):
        super().__enter__()
        self.archive = os.path.join(self.dir, "archive")
        self.configure("retention_weeks = 0")
        return self

    def configure(self, *lines):
        with open(self.cfg, "w") as f:
            f.write("\n".join((f"subvolume_root = {self.dir}", f"snapshot_archive = {self.archive}", *lines, "")))

    def report(self, *args, **kw):
        return json.loads(self.run("--json", *args, **kw))

    def names(self):
        return sorted(n for n in os.listdir(self.archive) if not n.startswith("."))

    def check(self, name):
        for store in ("private", "public"):
            r = subprocess.run([storesamples.program("gromox-mbck"), os.path.join(self.archive, name, store)],
                               stdout=subprocess.PIPE, text=True)
            assert r.returncode == 0 and r.stdout == "", r


def kinds(names):
    return sorted(re.sub(r"-\d.*", "", n) for n in names)


def test_help_version_and_wrong_arguments():
    storesamples.help_and_version("gromox-snapshot")
    with Sample() as s:
        for bad in (["--nonsense"], ["more"]):
            s.run(*bad, code=2)
        for line, why in (("snapshot_method = zfs", "expected auto, btrfs or copy"), ("retention_days = -1", "retention_days"),
                          ("retention_days = many", "retention_days"), ("subvolume_root = /nowhere/at/all", "No such file")):
            s.configure(line)
            s.run(code=1)
            assert why in s.err, (line, s.err)
        os.unlink(s.cfg)
        s.run(code=1)
        assert s.cfg in s.err, s.err
        assert not os.path.exists(s.archive)


def test_each_kind_once():
    with Sample() as s:
        s.configure("retention_hours=1", "retention_days=1", "retention_weeks=1", "retention_months=1")
        would = s.report("-n")
        assert [x["state"] for x in would["snapshots"]] == ["made"] * 4 and not os.path.exists(s.archive), would
        r = s.report()
        names = s.names()
        assert kinds(names) in (["day", "hour", "month", "week"], ["day", "hour", "hour", "month", "week"]), names
        for x in r["snapshots"]:
            assert x["state"] == "made" and x["stores"] == 2 and x["shared"] >= 1 and x["left"] == 0, x
            s.check(x["name"])
        again = s.report()
        assert {x["name"] for x in again["snapshots"] if x["state"] == "kept"} >= set(names) and again["error"] is None, again
        assert os.stat(s.archive).st_mode & 0o777 == 0o700
        # Its own archive is not in it.
        assert not os.path.exists(os.path.join(s.archive, names[0], "archive"))


def test_old_ones_go_and_others_stay():
    with Sample() as s:
        for name in ("day-2020-01-01", "week-2020-01-06", "mine", ".new-day-2020-01-01"):
            os.makedirs(os.path.join(s.archive, name, "below"))
        out = s.run("-v")
        assert "day-2020-01-01: removed" in out and "week-2020-01-06: kept" in out, out
        assert kinds(s.names()) == ["day", "mine", "week"] and not os.path.exists(os.path.join(s.archive, ".new-day-2020-01-01"))
        assert "removed" not in s.run("-v") and s.run() == ""


def test_damage_is_told():
    with Sample() as s:
        os.unlink(s.content_files()[0])
        r = s.report(code=1)
        assert r["snapshots"][0]["left"] == 1 and "content files are missing" in s.err, (r, s.err)


def test_by_btrfs():
    with Sample() as s:
        bin_dir, log = os.path.join(s.dir, "bin"), os.path.join(s.dir, "btrfs.log")
        os.mkdir(bin_dir)
        path, os.environ["GX_BTRFS_LOG"] = os.environ["PATH"], log
        s.archive = os.path.join(os.path.dirname(s.dir), os.path.basename(s.dir) + "-archive")
        s.configure("snapshot_method = btrfs", "retention_weeks = 0")
        try:
            os.environ["PATH"] = "/nowhere"
            assert "install btrfs-progs" in (s.report(code=1) and s.err), s.err
            with open(os.path.join(bin_dir, "btrfs"), "w") as f:
                f.write(BTRFS)
            os.chmod(os.path.join(bin_dir, "btrfs"), 0o755)
            os.environ["PATH"] = bin_dir + ":" + path
            os.makedirs(os.path.join(s.archive, "day-2020-01-01", "below"))
            r = s.report()
            assert [x["state"] for x in r["snapshots"]] == ["made", "removed"] and r["snapshots"][0]["stores"] == 2, r
            name = s.names()[0]
            s.check(name)
            with open(log) as f:
                calls = f.read().splitlines()
            assert calls == [f"subvolume snapshot {s.dir} {s.archive}/.new-{name}",
                             f"property set -ts {s.archive}/{name} ro true"], calls
            subprocess.run(["rm", "-r", os.path.join(s.archive, name)], check=True)
            os.environ["GX_BTRFS_SEAL"] = "1"
            s.report(code=1)
            assert "can still be written to" in s.err and s.names() == [name], s.err
        finally:
            os.environ["PATH"] = path
            os.environ.pop("GX_BTRFS_SEAL", None)
            subprocess.run(["rm", "-rf", s.archive])


def test_progress_on_a_terminal():
    with Sample() as s:
        for i in range(200):
            with open(os.path.join(s.dir, f"file{i}"), "w") as f:
                f.write("text")
        ours, theirs = pty.openpty()
        p = subprocess.Popen([storesamples.program("gromox-snapshot"), "-c", s.cfg], stdout=subprocess.PIPE, stderr=theirs, text=True)
        os.close(theirs)
        out, shown = p.communicate()[0], b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        assert p.returncode == 0 and b" files, " in shown and shown.endswith(b"\r\033[K") and "\r" not in out, (out, shown)


if __name__ == "__main__":
    gxtap.main(globals())
