#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Units of systemd, its user and its directories: they name what is built, and systemd takes them."""
import configparser
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gxtap  # noqa: E402

TOP = gxtap.top_builddir()
DIR = os.path.join(TOP, "data", "systemd")


class Once(dict):
    """Keys may stand in a unit more than once."""

    def __setitem__(self, key, value):
        if isinstance(value, list) and key in self and isinstance(self[key], list):
            self[key].extend(value)
        else:
            super().__setitem__(key, value)


def units(kind=""):
    return sorted(f for f in os.listdir(DIR) if f.endswith(kind or (".service", ".timer")))


def unit(name):
    p = configparser.ConfigParser(strict=False, interpolation=None, dict_type=Once, delimiters=("=",), comment_prefixes=("#",))
    p.optionxform = str
    with open(os.path.join(DIR, name)) as f:
        p.read_file(f)
    return p


def makefile(name):
    """A variable of the Makefile, with those in it."""
    with open(os.path.join(TOP, "Makefile")) as f:
        vars_ = dict(re.findall(r"^(\w+) = (.*)$", f.read(), re.M))
    value = vars_[name]
    while "$" in value:
        value = re.sub(r"\$[{(](\w+)[)}]", lambda m: vars_[m[1]], value)
    return value


def built(path):
    """Where the program that will be installed there lies in the build tree."""
    assert os.path.dirname(path) in (makefile("sbindir"), makefile("gxlibexecdir")), path
    for d in (TOP, os.path.join(TOP, "daemons")):
        if os.access(os.path.join(d, os.path.basename(path)), os.X_OK):
            return os.path.join(d, os.path.basename(path))
    raise AssertionError(f"{path} is not built")


def test_every_program_is_built_and_runs():
    assert len(units(".service")) == 8 and len(units(".timer")) == 2, units()
    for name in units(".service"):
        for line in unit(name)["Service"]["ExecStart"].splitlines():
            program = built(line.split()[0])
            r = subprocess.run([program, "--version"], stdout=subprocess.PIPE)
            assert r.returncode == 0, (name, r)


def test_timers_have_a_service():
    for name in units(".timer"):
        assert name.replace(".timer", ".service") in units(), name
        assert unit(name)["Install"]["WantedBy"] == "timers.target" and "OnCalendar" in unit(name)["Timer"]
    for name in units(".service"):
        has_timer = name.replace(".service", ".timer") in units()
        assert unit(name).has_section("Install") != has_timer, name
        assert unit(name)["Service"]["Type"] == ("oneshot" if has_timer else "notify"), name


def test_nothing_is_left_to_fill_in():
    for name in os.listdir(DIR):
        with open(os.path.join(DIR, name)) as f:
            text = f.read()
        assert not re.search(r"@\w+@", text) and "${" not in text, name
        for other in re.findall(r"gromox[\w-]*\.(?:service|timer)", text):
            assert other in units() or "gromox-cleaner.service(8)" in text, (name, other)


def test_systemd_takes_them():
    if shutil.which("systemd-analyze") is None:
        raise gxtap.Skip("systemd-analyze is not installed")
    with tempfile.TemporaryDirectory(prefix="gx-units-") as d:
        for name in units():
            with open(os.path.join(DIR, name)) as f:
                text = f.read()
            text = re.sub(r"(?m)^ExecStart=(\S+)", lambda m: "ExecStart=" + built(m[1]), text)
            # Pages and accounts are those of the machine.
            text = re.sub(r"(?m)^(Documentation|User|Group)=.*\n", "", text)
            with open(os.path.join(d, name), "w") as f:
                f.write(text)
        r = subprocess.run(["systemd-analyze", "verify", "--recursive-errors=no", *(os.path.join(d, n) for n in units())],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        ours = [line for line in r.stdout.splitlines() if "gromox" in line]
        assert not ours, ours


def test_user_and_directories():
    if shutil.which("systemd-sysusers") is None or shutil.which("systemd-tmpfiles") is None:
        raise gxtap.Skip("systemd-sysusers and systemd-tmpfiles are not installed")
    with tempfile.TemporaryDirectory(prefix="gx-root-") as root:
        os.mkdir(os.path.join(root, "etc"))
        r = subprocess.run(["systemd-sysusers", f"--root={root}", os.path.join(DIR, "gromox.sysusers")], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
        if r.returncode != 0 and os.geteuid() != 0:
            raise gxtap.Skip("needs root")
        assert r.returncode == 0, r
        with open(os.path.join(root, "etc", "passwd")) as f:
            user = [line.split(":") for line in f if line.startswith("gromox:")][0]
        state = makefile("gxstatedir")
        assert user[5] == state, user
        r = subprocess.run(["systemd-tmpfiles", f"--root={root}", "--create", os.path.join(DIR, "gromox.tmpfiles")],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert r.returncode == 0, r
        for sub, mode in (("", 0o750), ("/user", 0o750), ("/domain", 0o750), ("/queue", 0o750)):
            st = os.stat(root + state + sub)
            assert st.st_mode & 0o7777 == mode and st.st_uid == int(user[2]), (sub, st)


def test_what_the_cleaner_runs():
    program = built(unit("gromox-cleaner.service")["Service"]["ExecStart"])
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as f:
        for line, span in (("", "2592000s"), ("softpurge_purgetime = 1week\n", "604800s")):
            f.truncate(0)
            f.seek(0)
            f.write(line)
            f.flush()
            r = subprocess.run([program, "-n", "-c", f.name], stdout=subprocess.PIPE, text=True)
            assert r.returncode == 0 and r.stdout.split() == [
                makefile("sbindir") + "/gromox-mbop", "--config", f.name, "-c", "foreach.store.here", "(", "purge-softdelete", "-r",
                "-t", span, "/", ")", "(", "purge-datafiles", ")"], r
        f.truncate(0)
        f.seek(0)
        f.write("softpurge_purgetime = soon\n")
        f.flush()
        assert subprocess.run([program, "-n", "-c", f.name], stderr=subprocess.PIPE).returncode == 1
    for args in (["--nonsense"], ["more"]):
        assert subprocess.run([program, *args], stderr=subprocess.PIPE).returncode == 2


if __name__ == "__main__":
    gxtap.main(globals())
