#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A full disk, a disk that answers with errors, a flush that fails: the sender gets a temporary
error, nothing that was acknowledged is lost, and the server goes on when the disk does."""
import itertools
import os
import re

from gxservice import RawLmtp, Server, fetch_all, gxtap, wait_for
import mailgen


def preload():
    path = os.path.join(gxtap.top_builddir(), "tests", "service", ".libs", "faults.so")
    if not os.path.exists(path):
        raise gxtap.Skip("the fault library is not built")
    return path


def send(server, serial, size=2000):
    """@return the reply after DATA, or None when the connection broke"""
    try:
        with RawLmtp(server.lmtp_port, timeout=30) as c:
            try:
                c.send_mail("a@example.net", [server.users[0]], mailgen.head(1) + b"X-Serial: %d\r\n\r\n" % serial
                            + b"x" * size + b"\r\n")
                return b"250"
            except AssertionError as e:
                return e.args[0]
    except OSError:
        return None


def present(server):
    m = server.imap(0)
    if int(m.select("INBOX")[1][0]) == 0:
        return []
    found = fetch_all(m, "(UID BODY.PEEK[HEADER.FIELDS (X-Serial)])").values()
    m.logout()
    return sorted(int(re.search(rb"X-Serial: (\d+)", d).group(1)) for d in found)


def disk_fails(kind):
    control = None
    s = Server(users=1)
    control = os.path.join(s.dir, "fault-control")
    s.env.update(LD_PRELOAD=preload(), GX_FAULTS=control)
    with s:
        acked, refused = [], 0
        serials = itertools.count()

        def sent():
            nonlocal refused
            i = next(serials)
            answer = send(s, i)
            if answer == b"250":
                acked.append(i)
                return True
            refused += 1
            assert answer is None or re.match(rb"4\d\d ", answer), answer
            return False
        assert all([sent() for _ in range(8)]), acked
        with open(control, "w") as f:
            f.write(kind)
        for _ in range(6):
            sent()
        assert refused >= 1, "the fault was not noticed at all"
        os.unlink(control)
        wait_for("mail accepted after the disk recovered", sent)
        for _ in range(5):
            sent()
        wait_for("what was acknowledged", lambda: set(acked) <= set(present(s)))
        got = present(s)
        assert len(got) == len(set(got)), f"delivered twice: {got}"
        s.kill()
        s.start()
        assert set(acked) <= set(present(s))


def test_full_disk_is_a_temporary_error():
    disk_fails("nospace")


def test_write_errors_are_a_temporary_error():
    disk_fails("ioerror")


def test_failing_flush_is_a_temporary_error():
    disk_fails("sync")


def test_append_on_a_full_disk_answers_no():
    s = Server(users=1)
    control = os.path.join(s.dir, "fault-control")
    s.env.update(LD_PRELOAD=preload(), GX_FAULTS=control)
    with s:
        m = s.imap(0)
        assert m.append("INBOX", None, None, b"Subject: one\r\n\r\nx\r\n")[0] == "OK"
        with open(control, "w") as f:
            f.write("nospace")
        assert m.append("INBOX", None, None, b"Subject: two\r\n\r\nx\r\n")[0] == "NO"
        os.unlink(control)
        assert m.append("INBOX", None, None, b"Subject: three\r\n\r\nx\r\n")[0] == "OK"
        assert m.select("INBOX")[1] == [b"2"]


gxtap.main(globals())
