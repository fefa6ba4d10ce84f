#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Users on a MariaDB server: tools and daemons against a real one, that is killed, slow, encrypted and shared."""
import imaplib
import json
import os
import shutil
import smtplib
import subprocess
import tempfile
import threading

from gxservice import DOMAIN, PASSWORD, PATIENCE, Server, gxtap, program, run, wait_for
from gxmariadb import MariaDB
import mailgen

MESSAGE = mailgen.head(1) + b"\r\nhello\r\n"
shared = None


def db():
    """One server for all tests that do not harm it; each has a database of its own."""
    global shared
    if shared is None:
        shared = MariaDB().start()
    return shared


def fresh():
    db().sql("DROP DATABASE IF EXISTS gxusers")
    return db().config()


class Site:
    """A configuration file for the tools."""

    def __init__(self, config):
        self.dir = tempfile.mkdtemp(prefix="gx-mdbsite-")
        self.cfg = os.path.join(self.dir, "site.cfg")
        with open(self.cfg, "w") as f:
            f.write(f"directory_path = {self.dir}/directory.sqlite3\ndata_path = {self.dir}/data\nrunning_identity =\n"
                    f"imap_listen =\nlda_listen =\nlda_listen_tls =\nhttp_listen =\n{config}")

    def __enter__(self):
        return self

    def __exit__(self, *rest):
        shutil.rmtree(self.dir)

    def start(self, tool, *args, password=PASSWORD):
        return subprocess.Popen([program(tool), "-c", self.cfg, *args], env=dict(os.environ, GX_PASSWORD=password),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, tool, *args, code=0):
        p = self.start(tool, *args)
        out, self.err = p.communicate(timeout=120)
        assert p.returncode == code, (tool, args, p.returncode, out, self.err)
        return out

    def json(self, *args):
        return json.loads(self.run("gromox-useradm", "--json", *args))


def test_tables_are_made_and_upgraded():
    with Site(fresh()) as s:
        s.run("gromox-useradm", "user", "list", code=1)
        assert "MariaDB root@" in s.err and "gromox-dbop -C" in s.err, s.err
        s.run("gromox-dbop", "-U", code=1)
        assert "gromox-dbop -C" in s.err, s.err
        assert "/gxusers: made" in s.run("gromox-dbop", "-C")
        assert int(db().sql("SELECT count(*) FROM information_schema.tables WHERE table_schema='gxusers'")) == 25
        s.run("gromox-dbop", "-C", code=1)
        assert "exist already" in s.err, s.err
        assert "schema version 133 is the newest" in s.run("gromox-dbop", "-U")
    with Site(fresh()) as s:
        db().sql("CREATE DATABASE gxusers")  # made by somebody else, and empty
        s.run("gromox-dbop", "--create-old")
        s.run("gromox-useradm", "user", "list", code=1)
        assert "too old" in s.err and "gromox-dbop -U" in s.err, s.err
        assert "from schema version 0 to 133" in s.run("gromox-dbop", "-U")
        assert s.json("user", "list") == []


def administration(s):
    """A day's work; @return everything that can be listed, without what names the place."""
    s.run("gromox-dbop", "-C")
    said = []

    def adm(*args, code=0):
        s.run("gromox-useradm", *args, code=code)
        said.append(s.err)
    adm("domain", "add", DOMAIN)
    adm("domain", "add", "small.example", "--max-users", "1")
    for u in ("Ann@example.org", "bob@example.org", "a@small.example"):
        adm("user", "add", u, "--no-create", "--display-name", "J\u00f6rg \U0001f418", "--lang", "de", "--maildir", f"/m/{u}")
    adm("user", "add", "b@small.example", "--no-create", code=1)
    adm("user", "add", "ANN@example.org", "--no-create", code=1)
    adm("alias", "add", "info@example.org", "ann@example.org")
    adm("alias", "add", "info@example.org", "bob@example.org", code=1)
    adm("group", "add", "dev@example.org", "--post", "listed")
    adm("group", "add", "all@example.org", "--whole-domain")
    for m in ("bob@example.org", "x@elsewhere.example", "all@example.org"):
        adm("group", "add-member", "dev@example.org", m)
    adm("group", "add-member", "dev@example.org", "bob@example.org", code=1)
    adm("group", "add-sender", "dev@example.org", "boss@example.com")
    adm("server", "add", "mail1.example.org", "--extname", "mail.example.org")
    adm("server", "add", "mail2.example.org")
    adm("user", "homeserver", "bob@example.org", "mail2.example.org")
    adm("domain", "homeserver", "small.example", "mail1.example.org")
    adm("server", "delete", "mail2.example.org", code=1)
    adm("user", "delete", "bob@example.org")
    adm("user", "delete", "bob@example.org", code=1)
    adm("server", "delete", "mail2.example.org")
    return said, [s.json(*what) for what in (
        ["user", "list"], ["user", "show", "INFO@example.org"], ["domain", "list"], ["alias", "list"], ["server", "list"],
        ["group", "show", "dev@example.org"], ["group", "show", "all@example.org"], ["user", "list", "small.example"])]


