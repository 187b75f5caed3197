"""Every mechanism on both protocols, against Dovecot and its own OAuth passdb."""

import base64
import imaplib
import json
import os
import poplib
import shutil
import subprocess
import unittest

from harness.authority import Authority
from harness.case import EndToEnd
from harness.client import Imap, context
from harness.dovecot import message
from harness.exchange import MECHANISMS, TOKENS, accepted, authenticate, encode, fragments, messages, play
from harness.postern import listener, sanitized
from harness.sockets import host_and_port

LONG = 3000


class OnDovecot(EndToEnd):
    def setUp(self):
        super().setUp()
        self.user = self.provider.new_user()
        self.postern = self.gateway(self.provider.place())
        self.secrets = []

    def secret(self, mechanism, size=0):
        made = self.provider.tokens.good(self.user, size) if mechanism in TOKENS else "secret"
        self.secrets.append(made)
        return made

    def clients(self):
        yield "imap", self.imap
        yield "pop3", self.pop3

    def works(self, client):
        client.command("NOOP")
        if isinstance(client, Imap):
            client.logout()
        else:
            client.quit()

    def logins(self, **labels):
        return self.postern.scrape().by("postern_logins_total", "result", **labels)

    def assert_no_secret(self, *more):
        text = json.dumps(self.postern.events) + self.postern.scrape().text + self.postern.stderr()
        for each in ("canary." + self.user, *more):
            for shape in (each, *fragments(each)):
                self.assertNotIn(shape, text)

    def test_every_mechanism_with_and_without_initial_response(self):
        for protocol, connect in self.clients():
            for mechanism in MECHANISMS:
                for initial in (True, False):
                    with self.subTest(protocol=protocol, mechanism=mechanism, initial=initial):
                        client = connect(self.postern)
                        line = authenticate(client, mechanism, self.user, self.secret(mechanism), initial)
                        self.assertTrue(accepted(line), line)
                        self.works(client)
                self.assertEqual(self.logins(protocol=protocol, mechanism=mechanism), {"ok": 2})
        used = [each["method"] for each in self.provider.logins(self.user)]
        # PLAIN stays PLAIN and a token's mechanism is the client's; LOGIN may become what the backend has.
        for mechanism in ("PLAIN", *TOKENS):
            self.assertGreaterEqual(used.count(mechanism), 4, used)
        self.assert_no_secret()

    def test_mechanism_names_are_read_in_any_case(self):
        for protocol, connect in self.clients():
            for name in ("xoauth2", "OAuthBearer", "Plain", "login"):
                with self.subTest(protocol=protocol, name=name):
                    client = connect(self.postern)
                    lines = [encode(each) for each in messages(name.upper(), self.user, self.secret(name.upper()))]
                    self.assertTrue(accepted(play(client, name, lines)[1]))
                    self.works(client)

    def test_long_tokens(self):
        for protocol, connect in self.clients():
            for mechanism in TOKENS:
                # As a continuation, and as a line far over the 255 octets of RFC 2449.
                for initial in (False, True):
                    with self.subTest(protocol=protocol, mechanism=mechanism, initial=initial):
                        client = connect(self.postern)
                        token = self.secret(mechanism, LONG)
                        self.assertTrue(accepted(authenticate(client, mechanism, self.user, token, initial)))
                        self.works(client)
                        self.assertEqual(self.provider.tokens.asked[-1], token)
        self.assert_no_secret()

    def test_a_wrong_token_is_told_and_the_right_one_works_on_the_same_connection(self):
        for protocol, connect in self.clients():
            for mechanism in TOKENS:
                for initial in (True, False):
                    with self.subTest(protocol=protocol, mechanism=mechanism, initial=initial):
                        client = connect(self.postern)
                        lines = [encode(each) for each in messages(mechanism, self.user, "canary.wrong")]
                        answer = "AQ==" if mechanism == "OAUTHBEARER" else ""
                        challenges, line = play(client, mechanism, [*lines, answer], initial)
                        self.assertEqual(len(challenges), 1 if initial else 2)
                        told = json.loads(base64.b64decode(challenges[-1]))
                        self.assertIn(told["status"], ("401", "400", "invalid_token"))
                        self.assertRegex(line, rb"^t\d+ NO \[AUTHENTICATIONFAILED\]|^-ERR \[AUTH\]")
                        self.assertTrue(accepted(authenticate(client, mechanism, self.user, self.secret(mechanism))))
                        self.works(client)
                self.assertEqual(self.logins(protocol=protocol, mechanism=mechanism), {"failed": 2, "ok": 2})
        self.assert_no_secret("canary.wrong")
        self.assertEqual(len([each for each in self.postern.events if each.get("event") == "login_failed"
                              and each.get("mechanism") in TOKENS]), 8)

    def test_a_refused_challenge_may_be_cancelled_or_answered_with_a_lone_a(self):
        for protocol, connect in self.clients():
            for mechanism in TOKENS:
                for answer in ("*", "AQ==", "", "A" * 64):
                    with self.subTest(protocol=protocol, mechanism=mechanism, answer=answer):
                        client = connect(self.postern)
                        lines = [encode(each) for each in messages(mechanism, self.user, "canary.wrong")]
                        challenges, line = play(client, mechanism, [*lines, answer])
                        self.assertEqual(len(challenges), 1)
                        self.assertFalse(accepted(line), line)
                        client.close()

    def test_after_login_no_copy_of_a_token_is_left_in_memory(self):
        if sanitized():
            raise unittest.SkipTest("a sanitizer keeps freed memory")
        token = self.secret("XOAUTH2", 900)
        pool = {"tls": "starttls", "ca": str(Authority.shared().root), "verify_name": "mail.internal"}
        for postern in (self.postern, self.gateway(self.provider.place(), pool=pool)):
            for _, connect in self.clients():
                for mechanism in TOKENS:
                    for initial in (True, False):
                        client = connect(postern)
                        self.assertTrue(accepted(authenticate(client, mechanism, self.user, token, initial)))
                        client.command("NOOP")
            for shape in (token[:60], *(each[:60] for each in fragments(token))):
                self.assertEqual(postern.copies(shape.encode()), [])

    def test_token_attempts_are_limited(self):
        for protocol, connect in self.clients():
            client = connect(self.postern)
            for _ in range(3):
                self.assertFalse(accepted(authenticate(client, "XOAUTH2", self.user, "canary.wrong")))
            self.assertRegex(client.rest(), rb"^(\* BYE [^\r\n]*\r\n)?$")
            self.closed(self.postern, "login_failed", protocol=protocol)

    def test_wrong_passwords_are_told_by_the_code(self):
        for protocol, connect in self.clients():
            for mechanism in ("PLAIN", "LOGIN"):
                client = connect(self.postern)
                line = authenticate(client, mechanism, self.user, "canary.wrong")
                self.assertRegex(line, rb"^t\d+ NO \[AUTHENTICATIONFAILED\]|^-ERR \[AUTH\]")
                self.assertTrue(accepted(authenticate(client, mechanism, self.user, "secret")))
                self.works(client)
                self.assertEqual(self.logins(protocol=protocol, mechanism=mechanism), {"failed": 1, "ok": 1})
        self.assert_no_secret()

    def test_a_cancelled_exchange_is_no_attempt(self):
        for protocol, connect in self.clients():
            client = connect(self.postern)
            for mechanism in MECHANISMS:
                line = play(client, mechanism, ["*"], initial=False)[1]
                self.assertRegex(line, rb"^t\d+ BAD|^-ERR")
                self.assertNotRegex(line, rb"\[AUTH\]|AUTHENTICATIONFAILED")
            client.command("CAPABILITY") if protocol == "imap" else client.many("CAPA")
            # LOGIN also between the name and the password.
            self.assertRegex(play(client, "LOGIN", [encode(self.user), "*"])[1], rb"^t\d+ BAD|^-ERR")
            self.assertEqual(self.logins(protocol=protocol, result="failed"), {})
            self.assertTrue(accepted(authenticate(client, "PLAIN", self.user, "secret")))
            self.works(client)

    def test_an_unknown_mechanism_cannot_be_had(self):
        for protocol, connect in self.clients():
            for name in ("CRAM-MD5", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "GSSAPI", "X", "PLAINX", "USER"):
                client = connect(self.postern)
                for initial in (True, False):
                    challenges, line = play(client, name, ["AAAA"], initial)
                    self.assertEqual(challenges, [])
                    self.assertRegex(line, rb"^t\d+ NO \[CANNOT\]|^-ERR ")
                    self.assertNotIn(b"[AUTH]", line)
                self.assertTrue(accepted(authenticate(client, "PLAIN", self.user, "secret")))
                self.works(client)
            self.assertEqual(self.logins(protocol=protocol, result="failed"), {})

    def test_a_token_of_another_user_is_refused(self):
        for protocol, connect in self.clients():
            client = connect(self.postern)
            line = authenticate(client, "XOAUTH2", self.provider.new_user(), self.secret("XOAUTH2"))
            self.assertFalse(accepted(line), (protocol, line))
            client.close()

    def test_capabilities_name_the_mechanisms(self):
        client = self.imap(self.postern)
        words = client.command("CAPABILITY")[0].split()
        self.assertEqual({each for each in words if each.startswith(b"AUTH=")},
                         {b"AUTH=" + each.encode() for each in MECHANISMS})
        self.assertIn(b"SASL-IR", words)
        client = self.pop3(self.postern)
        sasl = [line for line in client.many("CAPA").splitlines() if line.startswith(b"SASL")]
        self.assertEqual([set(line.split()) for line in sasl], [{b"SASL", *(each.encode() for each in MECHANISMS)}])
        self.assertEqual(set(client.many("AUTH").split()), {each.encode() for each in MECHANISMS})


