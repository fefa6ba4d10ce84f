#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gromox-mbop: every command against a running gromoxd, and the same ones on stores that nobody serves."""
import json
import os
import pty
import re
import subprocess
import time

from exmdbwire import Client, counter, eid
from gxservice import DOMAIN, Server, free_port, gxtap, program
from test_exmdb import (ATT_METHOD, BODY, CLASS, FOLDER_TYPE, MID, NAME, PARENT, RCPT_TYPE, ROWID, SUBJECT, start, stop)

IPM, SENT, INBOX, DRAFTS, CALENDAR = 9, 0xa, 0xd, 0xe, 0xf
ASSOCIATED, MODIFIED = 0x67aa000b, 0x30080040
GROMOX = "1de937e2-85c6-40a1-bd9d-a6e2b7b787b1"
RECORDED = set()


class Site:
    """A server with mailboxes; mbop() runs the tool and gives its standard output."""

    def __init__(self, users=3, config=""):
        self.server = Server(users=users, config=config)
        self.cfg, self.users = self.server.cfg, self.server.users
        self.server.start()
        for i in range(users):
            self.server.imap(i).logout()
        self.address = ("127.0.0.1", self.server.exmdb_port)

    def dir(self, user=0):
        return os.path.join(self.server.dir, "user", DOMAIN, self.users[user].split("@")[0])

    def client(self, user=0):
        return Client(self.address, self.dir(user))

    def run(self, *args, code=0, stdin=b"", cfg=None):
        for a in args:
            RECORDED.add("foreach.*" if a.startswith("foreach.") else a)
        r = subprocess.run([program("gromox-mbop"), "--config", cfg or self.cfg, *args], input=stdin, timeout=120,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.err = r.stderr.decode()
        assert r.returncode == code, (args, r)
        return r.stdout

    def mbop(self, *args, user=0, **kw):
        return self.run("-u", self.users[user], *args, **kw).decode()

    def json(self, *args, user=0, **kw):
        return json.loads(self.run("--json", "-u", self.users[user], *args, **kw))


_site = None


def site():
    global _site
    if _site is None:
        _site = Site()
    return _site


def folder(c, name, parent=IPM):
    fid, ec = c.create_folder(0, {PARENT: eid(parent) if parent < 1 << 16 else parent, FOLDER_TYPE: 1, NAME: name})
    assert ec == 0, hex(ec)
    return fid


def message(c, fid, subject="s", atts=(), rcpts=(), **more):
    props = {CLASS: "IPM.Note", SUBJECT: subject, BODY: "text"}
    props.update({int(k[1:], 16): v for k, v in more.items()})
    mid, _, ec = c.write_message(0, fid, {"props": props, "rcpts": list(rcpts), "atts": list(atts)}, "")
    assert ec == 0, hex(ec)
    return mid


def count(c, fid, fai=False, deleted=False):
    return c.sum_content(fid, fai, deleted)


def child(c, parent, name):
    return c.get_folder_by_name(parent, name)


# ---- the whole mailbox ----

def test_upkeep():
    s = site()
    for command in ("ping", "vacuum", "purge-datafiles", "recalc-sizes", "cgkreset", "unload"):
        assert s.mbop(command) == "", command
        assert s.err == "", s.err
    s.mbop("-v", "ping")
    assert s.err == f"{s.users[0]}: ping: done\n", s.err
    r = s.json("ping")
    assert r == [{"mailbox": s.users[0], "directory": s.dir(), "command": "ping", "result": "done"}], r
    assert s.mbop("echo-maildir") == s.dir() + "\n"
    assert s.mbop("echo-username") == s.users[0] + "\n"


def test_change_numbers_are_new():
    s = site()
    c = s.client()
    fid = folder(c, "numbers")
    before = c.get_folder_properties(0, fid, [0x67a40014])[0x67a40014]
    s.mbop("cgkreset")
    assert c.get_folder_properties(0, fid, [0x67a40014])[0x67a40014] != before


def test_a_store_that_is_in_use_is_not_unloaded():
    s = site()
    c = s.client()
    table, _ = c.load_hierarchy_table(eid(IPM), None, 0, None)
    s.mbop("unload", code=1)
    assert "open" in s.err and s.users[0] in s.err, s.err
    c.unload_table(table)
    s.mbop("unload")


def test_freezing():
    s = site()
    c = s.client(1)
    for args in (("freeze",), ("freeze", "--no-wait")):
        s.mbop(*args, user=1)
        s.mbop("get-photo", user=1, code=1)
        assert "thaw" in s.err, s.err
        s.mbop("unload", user=1)
        s.mbop("thaw", user=1)
        s.mbop("get-photo", user=1)
    assert c.get_folder_by_name(eid(IPM), "nothing") == 0


def test_mailboxes_by_directory():
    s = site()
    assert s.run("-d", s.dir(1), "echo-username").decode() == s.users[1] + "\n"
    assert s.run("-d", s.dir(1) + "//", "ping") == b""
    assert s.run("-d", os.path.relpath(s.dir(1)), "echo-username").decode() == s.users[1] + "\n"
    s.run("-d", "user/x", "ping", code=1)
    assert "user/x: No such file" in s.err, s.err
    s.run("-d", s.server.dir + "/nothing", "ping", code=1)
    assert s.server.dir + "/nothing" in s.err, s.err
    s.run("-d", s.server.dir + "/nothing", "echo-username", code=1)


def test_public_stores():
    s = site()
    s.server.tool("gromox-mkpublic", "-c", s.cfg, DOMAIN)
    s.run("-u", "@" + DOMAIN, "ping")
    home = s.run("-u", "@" + DOMAIN, "echo-maildir").decode().strip()
    c = Client(s.address, home, private=False)
    fid = folder(c, "wide", 2)
    message(c, fid)
    s.run("-u", "@" + DOMAIN, "emptyfld", "INBOX", code=1)
    assert "begin the path with /" in s.err
    assert "1 messages" in s.run("-u", "@" + DOMAIN, "emptyfld", "/IPM_SUBTREE/wide").decode()
    assert count(c, fid) == 0
    for command in (("set-locale", "-l", "de"), ("clear-rwz",), ("get-freebusy",)):
        s.run("-u", "@" + DOMAIN, *command, code=1)
        assert "public" in s.err, s.err


# ---- what web clients keep ----

def test_photo():
    s = site()
    data = bytes(range(256)) * 300
    assert s.run("-u", s.users[0], "get-photo") == b""
    s.mbop("set-photo", stdin=data)
    assert s.run("-u", s.users[0], "get-photo") == data
    c = s.client()
    ids = c.get_named_propids(False, [(GROMOX, "photo")])
    assert c.get_store_properties(0, [ids[0] << 16 | 0x102])[ids[0] << 16 | 0x102] == data
    r = s.json("get-photo")[0]
    assert len(r["base64"]) == len(data) * 4 // 3, r
    s.mbop("clear-photo")
    assert s.run("-u", s.users[0], "get-photo") == b""
    # a terminal does not get the bytes
    s.mbop("set-photo", stdin=data)
    ours, theirs = pty.openpty()
    argv = [program("gromox-mbop"), "--config", s.cfg, "-u", s.users[0], "get-photo"]
    assert subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, timeout=60).returncode == 0
    shown = os.read(ours, 10000)
    os.close(ours)
    os.close(theirs)
    assert b"get-photo" in shown and b"76800 bytes" in shown and len(shown) < 500, shown
    s.mbop("clear-photo")
    s.mbop("clear-photo")
    s.mbop("set-photo", code=1)
    assert "stdin" in s.err, s.err


