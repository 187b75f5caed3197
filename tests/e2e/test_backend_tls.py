"""Backends behind TLS: what is accepted works to the byte; what is not gets no login and no second try."""

import threading

from harness.authority import Authority
from harness.backend_tls import KINDS, BackendTls
from harness.dovecot import message
from harness.postern import command, configuration
from harness.scripts import ImapScript, Pop3Script
from harness.sockets import server_context


class OnDovecot(BackendTls):
    def setUp(self):
        super().setUp()
        self.user = self.provider.new_user()

    def place(self, kind):
        return self.provider.place(tls=kind == "implicit")

    def test_chain_and_name(self):
        for kind in KINDS:
            with self.subTest(kind=kind):
                postern = self.gateway(self.place(kind), pool=self.pool(kind))
                self.assert_works(postern, self.user)
                counted = postern.scrape().all("postern_login_duration_seconds_count", phase="tls")
                self.assertEqual(sum(value for _, value in counted), 2, counted)
        for login in self.provider.logins(self.user):
            self.assertIn("TLS", login["rest"])
        self.assertEqual(len(self.provider.logins(self.user)), 4)

    def test_a_pin(self):
        pin = self.provider.leaf.pin
        for kind in KINDS:
            for pins in ([pin], ["sha256//" + pin], ["sha256//" + "A" * 43 + "=", pin]):
                with self.subTest(kind=kind, pins=pins):
                    self.assert_works(self.gateway(self.place(kind), pool=self.pinned(kind, *pins)), self.user)

    def test_without_verification_if_that_is_said_twice(self):
        for kind in KINDS:
            self.assert_works(self.gateway(self.place(kind), pool={"tls": kind, "verify": "none", "insecure": True}),
                              self.user)
        path = self.folder() / "postern.toml"
        path.write_text(configuration([self.place("implicit")], pool={"tls": "implicit", "verify": "none"}))
        code, out, error = command("check", "-c", str(path))
        self.assertEqual(code, 1)
        self.assertIn("insecure", out + error)
        path.write_text(configuration([self.place("implicit")],
                                      pool={"tls": "implicit", "verify": "none", "insecure": True}))
        code, out, error = command("check", "-c", str(path))
        self.assertEqual(code, 0, out + error)
        self.assertIn("warning", (out + error).lower())

    def test_mail_passes_to_the_byte(self):
        originals = [message(1), message(2, size=3_000_000)]
        for kind in KINDS:
            user = self.provider.new_user()
            postern = self.gateway(self.place(kind), pool=self.pool(kind))
            client = self.imap(postern, user)
            for number, original in enumerate(originals):
                client.append("INBOX", original, plus=bool(number))
            client.command("SELECT INBOX")
            fetched = b"".join(client.command("FETCH 1:* BODY.PEEK[]"))
            for original in originals:
                self.assertIn(original, fetched)
            client.logout()
            self.assertEqual(self.provider.messages(user), originals)
            client = self.pop3(postern, user)
            self.assertEqual(client.many("RETR 2"), originals[1])
            client.quit()

    def test_wrong_passwords_are_still_wrong_passwords(self):
        for kind in KINDS:
            postern = self.gateway(self.place(kind), pool=self.pool(kind))
            client = self.imap(postern)
            client.command(f"LOGIN {self.user} nonsense", result="NO")
            self.assertIn(b"[AUTHENTICATIONFAILED]", client.tagged)
            client.login(self.user).logout()
            self.assertEqual(postern.scrape().sum("postern_backend_failures_total"), 0)

    def test_the_wrong_authority(self):
        for kind in KINDS:
            other = Authority("Another Root")
            self.addCleanup(other.remove)
            postern = self.gateway(self.place(kind), pool=self.pool(kind, ca=str(other.root)))
            client = self.imap(postern)
            client.command(f"LOGIN {self.user} secret", result="NO")
            self.assertIn(b"[UNAVAILABLE]", client.tagged)
            self.assertEqual(postern.scrape().by("postern_backend_failures_total", "reason"), {"tls": 1})
        self.assertEqual(self.provider.logins(self.user), [])


