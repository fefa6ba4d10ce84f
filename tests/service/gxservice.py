# SPDX-License-Identifier: Apache-2.0
"""A gromoxd of its own in a private directory, on free loopback ports, with a few users."""
import atexit
import imaplib
import os
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import gxtap  # noqa: E402

DOMAIN = "example.org"
PASSWORD = "s3cret-pass"
PATIENCE = 120  # seconds for what takes none on a machine with nothing else to do


def program(name):
    """A built program, from the build tree or from $GX_PREFIX."""
    prefix = os.environ.get("GX_PREFIX")
    dirs = [os.path.join(prefix, d) for d in ("sbin", "bin", "libexec/gromox")] if prefix else []
    for path in [os.path.join(d, name) for d in dirs] + [gxtap.program(d, name) for d in ("daemons", ".")]:
        if os.access(path, os.X_OK):
            return path
    raise FileNotFoundError(f"{name} is not in {dirs} and was not built")


def wait_for(what, test, seconds=PATIENCE):
    """The first true value of test(), or a failure that says what did not come."""
    end = time.monotonic() + seconds
    while not (value := test()):
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(0.02)
    return value


def port_numbers():
    """Ports that the system gives to nobody by itself: between two of its connections one of those would be gone again
    before the server takes it. Tests that run at once begin at different ones."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
            end = int(f.read().split()[0])
    except OSError:
        end = 32768
    first, each = 10240, 64
    slices = (end - first) // each
    n = os.getpid()
    while slices > 0:
        yield from range(first + n % slices * each, first + (n % slices + 1) * each)
        n += 1
    while True:
        yield 0


NUMBERS = port_numbers()


def free_port():
    for port in NUMBERS:
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return s.getsockname()[1]
            except OSError:
                pass


def run(argv, check=True, **kw):
    kw.setdefault("stdout", subprocess.PIPE)
    kw.setdefault("stderr", subprocess.STDOUT)
    kw.setdefault("timeout", PATIENCE)
    r = subprocess.run(argv, **kw)
    if check and r.returncode != 0:
        out = r.stdout.decode(errors="replace") if r.stdout else ""
        raise AssertionError(f"{argv} ended with {r.returncode}:\n{out}")
    return r


def have(name):
    if shutil.which(name) is None:
        raise gxtap.Skip(f"{name} is not installed")
    return name


SPLIT = ("istore", "delivery-queue", "delivery", "imap")
NO_HTTP = "http_listen =\nhttp_listen_tls ="


class Server:
    """with Server(users=3) as s: s.imap(0), s.lmtp(), ...

    One gromoxd; with split (or $GX_SPLIT) istore, which has the stores, and the other programs of their own. With http it
    listens at http_port and https_port too, and finds its maps in the directory of the server; split, http has the stores."""

    def __init__(self, users=2, config="", directory=None, env=None, wrapper=None, split=None, http=False):
        self.split = bool(os.environ.get("GX_SPLIT")) if split is None else split
        self.parts = {}
        self.dir = directory or tempfile.mkdtemp(prefix="gx-test-")
        self.users = [f"user{i + 1}@{DOMAIN}" for i in range(users)]
        self.lmtp_port, self.imap_port, self.imaps_port, self.exmdb_port = (free_port() for _ in range(4))
        self.http_port, self.https_port = (free_port(), free_port()) if http else (None, None)
        self.split_parts = (("http",) + SPLIT[1:]) if http else SPLIT
        self.proc = None
        self.env = dict(os.environ, **(env or {}))
        self.wrapper = wrapper or []
        self.log_path = os.path.join(self.dir, "gromoxd.log")
        self.cfg = os.path.join(self.dir, "gromox.cfg")
        self.cert, self.key = os.path.join(self.dir, "cert.pem"), os.path.join(self.dir, "key.pem")
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", self.key, "-out", self.cert])
        with open(self.cfg, "w") as f:
            f.write(f"""\
