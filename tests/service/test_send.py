#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mail that Outlook sends: to mailboxes here, to an agent, and what a killed server makes of it."""
import imaplib
import os
import signal
import socket
import struct
import threading

from gxservice import PASSWORD, Server, free_port, gxtap, wait_for
import mapiwire

DRAFTS, MID, DEADLINE = 0x0e, 0x674a0014, 120


class Agent:
    """A mail transfer agent for one test: remembers what it has taken; says nothing to the last dot while it is told to hang."""

    def __init__(self):
        self.port, self.mails, self.hang, self.at_the_end = free_port(), [], False, threading.Event()
        self.refuses = b"<nobody>"
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            c, _ = self.listener.accept()
            threading.Thread(target=self.talk, args=(c,), daemon=True).start()

    def talk(self, c):
        with c, c.makefile("rb") as f:
            c.sendall(b"220 agent\r\n")
            rcpts = []
            while line := f.readline():
                if line.startswith(b"RCPT") and self.refuses in line:
                    c.sendall(b"550 5.1.1 no such user\r\n")
                    continue
                if line.startswith(b"RCPT"):
                    rcpts.append(line.strip().decode())
                if not line.startswith(b"DATA"):
                    c.sendall(b"250 good\r\n")
                    continue
                c.sendall(b"354 go on\r\n")
                text = b""
                while (line := f.readline()) not in (b".\r\n", b""):
                    text += line
                self.at_the_end.set()
                if self.hang:
                    f.readline()
                    return
                self.mails.append((rcpts, text))
                c.sendall(b"250 taken\r\n")


def eid(counter):
    return struct.pack("<H", 1) + counter.to_bytes(6, "big")


def imap(s, user):
    c = imaplib.IMAP4("127.0.0.1", s.imap_port)
    c.login(s.users[user], PASSWORD)
    return c


def count(s, user, box):
    c = imap(s, user)
    n = int(c.select(f'"{box}"', readonly=True)[1][0])
    c.logout()
    return n


def read_first(s, user):
    c = imap(s, user)
    c.select("INBOX", readonly=True)
    text = c.fetch("1", "(BODY.PEEK[])")[1][0][1]
    c.logout()
    return text


def write_draft(s, rcpts, subject):
    c = imap(s, 0)
    mail = f"From: {s.users[0]}\r\nTo: {', '.join(rcpts)}\r\nSubject: {subject}\r\n\r\nHello\r\n"
    assert c.append("Drafts", r"(\Draft)", None, mail.encode())[0] == "OK"
    c.logout()


def execute(client, rops, handles):
    """@return the first answer's return value, what follows it, the handles"""
    a, out, handles = client.execute(rops, handles)
    assert a.code == 0, a.code
    return struct.unpack_from("<I", out, 2)[0], out, handles


def submit(client, send_only=False):
    """Sends the draft. @return the answer's return value."""
    value, handles = client.logon()
    assert value == 0
    handles = [handles[0]] + [0xffffffff] * 3
    value, _, handles = execute(client, struct.pack("<4B", 2, 0, 0, 1) + eid(DRAFTS) + b"\0", handles)
    assert value == 0, hex(value)
    value, _, handles = execute(client, struct.pack("<5B", 5, 0, 1, 2, 0), handles)
    assert value == 0, hex(value)
    value, _, handles = execute(client, struct.pack("<4BHI", 0x12, 0, 2, 0, 1, MID), handles)
    value, out, handles = execute(client, struct.pack("<5BH", 0x15, 0, 2, 0, 1, 1), handles)
    assert value == 0 and struct.unpack_from("<H", out, 7)[0] == 1, out
    value, _, handles = execute(client, struct.pack("<4BH", 3, 0, 1, 3, 1252) + eid(DRAFTS) + b"\1" + out[10:18], handles)
    assert value == 0, hex(value)
    rops = struct.pack("<4B", 0x32, 0, 3, 0)
    if not send_only:
        return execute(client, rops, handles)[0]
    buf = struct.pack("<H", len(rops) + 2) + rops + b"".join(struct.pack("<I", h) for h in handles)
    ext = struct.pack("<4H", 0, 4, len(buf), len(buf)) + buf
    client.send("Execute", struct.pack("<2I", 3, len(ext)) + ext + struct.pack("<2I", 32768, 0))
    return None