def test_web_settings():
    s = site()
    for i, kind in enumerate(("", "-persistent", "-recipients")):
        assert s.mbop("get-websettings" + kind) == ""
        text = json.dumps({"settings": {"n": i, "name": "K\u00e4se", "big": "x" * 5000}}, ensure_ascii=False)
        s.mbop("set-websettings" + kind, stdin=text.encode())
        assert s.mbop("get-websettings" + kind) == text
        assert json.loads(s.json("get-websettings" + kind)[0]["text"])["settings"]["n"] == i
    s.mbop("set-websettings", stdin=b'{"a": }', code=1)
    assert "line 1" in s.err, s.err
    s.mbop("set-websettings", stdin=b'"\xff"', code=1)
    assert "UTF-8" in s.err, s.err
    s.mbop("set-websettings", stdin=b"", code=1)
    assert '"n": 0' in s.mbop("get-websettings")


def test_profile():
    s = site()
    c = s.client()
    tag = c.get_named_propids(True, [(GROMOX, "zcore_profsect")])[0] << 16 | 0x102
    c.set_store_properties(0, {tag: b"profile"})
    s.mbop("clear-profile")
    assert c.get_store_properties(0, [tag]) == {}
    s.mbop("clear-profile")


# ---- folders and messages ----

def test_folder_specifications():
    s = site()
    c = s.client()
    a = folder(c, "Year/2026")
    b = folder(c, "May", a)
    for spec in (f"0x{counter(b):x}", str(counter(b)), "IPM_SUBTREE\\Year/2026\\May", "\\Top of Information Store\\Year/2026\\May\\",
                 "ipm_subtree\\Year/2026\\may"):
        message(c, b)
        assert s.json("emptyfld", spec)[0]["rows"][0]["messages"] == 1, spec
        assert count(c, b) == 0
    for spec in ("IPM_SUBTREE/nothing", "999999", "/nothing"):
        s.mbop("emptyfld", spec, code=1)
        assert spec in s.err, s.err
    for spec in ("", "NOWHERE/x", "0", "12x"):
        s.mbop("emptyfld", spec, code=2)
        assert "no folder" in s.err, s.err
    for name in ("CALENDAR COMMON_VIEWS CONFLICTS CONTACTS DEFERRED_ACTION DELETED TRASH WASTEBASKET DRAFT FINDER IPM_SUBTREE JOURNAL JUNK "
                 "LOCAL_FAILURES NOTES OUTBOX SENT SERVER_FAILURES SHORTCUTS SYNC_ISSUES TASKS VIEWS").split():
        s.mbop("emptyfld", "-t", "10years", name)


