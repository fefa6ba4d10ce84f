# SPDX-License-Identifier: Apache-2.0
"""A small client of the exmdb protocol, written from the tables of the protocol and from nothing of the C code.

A call is described by its number and two short texts, one character or name a field; values are
Python's own: ints, strings, bytes, lists, None for what is absent.
"""
import socket
import struct
import uuid

from gxservice import PATIENCE


class WireError(Exception):
    def __init__(self, code):
        super().__init__(f"response code {code:#x}")
        self.code = code


def eid(n, replica=1):
    """The number that a folder or message travels as."""
    return replica | int.from_bytes(n.to_bytes(6, "big"), "little") << 16


def counter(e):
    return int.from_bytes((e >> 16).to_bytes(6, "little"), "big")


# ---- writing ----

class Out:
    def __init__(self):
        self.b = bytearray()

    def num(self, fmt, v):
        self.b += struct.pack("<" + fmt, v)

    def u8(self, v): self.num("B", v)
    def u16(self, v): self.num("H", v)
    def u32(self, v): self.num("I", v)
    def u64(self, v): self.num("Q", v)
    def i32(self, v): self.num("i", v)
    def bool(self, v): self.u8(1 if v else 0)
    def str(self, v): self.b += v.encode() + b"\0"
    def guid(self, v): self.b += uuid.UUID(v).bytes_le

    def bin(self, v):
        self.u32(len(v))
        self.b += v

    def many(self, count, fn, v):
        getattr(self, count)(len(v))
        for x in v:
            fn(x)

    def ids16(self, v): self.many("u16", self.u16, v)
    def tags(self, v): self.many("u16", self.u32, v)
    def eids(self, v): self.many("u32", self.u64, v)
    def strs(self, v): self.many("u32", self.str, v)
    def rows(self, v): self.many("u32", self.props, v)
    def names(self, v): self.many("u16", self.name, v)

    def name(self, v):
        set_guid, what = v
        self.u8(1 if isinstance(what, str) else 0)
        self.guid(set_guid)
        if isinstance(what, str):
            self.u8(len(what.encode()) + 1)
            self.str(what)
        else:
            self.u32(what)

    def value(self, kind, v):
        simple = {0x02: "h", 0x03: "i", 0x0a: "I", 0x04: "f", 0x05: "d", 0x07: "d", 0x06: "q", 0x14: "Q", 0x40: "Q", 0x0b: "B"}
        if kind & 0x1000:
            self.many("u32", lambda x: self.value(kind & ~0x1000, x), v)
        elif kind in simple:
            self.num(simple[kind], v)
        elif kind == 0x1e and isinstance(v, bytes):
            self.b += v + b"\0"
        elif kind in (0x1e, 0x1f):
            self.str(v)
        elif kind == 0x48:
            self.guid(v)
        elif kind in (0x102, 0x0d):
            self.bin(v)
        elif kind == 0xfd:
            self.restr(v)
        elif kind == 0xfe:
            self.b += v
        else:
            raise ValueError(hex(kind))

    def prop(self, tag, v):
        self.u32(tag)
        self.value(tag & 0xffff, v)

    def props(self, d):
        self.u16(len(d))
        for tag, v in d.items():
            self.prop(tag, v)

    def restr(self, r):
        """("and", [...]), ("content", level, tag, value), ("prop", op, tag, value), ("exist", tag), ("bits", op, tag, mask)"""
        kind = r[0]
        if kind == "and":
            self.u8(0)
            self.many("u32", self.restr, r[1])
        elif kind == "content":
            self.u8(3)
            self.u32(r[1])
            self.u32(r[2])
            self.prop(r[2], r[3])
        elif kind == "prop":
            self.u8(4)
            self.u8(r[1])
            self.u32(r[2])
            self.prop(r[2], r[3])
        elif kind == "bits":
            self.u8(6)
            self.u8(r[1])
            self.u32(r[2])
            self.u32(r[3])
        elif kind == "exist":
            self.u8(8)
            self.u32(r[1])
        else:
            raise ValueError(kind)

    def sorts(self, v):
        """(columns, categories, expanded); a column is (tag, order)"""
        cols, categories, expanded = v
        self.u16(len(cols))
        self.u16(categories)
        self.u16(expanded)
        for tag, order in cols:
            self.u16(tag & 0xffff)
            self.u16(tag >> 16)
            self.u8(order)

    def msg(self, m):
        """{"props": {}, "rcpts": [...] or None, "atts": [(props, msg or None)] or None}"""
        self.props(m["props"])
        for key, write in (("rcpts", self.rows), ("atts", self.atts)):
            self.u8(m.get(key) is not None)
            if m.get(key) is not None:
                write(m[key])

    def atts(self, v):
        self.u16(len(v))
        for props, embedded in v:
            self.props(props)
            self.u8(embedded is not None)
            if embedded is not None:
                self.msg(embedded)

    def changes(self, v):
        self.u16(len(v))
        for flags, props in v:
            self.u8(flags)
            self.props(props)

    def storeeid(self, v):
        """(wrapped provider, server, dn)"""
        self.u32(0)
        self.guid("10bba138-e505-1a10-a1bb-08002b2a56c2")
        self.u8(0)
        self.u8(0)
        self.b += b"emsmdb.dll".ljust(14, b"\0")
        self.u32(0)
        self.guid(v[0])
        self.u32(12)
        self.str(v[1])
        self.str(v[2])


