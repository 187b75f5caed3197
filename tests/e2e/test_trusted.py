"""Who the client is: what trusted clients may say and others may not, UTF8 on POP3, and IPv6."""

import socket
import unittest

from harness.case import EndToEnd
from harness.client import Client, Imap
from harness.postern import listener
from harness.scripts import POP3_CAPA
from harness.sockets import host_and_port

TRUSTED, OTHER, SAID = "127.0.0.9", "127.0.0.5", "192.0.2.55"
# The same claim in six spellings, two of them with literals.
SPELLINGS = (f'ID ("x-originating-ip" "{SAID}" "name" "mailer")',
             f'ID ("X-Originating-IP" "{SAID}" "x-originating-port" "4711")',
             f'id ("name" "mailer" "X-ORIGINATING-IP" "{SAID}" "x-originating-ip" "{SAID}")',
             f'ID ({{16+}}\r\nx-originating-ip "{SAID}")',
             f'ID ("x-Originating-Ip" {{{len(SAID)}+}}\r\n{SAID} "version" NIL)',
             f'ID ("x-connected-ip" "{SAID}" "x-forward-client" "{SAID}" "x-originating-ip" "{SAID}" '
             f'"x-session-id" "{SAID}")')


def listeners(**values):
    return [listener(name, trusted=[TRUSTED + "/32"], **values) for name in ("imaps", "pop3s")]


class Said(EndToEnd):
    """Dovecot's log is the witness: it trusts what Postern forwards."""

    def setUp(self):
        super().setUp()
        self.postern = self.gateway(self.provider.place(), listeners=listeners(), pool={"forward": ["id", "xclient"]})

    def seen(self, user, protocol):
        """(the address in Dovecot's log, the one in ours)"""
        ours = self.closed(self.postern, "logout", protocol=protocol, user=user)["client"]
        return self.provider.login(user)["rip"], ours

    def test_a_trusted_client_says_for_whom_it_speaks(self):
        for spelling in SPELLINGS:
            with self.subTest(spelling=spelling):
                user = self.provider.new_user()
                client = self.imap(self.postern, source=TRUSTED)
                client.command(spelling)
                client.login(user).logout()
                self.assertEqual(self.seen(user, "imap"), (SAID, SAID))
        user = self.provider.new_user()
        client = self.pop3(self.postern, source=TRUSTED)
        self.assertIn(b"[XCLIENT]", client.greeting)
        client.command(f"XCLIENT ADDR={SAID} PORT=4711")
        client.login(user).quit()
        self.assertEqual(self.seen(user, "pop3"), (SAID, SAID))
        self.assertEqual(self.provider.login(user)["rport"], "4711")

    def test_a_failed_login_is_laid_at_the_door_of_whom_it_was_for(self):
        client = self.imap(self.postern, source=TRUSTED)
        client.command(SPELLINGS[0])
        client.command("LOGIN nobody wrong", result="NO")
        self.assertEqual(self.postern.event("login_failed", protocol="imap")["client"], SAID)
        client = self.pop3(self.postern, source=TRUSTED)
        client.command(f"XCLIENT ADDR={SAID}")
        client.command("USER nobody")
        client.command("PASS wrong", good=False)
        self.assertEqual(self.postern.event("login_failed", protocol="pop3")["client"], SAID)

    def test_an_ipv6_address_may_be_said(self):
        user = self.provider.new_user()
        client = self.imap(self.postern, source=TRUSTED)
        client.command('ID ("x-originating-ip" "2001:db8::7")')
        client.login(user).logout()
        self.assertEqual(self.seen(user, "imap"), ("2001:db8::7", "2001:db8::7"))
        user = self.provider.new_user()
        client = self.pop3(self.postern, source=TRUSTED)
        client.command("XCLIENT ADDR=2001:db8::7")
        client.login(user).quit()
        self.assertEqual(self.seen(user, "pop3"), ("2001:db8::7", "2001:db8::7"))

    def test_without_a_word_a_trusted_client_is_itself(self):
        user = self.provider.new_user()
        self.imap(self.postern, user, source=TRUSTED).logout()
        self.assertEqual(self.seen(user, "imap"), (TRUSTED, TRUSTED))

    def test_nonsense_from_a_trusted_client_changes_nothing(self):
        for said in ("mail.example", "", "192.0.2.256", "192.0.2.55 x", "::g", "192.0.2.55\\\""):
            with self.subTest(said=said):
                user = self.provider.new_user()
                client = self.imap(self.postern, source=TRUSTED)
                client.command(f'ID ("x-originating-ip" "{said}")', result=None)
                client.login(user).logout()
                self.assertEqual(self.seen(user, "imap"), (TRUSTED, TRUSTED))
        for said in ("ADDR=mail.example", "ADDR=", "ADDR", "ADDR=192.0.2.55 PORT=x", ""):
            with self.subTest(said=said):
                user = self.provider.new_user()
                client = self.pop3(self.postern, source=TRUSTED)
                client.command(f"XCLIENT {said}", good=False)
                client.login(user).quit()
                self.assertEqual(self.seen(user, "pop3"), (TRUSTED, TRUSTED))

    def test_the_first_claim_holds(self):
        user = self.provider.new_user()
        client = self.imap(self.postern, source=TRUSTED)
        client.command(f'ID ("x-originating-ip" "{SAID}")')
        client.command('ID ("x-originating-ip" "192.0.2.99")')
        client.login(user).logout()
        self.assertEqual(self.seen(user, "imap"), (SAID, SAID))

    def test_what_others_claim_is_dropped(self):
        for spelling in SPELLINGS:
            with self.subTest(spelling=spelling):
                user = self.provider.new_user()
                client = self.imap(self.postern, source=OTHER)
                client.command(spelling)
                client.login(user)
                client.command(spelling)  # behind the login it would be forwarded
                client.logout()
                self.assertEqual(self.seen(user, "imap"), (OTHER, OTHER))
                self.assertNotEqual(self.provider.login(user)["session"], SAID)
        user = self.provider.new_user()
        client = self.pop3(self.postern, source=OTHER)
        self.assertNotIn(b"XCLIENT", client.greeting + client.many("CAPA"))
        client.command(f"XCLIENT ADDR={SAID} PORT=4711", good=False)
        client.login(user).quit()
        self.assertEqual(self.seen(user, "pop3"), (OTHER, OTHER))
        self.assertNotIn(f"rip={SAID}", "".join(line for line in self.provider.log().splitlines() if user in line))

    def test_the_backend_is_told_once_and_of_the_real_address(self):
        backend = self.imap_backend()
        postern = self.gateway(backend, listeners=listeners(), pool={"forward": ["id"]})
        for number, spelling in enumerate(SPELLINGS):
            client = self.imap(postern, source=OTHER)
            client.command(spelling)
            client.login("bob")
            client.command(spelling)
            client.logout()
            received = bytes(backend.wait_end(number).received).lower()
            self.assertEqual(received.count(b"x-originating-ip"), 1, received)
            self.assertIn(f'"x-originating-ip" "{OTHER}"'.encode(), received)
            self.assertNotIn(SAID.encode(), received)

    def test_a_trusted_claim_before_tls_is_not_believed(self):
        postern = self.gateway(self.provider.place(), pool={"forward": ["id", "xclient"]}, listeners=[
            listener("imap", tls="starttls", trusted=[TRUSTED]), listener("pop3", tls="starttls", trusted=[TRUSTED])])
        user = self.provider.new_user()
        client = self.imap(postern, at="imap", tls=False, source=TRUSTED)
        client.command(f'ID ("x-originating-ip" "{SAID}")')
        client.starttls().login(user).logout()
        self.assertEqual(self.provider.login(user)["rip"], TRUSTED)
        user = self.provider.new_user()
        client = self.pop3(postern, at="pop3", tls=False, source=TRUSTED)
        client.command(f"XCLIENT ADDR={SAID}", good=False)
        client.starttls().command(f"XCLIENT ADDR={SAID}")
        client.login(user).quit()
        self.assertEqual(self.provider.login(user)["rip"], SAID)


