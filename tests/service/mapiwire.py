# SPDX-License-Identifier: Apache-2.0
"""The client's side of MAPI over HTTP, [MS-OXCMAPIHTTP], as far as tests of the server need it."""
import base64
import http.client
import struct

PASSWORD = "s3cret-pass"


def essdn(number, localpart, org="Gromox default", domain=1):
    """DN of a user; a number 0 is none's."""
    return (f"/o={org}/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn="
            f"{struct.pack('<I', domain).hex()}{struct.pack('<I', number).hex()}-{localpart}")


class Answer:
    """One answer: HTTP status and headers, X-ResponseCode, the lines before the body, the body."""

    def __init__(self, r, data):
        self.status, self.headers, self.raw = r.status, r.headers, data
        code = r.headers.get("X-ResponseCode")
        self.code = None if code is None else int(code)
        self.lines, self.body = [], b""
        if self.code == 0:
            head, _, self.body = data.partition(b"\r\n\r\n")
            self.lines = head.split(b"\r\n")
            assert self.lines[0] == b"PROCESSING" and b"DONE" in self.lines, self.lines
            for line in self.lines:  # of an answer that had begun before it was known
                if line.startswith(b"X-ResponseCode:"):
                    self.code = int(line.split()[1])

    def numbers(self, count):
        return struct.unpack_from(f"<{count}I", self.body)


class Client:
    """One user's session context over one connection that is made again when it is lost."""

    def __init__(self, port, user, dn, password=PASSWORD, host="127.0.0.1", context=None, timeout=60):
        self.address, self.context, self.timeout = (host, port), context, timeout
        self.dn, self.cookies, self.serial = dn, {}, 0
        self.auth = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.connection = None

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def send(self, kind, body=b"", headers=None, method="POST", path="/mapi/emsmdb/?MailboxId=x"):
        """The request alone; receive() waits for the answer."""
        if self.connection is None:
            make = http.client.HTTPConnection if self.context is None else http.client.HTTPSConnection
            self.connection = make(*self.address, timeout=self.timeout, **({} if self.context is None else {"context": self.context}))
        self.serial += 1
        h = {"Authorization": self.auth, "Content-Type": "application/mapi-http", "X-RequestType": kind,
             "X-RequestId": "{E2EA6C1C-E61B-49E9-9CFB-38184F907552}:%d" % self.serial, "X-ClientApplication": "Outlook/16.0.4266.1001",
             "X-ClientInfo": "{2F94A2BF-A2E6-4CCC-BF98-B5F22C542226}:1"}
        if self.cookies:
            h["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        h.update(headers or {})
        self.connection.request(method, path, body, {k: v for k, v in h.items() if v is not None})

    def receive(self):
        r = self.connection.getresponse()
        data = r.read()
        for c in r.headers.get_all("Set-Cookie") or []:
            k, _, v = c.split(";")[0].partition("=")
            self.cookies[k] = v
        return Answer(r, data)

    def ask(self, kind, body=b"", **more):
        self.send(kind, body, **more)
        return self.receive()

    def connect(self):
        a = self.ask("Connect", self.dn.encode() + b"\0" + struct.pack("<5I", 0, 1252, 1033, 1033, 0))
        if a.code == 0:
            a.error = a.numbers(2)[1] if a.numbers(1)[0] == 0 else a.numbers(1)[0]
        return a

    def execute(self, rops, handles=(0xffffffff,)):
        """@return (answer, response ROPs, handles)"""
        buf = struct.pack("<H", len(rops) + 2) + rops + b"".join(struct.pack("<I", h) for h in handles)
        ext = struct.pack("<4H", 0, 4, len(buf), len(buf)) + buf
        a = self.ask("Execute", struct.pack("<2I", 3, len(ext)) + ext + struct.pack("<2I", 32768, 0))
        if a.code != 0 or a.numbers(2) != (0, 0):
            return a, b"", []
        size = a.numbers(4)[3]
        out = a.body[16:16 + size]
        payload = out[8:8 + struct.unpack_from("<H", out, 4)[0]]
        n = struct.unpack_from("<H", payload)[0]
        return a, payload[2:n], list(struct.unpack(f"<{(len(payload) - n) // 4}I", payload[n:]))

    def logon(self):
        """RopLogon; @return (return value, handles)"""
        dn = self.dn.encode() + b"\0"
        _, rops, handles = self.execute(struct.pack("<4B2IH", 0xfe, 0, 0, 1, 0, 0, len(dn)) + dn)
        assert rops[0] == 0xfe, rops
        return struct.unpack_from("<I", rops, 2)[0], handles
