#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gromox-storeconv on a mailbox of small mails: bench/storeconv.py [MESSAGES [ROUNDS]]"""
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "tests"))
import gromoxfill  # noqa: E402
import gxtap  # noqa: E402


def allocated(path):
    return sum(os.stat(os.path.join(base, f)).st_blocks * 512 for base, dirs, files in os.walk(path) for f in dirs + files)


def main(count=10000, rounds=3):
    top = tempfile.mkdtemp(prefix="gx-bench-")
    old, new = os.path.join(top, "old"), os.path.join(top, "new")
    gromoxfill.bulk(old, count)
    cpu, wall, peak = [], [], 0
    for _ in range(rounds):
        shutil.rmtree(new, ignore_errors=True)
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run([os.path.join(gxtap.top_builddir(), "gromox-storeconv"), old, new + "/"], check=True, stdout=subprocess.DEVNULL)
        wall.append(time.monotonic() - start)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        peak = after.ru_maxrss
    files = sum(len(f) for _, _, f in os.walk(old))
    print(f"conversion of {count} small messages ({files} files): CPU {statistics.median(cpu) / count * 1e6:.0f} us a message"
          f" [{min(cpu) / count * 1e6:.0f}..{max(cpu) / count * 1e6:.0f}], {count / statistics.median(wall):,.0f}/s"
          f" [{count / max(wall):,.0f}..{count / min(wall):,.0f}], at most {peak / 1024:.0f} MiB of memory,"
          f" {allocated(old) / 1e6:.0f} MB on disk become {allocated(new) / 1e6:.0f} MB")
    shutil.rmtree(top)


if __name__ == "__main__":
    main(*[int(x) for x in sys.argv[1:]])
