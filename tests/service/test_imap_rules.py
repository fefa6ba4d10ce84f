#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the RFCs of IMAP ask for, with every response read by the formal syntax."""
import email
import email.policy
import re

from gxservice import Server, gxtap
from imapwire import Wire, read
import mailgen

SERVER = None


def server():
    global SERVER
    if SERVER is None:
        SERVER = Server(users=6, config="enable_rfc2971_commands = yes\n").start()
    return SERVER


def sample(i, text=b"hello"):
    return mailgen.head(i) + b"Content-Type: text/plain\r\n\r\n" + text + b"\r\n"


class Client(Wire):
    """Reads all responses strictly and keeps what a client would know."""

    def __init__(self, *args, **kw):
        self.count, self.rev2, self.last, self.command = None, False, None, b""
        super().__init__(*args, **kw)

    def response(self):
        r = super().response()
        kind, value = read(r, self.rev2)
        self.note(kind, value)
        return r

    def note(self, kind, value):
        if kind == "EXISTS":
            assert self.count is None or value >= self.count, f"EXISTS shrank from {self.count} to {value}"
            self.count = value
        elif kind == "EXPUNGE":
            assert re.match(rb"(?i)(UID (?!$)|NOOP|CHECK|EXPUNGE|MOVE|COPY|APPEND|IDLE|STATUS|CREATE|DELETE|LIST)", self.command), \
                f"EXPUNGE during {self.command[:60]}"
            assert 1 <= value <= self.count
            self.count -= 1
        elif kind == "FETCH":
            assert 1 <= value[0] <= self.count

    def cmd(self, text, parts=()):
        self.command = text
        if re.match(rb"(?i)(SELECT|EXAMINE|CLOSE|UNSELECT)\b", text):
            self.count = None
        return super().cmd(text, parts)

    def do(self, text, want=b"OK", parts=()):
        """([(kind, value)], code, text of the end)"""
        found, last = self.cmd(text, parts)
        assert last.split(b" ")[1] == want, (text[:300], last)
        kind, (code, words) = read(last, self.rev2)
        return [read(r, self.rev2) for r in found], code

    def fetch(self, text):
        return {v[0]: v[1] for k, v in self.do(text)[0] if k == "FETCH"}

    def codes(self, text):
        """Response codes of untagged OK, and of the end."""
        found, code = self.do(text)
        return dict([v[0] for k, v in found if k == "OK" and v[0]] + ([code] if code else []))


def fill(c, mailbox, n, first=0):
    uids = []
    for i in range(first, first + n):
        _, last = c.append(mailbox, sample(i))
        code = read(last)[1][0]
        assert code[0] == b"APPENDUID", last
        uids.append(int(code[1][1]))
    return uids


def kinds(found):
    return [k for k, _ in found]


def test_greeting_capability_and_login():
    s = server()
    with Client(s) as c:
        kind, (code, _) = read(c.greeting)
        assert kind == "OK" and code[0] == b"CAPABILITY" and b"IMAP4rev1" in code[1]
        found, _ = c.do(b"CAPABILITY")
        assert found[0][0] == "CAPABILITY" and set(found[0][1]) == set(code[1])
        for text in (b"SELECT INBOX", b"LIST \"\" *", b"FETCH 1 FLAGS", b"IDLE", b"ENABLE CONDSTORE"):
            c.do(text, b"BAD")
        c.do(b"LOGIN nobody@example.org wrong", b"NO")
    with Client(s, 0) as c:
        c.do(b"LOGIN x y", b"BAD")
        c.do(b"FETCH 1 FLAGS", b"BAD")
        c.do(b"EXPUNGE", b"BAD")
        found, _ = c.do(b"NAMESPACE")
        assert kinds(found) == ["NAMESPACE"]
        c.do(b"ID NIL")
        found, _ = c.do(b"LOGOUT")
        assert kinds(found) == ["BYE"]


