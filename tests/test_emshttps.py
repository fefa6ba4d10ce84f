#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tests of remote operations once more, over HTTPS: each program check_ems* with GX_TEST_HTTPS set; and those of the address book."""
import glob
import os
import subprocess
import gxtap

# What differs between the two ways is below the operations: of a build with sanitizers those with most of it are enough.
MOST = ("check_emsmdb", "check_emsnotify", "check_emswrong", "check_mhrules")
BOOK = ("check_mhnsp", "check_mhrules")


def over_https(name):
    def run():
        env = {**os.environ, "GX_TEST_HTTPS": "1"}
        env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":detect_leaks=0:malloc_context_size=2"
        r = subprocess.run([gxtap.program("libgxproto", "mapihttp" if name in BOOK else "emsmdb", name)], capture_output=True, text=True, timeout=300, env=env)
        lines = r.stdout.splitlines()
        bad = [line for line in lines if not line.startswith("ok ")]
        assert r.returncode == 0 and len(bad) == 1 < len(lines), "\n".join([*bad, r.stderr])
    return run


def programs():
    names = sorted(os.path.basename(p)[:-2] for p in glob.glob(os.path.join(gxtap.top_srcdir(), "libgxproto", "emsmdb", "check_ems*.c")))
    return [n for n in [*names, *BOOK] if n in MOST or not gxtap.sanitized()]


if __name__ == "__main__":
    gxtap.main({f"test_{name}": over_https(name) for name in programs()})
