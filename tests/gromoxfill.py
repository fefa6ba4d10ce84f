# SPDX-License-Identifier: Apache-2.0
"""What the mailboxes of tests/gromoxgen.py contain."""
import struct
import sys
import uuid

from gromoxgen import (ANSWERED, BODY, DELETED, DRAFT, FLAGGED, FORWARDED, HEADERS, HTML, LONG, MV, NEWEST, RECENT, RTF, STRING8,
                       SUBJECT, UNICODE, ATTACH_DATA, Mailbox, action, actions, eid, move_to, nttime, r_and, r_content, r_exist, r_not, r_or,
                       r_prop, svreid)

SMTP, NAME, RCPT_TYPE = 0x39fe001f, 0x3001001f, 0x0c150003
GUID_COMMON = "00062008-0000-0000-c000-000000000046"
GUID_STRINGS = "00020329-0000-0000-c000-000000000046"
GUID_HEADERS = "00020386-0000-0000-c000-000000000046"


def rcpt(address, name=None, kind=1):
    return {SMTP: address, NAME: name or address, RCPT_TYPE: kind, 0x3002001f: "SMTP", 0x0ffe0003: 6}


def mail_text(n, body, extra=""):
    return (f"From: Anna <a{n}@example.net>\r\nTo: user1@example.org\r\nSubject: mail {n}\r\n"
            f"Date: Mon, 14 Sep 2020 10:{n % 60:02}:00 +0200\r\nMessage-ID: <{n}@example.net>\r\n{extra}\r\n").encode() + body


def mail(n, body=None):
    """Properties and text of a plain mail."""
    text = body if body is not None else f"Hello, this is mail {n}.\r\nIt has äöü in it.\r\n"
    head = mail_text(n, b"", "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n")
    props = {SUBJECT: f"mail {n}", 0x001a001f: "IPM.Note", BODY: text, HEADERS: head.decode(), 0x0c1f001f: f"a{n}@example.net",
             0x0c1a001f: "Anna", 0x0e060040: nttime(1600070000 + n), 0x00390040: nttime(1600069000 + n), 0x1035001f: f"<{n}@example.net>",
             0x3fde0003: 65001, 0x0e070003: 0}
    return props, head + text.encode()


def every_type(box):
    """A property of each type, tagged and named, 8-bit and Unicode."""
    guid = "{}".format(uuid.UUID(int=0x1234567890abcdef1234567890abcdef))
    n1, n2 = box.named(f"{GUID_COMMON},34049"), box.named(f"{GUID_STRINGS},Keywords")
    n3, n4 = box.named(f"{GUID_HEADERS},x-Mailer"), box.named(f"{GUID_COMMON},34050")
    return {
        SUBJECT: "all types: ÄÖÜ €", 0x001a001e: "IPM.Note.Custom", 0x66000002: -5, 0x66010003: 0xfffffff0, 0x66020004: 1.5, 0x66030005: -2.25,
        0x66040006: 0xffffffffffffff00, 0x66050007: 43000.5, 0x6606000a: 0x8004010f, 0x6607000b: 1, 0x66080014: -2, 0x6609001e: "acht Bit",
        0x660a001f: "Ünï", 0x660b0040: nttime(1600000000) + 7, 0x660c0048: guid, 0x660d00fb: svreid(0x0d, 0x12345, 7),
        0x660f0102: bytes(range(40)), 0x66100102: b"", 0x6611001f: "", 0x6612000d: b"object", 0x6613001f: "12345", 0x66141002: [1, -2, 3],
        0x66151003: [5, -6], 0x66161004: [0.5, 1.25], 0x66171005: [1e300, -0.125], 0x66181006: [1, -1], 0x66191007: [1.5],
        0x661a1014: [-1, 1 << 40], 0x661b101e: ["eins", "zwei"], 0x661c101f: ["ä", "", "ß"], 0x661d1040: [nttime(1), nttime(2)],
        0x661e1048: [guid], 0x661f1102: [b"a", b"", bytes(300)], 0x66201003: [], n1 << 16 | LONG: 4711, n2 << 16 | MV | UNICODE: ["rot", "grün"],
        n3 << 16 | UNICODE: "mailer", n4 << 16 | STRING8: "named 8 bit", 0x6621001f: "x" * 5000, 0x66220102: bytes(range(256)) * 100,
    }


