# SPDX-License-Identifier: Apache-2.0
"""What the unit tests in C ask and what they expect: found in their text, for lists of what is tested."""
import re

FINE = re.compile(r"ecSuccess|ecWarn\w+|ecPartialCompletion|ecErrorsReturned|ecNullObjectWarning")
CODE = re.compile(r"\bec[A-Z]\w+")
ROP = re.compile(r"\bRop[A-Z]\w*")
COMMENT = re.compile(r"/\*.*?\*/", re.S)
TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
BODY = re.compile(r"^(?:START_TEST\((\w+)\)|((?:static )?[a-z][^;{}()=]*?)\b(\w+)\(([^;{}]*)\))\n\{\n(.*?)^\}", re.S | re.M)
EXPECT = re.compile(r"\b(\w+_OK|\w+_IS|gx_ec_failed|gx_ec_is)\(")
CALLED = re.compile(r"\b(\w+)\(")
INCLUDE = re.compile(r'^#include "([\w/.-]+\.h)"', re.M)
INDEXED = re.compile(r"\b(\w+)\[\w+\]")


def arguments(text, start):
    """Those of the call whose '(' stands before @start, and where it ends."""
    depth, out, last, i = 1, [], start, start
    while depth and i < len(text):
        c = text[i]
        depth += c in "([{"
        depth -= c in ")]}"
        if depth == 1 and c == "," or depth == 0:
            out.append(text[last:i].strip())
            last = i + 1
        i += 1
    return out, i


def included(path, top):
    """The headers beside the tests that they share functions by, and those that these include."""
    found, look = [], [path]
    while look:
        for name in INCLUDE.findall(look.pop().read_text(encoding="utf-8")):
            header = top / name
            if header.exists() and header not in found and "-int" not in name:
                found.append(header)
                look.append(header)
    return found


class Function:
    def __init__(self, path, test, kind, name, body):
        self.path, self.is_test, self.name, self.body = path, test is not None, test or name, body
        self.gives_code = not self.is_test and "gx_ec" in kind
        self.calls = set(CALLED.findall(body))
        self.good, self.bad, self.asks = set(), set(), set()


def functions(path):
    text = COMMENT.sub(" ", path.read_text(encoding="utf-8"))
    return text, [Function(path, m[1], m[2] or "", m[3], m[5]) for m in BODY.finditer(text)]


def table(text, name):
    """What an array is initialised with: the operations named in it, and in rows also the answer codes."""
    m = re.search(rf"\b{name}\[\w*\]\s*=\s*\{{", text)
    return arguments(text, m.end())[0] if m else []


def expectations(f, text, wrappers):
    """(operations, whether they succeed) of each place where an answer is looked at."""
    for m in EXPECT.finditer(f.body):
        args, end = arguments(f.body, m.end())
        codes = " ".join(args[1:])
        if m[1] == "gx_ec_failed":
            good, bad = f.body[:m.start()].endswith("!"), not f.body[:m.start()].endswith("!")
        elif m[1].endswith("_OK"):
            good, bad = True, False
        else:
            good = FINE.search(codes) is not None
            bad = not good or any(not FINE.fullmatch(c) for c in CODE.findall(codes))
        rops = set(ROP.findall(args[0]))
        if not rops:
            for name in CALLED.findall(args[0]):
                rops |= wrappers.get(name, set())
        for name in INDEXED.findall(args[0]):
            for row in table(text, name):
                own = set(ROP.findall(row))
                by_row = CODE.findall(row)
                yield own, (any(FINE.fullmatch(c) for c in by_row) if by_row else good), \
                    (any(not FINE.fullmatch(c) for c in by_row) if by_row else bad)
        yield rops, good, bad


def evidence(paths, top):
    """{operation: {path: test}} of those that succeed, those that fail, and all that are named. @top: where headers are."""
    texts, good, bad, named = {}, {}, {}, {}
    for path in paths:
        texts[path], own = functions(path)
        everything = list(own)
        for header in included(path, top):
            texts[header], more = functions(header)
            everything += more
        wrappers = {f.name: set(ROP.findall(f.body)) for f in everything if f.gives_code}
        for f in everything * 2:
            if f.name in wrappers and not wrappers[f.name]: # it hands on what another one is answered
                wrappers[f.name] |= set().union(*(wrappers.get(name, set()) for name in f.calls))
        for f in everything:
            f.good, f.bad, f.asks = set(), set(), set(ROP.findall(f.body))
            for rops, fine, fails in expectations(f, texts[f.path], wrappers):
                f.good |= rops if fine else set()
                f.bad |= rops if fails else set()
        inherit(everything)
        for f in own:
            if f.is_test:
                for found, where in ((f.good, good), (f.bad, bad), (f.asks, named)):
                    for rop in found:
                        where.setdefault(rop, {}).setdefault(path, f.name)
    return good, bad, named


def inherit(everything):
    """Tests have what the functions that they call find out, too; but their own come first."""
    by_name = {f.name: f for f in everything}
    for _ in range(4):
        for f in everything:
            for name in f.calls & set(by_name):
                g = by_name[name]
                f.good |= g.good
                f.bad |= g.bad
                f.asks |= g.asks
