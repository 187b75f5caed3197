"""The edges of a session: what comes before, behind, beside and instead of the orderly."""

import socket
import ssl
import threading

from harness.case import EndToEnd
from harness.client import context


class Edges(EndToEnd):
    def start(self, on=None, **options):
        self.backend = self.imap_backend(on, **options)
        self.postern = self.gateway(self.backend)
        self.client = self.imap(self.postern, "bob")
        return self.client

    def test_untagged_data_between_commands_is_delivered_at_once(self):
        gate = threading.Event()

        def noop(wire, tag, command):
            wire.send(f"{tag} OK\r\n")
            wire.wait(gate)
            wire.send("* 5 EXISTS\r\n* 1 RECENT\r\n")
        client = self.start({"NOOP": noop})
        client.command("NOOP")
        gate.set()
        client.expect(rb"\* 5 EXISTS")
        client.expect(rb"\* 1 RECENT")
        client.command("CHECK")

    def test_a_client_that_ends_its_side_still_gets_its_answers(self):
        self.backend = self.imap_backend({"FETCH": lambda w, t, c: w.send("* 1 FETCH (BODY[] {3}\r\nabc)\r\n" + t + " OK\r\n")})
        self.postern = self.gateway(self.backend)
        answers = self.half_closed(b"a LOGIN bob secret\r\nb SELECT INBOX\r\nc FETCH 1 BODY[]\r\n")
        for wanted in (b"\r\na OK", b"\r\nb OK", b"{3}\r\nabc)\r\nc OK"):
            self.assertIn(wanted, answers)

    def half_closed(self, commands):
        """Sends, says close_notify and FIN, and only then reads."""
        host, port = self.postern.imaps.rsplit(":", 1)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context().wrap_bio(incoming, outgoing, server_hostname="mail.example")
        raw = socket.create_connection((host, int(port)), 10)
        self.addCleanup(raw.close)

        def flush():
            if outgoing.pending:
                raw.sendall(outgoing.read())

        def step(action, *arguments):
            while True:
                try:
                    found = action(*arguments)
                    flush()
                    return found
                except ssl.SSLWantReadError:
                    flush()
                    if action == tls.unwrap:
                        return None
                    data = raw.recv(65536)
                    incoming.write(data) if data else incoming.write_eof()
        step(tls.do_handshake)
        step(tls.write, commands)
        step(tls.unwrap)
        raw.shutdown(socket.SHUT_WR)
        found = b""
        try:
            while part := step(tls.read, 65536):
                found += part
        except ssl.SSLError:
            pass
        return found

    def test_bytes_behind_logout_do_no_harm(self):
        client = self.start()
        client.try_send("a LOGOUT\r\nb NOOP\r\nc APPEND INBOX {100000+}\r\n" + "x" * 50_000)
        client.expect(rb"\* BYE")
        client.expect(rb"a OK")
        rest = client.rest()
        self.assertNotIn(b"OK", rest)

    def test_bytes_behind_quit_do_no_harm(self):
        backend = self.pop3_backend()
        self.postern = self.gateway(backend)
        client = self.pop3(self.postern, "bob")
        client.try_send("DELE 1\r\nQUIT\r\nDELE 2\r\nNOOP\r\n")
        client.expect(rb"\+OK")
        client.expect(rb"\+OK")
        self.assertNotIn(b"+OK", client.rest())
        self.assertNotIn(b"DELE 2", backend.wait_end().relayed.split(b"QUIT")[0])

    def test_a_literal_mark_at_the_end_of_a_very_long_line_counts(self):
        long = b"x" * 300_000
        inner = b"\r\na OK no\r\n"

        def fetch(wire, tag, command):
            for piece in (b'* 1 FETCH (X "', long, b'" BODY[] {%d' % len(inner), b"}\r", b"\n", inner, b" Y ", long,
                          b")\r\n", tag.encode() + b" OK\r\n"):
                wire.send(piece)
        client = self.start({"FETCH": fetch})
        client.send("a FETCH 1 X\r\nb NOOP\r\n")
        expected = (b'* 1 FETCH (X "' + long + b'" BODY[] {%d}\r\n' % len(inner) + inner + b" Y " + long
                    + b")\r\na OK\r\nb OK NOOP done\r\n")
        self.assertEqual(client.read(len(expected)), expected)
        self.assertEqual(self.postern.scrape().by("postern_commands_total", "result", command="FETCH"), {"ok": 1})

    def test_responses_byte_by_byte_arrive_unchanged(self):
        answer = (b"* 1 FETCH (BODY[] {12}\r\n+ \r\na OK x\r\n FLAGS (\\Seen))\r\n* 2 FETCH (BODY[] {0}\r\n)\r\n"
                  b'* LIST () "/" {5}\r\nINBOX\r\na OK done\r\n')

        def fetch(wire, tag, command):
            for at in range(len(answer)):
                wire.send(answer[at:at + 1])
        client = self.start({"FETCH": fetch})
        client.send("a FETCH 1 BODY[]\r\n")
        self.assertEqual(client.read(len(answer)), answer)

    def test_a_client_gone_while_its_backend_is_silent_leaves_nothing(self):
        silent = self.scripted(lambda wire: wire.drain())
        self.postern = self.gateway(silent)
        for leave in ("close", "reset"):
            client = self.imap(self.postern)
            client.send("a LOGIN bob secret\r\n")
            wire = silent.wire(0)
            getattr(client, leave)()
            self.assertTrue(wire.ended.wait(10), "the backend connection outlived its client")
            silent.wires.clear()
        self.postern.settle()

    def test_old_backends_without_capabilities_in_greeting_or_answer(self):
        backend = self.imap_backend(greeting="* ok hello\r\n", code=False, capabilities="imap4REV1 idle")
        self.postern = self.gateway(backend)
        client = self.imap(self.postern, "bob")
        seen = b"".join(client.command("CAPABILITY")).upper().split()
        self.assertIn(b"IDLE", seen)
        self.assertIn(b"LITERAL+", seen)
        client.append("INBOX", b"hello")

    def test_a_login_in_flight_when_shutdown_comes_is_not_left_hanging(self):
        gate = threading.Event()

        def script(wire):
            wire.send("* OK [CAPABILITY IMAP4rev1] hi\r\n")
            tag = wire.line().split()[0].decode()
            wire.wait(gate)
            wire.send(f"{tag} OK [CAPABILITY IMAP4rev1] in\r\n")
            wire.drain()
        self.postern = self.gateway(self.scripted(script), gateway={"drain": "20s"})
        client = self.imap(self.postern)
        client.send("a LOGIN bob secret\r\n")
        self.eventually(lambda: self.postern.scrape().sum("postern_bytes_total", side="backend", direction="out"), "login sent")
        self.postern.terminate()
        self.postern.event("draining")
        gate.set()
        rest = client.rest()
        self.assertRegex(rest, rb"\[UNAVAILABLE\]|a OK")
        client.close()
        self.assertEqual(self.postern.wait(5), 0)

    def test_five_hundred_mistakes_are_answered_one_by_one(self):
        client = self.start()
        client.send("".join(f"t{number} XFOO{number}\r\n" for number in range(500)))
        for number in range(500):
            client.expect(rb"t%d BAD" % number)
        client.command("NOOP")
        self.assertEqual(self.backend.wire(0).relayed, b"t2 NOOP\r\n")


