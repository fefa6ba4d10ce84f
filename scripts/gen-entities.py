#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Names of characters in HTML ([HTML 4.01] 24) and their code points, sorted by name."""
import html.entities
import facts


def entities(_top):
    names = sorted(html.entities.name2codepoint.items())
    rows = "".join(f'\t{{"{n}", 0x{c:04x}}},\n' for n, c in names)
    return facts.source("HTML 4.01 section 24", "static const struct entity entities[] = {\n" + rows + "};\n")


if __name__ == "__main__":
    facts.main({"entities-table.h": entities})
