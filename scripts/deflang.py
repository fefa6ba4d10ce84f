# SPDX-License-Identifier: Apache-2.0
"""The description language of defs/*.def, read into modules, structures and calls; see docs/defs.md."""
import re
import sys

# name: (kind, C type, least bytes)
NUMBERS = {
    "u8": ("U8", "uint8_t", 1), "u16": ("U16", "uint16_t", 2), "u32": ("U32", "uint32_t", 4),
    "u64": ("U64", "uint64_t", 8), "u16be": ("U16BE", "uint16_t", 2), "u32be": ("U32BE", "uint32_t", 4),
    "u48be": ("U48BE", "uint64_t", 6), "i16": ("U16", "int16_t", 2), "i32": ("U32", "int32_t", 4),
    "i64": ("U64", "int64_t", 8), "eid": ("U64", "uint64_t", 8), "time": ("U64", "gx_nttime_t", 8),
    "proptag": ("U32", "gx_proptag_t", 4),
}
PLAIN = {
    **NUMBERS, "bool8": ("BOOL8", "bool", 1), "bool16": ("BOOL16", "bool", 2), "bool": ("BOOL", "bool", 1),
    "f32": ("F32", "float", 4),
    "f64": ("F64", "double", 8), "guid": ("GUID", "struct gx_guid", 16), "bytes": ("BIN", "struct gx_bin", 0),
    "str8z": ("STR8Z", "const char *", 1), "str": ("STR8Z", "const char *", 1), "strWz": ("STRWZ", "const char *", 2), "strz": ("STRZ", "const char *", 1),
    "str8": ("STR8", "const char *", 0), "strW": ("STRW", "const char *", 0),
    "propval": ("PROPVAL", "struct gx_propval", 4), "proplist": ("PROPLIST", "struct gx_proplist", 2),
    "restr": ("RESTR", "const struct gx_restr *", 1), "sortset": ("SORTSET", "struct gx_sortset", 6),
    "more": ("MORE", "bool", 0), "peek": ("PEEK", "bool", 0),
}
PREFIX = {"u8": ("U8", 1), "u16": ("U16", 2), "u32": ("U32", 4)}
SIZED = ("bytes", "str8", "strW")
MAX_FIELDS = 64
MAX_VALUES = 6
ENDPOINTS = ("mailbox", "nspi", "both")
HANDLES = ("none", "in", "out", "resp", "src", "dst")
TYPE = re.compile(r"(\w+)(?:\(([^)]*)\))?(?:\[([^\]]*)\])?(?:<([^>]*)>)?$")
WORD = re.compile(r"(?:[^\s()]|\([^)]*\))+")
COND = re.compile(r"(ctx\.)?(\w+)(?:\s*&\s*(\w+))?(?:\s*(==|!=|not in|in)\s*(.+))?$")


class DefError(Exception):
    pass


class Field:
    """One row of a table; IF rows have only a condition and a length."""

    def __init__(self, name, kind):
        self.name, self.kind = name, kind
        self.role, self.target, self.arg = "MEMBER", None, 0
        self.ctype, self.elem = None, 0
        self.count_by, self.size_by = ("NONE", None), ("NONE", None)
        self.min, self.max, self.ref, self.cond, self.doc = 0, 0, None, None, ""
        self.least, self.opt = 0, None

    @property
    def is_array(self):
        return self.count_by[0] != "NONE"

    @property
    def is_member(self):
        return self.role == "MEMBER" and self.kind != "IF"


class Struct:
    def __init__(self, name, section):
        self.name, self.section, self.fields = name, section, []
        self.conds = []

    def index(self, name):
        for i, f in enumerate(self.fields):
            if f.name == name and f.kind != "IF":
                return i
        raise DefError(f"struct {self.name}: no field {name}")

    @property
    def least(self):
        total, skip = 0, 0
        for f in self.fields:
            if skip:
                skip -= 1
            elif f.kind == "IF":
                skip = f.arg
            else:
                total += f.least
        return total


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


class Call:
    """An operation of a protocol: what is asked and what is answered; None where nothing is."""

    def __init__(self, name, number, meaning, group, kind, writes):
        self.name, self.number, self.meaning, self.group = name, number, meaning, group
        self.retired, self.extension, self.writes = kind == "retired", kind == "extension", writes
        self.request = self.answer = None


class Rop:
    """A remote operation: request, and answers by their ReturnValue; None where only heads stand."""

    def __init__(self, name, number, handles, section):
        self.name, self.number, self.handles, self.section = name, number, handles, section
        self.request = self.response = self.failure = None
        self.special = []  # (ReturnValue, structure)

    @property
    def snake(self):
        return snake(self.name[3:])


