#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""FastTransfer streams, from facts/fxics.tsv: gx/ftx-codes.h (markers, meta-properties, flags) and
libgxmapi/ftx-grammar-table.h (the grammar of [MS-OXCFXICS] 2.2.4.2 as a pushdown automaton).

What stands between a marker of its own and an end marker is a frame (message, attachment ...): one
finite automaton each, called from the frame around it. All other rules are put in where they are used,
so that a frame's automaton has no choice left open when its subsets are built.
"""
import re
import facts

ERROR = "errorInfo"                        # may take the place of these, or break them off
RECOVERABLE = ("message", "messageChange")
ATTACH_NUMBER = "PidTagAttachNumber"
PROP = "propValue"
POP = "pop"


class Spec:
    def __init__(self, top):
        self.rows = facts.rows(top, "fxics")
        self.markers = self.kind("marker")
        self.metas = self.kind("state_property") + self.kind("meta_property")
        self.rules = {r["name"]: r["notes"] for r in self.kind("grammar") if r["group"] == "syntax"}
        self.roots = [r for r in self.kind("stream_root")]
        self.classes = {r["name"]: r["notes"].split(" / ") for r in self.kind("element_props")}
        self.marker_names = {r["name"] for r in self.markers}

    def kind(self, kind):
        return [r for r in self.rows if r["kind"] == kind]

    def symbols(self):
        """Markers, meta-properties that the grammar names, classes of the others, and ordinary properties."""
        named = [r["name"] for r in self.metas if any(re.search(rf"\b{r['name']}\b", t) for t in self.rules.values())]
        return [r["name"] for r in self.markers] + named + [f"{c}Prop" for c in self.classes] + [ATTACH_NUMBER, PROP]

    def symbol_of(self, name):
        for c, members in self.classes.items():
            if name in members:
                return f"{c}Prop"
        return name


def parse(text):
    """A rule as nested tuples: ("seq", [..]), ("alt", [..]), ("rep", low, high, item), ("name", x)."""
    tokens = re.findall(r"\d*\*\d*|[()\[\]/]|[A-Za-z]\w*", text)

    def alternatives():
        alts = [sequence()]
        while tokens and tokens[0] == "/":
            tokens.pop(0)
            alts.append(sequence())
        return alts[0] if len(alts) == 1 else ("alt", alts)

    def sequence():
        items = []
        while tokens and tokens[0] not in ")]/":
            items.append(item())
        return ("seq", items)

    def item():
        t = tokens.pop(0)
        if "*" in t:
            low, high = t.split("*")
            return ("rep", int(low or 0), int(high) if high else None, item())
        if t in "([":
            inner = alternatives()
            tokens.pop(0)
            return inner if t == "(" else ("rep", 0, 1, inner)
        return ("name", t)

    return alternatives()


class Automaton:
    """All frames and roots of the grammar."""

    def __init__(self, spec):
        self.spec = spec
        self.trees = {n: parse(t) for n, t in spec.rules.items()}
        self.edges, self.eps = [], []      # by node: [(symbol, frame or None, node)], [node]
        self.frames = {n: i for n, i in ((n, self.opening(n)) for n in self.trees) if i}
        self.states = []                   # (owner, {symbol: (next, frame)}, accepting)
        self.entry = {}                    # owner -> state
        for f in self.frames:
            self.add(f, self.frame_nfa(f))
        for r in spec.roots:
            self.add("root " + r["name"], self.root_nfa(r["name"]))

    def opening(self, rule):
        """The markers that a frame begins with; empty for other rules."""
        tree = self.trees[rule]
        if tree[0] != "seq" or len(tree[1]) < 2 or not self.is_marker(tree[1][-1]):
            return []
        first = tree[1][0]
        heads = first[1] if first[0] == "alt" else [first]
        heads = [h[1][0] if h[0] == "seq" else h for h in heads]
        return [h[1] for h in heads] if all(self.is_marker(h) for h in heads) else []

    def is_marker(self, tree):
        return tree[0] == "name" and tree[1] in self.spec.marker_names

    def node(self):
        self.edges.append([])
        self.eps.append([])
        return len(self.edges) - 1

    def link(self, a, b):
        self.eps[a].append(b)

    def frame_nfa(self, rule):
        items = self.trees[rule][1]
        start, end = self.build(("seq", items[1:-1]), rule)
        self.edges[end].append((items[-1][1], None, POP))
        return start, None

    def root_nfa(self, rule):
        return self.build(("name", rule), rule)

    def build(self, tree, rule):
        kind = tree[0]
        if kind == "name":
            return self.reference(tree[1], rule)
        start, end = self.node(), self.node()
        if kind == "seq":
            at = start
            for item in tree[1]:
                s, e = self.build(item, rule)
                self.link(at, s)
                at = e
            self.link(at, end)
        elif kind == "alt":
            for item in tree[1]:
                s, e = self.build(item, rule)
                self.link(start, s)
                self.link(e, end)
        else:
            self.repeat(tree, rule, start, end)
        return start, end

    def repeat(self, tree, rule, start, end):
        low, high, item = tree[1:]
        at = start
        for i in range(low if high is None else high):
            if i >= low:
                self.link(at, end)
            s, e = self.build(item, rule)
            self.link(at, s)
            at = e
        if high is None:
            s, e = self.build(item, rule)
            self.link(at, s)
            self.link(e, at)
        self.link(at, end)

    def reference(self, name, rule):
        first = len(self.edges)
        if name == PROP or name not in self.trees:
            start, end = self.node(), self.node()
            self.edges[start].append((name, None, end))
        elif name == "propList" and rule in self.spec.classes:
            start = end = self.node()
            self.edges[start].append((f"{rule}Prop", None, start))
        elif name in self.frames:
            start, end = self.node(), self.node()
            for marker in self.frames[name]:
                self.edges[start].append((marker, name, end))
        else:
            start, end = self.build(self.trees[name], name)
        if name in RECOVERABLE:
            self.recover(first, len(self.edges), end)
        return start, end

    def recover(self, first, last, end):
        """From all of it, to behind it."""
        start, after = self.build(self.trees[ERROR], ERROR)
        marker = next(e for n in self.closure([start]) for e in self.edges[n])
        for n in range(first, last):
            if n != end:
                self.edges[n].append(marker)
        self.link(after, end)

    def closure(self, nodes):
        seen, pending = set(nodes), list(nodes)
        while pending:
            for n in self.eps[pending.pop()]:
                if n not in seen:
                    seen.add(n)
                    pending.append(n)
        return frozenset(seen)

    def moves(self, subset):
        """By input symbol: the frame that is called, and the nodes behind."""
        found = {}
        for n in sorted(subset):
            for symbol, frame, to in self.edges[n]:
                for s in (symbol, ATTACH_NUMBER) if symbol == PROP else (symbol,):
                    found.setdefault(s, []).append((frame, to))
        for s, targets in found.items():
            frames = {f for f, _ in targets}
            if len(frames) != 1 or (any(t == POP for _, t in targets) and len(targets) != 1):
                raise SystemExit(f"grammar: {s} means two things at one place")
            yield s, frames.pop(), [t for _, t in targets]

    def add(self, owner, nfa):
        start, end = nfa
        numbers = {self.closure([start]): len(self.states) + 1}  # 0: no way on
        pending = list(numbers)
        self.entry[owner] = numbers[pending[0]]
        base = len(self.states)
        while pending:
            subset = pending.pop(0)
            moves = {}
            for s, frame, targets in self.moves(subset):
                if targets == [POP]:
                    moves[s] = (POP, None)
                    continue
                to = self.closure(targets)
                if to not in numbers:
                    numbers[to] = base + len(numbers) + 1
                    pending.append(to)
                moves[s] = (numbers[to], frame)
            self.states.append((owner, moves, end is not None and end in subset))


def snake(name):
    name = re.sub(r"FAI|CN", lambda m: m.group(0).title(), name)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


def ptypes(top):
    return {r["name"]: int(r["type"], 16) for r in facts.rows(top, "proptypes")}


def held_tag(row, types):
    """The type that the value has, whatever the tag on the wire says."""
    return int(row["value"], 16) & 0xffff0000 | types[row["group"]]


def codes_h(top):
    spec, types = Spec(top), ptypes(top)
    out = "/** Markers, [MS-OXCFXICS] 2.2.4.1.4. */\nenum {\n"
    out += "".join(f"\t{r['name']} = {r['value']}, /**< {r['notes']} */\n" for r in spec.markers)
    out += "};\n\n"
    out += "/** Meta-properties and those of the synchronisation state, with the types of their values. */\nenum {\n"
    for r in spec.metas:
        wire = f"; on the wire {r['value']}" if held_tag(r, types) != int(r["value"], 16) else ""
        out += f"\t{r['name']} = 0x{held_tag(r, types):08X}, /**< [{r['section'].replace(' ', '] ', 1)}{wire} */\n"
    out += "};\n\n/** What a stream is, [MS-OXCFXICS] 2.2.4.4. */\nenum {\n"
    out += "\tGX_FTX_ANY = 0, /**< any elements in any order */\n"
    for name in dict.fromkeys(r["name"] for r in spec.roots):
        by = "; ".join(r["notes"] for r in spec.roots if r["name"] == name)
        out += f"\tGX_FTX_{snake(name)}, /**< {by} */\n"
    out += "\tGX_FTX_ROOTS\n};\n"
    for group, prefix in (("SendOptions", "SEND"), ("TransferStatus", "STATUS"), ("SourceOperation", "FROM")):
        rows = [r for r in spec.kind("flag") if r["group"] == group and "Reserved" not in r["name"]]
        out += f"\n/** {group}, [MS-OXCFXICS] {rows[0]['section'].split(' ')[1]}. */\nenum {{\n"
        out += "".join(f"\tGX_FTX_{prefix}_{snake(r['name'].split('.')[1])} = {r['value']},\n" for r in rows) + "};\n"
    return facts.header("GX_FTX_CODES_H", "facts/fxics.tsv", out)


def specials(spec, types, symbols):
    """Tags that mean something of their own, by id."""
    out = [(int(r["value"], 16), int(r["value"], 16), r["name"], r["name"], True) for r in spec.markers]
    out += [(int(r["value"], 16), held_tag(r, types), r["name"], spec.symbol_of(r["name"]), False) for r in spec.metas]
    return sorted((wire, held, name, symbols.index(symbol), marker) for wire, held, name, symbol, marker in out)


def readable(symbol):
    if not symbol.endswith("Prop") or symbol.startswith("MetaTag"):
        return "a property" if symbol == PROP else symbol
    return f"a property of {symbol.removesuffix('Prop')}"


def step(auto, symbols, moves):
    out = []
    for s in sorted(moves, key=symbols.index):
        to, frame = moves[s]
        call = auto.entry[frame] if frame else 0
        out.append(f"[{symbols.index(s)}] = {{{'FTX_POP' if to == POP else to}, {call}}}")
    return "{" + ", ".join(out) + "}"


def table_h(top):
    spec, types = Spec(top), ptypes(top)
    auto, symbols = Automaton(spec), spec.symbols()
    frames = list(auto.frames)
    owners = frames + ["root " + r for r in dict.fromkeys(r["name"] for r in spec.roots)]
    if len(auto.states) >= 254:
        raise SystemExit("grammar: more states than a byte counts")
    out = "enum {\n" + "".join(f"\tSYM_{s} = {i},\n" for i, s in enumerate(symbols)) + "\tSYM_COUNT\n};\n"
    out += f"enum {{ FTX_STATES = {len(auto.states) + 1}, FTX_POP = 255, FTX_FRAMES = {len(frames)} }};\n\n"
    out += "static const char *const symbol_names[SYM_COUNT] = {\n"
    out += "".join(f"\t{facts.c_str(readable(s))},\n" for s in symbols) + "};\n"
    out += "/* Frames, then roots. */\nstatic const char *const frame_names[] = {\n"
    out += "".join(f"\t{facts.c_str(o.split(' ')[-1])},\n" for o in owners) + "};\n"
    out += "static const struct {\n\tuint8_t next, call;\n} steps[FTX_STATES][SYM_COUNT] = {\n"
    out += "".join(f"\t[{i + 1}] = {step(auto, symbols, m)},\n" for i, (_, m, _) in enumerate(auto.states)) + "};\n"
    out += "static const struct {\n\tuint8_t frame;\n\tbool accept;\n} states[FTX_STATES] = {\n"
    out += "".join(f"\t[{i + 1}] = {{{owners.index(o)}, {'true' if a else 'false'}}},\n"
                   for i, (o, _, a) in enumerate(auto.states)) + "};\n"
    out += "/* In the order of GX_FTX_*, from the first behind GX_FTX_ANY. */\nstatic const uint8_t root_states[] = {"
    out += ", ".join(str(auto.entry[o]) for o in owners[len(frames):]) + "};\n"
    rows = specials(spec, types, symbols)
    out += f"enum {{ FTX_SPECIALS = {len(rows)} }};\nstatic const struct gx_ftx__special specials[FTX_SPECIALS] = {{\n"
    out += "".join(f"\t{{0x{w:08X}, 0x{h:08X}, {facts.c_str(n)}, {s}, {'true' if m else 'false'}}},\n"
                   for w, h, n, s, m in rows)
    out += "};\nstatic const gx_proptag_t del_values[] = {"
    out += ", ".join(r["value"] for r in spec.kind("del_value")) + "};\n"
    return facts.source("facts/fxics.tsv", out)


if __name__ == "__main__":
    facts.main({"ftx-codes.h": codes_h, "ftx-grammar-table.h": table_h})