# ---- reading ----

class In:
    def __init__(self, b):
        self.b, self.i = b, 0

    def take(self, n):
        if self.i + n > len(self.b):
            raise ValueError("answer ends too early")
        self.i += n
        return self.b[self.i - n:self.i]

    def num(self, fmt):
        return struct.unpack("<" + fmt, self.take(struct.calcsize("<" + fmt)))[0]

    def u8(self): return self.num("B")
    def u16(self): return self.num("H")
    def u32(self): return self.num("I")
    def u64(self): return self.num("Q")
    def i32(self): return self.num("i")
    def guid(self): return str(uuid.UUID(bytes_le=bytes(self.take(16))))
    def bin(self): return bytes(self.take(self.u32()))

    def bool(self):
        v = self.u8()
        if v > 1:
            raise ValueError("a boolean is neither 0 nor 1")
        return v == 1

    def raw(self):
        end = self.b.index(b"\0", self.i)
        s = bytes(self.b[self.i:end])
        self.i = end + 1
        return s

    def str(self): return self.raw().decode()
    def many(self, count, fn): return [fn() for _ in range(getattr(self, count)())]
    def ids16(self): return self.many("u16", self.u16)
    def tags(self): return self.many("u16", self.u32)
    def u32s(self): return self.many("u32", self.u32)
    def eids(self): return self.many("u32", self.u64)
    def strs(self): return self.many("u32", self.str)
    def rows(self): return self.many("u32", self.props)
    def names(self): return self.many("u16", self.name)
    def problems(self): return self.many("u16", lambda: (self.u16(), self.u32(), self.u32()))

    def name(self):
        kind, set_guid = self.u8(), self.guid()
        if kind == 0:
            return set_guid, self.u32()
        if kind == 1:
            end = self.u8() + self.i
            s = self.str()
            self.i = end
            return set_guid, s
        assert kind == 0xff, kind
        return None

    def value(self, kind):
        simple = {0x02: "h", 0x03: "i", 0x0a: "I", 0x04: "f", 0x05: "d", 0x07: "d", 0x06: "q", 0x14: "Q", 0x40: "Q", 0x0b: "B"}
        kind &= ~0x2000
        if kind & 0x1000:
            return self.many("u32", lambda: self.value(kind & ~0x1000))
        if kind in simple:
            return self.num(simple[kind])
        if kind == 0x1f:
            return self.str()
        if kind == 0x1e:
            return self.raw()
        if kind == 0x48:
            return self.guid()
        if kind in (0x102, 0x0d):
            return self.bin()
        if kind == 0xfb:
            return bytes(self.take(self.u16()))
        if kind == 0xfd:
            return self.restr()
        if kind == 0xfe:
            start = self.i
            for _ in range(self.u16()):
                self.take(self.u16())
            return bytes(self.b[start:self.i])
        raise ValueError(hex(kind))

    def prop(self):
        tag = self.u32()
        kind = tag & 0xffff
        if kind == 0:
            kind = self.u16()
            tag |= kind
        return tag, self.value(kind)

    def props(self): return dict(self.prop() for _ in range(self.u16()))

    def restr(self):
        kind = self.u8()
        if kind == 0:
            return "and", self.many("u32", self.restr)
        if kind == 3:
            level, tag = self.u32(), self.u32()
            return "content", level, tag, self.prop()[1]
        if kind == 4:
            op, tag = self.u8(), self.u32()
            return "prop", op, tag, self.prop()[1]
        if kind == 6:
            return "bits", self.u8(), self.u32(), self.u32()
        if kind == 8:
            return "exist", self.u32()
        raise ValueError(kind)

    def msg(self):
        m = {"props": self.props()}
        m["rcpts"] = self.rows() if self.u8() else None
        m["atts"] = self.many("u16", lambda: (self.props(), self.msg() if self.u8() else None)) if self.u8() else None
        return m