class Exchange:
    """A request type of an endpoint, by name; None where nothing stands."""

    def __init__(self, name, endpoint, section):
        self.name, self.endpoint, self.section = name, endpoint, section
        self.request = self.response = None


class Module:
    def __init__(self, path):
        self.name, self.structs, self.consts, self.context, self.includes = path.stem, {}, [], [], []
        self.rops, self.exchanges = {}, {}
        self.calls, self.types, self.groups, self.prefix = {}, {}, [], None
        self.parse(path.read_text(encoding="utf-8").splitlines())

    def parse(self, lines):
        self.struct, self.call, self.rop, self.exchange, self.blocks = None, None, None, None, []
        for number, raw in enumerate(lines, 1):
            text, _, doc = raw.partition("#")
            if not text.strip():
                continue
            indent = len(text) - len(text.lstrip("\t"))
            try:
                self.line(indent, WORD.findall(text), doc.strip())
            except (DefError, ValueError, KeyError) as e:
                sys.exit(f"{self.name}.def:{number}: {e}")
        try:
            self.close_blocks(0)
            for s in self.structs.values():
                self.check(s)
        except DefError as e:
            sys.exit(f"{self.name}.def: {e}")

    def line(self, indent, words, doc):
        if indent == 0:
            self.close_blocks(0)
            self.top(words, doc)
            return
        if self.call is not None and indent == 1:
            self.close_blocks(0)
            self.part(words, doc)
            return
        if self.rop is not None and indent == 1:
            self.close_blocks(0)
            self.rop_part(words, doc)
            return
        if self.exchange is not None and indent == 1:
            self.close_blocks(0)
            self.exchange_part(words, doc)
            return
        if self.struct is None:
            raise DefError("a field outside of a struct")
        if words == ["else"]:
            self.close_blocks(indent + 1)
            cond = self.struct.last_if.get(indent)
            if cond is None:
                raise DefError("else without if")
            self.close_blocks(indent)
            self.open_block(indent, {**cond, "negate": not cond["negate"]})
            return
        self.close_blocks(indent)
        if words[0] == "if":
            self.open_block(indent, self.condition(" ".join(words[1:])))
        else:
            self.field(words, doc)

    def open_struct(self, name, doc):
        if name in self.structs or name in PLAIN or name in self.types:
            raise DefError(f"{name} exists")
        self.struct = Struct(name, doc)
        self.struct.last_if = {}
        self.structs[name] = self.struct

    def open_call(self, words, doc):
        number = int(words[2], 0)
        if not 0 <= number <= 255 or any(c.number == number for c in self.calls.values()):
            raise DefError(f"{words[2]} is taken or not a byte")
        if self.prefix is None:
            raise DefError("a call needs a prefix")
        if words[1] in self.calls:
            raise DefError(f"{words[1]} exists")
        if words[3:] not in ([], ["write"]):
            raise DefError(f"unknown word {words[3]}")
        group = self.groups[-1][0] if self.groups else ""
        call = Call(words[1], number, doc, group, words[0], bool(words[3:]))
        self.calls[call.name] = call
        self.call = None if call.retired else call

    def part(self, words, doc):
        part = words[0]
        if words not in (["request"], ["answer"]) or getattr(self.call, part) is not None:
            raise DefError("request or answer expected, each once")
        self.open_struct(f"{self.prefix}_{self.call.name}_{part[:3]}", doc or f"{self.call.name}: {part}")
        setattr(self.call, part, self.struct)

    def open_rop(self, words, doc):
        number = int(words[2], 0)
        handles = words[3].split(",")
        if not words[1].startswith("Rop") or words[1] in self.rops or any(r.number == number for r in self.rops.values()):
            raise DefError(f"{words[1]} or {words[2]} is taken, or no operation")
        if any(h not in HANDLES for h in handles) or len(handles) > 2:
            raise DefError(f"handles are of {', '.join(HANDLES)}")
        self.rop = self.rops[words[1]] = Rop(words[1], number, handles, doc)

    def rop_part(self, words, doc):
        """request, response, failure, failure VALUE; with '= response' it is that structure again."""
        r, part, rest = self.rop, words[0], words[1:]
        if part not in ("request", "response", "failure") or (part != "failure" and (rest or getattr(r, part))):
            raise DefError("request, response or failure expected")
        again = rest[-2:] == ["=", "response"]
        value = (rest[:-2] if again else rest)[:1]
        self.struct = None
        if again:
            struct = r.response
        else:
            tail = {"request": "req", "response": "res", "failure": "fail"}[part] + (f"_{int(value[0], 0):x}" if value else "")
            self.open_struct(f"rop_{r.snake}_{tail}", doc or f"{r.name}: {' '.join(words)}")
            struct = self.struct
        if value:
            r.special.append((value[0], struct))
        else:
            setattr(r, part, struct)

    def open_exchange(self, words, doc):
        if words[1] in self.exchanges or words[2] not in ENDPOINTS or self.prefix is None:
            raise DefError(f"{words[1]} exists, or {words[2]} is no endpoint, or a prefix is missing")
        self.exchange = self.exchanges[words[1]] = Exchange(words[1], words[2], doc)

    def exchange_part(self, words, doc):
        part = words[0]
        if words not in (["request"], ["response"]) or getattr(self.exchange, part) is not None:
            raise DefError("request or response expected, each once")
        self.open_struct(f"{self.prefix}_{snake(self.exchange.name)}_{part[:3]}", doc or f"{self.exchange.name}: {part}")
        setattr(self.exchange, part, self.struct)

    def top(self, words, doc):
        self.call = self.struct = self.rop = self.exchange = None
        if words[0] == "struct":
            self.open_struct(words[1], doc)
        elif words[0] in ("call", "extension", "retired"):
            self.open_call(words, doc)
        elif words[0] == "rop":
            self.open_rop(words, doc)
        elif words[0] == "exchange":
            self.open_exchange(words, doc)
        elif words[0] == "prefix":
            self.prefix = words[1]
        elif words[0] == "group":
            self.groups.append((words[1], doc))
        elif words[0] == "type":
            if words[1] in self.structs or words[1] in PLAIN or words[1] in self.types:
                raise DefError(f"{words[1]} exists")
            self.types[words[1]] = " ".join(words[2:])
        elif words[0] == "const":
            self.consts.append((words[1], words[2], doc))
        elif words[0] == "context":
            self.context += words[1:]
        elif words[0] == "include":
            self.includes += words[1:]
        else:
            raise DefError(f"unknown word {words[0]}")

    def open_block(self, indent, cond):
        f = Field("", "IF")
        f.cond = cond
        self.struct.fields.append(f)
        self.struct.last_if[indent] = cond
        self.blocks.append((indent, f, len(self.struct.fields)))

    def close_blocks(self, indent):
        """A block ends at the first line that is not deeper than its if."""
        while self.blocks and self.blocks[-1][0] >= indent:
            _, f, start = self.blocks.pop()
            f.arg = len(self.struct.fields) - start
            if f.arg == 0:
                raise DefError("empty block")

    def condition(self, text):
        m = COND.match(text)
        if not m:
            raise DefError(f"bad condition {text}")
        values = [v.strip() for v in m[5].split(",")] if m[5] else []
        if len(values) > MAX_VALUES:
            raise DefError(f"more than {MAX_VALUES} values")
        source = self.context.index(m[2]) if m[1] else self.struct.index(m[2])
        if not m[1] and (self.struct.fields[source].is_array or self.struct.fields[source].opt):
            raise DefError(f"{m[2]} is not a number")
        return {"negate": m[4] in ("!=", "not in"), "ctx": bool(m[1]), "source": source, "mask": m[3], "values": values}

    def bound(self, text):
        """What stands in [] or <>: nothing, *, a number, a prefix type or an earlier field."""
        if text is None:
            return ("NONE", None)
        if text == "*":
            return ("REST", None)
        if text in PREFIX:
            return (PREFIX[text][0], None)
        if re.match(r"\d", text):
            return ("FIXED", int(text, 0))
        return ("FIELD", self.struct.index(text))

    def field(self, words, doc):
        base, args, count, size = self.split_type(words[1])
        f = Field(words[0], None)
        f.doc = doc
        if base == "opt":
            if count or size:
                raise DefError("an optional value is no array")
            base, args, count, size = self.split_type(args)
            f.opt = True
        if any(x.name == f.name and x.kind != "IF" for x in self.struct.fields):
            raise DefError(f"{f.name} twice")
        f.count_by, f.size_by = self.bound(count), self.bound(size)
        self.set_type(f, base, args)
        self.attributes(f, words[2:], base)
        self.struct.fields.append(f)

    def split_type(self, text):
        """A type's name, arguments, count and size; names of the description's own stand for others."""
        m = TYPE.match(text)
        if not m:
            raise DefError(f"bad type {text}")
        base, args, count, size = m.groups()
        if base not in self.types:
            return m.groups()
        own = self.split_type(self.types[base])
        if args or (count and own[2]) or (size and own[3]):
            raise DefError(f"{base} cannot be used so")
        return (own[0], own[1], own[2] or count, own[3] or size)

    def set_type(self, f, base, args):
        if base == "custom":
            name, f.ctype = [a.strip() for a in args.split(",")]
            f.kind, f.ref = "CUSTOM", f"&gx_custom_{name}"
        elif base in PLAIN:
            kind, f.ctype, f.least = PLAIN[base]
            f.kind = kind
        elif base in self.structs and self.structs[base] is not self.struct:
            f.kind, f.ctype = "STRUCT", f"struct gx_{base}"
            f.ref, f.least = f"&desc_{base}", self.structs[base].least
        else:
            raise DefError(f"unknown type {base}")
        if base == "strz":
            f.cond = self.condition(args)
        if base == "peek":
            f.arg = args
        self.set_bounds(f, base)
        if f.opt:
            self.set_optional(f, base)

    @staticmethod
    def set_optional(f, base):
        """Texts and restrictions are pointers anyway; of other values a pointer is kept."""
        if f.is_array or base in ("more", "peek") or (f.size_by[0] != "NONE" and base not in SIZED):
            raise DefError(f"{base} cannot be optional")
        f.least = 1
        f.opt = "SELF" if f.ctype.endswith("*") else "POINTER"
        if base == "bytes" and f.kind == "BYTES":
            raise DefError("bytes of fixed size cannot be optional")

    @staticmethod
    def set_bounds(f, base):
        if base in SIZED and f.size_by[0] == "NONE":
            raise DefError(f"{base} needs a size")
        if f.size_by[0] == "FIXED":
            if base != "bytes" or f.is_array:
                raise DefError("only bytes have a fixed size")
            f.kind, f.arg, f.least = "BYTES", f.size_by[1], f.size_by[1]
            f.size_by = ("NONE", None)
        if f.count_by[0] == "FIXED":
            if f.kind in ("BYTES", "IF") or f.size_by[0] != "NONE":
                raise DefError("arrays of fixed length hold numbers, structures and the like")
            f.arg, f.least = f.count_by[1], f.least * f.count_by[1]
        elif f.is_array or f.size_by[0] != "NONE":
            f.least = 0
        f.least += sum(PREFIX[b[0].lower()][1] for b in (f.count_by, f.size_by) if b[0].lower() in PREFIX)

    def attributes(self, f, words, base):
        words = list(words)
        while words:
            w = words.pop(0)
            if w in ("min", "max"):
                setattr(f, w, int(words.pop(0), 0))
                continue
            if base not in NUMBERS or f.is_array or f.opt:
                raise DefError(f"{w} is for numbers")
            if w == "=":
                f.role, f.arg = "CONST", words.pop(0)
            elif w == "pad":
                f.role, f.arg = "PAD", words.pop(0)
            elif w in ("count_of", "len_of", "offset_of"):
                f.role, f.target = {"count_of": "COUNT", "len_of": "LEN", "offset_of": "OFFSET"}[w], words.pop(0)
                f.arg = 1
                if words[:1] == ["/"]:
                    f.arg = words[1]
                    words = words[2:]
            elif w == "self_size":
                f.role = "SELF"
            else:
                raise DefError(f"unknown word {w}")

    @staticmethod
    def check(s):
        if len(s.fields) > MAX_FIELDS:
            raise DefError(f"struct {s.name}: more than {MAX_FIELDS} fields")
        if not any(f.is_member for f in s.fields):
            raise DefError(f"struct {s.name}: no member")
        for i, f in enumerate(s.fields):
            if f.role in ("COUNT", "LEN", "SELF", "OFFSET") and f.kind not in ("U8", "U16", "U32"):
                raise DefError(f"struct {s.name}: {f.name} must be u8, u16 or u32")
            if f.target is not None:
                t = s.index(f.target)
                if t < i and f.role != "OFFSET":
                    raise DefError(f"struct {s.name}: {f.name} must stand before {f.target}")
                by = s.fields[t].count_by if f.role == "COUNT" else s.fields[t].size_by
                if f.role != "OFFSET" and by != ("FIELD", i):
                    raise DefError(f"struct {s.name}: {f.target} does not use {f.name}")
                f.target = t
            for by in (f.count_by, f.size_by):
                if by[0] == "FIELD" and s.fields[by[1]].role not in ("COUNT", "LEN"):
                    raise DefError(f"struct {s.name}: {s.fields[by[1]].name} is neither count_of nor len_of")
