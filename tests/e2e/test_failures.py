"""Backends that are down, die or lie. Nothing is made up for them, and the client hears the right code."""

import threading
import time

from harness.case import EndToEnd
from harness.dovecot import free_port
from harness.scripts import ImapScript


def dead():
    address = f"127.0.0.1:{free_port()}"
    return {"imap": address, "pop3": address}


class BeforeLogin(EndToEnd):
    def test_a_dead_backend_costs_one_failover_and_not_the_login(self):
        good_imap, good_pop3 = self.imap_backend(), self.pop3_backend()
        alive = {"imap": good_imap.address, "pop3": good_pop3.address}
        for order in ((dead(), alive), (alive, dead())):
            postern = self.gateway(*order)
            # Several users, so that some have the dead one as their first candidate.
            for number in range(6):
                self.imap(postern, f"user{number}").logout()
                self.pop3(postern, f"user{number}").quit()
            self.assertEqual(postern.scrape().sum("postern_logins_total", result="ok"), 12)

    def test_with_all_backends_down_the_password_is_not_blamed(self):
        postern = self.gateway(dead(), dead())
        client = self.imap(postern)
        client.command("LOGIN bob secret", result="NO")
        self.assertIn(b"[UNAVAILABLE]", client.tagged)
        client.command("AUTHENTICATE PLAIN AGJvYgBzZWNyZXQ=", result="NO")
        self.assertIn(b"[UNAVAILABLE]", client.tagged)
        client = self.pop3(postern)
        client.command("USER bob")
        self.assertIn(b"[SYS/TEMP]", client.command("PASS secret", good=False))
        self.assertEqual(postern.scrape().by("postern_logins_total", "result"), {"unavailable": 3})

    def test_a_failed_backend_is_tried_again_after_five_seconds(self):
        backend = self.imap_backend()
        place = {"imap": backend.address, "pop3": backend.address}
        port = backend.port
        backend.stop()
        postern = self.gateway(place)
        client = self.imap(postern)
        client.command("LOGIN bob secret", result="NO")
        failed = time.monotonic()
        again = self.imap_backend(port=port)
        # Until then the login is refused at once; from then on it works, with nothing else done.
        self.eventually(lambda: self.try_login(postern), "the backend came back", seconds=15)
        self.assertLess(time.monotonic() - failed, 9)
        self.assertTrue(again.wires)

    def try_login(self, postern):
        client = self.imap(postern)
        client.command("LOGIN bob secret", result=None)
        client.close()
        return b" OK" in client.tagged

    def test_a_silent_backend_is_given_up_within_the_connect_timeout(self):
        silent = self.scripted(lambda wire: wire.drain())
        good = self.imap_backend()
        postern = self.gateway(silent, timeouts={"connect": "1s"})
        begin = time.monotonic()
        client = self.imap(postern)
        client.command("LOGIN bob secret", result="NO")
        self.assertIn(b"[UNAVAILABLE]", client.tagged)
        self.assertLess(time.monotonic() - begin, 5)
        postern = self.gateway(silent, good, timeouts={"connect": "1s"})
        for number in range(3):
            self.imap(postern, f"user{number}")

    def test_nonsense_for_a_greeting_is_unavailable(self):
        for greeting in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x16", b"* PREAUTH welcome\r\n",
                         b"* BYE overloaded\r\n", b"\0\0\0\0\r\n", b"* OK no end\n", b"x" * 100_000, b""):
            with self.subTest(greeting=greeting[:20]):
                def script(wire):
                    wire.send(greeting)
                    if greeting == b"* PREAUTH welcome\r\n":
                        wire.drain()
                backend = self.scripted(script)
                postern = self.gateway(backend)
                client = self.imap(postern)
                client.command("LOGIN bob secret", result="NO")
                self.assertIn(b"[UNAVAILABLE]", client.tagged)
                client = self.pop3(postern)
                client.command("USER bob")
                self.assertIn(b"[SYS/TEMP]", client.command("PASS secret", good=False))
                self.assertNotIn(b"secret", backend.received)

    def test_a_bye_in_the_middle_of_the_login_is_unavailable(self):
        def script(wire):
            wire.send("* OK [CAPABILITY IMAP4rev1] hi\r\n")
            wire.line()
            wire.send("* BYE going down\r\n")
        postern = self.gateway(self.scripted(script))
        client = self.imap(postern)
        client.command("LOGIN bob secret", result="NO")
        self.assertIn(b"[UNAVAILABLE]", client.tagged)

    def test_credentials_go_to_at_most_one_backend(self):
        def script(wire):
            wire.send("* OK [CAPABILITY IMAP4rev1] hi\r\n")
            while b"secret" not in wire.line():
                wire.send("* OK\r\n")
        first, second = self.scripted(script), self.scripted(script)
        postern = self.gateway(first, second)
        client = self.imap(postern)
        client.command("LOGIN bob secret", result="NO")
        self.assertIn(b"[UNAVAILABLE]", client.tagged)
        self.assertEqual((first.received + second.received).count(b"secret"), 1)