def test_delmsg():
    s = site()
    c = s.client()
    fid = folder(c, "delmsg")
    m = [message(c, fid, str(i)) for i in range(4)]
    other = message(c, eid(DRAFTS), "elsewhere")
    ids = [str(counter(x)) for x in m]
    out = s.mbop("delmsg", "-f", "IPM_SUBTREE/delmsg", ids[0], hex(counter(m[1])), str(counter(other)), "99999999")
    assert "2 messages deleted" in out and "99999999 is not in that folder" in out, out
    assert count(c, fid) == 2 and count(c, fid, deleted=True) == 0 and count(c, eid(DRAFTS)) == 1
    assert s.json("delmsg", "--soft", ids[2], "-f", f"{counter(fid)}")[0]["messages"] == 1
    assert count(c, fid) == 1 and count(c, fid, deleted=True) == 1
    assert "0 messages" in s.mbop("delmsg", "-f", "INBOX")
    for bad in (("delmsg", "1"), ("delmsg", "-f", "INBOX", "x"), ("delmsg", "-f", "INBOX", "0"), ("delmsg", "-f")):
        s.mbop(*bad, code=2)


def tree(c, name):
    """name/{sub/{deep},hollow}, each but hollow with two messages, one of them associated."""
    top = folder(c, name)
    sub = folder(c, "sub", top)
    deep = folder(c, "deep", sub)
    folder(c, "hollow", top)
    for f in (top, sub, deep):
        message(c, f)
        message(c, f, x67aa000b=True)
    return top, sub, deep


def test_emptyfld_by_the_server():
    s = site()
    c = s.client()
    top, sub, _ = tree(c, "server")
    r = s.json("emptyfld", "IPM_SUBTREE/server")[0]["rows"]
    assert r == [{"folder": "IPM_SUBTREE/server", "messages": 1, "associated": 0, "folders": 0}], r
    assert count(c, top) == 0 and count(c, top, True) == 1 and count(c, sub) == 1 and count(c, top, deleted=True) == 0
    r = s.json("emptyfld", "-Ma", "--soft", "IPM_SUBTREE/server")[0]["rows"][0]
    assert (r["messages"], r["associated"]) == (0, 1), r
    assert count(c, top, True, True) == 1
    r = s.json("emptyfld", "--soft", "--nuke-folders", "-R", "IPM_SUBTREE/server")[0]["rows"][0]
    assert r["folders"] == 3, r
    assert c.is_folder_deleted(sub) and child(c, top, "sub") == 0
    s.mbop("emptyfld", "-M", "INBOX", code=2)
    assert "nothing to remove" in s.err
    s.mbop("emptyfld", code=2)
    for args in ((), ("-R",)):
        s.mbop("emptyfld", *args, "3", code=1)  # the spooler queue
        assert "search" in s.err, s.err


