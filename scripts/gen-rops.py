#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prototypes and the table of the operations' functions, from defs/rop.def and the files that hold them.

usage: gen-rops.py FILE.def OUTPUT HANDLER.c...

A file rop/open_folder.c has gx_rop__open_folder(). Operations that share a file name it in their own:
functions are found by their definitions.
"""
import re
import sys
from pathlib import Path
import facts
from deflang import Module

DEFINITION = re.compile(r"^gx_ec gx_rop__(\w+)\(struct gx_rop_call \*", re.M)


def param(struct, const):
    kind = f"struct gx_{struct.name}" if struct else "void"
    return f"{'const ' if const else ''}{kind} *"


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    module = Module(Path(sys.argv[1]))
    by_name = {r.snake: r for r in module.rops.values()}
    have = [n for f in sys.argv[3:] for n in DEFINITION.findall(Path(f).read_text(encoding="utf-8"))]
    for name in have:
        if name not in by_name:
            sys.exit(f"gx_rop__{name}() is of no operation in {sys.argv[1]}")
    out = ""
    for name in sorted(have):
        r = by_name[name]
        out += (f"gx_ec gx_rop__{name}(struct gx_rop_call *c, {param(r.request, True)}q, {param(r.response, False)}r);"
                f" /* {r.section} */\n")
    out += "\n#ifdef GX_ROP_TABLE\n"
    for name in sorted(have):
        out += (f"static gx_ec do_{name}(struct gx_rop_call *c, const void *q, void *r)\n"
                f"{{\n\treturn gx_rop__{name}(c, q, r);\n}}\n")
    out += "static gx_ec (*const table[256])(struct gx_rop_call *, const void *, void *) = {\n"
    out += "".join(f"\t[{by_name[n].name}] = do_{n},\n" for n in sorted(have, key=lambda n: by_name[n].number)) + "};\n#endif\n"
    facts.write(sys.argv[2], facts.header("GX_ROP_DISPATCH_H", "defs/rop.def", out))


if __name__ == "__main__":
    main()
