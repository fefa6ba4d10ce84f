#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench_arrivals against a gromoxd of its own. usage: arrivals.py [COUNT]"""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests"))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "service"))
import gxtap  # noqa: E402
from gxservice import PASSWORD, Server  # noqa: E402
import mapiwire  # noqa: E402

with Server(users=1, http=True) as s:
    code = subprocess.run(
        [gxtap.program("bench", "bench_arrivals"), f"https://localhost:{s.https_port}/mapi/emsmdb/?MailboxId=x", s.users[0],
         mapiwire.essdn(1, "user1"), s.cert, str(s.lmtp_port), (sys.argv + ["10000"])[1]],
        env=dict(os.environ, GX_PASSWORD=PASSWORD), check=False).returncode
sys.exit(code)