def test_emptyfld_by_hand():
    s = site()
    c = s.client()
    top, sub, deep = tree(c, "hand")
    for f in (top, deep):
        message(c, f, "old", x30080040=0x01d00000 << 32)
    r = s.json("emptyfld", "-Rt", "1week", "IPM_SUBTREE/hand")[0]["rows"][0]
    assert r["messages"] == 2 and [count(c, f) for f in (top, sub, deep)] == [1, 1, 1], r
    r = s.json("emptyfld", "-t", "0s", "-a", "IPM_SUBTREE/hand")[0]["rows"][0]
    time.sleep(1.1)
    r = s.json("emptyfld", "-t", "0s", "-a", "IPM_SUBTREE/hand")[0]["rows"][0]
    assert [count(c, top), count(c, top, True)] == [0, 0], r
    r = s.json("emptyfld", "--delempty", "IPM_SUBTREE/hand")[0]["rows"][0]
    assert r["folders"] == 1 and child(c, top, "hollow") == 0 and child(c, top, "sub") == sub, r
    r = s.json("emptyfld", "-Ra", "--delempty", "IPM_SUBTREE/hand", "SENT")[0]["rows"]
    assert (r[0]["messages"], r[0]["associated"], r[0]["folders"]) == (2, 2, 2) and r[1]["folder"] == "SENT", r
    assert child(c, top, "sub") == 0
    message(c, folder(c, "late", top))
    message(c, top)
    r = s.json("emptyfld", "-M", "-t", "1h", "--nuke-folders", "IPM_SUBTREE/hand")[0]["rows"][0]
    assert r["folders"] == 1 and count(c, top) == 1, r
    # built-in folders stay, however empty
    s.mbop("emptyfld", "-Ra", "--delempty", "SYNC_ISSUES")
    assert c.is_folder_present(eid(0x1a))


def test_many_messages_by_hand():
    s = site()
    c = s.client()
    fid = folder(c, "many")
    for i in range(2300):
        message(c, fid, str(i))
    assert s.json("emptyfld", "-R", "--soft", "IPM_SUBTREE/many")[0]["rows"][0]["messages"] == 2300
    assert count(c, fid) == 0 and count(c, fid, deleted=True) == 2300
    out = s.mbop("purge-softdelete", "IPM_SUBTREE/many")
    assert "2300 messages" in out and count(c, fid, deleted=True) == 0, out


def test_purge_softdelete():
    s = site()
    c = s.client()
    top, sub, deep = tree(c, "purge")
    s.mbop("emptyfld", "-R", "--soft", "IPM_SUBTREE/purge")
    c.delete_folder(0, child(c, top, "hollow"), False)
    r = s.json("purge-softdelete", "-t", "1d", "-r", "/")[0]["rows"][0]
    assert r["messages"] == 0 and count(c, top, deleted=True) == 1, r
    r = s.json("purge-softdelete", "IPM_SUBTREE/purge")[0]["rows"][0]
    assert (r["messages"], r["folders"]) == (1, 0) and r["bytes"] > 0 and count(c, deep, deleted=True) == 1, r
    r = s.json("purge-softdelete", "-r", "IPM_SUBTREE/purge")[0]["rows"][0]
    assert (r["messages"], r["folders"]) == (2, 1) and count(c, sub, deleted=True) == 0, r
    s.mbop("purge-softdelete", "-t", "soon", "/", code=2)
    assert "soon" in s.err


def test_clear_rwz():
    s = site()
    c = s.client()
    message(c, eid(INBOX), x001a001f="IPM.RuleOrganizer", x67aa000b=True)
    message(c, eid(INBOX), x001a001f="IPM.Other", x67aa000b=True)
    before = count(c, eid(INBOX), True)
    assert "1 messages" in s.mbop("clear-rwz")
    assert count(c, eid(INBOX), True) == before - 1
    assert s.json("clear-rwz")[0]["messages"] == 0


def test_sync_midb():
    s = site()
    s.server.deliver(b"Subject: one\r\n\r\ntext\r\n", to=2)
    s.server.wait_count(2, 1)
    assert s.mbop("sync-midb", user=2) == ""
    assert s.json("sync-midb", "-f", "INBOX", user=2)[0]["rows"] == [{"folder": "Inbox", "messages": 1, "unread": 1}]
    names = [r["folder"] for r in s.json("sync-midb", "-f", "all", user=2)[0]["rows"]]
    assert "Inbox" in names and "Sent Items" in names, names
    s.mbop("sync-midb", "-f", "IPM_SUBTREE/none", user=2, code=1)


# ---- languages ----

