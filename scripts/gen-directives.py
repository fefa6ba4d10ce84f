#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Directives of the configuration files from facts/directives.tsv.

usage: gen-directives.py TOP OUT [TEMPLATE]

OUT is libgxproto/conf/directives-table.h, or a manual page made from TEMPLATE, in which a line
"@DIRECTIVES group ..." stands for the list of these groups and "@DEPRECATED group ..." for the
directives that have no effect.
"""
import csv
import re
import sys
import textwrap
import facts
from pathlib import Path

TYPES = {"string": "STRING", "bool": "BOOL", "uint": "UINT", "size": "SIZE", "duration": "DURATION",
         "listen": "LISTEN", "loglevel": "LOGLEVEL", "deprecated": "DEPRECATED"}
WORDS = {"string": "text", "bool": "yes or no", "uint": "number", "size": "size", "duration": "time span",
         "listen": "addresses", "loglevel": "level"}


def directives(top):
    with open(Path(top) / "facts" / "directives.tsv", encoding="utf-8", newline="") as f:
        lines = [line for line in f if not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def c_default(text):
    if text.startswith("@STATEDIR@"):
        rest = text[len("@STATEDIR@"):]
        return "GX_STATEDIR" + (" " + facts.c_str(rest) if rest else "")
    return facts.c_str(text)


def table(top):
    out = []
    rows = directives(top)
    for group in dict.fromkeys(r["group"] for r in rows):
        out.append(f"static const struct gx_conf_key {group}_keys[] = {{\n")
        for r in rows:
            if r["group"] == group:
                out.append(f'\t{{"{r["name"]}", GX_CONF_{TYPES[r["type"]]}, {c_default(r["default"])}, '
                           f'{facts.c_opt(r["min"])}, {facts.c_opt(r["max"])},\n\t\t{facts.c_str(r["help"])}, "{r["file"]}"}},\n')
        out.append("\t{NULL},\n};\n\n")
    return facts.header("GX_DIRECTIVES_TABLE_H", "facts/directives.tsv", "".join(out))


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = re.sub(r"(?<=[.:;]) ", "\n", text)
    return "\n".join("\\&" + line if line[:1] in ".'" else line for line in text.split("\n"))


def value_of(row):
    default = row["default"].replace("@STATEDIR@", "/var/lib/gromox")
    text = f"({WORDS[row['type']]}; default: {default or 'empty'}"
    if row["min"] and row["max"]:
        text += f"; {row['min']} to {row['max']}"
    elif row["max"]:
        text += f"; at most {row['max']}"
    elif row["min"]:
        text += f"; at least {row['min']}"
    return roff(text + ")")


def man_list(rows):
    out = [".Bl -tag -width Ds\n"]
    for r in sorted(rows, key=lambda r: r["name"]):
        name = r["name"].replace("-", "\\-")
        body = roff(r["help"]) if r["type"] == "deprecated" else value_of(r) + "\n" + roff(r["help"])
        out.append(f".It Ic {name}\n{body}\n")
    return "".join(out) + ".El\n"


def wrap(line):
    """Long text lines in several; macro lines stay as they are."""
    if len(line) <= 80 or line[:1] in ".'":
        return line
    parts = textwrap.wrap(line, 79, break_long_words=False, break_on_hyphens=False)
    return "".join(("\\&" if p[0] in ".'" else "") + p + "\n" for p in parts)


def man(top, template):
    rows = directives(top)
    out = []
    for line in Path(template).read_text(encoding="utf-8").splitlines(True):
        words = line.split()
        if words and words[0] in ("@DIRECTIVES", "@DEPRECATED"):
            old = words[0] == "@DEPRECATED"
            groups = words[1:]
            assert all(any(r["group"] == g for r in rows) for g in groups), line
            line = man_list([r for r in rows if r["group"] in groups and (r["type"] == "deprecated") == old])
        out.append(line)
    return "".join(wrap(line) for line in "".join(out).splitlines(True))


def main(argv):
    top, out = argv[1], argv[2]
    text = man(top, argv[3]) if len(argv) > 3 else table(top)
    path = Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    tmp = path.with_name(path.name + ".tmp")
    tmp.write_text(text, encoding="utf-8")
    tmp.replace(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
