#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the programs do besides mail: options, log, signals, privileges, TLS and PROXY, limits."""
import imaplib
import os
import pwd
import re
import signal
import socket
import ssl
import subprocess
import time

from gxservice import PASSWORD, Server, gxtap, have, program, run, wait_for

DAEMONS = ("gromoxd", "imap", "delivery-queue", "delivery", "istore", "http")
PROXY_V4 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes((192, 0, 2, 5, 192, 0, 2, 1)) + b"\x12\x34\0\x8f"


def edit(s, **changes):
    """Changes directives in the file of a server that is not started yet; None removes one."""
    with open(s.cfg) as f:
        lines = [line for line in f if line.split("=")[0].strip() not in changes]
    with open(s.cfg, "w") as f:
        f.writelines(lines + [f"{k} = {v}\n" for k, v in changes.items() if v is not None])


def refused(s, *words):
    r = run([program("gromoxd"), "-c", s.cfg], check=False, timeout=120)
    out = r.stdout.decode(errors="replace")
    assert r.returncode == 1, (r.returncode, out)
    for w in words:
        assert w in out, f"{w!r} is not in: {out}"


def unverified():
    ctx = ssl.create_default_context()
    ctx.check_hostname = False
    ctx.verify_mode = ssl.CERT_NONE
    return ctx


def test_help_and_version_go_to_stdout():
    for d in DAEMONS:
        for opt in ("--help", "-?"):
            r = run([program(d), opt], stderr=subprocess.PIPE)
            assert r.stdout.startswith(b"Usage: " + d.encode()) and r.stderr == b"", r
        r = run([program(d), "--version"], stderr=subprocess.PIPE)
        assert re.match(rb"%s \(gx\) \d+\.\d+\.\d+\n$" % d.encode(), r.stdout) and r.stderr == b"", r
        for bad in (["--bogus"], ["-c"], ["extra"], ["-x"]):
            r = run([program(d), *bad], check=False, stderr=subprocess.PIPE)
            assert r.returncode == 2 and r.stdout == b"" and b"--help" in r.stderr, r


def test_configuration_can_be_tried():
    s = Server(users=0)
    r = run([program("gromoxd"), "-c", s.cfg, "-T"], stderr=subprocess.PIPE)
    assert r.stdout == b"The configuration is valid.\n", r
    edit(s, context_num="many")
    r = run([program("gromoxd"), "-c", s.cfg, "-T"], check=False)
    assert r.returncode == 1 and b"context_num = many: expected a number" in r.stdout, r


def test_directives_without_effect_are_named_once():
    s = Server(users=0, config="imap_thread_init_num = 5\nimap_thread_init_num = 6\nexmdb_eph_prefix = x")
    out = run([program("gromoxd"), "-c", s.cfg, "-T"]).stdout
    assert out.count(b"imap_thread_init_num has no effect") == 1, out
    assert out.count(b"exmdb_eph_prefix has no effect") == 1, out


