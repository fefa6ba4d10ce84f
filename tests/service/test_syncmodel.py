#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two clients with copies of a mailbox, IMAP and delivery work in it at once, while connections are cut and the server is killed
or stopped; then the copies, a copy made anew, tables and IMAP must say the same, and what was answered must have happened.

GX_SOAK_SECONDS goes on for so long; GX_SOAK_SEED begins with another number.
"""
import collections
import os
import queue
import random
import re
import subprocess
import threading
import time

from gxservice import PASSWORD, RawLmtp, Server, gxtap
import imapwire
import mapiwire
import syncmodel

SOAK = float(os.environ.get("GX_SOAK_SECONDS", "0"))
SEED = int(os.environ.get("GX_SOAK_SEED", "1"))
PLACES = {"Inbox": "INBOX", "Alpha": "Alpha", "Beta": "Beta"}
WAIT = float(os.environ.get("GX_MODEL_WAIT", "120")) * (5 if gxtap.sanitized() else 1)


class Client:
    """One process of tests/model/model."""

    def __init__(self, world, name, port, seed):
        s = world.server
        self.name, self.world = name, world
        self.proc = subprocess.Popen(
            [gxtap.program("tests", "model", "model"), f"https://localhost:{port}/mapi/emsmdb/?MailboxId=x", s.users[0],
             mapiwire.essdn(1, "user1"), s.cert, name, str(seed)],
            env=dict(os.environ, GX_PASSWORD=PASSWORD), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.proc.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def do(self, command):
        """The lines of the answer; operations are noted."""
        self.world.trace(f"{self.name}> {command}")
        self.proc.stdin.write(command + "\n")
        found = []
        while True:
            line = self.lines.get(timeout=WAIT)
            assert line is not None, f"client {self.name} ended with {self.proc.wait()}"
            self.world.trace(f"{self.name}: {line}")
            if line == ".":
                return found
            if line.startswith("bad "):
                self.world.wrong.append(f"client {self.name}: {line}")
            if line.startswith("op "):
                self.note(line.split())
            found.append(line)

    def note(self, words):
        result, kind, place, tag, args = words[1], words[2], words[3], words[4], words[5:]
        if kind[0] == "f" and kind != "flag":
            kind, place = kind[1:], place if kind == "fcreate" else None
        self.world.judge.note(self.name, result, kind, place, tag, args)
        self.world.kinds[kind + " " + result] += 1

    def close(self):
        self.proc.stdin.close()
        assert self.proc.wait(WAIT) == 0, f"client {self.name} ended with {self.proc.returncode}"


class Imap:
    """Does what IMAP can, one command after the other; a broken connection leaves one of them unsure."""

    def __init__(self, world, seed):
        self.world, self.rng, self.wire, self.n = world, random.Random(seed), None, 0
        self.place, self.known = None, {}

    def note(self, result, kind, place, tag, *args):
        self.world.trace(f"imap: {result} {kind} {place} {tag} {args}")
        self.world.judge.note("imap", result, kind, place, tag, args)
        self.world.kinds[f"imap {kind} {result}"] += 1

    def connect(self):
        while self.wire is None:
            if self.world.late():
                raise TimeoutError("IMAP does not answer")
            try:
                self.wire = imapwire.Wire(self.world.server, 0, timeout=WAIT)
            except (OSError, imapwire.Closed, AssertionError):
                time.sleep(0.02)

    def drop(self):
        if self.wire is not None:
            self.wire.close()
        self.wire, self.known = None, {}

    def select(self):
        self.connect()
        self.place = self.rng.choice(list(PLACES))
        self.wire.ok(b"SELECT " + PLACES[self.place].encode())
        self.known = {uid: (seq, subject.split()[0]) for seq, uid, flags, subject in self.world.fetch(self.wire) if subject}

    def command(self, text, what, parts=()):
        """(untagged, tagged line); what: what it may have done when nothing comes back."""
        try:
            return self.wire.cmd(text, parts)
        except (OSError, imapwire.Closed):
            if what is not None:
                self.note("unsure", *what)
            raise

    def append(self):
        self.n += 1
        tag, flags = f"i{self.n}", [self.rng.random() < .5, self.rng.random() < .3]
        place = self.rng.choice(list(PLACES))
        data = syncmodel.mail(tag, "0", self.rng)
        args = ("create", place, tag, "0", str(int(flags[0])), str(int(flags[1])), "0")
        names = " ".join(n for n, f in zip(("\\Seen", "\\Flagged"), flags) if f)
        _, last = self.command(b"APPEND %s (%s) {%d}" % (PLACES[place].encode(), names.encode(), len(data)), args, [data + b"\r\n"])
        self.note("ok" if b" OK" in last[:12] else "no", *args)

    def store(self, uid, tag):
        seen, on = self.rng.random() < .5, self.rng.random() < .5
        args = ("read" if seen else "flag", self.place, tag, str(int(on)))
        found, last = self.command(b"UID STORE %d %sFLAGS (%s)" % (uid, b"+" if on else b"-", b"\\Seen" if seen else b"\\Flagged"), args)
        told = any(re.search(rb"FETCH .*UID %d\b" % uid, r) for r in found)
        self.note("ok" if told and b" OK" in last[:12] else "no", *args)

    def carry(self, uid, tag):
        move, to = self.rng.random() < .6, self.rng.choice(list(PLACES))
        if move and to == self.place:
            return
        args = ("move" if move else "copy", self.place, tag, to)
        found, last = self.command(b"UID %s %d %s" % (b"MOVE" if move else b"COPY", uid, PLACES[to].encode()), args)
        self.note("ok" if any(b"[COPYUID" in r for r in found + [last]) else "no", *args)

    def expunge(self, uid, tag):
        args = ("delete", self.place, tag)
        found, last = self.command(b"UID STORE %d +FLAGS (\\Deleted)" % uid, None)
        seqs = [int(m.group(1)) for m in (re.match(rb"\* (\d+) FETCH .*UID %d\b" % uid, r) for r in found) if m]
        found, last = self.command(b"UID EXPUNGE %d" % uid, args)
        gone = [int(r.split()[1]) for r in found if r.rstrip().endswith(b" EXPUNGE")]
        sure = seqs[-1:] == gone and len(gone) == 1
        self.note("ok" if sure else "unsure" if gone else "no", *args)
        self.known.pop(uid, None)

    def work(self, n):
        while n > 0 and not self.world.late():
            try:
                self.connect()
                if self.place is None or not self.known or self.rng.random() < .3:
                    self.select()
                n -= 1
                what = self.rng.random()
                if what < .25 or not self.known:
                    self.append()
                    continue
                uid, (_, tag) = self.rng.choice(sorted(self.known.items()))
                (self.store if what < .55 else self.carry if what < .8 else self.expunge)(uid, tag)
            except (OSError, imapwire.Closed, AssertionError) as e:
                if isinstance(e, TimeoutError):
                    raise
                self.world.trace(f"imap: {e!r}")
                self.drop()


class World:
    def __init__(self, seed, env=None):
        self.rng = random.Random(seed)
        self.server = Server(users=1, http=True, env=env, config=os.environ.get("GX_MODEL_CONFIG", ""))
        self.server.start()
        self.log, self.wrong, self.kinds = open(os.path.join(self.server.dir, "trace"), "w", buffering=1), [], collections.Counter()
        self.judge = syncmodel.Judge()
        self.cutter = syncmodel.Cutter(self.server.https_port, seed)
        self.cutter.told = self.trace
        self.a = Client(self, "a", self.cutter.listen_port, seed * 3 + 1)
        self.b = Client(self, "b", self.cutter.listen_port, seed * 3 + 2)
        self.eye = Client(self, "e", self.server.https_port, seed * 3 + 3)
        self.imap = Imap(self, seed)
        self.sent = self.kills = self.rounds = self.items = 0
        self.end, self.errors = time.monotonic() + WAIT, []
        self.whole = set()
        for c in (self.eye, self.a, self.b):
            c.do("setup")

    def trace(self, line):
        self.log.write(f"{time.monotonic():.3f} {line}\n")

    def late(self):
        return time.monotonic() > self.end

    def deliver(self, n):
        for _ in range(n):
            self.sent += 1
            tag = f"d{self.sent}"
            args = ("create", "Inbox", tag, ["0", "0", "0", "0"])
            data = syncmodel.mail(tag, "0", self.rng)
            result = "no"
            try:
                with RawLmtp(self.server.lmtp_port, timeout=WAIT) as c:
                    result = "unsure"
                    c.send_mail("sender@example.net", [self.server.users[0]], data)
                    result = "ok"
            except (OSError, AssertionError):
                time.sleep(0.02)
            self.trace(f"lmtp: {result} {tag}")
            self.judge.note(tag, result, *args)
            self.kinds["lmtp " + result] += 1

    def strike(self, how):
        """The server ends in the middle of everything, and comes back."""
        if how is None:
            return
        time.sleep(self.rng.random() ** 2 * 1.0)
        self.trace(f"--- {how}")
        self.kills += 1
        if how == "kill":
            self.server.kill()
        else:
            self.server.stop(WAIT)
        self.server.start(WAIT)
        self.trace("--- back")

    def at_once(self, *calls):
        def guarded(f, *a):
            try:
                f(*a)
            except BaseException as e:  # shown by the one who waits
                self.errors.append(e)
        threads = [threading.Thread(target=guarded, args=c) for c in calls]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        if self.errors:
            raise self.errors[0]

    # ---- What there is ----

    def fetch(self, wire, what=b"BODY.PEEK[HEADER.FIELDS (SUBJECT)]", which=b"1:*"):
        """[(number, uid, flags, text)] of the selected mailbox."""
        rows = []
        for r in wire.ok(b"UID FETCH %s (UID FLAGS %s)" % (which, what)):
            m = re.match(rb"\* (\d+) FETCH ", r)
            uid, flags = re.search(rb"UID (\d+)", r), re.search(rb"FLAGS \(([^)]*)\)", r)
            literal = re.search(rb"\{(\d+)\}\r\n", r)
            if m and uid and flags and literal:
                text = r[literal.end():literal.end() + int(literal.group(1))].decode(errors="replace")
                rows.append((int(m.group(1)), int(uid.group(1)), flags.group(1).split(), text.partition(":")[2].strip() if b"HEADER" in what else text))
        return rows

    def by_imap(self):
        """{(place, tag, version, read, flagged, uid)}, texts looked at once."""
        found = set()
        with imapwire.Wire(self.server, 0, timeout=WAIT) as wire:
            for place, name in PLACES.items():
                wire.ok(b"SELECT " + name.encode())
                uids = []
                for _, uid, flags, subject in self.fetch(wire):
                    tag, ver = subject.split()
                    found.add((place, tag, ver, b"\\Seen" in flags, b"\\Flagged" in flags, uid))
                    uids.append(uid)
                if len(set(uids)) != len(uids) or sorted(uids) != uids:
                    self.wrong.append(f"UIDs of {place}: {uids}")
                new = {(place, x[5]): x[1:3] for x in found if x[0] == place and (place, x[5]) not in self.whole}
                if new:
                    which = ",".join(str(u) for _, u in new).encode()
                    for _, uid, _, text in self.fetch(wire, b"BODY.PEEK[1]", which):
                        if (place, uid) in new and not syncmodel.is_text(text, *new[place, uid]):
                            self.wrong.append(f"{place} {uid} {new[place, uid]}: IMAP has the text {text[:100]!r}")
                    self.whole |= set(new)
        return found

    def folders_by_imap(self):
        with imapwire.Wire(self.server, 0, timeout=WAIT) as wire:
            names = [re.search(rb'"/" "?([^"\r]*)', r).group(1).decode() for r in wire.ok(b'LIST "" "*"')]
        return sorted(n for n in names if "/" in n and n.split("/")[0] in PLACES.values() and len(n.split("/")[1].split()) == 2)

    def look(self):
        """What a copy made anew has, when tables and IMAP have the same: ({message}, {folder}, {tag: [thing]})."""
        end = time.monotonic() + WAIT
        while True:
            lines = self.eye.do("truth")
            lines = lines[len(lines) - lines[::-1].index("again"):]
            m = sorted(x[2:] for x in lines if x.startswith("m "))
            rows = [x[2:].rsplit(" ", 1) for x in lines if x.startswith("t ")]
            t = sorted(r[0] for r in rows)
            f, g = (sorted(x[2:] for x in lines if x.startswith(k)) for k in ("f ", "g "))
            imap = self.by_imap()
            by_table = {(w[0], w[2], w[3], w[4] == "1", w[5] == "1", int(uid)) for w, uid in ((r[0].split(), r[1]) for r in rows)
                        if w[6] == "0"}
            places = {}
            for line in f:
                fid, parent, name = line.split(" ", 2)
                places[fid] = (parent, name)
            mine = [(places[p][1] if p in places else None, name.split()) for p, name in places.values() if len(name.split()) == 2]
            by_tree = sorted(f"{PLACES[p]}/{' '.join(n)}" for p, n in mine if p in PLACES)
            listed = self.folders_by_imap()
            differ = [what for what, x, y in (("a new copy and tables", m, t), ("tables and IMAP", by_table, imap),
                                              ("folders of a new copy and of the table", f, g), ("folders and IMAP", by_tree, listed)) if x != y]
            if not differ:
                break
            if time.monotonic() > end or self.wrong:
                for x, y in ((m, t), (by_table, imap), (f, g), (by_tree, listed)):
                    if x != y:
                        self.wrong.append(f"differ: {differ}: {sorted(set(x) - set(y), key=str)[:6]} {sorted(set(y) - set(x), key=str)[:6]}")
                break
            time.sleep(0.05)
            end = min(end, time.monotonic() + 60)
        now = collections.defaultdict(list)
        for line in m:
            place, _, tag, ver, read, flagged, fai = line.split()
            now[tag].append((place, ver, read == "1" and fai == "0", flagged == "1"))
        for p, (tag, ver) in mine:
            if p in PLACES:
                now[tag].append((p, ver, False, False))
        return m, f, dict(now)

    def compare(self, client, m, f):
        lines = client.do("copy")
        for what, mine, theirs in (("messages", sorted(x[2:] for x in lines if x.startswith("m ")), m),
                                   ("folders", sorted(x[2:] for x in lines if x.startswith("f ")), f)):
            if mine != theirs:
                self.wrong.append(f"{what} of {client.name}: has {sorted(set(mine) - set(theirs))[:6]}, the server "
                                  f"{sorted(set(theirs) - set(mine))[:6]}, {len(mine)} and {len(theirs)}")

    def rest(self):
        """Nobody does anything: all must have the same, and it must be possible."""
        end = time.monotonic() + WAIT
        while True:
            self.at_once((self.a.do, "sync"), (self.b.do, "sync"))
            before = self.look()
            self.at_once((self.a.do, "sync"), (self.b.do, "sync"))
            m, f, now = self.look()
            impossible = self.judge.verdict(now)
            if self.wrong or (before == (m, f, now) and not impossible):
                break
            if time.monotonic() > end or (before == (m, f, now) and not any(x.startswith("d") and "is []" in x for x in impossible)):
                self.wrong += impossible
                break
            time.sleep(0.1)
        self.compare(self.a, m, f)
        self.compare(self.b, m, f)
        self.judge.settle(now)
        self.items = len(m)

    def round(self, n, how):
        self.rounds += 1
        self.end = time.monotonic() + WAIT
        self.trace(f"=== round {self.rounds}")
        self.at_once((self.a.do, f"work {n}"), (self.b.do, f"work {n}"), (self.imap.work, n // 2), (self.deliver, n // 5), (self.strike, how))
        self.imap.drop()
        self.imap.place = None
        self.rest()
        assert not self.wrong, f"round {self.rounds}: {self.wrong[0]}"

    def tell(self):
        for line in self.wrong[:20]:
            print("# " + line)
        for c in (self.a, self.b, self.eye):
            c.proc.kill()
        self.server.kill()
        print(f"# files kept in {self.server.dir}, all that happened in the file trace there")

    def close(self):
        for c in (self.a, self.b, self.eye):
            c.close()
        self.cutter.close()
        self.server.stop(WAIT)
        self.server.tool("gromox-mkprivate", "--integrity", "-c", self.server.cfg, self.server.users[0])
        print(f"# {self.rounds} rounds, {self.kills} ends of the server, {self.cutter.cuts} cut connections, {self.items} messages in the end")
        print("# " + ", ".join(f"{k} {v}" for k, v in sorted(self.kinds.items())))


def rounds(w, end):
    ways = [None, "kill", "stop"] if SOAK == 0 else [w.rng.choice((None, None, "kill", "kill", "stop")) for _ in range(40)]
    for how in ways:
        w.round((12 if gxtap.sanitized() else 25) if SOAK == 0 else w.rng.randrange(10, 80), how)
        if SOAK and time.monotonic() > end:
            break


def test_nothing_is_lost_doubled_or_stale():
    end, seed = time.monotonic() + SOAK, SEED
    while True:
        print(f"# seed {seed}", flush=True)
        w = World(seed)
        try:
            rounds(w, end)
        except BaseException:
            w.tell()
            raise
        w.close()
        seed += 1
        if time.monotonic() >= end:
            return


gxtap.main(globals())