def test_select_examine_and_status():
    with Client(server(), 0) as c:
        fill(c, b"INBOX", 4)
        found, code = c.do(b"SELECT INBOX")
        seen = kinds(found)
        assert seen.count("FLAGS") == seen.count("EXISTS") == 1
        codes = dict(v[0] for k, v in found if k == "OK" and v[0])
        assert {b"UIDVALIDITY", b"UIDNEXT", b"PERMANENTFLAGS", b"HIGHESTMODSEQ"} <= set(codes), codes
        assert code[0] == b"READ-WRITE"
        flags = dict(found)["FLAGS"]
        assert {b"\\Seen", b"\\Answered", b"\\Deleted", b"\\Flagged", b"\\Draft"} <= set(flags)
        (status,) = [v for k, v in c.do(b"STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN SIZE HIGHESTMODSEQ)")[0] if k == "STATUS"]
        assert status[1][b"MESSAGES"] == 4 and status[1][b"UIDNEXT"] == codes[b"UIDNEXT"]
        assert status[1][b"UIDVALIDITY"] == codes[b"UIDVALIDITY"] and status[1][b"UNSEEN"] == 4
        sizes = [v[b"RFC822.SIZE"] for v in c.fetch(b"FETCH 1:* RFC822.SIZE").values()]
        assert status[1][b"SIZE"] >= sum(sizes), (status, sizes)
        _, code = c.do(b"EXAMINE INBOX")
        assert code[0] == b"READ-ONLY"
        for text in (b"STORE 1 +FLAGS (\\Seen)", b"EXPUNGE", b"UID EXPUNGE 1:*", b"MOVE 1 Drafts"):
            c.do(text, b"NO")
        assert c.fetch(b"FETCH 1 (BODY[] FLAGS)")[1][b"FLAGS"] == []
        c.do(b"CLOSE")
        c.do(b"FETCH 1 FLAGS", b"BAD")
        c.do(b"SELECT nowhere", b"NO")
        c.do(b"SELECT INBOX")
        c.do(b"SELECT nowhere", b"NO")  # and nothing is selected afterwards, [RFC 3501] 6.3.1
        c.do(b"FETCH 1 FLAGS", b"BAD")


def test_store_and_flags():
    with Client(server(), 0) as c:
        c.do(b"SELECT INBOX")
        if c.count == 0:
            fill(c, b"INBOX", 4)
            c.do(b"NOOP")
        f = c.fetch(b"STORE 1:2 +FLAGS (\\Seen $Forwarded Key1)")
        assert all({b"\\Seen", b"$Forwarded"} <= set(v[b"FLAGS"]) for v in f.values()) and len(f) == 2
        assert b"Key1" in f[1][b"FLAGS"]
        assert c.do(b"STORE 1:2 -FLAGS.SILENT (\\Seen)")[0] == []
        assert b"\\Seen" not in c.fetch(b"FETCH 1 FLAGS")[1][b"FLAGS"]
        assert c.fetch(b"STORE 1 FLAGS ()")[1][b"FLAGS"] == []
        f = c.fetch(b"UID STORE 1:* FLAGS \\Flagged")
        assert all(b"UID" in v and v[b"FLAGS"] == [b"\\Flagged"] for v in f.values())
        for bad in (b"STORE 1 +FLAGS (\\Recent)", b"STORE 1 FLAGZ (x)", b"STORE 1 +FLAGS (a b", b"STORE", b"STORE 1", b"STORE 99 +FLAGS (x)",
                    b"STORE 1 +FLAGS (\\*)", b"STORE 1 +FLAGS"):
            c.do(bad, b"BAD")
        assert c.do(b"UID STORE 4000000 +FLAGS (x)")[0] == []
        assert c.fetch(b"FETCH 2 BODY[TEXT]")[2][b"FLAGS"] == [b"\\Flagged", b"\\Seen"] or \
            b"\\Seen" in c.fetch(b"FETCH 2 FLAGS")[2][b"FLAGS"]
        c.do(b"UID STORE 1:* FLAGS.SILENT ()")