def test_ready_descriptor_tells_the_ports_taken():
    s = Server(users=0)
    edit(s, imap_listen="127.0.0.1:0")
    r, w = os.pipe()
    p = subprocess.Popen([program("gromoxd"), "-c", s.cfg, "--ready-fd", str(w)], pass_fds=[w],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(w)
    with os.fdopen(r) as f:
        text = f.read()
    assert text.endswith("ready\n"), text
    port = int(re.search(r"^imap 127\.0\.0\.1:0 (\d+)$", text, re.M).group(1))
    with socket.create_connection(("127.0.0.1", port), timeout=60) as c:
        assert c.recv(100).startswith(b"* OK")
    p.terminate()
    assert p.wait(60) == 0


def test_service_manager_is_told():
    s = Server(users=0)
    path = os.path.join(s.dir, "notify.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as n:
        n.bind(path)
        n.settimeout(60)
        s.env["NOTIFY_SOCKET"] = path
        with s:
            assert n.recv(100) == b"READY=1"
            s.stop()
            assert n.recv(100) == b"STOPPING=1"


def test_log_file_is_opened_again():
    s = Server(users=0)
    log = os.path.join(s.dir, "own.log")
    edit(s, gromoxd_log_file=log)
    with s:
        wait_for("the first line", lambda: os.path.exists(log) and "ready" in open(log).read())
        os.rename(log, log + ".1")
        s.proc.send_signal(signal.SIGHUP)
        wait_for("the new file", lambda: os.path.exists(log) and "reloaded" in open(log).read())
        s.proc.send_signal(signal.SIGUSR1)
        wait_for("the state", lambda: re.search(r"state: connections=\d+", open(log).read()))
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z gromoxd\[\d+\] notice: ", open(log).read())
        assert s.log_text() == "", s.log_text()
    s = Server(users=0)
    edit(s, gromoxd_log_file="/nonexistent/own.log")
    refused(s, "/nonexistent/own.log", "No such file")


def test_certificate_is_renewed_on_hup():
    def subject():
        with socket.create_connection(("127.0.0.1", s.imaps_port), timeout=60) as c:
            with unverified().wrap_socket(c) as t:
                return t.getpeercert(True)
    with Server(users=0) as s:
        first = subject()
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=renewed", "-keyout", s.key, "-out", s.cert])
        assert subject() == first
        s.proc.send_signal(signal.SIGHUP)
        wait_for("the new certificate", lambda: subject() != first)
        renewed = subject()
        os.unlink(s.key)
        s.proc.send_signal(signal.SIGHUP)
        wait_for("the complaint", lambda: f"cannot read the TLS private key {s.key}" in s.log_text())
        assert subject() == renewed


def test_tls_without_certificate_is_explained():
    s = Server(users=0)
    edit(s, imap_certificate_path=None)
    refused(s, "imap_certificate_path", "tls_certificate_path")
    edit(s, imap_certificate_path="/nonexistent/cert.pem")
    refused(s, "cannot read the TLS certificate /nonexistent/cert.pem")
    edit(s, imap_certificate_path=s.key)
    refused(s, s.key)
    edit(s, imap_certificate_path=None, imap_private_key_path=None, imap_support_tls="no", imap_force_tls="yes")
    refused(s, "imap_force_tls", "imap_support_tls = yes")
    edit(s, imap_force_tls=None, imap_support_tls="yes", tls_certificate_path=s.cert, tls_private_key_path=s.key)
    with s, imaplib.IMAP4_SSL("127.0.0.1", s.imaps_port, ssl_context=unverified()) as m:
        m.noop()


def test_old_tls_is_refused():
    s = Server(users=0)
    edit(s, tls_min_proto="ssl3")
    refused(s, "tls_min_proto", "ssl3", "tls1.2")
    edit(s, tls_min_proto="tls1.3")
    with s:
        ctx = unverified()
        ctx.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            imaplib.IMAP4_SSL("127.0.0.1", s.imaps_port, ssl_context=ctx)
            raise AssertionError("TLS 1.2 was accepted")
        except (ssl.SSLError, OSError):
            pass


def test_proxy_header_tells_the_client():
    s = Server(users=1)
    edit(s, imap_accept_haproxy="1")
    refused(s, "imap_accept_haproxy = 1", "version 2")
    edit(s, imap_accept_haproxy="2")
    with s:
        with socket.create_connection(("127.0.0.1", s.imap_port), timeout=60) as c:
            c.sendall(PROXY_V4)
            f = c.makefile("rb")
            assert f.readline().startswith(b"* OK")
            c.sendall(b"a LOGIN %s wrong\r\n" % s.users[0].encode())
            assert f.readline().startswith(b"a NO")
        wait_for("the line", lambda: "rhost=[192.0.2.5] user=user1@example.org" in s.log_text())
        # Behind TLS the header still comes first, in the clear.
        with socket.create_connection(("127.0.0.1", s.imaps_port), timeout=60) as c:
            c.sendall(PROXY_V4)
            with unverified().wrap_socket(c) as t:
                assert t.recv(100).startswith(b"* OK")
        with socket.create_connection(("127.0.0.1", s.imap_port), timeout=60) as c:
            c.sendall(b"a LOGIN x y\r\n")
            try:
                assert c.recv(100) == b""
            except ConnectionResetError:
                pass
        s.wait_log("PROXY protocol v2")


def test_connections_over_the_limit_are_told():
    s = Server(users=0)
    edit(s, context_num="3")
    with s:
        held = []

        def all_in():  # once the connections that looked whether it is up are gone
            while held:
                held.pop().close()
            held.extend(socket.create_connection(("127.0.0.1", s.imap_port), timeout=60) for _ in range(3))
            return all([c.recv(200).startswith(b"* OK") for c in held])
        wait_for("room for three", all_in)
        with socket.create_connection(("127.0.0.1", s.imap_port), timeout=60) as c:
            assert c.recv(200).startswith(b"* BYE too many connections")
        held.pop().close()

        def admitted():
            with socket.create_connection(("127.0.0.1", s.imap_port), timeout=60) as c:
                return c.recv(200).startswith(b"* OK")
        wait_for("a free place", admitted)
        for c in held:
            c.close()


def test_too_many_failures_ban_user_and_host():
    s = Server(users=2)
    edit(s, imap_auth_times="3", block_interval_auths="1 hour")
    with s:
        for _ in range(3):
            m = imaplib.IMAP4("127.0.0.1", s.imap_port, timeout=30)
            try:
                m.login(s.users[0], "wrong")
            except imaplib.IMAP4.error:
                pass
            m.shutdown()
        m = imaplib.IMAP4("127.0.0.1", s.imap_port, timeout=30)
        try:
            m.login(s.users[0], PASSWORD)
            raise AssertionError("logged in while banned")
        except imaplib.IMAP4.error:
            pass
        s.imap(1).logout()


def test_unix_socket_for_the_mail_transfer_agent():
    s = Server(users=1)
    path = os.path.join(s.dir, "lmtp.sock")
    edit(s, lda_listen=f"127.0.0.1:{s.lmtp_port} {path}")
    with s:
        wait_for("the start", lambda: "ready" in s.log_text())
        with socket.socket(socket.AF_UNIX) as c:
            c.connect(path)
            f = c.makefile("rb")
            assert f.readline().startswith(b"220 ")
            c.sendall(b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<%s>\r\nQUIT\r\n" % s.users[0].encode())
            assert b"221" in f.read()
    assert not os.path.exists(path)


def test_root_becomes_an_ordinary_user():
    if os.geteuid() != 0:
        raise gxtap.Skip("needs root")
    try:
        pw = pwd.getpwnam("nobody")
    except KeyError:
        raise gxtap.Skip("no user nobody")
    s = Server(users=1)
    for root, dirs, files in os.walk(s.dir):
        for name in [root, *[os.path.join(root, n) for n in dirs + files]]:
            os.chown(name, pw.pw_uid, pw.pw_gid)
    os.chown(s.key, 0, 0)
    os.chmod(s.key, 0o600)
    edit(s, running_identity="no-such-user")
    refused(s, "running_identity", "no-such-user")
    edit(s, running_identity="nobody")
    with s:
        with imaplib.IMAP4_SSL("127.0.0.1", s.imaps_port, ssl_context=unverified()) as m:
            m.login(s.users[0], PASSWORD)
        # ports are bound before; who answers is no longer root
        status = open(f"/proc/{s.proc.pid}/status").read()
        assert re.search(r"^Uid:\s+%d\s+%d" % (pw.pw_uid, pw.pw_uid), status, re.M), status


def test_second_signal_ends_at_once():
    s = Server(users=1)
    edit(s, shutdown_timeout="1 hour")
    with s:
        c = socket.create_connection(("127.0.0.1", s.lmtp_port), timeout=60)
        f = c.makefile("rb")
        f.readline()
        c.sendall(b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<%s>\r\n" % s.users[0].encode())
        while not f.readline().startswith(b"250 2.1.5"):
            pass
        s.proc.terminate()
        wait_for("the end to begin", lambda: "ending on SIGTERM" in s.log_text())
        time.sleep(0.3)
        assert s.proc.poll() is None, "a transaction was cut off"
        s.proc.terminate()
        assert s.proc.wait(60) == -signal.SIGTERM
        s.proc = None
        c.close()


def test_manual_pages_are_clean():
    have("mandoc")
    for page in ("gromoxd.8", "gromox.cfg.5", "imap.8gx", "http.8gx", "http.cfg.5", "exchange_emsmdb.4gx", "autodiscover.4gx", "delivery.8gx", "delivery-queue.8gx"):
        for top in (gxtap.top_builddir(), gxtap.top_srcdir()):
            path = os.path.join(top, "man", page)
            if os.path.exists(path):
                break
        r = run(["mandoc", "-Tlint", "-Wwarning", path], check=False)
        assert r.returncode == 0 and r.stdout == b"", r.stdout
        assert b"@D" not in open(path, "rb").read()


gxtap.main(globals())