def test_set_locale():
    s = site()
    c = s.client(2)
    blocked = folder(c, "Entw\u00fcrfe")
    assert "keeps its name" in s.mbop("set-locale", "-l", "de_AT", user=2)
    name = c.get_folder_properties(0, eid(INBOX), [NAME])[NAME]
    assert name == "Posteingang" and blocked
    shown = s.server.tool("gromox-useradm", "-c", s.cfg, "--json", "user", "show", s.users[2]).stdout
    assert json.loads(shown)["lang"] == "de_AT", shown
    out = s.mbop("set-locale", "-v", "-l", "ja_JP", user=2)
    assert '0xd: "' in out, out
    assert s.json("set-locale", "-l", "en", user=2)[0]["folders"] == 15
    assert c.get_folder_properties(0, eid(INBOX), [NAME])[NAME] == "Inbox"
    assert "no folder names" in s.mbop("set-locale", "-l", "cy_GB", user=2)
    r = s.json("set-locale", "-T", "-l", "fr", user=2)[0]
    assert r["renames"] >= 15 and r["folders"] == 15, r
    s.mbop("set-locale", "-l", "en", user=2)
    for bad in ("german", "de_at", "de-AT", "de_DE.UTF-8", ""):
        s.mbop("set-locale", "-l", bad, user=2, code=2)
    s.mbop("set-locale", user=2, code=2)
    assert "-l" in s.err


# ---- the calendar ----

def nt(unix):
    return (unix + 11644473600) * 10000000


def test_get_freebusy():
    s = site()
    c = s.client(1)
    names = [("00062002-0000-0000-c000-000000000046", lid) for lid in (0x820d, 0x820e, 0x8205, 0x8208)]
    start_tag, end_tag, status_tag, where_tag = (i << 16 for i in c.get_named_propids(True, names))
    base = 1800000000

    def appointment(subject, begin, end, status):
        p = {CLASS: "IPM.Appointment", SUBJECT: subject, start_tag | 0x40: nt(begin), end_tag | 0x40: nt(end),
             status_tag | 3: status, where_tag | 0x1f: "Room 1"}
        assert c.write_message(0, eid(CALENDAR), {"props": p, "rcpts": [], "atts": []}, "")[2] == 0

    appointment("later", base + 7200, base + 9000, 3)
    appointment("first", base, base + 3600, 2)
    appointment("outside", base + 86400 * 30, base + 86400 * 30 + 60, 2)
    r = s.json("get-freebusy", "-a", str(base), "-b", str(base + 86400), user=1)[0]["rows"]
    assert [x["subject"] for x in r] == ["first", "later"] and r[0]["status"] == "busy" and r[1]["location"] == "Room 1", r
    assert r[0]["start"].startswith("2027-01-15T08:00:00"), r
    r = s.json("get-freebusy", "-a", "2027-01-15T10:00:00+0100", "-b", "2027-01-15T10:31:00Z", user=1)[0]["rows"]
    assert [x["subject"] for x in r] == ["later"], r
    assert len(s.json("get-freebusy", "-a", str(base + 86400), user=1)[0]["rows"]) == 1
    assert len(s.json("get-freebusy", user=1)[0]["rows"]) == 3
    assert s.mbop("get-freebusy", "-b", str(base + 1), user=1).count("\n") == 1
    # what others may see
    s.mbop("get-freebusy", "-x", s.users[0], "-a", str(base), user=1, code=0)
    r = s.json("get-freebusy", "-x", s.users[0], "-a", str(base), user=1)[0]["rows"]
    assert len(r) == 3 and "subject" not in r[0], r
    c.update_folder_permission(eid(CALENDAR), False, [(1, {0x39fe001f: s.users[0], 0x66730003: 0x401})])
    r = s.json("get-freebusy", "-x", s.users[0], "-a", str(base), user=1)[0]["rows"]
    assert "subject" in r[0], r
    for bad in (("-a", "yesterday"), ("-a", "2026-02-30T00:00:00"), ("-a", "5", "-b", "4"), ("-a", "0", "-b", "2000000000"),
                ("-x", "nobody"), ("-a", "2026-01-01T00:00:00+1"), ("extra",)):
        s.mbop("get-freebusy", *bad, user=1, code=2)


# ---- addresses of other systems ----

