"""Whose time runs when: the idle time, and clients that ask without reading."""

import ssl
import threading
import time

from harness.case import EndToEnd
from harness.client import Client
from harness.postern import sanitized


class Patience(EndToEnd):
    def test_the_idle_time_begins_when_the_last_answer_was_given(self):
        gate = threading.Event()

        def fetch(wire, tag, command):
            wire.wait(gate)
            wire.send(f"{tag} OK done\r\n")
        postern = self.gateway(self.imap_backend({"FETCH": fetch}), timeouts={"imap_idle": "2s"})
        client = self.imap(postern, "bob")
        client.send("a FETCH 1 BODY[]\r\n")
        # Longer than the idle time: the command is in flight meanwhile.
        self.assertTrue(client.quiet(3))
        gate.set()
        client.expect("a OK")
        answered = time.monotonic()
        client.expect(r"\* BYE")
        self.assertGreater(time.monotonic() - answered, 1.5)
        self.closed(postern, "idle_timeout")

    def test_a_client_that_stops_inside_a_literal_is_idle(self):
        postern = self.gateway(self.imap_backend(), timeouts={"imap_idle": "1s"})
        client = self.imap(postern, "bob")
        client.send("a APPEND INBOX {10}\r\n")
        client.expect(r"\+")
        client.send("hello")
        client.expect(r"\* BYE")
        self.closed(postern, "idle_timeout")

    def test_answers_that_nobody_reads_are_not_kept(self):
        postern = self.gateway(self.imap_backend())
        for address, line in ((postern.imaps, b"a CAPABILITY\r\n"), (postern.pop3s, b"CAPA\r\n")):
            client = self.keep(Client(address))
            before = postern.memory()
            client.socket.settimeout(1)
            with self.assertRaises((TimeoutError, ssl.SSLError)):
                for _ in range(5000):
                    client.send(line * 1000)
            if not sanitized():
                self.assertLess(postern.memory() - before, 1024 * 1024)

    def test_the_log_claims_no_tls_where_there_was_none(self):
        postern = self.gateway(self.imap_backend())
        client = self.keep(Client(postern.imaps, tls=False))
        client.send("GET / HTTP/1.0\r\n\r\n")
        self.assertEqual(self.closed(postern, "handshake_failed")["tls_version"], "")
