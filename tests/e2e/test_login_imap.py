"""Every way into IMAP, what is answered before login, and what must not get through."""

import base64

from harness.case import EndToEnd
from harness.dovecot import NAMED, message


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def plain(user, password, authzid=""):
    encode = lambda part: part if isinstance(part, bytes) else part.encode()
    return base64.b64encode(encode(authzid) + b"\0" + encode(user) + b"\0" + encode(password)).decode()


class LoginOnDovecot(EndToEnd):
    def setUp(self):
        super().setUp()
        self.postern = self.gateway()

    def test_login_accepts_atoms_and_quoted_strings(self):
        for arguments in ("bob secret", '"bob" "secret"', 'bob "secret"', '"b\\ob" "secret"'):
            with self.subTest(arguments=arguments):
                client = self.imap(self.postern)
                if "\\o" in arguments:  # only " and \ may be escaped; Dovecot refuses it, framing is not in doubt
                    client.command("LOGIN " + arguments, result=None)
                    continue
                client.command("LOGIN " + arguments)
                client.command("SELECT INBOX")

    def test_login_accepts_literals_of_both_kinds(self):
        for first in ("", "+"):
            for second in ("", "+"):
                with self.subTest(first=first, second=second):
                    client = self.imap(self.postern)
                    client.send(f"a LOGIN {{3{first}}}\r\n")
                    if not first:
                        client.expect(rb"\+")
                    client.send(f"ann {{10{second}}}\r\n")
                    if not second:
                        client.expect(rb"\+")
                    client.send("ann's pass\r\n")
                    self.assertIn(b"a OK", client.until("a")[1])
                    client.command("SELECT INBOX")

    def test_awkward_passwords_arrive_unchanged(self):
        for user, password in NAMED.items():
            secret = password.encode()
            with self.subTest(user=user, form="literal"):
                client = self.imap(self.postern)
                client.send(f"a LOGIN {user} {{{len(secret)}+}}\r\n".encode() + secret + b"\r\n")
                self.assertIn(b"a OK", client.until("a")[1])
            with self.subTest(user=user, form="quoted"):
                client = self.imap(self.postern)
                client.command(f"LOGIN {user} {quoted(password)}".encode())
            with self.subTest(user=user, form="plain"):
                client = self.imap(self.postern)
                client.command(f"AUTHENTICATE PLAIN {plain(user, password)}")

    def test_authenticate_plain_with_and_without_initial_response(self):
        client = self.imap(self.postern)
        client.command(f"AUTHENTICATE PLAIN {plain('bob', 'secret')}")
        client.command("SELECT INBOX")
        client = self.imap(self.postern)
        client.send("a authenticate plain\r\n")
        client.expect(rb"\+ ?\r\n")
        client.send(plain("bob", "secret") + "\r\n")
        self.assertIn(b"a OK", client.until("a")[1])
        client.command("SELECT INBOX")

    def test_a_login_works_byte_by_byte(self):
        client = self.imap(self.postern)
        client.drip(b"a LOGIN {3+}\r\nbob {6}\r\n")
        client.expect(rb"\+")
        client.drip(b"secret\r\nb NOOP\r\n")
        self.assertIn(b"a OK", client.until("a")[1])
        self.assertIn(b"b OK", client.until("b")[1])

    def test_a_cancelled_authenticate_is_bad_and_costs_no_attempt(self):
        client = self.imap(self.postern)
        for number in range(5):
            client.send(f"a{number} AUTHENTICATE PLAIN\r\n")
            client.expect(rb"\+")
            client.send("*\r\n")
            self.assertRegex(client.until(f"a{number}")[1], rb"^a\d BAD ")
        client.login("bob", "secret")

    def test_the_right_password_after_a_wrong_one_on_one_connection(self):
        client = self.imap(self.postern)
        client.command("LOGIN bob nonsense", result="NO")
        self.assertIn(b"[AUTHENTICATIONFAILED]", client.tagged)
        client.command(f"AUTHENTICATE PLAIN {plain('bob', 'nonsense')}", result="NO")
        self.assertIn(b"[AUTHENTICATIONFAILED]", client.tagged)
        client.command("LOGIN bob secret")
        client.command("SELECT INBOX")
        scrape = self.postern.scrape()
        self.assertEqual(scrape.sum("postern_logins_total", protocol="imap", mechanism="LOGIN", result="failed"), 1)
        self.assertEqual(scrape.sum("postern_logins_total", protocol="imap", mechanism="PLAIN", result="failed"), 1)
        self.assertEqual(scrape.sum("postern_logins_total", protocol="imap", mechanism="LOGIN", result="ok"), 1)

    def test_login_attempts_are_limited(self):
        client = self.imap(self.postern)
        for number in range(1, 4):
            client.send(f"a{number} LOGIN bob nonsense\r\n")
            self.assertIn(b"NO [AUTHENTICATIONFAILED]", client.until(f"a{number}")[1])
        client.expect(rb"\* BYE")
        client.expect_end()
        self.closed(self.postern, "login_failed")

    def test_before_login_capability_noop_id_and_logout_are_answered(self):
        client = self.imap(self.postern)
        self.assertRegex(client.greeting, rb"^\* OK ")
        self.assertIn(b"mail.example", client.greeting)
        untagged = b"".join(client.command("CAPABILITY"))
        for capability in (b"IMAP4rev1", b"LITERAL+", b"SASL-IR", b"AUTH=PLAIN", b"ID"):
            self.assertIn(capability, untagged.split())
        for capability in (b"STARTTLS", b"LITERAL-", b"COMPRESS=DEFLATE", b"LOGIN-REFERRALS", b"LOGINDISABLED"):
            self.assertNotIn(capability, untagged.split())
        client.command("NOOP")
        self.assertRegex(b"".join(client.command('ID ("name" "test" "version" NIL)')), rb"^\* ID ")
        self.assertRegex(b"".join(client.command("ID NIL")), rb"^\* ID ")
        client.send('c ID ("name" {4+}\r\ntest)\r\n')
        self.assertIn(b"c OK", client.until("c")[1])
        client.command("SELECT INBOX", result="BAD")
        client.command("XFOO", result="BAD")
        untagged, tagged = self.logout(client)
        self.assertRegex(b"".join(untagged), rb"^\* BYE ")
        client.expect_end()
        self.closed(self.postern, "logout")

    def logout(self, client):
        client.send("z LOGOUT\r\n")
        return client.until("z")

    def test_capabilities_after_login_are_the_backends_own_filtered(self):
        direct = self.dovecot.direct("bob")
        offered = set(direct.capability()[1][0].split())
        direct.logout()
        client = self.imap(self.postern)
        client.command("LOGIN bob secret")
        seen = set(b"".join(client.command("CAPABILITY")).split()[2:])
        withheld = {b"LOGIN-REFERRALS", b"STARTTLS", b"COMPRESS=DEFLATE", b"LITERAL-"}
        self.assertEqual(seen & withheld, set())
        self.assertLessEqual(seen - offered, {b"LITERAL+", b"ID"})
        for name in (b"IMAP4rev1", b"LITERAL+", b"SORT", b"IDLE", b"CATENATE", b"BINARY", b"NOTIFY", b"QRESYNC",
                     b"THREAD=REFS", b"MOVE", b"MULTIAPPEND", b"SPECIAL-USE", b"UIDPLUS"):
            self.assertIn(name, seen)
        # A code in the tagged OK of the login, if there is one, says the same.
        client = self.imap(self.postern)
        client.command("LOGIN bob secret")
        if b"[CAPABILITY" in client.tagged:
            code = client.tagged.split(b"[CAPABILITY ")[1].split(b"]")[0]
            self.assertEqual(set(code.split()), seen)

    def test_commands_pipelined_behind_the_login_are_all_answered(self):
        user = self.dovecot.new_user()
        self.dovecot.fill(user, [message(1)])
        client = self.imap(self.postern)
        client.send(f"a LOGIN {user} secret\r\nb SELECT INBOX\r\nc FETCH 1 BODY.PEEK[]\r\nd LOGOUT\r\n")
        for tag in "abcd":
            self.assertIn(b" OK", client.until(tag)[1])
        client.expect_end()