class Forgotten(EndToEnd):
    """The backend says nothing any more and the client leaves: neither connection may stay for ever.

    A reset is noticed within seconds, whatever the session waits for. A client that only ended its side may still
    want its answers; it gets the idle time for them.
    """

    def leave(self, send, how):
        backend = self.imap_backend({verb: lambda wire, tag, command: wire.drain() for verb in ("APPEND", "NOOP", "IDLE")},
                                    plus=None)
        self.postern = self.gateway(backend, timeouts={"imap_idle": "35m" if how == "reset" else "2s"})
        client = self.imap(self.postern, "bob")
        client.try_send(send)
        self.eventually(lambda: backend.wire(0).relayed, "the command reached the backend")
        if how == "reset":
            client.reset()
        elif how == "close":
            client.close()
        else:
            # close_notify and FIN, as an orderly client that no longer waits
            client.socket.settimeout(0.2)
            try:
                client.socket.unwrap()
            except OSError:
                pass
            client.close()
        backend.wait_end(0)
        self.closed(self.postern)

    def test_waiting_for_an_answer(self):
        for how in ("reset", "close", "orderly"):
            with self.subTest(how=how):
                self.leave(b"a NOOP\r\n", how)

    def test_waiting_for_a_plus(self):
        for how in ("reset", "close", "orderly"):
            with self.subTest(how=how):
                self.leave(b"a APPEND INBOX {5+}\r\nhello\r\n", how)

    def test_waiting_for_the_plus_of_an_idle(self):
        for how in ("reset", "close", "orderly"):
            with self.subTest(how=how):
                self.leave(b"a IDLE\r\nDONE\r\n", how)

    def test_waiting_with_all_places_in_flight_taken(self):
        for how in ("reset", "close", "orderly"):
            with self.subTest(how=how):
                self.leave(b"".join(b"n%d NOOP\r\n" % number for number in range(200)), how)
