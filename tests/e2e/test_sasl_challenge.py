"""The challenge with which a backend refuses a token: relayed once, answered once, and what may go wrong around it."""

import threading

from harness.case import EndToEnd
from harness.client import Imap
from harness.exchange import TOKENS, accepted, authenticate, encode, messages

REASON = encode('{"status":"401"}')


class Challenge(EndToEnd):
    """`after(wire, refuse)` runs at the backend once the token is there; `refuse(before)` says no."""

    def start(self, protocol, after, ir=True, **changes):
        def imap(wire):
            wire.send(f"* OK [CAPABILITY IMAP4rev1 {'SASL-IR ' if ir else ''}AUTH=XOAUTH2 AUTH=OAUTHBEARER] hi\r\n")
            tag, verb, *rest = wire.line().decode().split()
            assert verb == "AUTHENTICATE", verb
            if len(rest) < 2:
                wire.send("+ \r\n")
                wire.line()
            after(wire, lambda before="": wire.send(f"{before}{tag} NO [AUTHENTICATIONFAILED] no\r\n"))
            wire.drain()

        def pop3(wire):
            wire.send("+OK hi\r\n")
            line = wire.line()
            if line == b"CAPA\r\n":
                wire.send("+OK\r\nSASL XOAUTH2 OAUTHBEARER\r\n.\r\n")
                line = wire.line()
            assert line.startswith(b"AUTH "), line
            if len(line.split()) < 3:
                wire.send("+ \r\n")
                wire.line()
            after(wire, lambda before="": wire.send(f"{before}-ERR [AUTH] no\r\n"))
            wire.drain()
        self.backend = self.scripted(imap if protocol == "imap" else pop3)
        self.postern = self.gateway(self.backend, **changes)
        return (self.imap if protocol == "imap" else self.pop3)(self.postern)

    def begin(self, client, mechanism="XOAUTH2"):
        line = f"{mechanism} {encode(messages(mechanism, 'bob', 'canary')[0])}\r\n"
        client.send(("a AUTHENTICATE " if isinstance(client, Imap) else "AUTH ") + line)

    def each(self):
        for protocol in ("imap", "pop3"):
            with self.subTest(protocol=protocol):
                yield protocol

    def assert_goes_on(self, client):
        """The connection is still one with which a login can be tried."""
        if isinstance(client, Imap):
            client.command("CAPABILITY")
        else:
            client.many("CAPA")

    def challenged(self, protocol, after, **options):
        client = self.start(protocol, after, **options)
        self.begin(client)
        client.expect(rb"\+ " + REASON.encode() + rb"\r\n")
        return client

    def test_the_answer_is_relayed_as_it_is(self):
        for protocol in self.each():
            for answer in (b"", b"*", b"AQ==", b"x" * 64):
                seen = []

                def after(wire, refuse):
                    wire.send(f"+ {REASON}\r\n")
                    seen.append(wire.line())
                    refuse()
                client = self.challenged(protocol, after)
                client.drip(answer + b"\r\n")
                client.expect(rb"a NO \[AUTHENTICATIONFAILED\]|-ERR \[AUTH\]")
                self.assertEqual(seen, [answer + b"\r\n"])
                self.assert_goes_on(client)

    def test_a_long_answer_is_not(self):
        for protocol in self.each():
            seen = []

            def after(wire, refuse):
                wire.send(f"+ {REASON}\r\n")
                seen.append(wire.line())
                refuse()
            client = self.challenged(protocol, after)
            client.send(b"x" * 65 + b"\r\n")
            client.expect(rb"a (NO|BAD)|-ERR")
            self.assertEqual(seen, [b"*\r\n"])
            self.assert_goes_on(client)

    def test_an_answer_that_cannot_be_framed_ends_the_session(self):
        for protocol in self.each():
            for answer in (b"A\0Q==\r\n", b"AQ\r==\r\n", b"AQ==\n", b"x" * 20_000):
                client = self.challenged(protocol, lambda wire, refuse: wire.send(f"+ {REASON}\r\n"))
                client.try_send(answer)
                rest = client.rest()
                self.assertNotIn(b"+", rest.replace(b"+OK", b""))
                self.closed(self.postern, "client_protocol")
                self.assertNotIn(answer.strip(), self.backend.wait_end().received)

    def test_a_refusal_that_does_not_wait_for_the_answer(self):
        for protocol in self.each():
            for more in ("with it", "behind it", "and is gone"):
                def after(wire, refuse):
                    if more == "with it":
                        return refuse(f"+ {REASON}\r\n")
                    wire.send(f"+ {REASON}\r\n")
                    wire.wait(heard)
                    refuse()
                    if more == "and is gone":
                        wire.close()
                heard = threading.Event()
                client = self.challenged(protocol, after)
                heard.set()
                if more == "and is gone":
                    self.backend.wait_end()
                else:
                    self.assertTrue(client.quiet())
                client.send("AQ==\r\n")
                client.expect(rb"a NO \[AUTHENTICATIONFAILED\]|-ERR \[AUTH\]")
                # The answer was no command.
                self.assert_goes_on(client)
                self.assertEqual(self.postern.scrape().by("postern_logins_total", "result"), {"failed": 1})

    def test_a_backend_that_is_gone_before_the_answer(self):
        for protocol in self.each():
            def after(wire, refuse):
                wire.send(f"+ {REASON}\r\n")
                wire.close()
            client = self.challenged(protocol, after)
            client.send("AQ==\r\n")
            client.expect(rb"a NO \[UNAVAILABLE\]|-ERR \[SYS/TEMP\]")
            self.assert_goes_on(client)

    def test_a_backend_that_is_gone_behind_the_answer(self):
        for protocol in self.each():
            def after(wire, refuse):
                wire.send(f"+ {REASON}\r\n")
                wire.line()
                wire.close()
            client = self.challenged(protocol, after)
            client.send("AQ==\r\n")
            client.expect(rb"a NO \[UNAVAILABLE\]|-ERR \[SYS/TEMP\]")
            self.assert_goes_on(client)

    def test_a_second_challenge_is_nonsense(self):
        for protocol in self.each():
            def after(wire, refuse):
                wire.send(f"+ {REASON}\r\n")
                wire.line()
                wire.send("+ Z2l2ZSBtZSB5b3VyIHBhc3N3b3Jk\r\n")
            client = self.challenged(protocol, after)
            client.send("AQ==\r\n")
            client.expect(rb"a NO \[UNAVAILABLE\]|-ERR \[SYS/TEMP\]")
            self.assert_goes_on(client)

    def test_a_client_that_leaves_instead_of_answering(self):
        for protocol in self.each():
            for leave in ("close", "reset", "shut"):
                client = self.challenged(protocol, lambda wire, refuse: wire.send(f"+ {REASON}\r\n"))
                getattr(client, leave)()
                self.backend.wait_end()
                scrape = self.postern.settle()
                self.assertEqual(scrape.sum("postern_logins_total", result="ok"), 0)
                self.assertEqual(scrape.sum("postern_backend_failures_total"), 0)

    def test_a_client_that_never_answers(self):
        for protocol in self.each():
            client = self.challenged(protocol, lambda wire, refuse: wire.send(f"+ {REASON}\r\n"),
                                     timeouts={"login": "1s"})
            self.assertNotIn(b"OK", client.rest())
            self.closed(self.postern, "login_timeout")
            # It was the client that was silent.
            self.assertEqual(self.postern.scrape().sum("postern_backend_failures_total"), 0)

    def test_a_drain_does_not_wait_for_the_answer(self):
        for protocol in self.each():
            client = self.challenged(protocol, lambda wire, refuse: wire.send(f"+ {REASON}\r\n"),
                                     gateway={"drain": "20s"})
            self.postern.terminate()
            self.assertNotIn(b"a OK", client.rest())
            self.postern.wait(10)

    def test_both_mechanisms_with_and_without_initial_response_at_the_backend(self):
        for protocol in self.each():
            for mechanism in TOKENS:
                for ir in (True, False):
                    def after(wire, refuse):
                        wire.send(f"+ {REASON}\r\n")
                        wire.line()
                        refuse()
                    client = self.start(protocol, after, ir=ir)
                    line = authenticate(client, mechanism, "bob", "canary" * 100)
                    self.assertFalse(accepted(line))
                    self.assertRegex(line, rb"\[AUTHENTICATIONFAILED\]|\[AUTH\]")
                    if protocol == "pop3":  # the line is too long for RFC 2449, so the backend had to ask
                        self.assertIn(f"AUTH {mechanism}\r\n".encode(), self.backend.received)
                    self.assert_goes_on(client)

    def test_what_is_no_base64_is_not_relayed(self):
        for challenge in ("call 0900 {5}", "!!!!"):
            client = self.start("imap", lambda wire, refuse: wire.send(f"+ {challenge}\r\n"))
            self.begin(client)
            client.expect(rb"a NO \[UNAVAILABLE\]")
            self.assertNotIn(challenge.encode(), client.everything)

    def test_silence_behind_the_token_is_the_backends(self):
        for protocol in self.each():
            never = threading.Event()
            client = self.start(protocol, lambda wire, refuse: never.wait(0), timeouts={"login": "1s"})
            self.begin(client)
            self.assertRegex(client.rest(), rb"^(a NO|\* BYE|-ERR) \[(UNAVAILABLE|SYS/TEMP)\]")
            self.assertEqual(self.postern.scrape().by("postern_backend_failures_total", "reason"), {"timeout": 1})
