#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gromox-dbop, gromox-useradm, gromox-mkprivate, gromox-mkpublic as an administrator uses them."""
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gxtap  # noqa: E402

PASSWORD = "k\u00e4se und brot"
TOOLS = ("gromox-dbop", "gromox-useradm", "gromox-mkprivate", "gromox-mkpublic", "gromox-mkmidb")
OTHERS = ("gromox-mbop",)  # -c is something else there


def program(name):
    return gxtap.program(name)


class Site:
    def __init__(self, create=True):
        self.dir = tempfile.mkdtemp(prefix="gx-tools-")
        os.chmod(self.dir, 0o755)
        self.cfg = os.path.join(self.dir, "gromox.cfg")
        self.db = os.path.join(self.dir, "directory.sqlite3")
        with open(self.cfg, "w") as f:
            f.write(f"directory_path = {self.db}\ndata_path = {self.dir}/data\n")
        if create:
            self.run("gromox-dbop", "-C")
            self.run("gromox-useradm", "domain", "add", "Example.org")

    def __enter__(self):
        return self

    def __exit__(self, *a):
        shutil.rmtree(self.dir)

    def run(self, tool, *args, code=0, stdin=None, password=PASSWORD):
        env = {k: v for k, v in os.environ.items() if k != "GX_PASSWORD"}
        if password is not None:
            env["GX_PASSWORD"] = password
        r = subprocess.run([program(tool), "-c", self.cfg, *args], input=stdin, env=env, timeout=60,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert r.returncode == code, (tool, args, r)
        self.err = r.stderr
        return r.stdout

    def json(self, *args):
        return json.loads(self.run("gromox-useradm", "--json", *args))

    def hash(self, user):
        with sqlite3.connect(self.db) as db:
            return db.execute("SELECT password FROM users WHERE username=?", (user,)).fetchone()[0]


def test_help_version_and_wrong_arguments():
    for t in TOOLS + OTHERS:
        for opt in ("--help", "-?"):
            r = subprocess.run([program(t), opt], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            assert r.returncode == 0 and r.stdout.startswith("usage: " + t) and r.stderr == "", (t, r)
        r = subprocess.run([program(t), "--version"], stdout=subprocess.PIPE, text=True)
        assert r.returncode == 0 and r.stdout.startswith(t + " (gx) "), (t, r)
        for bad in ([], ["--nonsense"], ["-X"], ["a", "b", "c", "d"]):
            r = subprocess.run([program(t), *bad], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            assert r.returncode == 2 and "usage: " + t in r.stderr and r.stdout == "", (t, bad, r)


def test_missing_config_is_named():
    for t, args in zip(TOOLS, (["-C"], ["user", "list"], ["a@b"], ["b"], ["-f", "a@b"])):
        r = subprocess.run([program(t), "-c", "/nonexistent/x.cfg", *args], stderr=subprocess.PIPE, text=True)
        assert r.returncode == 1 and "/nonexistent/x.cfg" in r.stderr and "-c" in r.stderr, r
    for t, args in zip(OTHERS, (["-u", "a@b", "ping"],)):
        r = subprocess.run([program(t), "--config", "/nonexistent/x.cfg", *args], stderr=subprocess.PIPE, text=True)
        assert r.returncode == 1 and "/nonexistent/x.cfg" in r.stderr and "--config" in r.stderr, r


def test_output_that_cannot_be_written():
    """A report that is cut off, here by a full disk, is no success."""
    with Site() as s:
        s.run("gromox-useradm", "user", "add", "ann@example.org")
        for tool, args, code in (
                ("gromox-dbop", ["-U"], 1), ("gromox-useradm", ["--json", "user", "list"], 1), ("gromox-useradm", ["--help"], 1),
                ("gromox-mkprivate", ["--integrity", "ann@example.org"], 1), ("gromox-mkmidb", ["--integrity", "ann@example.org"], 1),
                ("gromox-mbck", ["-v", "-u", "ann@example.org"], 4), ("gromox-mbsize", ["--all"], 1),
                ("gromox-compress", ["-n", "--all"], 1), ("gromox-abktpull", ["--help"], 1), ("gromox-abktconv", ["--help"], 1),
                ("gromox-snapshot", ["--help"], 1), ("gromox-cleaner", ["-n"], 1), ("gromox-storeconv", ["--help"], 1),
                ("gromox-mapi", ["--help"], 1), ("gromox-dscli", ["--help"], 1)):
            conf = [] if args == ["--help"] else ["-c", s.cfg]
            with open("/dev/full", "w") as full:
                r = subprocess.run([program(tool), *conf, *args], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
            assert r.returncode == code and f"{tool}: the output could not be written" in r.stderr, (tool, r)
        with open("/dev/full", "w") as full:
            r = subprocess.run([program("gromox-mbop"), "--config", s.cfg, "-u", "ann@example.org", "echo-username"],
                               stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        assert r.returncode == 1 and "the output could not be written" in r.stderr, r


def test_several_mailboxes_in_one_call():
    with Site() as s:
        for user in ("ann@example.org", "bob@example.org"):
            s.run("gromox-useradm", "user", "add", user)
        for tool, args in (("gromox-mbck", ["--json"]), ("gromox-mbsize", ["--json"]), ("gromox-compress", ["-n", "--json"])):
            path = f"{s.dir}/data/user/example.org/ann"
            out = json.loads(s.run(tool, *args, "-u", "ann@example.org", "-u", "bob@example.org", path))
            names = [x["name"] for x in (out["stores"] if tool == "gromox-mbck" else out)]
            assert names == [path, "ann@example.org", "bob@example.org"], (tool, names)
            s.run(tool, *args, "-u", "ann@example.org", "-u", "nobody@example.org", code=4 if tool == "gromox-mbck" else 1)
            assert "nobody@example.org: no such user" in s.err, s.err
            s.run(tool, *args, "", code=4 if tool == "gromox-mbck" else 1)
            assert "the name of a store is empty" in s.err, s.err


def test_names_that_are_no_text():
    """Directories may have any bytes for names; JSON is text all the same."""
    with Site() as s:
        s.run("gromox-useradm", "user", "add", "ann@example.org")
        path = os.fsencode(s.dir) + b"/caf\xe9 \x07\xc3\xbc"
        shutil.copytree(os.fsencode(f"{s.dir}/data/user/example.org/ann"), path)
        for tool, args in (("gromox-mbck", []), ("gromox-mbsize", []), ("gromox-compress", ["-n"])):
            for lang in ("C", "C.UTF-8"):
                r = subprocess.run([program(tool), *args, "--json", path], stdout=subprocess.PIPE, env={**os.environ, "LC_ALL": lang},
                                   timeout=60)
                out = json.loads(r.stdout.decode("utf-8"))
                name = (out["stores"] if tool == "gromox-mbck" else out)[0]["name"]
                assert r.returncode == 0 and name == f"{s.dir}/caf\ufffd \x07ü", (tool, r)


def test_full_disks():
    """What is wrong is said with the remedy; looking at a store needs no room."""
    with Site() as s:
        s.run("gromox-useradm", "user", "add", "ann@example.org")
        small = s.dir + "/small"
        os.mkdir(small)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", small], stderr=subprocess.DEVNULL).returncode != 0:
            raise gxtap.Skip("nothing can be mounted here")
        try:
            shutil.copytree(f"{s.dir}/data/user/example.org/ann", small + "/ann")
            with open(small + "/fill", "wb", buffering=0) as f:
                try:
                    while f.write(bytes(4096)) > 0:
                        pass
                except OSError:
                    pass
            assert s.run("gromox-mbck", small + "/ann") == ""
            assert "PidTagMessageSize" in s.run("gromox-mbsize", small + "/ann")
            s.run("gromox-mbck", "-p", small + "/ann", code=4)
            assert "free some space" in s.err, s.err
            with open(s.cfg, "a") as f:
                f.write(f"directory_path = {small}/directory.sqlite3\n")
            s.run("gromox-dbop", "-C", code=1)
            assert f"{small}/directory.sqlite3" in s.err and "free some space" in s.err, s.err
            os.unlink(small + "/fill")
            assert "made" in s.run("gromox-dbop", "-C")
        finally:
            subprocess.run(["umount", "-l", small], check=True)


def test_directory_made_once_and_upgraded():
    with Site(create=False) as s:
        s.run("gromox-useradm", "user", "list", code=1)
        assert s.db in s.err and "gromox-dbop -C" in s.err, s.err
        s.run("gromox-dbop", "-U", code=1)
        assert "gromox-dbop -C" in s.err
        s.run("gromox-dbop", "-C", "-U", code=2)
        s.run("gromox-dbop", "--create-old")
        s.run("gromox-useradm", "user", "list", code=1)
        assert "gromox-dbop -U" in s.err, s.err
        assert "from schema version 0 to 133" in s.run("gromox-dbop", "-U")
        assert "newest" in s.run("gromox-dbop", "-U")
        s.run("gromox-dbop", "-C", code=1)
        assert s.db in s.err
        assert stat.S_IMODE(os.stat(s.db).st_mode) & 0o007 == 0
        assert s.json("user", "list") == [] and s.json("domain", "list") == []


def test_users_from_start_to_end():
    with Site() as s:
        s.run("gromox-useradm", "user", "add", "Ann@EXAMPLE.org", "--display-name", 'Ann "A" \u00c4', "--lang", "de")
        u = s.json("user", "show", "ann@example.org")
        assert (u["user"], u["display_name"], u["lang"], u["status"]) == ("Ann@example.org", 'Ann "A" \u00c4', "de", 0), u
        assert u["maildir"] == f"{s.dir}/data/user/example.org/ann" and os.path.isdir(u["maildir"])
        assert s.hash("Ann@example.org").startswith("$6$")
        assert "0 findings" in s.run("gromox-mkprivate", "--integrity", "ann@example.org")
        with sqlite3.connect(f"file:{u['maildir']}/exmdb/gx.sqlite3?mode=ro", uri=True) as db:
            assert db.execute("SELECT name FROM folders WHERE fid=13").fetchone()[0] == "Posteingang"
        s.run("gromox-useradm", "user", "add", "ann@example.org", code=1)
        assert "exists already" in s.err
        s.run("gromox-useradm", "user", "add", "ann@example.net", code=1)
        assert "domain add example.net" in s.err
        s.run("gromox-useradm", "user", "add", "../x@example.org", code=1)
        s.run("gromox-useradm", "user", "add", "bob@example.org", "--no-create", stdin="from stdin\n", password=None)
        assert not os.path.exists(f"{s.dir}/data/user/example.org/bob")
        assert s.hash("bob@example.org").startswith("$6$")
        s.run("gromox-useradm", "user", "add", "carl@example.org", stdin="", password=None, code=1)
        assert "GX_PASSWORD" in s.err
        s.run("gromox-useradm", "user", "add", "box@example.org", "--shared", password=None)
        assert s.hash("box@example.org") == "" and s.json("user", "show", "box@example.org")["status"] == 4
        before = s.hash("bob@example.org")
        s.run("gromox-useradm", "user", "passwd", "bob@example.org")
        assert s.hash("bob@example.org") != before
        s.run("gromox-useradm", "user", "passwd", "nobody@example.org", code=1)
        assert s.run("gromox-useradm", "user", "list", "example.org").split("\n")[0].startswith("Ann@example.org\t")
        s.run("gromox-useradm", "user", "list", "elsewhere", code=1)
        s.run("gromox-useradm", "domain", "delete", "example.org", code=1)
        assert "delete them first" in s.err
        s.run("gromox-useradm", "user", "delete", "ann@example.org")
        assert u["maildir"] in s.err and os.path.isdir(u["maildir"])
        s.run("gromox-useradm", "user", "delete", "ann@example.org", code=1)


def test_options_of_other_commands_are_refused():
    with Site() as s:
        for args in (["user", "list", "--shared"], ["domain", "add", "x.org", "--lang", "de"], ["alias", "list", "--post", "all"],
                     ["user", "add"], ["alias", "add", "a@example.org"], ["domain", "add", "x.org", "--max-users", "many"]):
            s.run("gromox-useradm", *args, code=2)


def test_aliases_groups_and_domains():
    with Site() as s:
        s.run("gromox-useradm", "domain", "add", "small.example", "--max-users", "1", "--homedir", "/somewhere")
        d = s.json("domain", "show", "SMALL.example")
        assert (d["max_users"], d["homedir"]) == (1, "/somewhere")
        for u in ("a@example.org", "b@example.org", "a@small.example"):
            s.run("gromox-useradm", "user", "add", u, "--no-create")
        s.run("gromox-useradm", "user", "add", "b@small.example", "--no-create", code=1)
        assert "max_users" in s.err
        s.run("gromox-useradm", "alias", "add", "info@example.org", "A@example.org")
        s.run("gromox-useradm", "alias", "add", "info@example.org", "b@example.org", code=1)
        assert s.json("alias", "list") == [{"alias": "info@example.org", "user": "a@example.org"}]
        assert s.json("alias", "list", "b@example.org") == []
        assert s.json("alias", "show", "INFO@example.org")["user"] == "a@example.org"
        s.run("gromox-useradm", "alias", "show", "a@example.org", code=1)
        s.run("gromox-useradm", "group", "add", "dev@example.org", "--post", "members", "--display-name", "Dev")
        s.run("gromox-useradm", "group", "add", "x@example.org", "--post", "martians", code=2)
        s.run("gromox-useradm", "group", "add-member", "dev@example.org", "b@example.org")
        s.run("gromox-useradm", "group", "add-member", "dev@example.org", "b@example.org", code=1)
        s.run("gromox-useradm", "group", "add-sender", "dev@example.org", "c@example.org")
        assert s.json("group", "show", "dev@example.org")["members"] == ["b@example.org"]
        s.run("gromox-useradm", "group", "delete-member", "dev@example.org", "b@example.org")
        assert s.json("group", "show", "dev@example.org")["members"] == []
        s.run("gromox-useradm", "group", "delete", "a@example.org", code=1)
        s.run("gromox-useradm", "group", "delete", "dev@example.org")
        s.run("gromox-useradm", "group", "show", "dev@example.org", code=1)
        s.run("gromox-useradm", "alias", "delete", "info@example.org")
        s.run("gromox-useradm", "alias", "delete", "info@example.org", code=1)
        s.run("gromox-useradm", "user", "delete", "a@small.example")
        s.run("gromox-useradm", "domain", "delete", "small.example")
        assert [d["domain"] for d in s.json("domain", "list")] == ["example.org"]


def test_servers_say_where_stores_live():
    with Site() as s:
        with open(s.cfg, "a") as f:
            f.write("host_id = here.example.org\n")
        s.run("gromox-useradm", "server", "add", "here.example.org", "--extname", "mail.example.org")
        s.run("gromox-useradm", "server", "add", "There.example.org")
        s.run("gromox-useradm", "server", "add", "there.example.org", code=1)
        s.run("gromox-useradm", "server", "add", "not a host", code=1)
        assert s.json("server", "list") == [{"server": "here.example.org", "extname": "mail.example.org", "id": 1},
                                            {"server": "there.example.org", "extname": "there.example.org", "id": 2}]
        s.run("gromox-useradm", "domain", "homeserver", "example.org", "there.example.org")
        s.run("gromox-useradm", "user", "add", "ann@example.org")
        assert "make the store on there.example.org" in s.err and not os.path.exists(f"{s.dir}/data/user"), s.err
        for args in (("gromox-mkprivate",), ("gromox-mkmidb", "-U"), ("gromox-storeconv", "/nonexistent")):
            s.run(*args, "ann@example.org", code=1)
            assert "lives on there.example.org" in s.err, (args, s.err)
        s.run("gromox-useradm", "server", "delete", "there.example.org", code=1)
        s.run("gromox-useradm", "user", "homeserver", "ann@example.org", "here.example.org")
        s.run("gromox-mkprivate", "ann@example.org")
        s.run("gromox-useradm", "user", "homeserver", "ann@example.org", "nowhere.example.org", code=1)
        s.run("gromox-useradm", "domain", "homeserver", "example.org", "local")
        s.run("gromox-useradm", "server", "delete", "there.example.org")
        assert s.json("user", "show", "ann@example.org")["homeserver"] == 1


def test_stores_are_made_overwritten_and_checked():
    with Site() as s:
        s.run("gromox-mkprivate", "ann@example.org", code=1)
        assert "gromox-useradm user add" in s.err
        s.run("gromox-mkprivate", "-U", "ann@example.org", code=1)
        s.run("gromox-useradm", "user", "add", "ann@example.org", "--no-create")
        for args in ("-U", "--integrity"):
            s.run("gromox-mkprivate", args, "ann@example.org", code=1)
            assert "gx.sqlite3: there is no store here" in s.err, s.err
        with open(f"{s.dir}/folder_names.txt", "w") as f:
            f.write("# ours\nen\t" + "\t".join(f"Name {i}" for i in range(15)) + "\n")
        assert "made for ann@example.org" in s.run("gromox-mkprivate", "-v", "-T", s.dir, "ann@example.org")
        store = f"{s.dir}/data/user/example.org/ann/exmdb/gx.sqlite3"
        with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as db:
            assert db.execute("SELECT name FROM folders WHERE fid=13").fetchone()[0] == "Name 3"
        s.run("gromox-mkprivate", "ann@example.org", code=1)
        assert store in s.err and "-f" in s.err
        s.run("gromox-mkprivate", "-f", "ann@example.org")
        assert "schema version 1" in s.run("gromox-mkprivate", "--create-old", "-fv", "ann@example.org")
        s.run("gromox-mkprivate", "--integrity", "ann@example.org", code=1)
        assert "older" in s.err and "-U" in s.err, s.err
        out = s.run("gromox-mkprivate", "-U", "-v", "--integrity", "ann@example.org")
        assert "upgraded from schema version 1 to " in out and "0 findings" in out, out
        assert "is the newest" in s.run("gromox-mkprivate", "-Uv", "ann@example.org")
        with open(f"{s.dir}/folder_names.txt", "w") as f:
            f.write("en\tonly\ttwo\n")
        s.run("gromox-mkprivate", "-f", "-T", s.dir, "ann@example.org", code=1)
        assert "folder_names.txt:1" in s.err
        s.run("gromox-mkprivate", "-f", "-T", "/nonexistent", "ann@example.org", code=1)
        assert "/nonexistent" in s.err
        os.unlink(f"{s.dir}/folder_names.txt")
        with open(f"{s.dir}/propnames.txt", "w") as f:
            f.write("# names\nGUID=00062008-0000-0000-c000-000000000046,LID=0x8501\n"
                    "GUID=00020386-0000-0000-c000-000000000046,NAME=content-class\n")
        s.run("gromox-mkprivate", "-f", "-T", s.dir, "ann@example.org")
        with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as db:
            assert db.execute("SELECT id, name FROM named ORDER BY id").fetchall() == [(0x8001, None), (0x8002, "content-class")]
        for bad in ("nonsense", "GUID=1,LID=1", "GUID=00062008-0000-0000-c000-000000000046,LID=x",
                    "GUID=00062008-0000-0000-c000-000000000046,NAME="):
            with open(f"{s.dir}/propnames.txt", "w") as f:
                f.write(f"\n{bad}\n")
            s.run("gromox-mkprivate", "-f", "-T", s.dir, "ann@example.org", code=1)
            assert "propnames.txt:2" in s.err, s.err
        s.run("gromox-mkpublic", "example.org")
        assert "0 findings" in s.run("gromox-mkpublic", "--integrity", "example.org")
        with open(store, "r+b") as f:
            f.truncate(3000)
        s.run("gromox-mkprivate", "--integrity", "ann@example.org", code=1)
        assert store in s.err, s.err


def test_language_of_users_who_have_none():
    with Site() as s:
        def inbox(user):
            with sqlite3.connect(f"file:{s.dir}/data/user/example.org/{user}/exmdb/gx.sqlite3?mode=ro", uri=True) as db:
                return db.execute("SELECT name FROM folders WHERE fid=13").fetchone()[0]

        def configure(text):
            with open(s.cfg, "a") as f:
                f.write(text)

        s.run("gromox-useradm", "user", "add", "ann@example.org")
        assert inbox("ann") == "Inbox"
        configure("default_lang = fr\n")
        s.run("gromox-mkprivate", "-f", "ann@example.org")
        assert inbox("ann") == "Boîte de réception"
        configure("user_default_lang = de\n")
        s.run("gromox-useradm", "user", "add", "bob@example.org")
        assert inbox("bob") == "Posteingang"
        s.run("gromox-useradm", "user", "add", "--lang", "es", "cat@example.org")
        assert inbox("cat") == "Bandeja de entrada"


def test_public_stores_are_made_overwritten_and_checked():
    with Site() as s:
        s.run("gromox-mkpublic", "nowhere.example.org", code=1)
        assert "nowhere.example.org" in s.err
        s.run("gromox-mkpublic", "-U", "example.org", code=1)
        with open(f"{s.dir}/propnames.txt", "w") as f:
            f.write("GUID=00062008-0000-0000-c000-000000000046,LID=0x8501\n")
        assert "made for example.org" in s.run("gromox-mkpublic", "-v", "-T", s.dir, "Example.org")
        store = f"{s.dir}/data/domain/example.org/exmdb/gx.sqlite3"
        with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as db:
            assert db.execute("SELECT COUNT(*) FROM named").fetchone()[0] == 1
        s.run("gromox-mkpublic", "example.org", code=1)
        assert store in s.err and "-f" in s.err
        assert "schema version 1" in s.run("gromox-mkpublic", "--create-old", "-fv", "example.org")
        s.run("gromox-mkpublic", "--integrity", "example.org", code=1)
        assert "older" in s.err and "-U" in s.err, s.err
        # With -U the others that make a store have no effect.
        out = s.run("gromox-mkpublic", "-Ufv", "--integrity", "example.org")
        assert "upgraded from schema version 1 to " in out and "0 findings" in out, out
        assert "is the newest" in s.run("gromox-mkpublic", "-Uv", "example.org")
        s.run("gromox-mkpublic", "-U", "--create-old", "example.org", code=2)
        s.run("gromox-mkpublic", "-f", "-T", "/nonexistent", "example.org", code=1)
        assert "/nonexistent" in s.err
        s.run("gromox-mkpublic", "-f", "example.org")
        # Its IMAP state, by both names that the domain has.
        for args in (["-P", "example.org"], ["-P", "@example.org"], ["@example.org"]):
            assert "0 findings" in s.run("gromox-mkmidb", "--integrity", *args)
            assert "new UIDs" in s.run("gromox-mkmidb", "-fv", *args)
        s.run("gromox-mkmidb", "--integrity", "-P", "nowhere.example.org", code=1)
        for tool, args in (("gromox-mbck", ["-v"]), ("gromox-mbsize", [])):
            for where in (["-u", "@example.org"], [os.path.dirname(os.path.dirname(store))], [store], ["--all"]):
                assert "example.org" in s.run(tool, *args, *where), (tool, where)


def test_imap_state_is_made_anew():
    with Site() as s:
        s.run("gromox-useradm", "user", "add", "ann@example.org")
        s.run("gromox-mkmidb", "ann@example.org", code=1)
        assert "-f" in s.err
        s.run("gromox-mkmidb", "-f", "bob@example.org", code=1)
        assert "bob@example.org" in s.err
        store = f"{s.dir}/data/user/example.org/ann/exmdb/gx.sqlite3"

        def validity():
            with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as db:
                return db.execute("SELECT uidvalidity FROM fstate WHERE fid=13").fetchone()[0]

        before = validity()
        assert "new UIDs" in s.run("gromox-mkmidb", "-fv", "ann@example.org")
        middle = validity()
        assert middle > before
        assert s.run("gromox-mkmidb", "--create-old", "ann@example.org") == "" and validity() > middle
        db = sqlite3.connect(store)
        with db:
            db.execute("UPDATE fstate SET uidvalidity=0 WHERE fid=13")
        db.close()
        assert "folder-uidvalidity" in s.run("gromox-mkmidb", "--integrity", "ann@example.org", code=1)
        assert "repaired" in s.run("gromox-mkmidb", "-Uv", "ann@example.org") and validity() > middle
        assert "0 findings" in s.run("gromox-mkmidb", "--integrity", "ann@example.org")


if __name__ == "__main__":
    gxtap.main(globals())
