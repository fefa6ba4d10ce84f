#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every message goes in by LMTP and by APPEND and comes back by IMAP byte for byte."""
import glob
import os

from gxservice import RawLmtp, Server, fetch_all, gxtap
import mailgen

BATCH = 200


def in_and_out(messages):
    """@param messages list of (name, bytes), delivered to user 1 by LMTP and to user 2 by APPEND."""
    with Server(users=2) as s:
        for start in range(0, len(messages), BATCH):
            batch = messages[start:start + BATCH]
            with RawLmtp(s.lmtp_port) as c:
                for name, data in batch:
                    c.send_mail("sender@example.net", [s.users[0]], data, bdat=not data.endswith(b"\r\n"))
            m = s.wait_count(0, len(batch), wait=60)
            check(batch, fetch_all(m))
            empty(m)
            m = s.imap(1)
            for name, data in batch:
                typ, answer = append(m, data)
                assert typ == "OK", (name, answer)
            m.select("INBOX")
            check(batch, fetch_all(m))
            empty(m)


def append(m, data):
    """imaplib's append() rewrites line ends; this does not."""
    m.literal = data
    return m._simple_command("APPEND", "INBOX")


def empty(m):
    m.store("1:*", "+FLAGS.SILENT", "\\Deleted")
    m.expunge()
    m.logout()


def check(batch, found):
    got = [found[uid] for uid in sorted(found)]
    assert len(got) == len(batch), f"{len(got)} messages came back, not {len(batch)}"
    for (name, data), back in zip(batch, got):
        if data != back:
            at = next((i for i, (x, y) in enumerate(zip(data, back)) if x != y), min(len(data), len(back)))
            raise AssertionError(f"{name}: {len(data)} bytes in, {len(back)} out, first difference at {at}: "
                                 f"{data[at:at + 40]!r} and {back[at:at + 40]!r}")


def test_generated_mail_comes_back_byte_for_byte():
    in_and_out(list(mailgen.generate(big=True)))


def test_corpus_mail_comes_back_byte_for_byte():
    corpus = gxtap.corpus_dir()
    messages = []
    for path in sorted(glob.glob(os.path.join(corpus, "**", "*.eml"), recursive=True)):
        with open(path, "rb") as f:
            data = f.read()
        if data:
            messages.append((os.path.relpath(path, corpus), data))
    assert len(messages) > 100, f"only {len(messages)} messages in {corpus}"
    in_and_out(messages)


def test_empty_message_is_refused_or_kept():
    """A message of no bytes at all: LMTP takes it, and it stays empty."""
    with Server(users=1) as s:
        with RawLmtp(s.lmtp_port) as c:
            c.send_mail("", [s.users[0]], b"", bdat=True)
        m = s.wait_count(0, 1)
        typ, data = m.fetch("1", "(RFC822.SIZE BODY.PEEK[])")
        answer = b" ".join(x if isinstance(x, bytes) else b" ".join(x) for x in data)
        assert b"RFC822.SIZE 0" in answer and (b'BODY[] ""' in answer or b"BODY[] {0}" in answer), data


gxtap.main(globals())
