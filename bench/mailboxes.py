#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Import and export of the mail of bench_bulk with Python's mailbox module, to compare with: mailboxes.py [MESSAGES [DIRECTORY]]

Maildir and mbox as Python writes them: Maildir flushes every message, mbox once at the end. JSON lines.
"""
import json
import mailbox
import os
import random
import resource
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests"))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "service"))
import extra  # noqa: E402


def cpu():
    u = resource.getrusage(resource.RUSAGE_SELF)
    return u.ru_utime + u.ru_stime


def put(what, n, start, **more):
    wall, used = time.monotonic() - start[0], cpu() - start[1]
    row = {"bench": "mailboxes", "what": what, "n": n, "us": round(wall * 1e6 / n, 2), "cpu_us": round(used * 1e6 / n, 2),
           "per_s": round(n / wall), "per_cpu_s": round(n / used), **more}
    print(json.dumps(row), flush=True)


def one(name, make, path, mails):
    start = (time.monotonic(), cpu())
    box = make(path)
    for m in mails:
        box.add(m)
    box.close()
    put(f"import to {name}", len(mails), start,
        allocated=round((extra.used(path) if os.path.isdir(path) else os.stat(path).st_blocks * 512) / len(mails)))
    start = (time.monotonic(), cpu())
    box, size = make(path), 0
    for key in box.iterkeys():
        size += len(box.get_bytes(key))
    box.close()
    put(f"export from {name}", len(mails), start, mail_bytes=round(size / len(mails)))


def main(count=10000, parent=None):
    top = tempfile.mkdtemp(prefix="gx-bench-", dir=parent or os.environ.get("GX_BENCH_DIR"))
    rng = random.Random(3)
    mails = [extra.small_message(i, rng) for i in range(count)]
    one("Maildir", mailbox.Maildir, os.path.join(top, "maildir"), mails)
    one("mbox", mailbox.mbox, os.path.join(top, "mbox"), mails)
    shutil.rmtree(top)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10000, sys.argv[2] if len(sys.argv) > 2 else None)
