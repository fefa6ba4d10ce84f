# SPDX-License-Identifier: Apache-2.0
"""Generated messages: every encoding, charset and nesting that mail programs write, and broken ones. Seeded."""
import base64
import quopri
import random

TEXT = ("Sehr geehrte Damen und Herren,\r\n\r\nanbei erhalten Sie die Unterlagen. "
        "Größe, Maß, Straße, naïve façade, Москва, 東京, αβγ, עברית.\r\n--\r\nMit freundlichen Grüßen\r\n")


def head(i, extra="", subject="generated message"):
    return (f"Return-Path: <sender@example.net>\r\nFrom: \"Sender {i}\" <sender{i}@example.net>\r\n"
            f"To: User One <user1@example.org>, user2@example.org\r\nSubject: {subject} {i}\r\n"
            f"Date: Sun, 22 Nov 2026 10:{i % 60:02d}:00 +0100\r\nMessage-ID: <gen.{i}@example.net>\r\n"
            f"MIME-Version: 1.0\r\n{extra}").encode()


def text_part(charset, cte, body=TEXT):
    raw = body.encode(charset, errors="replace")
    if cte == "base64":
        data = base64.encodebytes(raw).replace(b"\n", b"\r\n")
    elif cte == "quoted-printable":
        data = quopri.encodestring(raw.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    else:
        data = raw
    return f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {cte}\r\n\r\n".encode() + data


def attachment(rng, size, name="file.bin", width=76, eol=b"\r\n"):
    raw = rng.randbytes(size)
    b64 = base64.b64encode(raw)
    lines = eol.join(b64[k:k + width] for k in range(0, len(b64), width)) + eol
    return (f"Content-Type: application/octet-stream; name=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n"
            f"Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n").encode() + lines


def multipart(kind, parts, boundary):
    b = boundary.encode()
    return (f"Content-Type: multipart/{kind}; boundary=\"{boundary}\"\r\n\r\nThis is a multipart message.\r\n".encode()
            + b"".join(b"--" + b + b"\r\n" + p + b"\r\n" for p in parts) + b"--" + b + b"--\r\n")


def generate(big=False):
    """Yields (name, bytes)."""
    rng = random.Random(42)
    n = 0
    for charset in ("us-ascii", "utf-8", "iso-8859-1", "windows-1251", "iso-2022-jp", "gb18030", "koi8-r", "utf-16le"):
        for cte in ("7bit", "8bit", "quoted-printable", "base64", "x-unknown"):
            n += 1
            yield f"text-{charset}-{cte}", head(n) + text_part(charset, cte)
    for size in (0, 1, 56, 57, 58, 4095, 4096, 70000, 300000):
        for width in (76, 60, 72, 1000000):
            n += 1
            yield (f"attach-{size}-{width}", head(n) + multipart(
                "mixed", [text_part("utf-8", "quoted-printable"), attachment(rng, size, width=width)], f"b{n}"))
    for eol in (b"\n", b"\r\n\r\n", b" \r\n"):
        n += 1
        yield (f"attach-eol-{eol!r}", head(n) + multipart(
            "mixed", [text_part("utf-8", "8bit"), attachment(rng, 9000, eol=eol)], f"b{n}"))
    n += 1
    html = "Content-Type: text/html; charset=utf-8\r\n\r\n<p>Größe &amp; <img src=\"cid:i1\"></p>\r\n".encode()
    image = attachment(rng, 12000, "i.png").replace(b"application/octet-stream", b"image/png")
    image = b"Content-ID: <i1>\r\n" + image
    yield "alternative-related", head(n) + multipart("mixed", [
        multipart("alternative", [text_part("utf-8", "8bit"), multipart("related", [html, image], "in2")], "in1"),
        attachment(rng, 5000, "=?utf-8?q?Gr=C3=B6=C3=9Fe.pdf?=")], "out")
    for depth in (1, 2, 20):
        n += 1
        inner = head(1000 + n) + text_part("utf-8", "8bit")
        for _ in range(depth):
            inner = head(n) + b"Content-Type: message/rfc822\r\n\r\n" + inner
        yield f"nested-{depth}", inner
    for depth in (5, 300):
        n += 1
        body = text_part("us-ascii", "7bit", "deep\r\n")
        for d in range(depth):
            body = multipart("mixed", [body], f"d{d}")
        yield f"multiparts-{depth}", head(n) + body
    broken = {
        "empty-body": b"\r\n",
        "no-blank-line": b"X-Last: header\r\n",
        "missing-end-boundary": b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nhello\r\n",
        "no-boundary-parameter": b"Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\nhello\r\n--x--\r\n",
        "nul-bytes": b"\r\nbefore\0after\r\n\0\0\r\n",
        "eight-bit-header": b"X-Raw: \xe4\xf6\xfc \xff\r\n\r\nbody\r\n",
        "bad-base64": b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!###AAAA=BB\r\n",
        "dots": b"\r\n.\r\n..\r\n...a\r\n.b\r\n",
        "long-line": b"\r\n" + b"x" * 200000 + b"\r\n",
        "many-headers": b"".join(b"X-H%d: v\r\n" % k for k in range(3000)) + b"\r\nbody\r\n",
        "folded-forever": b"X-Fold:" + b"\r\n a" * 20000 + b"\r\n\r\nbody\r\n",
        "uuencode": b"\r\ntext\r\nbegin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\n",
        "trailing-space": b"\r\nline   \r\n \t\r\n",
    }
    for name, rest in broken.items():
        n += 1
        yield name, head(n) + rest
    yield "no-header", b"just text, no header at all\r\n"
    yield "one-newline", b"\r\n"
    yield "bare-lf", head(n).replace(b"\r\n", b"\n") + b"Content-Type: text/plain\n\nbare\nlf\n"
    yield "bare-cr", head(n) + b"\r\nbare\rcr\rhere\r\n"
    for size in (1_000_000, 5_000_000) + ((30_000_000,) if big else ()):
        n += 1
        yield f"size-{size}", head(n) + multipart(
            "mixed", [text_part("utf-8", "8bit"), attachment(rng, size * 3 // 4)], f"b{n}")
