#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Owners of stores on other hosts over TLS: certificates of both sides, and what is said when one of them is wrong."""
import imaplib
import os
import re
import shutil
import signal
import subprocess

from gxservice import PATIENCE, Server, free_port, gxtap, program, run, wait_for

MAIL = b"Subject: hello\r\n\r\nhello\r\n"
KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
CA_CNF = """[ca]
default_ca = d
[d]
database = {0}/index
new_certs_dir = {0}
rand_serial = yes
default_md = sha256
policy = p
x509_extensions = x
unique_subject = no
[p]
commonName = supplied
[x]
subjectAltName = DNS:localhost,DNS:{1}
extendedKeyUsage = serverAuth,clientAuth
"""


class Authority:
    def __init__(self, folder, name):
        self.dir = os.path.join(folder, name)
        os.mkdir(self.dir)
        self.cert, self.key = os.path.join(self.dir, "ca.pem"), os.path.join(self.dir, "ca.key")
        run(["openssl", "req", "-x509", *KEY, "-days", "2", "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.cert])

    def sign(self, name, expired=False):
        """@return paths of certificate and key."""
        cert, key, request, cnf = (os.path.join(self.dir, name + end) for end in (".pem", ".key", ".csr", ".cnf"))
        with open(cnf, "w") as f:
            f.write(CA_CNF.format(self.dir, name))
        open(os.path.join(self.dir, "index"), "w").close()
        run(["openssl", "req", "-new", *KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", request])
        when = ["-startdate", "20250101000000Z", "-enddate", "20250201000000Z"] if expired else ["-days", "2"]
        run(["openssl", "ca", "-batch", "-notext", "-config", cnf, "-cert", self.cert, "-keyfile", self.key, *when,
             "-in", request, "-out", cert])
        return cert, key


class Site:
    """gromoxd has the first user's store, istore, as if on another host, that of the second."""

    def __init__(self):
        self.port = free_port()
        self.s = s = Server(users=2, split=False, config=f"host_id = main\nexmdb_client_port = {self.port}\nexmdb_client_tls = yes\n")
        self.ca, self.other = Authority(s.dir, "ca"), Authority(s.dir, "other-ca")
        self.mine, self.theirs = self.ca.sign("main"), self.ca.sign("stores")
        # what the daemons read, to be replaced by the tests
        self.files = {n: os.path.join(s.dir, "tls-" + n) for n in ("cert", "key", "ca", "server-cert", "server-key", "server-ca")}
        self.reset()
        with open(s.cfg, "a") as f:
            f.write(f"exmdb_client_certificate_path = {self.files['cert']}\nexmdb_client_private_key_path = {self.files['key']}\n"
                    f"exmdb_server_ca_path = {self.files['ca']}\n")
        s.tool("gromox-useradm", "-c", s.cfg, "server", "add", "localhost")
        s.tool("gromox-useradm", "-c", s.cfg, "user", "homeserver", s.users[1], "localhost")

    def put(self, **files):
        for name, path in files.items():
            shutil.copy(path, self.files[name.replace("_", "-")])

    def reset(self):
        self.put(cert=self.mine[0], key=self.mine[1], ca=self.ca.cert, server_cert=self.theirs[0], server_key=self.theirs[1],
                 server_ca=self.ca.cert)

    def config(self, name, **changes):
        path = os.path.join(self.s.dir, name)
        with open(self.s.cfg) as f:
            lines = [line for line in f if line.split("=")[0].strip() not in changes]
        with open(path, "w") as f:
            f.writelines(lines + [f"{k} = {v}\n" for k, v in changes.items() if v is not None])
        return path

    def start_owner(self):
        f = self.files
        cfg = self.config("stores.cfg", host_id="localhost", exmdb_listen="", exmdb_listen_tls=f"127.0.0.1:{self.port}",
                          exmdb_certificate_path=f["server-cert"], exmdb_private_key_path=f["server-key"],
                          exmdb_client_ca_path=f["server-ca"], exmdb_certs_allow="main expired")
        self.log_path = os.path.join(self.s.dir, "istore.log")
        self.log = open(self.log_path, "ab")
        self.owner = subprocess.Popen([program("istore"), "-c", cfg], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.s.wait_for_ports(PATIENCE, lambda: self.owner.poll(), self.port)

    def ping(self, want, *options, cfg=None):
        """The owner is asked by gromox-mbop; @want None: it answers."""
        r = run([program("gromox-mbop"), "--config", cfg or self.s.cfg, "-u", self.s.users[1], *options, "ping"], check=False)
        out = r.stdout.decode()
        assert (r.returncode == 0) == (want is None) and (want is None or want in out), out
        return out

    def reload_owner(self):
        n = self.count("certificates and log file reloaded")
        self.owner.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: self.count("certificates and log file reloaded") > n)

    def count(self, text, path=None):
        with open(path or self.log_path) as f:
            return f.read().count(text)


def can_read(s, user):
    try:
        m = s.imap(user)
        ok = m.select("INBOX")[0] == "OK"
        m.logout()
        return ok
    except imaplib.IMAP4.error as e:
        assert b"[UNAVAILABLE]" in e.args[0], e
        return False


def test_certificates_of_both_sides():
    t = Site()
    s, f = t.s, t.files
    with s:
        t.start_owner()
        try:
            for user in (0, 1):
                s.deliver(MAIL, to=user)
                s.wait_count(user, 1).logout()
            t.ping(None)
            check_wrong(t, s, f)
            # the daemon looks at its files anew when it is told to, and hears news of the store over TLS, too
            t.put(cert=t.ca.sign("main", expired=True)[0], key=os.path.join(t.ca.dir, "main.key"))
            s.proc.send_signal(signal.SIGHUP)
            wait_for("the reload", lambda: "log file reloaded" in s.log_text())
            t.owner.kill()
            t.owner.wait()
            t.start_owner()
            text = f"the certificate {f['cert']} expired on 2025-02-01: renew it, then send SIGHUP"
            wait_for("the reason", lambda: not can_read(s, 1) and text in s.log_text())
            assert can_read(s, 0)
            t.reset()
            t.put(cert=t.ca.sign("main")[0], key=os.path.join(t.ca.dir, "main.key"))
            s.proc.send_signal(signal.SIGHUP)
            wait_for("the store", lambda: can_read(s, 1))
            m = s.imap(1, "INBOX")
            m.send(b"x IDLE\r\n")
            assert m.readline().startswith(b"+")
            s.deliver(MAIL, to=1)
            assert m.readline().strip() == b"* 2 EXISTS"
            m.shutdown()
        finally:
            t.owner.terminate()
            t.owner.wait(PATIENCE)
            t.log.close()


def check_wrong(t, s, f):
    # whom we trust
    t.put(ca=t.other.cert)
    t.ping(f"the certificate of localhost is of no authority in {f['ca']}: put that in there (exmdb_server_ca_path)")
    t.reset()
    # whom the server trusts
    stranger = t.other.sign("main")
    out = t.ping(f"{stranger[0]} is of no authority that the server accepts", "--tls-cert", stranger[0], "--tls-key", stranger[1])
    assert "exmdb_client_ca_path" in out, out
    # none, and one whose time is over
    t.ping("none is configured: set exmdb_client_certificate_path",
           cfg=t.config("none.cfg", exmdb_client_certificate_path=None, exmdb_client_private_key_path=None))
    wait_for("the server's complaint", lambda: t.count(f"the client shows no certificate; it needs one of an authority in {f['server-ca']}"))
    old = t.ca.sign("expired", expired=True)
    t.ping(f"the certificate {old[0]} expired on 2025-02-01: renew it", "--tls-cert", old[0], "--tls-key", old[1])
    # one that is not in exmdb_certs_allow
    fine = t.ca.sign("somebody")
    t.ping("is not allowed", "--tls-cert", fine[0], "--tls-key", fine[1])
    wait_for("its complaint", lambda: t.count("with certificate of somebody may not connect; see exmdb_certs_allow"))
    # the server's own
    t.put(server_cert=t.ca.sign("stores", expired=True)[0], server_key=os.path.join(t.ca.dir, "stores.key"))
    t.reload_owner()
    t.ping("the certificate of localhost expired on 2025-02-01: renew it there")
    t.theirs = t.ca.sign("stores")
    t.reset()
    t.reload_owner()
    # another port, which speaks no TLS
    t.ping("is this the port of the server's exmdb_listen_tls?", cfg=t.config("port.cfg", exmdb_client_port=s.lmtp_port))
    t.ping(None)


def test_what_cannot_start():
    t = Site()
    s, f = t.s, t.files

    def refused(name, *texts, **changes):
        r = run([program(name), "-c", t.config("refused.cfg", **changes)], check=False)
        out = r.stdout.decode()
        assert r.returncode == 1 and all(x in out for x in texts), out

    for name in ("gromoxd", "imap", "delivery"):
        refused(name, "exmdb_client_tls is on", "exmdb_client_certificate_path", "exmdb_client_ca_path",
                exmdb_client_certificate_path=None)
    refused("imap", "cannot read the TLS certificate /nonexistent.pem", exmdb_client_certificate_path="/nonexistent.pem")
    refused("imap", f"cannot read the TLS file of authorities {f['ca']}x", exmdb_server_ca_path=f["ca"] + "x")
    refused("imap", f"{f['key']} has no certificate of an authority", exmdb_server_ca_path=f["key"])
    refused("imap", f"private key {t.theirs[1]} does not belong to the certificate {f['cert']}", exmdb_client_private_key_path=t.theirs[1])
    assert re.search("tls1.9.*none of", run([program("imap"), "-c", t.config("refused.cfg", tls_min_proto="tls1.9")],
                                            check=False).stdout.decode())
    shutil.rmtree(s.dir)


gxtap.main(globals())
