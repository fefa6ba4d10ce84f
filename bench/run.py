#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Benchmarks with the peer in the same run: "make bench" calls it from the build tree.

usage: run.py [--quick] [--only WORD] [--no-peer] [--no-servers] [--rounds N] [--messages N] [--stores DIR] [PROGRAM...]

First the given bench programs (each prints JSON lines); those of the store at scale share a store of a million messages and
more, which is built first and kept when --stores says where. Then gromoxd and Dovecot
(when installed) side by side under the same load generators, interleaved, several rounds; medians
of rate and of CPU time per operation of the whole process tree. Both servers answer LMTP only when
the mail is safe on disk; Dovecot runs with its defaults (mail_fsync=optimized), sdbox.
"""
import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests"))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "service"))
import gxtap  # noqa: E402
from gxservice import Server, free_port  # noqa: E402
import extra  # noqa: E402

PASS = "s3cret-pass"
LARGE = ("bench_open", "bench_table", "bench_ics", "bench_memory", "bench_search", "bench_peer")  # take messages and the stores' directory
MANY = ("bench_store", "bench_bulk", "bench_instance", "bench_exmdb", "bench_wait", "bench_emsmdb")  # take messages; 10,000 unless told


class Dovecot:
    """A private Dovecot on free ports, with the same users."""
    name = "dovecot"

    def __init__(self, users, mail="sdbox:~/dbox"):
        self.dir = tempfile.mkdtemp(prefix="gx-dovecot-", dir=os.environ.get("GX_BENCH_DIR"))
        os.chmod(self.dir, 0o755)
        self.lmtp_port, self.imap_port = free_port(), free_port()
        home = os.path.join(self.dir, "home")
        os.makedirs(home)
        uid = "nobody" if os.getuid() == 0 else str(os.getuid())
        if os.getuid() == 0:
            shutil.chown(home, "nobody", "nogroup")
        with open(os.path.join(self.dir, "passwd"), "w") as f:
            for u in users:
                f.write(f"{u}:{{PLAIN}}{PASS}::::::\n")
        gid = "nogroup" if os.getuid() == 0 else str(os.getgid())
        with open(os.path.join(self.dir, "dovecot.conf"), "w") as f:
            f.write(f"""\
