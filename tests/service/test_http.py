#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""HTTP as programs meet it: logins and bans, connections, files and scripts, MAPI over HTTP; in gromoxd, and in a process of its own."""
import glob
import hashlib
import http.client
import os
import re
import signal
import socket
import ssl
import struct
import subprocess

from gxservice import PASSWORD, Server, gxtap, have, program, run, wait_for
import mapiwire
import pcap

MAPI = "/mapi/emsmdb/?MailboxId=x"
server = None


def the_server():
    """One for most of the tests."""
    global server
    if server is None:
        s = Server(users=3, http=True, config="http_auth_times = 3\nblock_interval_auths = 1 hour\nhttp_remote_host_hdr = X-Real-IP\n"
                   "http_request_log = yes\nhttp_rqbody_max_size = 100K\nhttp_rqbody_flush_size = 4K\n")
        os.mkdir(os.path.join(s.dir, "www"))
        with open(os.path.join(s.dir, "www", "page.html"), "w") as f:
            f.write("0123456789" * 100)
        write_maps(s)
        server = s.start()
    return server


def write_maps(s, cache="* /files {www}\n", rewrite="^/old/\\([a-z]*\\)$ => /files/\\1.html\n", fastcgi=""):
    for name, text in (("cache.txt", cache), ("rewrite.txt", rewrite), ("fastcgi.txt", fastcgi)):
        with open(os.path.join(s.dir, name), "w") as f:
            f.write(text.format(www=os.path.join(s.dir, "www"), dir=s.dir))


def stop_server():
    if server is not None:
        server.__exit__(None)


