#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gromox-mapi over HTTPS against the real daemon."""
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import time

from gxservice import PASSWORD, Server, gxtap, program, run, wait_for
import mapiwire

server = None
scratch = tempfile.mkdtemp(prefix="gx-mapi-")


def the_server():
    global server
    if server is None:
        server = Server(users=2, http=True, config=f"exmdb_ics_log_file = {scratch}/ics.log\n").start()
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


def cert(name, *args):
    """A certificate of its own authority, and its key."""
    crt, key = os.path.join(scratch, name + ".pem"), os.path.join(scratch, name + ".key")
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=" + name, "-keyout", key,
         "-out", crt, *args])
    return crt, key


def client(url, *args, password=PASSWORD, **kw):
    return subprocess.Popen([program("gromox-mapi"), "-u", "ann@example.org", "--url", url, *args], env=dict(os.environ, GX_PASSWORD=password),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)


def said(p, code):
    err = p.communicate(timeout=120)[1].decode()
    assert p.returncode == code, (p.returncode, err)
    return err


def test_what_a_newcomer_meets():
    s = the_server()
    here = f"https://localhost:{s.https_port}/mapi/emsmdb/?MailboxId=x"
    r = said(client("https://nosuch.invalid/mapi/emsmdb/", "ls"), 4)
    assert "nosuch.invalid" in r, r
    assert "nosuch.invalid" in said(client("https://nosuch.invalid/mapi/emsmdb/", "--dn", "/o=x", "ls"), 4)
    assert "refused" in said(client(here, "--cacert", s.cert, "ls", password="wrong"), 3)
    # the authority is not known, with and without autodiscover; there is no file with it
    for more in ([], ["--dn", "/o=x"]):
        assert "--cacert" in said(client(here, *more, "ls"), 4)
        r = said(client(here, *more, "--cacert", "/nonexistent.pem", "ls"), 4)
        assert "ertificate" in r or "CA" in r, r
    # what is wrong with the words stands last
    for args, text in ((["dance"], "no command dance"), (["cat"], "other arguments"), ([], "what is to be done")):
        assert text in said(client(here, *args), 2).splitlines()[-1]
    r = run([program("gromox-mapi"), "ls"], check=False)
    assert r.returncode == 2 and b"-u ADDRESS is missing" in r.stdout.splitlines()[-1], r.stdout
    assert "directory" in mapi(s, "put", "Inbox", "/etc", code=1)


def test_certificates_that_do_not_hold():
    """Of another host, and one that has expired: nobody is told a password."""
    for name, args, text in (("other.example.org", ["-days", "2"], "certificate"),
                             ("localhost", ["-not_before", "20200101000000Z", "-not_after", "20200201000000Z"], "certificate")):
        try:
            crt, key = cert(name, *args)
        except AssertionError:  # an openssl that cannot make expired ones
            continue
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(crt, key)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            p = client(f"https://localhost:{listener.getsockname()[1]}/mapi/emsmdb/", "--dn", "/o=x", "--cacert", crt, "ls")
            got = b""
            c, _ = listener.accept()
            with c:
                try:
                    with context.wrap_socket(c, server_side=True) as tls:
                        got = tls.recv(1000)
                except OSError:
                    pass
            err = said(p, 4)
            assert text in err and got == b"", (name, got, err)


def test_a_server_that_is_silent():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://localhost:{listener.getsockname()[1]}/mapi/emsmdb/"
        for args in (["ls"], ["--dn", "/o=x", "ls"], ["--dn", "/o=x", "sync", os.path.join(scratch, "silent")]):
            r = said(client(url, "--timeout", "0.2", *args), 4)
            assert "in time" in r or "timed out" in r or "timeout" in r, r  # of whatever step it was at
    # Ctrl-C while it waits; a second one is never needed
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://localhost:{listener.getsockname()[1]}/mapi/emsmdb/"
        for args in (["ls"], ["watch"], ["sync", os.path.join(scratch, "silent")]):
            p = client(url, "--dn", "/o=x", *args)
            with listener.accept()[0] as c:
                c.recv(1)
                p.send_signal(signal.SIGINT)
                assert "canceled" in said(p, 130)


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


