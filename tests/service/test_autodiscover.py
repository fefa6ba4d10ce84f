#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Autodiscover and its kin as curl sees them."""
import json
import os
import re
import subprocess
import xml.etree.ElementTree as ET

from gxservice import PASSWORD, Server, gxtap, have, program, run

NS = "http://schemas.microsoft.com/exchange/autodiscover/"
OUTLOOK, PHONE = NS + "outlook/responseschema/2006a", NS + "mobilesync/responseschema/2006"
PATH = "/autodiscover/autodiscover.xml"
server = None


def the_server():
    global server
    if server is None:
        s = Server(users=3, http=True, config="oxdisco_exonym = mail.example.org\noxdisco_services = eas ews\noxdisco_response_logging = yes\n"
                   "oxdisco_mail_servers = imaps submission://smtp.example.org\n")
        s.tool("gromox-useradm", "-c", s.cfg, "user", "add-store", s.users[0], s.users[1])
        server = s.start()
    return server


def stop_server():
    if server is not None:
        server.__exit__(None)


def curl(s, path, *args, tls=True):
    """@return (status, head, body)"""
    have("curl")
    base = f"https://localhost:{s.https_port}" if tls else f"http://127.0.0.1:{s.http_port}"
    r = run(["curl", "-sS", "-i", "--max-time", "60", "--cacert", s.cert, base + path, *args], stderr=subprocess.PIPE)
    head, _, body = r.stdout.partition(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 100"):
        head, _, body = body.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode(), body


def question(address=None, dn=None, schema=OUTLOOK):
    inner = "".join(f"<{k}>{v}</{k}>" for k, v in (("EMailAddress", address), ("LegacyDN", dn), ("AcceptableResponseSchema", schema)) if v)
    return f'<?xml version="1.0"?><Autodiscover xmlns="{NS}outlook/requestschema/2006"><Request>{inner}</Request></Autodiscover>'


def ask(s, text, user=0, password=PASSWORD, *args):
    data = os.path.join(s.dir, "question")
    with open(data, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return curl(s, PATH, "-u", f"{s.users[user]}:{password}", "-H", "Content-Type: text/xml", "--data-binary", f"@{data}", *args)


def tree(answer, schema=OUTLOOK):
    """The Response of an answer."""
    status, head, body = answer
    assert status == 200 and "Content-Type: text/xml" in head, (status, head, body)
    root = ET.fromstring(body)
    assert root.tag == f"{{{NS}responseschema/2006}}Autodiscover", root.tag
    assert len(root) == 1
    return root[0]


def error(answer):
    response = tree(answer)
    e = response[0]
    assert e.tag.endswith("}Error") and re.fullmatch(r"\d\d:\d\d:\d\d", e.get("Time")) and e.get("Id").isdigit(), e.attrib
    return int(e[0].text)


def one(element, path, schema=OUTLOOK):
    found = element.find("/".join(f"{{{schema}}}{p}" for p in path.split("/")))
    return None if found is None else found.text


def test_own_mailbox():
    s = the_server()
    r = tree(ask(s, question(s.users[0])))
    assert r.tag == f"{{{OUTLOOK}}}Response", r.tag
    assert one(r, "User/AutoDiscoverSMTPAddress") == s.users[0] and one(r, "User/DisplayName") == s.users[0]
    assert one(r, "Account/AccountType") == "email" and one(r, "Account/Action") == "settings"
    protocols = r.findall(f"{{{OUTLOOK}}}Account/{{{OUTLOOK}}}Protocol")
    mh = [p for p in protocols if p.get("Type") == "mapiHttp"]
    assert len(mh) == 1 and mh[0].get("Version") == "1"
    url = one(mh[0], "MailStore/ExternalUrl")
    assert re.fullmatch(r"https://mail\.example\.org/mapi/emsmdb/\?MailboxId=[0-9a-f-]{36}@example\.org", url), url
    assert one(mh[0], "AddressBook/InternalUrl") == url.replace("emsmdb", "nspi")
    types = [one(p, "Type") for p in protocols if p.get("Type") is None]
    assert types == ["EXCH", "EXPR", "IMAP", "SMTP"], types
    assert one(protocols[1], "EwsUrl") == "https://mail.example.org/EWS/Exchange.asmx"
    # Outlook that would try RPC over HTTP, which nothing answers, is told of neither
    status, _, body = ask(s, question(s.users[0]), 0, PASSWORD, "-A", "Microsoft Office/14.0 (Windows NT 6.1; Microsoft Outlook 14.0.7113; Pro)")
    assert status == 200 and b"<Type>EX" not in body and b"<Type>IMAP</Type>" in body, body
    # by alias of the path, and by the name that profiles keep
    dn = one(r, "User/LegacyDN")
    assert one(tree(ask(s, question(dn=dn))), "User/AutoDiscoverSMTPAddress") == s.users[0]
    assert curl(s, "/Autodiscover/Autodiscover.xml", "-u", f"{s.users[0]}:{PASSWORD}", "-d", question(s.users[0]))[0] == 200
    s.wait_log("autodiscover: response of user1@example.org: <?xml")


def test_logins():
    s = the_server()
    assert curl(s, PATH, "-d", question(s.users[0]))[0] == 401
    assert ask(s, question(s.users[0]), password="wrong")[0] == 401


def test_mailboxes_of_others():
    s = the_server()
    assert error(ask(s, question(s.users[1]))) == 500
    assert error(ask(s, question("nobody@example.org"))) == 500
    assert error(ask(s, question(dn="/o=x/cn=nobody"))) == 500
    # a hint gives no rights
    assert b"AlternativeMailbox" not in ask(s, question(s.users[0]))[2]


def test_phones():
    s = the_server()
    r = tree(ask(s, question(s.users[0], schema=PHONE)))
    assert r.tag == f"{{{PHONE}}}Response" and one(r, "User/EMailAddress", PHONE) == s.users[0]
    assert one(r, "Action/Settings/Server/Type", PHONE) == "MobileSync"
    assert one(r, "Action/Settings/Server/Url", PHONE) == "https://mail.example.org/Microsoft-Server-ActiveSync"


def test_what_is_no_request():
    s = the_server()
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(10)) + "]>"
    for text, code in (("", 600), ("<", 600), (question(), 600), (question(s.users[0])[:-5], 600), (question(s.users[0], schema=""), 600),
                       (bomb + question("&k;")[21:], 600), (question(s.users[0], schema=NS + "other"), 601), (b"\xff\xfe<\0", 600)):
        assert error(ask(s, text)) == code, text
    status, _, _ = ask(s, question(s.users[0]).replace("<Request>", "<Request>" + " " * 100000))
    assert status == 413, status
    assert ask(s, question(s.users[0]))[0] == 200


def test_json():
    s = the_server()

    def ask_json(query, path="/autodiscover/autodiscover.json"):
        status, head, body = curl(s, path + query)
        assert "Content-Type: application/json" in head, head
        return status, json.loads(body)
    assert ask_json(f"?Email={s.users[0]}&Protocol=ActiveSync") == (
        200, {"Protocol": "ActiveSync", "Url": "https://mail.example.org/Microsoft-Server-ActiveSync"})
    assert ask_json("/v1.0/nobody@example.org?Protocol=autodiscoverv1")[1]["Url"] == "https://mail.example.org/Autodiscover/Autodiscover.xml"
    assert ask_json("?Protocol=EWS", "/Autodiscover/autodiscover.json")[1]["Protocol"] == "Ews"
    status, body = ask_json("?Protocol=x%22%3C")
    assert status == 400 and body["ErrorCode"] == "InvalidProtocol" and "ActiveSync" in body["ErrorMessage"], body
    status, body = ask_json("?Email=x")
    assert status == 400 and body["ErrorCode"] == "MandatoryParameterMissing", body


def test_autoconfig():
    s = the_server()
    for path, host in (("/mail/config-v1.1.xml?emailaddress=any%40example.org", "x"), ("/mail/config-v1.1.xml", "autoconfig.example.org:80"),
                       ("/.well-known/autoconfig/mail/config-v1.1.xml", "example.org")):
        status, head, body = curl(s, path, "-H", f"Host: {host}", tls=False)
        assert status == 200 and "Content-Type: text/xml" in head, (path, head)
        root = ET.fromstring(body)
        assert root.tag == "clientConfig" and root.get("version") == "1.1"
        p = root.find("emailProvider")
        assert p.findtext("domain") == "example.org"
        inside = p.find("incomingServer")
        assert inside.get("type") == "imap" and inside.findtext("hostname") == "mail.example.org" and inside.findtext("port") == "993"
        assert inside.findtext("socketType") == "SSL" and inside.findtext("username") == "%EMAILADDRESS%"
        assert p.findtext("outgoingServer/hostname") == "smtp.example.org" and p.findtext("outgoingServer/socketType") == "STARTTLS"
    assert curl(s, "/mail/config-v1.1.xml?emailaddress=a%40elsewhere.example", tls=False)[0] == 404


def test_redirections():
    s = the_server()
    status, head, _ = curl(s, PATH, tls=False)
    assert status == 302 and "Location: https://mail.example.org/autodiscover/autodiscover.xml\r\n" in head + "\r\n", head
    assert error(curl(s, PATH)) == 600
    for name in ("caldav", "carddav"):
        status, head, _ = curl(s, f"/.well-known/{name}", tls=False)
        assert status == 301 and re.search(r"^Location: /dav/\r?$", head, re.M), head
    assert curl(s, "/.well-known/caldav", "-X", "PROPFIND")[0] == 301


def dscli(s, *args, password=PASSWORD, code=0, where=True):
    if where:
        args += ("-H", f"https://localhost:{s.https_port}/Autodiscover/Autodiscover.xml")
    r = subprocess.run([program("gromox-dscli"), "--cacert", s.cert, *args], env=dict(os.environ, PASS=password), stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    assert r.returncode == code, (args, r)
    return r


def test_the_tool():
    s = the_server()
    found = json.loads(dscli(s, "-e", s.users[0], "--json").stdout)
    assert found["address"] == s.users[0] and found["mailbox_url"].startswith("https://mail.example.org/mapi/emsmdb/?MailboxId="), found
    assert found["imap"] == "mail.example.org:993" and found["smtp"] == "smtp.example.org:587" and "FYDIBOHF23SPDLT" in found["legacy_dn"]
    r = dscli(s, "-x", found["legacy_dn"], "-u", s.users[0], "-h", f"localhost:{s.https_port}", where=False)
    assert re.search(rf"^address:? +{re.escape(s.users[0])}$", r.stdout, re.M), r.stdout
    r = dscli(s, "-e", s.users[0], "-v")
    assert ET.fromstring(r.stdout).tag.endswith("}Autodiscover") and "<EMailAddress>" in r.stderr and "status 200" in r.stderr, r
    assert json.loads(dscli(s, "-e", s.users[0], "--eas", "--json").stdout)["eas_url"].endswith("/Microsoft-Server-ActiveSync")
    r = dscli(s, "-e", "x@example.org", "--ac", "--json", "-H", f"https://localhost:{s.https_port}/mail/config-v1.1.xml?emailaddress=x%40example.org",
              where=False)
    assert json.loads(r.stdout)["imap"] == "mail.example.org:993"
    assert "public.folder.root" in dscli(s, "-e", "public.folder.root@example.org", "-u", s.users[0]).stdout


def test_the_tool_says_what_is_wrong():
    s = the_server()
    assert "login was refused" in dscli(s, "-e", s.users[0], password="wrong", code=1).stderr
    assert "error 500" in dscli(s, "-e", s.users[1], "-u", s.users[0], code=1).stderr
    assert "HTTP status 404" in dscli(s, "-e", s.users[0], "-H", f"https://localhost:{s.https_port}/none", code=1, where=False).stderr
    assert "certificate" in dscli(s, "-e", s.users[0], "--cacert", "/etc/hostname", code=1).stderr.lower()
    # without TLS no password is sent
    plain = f"http://127.0.0.1:{s.http_port}/autodiscover/autodiscover.xml"
    assert "rotocol" in dscli(s, "-e", s.users[0], "-H", plain, code=1, where=False).stderr
    for args in ((), ("-e",), ("-e", "a@b", "more"), ("--bogus",), ("-e", "nodomain"), ("-e", "a@b", "--timeout", "0")):
        assert dscli(s, *args, code=2, where=False).stdout == ""


def test_what_cannot_be_is_explained():
    s = Server(users=0, http=True)
    with open(s.cfg) as f:
        text = f.read()
    for line, words in (("oxdisco_advertise_mh = some", "only_new_mso"), ("oxdisco_advertise_rpch = 1", "not_new_mso"),
                        ("oxdisco_services = ews pop", "eas and web"), ("oxdisco_exonym = a b", "name of a host"),
                        ("oxdisco_mail_servers = imap://x:y", "submissions")):
        with open(s.cfg, "w") as f:
            f.write(text + line + "\n")
        r = run([program("http"), "-c", s.cfg], check=False)
        assert r.returncode == 1 and words in r.stdout.decode(), r.stdout


gxtap.main(globals(), stop_server)
