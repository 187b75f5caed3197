"""SIGTERM: every session ends at a boundary of its protocol, or when `drain` is over."""

import socket
import threading
import time

from harness.case import EndToEnd
from harness.dovecot import message
from harness.postern import listener


class Drain(EndToEnd):
    def start(self, on=None, pop3=None, drain="20s"):
        self.imap_side, self.pop3_side = self.imap_backend(on), self.pop3_backend(pop3)
        self.postern = self.gateway({"imap": self.imap_side.address, "pop3": self.pop3_side.address},
                                    gateway={"drain": drain})
        return self.postern

    def ended(self, within=3):
        """Exit code 0, and soon: the drain did not wait for its deadline."""
        self.assertEqual(self.postern.wait(within), 0)

    def test_sessions_between_commands_are_told_at_once(self):
        postern = self.start()
        clients = [self.imap(postern), self.imap(postern, "ann"), self.imap(postern, "bob")]
        clients[2].send("i IDLE\r\n")
        clients[2].expect(rb"\+")
        before_login = self.pop3(postern)
        postern.terminate()
        for client in clients:
            client.expect(rb"\* BYE \[UNAVAILABLE\]")
            client.expect_end(clean=True)
        before_login.expect(rb"-ERR \[SYS/TEMP\]")
        before_login.expect_end(clean=True)
        for client in clients + [before_login]:
            client.close()
        self.ended()
        for wire in self.imap_side.wires:
            self.assertNotIn(b"LOGOUT", wire.received)
            self.assertNotIn(b"DONE", wire.received)

    def test_a_handshake_behind_starttls_that_a_drain_cuts_is_counted_like_any_other(self):
        imap, pop3 = self.imap_backend(), self.pop3_backend()
        postern = self.gateway({"imap": imap.address, "pop3": pop3.address}, gateway={"drain": "20s"},
                               listeners=[listener("imap", tls="starttls"), listener("pop3s")])
        until_quit = self.pop3(postern, "ann")
        self.imap(postern, at="imap", tls=False).command("STARTTLS")
        postern.terminate()
        self.closed(postern, "drained")
        results = postern.scrape().by("postern_tls_handshakes_total", "result", listener="imap")
        self.assertEqual(results, {"failed": 1})
        until_quit.quit()

    def test_a_command_in_flight_completes_first(self):
        gate = threading.Event()

        def fetch(wire, tag, command):
            wire.send("* 1 FETCH (BODY[] {10}\r\n12345")
            wire.wait(gate)
            wire.send(f"67890)\r\n{tag} OK fetched\r\n")
        postern = self.start({"FETCH": fetch})
        client = self.imap(postern, "bob")
        client.send("a FETCH 1 BODY[]\r\n")
        client.expect(rb"\* 1 FETCH")
        postern.terminate()
        self.eventually(lambda: postern.get("/readyz")[0] == 503, "not ready while draining")
        gate.set()
        self.assertIn(b"a OK", self.last_line(client, b"a "))
        client.expect(rb"\* BYE \[UNAVAILABLE\]")
        client.expect_end(clean=True)
        client.close()
        self.ended()

    def last_line(self, client, start):
        while True:
            line = client.line()
            if line.startswith(start):
                return line

    def test_an_upload_in_flight_completes_first(self):
        postern = self.start()
        client = self.imap(postern, "bob")
        client.send(b"a APPEND INBOX {100000}\r\n")
        client.expect(rb"\+")
        client.send(b"x" * 40_000)
        postern.terminate()
        self.eventually(lambda: postern.get("/readyz")[0] == 503, "not ready while draining")
        client.send(b"x" * 60_000 + b"\r\n")
        client.expect(rb"a OK")
        client.expect(rb"\* BYE")
        client.expect_end(clean=True)
        client.close()
        self.ended()

    def test_pop3_runs_to_its_quit(self):
        user = self.dovecot.new_user()
        self.dovecot.fill(user, [message(1), message(2)])
        self.postern = postern = self.gateway(gateway={"drain": "20s"})
        client = self.pop3(postern, user)
        client.command("DELE 1")
        postern.terminate()
        self.eventually(lambda: postern.get("/readyz")[0] == 503, "not ready while draining")
        self.assertEqual(client.many("RETR 2"), message(2))
        client.command("QUIT")
        client.expect_end()
        client.close()
        self.ended()
        self.assertEqual(self.dovecot.count(user), 1)

    def test_what_never_ends_is_cut_when_drain_is_over(self):
        def fetch(wire, tag, command):
            wire.send("* 1 FETCH (BODY[] {10}\r\n12345")
            wire.drain()
        postern = self.start({"FETCH": fetch}, drain="1s")
        stuck, pop3 = self.imap(postern, "bob"), self.pop3(postern, "bob")
        stuck.send("a FETCH 1 BODY[]\r\n")
        stuck.expect(rb"\* 1 FETCH")
        begin = time.monotonic()
        postern.terminate()
        self.assertEqual(stuck.rest(), b"12345")
        self.assertFalse(stuck.clean_end)
        pop3.rest()
        stuck.close()
        pop3.close()
        self.ended(6)
        self.assertGreater(time.monotonic() - begin, 0.9)
        self.assertEqual(self.pop3_side.wire(0).relayed, b"")
        self.closed(postern, "drain_deadline", protocol="imap")
        self.closed(postern, "drain_deadline", protocol="pop3")

    def test_no_new_connection_is_accepted_while_draining(self):
        def noop(wire, line):
            wire.drain()
        postern = self.start(pop3={"NOOP": noop}, drain="3s")
        client = self.pop3(postern, "bob")
        postern.terminate()
        self.eventually(lambda: postern.get("/readyz")[0] == 503, "not ready while draining")
        self.assertEqual(postern.get("/healthz")[0], 200)
        host, port = postern.imaps.rsplit(":", 1)
        with self.assertRaises(OSError):
            made = socket.create_connection((host, int(port)), 2)
            made.settimeout(2)
            if made.recv(1) == b"":
                raise ConnectionError("closed at once")
        client.quit()
        self.ended()

    def test_a_second_signal_ends_at_once_or_with_the_drain(self):
        postern = self.start(drain="2s")
        client = self.pop3(postern, "bob")
        postern.terminate()
        self.eventually(lambda: postern.get("/readyz")[0] == 503, "not ready while draining")
        postern.terminate()
        client.rest()
        client.close()
        postern.wait(6)

    def test_all_kinds_of_ends_are_counted(self):
        postern = self.start()
        client = self.imap(postern, "bob")
        postern.terminate()
        client.rest()
        client.close()
        self.ended()
        self.closed(postern, "drained", protocol="imap")
