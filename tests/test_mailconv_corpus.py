#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every sample and generated message to an object and back to mail: the object of that is the same."""
import glob
import os
import subprocess
import sys
import tempfile

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "service")]
import gxtap  # noqa: E402
import mailgen  # noqa: E402

PROGRAM = gxtap.program("tests", "mailconv_corpus")


def convert(paths):
    r = subprocess.run([PROGRAM, *paths], stdout=subprocess.PIPE, text=True, errors="replace", timeout=300)
    assert r.returncode == 0, f"exit {r.returncode}\n{r.stdout}"


def test_samples():
    convert(sorted(glob.glob(os.path.join(gxtap.top_srcdir(), "data", "samples", "*.eml"))))


def test_corpus():
    paths = sorted(glob.glob(gxtap.corpus_dir() + "/**/*.eml", recursive=True))
    if not paths:
        raise gxtap.Skip("no .eml in the corpus folder")
    convert(paths)


def test_generated():
    with tempfile.TemporaryDirectory() as d:
        paths = []
        for i, (_, data) in enumerate(mailgen.generate()):
            paths.append(os.path.join(d, f"{i:04}.eml"))
            with open(paths[-1], "wb") as f:
                f.write(data)
        convert(paths)


if __name__ == "__main__":
    gxtap.main(globals())
