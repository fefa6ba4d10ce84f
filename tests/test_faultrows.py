#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every function of the store that may fail is called by an operation of libgxstore/faults.

The functions are those that libgxstore exports and that take something of a store, as their headers declare them. One that no
operation calls must stand below with the reason; then nothing has ever failed in it. A new function is found missing here.
"""
import glob
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gxtap  # noqa: E402

HANDLES = "txn|store|store_pool|inst|inst_stream|ics_content|ics_hierarchy|table|imapview"
TAKES = re.compile(rf"(?<!const )\bstruct gx_(?:{HANDLES}) \*(?!\*)|\bconst char \*(?:dir|from)\b")
DECLARED = re.compile(r"GX_API\s+[^;{]*?\b(gx_\w+)\(((?:[^;()]|\([^()]*\))*)\)")

LEFT_OUT = {
    # nothing in them can fail
    "gx_inst_hold": "counts", "gx_inst_contains": "compares", "gx_inst_stream_size": "answers a number",
    "gx_table_bookmark_free": "frees", "gx_txn_store": "answers a pointer", "gx_txn_on_unread": "notes a callback",
    "gx_msg_ahead": "a hint for stores of other processes", "gx_store_subscribe": "a list in memory, check_events.c",
    "gx_store_unsubscribe": "takes from a list in memory",
    # done by one that has a row
    "gx_search_leave": "what gx_search_run() does with each folder that was deleted",
    # of a store as a whole, with failures of their own
    "gx_store_open": "gx_store__open_on() of check_iofail.c and check_oom.c", "gx_store_verify": "st_verify() between the failures",
    "gx_store_schema_version": "reads one number of a closed file, check_upgrade.c",
    "gx_store_pool_get": "gx_store__open_on()", "gx_store_pool_put": "counts", "gx_store_pool_unload": "gx_store_close()",
    "gx_store_pool_free": "gx_store_close()", "gx_store_pool_sync": "gx_store_sync()",
    "gx_store_pool_tick": "gx_search_run(), gx_store_index(), gx_store_sort() and gx_store_sync(), with gx_store_close()",
    "gx_store_pool_sync_each": "gx_store_sync()", "gx_store_pool_reach": "gx_store__open_on()",
    "gx_inst_copy_across": "two stores; check_instance_nomem.c",
    # stores of other processes
    "gx_exmdb_call": "a network client", "gx_exmdb_batch": "a network client", "gx_exmdb_client_connect": "a network client",
    "gx_exmdb_client_call": "a network client", "gx_exmdb_link_call": "a network client",
}


def text_of(*path):
    with open(os.path.join(gxtap.top_srcdir(), *path), encoding="utf-8") as f:
        return f.read()


def functions():
    exported = set(re.findall(r"\bgx_\w+", text_of("libgxstore", "libgxstore.map")))
    found = {}
    for path in sorted(glob.glob(os.path.join(gxtap.top_srcdir(), "include", "gx", "*.h"))):
        for name, params in DECLARED.findall(text_of(path)):
            if name in exported and TAKES.search(" ".join(params.split())):
                found[name] = os.path.basename(path)
    return found


def called():
    folder = os.path.join(gxtap.top_srcdir(), "libgxstore", "faults")
    source = "".join(text_of(p) for p in glob.glob(os.path.join(folder, "*.[ch]")))
    return set(re.findall(r"\b(gx_\w+)\(", re.sub(r"/\*.*?\*/", "", source, flags=re.S)))


def test_every_function_of_the_store_may_fail():
    found, done = functions(), called()
    assert len(found) > 150, found
    missing = [f"{name} of gx/{header}" for name, header in found.items() if name not in done and name not in LEFT_OUT]
    assert not missing, "no operation of libgxstore/faults calls " + ", ".join(missing)


def test_nothing_is_left_out_needlessly():
    found, done = functions(), called()
    needless = [name for name in LEFT_OUT if name in done or name not in found]
    assert not needless, needless


if __name__ == "__main__":
    gxtap.main(globals())
