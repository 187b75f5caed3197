"""TLS as BoringSSL speaks it, seen by OpenSSL: versions, ALPN, renegotiation, truncation."""

import pathlib
import re
import socket
import ssl
import subprocess

from harness.case import EndToEnd
from harness.client import Client, Imap, context
from harness.postern import Certificate

OLD = "DEFAULT:@SECLEVEL=0"


class Tls(EndToEnd):
    def setUp(self):
        super().setUp()
        self.backend = self.imap_backend()
        self.postern = self.gateway(self.backend)

    def connect(self, address=None, **options):
        return self.keep(Imap(address or self.postern.imaps, tls_context=context(**options)))

    def test_versions_1_2_and_1_3_are_spoken(self):
        for version, name in ((ssl.TLSVersion.TLSv1_2, "1.2"), (ssl.TLSVersion.TLSv1_3, "1.3")):
            client = self.connect(minimum=version, maximum=version)
            self.assertEqual(client.socket.version(), f"TLSv{name}")
            client.login("bob").logout()
        counted = self.postern.scrape().by("postern_tls_handshakes_total", "version", result="ok", listener="imaps")
        self.assertEqual(counted, {"1.2": 1, "1.3": 1})

    def test_older_versions_are_refused(self):
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                self.connect(minimum=version, maximum=version, ciphers=OLD)
        self.eventually(lambda: self.postern.scrape().sum("postern_sessions_total", close_reason="handshake_failed") == 2,
                        "two failed handshakes")
        self.assertEqual(self.postern.scrape().sum("postern_tls_handshakes_total", result="ok"), 0)

    def test_minimum_1_3_refuses_1_2(self):
        postern = self.gateway(self.backend, tls={"minimum": "1.3"})
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.connect(postern.imaps, maximum=ssl.TLSVersion.TLSv1_2)
        self.connect(postern.imaps)

    def test_alpn_is_strict_and_may_be_absent(self):
        for address, own, other in ((self.postern.imaps, "imap", "pop3"), (self.postern.pop3s, "pop3", "imap")):
            for offered in ([own], ["h2", own], [own, "http/1.1"]):
                client = Client(address, tls_context=context(alpn=offered))
                self.assertEqual(client.socket.selected_alpn_protocol(), own)
                client.close()
            client = Client(address)
            self.assertIsNone(client.socket.selected_alpn_protocol())
            client.close()
            for offered in (["h2"], ["http/1.1"], ["h2", "http/1.1"], [other], ["smtp"], ["IMAP"]):
                for maximum in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                    with self.subTest(address=own, offered=offered, maximum=maximum.name):
                        with self.assertRaises(ssl.SSLError) as caught:
                            Client(address, tls_context=context(alpn=offered, maximum=maximum))
                        self.assertIn("NO_APPLICATION_PROTOCOL", str(caught.exception).upper().replace(" ", "_"))

    def test_the_alert_for_a_foreign_alpn_is_120(self):
        done = subprocess.run(["openssl", "s_client", "-connect", self.postern.imaps, "-alpn", "http/1.1"],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
        self.assertIn(b"alert number 120", done.stdout + done.stderr)

    def test_renegotiation_is_refused(self):
        process = subprocess.Popen(["openssl", "s_client", "-connect", self.postern.imaps, "-tls1_2", "-crlf"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        seen = b""
        while b"* OK" not in seen:
            line = process.stdout.readline()
            self.assertTrue(line, seen)
            seen += line
        process.stdin.write(b"R\n")
        process.stdin.flush()
        rest, _ = process.communicate(timeout=20)
        self.assertRegex(rest, rb"(?i)no renegotiation|alert|error|unexpected eof|closed")
        self.assertNotIn(b"verify return:1\nread R BLOCK", rest)
        scrape = self.postern.scrape()
        self.assertLessEqual(scrape.sum("postern_tls_handshakes_total", result="ok"), 1)

    def test_sessions_resume(self):
        for version, name in ((ssl.TLSVersion.TLSv1_2, "1.2"), (ssl.TLSVersion.TLSv1_3, "1.3")):
            made = context(minimum=version, maximum=version)
            host, port = self.postern.imaps.rsplit(":", 1)
            first = made.wrap_socket(socket.create_connection((host, int(port))), server_hostname="mail.example")
            self.assertTrue(first.recv(100))  # the ticket of 1.3 comes with the first bytes
            second = made.wrap_socket(socket.create_connection((host, int(port))), server_hostname="mail.example",
                                      session=first.session)
            self.assertTrue(second.recv(100))
            self.assertTrue(second.session_reused, name)
            first.close()
            second.close()
        counted = self.postern.scrape().by("postern_tls_handshakes_total", "resumed", result="ok")
        self.assertEqual(counted, {"true": 2, "false": 2})

    def test_early_data_is_not_offered(self):
        done = subprocess.run(["openssl", "s_client", "-connect", self.postern.imaps, "-tls1_3", "-ign_eof"],
                              input=b"a LOGOUT\r\n", capture_output=True, timeout=20)
        found = re.findall(rb"Max Early Data: (\d+)", done.stdout)
        self.assertTrue(all(each == b"0" for each in found), found)

    def test_the_configured_certificate_is_served(self):
        host, port = self.postern.imaps.rsplit(":", 1)
        served = ssl.get_server_certificate((host, int(port)))
        self.assertEqual(served.strip(), Certificate.shared().chain.read_text().strip())
        self.connect(cafile=str(Certificate.shared().chain))

    def test_plain_text_to_a_tls_port_is_closed_and_counted(self):
        for opening in (b"a LOGIN bob secret\r\n", b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 100,
                        b"\x80\x2e\x01\x00\x02" + b"\0" * 60):
            client = self.keep(Client(self.postern.imaps, tls=False))
            client.send(opening)
            self.assertNotIn(b"OK", client.rest())
        self.eventually(lambda: self.postern.scrape().sum("postern_sessions_total", close_reason="handshake_failed") == 4,
                        "four failed handshakes")
        scrape = self.postern.scrape()
        self.assertEqual(sum(value for labels, value in scrape.all("postern_tls_handshakes_total")
                             if labels["result"] != "ok"), 4)
        self.assertEqual(self.backend.received, b"")

    def test_a_handshake_that_takes_too_long_is_ended(self):
        postern = self.gateway(self.backend, timeouts={"handshake": "1s"})
        for opening in (b"", b"\x16\x03\x01\x02\x00\x01"):
            client = self.keep(Client(postern.imaps, tls=False))
            client.send(opening)
            client.rest()
        self.eventually(lambda: postern.scrape().sum("postern_sessions_total", close_reason="handshake_timeout") == 2,
                        "two handshakes timed out")

    def test_no_system_openssl_is_mapped(self):
        self.connect().login("bob").logout()
        maps = pathlib.Path(f"/proc/{self.postern.pid}/maps").read_text()
        self.assertNotRegex(maps, r"libssl\.so\.[13]|libcrypto\.so\.[13]")

    def test_key_updates_are_answered(self):
        process = subprocess.Popen(["openssl", "s_client", "-connect", self.postern.imaps, "-tls1_3", "-crlf"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        seen = b""
        for send in (b"", b"K\n", b"a NOOP\n"):
            if send:
                process.stdin.write(send)
                process.stdin.flush()
            wanted = {b"": b"* OK", b"K\n": b"KEYUPDATE", b"a NOOP\n": b"a OK"}[send]
            while wanted not in seen:
                line = process.stdout.readline()
                self.assertTrue(line, seen)
                seen += line
        process.stdin.close()
        process.wait(20)
        process.stdout.close()
