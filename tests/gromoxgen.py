# SPDX-License-Identifier: Apache-2.0
"""Makes mailbox directories of Gromox of every schema version, with known content, from their description.

A Mailbox writes the databases and files and keeps beside them what a converted store must show, in
the form that tests/convdump prints: values by tag, ids in hexadecimal.
"""
import ctypes
import hashlib
import os
import random
import shutil
import sqlite3
import struct
import sys
import uuid
import zlib

NEWEST = 27
PRIVATE_TAIL = "18a5-6f7b-bcdc-ea1ed03c5657"
PUBLIC_TAIL = "0afb-7df6-9192-49886aa738ce"
EPOCH = 116444736000000000

# GX_MSGF_*
READ, ANSWERED, FLAGGED, DELETED, DRAFT, RECENT, FORWARDED, UNSENT = 1, 2, 4, 8, 16, 32, 64, 128
FAI, SOFTDEL, HASATTACH, HASORIG, FROMME = 0x100, 0x200, 0x400, 0x800, 0x10000

PRIVATE_FOLDERS = [
    (0x01, 0, "Root Container", None), (0x02, 1, "Deferred Action", None), (0x03, 1, "Spooler Queue", "IPF.Note"),
    (0x04, 1, "Shortcuts", None), (0x05, 1, "Finder", None), (0x06, 1, "Views", None), (0x07, 1, "Common Views", None),
    (0x08, 1, "Schedule", None), (0x09, 1, "Oberste Ebene", None), (0x0a, 9, "Gesendete Objekte", "IPF.Note"),
    (0x0b, 9, "Gelöschte Objekte", "IPF.Note"), (0x0c, 9, "Postausgang", "IPF.Note"), (0x0d, 9, "Posteingang", "IPF.Note"),
    (0x0e, 9, "Entwürfe", "IPF.Note"), (0x0f, 9, "Kalender", "IPF.Appointment"), (0x10, 9, "Journal", "IPF.Journal"),
    (0x11, 9, "Notizen", "IPF.StickyNote"), (0x12, 9, "Aufgaben", "IPF.Task"), (0x13, 9, "Kontakte", "IPF.Contact"),
    (0x14, 0x13, "Quick Contacts", "IPF.Contact.MOC.QuickContacts"), (0x15, 0x13, "IM Contacts List", "IPF.Contact.MOC.ImContactList"),
    (0x16, 0x13, "GAL Contacts", "IPF.Contact.GalContacts"), (0x17, 9, "Junk-E-Mail", "IPF.Note"), (0x18, 1, "Freebusy Data", None),
    (0x19, 9, "Synchronisierungsprobleme", "IPF.Note"), (0x1a, 0x19, "Konflikte", "IPF.Note"), (0x1b, 0x19, "Lokale Fehler", "IPF.Note"),
    (0x1c, 0x19, "Serverfehler", "IPF.Note"), (0x1d, 9, "Conversation Action Settings", "IPF.Configuration"),
]
HIDDEN = (0x14, 0x15, 0x16, 0x1d)
PUBLIC_FOLDERS = [(1, 0, "Root Container", None), (2, 1, "IPM_SUBTREE", None), (3, 1, "NON_IPM_SUBTREE", None), (4, 3, "EFORMS REGISTRY", None)]

# Property types
SHORT, LONG, FLOAT, DOUBLE, CURRENCY, APPTIME, ERROR, BOOLEAN, OBJECT, I8 = 2, 3, 4, 5, 6, 7, 10, 11, 13, 0x14
STRING8, UNICODE, SYSTIME, CLSID, SVREID, SRESTRICTION, ACTIONS, BINARY = 0x1e, 0x1f, 0x40, 0x48, 0xfb, 0xfd, 0xfe, 0x102
MV = 0x1000

FILE_TAGS = (0x1000, 0x1013, 0x1009, 0x007d)  # in message_properties
SUBJECT, BODY, HTML, RTF, HEADERS, ATTACH_DATA = 0x0037001f, 0x1000001f, 0x10130102, 0x10090102, 0x007d001f, 0x37010102
CHANGE_KEY, PCL = 0x65e20102, 0x65e30102


def nttime(unix):
    return EPOCH + unix * 10000000


# ---- EXT encoding without wide counts ----

