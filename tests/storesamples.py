# SPDX-License-Identifier: Apache-2.0
"""The stores of tests/storesample, and a tool that is run on them."""
import os
import shutil
import sqlite3
import subprocess
import tempfile

import gxtap


def program(name):
    return gxtap.program(name)


def help_and_version(tool):
    """--help, -? and --version answer on stdout and are no error."""
    for opt in ("--help", "-?"):
        r = subprocess.run([program(tool), opt], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert r.returncode == 0 and r.stdout.startswith(f"usage: {tool}") and r.stderr == "", r
    r = subprocess.run([program(tool), "--version"], stdout=subprocess.PIPE, text=True)
    assert r.returncode == 0 and r.stdout.startswith(f"{tool} (gx) "), r


class Samples:
    """A private and a public store; nothing of the machine's own configuration is read."""

    def __init__(self, tool):
        self.tool = tool

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix=f"gx-{self.tool}-")
        self.cfg = os.path.join(self.dir, "gromox.cfg")
        with open(self.cfg, "w") as f:
            f.write(f"directory_path = {self.dir}/directory.sqlite3\ndata_path = {self.dir}\n")
        subprocess.run([program("tests/storesample"), self.dir], check=True)
        self.private, self.public = os.path.join(self.dir, "private"), os.path.join(self.dir, "public")
        return self

    def __exit__(self, *a):
        shutil.rmtree(self.dir)

    def run(self, *args, code=0):
        r = subprocess.run([program(self.tool), "-c", self.cfg, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True, timeout=120)
        assert r.returncode == code, (args, r)
        assert "\r" not in r.stdout + r.stderr, "progress in a pipe"
        self.err = r.stderr
        return r.stdout

    def sql(self, *statements):
        """In the private store; the rows of the last statement."""
        db = sqlite3.connect(os.path.join(self.private, "exmdb", "gx.sqlite3"))
        with db:
            rows = [db.execute(s).fetchall() for s in statements]
        db.close()
        return rows[-1]

    def content_files(self):
        return [os.path.join(d, f) for d, _, files in os.walk(os.path.join(self.private, "cid")) for f in files]