# ---- calls: number, request, answer; "?" in front means optional ----

CALLS = {
    "connect": (0x00, "str bool", ""), "listen_notification": (0x01, "str", ""), "ping_store": (0x02, "", ""),
    "get_all_named_propids": (0x03, "", "ids16"), "get_named_propids": (0x04, "bool names", "ids16"),
    "get_named_propnames": (0x05, "ids16", "names"), "get_mapping_guid": (0x06, "u16", "bool guid"),
    "get_store_all_proptags": (0x08, "", "tags"), "get_store_properties": (0x09, "u32 tags", "props"),
    "set_store_properties": (0x0a, "u32 props", "problems"), "remove_store_properties": (0x0b, "tags", ""),
    "get_mbox_perm": (0x0c, "str", "u32"), "set_folder_by_class": (0x0e, "u64 str", "bool"),
    "get_folder_class_table": (0x0f, "", "rows"), "is_folder_present": (0x10, "u64", "bool"),
    "is_folder_deleted": (0x12, "u64", "bool"), "get_folder_by_name": (0x13, "u64 str", "u64"),
    "get_folder_perm": (0x14, "u64 str", "u32"), "create_folder_v1": (0x15, "u32 props", "u64"),
    "get_folder_all_proptags": (0x16, "u64", "tags"), "get_folder_properties": (0x17, "u32 u64 tags", "props"),
    "set_folder_properties": (0x18, "u32 u64 props", "problems"), "remove_folder_properties": (0x19, "u64 tags", ""),
    "delete_folder": (0x1a, "u32 u64 bool", "bool"), "is_descendant_folder": (0x1c, "u64 u64", "bool"),
    "copy_folder_internal": (0x1d, "i32 u32 bool ?str u64 bool bool bool u64", "bool bool"),
    "get_search_criteria": (0x1e, "u64", "u32 ?restr eids"), "set_search_criteria": (0x1f, "u32 u64 u32 ?restr eids", "bool"),
    "movecopy_message": (0x20, "i32 u32 u64 u64 u64 bool", "bool"),
    "movecopy_messages": (0x21, "i32 u32 bool ?str u64 u64 bool eids", "bool"),
    "delete_messages": (0x23, "i32 u32 ?str u64 eids bool", "bool"), "get_message_brief": (0x24, "u32 u64", "?msg"),
    "sum_hierarchy": (0x25, "u64 ?str bool", "u32"), "load_hierarchy_table": (0x26, "u64 ?str u8 ?restr", "u32 u32"),
    "sum_content": (0x27, "u64 bool bool", "u32"),
    "load_content_table": (0x28, "u32 u64 ?str u8 ?restr ?sorts", "u32 u32"),
    "load_rule_table": (0x2a, "u64 u8 ?restr", "u32 u32"), "unload_table": (0x2b, "u32", ""), "sum_table": (0x2c, "u32", "u32"),
    "query_table": (0x2d, "?str u32 u32 tags u32 i32", "rows"),
    "match_table": (0x2e, "?str u32 u32 bool u32 restr tags", "i32 props"), "locate_table": (0x2f, "u32 u64 u32", "i32 u32"),
    "read_table_row": (0x30, "?str u32 u32 tags u64 u32", "props"), "mark_table": (0x31, "u32 u32", "u64 u32 u32"),
    "get_table_all_proptags": (0x32, "u32", "tags"), "expand_table": (0x33, "u32 u64", "bool i32 u32"),
    "collapse_table": (0x34, "u32 u64", "bool i32 u32"), "store_table_state": (0x35, "u32 u64 u32", "u32"),
    "restore_table_state": (0x36, "u32 u32", "i32"), "is_msg_present": (0x37, "u64 u64", "bool"),
    "is_msg_deleted": (0x38, "u64", "bool"), "load_message_instance": (0x39, "?str u32 bool u64 u64", "u32"),
    "load_embedded_instance": (0x3a, "bool u32", "u32"), "get_embedded_cn": (0x3b, "u32", "?u64"),
    "reload_message_instance": (0x3c, "u32", "bool"), "clear_message_instance": (0x3d, "u32", ""),
    "read_message_instance": (0x3e, "u32", "msg"), "load_attachment_instance": (0x40, "u32 u32", "u32"),
    "create_attachment_instance": (0x41, "u32", "u32 u32"), "read_attachment_instance": (0x42, "u32", "props ?msg"),
    "write_attachment_instance": (0x43, "u32 props ?msg bool", "problems"),
    "delete_message_instance_attachment": (0x44, "u32 u32", ""), "unload_instance": (0x46, "u32", ""),
    "get_instance_all_proptags": (0x47, "u32", "tags"), "get_instance_properties": (0x48, "u32 u32 tags", "props"),
    "set_instance_properties": (0x49, "u32 props", "problems"), "remove_instance_properties": (0x4a, "u32 tags", "problems"),
    "is_descendant_instance": (0x4b, "u32 u32", "bool"), "empty_message_instance_rcpts": (0x4c, "u32", ""),
    "get_message_instance_rcpts_num": (0x4d, "u32", "u16"), "get_message_instance_rcpts_all_proptags": (0x4e, "u32", "tags"),
    "get_message_instance_rcpts": (0x4f, "u32 u32 u16", "rows"), "update_message_instance_rcpts": (0x50, "u32 rows", ""),
    "empty_message_instance_attachments": (0x51, "u32", ""), "get_message_instance_attachments_num": (0x52, "u32", "u16"),
    "get_message_instance_attachment_table_all_proptags": (0x53, "u32", "tags"),
    "query_message_instance_attachment_table": (0x54, "u32 tags u32 i32", "rows"),
    "set_message_instance_conflict": (0x55, "u32 msg", ""), "get_message_rcpts": (0x56, "u64", "rows"),
    "get_message_properties": (0x57, "?str u32 u64 tags", "props"), "set_message_properties": (0x58, "?str u32 u64 props", "problems"),
    "set_message_read_state": (0x59, "?str u64 u8", "u64"), "remove_message_properties": (0x5a, "u32 u64 tags", ""),
    "allocate_message_id": (0x5b, "u64", "u64"), "allocate_cn": (0x5c, "", "u64"), "mark_modified": (0x5d, "u64", ""),
    "try_mark_submit": (0x62, "u64", "bool"), "clear_submit": (0x63, "u64 bool", ""),
    "link_message": (0x64, "u32 u64 u64", "bool"), "unlink_message": (0x65, "u32 u64 u64", ""),
    "rule_new_message": (0x66, "?str str u32 u64 u64", ""), "set_message_timer": (0x67, "u64 u32", ""),
    "get_message_timer": (0x68, "u64", "?u32"), "empty_folder_permission": (0x69, "u64", ""),
    "update_folder_permission": (0x6a, "u64 bool changes", ""), "empty_folder_rule": (0x6b, "u64", ""),
    "update_folder_rule": (0x6c, "u64 changes", "bool"), "read_message": (0x6f, "?str u32 u64", "?msg"),
    "get_content_sync": (0x70, "u64 ?str bin ?bin ?bin ?bin u32 ?restr bool",
                         "u32 u64 u32 u64 eids eids u64 eids eids eids eids eids u64"),
    "get_hierarchy_sync": (0x71, "u64 ?str bin ?bin", "rows u64 eids eids"), "allocate_ids": (0x72, "u32", "u64"),
    "subscribe_notification": (0x73, "u16 bool u64 u64", "u32"), "unsubscribe_notification": (0x74, "u32", ""),
    "transport_new_mail": (0x75, "u64 u64 u32 str", ""), "reload_content_table": (0x76, "u32", ""),
    "copy_instance_rcpts": (0x77, "bool u32 u32", "bool"), "copy_instance_attachments": (0x78, "bool u32 u32", "bool"),
    "check_contact_address": (0x79, "str", "bool"), "get_public_folder_unread_count": (0x7a, "str u64", "u32"),
    "vacuum": (0x7b, "", ""), "get_folder_by_class": (0x7c, "str", "u64 str"), "load_permission_table": (0x7d, "u64 u32", "u32 u32"),
    "write_message_instance": (0x7e, "u32 msg bool", "tags problems"), "flush_instance": (0x7f, "u32 ?str", "u32"),
    "unload_store": (0x80, "", ""), "deliver_message": (0x81, "str str u32 u32 msg str", "u64 u64 u32"),
    "store_eid_to_user": (0x83, "storeeid", "str u32 u32"), "empty_folder": (0x84, "u32 ?str u64 u32", "bool"),
    "purge_softdelete": (0x85, "?str u64 u32 u64", "u32 u32 u64 u64"), "purge_datafiles": (0x86, "", ""),
    "autoreply_tsquery": (0x87, "str u64", "u64"), "autoreply_tsupdate": (0x88, "str", ""),
    "get_mapping_replid": (0x89, "guid", "u16 u32"), "recalc_store_size": (0x8a, "u32", ""),
    "movecopy_folder": (0x8b, "i32 u32 bool ?str u64 u64 u64 str bool", "u32"), "create_folder": (0x8c, "u32 props", "u64 u32"),
    "imapfile_read": (0x8e, "str str", "bin"), "imapfile_write": (0x8f, "str str bin", ""), "imapfile_delete": (0x90, "str str", ""),
    "cgkreset": (0x91, "u32", ""), "write_message": (0x92, "u32 u64 msg str", "u64 u64 u32"), "set_maintenance": (0x93, "u32", ""),
    "autoreply_getprop": (0x94, "u32 tags", "props"), "autoreply_setprop": (0x95, "u32 props", "problems"),
    "read_delegates": (0x96, "u32", "strs"), "write_delegates": (0x97, "u32 strs", ""),
    "link_messages": (0x98, "u32 u64 eids", "bool"),
}
made = set()  # names of the calls that were made and answered


