#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The exmdb protocol as another program speaks it: every call with its own encoder, against the running daemons."""
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import exmdbwire
from exmdbwire import CALLS, Client, Connection, Listener, WireError, counter, eid
from gxservice import DOMAIN, Server, free_port, gxtap, program, run, wait_for

ROOT, IPM, DELETED, INBOX, DRAFTS, CONTACTS, JUNK = 1, 9, 0xb, 0xd, 0xe, 0x13, 0x17
SUBJECT, SUBJECT8, BODY, CLASS, NAME, COMMENT = 0x0037001f, 0x0037001e, 0x1000001f, 0x001a001f, 0x3001001f, 0x3004001f
PARENT, FOLDER_TYPE, FOLDER_ID, MID, CN, FLAGS = 0x67490014, 0x36010003, 0x67480014, 0x674a0014, 0x67a40014, 0x0e070003
CONTENT_COUNT, RIGHTS, MEMBER_ID, SMTP = 0x36020003, 0x66730003, 0x66710014, 0x39fe001f
ROWID, RCPT_TYPE, ATT_METHOD, ATT_NAME, ATT_DATA = 0x30000003, 0x0c150003, 0x37050003, 0x3707001f, 0x37010102
PSETID = "00062008-0000-0000-c000-000000000046"


class Store:
    """A server with one mailbox; s.client() is connected to it. Tests use folders of their own."""

    def __init__(self):
        self.server = Server(users=3).start()
        self.address = ("127.0.0.1", self.server.exmdb_port)
        self.dir = os.path.join(self.server.dir, "user", DOMAIN, "user1")
        # the store is made at the first login or delivery
        self.server.imap(0).logout()
        assert os.path.isdir(self.dir), os.listdir(self.server.dir)
        self.c = Client(self.address, self.dir)

    def folder(self, name, parent=IPM):
        fid, ec = self.c.create_folder(0, {PARENT: eid(parent) if parent < 1 << 16 else parent, FOLDER_TYPE: 1, NAME: name})
        assert ec == 0, hex(ec)
        return fid

    def message(self, fid, subject, **props):
        m = {"props": {CLASS: "IPM.Note", SUBJECT: subject, BODY: "text of " + subject},
             "rcpts": [{ROWID: 0, RCPT_TYPE: 1, SMTP: "to@example.org"}],
             "atts": [({ATT_METHOD: 1, ATT_NAME: "a.txt", ATT_DATA: b"attached"}, None)]}
        mid, cn, ec = self.c.write_message(0, fid, m, "")
        assert ec == 0 and cn != 0, hex(ec)
        return mid


_store = None


def store():
    global _store
    if _store is None:
        _store = Store()
    return _store


def fails(fn, code=8):
    try:
        fn()
    except WireError as e:
        assert e.code == code, e
    else:
        raise AssertionError("it succeeded")


# ---- framing ----

def test_handshake_and_pings():
    s = store()
    c = Connection(s.address)
    assert c.ping()
    c.send(exmdbwire.encode("ping_store", s.dir, ()))
    fails(c.answer, 6)
    assert c.s.recv(1) == b"", "the connection is still open"
    c = Connection(s.address)
    fails(lambda: c.call("connect", s.dir, "1:a", False), 5)
    c = Connection(s.address)
    fails(lambda: c.call("connect", s.server.dir + "/nothing", "1:a", True), 4)
    c = Client(s.address, s.dir + "//")
    c.dir = s.dir
    c.ping_store()
    for _ in range(3):
        assert c.ping()
    for body in (b"\x99" + s.dir.encode() + b"\0", b"\x07" + s.dir.encode() + b"\0", b"\x02nozero",
                 b"\x02" + s.dir.encode() + b"\0extra", b"\x1a" + s.dir.encode() + b"\0" + bytes(12) + b"\2"):
        c = Client(s.address, s.dir)
        c.send(body)
        fails(c.answer, 7)
    s.server.wait_log("pull_error")


def test_answer_to_connect_is_five_bytes():
    s = store()
    c = Connection(s.address)
    c.send(exmdbwire.encode("connect", s.dir, ("1:a", True)))
    assert c.read(5) == bytes(5)
    c.s.settimeout(0.2)
    try:
        more = c.s.recv(1)
    except (TimeoutError, socket.timeout):
        more = None
    assert more is None, more


def test_several_stores_over_one_connection():
    s = store()
    s.server.imap(1).logout()
    other = s.dir[:-1] + "2"
    c = Client(s.address, s.dir)
    a = c.call("allocate_cn", s.dir)
    b = c.call("allocate_cn", other)
    assert a and b
    fails(lambda: c.call("allocate_cn", "/nonexistent"), 4)


# ---- the store ----

def test_store_properties_and_names():
    c = store().c
    assert c.set_store_properties(1252, {COMMENT: "grün", 0x3005001e: b"\xfc", 0x66770003: 5}) == []
    got = c.get_store_properties(1252, [0x3004001e, 0x3005001f, 0x66770003, SUBJECT])
    assert got == {0x3004001e: b"gr\xfcn", 0x3005001f: "ü", 0x66770003: 5}, got
    assert 0x66770003 in c.get_store_all_proptags()
    c.remove_store_properties([0x66770003])
    assert 0x66770003 not in c.get_store_properties(0, [0x66770003])
    names = [(PSETID, 0x8501), (PSETID, "colour")]
    assert 0 in c.get_named_propids(False, [(PSETID, "never heard of")])
    ids = c.get_named_propids(True, names)
    assert all(i >= 0x8000 for i in ids) and c.get_named_propids(False, names) == ids
    assert c.get_named_propnames(ids + [0x9ffe]) == names + [None]
    assert set(ids) <= set(c.get_all_named_propids())