def outlook(s):
    c = mapiwire.Client(s.http_port, s.users[0], mapiwire.essdn(1, "user1"), timeout=DEADLINE)
    assert c.connect().code == 0
    return c


def test_mail_here_and_elsewhere():
    agent = Agent()
    with Server(users=2, http=True, split=False, config=f"outgoing_smtp_url = smtp://127.0.0.1:{agent.port}") as s:
        write_draft(s, [s.users[1], "carl@elsewhere.org"], "both")
        assert submit(outlook(s)) == 0
        assert [r for r, _ in agent.mails] == [["RCPT TO:<carl@elsewhere.org>"]]
        assert b"Subject: both\r\n" in agent.mails[0][1] and b"Hello\r\n" in agent.mails[0][1]
        wait_for("the mail", lambda: count(s, 1, "INBOX") == 1)
        assert count(s, 0, "Sent Items") == 1 and count(s, 0, "Drafts") == 0
        write_draft(s, ["nobody@example.org"], "nobody")
        assert submit(outlook(s)) == 0
        wait_for("what became of it", lambda: count(s, 0, "INBOX") == 1)
        assert b"550 5.1.1 there is no such mailbox here" in read_first(s, 0)
        assert count(s, 0, "Drafts") == 0 and os.listdir(os.path.join(s.dir, "outbox")) == []


def test_one_of_two_is_refused():
    agent = Agent()
    agent.refuses = b"<dora@elsewhere.org>"
    with Server(users=1, http=True, split=False, config=f"outgoing_smtp_url = smtp://127.0.0.1:{agent.port}") as s:
        write_draft(s, ["dora@elsewhere.org", "carl@elsewhere.org"], "two")
        assert submit(outlook(s)) == 0
        assert [r for r, _ in agent.mails] == [["RCPT TO:<carl@elsewhere.org>"]]
        wait_for("what became of it", lambda: count(s, 0, "INBOX") == 1)
        text = read_first(s, 0)
        assert b"Subject: Undeliverable: two\r\n" in text and b"report-type=delivery-status" in text
        assert b"Final-Recipient: rfc822; dora@elsewhere.org\r\nAction: failed\r\nStatus: 5.1.1\r\n" in text
        assert b"Final-Recipient: rfc822; carl@elsewhere.org" not in text
        assert count(s, 0, "Sent Items") == 1 and os.listdir(os.path.join(s.dir, "outbox")) == []


def test_killed_while_it_is_handed_over():
    agent = Agent()
    agent.hang = True
    with Server(users=2, http=True, split=False, config=f"outgoing_smtp_url = smtp://127.0.0.1:{agent.port}") as s:
        write_draft(s, [s.users[1], "carl@elsewhere.org"], "once")
        submit(outlook(s), send_only=True)
        assert agent.at_the_end.wait(DEADLINE)
        s.proc.send_signal(signal.SIGKILL)
        s.proc.wait()
        assert len(os.listdir(os.path.join(s.dir, "outbox"))) == 1
        agent.hang = False
        s.start()
        wait_for("the second attempt", lambda: len(agent.mails) == 1)
        wait_for("its end", lambda: os.listdir(os.path.join(s.dir, "outbox")) == [])
        wait_for("the mail", lambda: count(s, 1, "INBOX") == 1)
        assert count(s, 0, "Sent Items") == 1 and count(s, 0, "Drafts") == 0
        s.stop()
        s.start() # nothing comes twice
        assert count(s, 1, "INBOX") == 1 and len(agent.mails) == 1


gxtap.main(globals())
