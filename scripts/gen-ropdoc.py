#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The remote operations of defs/rop.def and the request types of defs/mapihttp.def, who does them, and the tests that
see them succeed and fail: docs/rops.md.

usage: gen-ropdoc.py doc TOP_SRCDIR OUTPUT
       gen-ropdoc.py missing TOP_SRCDIR    what has a handler, but not both tests; exit code 1 if there is any
"""
import re
import sys
from pathlib import Path
import ctests
import facts
from deflang import Module, snake

HANDLER = re.compile(r"^gx_ec gx_rop__(\w+)\(struct gx_rop_call \*", re.M)
EXCHANGE = re.compile(r"\[(GX_MH_\w+)\]\s*=\s*\{?\s*&?(\w+)")
ASKED = re.compile(r"\"(\w+)\"|\b(GX_MH_\w+)")

# What cannot succeed, what cannot fail, and why.
NO_SUCCESS = {"RopAbort": "tables are ready when they are answered"}
NO_FAILURE = {
    "RopRelease": "has no answer",
    "RopNotify": "comes by itself",
    "RopPending": "only servers that answer a waiting EcDoAsyncConnectEx send it",
    "RopBackoff": "a server may send it; this one makes clients wait",
    "RopBufferTooSmall": "stands for the answers that had no room",
}
SENT = {"RopNotify": "notify_append.c", "RopBufferTooSmall": "execute.c", "RopRelease": "execute.c"}


def handlers():
    found = {}
    for path in sorted(TOP.glob("libgxproto/emsmdb/rop/*.c")):
        for name in HANDLER.findall(path.read_text(encoding="utf-8")):
            found[name] = path.name
    return found


def rop_evidence():
    paths = sorted([*TOP.glob("libgxproto/emsmdb/check_*.c"), *TOP.glob("libgxproto/client/check_*.c")])
    return ctests.evidence(paths, TOP)


# ---- Request types ----

def dispatched():
    """The file of the function that does a request type: by its name, else by the table it stands in."""
    sources = sorted([*TOP.glob("libgxproto/mapihttp/*.c"), *TOP.glob("libgxproto/nsp/**/*.c")])
    texts = {p: p.read_text(encoding="utf-8") for p in sources if not p.name.startswith("check_")}
    found = {}
    for text in texts.values():
        for number, function in EXCHANGE.findall(text):
            ways = [rf"^NSP_OP\({number[6:].lower()}\)", rf"^[a-z][\w *]*\b{function}\([^;]*\)\n\{{"]
            where = [p for way in ways for p, t in texts.items() if re.search(way, t, re.M)]
            if where:
                found.setdefault(number, where[0].name)
    return found


def exchange_evidence(names):
    """The codes that tests compare with what a request type has answered: in the same statement or the next ones."""
    good, bad = {}, {}
    for path in sorted([*TOP.glob("libgxproto/mapihttp/check_*.c"), *TOP.glob("libgxproto/nsp/check_*.c")]):
        _, functions = ctests.functions(path)
        shared = [f for header in ctests.included(path, TOP) for f in ctests.functions(header)[1]]
        asks = {f.name: asked_in(f.body, names) for f in [*functions, *shared] if not f.is_test}
        asks = {name: types for name, types in asks.items() if types}
        for f in functions:
            for name, fine in outcomes(f.body, names, asks):
                if f.is_test:
                    (good if fine else bad).setdefault(name, {}).setdefault(path, f.name)
    return good, bad


def asked_in(text, names):
    found = {n for pair in ASKED.findall(text) for n in pair} | set(re.findall(r"X-RequestType: (\w+)", text))
    return {names[n] for n in found if n in names}


def outcomes(body, names, asks):
    """@asks: the request types of functions of the test's own."""
    asked = set()
    for s in re.split(r";\n|\},\n", body):
        now = asked_in(s, names)
        for f in set(ctests.CALLED.findall(s)) & set(asks):
            now |= asks[f]
        asked = now or asked
        refused = [c for c in ctests.CODE.findall(s) if not ctests.FINE.fullmatch(c)]
        fails = now and any(c != "SUCCESS" for c in re.findall(r"\bGX_MHC_(\w+)", s)) or \
            refused and (now or re.search(r"error_code|status_code|_IS\(", s))
        for name in asked:
            if fails:
                yield name, False
            elif now or re.search(r"error_code, (0|ecSuccess)\)", s):
                yield name, True


