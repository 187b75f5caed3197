"""Listeners by their kind: starttls, refuse, none; what they offer, what they refuse, and IPv6."""

import imaplib
import json
import poplib
import shutil
import subprocess
import time
import unittest

from harness.case import EndToEnd
from harness.client import Client, Imap, Pop3, context
from harness.dovecot import message
from harness.exchange import encode
from harness.postern import listener
from harness.sockets import host_and_port, send_cut

CANARY = "canary-in-clear"
PLAIN = encode(f"\0bob\0{CANARY}")
# What crosses in clear before TLS, one attempt each, and what each must be told.
IMAP_LOGINS = (f"LOGIN bob {CANARY}", f'login "bob" "{CANARY}"', f"LOGIN bob {{{len(CANARY)}+}}\r\n{CANARY}",
               f"AUTHENTICATE PLAIN {PLAIN}", "AUTHENTICATE PLAIN", "authenticate LOGIN", "AUTHENTICATE XOAUTH2 AAAA",
               "AUTHENTICATE OAUTHBEARER")
POP3_LOGINS = ("USER bob", f"AUTH PLAIN {PLAIN}", "AUTH PLAIN", "auth login", "AUTH XOAUTH2 AAAA", "AUTH OAUTHBEARER")


def both(**values):
    return [listener("imap", **values), listener("pop3", **values)]


class InClear(EndToEnd):
    """Helpers for listeners that begin without TLS."""

    def imap_plain(self, gateway, **options):
        return self.imap(gateway, at="imap", tls=False, **options)

    def pop3_plain(self, gateway, **options):
        return self.pop3(gateway, at="pop3", tls=False, **options)

    def capabilities(self, client):
        if isinstance(client, Imap):
            return set(client.command("CAPABILITY")[0].split()[2:])
        return set(client.many("CAPA").splitlines())

    def assert_logins_refused(self, gateway, connect, **options):
        """Every way to log in is told to use TLS, and counted; the session lives."""
        here, logins = ("imap", IMAP_LOGINS) if connect == self.imap_plain else ("pop3", POP3_LOGINS)
        scrape = gateway.scrape()
        before, before_in = (scrape.sum("postern_plaintext_attempts_total", listener=here),
                             scrape.sum("postern_logins_total", result="ok"))
        for number, text in enumerate(logins, 1):
            with self.subTest(text=text):
                client = connect(gateway, **options)
                self.assertRegex(self.refused(client, text),
                                 rb"^t\d+ NO \[PRIVACYREQUIRED\] .*TLS|^-ERR \[SYS/PERM\] .*TLS")
                counted = gateway.scrape().sum("postern_plaintext_attempts_total", listener=here) - before
                self.assertEqual(counted, number)
                self.capabilities(client)
                client.logout() if here == "imap" else client.quit()
        now = gateway.scrape()
        self.assertEqual(now.sum("postern_logins_total", result="ok"), before_in)
        for secret in (CANARY, PLAIN):
            self.assertNotIn(secret, json.dumps(gateway.events) + now.text + gateway.stderr())

    def refused(self, client, text):
        if isinstance(client, Pop3):
            return client.command(text, good=False)
        client.command(text, result="NO")
        return client.tagged

    def assert_tls_cannot_be_had(self, client):
        client.command("STARTTLS", result="BAD") if isinstance(client, Imap) else client.command("STLS", good=False)

    def assert_no_way_in_is_offered(self, client):
        offered = self.capabilities(client)
        if isinstance(client, Imap):
            self.assertIn(b"LOGINDISABLED", offered)
            self.assertFalse({each for each in offered if each.startswith(b"AUTH=")})
            self.assertIn(b"LOGINDISABLED", client.greeting)
            self.assertNotIn(b"AUTH=", client.greeting)
        else:
            self.assertFalse({each for each in offered if each.startswith((b"USER", b"SASL"))})
            self.assertIn(b"RESP-CODES", offered)
            self.assertIn(b"AUTH-RESP-CODE", offered)
        return offered