def test_numbers_and_replicas():
    c = store().c
    a, b = c.allocate_cn(), c.allocate_cn()
    assert counter(b) > counter(a) and a & 0xffff == 1
    assert counter(c.allocate_ids(50)) + 50 <= counter(c.allocate_ids(1))
    found, guid = c.get_mapping_guid(1)
    assert found and c.get_mapping_replid(guid) == (1, 0)
    assert c.get_mapping_guid(999)[0] is False
    replid, ec = c.get_mapping_replid("11111111-2222-3333-4444-555555555555")
    assert replid >= 6 and ec == 0
    fails(lambda: c.allocate_ids(0xffffffff))
    c.ping_store()


def test_settings():
    c = store().c
    assert c.autoreply_setprop(0, {0x67600003: 1, 0x6762001f: "away"}) == []
    assert c.autoreply_getprop(0, [0x67600003, 0x6762001f]) == {0x67600003: 1, 0x6762001f: "away"}
    assert c.autoreply_tsquery("peer@example.org", 3600) == 3600
    c.autoreply_tsupdate("peer@example.org")
    assert c.autoreply_tsquery("Peer@Example.org", 3600) < 3600
    for mode in (0, 1):
        c.write_delegates(mode, [f"d{mode}@example.org", "x@example.org"])
    assert c.read_delegates(1) == ["d1@example.org", "x@example.org"]
    assert c.read_delegates(0)[0] == "d0@example.org"


def test_store_of_an_entry_id():
    s = store()
    out = run([program("gromox-useradm"), "-c", s.server.cfg, "--help"], check=False)
    assert out.returncode == 0
    import sqlite3
    db = sqlite3.connect(s.server.dir + "/directory.sqlite3")
    uid, did = db.execute("SELECT id, domain_id FROM users WHERE username = ?", (s.server.users[0],)).fetchone()
    db.close()
    swap = lambda n: struct.pack("<I", n).hex()
    dn = f"/o=Gromox default/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn={swap(did)}{swap(uid)}-user1"
    private = "20fa551b-66aa-cd11-9bc8-00aa002fc45a"
    maildir, user, domain = s.c.store_eid_to_user((private, "server", dn))
    assert (os.path.realpath(maildir), user, domain) == (os.path.realpath(s.dir), uid, did)
    fails(lambda: s.c.store_eid_to_user((private, "server", "/o=other/cn=nobody")))


# ---- folders ----

def test_folders():
    s = store()
    c = s.c
    top = s.folder("folders")
    a = s.folder("alpha", top)
    assert c.is_folder_present(a) and not c.is_folder_present(eid(0x999999)) and not c.is_folder_deleted(a)
    assert c.get_folder_by_name(top, "ALPHA") == a and c.get_folder_by_name(top, "none") == 0
    assert c.is_descendant_folder(top, a) and not c.is_descendant_folder(a, top)
    assert c.set_folder_properties(0, a, {COMMENT: "c"}) == []
    assert c.get_folder_properties(0, a, [COMMENT, PARENT, FOLDER_ID]) == {COMMENT: "c", PARENT: top, FOLDER_ID: a}
    c.remove_folder_properties(a, [COMMENT])
    assert c.get_folder_properties(0, a, [COMMENT]) == {}
    assert NAME in c.get_folder_all_proptags(a)
    assert c.create_folder(0, {PARENT: top, NAME: "Alpha", FOLDER_TYPE: 1})[1] == 0x80040604
    assert c.create_folder_v1(0, {PARENT: top, NAME: "alpha", FOLDER_TYPE: 1}) == 0
    assert c.create_folder_v1(0, {PARENT: top, NAME: "v1", FOLDER_TYPE: 1}) != 0
    assert c.delete_folder(0, a, False) and c.is_folder_deleted(a)
    assert not c.delete_folder(0, eid(INBOX), True)


def test_moving_and_copying_folders():
    s = store()
    c = s.c
    top = s.folder("trees")
    a, b = s.folder("a", top), s.folder("b", top)
    s.message(a, "inside")
    assert c.movecopy_folder(-1, 0, False, None, top, a, b, "renamed", False) == 0
    assert c.get_folder_by_name(b, "renamed") == a
    assert c.movecopy_folder(-1, 0, False, None, b, a, top, "copy", True) == 0
    copy = c.get_folder_by_name(top, "copy")
    assert c.get_folder_properties(0, copy, [CONTENT_COUNT]) == {CONTENT_COUNT: 1}
    assert c.copy_folder_internal(-1, 0, False, None, copy, True, True, True, b) == (False, False)
    assert c.copy_folder_internal(-1, 0, False, None, b, True, True, True, a) == (True, False)
    assert c.empty_folder(0, None, copy, 1 | 4) is False
    folders, messages, normal, _ = c.purge_softdelete(None, copy, 1 | 4, 0)
    assert messages == 1 and normal > 0, (folders, messages, normal)


def test_receive_folders():
    s = store()
    c = s.c
    assert c.get_folder_by_class("IPM.Note") == (eid(INBOX), "IPM.Note") or c.get_folder_by_class("IPM.Note")[0] == eid(INBOX)
    mine = s.folder("received")
    assert c.set_folder_by_class(mine, "IPM.Mine")
    assert c.get_folder_by_class("IPM.Mine.Too") == (mine, "IPM.Mine")
    assert any(r.get(CLASS) == "IPM.Mine" and r[FOLDER_ID] == mine for r in c.get_folder_class_table())
    assert c.set_folder_by_class(0, "IPM.Mine")


def test_permissions():
    s = store()
    c = s.c
    f = s.folder("shared")
    c.update_folder_permission(f, False, [(1, {SMTP: "friend@example.org", RIGHTS: 0x401}), (2, {MEMBER_ID: 0, RIGHTS: 0})])
    assert c.get_folder_perm(f, "friend@example.org") == 0x401 and c.get_folder_perm(f, "other@example.org") == 0
    assert c.get_mbox_perm("friend@example.org") & 0x401 == 0x401
    mid = s.message(f, "for friends")
    assert c.get_message_properties("friend@example.org", 0, mid, [SUBJECT]) == {SUBJECT: "for friends"}
    fails(lambda: c.get_message_properties("other@example.org", 0, mid, [SUBJECT]))
    c.empty_folder_permission(f)
    assert c.get_folder_perm(f, "friend@example.org") == 0