class AfterLogin(EndToEnd):
    def start(self, on=None, script=None):
        self.backend = self.scripted(script) if script else self.imap_backend(on)
        self.postern = self.gateway(self.backend)
        self.client = self.imap(self.postern, "bob")
        return self.client

    def test_a_backend_that_dies_between_commands_is_a_bye(self):
        client = self.start({"NOOP": lambda wire, tag, command: (wire.send(f"{tag} OK\r\n"), "end")[1]})
        client.command("NOOP")
        client.expect(rb"\* BYE \[UNAVAILABLE\]")
        client.expect_end(clean=True)
        self.closed(self.postern, "backend_closed")

    def test_a_backend_that_dies_before_its_answer_is_a_bye_and_no_answer(self):
        client = self.start({"STORE": lambda wire, tag, command: "end"})
        client.send("a STORE 1 FLAGS ()\r\n")
        client.expect(rb"\* BYE \[UNAVAILABLE\]")
        client.expect_end(clean=True)
        self.settle_aborted("STORE")

    def settle_aborted(self, command):
        self.client.close()
        scrape = self.postern.settle()
        self.assertEqual(scrape.sum("postern_commands_total", command=command, result="aborted"), 1)

    def test_a_bye_of_the_backend_is_relayed_once(self):
        client = self.start({"NOOP": lambda w, t, c: (w.send("* BYE [ALERT] maintenance\r\n"), "end")[1]})
        client.send("a NOOP\r\n")
        rest = client.rest()
        self.assertEqual(rest.count(b"* BYE"), 1)
        self.assertIn(b"maintenance", rest)

    def test_dying_inside_a_literal_is_a_visible_cut(self):
        def fetch(wire, tag, command):
            wire.send("* 1 FETCH (BODY[] {1000}\r\nFrom: someone")
            return "end"
        client = self.start({"FETCH": fetch})
        client.send("a FETCH 1 BODY[]\r\n")
        self.assertEqual(client.rest(), b"* 1 FETCH (BODY[] {1000}\r\nFrom: someone")
        self.assertFalse(client.clean_end, "a truncated answer must not end with close_notify")
        self.closed(self.postern, "backend_closed")
        self.settle_aborted("FETCH")

    def test_dying_inside_a_line_is_a_visible_cut(self):
        gate = threading.Event()

        def fetch(wire, tag, command):
            wire.send("* 1 FETCH (FLAGS (" + "x" * 200_000)
            wire.wait(gate)
            wire.reset()
            return "end"
        client = self.start({"FETCH": fetch})
        client.send("a FETCH 1 FLAGS\r\n")
        client.read(1000)
        gate.set()
        rest = client.rest()
        self.assertNotIn(b"BYE", rest)
        self.assertFalse(client.clean_end)

    def test_dying_inside_an_upload_gives_no_answer(self):
        def append(wire, tag, command):
            wire.send("+ go\r\n")
            wire.read(1000)
            return "end"
        backend = self.imap_backend({"APPEND": append}, plus=None)
        self.postern = self.gateway(backend)
        self.client = client = self.imap(self.postern, "bob")
        client.send(b"a APPEND INBOX {100000}\r\n")
        client.expect(rb"\+")
        client.try_send(b"x" * 50_000)
        rest = client.rest()
        self.assertNotIn(b"a ", rest)
        self.assertEqual(len(backend.wires), 1)

    def test_lies_of_the_backend_end_the_session(self):
        lies = {"a tag nobody sent": b"nobody OK done\r\n", "a plus nobody waits for": b"+ go on\r\n",
                "a NUL": b"* OK a\0b\r\n", "a bare LF": b"* OK\n", "a bare LF in a tagged end": b"TAG OK\n",
                "no tag": b"hello\r\n", "HTTP": b"HTTP/1.1 200 OK\r\n\r\n", "an empty line": b"\r\n",
                "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
                "a literal of 2^64": b"* 1 FETCH (BODY[] {18446744073709551616}\r\n"}
        for name, lie in lies.items():
            with self.subTest(lie=name):
                def fetch(wire, tag, command):
                    wire.send(lie.replace(b"TAG", tag.encode()))
                    wire.drain()
                client = self.start({"FETCH": fetch})
                client.send("a FETCH 1 FLAGS\r\n")
                rest = client.rest()
                self.assertNotIn(b"a OK", rest)
                self.closed(self.postern, "backend_protocol")

    def test_a_second_answer_to_one_tag_ends_the_session(self):
        client = self.start({"NOOP": lambda w, t, c: w.send(f"{t} OK\r\n{t} OK again\r\n")})
        client.send("a NOOP\r\n")
        client.expect(rb"a OK")
        client.rest()
        self.closed(self.postern, "backend_protocol")

    def test_a_line_without_end_costs_no_memory(self):
        size = 300_000_000
        chunk = b"x" * 1_000_000

        def fetch(wire, tag, command):
            wire.send("* OK ")
            for _ in range(size // len(chunk)):
                wire.send(chunk)
            wire.send(f"\r\n{tag} OK\r\n")
        client = self.start({"FETCH": fetch})
        before = self.postern.memory()
        self.postern.forget_peak()
        client.send("a FETCH 1 FLAGS\r\n")
        client.read(5)
        client.drain_count(size + 2)
        client.expect(rb"a OK")
        from harness.postern import sanitized
        if not sanitized():
            self.assertLess(self.postern.memory("VmHWM") - before, 2_000_000)

    def test_other_sessions_do_not_notice(self):
        client = self.start({"FETCH": lambda w, t, c: "end"})
        other = self.imap(self.postern, "ann")
        client.send("a FETCH 1 FLAGS\r\n")
        client.rest()
        other.command("NOOP")
        other.logout()

    def test_a_client_that_vanishes_takes_its_backend_connection_along(self):
        client = self.start()
        client.reset()
        self.assertEqual(self.backend.wait_end().relayed, b"")
        self.closed(self.postern, "client_reset")

    def test_an_idle_client_is_ended_only_after_its_timeout(self):
        backend = self.imap_backend()
        postern = self.gateway(backend, timeouts={"imap_idle": "1s"})
        client = self.imap(postern, "bob")
        client.expect(rb"\* BYE")
        client.expect_end()
        self.closed(postern, "idle_timeout")
        self.assertEqual(backend.wait_end().relayed, b"")
