#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts every operation of the store, one after the other, through everything that may fail below it.

usage: operations.py [options] [operation...]

The operations are those of libgxstore/faults/storeops.h, the forms what its four programs do with GX_OP=name:
io (each call of the file system fails), memory (each allocation fails), power (losses after each change of a file),
kill (SIGKILL at any moment). What is done is noted at once, so that an interrupted run goes on where it stopped;
what another build of the programs did is done again, unless --any-build.

  --forms io,memory     only these
  --report DIR          where the notes are (operations.jsonl), the reports (operations.txt, operations.json) and the
                        output of what failed; default: soak-operations in the build directory
  --jobs N              so many at a time (1)
  --seconds N           begins nothing new after so many seconds
  --limit N             most seconds for one operation in one form (7200)
  --seed N              GX_SEED of the programs
  --through CMD         the programs run behind this command, as in --through "chrt -i 0"
  --any-build           results of other builds count
  --report-only         only writes the reports anew
  --list                names the operations

The programs run at low priority. Exit status: 0 all passed, 1 something failed, 2 usage, 3 not all is done.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time

PROGRAMS = {"io": "check_iofail", "memory": "check_oom", "power": "check_powerloss", "kill": "check_kill"}
TIMES = re.compile(r"^# (\S+), (.+): (\d+) times$", re.M)


def program(form):
    return os.path.join(os.environ.get("top_builddir", "."), "libgxstore", "faults", PROGRAMS[form])


def build_of(form):
    with open(program(form), "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()[:16]


def all_operations():
    out = subprocess.run([program("io")], env=dict(os.environ, GX_OP="list"), stdout=subprocess.PIPE, check=True)
    return [line.split()[0] for line in out.stdout.decode().splitlines()]


class Notes:
    """One line for each thing that was done, the last one counts."""

    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        self.last = {}
        if os.path.exists(path):
            with open(path) as f:
                for line in f:
                    self.take(line)

    def take(self, line):
        try:
            r = json.loads(line)
            self.last[r["operation"], r["form"]] = r
        except (ValueError, KeyError):  # half a line: what it was about is done again
            pass

    def add(self, r):
        with self.lock:
            self.last[r["operation"], r["form"]] = r
            with open(self.path, "a") as f:
                f.write(json.dumps(r) + "\n")


class Show:
    """How far it is: one line that changes on a terminal, else a line for each that is through."""

    def __init__(self, total):
        self.tty = sys.stderr.isatty()
        self.total = total
        self.done = 0
        self.lock = threading.Lock()

    def begins(self, operation, form):
        if self.tty:
            with self.lock:
                print(f"\r\033[K{self.done}/{self.total} {operation} {form}", end="", file=sys.stderr, flush=True)

    def ends(self, r):
        with self.lock:
            self.done += 1
            start = "\r\033[K" if self.tty else ""
            if not self.tty or r["result"] != "passed":
                print(f"{start}{self.done}/{self.total} {line_of(r)}", file=sys.stderr, flush=True)

    def over(self):
        if self.tty:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def processes_of(session):
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{int(entry)}/stat") as f:
                state, _, _, its = f.read().rpartition(")")[2].split()[:4]
        except (ValueError, OSError):  # none, or it has ended meanwhile
            continue
        if int(its) == session and state != "Z":
            yield int(entry)


def end_session(session):
    """All of it: libcheck runs each test in a process group of its own, which would go on and keep the output open."""
    while pids := list(processes_of(session)):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.01)


class Runs:
    """The programs that run now, so that an interruption takes them along."""

    def __init__(self, options):
        self.options = options
        self.now = set()
        self.lock = threading.Lock()
        self.stopped = False

    def start(self, operation, form):
        env = dict(os.environ, GX_OP=operation)
        env.pop("GX_SOAK_SECONDS", None)
        if self.options.seed is not None:
            env["GX_SEED"] = str(self.options.seed)
        with self.lock:
            if self.stopped:
                return None
            command = ["nice", "-n", "10"] + shlex.split(self.options.through) + [program(form)]
            p = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 start_new_session=True)
            self.now.add(p)
        return p

    def finish(self, p):
        try:
            out, _ = p.communicate(timeout=self.options.limit)
            return out.decode("utf-8", "replace"), p.returncode
        except subprocess.TimeoutExpired:
            end_session(p.pid)
            out, _ = p.communicate()
            return out.decode("utf-8", "replace"), None
        finally:
            with self.lock:
                self.now.discard(p)

    def stop(self):
        with self.lock:
            self.stopped = True
            for p in self.now:
                end_session(p.pid)


