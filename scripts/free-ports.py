#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Loopback ports for ./run.

usage: free-ports.py PORT...            print for each the port itself or the next free one
       free-ports.py --answers PORT...  exit 0 when all accept connections
"""
import socket
import sys


def free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def main(argv):
    if argv and argv[0] == "--answers":
        return 0 if all(answers(int(p)) for p in argv[1:]) else 1
    taken = []
    for port in map(int, argv):
        while port in taken or not free(port):
            port += 1
        taken.append(port)
    print(*taken)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
