#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gromox-mbsize on stores whose contents are known."""
import json
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gxtap  # noqa: E402
import storesamples  # noqa: E402


class Sample(storesamples.Samples):
    def __init__(self):
        super().__init__("gromox-mbsize")

    def sizes(self):
        return json.loads(self.run("--json", self.private))[0]


def test_help_version_and_wrong_arguments():
    storesamples.help_and_version("gromox-mbsize")
    with Sample() as s:
        for bad in ([], ["--nonsense"]):
            s.run(*bad, code=2)
        s.run(os.path.join(s.dir, "nothing"), code=1)
        assert "there is no store here" in s.err, s.err


def test_sizes_agree_with_rows_and_files():
    with Sample() as s:
        z = s.sizes()
        n, size = s.sql("SELECT COUNT(*), SUM(size) FROM msg WHERE NOT flags&768")[0]
        assert (z["normal"]["count"], z["normal"]["bytes"]) == (n, size)
        soft = s.sql("SELECT COUNT(*), SUM(size) FROM msg WHERE flags&512")[0] if z["softdeleted"]["count"] else (0, 0)
        assert sum(z[k]["count"] for k in ("normal", "associated", "softdeleted")) == s.sql("SELECT COUNT(*) FROM msg")[0][0], soft
        assert z["references"]["bytes"] == s.sql("SELECT SUM(refs*size) FROM content")[0][0] == 240000
        assert z["contents"]["bytes"] == s.sql("SELECT SUM(size) FROM content")[0][0] == 200000
        files = [os.stat(f) for f in s.content_files()]
        assert z["files"] == {"count": len(files), "bytes": sum(f.st_size for f in files),
                              "disk": sum(f.st_blocks for f in files) * 512}
        db = os.stat(os.path.join(s.private, "exmdb", "gx.sqlite3"))
        assert (z["database"]["bytes"], z["database"]["disk"]) == (db.st_size, db.st_blocks * 512)
        assert z["bytes"] == z["database"]["bytes"] + z["index"]["bytes"] + z["files"]["bytes"]
        assert z["reported"] == z["normal"]["bytes"] + z["associated"]["bytes"]
        for kind in ("bodies", "attachments"):
            v = z[kind]
            assert v["logical"]["bytes"] >= v["unique"]["bytes"], v
            assert sum(v[k]["bytes"] for k in ("sliced", "contents", "rows")) == v["unique"]["bytes"], v
        assert z["bodies"]["logical"]["bytes"] > z["bodies"]["unique"]["bytes"], "copies share a body"
        assert z["missing"]["count"] == 0 and z["other"]["count"] == 0, z
        if z["tables"]:
            assert sum(t["bytes"] for t in z["tables"]) <= z["database"]["bytes"]
            assert {"msg", "content_data"} <= {t["name"] for t in z["tables"]}


def test_what_is_missing_and_what_nobody_owns():
    with Sample() as s:
        path = s.content_files()[0]
        size = os.stat(path).st_size
        stray = os.path.join(os.path.dirname(path), "00" * 32)
        shutil.copy(path, stray)
        assert s.sizes()["other"] == {"count": 1, "bytes": size, "disk": os.stat(stray).st_blocks * 512}
        before = s.sizes()
        s.sql("DELETE FROM content WHERE size=40000")
        z = s.sizes()
        assert (z["missing"]["count"], z["missing_references"]["count"]) == (1, 2), z
        assert z["contents"]["bytes"] == before["contents"]["bytes"] - 40000
        assert "missing, each once" in s.run(s.private)


def test_text_for_people():
    with Sample() as s:
        plain, human = s.run(s.private, s.public), s.run("-h", s.private)
        assert plain.count("Messages  ") == 2 and "Tables and indexes" not in plain
        assert "200000" in plain and "195.3 KiB" in human and "200000" not in human, human
        assert "content_data" in s.run("-v", s.private) or not s.sizes()["tables"]


def test_nothing_is_written():
    with Sample() as s:
        def state():
            return {p: (os.stat(p).st_mtime_ns, os.stat(p).st_size) for d, _, files in os.walk(s.dir)
                    for p in (os.path.join(d, f) for f in files)}
        before = state()
        s.run("-v", s.private, s.public)
        assert state() == before


if __name__ == "__main__":
    gxtap.main(globals())
