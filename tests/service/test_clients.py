#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real clients of the distribution against a running server."""
import os
import shutil
import subprocess
import time

from gxservice import PASSWORD, Server, fetch_all, gxtap, have, run
import mailgen

SERVER = None


def server():
    global SERVER
    if SERVER is None:
        SERVER = Server(users=4).start()
    return SERVER


def stop():
    if SERVER is not None:
        SERVER.stop()


def sample(i, text="hello"):
    return mailgen.head(i) + b"Content-Type: text/plain\r\n\r\n" + text.encode() + b"\r\n"


def test_swaks_delivers_by_lmtp_and_over_starttls():
    s, swaks = server(), have("swaks")
    base = [swaks, "--server", "127.0.0.1", "--port", str(s.lmtp_port), "--protocol", "LMTP",
            "--from", "a@example.net", "--to", f"{s.users[0]},{s.users[1]}", "--header", "Subject: by swaks"]
    run(base)
    run(base + ["--tls"])
    r = run([*base[:-4], "--to", "nobody@example.org"], check=False)
    assert r.returncode != 0 and b"550" in r.stdout, r.stdout
    s.wait_count(0, 2).logout()
    s.wait_count(1, 2).logout()


def test_swaks_delivers_by_smtp_with_a_received_line():
    s, swaks = server(), have("swaks")
    run([swaks, "--server", "127.0.0.1", "--port", str(s.lmtp_port), "--protocol", "ESMTP",
         "--from", "a@example.net", "--to", s.users[0], "--header", "Subject: by smtp"])
    m = s.wait_count(0, 3)
    last = fetch_all(m)[max(fetch_all(m))]
    assert b"\r\nReceived:" in b"\r\n" + last and b"by smtp" in last, last[:400]


def test_curl_reads_and_appends():
    s, curl = server(), have("curl")
    user = f"{s.users[2]}:{PASSWORD}"
    mail = os.path.join(s.dir, "curl.eml")
    with open(mail, "wb") as f:
        f.write(sample(7, "by curl"))
    run([curl, "-sS", f"imap://127.0.0.1:{s.imap_port}/INBOX", "-u", user, "-T", mail])
    for url in (f"imap://127.0.0.1:{s.imap_port}/INBOX;MAILINDEX=1", f"imaps://127.0.0.1:{s.imaps_port}/INBOX;UID=1"):
        out = run([curl, "-sS", "--cacert", s.cert, url, "-u", user]).stdout
        assert out == sample(7, "by curl"), out
    r = run([curl, "-sS", "--ssl-reqd", "--cacert", s.cert, f"imap://localhost:{s.imap_port}/INBOX;UID=1", "-u", user])
    assert b"by curl" in r.stdout
    run([curl, "-sS", f"smtp://127.0.0.1:{s.lmtp_port}", "--mail-from", "c@example.net", "--mail-rcpt", s.users[2],
         "-T", mail])
    s.wait_count(2, 2).logout()
    r = run([curl, "-sS", f"imap://127.0.0.1:{s.imap_port}/INBOX", "-u", f"{s.users[2]}:wrong"], check=False)
    assert r.returncode == 67, r


def test_mbsync_syncs_both_ways_and_then_changes_nothing():
    s, mbsync = server(), have("mbsync")
    for i in range(20):
        s.deliver(sample(i), to=3)
    m = s.wait_count(3, 20)
    m.create("Projects/2026")
    m.append("Projects/2026", "\\Seen", None, sample(90))
    m.logout()
    local = os.path.join(s.dir, "maildir")
    os.makedirs(local)
    rc = os.path.join(s.dir, "mbsyncrc")
    with open(rc, "w") as f:
        f.write(f"""\
IMAPAccount t
Host 127.0.0.1
Port {s.imap_port}
User {s.users[3]}
Pass {PASSWORD}
SSLType None
AuthMechs LOGIN PLAIN

IMAPStore remote
Account t

MaildirStore local
Path {local}/
Inbox {local}/INBOX
SubFolders Verbatim

Channel c
Far :remote:
Near :local:
Patterns *
Create Both
Expunge Both
SyncState *
""")
    run([mbsync, "-c", rc, "c"])
    new = [os.path.join(d, f) for d, _, fs in os.walk(local) for f in fs if f.split(".")[0].isdigit()]
    assert len(new) == 21, new
    with open(os.path.join(local, "INBOX", "new", f"{int(time.time())}.1.here"), "wb") as f:
        f.write(sample(91, "from the maildir").replace(b"\r\n", b"\n"))
    m = s.imap(3, "INBOX")
    m.store("1", "+FLAGS", "\\Flagged")
    m.store("2", "+FLAGS", "\\Deleted")
    m.expunge()
    m.logout()
    run([mbsync, "-c", rc, "c"])
    m = s.imap(3, "INBOX")
    found = fetch_all(m)
    assert len(found) == 20 and any(b"from the maildir" in v for v in found.values())
    before = snapshot(local), m.uid("FETCH", "1:*", "(UID FLAGS MODSEQ)")
    run([mbsync, "-c", rc, "c"])
    m.noop()
    assert (snapshot(local), m.uid("FETCH", "1:*", "(UID FLAGS MODSEQ)")) == before


