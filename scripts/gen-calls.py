#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What follows from the calls of defs/exmdb.def: typed wrappers for callers, prototypes and table of the
handlers, and the list of calls in docs/store-calls.md.

usage: gen-calls.py wrappers|handlers|table|doc TOP_SRCDIR OUTPUT
       gen-calls.py missing TOP_SRCDIR    calls without handler or test; exit code 1 if there are any
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
    for c in handled(m):
        unused = "".join(f"\t(void){n};\n" for n, there in (("req", c.request), ("ans", c.answer)) if not there)
        out += (f"static gx_ec run_{c.name}(struct gx_call_ctx *c, const void *req, void *ans)\n{{\n{unused}"
                f"\treturn gx_call__{c.name}({parameters(c, False)});\n}}\n")
    out += "\nstatic const gx_call_fn call_handlers[256] = {\n"
    out += "".join(f"\t[GX_X_{c.name.upper()}] = run_{c.name},\n" for c in handled(m)) + "};\n"
    return facts.source(ORIGIN, out)


# ---- Documentation ----

CALL_IN_C = re.compile(r"\b(?:OK|FAILS)\w*\(s, (\w+)|\bgx_exmdb_(\w+)\(")
CALL_IN_PY = re.compile(r"\.(\w+)\(|\.call\(\"(\w+)\"")


def uses(path, head, call):
    """Which function uses which call: {call: {function}}."""
    found, function = {}, None
    for line in path.read_text().splitlines():
        m = re.match(head, line)
        if m:
            function = m[1]
        for m in call.finditer(line):
            for name in m.groups():
                if name:
                    found.setdefault(name, {})[function] = path
    return found


def merged(paths, head, call):
    out = {}
    for path in paths:
        for name, where in uses(path, head, call).items():
            out.setdefault(name, {}).update(where)
    return out


def evidence():
    handler = merged(TOP.glob("libgxstore/calls/calls_*.c"), r"gx_ec gx_call__(\w+)\(", re.compile(r"^gx_ec gx_call__(\w+)\("))
    inside = merged(sorted(TOP.glob("libgxstore/calls/scene_*.c")), r"(?:static )?[\w *]+?\b(\w+)\(struct scene \*s", CALL_IN_C)
    for name, where in uses(TOP / "libgxstore/calls/check_calls.c", r"(?:START_TEST|static [\w *]+?\b)\(?(\w+)\(?", CALL_IN_C).items():
        inside.setdefault(name, where)
    wire = merged([TOP / "tests/service/test_exmdb.py"], r"\s*def (\w+)\(", CALL_IN_PY)
    return handler, inside, wire


def shown(where):
    if not where:
        return "-"
    function, path = sorted(where.items(), key=lambda w: str(w[0]))[0]
    return f"`{path.stem}.{function}`" if function else f"`{path.stem}`"


def row(c, handler, inside, wire):
    own = handler.get(c.name)
    where = f"`{next(iter(own.values())).name}`" if own else "-"
    return f"| 0x{c.number:02x} | {c.name} | {c.meaning} | {where} | {shown(inside.get(c.name))} | {shown(wire.get(c.name))} |\n"


def doc(m):
    handler, inside, wire = evidence()
    out = ("# Calls on stores\n\nGenerated from `defs/exmdb.def` by `scripts/gen-calls.py doc`; do not edit.\n\n"
           "These are the calls of the exmdb protocol, and by `gx/exmdb.h` also the interface to stores of the same process.\n"
           "Handlers are in `libgxstore/calls/`. The tests of the fifth column run in process (`check_calls`) and, the same code, over\n"
           "TCP, a Unix socket, as a plain client, and with a plain server (`check_remote`); those of the sixth are a client of its own\n"
           "in Python against the running daemon.\n")
    for name, meaning in m.groups:
        calls = [c for c in active(m) if c.group == name]
        if name in NO_HANDLER or not calls:
            continue
        out += f"\n## {name.capitalize()}: {meaning}\n\n| id | call | meaning | handler | in process and over the wire | by another client |\n"
        out += "| --- | --- | --- | --- | --- | --- |\n" + "".join(row(c, handler, inside, wire) for c in calls)
    out += "\n## Before a store is looked for\n\n| id | call | meaning |\n| --- | --- | --- |\n"
    out += "".join(f"| 0x{c.number:02x} | {c.name} | {c.meaning} |\n" for c in active(m) if c.group in NO_HANDLER)
    retired = ", ".join(f"0x{c.number:02x} {c.name}" for c in sorted(m.calls.values(), key=lambda c: c.number) if c.retired)
    return out + f"\nNumbers that are not used again: {retired}.\n"


def missing(m):
    kinds = ("handler", "test in process", "test by another client")
    return [f"{c.name}: no {kind}" for c in handled(m) for kind, v in zip(kinds, evidence()) if c.name not in v]


def main():
    kinds = {"wrappers": wrappers, "handlers": handlers, "table": table, "doc": doc, "missing": missing}
    if len(sys.argv) != (3 if sys.argv[1:2] == ["missing"] else 4) or sys.argv[1] not in kinds:
        sys.exit(__doc__)
    global TOP
    TOP = Path(sys.argv[2])
    if sys.argv[1] == "missing":
        lacks = missing(Module(TOP / ORIGIN))
        print("\n".join(lacks))
        sys.exit(1 if lacks else 0)
    facts.write(sys.argv[3], kinds[sys.argv[1]](Module(TOP / ORIGIN)))


if __name__ == "__main__":
    main()