def test_addresses():
    s = site()
    c = s.client()
    path = os.path.join(s.server.dir, "map.json")
    with open(path, "w") as f:
        json.dump([{"dn": "/o=Old/cn=BOSS", "to": "boss@new.example"}, {"na": "worker", "em": "worker@old.example", "to": "worker@new.example"},
                   {"na": None, "to": ""}], f)
    fid = folder(c, "addresses")
    below = folder(c, "below", fid)
    sender = {"x0c1e001f": "EX", "x0c1f001f": "/O=old/CN=boss", "x0c1a001f": "The Boss"}
    rcpts = [{ROWID: 0, RCPT_TYPE: 1, 0x3002001f: "EX", 0x3003001f: "/o=Old/cn=Unknown", NAME: "Unknown"},
             {ROWID: 1, RCPT_TYPE: 2, 0x3002001f: "EX", 0x3003001f: "/o=Old/cn=hybrid", 0x39fe001f: "hybrid@new.example", NAME: "Hybrid"},
             {ROWID: 2, RCPT_TYPE: 1, 0x3002001f: "ZARAFA", 0x3003001f: "Worker", NAME: "Worker"}]
    inner = {"props": {CLASS: "IPM.Note", SUBJECT: "inner", 0x0065001f: "/o=Old/cn=boss", 0x0064001f: "EX"}, "rcpts": [], "atts": []}
    mid = message(c, fid, rcpts=rcpts, atts=[({ATT_METHOD: 5}, inner)], **sender)
    message(c, below, **sender)
    r = s.json("exaddrxlat", "-m", path, "IPM_SUBTREE/addresses")[0]
    assert (r["messages"], r["changed"], r["addresses"], r["unknown"]) == (1, 1, 3, 1), r
    m = c.read_message(None, 0, mid)
    assert m["props"][0x0c1e001f] == "SMTP" and m["props"][0x0c1f001f] == "boss@new.example" and m["props"][0x5d01001f] == "boss@new.example"
    assert m["props"][0x0c1d0102] == b"SMTP:BOSS@NEW.EXAMPLE\0" and b"b\0o\0s\0s\0@" in m["props"][0x0c190102], m
    assert m["props"][0x0c1a001f] == "The Boss"
    by_name = {x[NAME]: x for x in m["rcpts"]}
    assert by_name["Unknown"][0x3002001f] == "EX" and by_name["Hybrid"][0x3003001f] == "hybrid@new.example", by_name
    assert by_name["Hybrid"][RCPT_TYPE] == 2 and by_name["Worker"][0x3002001f] == "ZARAFA"
    assert m["atts"][0][1]["props"][0x0065001f] == "boss@new.example", m["atts"]
    r = s.json("exaddrxlat", "-r", "-m", path, "IPM_SUBTREE/addresses")[0]
    assert (r["messages"], r["changed"], r["addresses"]) == (2, 1, 1), r
    out = s.mbop("zaddrxlat", "-rm", path, "IPM_SUBTREE/addresses")
    assert "1 of 2 messages changed: 1 addresses replaced" in out, out
    by_name = {x[NAME]: x for x in c.read_message(None, 0, mid)["rcpts"]}
    assert by_name["Worker"][0x3003001f] == "worker@new.example" and by_name["Worker"][0x3002001f] == "SMTP"
    s.mbop("zaddrxlat", "IPM_SUBTREE", code=2)
    s.mbop("zaddrxlat", "-m", path + ".none", "IPM_SUBTREE", code=2)
    assert path + ".none" in s.err
    for bad in ("[1]", "{}", '[{"to": "x", "dn": "y"}]', "[", '[{"dn":"a","to":"b@c"},{"dn":"A","to":"d@c"}]'):
        with open(path, "w") as f:
            f.write(bad)
        s.mbop("exaddrxlat", "-m", path, "IPM_SUBTREE", code=2)
        assert path in s.err, s.err


# ---- several commands, several mailboxes ----

def test_chains():
    s = site()
    assert s.mbop("(", "echo-username", ")", "(", "ping", ")", "(", "echo-maildir", ")") == f"{s.users[0]}\n{s.dir()}\n"
    out = s.mbop("(", "emptyfld", "IPM_SUBTREE/none", ")", "(", "echo-username", ")", code=1)
    assert out == "" and "IPM_SUBTREE/none" in s.err
    out = s.mbop("-c", "(", "emptyfld", "IPM_SUBTREE/none", ")", "(", "echo-username", ")", code=1)
    assert out == s.users[0] + "\n"
    r = s.json("-c", "(", "emptyfld", "IPM_SUBTREE/none", ")", "(", "ping", ")", code=1)
    assert [x["result"] for x in r] == ["failed", "done"] and "none" in r[0]["reason"], r
    for bad in (("(", "ping"), ("(", ")"), ("ping", ")"), ("(", "ping", ")", "vacuum"), ("(", "ping", "x", ")"), ("nonsense",),
                ("(", "ping", ")", "(", "nonsense", ")"), ("ping", "--nonsense"), ("freeze", "-x"), ("freeze", "--no-wait=1"), ()):
        assert s.mbop(*bad, code=2) == "", bad
        assert "usage: gromox-mbop" in s.err