def test_fetch_forms():
    with Client(server(), 0) as c:
        c.do(b"SELECT INBOX")
        if c.count == 0:
            fill(c, b"INBOX", 4)
            c.do(b"NOOP")
        whole = sample(0)
        header, _, text = whole.partition(b"\r\n\r\n")
        header += b"\r\n\r\n"
        f = c.fetch(b"FETCH 1 (BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[TEXT] BODY.PEEK[1] BODY.PEEK[1.MIME] RFC822.SIZE)")[1]
        assert f[b"BODY[]"] == whole and f[b"BODY[HEADER]"] == header and f[b"BODY[TEXT]"] == text == f[b"BODY[1]"]
        assert f[b"RFC822.SIZE"] == len(whole)
        for a, n in ((0, 10), (5, 1), (0, 100000), (len(whole) - 1, 5), (len(whole), 5), (100000, 5)):
            f = c.fetch(b"FETCH 1 BODY.PEEK[]<%d.%d>" % (a, n))[1]
            assert f[b"BODY[]<%d>" % a] == whole[a:a + n], (a, n, f)
        f = c.fetch(b"FETCH 1 BODY.PEEK[HEADER.FIELDS (subject FROM nothere)]")[1]
        (value,) = [v for k, v in f.items() if k.startswith(b"BODY[HEADER.FIELDS")]
        assert value.endswith(b"\r\n\r\n") and value.count(b"\r\n") == 3, value
        f = c.fetch(b"FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT (subject FROM)]")[1]
        (value,) = [v for k, v in f.items() if k.startswith(b"BODY[HEADER.FIELDS.NOT")]
        assert b"Subject" not in value and b"Date:" in value
        assert b"\\Seen" not in c.fetch(b"FETCH 1 FLAGS")[1][b"FLAGS"]
        for macro, items in ((b"ALL", 4), (b"FAST", 3), (b"FULL", 5)):
            assert len(c.fetch(b"FETCH 1 " + macro)[1]) == items
        f = c.fetch(b"FETCH 1 (RFC822.HEADER RFC822.TEXT RFC822)")[1]
        assert f[b"RFC822"] == whole and f[b"RFC822.HEADER"] == header and f[b"RFC822.TEXT"] == text
        assert b"\\Seen" in c.fetch(b"FETCH 1 FLAGS")[1][b"FLAGS"]
        assert c.fetch(b"UID FETCH 1:* FLAGS")[1].keys() == {b"UID", b"FLAGS"}
        assert c.do(b"UID FETCH 3000000000:3000000001 FLAGS")[0] == []
        assert c.fetch(b"UID FETCH 3000000000:* FLAGS").keys() == {4}  # [RFC 3501] 6.4.8: "*" is always one
        assert c.fetch(b"FETCH 2 BODY.PEEK[7]")[2][b"BODY[7]"] is None
        for bad in (b"FETCH 1 (FLAGS", b"FETCH 1 FLAGS)", b"FETCH 1 ()", b"FETCH 1", b"FETCH 1 BODY[", b"FETCH 1 BODY[0]", b"FETCH 1 BODY[MIME]",
                    b"FETCH 1 BODY[1.]", b"FETCH 1 BODY[1TEXT]", b"FETCH 1 BINARY.PEEK[1.]", b"FETCH 1 BODY[]<0>", b"FETCH 1 BODY[]<0.0>", b"FETCH 1 BODY[]<-1.5>", b"FETCH 1 NOTHING",
                    b"FETCH 1 BODY[HEADER.FIELDS]", b"FETCH 1 BODY[HEADER.FIELDS ()]", b"FETCH 5 FLAGS", b"FETCH 1:9999 FLAGS FLAGS",
                    b"FETCH 1 (ALL)", b"FETCH 1 BODY[1.HEADER.FIELDS (a]"):
            c.do(bad, b"BAD")


def two():
    a, b = Client(server(), 1), Client(server(), 1)
    return a, b


def test_numbers_hold_between_two_sessions():
    a, b = two()
    with a, b:
        fill(a, b"INBOX", 6)
        a.do(b"SELECT INBOX")
        b.do(b"SELECT INBOX")
        a.do(b"STORE 2,4 +FLAGS.SILENT (\\Deleted)")
        found, _ = a.do(b"EXPUNGE")
        assert [v for k, v in found if k == "EXPUNGE"] == [2, 3]
        # b's numbers hold through FETCH, STORE and SEARCH; Client asserts that no EXPUNGE comes
        assert len(b.fetch(b"FETCH 1,3,5:6 FLAGS")) >= 4
        b.do(b"STORE 6 +FLAGS (k)")
        found, _ = b.do(b"SEARCH ALL")
        assert not [k for k, _ in found if k == "EXPUNGE"]
        assert b.count == 6
        fill(a, b"INBOX", 1, 50)
        found, _ = b.do(b"NOOP")
        assert [v for k, v in found if k == "EXPUNGE"] == [2, 3] and b.count == 5
        assert [v for k, v in found if k == "EXISTS"] == [5]
        uids_a = {k: v[b"UID"] for k, v in a.fetch(b"UID FETCH 1:* UID").items()}
        uids_b = {k: v[b"UID"] for k, v in b.fetch(b"UID FETCH 1:* UID").items()}
        assert uids_a == uids_b and list(uids_a.values()) == sorted(uids_a.values())
        a.do(b"NOOP")
        a.do(b"STORE 1 +FLAGS (\\Answered)")
        found, _ = b.do(b"NOOP")
        assert ("FETCH" in kinds(found)) and b"\\Answered" in dict(found)["FETCH"][1][b"FLAGS"]
        assert b.do(b"NOOP")[0] == []


