#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Structures described in defs/*.def to C structs and the tables of gx/desc.h; see docs/defs.md.

usage: gen-defs.py types|table FILE.def OUTPUT
"""
import sys
from pathlib import Path
import facts
from deflang import Module, snake


def member(f):
    star = "" if f.ctype.endswith("*") else " "
    doc = f" /**< {f.doc} */" if f.doc else ""
    if f.count_by[0] == "FIXED":
        return f"\t{f.ctype}{star}{f.name}[{f.count_by[1]}];{doc}\n"
    if f.is_array:
        const = "" if f.ctype.startswith("const") else "const "
        tail = "*const *" if f.ctype.endswith("*") else "*"
        base = f.ctype.rstrip("* ")
        return f"\t{const}{base} {tail}{f.name};{doc}\n\tuint32_t {f.name}_count;\n"
    if f.opt == "POINTER":
        return f"\tconst {f.ctype} *{f.name};{doc}\n"
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
    out += call_types(m) if m.calls else ""
    out += rop_types(m) if m.rops else ""
    out += exchange_types(m) if m.exchanges else ""
    out += "\n#ifdef __cplusplus\n}\n#endif"
    return facts.header(f"GX_{m.name.upper()}_TYPES_H", f"defs/{m.name}.def", out, ["gx/desc.h", *m.includes])


def call_types(m):
    out = "\n/** Numbers of the calls. */\nenum {\n"
    for c in sorted(m.calls.values(), key=lambda c: c.number):
        if not c.retired:
            out += f"\tGX_{m.prefix.upper()}_{c.name.upper()} = 0x{c.number:02x},{f' /**< {c.meaning} */' if c.meaning else ''}\n"
    return out + (f"}};\n\n/** What is known of a number; NULL when it was never a call. Static. */\n"
                  f"GX_API const struct gx_call_desc *gx_{m.name}_call_desc(uint8_t number);\n")


def by_number(m):
    return sorted(m.rops.values(), key=lambda r: r.number)


def rop_types(m):
    out = "\n/** Numbers of the operations. */\nenum {\n"
    out += "".join(f"\t{r.name} = 0x{r.number:02x}, /**< {r.section} */\n" for r in by_number(m))
    return out + (f"}};\n\n/** What is known of a number; NULL when it is no operation. Static. */\n"
                  f"GX_API const struct gx_rop_desc *gx_{m.name}_rop_desc(uint8_t number);\n")


def exchange_types(m):
    out = "\n/** Request types. */\nenum {\n"
    out += "".join(f"\tGX_{m.prefix.upper()}_{snake(e.name).upper()}, /**< {e.name}, {e.section} */\n" for e in m.exchanges.values())
    out += f"\tGX_{m.prefix.upper()}_TYPES\n}};\n"
    return out + ("\n/** What is known of a request type; NULL when there is none of that number. Static. */\n"
                  f"GX_API const struct gx_exchange_desc *gx_{m.name}_exchange(uint32_t which);\n")


def exchange_table(m):
    out = f"\nconst struct gx_exchange_desc *gx_{m.name}_exchange(uint32_t which)\n{{\n\tstatic const struct gx_exchange_desc all[] = {{\n"
    for e in m.exchanges.values():
        parts = [f'"{e.name}", {facts.c_str(e.section)}, GX_ENDPOINT_{e.endpoint.upper()}']
        parts += [f"&desc_{s.name}" if s else "NULL" for s in (e.request, e.response)]
        out += f"\t\t{{{', '.join(parts)}}},\n"
    return out + "\t};\n\treturn which < sizeof(all) / sizeof(all[0]) ? &all[which] : NULL;\n}\n"


def cond_init(c):
    values = ", ".join(c["values"]) or "0"
    mask = f".mask = {c['mask']}, " if c["mask"] else ""
    return (f"{{.negate = {str(c['negate']).lower()}, .from_ctx = {str(c['ctx']).lower()}, "
            f".source = {c['source']}, {mask}.count = {len(c['values'])}, .value = {{{values}}}}}")


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
    if f.is_array and f.count_by[0] != "FIXED":
        parts.append(f".count_off = offsetof(struct gx_{s.name}, {f.name}_count)")
    if f.is_array:
        parts.append(f".elem = sizeof({f.ctype})")
    if f.opt:
        parts.append(f".opt = GX_DP_{f.opt}")
    if f.opt == "POINTER":
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
    out += call_table(m) if m.calls else ""
    out += rop_table(m) if m.rops else ""
    out += exchange_table(m) if m.exchanges else ""
    return facts.source(f"defs/{m.name}.def", out)


def call_table(m):
    out = f"\nconst struct gx_call_desc *gx_{m.name}_call_desc(uint8_t number)\n{{\n\tstatic const struct gx_call_desc all[256] = {{\n"
    for c in sorted(m.calls.values(), key=lambda c: c.number):
        parts = [f'"{c.name}", {facts.c_str(c.meaning)}, 0x{c.number:02x}',
                 str(c.retired).lower(), str(c.extension).lower(), str(c.writes).lower()]
        parts += [f"&desc_{s.name}" if s else "NULL" for s in (c.request, c.answer)]
        out += f"\t\t[0x{c.number:02x}] = {{{', '.join(parts)}}},\n"
    return out + "\t};\n\treturn all[number].name == NULL ? NULL : &all[number];\n}\n"


def rop_table(m):
    out = ""
    for r in by_number(m):
        if r.special:
            out += f"\nstatic const struct gx_rop_special special_{r.snake}[] = {{\n"
            out += "".join(f"\t{{{value}, &desc_{s.name}}},\n" for value, s in r.special) + "};\n"
    out += f"\nconst struct gx_rop_desc *gx_{m.name}_rop_desc(uint8_t number)\n{{\n\tstatic const struct gx_rop_desc all[256] = {{\n"
    for r in by_number(m):
        handles = [h for h in r.handles if h != "none"]
        parts = [f'"{r.name}", {facts.c_str(r.section)}, 0x{r.number:02x}, {len(handles)}, ' + rop_handles(handles)]
        parts += [f"&desc_{s.name}" if s else "NULL" for s in (r.request, r.response, r.failure)]
        parts.append(f"special_{r.snake}, {len(r.special)}" if r.special else "NULL, 0")
        out += f"\t\t[0x{r.number:02x}] = {{{', '.join(parts)}}},\n"
    return out + "\t};\n\treturn all[number].name == NULL ? NULL : &all[number];\n}\n"


def rop_handles(handles):
    """What the index bytes of a request mean, and which of them the answer repeats."""
    answered = next((i for want in ("out", "resp", "src", "in") for i, h in enumerate(handles) if h == want), 0)
    return "{" + (", ".join(f"GX_RH_{h.upper()}" for h in handles) or "0") + f"}}, {answered}"


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("types", "table"):
        sys.exit(__doc__)
    module = Module(Path(sys.argv[2]))
    facts.write(sys.argv[3], types(module) if sys.argv[1] == "types" else table(module))


if __name__ == "__main__":
    main()