def fill_private(box, forms=("Y", "0", "1", "2", "S", "Yn")):
    e4 = box.named(f"{GUID_COMMON},34051")
    box.named(f"{GUID_STRINGS},with, comma=and more")
    box.store_prop(0x3001001f, "Mailbox of user1")
    box.store_prop(0x66600102, bytes(range(30)))
    inbox, sent, drafts, trash = 0x0d, 0x0a, 0x0e, 0x0b
    proj = box.folder("Projekte", 9, "IPF.Note", subscribed=True)
    deep = box.folder("Ärger/Streit", proj, "IPF.Note")
    deeper = box.folder("Stufe 3", deep, "IPF.Note", subscribed=True, props={0x10f4000b: 0, 0x66300102: b"\1\2", e4 << 16 | LONG: 5})
    cal2 = box.folder("Zweiter Kalender", 0x0f, "IPF.Appointment")
    gone = box.folder("Weg damit", 9, "IPF.Note", deleted=True)
    below_gone = box.folder("Darunter", gone, "IPF.Note", deleted=True)
    criteria = r_and(r_content(SUBJECT, "rechnung"), r_not(r_prop(4, 0x0e070003, 1)), r_exist(e4 << 16 | LONG))
    box.folder("Suche Rechnung", 5, "IPF.Note", search=True, criteria=criteria, scope=(9, 0x0d), search_flags=0x22)
    box.folder("Leere Suche", 5, search=True)
    box.folder("Suche Mail", 5, "IPF.Note", search=True, criteria=r_content(SUBJECT, "MAIL 5"), scope=(0x0d, proj), search_flags=0x2a, finds="mail 5")
    box.folder("Angehalten", 5, "IPF.Note", search=True, criteria=r_content(SUBJECT, "mail"), scope=(0x0d,), search_flags=0x1)

    box.permission(inbox, "Bob@Example.org", 0x5fb | 0x400)
    box.permission(inbox, "default", 0x400)
    box.permission(inbox, "", 0)
    box.permission(proj, "team@example.org", 0x401)
    box.rule(inbox, "Rechnungen", r_content(SUBJECT, "rechnung"), lambda t: actions(move_to(proj), action(11)))
    box.rule(inbox, "An alle", r_or(r_exist(SUBJECT), r_prop(4, e4 << 16 | LONG, 3)),
             lambda t: actions(action(7, struct.pack("<H", 1) + b"\1" + struct.pack("<H", 3) + t(NAME, "Größe") + t(SMTP, "b@example.net") +
                                      t(0x0ffe0003, 6), flavor=1), action(9, t(e4 << 16 | LONG, 9))), sequence=20, state=0x11)
    box.rule(inbox, "Antwort", r_exist(SUBJECT), lambda t: actions(action(3, eid(inbox) + eid(0x10005) + bytes(range(16)))), sequence=30, provider_data=None)
    box.receive_folder("IPM.Note.Invoice", proj)
    box.reserve(0x1000)
    box.reserve(0x10000)
    if box.version >= 14:
        box.replica_of(uuid.UUID("11111111-2222-3333-4444-555555555555"))
        box.replica_of(uuid.UUID("aaaaaaaa-2222-3333-4444-555555555555"))
    box.autoreply("peer@example.net", 1690000000)
    box.autoreply("Other@Example.net", 1690000001)

    # plain mail in every form of content file
    n = 0
    for form in forms:
        for fid, uid in ((inbox, True), (proj, True), (deep, None)):
            n += 1
            props, text = mail(n)
            box.message(fid, props, [rcpt("user1@example.org", "User Eins"), rcpt("c@example.net", kind=2)], eml=text, uid=uid, form=form,
                        read=n % 2 == 0, read_cn=n % 4 == 0, imap=RECENT if n % 3 == 0 else 0)
    # flags and keywords, UIDs with gaps and not in the order of ids
    props, text = mail(50)
    late = box.message(inbox, props, eml=text, uid=900, imap=ANSWERED | FLAGGED | DELETED, keywords=["$Label1", "Wichtig", "$Forwarded"], read=True)
    props, text = mail(51)
    box.message(inbox, props, eml=text, uid=500, imap=FORWARDED | RECENT, keywords=["$Label1"])
    props, text = mail(52)
    box.message(inbox, props, eml=text, uid=901, eml_name="1600000000.12.oldhost")
    # known to IMAP only: the text it was shown; one that has changed since
    props, text = mail(53)
    box.message(inbox, props, eml=text, uid=902, midb_eml_only=True)
    props, text = mail(54)
    box.message(inbox, props, eml=text, uid=903, midb_eml_only=True, mod_time=nttime(1))
    # without IMAP index: UIDs behind those that are given out
    props, text = mail(55)
    box.message(inbox, props, eml=text)
    props, _ = mail(56)
    box.message(inbox, props, read=True)
    # drafts and submitted ones
    box.message(drafts, {SUBJECT: "Entwurf", 0x001a001f: "IPM.Note", 0x0e070003: 8, BODY: "noch nichts"}, [rcpt("x@example.net")], read=True)
    box.message(drafts, {SUBJECT: "Entwurf 2", 0x001a001f: "IPM.Note", 0x0e070003: 8}, uid=True, imap=DRAFT, read=True)
    box.message(sent, {SUBJECT: "gesendet", 0x001a001f: "IPM.Note", 0x0e070003: 0x20}, [rcpt("x@example.net")], uid=True, read=True)
    # flagged and answered: known from properties alone, or from the index alone
    box.message(sent, {SUBJECT: "markiert", 0x10900003: 2}, uid=True)
    box.message(sent, {SUBJECT: "markiert 2", 0x10900003: 2})
    box.message(sent, {SUBJECT: "beantwortet", 0x10810003: 102}, uid=True, imap=FORWARDED)
    box.message(sent, {SUBJECT: "beantwortet 2", 0x10810003: 103})
    # all types; also as 8-bit and Unicode variant of one property
    box.message(proj, every_type(box), [rcpt("t@example.net")], form="0", uid=True)
    both = {SUBJECT: "Größe", 0x0037001e: "Gr??e", 0x1000001e: "acht Bit: äöü", 0x007d001e: "From: x\r\n", 0x001a001f: "IPM.Note"}
    box.message(proj, both, form="0", uid=True)
    box.message(proj, both, form="1")
    # bodies, attachments small and large
    big = box.rng.randbytes(300000)
    html = ("<html><body>" + "<p>Absatz</p>" * 3000 + "</body></html>").encode()
    box.message(proj, {SUBJECT: "groß", 0x001a001f: "IPM.Note", HTML: html, RTF: b"LZFu" + bytes(5000), BODY: "Absatz\r\n" * 3000}, [rcpt("x@example.net")], [
        {"props": {0x3707001f: "klein.bin", ATTACH_DATA: b"abc", 0x37050003: 1, 0x0e210003: 0}},
        {"props": {0x3707001f: "groß.bin", ATTACH_DATA: big, 0x37050003: 1, 0x0e210003: 7}},
        {"props": {0x3707001f: "ole", 0x3701000d: b"\xd0\xcf" + bytes(9000), 0x37050003: 6}},
        {"props": {0x3707001f: "leer", ATTACH_DATA: b"", 0x37050003: 1}},
        {"props": {0x3707001f: "wieder", ATTACH_DATA: big, 0x37050003: 1}}], uid=True)
    # embedded messages
    inner = {"props": {SUBJECT: "innen 3", BODY: "tief"}, "rcpts": [rcpt("i3@example.net")]}
    for depth in (2, 1):
        inner = {"props": {SUBJECT: f"innen {depth}", 0x001a001f: "IPM.Note", BODY: f"Text {depth}", e4 << 16 | LONG: depth},
                 "rcpts": [rcpt(f"i{depth}@example.net")],
                 "atts": [{"props": {0x3707001f: "msg", 0x37050003: 5}, "embedded": inner},
                          {"props": {0x3707001f: "x.txt", ATTACH_DATA: b"text %d" % depth, 0x37050003: 1}}]}
    box.message(proj, {SUBJECT: "außen", 0x001a001f: "IPM.Note"}, atts=[{"props": {0x3707001f: "m", 0x37050003: 5}, "embedded": inner}], uid=True)
    # associated, deleted, in deleted folders
    box.message(inbox, {SUBJECT: "FAI", 0x001a001f: "IPM.Configuration.X", 0x7c070102: b"<xml/>"}, fai=True, read=True)
    box.message(cal2, {SUBJECT: "FAI 2", 0x001a001f: "IPM.Configuration.Y"}, fai=True)
    box.message(cal2, {SUBJECT: "Termin", 0x001a001f: "IPM.Appointment"}, read=True)
    props, text = mail(60)
    box.message(trash, props, eml=text, deleted=True, read=True)
    box.message(trash, {SUBJECT: "FAI weg", 0x001a001f: "IPM.X"}, fai=True, deleted=True)
    props, text = mail(61)
    box.message(gone, props, eml=text)
    box.message(below_gone, {SUBJECT: "ganz unten", 0x001a001f: "IPM.Note"})
    # changed by clients: foreign change keys
    other = uuid.UUID("deadbeef-0000-1111-2222-333344445555")
    key = other.bytes_le + (77).to_bytes(6, "big")
    box.message(deeper, {SUBJECT: "von Outlook", 0x001a001f: "IPM.Note"}, change_key=key,
                pcl=bytes([22]) + box.xid(5) + bytes([22]) + key)
    box.folder("von Outlook", 9, "IPF.Note", change_key=key)
    for i in range(20):
        props, text = mail(100 + i, "x" * box.rng.randrange(50) + "\r\n")
        box.message(box.rng.choice((inbox, proj, deeper)), props, eml=text if i % 3 else None, uid=True if i % 4 else None)
    fill_config(box)
    return late