def test_rules():
    s = store()
    c = s.c
    f = s.folder("ruled")
    rule = {0x66760003: 10, 0x66770003: 1, 0x6682001f: "all", 0x6681001f: "RuleOrganizer", 0x66830003: 0,
            0x667900fd: ("and", [("exist", SUBJECT), ("content", 0x10001, SUBJECT, "x")]),
            0x668000fe: struct.pack("<HHBII", 1, 9, 11, 0, 0)}
    assert c.update_folder_rule(f, [(1, rule)]) is False
    c.empty_folder_rule(f)


# ---- messages ----

def test_messages():
    s = store()
    c = s.c
    f = s.folder("messages")
    mid = s.message(f, "one")
    assert c.is_msg_present(f, mid) and not c.is_msg_present(eid(INBOX), mid) and not c.is_msg_deleted(mid)
    m = c.read_message(None, 0, mid)
    assert m["props"][SUBJECT] == "one" and m["props"][BODY] == "text of one"
    assert m["rcpts"][0][SMTP] == "to@example.org" and m["atts"][0][0][ATT_DATA] == b"attached"
    assert c.read_message(None, 0, eid(0x999999)) is None
    brief = c.get_message_brief(0, mid)
    assert brief["props"][SUBJECT] == "one" and BODY not in brief["props"]
    assert c.get_message_rcpts(mid)[0][SMTP] == "to@example.org"
    assert c.set_message_properties(None, 1252, mid, {SUBJECT8: b"\xe4"}) == []
    assert c.get_message_properties(None, 1252, mid, [SUBJECT]) == {SUBJECT: "ä"}
    assert c.get_message_properties(None, 1252, mid, [SUBJECT8]) == {SUBJECT8: b"\xe4"}
    assert c.set_message_read_state(None, mid, 1) != 0
    assert c.get_message_properties(None, 0, mid, [FLAGS])[FLAGS] & 1
    c.mark_modified(mid)
    assert c.get_message_timer(mid) is None
    c.set_message_timer(mid, 99)
    assert c.get_message_timer(mid) == 99
    assert c.try_mark_submit(mid) and not c.try_mark_submit(mid)
    c.clear_submit(mid, True)
    new = c.allocate_message_id(f)
    assert not c.is_msg_present(f, new)
    outmid, outcn, ec = c.write_message(0, f, {"props": {MID: new, CN: c.allocate_cn(), SUBJECT: "given", CLASS: "IPM.Note"}}, "")
    assert (outmid, ec) == (new, 0) and outcn
    assert c.write_message(0, eid(0x999999), {"props": {SUBJECT: "x"}}, "")[2] == 0x8004010f
    embedded = {"props": {SUBJECT: "inner", CLASS: "IPM.Note"}, "rcpts": [], "atts": []}
    outer = {"props": {SUBJECT: "outer", CLASS: "IPM.Note"}, "rcpts": [], "atts": [({ATT_METHOD: 5}, embedded)]}
    outmid, _, ec = c.write_message(0, f, outer, "")
    assert ec == 0
    assert c.read_message(None, 0, outmid)["atts"][0][1]["props"][SUBJECT] == "inner"


def test_moving_and_deleting_messages():
    s = store()
    c = s.c
    a, b = s.folder("from"), s.folder("to")
    m = [s.message(a, str(i)) for i in range(3)]
    assert c.movecopy_messages(-1, 0, False, None, a, b, True, m) is False
    assert c.movecopy_messages(-1, 0, False, None, a, b, False, m[:1]) is False
    assert c.get_folder_properties(0, b, [CONTENT_COUNT]) == {CONTENT_COUNT: 4}
    new = c.allocate_message_id(b)
    assert c.movecopy_message(-1, 0, m[1], b, new, True) and c.is_msg_present(b, new)
    assert c.delete_messages(-1, 0, None, a, m[2:], False) is False and c.is_msg_deleted(m[2])
    assert c.movecopy_messages(-1, 0, True, "guest@example.org", b, a, False, [new]) is True


def test_synchronisation():
    s = store()
    c = s.c
    f = s.folder("synced")
    m = [s.message(f, str(i)) for i in range(2)]
    r = c.get_content_sync(f, None, b"", b"", b"", b"", 0, None, True)
    assert r[2] == 2 and sorted(r[5]) == sorted(m) and sorted(r[7]) == sorted(m), r
    last = counter(r[6])
    # one replica, one range (0x52 and two counters)
    upto = lambda n: struct.pack("<H", 1) + b"\x52" + (1).to_bytes(6, "big") + n.to_bytes(6, "big") + b"\0"
    seen = upto(last)
    r = c.get_content_sync(f, None, upto(max(counter(x) for x in m)), seen, seen, seen, 0, ("exist", SUBJECT), False)
    assert r[5] == [] and sorted(r[7]) == sorted(m), r
    rows, cn, given, deleted = c.get_hierarchy_sync(eid(IPM), None, b"", b"")
    assert len(rows) == len(given) > 5 and cn and not deleted
    fails(lambda: c.get_content_sync(f, None, b"\1\0\7\7\7", None, None, None, 0, None, True))


def test_files():
    c = store().c
    c.imapfile_write("eml", "R-0a/xyz0a", b"Subject: x\r\n\r\n\0\xff")
    assert c.imapfile_read("eml", "R-0a/xyz0a") == b"Subject: x\r\n\r\n\0\xff"
    c.imapfile_delete("eml", "R-0a/xyz0a")
    for kind, name in (("eml", "R-0a/xyz0a"), ("eml", "../exmdb/gx.sqlite3"), ("exmdb", "gx.sqlite3"), ("eml", "a/../../b")):
        fails(lambda: c.imapfile_read(kind, name))


# ---- tables and searches ----

INST_ID, ROW_TYPE = 0x674d0014, 0x0ff50003


