"""How the client's address reaches the backend: Dovecot's own log is the witness."""

import re

from harness.authority import Authority
from harness.case import EndToEnd
from harness.client import Imap
from harness.postern import listener
from harness.proxy_header import SIGNATURE
from harness.scripts import ImapScript

CLIENT = "127.0.0.5"
# forward, and at which of Dovecot's ports: those that want a PROXY header take nothing else.
WAYS = {"imap": (["id"], ["proxy2"], ["id", "proxy2"], ["id", "xclient"], ["id", "xclient", "proxy2"]),
        "pop3": (["xclient"], ["proxy2"], ["xclient", "proxy2"], ["id", "xclient"], ["id", "xclient", "proxy2"])}


class Forward(EndToEnd):
    def one(self, forward, protocol, tls="none", ipv6=False, source=CLIENT):
        """A session; (the line in Dovecot's log, the one in ours, the client)."""
        place = self.provider.place(tls=tls == "implicit", proxy="proxy2" in forward, ipv6=ipv6)
        pool = {"tls": tls, "forward": forward}
        if tls != "none":
            pool |= {"ca": str(Authority.shared().root), "verify_name": "mail.internal"}
        host = "[::1]" if ":" in source else "127.0.0.1"
        postern = self.gateway(place, pool=pool, listeners=[
            listener(name, address=f"{host}:0") for name in ("imaps", "pop3s")])
        user = self.provider.new_user()
        client = (self.imap if protocol == "imap" else self.pop3)(postern, user, source=source)
        client.command("NOOP")
        client.logout() if isinstance(client, Imap) else client.quit()
        return self.provider.login(user), self.closed(postern, "logout"), client

    def test_the_address_over_every_way_and_every_tls(self):
        for protocol, ways in WAYS.items():
            for forward in ways:
                for tls in ("none", "starttls", "implicit"):
                    with self.subTest(protocol=protocol, forward=forward, tls=tls):
                        seen, ours, client = self.one(forward, protocol, tls)
                        self.assertEqual((seen["rip"], ours["client"]), (CLIENT, CLIENT))
                        self.assertEqual("TLS" in seen["rest"], tls != "none", seen)
                        if "proxy2" in forward or (protocol == "pop3" and "xclient" in forward):
                            self.assertEqual(int(seen["rport"]), client.local[1])

    def test_proxy2_says_where_the_client_came_to(self):
        for protocol in WAYS:
            seen, _, client = self.one(["proxy2"], protocol)
            self.assertEqual((seen["lip"], int(seen["lport"])), client.came_to)

    def test_the_session_has_one_name_in_both_logs(self):
        seen, ours, _ = self.one(["id"], "imap")
        self.assertEqual(seen["session"], ours["id"])

    def test_without_it_dovecot_sees_the_gateway(self):
        for protocol, forward in (("imap", ["xclient"]), ("pop3", ["id"])):
            seen, ours, _ = self.one(forward, protocol)
            self.assertEqual(ours["client"], CLIENT)
            self.assertNotEqual(seen["rip"], CLIENT)

    def test_an_ipv6_client_before_an_ipv4_backend_and_the_other_way_round(self):
        for protocol, forward in (("imap", ["id"]), ("pop3", ["xclient"])):
            with self.subTest(protocol=protocol):
                seen, ours, _ = self.one(forward, protocol, source="::1")
                self.assertEqual((seen["rip"], ours["client"]), ("::1", "::1"))
                seen, ours, _ = self.one(forward, protocol, ipv6=True)
                self.assertEqual((seen["rip"], ours["client"]), (CLIENT, CLIENT))
            seen, ours, _ = self.one(["proxy2"], protocol, source="::1")
            self.assertEqual((seen["rip"], ours["client"]), ("::1", "::1"))

    def test_a_wrong_password_is_noted_against_the_client(self):
        for protocol, forward, connect in (("imap", ["id"], self.imap), ("pop3", ["xclient"], self.pop3)):
            postern = self.gateway(self.provider.place(), pool={"forward": forward})
            user = self.provider.new_user()
            client = connect(postern, source=CLIENT)
            if protocol == "imap":
                client.command(f"LOGIN {user} nonsense", result="NO")
            else:
                client.command(f"USER {user}")
                client.command("PASS nonsense", good=False)
            client.close()
            self.eventually(lambda: re.search(rf"{user},{re.escape(CLIENT)},.*mismatch", self.provider.log()),
                            "Dovecot noted the address of the wrong password")


class OnScripts(EndToEnd):
    """What exactly is sent, and in which order."""

    def proxied(self, script, seen):
        """A backend that reads the header first."""
        def run(wire):
            head = wire.read(16)
            seen.append(head + wire.read(int.from_bytes(head[14:16], "big")))
            script(wire)
        return self.scripted(run)

    def test_the_header_comes_first_and_once_a_connection(self):
        seen = []
        backend = self.proxied(ImapScript(), seen)
        postern = self.gateway(backend, pool={"forward": ["proxy2"]})
        client = self.imap(postern, source=CLIENT)
        client.command("LOGIN bob wrong", result="NO")
        client.login("bob").logout()
        self.assertEqual(len(seen), len(backend.wires))
        for header in seen:
            self.assertTrue(header.startswith(SIGNATURE + b"\x21\x11\x00"), header)
            self.assertEqual(header[16:20], bytes([127, 0, 0, 5]))
            self.assertEqual(int.from_bytes(header[24:26], "big"), client.local[1])
        self.assertEqual(backend.received.count(SIGNATURE), len(seen))

    def test_id_goes_ahead_of_the_login_and_says_what_is_known(self):
        backend = self.imap_backend()
        postern = self.gateway(backend, pool={"forward": ["id"]})
        client = self.imap(postern, "bob", source=CLIENT)
        client.logout()
        before, _, _ = bytes(backend.wait_end().received).partition(b"LOGIN")
        self.assertRegex(before, rb'(?i)ID \(.*"x-originating-ip" "127\.0\.0\.5"')
        self.assertIn(f'"x-originating-port" "{client.local[1]}"'.encode(), before)
        self.assertIn(b'"x-connected-ip" "127.0.0.1"', before)

    def test_a_backend_without_id_or_xclient_is_spared_it(self):
        backend = self.imap_backend(capabilities="IMAP4rev1 IDLE")
        pop3 = self.pop3_backend()
        postern = self.gateway({"imap": backend.address, "pop3": pop3.address}, pool={"forward": ["id", "xclient"]})
        self.imap(postern, "bob").logout()
        self.pop3(postern, "bob").quit()
        self.assertNotIn(b" ID ", backend.wait_end().received)
        self.assertNotIn(b"XCLIENT", pop3.wait_end().received)
