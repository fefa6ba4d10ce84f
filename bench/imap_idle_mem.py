#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Server memory per idle authenticated IMAP connection.

  imap_idle_mem.py --to 127.0.0.1:1143 --user 'u%d@bench.test' --pass secret --users 10 --steps 0,100,500 --pid-tree PID

Opens connections in steps (LOGIN, SELECT, IDLE unless --no-idle), waits for calm, and prints for each step the
sum of Pss, Rss, private memory and the number of processes and threads of the given process tree (--pid-tree) or
list (--pids 1,2,3); then the growth per connection between the first and the last step. Pss is the fair figure
for a server of many processes (shared pages are divided among those who map them); kernel socket memory is not
in it. Needs leave to read the server's /proc/PID/smaps_rollup.
"""
import argparse, json, os, resource, socket, sys, time


def tree(root):
    kids = {}
    for p in os.listdir("/proc"):
        if p.isdigit():
            try:
                with open("/proc/%s/stat" % p) as f:
                    s = f.read()
                kids.setdefault(int(s[s.rindex(")") + 2:].split()[1]), []).append(int(p))
            except (OSError, ValueError):
                pass
    out, left = [], [root]
    while left:
        p = left.pop()
        out.append(p)
        left += kids.get(p, [])
    return out


def memory(pids):
    t = {"pss_kb": 0, "rss_kb": 0, "private_kb": 0, "procs": 0, "threads": 0}
    for p in pids:
        try:
            with open("/proc/%d/smaps_rollup" % p) as f:
                for l in f:
                    k, _, v = l.partition(":")
                    if k == "Pss":
                        t["pss_kb"] += int(v.split()[0])
                    elif k == "Rss":
                        t["rss_kb"] += int(v.split()[0])
                    elif k in ("Private_Clean", "Private_Dirty"):
                        t["private_kb"] += int(v.split()[0])
            t["threads"] += len(os.listdir("/proc/%d/task" % p))
            t["procs"] += 1
        except OSError:
            pass
    return t


def read_until(f, tag):
    while True:
        l = f.readline()
        if not l:
            sys.exit("server closed the connection")
        if l.startswith(tag):
            if tag != b"+" and b" OK" not in l:
                sys.exit("refused: %r" % l)
            return


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--to", required=True)
    a.add_argument("--user", default="u%d@bench.test")
    a.add_argument("--pass", dest="pw", default="secret")
    a.add_argument("--users", type=int, default=1)
    a.add_argument("--first-user", type=int, default=1)
    a.add_argument("--mailbox", default="INBOX")
    a.add_argument("--steps", default="0,50,200")
    a.add_argument("--pid-tree", type=int)
    a.add_argument("--pids")
    a.add_argument("--no-idle", action="store_true")
    a.add_argument("--settle", type=float, default=2)
    o = a.parse_args()
    host, _, port = o.to.rpartition(":")
    if not (host.startswith("127.") or host in ("localhost", "::1")):
        sys.exit("loopback only")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    pids = lambda: tree(o.pid_tree) if o.pid_tree else [int(x) for x in o.pids.split(",")]
    conns, seen = [], []
    for want in [int(x) for x in o.steps.split(",")]:
        while len(conns) < want:
            s = socket.create_connection((host, int(port)))
            f = s.makefile("rb")
            f.readline()
            u = o.user.replace("%d", str(o.first_user + len(conns) % o.users))
            s.sendall(b'a LOGIN "%s" "%s"\r\n' % (u.encode(), o.pw.encode()))
            read_until(f, b"a ")
            s.sendall(b'b SELECT "%s"\r\n' % o.mailbox.encode())
            read_until(f, b"b ")
            if not o.no_idle:
                s.sendall(b"c IDLE\r\n")
                read_until(f, b"+")
            conns.append((s, f))
        time.sleep(o.settle)
        m = memory(pids())
        m["conns"] = want
        seen.append(m)
        print(json.dumps(dict(tool="imap_idle_mem", test="step", **m)))
    n = seen[-1]["conns"] - seen[0]["conns"]
    if n > 0:
        d = {k[:-3] + "_kib_per_conn": round((seen[-1][k] - seen[0][k]) / n, 1) for k in ("pss_kb", "rss_kb", "private_kb")}
        print(json.dumps(dict(tool="imap_idle_mem", test="per_conn", conns=n,
                              procs_per_conn=round((seen[-1]["procs"] - seen[0]["procs"]) / n, 3), **d)))


if __name__ == "__main__":
    main()