def test_condstore():
    a, b = two()
    with a, b:
        codes = a.codes(b"SELECT INBOX (CONDSTORE)")
        high = codes[b"HIGHESTMODSEQ"]
        f = a.fetch(b"FETCH 1:* (UID MODSEQ)")
        assert max(v[b"MODSEQ"] for v in f.values()) <= high
        b.do(b"SELECT INBOX")
        f = a.fetch(b"STORE 1 +FLAGS (c1)")
        assert f[1][b"MODSEQ"] > high, "MODSEQ comes with every FETCH and grows"
        new = f[1][b"MODSEQ"]
        f = a.fetch(b"FETCH 1:* (FLAGS) (CHANGEDSINCE %d)" % high)
        assert set(f) == {1} and f[1][b"MODSEQ"] == new
        # silent: only the MODSEQ
        f = a.fetch(b"STORE 1 +FLAGS.SILENT (c2)")
        assert set(f[1]) <= {b"MODSEQ", b"UID"} and f[1][b"MODSEQ"] > new
        # somebody else was first
        f = b.fetch(b"FETCH 1:2 MODSEQ")
        base = max(v[b"MODSEQ"] for v in f.values())
        a.do(b"STORE 2 +FLAGS (other)")
        found, code = b.do(b"STORE 1:3 (UNCHANGEDSINCE %d) +FLAGS.SILENT (mine)" % base)
        assert code == (b"MODIFIED", b"2"), code
        found, code = b.do(b"UID STORE 1:* (UNCHANGEDSINCE 1) +FLAGS (never)")
        assert code[0] == b"MODIFIED"
        f = b.fetch(b"FETCH 1:* FLAGS")
        assert b"mine" in f[1][b"FLAGS"] and b"mine" not in f[2][b"FLAGS"] and not any(b"never" in v[b"FLAGS"] for v in f.values())
        f = b.fetch(b"FETCH 3 MODSEQ")
        (hits, modseq), = [v for k, v in b.do(b"SEARCH MODSEQ %d" % f[3][b"MODSEQ"])[0] if k == "SEARCH"]
        assert 3 in hits and modseq >= f[3][b"MODSEQ"]
        found, _ = b.do(b"SEARCH RETURN (MIN MAX COUNT ALL) MODSEQ 1")
        assert dict(found)["ESEARCH"]["COUNT"] == b.count and "MODSEQ" in dict(found)["ESEARCH"]
        (st,) = [v for k, v in b.do(b"STATUS INBOX (HIGHESTMODSEQ)")[0] if k == "STATUS"]
        top = max(v[b"MODSEQ"] for v in b.fetch(b"FETCH 1:* MODSEQ").values())
        assert st[1][b"HIGHESTMODSEQ"] >= top
        b.do(b"STORE 3 +FLAGS.SILENT (\\Deleted)")
        _, code = b.do(b"EXPUNGE")
        assert code[0] == b"HIGHESTMODSEQ" and code[1] > top
        for bad in (b"FETCH 1 FLAGS (CHANGEDSINCE)", b"FETCH 1 FLAGS (CHANGEDSINCE -1)", b"STORE 1 (UNCHANGEDSINCE) FLAGS ()", b"SEARCH MODSEQ",
                    b"FETCH 1 FLAGS (CHANGEDSINCE 99999999999999999999999)"):
            b.do(bad, b"BAD")


