#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The MIME parser against Python's email package: tree of parts, types, decoded contents.

Over the sample files beside the project where they are present, and over messages made here. The two
parsers differ by intent in a few places; each is an entry of JUDGED with its reason.
"""
import email
import email.generator
import email.policy
import glob
import json
import os
import random
import re
import subprocess
import tempfile
import zlib

import gxtap

# part of the file name: why the trees may differ
JUDGED = {
    "common_src_main_resources_eml_alternative.eml": "ends with a delimiter that has no line end; Python makes an empty part of it",
    "_eml_html_body.eml": "white space at the end of quoted-printable lines, which [RFC 2045] 6.7 (3) deletes",
    "_message_rfc822_inline_image.eml": "the same",
    "_inlined-single-attachment.eml": "a part of two empty lines: the first ends the header, one is body",
    "_raw_email4.eml": "'--boundary-': [RFC 2046] 5.1.1 wants only the beginning of the line to match",
}


def dump(paths, piece=0):
    tool = gxtap.program("tests", "mimedump")
    cmd = [tool] + (["--piece", str(piece)] if piece else []) + paths
    out = subprocess.run(cmd, check=True, stdout=subprocess.PIPE).stdout
    messages = []
    for line in out.decode("ascii").splitlines():
        o = json.loads(line)
        if "message" in o:
            messages.append((o, []))
        else:
            messages[-1][1].append(o)
    return messages


def walk(p):
    """As Message.walk(), but reports, fragments and encoded messages are leaves."""
    yield p
    kind = p.get_content_type()
    if kind.startswith("message/") and (
            kind not in ("message/rfc822", "message/global") or
            p.get("content-transfer-encoding", "").strip().lower() in ("base64", "quoted-printable")):
        return
    if p.is_multipart():
        for q in p.get_payload():
            yield from walk(q)


def python_parts(msg):
    """Types in document order, with the CRC of decoded leaves where decoding is beyond doubt."""
    parts = []
    for p in walk(msg):
        kind = p.get_content_type()
        if p.get_content_maintype() == "multipart" and not p.get_boundary():
            kind = "text/plain"  # shown as text
        payload = p.get_payload(decode=True) if not p.is_multipart() else None
        crc = zlib.crc32(payload) if payload is not None and not p.defects else None
        parts.append((kind, crc))
    return parts


def load(path):
    """The message, without a line of junk at its beginning, for which Python takes the header as body."""
    with open(path, "rb") as f:
        data = f.read()
    junk = re.match(rb"[^\r\n:]* [^\r\n:]*:[^\n]*\n", data)
    return email.message_from_bytes(data[junk.end():] if junk else data)


def compare(paths):
    wrong, compared = [], 0
    for path, (_, ours) in zip(paths, dump(paths)):
        if any(k in path for k in JUDGED):
            print(f"# judged: {os.path.basename(path)}")
            continue
        theirs = python_parts(load(path))
        kinds = [p["type"] + "/" + p["subtype"] for p in ours]
        if kinds != [k for k, _ in theirs]:
            wrong.append(f"{path}: {kinds} is not {[k for k, _ in theirs]}")
            continue
        for n, (p, (kind, crc)) in enumerate(zip(ours, theirs)):
            if crc is not None and "crc" in p:
                compared += 1
                if p["crc"] != crc:
                    wrong.append(f"{path}: part {n} {kind}: contents differ ({p['decoded']} bytes)")
    for line in wrong:
        print("#", line)
    print(f"# {len(paths)} messages, {compared} contents")
    assert not wrong and compared


def test_corpus():
    paths = sorted(glob.glob(gxtap.corpus_dir() + "/**/*.eml", recursive=True))
    if not paths:
        raise gxtap.Skip("no .eml in the corpus folder")
    compare(paths)


def make_part(rnd, depth):
    kind = rnd.randrange(8 if depth < 5 else 5)
    if kind == 7:
        m = email.message.Message()
        m["Content-Type"] = "message/rfc822"
        m.set_payload([make_part(rnd, depth + 1)])
        return m
    if kind >= 5:
        m = email.message.Message()
        m["Content-Type"] = "multipart/" + rnd.choice(["mixed", "alternative", "related"])
        m.set_payload([])
        for _ in range(rnd.randrange(1, 4)):
            m.attach(make_part(rnd, depth + 1))
        return m
    m = email.message.EmailMessage(policy=email.policy.SMTP)
    text = "".join(rnd.choice("abc def\n-=.äöü世") for _ in range(rnd.randrange(1, 3000))) + "\n"
    if kind == 0:
        m.set_content(text, charset="utf-8", cte=rnd.choice(["base64", "quoted-printable", "8bit"]))
    elif kind == 1:
        m.set_content(text.encode("ascii", "replace").decode(), cte="7bit")
    else:
        m.set_content(rnd.randbytes(rnd.randrange(1, 100000 if kind == 4 else 500)), "application", "octet-stream",
                      filename=rnd.choice(["a.bin", "ä b.bin", "x" * 120 + ".bin"]))
    return m


def test_generated():
    rnd = random.Random(1)
    with tempfile.TemporaryDirectory() as d:
        paths = []
        for i in range(200):
            m = make_part(rnd, 0)
            if "Subject" not in m:
                m["Subject"] = f"message {i}"
            path = os.path.join(d, f"{i:04}.eml")
            with open(path, "wb") as f:
                gen = email.generator.BytesGenerator(f, policy=email.policy.SMTP.clone(max_line_length=998))
                gen.flatten(m)
            paths.append(path)
        compare(paths)
        assert dump(paths) == dump(paths, 1000)
        assert dump(paths) == dump(paths, 7)


if __name__ == "__main__":
    gxtap.main(globals())
