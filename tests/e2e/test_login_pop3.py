"""Every way into POP3, and what is answered before login."""

import base64

from harness.case import EndToEnd
from harness.dovecot import NAMED, message


def plain(user, password, authzid=""):
    return base64.b64encode(b"\0".join(each.encode() if isinstance(each, str) else each
                                       for each in (authzid, user, password))).decode()


class LoginOnDovecot(EndToEnd):
    def setUp(self):
        super().setUp()
        self.postern = self.gateway()

    def test_user_and_pass_carry_the_password_verbatim(self):
        for user, password in NAMED.items():
            with self.subTest(user=user):
                client = self.pop3(self.postern)
                client.command(f"USER {user}")
                client.command(f"PASS {password}")
                client.command("STAT")
                client.quit()

    def test_auth_plain_with_and_without_initial_response(self):
        client = self.pop3(self.postern)
        client.command(f"AUTH PLAIN {plain('bell', NAMED['bell'])}")
        client.quit()
        client = self.pop3(self.postern)
        client.send("auth plain\r\n")
        client.expect(rb"\+ ?\r\n")
        client.send(plain("bell", NAMED["bell"]) + "\r\n")
        client.expect(rb"\+OK")
        client.quit()

    def test_a_cancelled_auth_costs_no_attempt(self):
        client = self.pop3(self.postern)
        for _ in range(5):
            client.send("AUTH PLAIN\r\n")
            client.expect(rb"\+ ?\r\n")
            client.command("*", good=False)
        client.login("bob")
        client.quit()

    def test_the_right_password_after_a_wrong_one(self):
        client = self.pop3(self.postern)
        client.command("USER bob")
        self.assertIn(b"[AUTH]", client.command("PASS nonsense", good=False))
        client.command("USER bob")
        client.command("PASS secret")
        client.quit()
        scrape = self.postern.scrape()
        self.assertEqual(scrape.by("postern_logins_total", "result", protocol="pop3", mechanism="USER"),
                         {"failed": 1, "ok": 1})

    def test_login_attempts_are_limited(self):
        client = self.pop3(self.postern)
        for _ in range(3):
            client.send("USER bob\r\nPASS nonsense\r\n")
            client.expect(rb"\+OK")
            client.expect(rb"-ERR \[AUTH\]")
        client.expect_end()
        self.closed(self.postern, "login_failed")

    def test_capa_before_and_after_login(self):
        client = self.pop3(self.postern)
        before = set(client.many("CAPA").splitlines())
        for line in (b"USER", b"RESP-CODES", b"AUTH-RESP-CODE", b"PIPELINING", b"SASL PLAIN LOGIN XOAUTH2 OAUTHBEARER"):
            self.assertIn(line, before)
        self.assertFalse({b"STLS", b"APOP"} & before)
        client.login("bob")
        after = set(client.many("CAPA").splitlines())
        for line in (b"TOP", b"UIDL", b"RESP-CODES", b"AUTH-RESP-CODE", b"PIPELINING"):
            self.assertIn(line, after)
        self.assertFalse(any(line.startswith((b"STLS", b"XCLIENT")) for line in after))
        client.quit()

    def test_bare_auth_lists_the_mechanisms(self):
        client = self.pop3(self.postern)
        self.assertEqual(client.many("AUTH").split(), [b"PLAIN", b"LOGIN", b"XOAUTH2", b"OAUTHBEARER"])
        client.login("bob")
        client.quit()

    def test_a_greeting_offers_no_apop(self):
        client = self.pop3(self.postern)
        self.assertNotIn(b"<", client.greeting)
        client.command("APOP bob c4c9334bac560ecc979e58001b3e22fb", good=False)

    def test_mailbox_commands_before_login_are_refused(self):
        client = self.pop3(self.postern)
        for text in ("STAT", "LIST", "RETR 1", "DELE 1", "XFOO"):
            client.command(text, good=False)
            if text == "DELE 1":
                break
        client.close()

    def test_commands_pipelined_behind_the_login_are_answered_in_order(self):
        user = self.dovecot.new_user()
        self.dovecot.fill(user, [message(1)])
        client = self.pop3(self.postern)
        client.send(f"USER {user}\r\nPASS secret\r\nSTAT\r\nRETR 1\r\nQUIT\r\n")
        for pattern in (rb"\+OK", rb"\+OK", rb"\+OK 1 ", rb"\+OK"):
            client.expect(pattern)
        self.assertEqual(client.body(), message(1))
        client.expect(rb"\+OK")
        client.expect_end()
        self.closed(self.postern, "logout")

    def test_quit_before_login_ends_in_order(self):
        client = self.pop3(self.postern)
        client.quit()
        self.closed(self.postern, "logout")


class LoginOnScripts(EndToEnd):
    def setUp(self):
        super().setUp()
        self.backend = self.pop3_backend()
        self.postern = self.gateway(self.backend)

    def test_bytes_pipelined_behind_the_login_reach_the_backend_exactly_once(self):
        behind = b"STAT\r\nLIST\r\nQUIT\r\n"
        for login in (b"USER bob\r\nPASS secret\r\n", b"AUTH PLAIN " + plain("bob", "secret").encode() + b"\r\n"):
            with self.subTest(login=login):
                number = len(self.backend.wires)
                client = self.pop3(self.postern)
                client.send(login + behind)
                client.rest()
                self.assertTrue(client.clean_end)
                self.assertEqual(self.backend.wait_end(number).relayed, behind)
                self.assertEqual(self.backend.wire(number).credentials, (b"bob", b"secret"))

    def test_credentials_with_line_ends_never_reach_a_backend(self):
        for blob in (base64.b64encode(b"\0u\r\nDELE 1\0p"), base64.b64encode(b"\0u\0p\r\nDELE 1"),
                     base64.b64encode(b"z\r\nDELE 1\0u\0p"), base64.b64encode(b"\0u\0p\0q"), b"@@@@", b"="):
            with self.subTest(blob=blob):
                client = self.pop3(self.postern)
                client.send(b"AUTH PLAIN " + blob + b"\r\n")
                client.expect(rb"-ERR")
                client.close()
        for word in (b"DELE", b"USER", b"PASS", b"AUTH"):
            self.assertNotIn(word, self.backend.received)

    def test_spaces_in_a_password_are_part_of_it(self):
        client = self.pop3(self.postern)
        client.command("USER bob")
        client.command("PASS  lead and trail ")
        self.assertEqual(self.backend.wire(0).credentials, (b"bob", b" lead and trail "))

    def test_an_http_request_closes_at_once(self):
        client = self.pop3(self.postern)
        client.send(b"POST / HTTP/1.1\r\nHost: canary.example\r\n\r\nUSER bob\r\nPASS secret\r\n")
        rest = client.rest()
        self.assertNotIn(b"canary", rest)
        self.assertLessEqual(rest.count(b"\r\n"), 1)
        self.closed(self.postern, "http")
        self.assertEqual(self.backend.received, b"")

    def test_an_unknown_mechanism_is_refused(self):
        client = self.pop3(self.postern)
        client.command("AUTH GSSAPI", good=False)
        client.login("bob")

    def test_pass_without_user_is_refused(self):
        client = self.pop3(self.postern)
        client.command("PASS secret", good=False)
        client.login("bob")