def test_uidplus_move_and_searchres():
    with Client(server(), 2) as c:
        uids = fill(c, b"INBOX", 5)
        c.do(b"CREATE dst")
        c.do(b"SELECT INBOX")
        _, code = c.do(b"COPY 1:2 dst")
        assert code[0] == b"COPYUID" and code[1][1] == b"%d:%d" % (uids[0], uids[1])
        found, code = c.do(b"UID MOVE %d dst" % uids[4])
        moved = [v[0] for k, v in found if k == "OK"]
        assert moved and moved[0][0] == b"COPYUID", found
        assert kinds(found).index("OK") < kinds(found).index("EXPUNGE"), "[RFC 6851] 4.3"
        assert c.count == 4
        c.do(b"COPY 1 nowhere", b"NO")
        assert c.do(b"UID COPY 4000000 dst")[1] is None
        c.do(b"STORE 1:3 +FLAGS.SILENT (\\Deleted)")
        found, _ = c.do(b"UID EXPUNGE %d" % uids[1])
        assert [v for k, v in found if k == "EXPUNGE"] == [2]
        found, _ = c.do(b"SEARCH RETURN (SAVE COUNT) DELETED")
        assert dict(found)["ESEARCH"]["COUNT"] == 2
        assert set(c.fetch(b"FETCH $ FLAGS")) == {1, 2}
        assert set(c.fetch(b"UID FETCH $ FLAGS")) == {1, 2}
        found, _ = c.do(b"UID SEARCH RETURN (ALL) UNDELETED")
        assert dict(found)["ESEARCH"]["UID"] and dict(found)["ESEARCH"]["ALL"] == b"%d" % uids[3]
        found, _ = c.do(b"SEARCH RETURN () NOT ALL")
        assert set(dict(found)["ESEARCH"]) == {"TAG", "UID"}
        found, _ = c.do(b"CLOSE")
        assert found == [], "CLOSE removes silently"
        c.do(b"SELECT INBOX")
        assert c.count == 1
        c.do(b"SELECT dst")
        assert c.count == 3


def test_search_keys():
    with Client(server(), 3) as c:
        fill(c, b"INBOX", 5)
        c.append(b"INBOX", mailgen.head(77, subject="=?utf-8?q?Gr=C3=B6=C3=9Fe?=") + b"\r\nSpecial needle here\r\n", b'(\\Flagged) "01-Jan-2020 10:00:00 +0000" ')
        c.do(b"SELECT INBOX")

        def search(text):
            return dict(c.do(b"SEARCH " + text)[0])["SEARCH"][0]
        assert search(b"ALL") == [1, 2, 3, 4, 5, 6]
        assert search(b"FLAGGED") == [6] == search(b"NOT UNFLAGGED") == search(b"BODY needle") == search(b"TEXT \"Special Needle\"")
        assert search(b"BEFORE 2-Jan-2020") == [6] == search(b"ON 1-Jan-2020") == search(b"NOT SINCE \"2-Jan-2020\"")
        assert search(b"CHARSET UTF-8 SUBJECT {6+}\r\nGr\xc3\xb6\xc3\x9f") == [6] == search(b"SUBJECT {6+}\r\nR\xc3\x96\xc3\x9fE")
        assert search(b"OR FLAGGED 1") == [1, 6] == search(b"(OR (FLAGGED) (1))")
        assert search(b"2:3 NOT 3") == [2]
        assert search(b"UID 1:*") == [1, 2, 3, 4, 5, 6]
        assert search(b"SENTON 22-Nov-2026") == [1, 2, 3, 4, 5, 6]
        assert search(b"LARGER 10 SMALLER 100000") == [1, 2, 3, 4, 5, 6]
        assert search(b"FROM sender0@") == [1] == search(b"HEADER Message-ID gen.0@") == search(b"HEADER FROM \"Sender 0\"")
        assert search(b"HEADER X-Nothing \"\"") == []
        assert search(b"HEADER Subject \"\"") == [1, 2, 3, 4, 5, 6]
        assert search(b"YOUNGER 3600") == [1, 2, 3, 4, 5] and search(b"OLDER 3600") == [6]
        assert search(b"KEYWORD nothere") == [] and search(b"UNKEYWORD nothere") == [1, 2, 3, 4, 5, 6]
        c.do(b"SEARCH CHARSET KLINGON ALL", b"NO")
        for bad in (b"SEARCH", b"SEARCH NOTHING", b"SEARCH SUBJECT", b"SEARCH ON yesterday", b"SEARCH ON 32-Jan-2020", b"SEARCH OR ALL", b"SEARCH NOT",
                    b"SEARCH (ALL", b"SEARCH LARGER x", b"SEARCH RETURN (X) ALL", b"SEARCH RETURN (ALL)", b"SEARCH ()"):
            c.do(bad, b"BAD")