base_dir = {self.dir}/run
log_path = {self.dir}/log
protocols = imap lmtp
ssl = no
disable_plaintext_auth = no
mail_location = {mail}
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 1
first_valid_gid = 1
auth_cache_size = 4M
mail_max_userip_connections = 1000
recipient_delimiter =
auth_username_format = %Lu
default_vsz_limit = 2G
service imap-login {{
  service_count = 0
  inet_listener imap {{
    address = 127.0.0.1
    port = {self.imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service imap {{
  process_limit = 4096
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {self.lmtp_port}
  }}
}}
passdb {{
  driver = passwd-file
  args = {self.dir}/passwd
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
}}
""")
        self.proc = subprocess.Popen(["dovecot", "-F", "-c", os.path.join(self.dir, "dovecot.conf")],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)
        if self.proc.poll() is not None:
            raise RuntimeError(f"dovecot did not start; see {self.dir}/log")
        self.pid = self.proc.pid
        self.mail_dir = home

    def settle(self):
        """Dovecot writes mail where it stays."""

    def stop(self):
        self.proc.send_signal(signal.SIGTERM)
        self.proc.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


class Ours:
    name = "ours"

    def __init__(self, users):
        self.server = Server(users=len(users), config="imap_log_level = 3\nlda_log_level = 3").start()
        self.lmtp_port, self.imap_port, self.pid = self.server.lmtp_port, self.server.imap_port, self.server.proc.pid
        self.mail_dir = os.path.join(self.server.dir, "user")

    def settle(self):
        """A restart moves what the log of a store holds into the store."""
        self.server.stop()
        self.server.start()
        self.pid = self.server.proc.pid

    def stop(self):
        self.server.stop()
        shutil.rmtree(self.server.dir, ignore_errors=True)


def last_json(argv, test=None):
    """The figures of one run. A test that was repeated in it: medians, and CPU time over all repeats."""
    out = subprocess.run(argv, stdout=subprocess.PIPE, check=False, timeout=1800).stdout.decode()
    rows = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    if test is not None:
        rows = [r for r in rows if r.get("test") == test]
    if not rows:
        raise RuntimeError(f"{argv} printed nothing")
    row = dict(rows[-1])
    if len(rows) > 1 and test is not None:
        for k in ("ops_per_s", "p50_ms", "p99_ms", "mb_per_s"):
            v = [r[k] for r in rows if r.get(k) is not None]
            if v:
                row[k] = statistics.median(v)
        if all(r.get("server_cpu_s") is not None for r in rows):
            row["server_us_per_op"] = 1e6 * sum(r["server_cpu_s"] for r in rows) / max(1, sum(r["ops"] for r in rows))
    return row


class Bench:
    def __init__(self, args):
        self.args = args
        self.build = gxtap.top_builddir()
        self.tmp = tempfile.mkdtemp(prefix="gx-bench-", dir=os.environ.get("GX_BENCH_DIR"))
        self.rows = []

    def pack(self, profile, n):
        path = os.path.join(self.tmp, f"{profile}-{n}.pack")
        if not os.path.exists(path):
            subprocess.run([sys.executable, os.path.join(HERE, "corpus.py"), "--n", str(n), "--profile", profile,
                            "--out", path], check=True)
        return path

    def compare(self, what, servers, argv_of, test=None, metrics=("ops_per_s", "server_us_per_op")):
        got = {s.name: [] for s in servers}
        for rnd in range(self.args.rounds):
            for s in servers if rnd % 2 == 0 else servers[::-1]:
                got[s.name].append(last_json(argv_of(s), test))
        for s in servers:
            row = {"bench": what, "server": s.name, "rounds": self.args.rounds}
            for m in metrics:
                v = [r[m] for r in got[s.name] if r.get(m) is not None]
                if v:
                    row[m] = round(statistics.median(v), 3)
                    row[m + "_range"] = [round(min(v), 3), round(max(v), 3)]
            for extra in ("p50_ms", "p99_ms", "mb_per_s", "items_per_s", "errors"):
                v = [r[extra] for r in got[s.name] if r.get(extra) is not None]
                if v:
                    row[extra] = round(statistics.median(v), 4)
            self.rows.append(row)
            print(json.dumps(row), flush=True)

    def put(self, what, server, **figures):
        row = {"bench": what, "server": server.name, **figures}
        self.rows.append(row)
        print(json.dumps(row), flush=True)

    def program(self, prog):
        """One of the programs, with what its kind takes."""
        name, argv = os.path.basename(prog), [os.path.join(self.build, prog)]
        if name in LARGE:
            stores = self.args.stores or os.path.join(self.tmp, "stores")
            os.makedirs(stores, exist_ok=True)
            argv += [str(self.args.messages), stores]
        elif name in MANY and self.args.quick:
            argv.append("1000")
        subprocess.run(argv, check=False)
        if name == "bench_bulk" and not self.args.no_peer:
            subprocess.run([sys.executable, os.path.join(HERE, "mailboxes.py"), "1000" if self.args.quick else "10000"], check=False)

    def wanted(self, word):
        return self.args.only is None or self.args.only in word

    def lmtp(self, s, pack, count, conns, users=10, first=1):
        return [os.path.join(self.build, "bench/lmtp_load"), "--to", f"127.0.0.1:{s.lmtp_port}",
                "--rcpt", "user%d@example.org", "--users", str(users), "--first-user", str(first),
                "--count", str(count), "--conns", str(conns), "--pack", pack, "--server-pid", str(s.pid)]

    def imap(self, s, user, tests, *more):
        return [os.path.join(self.build, "bench/imap_load"), "--to", f"127.0.0.1:{s.imap_port}",
                "--user", "user%d@example.org", "--pass", PASS, "--first-user", str(user), "--tests", tests,
                "--server-pid", str(s.pid), *more]

    def flushes(self, servers):
        light = self.pack("light", 1000)
        for conns in (1, 8):
            for s in servers:
                n = extra.flushes(s, lambda: last_json(self.lmtp(s, light, 500, conns)), 500)
                self.put(f"flushes-a-message-{conns}", s, flushes=n)

    def disk(self, servers):
        for what, make, count in (("small", extra.small_message, 1000), ("attachment", extra.attachment_message, 100)):
            for s in servers:
                n, size = extra.disk(s, "user10@example.org", make, count)
                self.put(f"disk-{what}", s, bytes_per_message=n, message_bytes=size)

    def large(self, servers, scale):
        """A mailbox of 100,000 small messages, made by COPY."""
        pack = extra.write_pack(os.path.join(self.tmp, "small.pack"), extra.small_message, 10000 // scale)
        for s in servers:
            last_json(self.lmtp(s, pack, 10000 // scale, 8, users=1, first=9))
        time.sleep(3)
        for s in servers:
            ms = extra.copy_many(s, "user9@example.org", PASS, "Big", 10)
            self.put("copy-all", s, messages=10000 // scale, ms=ms)
        for test, repeat in (("connect+login+select", 1), ("select", 3), ("flags", 10)):
            real = "select" if repeat == 1 else test
            self.compare(f"large-{test}", servers, lambda s: self.imap(s, 9, ",".join([real] * repeat), "--mailbox", "Big"),
                         test=test)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--quick", action="store_true", help="a tenth of the messages, two rounds")
    p.add_argument("--only", help="only benchmarks whose name contains this")
    p.add_argument("--no-peer", action="store_true")
    p.add_argument("--no-servers", action="store_true", help="only the programs")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--messages", type=int, help="in the large store [1000000, a tenth with --quick]")
    p.add_argument("--stores", help="directory where large stores stay for the next run")
    p.add_argument("programs", nargs="*")
    args = p.parse_args()
    if args.quick:
        args.rounds = min(args.rounds, 2)
    args.messages = args.messages or (100000 if args.quick else 1000000)
    b = Bench(args)
    for prog in args.programs:
        if b.wanted(prog) and os.path.basename(prog) not in ("lmtp_load", "imap_load"):
            b.program(prog)
    if args.no_servers:
        shutil.rmtree(b.tmp, ignore_errors=True)
        return
    users = [f"user{i + 1}@example.org" for i in range(12)]
    servers = [Ours(users)]
    if not args.no_peer and shutil.which("dovecot"):
        servers.append(Dovecot(users))
    else:
        print(json.dumps({"note": "no peer: install dovecot-imapd and dovecot-lmtpd for comparison"}))
    scale = 10 if args.quick else 1
    try:
        for s in servers:
            b.put("memory-fresh", s, pss_kib=extra.pss_kib(s))
        for profile, count in (("light", 2000), ("office", 800)):
            pack = b.pack(profile, 1000)
            for conns in (1, 8):
                what = f"lmtp-{profile}-{conns}"
                if b.wanted(what):
                    b.compare(what, servers, lambda s: b.lmtp(s, pack, count // scale, conns))
        if b.wanted("imap"):
            fill = b.pack("office", 10000 // scale)
            for s in servers:
                last_json(b.lmtp(s, fill, 10000 // scale, 4, users=1, first=11))
            time.sleep(3)
            for test, repeat in (("envelope-first", 1), ("select", 3), ("noop", 3), ("envelope", 5 * scale), ("flags", 20 * scale),
                                 ("structure", 10 * scale), ("headers", 3 * scale), ("body", 2), ("one", 2),
                                 ("search-subject", 1), ("store", 2), ("store-all", 1)):
                real = test.replace("-first", "")
                rounds, args.rounds = args.rounds, 1 if test.endswith("-first") else args.rounds
                more = ["--count", "100"] if test in ("search-subject", "store-all") else []
                b.compare(f"imap-{test}", servers, lambda s: b.imap(s, 11, ",".join([real] * repeat), *more), test=real)
                args.rounds = rounds
            for conns in (1, 8):
                b.compare(f"imap-append-{conns}", servers, lambda s: b.imap(
                    s, 1, "append", "--users", "8", "--conns", str(conns), "--count", str(2000 // scale),
                    "--pack", b.pack("light", 1000)), test="append")
            b.compare("imap-idle-fanout-20", servers, lambda s: b.imap(
                s, 12, "idle", "--users", "1", "--conns", "20", "--count", "50", "--pack", b.pack("light", 1000)), test="idle")
            for s in servers:
                subprocess.run([sys.executable, os.path.join(HERE, "imap_idle_mem.py"), "--to",
                                f"127.0.0.1:{s.imap_port}", "--user", "user%d@example.org", "--pass", PASS,
                                "--users", "10", "--steps", "0,200", "--pid-tree", str(s.pid)], check=False)
        if b.wanted("wake"):
            for s in servers:
                p50, p99 = extra.wake(s, "user12@example.org", PASS, 200 // scale)
                b.put("lmtp-to-idle-wake", s, p50_ms=p50, p99_ms=p99)
        if b.wanted("large"):
            b.large(servers, scale)
        if b.wanted("flushes"):
            b.flushes(servers)
        if b.wanted("disk"):
            b.disk(servers)
    finally:
        for s in servers:
            s.stop()
        shutil.rmtree(b.tmp, ignore_errors=True)


if __name__ == "__main__":
    main()
