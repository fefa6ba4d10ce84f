#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Deterministic, realistic mail (also iCalendar, vCard, EWS-like XML) for benchmarks.

  corpus.py --n 10000 --seed 1 --profile office --format pack --out mail.pack
  corpus.py --kind ics --n 5000 --format dir --out events/

--kind     mail | ics | vcf | ewsxml
--profile  office: internal and external business mail, HTML, attachments, invites (median 17 KB, mean about 90 KB)
           light:  text and small HTML, few and small attachments (median 6 KB, mean about 10 KB), for large mailboxes
--format   pack (u32 little-endian length + message, the load generators' input), dir (00000001.eml ...),
           maildir, mbox (mboxrd)
The same arguments give the same bytes (checked with two builds of Python 3.11; only random() and getrandbits()
are drawn from). Line ends are CRLF, but LF in maildir and mbox. --stats prints what was made.
"""
import argparse, base64, binascii, math, os, random, struct, sys

SYL = ("ba be bi bo bu ca ce co da de di do du fa fe fi fo ga ge go ha he hi ho ja jo ka ke ki ko la le li lo lu "
       "ma me mi mo mu na ne ni no nu pa pe pi po ra re ri ro ru sa se si so su ta te ti to tu va ve vi wa we wi "
       "za ze str pre con pro tion ment ing er ed ly est ance ship").split()
COMMON = ("the of and to in is that for it as was with be by on not he this are or his from at which but have an "
          "had they you were their one all we can her has there been if more when will would who so no please "
          "meeting report budget quarter customer review update project team deadline contract invoice order "
          "schedule attached regards thanks forward confirm discuss proposal office server account agenda").split()
WORDS = {
    "de": "und der die das nicht für über möchte Grüße Straße Rückmeldung Änderung später können natürlich Büro "
          "Geschäftsführung Prüfung Übersicht größer schließlich Vertrag Besprechung morgen".split(),
    "fr": "le la les être déjà réunion équipe prévu après très façon où août délai reçu projet société élevé "
          "naïve cœur français garçon hôtel contrôle".split(),
    "ru": "и в не на что встреча отчёт бюджет договор клиент проект завтра пожалуйста сервер почта спасибо "
          "вопрос решение компания".split(),
    "ja": "会議 報告 予算 顧客 確認 お願いします 資料 添付 明日 東京 株式会社 予定 変更 承認 連絡".split(),
    "zh": "会议 报告 预算 客户 确认 附件 明天 公司 项目 合同 时间 更新 服务器 谢谢".split(),
    "el": "και το να συνάντηση έκθεση πελάτης έργο αύριο ευχαριστώ λογαριασμός".split(),
    "he": "פגישה דוח תקציב לקוח מחר תודה פרויקט חוזה".split(),
}
# language, charset, transfer encoding, weight
CHARSETS = [("en", "us-ascii", "7bit", 22), ("en", "utf-8", "quoted-printable", 26), ("en", "utf-8", "8bit", 8),
            ("en", "utf-8", "base64", 6), ("de", "utf-8", "quoted-printable", 8), ("de", "iso-8859-1", "8bit", 4),
            ("de", "iso-8859-15", "quoted-printable", 2), ("fr", "windows-1252", "quoted-printable", 5),
            ("fr", "utf-8", "8bit", 3), ("ru", "koi8-r", "8bit", 2), ("ru", "utf-8", "base64", 3),
            ("ru", "windows-1251", "base64", 1), ("ja", "iso-2022-jp", "7bit", 3), ("ja", "utf-8", "base64", 2),
            ("ja", "shift_jis", "base64", 1), ("zh", "gb18030", "base64", 2), ("zh", "big5", "base64", 0),
            ("el", "iso-8859-7", "quoted-printable", 1), ("he", "utf-8", "base64", 1)]
CHARSETS = [c for c in CHARSETS if c[3]]
FIRST = ["Anna", "Ben", "Carla", "David", "Eva", "Felix", "Grace", "Hugo", "Ines", "Jörg", "Katya", "Liam", "Mia",
         "Noël", "Olga", "Paul", "Renée", "Søren", "Tanaka", "Uwe", "Vera", "Wei", "Xenia", "Yuki", "Zoë"]
LAST = ["Abel", "Brown", "Côté", "Díaz", "Evans", "Fischer", "García", "Huber", "Ivanov", "Jensen", "Kowalski",
        "Lee", "Müller", "Nguyen", "O'Hara", "Petrov", "Quist", "Rossi", "Sato", "Tamm", "Ueda", "Weiß", "Young"]
TYPES = [("pdf", "application/pdf", 30, 0.9), ("docx", "application/vnd.openxmlformats-officedocument."
         "wordprocessingml.document", 18, 0.9), ("xlsx", "application/vnd.openxmlformats-officedocument."
         "spreadsheetml.sheet", 14, 0.9), ("jpg", "image/jpeg", 16, 1.0), ("png", "image/png", 12, 0.95),
         ("csv", "text/csv", 5, 0.0), ("txt", "text/plain", 3, 0.0), ("zip", "application/zip", 2, 1.0)]
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
STYLE = ("<html xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o=\"urn:schemas-microsoft-com:office:office\">\r\n"
         "<head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=%s\"><style><!--\r\n"
         "@font-face {font-family:\"Cambria Math\"; panose-1:2 4 5 3 5 4 6 3 2 4;}\r\n"
         "@font-face {font-family:Calibri; panose-1:2 15 5 2 2 2 4 3 2 4;}\r\n"
         "p.MsoNormal, li.MsoNormal, div.MsoNormal {margin:0cm; font-size:11.0pt; font-family:\"Calibri\",sans-serif;}\r\n"
         "a:link, span.MsoHyperlink {mso-style-priority:99; color:blue; text-decoration:underline;}\r\n"
         "span.EmailStyle17 {mso-style-type:personal-compose; color:windowtext;}\r\n"
         ".MsoChpDefault {mso-style-type:export-only;}\r\n@page WordSection1 {size:612.0pt 792.0pt; margin:70.85pt;}\r\n"
         "div.WordSection1 {page:WordSection1;}\r\n--></style></head><body lang=EN-US link=blue vlink=purple>\r\n"
         "<div class=WordSection1>\r\n")


class Rng(random.Random):
    """Only random() and getrandbits(), whose streams Python keeps stable across versions."""
    def below(self, n): return int(self.random() * n)
    def pick(self, seq): return seq[int(self.random() * len(seq))]
    def weighted(self, seq, total, col):
        r = self.random() * total
        for x in seq:
            r -= x[col]
            if r < 0:
                return x
        return seq[-1]
    def gauss1(self):
        return math.sqrt(-2 * math.log(1 - self.random())) * math.cos(2 * math.pi * self.random())
    def lognormal(self, median, sigma, lo, hi):
        return int(min(hi, max(lo, median * math.exp(sigma * self.gauss1()))))
    def blob(self, n): return self.getrandbits(8 * n).to_bytes(n, "little") if n else b""


class Corpus:
    def __init__(self, seed, profile):
        self.r = Rng(seed)
        self.office = profile == "office"
        r = self.r
        vocab = list(COMMON)
        while len(vocab) < 6000:
            vocab.append("".join(r.pick(SYL) for _ in range(1 + r.below(4))))
        # Zipf: word k about 1/(k+3) as often; a table of 65536 draws keeps it cheap
        w = [1 / (k + 3) for k in range(len(vocab))]
        tot, table, acc = sum(w), [], 0.0
        for k, x in enumerate(w):
            acc += x
            upto = int(acc / tot * 65536)
            table.extend([vocab[k]] * (upto - len(table)))
        self.table = table + [vocab[0]] * (65536 - len(table))
        self.people = []
        for i in range(400):
            f, l = r.pick(FIRST), r.pick(LAST)
            dom = "bench.test" if i < 150 else "%s.example" % r.pick(COMMON)
            self.people.append((f + " " + l, "p%03d.%s@%s" % (i, "".join(c for c in l.lower() if c.isascii() and c.isalpha()), dom)))
        self.past = []   # (message-id, references, subject, text) of mails to reply to
        self.files = []  # attachments seen before: the same file is sent around
        self.ctypes = {}

    # -- text --
    def words(self, n, lang):
        r, t = self.r, self.table
        bits = r.getrandbits(16 * n)
        out = []
        extra = WORDS.get(lang)
        for _ in range(n):
            k = bits & 65535
            bits >>= 16
            out.append(extra[k % len(extra)] if extra and k % (2 if lang in ("de", "fr") else 9) != 1 else t[k])
        return out

    def text(self, size, lang):
        """About size characters, wrapped at 76, in paragraphs."""
        lines, line, got, para = [], [], 0, 0
        while got < size:
            for w in self.words(min(400, 8 + (size - got) // 5), lang):
                if para > 60:
                    lines += [" ".join(line) + ".", ""]
                    line, got, para = [], got + len(" ".join(line)) + 4, 0
                elif sum(map(len, line)) + len(line) + len(w) > 74:
                    s = " ".join(line)
                    lines.append(s)
                    got += len(s) + 2
                    line = []
                line.append(w)
                para += 1
                if got >= size:
                    break
        lines.append(" ".join(line) + ".")
        return lines

    def addr(self, p):
        name = p[0]
        if not name.isascii():
            name = self.encword(name, "utf-8")
        elif "'" in name:
            name = '"%s"' % name
        return "%s <%s>" % (name, p[1])

    def encword(self, s, cs):
        if cs in ("us-ascii",) or s.isascii():
            return s
        out, cur = [], ""
        for w in s.split(" "):
            cand = (cur + " " + w) if cur else w
            if len(cand.encode("utf-8")) > 33 and cur:
                out.append(cur)
                cur = " " + w
            else:
                cur = cand
        out.append(cur)
        if self.r.random() < 0.4 and cs == "utf-8":
            q = ["".join(chr(b) if chr(b).isalnum() and b < 128 else ("_" if b == 32 else "=%02X" % b) for b in x.encode(cs))
                 for x in out]
            return "\r\n ".join("=?%s?Q?%s?=" % (cs, x) for x in q)
        return "\r\n ".join("=?%s?B?%s?=" % (cs, base64.b64encode(x.encode(cs, "replace")).decode()) for x in out)

    def date(self, i, n):
        # three years that end at 2024-12-31, in order, zones mixed
        t = 1640995200 + int(94608000 * (i + self.r.random()) / max(n, 1))
        off = self.r.pick([0, 0, 60, 60, 120, -300, -480, 540, 330])
        return t, off

    @staticmethod
    def civil(t):
        d, s = divmod(t, 86400)
        z = d + 719468
        era, doe = divmod(z, 146097)
        yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
        doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
        mp = (5 * doy + 2) // 153
        m = mp + 3 if mp < 10 else mp - 9
        y = yoe + era * 400 + (m <= 2)
        return y, m, doy - (153 * mp + 2) // 5 + 1, s // 3600, s % 3600 // 60, s % 60, (d + 3) % 7

    def rfc822(self, t, off):
        y, m, d, H, M, S, wd = self.civil(t + off * 60)
        return "%s, %d %s %d %02d:%02d:%02d %s%02d%02d" % (DAYS[wd], d, MONTHS[m-1], y, H, M, S,
                                                        "-" if off < 0 else "+", abs(off) // 60, abs(off) % 60)

    def ical(self, t):
        y, m, d, H, M, S, _ = self.civil(t)
        return "%04d%02d%02dT%02d%02d%02dZ" % (y, m, d, H, M, S)

    # -- parts --
    @staticmethod
    def b64(data):
        s = base64.b64encode(data)
        return b"".join(s[k:k+76] + b"\r\n" for k in range(0, len(s), 76))

    @staticmethod
    def encode(lines, cs, cte):
        if cte == "base64":
            return Corpus.b64("\r\n".join(lines).encode(cs, "replace"))
        raw = [l.encode(cs, "replace") for l in lines]
        if cte == "quoted-printable":
            out = binascii.b2a_qp(b"\n".join(raw), istext=True)
            return out.replace(b"\n", b"\r\n") + b"\r\n"
        return b"\r\n".join(raw) + b"\r\n"

    def text_part(self, lines, cs, cte, sub="plain"):
        if cs == "us-ascii" and any(not l.isascii() for l in lines):
            cs, cte = "utf-8", "quoted-printable"
        return (b"Content-Type: text/%s; charset=\"%s\"\r\nContent-Transfer-Encoding: %s\r\n" % (
                sub.encode(), cs.encode(), cte.encode()), self.encode(lines, cs, cte))

    def html(self, lines, cs, links):
        r = self.r
        h = (STYLE % cs if self.office or r.random() < 0.3 else "<html><body>\r\n").split("\r\n")[:-1]
        for l in lines:
            h.append("<p class=MsoNormal><span lang=EN-US style='font-size:11.0pt'>%s<o:p></o:p></span></p>" % l
                     if self.office else "<p>%s</p>" % l)
        for _ in range(links):
            h.append("<p class=MsoNormal><a href=\"https://%s.example/%s?u=%x\">%s</a></p>" % (
                     r.pick(COMMON), r.pick(COMMON), r.getrandbits(128), r.pick(COMMON)))
        return h + ["</div></body></html>"]

    def multi(self, sub, parts, params=""):
        b = "----=_%032x" % self.r.getrandbits(128)
        body = b"".join(b"--%s\r\n%s\r\n%s\r\n" % (b.encode(), h, d) for h, d in parts) + b"--%s--\r\n" % b.encode()
        return ("Content-Type: multipart/%s;%s\r\n boundary=\"%s\"\r\n" % (sub, params, b)).encode(), body

    def attachment(self):
        r = self.r
        if self.files and r.random() < 0.15:
            return r.pick(self.files)
        ext, ct, _, dense = r.weighted(TYPES, 100, 2)
        size = r.lognormal(60000 if self.office else 8000, 1.3, 400, 6 << 20 if self.office else 200000)
        if dense == 0.0:
            data = "\r\n".join(self.text(size, "en")).encode()
        else:
            k = int(size * dense)
            data = r.blob(k) + (b"\0obj stream endstream " * ((size - k) // 22 + 1))[:size - k]
        name = "_".join(self.words(2, "en")) + "." + ext
        if r.random() < 0.15:
            name = "Übersicht " + name
        if name.isascii():
            fn = "filename=\"%s\"" % name
            nm = "name=\"%s\"" % name
        else:
            q = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "".join("%%%02X" % b for b in c.encode()) for c in name)
            fn = "filename*=UTF-8''%s" % q
            nm = "name=\"=?utf-8?B?%s?=\"" % base64.b64encode(name.encode()).decode()
        head = ("Content-Type: %s;\r\n %s\r\nContent-Disposition: attachment;\r\n %s; size=%d\r\n"
                "Content-Transfer-Encoding: base64\r\n" % (ct, nm, fn, len(data))).encode()
        part = (head, self.b64(data))
        if len(self.files) < 200:
            self.files.append(part)
        return part

    def vevent(self, t, subject, org, guests, lang):
        r = self.r
        start = t - t % 1800 + 86400 * (1 + r.below(20))
        L = ["BEGIN:VCALENDAR", "METHOD:REQUEST", "PRODID:-//Bench//Corpus//EN", "VERSION:2.0", "BEGIN:VTIMEZONE",
             "TZID:W. Europe Standard Time", "BEGIN:STANDARD", "DTSTART:16010101T030000", "TZOFFSETFROM:+0200",
             "TZOFFSETTO:+0100", "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10", "END:STANDARD",
             "BEGIN:DAYLIGHT", "DTSTART:16010101T020000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200",
             "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3", "END:DAYLIGHT", "END:VTIMEZONE", "BEGIN:VEVENT",
             "ORGANIZER;CN=%s:mailto:%s" % (org[0], org[1])]
        for g in guests:
            L.append("ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=%s:mailto:%s" % g)
        desc = "\\n".join(self.text(r.lognormal(400, 0.8, 40, 6000), lang)).replace(",", "\\,")
        local = self.ical(start)[:-1]
        L += ["DESCRIPTION;LANGUAGE=en-US:" + desc, "SUMMARY;LANGUAGE=en-US:" + subject,
              "UID:%064X" % r.getrandbits(256), "DTSTART;TZID=W. Europe Standard Time:" + local,
              "DTEND;TZID=W. Europe Standard Time:" + self.ical(start + 3600)[:-1], "CLASS:PUBLIC", "PRIORITY:5",
              "DTSTAMP:" + self.ical(t), "TRANSP:OPAQUE", "STATUS:CONFIRMED", "SEQUENCE:%d" % r.below(4),
              "LOCATION;LANGUAGE=en-US:Room %d" % r.below(40)]
        if r.random() < 0.3:
            L.append(r.pick(["RRULE:FREQ=WEEKLY;COUNT=%d;INTERVAL=1;BYDAY=MO,WE;WKST=MO", "RRULE:FREQ=DAILY;COUNT=%d",
                             "RRULE:FREQ=MONTHLY;COUNT=%d;BYDAY=2TU", "RRULE:FREQ=YEARLY;COUNT=%d"]) % (2 + r.below(50)))
            if r.random() < 0.4:
                L.append("EXDATE;TZID=W. Europe Standard Time:" + self.ical(start + 604800)[:-1])
        L += ["X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE", "X-MICROSOFT-CDO-IMPORTANCE:1", "X-MICROSOFT-DISALLOW-COUNTER:FALSE",
              "BEGIN:VALARM", "DESCRIPTION:REMINDER", "TRIGGER;RELATED=START:-PT15M", "ACTION:DISPLAY", "END:VALARM",
              "END:VEVENT", "END:VCALENDAR"]
        out = []
        for l in L:
            b = l.encode()
            while len(b) > 75:
                k = 75
                while b[k] & 0xC0 == 0x80:
                    k -= 1
                out.append(b[:k])
                b = b" " + b[k:]
            out.append(b)
        return b"\r\n".join(out) + b"\r\n"

    def vcard(self, i):
        r = self.r
        n = r.pick(self.people)[0].split(" ")
        L = ["BEGIN:VCARD", "VERSION:%s" % r.pick(["3.0", "3.0", "4.0", "2.1"]), "N:%s;%s;;;" % (n[1], n[0]), "FN:%s %s" % (n[0], n[1]),
             "ORG:%s GmbH;%s" % (r.pick(COMMON).title(), r.pick(COMMON)), "TITLE:" + " ".join(self.words(2, "en")),
             "EMAIL;TYPE=INTERNET,PREF:c%05d@bench.test" % i, "TEL;TYPE=WORK,VOICE:+49 30 %07d" % r.below(9999999),
             "TEL;TYPE=CELL:+49 170 %07d" % r.below(9999999),
             "ADR;TYPE=WORK:;;%s %d;Berlin;;1%04d;Germany" % (r.pick(WORDS["de"]), r.below(200), r.below(9999)),
             "BDAY:19%02d-%02d-%02d" % (50 + r.below(50), 1 + r.below(12), 1 + r.below(28)), "URL:https://example.test/%d" % i,
             "NOTE:" + "\\n".join(self.text(r.lognormal(120, 0.8, 10, 2000), "en")), "UID:%032x" % r.getrandbits(128),
             "REV:2024-01-01T00:00:00Z"]
        if r.random() < 0.15:
            L.append("PHOTO;ENCODING=b;TYPE=JPEG:" + base64.b64encode(r.blob(r.lognormal(6000, 0.6, 500, 60000))).decode())
        L.append("END:VCARD")
        out = []
        for l in L:
            b = l.encode()
            out.append(b[:75])
            out += [b" " + b[k:k+74] for k in range(75, len(b), 74)]
        return b"\r\n".join(out) + b"\r\n"

    def ewsxml(self, i):
        """A FindItem-like answer of 50 items: the shape of EWS traffic, not its schema to the letter."""
        r = self.r
        T = "http://schemas.microsoft.com/exchange/services/2006/types"
        o = ["<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Header>"
             "<h:ServerVersionInfo MajorVersion=\"15\" MinorVersion=\"20\" xmlns:h=\"%s\"/></s:Header><s:Body><m:FindItemResponse "
             "xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" xmlns:t=\"%s\"><m:ResponseMessages>"
             "<m:FindItemResponseMessage ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode><m:RootFolder "
             "TotalItemsInView=\"50\" IncludesLastItemInRange=\"false\"><t:Items>" % (T, T)]
        for k in range(50):
            p, t = r.pick(self.people), 1640995200 + r.below(94608000)
            y, m, d, H, M, S, _ = self.civil(t)
            o.append("<t:Message><t:ItemId Id=\"%s\" ChangeKey=\"%s\"/><t:Subject>%s</t:Subject><t:Size>%d</t:Size>"
                     "<t:DateTimeReceived>%04d-%02d-%02dT%02d:%02d:%02dZ</t:DateTimeReceived><t:HasAttachments>%s</t:HasAttachments>"
                     "<t:Preview>%s</t:Preview><t:From><t:Mailbox><t:Name>%s</t:Name><t:EmailAddress>%s</t:EmailAddress>"
                     "<t:RoutingType>SMTP</t:RoutingType></t:Mailbox></t:From><t:IsRead>%s</t:IsRead></t:Message>" % (
                         base64.b64encode(r.blob(114)).decode(), base64.b64encode(r.blob(30)).decode(), " ".join(self.words(6, "en")),
                         r.below(90000), y, m, d, H, M, S, r.pick(["true", "false"]), " ".join(self.words(20, "de")).replace("&", "&amp;"),
                         p[0], p[1], r.pick(["true", "false"])))
        o.append("</t:Items></m:RootFolder></m:FindItemResponseMessage></m:ResponseMessages></m:FindItemResponse></s:Body></s:Envelope>")
        return "".join(o).encode()

    # -- one message --
    def mail(self, i, n):
        r = self.r
        lang, cs, cte, _ = r.weighted(CHARSETS, sum(c[3] for c in CHARSETS), 3)
        t, off = self.date(i, n)
        sender = r.pick(self.people[:150]) if r.random() < 0.45 else r.pick(self.people)
        outside = not sender[1].endswith("@bench.test")
        to = [r.pick(self.people[:150]) for _ in range(1 + (r.below(6) if r.random() < 0.3 else 0))]
        mid = "<%032x@%s>" % (r.getrandbits(128), sender[1].split("@")[1])
        reply = r.pick(self.past) if self.past and r.random() < 0.45 else None
        subject = ("Re: " + reply[2]) if reply and not reply[2].startswith("Re: ") else reply[2] if reply else \
            " ".join(self.words(2 + r.below(7), lang if cs not in ("us-ascii",) else "en")).capitalize()
        size = r.lognormal(1500 if self.office else 1200, 1.0, 60, 120000)
        lines = self.text(size, lang)
        body = list(lines)
        if reply:
            body += ["", "-----Original Message-----"] + ["> " + l for l in reply[3][:120]]
        h = []
        if outside or r.random() < 0.5:
            for k in range(3 + r.below(4) if outside else 1):
                h.append("Received: from mx%d.%s.example (mx%d.%s.example [192.0.2.%d])\r\n\tby mail.bench.test (Postfix) with ESMTPS id "
                         "%012X\r\n\t(version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256)\r\n\tfor <%s>; %s" % (
                             k, r.pick(COMMON), k, r.pick(COMMON), r.below(255), r.getrandbits(48), to[0][1], self.rfc822(t - k, 0)))
        if outside:
            sig = base64.b64encode(r.blob(256)).decode()
            h.append("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s;\r\n\ts=s1; h=From:To:Subject:Date;\r\n\tbh=%s;\r\n\tb=%s" % (
                     sender[1].split("@")[1], base64.b64encode(r.blob(32)).decode(), "\r\n\t ".join(sig[k:k+70] for k in range(0, len(sig), 70))))
            if r.random() < 0.5:
                h.append("ARC-Seal: i=1; a=rsa-sha256; s=arcselector; d=relay.example; cv=none;\r\n b=" +
                         "\r\n ".join(base64.b64encode(r.blob(256)).decode()[k:k+70] for k in range(0, 344, 70)))
                h.append("X-MS-Exchange-AntiSpam-MessageData: " + "\r\n ".join(
                         base64.b64encode(r.blob(700)).decode()[k:k+74] for k in range(0, 936, 74)))
                h.append("X-Forefront-Antispam-Report: CIP:192.0.2.1;CTRY:;LANG:en;SCL:1;SRV:;IPV:NLI;SFV:NSPM;H:mx;PTR:;CAT:NONE;SFS:(13230040);DIR:INB;")
            h.append("Authentication-Results: mail.bench.test; dkim=pass header.d=%s; spf=pass\r\n\tsmtp.mailfrom=%s" % (
                     sender[1].split("@")[1], sender[1]))
        h.append("From: " + self.addr(sender))
        h.append("To: " + ",\r\n\t".join(self.addr(p) for p in to))
        if r.random() < 0.2:
            h.append("Cc: " + ",\r\n\t".join(self.addr(r.pick(self.people)) for _ in range(1 + r.below(5))))
        h.append("Subject: " + self.encword(subject, "utf-8" if cs in ("us-ascii", "gb18030", "shift_jis", "iso-2022-jp") else cs))
        h.append("Date: " + self.rfc822(t, off))
        h.append("Message-ID: " + mid)
        refs = []
        if reply:
            refs = reply[1][-9:] + [reply[0]]
            h.append("In-Reply-To: " + reply[0])
            h.append("References: " + "\r\n ".join(refs))
            h.append("Thread-Topic: " + (subject[4:] if subject.isascii() else "topic"))
        if self.office and r.random() < 0.5:
            h.append("Thread-Index: " + base64.b64encode(r.blob(22)).decode())
            h.append("X-MS-Has-Attach: \r\nX-MS-TNEF-Correlator: \r\nAccept-Language: en-US\r\nContent-Language: en-US")
        h.append("MIME-Version: 1.0")
        kind = r.random()
        plain = self.text_part(body, cs, cte)
        p_html = 0.72 if self.office else 0.25
        if kind < 0.05:      # meeting request
            hp = self.text_part(self.html(lines, cs, 0), cs, cte if cte != "7bit" else "quoted-printable" if cs == "us-ascii" else cte, "html")
            ics = self.vevent(t, subject, sender, to, "en")
            cal = (b"Content-Type: text/calendar; charset=\"utf-8\"; method=REQUEST\r\nContent-Transfer-Encoding: base64\r\n", self.b64(ics))
            top, c = self.multi("alternative", [plain, hp, cal]), "invite"
        elif kind < 0.065:   # bounce
            rep = (b"Content-Type: message/delivery-status\r\n", ("Reporting-MTA: dns; mail.bench.test\r\n\r\nFinal-Recipient: rfc822; %s\r\n"
                   "Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 unknown\r\n" % to[0][1]).encode())
            orig = (b"Content-Type: message/rfc822\r\n", ("From: %s\r\nSubject: original\r\n\r\n" % sender[1]).encode() + self.encode(lines, "utf-8", "8bit"))
            top, c = self.multi("report", [plain, rep, orig], " report-type=delivery-status;"), "report"
        elif kind < 0.065 + p_html:
            hl = self.html(body if r.random() < 0.5 else lines, cs, r.below(12) if outside else 0)
            hp = self.text_part(hl, cs, cte, "html")
            top, c = self.multi("alternative", [plain, hp]), "alternative"
            if self.office and r.random() < 0.25:  # inline picture
                pic = r.blob(r.lognormal(9000, 0.8, 600, 200000))
                img = (b"Content-Type: image/png; name=\"image001.png\"\r\nContent-ID: <image001.png@01D%s>\r\nContent-Disposition: inline\r\n"
                       b"Content-Transfer-Encoding: base64\r\n" % (b"%06X" % r.getrandbits(24)), self.b64(pic))
                top, c = self.multi("related", [top, img], " type=\"multipart/alternative\";"), "related"
        else:
            top, c = plain, "plain"
        if r.random() < (0.24 if self.office else 0.04) and c != "report":
            parts = [top] + [self.attachment() for _ in range(1 + (r.below(3) if r.random() < 0.3 else 0))]
            if r.random() < 0.05:
                parts.append((b"Content-Type: message/rfc822\r\n", b"From: x@bench.test\r\nSubject: nested\r\nMIME-Version: 1.0\r\n" + top[0] + b"\r\n" + top[1]))
            top, c = self.multi("mixed", parts), "mixed"
        elif r.random() < 0.015:
            sig = (b"Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\nContent-Transfer-Encoding: base64\r\n", self.b64(r.blob(3200)))
            top, c = self.multi("signed", [top, sig], " protocol=\"application/pkcs7-signature\"; micalg=sha-256;"), "signed"
        self.ctypes[c] = self.ctypes.get(c, 0) + 1
        if len(self.past) < 2000:
            self.past.append((mid, refs, subject, lines))
        else:
            self.past[r.below(2000)] = (mid, refs, subject, lines)
        return "\r\n".join(h).encode("utf-8") + b"\r\n" + top[0] + b"\r\n" + top[1], t


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--kind", default="mail", choices=["mail", "ics", "vcf", "ewsxml"])
    ap.add_argument("--n", type=int, default=1000)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--profile", default="office", choices=["office", "light"])
    ap.add_argument("--format", default="pack", choices=["pack", "dir", "maildir", "mbox"])
    ap.add_argument("--out", required=True)
    ap.add_argument("--stats", action="store_true")
    a = ap.parse_args()
    c = Corpus(a.seed, a.profile)
    if a.format == "maildir":
        for d in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(a.out, d), exist_ok=True)
    elif a.format == "dir":
        os.makedirs(a.out, exist_ok=True)
    else:
        f = open(a.out, "wb")
    ext = {"mail": "eml", "ics": "ics", "vcf": "vcf", "ewsxml": "xml"}[a.kind]
    sizes = []
    for i in range(a.n):
        t = 1704067200 + i
        if a.kind == "mail":
            m, t = c.mail(i, a.n)
        elif a.kind == "ics":
            g = [c.r.pick(c.people) for _ in range(1 + c.r.below(8))]
            m = c.vevent(1640995200 + c.r.below(94608000), " ".join(c.words(5, "en")), c.r.pick(c.people), g, c.r.pick(["en", "en", "de", "ja"]))
        elif a.kind == "vcf":
            m = c.vcard(i)
        else:
            m = c.ewsxml(i)
        sizes.append(len(m))
        if a.format == "pack":
            f.write(struct.pack("<I", len(m)))
            f.write(m)
        elif a.format == "mbox":
            y, mo, d, H, M, S, wd = c.civil(t)
            m = m.replace(b"\r\n", b"\n")
            f.write(b"From bench@bench.test %s %s %2d %02d:%02d:%02d %d\n" % (DAYS[wd].encode(), MONTHS[mo-1].encode(), d, H, M, S, y))
            f.write(b"\n".join(b">" + l if l.lstrip(b">").startswith(b"From ") else l for l in m.split(b"\n")) + b"\n")
        elif a.format == "maildir":
            m = m.replace(b"\r\n", b"\n")
            name = "%d.M%06dP1.bench,S=%d:2,%s" % (t, i % 1000000, len(m), "S" if i % 3 else "")
            with open(os.path.join(a.out, "cur", name), "wb") as g:
                g.write(m)
            os.utime(os.path.join(a.out, "cur", name), (t, t))
        else:
            with open(os.path.join(a.out, "%08d.%s" % (i + 1, ext)), "wb") as g:
                g.write(m)
    if a.format in ("pack", "mbox"):
        f.close()
    if a.stats:
        s = sorted(sizes)
        p = lambda q: s[int(q * (len(s) - 1))]
        print("n %d bytes %d mean %d p10 %d p50 %d p90 %d p99 %d max %d" % (
            len(s), sum(s), sum(s) // len(s), p(.1), p(.5), p(.9), p(.99), s[-1]), c.ctypes or "")


if __name__ == "__main__":
    main()
