#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What follows from the calls of defs/exmdb.def: typed wrappers for callers, prototypes and table of the
handlers, and the list of calls in docs/store-calls.md.

usage: gen-calls.py wrappers|handlers|table|doc TOP_SRCDIR OUTPUT
"""
import re
import sys
from pathlib import Path
import facts
from deflang import Module

ORIGIN = "defs/exmdb.def"
NO_HANDLER = ("connection", "extension")  # dealt with before a store is looked for


def active(m):
    return sorted((c for c in m.calls.values() if not c.retired), key=lambda c: c.number)


def handled(m):
    return [c for c in active(m) if c.group not in NO_HANDLER]


def wrappers(m):
    out = "#ifdef __cplusplus\nextern \"C\" {\n#endif\n"
    for c in handled(m):
        req = f"const struct gx_{c.request.name} *req, " if c.request else ""
        ans = f", struct gx_{c.answer.name} *ret_ans" if c.answer else ""
        out += (f"\n/** {c.meaning}. */\nGX_MUST_CHECK static inline gx_ec gx_exmdb_{c.name}(struct gx_exmdb *x, const char *dir,\n"
                f"\t{req}struct gx_arena *a{ans}, const char **ret_why)\n{{\n\treturn gx_exmdb_call(x, dir, GX_X_{c.name.upper()}, "
                f"{'req' if c.request else 'NULL'}, a, {'ret_ans' if c.answer else 'NULL'}, ret_why);\n}}\n")
    out += "\n#ifdef __cplusplus\n}\n#endif"
    return facts.header("GX_EXMDB_CALLS_H", ORIGIN, out, ["gx/exmdb.h"])


def parameters(c, typed):
    req = f", const struct gx_{c.request.name} *req" if c.request else ""
    ans = f", struct gx_{c.answer.name} *ans" if c.answer else ""
    return f"struct gx_call_ctx *c{req}{ans}" if typed else f"c{', req' if c.request else ''}{', ans' if c.answer else ''}"


def handlers(m):
    out = "struct gx_call_ctx;\n"
    out += "".join(f"gx_ec gx_call__{c.name}({parameters(c, True)});\n" for c in handled(m))
    return facts.header("GX_CALLS_HANDLERS_H", ORIGIN, out, ["gx/ec.h", "gx/exmdb-types.h"])


def table(m):
    out = ""
    written = "".join(p.read_text() for p in sorted(TOP.glob("libgxstore/calls/calls_*.c")))
    there = [c for c in handled(m) if re.search(rf"^gx_ec gx_call__{c.name}\(", written, re.M)]
    for c in there:
        unused = "".join(f"\t(void){n};\n" for n, there in (("req", c.request), ("ans", c.answer)) if not there)
        out += (f"static gx_ec run_{c.name}(struct gx_call_ctx *c, const void *req, void *ans)\n{{\n{unused}"
                f"\treturn gx_call__{c.name}({parameters(c, False)});\n}}\n")
    out += "\nstatic const gx_call_fn call_handlers[256] = {\n"
    out += "".join(f"\t[GX_X_{c.name.upper()}] = run_{c.name},\n" for c in there) + "};\n"
    return facts.source(ORIGIN, out)


def main():
    kinds = {"wrappers": wrappers, "handlers": handlers, "table": table}
    if len(sys.argv) != 4 or sys.argv[1] not in kinds:
        sys.exit(__doc__)
    global TOP
    TOP = Path(sys.argv[2])
    facts.write(sys.argv[3], kinds[sys.argv[1]](Module(TOP / ORIGIN)))


if __name__ == "__main__":
    main()
