# SPDX-License-Identifier: Apache-2.0
"""An IMAP client without manners, and a strict reader of responses: [RFC 3501] 9 with the extensions the server offers."""
import re
import socket
import ssl

from gxservice import PASSWORD, PATIENCE

LITERAL = re.compile(rb"~?\{(\d+)\}\r\n\Z")


class Closed(Exception):
    """The server closed the connection."""


class Wire:
    def __init__(self, server, user=None, tls=False, timeout=PATIENCE):
        self.s = socket.create_connection(("127.0.0.1", server.imaps_port if tls else server.imap_port), timeout=timeout)
        if tls:
            self.start_tls()
        self.f = self.s.makefile("rb")
        self.n = 0
        self.greeting = self.response()
        if user is not None:
            self.ok(b'LOGIN %s "%s"' % (server.users[user].encode(), PASSWORD.encode()))

    def __enter__(self):
        return self

    def __exit__(self, *rest):
        self.close()

    def close(self):
        self.f.close()
        self.s.close()

    def start_tls(self):
        ctx = ssl.create_default_context()
        ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
        self.s = ctx.wrap_socket(self.s)
        self.f = self.s.makefile("rb")

    def send(self, data):
        self.s.sendall(data)

    def response(self):
        """One response with its literals, as bytes."""
        whole = b""
        while True:
            line = self.f.readline()
            if not line.endswith(b"\n"):
                raise Closed(whole + line)
            assert line.endswith(b"\r\n"), line
            whole += line
            m = LITERAL.search(line)
            if not m:
                return whole
            data = self.f.read(int(m.group(1)))
            if len(data) != int(m.group(1)):
                raise Closed(whole)
            whole += data

    def until(self, tag):
        """(untagged responses, the tagged line)"""
        found = []
        while True:
            r = self.response()
            if r.startswith(tag + b" "):
                return found, r
            found.append(r)

    def tag(self):
        self.n += 1
        return b"T%d" % self.n

    def cmd(self, text, parts=()):
        """text, then for each part: wait for "+", send it."""
        tag = self.tag()
        self.send(tag + b" " + text + b"\r\n")
        before = []
        for p in parts:
            while True:
                r = self.response()
                if r.startswith(b"+"):
                    break
                if r.startswith(tag + b" "):
                    return before, r
                before.append(r)
            self.send(p)
        found, last = self.until(tag)
        return before + found, last

    def ok(self, text, parts=()):
        found, last = self.cmd(text, parts)
        assert last.split(b" ")[1] == b"OK", (text[:200], last)
        return found

    def no(self, text, kind=b"NO", parts=()):
        found, last = self.cmd(text, parts)
        assert last.split(b" ")[1].strip() == kind, (text[:200], last)
        return last

    def append(self, mailbox, data, flags=b""):
        return self.cmd(b"APPEND %s %s{%d}" % (mailbox, flags, len(data)), [data + b"\r\n"])


class Syntax(Exception):
    pass