class Utf8(EndToEnd):
    """UTF8 on POP3 comes before the login (RFC 6856), so it is said again at the backend."""

    def start(self, capa):
        self.backend = self.pop3_backend(capa=capa)
        self.postern = self.gateway(self.backend)
        return self.pop3(self.postern)

    def test_it_is_replayed_before_the_credentials(self):
        client = self.start(POP3_CAPA + "UTF8\r\n")
        client.command("UTF8")
        client.login("bob").quit()
        received = bytes(self.backend.wait_end().received)
        self.assertEqual(received.count(b"UTF8\r\n"), 1)
        self.assertLess(received.index(b"UTF8\r\n"), received.index(b"bob") if b"bob" in received else
                        received.index(b"AUTH"))

    def test_it_is_not_said_for_those_who_did_not(self):
        client = self.start(POP3_CAPA + "UTF8\r\n")
        client.login("bob").quit()
        self.assertNotIn(b"UTF8", self.backend.wait_end().received)

    def test_a_backend_without_it_gets_no_login(self):
        client = self.start(POP3_CAPA)
        client.command("UTF8")
        client.command("USER bob")
        line = client.command("PASS canary", good=False)
        self.assertNotIn(b"[AUTH]", line)
        self.backend.wait_end()
        self.assertNotIn(b"canary", self.backend.received)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


@unittest.skipUnless(has_ipv6(), "no IPv6 loopback here")
class Ipv6(EndToEnd):
    def test_listeners_backends_and_logs_speak_ipv6(self):
        user = self.provider.new_user()
        postern = self.gateway(self.provider.place(ipv6=True), listeners=[
            listener("imaps", address="[::1]:0"), listener("pop3s", address="[::1]:0"),
            listener("imap", address="[::1]:0", tls="starttls")])
        self.assertTrue(postern.imaps.startswith("[::1]:"), postern.imaps)
        self.imap(postern, user).logout()
        self.pop3(postern, user).quit()
        self.imap(postern, at="imap", tls=False).starttls().login(user).logout()
        for protocol in ("imap", "pop3"):
            line = self.closed(postern, "logout", protocol=protocol)
            self.assertEqual(line["client"], "::1")
        self.assertEqual({each["lip"] for each in self.provider.logins(user)}, {"::1"})

    def test_an_ipv6_listener_does_not_take_ipv4(self):
        postern = self.gateway(self.imap_backend(), listeners=[listener("imaps", address="[::]:0")])
        port = host_and_port(postern.imaps)[1]
        with self.assertRaises(ConnectionRefusedError):
            Client(f"127.0.0.1:{port}")
        self.keep(Imap(f"[::1]:{port}")).login("bob").logout()