def test_contents_tables():
    s = store()
    c = s.c
    f = s.folder("tables")
    m = [s.message(f, x) for x in "abc"]
    cols = [MID, SUBJECT, INST_ID, ROW_TYPE]
    table, rows = c.load_content_table(0, f, None, 0, None, ([(SUBJECT, 0)], 0, 0))
    assert rows == 3 and c.sum_table(table) == 3 and c.sum_content(f, False, False) == 3 and c.sum_content(f, True, False) == 0
    assert [r[MID] for r in c.query_table(None, 0, table, cols, 0, 10)] == m
    assert [r[SUBJECT] for r in c.query_table(None, 0, table, cols, 2, -2)] == ["c", "b"]
    assert c.query_table(None, 1252, table, [SUBJECT8], 0, 1) == [{SUBJECT8: b"a"}]
    assert c.locate_table(table, m[1], 0) == (1, 1) and c.locate_table(table, eid(0x999999), 0)[0] == -1
    assert c.mark_table(table, 2) == (m[2], 0, 1)
    assert c.read_table_row(None, 0, table, cols, m[0], 0)[SUBJECT] == "a"
    assert c.match_table(None, 0, table, True, 0, ("prop", 4, SUBJECT, "b"), cols)[0] == 1
    assert c.match_table(None, 0, table, True, 0, ("content", 0x10001, SUBJECT, "zz"), cols) == (-1, {})
    assert SUBJECT in c.get_table_all_proptags(table)
    only, rows = c.load_content_table(0, f, None, 0, ("prop", 5, SUBJECT, "b"), None)
    assert rows == 2
    c.reload_content_table(only)
    c.unload_table(only)
    fails(lambda: c.unload_table(only))
    fails(lambda: c.sum_table(only))
    # another client has other tables
    fails(lambda: Client(s.address, s.dir, "5:other").sum_table(table))


def test_groups_in_tables():
    s = store()
    c = s.c
    f = s.folder("groups")
    s.message(f, "one")
    s.message(f, "two")
    table, rows = c.load_content_table(0, f, None, 0, None, ([(0x00170003, 0), (SUBJECT, 0)], 1, 1))
    assert rows == 3
    header = c.query_table(None, 0, table, [INST_ID, ROW_TYPE], 0, 1)[0]
    assert header[ROW_TYPE] == 3 and header[INST_ID] & 0xffff != 1, header
    assert c.collapse_table(table, header[INST_ID]) == (True, 0, 2) and c.sum_table(table) == 1
    state = c.store_table_state(table, header[INST_ID], 0)
    assert c.expand_table(table, header[INST_ID]) == (True, 0, 2) and c.sum_table(table) == 3
    assert c.restore_table_state(table, state) == 0 and c.sum_table(table) == 1
    assert c.expand_table(table, eid(0x7777, 2))[0] is False


def test_other_tables():
    s = store()
    c = s.c
    f = s.folder("parent")
    s.folder("grandchild", s.folder("child", f))
    table, rows = c.load_hierarchy_table(f, None, 4, None)
    assert rows == 2 and c.sum_hierarchy(f, None, True) == 2 and c.sum_hierarchy(f, None, False) == 1
    assert {r[NAME] for r in c.query_table(None, 0, table, [NAME], 0, 10)} == {"child", "grandchild"}
    c.update_folder_permission(f, False, [(1, {SMTP: s.server.users[1], RIGHTS: 0x401})])
    table, rows = c.load_permission_table(f, 0)
    got = c.query_table(None, 0, table, [MEMBER_ID, RIGHTS, 0x6672001f, 0x0fff0102], 0, 10)
    mine = [r for r in got if r[RIGHTS] == 0x401 and r[MEMBER_ID] not in (0, 0xffffffffffffffff)]
    assert len(got) == rows >= 3 and len(mine) == 1, got
    # by the entry id that the table gave
    c.update_folder_permission(f, False, [(4, {MEMBER_ID: mine[0][MEMBER_ID]})])
    c.update_folder_permission(f, False, [(1, {0x0fff0102: mine[0][0x0fff0102], RIGHTS: 0x400})])
    assert c.get_folder_perm(f, s.server.users[1]) == 0x400
    table, rows = c.load_rule_table(f, 0, None)
    assert rows == 0
    rule = {0x66760003: 10, 0x66770003: 1, 0x6682001f: "r", 0x6681001f: "RuleOrganizer", 0x66830003: 0,
            0x667900fd: ("exist", SUBJECT), 0x668000fe: struct.pack("<HHBII", 1, 9, 11, 0, 0)}
    assert c.update_folder_rule(f, [(1, rule)]) is False
    table, rows = c.load_rule_table(f, 0, None)
    assert rows == 1
    row = c.query_table(None, 0, table, [0x66740014, 0x6682001f, 0x668000fe], 0, 10)[0]
    assert row[0x6682001f] == "r" and row[0x668000fe] == rule[0x668000fe] and row[0x66740014] & 0xffff == 1
    assert c.update_folder_rule(f, [(4, {0x66740014: row[0x66740014]})]) is False


def test_search_folders():
    s = store()
    c = s.c
    f = s.folder("haystack")
    search, ec = c.create_folder(0, {PARENT: eid(5), FOLDER_TYPE: 2, NAME: "found"})
    assert ec == 0
    yes, no = s.message(f, "the needle"), s.message(f, "straw")
    want = ("content", 0x10001, SUBJECT, "needle")
    assert c.set_search_criteria(0, search, 2 | 4, want, [f])
    status, restr, folders = c.get_search_criteria(search)
    assert restr == want and folders == [f] and status, (status, restr, folders)

    def found():
        table, _ = c.load_content_table(0, search, None, 0x10, None, None)
        rows = {r[MID] for r in c.query_table(None, 0, table, [MID], 0, 100)}
        c.unload_table(table)
        return rows

    assert found() == {yes}
    assert c.link_message(0, search, no) and found() == {yes, no}
    c.unlink_message(0, search, no)
    assert found() == {yes}
    assert c.link_messages(0, search, [no]) is False and no in found()
    assert not c.set_search_criteria(0, f, 2, want, [f])
    fails(lambda: c.get_search_criteria(f))


