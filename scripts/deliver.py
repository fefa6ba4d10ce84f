#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Deliver message files by LMTP: deliver.py --port N --to ADDRESS... FILE..."""
import argparse
import smtplib


def main():
    p = argparse.ArgumentParser(description="Deliver message files by LMTP.")
    p.add_argument("--host", default="127.0.0.1")
    p.add_argument("--port", type=int, required=True)
    p.add_argument("--from", dest="sender", default="welcome@example.net")
    p.add_argument("--to", action="append", required=True)
    p.add_argument("files", nargs="+")
    a = p.parse_args()
    with smtplib.LMTP(a.host, a.port) as c:
        for name in a.files:
            with open(name, "rb") as f:
                data = f.read()
            for to in a.to:  # smtplib reads one answer after the data, LMTP gives one a recipient
                c.sendmail(a.sender, [to], data, ["BODY=8BITMIME"])


if __name__ == "__main__":
    main()