def curl(s, *args, check=True, tls=False):
    """@return (status, head, body); arguments that begin with a slash are paths of the server."""
    have("curl")
    base = f"https://localhost:{s.https_port}" if tls else f"http://127.0.0.1:{s.http_port}"
    argv = ["curl", "-sS", "-i", "--max-time", "60", *(base + a if a.startswith("/") and not os.path.exists(a) else a for a in args)]
    r = run(argv, check=check, stderr=subprocess.PIPE)
    head, _, body = r.stdout.partition(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 100"):
        head, _, body = body.partition(b"\r\n\r\n")
    return int(head.split()[1]) if head else 0, head.decode(), body


def raw(s, data, enough):
    """What comes until enough(it), or until the server closes."""
    with socket.create_connection(("127.0.0.1", s.http_port), timeout=60) as c:
        c.sendall(data)
        got = b""
        while not enough(got):
            piece = c.recv(65536)
            if not piece:
                break
            got += piece
        return got


def client(s, user=0, **kw):
    return mapiwire.Client(s.http_port, s.users[user], mapiwire.essdn(user + 1, f"user{user + 1}"), **kw)


# ---- Logins ----

def test_login_is_asked_for_and_checked():
    s = the_server()
    status, head, _ = curl(s, MAPI)
    assert status == 401 and re.search(r'^WWW-Authenticate: Basic realm="gromox", charset="UTF-8"\r?$', head, re.M), head
    for login in (f"{s.users[1]}:wrong", f"nobody@example.org:{PASSWORD}", "x", ":"):
        assert curl(s, "-u", login, MAPI)[0] == 401, login
    assert curl(s, "-H", "Authorization: Basic !!!", MAPI)[0] == 401
    assert curl(s, "-H", "Authorization: Digest x", MAPI)[0] == 401
    # the paths of files and scripts are open to all
    assert curl(s, "/files/page.html")[0] == 200
    wait_for("the line", lambda: f"auth failed: service=http rhost=[127.0.0.1] user={s.users[1]} login rejected: wrong password" in s.log_text())
    assert client(s, 1).connect().code == 0


def test_ban_is_for_user_and_host():
    s = the_server()
    for _ in range(3):
        assert curl(s, "-u", f"{s.users[2]}:wrong", "-H", "X-Real-IP: 192.0.2.7", MAPI)[0] == 401
    status, head, _ = curl(s, "-u", f"{s.users[2]}:{PASSWORD}", "-H", "X-Real-IP: 192.0.2.7", MAPI)
    assert status == 429 and "Retry-After:" in head, head
    s.wait_log("rhost=[192.0.2.7]")
    # from elsewhere, and somebody else
    assert curl(s, "-u", f"{s.users[2]}:{PASSWORD}", "-H", "X-Real-IP: 192.0.2.8", MAPI)[0] == 200
    assert curl(s, "-u", f"{s.users[1]}:{PASSWORD}", "-H", "X-Real-IP: 192.0.2.7", MAPI)[0] == 200


def test_password_that_changed_is_noticed():
    s = the_server()
    assert curl(s, "-u", f"{s.users[1]}:{PASSWORD}", MAPI)[0] == 200
    # what is remembered ends with SIGHUP
    s.env["GX_PASSWORD"] = "x"
    run([program("gromox-useradm"), "-c", s.cfg, "user", "passwd", s.users[1]], env=dict(s.env, GX_PASSWORD="another"))
    s.proc.send_signal(signal.SIGHUP)
    wait_for("the reload", lambda: "maps and log file reloaded" in s.log_text())
    wait_for("the new password", lambda: curl(s, "-u", f"{s.users[1]}:another", "-H", "X-Real-IP: 192.0.2.9", MAPI)[0] == 200)
    assert curl(s, "-u", f"{s.users[1]}:{PASSWORD}", MAPI)[0] == 401
    run([program("gromox-useradm"), "-c", s.cfg, "user", "passwd", s.users[1]], env=dict(s.env, GX_PASSWORD=PASSWORD))
    wait_for("the old password", lambda: curl(s, "-u", f"{s.users[1]}:{PASSWORD}", "-H", "X-Real-IP: 192.0.2.10", MAPI)[0] == 200)


def test_negotiate_by_a_program():
    s = Server(users=1, http=True)
    helper = os.path.join(s.dir, "helper")
    with open(helper, "w") as f:
        f.write("#!/bin/sh\nwhile read -r word token; do\n\tcase $token in\n\tb25l) echo TT bW9yZQ== ;;\n"
                f"\tdHdv) echo AF ZG9uZQ== {s.users[0]} ;;\n\t*) echo NA no ;;\n\tesac\ndone\n")
    with open(s.cfg, "a") as f:
        f.write(f"http_auth_spnego = yes\ngss_program = /bin/sh {helper}\nhttp_auth_basic = no\n")
    with s:
        c = http.client.HTTPConnection("127.0.0.1", s.http_port, timeout=60)

        def ask(token):
            c.request("GET", MAPI, headers={"Authorization": f"Negotiate {token}"} if token else {})
            r = c.getresponse()
            r.read()
            return r.status, r.headers.get("WWW-Authenticate")
        for token, answer in ((None, (401, "Negotiate")), ("eA==", (401, "Negotiate")), ("b25l", (401, "Negotiate bW9yZQ==")),
                              ("dHdv", (200, "Negotiate ZG9uZQ=="))):
            got = ask(token)
            assert got == answer, (token, got)
        assert ask(None)[0] == 200  # this connection is known
        c.close()
        assert ask(None)[0] == 401
        c.close()


# ---- Connections ----

def test_keep_alive_and_pipelining():
    s = the_server()
    r = run(["curl", "-sS", "-w", "%{num_connects}\n", "-o", "/dev/null", "-o", "/dev/null",
             *[f"http://127.0.0.1:{s.http_port}/files/page.html"] * 2])
    assert r.stdout.split() == [b"1", b"0"], r.stdout
    got = raw(s, b"GET /files/page.html HTTP/1.1\r\nHost: x\r\n\r\n" * 2 + b"HEAD /files/page.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", lambda got: False)
    assert got.count(b"HTTP/1.1 200 OK") == 3 and got.count(b"0123456789" * 100) == 2, got


def test_heads_that_are_too_large_or_wrong():
    s = the_server()
    for data, status in (
            (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70000 + b"\r\n\r\n", 431),
            (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
            (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
            (b"GET / HTTP/1.1\r\n\r\n", 400),
            (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505),
            (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400)):
        got = raw(s, data, lambda got: b"\r\n" in got)
        assert got.startswith(b"HTTP/1.1 %d " % status), (status, got[:80])


def test_a_connection_that_says_nothing_is_closed():
    s = the_server()
    with socket.create_connection(("127.0.0.1", s.http_port), timeout=60) as c:
        c.sendall(b"GET /files/page.html HTTP/1.1\r\nHost: x\r\n")
        # a head that is not ended keeps nobody else
        assert curl(s, "/files/page.html")[0] == 200
        c.sendall(b"\r\n")
        assert c.recv(100).startswith(b"HTTP/1.1 200")
    with Server(users=0, http=True, config="http_conn_timeout = 1s\n") as s, \
            socket.create_connection(("127.0.0.1", s.http_port), timeout=60) as idle:
        assert idle.recv(100) == b""


def test_tls():
    s = the_server()
    assert curl(s, "--cacert", s.cert, "/files/page.html", tls=True)[0] == 200
    assert curl(s, "/files/page.html", tls=True, check=False)[0] == 0
    context = ssl.create_default_context(cafile=s.cert)
    c = mapiwire.Client(s.https_port, s.users[0], mapiwire.essdn(1, "user1"), host="localhost", context=context)
    assert c.connect().code == 0 and c.logon()[0] == 0 and c.ask("Disconnect", struct.pack("<I", 0)).code == 0
    c.close()


# ---- Files and other paths ----

def test_files_ranges_and_tags():
    s = the_server()
    status, head, body = curl(s, "/files/page.html")
    assert status == 200 and body == b"0123456789" * 100 and "Content-Type: text/html" in head
    tag = re.search(r'^ETag: (".*")\r?$', head, re.M).group(1)
    assert curl(s, "-H", f"If-None-Match: {tag}", "/files/page.html")[0] == 304
    status, head, body = curl(s, "-r", "5-14", "/files/page.html")
    assert (status, body) == (206, b"5678901234") and "Content-Range: bytes 5-14/1000" in head, head
    assert curl(s, "-r", "-3", "/files/page.html")[2] == b"789"
    status, head, _ = curl(s, "-r", "1000-", "/files/page.html")
    assert status == 416 and "Content-Range: bytes */1000" in head
    assert curl(s, "-r", "0-1", "-H", 'If-Range: "other"', "/files/page.html")[0] == 200
    assert curl(s, "-X", "POST", "-d", "x", "/files/page.html")[0] == 405
    assert curl(s, "/files/none.html")[0] == 404 and curl(s, "/elsewhere")[0] == 404
    assert curl(s, "--path-as-is", "/files/../../../etc/passwd")[0] in (400, 404)
    assert curl(s, "/files/..%2f..%2fgromox.cfg")[0] in (400, 404)


def test_paths_are_rewritten_and_maps_read_again():
    s = the_server()
    assert curl(s, "/old/page")[0] == 200 and curl(s, "/older/page")[0] == 404
    write_maps(s, rewrite="^/older/\\([a-z]*\\)$ => /files/\\1.html\n")
    s.proc.send_signal(signal.SIGHUP)
    wait_for("the new map", lambda: curl(s, "/older/page")[0] == 200)
    assert curl(s, "/old/page")[0] == 404
    write_maps(s, rewrite="^/x\\( => /y\n", cache="* broken\n")
    s.proc.send_signal(signal.SIGHUP)
    wait_for("the complaints", lambda: re.search(r"rewrite\.txt, line 1: .*\n.*cache\.txt, line 1: ", s.log_text()))
    assert curl(s, "/older/page")[0] == 200 and curl(s, "/files/page.html")[0] == 200
    write_maps(s)
    s.proc.send_signal(signal.SIGHUP)
    wait_for("the old map", lambda: curl(s, "/old/page")[0] == 200)


# ---- Scripts ----

SCRIPT = """<?php
if (isset($_GET["fail"])) { http_response_code((int)$_GET["fail"]); header("X-Own: yes"); echo "failed"; exit; }
if (isset($_GET["long"])) { for ($i = 0; $i < 50; ++$i) echo str_repeat(chr(65 + $i % 26), 8192); exit; }
header("Content-Type: text/plain");
$in = file_get_contents("php://input");
foreach (["REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR", "SERVER_PROTOCOL", "HTTPS", "HTTP_X_ONE", "CONTENT_TYPE"] as $k)
    echo "$k=", $_SERVER[$k] ?? "", "\\n";
echo "body=", strlen($in), " ", md5($in), "\\n";
"""


class Fpm:
    """php-fpm of the distribution, for the time of a with block."""

    def __init__(self, s):
        found = sorted(glob.glob("/usr/sbin/php-fpm*"))
        if not found:
            raise gxtap.Skip("php-fpm is not installed")
        self.program, self.dir, self.socket = found[-1], os.path.join(s.dir, "php"), os.path.join(s.dir, "php.sock")
        os.makedirs(self.dir, exist_ok=True)
        with open(os.path.join(self.dir, "index.php"), "w") as f:
            f.write(SCRIPT)
        with open(os.path.join(s.dir, "fpm.conf"), "w") as f:
            f.write(f"[global]\nerror_log = {s.dir}/fpm.log\ndaemonize = no\n[www]\nlisten = {self.socket}\npm = static\npm.max_children = 2\n"
                    "user = root\ngroup = root\n")
        self.argv = [self.program, "-n", "-R", "-F", "-y", os.path.join(s.dir, "fpm.conf")]

    def __enter__(self):
        self.proc = subprocess.Popen(self.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("php-fpm", lambda: os.path.exists(self.socket) or self.proc.poll() is not None)
        return self

    def __exit__(self, *rest):
        self.proc.terminate()
        self.proc.wait(60)


def test_scripts_of_php():
    s = the_server()
    with Fpm(s) as fpm:
        write_maps(s, fastcgi=f"* /app {fpm.dir} php index.php X-One|X-Two {fpm.socket}\n")
        s.proc.send_signal(signal.SIGHUP)
        wait_for("the map", lambda: curl(s, "/app/")[0] == 200)

        def fields(*args):
            status, _, body = curl(s, *args)
            assert status == 200, (args, status, body)
            return dict(line.split("=", 1) for line in body.decode().splitlines())
        got = fields("/app/index.php/some/where?a=1&b=%20x", "-H", "X-One: 1", "-H", "X-Real-IP: 192.0.2.77")
        assert got["SCRIPT_NAME"] == "/app/index.php" and got["PATH_INFO"] == "/some/where" and got["QUERY_STRING"] == "a=1&b=%20x", got
        assert got["REMOTE_ADDR"] == "192.0.2.77" and got["HTTP_X_ONE"] == "1" and got["HTTPS"] == "", got
        assert got["REQUEST_METHOD"] == "GET" and got["SERVER_PROTOCOL"] == "HTTP/1.1" and got["body"].startswith("0 "), got
        # bodies in memory and in a file, of known length and chunked
        for size in (10, 60000):
            data = os.path.join(s.dir, "body")
            with open(data, "wb") as f:
                f.write(b"x" * size)
            want = f"{size} {hashlib.md5(b'x' * size).hexdigest()}"
            assert fields("--data-binary", f"@{data}", "-H", "Content-Type: text/x", "/app/")["body"] == want
            assert fields("-T", data, "-H", "Transfer-Encoding: chunked", "-X", "POST", "/app/")["body"] == want
        with open(data, "wb") as f:
            f.write(b"x" * 110000)
        assert curl(s, "--data-binary", f"@{data}", "/app/")[0] == 413
        status, head, body = curl(s, "/app/?fail=418")
        assert (status, body) == (418, b"failed") and "X-Own: yes" in head, head
        assert len(curl(s, "/app/?long=1")[2]) == 50 * 8192
        assert curl(s, "/app/none.php")[0] == 404
    assert curl(s, "/app/")[0] in (502, 503)
    write_maps(s)


# ---- Outlook ----

def test_mapi_from_connect_to_disconnect():
    s = the_server()
    c = client(s)
    a = c.connect()
    assert a.status == 200 and a.code == 0 and a.error == 0, (a.status, a.code, a.raw)
    assert a.headers["Content-Type"] == "application/mapi-http" and a.headers["X-RequestType"] == "Connect"
    assert re.fullmatch(r"Exchange/15\.\d\d\.\d{4}\.\d{3,4}", a.headers["X-ServerApplication"]), a.headers["X-ServerApplication"]
    assert a.headers["X-RequestId"] == "{E2EA6C1C-E61B-49E9-9CFB-38184F907552}:1"
    assert c.logon()[0] == 0
    c.close()  # a session outlives its connection
    assert c.ask("PING").code == 0
    s.proc.send_signal(signal.SIGUSR1)
    wait_for("the state", lambda: re.search(r"state: emsmdb session [0-9a-f-]+ user=user1@example\.org cp=1252", s.log_text()))
    assert c.ask("Disconnect", struct.pack("<I", 0)).code == 0
    assert c.ask("PING").code == 10
    c.close()


def test_mapi_requests_that_are_refused():
    s = the_server()
    c = client(s)
    dn = c.dn
    for code, kw in ((2, {"method": "GET"}), (7, {"headers": {"X-RequestType": None}}), (4, {"headers": {"Content-Type": "text/plain"}}),
                     (5, {"headers": {"X-RequestType": "Jump"}}), (13, {})):
        a = c.ask("PING", **kw)
        assert (a.status, a.code) == (200, code), (code, a.status, a.code)
    assert c.ask("Connect", b"\xff").code == 12
    c.dn = mapiwire.essdn(2, "user2")
    assert c.connect().error == 0x80070005
    c.dn = dn
    assert c.connect().code == 0
    other = client(s, 1)
    other.cookies = dict(c.cookies)
    assert other.ask("PING").code == 11
    c.close()
    other.close()


def test_the_address_book():
    s = the_server()
    c = client(s)
    nspi = {"path": "/mapi/nspi/?MailboxId=x"}
    stat = struct.pack("<IIIiIIIII", 0, 0, 0, 0, 0, 0, 1252, 0x409, 0x409)
    a = c.ask("Bind", struct.pack("<I", 0) + b"\1" + stat + struct.pack("<I", 0), **nspi)
    assert (a.status, a.code, a.body[:8]) == (200, 0, bytes(8)), (a.status, a.code, a.raw)
    name = "user2".encode("utf-16le") + b"\0\0"
    a = c.ask("ResolveNames", struct.pack("<I", 0) + b"\1" + stat + b"\1" + struct.pack("<II", 1, 0x39fe001f) + b"\1" + struct.pack("<I", 1) + name +
              struct.pack("<I", 0), **nspi)
    assert (a.code, a.body[:8]) == (0, bytes(8)) and "user2@example.org".encode("utf-16le") in a.raw, a.raw
    assert c.ask("QueryRows", b"\0", **nspi).code == 12
    assert c.ask("Execute", b"", **nspi).code == 5
    c.close()
    login = ("-u", f"{s.users[0]}:{PASSWORD}")
    assert curl(s, "/OAB/oab.xml")[0] == 401
    status, head, xml = curl(s, *login, "/OAB/oab.xml")
    assert status == 200 and "text/xml" in head, head
    file, size = re.search(rb'<Full [^>]*size="(\d+)" uncomp[^>]*>([^<]+)</Full>', xml).group(2, 1)
    status, head, data = curl(s, *login, "-r", "4-", f"/OAB/{file.decode()}")
    assert status == 206 and len(data) == int(size) - 4 and data[:4] == b"\1\0\0\0", head
    assert curl(s, *login, "/OAB/state")[0] == 404


def test_sessions_end_with_the_server():
    s = the_server()
    c = client(s)
    assert c.connect().code == 0 and c.logon()[0] == 0
    s.stop()
    s.start()
    c.close()
    assert c.ask("PING").code == 10
    c.cookies = {}
    assert c.connect().code == 0 and c.logon()[0] == 0
    c.close()


def test_a_process_of_its_own():
    with Server(users=1, http=True, split=True) as s:
        c = client(s)
        assert c.connect().error == 0 and c.logon()[0] == 0
        # it goes and comes back
        s.parts["http"].kill()
        s.parts["http"].wait()
        s.start_part("http")

        def again():
            c.cookies = {}
            try:
                return c.connect().code == 0 and c.logon()[0] == 0
            except (OSError, http.client.HTTPException):
                c.close()
        wait_for("a logon", again)
        c.close()


def test_mailboxes_need_istore_when_that_has_the_stores():
    with Server(users=1, http=True, config="istore_standalone = 1") as s:
        c = client(s)
        a = c.connect()
        assert a.status == 503 and a.headers["Retry-After"], a.status
        c.close()
        s.wait_log("istore-http.sock: nobody listens there")


# ---- Other eyes ----

def tshark(path, *args):
    """Rows of fields of all frames with HTTP; nothing may be malformed."""
    fields = ("http.request.method", "http.response.code", "http.content_type", "_ws.malformed", "_ws.expert.severity", "_ws.expert.message")
    r = run([have("tshark"), "-n", "-r", path, *args, "-Y", "http || _ws.malformed", "-T", "fields", *[x for k in fields for x in ("-e", k)]],
            stderr=subprocess.DEVNULL, env=dict(os.environ, HOME=os.path.dirname(path)))
    rows = [line.split("\t") for line in r.stdout.decode().splitlines()]
    for row in rows:
        assert not row[3] and "8388608" not in row[4], row  # PI_ERROR
    return rows


def talk_mapi(c):
    """Requests of every kind. @return how many."""
    assert c.connect().code == 0 and c.logon()[0] == 0 and c.ask("PING").code == 0
    assert c.ask("Jump").code == 5 and c.ask("PING", method="GET").code == 2
    assert c.ask("Execute", b"\xff").code == 12
    # bodies of many chunks
    for _ in range(3):
        c.execute(struct.pack("<4B2IH", 0xfe, 0, 0, 1, 0, 0, len(c.dn) + 1) + c.dn.encode() + b"\0")
    assert c.ask("Disconnect", struct.pack("<I", 0)).code == 0
    return 10


def test_traffic_is_understood_by_tshark():
    s = the_server()
    have("tshark")
    path, keys = os.path.join(s.dir, "traffic.pcap"), os.path.join(s.dir, "keys")
    with pcap.Recorder(s.https_port) as r:
        context = ssl.create_default_context(cafile=s.cert)
        context.keylog_filename = keys
        c = mapiwire.Client(r.port, s.users[0], mapiwire.essdn(1, "user1"), host="localhost", context=context)
        n = talk_mapi(c)
        c.close()
        r.write(path, 443)
    rows = tshark(path, "-o", f"tls.keylog_file:{keys}", "-d", "tcp.port==443,tls")
    assert sum(row[0] in ("POST", "GET") for row in rows) == n and sum(row[1] == "200" for row in rows) == n, rows
    assert sum(row[2] == "application/mapi-http" for row in rows if row[1]) >= 6, rows
    with pcap.Recorder(s.http_port) as r:
        c = http.client.HTTPConnection("127.0.0.1", r.port, timeout=60)
        for method, headers in (("GET", {}), ("HEAD", {}), ("GET", {"Range": "bytes=5-9"}), ("GET", {"Range": "bytes=5000-"}), ("DELETE", {})):
            c.request(method, "/files/page.html", headers=headers)
            c.getresponse().read()
        c.close()
        r.write(path, 80)
    assert [row[1] for row in tshark(path) if row[1]] == ["200", "200", "206", "416", "405"]


# ---- Wrong configuration ----

def test_what_cannot_be_is_explained():
    s = Server(users=0, http=True)
    with open(s.cfg) as f:
        text = f.read()

    def refused(words, extra):
        with open(s.cfg, "w") as f:
            f.write(text + extra)
        r = run([program("http"), "-c", s.cfg], check=False)
        out = r.stdout.decode(errors="replace")
        assert r.returncode == 1 and all(w in out for w in words), (words, out)
    refused(["emsmdb_compress_threshold = much", "-1 for no compression"], "emsmdb_compress_threshold = much\n")
    refused(["reported_server_version = 15", "15.00.0847.4040"], "reported_server_version = 15\n")
    refused(["http_auth_basic", "http_bearer_key_path"], "http_auth_basic = no\n")
    refused(["gss_program"], "http_auth_spnego = yes\n")
    refused(["/nonexistent/keys.pem"], "http_bearer_key_path = /nonexistent/keys.pem\n")
    refused(["192.0.2.0/99"], "http_fronts = 192.0.2.0/99\n")
    refused(["http_certificate_path"], "http_certificate_path =\n")
    with open(os.path.join(s.dir, "fastcgi.txt"), "w") as f:
        f.write("* /x /y php\n")
    refused(["fastcgi.txt, line 1", "seven words"], "")


gxtap.main(globals(), stop_server)