def encode(name, directory, args):
    number, request, _ = CALLS[name]
    out = Out()
    out.u8(number)
    out.str(directory)
    kinds = request.split()
    assert len(kinds) == len(args), (name, kinds, args)
    for kind, v in zip(kinds, args):
        if kind[0] == "?":
            out.u8(v is not None)
            if v is None:
                continue
            kind = kind[1:]
        getattr(out, kind)(v)
    return bytes(out.b)


def decode(name, body):
    result, r = [], In(body)
    for kind in CALLS[name][2].split():
        if kind[0] == "?":
            result.append(getattr(r, kind[1:])() if r.u8() else None)
        else:
            result.append(getattr(r, kind)())
    assert r.i == len(body), f"{name}: {len(body) - r.i} bytes are left over"
    return result[0] if len(result) == 1 else tuple(result)


class Connection:
    def __init__(self, address, timeout=PATIENCE):
        if isinstance(address, str):
            self.s = socket.socket(socket.AF_UNIX)
            self.s.settimeout(timeout)
            self.s.connect(address)
        else:
            self.s = socket.create_connection(address, timeout=timeout)

    def close(self):
        self.s.close()

    def read(self, n):
        b = b""
        while len(b) < n:
            got = self.s.recv(n - len(b))
            if not got:
                raise EOFError("the server has hung up")
            b += got
        return b

    def send(self, body):
        self.s.sendall(struct.pack("<I", len(body)) + body)

    def answer(self):
        code = self.read(1)[0]
        if code != 0:
            raise WireError(code)
        return self.read(struct.unpack("<I", self.read(4))[0])

    def ping(self):
        self.s.sendall(b"\0\0\0\0")
        return self.read(1) == b"\0"

    def call(self, name, directory, *args):
        self.send(encode(name, directory, args))
        r = decode(name, self.answer())
        made.add(name)
        return r