def test_whom_the_owner_knows():
    s = store()
    c = s.c
    tag = c.get_named_propids(True, [("00062004-0000-0000-c000-000000000046", 0x8083)])[0] << 16 | 0x1f
    mid, _, ec = c.write_message(0, eid(CONTACTS), {"props": {CLASS: "IPM.Contact", tag: "known@example.com"}}, "")
    assert ec == 0 and c.read_message(None, 0, mid)["props"][tag] == "known@example.com"
    assert c.check_contact_address("Known@example.com") and not c.check_contact_address("stranger@example.com")


def test_table_notifications():
    s = store()
    c = Client(s.address, s.dir, "78:feed")
    f = s.folder("live")
    first = s.message(f, "a")
    e = Listener(s.address, s.dir, "78:feed")
    table, _ = c.load_content_table(0, f, None, 0, None, ([(SUBJECT, 0)], 0, 0))
    second = s.message(f, "b")
    ev = e.event()
    assert ev["is_table"] and ev["ids"] == [table] and ev["event"] == 19, ev
    assert eid(ev["row_message_id"]) == second and eid(ev["after_row_id"]) == first
    c.delete_messages(-1, 0, None, f, [second], True)
    assert e.event()["event"] == 22
    hier, _ = c.load_hierarchy_table(f, None, 0, None)
    child = s.folder("child", f)
    ev = e.event()
    assert ev["event"] == 18 and ev["ids"] == [hier] and eid(ev["row_folder_id"]) == child, ev


# ---- messages being edited ----

def opened(c, fid, mid=None):
    mid = mid or c.allocate_message_id(fid)
    return mid, c.load_message_instance(None, 1252, True, fid, mid)


def test_editing_a_message():
    s = store()
    c = s.c
    f = s.folder("edited")
    mid, i = opened(c, f)
    assert i != 0 and c.set_instance_properties(i, {CLASS: "IPM.Note", SUBJECT: "draft", BODY: "x" * 5000, SUBJECT8: b"dr\xe4ft"}) == []
    assert c.get_instance_properties(0, i, [SUBJECT]) == {SUBJECT: "dräft"}
    # too much for this caller: 0x8007000e in its place
    assert c.get_instance_properties(1000, i, [BODY]) == {0x1000000a: 0x8007000e}
    assert SUBJECT in c.get_instance_all_proptags(i) and not c.is_msg_present(f, mid)
    assert c.flush_instance(i, None) == 0 and c.is_msg_present(f, mid)
    assert c.remove_instance_properties(i, [BODY]) == [] and c.get_instance_properties(0, i, [BODY]) == {}
    assert c.reload_message_instance(i) and c.get_instance_properties(0, i, [BODY])[BODY] == "x" * 5000
    assert c.read_message_instance(i)["props"][SUBJECT] == "dräft"
    whole = {"props": {SUBJECT: "whole"}, "rcpts": [{ROWID: 0, SMTP: "a@example.org"}],
             "atts": [({ATT_METHOD: 1, ATT_NAME: "f", ATT_DATA: b"1"}, None)]}
    tags, problems = c.write_message_instance(i, whole, True)
    assert SUBJECT in tags and problems == [], (tags, problems)
    assert c.get_message_instance_rcpts_num(i) == 1 and c.get_message_instance_attachments_num(i) == 1
    # somebody else saves first
    other = Client(s.address, s.dir, "6:other")
    fails(lambda: other.read_message_instance(i))
    mine = other.load_message_instance(None, 0, False, f, mid)
    assert other.set_instance_properties(mine, {SUBJECT: "theirs"}) == [] and other.flush_instance(mine, None) == 0
    # which is ours to find out and to say; saving does not look
    cn = c.get_message_properties(None, 0, mid, [CN])[CN]
    assert cn != c.get_instance_properties(0, i, [CN])[CN]
    c.set_message_instance_conflict(i, other.read_message_instance(mine))
    assert c.flush_instance(i, None) == 0 and c.get_message_properties(None, 0, mid, [SUBJECT]) == {SUBJECT: "whole"}
    assert any(m for _, m in c.read_message(None, 0, mid)["atts"]), "the other version is not embedded"
    c.clear_message_instance(i)
    assert c.read_message_instance(i)["props"].get(SUBJECT) is None
    c.unload_instance(i)
    fails(lambda: c.unload_instance(i))
    fails(lambda: c.load_message_instance(None, 0, False, f, eid(0x999999)))
    c.remove_message_properties(0, mid, [BODY])
    assert c.get_message_properties(None, 0, mid, [BODY, SUBJECT]) == {SUBJECT: "whole"}


def test_editing_recipients():
    s = store()
    c = s.c
    f = s.folder("recipients")
    (_, a), (_, b) = opened(c, f), opened(c, f)
    row = lambda n: {ROWID: n, RCPT_TYPE: 1, SMTP: f"{n}@example.org"}
    c.update_message_instance_rcpts(a, [row(n) for n in range(4)])
    assert c.get_message_instance_rcpts_num(a) == 4
    assert {ROWID, SMTP} <= set(c.get_message_instance_rcpts_all_proptags(a))
    assert [r[SMTP] for r in c.get_message_instance_rcpts(a, 1, 2)] == ["1@example.org", "2@example.org"]
    c.update_message_instance_rcpts(a, [{ROWID: 2}, {**row(3), SMTP: "new@example.org"}])
    assert [r[SMTP] for r in c.get_message_instance_rcpts(a, 0, 9)] == ["0@example.org", "1@example.org", "new@example.org"]
    assert c.copy_instance_rcpts(False, a, b) and c.get_message_instance_rcpts_num(b) == 3
    assert not c.copy_instance_rcpts(False, a, b) and c.copy_instance_rcpts(True, a, b)
    c.empty_message_instance_rcpts(b)
    assert c.get_message_instance_rcpts_num(b) == 0


