#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at random moments under LMTP load: what was answered 250 is there, once, after a restart.

GX_SOAK_KILLS sets the number of kills (a few by default, hundreds in "make soak").
"""
import collections
import os
import random
import re
import threading
import time

from gxservice import PATIENCE, RawLmtp, Server, fetch_all, gxtap, wait_for
import mailgen

KILLS = int(os.environ.get("GX_SOAK_KILLS", "4"))
USERS = 3


class Load(threading.Thread):
    """Delivers until the connection breaks; remembers what was acknowledged and what was not."""

    def __init__(self, server, number, serials):
        super().__init__(daemon=True)
        self.server, self.number, self.serials = server, number, serials
        self.acked, self.unsure = [], []

    def run(self):
        rng = random.Random(self.number)
        try:
            with RawLmtp(self.server.lmtp_port, timeout=30) as c:
                while True:
                    serial = next(self.serials)
                    user = rng.randrange(USERS)
                    self.unsure.append((user, serial))
                    size = rng.choice((100, 1000, 5000, 20000, 300000))
                    data = (mailgen.head(1) + b"X-Serial: %d\r\n" % serial
                            + mailgen.multipart("mixed", [mailgen.text_part("utf-8", "8bit"),
                                                          mailgen.attachment(rng, size)], "b"))
                    c.send_mail("sender@example.net", [self.server.users[user]], data)
                    self.acked.append(self.unsure.pop())
        except (OSError, AssertionError):
            pass


def counter():
    lock, n = threading.Lock(), [0]

    class It:
        def __next__(self):
            with lock:
                n[0] += 1
                return n[0]
    return It()


def serials_of(server, user):
    m = server.imap(user, "INBOX")
    count = int(m.select("INBOX")[1][0])
    found = collections.Counter()
    if count:
        for data in fetch_all(m, "(UID BODY.PEEK[HEADER.FIELDS (X-Serial)])").values():
            found[int(re.search(rb"X-Serial: (\d+)", data).group(1))] += 1
    m.logout()
    return found


def test_kill_under_load_loses_and_doubles_nothing():
    s = Server(users=USERS)
    serials, acked, unsure = counter(), set(), set()
    rng = random.Random(time.time_ns())
    for round_no in range(KILLS):
        s.start()
        loads = [Load(s, round_no * 100 + i, serials) for i in range(6)]
        for t in loads:
            t.start()
        if round_no == 0:
            wait_for("the first mail", lambda: any(t.acked for t in loads))
        time.sleep(rng.uniform(0.2, 1.5))
        s.kill()
        for t in loads:
            t.join(60)
            acked.update(t.acked)
            unsure.update(t.unsure)
    s.start()
    end = time.monotonic() + PATIENCE
    while True:
        found = {u: serials_of(s, u) for u in range(USERS)}
        missing = [(u, n) for u, n in acked if found[u][n] == 0]
        if not missing or time.monotonic() > end:
            break
        time.sleep(0.2)
    assert not missing, f"{len(missing)} of {len(acked)} acknowledged messages are missing: {missing[:10]}"
    double = [(u, n) for u in found for n, k in found[u].items() if k > 1]
    assert not double, f"delivered more than once: {double[:10]}"
    strange = [(u, n) for u in found for n in found[u] if (u, n) not in acked and (u, n) not in unsure]
    assert not strange, strange[:10]
    s.stop()
    for u in s.users:
        s.tool("gromox-mkprivate", "--integrity", "-c", s.cfg, u)
    print(f"# {KILLS} kills, {len(acked)} acknowledged, {len(unsure)} in flight")


def test_six_connections_into_three_mailboxes():
    """2,100 messages: none missing, none set aside."""
    with Server(users=3) as s:
        total = 2100

        def deliver(k):
            with RawLmtp(s.lmtp_port) as c:
                for i in range(k, total, 6):
                    c.send_mail("a@example.net", [s.users[i % 3]], mailgen.head(i) + b"\r\nmessage %d\r\n" % i)
        threads = [threading.Thread(target=deliver, args=(k,)) for k in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for u in range(3):
            s.wait_count(u, total // 3).logout()
        failed = os.path.join(s.dir, "queue", "failed")
        assert not os.path.isdir(failed) or not os.listdir(failed)


gxtap.main(globals())