def test_foreach():
    s = Site(users=4)
    try:
        tool = lambda *a: s.server.tool("gromox-useradm", "-c", s.cfg, *a)  # noqa: E731
        tool("user", "add", "box@" + DOMAIN, "--shared")
        tool("user", "add", "nobox@" + DOMAIN, "--no-create")
        tool("group", "add", "team@" + DOMAIN)
        tool("server", "add", "elsewhere.invalid")
        tool("user", "homeserver", s.users[3], "elsewhere.invalid")
        import sqlite3
        with sqlite3.connect(os.path.join(s.server.dir, "directory.sqlite3")) as db:
            db.execute("UPDATE users SET maildir='' WHERE username LIKE 'nobox@%'")
            db.execute("UPDATE users SET address_status=1 WHERE username=?", (s.users[2],))
            for name, kind in (("room", 7), ("beamer", 8), ("friend", 6)):
                db.execute("INSERT INTO users(username,password,domain_id,group_id,maildir,lang,timezone,address_status) VALUES(?,'',1,0,'','','',0)",
                           (f"{name}@{DOMAIN}",))
                uid = db.execute("SELECT id FROM users WHERE username=?", (f"{name}@{DOMAIN}",)).fetchone()[0]
                db.execute("REPLACE INTO user_properties(user_id,proptag,order_id,propval_str) VALUES(?,?,1,?)", (uid, 0x39050003, str(kind)))
        names = lambda f: sorted(x.split("@")[0] for x in s.run(f"foreach.{f}", "echo-username").decode().split())  # noqa: E731
        everybody = ["beamer", "box", "nobox", "room", "team", "user1", "user2", "user3", "user4"]
        assert names("secobj") == everybody, names("secobj")
        assert names("user") == ["nobox", "user1", "user2", "user3", "user4"]
        assert names("dl") == ["team"] and names("sharedmb") == ["box"] and names("contact") == ["friend"]
        assert names("room") == ["room"] and names("equipment") == ["beamer"]
        assert names("user.active.mb") == ["user1", "user2", "user4"] and names("susp") == ["user3"] and names("deleted") == []
        assert names("user.here") == ["nobox", "user1", "user2", "user3"] and names("mb.here") == ["box", "user1", "user2", "user3"]
        assert names("user.room") == []
        stores = lambda: sorted(r["mailbox"] for r in json.loads(s.run("--json", "foreach.store.here", "echo-maildir")))  # noqa: E731
        everyone = ["box@" + DOMAIN, *s.users[:3]]
        assert stores() == everyone, stores()
        tool_public = s.server.tool("gromox-mkpublic", "-c", s.cfg, DOMAIN)
        assert stores() == ["@" + DOMAIN] + everyone, (tool_public, stores())
        for j in ("1", "3", "0"):
            r = json.loads(s.run("--json", "foreach.mb.here", "-j", j, "(", "ping", ")", "(", "unload", ")", "(", "vacuum", ")"))
            assert len(r) == 12 and {x["result"] for x in r} == {"done"}, r
        out = s.run("foreach.mb.here", "-j4", "purge-softdelete", "-r", "/").decode()
        assert out.count("0 messages") == 4 and f"{s.users[0]}: /: " in out, out
        # the first failure ends it, unless it is to go on
        s.run("foreach.user.here", "ping", code=1)
        assert s.err.count("\n") == 1 and "no mailbox" in s.err, s.err
        r = json.loads(s.run("-c", "--json", "foreach.user.here", "ping", code=1))
        assert [x["result"] for x in r] == ["failed", "done", "done", "done"], r
        s.run("-u", s.users[3], "ping", code=1)
        assert "elsewhere.invalid" in s.err, s.err
        s.run("--server", f"127.0.0.1:{s.server.exmdb_port}", "-u", s.users[3], "ping")
        for bad in (("foreach", "ping"), ("foreach.nobody", "ping"), ("foreach.user.", "ping"), ("foreach.user",), ("foreach.user", "-j", "x", "ping"),
                    ("foreach.user", "foreach.mb", "ping"), ("-u", s.users[0], "foreach.user", "ping"), ("foreach.user", "-k", "ping"),
                    ("foreach.user", "-j", "5000", "ping"), ("ping",), ("-u", s.users[0], "-d", "/x", "ping")):
            s.run(*bad, code=2)
        s.run("-u", "nobody@" + DOMAIN, "ping", code=1)
        assert "no such user" in s.err
        s.run("-u", "@elsewhere.example", "ping", code=1)
        assert "no such domain" in s.err
    finally:
        s.server.stop()


# ---- who serves the store ----