def ext_value(typ, v):
    """One value as it stands inside of a blob."""
    if typ & MV:
        return struct.pack("<I", len(v)) + b"".join(ext_value(typ & ~MV, e) for e in v)
    if typ == SHORT:
        return struct.pack("<H", v & 0xffff)
    if typ in (LONG, ERROR):
        return struct.pack("<I", v & 0xffffffff)
    if typ == FLOAT:
        return struct.pack("<f", v)
    if typ in (DOUBLE, APPTIME):
        return struct.pack("<d", v)
    if typ in (I8, CURRENCY, SYSTIME):
        return struct.pack("<Q", v & (1 << 64) - 1)
    if typ == BOOLEAN:
        return bytes([v])
    if typ in (STRING8, UNICODE):
        return v.encode() + b"\0"
    if typ == CLSID:
        return uuid.UUID(v).bytes_le
    if typ in (BINARY, OBJECT, SVREID):
        return struct.pack("<H", len(v)) + v
    if typ == SRESTRICTION:
        return v
    raise ValueError(typ)


def tagged(tag, v):
    return struct.pack("<I", tag) + ext_value(tag & 0xffff, v)


def wire_tagged(tag, v):
    """The same in a ROP buffer: text is UTF-16."""
    if tag & 0xffff in (STRING8, UNICODE):
        return struct.pack("<I", norm(tag)) + v.encode("utf-16-le") + b"\0\0"
    return tagged(tag, v)


def eid(v, replid=1):
    return struct.pack("<H", replid) + v.to_bytes(6, "big")


def r_and(*v):
    return b"\0" + struct.pack("<H", len(v)) + b"".join(v)


def r_or(*v):
    return b"\1" + struct.pack("<H", len(v)) + b"".join(v)


def r_not(r):
    return b"\2" + r


def r_content(tag, text, level=0x10001):
    return b"\3" + struct.pack("<II", level, tag) + tagged(tag, text)


def r_prop(relop, tag, v):
    return b"\4" + struct.pack("<BI", relop, tag) + tagged(tag, v)


def r_exist(tag):
    return b"\x08" + struct.pack("<I", tag)


def action(typ, data=b"", flavor=0, flags=0):
    body = struct.pack("<BII", typ, flavor, flags) + data
    return struct.pack("<H", len(body)) + body


def actions(*v):
    return struct.pack("<H", len(v)) + b"".join(v)


def svreid(fid, mid=0, inst=0):
    return struct.pack("<B", 1) + eid(fid) + (eid(mid) if mid else bytes(8)) + struct.pack("<I", inst)


def move_to(fid):
    return action(1, b"\1" + struct.pack("<H", 1) + b"\0" + ext_value(SVREID, svreid(fid)))


# ---- zstd through the library that is there anyway ----

class Zstd:
    def __init__(self):
        self.lib = ctypes.CDLL("libzstd.so.1")
        for name in ("ZSTD_compressBound", "ZSTD_compress2", "ZSTD_CCtx_setParameter"):
            getattr(self.lib, name).restype = ctypes.c_size_t
        self.lib.ZSTD_createCCtx.restype = ctypes.c_void_p
        self.ctx = ctypes.c_void_p(self.lib.ZSTD_createCCtx())
        self.set(100, 6)
        self.set(201, 1)

    def set(self, parameter, value):
        self.lib.ZSTD_CCtx_setParameter(self.ctx, parameter, value)

    def compress(self, data, size_known=True):
        self.set(200, int(size_known))
        bound = self.lib.ZSTD_compressBound(ctypes.c_size_t(len(data)))
        out = ctypes.create_string_buffer(bound)
        n = self.lib.ZSTD_compress2(self.ctx, out, ctypes.c_size_t(bound), data, ctypes.c_size_t(len(data)))
        return out.raw[:n]


# ---- What the dump says of values ----

def shown(typ, v):
    if typ & MV:
        return [shown(typ & ~MV, e) for e in v]
    if typ in (BINARY, OBJECT, SVREID, ACTIONS, SRESTRICTION):
        return v.hex() if len(v) <= 64 else f"{len(v)} bytes {zlib.crc32(v):08x}"
    if typ in (STRING8, UNICODE):
        b = v.encode()
        return v if len(b) <= 200 else f"{len(b)} bytes {zlib.crc32(b):08x}"
    if typ in (FLOAT, DOUBLE, APPTIME):
        return float(struct.unpack("<f", struct.pack("<f", v))[0]) if typ == FLOAT else float(v)
    bits = {SHORT: 16, LONG: 32, I8: 64, CURRENCY: 64}.get(typ)
    if bits is not None:
        v &= (1 << bits) - 1
        return v - (1 << bits) if v >> bits - 1 else v
    return v


def norm(tag):
    """The 8-bit types are gone in our store."""
    if tag & 0xefff == STRING8:
        return tag + 1
    return tag


