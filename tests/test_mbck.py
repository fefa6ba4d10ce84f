#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gromox-mbck on stores that are sound, damaged, damaged beyond tables, and none."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gxtap  # noqa: E402
import storesamples  # noqa: E402


class Sample(storesamples.Samples):
    def __init__(self):
        super().__init__("gromox-mbck")

    def dump(self):
        r = subprocess.run([storesamples.program("tests/storedump"), self.private], stdout=subprocess.PIPE, check=True)
        return r.stdout.decode().splitlines()


def test_help_version_and_wrong_arguments():
    storesamples.help_and_version("gromox-mbck")
    with Sample() as s:
        for bad in ([], ["--nonsense"], ["--give-up", s.private], ["--only", "no-such-check", s.private]):
            s.run(*bad, code=16)
        checks = json.loads(s.run("--list", "--json"))
        assert {"folder-counters", "content-bytes", "text-index"} <= {c["check"] for c in checks}, checks
        assert all(c["what"] and c["severity"] in ("waste", "wrong", "broken", "lost") for c in checks)


def test_clean_stores_say_nothing():
    with Sample() as s:
        assert s.run(s.private, s.public) == ""
        assert "0 findings" in s.run("-v", os.path.join(s.private, "exmdb", "gx.sqlite3"))
        report = json.loads(s.run("--json", s.private, s.public))
        assert [(r["found"], r["error"]) for r in report["stores"]] == [(0, None), (0, None)], report


def test_findings_are_told_and_repaired():
    with Sample() as s:
        before = s.dump()
        s.sql("UPDATE fstate SET total=99 WHERE fid=13", "DELETE FROM mime WHERE id=261")
        out = s.run(s.private, code=2)
        assert "folder-counters: folder d: messages 99, counted 7" in out and "3 findings, 0 repaired, 3 left" in out, out
        assert out == s.run(s.private, code=2), "checking changed something"
        assert "folder-counters" in s.run("--only", "folder-counters", s.private, code=2)
        report = json.loads(s.run("-p", "--json", s.private, code=1))["stores"][0]
        assert (report["found"], report["repaired"], report["left"]) == (3, 3, 0), report
        assert {f["state"] for f in report["findings"]} == {"repaired"} and report["findings"][0]["kind"] == "body", report
        assert s.run(s.private, s.public) == ""
        after = s.dump()
        assert before == after, [line for line in after if line not in before][:10]


def test_messages_without_a_folder_are_found_again():
    with Sample() as s:
        subjects = [line for line in s.dump() if line.startswith("  0037001f")]
        s.sql("DELETE FROM folders WHERE fid=0x102", "DELETE FROM msg WHERE mid=0x10f")
        s.run("-p", s.private, code=1)
        dump = s.dump()
        assert any('"Lost and found"' in line and line.startswith("folder") for line in dump)
        assert sorted(subjects) == sorted(line for line in dump if line.startswith("  0037001f"))


def test_lost_contents_are_left_until_given_up():
    with Sample() as s:
        path, = s.content_files()
        os.rename(path, path + ".away")
        out = s.run("-p", s.private, code=2)
        assert path in out and "message 118 in folder f needs it" in out, out
        os.rename(path + ".away", path)
        assert s.run(s.private) == ""
        os.unlink(path)
        out = s.run("-p", "--give-up", "-v", s.private, code=1)
        assert "(lost)" in out, out
        assert s.run(s.private) == ""
        assert s.sql("SELECT COUNT(*) FROM set_aside")[0][0] > 0
        assert any('"meeting"' in line for line in s.dump())


def test_a_database_with_bad_pages_gets_replaced():
    with Sample() as s:
        path = os.path.join(s.private, "exmdb", "gx.sqlite3")
        before = sum(line.startswith("message ") for line in s.dump())
        root, = s.sql("SELECT rootpage FROM sqlite_schema WHERE name='mime'")[0]
        with open(path, "r+b") as f:
            f.seek((root - 1) * 4096)
            f.write(b"\xff" * 4096)
        assert "gromox-mbck -p saves" in s.run(s.private, code=2)
        out = s.run("-p", s.private, code=1)
        assert "could not be read" in out and "gx.sqlite3.damaged-" in out, out
        assert s.run(s.private) == ""
        assert sum(name.startswith("gx.sqlite3.damaged-") for name in os.listdir(os.path.dirname(path))) >= 1
        assert sum(line.startswith("message ") for line in s.dump()) == before


def test_what_is_no_store_is_trouble():
    with Sample() as s:
        s.run("/nonexistent/box", code=4)
        assert "/nonexistent/box" in s.err
        path = os.path.join(s.private, "exmdb", "gx.sqlite3")
        with open(path, "r+b") as f:
            f.write(b"this is no database")
        before = os.stat(path)
        s.run("-p", s.private, code=4)
        assert path in s.err and os.stat(path).st_mtime == before.st_mtime, s.err
        s.run("-u", "nobody@example.org", code=4)
        assert "directory.sqlite3" in s.err, s.err


if __name__ == "__main__":
    gxtap.main(globals())
