#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a person meets first: wrong configuration, wrong password, busy port, idle server, start and stop."""
import imaplib
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

from gxservice import PASSWORD, PATIENCE, RawLmtp, Server, gxtap, program, run, wait_for
import mailgen

DAEMONS = ("gromoxd", "imap", "delivery-queue", "delivery", "http")


def fails(argv, *words, code=None):
    """The program ends with an error, soon, and the message has all the words."""
    r = run(argv, check=False, timeout=120)
    out = r.stdout.decode(errors="replace")
    assert r.returncode not in (0, -11, -6), (argv, r.returncode, out)
    if code is not None:
        assert r.returncode == code, (r.returncode, out)
    for w in words:
        assert w in out, f"{w!r} is not in the message of {argv}: {out}"


def test_missing_config_is_named():
    for d in DAEMONS:
        fails([program(d), "-c", "/nonexistent/x.cfg"], "/nonexistent/x.cfg")


def test_bad_values_and_unknown_keys_are_reported_with_file_and_line():
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as f:
        f.write("# one\nimap_conn_timeout = soon\n")
        f.flush()
        fails([program("gromoxd"), "-c", f.name], f"{f.name}:2", "imap_conn_timeout")
    s = Server(users=1, config="no_such_directive = 1")
    with s:
        wait_for("the warning", lambda: re.search(r"gromox\.cfg:\d+.*no_such_directive", s.log_text()))


def test_dump_config_can_be_read_back():
    s = Server(users=0)
    first = run([program("gromoxd"), "-c", s.cfg, "--dump-config"], stderr=subprocess.PIPE).stdout
    assert b"imap_listen" in first and b"mail_max_length" in first
    again = os.path.join(s.dir, "again.cfg")
    with open(again, "wb") as f:
        f.write(first)
    assert run([program("gromoxd"), "-c", again, "--dump-config"], stderr=subprocess.PIPE).stdout == first


def test_busy_port_is_named_with_the_cause():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        s = Server(users=0)
        text = open(s.cfg).read().replace(f"imap_listen = 127.0.0.1:{s.imap_port}", f"imap_listen = 127.0.0.1:{port}")
        with open(s.cfg, "w") as f:
            f.write(text)
        fails([program("gromoxd"), "-c", s.cfg], str(port), "in use")


def test_missing_directory_database_is_named_with_the_remedy():
    s = Server(users=0)
    os.unlink(os.path.join(s.dir, "directory.sqlite3"))
    fails([program("gromoxd"), "-c", s.cfg], "directory.sqlite3", "gromox-dbop")


def test_store_in_use_names_the_owner():
    with Server(users=1) as s:
        s.deliver(mailgen.head(1) + b"\r\nx\r\n")
        s.wait_count(0, 1)
        r = s.tool("gromox-mkprivate", "-f", "-c", s.cfg, s.users[0], check=False)
        assert r.returncode != 0 and b"gromoxd" in r.stdout, r.stdout


def test_wrong_password_is_refused_and_logged_for_fail2ban():
    with Server(users=1) as s:
        m = imaplib.IMAP4("127.0.0.1", s.imap_port, timeout=30)
        try:
            m.login(s.users[0], "wrong")
            raise AssertionError("logged in with a wrong password")
        except imaplib.IMAP4.error:
            pass
        m.login(s.users[0], PASSWORD)
        wait_for("the line", lambda: re.search(
            r"rhost=\S*127\.0\.0\.1\S* user=user1@example.org .*(auth|login.*|logon|LOGIN.*) rejected:", s.log_text()))


def test_unknown_recipient_is_refused_at_rcpt():
    with Server(users=1) as s, RawLmtp(s.lmtp_port) as c:
        c.command(b"MAIL FROM:<>", b"250")
        c.command(b"RCPT TO:<nobody@example.org>", b"550")
        c.command(b"RCPT TO:<x@elsewhere.example>", b"550")
        c.command(b"RCPT TO:<User1@EXAMPLE.org>", b"250")


def memory_kib(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


def switches(pid):
    n = 0
    for t in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{t}/status") as f:
            n += sum(map(int, re.findall(r"ctxt_switches:\s+(\d+)", f.read())))
    return n


def test_idle_server_is_small_and_sleeps():
    with Server(users=1) as s:
        pid = s.proc.pid
        time.sleep(1)

        def rest():  # the work of the start may take a while, and others may push it aside
            before, start = switches(pid), time.monotonic()
            time.sleep(2)
            woken = (switches(pid) - before) / (time.monotonic() - start)
            print(f"# idle: {memory_kib(pid)} KiB resident, {woken:.1f} wake-ups a second")
            return woken < 10
        wait_for("less than 10 wake-ups a second", rest)
        rss = memory_kib(pid)
        with open(f"/proc/{pid}/maps") as f:
            sanitized = "asan" in f.read() or rss > 500000
        if not sanitized and not os.environ.get("ASAN_OPTIONS"):
            assert rss < 40 * 1024, f"{rss} KiB"


def test_term_stops_in_time_with_a_client_connected():
    s = Server(users=1, config="shutdown_timeout = 1 hour")
    with s:
        m = s.imap(0, "INBOX")
        s.stop()  # which waits for less than that
        del m


def test_hup_keeps_sessions():
    with Server(users=1) as s:
        m = s.imap(0, "INBOX")
        s.proc.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert m.noop()[0] == "OK"


def test_separate_daemons_do_the_same_job():
    s = Server(users=1)
    log = open(s.log_path, "ab")
    procs = [subprocess.Popen([program(d), "-c", s.cfg], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
             for d in ("istore", "delivery-queue", "delivery", "imap")]
    try:
        s.wait_for_ports(PATIENCE, lambda: next((p for p in procs if p.poll() is not None), None), s.exmdb_port, s.lmtp_port, s.imap_port)
        for i in range(5):
            s.deliver(mailgen.head(i) + b"\r\nseparate\r\n")
        s.wait_count(0, 5).logout()
    finally:
        for p in procs:
            p.terminate()
        codes = [p.wait(60) for p in procs]
    assert codes == [0] * 4, (codes, s.log_text())


gxtap.main(globals())
