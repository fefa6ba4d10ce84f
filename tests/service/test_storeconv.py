#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gromox-storeconv: mailboxes of every schema version, damaged ones, interrupted runs, and what IMAP clients see afterwards."""
import hashlib
import json
import os
import pty
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gxservice as gx  # noqa: E402
import gxtap  # noqa: E402
import gromoxfill as fill  # noqa: E402
import gromoxgen as gen  # noqa: E402

TOOL = gx.program("gromox-storeconv")
DUMP = gxtap.program("tests", "convdump")
VERSIONS = (0, 1, 2, 6, 8, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27)
ALL = not gxtap.sanitized() or "GX_SOAK_KILLS" in os.environ
if not ALL:  # the statements are the same ones; what is left comes by each way through the code
    VERSIONS = VERSIONS[::-3][::-1]


class Dir:
    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="gx-conv-")
        return self

    def __exit__(self, kind, *rest):
        if kind is None:
            shutil.rmtree(self.path)
        else:
            print(f"# files kept in {self.path}")

    def __truediv__(self, name):
        return os.path.join(self.path, name)


def tool(*args, code=0):
    r = subprocess.run([TOOL, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
    assert r.returncode == code, (args, r)
    return r


def convert(source, dest, *args, code=0):
    """The report of a run."""
    r = tool("--json", *args, source, dest + "/", code=code)
    report = json.loads(r.stdout)
    assert (report["error"] is None) == (code == 0) and report["source"] == source, report
    return report


def dump(store):
    r = subprocess.run([DUMP, store], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


def tree(path):
    """Every file with its content and time of change."""
    found = {}
    for base, _, files in os.walk(path):
        for f in files:
            p = os.path.join(base, f)
            with open(p, "rb") as h:
                found[os.path.relpath(p, path)] = (hashlib.sha256(h.read()).hexdigest(), os.stat(p).st_mtime_ns)
    return found


# ---- What is expected ----

def same(what, got, want):
    assert got == want, f"{what}: {got!r} instead of {want!r}"


def compare_object(what, got, want):
    for key, v in want["props"].items():
        assert key in got["props"], f"{what}: {key} is missing"
        same(f"{what}: {key}", got["props"][key], v)
    extra = set(got["props"]) - set(want["props"])
    assert not extra, f"{what}: {extra} came from nowhere"
    same(f"{what}: recipients", [r["props"] for r in got["rcpts"]], want["rcpts"])
    same(f"{what}: number of attachments", len(got["atts"]), len(want["atts"]))
    for i, (g, w) in enumerate(zip(got["atts"], want["atts"])):
        same(f"{what}: attachment {i}", g["props"], w["props"])
        same(f"{what}: attachment {i} embedded", "embedded" in g, w["embedded"] is not None)
        if w["embedded"] is not None:
            compare_object(f"{what}: embedded {i}", g["embedded"], w["embedded"])


def compare_messages(box, d):
    same("messages", sorted(d["messages"]), sorted(f"{m:x}" for m in box.messages))
    uids = {}
    for mid, want in box.messages.items():
        what, got = f"message {mid:x}", d["messages"][f"{mid:x}"]
        for key in ("fid", "flags", "cn", "rcn"):
            same(f"{what}: {key}", got[key], want[key])
        same(f"{what}: keywords", sorted(got["keywords"]), want["keywords"])
        same(f"{what}: original", got.get("original"), want["original"])
        if "received" in want:
            same(f"{what}: received", got["received"], want["received"])
        if want["uid"] is not None:
            same(f"{what}: uid", got["uid"], want["uid"])
        elif want["flags"] & gen.SOFTDEL:
            same(f"{what}: uid", got["uid"], 0)
        else:
            assert got["uid"] > box.folders[want["fid"]]["uidlast"], f"{what}: uid {got['uid']} was given out before"
        if got["uid"]:
            assert (want["fid"], got["uid"]) not in uids, f"{what}: uid {got['uid']} twice"
            uids[want["fid"], got["uid"]] = mid
        same(f"{what}: keys", got["keys"], want["keys"])
        compare_object(what, got, want)
    return uids


def compare_folders(box, d, uids):
    missing = {f"{f:x}" for f in box.folders} - set(d["folders"])
    assert not missing, f"folders {missing} are missing"
    for fid, want in box.folders.items():
        what, got = f"folder {fid:x}", d["folders"][f"{fid:x}"]
        for key in ("name", "parent", "class", "cn", "type", "deleted", "hidden", "subscribed", "uidvalidity", "props", "rights", "rules"):
            same(f"{what}: {key}", got[key], want[key])
        if want["criteria"] is not None:
            same(f"{what}: criteria", got["criteria"], want["criteria"].hex())
            same(f"{what}: scope", got["scope"], want["scope"])
            same(f"{what}: search flags", got["search_flags"], want["search_flags"] & ~3)
            stopped = want["search_flags"] & 1
            same(f"{what}: state", got["search_state"], 0 if stopped else 2)
            if want["finds"] is not None and not stopped:
                same(f"{what}: found", got["found"], sorted(
                    m for m, i in box.messages.items() if i["fid"] in want["scope"] and not i["flags"] & (gen.FAI | gen.SOFTDEL) and
                    want["finds"] in str(i["props"].get("37001f", "")).lower()))
                assert got["found"], f"{what}: finds nothing"
        else:
            assert "criteria" not in got, f"{what} has criteria"
        top = max([u for f, u in uids if f == fid] + [want["uidlast"]])
        same(f"{what}: next uid", got["uidnext"], top + 1)


def compare_store(box, d):
    same("verify", d["verify"], [])
    same("public", d["public"], box.public)
    same("replica", d["replica"], str(box.replica))
    same("mailbox", d["mailbox"], str(box.mailbox))
    assert d["next_id"] >= box.next_range and d["last_cn"] > box.cn, (d["next_id"], d["last_cn"])
    for key, v in box.store_props.items():
        same(f"store: {key}", d["props"].get(key), v)
    same("replicas", sorted((r[0], r[1]) for r in d["replicas"]),
         sorted((gen.uuid.UUID(g).bytes_le.hex(), i) for g, i in box.replicas.items()))
    same("reserved", [r[1:] for r in d["reserved"]], box.reserved)
    same("replied", {r[0]: r[1] for r in d["replied"]}, box.replied)
    if not box.public:
        same("receive", {r[0].lower(): r[1] for r in d["receive"]}, box.receive)
    same("read states", sorted((r[0], r[1], r[2], r[3]) for r in d["pread"]), sorted((u, m, 1, rcn) for u, m, rcn in box.pread))
    if box.settings:
        same("out of office", d["oof"], box.settings["oof"])
        same("delegates", d["delegates"], box.settings["delegates"])
        same("send as", d["send_as"], box.settings["send_as"])
        same("settings of web clients", d["props"].get("6772001f"), '{"settings":{"zarafa":1}}')
        photo = [v for k, v in d["props"].items() if k.endswith(",photo,102")]
        assert len(photo) == 1 and photo[0].startswith("204 bytes "), photo
    assert "storeconv" not in d["tables"] and "storeconv" not in d["meta"], "traces of the conversion are left"


def compare(box, d):
    compare_store(box, d)
    compare_folders(box, d, compare_messages(box, d))


# ---- Every version ----

def check_version(make, version, **kw):
    with Dir() as t:
        box = make(t / "old", version, **kw)
        before = tree(t / "old")
        report = convert(t / "old", t / "new")
        same("source", tree(t / "old"), before)
        assert not os.path.exists(t / "new.storeconv")
        same("version", report["version"], version)
        kinds = {f["kind"] for f in report["findings"]}
        assert kinds <= {"text"}, report["findings"]
        n = report["messages"] + report["associated"] + report["deleted"]
        same("converted", (report["folders"], n), (len(box.folders), len(box.messages)))
        compare(box, dump(t / "new"))


def test_private_stores_of_every_version():
    for v in VERSIONS:
        check_version(fill.private, v)


def test_public_stores_of_every_version():
    for v in VERSIONS:
        check_version(fill.public, v)


def test_without_imap_index():
    check_version(fill.private, gen.NEWEST, midb=False)


def test_log_not_in_the_database_yet():
    for v in (gen.NEWEST, 12):
        check_version(fill.private, v, wal=True)


def test_source_that_somebody_has_open():
    with Dir() as t:
        box = fill.private(t / "old")
        db = sqlite3.connect(t / "old/exmdb/exchange.sqlite3", isolation_level=None)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("UPDATE store_properties SET propval='changed' WHERE proptag=?", (0x3001001f,))
        convert(t / "old", t / "new")
        box.store_props["3001001f"] = "changed"
        compare(box, dump(t / "new"))
        db.close()


def test_default_rights_of_the_store():
    with Dir() as t:
        box = gen.Mailbox(t / "old")
        box.permission(0x0d, "default", 0x401)
        box._config(box.db, 8, 0x800)
        box._config(box.db, 9, 0x400)
        box.finish()
        convert(t / "old", t / "new")
        d = dump(t / "new")
        same("rights", d["folders"]["d"]["rights"], {"default": 0x401, "": 0x400})
        same("rights", d["folders"]["a"]["rights"], {"default": 0x800, "": 0x400})


# ---- Damage ----

def found(report, kind, obj=None, file=None):
    v = [f for f in report["findings"] if f["kind"] == kind and (obj is None or f["object"] == obj) and
         (file is None or f["file"] == file)]
    assert v, f"no finding {kind} {obj} {file} in {report['findings']}"
    return v[0]


def test_missing_and_damaged_content_files():
    with Dir() as t:
        box = gen.Mailbox(t / "old")
        cases = []
        for i, how in enumerate(("missing", "empty", "cut", "flipped", "foreign", "folder", "name")):
            for form in ("0", "1", "2", "Y"):
                if form == "0" and how not in ("missing", "folder"):
                    continue  # without a checksum any bytes are a value
                props = {gen.SUBJECT: f"{how} {form}", gen.BODY: f"body of {how} {form} " * 20, 0x001a001f: "IPM.Note"}
                mid = box.message(0x0d, props, [fill.rcpt("x@example.net")], form=form)
                path = box.last_file
                if how == "missing":
                    os.unlink(path)
                    path = path.removesuffix(".zst").removesuffix(".v1z")  # the last name that is tried
                elif how == "folder":
                    os.unlink(path)
                    os.mkdir(path)
                elif how == "name":
                    path = None
                    box.db.execute("UPDATE message_properties SET propval='../../etc/passwd' WHERE message_id=? AND proptag=?", (mid, gen.BODY))
                else:
                    with open(path, "rb") as f:
                        b = f.read()
                    b = {"empty": b"", "cut": b[:-5], "flipped": b[:30] + bytes([b[30] ^ 4]) + b[31:], "foreign": b"GIF89a" + b}[how]
                    with open(path, "wb") as f:
                        f.write(b)
                del box.messages[mid]["props"][f"{gen.BODY:x}"]
                cases.append((mid, path))
        at = box.message(0x0d, {gen.SUBJECT: "with attachment"}, atts=[{"props": {0x3707001f: "a", gen.ATTACH_DATA: b"x" * 9000}},
                                                                        {"props": {0x3707001f: "b", gen.ATTACH_DATA: b"y" * 9000}}], form="2")
        os.unlink(box.last_file)
        del box.messages[at]["atts"][1]["props"][f"{gen.ATTACH_DATA:x}"]
        last = box.last_file
        box.finish()
        report = convert(t / "old", t / "new")
        for mid, path in cases:
            found(report, "content", f"message {mid:x}", path)
        found(report, "content", f"message {at:x}", last.removesuffix(".zst"))
        same("findings", len(report["findings"]), len(cases) + 1)
        compare(box, dump(t / "new"))


def test_missing_and_damaged_originals():
    with Dir() as t:
        box = gen.Mailbox(t / "old")
        props, text = fill.mail(1)
        gone = box.message(0x0d, props, eml=text, uid=True)
        os.unlink(box.last_eml)
        link = box.message(0x0d, props, eml=text, uid=True)
        os.unlink(box.last_eml)
        os.symlink("/etc/passwd", box.last_eml)
        bad = box.message(0x0d, props, uid=True)
        box.db.execute("UPDATE messages SET mid_string='../../../etc/passwd' WHERE message_id=?", (bad,))
        empty = box.message(0x0d, props, eml=b"", uid=True)
        for mid in (gone, link):
            box.messages[mid]["original"] = None
            box.messages[mid]["flags"] &= ~gen.HASORIG
        box.finish()
        report = convert(t / "old", t / "new")
        for mid in (gone, link, bad):
            found(report, "original", f"message {mid:x}")
        same("findings", len(report["findings"]), 3)
        d = dump(t / "new")
        compare(box, d)
        same("empty original", d["messages"][f"{empty:x}"]["original"], "0 bytes 00000000")


def test_damaged_values():
    with Dir() as t:
        box = gen.Mailbox(t / "old")
        mid = box.message(0x0d, {gen.SUBJECT: "x", 0x66000003: 1, 0x66011003: [1, 2], 0x66020048: str(gen.uuid.UUID(int=5)), 0x660300fb: gen.svreid(1),
                                 0x66040102: b"stays", 0x6605001f: "stays"})
        for tag, v in ((0x66000003, b"blob"), (0x66011003, b"\x09\0\0\0\1"), (0x66020048, b"short"), (0x660300fb, b"\xff\xff")):
            box.db.execute("UPDATE message_properties SET propval=? WHERE message_id=? AND proptag=?", (v, mid, tag))
            del box.messages[mid]["props"][f"{tag:x}"]
        box.db.execute("INSERT INTO message_properties VALUES(?,?,?)", (mid, 0x66061234, "no such type"))
        box.db.execute("INSERT INTO message_properties VALUES(?,?,?)", (mid, 0x9abc0003, 5))
        latin = box.message(0x0d, {gen.SUBJECT: "y", 0x3fde0003: 1251})
        box.db.execute("UPDATE message_properties SET propval=CAST(X'efeff0' AS TEXT) WHERE message_id=? AND proptag=?", (latin, gen.SUBJECT))
        box.messages[latin]["props"][f"{gen.SUBJECT:x}"] = "ппр"
        box.db.execute("INSERT INTO named_properties VALUES(?,?)", (0x8ff0, "nonsense"))
        box.finish()
        report = convert(t / "old", t / "new")
        same("findings", sorted(f["kind"] for f in report["findings"]), ["name"] * 2 + ["text"] + ["value"] * 5)
        found(report, "name", "named property 8ff0")
        found(report, "text", f"message {latin:x}")
        found(report, "value", f"message {mid:x}")
        compare(box, dump(t / "new"))


def test_damaged_folders():
    with Dir() as t:
        box = gen.Mailbox(t / "old")
        x = box.folder("Doppelt", 9, "IPF.Note")
        y = box.folder("doppelt", 9, "IPF.Note", want_name="doppelt (2)")
        z = box.folder("", 9, "IPF.Note")
        box.folders[z]["name"] = f"Folder {z:x}"
        long = box.folder("ä" * 600, 9, "IPF.Note", want_name="ä" * 500)
        orphan = box.folder("Waise", 0x77777, "IPF.Note", want_parent=9)
        a = box.folder("Kreis 1", 9, "IPF.Note")
        b = box.folder("Kreis 2", a, "IPF.Note")
        box.db.execute("UPDATE folders SET parent_id=? WHERE folder_id=?", (b, a))
        box.folders[a]["parent"] = 9
        box.permission(x, "a" * 400, 1)
        del box.folders[x]["rights"]["a" * 400]
        box.permission(x, "b@example.net", 0x10001, want=1)
        box.rule(y, "gut", gen.r_exist(gen.SUBJECT), lambda t: gen.actions(gen.action(10)))
        box.rule(y, "schlechte Bedingung", b"\x00\xff\xff", lambda t: gen.actions(gen.action(10)), want=False)
        box.rule(y, "schlechte Aktion", gen.r_exist(gen.SUBJECT), lambda t: b"\1\0\5", want=False)
        s = box.folder("Suche", 5, search=True, criteria=b"\x0d\x0d", scope=(9,))
        box.folders[s]["criteria"] = None
        s2 = box.folder("Suche im Nichts", 5, search=True, criteria=gen.r_exist(gen.SUBJECT), scope=(0x99999,), search_flags=4)
        box.folders[s2]["criteria"] = None
        s3 = box.folder("Suche im halben Nichts", 5, search=True, criteria=gen.r_exist(gen.SUBJECT), scope=(9, 0x99999, s2), search_flags=4)
        box.folders[s3]["scope"] = [9]
        stray = box.message(0x0d, {gen.SUBJECT: "nirgends"}, parent_fid=0x88888, uid=None)
        none = box.message(0x0d, {gen.SUBJECT: "gar nicht"}, parent_fid=None, uid=None)
        inner = box.message(s, {gen.SUBJECT: "im Suchordner"})
        box.finish()
        report = convert(t / "old", t / "new")
        for kind, obj in (("folder", f"folder {y:x}"), ("folder", f"folder {z:x}"), ("folder", f"folder {long:x}"), ("folder", f"folder {orphan:x}"),
                          ("folder", f"folder {a:x}"), ("rights", f"folder {x:x}"), ("rule", f"folder {y:x}"), ("search", f"folder {s:x}"), ("search", f"folder {s2:x}"), ("search", f"folder {s3:x}"),
                          ("message", f"message {stray:x}"), ("message", f"message {none:x}"), ("message", f"folder {s:x}")):
            found(report, kind, obj)
        d = dump(t / "new")
        extra = [int(f, 16) for f in d["folders"] if int(f, 16) not in box.folders]
        same("number of new folders", len(extra), 1)
        same("new folder", d["folders"][f"{extra[0]:x}"]["name"], "Recovered items")
        for mid in (stray, none, inner):
            box.messages[mid]["fid"] = extra[0]
        box.folders[extra[0]] = dict(box.folders[0x0d], uidlast=0)
        uids = compare_messages(box, d)
        del box.folders[extra[0]]
        compare_folders(box, d, uids)
        compare_store(box, d)


def test_damaged_imap_index():
    with Dir() as t:
        box = gen.Mailbox(t / "old")
        props, text = fill.mail(1)
        mids = [box.message(0x0d, props, eml=text, uid=True) for _ in range(3)]
        twice = [box.message(0x0a, props, eml=text, uid=5) for _ in range(2)]
        box.finish()
        report = convert(t / "old", t / "new")
        d = dump(t / "new")
        same("a UID that two have", sorted(d["messages"][f"{m:x}"]["uid"] for m in twice), [5, 6])
        with open(t / "old/exmdb/midb.sqlite3", "r+b") as f:
            f.write(b"this is no database at all, not a bit of it ")
        report = convert(t / "old", t / "new2")
        found(report, "imap")
        d = dump(t / "new2")
        same("verify", d["verify"], [])
        same("uids", [d["messages"][f"{m:x}"]["uid"] for m in mids], [1, 2, 3])
        same("originals", all("original" in d["messages"][f"{m:x}"] for m in mids), True)


def test_damaged_settings():
    with Dir() as t:
        box = gen.Mailbox(t / "old")
        fill.fill_config(box)
        box.finish()
        box.config_file("zarafa.dat", b"\1\0\x1f\0\1\x30no end")
        os.unlink(t / "old/config/portrait.jpg")
        os.mkdir(t / "old/config/portrait.jpg")
        box.config_file("autoreply.cfg", b"\xff\xfe nonsense\noof_state=9\n= =\nstart_time = soon\n")
        report = convert(t / "old", t / "new")
        found(report, "setting", "settings", t / "old/config/zarafa.dat")
        found(report, "setting", "settings", t / "old/config/portrait.jpg")
        d = dump(t / "new")
        same("verify", d["verify"], [])
        same("state", (d["oof"]["state"], d["oof"]["subject"]), (0, "Bin für 2 Wochen weg"))


def test_refusals():
    with Dir() as t:
        fill.private(t / "old")
        before = tree(t / "old")

        def refused(source, dest, text, *args):
            report = convert(source, dest, *args, code=1)
            assert text in report["error"], (report["error"], text)
            same("source", tree(t / "old"), before)
        os.mkdir(t / "empty")
        refused(t / "empty", t / "new", "exchange.sqlite3")
        refused(t / "none", t / "new", "exchange.sqlite3")
        refused(t / "old", t / "old", "another directory")
        os.mkdir(t / "full")
        open(t / "full/file", "w").close()
        refused(t / "old", t / "full", "not empty")
        for name, change, text in (
                ("newer", "UPDATE configurations SET config_value=28 WHERE config_id=10", "newer"),
                ("foreign", "DROP TABLE messages", "not the database"),
                ("rootless", "DELETE FROM folders WHERE folder_id=1", "no root")):
            shutil.copytree(t / "old", t / name)
            with sqlite3.connect(t / f"{name}/exmdb/exchange.sqlite3") as db:
                db.execute(change)
            db.close()
            refused(t / name, t / f"new-{name}", text)
        shutil.copytree(t / "old", t / "text")
        with open(t / "text/exmdb/exchange.sqlite3", "w") as f:
            f.write("hello " * 1000)
        refused(t / "text", t / "new", "not a database")
        assert not os.path.exists(t / "new")
        # a store that is there: refused, then moved aside
        convert(t / "old", t / "new")
        refused(t / "old", t / "new", "already")
        marker = t / "new/marker"
        open(marker, "w").close()
        convert(t / "old", t / "new", "-f")
        assert not os.path.exists(marker) and os.path.exists(t / "new.old/marker")
        refused(t / "old", t / "new", "new.old", "-f")
        same("verify", dump(t / "new")["verify"], [])
        assert os.path.isdir(t / "new.storeconv")  # made, but not put in place: the next run does just that
        shutil.rmtree(t / "new.old")
        convert(t / "old", t / "new", "-f")
        assert not os.path.exists(t / "new.storeconv")


def test_in_the_place_of_the_mailbox():
    with Dir() as t:
        box = fill.private(t / "box")
        before = tree(t / "box")
        convert(t / "box", t / "box", "-f")
        same("the old mailbox", tree(t / "box.old"), before)
        compare(box, dump(t / "box"))
        assert not os.path.exists(t / "box.storeconv")
        # killed between the two moves: the store is complete, the mailbox is away
        shutil.copytree(t / "box.old", t / "again")
        os.mkdir(t / "again.old")
        report = convert(t / "again", t / "again", "-f", code=1)
        assert "again.old" in report["error"], report
        os.rmdir(t / "again.old")
        os.rename(t / "again", t / "again.old")
        report = convert(t / "again", t / "again", "-f")
        assert report["resumed"], report
        compare(box, dump(t / "again"))
        report = convert(t / "none", t / "none", "-f", code=1)
        assert "none/exmdb" in report["error"], report


def test_wrong_arguments():
    for bad in ([], ["a"], ["a", "b", "c"], ["--nonsense", "a", "b"], ["--owner-id", "x", "a", "b/"], ["--owner-id", "-1", "a", "b/"]):
        r = tool(*bad, code=2)
        assert "usage: " in r.stderr and r.stdout == "", r
    assert tool("--help").stdout.startswith("usage: gromox-storeconv")


# ---- Interruptions ----

def big_box(path):
    box = gen.Mailbox(path)
    fill.fill_private(box)
    for i in range(2000):
        props, text = fill.mail(1000 + i)
        box.message((0x0d, 0x0a, 0x17)[i % 3], props, [fill.rcpt("user1@example.org")], eml=text, uid=True if i % 2 else None, form="0")
    broken = box.message(0x0d, {gen.SUBJECT: "broken", gen.BODY: "lost"}, form="2")
    os.unlink(box.last_file)
    del box.messages[broken]["props"][f"{gen.BODY:x}"]
    return box.finish()


def lose_power(store):
    """The store looks as if it had been open under another boot of the system."""
    path = os.path.join(store, "exmdb", "gx.sqlite3")
    if os.path.exists(path):
        with sqlite3.connect(path) as db:
            db.execute("UPDATE meta SET value=CAST('another boot' AS BLOB) WHERE key='open'")
        db.close()


def test_killed_and_resumed():
    rng = random.Random(os.environ.get("GX_SEED", "storeconv"))
    rounds = int(os.environ.get("GX_SOAK_KILLS", 5 if ALL else 2))
    with Dir() as t:
        box = big_box(t / "old")
        start = time.monotonic()
        whole = convert(t / "old", t / "whole")
        took = time.monotonic() - start
        want = dump(t / "whole")
        compare(box, want)
        killed = resumed = skipped = 0
        i = 0
        while i < rounds or killed == 0 and i < 20:
            dest, lost = t / f"new{i}", False
            i += 1
            for _ in range(200):
                p = subprocess.Popen([TOOL, "--json", t / "old", dest + "/"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                try:
                    out, _ = p.communicate(timeout=rng.random() * took / 3)
                except subprocess.TimeoutExpired:
                    p.send_signal(signal.SIGKILL if rng.random() < .8 else signal.SIGTERM)
                    out, _ = p.communicate()
                    killed += p.returncode != 0
                if p.returncode == 0 or os.path.exists(dest):
                    break
                if rng.random() < .3:
                    lose_power(dest + ".storeconv")
                    lost = True
            if p.returncode != 0:  # killed between the last commit and the report, or before it was tidy
                r = subprocess.run([TOOL, "--json", t / "old", dest + "/"], stdout=subprocess.PIPE, text=True)
                out = r.stdout
            took = took if killed > 0 else took / 2  # the first time others had the processors
            report = json.loads(out)
            if report["error"] is not None:
                assert "there is a store already" in report["error"], report
                report = dict(whole, resumed=True)
            resumed += report["resumed"]
            for key in ("folders", "messages", "associated", "deleted", "attachments", "originals", "bytes"):
                same(key, report[key], whole[key])
            same("findings", report["findings"], whole["findings"])
            assert not os.path.exists(dest + ".storeconv")
            got = dump(dest)
            for key in want:
                if key in ("next_id", "last_cn"):  # skipped after a loss of power
                    assert got[key] >= want[key]
                    skipped += key == "next_id" and got[key] > want[key]
                elif key == "meta":  # a loss is noted
                    same(key, [m for m in got[key] if m != ["lost"]], want[key])
                    # before the numbers of the mailbox are taken over, those that are skipped are below them
                    assert ["lost"] in got[key] or got["next_id"] == want["next_id"]
                    assert lost or ["lost"] not in got[key]
                elif key not in ("folders", "messages"):
                    same(key, got[key], want[key])
            for key in ("folders", "messages"):
                for k in want[key]:
                    same(f"{key} {k}", got[key].get(k), want[key][k])
                same(key, len(got[key]), len(want[key]))
        print(f"# {killed} runs killed, {resumed} of {i} conversions were finished by a later run, {skipped} lost power; a whole one takes {took:.2f} s")
        assert killed > 0


def test_source_changed_between_runs():
    with Dir() as t:
        big_box(t / "old")
        p = subprocess.Popen([TOOL, "-q", t / "old", t / "new/"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wal = t / "new.storeconv/exmdb/gx.sqlite3-wal"
        while p.poll() is None and not (os.path.exists(wal) and os.path.getsize(wal) > 1 << 20):
            time.sleep(.001)
        p.kill()
        p.communicate()
        if not os.path.exists(t / "new.storeconv"):
            raise gxtap.Skip("the conversion was faster than its end")
        with sqlite3.connect(t / "old/exmdb/exchange.sqlite3") as db:
            db.execute("UPDATE messages SET change_number=change_number+100000 WHERE message_id=(SELECT MAX(message_id) FROM messages)")
        db.close()
        for suffix in ("-wal", "-shm"):
            assert not os.path.exists(t / "old/exmdb/exchange.sqlite3" + suffix)
        report = convert(t / "old", t / "new", code=1) if not os.path.exists(t / "new") else None
        if report is not None and "another mailbox" not in report["error"]:
            raise AssertionError(report["error"])
        convert(t / "old", t / "new", "--restart", "-f")
        same("verify", dump(t / "new")["verify"], [])


def test_progress_on_a_terminal_only():
    with Dir() as t:
        fill.private(t / "old")
        assert tool(t / "old", t / "new/").stderr == ""
        shutil.rmtree(t / "new")
        master, slave = pty.openpty()
        r = subprocess.run([TOOL, t / "old", t / "new/"], stdout=subprocess.PIPE, stderr=slave, text=True, timeout=60)
        os.close(slave)
        shown = b""
        while True:
            try:
                b = os.read(master, 4096)
            except OSError:
                break
            if not b:
                break
            shown += b
        os.close(master)
        assert r.returncode == 0 and b"messages" in shown and b"100.0 %" in shown, (r, shown)
        assert "EV-27: 40 folders" in r.stdout, r.stdout


# ---- Served by IMAP ----

def imap_flags(data):
    import imaplib
    return {f.decode() for f in imaplib.ParseFlags(data)}


def test_imap_clients_keep_their_caches():
    names = {gen.ANSWERED: "\\Answered", gen.FLAGGED: "\\Flagged", gen.DELETED: "\\Deleted", gen.DRAFT: "\\Draft", gen.READ: "\\Seen"}
    with gx.Server(users=1) as s, Dir() as t:
        s.stop()
        db = sqlite3.connect(os.path.join(s.dir, "directory.sqlite3"))
        uid, maildir = db.execute("SELECT id,maildir FROM users WHERE username=?", (s.users[0],)).fetchone()
        db.close()
        box = gen.Mailbox(t / "old", owner_id=uid)
        fill.fill_private(box)
        box.finish()
        r = tool("--json", "-f", "-c", s.cfg, t / "old", s.users[0])
        same("dest", json.loads(r.stdout)["dest"], maildir)
        fill.public(t / "public")
        r = tool("-c", s.cfg, t / "public", s.users[0], code=1)
        assert "is a public store" in r.stderr, r
        r = tool("-c", s.cfg, t / "old", gx.DOMAIN, code=1)
        assert "is a user's mailbox" in r.stderr, r
        s.start()
        m = s.imap(0)
        checked = 0
        for fid, f in box.folders.items():
            if f["type"] != 1 or f["deleted"] or f["hidden"] or fid in (1, 2, 4, 5, 6, 7, 8, 9, 0x18):
                continue
            path, up = f["name"], f["parent"]
            while up not in (0, 9):
                path, up = box.folders[up]["name"] + "/" + path, box.folders[up]["parent"]
            if "/" in f["name"] or up != 9 or not path.isascii():
                continue
            mailbox = "INBOX" if fid == 0x0d else path
            typ, data = m.select(f'"{mailbox}"', readonly=True)
            assert typ == "OK", (mailbox, data)
            same(f"{mailbox}: UIDVALIDITY", int(m.untagged_responses["UIDVALIDITY"][0]), fid)
            here = {i["uid"]: (mid, i) for mid, i in box.messages.items() if i["fid"] == fid and i["uid"]}
            if not here:
                continue
            typ, data = m.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[])")
            got = {}
            for part in data:
                if isinstance(part, tuple):
                    got[int(part[0].split(b"UID ")[1].split()[0])] = part
            for uid, (mid, i) in here.items():
                assert uid in got, f"{mailbox}: UID {uid} is missing"
                flags = imap_flags(got[uid][0])
                for bit, name in names.items():
                    same(f"{mailbox} {uid}: {name}", name in flags, bool(i["flags"] & bit))
                assert set(i["keywords"]) <= flags, (mailbox, uid, flags)
                checked += 1
                if i["original"]:
                    b = got[uid][1]
                    same(f"{mailbox} {uid}: text", f"{len(b)} bytes {gen.zlib.crc32(b):08x}", i["original"])
        assert checked >= 30, checked
        typ, data = m.lsub()
        lines = b" ".join(x for x in data if x)
        assert b"Projekte" in lines and b"INBOX" in lines, lines
        m.logout()


gxtap.main(globals())