def fill_config(box):
    box.config_file("autoreply.cfg", "# out of office\noof_state = 2\nallow_external_oof = 1\nexternal_audience = 1\nstart_time = 1700000000\n"
                                     "end_time = 1700600000\n")
    box.config_file("internal-reply", "Content-Type: text/html;\r\n\tcharset=\"utf-8\"\r\nSubject: =?utf-8?Q?Bin_f=C3=BCr_2_Wochen_weg?=\r\n\r\n"
                                      "<p>Schöne Grüße</p>\r\n")
    box.config_file("external-reply", "Content-Type: text/plain; charset=\"utf-8\"\r\nSubject: away\r\n\r\nI am away.\r\n")
    box.config_file("delegates.txt", "anna@example.org\n\nbob@example.org\r\n")
    box.config_file("sendas.txt", "chef@example.org\n")
    box.config_file("portrait.jpg", b"\xff\xd8\xff\xe0" + bytes(range(200)))
    prof = struct.pack("<H", 1) + struct.pack("<I", 0x6772001f) + b'{"settings":{"zarafa":1}}\0' + struct.pack("<I", 1) + struct.pack("<H", 2)
    prof += struct.pack("<I", 0x00480048) + uuid.UUID(GUID_COMMON).bytes_le + struct.pack("<I", 0x67000003) + struct.pack("<I", 5)
    box.config_file("zarafa.dat", prof)
    box.settings = {
        "oof": {"state": 2, "external": True, "known_only": True, "from": nttime(1700000000), "until": nttime(1700600000),
                "subject": "Bin für 2 Wochen weg", "message": "<p>Schöne Grüße</p>\r\n", "external_subject": "away", "external_message": "I am away.\r\n"},
        "delegates": ["anna@example.org", "bob@example.org"], "send_as": ["chef@example.org"]}


