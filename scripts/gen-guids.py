#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Well-known GUIDs: gx/guids.h, each as a constant and as an initialiser NAME_INIT."""
import facts

SKIPPED = ("interface", "clsid")  # COM interfaces and classes: never on a wire


def guids_h(top):
    out = ""
    for row in sorted(facts.rows(top, "guids"), key=lambda r: (r["category"], r["name"])):
        if row["category"] in SKIPPED or row["name"] == "name":
            continue
        name = f"{row['name']}_UUID" if row["category"] in ("rpc_interface", "transfer_syntax") else row["name"]
        section = f" /**< {row['section']} */" if row["section"].startswith("MS-") else ""
        out += f"#define {name}_INIT {facts.guid_init(row['guid'])}{section}\n"
        out += f"static const struct gx_guid {name} GX_GUID_UNUSED = {name}_INIT;\n"
    out = "#define GX_GUID_UNUSED __attribute__((unused))\n\n" + out
    return facts.header("GX_GUIDS_H", "facts/guids.tsv", out, ["gx/base.h"])


if __name__ == "__main__":
    facts.main({"guids.h": guids_h})
