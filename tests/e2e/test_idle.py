"""IDLE and its races (DESIGN 2.10)."""

import threading

from harness.case import EndToEnd


class Idle(EndToEnd):
    def start(self, idle, **on):
        self.backend = self.imap_backend({"IDLE": idle, **on})
        self.postern = self.gateway(self.backend)
        self.client = self.imap(self.postern, "bob")
        return self.client

    def test_done_behind_the_idle_line_waits_for_the_backend(self):
        gate = threading.Event()

        def idle(wire, tag, command):
            wire.wait(gate)
            wire.send("+ late\r\n")
            assert wire.line() == b"DONE\r\n"
            wire.send(f"{tag} OK done\r\n")
        client = self.start(idle)
        client.send("a IDLE\r\nDONE\r\nb NOOP\r\n")
        self.assertTrue(client.quiet())
        # Before its plus a DONE would be a command of its own to a backend that refuses the IDLE.
        self.assertEqual(self.backend.wire(0).relayed, b"a IDLE\r\n")
        gate.set()
        client.expect(rb"\+ late")
        self.assertIn(b"a OK", client.until("a")[1])
        self.assertIn(b"b OK", client.until("b")[1])
        self.assertEqual(self.backend.wire(0).relayed, b"a IDLE\r\nDONE\r\nb NOOP\r\n")

    def test_a_plus_behind_the_end_of_its_idle_is_expected(self):
        def idle(wire, tag, command):
            wire.send(f"{tag} OK over already\r\n+ late\r\n")
        client = self.start(idle)
        client.send("a IDLE\r\n")
        self.assertIn(b"a OK", client.until("a")[1])
        client.send("DONE\r\nb NOOP\r\nc NOOP\r\n")
        self.assertIn(b"b OK", client.all(["b", "c"])["b"])

    def test_an_idle_ended_early_swallows_exactly_one_done(self):
        def idle(wire, tag, command):
            wire.send(f"+ idling\r\n{tag} OK enough\r\n")
        client = self.start(idle)
        client.send("a IDLE\r\n")
        client.expect(rb"\+")
        self.assertIn(b"a OK", client.until("a")[1])
        client.send("DONE\r\nb NOOP\r\n")
        self.assertIn(b"b OK", client.until("b")[1])
        self.assertEqual(self.backend.wire(0).relayed, b"a IDLE\r\nb NOOP\r\n")
        client.send("DONE\r\n")
        rest = client.line()
        self.assertRegex(rest, rb"BAD|BYE")

    def test_a_refused_idle_swallows_the_done_and_goes_on(self):
        client = self.start(lambda wire, tag, command: wire.send(f"{tag} NO not now\r\n"))
        client.send("a IDLE\r\nDONE\r\nb NOOP\r\n")
        self.assertIn(b"a NO", client.until("a")[1])
        self.assertIn(b"b OK", client.until("b")[1])

    def test_anything_but_done_closes(self):
        def idle(wire, tag, command):
            wire.send("+ idling\r\n")
            wire.drain()
        client = self.start(idle)
        client.send("a IDLE\r\n")
        client.expect(rb"\+")
        client.send("b LOGOUT\r\n")
        rest = client.rest()
        self.assertIn(b"BYE", rest)
        self.closed(self.postern, "client_protocol")
        self.assertEqual(self.backend.wait_end().relayed, b"a IDLE\r\n")

    def test_pushes_during_idle_come_one_by_one(self):
        step = threading.Semaphore(0)

        def idle(wire, tag, command):
            wire.send("+ idling\r\n")
            for number in range(5):
                step.acquire(timeout=10)
                wire.send(f"* {number} EXISTS\r\n")
            wire.line()
            wire.send(f"{tag} OK done\r\n")
        client = self.start(idle)
        client.send("a IDLE\r\n")
        client.expect(rb"\+")
        for number in range(5):
            step.release()
            self.assertEqual(client.line(), b"* %d EXISTS\r\n" % number)
        client.send("DONE\r\n")
        client.until("a")
