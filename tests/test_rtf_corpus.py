#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compressed RTF of other programs, as it stands in their files: it can be read, converted and packed again."""
import glob
import os
import re
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "service"), os.path.dirname(os.path.abspath(__file__))]
import gxtap  # noqa: E402

PROGRAM = gxtap.program("tests", "rtfscan")


def scan(*patterns):
    paths = sorted(p for e in patterns for p in glob.glob(gxtap.corpus_dir() + "/**/" + e, recursive=True))
    if not paths:
        raise gxtap.Skip("no such files in the corpus folder")
    r = subprocess.run([PROGRAM, *paths], stdout=subprocess.PIPE, text=True, errors="replace", timeout=300)
    assert r.returncode == 0, f"exit {r.returncode}\n{r.stdout}"
    return dict((k, int(n)) for k, n in re.findall(r"(\w+) (\d+)", r.stdout.splitlines()[-1]))


def test_tnef():
    # each property of such a file is in one piece
    n = scan("*.tnef", "*winmail*.dat")
    assert n["whole"] >= n["found"] - 1 and n["whole"] >= 9, n  # one has a body cut off


def test_msg():
    # streams lie in pieces of sectors, most of them one behind the other
    n = scan("*.msg")
    assert n["whole"] * 10 >= n["found"] * 7 and n["html"] >= 10, n


def test_rtf():
    scan("*.rtf")


if __name__ == "__main__":
    gxtap.main(globals())
