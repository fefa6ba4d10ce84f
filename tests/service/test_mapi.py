#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gromox-mapi over HTTPS against the real daemon."""
import json
import os
import signal
import subprocess
import tempfile
import time

from gxservice import PASSWORD, Server, gxtap, program, run
import mapiwire

server = None
scratch = tempfile.mkdtemp(prefix="gx-mapi-")


def the_server():
    global server
    if server is None:
        server = Server(users=2, http=True).start()
    return server


def stop_server():
    if server is not None:
        server.__exit__(None)


def argv(s, *args, user=0, trusted=True):
    return [program("gromox-mapi"), "-u", s.users[user], "--url", f"https://localhost:{s.https_port}/mapi/emsmdb/?MailboxId=x",
            "--dn", mapiwire.essdn(user + 1, f"user{user + 1}"), *(["--cacert", s.cert] if trusted else []), *args]


def mapi(s, *args, password=PASSWORD, code=0, data=None, **kw):
    r = subprocess.run(argv(s, *args, **kw), env=dict(os.environ, GX_PASSWORD=password), input=data, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=120)
    assert r.returncode == code, (args, r.returncode, r.stdout, r.stderr)
    return r.stdout if code == 0 else r.stderr.decode()


def messages(s, folder="Inbox"):
    return json.loads(mapi(s, "--json", "ls", folder))


def test_who_is_let_in():
    s = the_server()
    assert "password" in mapi(s, "ls", password="wrong", code=3)
    assert "certificate" in mapi(s, "ls", code=4, trusted=False)
    mapi(s, "--insecure", "ls", trusted=False)
    with open(os.path.join(scratch, "password"), "w") as f:
        f.write(PASSWORD + "\n")
    mapi(s, "--password-file", f.name, "ls", password="wrong")
    assert "Connect" in mapi(s, "--dn", mapiwire.essdn(2, "user2"), "ls", code=3)
    assert "usage" in mapi(s, "dance", code=2)
    assert "https" in mapi(s, "--url", "ftp://localhost/", "ls", code=2)
    r = run([program("gromox-mapi"), "-u", "a@b", "--url", "https://127.0.0.1:1/", "--dn", "/x", "ls"], check=False,
            env=dict(os.environ, GX_PASSWORD="x"))
    assert r.returncode == 4, r.stdout


def test_ls():
    s = the_server()
    folders = json.loads(mapi(s, "--json", "ls"))
    inbox = next(f for f in folders if f["name"] == "Inbox")
    s.deliver(b"From: a@example.net\r\nSubject: number one\r\n\r\nhello\r\n")
    s.wait_count(0, 1)
    found = messages(s)
    assert [m["subject"] for m in found] == ["number one"], found
    assert messages(s, inbox["id"]) == found
    assert b"number one" in mapi(s, "ls", "inbox")
    assert "no folder" in mapi(s, "ls", "Nowhere", code=5)
    assert json.loads(mapi(s, "--json", "ls", "Drafts")) == []


def test_rop():
    s = the_server()
    # RopGetStoreState, and RopOpenFolder of the folder with the id 0, which there is not
    out = mapi(s, "rop", "--hex", "7b0000 0200000100000000000000 0000").decode()
    lines = out.splitlines()
    assert len(lines) == 4 and lines[0].startswith("> RopGetStoreState"), out
    assert lines[2].startswith("< RopGetStoreState") and lines[3].startswith("< RopOpenFolder"), out
    assert "digits" in mapi(s, "rop", "--hex", "zz", code=2)
    assert "no operation" in mapi(s, "rop", "--hex", "fb0000", code=2)
    # two requests in one session: the second names the handle that the first has brought
    inbox = next(f["id"] for f in json.loads(mapi(s, "--json", "ls")) if f["name"] == "Inbox")
    fid = int(inbox, 16).to_bytes(8, "little").hex()
    out = mapi(s, "rop", "--hex", data=f"02000001{fid}00\n0500010200\n".encode()).decode()
    assert "RopGetContentsTable" in out and "row_count=0x1" in out, out


def start_watch(s, *args):
    w = subprocess.Popen(argv(s, "--json", "watch", *args), env=dict(os.environ, GX_PASSWORD=PASSWORD), stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    assert b"watching" in w.stderr.readline()
    return w


def test_watch():
    s = the_server()
    w = start_watch(s, "Inbox")
    s.deliver(b"From: a@example.net\r\nSubject: number two\r\n\r\nhello\r\n")
    seen = set()
    while not {"new-mail", "created"} <= seen:
        line = w.stdout.readline()
        assert line, "it has ended"
        seen.add(json.loads(line)["event"])
    w.send_signal(signal.SIGINT)
    assert w.wait(60) == 0
    mapi(s, "--timeout", "0.3", "watch")


def test_the_server_goes_away():
    s = the_server()
    w = start_watch(s)
    s.stop()
    assert w.wait(60) == 4, w.stderr.read()
    assert w.stderr.read()
    assert mapi(s, "ls", code=4)
    s.start()
    mapi(s, "ls")


gxtap.main(globals(), stop_server)