class Starttls(InClear):
    def setUp(self):
        super().setUp()
        self.user = self.dovecot.new_user()
        self.postern = self.gateway(listeners=both(tls="starttls"))

    def test_capabilities_before_and_after_tls(self):
        client = self.imap_plain(self.postern)
        self.assertIn(b"STARTTLS", self.assert_no_way_in_is_offered(client))
        client.starttls()
        after = self.capabilities(client)
        self.assertFalse({b"STARTTLS", b"LOGINDISABLED"} & after)
        self.assertLessEqual({b"AUTH=PLAIN", b"AUTH=LOGIN", b"AUTH=XOAUTH2", b"AUTH=OAUTHBEARER", b"SASL-IR"}, after)
        client.login(self.user)
        self.assertFalse({b"STARTTLS", b"LOGINDISABLED"} & self.capabilities(client))

        client = self.pop3_plain(self.postern)
        self.assertIn(b"STLS", self.assert_no_way_in_is_offered(client))
        client.starttls()
        after = self.capabilities(client)
        self.assertNotIn(b"STLS", after)
        self.assertIn(b"USER", after)
        self.assertTrue([each for each in after if each.startswith(b"SASL ")])
        client.login(self.user)
        self.assertNotIn(b"STLS", self.capabilities(client))

    def test_logins_before_tls_are_refused_and_after_it_accepted(self):
        for connect, text in ((self.imap_plain, "LOGIN bob secret"), (self.pop3_plain, "USER bob")):
            self.assert_logins_refused(self.postern, connect)
            client = connect(self.postern)
            self.refused(client, text)
            client.starttls().login(self.user)
            client.command("NOOP")
            client.logout() if isinstance(client, Imap) else client.quit()
        scrape = self.postern.scrape()
        self.assertEqual(scrape.by("postern_tls_handshakes_total", "listener", result="ok"), {"imap": 1, "pop3": 1})
        self.assertEqual(scrape.sum("postern_starttls_injection_total"), 0)

    def test_a_synchronising_password_is_never_asked_for(self):
        client = self.imap_plain(self.postern)
        for text in ("a LOGIN bob {6}\r\n", "a LOGIN {3}\r\n"):
            client.send(text)
            client.expect(rb"a NO \[PRIVACYREQUIRED\]")

    def test_tls_begins_once(self):
        client = self.imap_plain(self.postern).starttls()
        client.command("STARTTLS", result="BAD")
        client.login(self.user)
        client.command("STARTTLS", result="BAD")
        client.logout()
        client = self.pop3_plain(self.postern).starttls()
        client.command("STLS", good=False)
        client.login(self.user)
        client.command("STLS", good=False)
        client.quit()

    def test_arguments_are_refused_and_trailing_spaces_are_not(self):
        client = self.imap_plain(self.postern)
        client.command("STARTTLS now", result="BAD")
        client.command("starttls  ")
        client.secure()
        client.login(self.user).logout()
        client = self.pop3_plain(self.postern)
        client.command("STLS now", good=False)
        client.command("stls ")
        client.secure()
        client.login(self.user).quit()

    def test_a_user_said_in_clear_is_forgotten_with_tls(self):
        client = self.pop3_plain(self.postern)
        client.command(f"USER {self.user}", good=False)
        client.starttls()
        client.command("PASS secret", good=False)
        client.login(self.user).quit()

    def test_imaplib_and_poplib(self):
        connection = imaplib.IMAP4(*host_and_port(self.postern.addresses["imap"]), timeout=20)
        with self.assertRaises(imaplib.IMAP4.error):
            connection.login(self.user, "secret")
        connection.starttls(context())
        connection.login(self.user, "secret")
        self.assertEqual(connection.select()[0], "OK")
        connection.logout()
        connection = poplib.POP3(*host_and_port(self.postern.addresses["pop3"]), timeout=20)
        with self.assertRaisesRegex(poplib.error_proto, r"\[SYS/PERM\]"):
            connection.user(self.user)
        connection.stls(context())
        connection.user(self.user)
        connection.pass_("secret")
        connection.quit()

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl(self):
        mail = message(1, size=20_000)
        self.dovecot.fill(self.user, [mail])
        for url in (f"imap://{self.postern.addresses['imap']}/INBOX;MAILINDEX=1",
                    f"pop3://{self.postern.addresses['pop3']}/1"):
            for options, wanted in (("--ssl-reqd",), (0, mail)), ((), (67, b"")):
                done = subprocess.run(
                    ["curl", "-s", "-S", "-k", "-m", "30", "-u", f"{self.user}:secret", *options, url],
                    stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
                self.assertEqual((done.returncode, done.stdout), wanted, done.stderr)

    def test_openssl(self):
        for protocol, lines, wanted in (("imap", f"a LOGIN {self.user} secret\r\nb LOGOUT\r\n", b"b OK"),
                                        ("pop3", f"USER {self.user}\r\nPASS secret\r\nSTAT\r\nQUIT\r\n", b"+OK 0 0")):
            done = subprocess.run(
                ["openssl", "s_client", "-starttls", protocol, "-quiet", "-connect", self.postern.addresses[protocol]],
                input=lines.encode(), capture_output=True, timeout=30)
            self.assertIn(wanted, done.stdout, done.stderr)

    def test_a_handshake_that_takes_too_long_is_ended(self):
        postern = self.gateway(listeners=both(tls="starttls"), timeouts={"handshake": "1s"})
        for connect, verb in ((self.imap_plain, "a STARTTLS"), (self.pop3_plain, "STLS")):
            for opening in (b"", b"\x16\x03\x01\x02\x00\x01"):
                client = connect(postern)
                client.send(verb + "\r\n")
                client.expect(rb"a OK|\+OK")
                begin = time.monotonic()
                client.send(opening)
                client.rest()
                self.assertLess(time.monotonic() - begin, 4)
        self.eventually(lambda: postern.scrape().sum("postern_sessions_total", close_reason="handshake_timeout") == 4,
                        "four handshakes timed out")

    def test_a_failed_handshake_is_told_apart(self):
        client = self.imap_plain(self.postern)
        client.command("STARTTLS")
        client.send(b"\x16\x03\x01\x00\x05hello")
        self.assertNotIn(b"OK", client.rest())
        self.closed(self.postern, "handshake_failed")
        scrape = self.postern.scrape()
        self.assertEqual(scrape.sum("postern_starttls_injection_total"), 0)
        self.assertEqual(sum(value for labels, value in scrape.all("postern_tls_handshakes_total")
                             if labels["result"] != "ok"), 1)


class Injection(InClear):
    """Bytes behind STARTTLS are never answered, never carried into TLS, and counted (CVE-2011-0411 and its kin)."""

    def setUp(self):
        super().setUp()
        self.backend = self.imap_backend()
        self.postern = self.gateway(self.backend, listeners=both(tls="starttls"))
        self.count = {"imap": 0, "pop3": 0}

    def attack(self, protocol, first, second, cuts=(), pause=0.0):
        client = self.keep((Imap if protocol == "imap" else Pop3)(self.postern.addresses[protocol], tls=False))
        if pause:
            client.send(first)
            client.expect(rb"a OK|\+OK")
            time.sleep(pause)  # the attacker's, as in the published attacks
            client.try_send(second)
        else:
            send_cut(client.raw, first + second, cuts)
        rest = client.rest()
        for mark in (b"b OK", b"b BAD", b"b NO", b"CAPABILITY", b"UIDL", b"SASL", b"-ERR"):
            self.assertNotIn(mark, rest)
        self.count[protocol] += 1
        self.eventually(lambda: self.postern.scrape().sum("postern_starttls_injection_total", listener=protocol)
                        == self.count[protocol], lambda: f"counted: {self.count}, {first + second!r} {cuts} {pause}")

    def everywhere(self, protocol, first, second):
        data = first + second
        self.attack(protocol, first, second)
        for cut in range(1, len(data)):
            with self.subTest(protocol=protocol, cut=cut):
                self.attack(protocol, first, second, [cut])
        self.attack(protocol, first, second, range(1, len(data)))
        self.attack(protocol, first, second, pause=0.05)
        self.eventually(lambda: self.postern.scrape().sum(
            "postern_sessions_total", protocol=protocol, close_reason="starttls_injection") == self.count[protocol],
            "each session closed for it")
        self.assertEqual(self.backend.received, b"")

    def test_imap(self):
        self.everywhere("imap", b"a STARTTLS\r\n", b"b NOOP\r\n")

    def test_pop3(self):
        self.everywhere("pop3", b"STLS\r\n", b"CAPA\r\n")

    def test_whatever_comes_behind(self):
        for second in (b"\r\n", b" ", b"b", b"\0", b"b LOGIN bob secret\r\n", b"a STARTTLS\r\n",
                       b"\x80\x2e\x01\x00\x02", b"b NOOP\r\n" * 1000):
            with self.subTest(second=second[:20]):
                self.attack("imap", b"a STARTTLS\r\n", second)
                self.attack("pop3", b"STLS\r\n", second)

    def test_a_client_hello_in_the_same_segment_is_bytes_behind_it_too(self):
        for protocol, first in (("imap", b"a STARTTLS\r\n"), ("pop3", b"STLS\r\n")):
            client = self.keep(Client(self.postern.addresses[protocol], tls=False))
            client.expect(rb"\* OK|\+OK")
            client.send(first + b"\x16\x03\x01\x00\xc0\x01\x00\x00\xbc\x03\x03")
            client.rest()
            self.eventually(lambda: 1 == self.postern.scrape().sum("postern_starttls_injection_total",
                                                                   listener=protocol), "counted")


class Refuse(InClear):
    def test_every_login_is_told_to_use_tls(self):
        backend = self.imap_backend()
        postern = self.gateway(backend, listeners=both(tls="refuse"))
        for connect in (self.imap_plain, self.pop3_plain):
            client = connect(postern)
            offered = self.assert_no_way_in_is_offered(client)
            self.assertFalse({b"STARTTLS", b"STLS"} & offered)
            self.assert_tls_cannot_be_had(client)
            self.assert_logins_refused(postern, connect)
        self.assertEqual(backend.received, b"")


class Plain(InClear):
    """tls = "none": for trusted clients only."""

    def setUp(self):
        super().setUp()
        self.user = self.dovecot.new_user()
        self.postern = self.gateway(listeners=both(tls="none", trusted=["127.0.0.9", "::1"]))

    def test_trusted_clients_log_in_in_clear(self):
        client = self.imap_plain(self.postern, source="127.0.0.9")
        offered = self.capabilities(client)
        self.assertIn(b"AUTH=PLAIN", offered)
        self.assertFalse({b"STARTTLS", b"LOGINDISABLED"} & offered)
        self.assert_tls_cannot_be_had(client)
        client.login(self.user).logout()
        client = self.pop3_plain(self.postern, source="127.0.0.9")
        offered = self.capabilities(client)
        self.assertIn(b"USER", offered)
        self.assertNotIn(b"STLS", offered)
        self.assert_tls_cannot_be_had(client)
        client.login(self.user).quit()
        self.assertEqual(self.postern.scrape().sum("postern_plaintext_attempts_total"), 0)
        for protocol in ("imap", "pop3"):
            self.assertEqual(self.closed(self.postern, "logout", protocol=protocol)["client"], "127.0.0.9")

    def test_others_are_refused(self):
        for connect in (self.imap_plain, self.pop3_plain):
            client = connect(self.postern, source="127.0.0.5")
            self.assert_no_way_in_is_offered(client)
            self.assert_tls_cannot_be_had(client)
            self.assert_logins_refused(self.postern, connect, source="127.0.0.5")
