# SPDX-License-Identifier: Apache-2.0
"""What may have become of a mailbox that several work in at once, and a connection that breaks.

Each of them has a list of what he did: what was answered has happened, in his order; what met no answer may have happened, at
any moment from then on; nothing else has. An item is followed by its tag, which copies share.
"""
import collections
import random
import socket
import threading

# Place None: wherever it is, as folders keep their ids.
# A message or folder: where, which version, read, flagged, and the id that its client gave it, if one did.
Thing = collections.namedtuple("Thing", "place ver read flagged key")
Op = collections.namedtuple("Op", "sure kind place tag args")


def effects(op, state):
    """All that op may make of a state, which is a sorted tuple of things."""
    a = op.args
    if op.kind == "create":
        t = Thing(op.place, a[0], a[1] == "1" and a[3] != "1", a[2] == "1", a[4] if len(a) > 4 else None)
        if t.key is not None and any(x.key == t.key for x in state):
            return [state]
        return [tuple(sorted(state + (t,), key=repr))]
    found = []
    for i, t in enumerate(state):
        if op.place is not None and t.place != op.place:
            continue
        rest = state[:i] + state[i + 1:]
        if op.kind == "change":
            now = (t._replace(ver=a[0]),)
        elif op.kind == "bring":
            now = (t._replace(ver=a[0], flagged=a[1] == "1"),)
        elif op.kind == "read":
            now = (t._replace(read=a[0] == "1"),)
        elif op.kind == "flag":
            now = (t._replace(flagged=a[0] == "1"),)
        elif op.kind == "delete":
            now = ()
        elif op.kind == "move":
            now = (t._replace(place=a[0], ver=a[1] if len(a) > 1 else t.ver, key=None),)
        elif op.kind == "copy":
            now = (t, t._replace(place=a[0], ver=a[1] if len(a) > 1 else t.ver, key=None))
        else:
            raise ValueError(op)
        found.append(tuple(sorted(rest + now, key=repr)))
    if not found and op.kind == "bring":
        # somebody has deleted it for good: it is a new one then, read or not as the client knew it
        return [state] + [tuple(sorted(state + (Thing(op.place, a[0], read, a[1] == "1", None),), key=repr)) for read in (False, True)]
    return found or [state]


def bare(state):
    return sorted((t.place, t.ver, t.read, t.flagged) for t in state)


def possible(before, actors, after):
    """Whether the things of one tag may have become what they are. actors: lists of operations.

    Who does not know yet that a thing went elsewhere, or that this one is a copy, does something to one that is not there."""
    after = sorted(after)
    others = [o for ops in actors for o in ops if o.kind != "create"]
    loose = len(others) > 1 and (len(before) > 1 or any(o.kind in ("move", "copy") for o in others))
    start = (tuple(0 for _ in actors), tuple(sorted(before, key=repr)))
    open_steps, seen = [start], {start}
    while open_steps:
        at, state = open_steps.pop()
        if all(n == len(ops) or not any(o.sure for o in ops[n:]) for n, ops in zip(at, actors)) and bare(state) == after:
            return True
        for k, ops in enumerate(actors):
            if at[k] == len(ops):
                continue
            op = ops[at[k]]
            if op.kind != "create" and not state and any(o.kind == "create" and o.sure for ops2, n in zip(actors, at) for o in ops2[n:]):
                continue  # nobody knows it before it is there
            nexts = effects(op, state) + ([state] if loose and op.kind != "create" or not op.sure else [])
            for s in nexts:
                step = (at[:k] + (at[k] + 1,) + at[k + 1:], s)
                if step not in seen:
                    seen.add(step)
                    open_steps.append(step)
    return False