def test_editing_attachments():
    s = store()
    c = s.c
    f = s.folder("attachments")
    (mid, a), (_, b) = opened(c, f), opened(c, f)
    att, num = c.create_attachment_instance(a)
    problems = c.write_attachment_instance(att, {ATT_METHOD: 1, ATT_NAME: "a.bin", ATT_DATA: b"\0\1"}, None, True)
    assert problems == [] and c.flush_instance(att, None) == 0
    assert c.is_descendant_instance(a, att) and not c.is_descendant_instance(att, a)
    assert c.read_attachment_instance(att)[0][ATT_DATA] == b"\0\1" and c.read_attachment_instance(att)[1] is None
    inner, inner_num = c.create_attachment_instance(a)
    assert inner_num != num and c.set_instance_properties(inner, {ATT_METHOD: 5}) == []
    assert c.load_embedded_instance(False, inner) == 0
    e = c.load_embedded_instance(True, inner)
    assert c.set_instance_properties(e, {CLASS: "IPM.Note", SUBJECT: "inside"}) == []
    c.get_embedded_cn(e)
    for i in (e, inner, a):
        assert c.flush_instance(i, None) == 0
        c.unload_instance(i)
    got = c.read_message(None, 0, mid)["atts"]
    assert got[0][0][ATT_DATA] == b"\0\1" and got[1][1]["props"][SUBJECT] == "inside", got
    a = c.load_message_instance(None, 0, False, f, mid)
    assert c.get_message_instance_attachments_num(a) == 2
    assert {ATT_NAME, ATT_METHOD} <= set(c.get_message_instance_attachment_table_all_proptags(a))
    rows = c.query_message_instance_attachment_table(a, [0x0e210003, ATT_NAME], 0, 10)
    assert rows[0] == {0x0e210003: num, ATT_NAME: "a.bin"} and rows[1][0x0e210003] == inner_num, rows
    assert c.load_attachment_instance(a, num) and c.load_attachment_instance(a, 4711) == 0
    assert c.copy_instance_attachments(False, a, b) and c.get_message_instance_attachments_num(b) == 2
    c.delete_message_instance_attachment(a, num)
    assert c.get_message_instance_attachments_num(a) == 1
    c.empty_message_instance_attachments(b)
    assert c.get_message_instance_attachments_num(b) == 0


# ---- mail that comes in ----

def test_delivery_and_rules():
    s = store()
    s.server.imap(1).logout()
    c = Client(s.address, s.dir[:-1] + "2")
    inbox = eid(INBOX)
    target, ec = c.create_folder(0, {PARENT: inbox, FOLDER_TYPE: 1, NAME: "sorted"})
    assert ec == 0
    mail = lambda subject: {"props": {CLASS: "IPM.Note", SUBJECT: subject, BODY: "b"}, "rcpts": [], "atts": []}
    send = lambda subject, flags: c.deliver_message("from@example.org", s.server.users[1], 0, flags, mail(subject), "{}")
    fid, mid, result = send("plain", 3)
    assert (fid, result) == (inbox, 0) and c.read_message(None, 0, mid)["props"][SUBJECT] == "plain"
    assert send("junk", 8)[0] == eid(JUNK)
    # one action, moving within the store: type, flavour, flags; then the folder as PtypServerId
    server_id = struct.pack("<BQQI", 1, target, 0, 0)
    move = struct.pack("<BII", 1, 0, 0) + struct.pack("<BHBH", 1, 1, 0, len(server_id)) + server_id
    rule = {0x66760003: 10, 0x66770003: 1, 0x6682001f: "move", 0x6681001f: "RuleOrganizer", 0x66830003: 0,
            0x667900fd: ("content", 0x10001, SUBJECT, "sort"), 0x668000fe: struct.pack("<HH", 1, len(move)) + move}
    assert c.update_folder_rule(inbox, [(1, rule)]) is False
    assert send("to be sorted", 1)[0] == target
    fid, mid, _ = send("sorted later", 0)
    assert fid == inbox
    c.rule_new_message(None, s.server.users[1], 0, inbox, mid)
    assert not c.is_msg_present(inbox, mid) and c.get_folder_properties(0, target, [CONTENT_COUNT]) == {CONTENT_COUNT: 2}
    # what the caller left below eml/ is what IMAP shows
    original = b"Subject: as it came\r\nX-Odd:  kept\r\n\r\nbody\r\n"
    c.imapfile_write("eml", "R-99/as-it-came", original)
    assert c.deliver_message("f@example.org", s.server.users[1], 0, 2, mail("as it came"), '{"file":"R-99/as-it-came"}')[2] == 0
    m = s.server.imap(1)
    m.select("INBOX")
    number = m.search(None, "SUBJECT", '"as it came"')[1][0]
    assert m.fetch(number, "(BODY.PEEK[])")[1][0][1] == original
    m.logout()
    assert c.set_store_properties(0, {0x3ff50003: 1, 0x666a0003: 1}) == []
    assert send("q" * 3000, 0)[2] == 3 or send("q" * 3000, 0)[2] == 3


# ---- upkeep ----

def test_upkeep():
    s = store()
    s.server.imap(2).logout()
    c = Client(s.address, s.dir[:-1] + "3")
    c.vacuum()
    c.purge_datafiles()
    c.recalc_store_size(0)
    c.cgkreset(3)
    c.set_maintenance(2)
    fails(c.allocate_cn)
    c.set_maintenance(0)
    assert c.allocate_cn()
    assert c.get_public_folder_unread_count("a@example.org", eid(INBOX)) == 0

    def unloaded():  # who has logged out may have it in hand for a moment, and what works in the background, too
        try:
            c.unload_store()
            return True
        except WireError as e:
            assert e.code == 8, e
    wait_for("the store to be free", unloaded)
    assert c.allocate_cn()


# ---- notifications ----