def test_both_back_ends_answer_alike():
    with Site(fresh()) as one, Site("directory = sqlite\n") as two:
        a, b = administration(one), administration(two)
        text = json.dumps(b).replace(two.dir, one.dir)
        assert json.dumps(a) == text, f"\n{json.dumps(a)}\n{text}"


def test_several_programs_at_once():
    with Site(fresh()) as s:
        s.run("gromox-dbop", "--create-old")
        ups = [s.start("gromox-dbop", "-U") for _ in range(4)]
        said = [p.communicate(timeout=120) + (p.returncode,) for p in ups]
        assert all(r[2] == 0 for r in said), said
        assert sum("from schema version 0 to 133" in r[0] for r in said) == 1, said
        s.run("gromox-useradm", "domain", "add", DOMAIN)
        adds = [s.start("gromox-useradm", "user", "add", f"u{i % 4}@{DOMAIN}", "--no-create") for i in range(8)]
        codes = [(i % 4, p.communicate(timeout=120), p.returncode) for i, p in enumerate(adds)]
        assert sorted(k for k, _, code in codes if code == 0) == [0, 1, 2, 3], codes
        assert all(code == 0 or "exists already" in out[1] for _, out, code in codes), codes
        assert len(s.json("user", "list")) == 4


def test_mail_finds_its_way():
    with Server(users=2, config=fresh()) as s:
        run_tool = [program("gromox-useradm"), "-c", s.cfg]
        run([*run_tool, "alias", "add", f"info@{DOMAIN}", s.users[0]])
        run([*run_tool, "group", "add", f"all@{DOMAIN}", "--whole-domain"])
        s.deliver(MESSAGE, f"info@{DOMAIN}")
        s.deliver(MESSAGE, f"all@{DOMAIN}")
        s.wait_count(0, 2).logout()
        s.wait_count(1, 1).logout()
        m = imaplib.IMAP4("127.0.0.1", s.imap_port, timeout=PATIENCE)
        try:
            m.login(s.users[0], "wrong")
            raise AssertionError("a wrong password was taken")
        except imaplib.IMAP4.error as e:
            assert "AUTHENTICATIONFAILED" in str(e), e
        # What tools change shows in the running server, which has just remembered the opposite.
        with smtplib.LMTP("127.0.0.1", s.lmtp_port) as c:
            c.ehlo()
            c.mail("x@example.net")
            assert c.rcpt(f"new@{DOMAIN}")[0] == 550
            s.tool("gromox-useradm", "-c", s.cfg, "user", "add", f"new@{DOMAIN}")
            wait_for("the new user", lambda: c.rcpt(f"new@{DOMAIN}")[0] == 250)
        m.login(f"new@{DOMAIN}", PASSWORD)
        m.logout()


def rcpt(s, address):
    with smtplib.LMTP("127.0.0.1", s.lmtp_port) as c:
        c.ehlo()
        c.mail("x@example.net")
        return c.rcpt(address)


def test_server_is_killed_and_comes_back():
    with MariaDB() as mine, Server(users=4, config=mine.config()) as s:
        s.deliver(MESSAGE, 0)
        m = s.imap(0)
        mine.kill()
        # Who is in stays in; who is not known yet is told to come again, never that there is nobody.
        assert m.select("INBOX")[0] == "OK"
        code, words = rcpt(s, s.users[3])
        assert code == 451, (code, words)
        try:
            s.imap(3)
            raise AssertionError("a login without the directory")
        except imaplib.IMAP4.error as e:
            assert "AUTHENTICATIONFAILED" not in str(e), e
        s.wait_log("error: MariaDB root@")
        assert s.log_text().count("error: MariaDB root@") == 1, s.log_text()
        # It comes back in the middle of a question.
        threading.Timer(0.5, mine.start).start()
        wait_for("the directory", lambda: rcpt(s, s.users[3])[0] == 250)
        s.wait_log("is there again")
        s.deliver(MESSAGE, 3)
        s.wait_count(3, 1).logout()
        m.logout()
        mine.kill()
        mine.start()
        s.deliver(MESSAGE, 3)
        s.wait_count(3, 2).logout()


def test_what_is_wrong_is_told():
    config = fresh()
    with Site(config) as s:
        s.run("gromox-dbop", "-C")
    db().sql("CREATE OR REPLACE USER mail@localhost IDENTIFIED BY 'right'; GRANT ALL ON gxusers.* TO mail@localhost")
    for more, words in (({"mysql_username": "mail", "mysql_password": "wrong"}, ("Access denied", "mysql_password")),
                        ({"mysql_dbname": "nosuch"}, ("nosuch", "gromox-dbop -C")),
                        ({"mysql_host": "/nonexistent/socket"}, ("/nonexistent/socket",)),
                        ({"mysql_host": "127.0.0.1", "mysql_port": "1"}, ("127.0.0.1",)),
                        ({"module_path": "/nonexistent"}, ("/nonexistent/gxdir_mariadb.so", "module_path")),
                        ({"directory": "ldap"}, ("directory = ldap", "sqlite, mysql or auto"))):
        with Site(db().config(**more)) as s:
            for tool in (["gromox-useradm", "user", "list"], ["gromoxd"]):
                s.run(*tool, code=1)
                assert all(w in s.err for w in words) and "'wrong'" not in s.err, (tool, s.err)
    with Site(db().config(mysql_username="mail", mysql_password="right")) as s:
        assert s.json("user", "list") == []
    # One directive decides, whatever else is set.
    with Site(db().config(directory="sqlite")) as s:
        s.run("gromox-dbop", "-C")
        assert os.path.exists(f"{s.dir}/directory.sqlite3")