def snapshot(root):
    return sorted(os.path.relpath(os.path.join(d, f), root) for d, _, fs in os.walk(root) for f in fs
                  if not f.startswith(".mbsync"))


def getmail_once(s, getmail, home):
    """@return number of messages fetched, None when getmail missed the end of its own child."""
    dirs = [home] + [os.path.join(home, d) for d in ("mail", "mail/cur", "mail/new", "mail/tmp")]
    for d in dirs:
        os.makedirs(d, exist_ok=True)
    owner = ""
    if os.getuid() == 0:  # getmail delivers as root only for somebody else
        owner = "user = nobody"
        os.chmod(s.dir, 0o755)
        for d in dirs:
            shutil.chown(d, "nobody")
    rc = os.path.join(home, "rc")
    with open(rc, "w") as f:
        f.write(f"""\
[retriever]
type = SimpleIMAPRetriever
server = 127.0.0.1
port = {s.imap_port}
username = {s.users[3]}
password = {PASSWORD}
[destination]
type = Maildir
path = {home}/mail/
{owner}
[options]
read_all = true
delivered_to = false
received = false
""")
    try:
        run([getmail, "--getmaildir", home, "--rcfile", rc], env=dict(os.environ, HOME=home), timeout=30)
    except subprocess.TimeoutExpired:
        return None
    return len(os.listdir(os.path.join(home, "mail/new")))


def test_getmail_fetches_all():
    """getmail 6.18 waits for its delivery child without looking whether it has ended already
    (baseclasses.py, _wait_for_child), so now and then it hangs by itself: then once more."""
    s, getmail = server(), have("getmail")
    counts = []
    while not counts or (counts[-1] is None and len(counts) < 5):
        counts.append(getmail_once(s, getmail, os.path.join(s.dir, f"getmail{len(counts)}")))
    assert counts[-1] == 20, counts


def test_offlineimap_downloads_all():
    s, offlineimap = server(), have("offlineimap")
    home = os.path.join(s.dir, "offlineimap")
    os.makedirs(home)
    rc = os.path.join(home, "rc")
    with open(rc, "w") as f:
        f.write(f"""\
[general]
accounts = a
metadata = {home}/meta
[Account a]
localrepository = l
remoterepository = r
[Repository l]
type = Maildir
localfolders = {home}/mail
[Repository r]
type = IMAP
remotehost = 127.0.0.1
remoteport = {s.imap_port}
remoteuser = {s.users[3]}
remotepass = {PASSWORD}
ssl = no
starttls = no
auth_mechanisms = PLAIN, LOGIN
""")
    run([offlineimap, "-c", rc, "-o", "-u", "quiet"], env=dict(os.environ, HOME=home))
    inbox = os.path.join(home, "mail", "INBOX")
    assert sum(len(os.listdir(os.path.join(inbox, d))) for d in ("cur", "new")) == 20


def test_imaplib_flags_search_move_and_idle():
    s = server()
    m = s.imap(3, "INBOX")
    assert m.search(None, "SUBJECT", '"generated message 3"')[1][0], "no hit"
    m.store("1:3", "+FLAGS", "(\\Seen urgent)")
    assert m.search(None, "SEEN", "KEYWORD", "urgent")[1][0] == b"1 2 3"
    typ, data = m.uid("MOVE", "1:1000", '"Deleted Items"')
    assert typ == "OK", data
    assert m.select("INBOX")[1] == [b"0"]
    assert m.select('"Deleted Items"')[1] == [b"20"]
    assert m.search(None, "KEYWORD", "urgent")[1][0] == b"1 2 3"


def test_idle_client_sees_new_mail():
    s = server()
    m = s.imap(0, "INBOX")
    count = int(m.select("INBOX")[1][0])
    m.send(b"x1 IDLE\r\n")
    while not m.readline().startswith(b"+"):
        pass
    s.deliver(sample(99))
    line = m.readline()
    assert line == b"* %d EXISTS\r\n" % (count + 1), line
    m.send(b"DONE\r\n")


gxtap.main(globals(), stop)
