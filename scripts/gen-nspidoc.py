#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules of the address book's operations and the tests that hold them: docs/nspi.md from facts/nspirules.tsv. Stops at a
test that does not exist, and at an operation of defs/mapihttp.def without a rule.

usage: gen-nspidoc.py TOP_SRCDIR docs/nspi.md
"""
from pathlib import Path
import ctests
import facts
from deflang import Module

TEXT = """# The address book

Generated from `facts/nspirules.tsv` by `scripts/gen-nspidoc.py`; do not edit. Which request types are seen to succeed and to fail is
in `docs/rops.md`; `check_mhnsp` and `check_mhrules` run once in the clear and once over HTTPS (`test_emshttps`).

Where [MS-OXNSPI] leaves a choice, or products differ from it:

- A condition on a container that cannot be met (GetProps, Exchange answers ErrorsReturned) is InvalidBookmark, as the text says. But a
  client goes on with the STAT that GetMatches gave it, whose ContainerID is a person, a list or a place: that is no error.
- Rows of a table of the client's own are given whatever container its STAT names.
- ModLinkAtt, which Exchange refuses since 2013, changes members of lists for their owner, and one's own delegates.
- ModProps sets certificates and the photo. One change that fails takes back the others.
- GetProps without a list gives texts as PtypString where the code page is UTF-16, which has no 8-bit ones.
- SeekEntries sets Delta to 0 (2.2.8), though 3.1.4.1.9 would leave it.
- Sorting by phonetic names is supported (Exchange does not).

Sections without a document's name are of [MS-OXNSPI].

| operation | section | rule | tests |
| --- | --- | --- | --- |
"""


def tests(top):
    known = set()
    for path in sorted(Path(top).glob("libgxproto/*/check_*.c")):
        known |= {f"{path.stem}.{f.name}" for f in ctests.functions(path)[1] if f.is_test}
    return known


def doc(top):
    out, known, told = TEXT, tests(top), set()
    for r in facts.rows(top, "nspirules"):
        named = r["tests"].split()
        lost = [t for t in named if t not in known]
        if lost or not named:
            raise SystemExit(f"facts/nspirules.tsv: {r['operation']}, {r['section']}: no test {' '.join(lost)}")
        told.add(r["operation"])
        shown = ", ".join(f"`{t}`" for t in named)
        out += f"| {r['operation']} | {r['section']} | {r['rule']} | {shown} |\n"
    silent = [e.name for e in Module(Path(top) / "defs/mapihttp.def").exchanges.values() if e.endpoint == "nspi" and e.name not in told]
    if silent:
        raise SystemExit(f"facts/nspirules.tsv: no rule of {', '.join(silent)}")
    return out


if __name__ == "__main__":
    facts.main({"nspi.md": doc})
