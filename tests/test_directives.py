#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Directives: each one that is documented as having an effect is read by some program, and those without are told why."""
import csv
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gxtap  # noqa: E402

TOP = gxtap.top_srcdir()


def rows():
    with open(os.path.join(TOP, "facts", "directives.tsv"), encoding="utf-8", newline="") as f:
        lines = [line for line in f if not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def texts():
    """Words in quotes, of all programs and libraries but their tests."""
    found = set()
    for top in ("daemons", "tools", "libgxproto", "libgxstore"):
        for path, _, names in os.walk(os.path.join(TOP, top)):
            for name in names:
                if name.endswith((".c", ".h")) and not name.startswith("check_") and name != "directives-table.h":
                    with open(os.path.join(path, name), encoding="utf-8") as f:
                        found.update(re.findall(r'"(\w+)"', f.read()))
    return found


def test_each_is_read():
    known = texts()
    unread = [r["name"] for r in rows() if r["type"] != "deprecated" and r["name"] not in known]
    assert not unread, f"nobody reads {', '.join(unread)}"


def test_deprecated_ones_are_not():
    """Unless a directive of that name has an effect for another program."""
    live = {r["name"] for r in rows() if r["type"] != "deprecated"}
    known = texts()
    read = [r["name"] for r in rows() if r["type"] == "deprecated" and r["name"] in known - live]
    assert not read, f"{', '.join(read)} have an effect"


def test_each_has_a_text():
    for r in rows():
        assert r["help"].endswith("."), r["name"]
        assert r["type"] != "deprecated" or r["help"][0].islower() or r["help"].startswith("Outlook"), r["name"]


if __name__ == "__main__":
    gxtap.main(globals())
