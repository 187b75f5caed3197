"""A gigabyte each way through one session that never holds more than its share."""

import os
import time
import unittest

from harness.case import EndToEnd
from harness.postern import BINARY, sanitized

GIB = 1 << 30
SESSION = 512 * 1024
SLACK = 512 * 1024  # pages of the allocator and of the read buffer that were not touched before
CHUNK = os.urandom(1 << 20)


class Memory(EndToEnd):
    slow = True

    def setUp(self):
        if os.path.exists(BINARY) and sanitized():
            raise unittest.SkipTest("memory figures of a sanitizer build mean nothing")
        super().setUp()

    def peak_of(self, action):
        """By how much the process grew at most while the action ran, after a small one of the same kind."""
        before = self.postern.memory()
        self.postern.forget_peak()
        action()
        return self.postern.memory("VmHWM") - before

    def start(self, on, **options):
        self.backend = self.imap_backend(on, keep=False, **options)
        self.postern = self.gateway(self.backend, log={"slow": "60s"})
        return self.imap(self.postern, "bob")

    def fetch(self, wire, tag, command):
        size = int(command.split()[2])
        wire.send("* 1 FETCH (BODY[] {%d}\r\n" % size)
        for _ in range(size // len(CHUNK)):
            wire.send(CHUNK)
        wire.send(f")\r\n{tag} OK\r\n")

    def test_a_fetch_of_one_gibibyte(self):
        client = self.start({"FETCH": self.fetch})

        def fetch(size):
            client.send(f"a FETCH {size} BODY[]\r\n")
            client.expect(rb"\* 1 FETCH")
            client.drain_count(size)
            client.expect(rb"\)\r\n")
            client.expect(rb"a OK")
        fetch(64 << 20)
        self.assertLess(self.peak_of(lambda: fetch(GIB)), SESSION + SLACK)
        self.assertGreater(self.postern.scrape().sum("postern_bytes_total", protocol="imap", side="client",
                                                     direction="out"), GIB)

    def test_an_append_of_one_gibibyte(self):
        def append(wire, tag, command):
            wire.send("+ go\r\n")
            wire.skip(int(command.split(b"{")[1].split(b"}")[0]))
            wire.line()
            wire.send(f"{tag} OK\r\n")
        client = self.start({"APPEND": append}, plus=None)

        def upload(size, plus):
            client.send(f"a APPEND INBOX {{{size}{plus}}}\r\n")
            if not plus:
                client.expect(rb"\+")
            for _ in range(size // len(CHUNK)):
                client.send(CHUNK)
            client.send("\r\n")
            client.expect(rb"a OK")
        upload(64 << 20, "")
        self.assertLess(self.peak_of(lambda: upload(GIB, "+")), SESSION + SLACK)

    def test_clients_that_do_not_read_cost_no_more_than_their_share(self):
        self.start({"FETCH": self.fetch})
        clients = [self.imap(self.postern, "bob", receive_buffer=16384) for _ in range(20)]

        def stall():
            for client in clients:
                client.send(f"a FETCH {64 << 20} BODY[]\r\n")
            for client in clients:
                client.expect(rb"\* 1 FETCH")
            time.sleep(1.5)  # they read no further
        self.assertLess(self.peak_of(stall), len(clients) * SESSION)
        for client in clients:
            client.reset()

    def test_a_backend_that_does_not_read_costs_no_more_than_its_share(self):
        def append(wire, tag, command):
            wire.send("+ go\r\n")
            wire.wait(self.done)
        import threading
        self.done = threading.Event()
        self.start({"APPEND": append}, plus=None)
        clients = [self.imap(self.postern, "bob") for _ in range(10)]

        def stall():
            for client in clients:
                client.send(b"a APPEND INBOX {100000000+}\r\n")
                client.socket.settimeout(0.3)
                try:
                    for _ in range(100):
                        client.socket.send(CHUNK)
                except OSError:
                    pass
        try:
            self.assertLess(self.peak_of(stall), len(clients) * SESSION)
        finally:
            self.done.set()
            for client in clients:
                client.reset()

    def test_what_is_sent_before_the_login_is_answered_is_not_hoarded(self):
        def script(wire):
            wire.send("* OK [CAPABILITY IMAP4rev1] hi\r\n")
            wire.drain()
        self.postern = self.gateway(self.scripted(script, keep=False))
        clients = [self.imap(self.postern) for _ in range(10)]

        def push():
            for client in clients:
                client.send("a LOGIN bob secret\r\n")
                client.socket.settimeout(0.3)
                try:
                    for _ in range(20):
                        client.socket.send(b"b NOOP\r\n" * 100_000)
                except OSError:
                    pass
        self.assertLess(self.peak_of(push), len(clients) * SESSION)
        for client in clients:
            client.reset()

    def test_half_lines_before_login_cost_little(self):
        self.start({})
        clients = [self.imap(self.postern) for _ in range(200)]

        def push():
            for number, client in enumerate(clients):
                client.send(b"a NOOP " + (b"(", b")", b"(()", b"{1}")[number % 4] * 2000)
            self.imap(self.postern, "bob").logout()
        self.assertLess(self.peak_of(push), len(clients) * 32 * 1024)
        for client in clients:
            client.reset()

    def test_an_idle_session_costs_a_few_kilobytes(self):
        self.start({})
        warm = [self.imap(self.postern, "bob") for _ in range(20)]
        before = self.postern.memory()
        more = [self.imap(self.postern, f"user{number}") for number in range(200)]
        each = (self.postern.memory() - before) / len(more)
        self.assertLess(each, 16 * 1024)
        for client in warm + more:
            client.reset()