class Restricted(EndToEnd):
    """Listeners that take tokens only, or passwords only."""

    def setUp(self):
        super().setUp()
        self.user = self.provider.new_user()
        self.token = self.provider.tokens.good(self.user)
        self.postern = self.gateway(self.provider.place(), listeners=[
            listener("imap-tokens", mechanisms=["XOAUTH2"]), listener("pop3-tokens", mechanisms=["XOAUTH2"]),
            listener("imap-plain", mechanisms=["PLAIN"]), listener("pop3-plain", mechanisms=["PLAIN"])])

    def test_tokens_only(self):
        client = self.imap(self.postern, at="imap-tokens")
        words = client.command("CAPABILITY")[0].split()
        self.assertEqual([each for each in words if each.startswith(b"AUTH=")], [b"AUTH=XOAUTH2"])
        self.assertIn(b"LOGINDISABLED", words)
        client.command(f"LOGIN {self.user} secret", result="NO")
        for mechanism in ("PLAIN", "LOGIN", "OAUTHBEARER"):
            self.assertRegex(authenticate(client, mechanism, self.user, "secret"), rb"^t\d+ NO \[CANNOT\]")
        self.assertTrue(accepted(authenticate(client, "XOAUTH2", self.user, self.token)))
        client.logout()

        client = self.pop3(self.postern, at="pop3-tokens")
        lines = client.many("CAPA").splitlines()
        self.assertIn(b"SASL XOAUTH2", lines)
        self.assertNotIn(b"USER", lines)
        client.command(f"USER {self.user}", good=False)
        for mechanism in ("PLAIN", "LOGIN", "OAUTHBEARER"):
            self.assertRegex(authenticate(client, mechanism, self.user, "secret"), rb"^-ERR ")
        self.assertEqual(client.many("AUTH"), b"XOAUTH2\r\n")
        self.assertTrue(accepted(authenticate(client, "XOAUTH2", self.user, self.token)))
        client.quit()

    def test_a_password_over_a_listener_for_tokens_never_reaches_a_backend(self):
        backend = self.imap_backend()
        pop3 = self.pop3_backend()
        postern = self.gateway({"imap": backend.address, "pop3": pop3.address}, listeners=[
            listener("imaps", mechanisms=["OAUTHBEARER"]), listener("pop3s", mechanisms=["OAUTHBEARER"])])
        client = self.imap(postern)
        client.command('LOGIN bob "secret"', result="NO")
        client.send("b LOGIN bob {6+}\r\nsecret\r\n")
        self.assertIn(b" NO ", client.until("b")[1])
        client = self.pop3(postern)
        client.command("USER bob", good=False)
        client.command("PASS secret", good=False)
        self.assertEqual((backend.received, pop3.received), (b"", b""))

    def test_passwords_only(self):
        client = self.imap(self.postern, at="imap-plain")
        words = client.command("CAPABILITY")[0].split()
        self.assertEqual([each for each in words if each.startswith(b"AUTH=")], [b"AUTH=PLAIN"])
        self.assertNotIn(b"LOGINDISABLED", words)
        self.assertRegex(authenticate(client, "XOAUTH2", self.user, self.token), rb"^t\d+ NO \[CANNOT\]")
        client.login(self.user).logout()
        client = self.pop3(self.postern, at="pop3-plain")
        self.assertIn(b"SASL PLAIN", client.many("CAPA").splitlines())
        self.assertRegex(authenticate(client, "XOAUTH2", self.user, self.token), rb"^-ERR ")
        client.login(self.user).quit()