class Reader:
    """Reads one response by the formal syntax; anything else raises Syntax."""

    def __init__(self, data, rev2=False):
        self.d, self.i, self.rev2 = data, 0, rev2

    def fail(self, what):
        raise Syntax(f"{what} at {self.i}: {self.d[max(0, self.i - 60):self.i + 60]!r} in {self.d[:200]!r}")

    def peek(self, s):
        return self.d.startswith(s, self.i)

    def take(self, s):
        if not self.peek(s):
            self.fail(f"{s!r} expected")
        self.i += len(s)

    def maybe(self, s):
        if self.peek(s):
            self.i += len(s)
            return True
        return False

    def match(self, rx, what):
        m = re.compile(rx, re.S).match(self.d, self.i)
        if not m:
            self.fail(what)
        self.i = m.end()
        return m.group(0)

    def number(self, low=0, high=2**32 - 1):
        t = self.match(rb"0|[1-9]\d*", "number")
        n = int(t)
        if not low <= n <= high:
            self.fail("number out of range")
        return n

    def atom(self):
        return self.match(rb'[!#$&\'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]+', "atom")

    def flag(self, perm=False):
        if perm and self.maybe(b"\\*"):
            return b"\\*"
        f = b"\\" if self.maybe(b"\\") else b""
        return f + self.atom()

    def items(self, one):
        """Parenthesised, with single spaces."""
        self.take(b"(")
        found = []
        if self.maybe(b")"):
            return found
        while True:
            found.append(one())
            if self.maybe(b")"):
                return found
            self.take(b" ")

    def string(self):
        m = re.compile(rb"\{(\d+)\}\r\n").match(self.d, self.i)
        if m:
            end = m.end() + int(m.group(1))
            data, self.i = self.d[m.end():end], end
            if b"\0" in data:
                self.fail("NUL in literal")
            return data
        q = self.match(rb'"(?:[\x01-\x09\x0b\x0c\x0e-!#-\[\]-\x7f' + (rb"\x80-\xff" if self.rev2 else b"")
                       + rb']|\\["\\])*"', "string")
        return re.sub(rb"\\(.)", rb"\1", q[1:-1])

    def nstring(self):
        return None if self.maybe(b"NIL") else self.string()

    def astring(self):
        if self.peek(b'"') or self.peek(b"{"):
            return self.string()
        return self.match(rb'[!#$&\'+,\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]+', "astring")

    def mailbox(self):
        name = self.astring()
        if not self.rev2 and any(c < 0x20 or c > 0x7e for c in name):
            self.fail("mailbox name is not modified UTF-7")
        return name

    def uid_set(self):
        return self.match(rb"[1-9]\d*(:[1-9]\d*)?(,[1-9]\d*(:[1-9]\d*)?)*", "set")

    def code(self):
        word = self.atom_code()
        if word in (b"UIDNEXT", b"UIDVALIDITY", b"UNSEEN"):
            self.take(b" ")
            return word, self.number(1)
        if word == b"HIGHESTMODSEQ":
            self.take(b" ")
            return word, self.number(1, 2**63 - 1)
        if word == b"PERMANENTFLAGS":
            self.take(b" ")
            return word, self.items(lambda: self.flag(True))
        if word == b"APPENDUID":
            self.take(b" ")
            v = self.number(1)
            self.take(b" ")
            return word, (v, self.uid_set())
        if word == b"COPYUID":
            self.take(b" ")
            v = self.number(1)
            self.take(b" ")
            a = self.uid_set()
            self.take(b" ")
            return word, (v, a, self.uid_set())
        if word == b"MODIFIED":
            self.take(b" ")
            return word, self.uid_set()
        if word == b"CAPABILITY":
            self.take(b" ")
            return word, self.match(rb"[!-\\^-~]+( [!-\\^-~]+)*", "capabilities").split()
        if self.maybe(b" "):
            return word, self.match(rb"[^\]\r\n]+", "code text")
        return word, None

    def atom_code(self):
        return self.match(rb"[A-Z0-9\-]+", "response code")

    def resp_text(self):
        code = None
        if self.maybe(b"["):
            code = self.code()
            self.take(b"]")
            self.take(b" ")
        text = self.match(rb"[\x01-\x09\x0b\x0c\x0e-\x7f]+" if not self.rev2 else rb"[^\r\n\0]+", "text")
        return code, text

    def end(self):
        self.take(b"\r\n")
        if self.i != len(self.d):
            self.fail("more behind the end")

    def response(self):
        """(kind, value)"""
        if self.maybe(b"+"):
            self.take(b" ")
            self.match(rb"[^\r\n]*", "text")
            self.end()
            return "+", None
        tag = self.match(rb"\*|[^+ (){%*\"\\\x00-\x1f\x7f]+", "tag")
        self.take(b" ")
        m = re.compile(rb"(OK|NO|BAD|BYE|PREAUTH) ").match(self.d, self.i)
        if m:
            self.i = m.end()
            r = m.group(1).decode(), self.resp_text()
            self.end()
            return r
        if tag != b"*":
            self.fail("status expected")
        r = self.numbered() if self.d[self.i:self.i + 1].isdigit() else self.named()
        self.end()
        return r

    def numbered(self):
        n = self.number()
        self.take(b" ")
        word = self.atom()
        if word in (b"EXISTS", b"RECENT"):
            return word.decode(), n
        if n == 0:
            self.fail("message 0")
        if word == b"EXPUNGE":
            return "EXPUNGE", n
        if word != b"FETCH":
            self.fail("unknown response")
        self.take(b" ")
        return "FETCH", (n, dict(self.items(self.fetch_item)))

    def named(self):
        word = self.atom().decode()
        if word == "SEARCH":
            hits, modseq = [], None
            while self.maybe(b" "):
                if self.maybe(b"(MODSEQ "):
                    modseq = self.number(1, 2**63 - 1)
                    self.take(b")")
                    break
                hits.append(self.number(1))
            return word, (hits, modseq)
        if word in ("FLAGS",):
            self.take(b" ")
            return word, self.items(self.flag)
        if word in ("LIST", "LSUB"):
            return word, self.list_rest()
        if word == "STATUS":
            self.take(b" ")
            name = self.mailbox()
            self.take(b" ")
            return word, (name, dict(self.items(self.status_item)))
        if word in ("CAPABILITY", "ENABLED"):
            return word, self.match(rb"( [!-~]+)*", "capabilities").split()
        if word == "ESEARCH":
            return word, self.esearch()
        if word == "NAMESPACE":
            v = []
            for _ in range(3):
                self.take(b" ")
                v.append(None if self.maybe(b"NIL") else self.match(
                    rb'\((\("[^"]*" (?:"[^"]"|NIL)\))+\)', "namespace"))
            return word, v
        if word == "ID":
            self.take(b" ")
            return word, None if self.maybe(b"NIL") else self.items(self.nstring)
        self.fail("unknown response")

    def list_rest(self):
        self.take(b" ")
        attrs = self.items(self.flag)
        self.take(b" ")
        if not self.maybe(b"NIL"):
            self.match(rb'"(?:[^"\\\r\n]|\\["\\])"', "delimiter")
        self.take(b" ")
        name = self.mailbox()
        ext = None
        if self.maybe(b" "):
            ext = self.match(rb"\(.*\)", "extended data")
        return attrs, name, ext

    def status_item(self):
        name = self.atom()
        if name not in (b"MESSAGES", b"RECENT", b"UIDNEXT", b"UIDVALIDITY", b"UNSEEN", b"HIGHESTMODSEQ", b"SIZE", b"DELETED"):
            self.fail("unknown STATUS item")
        self.take(b" ")
        wide = name in (b"SIZE", b"HIGHESTMODSEQ")
        return name, self.number(1 if name.startswith(b"UID") else 0, 2**63 - 1 if wide else 2**32 - 1)

    def esearch(self):
        self.take(b" (TAG ")
        found = {"TAG": self.string()}
        self.take(b")")
        found["UID"] = self.maybe(b" UID")
        while self.maybe(b" "):
            key = self.atom().decode()
            self.take(b" ")
            found[key] = self.uid_set() if key == "ALL" else self.number(0, 2**63 - 1)
        return found

    def fetch_item(self):
        name = self.match(rb"BODY\[[^\]]*\](?:<\d+>)?|BINARY(?:\.SIZE)?\[[0-9.]*\](?:<\d+>)?|[A-Z0-9.]+", "FETCH item")
        self.take(b" ")
        if name == b"FLAGS":
            v = self.items(self.flag)
        elif name == b"UID":
            v = self.number(1)
        elif name in (b"RFC822.SIZE",) or name.startswith(b"BINARY.SIZE"):
            v = self.number(0, 2**63 - 1)
        elif name == b"MODSEQ":
            self.take(b"(")
            v = self.number(1, 2**63 - 1)
            self.take(b")")
        elif name == b"INTERNALDATE":
            v = self.match(rb'"[ \d]\d-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-\d{4} \d\d:\d\d:\d\d [+-]\d{4}"', "date")
        elif name == b"ENVELOPE":
            v = self.envelope()
        elif name in (b"BODY", b"BODYSTRUCTURE"):
            v = self.body(name != b"BODY")
        elif name.startswith(b"BINARY[") and self.peek(b"~"):
            self.take(b"~")
            m = re.compile(rb"\{(\d+)\}\r\n").match(self.d, self.i)
            if not m:
                self.fail("literal8")
            end = m.end() + int(m.group(1))
            v, self.i = self.d[m.end():end], end
        elif name.startswith((b"BODY[", b"BINARY[", b"RFC822")):
            v = self.raw_nstring()
        else:
            self.fail("unknown FETCH item")
        return name, v

    def raw_nstring(self):
        """Message data; a NUL may not stand in it."""
        return self.nstring()

    def address(self):
        self.take(b"(")
        v = [self.nstring()]
        for _ in range(3):
            self.take(b" ")
            v.append(self.nstring())
        self.take(b")")
        return tuple(v)

    def addresses(self):
        if self.maybe(b"NIL"):
            return None
        self.take(b"(")
        v = [self.address()]
        while not self.maybe(b")"):
            v.append(self.address())
        return v

    def envelope(self):
        self.take(b"(")
        v = [self.nstring(), None]
        self.take(b" ")
        v[1] = self.nstring()
        for _ in range(6):
            self.take(b" ")
            v.append(self.addresses())
        for _ in range(2):
            self.take(b" ")
            v.append(self.nstring())
        self.take(b")")
        return dict(zip(("date", "subject", "from", "sender", "reply_to", "to", "cc", "bcc", "in_reply_to", "message_id"), v))

    def params(self):
        if self.maybe(b"NIL"):
            return {}
        v = self.items(self.string)
        if not v or len(v) % 2:
            self.fail("parameters")
        return dict(zip((k.lower() for k in v[::2]), v[1::2]))

    def body(self, ext, depth=0):
        self.take(b"(")
        if self.peek(b"("):
            parts = [self.body(ext, depth + 1)]
            while not self.maybe(b" "):
                parts.append(self.body(ext, depth + 1))
            b = {"type": b"multipart", "subtype": self.string().lower(), "parts": parts}
            if ext and self.maybe(b" "):
                b["params"] = self.params()
                self.tail(b)
            self.take(b")")
            return b
        b = {"type": self.string().lower()}
        self.take(b" ")
        b["subtype"] = self.string().lower()
        self.take(b" ")
        b["params"] = self.params()
        for k in ("id", "description"):
            self.take(b" ")
            b[k] = self.nstring()
        self.take(b" ")
        b["encoding"] = self.string()
        self.take(b" ")
        b["size"] = self.number()
        if b["type"] == b"text":
            self.take(b" ")
            b["lines"] = self.number()
        elif (b["type"], b["subtype"]) in ((b"message", b"rfc822"), (b"message", b"global")):
            self.take(b" ")
            b["envelope"] = self.envelope()
            self.take(b" ")
            b["body"] = self.body(ext, depth + 1)
            self.take(b" ")
            b["lines"] = self.number()
        if ext and self.maybe(b" "):
            b["md5"] = self.nstring()
            self.tail(b)
        self.take(b")")
        return b

    def tail(self, b):
        """Disposition, language, location."""
        if not self.maybe(b" "):
            return
        b["disposition"] = None
        if not self.maybe(b"NIL"):
            self.take(b"(")
            kind = self.string()
            self.take(b" ")
            b["disposition"] = kind, self.params()
            self.take(b")")
        if self.maybe(b" "):
            b["language"] = self.items(self.string) if self.peek(b"(") else self.nstring()
            if self.maybe(b" "):
                b["location"] = self.nstring()


def read(response, rev2=False):
    return Reader(response, rev2).response()
