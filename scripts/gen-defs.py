#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Structures described in defs/*.def to C structs and the tables of gx/desc.h; see docs/defs.md.

usage: gen-defs.py types|table FILE.def OUTPUT
"""
import re
import sys
from pathlib import Path
import facts

# name: (kind, C type, least bytes)
NUMBERS = {
    "u8": ("U8", "uint8_t", 1), "u16": ("U16", "uint16_t", 2), "u32": ("U32", "uint32_t", 4),
    "u64": ("U64", "uint64_t", 8), "u16be": ("U16BE", "uint16_t", 2), "u32be": ("U32BE", "uint32_t", 4),
    "u48be": ("U48BE", "uint64_t", 6), "i16": ("U16", "int16_t", 2), "i32": ("U32", "int32_t", 4),
    "i64": ("U64", "int64_t", 8), "eid": ("U64", "uint64_t", 8), "time": ("U64", "gx_nttime_t", 8),
    "proptag": ("U32", "gx_proptag_t", 4),
}
PLAIN = {
    **NUMBERS, "bool8": ("BOOL8", "bool", 1), "bool16": ("BOOL16", "bool", 2), "f32": ("F32", "float", 4),
    "f64": ("F64", "double", 8), "guid": ("GUID", "struct gx_guid", 16), "bytes": ("BIN", "struct gx_bin", 0),
    "str8z": ("STR8Z", "const char *", 1), "strWz": ("STRWZ", "const char *", 2), "strz": ("STRZ", "const char *", 1),
    "str8": ("STR8", "const char *", 0), "strW": ("STRW", "const char *", 0),
    "propval": ("PROPVAL", "struct gx_propval", 4), "proplist": ("PROPLIST", "struct gx_proplist", 2),
    "restr": ("RESTR", "const struct gx_restr *", 1), "sortset": ("SORTSET", "struct gx_sortset", 6),
    "more": ("MORE", "bool", 0), "peek": ("PEEK", "bool", 0),
}
PREFIX = {"u8": ("U8", 1), "u16": ("U16", 2), "u32": ("U32", 4)}
SIZED = ("bytes", "str8", "strW")
MAX_FIELDS = 64
TYPE = re.compile(r"(\w+)(?:\(([^)]*)\))?(?:\[([^\]]*)\])?(?:<([^>]*)>)?$")
WORD = re.compile(r"(?:[^\s()]|\([^)]*\))+")
COND = re.compile(r"(ctx\.)?(\w+)(?:\s*(==|!=|&|in)\s*(.+))?$")


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
        self.least = 0

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


class Module:
    def __init__(self, path):
        self.name, self.structs, self.consts, self.context, self.includes = path.stem, {}, [], [], []
        self.parse(path.read_text(encoding="utf-8").splitlines())

    def parse(self, lines):
        self.struct, self.blocks = None, []
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

    def top(self, words, doc):
        if words[0] == "struct":
            if words[1] in self.structs or words[1] in PLAIN:
                raise DefError(f"{words[1]} exists")
            self.struct = Struct(words[1], doc)
            self.struct.last_if = {}
            self.structs[words[1]] = self.struct
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
        op = {None: "TRUE", "==": "EQ", "!=": "EQ", "&": "AND", "in": "IN"}[m[3]]
        values = [v.strip() for v in m[4].split(",")] if m[4] else []
        if len(values) > 6:
            raise DefError("more than six values")
        source = self.context.index(m[2]) if m[1] else self.struct.index(m[2])
        if not m[1] and self.struct.fields[source].is_array:
            raise DefError(f"{m[2]} is not a number")
        return {"op": op, "negate": m[3] == "!=", "ctx": bool(m[1]), "source": source, "values": values}

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
        m = TYPE.match(words[1])
        if not m:
            raise DefError(f"bad type {words[1]}")
        base, args, count, size = m.groups()
        f = Field(words[0], None)
        f.doc = doc
        if any(x.name == f.name and x.kind != "IF" for x in self.struct.fields):
            raise DefError(f"{f.name} twice")
        f.count_by, f.size_by = self.bound(count), self.bound(size)
        self.set_type(f, base, args)
        self.attributes(f, words[2:], base)
        self.struct.fields.append(f)

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
            raise DefError("arrays of fixed length: use a struct")
        if f.is_array or f.size_by[0] != "NONE":
            f.least = 0
        f.least += sum(PREFIX[b[0].lower()][1] for b in (f.count_by, f.size_by) if b[0].lower() in PREFIX)

    def attributes(self, f, words, base):
        words = list(words)
        while words:
            w = words.pop(0)
            if w in ("min", "max"):
                setattr(f, w, int(words.pop(0), 0))
                continue
            if base not in NUMBERS or f.is_array:
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


def member(f):
    star = "" if f.ctype.endswith("*") else " "
    doc = f" /**< {f.doc} */" if f.doc else ""
    if f.is_array:
        const = "" if f.ctype.startswith("const") else "const "
        tail = "*const *" if f.ctype.endswith("*") else "*"
        base = f.ctype.rstrip("* ")
        return f"\t{const}{base} {tail}{f.name};{doc}\n\tuint32_t {f.name}_count;\n"
    if f.kind == "BYTES":
        return f"\tuint8_t {f.name}[{f.arg}];{doc}\n"
    return f"\t{f.ctype}{star}{f.name};{doc}\n"


def types(m):
    out = "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
    for name, value, doc in m.consts:
        out += f"#define {name} {value}" + (f" /**< {doc} */" if doc else "") + "\n"
    for i, name in enumerate(m.context):
        out += f"#define GX_CTX_{m.name.upper()}_{name.upper()} {i}\n"
    for s in m.structs.values():
        out += f"\n/** {s.section} */\nstruct gx_{s.name} {{\n"
        out += "".join(member(f) for f in s.fields if f.is_member) + "};\n"
    out += "\n/** Structures of this description. */\nenum {\n"
    out += "".join(f"\tGX_{m.name.upper()}_{n.upper()},\n" for n in m.structs)
    out += f"\tGX_{m.name.upper()}_STRUCTS\n}};\n\n"
    getter = f"gx_{m.name}_desc"
    out += f"/** The table of a structure; NULL when there is none of that number. Static. */\n"
    out += f"GX_API const struct gx_desc *{getter}(uint32_t which);\n"
    for s in m.structs.values():
        which = f"{getter}(GX_{m.name.upper()}_{s.name.upper()})"
        out += (f"\nstatic inline void gx_{s.name}_pull(struct gx_pull *c, const struct gx_dctx *x, struct gx_{s.name} *ret_s)\n"
                f"{{\n\tgx_desc_pull(c, x, {which}, ret_s);\n}}\n"
                f"static inline void gx_{s.name}_push(struct gx_push *c, const struct gx_dctx *x, const struct gx_{s.name} *s)\n"
                f"{{\n\tgx_desc_push(c, x, {which}, s);\n}}\n")
    out += "\n#ifdef __cplusplus\n}\n#endif"
    return facts.header(f"GX_{m.name.upper()}_TYPES_H", f"defs/{m.name}.def", out, ["gx/desc.h", *m.includes])


def cond_init(c):
    values = ", ".join(c["values"]) or "0"
    return (f"{{.op = GX_DO_{c['op']}, .negate = {str(c['negate']).lower()}, .from_ctx = {str(c['ctx']).lower()}, "
            f".source = {c['source']}, .count = {len(c['values'])}, .value = {{{values}}}}}")


def row(s, i, f):
    parts = [f'.name = "{f.name}"' if f.name else '.name = ""', f".kind = GX_DK_{f.kind}"]
    if f.role != "MEMBER":
        parts.append(f".role = GX_DR_{f.role}")
    if f.is_member:
        parts.append(f".off = offsetof(struct gx_{s.name}, {f.name})")
    for label, by in (("count", f.count_by), ("size", f.size_by)):
        if by[0] != "NONE":
            parts.append(f".{label}_by = GX_DB_{by[0]}")
        if by[0] == "FIELD":
            parts.append(f".{label}_field = {by[1]}")
    if f.is_array:
        parts.append(f".count_off = offsetof(struct gx_{s.name}, {f.name}_count)")
        parts.append(f".elem = sizeof({f.ctype})")
    if f.target is not None:
        parts.append(f".target = {f.target}")
    if f.arg:
        parts.append(f".arg = {f.arg}")
    for label in ("min", "max"):
        if getattr(f, label):
            parts.append(f".{label} = {getattr(f, label)}")
    if f.cond is not None:
        parts.append(f".ref = &cond_{s.name}_{i}")
    elif f.ref:
        parts.append(f".ref = {f.ref}")
    return "\t{" + ", ".join(parts) + "},\n"


def table(m):
    out = ""
    for s in m.structs.values():
        for i, f in enumerate(s.fields):
            if f.cond is not None:
                out += f"static const struct gx_cond cond_{s.name}_{i} = {cond_init(f.cond)};\n"
        out += f"static const struct gx_field fields_{s.name}[] = {{\n"
        out += "".join(row(s, i, f) for i, f in enumerate(s.fields)) + "};\n"
        out += (f"static const struct gx_desc desc_{s.name} = {{\n\t.name = \"{s.name}\", .section = {facts.c_str(s.section)},\n"
                f"\t.fields = fields_{s.name}, .count = {len(s.fields)}, .size = sizeof(struct gx_{s.name}), "
                f".least = {s.least},\n}};\n\n")
    out += f"const struct gx_desc *gx_{m.name}_desc(uint32_t which)\n{{\n\tstatic const struct gx_desc *const all[] = {{\n"
    out += "".join(f"\t\t&desc_{n},\n" for n in m.structs)
    out += "\t};\n\treturn which < sizeof(all) / sizeof(all[0]) ? all[which] : NULL;\n}\n"
    return facts.source(f"defs/{m.name}.def", out)


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("types", "table"):
        sys.exit(__doc__)
    module = Module(Path(sys.argv[2]))
    facts.write(sys.argv[3], types(module) if sys.argv[1] == "types" else table(module))


if __name__ == "__main__":
    main()
