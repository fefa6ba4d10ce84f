#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""facts/lcids.tsv to libgxmail/lcid-table.h, sorted by tag: gen-lcids.py TOP OUT"""
import sys

import facts

top, out = sys.argv[1:]
rows = sorted((r["tag"].lower(), r["tag"], int(r["decimal"])) for r in facts.rows(top, "lcids")
              if r["kind"] in ("neutral", "specific") and int(r["decimal"]))
for a, b in zip(rows, rows[1:]):
    if a[0] == b[0]:
        sys.exit(f"facts/lcids.tsv: {a[1]} stands there twice")
body = "static const struct {\n\tuint32_t lcid;\n\tconst char *tag;\n} gx_lcid_rows[] = {\n"
body += "".join(f"\t{{0x{n:04x}, {facts.c_str(tag)}}},\n" for _, tag, n in rows) + "};\n"
facts.write(out, facts.header("GXMAIL_LCID_TABLE_H", "facts/lcids.tsv", body, ["stdint.h"]))
