#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stores of every schema version are opened by this one and say what they said.

tests/data/store-vN.tar.xz was made by tests/storesample when N was the newest version (from 3 on with --more), store-vN.dump
is what tests/storedump printed then. An archive is never changed. A dump only when storedump prints more,
or a value is given differently by intent: "test_upgrade.py --write" writes them again.
"""
import difflib
import glob
import os
import re
import sqlite3
import subprocess
import sys
import tarfile
import tempfile

import gxtap

DATA = os.path.join(gxtap.top_srcdir(), "tests", "data")


def versions():
    return sorted(int(re.search(r"-v(\d+)\.", p).group(1)) for p in glob.glob(os.path.join(DATA, "store-v*.tar.xz")))


def unpack(version, to):
    with tarfile.open(os.path.join(DATA, f"store-v{version}.tar.xz")) as tar:
        tar.extractall(to, filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(to)


def dump(directory):
    tool = gxtap.program("tests", "storedump")
    out = ""
    for kind in ("private", "public"):
        r = subprocess.run([tool, os.path.join(directory, kind)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        assert r.returncode == 0, r.stderr.decode()
        out += r.stdout.decode()
    return out


def compare(got, version, what):
    with open(os.path.join(DATA, f"store-v{version}.dump"), encoding="utf-8") as f:
        want = f.read()
    diff = list(difflib.unified_diff(want.splitlines(), got.splitlines(), f"version {version}", what, lineterm="", n=1))
    assert not diff, "\n".join(diff[:60])


def test_stores_of_every_version_say_what_they_said():
    assert versions() and versions()[0] == 1, versions()
    for v in versions():
        with tempfile.TemporaryDirectory() as d:
            unpack(v, d)
            got = dump(d)
            assert "finding: " not in got, got
            compare(got, v, "opened now")
            compare(dump(d), v, "opened a second time")


def test_the_newest_version_has_an_archive():
    with tempfile.TemporaryDirectory() as d:
        subprocess.run([gxtap.program("tests", "storesample"), d], check=True)
        with sqlite3.connect(f"file:{d}/private/exmdb/gx.sqlite3?mode=ro", uri=True) as db:
            newest, = db.execute("PRAGMA user_version").fetchone()
    assert newest in versions(), f"no tests/data/store-v{newest}.tar.xz: see storesample.c"


def test_old_versions_can_be_made():
    """What --create-old makes has the tables and indexes of the archive of that version."""
    def schema(path):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            return sorted(db.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")), \
                db.execute("PRAGMA user_version").fetchone()

    with tempfile.TemporaryDirectory() as d:
        unpack(1, d)
        new = os.path.join(d, "new")
        subprocess.run([gxtap.program("tests", "storesample"), "--empty", "1", new], check=True)
        for kind in ("private", "public"):
            assert schema(os.path.join(d, kind, "exmdb", "gx.sqlite3")) == schema(os.path.join(new, kind, "exmdb", "gx.sqlite3"))


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        for v in versions():
            with tempfile.TemporaryDirectory() as d, open(os.path.join(DATA, f"store-v{v}.dump"), "w", encoding="utf-8") as f:
                unpack(v, d)
                f.write(dump(d))
        sys.exit(0)
    gxtap.main(globals())
