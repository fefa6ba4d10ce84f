#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs commands A and B (and more) in turn, round by round, and compares a figure of their last JSON lines.

  compare.py --rounds 7 --metric ops_per_s --a './lmtp_load --to 127.0.0.1:2424 ...' --b './lmtp_load --to 127.0.0.1:1124 ...'
  compare.py --rounds 5 --metric server_us_per_op --lower --test envelope --cmd ours='...' --cmd dovecot='...'

Machines that others use give figures that drift; so the order is turned each round (ABBA), every round gives
one ratio, and what counts is the median ratio with its spread (quartiles), beside each side's median. --prep-a,
--prep-b, --prep NAME='...' run untimed before a side's turn (empty a mailbox). --test picks the JSON line whose
"test" is that; without it the last line counts. --min-ratio R makes the exit status 1 when the first side's
median ratio to any other falls short of R (for --lower: the other's figure divided by ours). Load average, stolen
and foreign CPU time during the runs are printed, so a reader can judge how quiet it was.
"""
import argparse, json, os, subprocess, sys


def med(v):
    s = sorted(v)
    n = len(s)
    return s[n // 2] if n % 2 else (s[n // 2 - 1] + s[n // 2]) / 2


def quart(v):
    s = sorted(v)
    n = len(s)
    return s[n // 4], s[(3 * n) // 4 if n > 1 else 0]


def cpu():
    with open("/proc/stat") as f:
        x = [int(y) for y in f.readline().split()[1:9]]
    return sum(x), x[3] + x[4], x[7]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--a")
    ap.add_argument("--b")
    ap.add_argument("--prep-a")
    ap.add_argument("--prep-b")
    ap.add_argument("--cmd", action="append", default=[])
    ap.add_argument("--prep", action="append", default=[])
    ap.add_argument("--metric", default="ops_per_s")
    ap.add_argument("--test")
    ap.add_argument("--lower", action="store_true", help="a lower figure is better")
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--min-ratio", type=float)
    ap.add_argument("--warm", type=int, default=0, help="rounds thrown away first")
    ap.add_argument("--timeout", type=float, default=600)
    o = ap.parse_args()
    sides = [("a", o.a), ("b", o.b)] if o.a else []
    sides += [tuple(c.split("=", 1)) for c in o.cmd]
    prep = dict(p.split("=", 1) for p in o.prep)
    prep.update({k: v for k, v in (("a", o.prep_a), ("b", o.prep_b)) if v})
    if len(sides) < 1:
        sys.exit("nothing to run")
    got = {n: [] for n, _ in sides}
    loads, busy, steal = [], [], []
    for r in range(-o.warm, o.rounds):
        for name, cmd in (sides if r % 2 == 0 else sides[::-1]):
            if name in prep:
                subprocess.run(["bash", "-c", prep[name]], check=True, stdout=subprocess.DEVNULL)
            c0 = cpu()
            p = subprocess.run(["bash", "-c", cmd], stdout=subprocess.PIPE, timeout=o.timeout)
            c1 = cpu()
            val = None
            for l in p.stdout.decode("utf-8", "replace").splitlines():
                if l.startswith("{"):
                    j = json.loads(l)
                    if o.metric in j and (o.test is None or j.get("test") == o.test):
                        val = float(j[o.metric])
            if p.returncode != 0 or val is None:
                sys.exit("%s failed (status %d, no %s)\n%s" % (name, p.returncode, o.metric, p.stdout.decode()[-2000:]))
            if r >= 0:
                got[name].append(val)
                loads.append(os.getloadavg()[0])
                t = max(1, c1[0] - c0[0])
                busy.append(1 - (c1[1] - c0[1]) / t)
                steal.append((c1[2] - c0[2]) / t)
    for n, _ in sides:
        q1, q3 = quart(got[n])
        print("%-12s %s median %.3f  quartiles %.3f..%.3f  min %.3f max %.3f  (%d runs)" % (
            n, o.metric, med(got[n]), q1, q3, min(got[n]), max(got[n]), o.rounds))
    fail = False
    res = {"tool": "compare", "metric": o.metric, "median": {n: med(v) for n, v in got.items()}, "ratio": {}}
    first = sides[0][0]
    for n, _ in sides[1:]:
        rt = [(y / x if o.lower else x / y) if x and y else 0 for x, y in zip(got[first], got[n])]
        q1, q3 = quart(rt)
        res["ratio"][n] = {"median": med(rt), "q1": q1, "q3": q3}
        print("%s is %.2f times as good as %s (quartiles %.2f..%.2f)" % (first, med(rt), n, q1, q3))
        if o.min_ratio is not None and med(rt) < o.min_ratio:
            fail = True
    res.update(load1=[round(min(loads), 2), round(max(loads), 2)], busy=round(med(busy), 3), steal=round(med(steal), 3))
    print(json.dumps(res))
    return 1 if fail else 0


if __name__ == "__main__":
    sys.exit(main())