class Tricks(BackendTls):
    """What a backend, or someone in between, may try before TLS (SECURITY T-TLS-2)."""

    def setUp(self):
        super().setUp()
        self.tls_context = server_context(self.authority.leaf())

    def unavailable(self, kind, script, protocol="imap", reason="tls"):
        return self.assert_unavailable(self.scripted(script), self.pool(kind), protocol, reason)

    def test_plain_text_on_a_tls_port(self):
        def script(wire):
            wire.send("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\npostern0 OK\r\npostern1 OK\r\n* 23 EXISTS\r\n")
            wire.drain()
        self.unavailable("implicit", script)

        def pop3(wire):
            wire.send("+OK hi\r\n+OK\r\n+OK\r\n+OK in\r\n")
            wire.drain()
        self.unavailable("implicit", pop3, "pop3")

    def test_preauth_is_refused(self):
        def inside(wire):
            wire.secure(self.tls_context)
            wire.send("* PREAUTH [CAPABILITY IMAP4rev1] welcome\r\n* 23 EXISTS\r\n")
            wire.drain()
        self.unavailable("implicit", inside, reason="greeting")

        def before(wire):
            wire.send("* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] welcome\r\n* 23 EXISTS\r\n")
            wire.drain()
        self.unavailable("starttls", before, reason="greeting")

    def test_starttls_that_is_not_offered_is_not_done_without(self):
        self.unavailable("starttls", ImapScript())
        self.unavailable("starttls", Pop3Script(), "pop3")

    def test_starttls_that_is_refused_is_not_done_without(self):
        def imap(wire):
            wire.send("* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] hi\r\n")
            while True:
                tag, verb = wire.line().decode().split()[:2]
                wire.send(f"{tag} NO not now\r\n" if verb == "STARTTLS" else f"{tag} OK\r\n")
        self.unavailable("starttls", imap)

        def pop3(wire):
            wire.send("+OK hi\r\n")
            while True:
                wire.send("-ERR not now\r\n" if wire.line().startswith(b"STLS") else "+OK\r\nUSER\r\nSTLS\r\n.\r\n")
        self.unavailable("starttls", pop3, "pop3")

    def after_starttls(self, protocol, more, late):
        """Says `more` behind the answer to STARTTLS, with it or once the ClientHello came."""
        def script(wire):
            imap = protocol == "imap"
            wire.send("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n" if imap else "+OK hi\r\n")
            line = wire.line()
            while b"ST" not in line:  # STARTTLS, STLS
                wire.send(f"{line.split()[0].decode()} OK\r\n" if imap else "+OK\r\nUSER\r\nSTLS\r\n.\r\n")
                line = wire.line()
            answer = f"{line.split()[0].decode()} OK begin\r\n" if imap else "+OK begin\r\n"
            wire.send(answer + ("" if late else more))
            if late:
                wire.fill()
                wire.send(more)
            wire.drain()
        return script

    def test_bytes_behind_the_answer_to_starttls_are_poison(self):
        for late in (False, True):
            reason = "tls" if late else "protocol"
            for more in ("* 23 EXISTS\r\n", "* OK [ALERT] call 0900\r\n", "postern0 OK\r\n", "\r\n", "x"):
                with self.subTest(more=more, late=late):
                    self.unavailable("starttls", self.after_starttls("imap", more, late), reason=reason)
                    self.unavailable("starttls", self.after_starttls("pop3", more, late), "pop3", reason)

    def test_what_was_said_before_tls_is_forgotten(self):
        def script(wire):
            wire.send("* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=XOAUTH2 XLURE ID] hi\r\n")
            tag = wire.line().split()[0].decode()
            wire.send(f"* OK [ALERT] call 0900\r\n{tag} OK begin\r\n")
            wire.secure(self.tls_context)
            ImapScript(greeting="", capabilities="IMAP4rev1 IDLE")(wire)
        backend = self.scripted(script)
        postern = self.gateway(backend, pool=self.pool("starttls"))
        client = self.imap(postern)
        client.command("LOGIN ann secret")
        self.assertNotIn(b"0900", client.everything)
        self.assertNotIn(b"XLURE", b"".join(client.command("CAPABILITY")))
        client.logout()
        received = backend.wait_end().received
        self.assertNotIn(b"ID (", received.split(b"STARTTLS\r\n", 1)[1])

    def test_a_handshake_that_does_not_end_is_given_up(self):
        def script(wire):
            wire.drain()
        postern = self.gateway(self.scripted(script), pool=self.pool("implicit"), timeouts={"connect": "1s"})
        client = self.imap(postern)
        client.command("LOGIN ann secret", result="NO")
        self.assertIn(b"[UNAVAILABLE]", client.tagged)
        self.assertEqual(postern.scrape().by("postern_backend_failures_total", "reason"), {"timeout": 1})

    def test_a_good_backend_takes_over(self):
        bad_leaf = self.authority.leaf(("DNS:mail.example",))
        for kind in KINDS:
            for protocol, connect in (("imap", self.imap), ("pop3", self.pop3)):
                with self.subTest(kind=kind, protocol=protocol):
                    good = self.behind(kind, self.tls_context, protocol)
                    tried = 0
                    # The user decides which is asked first; of so many, some meet the bad one.
                    for number in range(8):
                        bad = self.behind(kind, server_context(bad_leaf), protocol)
                        postern = self.gateway(bad, good, pool=self.pool(kind))
                        connect(postern, f"user{number}").close()
                        self.assertLessEqual(len(bad.wires), 1)
                        tried += len(bad.wires)
                        self.assertNotIn(b"secret", bad.received)
                    self.assertGreater(tried, 0)
                    self.assertEqual(len(good.wires), 8)

    def test_one_attempt_a_login(self):
        backend = self.behind("implicit", server_context(self.authority.self_signed()))
        postern = self.gateway(backend, pool=self.pool("implicit"), limits={"login_attempts": 20})
        client = self.imap(postern)
        for number in range(1, 5):
            client.command("LOGIN ann secret", result="NO")
            self.assertIn(b"[UNAVAILABLE]", client.tagged)
            self.assertLessEqual(len(backend.wires), number)

    def test_a_cut_below_tls_stays_a_cut(self):
        held = threading.Event()

        def fetch(wire, tag, line):
            wire.send("* 1 FETCH (BODY[] {1000}\r\nhalf")
            wire.wait(held)
            return "end"  # closes without close_notify
        backend = self.behind("implicit", self.tls_context, on={"FETCH": fetch})
        client = self.imap(self.gateway(backend, pool=self.pool("implicit")), "ann")
        client.send("a FETCH 1 BODY[]\r\n")
        client.expect(rb"\* 1 FETCH")
        client.read(4)
        held.set()
        client.expect_end(clean=False)