def test_list_forms():
    with Client(server(), 4) as c:
        c.do(b"CREATE a/b/c")
        c.do(b"CREATE &AOQ-rger")
        c.do(b"SUBSCRIBE a/b/c")

        def names(text, kind="LIST"):
            return {v[1]: v for k, v in c.do(text)[0] if k == kind}
        everything = names(b'LIST "" "*"')
        assert {b"INBOX", b"a", b"a/b", b"a/b/c", b"&AOQ-rger"} <= set(everything)
        assert b"\\HasChildren" in everything[b"a"][0] and b"\\HasNoChildren" in everything[b"a/b/c"][0]
        assert set(names(b'LIST "" "%"')) == {n for n in everything if b"/" not in n}
        assert set(names(b'LIST "" a/%')) == {b"a/b"} == set(names(b'LIST a/ %'))
        assert set(names(b'LIST "" inbox')) == {b"INBOX"}
        uses = {a for v in names(b'LIST (SPECIAL-USE) "" "*"').values() for a in v[0]}
        assert {b"\\Sent", b"\\Drafts", b"\\Trash"} <= uses, uses
        assert set(names(b'LIST (SUBSCRIBED) "" "a*"')) == {b"a/b/c"}
        v = names(b'LIST (SUBSCRIBED RECURSIVEMATCH) "" "a"')
        assert v[b"a"][2] and b"CHILDINFO" in v[b"a"][2]
        assert b"\\Subscribed" in names(b'LIST "" "a/b/c" RETURN (SUBSCRIBED)')[b"a/b/c"][0]
        found, _ = c.do(b'LIST "" ("INBOX" "a/*") RETURN (STATUS (MESSAGES UIDNEXT) SPECIAL-USE CHILDREN)')
        assert {v[0] for k, v in found if k == "STATUS"} == {v[1] for k, v in found if k == "LIST"}
        assert set(names(b'LSUB "" "a*"', "LSUB")) == {b"a/b/c"}
        v = names(b'LSUB "" "a/%"', "LSUB")
        assert b"\\Noselect" in v[b"a/b"][0]
        v = names(b'LIST "" ""')
        assert set(v) == {b""}
        for text in (b"CREATE a/b", b"CREATE INBOX", b"DELETE nowhere", b"DELETE a", b"RENAME nowhere x", b"RENAME a &AOQ-rger", b"DELETE INBOX"):
            c.do(text, b"NO")
        c.do(b"RENAME a z")
        assert b"z/b/c" in names(b'LIST "" "*"')
        for bad in (b"LIST", b'LIST ""', b'LIST (X) "" *', b'LIST "" * RETURN', b'LIST "" * RETURN (X)', b'LIST (RECURSIVEMATCH) "" *', b"STATUS INBOX",
                    b"STATUS INBOX ()", b"STATUS INBOX (X)", b"CREATE", b"RENAME z"):
            c.do(bad, b"BAD")


def test_rev2():
    with Client(server(), 4) as c:
        found, _ = c.do(b"ENABLE IMAP4rev2 CONDSTORE NONSENSE")
        assert dict(found)["ENABLED"] == [b"IMAP4rev2", b"CONDSTORE"] or set(dict(found)["ENABLED"]) == {b"IMAP4rev2", b"CONDSTORE"}
        c.rev2 = True
        c.do(b'CREATE "\xc3\xb6l"')
        assert "öl".encode() in {v[1] for k, v in c.do(b'LIST "" "*"')[0]}
        fill(c, b'"\xc3\xb6l"', 2)
        found, _ = c.do(b'SELECT "\xc3\xb6l"')
        assert "RECENT" not in kinds(found) and "LIST" in kinds(found)
        assert "ESEARCH" in kinds(c.do(b"SEARCH ALL")[0])
        c.do(b"FETCH 1 (BINARY.PEEK[1] BINARY.SIZE[1])")
        found, _ = c.do(b'STATUS "\xc3\xb6l" (DELETED SIZE)')


def facts(c, mailbox):
    codes = c.codes(b"SELECT " + mailbox)
    return {k: codes[k] for k in (b"UIDVALIDITY", b"UIDNEXT", b"HIGHESTMODSEQ")}, \
        {n: (v[b"UID"], sorted(v[b"FLAGS"]), v[b"MODSEQ"]) for n, v in c.fetch(b"FETCH 1:* (UID FLAGS MODSEQ)").items()}