class Programs(EndToEnd):
    def setUp(self):
        super().setUp()
        self.user = self.provider.new_user()
        self.token = self.provider.tokens.good(self.user, 1200)
        self.mail = message(1, size=20_000)
        self.provider.fill(self.user, [self.mail])
        # curl asks for OAUTHBEARER where it is to be had, whatever it is told.
        self.postern = self.gateway(self.provider.place(), listeners=[
            listener("imaps"), listener("pop3s"), listener("imap-old", mechanisms=["XOAUTH2"]),
            listener("pop3-old", mechanisms=["XOAUTH2"])])

    def test_imaplib_authenticates(self):
        host, port = host_and_port(self.postern.imaps)
        for mechanism in MECHANISMS:
            secret = self.token if mechanism in TOKENS else "secret"
            connection = imaplib.IMAP4_SSL(host, port, ssl_context=context(), timeout=20)
            lines = iter(messages(mechanism, self.user, secret))
            connection.authenticate(mechanism, lambda _: next(lines).encode())
            self.assertEqual(connection.select()[1], [b"1"])
            connection.logout()

    def test_imaplib_sees_a_wrong_token_as_an_error(self):
        host, port = host_and_port(self.postern.imaps)
        connection = imaplib.IMAP4_SSL(host, port, ssl_context=context(), timeout=20)
        lines = iter([*messages("OAUTHBEARER", self.user, "canary.wrong"), "\1"])
        with self.assertRaisesRegex(imaplib.IMAP4.error, "AUTHENTICATIONFAILED"):
            connection.authenticate("OAUTHBEARER", lambda _: next(lines).encode())
        connection.authenticate("XOAUTH2", lambda _: messages("XOAUTH2", self.user, self.token)[0].encode())
        connection.logout()

    def test_poplib_authenticates(self):
        host, port = host_and_port(self.postern.pop3s)
        for mechanism in MECHANISMS:
            secret = self.token if mechanism in TOKENS else "secret"
            connection = poplib.POP3_SSL(host, port, context=context(), timeout=20)
            self.assertEqual(set(connection.capa()["SASL"]), set(MECHANISMS))
            connection._putcmd(f"AUTH {mechanism}")
            for each in messages(mechanism, self.user, secret):
                connection._getline()
                connection._putcmd(encode(each))
            self.assertTrue(connection._getresp().startswith(b"+OK"))
            self.assertEqual(connection.stat()[0], 1)
            connection.quit()

    def curl(self, url, *arguments):
        done = subprocess.run(["curl", "-s", "-S", "-k", "-m", "30", url, *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60, env={**os.environ, "HOME": str(self.folder())})
        return done.returncode, done.stdout, done.stderr

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl_authenticates(self):
        for scheme, path in (("imap", "/INBOX;MAILINDEX=1"), ("pop3", "/1")):
            for mechanism in MECHANISMS:
                address = self.postern.addresses[scheme + ("-old" if mechanism == "XOAUTH2" else "s")]
                url = f"{scheme}s://{address}{path}"
                for initial in ((), ("--sasl-ir",)):
                    with self.subTest(url=url[:5], mechanism=mechanism, initial=initial):
                        secret = ("-u", f"{self.user}:", "--oauth2-bearer", self.token) if mechanism in TOKENS else \
                            ("-u", f"{self.user}:secret")
                        code, out, error = self.curl(url, "--login-options", f"AUTH={mechanism}", *secret, *initial)
                        self.assertEqual((code, out), (0, self.mail), error)
        counted = self.postern.scrape().by("postern_logins_total", "mechanism", result="ok")
        self.assertEqual(counted, {mechanism: 4 for mechanism in MECHANISMS})

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl_is_refused_with_a_wrong_token(self):
        for url in (f"imaps://{self.postern.imaps}/INBOX;MAILINDEX=1", f"pop3s://{self.postern.pop3s}/1"):
            for mechanism in TOKENS:
                code, out, error = self.curl(url, "--login-options", f"AUTH={mechanism}", "-u", f"{self.user}:",
                                             "--oauth2-bearer", "canary.wrong")
                self.assertIn(code, (67, 94), error)  # login denied, authentication function failed
                self.assertEqual(out, b"")
