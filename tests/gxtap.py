# SPDX-License-Identifier: Apache-2.0
"""A few lines of TAP: every function test_* of a module is one test, in the order of the file.

A test fails by raising, is skipped by raising Skip(why). Output goes to stdout as TAP 12.
"""
import inspect
import os
import sys
import time
import traceback


class Skip(Exception):
    """Raised by a test that cannot run here; the text says what is missing."""


def top_srcdir():
    here = os.path.dirname(os.path.abspath(__file__))
    return os.path.abspath(os.environ.get("top_srcdir", os.path.join(here, "..")))


def top_builddir():
    return os.path.abspath(os.environ.get("top_builddir", top_srcdir()))


def program(*path):
    """A built program, by its path in the build tree. Not libtool's script around it: that takes longer than most programs do."""
    path = os.path.join(top_builddir(), *path)
    real = os.path.join(os.path.dirname(path), ".libs", os.path.basename(path))
    return real if os.path.exists(real) else path


def find_libraries():
    """What libtool's scripts do: programs of the build tree find its libraries."""
    libs = os.path.join(top_builddir(), ".libs")
    if not os.environ.get("GX_PREFIX") and os.path.isdir(libs):
        os.environ["LD_LIBRARY_PATH"] = ":".join(p for p in (libs, os.environ.get("LD_LIBRARY_PATH")) if p)


find_libraries()


def sanitized():
    """Whether the build is one with sanitizers, in which everything takes several times as long."""
    try:
        with open(os.path.join(top_builddir(), "Makefile")) as f:
            return "-fsanitize=" in f.read()
    except OSError:
        return False


def corpus_dir():
    """The folder of sample files beside the project, or Skip."""
    d = os.path.join(top_srcdir(), "..", "shared", "corpus")
    for d in (os.environ.get("GX_CORPUS", d),):
        if os.path.isdir(d):
            return os.path.abspath(d)
    raise Skip("no corpus folder")


def main(module_globals, teardown=None):
    tests = [(n, f) for n, f in module_globals.items() if n.startswith("test_") and inspect.isfunction(f)]
    only = sys.argv[1:]
    if only:
        tests = [t for t in tests if t[0] in only]
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for i, (name, func) in enumerate(tests, 1):
        start = time.monotonic()
        try:
            func()
            print(f"ok {i} - {name} ({time.monotonic() - start:.1f} s)", flush=True)
        except Skip as e:
            print(f"ok {i} - {name} # SKIP {e}", flush=True)
        except BaseException as e:  # a failing test must not end the run
            failed += 1
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            print(f"not ok {i} - {name}: {type(e).__name__}", flush=True)
            if isinstance(e, KeyboardInterrupt):
                break
    if teardown is not None:
        teardown()
    sys.exit(1 if failed else 0)