def result_of(out, status):
    if status is None:
        return "unfinished"
    return "passed" if status == 0 and re.search(r"^ok ", out, re.M) else "failed"


def one(runs, notes, show, directory, operation, form, build):
    show.begins(operation, form)
    began = time.time()
    p = runs.start(operation, form)
    if p is None:
        return
    out, status = runs.finish(p)
    if runs.stopped:
        return
    cases = collections.Counter()
    for name, what, n in TIMES.findall(out):
        cases[what] += int(n) if name == operation else 0
    r = {"operation": operation, "form": form, "injections": sum(cases.values()), "cases": cases,
         "result": result_of(out, status), "seconds": round(time.time() - began, 1), "build": build}
    if r["result"] != "passed":
        r["output"] = f"{operation}.{form}.log"
        with open(os.path.join(directory, r["output"]), "w") as f:
            f.write(out)
    notes.add(r)
    show.ends(r)


def line_of(r):
    where = f", see {r['output']}" if "output" in r else ""
    return f"{r['operation']:24} {r['form']:8} {r['injections']:8} {r['seconds']:8.1f} s  {r['result']}{where}"


def write_report(directory, results, missing):
    sums = {}
    for r in results:
        s = sums.setdefault(r["form"], {"operations": 0, "injections": 0, "seconds": 0, "failed": 0})
        s["operations"] += 1
        s["injections"] += r["injections"]
        s["seconds"] = round(s["seconds"] + r["seconds"], 1)
        s["failed"] += r["result"] != "passed"
    with open(os.path.join(directory, "operations.json"), "w") as f:
        json.dump({"forms": sums, "results": results, "missing": [list(m) for m in missing]}, f, indent=1)
        f.write("\n")
    text = [line_of(r) for r in results] + [f"{op:24} {form:8} not done" for op, form in missing] + [""]
    for form, s in sums.items():
        text.append(f"{form:8} {s['operations']:4} operations {s['injections']:9} injections {s['seconds']:9.1f} s"
                    f" {s['failed']:4} failed")
    with open(os.path.join(directory, "operations.txt"), "w") as f:
        f.write("\n".join(text) + "\n")
    print("\n".join(text[-1 - len(sums):]))


def arguments():
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument("operations", nargs="*")
    p.add_argument("--forms", default=",".join(PROGRAMS))
    p.add_argument("--report", default=os.path.join(os.environ.get("top_builddir", "."), "soak-operations"))
    p.add_argument("--jobs", type=int, default=1)
    p.add_argument("--seconds", type=float)
    p.add_argument("--limit", type=float, default=7200)
    p.add_argument("--seed", type=int)
    p.add_argument("--through", default="")
    p.add_argument("--any-build", action="store_true")
    p.add_argument("--report-only", action="store_true")
    p.add_argument("--list", action="store_true")
    o = p.parse_args()
    o.forms = o.forms.split(",")
    for form in o.forms:
        if form not in PROGRAMS:
            p.error(f"no form {form}; there are {', '.join(PROGRAMS)}")
    known = all_operations()
    for name in o.operations:
        if name not in known:
            p.error(f"no operation {name}; --list has them all")
    o.operations = o.operations or known
    return o


def work(o, notes, left, builds):
    until = time.time() + o.seconds if o.seconds is not None else None
    runs, show = Runs(o), Show(len(left))

    def do(operation, form):
        if not runs.stopped and (until is None or time.time() < until):
            one(runs, notes, show, o.report, operation, form, builds[form])

    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        signal.signal(signal.SIGTERM, lambda *_: runs.stop())
        try:
            waiting = [pool.submit(do, *t) for t in left]
            for w in waiting:
                w.result()
        except KeyboardInterrupt:
            runs.stop()
    show.over()


def main():
    o = arguments()
    if o.list:
        print("\n".join(o.operations))
        return 0
    os.makedirs(o.report, exist_ok=True)
    notes = Notes(os.path.join(o.report, "operations.jsonl"))
    builds = {form: build_of(form) for form in o.forms}
    wanted = [(op, form) for op in o.operations for form in o.forms]

    def done(op, form):
        r = notes.last.get((op, form))
        return r is not None and (o.any_build or r["build"] == builds[form])

    if not o.report_only:
        work(o, notes, [t for t in wanted if not done(*t) or notes.last[t]["result"] != "passed"], builds)
    results = [notes.last[t] for t in wanted if done(*t)]
    write_report(o.report, results, [t for t in wanted if not done(*t)])
    if any(r["result"] != "passed" for r in results):
        return 1
    return 0 if len(results) == len(wanted) else 3


if __name__ == "__main__":
    sys.exit(main())