class Mailbox:
    def __init__(self, path, version=NEWEST, public=False, owner_id=7, midb=True, wal=False):
        self.path, self.version, self.public, self.owner_id = path, version, public, owner_id
        for d in ("config", "cid", "eml", "exmdb", "ext", "tmp/imap.rfc822"):
            os.makedirs(os.path.join(path, d), exist_ok=True)
        self.db = sqlite3.connect(os.path.join(path, "exmdb/exchange.sqlite3"), isolation_level=None)
        self.midb = None if public or not midb else sqlite3.connect(os.path.join(path, "exmdb/midb.sqlite3"), isolation_level=None)
        self.wal = wal
        for db in (self.db, self.midb):
            if db is not None:
                db.execute("PRAGMA journal_mode=WAL")
                db.execute("PRAGMA synchronous=OFF")
                db.execute("PRAGMA wal_autocheckpoint=0")
                db.execute("BEGIN")
        self.zstd = Zstd()
        self.rng = random.Random(version * 2 + public)
        tail = PUBLIC_TAIL if public else PRIVATE_TAIL
        self.replica = uuid.UUID(f"{owner_id:08x}-{tail}")
        self.mailbox = uuid.UUID(int=self.rng.getrandbits(128), version=4)
        self.mapping = uuid.UUID(int=self.rng.getrandbits(128), version=4)
        self.cn = 0
        self.next_range = 0x10000
        self.cid = 0
        self.rcpt_id = self.att_id = self.rule_id = 0
        self.uid = {}
        self.ranges = {}
        self.folders, self.messages, self.names = {}, {}, {}
        self.reserved, self.replicas, self.replied, self.pread = [], {}, {}, []
        self.receive, self.store_props, self.settings = {}, {}, {}
        self._schema()
        self._start()

    # -- schema

    def _schema(self):
        v, db = self.version, self.db

        def val(step):
            return "BLOB" if v >= step else "NONE"
        e = db.execute
        e(f"CREATE TABLE configurations(config_id INTEGER PRIMARY KEY, config_value {val(1)} NOT NULL)")
        e("CREATE TABLE allocated_eids(range_begin INTEGER NOT NULL, range_end INTEGER NOT NULL, allocate_time INTEGER NOT NULL,"
          " is_system INTEGER DEFAULT NULL)")
        e("CREATE TABLE named_properties(propid INTEGER PRIMARY KEY AUTOINCREMENT, name_string TEXT COLLATE NOCASE NOT NULL)")
        if v >= 12 and not self.public:
            e("CREATE UNIQUE INDEX named_unique ON named_properties(name_string)")
        e(f"CREATE TABLE store_properties(proptag INTEGER UNIQUE NOT NULL, propval {val(2)} NOT NULL)")
        flags = "" if self.public else "is_search INTEGER DEFAULT 0, search_flags INTEGER, search_criteria BLOB,"
        deleted = ", is_deleted INTEGER DEFAULT 0" if self.public or v >= 10 else ""
        e(f"CREATE TABLE folders(folder_id INTEGER PRIMARY KEY, parent_id INTEGER, change_number INTEGER UNIQUE NOT NULL, {flags}"
          f" cur_eid INTEGER NOT NULL, max_eid INTEGER NOT NULL{deleted})")
        for name, key, step in (("folder_properties", "folder_id", 3), ("message_properties", "message_id", 4),
                                ("recipients_properties", "recipient_id", 5), ("attachment_properties", "attachment_id", 6)):
            e(f"CREATE TABLE {name}({key} INTEGER NOT NULL, proptag INTEGER NOT NULL, propval {val(step)} NOT NULL)")
            e(f"CREATE UNIQUE INDEX {name}_index ON {name}({key}, proptag)")
        e("CREATE TABLE permissions(member_id INTEGER PRIMARY KEY AUTOINCREMENT, folder_id INTEGER NOT NULL,"
          " username TEXT COLLATE NOCASE NOT NULL, permission INTEGER NOT NULL)")
        e("CREATE UNIQUE INDEX permissions_index ON permissions(folder_id, username)")
        e("CREATE TABLE rules(rule_id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT COLLATE NOCASE, provider TEXT COLLATE NOCASE NOT NULL,"
          " sequence INTEGER NOT NULL, state INTEGER NOT NULL, level INTEGER, user_flags INTEGER, provider_data BLOB,"
          " condition BLOB NOT NULL, actions BLOB NOT NULL, folder_id INTEGER NOT NULL)")
        cols = ["message_id INTEGER PRIMARY KEY", "parent_fid INTEGER", "parent_attid INTEGER"]
        if self.public or v >= 8:
            cols.append("is_deleted INTEGER DEFAULT 0")
        cols += ["is_associated INTEGER", "change_number INTEGER UNIQUE NOT NULL"]
        if not self.public:
            cols += ["read_cn INTEGER UNIQUE DEFAULT NULL", "read_state INTEGER DEFAULT 0"]
        cols += ["message_size INTEGER NOT NULL", "group_id INTEGER DEFAULT NULL"]
        if not self.public:
            cols.append("timer_id INTEGER DEFAULT NULL")
        if not self.public or v >= 26:
            cols.append("mid_string TEXT DEFAULT NULL")
        e(f"CREATE TABLE messages({', '.join(cols)})")
        e("CREATE INDEX pid_messages_index ON messages(parent_fid)")
        e("CREATE INDEX attid_messages_index ON messages(parent_attid)")
        e("CREATE TABLE message_changes(message_id INTEGER NOT NULL, change_number INTEGER NOT NULL, indices BLOB NOT NULL, proptags BLOB NOT NULL)")
        e("CREATE TABLE recipients(recipient_id INTEGER PRIMARY KEY AUTOINCREMENT, message_id INTEGER NOT NULL)")
        e("CREATE INDEX mid_recipients_index ON recipients(message_id)")
        e("CREATE TABLE attachments(attachment_id INTEGER PRIMARY KEY AUTOINCREMENT, message_id INTEGER NOT NULL)")
        e("CREATE INDEX mid_attachments_index ON attachments(message_id)")
        if self.public:
            e("CREATE TABLE read_states(message_id INTEGER NOT NULL, username TEXT COLLATE NOCASE NOT NULL)")
            e("CREATE TABLE read_cns(message_id INTEGER NOT NULL, username TEXT COLLATE NOCASE NOT NULL, read_cn INTEGER UNIQUE NOT NULL)")
            if v < 14:
                e("CREATE TABLE replca_mapping(replid INTEGER PRIMARY KEY AUTOINCREMENT, replguid TEXT COLLATE NOCASE UNIQUE NOT NULL)")
        else:
            e("CREATE TABLE receive_table(class TEXT COLLATE NOCASE UNIQUE NOT NULL, folder_id INTEGER NOT NULL, modified_time INTEGER NOT NULL)")
            e("CREATE TABLE search_scopes(folder_id INTEGER NOT NULL, included_fid INTEGER NOT NULL)")
            e("CREATE TABLE search_result(folder_id INTEGER NOT NULL, message_id INTEGER NOT NULL)")
            if v >= 11:
                e("CREATE TABLE autoreply_ts(peer VARCHAR(320) PRIMARY KEY, ts INTEGER NOT NULL)")
        if v >= 14:
            e("CREATE TABLE replguidmap(replid INTEGER PRIMARY KEY AUTOINCREMENT, replguid TEXT UNIQUE NOT NULL)")
        if v in (19, 20) or v >= 22:
            e("CREATE TABLE msgtime_index(folder_id INTEGER, message_id INTEGER, mtime INTEGER, rcvtime INTEGER, sndtime INTEGER,"
              " PRIMARY KEY(folder_id, message_id)) WITHOUT ROWID")
        if self.midb is not None:
            m = self.midb.execute
            m("CREATE TABLE configurations(config_id INTEGER PRIMARY KEY, config_value BLOB NOT NULL)")
            m("CREATE TABLE folders(folder_id INTEGER PRIMARY KEY, parent_fid INTEGER NOT NULL, commit_max INTEGER NOT NULL,"
              " name TEXT NOT NULL UNIQUE COLLATE NOCASE, uidnext INTEGER DEFAULT 0, unsub INTEGER DEFAULT 1, sort_field INTEGER DEFAULT 0)")
            keywords = ", keywords TEXT DEFAULT NULL" if v >= 24 else ""
            m("CREATE TABLE messages(message_id INTEGER PRIMARY KEY, folder_id INTEGER NOT NULL, mid_string TEXT NOT NULL UNIQUE,"
              " idx INTEGER DEFAULT NULL, mod_time INTEGER DEFAULT 0, uid INTEGER NOT NULL, unsent INTEGER DEFAULT 0, recent INTEGER DEFAULT 1,"
              " read INTEGER DEFAULT 0, flagged INTEGER DEFAULT 0, replied INTEGER DEFAULT 0, forwarded INTEGER DEFAULT 0,"
              " deleted INTEGER DEFAULT 0, subject TEXT NOT NULL, sender TEXT NOT NULL, rcpt TEXT NOT NULL, size INTEGER NOT NULL,"
              f" ext TEXT DEFAULT NULL, received INTEGER NOT NULL{keywords})")
            m("CREATE INDEX fid_uid_index ON messages(folder_id, uid)")
            m("CREATE TABLE mapping(message_id INTEGER PRIMARY KEY, mid_string TEXT NOT NULL, flag_string TEXT)")
            self._config(self.midb, 10, 5 if v >= 24 else 1)
        self.has_keywords = v >= 24

    @staticmethod
    def _config(db, key, value):
        db.execute("INSERT OR REPLACE INTO configurations VALUES(?,?)", (key, value))

    def _start(self):
        self._config(self.db, 1, str(self.mailbox))
        if self.version >= 18:
            self._config(self.db, 11, str(self.mapping))
        if self.version > 0:
            self._config(self.db, 10, self.version)
        self.db.execute("INSERT INTO allocated_eids VALUES(1,255,0,1)")
        self.db.execute("INSERT INTO allocated_eids VALUES(256,65535,0,1)")
        for fid, parent, name, cls in PUBLIC_FOLDERS if self.public else PRIVATE_FOLDERS:
            props = {0x10f4000b: 1} if not self.public and fid in HIDDEN else {}
            self.folder(name, parent, cls, fid=fid, props=props, search=not self.public and fid == 3)
        if not self.public:
            self.permission(0x0f, "default", 0xc00)
            self.permission(0x18, "default", 0x800)
            for cls, fid in (("", 0x0d), ("IPC", 1), ("IPM", 0x0d), ("REPORT.IPM", 0x0d)):
                self.receive_folder(cls, fid)
        self.store_prop(0x30070040, nttime(1500000000), expect=False)

    def next_cn(self):
        self.cn += 1
        return self.cn

    def xid(self, cn, guid=None):
        return (guid or self.replica).bytes_le + cn.to_bytes(6, "big")

    def _range(self):
        first = self.next_range
        self.next_range += 0x10000
        self.db.execute("INSERT INTO allocated_eids VALUES(?,?,0,1)", (first, first + 0xffff))
        return first

    # -- values

    def sql_value(self, tag, v):
        typ = tag & 0xffff
        if typ & MV:
            return ext_value(typ, v)
        if typ in (FLOAT, DOUBLE, APPTIME, BINARY, OBJECT, STRING8, UNICODE):
            return v
        if typ == CLSID:
            return uuid.UUID(v).bytes_le
        if typ == SVREID:
            return ext_value(typ, v)
        if typ in (SRESTRICTION, ACTIONS):
            return v
        v = int(v) & (1 << 64) - 1
        return v - (1 << 64) if v >> 63 else v

    def content(self, value, text, form="Y"):
        """Writes a content file, returns its name. Forms: 0, 1, 2 (numbered), Y, S, Yn (size not in the frame)."""
        data = value.encode() if text else value
        if form in ("0", "1", "2"):
            self.cid += 1
            name = str(self.cid)
            if text and form != "2":
                data = struct.pack("<I", len(value)) + data + b"\0"
            suffix = {"0": "", "1": ".v1z", "2": ".zst"}[form]
            packed = data if form == "0" else self.zstd.compress(data)
            path = os.path.join(self.path, "cid", name + suffix)
        else:
            h = hashlib.sha3_256(data).hexdigest() if form == "S" else hashlib.md5(data).hexdigest()
            name = f"{form[0]}-{h[:2]}/{h[2:]}"
            packed = self.zstd.compress(data, form != "Yn")
            path = os.path.join(self.path, "cid", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(packed)
        self.last_file = path
        return name

    def key(self, tag):
        """How the dump calls a property."""
        tag = norm(tag)
        if tag < 0x80000000:
            return f"{tag:x}"
        for name, propid in self.names.items():
            if propid == tag >> 16:
                return f"{name},{tag & 0xffff:x}"
        return None

    def _props(self, table, key, ident, props, form):
        """Writes property rows; what the new store must have of them."""
        want = {}
        for tag, v in props.items():
            typ = tag & 0xffff
            filed = (table == "message_properties" and tag >> 16 in FILE_TAGS) or (table == "attachment_properties" and tag >> 16 == 0x3701)
            if filed:
                stored = self.content(v.encode() if typ == STRING8 else v, typ == UNICODE, form)
            else:
                stored = self.sql_value(tag, v)
            self.db.execute(f"INSERT INTO {table}({key},proptag,propval) VALUES(?,?,?)", (ident, tag, stored))
            if typ & ~MV != STRING8 or self.key(tag) not in want:  # the Unicode variant wins
                want[self.key(tag)] = shown(typ, v)
        return want

    def named(self, name, propid=None):
        """name: "GUID,LID" or "GUID,text". The id it gets."""
        if name in self.names:
            return self.names[name]
        guid, _, rest = name.partition(",")
        text = f"GUID={guid},LID={rest}" if rest.isdigit() else f"GUID={guid},NAME={rest}"
        if propid is None:
            propid = max([0x8000] + list(self.names.values())) + 1
        self.db.execute("INSERT INTO named_properties VALUES(?,?)", (propid, text))
        self.names[name] = propid
        return propid

    def store_prop(self, tag, v, expect=True):
        self.db.execute("INSERT OR REPLACE INTO store_properties VALUES(?,?)", (tag, self.sql_value(tag, v)))
        if expect:
            self.store_props[self.key(tag)] = shown(tag & 0xffff, v)

    # -- folders

    def folder(self, name, parent, cls=None, fid=None, props=None, deleted=False, search=False, criteria=None, scope=(), search_flags=0,
               subscribed=False, in_midb=None, change_key=None, want_name=None, want_parent=None, finds=None):
        first = 0 if search else self._range()
        if fid is None:
            fid = self.next_id(parent) if parent in self.ranges else self.general_id()
        cn = self.next_cn()
        self.ranges[fid] = [first, first + 0xffff if first else 0]
        cols = {"folder_id": fid, "parent_id": parent or None, "change_number": cn, "cur_eid": first, "max_eid": first + 0xffff if first else 0}
        if not self.public:
            cols.update(is_search=int(search), search_flags=search_flags if criteria else None, search_criteria=criteria)
        can_delete = self.public or self.version >= 10
        if can_delete:
            cols["is_deleted"] = int(deleted)
        self.db.execute(f"INSERT INTO folders({','.join(cols)}) VALUES({','.join('?' * len(cols))})", list(cols.values()))
        for s in scope:
            self.db.execute("INSERT INTO search_scopes VALUES(?,?)", (fid, s))
        created = nttime(1500000000 + fid % 1000)
        all_props = {0x3001001f: name, 0x30070040: created, 0x30080040: created + 10000000, CHANGE_KEY: change_key or self.xid(cn),
                     PCL: bytes([22]) + (change_key or self.xid(cn)), 0x3004001f: f"comment of {fid:x}"}
        if cls:
            all_props[0x3613001f] = cls
        all_props.update(props or {})
        want = self._props("folder_properties", "folder_id", fid, all_props, "Y")
        for tag in (0x3001001f, 0x3613001f, 0x10f4000b):
            want.pop(self.key(tag), None)
        del want[self.key(CHANGE_KEY)]
        if change_key is not None:
            both = sorted((change_key, self.xid(cn)), key=lambda x: (x[:16]))
            want[self.key(PCL)] = shown(BINARY, b"".join(bytes([22]) + x for x in both))
        self.folders[fid] = {
            "name": want_name or name, "parent": want_parent if want_parent is not None else parent, "class": cls or "", "cn": cn,
            "type": 2 if search else 1, "deleted": deleted and can_delete, "hidden": bool((props or {}).get(0x10f4000b)),
            "subscribed": False, "uidvalidity": fid, "props": want, "rights": {}, "rules": [], "criteria": criteria,
            "scope": sorted(scope), "search_flags": search_flags if criteria else 0, "uidlast": 0, "finds": finds}
        if in_midb is None:
            in_midb = cls in ("IPF.Note", None) and not search and not deleted and fid > 9
        if self.midb is not None and in_midb:
            self.midb.execute("INSERT INTO folders(folder_id,parent_fid,commit_max,name,uidnext,unsub) VALUES(?,?,0,?,0,?)",
                              (fid, parent, f"{fid:x}/{name}", int(not subscribed and fid != 0x0d)))
            self.uid[fid] = 0
            self.folders[fid]["subscribed"] = subscribed or fid == 0x0d
        return fid

    def general_id(self):
        self.gen = getattr(self, "gen", 0x100) + 1
        return self.gen

    def next_id(self, fid):
        r = self.ranges[fid]
        if r[0] == 0:
            return self.general_id()
        r[0] += 1
        self.db.execute("UPDATE folders SET cur_eid=? WHERE folder_id=?", (r[0], fid))
        return r[0] - 1

    def permission(self, fid, member, rights, want=None):
        self.db.execute("INSERT INTO permissions(folder_id,username,permission) VALUES(?,?,?)", (fid, member, rights))
        self.folders[fid]["rights"][member.lower()] = rights if want is None else want

    def rule(self, fid, name, condition, make_actions, sequence=10, state=1, provider="RuleOrganizer", provider_data=b"\1\2\3", want=True):
        """make_actions: a function of one that encodes tagged values."""
        self.rule_id += 1
        acts = make_actions(tagged)
        self.db.execute("INSERT INTO rules(rule_id,name,provider,sequence,state,level,user_flags,provider_data,condition,actions,folder_id)"
                        " VALUES(?,?,?,?,?,?,?,?,?,?,?)",
                        (self.rule_id, name, provider, sequence, state, 0, 7, provider_data, condition, acts, fid))
        if want:
            self.folders[fid]["rules"].append({"id": self.rule_id, "name": name, "provider": provider, "sequence": sequence, "state": state,
                                               "level": 0, "flags": 7, "data": (provider_data or b"").hex(), "condition": condition.hex(),
                                               "actions": make_actions(wire_tagged).hex()})
        return self.rule_id

    def receive_folder(self, cls, fid):
        self.db.execute("INSERT INTO receive_table VALUES(?,?,?)", (cls, fid, nttime(1510000000)))
        self.receive[cls.lower()] = fid

    # -- messages

    def _object(self, mid, props, rcpts, atts, form, depth):
        want = {"props": self._props("message_properties", "message_id", mid, props, form), "rcpts": [], "atts": []}
        for r in rcpts:
            self.rcpt_id += 1
            self.db.execute("INSERT INTO recipients VALUES(?,?)", (self.rcpt_id, mid))
            want["rcpts"].append(self._props("recipients_properties", "recipient_id", self.rcpt_id, r, form))
        for i, at in enumerate(atts):
            self.att_id += 1
            att_id = self.att_id
            inner = at.get("embedded")
            self.db.execute("INSERT INTO attachments VALUES(?,?)", (att_id, mid))
            w = {"props": self._props("attachment_properties", "attachment_id", att_id, at["props"], form), "embedded": None}
            w["props"][self.key(0x0e210003)] = i
            if inner is not None:
                emid = self.general_id()
                cols = {"message_id": emid, "parent_attid": att_id, "is_associated": 0, "change_number": self.next_cn(), "message_size": 100}
                self.db.execute(f"INSERT INTO messages({','.join(cols)}) VALUES({','.join('?' * len(cols))})", list(cols.values()))
                w["embedded"] = self._object(emid, inner.get("props", {}), inner.get("rcpts", ()), inner.get("atts", ()), form, depth + 1)
            want["atts"].append(w)
        return want

    def message(self, fid, props, rcpts=(), atts=(), read=False, read_cn=None, fai=False, deleted=False, eml=None, eml_name=None, uid=None,
                imap=None, keywords=None, form="Y", size=None, change_key=None, pcl=None, mid=None, midb_eml_only=False, mod_time=None,
                parent_fid=True, want_fid=None, want_flags=None, received=None):
        """One message. uid True: the folder's next; a number: this one. imap: flags that only the IMAP index knows."""
        mid = mid or self.next_id(fid)
        cn = self.next_cn()
        read_cn = self.next_cn() if read_cn is True else read_cn or None
        props = dict(props)
        props.setdefault(0x30080040, nttime(1600000000 + mid % 100000))
        props[CHANGE_KEY] = change_key or self.xid(cn)
        props[PCL] = pcl or bytes([22]) + props[CHANGE_KEY]
        name = None
        has_column = not self.public or self.version >= 26
        if eml is not None:
            name = eml_name or f"R-{mid & 0xff:02x}/{mid:x}.{cn}"
            path = os.path.join(self.path, "eml", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(eml)
            self.last_eml = path
        cols = {"message_id": mid, "parent_fid": fid if parent_fid is True else parent_fid, "is_associated": int(fai), "change_number": cn,
                "message_size": size if size is not None else 1000 + mid % 1000}
        can_delete = self.public or self.version >= 8
        if can_delete:
            cols["is_deleted"] = int(deleted)
        if not self.public:
            cols.update(read_cn=read_cn, read_state=int(read))
        if has_column and not midb_eml_only:
            cols["mid_string"] = name
        self.db.execute(f"INSERT INTO messages({','.join(cols)}) VALUES({','.join('?' * len(cols))})", list(cols.values()))
        want = self._object(mid, props, rcpts, atts, form, 0)
        want["keys"] = {self.key(tag): want["props"][self.key(tag)] for tag in (CHANGE_KEY, PCL)}
        if change_key is None:
            del want["props"][self.key(CHANGE_KEY)]
        has_orig = name is not None and (has_column and not midb_eml_only or (self.midb is not None and mod_time is None))
        flags = (READ if read and not self.public else 0) | (FAI if fai else 0) | (SOFTDEL if deleted and can_delete else 0)
        flags |= (HASATTACH if atts else 0) | (HASORIG if has_orig else 0)
        stored = props.get(0x0e070003, 0)
        flags |= (UNSENT | DRAFT if stored & 8 else 0) | (FROMME if stored & 0x20 else 0)
        if props.get(0x10900003) == 2:
            flags |= FLAGGED
        indexed = self.midb is not None and uid is not None
        if indexed:
            uid = self.uid[fid] + 1 if uid is True else uid
            self.uid[fid] = max(self.uid[fid], uid)
            self.folders[fid]["uidlast"] = self.uid[fid]
            self.midb.execute("UPDATE folders SET uidnext=? WHERE folder_id=?", (self.uid[fid], fid))
            imap = imap or 0
            row = {"message_id": mid, "folder_id": fid, "mid_string": name or f"R-{mid & 0xff:02x}/{mid:x}.gone", "uid": uid,
                   "mod_time": props[0x30080040] if mod_time is None else mod_time, "unsent": int(bool(imap & DRAFT)),
                   "recent": int(bool(imap & RECENT)), "read": int(read), "flagged": int(bool(imap & FLAGGED)),
                   "replied": int(bool(imap & ANSWERED)), "forwarded": int(bool(imap & FORWARDED)), "deleted": int(bool(imap & DELETED)),
                   "subject": "", "sender": "", "rcpt": "", "size": len(eml or b""), "received": received or 1600000000}
            if self.has_keywords and keywords:
                row["keywords"] = " ".join(keywords)
            self.midb.execute(f"INSERT INTO messages({','.join(row)}) VALUES({','.join('?' * len(row))})", list(row.values()))
            flags |= imap
        else:
            flags |= {102: ANSWERED, 103: ANSWERED, 104: FORWARDED}.get(props.get(0x10810003), 0)
        want.update(fid=want_fid or fid, cn=cn, rcn=read_cn or 0, flags=flags if want_flags is None else want_flags,
                    uid=uid if indexed and not deleted and not fai else None,
                    keywords=sorted(keywords) if indexed and keywords and self.has_keywords else [],
                    original=f"{len(eml)} bytes {zlib.crc32(eml):08x}" if has_orig else None)
        if 0x0e060040 in props:
            want["received"] = props[0x0e060040]
        elif indexed:
            want["received"] = nttime(received or 1600000000)
        self.messages[mid] = want
        return mid

    def read_by(self, mid, user, cn=True):
        self.db.execute("INSERT INTO read_states VALUES(?,?)", (mid, user))
        rcn = 0
        if cn:
            rcn = self.next_cn()
            self.db.execute("INSERT INTO read_cns VALUES(?,?,?)", (mid, user, rcn))
        self.pread.append([user.lower(), mid, rcn])

    def reserve(self, count):
        """Ids that a client has set aside."""
        first = self.next_range
        self.next_range += count
        self.db.execute("INSERT INTO allocated_eids VALUES(?,?,?,0)", (first, first + count - 1, 1600000000))
        self.reserved.append([first, first + count - 1])
        return first

    def replica_of(self, guid):
        table = "replguidmap" if self.version >= 14 else "replca_mapping"
        replid = max([5] + list(self.replicas.values())) + 1
        self.db.execute(f"INSERT INTO {table} VALUES(?,?)", (replid, str(guid)))
        self.replicas[str(guid)] = replid

    def autoreply(self, peer, ts):
        if self.version >= 11:
            self.db.execute("INSERT INTO autoreply_ts VALUES(?,?)", (peer, ts))
            self.replied[peer.lower()] = ts

    def config_file(self, name, data):
        with open(os.path.join(self.path, "config", name), "wb") as f:
            f.write(data if isinstance(data, bytes) else data.encode())

    def finish(self):
        self._config(self.db, 2, getattr(self, "gen", 0x100) + 1)
        self._config(self.db, 3, 0xffff)
        self._config(self.db, 4, self.cn)
        for db in (self.db, self.midb):
            if db is None:
                continue
            db.execute("COMMIT")
            if not self.wal:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                db.close()
        if self.wal:  # as a copy of a running mailbox has it: the log is not in the database
            for name in ("exchange", "midb"):
                base = os.path.join(self.path, "exmdb", name + ".sqlite3")
                for suffix in ("", "-wal"):
                    if os.path.exists(base + suffix):
                        shutil.copyfile(base + suffix, base + suffix + ".copy")
            for db in (self.db, self.midb):
                if db is not None:
                    db.close()
            for name in ("exchange", "midb"):
                base = os.path.join(self.path, "exmdb", name + ".sqlite3")
                for suffix in ("", "-wal"):
                    if os.path.exists(base + suffix + ".copy"):
                        os.replace(base + suffix + ".copy", base + suffix)
        return self
