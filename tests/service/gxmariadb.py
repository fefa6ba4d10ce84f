# SPDX-License-Identifier: Apache-2.0
"""A MariaDB server of its own in a private directory, on a Unix socket and a loopback port."""
import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import gxtap  # noqa: E402
from gxservice import free_port, run  # noqa: E402

PATH = os.environ.get("PATH", "/usr/bin") + ":/usr/sbin:/usr/libexec"


def find(name):
    path = shutil.which(name, path=PATH)
    if path is None:
        raise gxtap.Skip(f"{name} is not installed")
    return path


def base_dir():
    """Where there is no disk to wait for, if there is room."""
    try:
        s = os.statvfs("/dev/shm")
        return "/dev/shm" if s.f_bavail * s.f_frsize >= 256 << 20 and os.access("/dev/shm", os.W_OK) else None
    except OSError:
        return None


class MariaDB:
    """with MariaDB() as db: db.config(), db.sql(...), db.kill(), db.start()"""

    def __init__(self, *options):
        self.mariadbd, self.client = find("mariadbd"), find("mariadb")
        module = os.path.join(gxtap.top_builddir(), ".libs", "gxdir_mariadb.so")
        if not os.environ.get("GX_PREFIX") and not os.path.exists(module):
            raise gxtap.Skip("the module was not built: no libmariadb")
        self.dir = tempfile.mkdtemp(prefix="gx-mdb-", dir=base_dir())
        self.socket, self.port = os.path.join(self.dir, "s"), free_port()
        self.options, self.proc = list(options), None
        self.who = [f"--user={pwd.getpwuid(os.geteuid()).pw_name}"] if os.geteuid() == 0 else []
        run([find("mariadb-install-db"), "--no-defaults", f"--datadir={self.dir}/data", "--skip-test-db", "--skip-name-resolve",
             "--auth-root-authentication-method=normal", *self.who], env=dict(os.environ, PATH=PATH))
        atexit.register(self.close)

    def start(self, wait=120):
        with open(os.path.join(self.dir, "log"), "ab") as log:
            self.proc = subprocess.Popen(
                [self.mariadbd, "--no-defaults", f"--datadir={self.dir}/data", f"--socket={self.socket}",
                 f"--pid-file={self.dir}/pid", "--bind-address=127.0.0.1", f"--port={self.port}", "--skip-name-resolve",
                 "--skip-log-bin", "--performance-schema=OFF", "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M",
                 "--innodb-flush-log-at-trx-commit=2", "--loose-innodb-file-per-table=OFF", *self.options, *self.who],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + wait
        while True:
            try:
                with socket.socket(socket.AF_UNIX) as s:
                    s.connect(self.socket)
                return self
            except OSError:
                if self.proc.poll() is not None or time.monotonic() > end:
                    with open(os.path.join(self.dir, "log"), errors="replace") as f:
                        raise AssertionError(f"mariadbd does not start:\n{f.read()[-4000:]}") from None
                time.sleep(0.02)

    def kill(self):
        if self.proc is not None:
            self.proc.send_signal(signal.SIGKILL)
            self.proc.wait()
            self.proc = None

    def close(self):
        self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *rest):
        self.close()

    def argv(self, database=None):
        return [self.client, "--no-defaults", "-N", "-B", "-n", "-S", self.socket, "-u", "root", *([database] if database else [])]

    def sql(self, text, database=None):
        r = run([*self.argv(database), "-e", text])
        return r.stdout.decode()

    def config(self, **more):
        """Directives that lead there, for a gromox.cfg."""
        d = {"mysql_host": self.socket, "mysql_username": "root", "mysql_dbname": "gxusers"}
        if not os.environ.get("GX_PREFIX"):
            d["module_path"] = os.path.join(gxtap.top_builddir(), ".libs")
        d.update(more)
        return "".join(f"{k} = {v}\n" for k, v in d.items() if v is not None)
