# SPDX-License-Identifier: Apache-2.0
"""What went over connections, as a capture file: a proxy in the test takes down the bytes, so that nobody has to be permitted to capture."""
import socket
import struct
import threading
import time


class Recorder:
    """with Recorder(port) as r: connect to r.port; r.write(path) makes a file of it, in which the server has the port 443 or 80."""

    def __init__(self, port):
        self.target, self.lock, self.pieces, self.threads = port, threading.Lock(), [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.count = 0

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *rest):
        self.listener.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            self.count += 1
            for a, b, out in ((client, server, True), (server, client, False)):
                t = threading.Thread(target=self.pump, args=(a, b, self.count, out), daemon=True)
                self.threads.append(t)
                t.start()

    def pump(self, source, to, number, out):
        while True:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            with self.lock:
                self.pieces.append((time.time(), number, out, data))
            try:
                if not data:
                    to.shutdown(socket.SHUT_WR)
                    return
                to.sendall(data)
            except OSError:
                return

    def write(self, path, server_port):
        for t in self.threads:
            t.join(60)
        seq, begun = {}, set()
        with open(path, "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))

            def packet(when, number, out, flags, data=b""):
                ports = (40000 + number, server_port) if out else (server_port, 40000 + number)
                ends = (b"\x0a\0\0\1", b"\x0a\0\0\2") if out else (b"\x0a\0\0\2", b"\x0a\0\0\1")
                mine, theirs = (number, out), (number, not out)
                tcp = struct.pack(">HHIIBBHHH", *ports, seq.get(mine, 0), seq.get(theirs, 0), 0x50, flags, 65535, 0, 0) + data
                ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0) + b"".join(ends)
                f.write(struct.pack("<IIII", int(when), int(when % 1 * 1e6), len(ip) + len(tcp), len(ip) + len(tcp)) + ip + tcp)
                seq[mine] = seq.get(mine, 0) + len(data) + (1 if flags & 3 else 0)

            for when, number, out, data in self.pieces:
                if number not in begun:
                    begun.add(number)
                    packet(when, number, True, 0x02)
                    packet(when, number, False, 0x12)
                    packet(when, number, True, 0x10)
                for at in range(0, len(data), 1400):
                    packet(when, number, out, 0x18, data[at:at + 1400])
                if not data:
                    packet(when, number, out, 0x11)
