#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gromox-mbsize beside a running gromoxd."""
import base64
import json
import os
import random
import subprocess

from gxservice import Server, fetch_all, gxtap, program


def mbsize(s, *args):
    r = subprocess.run([program("gromox-mbsize"), "-c", s.cfg, "--json", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True, timeout=120)
    assert r.returncode == 0, r
    return json.loads(r.stdout)


def mail(subject, data):
    return (b"From: a@example.net\r\nSubject: " + subject + b"\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ntext\r\n--x\r\n"
            b"Content-Type: application/octet-stream; name=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            + base64.encodebytes(data).replace(b"\n", b"\r\n") + b"--x--\r\n")


def test_an_attachment_that_came_three_times_is_kept_once():
    data = random.Random(7).randbytes(300000)
    with Server(users=2) as s:
        for i in range(3):
            s.deliver(mail(b"number %d" % i, data))
        s.deliver(b"Subject: small\r\n\r\ntext\r\n", to=1)
        before = fetch_all(s.wait_count(0, 3))
        s.wait_count(1, 1)
        z = mbsize(s, "-u", s.users[0])[0]
        assert z["name"] == s.users[0] and z["normal"]["count"] == 3
        assert z["attachments"]["logical"] == {"count": 3, "bytes": 900000, "disk": 0}, z["attachments"]
        assert z["attachments"]["unique"] == {"count": 1, "bytes": 300000, "disk": 0}, z["attachments"]
        assert (z["references"]["bytes"], z["contents"]["bytes"]) == (900000, 300000), z
        assert (z["files"]["count"], z["files"]["bytes"]) == (1, 300000), z
        assert z["reported"] > 900000 > z["bytes"] - z["database"]["bytes"]
        every = mbsize(s, "--all")
        assert {x["name"] for x in every} >= set(s.users) and len(every) >= 2
        s.tool("gromox-mkpublic", "-c", s.cfg, "example.org")
        public = mbsize(s, "-u", "@example.org")[0]
        assert os.path.isdir(public["directory"]) and public["normal"]["count"] == 0
        s.deliver(mail(b"one more", data))
        assert len(fetch_all(s.wait_count(0, 4))) == len(before) + 1


if __name__ == "__main__":
    gxtap.main(globals())