def test_without_a_server():
    s = Site(users=2)
    c = s.client()
    fid = folder(c, "offline")
    message(c, fid)
    c.close()
    s.server.stop()
    assert s.json("emptyfld", "--soft", "IPM_SUBTREE/offline")[0]["rows"][0]["messages"] == 1
    for command in ("ping", "vacuum", "purge-datafiles", "recalc-sizes", "cgkreset", "unload"):
        s.mbop(command)
    s.mbop("set-photo", stdin=b"photo")
    s.run("foreach.mb", "-j", "2", "vacuum")
    s.mbop("set-locale", "-l", "fr")
    s.mbop("freeze")
    s.mbop("get-photo", code=1)
    assert "thaw" in s.err
    s.mbop("thaw")
    assert s.run("-u", s.users[0], "get-photo") == b"photo"
    assert "1 messages" in s.mbop("purge-softdelete", "-r", "/")
    # a server that is named must be there
    s.run("--server", f"127.0.0.1:{s.server.exmdb_port}", "-u", s.users[0], "ping", code=1)
    s.run("--server", "no server", "-u", s.users[0], "ping", code=1)
    assert s.err
    s.server.start()
    assert s.run("-u", s.users[0], "get-photo") == b"photo"
    # stores that a program has open, but nobody serves here
    other = os.path.join(s.server.dir, "other.cfg")
    with open(s.cfg) as f, open(other, "w") as g:
        g.write(f.read().replace(f"exmdb_listen = 127.0.0.1:{s.server.exmdb_port}", f"exmdb_listen = 127.0.0.1:{free_port()}"))
    s.mbop("ping", cfg=other, code=1)
    assert "gromoxd" in s.err and "--server" in s.err and s.dir() in s.err, s.err
    s.server.stop()


def test_other_ways_to_the_server():
    s = Site(users=1)
    s.server.stop()
    sock, port = os.path.join(s.server.dir, "exmdb.sock"), free_port()
    p = start("istore", s.server, exmdb_listen=f"0.0.0.0:{port} {sock}", exmdb_listen_tls=f"127.0.0.1:{free_port()}",
              exmdb_certificate_path=s.server.cert, exmdb_private_key_path=s.server.key, exmdb_client_ca_path=s.server.cert)
    with open(os.path.join(s.server.dir, "istore.cfg")) as f:
        lines = dict(line.strip().split(" = ", 1) for line in f if " = " in line)
    cfg = os.path.join(s.server.dir, "istore.cfg")
    try:
        s.mbop("ping", cfg=cfg)
        s.mbop("--server", sock, "ping")
        s.mbop("--server", f"127.0.0.1:{port}", "ping")
        tls = "localhost:" + lines["exmdb_listen_tls"].split(":")[1]
        own = ("--tls-ca", s.server.cert, "--tls-cert", s.server.cert, "--tls-key", s.server.key)
        s.mbop("--server", tls, *own, "ping")
        s.mbop("--server", tls, "--tls-ca", s.server.cert, "ping", code=1)
        s.mbop("--server", tls, "ping", code=1)
        s.mbop("--server", tls, "--tls-ca", "/nonexistent", "ping", code=1)
        assert "/nonexistent" in s.err, s.err
        s.mbop("--tls-key", s.server.key, "ping", code=2)
    finally:
        stop(p)


def test_help():
    s = site()
    lines = s.run("--help").decode().split("Commands:\n")[1].split("\n")
    commands = [x.split()[0] for x in lines if x.startswith("  ")]
    assert len(commands) == 31, commands
    for c in commands:
        if c != "(":
            out = s.run(c, "--help").decode()
            assert out.startswith("usage: gromox-mbop ... " + c), out
            assert s.run(c, "-?").decode() == out
    # the manual has every command and option, and no others
    with open(os.path.join(gxtap.top_srcdir(), "man", "gromox-mbop.8")) as f:
        page = f.read().split(".Sh COMMANDS")[1].split(".Sh FOLDERS")[0]
    parts = re.split(r"^\.It (?:Xo )?Ic (\S+)", page, flags=re.M)
    manual = {name.replace("foreach.", "foreach.*").replace("\\&", ""): text for name, text in zip(parts[1::2], parts[2::2])}
    assert sorted(manual) == sorted(commands), set(manual) ^ set(commands)
    for c in commands[1:]:
        options = re.findall(r"^  -+(\S+)", s.run(c, "--help").decode(), flags=re.M)
        assert sorted(options) == sorted(re.findall(r"^\.It Fl -?(\S+)", manual[c], flags=re.M)), c
    missing = set(commands) - RECORDED
    assert not missing, f"no test runs {missing}"


if __name__ == "__main__":
    gxtap.main(globals(), lambda: _site and _site.server.stop())