def test_old_tables_are_upgraded_by_the_chosen_host():
    config = fresh()
    s = Server(users=0, config=config)  # its tables are new; make them old ones
    db().sql("DROP DATABASE gxusers")
    s.tool("gromox-dbop", "--create-old", "-c", s.cfg)

    def with_upgrade(who):
        with open(s.cfg, "a") as f:
            f.write(f"host_id = here.example.org\nschema_upgrade = {who}\n")
    for who in ("host:other.example.org", "never"):
        with_upgrade(who)
        r = run([program("gromoxd"), "-c", s.cfg], check=False, timeout=60)
        assert r.returncode == 1 and b"gromox-dbop -U" in r.stdout, r
    with_upgrade("host:HERE.example.org")
    with s:
        s.wait_log("ready", "upgraded from schema version 0 to 133")


def test_nobody_waits_for_ever():
    s = Server(users=2, config=fresh())
    with open(s.cfg, "a") as f:
        f.write("connection_num = 1\nmysql_rdwr_timeout = 2s\n")
    with s:
        holder = subprocess.Popen(db().argv("gxusers"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        holder.stdin.write(b"LOCK TABLES users WRITE; SELECT 'locked';\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == b"locked\n"
        got = []
        asking = [threading.Thread(target=lambda i=i: got.append(rcpt(s, f"nobody{i}@{DOMAIN}")[0])) for i in range(4)]
        for t in asking:
            t.start()
        for t in asking:
            t.join(PATIENCE)
        assert got == [451] * 4, got
        holder.communicate()
        wait_for("the directory", lambda: rcpt(s, s.users[0])[0] == 250)
        wait_for("a refusal", lambda: rcpt(s, f"nobody@{DOMAIN}")[0] == 550)


def certificate(folder, name, subject, *more):
    cert, key = os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key")
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", subject, *more, "-keyout", key, "-out", cert])
    return cert, key


def test_tls():
    with tempfile.TemporaryDirectory(prefix="gx-mdbtls-") as d:
        cert, key = certificate(d, "server", "/CN=db.example.org", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        other, _ = certificate(d, "other", "/CN=other.example.org")
        mine, mine_key = certificate(d, "client", "/CN=client")
        with MariaDB(f"--ssl-cert={cert}", f"--ssl-key={key}", f"--ssl-ca={mine}") as m:
            m.sql("CREATE DATABASE gxusers; CREATE USER tls@'%' IDENTIFIED BY 'pw' REQUIRE SSL; GRANT ALL ON gxusers.* TO tls@'%';"
                  "CREATE USER cert@'%' IDENTIFIED BY 'pw' REQUIRE X509; GRANT ALL ON gxusers.* TO cert@'%'")
            far = {"mysql_host": "127.0.0.1", "mysql_port": m.port, "mysql_username": "tls", "mysql_password": "pw"}
            with Site(m.config(**far)) as s:
                s.run("gromox-dbop", "-C", code=1)
                assert "Access denied" in s.err, s.err
            with Site(m.config(**far, mysql_tls="yes", mysql_tls_ca=cert)) as s:
                s.run("gromox-dbop", "-C")
                assert s.json("user", "list") == []
            # Not the authority that was named; no authority of the system either; another host than it was made for.
            with Site(m.config(**far, mysql_tls="yes", mysql_tls_ca=other)) as s:
                s.run("gromox-useradm", "user", "list", code=1)
                assert "certificate" in s.err.lower(), s.err
            with Site(m.config(**far, mysql_tls="yes")) as s:
                s.run("gromox-useradm", "user", "list", code=1)
                assert "certificate" in s.err.lower(), s.err
            with Site(m.config(**dict(far, mysql_host="127.0.0.2"), mysql_tls="yes", mysql_tls_ca=cert)) as s:
                s.run("gromox-useradm", "user", "list", code=1)
            far["mysql_username"] = "cert"
            with Site(m.config(**far, mysql_tls="yes", mysql_tls_ca=cert)) as s:
                s.run("gromox-useradm", "user", "list", code=1)
                assert "Access denied" in s.err, s.err
            with Site(m.config(**far, mysql_tls_ca=cert, mysql_tls_cert=mine, mysql_tls_key=mine_key)) as s:
                assert s.json("user", "list") == []


if __name__ == "__main__":
    gxtap.main(globals(), lambda: shared is not None and shared.close())
