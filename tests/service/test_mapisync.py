#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gromox-mapi sync: what is edited in the copy, conflicts, files that are no mail, and a program that is killed."""
import hashlib
import json
import os
import random
import re
import subprocess
import tempfile
import time

from gxservice import PASSWORD, Server, gxtap, program
import mapiwire

server = None
scratch = tempfile.mkdtemp(prefix="gx-mapisync-")
ENV = dict(os.environ, GX_PASSWORD=PASSWORD)


def the_server():
    global server
    if server is None:
        server = Server(users=1, http=True).start()
    return server


def stop_server():
    if server is not None:
        server.__exit__(None)


def argv(s, *args):
    return [program("gromox-mapi"), "-u", s.users[0], "--url", f"https://localhost:{s.https_port}/mapi/emsmdb/?MailboxId=x", "--dn",
            mapiwire.essdn(1, "user1"), "--cacert", s.cert, *args]


def mapi(s, *args, code=0, data=None):
    r = subprocess.run(argv(s, *args), env=ENV, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    assert r.returncode == code, (args, r.returncode, r.stdout, r.stderr)
    return r.stdout.decode(), r.stderr.decode()


def sync(s, d, folder, code=0):
    out, err = mapi(s, "--json", "sync", d, "--folder", folder, code=code)
    return json.loads(out), err


def numbers(r):
    return {k: v for k, v in r.items() if v and k != "messages"}


def mail(subject, body="text", extra=""):
    return (f"From: Ann <ann@example.net>\r\nTo: Bob <bob@example.net>\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n"
            f"{extra}\r\n{body}\r\n").encode()


def put(s, folder, *a, **kw):
    return mapi(s, "put", folder, "-", data=mail(*a, **kw))[0].strip()


def subjects(s, folder):
    return sorted(m["subject"] for m in json.loads(mapi(s, "--json", "ls", folder)[0]))


def files(d):
    return sorted(f for f in os.listdir(d) if f.endswith(".eml"))


def find(d, subject):
    found = [f for f in files(d) if f"Subject: {subject}\r".encode() in read(d, f)]
    assert len(found) == 1, (subject, found)
    return found[0]


def read(d, name):
    with open(os.path.join(d, name), "rb") as f:
        return f.read()


def write(d, name, data):
    """As an editor does that writes in place."""
    with open(os.path.join(d, name), "wb") as f:
        f.write(data)


def edit(d, old, new):
    name = find(d, old)
    write(d, name, read(d, name).replace(f"Subject: {old}".encode(), f"Subject: {new}".encode()))
    return name


def test_edits_go_up():
    s, d, other = the_server(), os.path.join(scratch, "edits"), os.path.join(scratch, "edits2")
    attached = ("--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x\r\nContent-Type: application/x-y\r\n"
                "Content-Disposition: attachment; filename=data.bin\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n--x--")
    put(s, "Drafts", "one")
    two = put(s, "Drafts", "two", attached, "Content-Type: multipart/mixed; boundary=x\r\n")
    m = s.imap(0, "Drafts")
    m.store("1:*", "+FLAGS", "(\\Flagged)")
    sync(s, d, "Drafts")
    sync(s, other, "Drafts")
    # an edit of the same size whose time was set back, and one that takes an attachment away
    name = find(d, "one")
    st = os.stat(os.path.join(d, name))
    write(d, name, read(d, name).replace(b"Subject: one", b"Subject: ONE"))
    os.utime(os.path.join(d, name), ns=(st.st_atime_ns, st.st_mtime_ns))
    write(d, find(d, "two"), mail("two", "no attachment any more"))
    assert numbers(sync(s, d, "Drafts")[0]) == {"edited": 2}
    assert numbers(sync(s, d, "Drafts")[0]) == {}
    assert subjects(s, "Drafts") == ["ONE", "two"]
    obj = json.loads(mapi(s, "--json", "cat", two)[0])
    assert obj["attachments"] == [] and "no attachment any more" in obj["properties"]["PidTagBody"], obj
    assert [r["PidTagEmailAddress"] for r in obj["recipients"]] == ["bob@example.net"]
    # what mail cannot say is still there
    assert all(b"\\Flagged" in line for line in m.fetch("1:*", "(FLAGS)")[1])
    m.logout()
    assert numbers(sync(s, other, "Drafts")[0]) == {"changed": 2}
    # a file that was touched is no file that was changed
    os.utime(os.path.join(d, name))
    assert numbers(sync(s, d, "Drafts")[0]) == {}
    # the next edit of either copy follows the first one
    edit(other, "ONE", "uno")
    assert numbers(sync(s, other, "Drafts")[0]) == {"edited": 1}
    assert numbers(sync(s, d, "Drafts")[0]) == {"changed": 1}
    edit(d, "uno", "eins")
    assert numbers(sync(s, d, "Drafts")[0]) == {"edited": 1}
    assert numbers(sync(s, other, "Drafts")[0]) == {"changed": 1}
    assert subjects(s, "Drafts") == ["eins", "two"]


def test_conflicts_keep_both():
    s, d, other = the_server(), os.path.join(scratch, "conflict"), os.path.join(scratch, "conflict2")
    put(s, "Junk Email", "both")
    put(s, "Junk Email", "gone")
    sync(s, d, "Junk Email")
    sync(s, other, "Junk Email")
    edit(other, "both", "both, there")
    os.unlink(os.path.join(other, find(other, "gone")))
    sync(s, other, "Junk Email")
    both, gone = edit(d, "both", "both, here"), edit(d, "gone", "gone, not here")
    r, err = sync(s, d, "Junk Email")
    assert numbers(r) == {"conflicts": 2, "sent": 2, "new": 1}, r
    assert both in err and "conflict" in err and gone in err and "restored" in err, err
    assert subjects(s, "Junk Email") == ["both, here", "both, there", "gone, not here"]
    assert find(d, "both, there") == both
    assert numbers(sync(s, d, "Junk Email")[0]) == {}
    sync(s, other, "Junk Email")
    assert [find(d, x) for x in subjects(s, "Junk Email")] == [find(other, x) for x in subjects(s, "Junk Email")]


def test_what_is_no_mail_stays():
    s, d = the_server(), os.path.join(scratch, "broken")
    where = put(s, "Sent Items", "whole")
    sync(s, d, "Sent Items")
    name = find(d, "whole")
    write(d, name, b"\0\1\2 nothing that a mail would begin with")
    write(d, "mine.eml", b"")
    r, err = sync(s, d, "Sent Items", code=1)
    assert name in err and "no header field" in err and "mine.eml" in err and "empty" in err, err
    assert numbers(r) == {"failed": 2} and read(d, name).startswith(b"\0\1\2") and read(d, "mine.eml") == b""
    # a new version from the server does not take it away
    other = os.path.join(scratch, "broken2")
    sync(s, other, "Sent Items")
    edit(other, "whole", "whole again")
    sync(s, other, "Sent Items")
    r, err = sync(s, d, "Sent Items", code=1)
    kept = re.search(r"is now (\S+)", err).group(1)
    assert read(d, kept).startswith(b"\0\1\2") and find(d, "whole again") == name, err
    for f in (kept, "mine.eml"):
        os.unlink(os.path.join(d, f))
    assert numbers(sync(s, d, "Sent Items")[0]) == {}
    assert subjects(s, "Sent Items") == ["whole again"]
    mapi(s, "cat", where)


def test_states_of_older_versions():
    s, d = the_server(), os.path.join(scratch, "older")
    put(s, "Tasks", "kept")
    sync(s, d, "Tasks")
    lines = []
    with open(os.path.join(d, ".gromox-mapi")) as f:
        for line in f:
            w = line.split()
            if w[0] == "gromox-mapi":
                line = "gromox-mapi 1\n"
            elif w[0] == "message":
                line = " ".join(w[:4]) + "\n"
            if w[0] != "log":
                lines.append(line)
    with open(os.path.join(d, ".gromox-mapi"), "w") as f:
        f.writelines(lines)
    assert numbers(sync(s, d, "Tasks")[0]) == {}
    edit(d, "kept", "edited")
    # which version the file was is not known: nothing is lost
    sync(s, d, "Tasks")
    sync(s, d, "Tasks")
    assert "edited" in subjects(s, "Tasks")


def ended_before_it_knew(s, d, folder, name, subject):
    """As a run leaves it that was killed when the server had the new file: the plan is there, and nothing of the outcome."""
    state = os.path.join(d, ".gromox-mapi")
    sync(s, d, folder)
    with open(state) as f:
        before = next(line for line in f if line.startswith("state "))
    write(d, name, mail(subject))
    sent = hashlib.sha256(read(d, name)).hexdigest()
    assert numbers(sync(s, d, folder)[0]) == {"sent": 1}
    kept = find(d, subject)
    with open(state) as f:
        lines = list(f)
    changes = next(line for line in lines if line.startswith("client ")).split()[2]
    for i, line in enumerate(lines):
        w = line.split(" ")
        if w[0] == "message" and f"{w[1]}.eml" == kept:
            lines[i] = " ".join(w[:4] + ["-", "0", "0", "0", "-", changes, sent, name.encode().hex()]) + "\n"
        elif w[0] == "state":
            lines[i] = before
    with open(state, "w") as f:
        f.writelines(lines)
    os.rename(os.path.join(d, kept), os.path.join(d, name))
    return kept


def test_new_files_that_were_sent_before():
    s, d = the_server(), os.path.join(scratch, "sent")
    kept = ended_before_it_knew(s, d, "Journal", "as-it-was.eml", "one")
    r, err = sync(s, d, "Journal")
    assert numbers(r) == {"sent": 1, "changed": 1}, (r, err)  # it comes down once more
    assert files(d) == [kept] and subjects(s, "Journal") == ["one"]
    # edited meanwhile: the same message, in its next version
    kept = ended_before_it_knew(s, d, "Journal", "edited.eml", "two")
    edit(d, "two", "two, edited")
    r, err = sync(s, d, "Journal")
    assert numbers(r) == {"sent": 1}, (r, err)
    assert find(d, "two, edited") == kept and subjects(s, "Journal") == ["one", "two, edited"]
    assert numbers(sync(s, d, "Journal")[0]) == {}
    # broken meanwhile: it stays, and what the server has comes beside it
    kept = ended_before_it_knew(s, d, "Journal", "broken.eml", "three")
    write(d, "broken.eml", b"")
    r, err = sync(s, d, "Journal", code=1)
    assert numbers(r) == {"changed": 1, "failed": 1, "conflicts": 1} and "broken.eml" in err, (r, err)
    assert read(d, "broken.eml") == b"" and find(d, "three") == kept
    os.unlink(os.path.join(d, "broken.eml"))
    assert numbers(sync(s, d, "Journal")[0]) == {}
    assert subjects(s, "Journal") == ["one", "three", "two, edited"]


def killed(s, d, folder, seconds):
    w = subprocess.Popen(argv(s, "sync", d, "--folder", folder), env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        w.wait(seconds)
    except subprocess.TimeoutExpired:
        w.kill()
    err = w.stderr.read()
    w.wait()
    assert w.returncode in (0, -9), err
    return w.returncode != 0


def test_killed_at_any_moment():
    """Edits, new files and deletions between runs that end anywhere: in the end each message is there once, as it was last."""
    s, d, other = the_server(), os.path.join(scratch, "killed"), os.path.join(scratch, "killed2")
    rng, folder = random.Random(int(os.environ.get("GX_SEED", "7"))), "Notes"
    soak = float(os.environ.get("GX_SOAK_SECONDS", "0"))
    sync(s, d, folder)
    began = time.monotonic()
    sync(s, os.path.join(scratch, "killed3"), folder)
    run, have, n, kills, rounds = time.monotonic() - began, {}, 0, 0, 0
    end = time.monotonic() + soak
    while rounds < 10 or time.monotonic() < end:
        rounds += 1
        for _ in range(3):
            n += 1
            what, token = rng.randrange(4), f"m{n}"
            here = {}
            for f in files(d):
                found = re.search(rb"Subject: (m\d+) v\d+", read(d, f))
                here.setdefault(found.group(1).decode(), []).append(f)
            assert all(len(v) == 1 for v in here.values()), here
            if what == 0:
                put(s, folder, f"{token} v0")
                have[token] = 0
            elif what == 1 or not here:
                write(d, f"{token}.eml", mail(f"{token} v0"))
                have[token] = 0
            else:
                token = rng.choice(sorted(here))
                if what == 2:
                    have[token] += 1
                    write(d, here[token][0], mail(f"{token} v{have[token]}", "x" * rng.randrange(3000)))
                else:
                    os.unlink(os.path.join(d, here[token][0]))
                    del have[token]
        kills += killed(s, d, folder, rng.uniform(0.3, 8) * run)
    r, err = sync(s, d, folder)
    assert r["conflicts"] == 0, err
    wanted = sorted(f"{t} v{v}" for t, v in have.items())
    assert subjects(s, folder) == wanted, (subjects(s, folder), wanted)
    assert numbers(sync(s, d, folder)[0]) == {}
    sync(s, other, folder)
    for x in wanted:
        assert find(d, x) == find(other, x)
    assert len(files(d)) == len(files(other)) == len(wanted)
    print(f"# {kills} of {rounds} runs were killed")


gxtap.main(globals(), stop_server)