class Judge:
    """Knows what was there after the round before, and who did what since."""

    def __init__(self):
        self.things = {}
        self.ops = collections.defaultdict(list)
        self.count = collections.Counter()
        self.lock = threading.Lock()

    def note(self, who, result, kind, place, tag, args):
        with self.lock:
            self.count[result] += 1
            if result == "ok":
                self.ops[tag].append((who, Op(True, kind, place, tag, args)))
            elif result == "unsure":
                # it may come late, so it is nobody's turn
                self.ops[tag].append((object(), Op(False, kind, place, tag, args)))

    def verdict(self, now):
        """now: {tag: [(place, ver, read, flagged)]}. @return what cannot be."""
        wrong = []
        for tag in set(now) | set(self.things) | set(self.ops):
            actors = collections.OrderedDict()
            for who, op in self.ops.get(tag, ()):
                actors.setdefault(who, []).append(op)
            before = self.things.get(tag, ())
            if not actors and bare(before) == sorted(now.get(tag, ())):
                continue
            if not possible(before, list(actors.values()), now.get(tag, ())):
                wrong.append(f"{tag}: was {bare(before)}, is {sorted(now.get(tag, ()))}, after "
                             f"{[[(o.kind, o.place, o.args, 'ok' if o.sure else '?') for o in v] for v in actors.values()]}")
        return wrong

    def settle(self, now):
        """The round is over. Mail that was not answered may be in the journal still."""
        self.things = {tag: tuple(Thing(*t, None) for t in v) for tag, v in now.items()}
        late = {tag: [x for x in v if x[1].kind == "create" and not x[1].sure and tag.startswith("d")]
                for tag, v in self.ops.items() if tag not in now}
        self.ops.clear()
        self.ops.update({tag: v for tag, v in late.items() if v})


def text_of(tag, ver, length, att=0):
    """As text_of() of tests/model/item.c."""
    h = 7
    for c in tag + ver:
        h = (h * 31 + ord(c)) & 0xffff
    s = "".join(chr(97 + (h + i * 7 + i // 61) % 26) for i in range(length))
    return f"{tag} {ver} {length} {att}\r\n" + "\r\n".join(s[i:i + 64] for i in range(0, length, 64))


def is_text(data, tag, ver):
    head = data.split("\n", 1)[0].split()
    if len(head) != 4 or head[:2] != [tag, ver]:
        return False
    return "".join(data.split()) == "".join(text_of(tag, ver, int(head[2]), int(head[3])).split())


def mail(tag, ver, rng):
    length = rng.randrange(50000) if rng.random() < .1 else rng.randrange(1500)
    return (f"From: Ann <ann@example.net>\r\nTo: Bob <bob@example.net>\r\nSubject: {tag} {ver}\r\nMIME-Version: 1.0\r\n"
            f"Content-Type: text/plain\r\n\r\n{text_of(tag, ver, length)}\r\n").encode()


class Cutter:
    """Stands before a port and cuts some of the connections, somewhere in the middle."""

    def __init__(self, port, seed, share=0.3, most=120000):
        self.port, self.rng, self.share, self.most = port, random.Random(seed), share, most
        self.on, self.cuts, self.told = True, 0, lambda line: None
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.listen_port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                c, _ = self.listener.accept()
            except OSError:
                return
            try:
                s = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                c.close()
                continue
            left = [int(self.most * self.rng.random() ** 2) if self.rng.random() < self.share else None, threading.Lock()]
            for x, y in ((c, s), (s, c)):
                threading.Thread(target=self.pump, args=(x, y, left), daemon=True).start()

    def pump(self, x, y, left):
        try:
            while True:
                data = x.recv(65536)
                if not data:
                    break
                with left[1]:
                    if left[0] is not None and self.on:
                        left[0] -= len(data)
                        if left[0] < 0:
                            y.sendall(data[:left[0]])
                            self.cuts += 1
                            self.told(f"cut {x.getpeername()} {left[0]}")
                            break
                y.sendall(data)
        except OSError:
            pass
        for z in (x, y):
            try:
                z.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        if x.fileno() >= 0 and y.fileno() >= 0:
            with left[1]:
                left.append(None)
                if len(left) == 4:
                    x.close()
                    y.close()

    def close(self):
        self.listener.close()