class LoginOnScripts(EndToEnd):
    def setUp(self):
        super().setUp()
        self.backend = self.imap_backend()
        self.postern = self.gateway(self.backend)

    def test_bytes_pipelined_behind_the_login_reach_the_backend_exactly_once(self):
        behind = b"b SELECT INBOX\r\nc FETCH 1 BODY[]\r\nd LOGOUT\r\n"
        for login in (b"a LOGIN bob secret\r\n", b"a LOGIN {3+}\r\nbob {6+}\r\nsecret\r\n",
                      b"a AUTHENTICATE PLAIN " + plain("bob", "secret").encode() + b"\r\n"):
            with self.subTest(login=login):
                number = len(self.backend.wires)
                client = self.imap(self.postern)
                client.send(login + behind)
                self.assertIn(b"a OK", client.until("a")[1])
                self.assertIn(b"d OK", self.last(client, b"d"))
                self.assertEqual(self.backend.wait_end(number).relayed, behind)
                self.assertEqual(self.backend.wire(number).credentials, (b"bob", b"secret"))

    def last(self, client, tag):
        while True:
            line = client.line()
            if line.startswith(tag + b" "):
                return line

    def test_login_stays_login_and_plain_stays_plain(self):
        client = self.imap(self.postern, "bob")
        client.logout()
        self.assertIn(b" LOGIN ", self.backend.wire(0).received)
        client = self.imap(self.postern)
        client.command(f"AUTHENTICATE PLAIN {plain('bob', 'secret')}")
        self.assertIn(b"AUTHENTICATE PLAIN", self.backend.wire(1).received)

    def test_credentials_with_line_ends_or_nul_never_reach_a_backend(self):
        evil = []
        for part in (b"\r\nx DELETE INBOX", b"\n", b"\r"):
            evil += [base64.b64encode(b"\0bob" + part + b"\0secret"), base64.b64encode(b"\0bob\0secret" + part),
                     base64.b64encode(b"bob" + part + b"\0bob\0secret")]
        evil += [base64.b64encode(b"\0bob\0sec\0ret"), b"!!!!", b"AGJvYgBzZWNyZXQ", b"=", b"A==="]
        for blob in evil:
            with self.subTest(blob=blob):
                client = self.imap(self.postern)
                client.send(b"a AUTHENTICATE PLAIN " + blob + b"\r\n")
                self.assertRegex(client.until("a")[1], rb"^a (NO|BAD) ")
                client.close()
        for literal in (b"s\0crt", b"s\r\ncrt", b"s\ncrt"):
            with self.subTest(literal=literal):
                client = self.imap(self.postern)
                client.send(b"a LOGIN bob {%d+}\r\n%s\r\n" % (len(literal), literal))
                self.assertRegex(client.until("a")[1], rb"^a (NO|BAD) ")
                client.close()
        self.assertNotIn(b"LOGIN", self.backend.received)
        self.assertNotIn(b"AUTH", self.backend.received)

    def test_8_bit_passwords_reach_the_backend_unchanged(self):
        secret = "p\u00e4ss".encode("latin-1") + b"\xff\xfe"
        for form in (b'"' + secret + b'"', b"{%d+}\r\n%s" % (len(secret), secret)):
            number = len(self.backend.wires)
            client = self.imap(self.postern)
            client.send(b"a LOGIN bob " + form + b"\r\n")
            self.assertIn(b"a OK", client.until("a")[1])
            self.assertEqual(self.backend.wire(number).credentials, (b"bob", secret))

    def test_an_http_request_closes_at_once_and_nothing_is_echoed(self):
        for verb in (b"GET / HTTP/1.1", b"POST /x HTTP/1.1", b"HEAD / HTTP/1.0", b"OPTIONS * HTTP/1.1",
                     b"PUT /x HTTP/1.1"):
            with self.subTest(verb=verb):
                client = self.imap(self.postern)
                client.send(verb + b"\r\nHost: canary.example\r\n\r\na LOGIN bob secret\r\n")
                rest = client.rest()
                self.assertNotIn(b"canary", rest)
                self.assertNotIn(b"a ", rest)
                self.assertLessEqual(rest.count(b"\r\n"), 1)
        self.closed(self.postern, "http")
        self.assertEqual(self.backend.received, b"")

    def test_an_unknown_mechanism_is_refused_without_a_backend(self):
        client = self.imap(self.postern)
        client.command("AUTHENTICATE GSSAPI", result="NO")
        self.assertIn(b"[CANNOT]", client.tagged)
        client.login("bob")

    def test_a_coded_no_of_the_backend_is_relayed_and_referrals_are_not(self):
        def script(wire):
            wire.send("* OK [CAPABILITY IMAP4rev1] hi\r\n")
            while True:
                tag, verb, *_ = wire.line().decode().split() + [""]
                if verb == "LOGIN":
                    wire.send(f"{tag} NO {answers.pop(0)}\r\n")
                elif verb == "LOGOUT":
                    return
                else:
                    wire.send(f"* CAPABILITY IMAP4rev1\r\n{tag} OK\r\n")
        answers = ["[LIMIT] too many sessions", "[REFERRAL imap://evil.example/] go there"]
        backend = self.scripted(script)
        postern = self.gateway(backend)
        client = self.imap(postern)
        client.command("LOGIN bob secret", result="NO")
        self.assertIn(b"[LIMIT]", client.tagged)
        client.command("LOGIN bob secret", result="NO")
        self.assertNotIn(b"evil", client.tagged)

    def test_the_login_ends_only_when_the_capabilities_are_known(self):
        backend = self.imap_backend(code=False)
        postern = self.gateway(backend)
        client = self.imap(postern, "bob")
        seen = b"".join(client.command("CAPABILITY"))
        self.assertIn(b"CATENATE", seen)
        self.assertIn(b"CAPABILITY", backend.wire(0).relayed)

    def test_a_login_that_takes_too_long_is_ended(self):
        postern = self.gateway(self.backend, timeouts={"login": "1s"})
        client = self.imap(postern)
        client.expect(rb"\* BYE")
        client.expect_end()
        self.closed(postern, "login_timeout")

    def test_before_login_lines_are_bounded(self):
        client = self.imap(self.postern)
        client.try_send(b"a NOOP " + b"(" * 20000)
        self.assertNotIn(b"a OK", client.rest())
        self.closed(self.postern, "client_protocol")
        self.assertEqual(self.backend.received, b"")

    def test_id_after_login_loses_what_would_be_believed(self):
        client = self.imap(self.postern, "bob")
        client.command('ID ("name" "mua" "X-Originating-IP" "10.0.0.1" "x-session-id" "y")')
        client.send('i ID ("x-connected-ip" {8+}\r\n10.0.0.9 "vendor" "acme")\r\n')
        self.assertIn(b"i OK", client.until("i")[1])
        relayed = self.backend.wire(0).relayed
        for word in (b"10.0.0.1", b"10.0.0.9", b"x-session-id", b"originating"):
            self.assertNotIn(word, relayed.lower() if word.islower() else relayed)
        self.assertIn(b"mua", relayed)
        self.assertIn(b"acme", relayed)
