#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests on a machine that is not steady: each must hold while its processes stand still for seconds now and then, while
every processor is busy with something else, or while single threads are left aside.

A test that fails here counts on time, or finds a server that does."""
import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

import gxtap


def family(root):
    """The process and all that descend from it."""
    children = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, IndexError):
            with open(f"/proc/{pid}/stat") as f:
                state, parent = f.read().rsplit(")", 1)[1].split()[:2]
            if state != "Z":
                children.setdefault(int(parent), []).append(int(pid))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def some(rnd, what):
    """One of them, or about half."""
    return rnd.sample(what, rnd.choice([1, (len(what) + 1) // 2])) if what else []


def stop_some(root, rnd, longest, ended):
    """Processes stand still: any two lines of a test, or of a server, are seconds apart."""
    while not ended.wait(rnd.random() * rnd.choice([0.001, 0.02, 0.1, 0.5])):
        chosen = some(rnd, family(root))
        for number, then in ((signal.SIGSTOP, rnd.random() * rnd.choice([0.2, 1, longest])), (signal.SIGCONT, 0)):
            for pid in chosen:
                with contextlib.suppress(OSError):
                    os.kill(pid, number)
            ended.wait(then)


def threads(root):
    found = []
    for pid in family(root):
        with contextlib.suppress(OSError):
            found += [int(t) for t in os.listdir(f"/proc/{pid}/task")]
    return found


def starve_some(root, rnd, longest, ended):
    """Threads get what the busy ones leave, which is next to nothing: they end in another order than they began."""
    while not ended.wait(rnd.random() * 0.1):
        chosen = some(rnd, threads(root))
        for policy, then in ((os.SCHED_IDLE, rnd.random() * longest), (os.SCHED_OTHER, 0)):
            for tid in chosen:
                with contextlib.suppress(OSError):
                    os.sched_setscheduler(tid, policy, os.sched_param(0))
            ended.wait(then)


def nothing(*_):
    pass


# The name of a way: what happens to the test meanwhile, how many busy loops run on each processor, what it is started with.
WAYS = {
    "stops": (stop_some, 0, []),
    "busy": (nothing, 2, []),
    "one": (nothing, 3, ["taskset", "-c", "0"]),
    "idle": (nothing, 1, ["chrt", "--idle", "0"]),
    "starved": (starve_some, 1, []),
}


@contextlib.contextmanager
def busy(each):
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(each * (os.cpu_count() or 1))]
    try:
        yield
    finally:
        for p in burners:
            p.kill()
            p.wait()


def command(test):
    """Of a Python file some of the tests: file.py:test_one:test_another."""
    path, *names = test.split(":")
    return [sys.executable, os.path.join(gxtap.top_srcdir(), path), *names] if path.endswith(".py") else [gxtap.program(*path.split("/"))]


def run(test, way, seed, longest):
    """@return what went wrong, or nothing, and the file of all it said."""
    disturb, burners, before = WAYS[way]
    env = dict(os.environ, top_srcdir=gxtap.top_srcdir(), top_builddir=gxtap.top_builddir(), PYTHON=sys.executable,
               MALLOC_PERTURB_="165", CK_DEFAULT_TIMEOUT="60", CK_TIMEOUT_MULTIPLIER="20")
    out = tempfile.NamedTemporaryFile(prefix="gx-unsteady-", suffix=".log", delete=False)
    ended = threading.Event()
    with out, busy(burners):
        p = subprocess.Popen(before + command(test), env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        t = threading.Thread(target=disturb, args=(p.pid, random.Random(seed), longest, ended))
        t.start()
        try:
            code = p.wait()
        finally:
            ended.set()
            t.join()
            p.kill()
    with open(out.name, errors="replace") as f:
        bad = [line.rstrip() for line in f if line.startswith("not ok")]
    return (bad or [f"ended with {code}"]) if bad or code != 0 else [], out.name


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--ways", default=",".join(WAYS), help="some of " + ", ".join(WAYS) + " (all)")
    p.add_argument("--rounds", type=int, default=1, help="how often each of them (1)")
    p.add_argument("--seed", type=int, default=int(time.time()), help="what chance begins with (the time)")
    p.add_argument("--longest", type=float, default=3, metavar="SECONDS", help="how long something stands still at most (3)")
    p.add_argument("test", nargs="+", help="as make check knows it: libgxproto/net/check_net, tests/service/test_send.py;"
                   " of the latter also some of it: tests/service/test_send.py:test_mail_here_and_elsewhere")
    args = p.parse_args()
    failed = 0
    for seed in range(args.seed, args.seed + args.rounds):
        for test in args.test:
            for way in args.ways.split(","):
                start = time.monotonic()
                wrong, log = run(test, way, seed, args.longest)
                print(f"{'not ok' if wrong else 'ok'} - {test} {way}, seed {seed} ({time.monotonic() - start:.1f} s)", flush=True)
                for line in wrong:
                    print("#   " + line)
                if wrong:
                    print(f"#   all it said: {log}", flush=True)
                    failed += 1
                else:
                    os.unlink(log)
    print(f"# {failed} runs failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