class Client(Connection):
    """Bound to one store: c.get_folder_by_name(eid(9), "x")."""

    def __init__(self, address, directory, remote_id="4711:0123456789abcdef", private=True):
        super().__init__(address)
        self.dir = directory
        self.call("connect", directory, remote_id, private)

    def __getattr__(self, name):
        if name not in CALLS:
            raise AttributeError(name)
        return lambda *args: self.call(name, self.dir, *args)


class Listener(Connection):
    FIELDS = ("parent_id", "folder_id", "message_id", "old_parent_id", "old_folder_id", "old_message_id", "row_folder_id",
              "row_message_id", "row_instance", "after_folder_id", "after_row_id", "after_instance")

    def __init__(self, address, directory, remote_id="4711:0123456789abcdef"):
        super().__init__(address)
        self.call("listen_notification", directory, remote_id)

    def event(self):
        """The next frame, acknowledged; None for a ping."""
        body = self.read(struct.unpack("<I", self.read(4))[0])
        self.s.sendall(b"\0")
        if not body:
            return None
        r = In(body)
        e = {"dir": r.str(), "is_table": r.bool(), "ids": r.u32s(), "event": r.u8()}
        e.update((f, r.u64()) for f in self.FIELDS)
        e.update(message_flags=r.u32(), total=r.u32(), unread=r.u32(), have_total=r.u8(), have_unread=r.u8(), message_class=r.str(),
                 changed=r.tags())
        assert r.i == len(body)
        return e