def test_notifications():
    s = store()
    c = Client(s.address, s.dir, "77:feed")
    f = s.folder("watched")
    e = Listener(s.address, s.dir, "77:feed")
    sub = c.subscribe_notification(4 | 8, False, f, 0)
    mid = s.message(f, "seen")
    ev = e.event()
    assert ev["event"] == 3 and ev["ids"] == [sub] and ev["dir"] == s.dir and not ev["is_table"], ev
    assert eid(ev["folder_id"]) == f and eid(ev["message_id"]) == mid
    c.delete_messages(-1, 0, None, f, [mid], True)
    assert e.event()["event"] == 6
    c.transport_new_mail(f, mid, 1, "IPM.Note")
    whole = c.subscribe_notification(2, True, 0, 0)
    c.transport_new_mail(f, mid, 1, "IPM.Note")
    ev = e.event()
    assert ev["event"] == 1 and ev["ids"] == [whole] and ev["message_class"] == "IPM.Note" and ev["message_flags"] == 1, ev
    # mail that really comes, with what is known of it
    inbox = c.subscribe_notification(2, False, eid(INBOX), 0)
    s.server.deliver(b"Subject: hello\r\n\r\nhello\r\n")
    ev = e.event()
    assert ev["event"] == 1 and sorted(ev["ids"]) == sorted([whole, inbox]) and ev["folder_id"] == INBOX, ev
    assert c.get_message_properties(None, 0, eid(ev["message_id"]), [SUBJECT]) == {SUBJECT: "hello"}
    c.unsubscribe_notification(whole)
    c.unsubscribe_notification(sub)
    fails(lambda: c.unsubscribe_notification(sub))
    fails(lambda: s.c.unsubscribe_notification(sub))
    other = Connection(s.address)
    fails(lambda: other.call("listen_notification", s.dir, "77:feed"))


# ---- daemons ----

