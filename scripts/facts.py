# SPDX-License-Identifier: Apache-2.0
"""What the generators share: rows of facts/*.tsv, C text, one file written at once."""
import csv
import os
import sys
from pathlib import Path


def rows(top, name):
    """The rows of facts/NAME.tsv as dictionaries; "-" becomes the empty string."""
    with open(Path(top) / "facts" / f"{name}.tsv", encoding="utf-8", newline="") as f:
        reader = csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [{k: "" if v == "-" else v for k, v in row.items()} for row in reader]


def c_str(s):
    out = "".join(c if 32 <= ord(c) < 127 and c not in '"\\' else "".join(f"\\{b:03o}" for b in c.encode()) for c in s)
    return f'"{out}"'


def c_opt(s):
    return c_str(s) if s else "NULL"


def guid_init(text):
    """A brace initialiser of struct gx_guid from XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX."""
    a, b, c, d, e = text.lower().split("-")
    tail = ", ".join(f"0x{(d + e)[i:i + 2]}" for i in range(0, 16, 2))
    return f"{{0x{a}, 0x{b}, 0x{c}, {{{tail}}}}}"


def header(guard, origin, body, includes=()):
    inc = "".join(f"#include <{i}>\n" for i in includes)
    return (f"/* SPDX-License-Identifier: Apache-2.0 */\n/* Generated from {origin}; do not edit. */\n"
            f"#ifndef {guard}\n#define {guard}\n{inc}\n{body}\n#endif\n")


def source(origin, body):
    return f"/* SPDX-License-Identifier: Apache-2.0 */\n/* Generated from {origin}; do not edit. */\n{body}"


def write(path, text):
    """The whole file or nothing, so that an interrupted make leaves no half table."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    tmp = path.with_name(path.name + ".tmp")
    tmp.write_text(text, encoding="utf-8")
    os.replace(tmp, path)


def main(outputs):
    """OUTPUTS maps a file's base name to a function of the top directory that gives its text."""
    if len(sys.argv) != 3 or Path(sys.argv[2]).name not in outputs:
        sys.exit(f"usage: {sys.argv[0]} TOP_SRCDIR OUTPUT; outputs: {', '.join(outputs)}")
    write(sys.argv[2], outputs[Path(sys.argv[2]).name](sys.argv[1]))