def test_autodiscover():
    s = the_server()
    r = subprocess.run([program("gromox-mapi"), "-u", s.users[0], "--url", f"https://localhost:{s.https_port}/mapi/emsmdb/?MailboxId=x",
                        "--cacert", s.cert, "--json", "ls"], env=dict(os.environ, GX_PASSWORD=PASSWORD), stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=120)
    assert r.returncode == 0 and json.loads(r.stdout), r.stderr


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


def mail(subject, body="text", extra=""):
    return (f"From: Ann <ann@example.net>\r\nTo: Bob <bob@example.net>\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n"
            f"{extra}\r\n{body}\r\n").encode()


def test_put_and_cat():
    s = the_server()
    big = "".join(f"line {i} of a long text\r\n" for i in range(4000))
    attached = ("--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x\r\nContent-Type: application/x-y\r\n"
                "Content-Disposition: attachment; filename=data.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                + "QUJD" * 30000 + "\r\n--x--")
    for subject, body, extra in (("small", "short text", ""), ("large", big, ""),
                                 ("attached", attached, "Content-Type: multipart/mixed; boundary=x\r\n")):
        where = mapi(s, "put", "Drafts", "-", data=mail(subject, body, extra)).decode().strip()
        out = mapi(s, "cat", where).decode()
        assert f"Subject: {subject}" in out and "ann@example.net" in out and "bob@example.net" in out, out[:2000]
        obj = json.loads(mapi(s, "--json", "cat", where))
        assert obj["properties"]["PidTagSubject"] == subject
        assert [r["PidTagEmailAddress"] for r in obj["recipients"]] == ["bob@example.net"], obj["recipients"]
        if subject == "large":
            assert obj["properties"]["PidTagBody"].rstrip() == big.rstrip()
        if subject == "attached":
            assert obj["attachments"][0]["properties"]["PidTagAttachDataBinary"] == b"ABC".hex() * 30000
    assert len(messages(s, "Drafts")) == 3
    assert "FOLDER/0xID" in mapi(s, "cat", "Drafts/x", code=2)
    mapi(s, "cat", "Drafts/0x123456780001", code=5)
    mapi(s, "put", "Drafts", "/nonexistent", code=1)


def copy_of(directory):
    return sorted(f for f in os.listdir(directory) if not f.startswith("."))


def sync(s, directory, *args, **kw):
    return json.loads(mapi(s, "--json", "sync", directory, *args, **kw))


def same(s, directory, folder="Inbox"):
    """The copy has the messages that the folder has, and no others."""
    there = {m["id"] + ".eml": m["subject"] for m in messages(s, folder)}
    assert copy_of(directory) == sorted(there), (copy_of(directory), there)
    for name, subject in there.items():
        with open(os.path.join(directory, name), "rb") as f:
            assert f"Subject: {subject}".encode() in f.read(), name


def test_sync():
    s = the_server()
    d = os.path.join(scratch, "copy")
    sync(s, d)
    same(s, d)
    assert sync(s, d)["new"] == 0
    # there
    for i in range(3):
        s.deliver(mail(f"sync {i}"))
    s.wait_count(0, 5)
    assert sync(s, d)["new"] == 3
    line = rf"Z {s.dir}/user/\S+: contents of d for {s.users[0]}, who has \d+: 3 changed, 0 deleted, "
    wait_for("the line", lambda: re.search(line, open(os.path.join(scratch, "ics.log")).read()))
    same(s, d)
    m = s.imap(0, "INBOX")
    m.store("1", "+FLAGS", "\\Deleted")
    m.expunge()
    m.logout()
    assert sync(s, d)["deleted"] == 1
    same(s, d)
    # here
    os.unlink(os.path.join(d, copy_of(d)[0]))
    with open(os.path.join(d, "mine.eml"), "wb") as f:
        f.write(mail("from here"))
    r = sync(s, d)
    assert (r["sent"], r["removed"], r["new"], r["deleted"]) == (1, 1, 0, 0), r
    same(s, d)
    r = sync(s, d)
    assert (r["sent"], r["removed"], r["new"], r["deleted"], r["changed"]) == (0, 0, 0, 0, 0), r
    assert "another folder" in mapi(s, "sync", d, "--folder", "Drafts", code=2)
    # another copy sees the same
    other = os.path.join(scratch, "other")
    sync(s, other)
    same(s, other)
    # a state that is none
    with open(os.path.join(other, ".gromox-mapi"), "a") as f:
        f.write("nonsense\n")
    assert "begin anew" in mapi(s, "sync", other, code=1)


def test_sync_is_interrupted():
    """Ctrl-C at any moment, again and again, until it is through."""
    s = the_server()
    d = os.path.join(scratch, "broken")
    for _ in range(4):
        w = subprocess.Popen(argv(s, "sync", d), env=dict(os.environ, GX_PASSWORD=PASSWORD), stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        time.sleep(0.03)
        w.send_signal(signal.SIGINT)
        assert w.wait(60) in (0, 130, -2), w.stderr.read()
        w.communicate()
    sync(s, d)
    same(s, d)


def folders(s, user=0):
    return [f["name"] for f in json.loads(mapi(s, "--json", "ls", user=user))]


def test_folders_and_messages():
    s = the_server()
    assert json.loads(mapi(s, "--json", "mkdir", "Work", "Work/Done").decode().splitlines()[0])["id"].startswith("0x")
    assert "such a folder" in mapi(s, "mkdir", "Work", code=1)
    assert "no folder" in mapi(s, "mkdir", "Nowhere/Work", code=5)
    where = mapi(s, "put", "Work", "-", data=mail("to be carried")).decode().strip()
    mid = where.split("/")[1]
    # messages: into a folder that there is
    mapi(s, "cp", f"Work/{mid}", "Work/Done")
    assert [m["subject"] for m in messages(s, "Work/Done")] == ["to be carried"]
    mapi(s, "mv", f"Work/{mid}", "Work/Done")
    assert len(messages(s, "Work/Done")) == 2 and messages(s, "Work") == []
    assert "no such folder" in mapi(s, "mv", f"Work/Done/{messages(s, 'Work/Done')[0]['id']}", "Work/Else", code=5)
    mapi(s, "mv", "Work/0x123450000001", "Inbox", code=5)
    mapi(s, "rm", f"Work/Done/{messages(s, 'Work/Done')[0]['id']}")
    mapi(s, "rm", "--hard", f"Work/Done/{messages(s, 'Work/Done')[0]['id']}")
    assert messages(s, "Work/Done") == []
    # folders: under a new name, or into one that there is
    mapi(s, "put", "Work/Done", "-", data=mail("below"))
    assert "cp -r" in mapi(s, "cp", "Work", "Copy", code=2)
    mapi(s, "cp", "-r", "Work", "Copy")
    assert [m["subject"] for m in messages(s, "Copy/Done")] == ["below"]
    mapi(s, "mv", "Copy", "Work")
    assert "Copy" not in [f["name"] for f in json.loads(mapi(s, "--json", "ls")) if f["depth"] == 0]
    assert [m["subject"] for m in messages(s, "Work/Copy/Done")] == ["below"]
    mapi(s, "mv", "Work/Copy", "Work/Other")
    assert re.search(rb"\n\S+ +0 +0  Work\n\S+ +\d+ +\d+    Done\n", mapi(s, "ls")), mapi(s, "ls").decode()
    assert "rm -r" in mapi(s, "rm", "Work", code=2)
    mapi(s, "rm", "-r", "Work")
    assert not {"Work", "Copy", "Other"} & set(folders(s))
    mapi(s, "rm", "-r", "Work", code=5)
    assert "no option --set" in mapi(s, "--set", "a=b", "ls", code=2)
    assert "no option -r" in mapi(s, "ls", "-r", code=2)


def test_permissions_and_rules():
    s = the_server()

    def rows():
        return {p["user"]: p for p in json.loads(mapi(s, "--json", "permissions", "Calendar"))}

    assert {"default", "anonymous"} <= set(rows())
    mapi(s, "permissions", "Calendar", "--set", f"{s.users[1]}=reviewer,free-busy")
    assert rows()[s.users[1]]["role"] == "reviewer" and "free-busy" in rows()[s.users[1]]["rights"], rows()
    mapi(s, "permissions", "Calendar", "--set", "user2=0x47b")
    assert (rows()[s.users[1]]["role"], rows()[s.users[1]]["bits"]) == ("editor", 0x47b)
    assert s.users[1].encode() in mapi(s, "permissions", "Calendar")
    mapi(s, "permissions", "Calendar", "--set", "default=none")
    assert rows()["default"]["bits"] == 0
    mapi(s, "permissions", "Calendar", "--remove", s.users[1])
    assert s.users[1] not in rows()
    assert "no row" in mapi(s, "permissions", "Calendar", "--remove", s.users[1], code=5)
    assert "nobody" in mapi(s, "permissions", "Calendar", "--set", "stranger=editor", code=5)
    for bad in ("x", "=editor", "user2=everything", "user2=0xg"):
        assert "USER=RIGHTS" in mapi(s, "permissions", "Calendar", "--set", bad, code=2)
    assert "either" in mapi(s, "permissions", "Calendar", "--set", "a=none", "--remove", "a", code=2)
    # rules: one that marks as read, brought by an operation of its own
    assert json.loads(mapi(s, "--json", "rules", "Inbox")) == []
    inbox = next(f["id"] for f in json.loads(mapi(s, "--json", "ls")) if f["name"] == "Inbox")
    fid = int(inbox, 16).to_bytes(8, "little").hex()
    name = "quiet\0".encode("utf-16le").hex()
    values = ("03007666 0a000000" "03007766 01000000" f"1f008266 {name}" f"1f008166 {name}" "fe008066 0100 0900 0b 00000000 00000000")
    out = mapi(s, "rop", "--hex", data=f"02000001{fid}00\n4100010001000105 00{values}\n".encode()).decode()
    assert "RopModifyRules" in out, out
    rules = json.loads(mapi(s, "--json", "rules", "Inbox"))
    assert [(r["name"], r["sequence"], r["state"], r["actions"]) for r in rules] == [("quiet", 10, "enabled", ["mark-as-read"])], (rules, out)
    assert b"mark-as-read" in mapi(s, "rules", "Inbox")
    mapi(s, "rules", "Nowhere", code=5)


def test_copy_to_another_mailbox():
    s = the_server()
    dn = mapiwire.essdn(2, "user2")
    mapi(s, "mkdir", "Legacy", "Legacy/Deep")
    for where in ("Legacy", "Legacy/Deep"):
        mapi(s, "put", where, "-", data=mail(f"in {where}"))
    assert "ecLoginPerm" in mapi(s, "cp", "-r", "--to-mailbox", dn, "Legacy", "Inbox/Taken", code=3)
    for f in ("", "Inbox"):
        mapi(s, "permissions", f, "--set", f"{s.users[0]}=all", user=1)
    mapi(s, "cp", "-r", "--to-mailbox", dn, "Legacy", "Inbox/Taken")
    assert "Taken" in folders(s, user=1) and "Taken" not in folders(s)
    for where in ("", "/Deep"):
        found = json.loads(mapi(s, "--json", "ls", "Inbox/Taken" + where, user=1))
        assert [m["subject"] for m in found] == ["in Legacy" + where], found
    mapi(s, "cp", "-r", "--to-mailbox", dn, "Legacy", "Inbox/Taken")
    assert "Legacy" in folders(s, user=1)
    assert "ecDuplicateName" in mapi(s, "cp", "-r", "--to-mailbox", dn, "Legacy", "Inbox/Taken", code=1)
    assert "no folder" in mapi(s, "cp", "-r", "--to-mailbox", dn, "Legacy", "No/Where", code=5)
    mapi(s, "cp", "-r", "--to-mailbox", dn, "--to-url", "https://127.0.0.1:1/", "Legacy", "X", code=4)
    mapi(s, "rm", "-r", "Legacy")


def test_the_server_goes_away():
    s = the_server()
    w = start_watch(s)
    s.stop()
    assert w.wait(60) == 4, w.stderr.read()
    assert w.stderr.read()
    assert mapi(s, "ls", code=4)
    s.start()
    d = os.path.join(scratch, "copy")
    s.deliver(mail("after the restart"))
    s.wait_count(0, len(copy_of(d)) + 1)
    assert sync(s, d)["new"] == 1
    same(s, d)


gxtap.main(globals(), stop_server)