def start(name, s, **directives):
    with open(s.cfg) as f:
        lines = [line for line in f if line.split("=")[0].strip() not in directives]
    path = os.path.join(s.dir, name + ".cfg")
    with open(path, "w") as f:
        f.writelines(lines + [f"{k} = {v}\n" for k, v in directives.items()])
    r, w = os.pipe()
    p = subprocess.Popen([program(name), "-c", path, "--ready-fd", str(w)], pass_fds=[w], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    os.close(w)
    with os.fdopen(r) as f:
        text = f.read()
    if not text.endswith("ready\n"):
        raise AssertionError(p.communicate()[0].decode())
    return p


def stop(p):
    p.terminate()
    out = p.communicate(timeout=120)[0].decode()
    assert p.returncode == 0, out
    return out


def test_store_server_apart():
    s = Server(users=1)
    sock = os.path.join(s.dir, "istore.sock")
    with open(s.cfg, "a") as f:
        f.write("istore_standalone = 1\n")
    s.start()
    p = start("istore", s, exmdb_listen=f"127.0.0.1:{s.exmdb_port} {sock}")
    s.imap(0).logout()
    d = os.path.join(s.dir, "user", DOMAIN, "user1")
    for address in (("127.0.0.1", s.exmdb_port), sock):
        c = Client(address, d)
        fid, ec = c.create_folder(0, {PARENT: eid(IPM), NAME: "by " + str(address)[-4:], FOLDER_TYPE: 1})
        assert ec == 0
    # what one process makes the other shows
    m = s.imap(0)
    assert any(b"by " in line for line in m.list()[1]), m.list()
    m.logout()
    e = Listener(sock, d)
    out = stop(p)
    assert e.s.recv(1) == b""
    assert "CRIT" not in out.upper() or "critical" not in out
    s.stop()


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        own = f.read().split()
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/children") as f:
            own += f.read().split()
    return {int(c) for c in own}


def ended(pid):
    """Whether or not somebody has looked."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def store_of(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as f:
        words = f.read().split(b"\0")
    return words[words.index(b"--store") + 1].decode()


def test_a_process_for_each_store():
    s = Server(users=3).start()
    for i in range(3):
        s.imap(i).logout()
    s.stop()
    dirs = [os.path.join(s.dir, "user", DOMAIN, f"user{i + 1}") for i in range(3)]
    port = free_port()
    p = start("istore", s, exmdb_listen=f"127.0.0.1:{port}", istore_standalone="3", cache_interval="1")
    assert children(p.pid) == set()
    address = ("127.0.0.1", port)
    c = [Client(address, d) for d in dirs]
    for i, client in enumerate(c):
        fid, ec = client.create_folder(0, {PARENT: eid(IPM), NAME: f"of {i}", FOLDER_TYPE: 1})
        assert ec == 0
    workers = {store_of(pid): pid for pid in children(p.pid)}
    assert sorted(workers) == sorted(dirs), workers
    fails(lambda: Client(address, os.path.join(s.dir, "nothing")), 4)
    # events come through
    e = Listener(address, dirs[0])
    sub = c[0].subscribe_notification(0x80 | 2, True, 0, 0)
    c[0].transport_new_mail(eid(INBOX), eid(99), 1, "IPM.Note")
    got = e.event()
    assert sub in got["ids"], (sub, got)
    # one that is killed takes nothing with it but its connections, and is there again
    os.kill(workers[dirs[0]], signal.SIGKILL)
    wait_for("its end", lambda: ended(workers[dirs[0]]))
    fid, ec = c[1].create_folder(0, {PARENT: eid(IPM), NAME: "still", FOLDER_TYPE: 1})
    assert ec == 0
    again = Client(address, dirs[0])
    assert again.allocate_cn()
    wait_for("a process for each", lambda: {store_of(pid) for pid in children(p.pid)} == set(dirs))
    assert {store_of(pid): pid for pid in children(p.pid)}[dirs[0]] != workers[dirs[0]]
    p.send_signal(signal.SIGUSR1)
    left = children(p.pid)
    out = stop(p)
    assert "processes of stores=3" in out and "signal 9" in out, out
    wait_for("their end", lambda: all(ended(pid) for pid in left))
    for d in dirs:
        r = subprocess.run([program("gromox-mbck"), d], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert r.returncode == 0, r.stdout


def test_a_process_for_just_one_store():
    s = Server(users=2).start()
    for i in range(2):
        s.imap(i).logout()
    s.stop()
    dirs = [os.path.join(s.dir, "user", DOMAIN, f"user{i + 1}") for i in range(2)]
    port = free_port()
    for who in (f"user2@{DOMAIN}", dirs[1]):
        os.environ["ISTORE_JUST_ONE"] = who
        try:
            p = start("istore", s, exmdb_listen=f"127.0.0.1:{port}", istore_standalone="3")
        finally:
            del os.environ["ISTORE_JUST_ONE"]
        c = [Client(("127.0.0.1", port), d) for d in dirs]
        e = Listener(("127.0.0.1", port), dirs[0])
        for client in c:
            client.subscribe_notification(2, True, 0, 0)
            client.transport_new_mail(eid(INBOX), eid(99), 1, "IPM.Note")
        assert sorted(e.event()["dir"] for _ in dirs) == sorted(dirs)
        assert [store_of(pid) for pid in children(p.pid)] == dirs[1:]
        stop(p)


def test_processes_end_with_the_one_that_started_them():
    s = Server(users=1).start()
    s.imap(0).logout()
    s.stop()
    d = os.path.join(s.dir, "user", DOMAIN, "user1")
    port = free_port()
    p = start("istore", s, exmdb_listen=f"127.0.0.1:{port}", istore_standalone="2")  # for istore the same as 3
    assert Client(("127.0.0.1", port), d).allocate_cn()
    (pid,) = children(p.pid)
    p.kill()
    p.communicate()
    wait_for("its end", lambda: ended(pid))


def test_listeners_and_access():
    s = Server(users=1).start()
    s.imap(0).logout()
    s.stop()
    d = os.path.join(s.dir, "user", DOMAIN, "user1")
    port = free_port()
    p = start("istore", s, exmdb_listen=f"127.0.0.1:{port}", exmdb_hosts_allow="192.0.2.1")
    c = Connection(("127.0.0.1", port))
    assert c.read(1) == b"\1"
    assert "may not connect" in stop(p)
    for wrong in ("10.0.0.0/8", "::1 localhost"):
        try:
            stop(start("istore", s, exmdb_listen=f"127.0.0.1:{port}", exmdb_hosts_allow=wrong))
            raise RuntimeError(wrong)
        except AssertionError as e:
            assert "istore.cfg:" in str(e) and f'"{wrong.split()[-1]}" is no address' in str(e), e
    p = start("istore", s, exmdb_listen=f"127.0.0.1:{port}", max_rpc_stub_threads="1", exmdb_store_path="/nowhere")
    c = Connection(("127.0.0.1", port))
    fails(lambda: c.call("connect", d, "1:a", True), 4)
    stop(p)
    p = start("istore", s, exmdb_listen=f"127.0.0.1:{port}", max_rpc_stub_threads="1", max_router_connections="1")
    first = Client(("127.0.0.1", port), d)
    fails(lambda: Client(("127.0.0.1", port), d), 2)
    held = Listener(("127.0.0.1", port), d)
    fails(lambda: Listener(("127.0.0.1", port), d, "2:b"), 2)
    held.close()
    assert first.allocate_cn()
    p.send_signal(signal.SIGHUP)
    p.send_signal(signal.SIGUSR1)
    assert first.allocate_cn()
    assert "state: connections=" in stop(p)


def refused(name, s, words, **directives):
    try:
        start(name, s, **directives)
    except AssertionError as e:
        assert words in str(e), e
    else:
        raise AssertionError("it started")


def test_wrong_settings_are_explained():
    s = Server(users=0)
    refused("gromoxd", s, "set 3", istore_standalone="2")
    refused("istore", s, "exmdb_client_ca_path", exmdb_listen_tls="127.0.0.1:0")
    refused("istore", s, "no user nobody-there", exmdb_users_allow="nobody-there")
    refused("gromoxd", s, "exmdb_client_ca_path", exmdb_listen_tls="127.0.0.1:0")
    # the older pair of directives
    port = free_port()
    with open(s.cfg) as f:
        lines = [line for line in f if not line.startswith("exmdb_listen")]
    with open(s.cfg, "w") as f:
        f.writelines(lines)
    p = start("istore", s, listen_ip="127.0.0.1", exmdb_listen_port=str(port))
    assert Connection(("127.0.0.1", port)).ping()
    stop(p)


def test_tls_wants_a_certificate():
    s = Server(users=1).start()
    s.imap(0).logout()
    s.stop()
    d = os.path.join(s.dir, "user", DOMAIN, "user1")
    port = free_port()
    p = start("istore", s, exmdb_listen="", exmdb_listen_tls=f"127.0.0.1:{port}", exmdb_certificate_path=s.cert,
              exmdb_private_key_path=s.key, exmdb_client_ca_path=s.cert)
    ctx = ssl.create_default_context(cafile=s.cert)

    def ping(context):
        raw = socket.create_connection(("127.0.0.1", port), timeout=60)
        with context.wrap_socket(raw, server_hostname="localhost") as t:
            t.sendall(b"\0\0\0\0")
            return t.recv(1)

    try:
        got = ping(ctx)
    except (ssl.SSLError, ConnectionError):
        got = b""
    assert got == b"", "let in without a certificate"
    ctx.load_cert_chain(s.cert, s.key)
    assert ping(ctx) == b"\0"
    assert os.path.isdir(d)
    stop(p)


def test_hostile_peers():
    s = store()
    junk = os.urandom(2000)
    for n in (1, 4, 5, 100, 2000):
        c = socket.create_connection(s.address, timeout=60)
        c.sendall(junk[:n])
        c.close()
    c = socket.create_connection(s.address, timeout=60)
    c.sendall(struct.pack("<I", 0xffffffff) + b"x" * 100)
    assert c.recv(10) == b"\7"
    # many clients at once, each with its own work
    errors = []

    def work(i):
        try:
            mine = Client(s.address, s.dir, f"{i}:x")
            for _ in range(20):
                assert mine.allocate_cn()
                assert mine.get_folder_by_name(eid(IPM), "nothing") == 0
        except Exception as e:  # noqa: BLE001
            errors.append(e)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors, errors
    assert s.c.allocate_cn()


if __name__ == "__main__":
    gxtap.main(globals())