directory_path = {self.dir}/directory.sqlite3
data_path = {self.dir}
dequeue_path = {self.dir}/queue
lda_listen = 127.0.0.1:{self.lmtp_port}
lda_listen_tls =
imap_listen = 127.0.0.1:{self.imap_port}
exmdb_listen = 127.0.0.1:{self.exmdb_port}{" " + self.dir + "/istore.sock" if self.split else ""}
exmdb_hosts_allow = 127.0.0.1
imap_listen_tls = 127.0.0.1:{self.imaps_port}
imap_support_tls = yes
imap_certificate_path = {self.cert}
imap_private_key_path = {self.key}
smtp_support_starttls = yes
smtp_certificate_path = {self.cert}
smtp_private_key_path = {self.key}
running_identity =
{self.http_config() if http else NO_HTTP}
{config}
""")
        self.tool("gromox-dbop", "-C", "-c", self.cfg)
        self.tool("gromox-useradm", "-c", self.cfg, "domain", "add", DOMAIN)
        for u in self.users:
            self.tool("gromox-useradm", "-c", self.cfg, "user", "add", u)

    def http_config(self):
        return f"""\
http_listen = 127.0.0.1:{self.http_port}
http_listen_tls = 127.0.0.1:{self.https_port}
http_support_tls = yes
http_certificate_path = {self.cert}
http_private_key_path = {self.key}
http_map_path = {self.dir}"""

    def ports(self):
        return [p for p in (self.lmtp_port, self.imap_port, self.http_port) if p is not None]

    def tool(self, name, *args, **kw):
        return run([program(name), *args], env=dict(self.env, GX_PASSWORD=PASSWORD), **kw)

    def start_part(self, name):
        """One of the programs of the split mode."""
        self.parts[name] = subprocess.Popen([program(name), "-c", self.cfg], env=self.env, stdin=subprocess.DEVNULL,
                                            stdout=self.log, stderr=self.log)
        return self.parts[name]

    def start_split(self, wait):
        atexit.register(self.kill)
        for name in self.split_parts:
            self.start_part(name)
        self.wait_for_ports(wait, lambda: next((n for n, p in self.parts.items() if p.poll() is not None), None),
                            self.exmdb_port, *self.ports())
        return self

    def wait_for_ports(self, wait, ended, *ports):
        end = time.monotonic() + wait
        for port in ports:
            while True:
                if ended() is not None:
                    raise AssertionError(f"{ended()} ended:\n{self.log_end()}")
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    if time.monotonic() > end:
                        raise AssertionError(f"port {port} does not answer after {wait} s:\n{self.log_end()}")
                    time.sleep(0.02)

    def start(self, wait=PATIENCE):
        self.log = open(self.log_path, "ab")
        if self.split:
            return self.start_split(wait)
        self.proc = subprocess.Popen([*self.wrapper, program("gromoxd"), "-c", self.cfg], env=self.env,
                                     stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        atexit.register(self.kill)
        end = time.monotonic() + wait
        while time.monotonic() < end:
            if self.proc.poll() is not None:
                raise AssertionError(f"gromoxd ended with {self.proc.returncode}:\n{self.log_end()}")
            try:
                for port in self.ports():
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return self
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"gromoxd does not answer after {wait} s:\n{self.log_end()}")

    def log_text(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def log_end(self):
        return self.log_text()[-8000:]

    def wait_log(self, *words):
        """A line of the log may come a little after the answer to what it is about."""
        for w in words:
            wait_for(f"{w!r} in the log", lambda: w in self.log_text())

    def kill(self):
        for p in self.parts.values():
            if p.poll() is None:
                p.kill()
                p.wait()
        if self.proc is not None and self.proc.poll() is None:
            self.proc.send_signal(signal.SIGKILL)
            self.proc.wait()

    def stop(self, wait=PATIENCE):
        for name in reversed(self.parts):
            self.parts[name].terminate()
            code = self.parts[name].wait(wait)
            if code != 0:
                raise AssertionError(f"{name} ended with {code}:\n{self.log_end()}")
        if self.parts:
            self.parts = {}
            self.log.close()
        if self.proc is None:
            return
        self.proc.send_signal(signal.SIGTERM)
        code = self.proc.wait(wait)
        self.proc = None
        self.log.close()
        if code != 0:
            raise AssertionError(f"gromoxd ended with {code}:\n{self.log_end()}")

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *rest):
        try:
            if kind is None:
                self.stop()
        finally:
            self.kill()
            if kind is None:
                shutil.rmtree(self.dir, ignore_errors=True)
            else:
                print(f"# files kept in {self.dir}; end of the log:")
                for line in self.log_end().splitlines()[-30:]:
                    print("#   " + line)

    def imap(self, user=0, select=None):
        m = imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=PATIENCE)
        m.login(self.users[user], PASSWORD)
        if select is not None:
            typ, data = m.select(select)
            assert typ == "OK", data
        return m

    def lmtp(self):
        return smtplib.LMTP("127.0.0.1", self.lmtp_port)

    def deliver(self, data, to=0, sender="sender@example.net"):
        """One message of bytes by LMTP, exactly these bytes."""
        with RawLmtp(self.lmtp_port) as c:
            c.send_mail(sender, [self.users[to] if isinstance(to, int) else to], data)

    def wait_count(self, user, count, wait=PATIENCE, mailbox="INBOX"):
        end = time.monotonic() + wait
        m = self.imap(user)
        while True:
            n = int(m.select(mailbox)[1][0])
            if n >= count or time.monotonic() > end:
                assert n == count, f"{n} messages in {mailbox}, not {count}"
                return m
            time.sleep(0.05)


class RawLmtp:
    """LMTP without smtplib's line-end repairs: what is given is sent, dot-stuffed."""

    def __init__(self, port, timeout=PATIENCE):
        self.s = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.f = self.s.makefile("rb")
        self.expect(b"220")
        self.command(b"LHLO test.example.net", b"250")

    def __enter__(self):
        return self

    def __exit__(self, *rest):
        self.f.close()
        self.s.close()

    def reply(self):
        lines = []
        while True:
            line = self.f.readline()
            if not line:
                raise ConnectionError("server closed the connection")
            lines.append(line)
            if line[3:4] != b"-":
                return b"".join(lines)

    def expect(self, code):
        r = self.reply()
        assert r.startswith(code), r
        return r

    def command(self, line, code):
        self.s.sendall(line + b"\r\n")
        return self.expect(code)

    def send_mail(self, sender, rcpts, data, bdat=False):
        """@return one reply for each recipient, all asserted to be 250."""
        self.command(b"MAIL FROM:<%s> BODY=8BITMIME" % sender.encode(), b"250")
        for r in rcpts:
            self.command(b"RCPT TO:<%s>" % r.encode(), b"250")
        if bdat:
            self.s.sendall(b"BDAT %d LAST\r\n" % len(data) + data)
        else:
            self.command(b"DATA", b"354")
            stuffed = data.replace(b"\r\n.", b"\r\n..")
            if stuffed.startswith(b"."):
                stuffed = b"." + stuffed
            if not stuffed.endswith(b"\r\n") and stuffed:
                stuffed += b"\r\n"
            self.s.sendall(stuffed + b".\r\n")
        return [self.expect(b"250") for _ in rcpts]


def fetch_all(m, item="(UID BODY.PEEK[])"):
    """{uid: bytes} of the selected mailbox."""
    import re
    typ, data = m.fetch("1:*", item)
    assert typ == "OK", data
    found = {}
    for part in data:
        if isinstance(part, tuple):
            found[int(re.search(rb"UID (\d+)", part[0]).group(1))] = part[1]
    return found