def fill_public(box):
    news = box.folder("Neuigkeiten", 2, "IPF.Note", props={box.named(f"{GUID_STRINGS},thing") << 16 | LONG: 3})
    sub = box.folder("Unterordner", news, "IPF.Note")
    gone = box.folder("Weg", 2, "IPF.Note", deleted=True)
    box.permission(2, "default", 0x41b)
    box.permission(news, "", 0x401)
    box.permission(news, "alice@example.org", 0x5fb | 0x600)
    box.rule(news, "Regel", r_exist(SUBJECT), lambda t: actions(action(10)))
    box.replica_of(uuid.UUID("11111111-2222-3333-4444-555555555555"))
    box.reserve(500)
    mids = []
    for i in range(12):
        props, text = mail(i)
        mids.append(box.message((news, sub)[i % 2], props, [rcpt("pf@example.org")], eml=text if i % 3 else None, form=("Y", "0", "2")[i % 3]))
    box.message(gone, {SUBJECT: "im Papierkorb", 0x001a001f: "IPM.Post"})
    box.message(news, {SUBJECT: "weg", 0x001a001f: "IPM.Post"}, deleted=True)
    box.message(news, {SUBJECT: "FAI", 0x001a001f: "IPM.X"}, fai=True)
    box.read_by(mids[0], "alice@example.org")
    box.read_by(mids[0], "Bob@Example.org")
    box.read_by(mids[3], "bob@example.org", cn=False)


def private(path, version=NEWEST, **kw):
    box = Mailbox(path, version, **kw)
    fill_private(box)
    return box.finish()


def public(path, version=NEWEST, **kw):
    box = Mailbox(path, version, public=True, owner_id=3, **kw)
    fill_public(box)
    return box.finish()


def bulk(path, count):
    """Many small mails, as a mailbox has them."""
    box = Mailbox(path)
    for i in range(count):
        props, text = mail(i, f"Mail number {i}.\r\n" + "Some more words to read. " * 40 + "\r\n")
        box.message(0x0d, props, [rcpt("user1@example.org", "User Eins")], eml=text, uid=True, read=i % 3 == 0)
    return box.finish()


if __name__ == "__main__":
    bulk(sys.argv[1], int(sys.argv[2]))