def test_nothing_moves_over_restarts():
    s = server()
    with Client(s, 2) as c:
        fill(c, b"dst", 3, 20)
        c.do(b"SELECT dst")
        c.do(b"STORE 1 +FLAGS (\\Seen stays)")
        c.do(b"STORE %d +FLAGS (\\Deleted)" % c.count)
        c.do(b"EXPUNGE")
        before = facts(c, b"dst")
    s.stop()
    s.start()
    with Client(s, 2) as c:
        assert facts(c, b"dst") == before
    s.kill()
    s.start()
    with Client(s, 2) as c:
        assert facts(c, b"dst") == before
        (uid,) = fill(c, b"dst", 1, 30)
        assert uid >= before[0][b"UIDNEXT"], "a UID was given twice"


def structure(m):
    """The tree as Python's parser sees it."""
    if m.is_multipart() and m.get_content_maintype() == "multipart":
        return (m.get_content_type(), [structure(p) for p in m.get_payload()])
    return m.get_content_type()


def ours(b):
    kind = (b["type"] + b"/" + b["subtype"]).decode()
    return (kind, [ours(p) for p in b["parts"]]) if b["type"] == b"multipart" else kind


# Python's parser and the grammar differ there, or the message has no such part
DIFFERENT = re.compile(r"broken|missing|no-|nul|empty|one-newline|bare|many|folded|multiparts-300|bad|nested|eight-bit")


def leaves(m, path=""):
    if m.get_content_maintype() == "multipart" and m.is_multipart():
        for i, p in enumerate(m.get_payload(), 1):
            yield from leaves(p, f"{path}.{i}" if path else str(i))
    else:
        yield path or "1", m


def test_generated_messages_against_python():
    s = server()
    made = [(n, d) for n, d in mailgen.generate() if len(d) < 2_000_000 and b"\0" not in d and d.strip()]
    with Client(s, 5) as c:
        names = []
        for name, data in made:
            _, last = c.append(b"INBOX", data)
            assert last.split(b" ")[1] == b"OK", (name, last)
            names.append((name, data))
        c.do(b"SELECT INBOX")
        compared = 0
        for i, (name, data) in enumerate(names, 1):
            f = c.fetch(b"FETCH %d (ENVELOPE BODY BODYSTRUCTURE BODY.PEEK[] RFC822.SIZE)" % i)[i]
            assert f[b"BODY[]"] == data, name
            assert f[b"RFC822.SIZE"] == len(data), name
            assert ours(f[b"BODY"]) == ours(f[b"BODYSTRUCTURE"]), name
            if DIFFERENT.search(name):
                continue
            m = email.message_from_bytes(data, policy=email.policy.compat32)
            e = f[b"ENVELOPE"]
            assert e["subject"].decode() == m["Subject"] and e["message_id"].decode() == m["Message-ID"], (name, e)
            assert e["date"].decode() == m["Date"], name
            (who,) = e["from"]
            assert b"%s@%s" % (who[2], who[3]) == email.utils.parseaddr(m["From"])[1].encode()
            assert e["sender"] == e["from"] == e["reply_to"], "[RFC 3501] 7.4.2"
            assert len(e["to"]) == 2 and e["cc"] is None
            assert ours(f[b"BODYSTRUCTURE"]) == structure(m), (name, f[b"BODYSTRUCTURE"])
            for path, leaf in leaves(m):
                part = c.fetch(b"FETCH %d BODY.PEEK[%s]" % (i, path.encode()))[i][b"BODY[%s]" % path.encode()]
                want = leaf._payload.encode("ascii", "surrogateescape")
                assert part == want, (name, path, len(part), len(want), part[:100], want[:100])
                node = f[b"BODYSTRUCTURE"]
                if "parts" in node:
                    for k in path.split("."):
                        node = node["parts"][int(k) - 1]
                assert node["size"] == len(part), (name, path, node)
                if node["type"] == b"text":
                    assert abs(node["lines"] - part.count(b"\n")) <= 1, (name, path)
            compared += 1
        print(f"# {compared} of {len(names)} messages compared with Python")
        assert compared > 60


def stop():
    if SERVER is not None:
        SERVER.stop()


gxtap.main(globals(), stop)