# ---- The document ----

def shown(where):
    return ", ".join(f"`{path.stem}.{test}`" for path, test in sorted(where.items())) if where else "-"


def rop_rows(m):
    have, (good, bad, named) = handlers(), rop_evidence()
    for r in sorted(m.rops.values(), key=lambda r: r.number):
        fine, fails = good.get(r.name), bad.get(r.name)
        if r.name in NO_FAILURE:
            fine, fails = named.get(r.name), NO_FAILURE[r.name]
        yield r, have.get(r.snake) or SENT.get(r.name), fine or NO_SUCCESS.get(r.name), fails


def exchange_rows(m):
    names = {e.name: e.name for e in m.exchanges.values()}
    names.update({f"GX_MH_{number(e)}": e.name for e in m.exchanges.values()})
    have, (good, bad) = dispatched(), exchange_evidence(names)
    for e in m.exchanges.values():
        yield e, have.get(f"GX_MH_{number(e)}"), good.get(e.name), bad.get(e.name)


def number(e):
    return snake(e.name).upper()


def cell(v):
    return v if isinstance(v, str) else shown(v)


def rows(what, rows_of):
    out = ""
    for thing, handler, fine, fails in rows_of:
        out += f"| {what(thing)} | {thing.section} | {f'`{handler}`' if handler else '-'} | {cell(fine)} | {cell(fails)} |\n"
    return out


def modules():
    return Module(TOP / "defs/rop.def"), Module(TOP / "defs/mapihttp.def")


def doc():
    rops, mapihttp = modules()
    out = ("# Remote operations\n\nGenerated from `defs/rop.def`, `defs/mapihttp.def` and the tests by `scripts/gen-ropdoc.py doc`; do not edit.\n\n"
           "Handlers are in `libgxproto/emsmdb/rop/`. Each test runs twice: by calls in one process, and over HTTPS (`test_emshttps`).\n"
           "Of each program with such tests one is named. A dash: there is none; without a handler the answer is ecNotSupported.\n\n"
           "| id | operation | section | handler | seen to succeed in | seen to fail in |\n| --- | --- | --- | --- | --- | --- |\n")
    out += rows(lambda r: f"0x{r.number:02x} | {r.name}", rop_rows(rops))
    out += ("\n## Request types of MAPI/HTTP\n\nHandlers are in `libgxproto/mapihttp/` and `libgxproto/nsp/`.\n\n"
            "| endpoint | type | section | handler | seen to succeed in | seen to fail in |\n| --- | --- | --- | --- | --- | --- |\n")
    return out + rows(lambda e: f"{e.endpoint} | {e.name}", exchange_rows(mapihttp))


def missing():
    rops, mapihttp = modules()
    lacks = []
    for thing, handler, fine, fails in [*rop_rows(rops), *exchange_rows(mapihttp)]:
        for kind, v in (("success", fine), ("failure", fails)):
            if handler and not v:
                lacks.append(f"{thing.name} ({handler}): no test of its {kind}")
    return lacks


def main():
    if len(sys.argv) != (3 if sys.argv[1:2] == ["missing"] else 4) or sys.argv[1] not in ("doc", "missing"):
        sys.exit(__doc__)
    global TOP
    TOP = Path(sys.argv[2])
    if sys.argv[1] == "doc":
        facts.write(sys.argv[3], doc())
        return
    lacks = missing()
    print("\n".join(lacks))
    sys.exit(1 if lacks else 0)


if __name__ == "__main__":
    main()
