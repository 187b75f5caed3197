"""PROXY headers in front of a client: required of listed sources, believed from nobody else, strict in form."""

import time
import unittest

from harness.case import EndToEnd
from harness.client import PATIENCE, Client, Imap, Pop3
from harness.postern import listener
from harness.proxy_header import LOCAL, PROXY, SIGNATURE, Haproxy, v1, v2, vector
from harness.sockets import send_cut

BALANCER, OTHER, CLIENT, CLIENT6 = "127.0.0.9", "127.0.0.5", "192.0.2.55", "2001:db8::55"
GOOD = {
    "v1 TCP4": (v1(CLIENT), CLIENT),
    "v1 TCP6": (v1(CLIENT6, "2001:db8::1"), CLIENT6),
    "v1 UNKNOWN": (b"PROXY UNKNOWN\r\n", BALANCER),
    "v1 UNKNOWN with more": (b"PROXY UNKNOWN ff:ff::ff x 1 2\r\n", BALANCER),
    "v2 TCP4": (v2(CLIENT), CLIENT),
    "v2 TCP6": (v2(CLIENT6, "2001:db8::1"), CLIENT6),
    "v2 with vectors": (v2(CLIENT, vectors=vector(1, b"imap") + vector(4, b"\0" * 300)), CLIENT),
    "v2 LOCAL": (v2(command=LOCAL), BALANCER),
    "v2 LOCAL with addresses": (v2(CLIENT, command=LOCAL), BALANCER),
    "v2 unspecified": (v2(family=0), BALANCER),
}
BAD = {
    "another protocol": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a command": b"a LOGIN bob secret\r\n",
    "a TLS record": b"\x16\x03\x01\x00\x80\x01\x00\x00\x7c\x03\x03",
    "v1 with LF only": v1(CLIENT).replace(b"\r\n", b"\n"),
    "v1 with a bare CR": v1(CLIENT).replace(b"\r\n", b"\rx"),
    "v1 of 108 octets": b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n",
    "v1 without an end": b"PROXY TCP4 " + b"1" * 200,
    "v1 of the wrong family": b"PROXY TCP4 ::1 ::1 1 2\r\n",
    "v1 of mixed families": b"PROXY TCP6 2001:db8::1 192.0.2.1 1 2\r\n",
    "v1 of another transport": b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
    "v1 in lower case": v1(CLIENT).lower(),
    "v1 with two spaces": v1(CLIENT).replace(b"TCP4 ", b"TCP4  "),
    "v1 with a port too large": v1(CLIENT, port=65536),
    "v1 with a negative port": v1(CLIENT, port=-1),
    "v1 with a name": b"PROXY TCP4 localhost 192.0.2.2 1 2\r\n",
    "v1 with too little": b"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
    "v1 with too much": b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n",
    "v1 with NUL": b"PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n",
    "v2 of version 1": v2(CLIENT, command=0x11),
    "v2 of an unknown command": v2(CLIENT, command=0x22),
    "v2 over UDP": v2(CLIENT, family=0x12),
    "v2 of a Unix socket": v2(family=0x31) + b"x" * 216,
    "v2 of an unknown family": v2(CLIENT, family=0x41),
    "v2 too short for its family": SIGNATURE + bytes([PROXY, 0x21, 0, 12]) + b"x" * 12,
    "v2 with a short vector": v2(CLIENT, vectors=b"\x01\x00\x20imap"),
    "v2 with half a vector": v2(CLIENT, vectors=b"\x01\x00"),
    "v2 too long": v2(CLIENT, vectors=vector(4, b"x" * 4200)),
    "v2 with a broken signature": v2(CLIENT).replace(b"QUIT", b"QUIZ"),
}


class Headers(EndToEnd):
    def setUp(self):
        super().setUp()
        self.backend = self.imap_backend()
        self.pop3_side = self.pop3_backend()
        self.postern = self.start({"imap": self.backend.address, "pop3": self.pop3_side.address})

    def start(self, *places, **changes):
        listed = {"proxy": [BALANCER], "trusted": [CLIENT, BALANCER]}
        return self.gateway(*places, listeners=[
            listener("imaps", proxy=[BALANCER]), listener("pop3s", proxy=[BALANCER]),
            listener("imap", tls="starttls", proxy=[BALANCER]), listener("pop3", tls="starttls", proxy=[BALANCER]),
            listener("imap-plain", tls="none", **listed), listener("pop3-plain", tls="none", **listed)], **changes)

    def login_of(self, connection, starttls=False):
        if starttls:
            connection.starttls()
        connection.login("bob")
        connection.logout() if isinstance(connection, Imap) else connection.quit()
        return self.postern.event("session", after=self.mark)["client"]

    def client(self, at, before=b"", source=BALANCER, cuts=()):
        self.mark = len(self.postern.events)
        kind = Pop3 if at.startswith("pop3") else Imap
        return self.keep(kind(self.postern.addresses[at], tls=at.endswith("s"), source=source, before=before,
                              cuts=cuts))

    def test_every_header_in_front_of_every_kind_of_listener(self):
        for name, (header, seen) in GOOD.items():
            for at in ("imaps", "pop3s", "imap", "pop3"):
                with self.subTest(name=name, at=at):
                    self.assertEqual(self.login_of(self.client(at, header), starttls=not at.endswith("s")), seen)
        for at in ("imap-plain", "pop3-plain"):
            for name in ("v1 TCP4", "v2 TCP4", "v2 LOCAL"):
                with self.subTest(name=name, at=at):
                    header, seen = GOOD[name]
                    self.assertEqual(self.login_of(self.client(at, header)), seen)

    def test_the_clients_address_is_the_one_that_must_be_trusted(self):
        client = self.client("imap-plain", v1("192.0.2.56"))
        client.command("LOGIN bob secret", result="NO")
        self.assertIn(b"[PRIVACYREQUIRED]", client.tagged)

    def test_a_header_and_the_client_hello_in_one_segment_cut_everywhere(self):
        for header in (v1(CLIENT), v2(CLIENT, vectors=vector(1, b"imap"))):
            for cut in (*range(1, len(header) + 6), len(header) + 60):
                with self.subTest(header=header[:8], cut=cut):
                    self.assertEqual(self.login_of(self.client("imaps", header, cuts=[cut])), CLIENT)
            self.assertEqual(self.login_of(self.client("pop3s", header, cuts=range(1, len(header) + 20))), CLIENT)

    def test_a_header_and_commands_in_one_segment(self):
        for at, line, wanted in (("imap", b"a CAPABILITY\r\n", rb"\* CAPABILITY"), ("pop3", b"CAPA\r\n", rb"\+OK")):
            client = self.keep(Client(self.postern.addresses[at], tls=False, source=BALANCER))
            send_cut(client.raw, v2(CLIENT) + line, [])
            client.expect(rb"\* OK|\+OK")
            client.expect(wanted)

    def refused(self, at, data, source=BALANCER):
        """Closed without a byte of ours."""
        client = self.keep(Client(self.postern.addresses[at], tls=False, source=source))
        mark = len(self.postern.events)
        client.try_send(data)
        self.assertEqual(client.rest(), b"")
        line = self.postern.event("session", after=mark)
        self.assertEqual((line["close_reason"], line["client"]), ("proxy_header", source))

    def test_what_is_not_exactly_a_header_is_closed_without_a_word(self):
        for name, data in BAD.items():
            for at in ("imaps", "imap", "pop3", "imap-plain"):
                with self.subTest(name=name, at=at):
                    self.refused(at, data)
        self.assertEqual((self.backend.received, self.pop3_side.received), (b"", b""))

    def test_an_end_inside_a_header_is_one_too(self):
        for data in (b"", b"PROXY TCP4 192.0.2.1", v2(CLIENT)[:20]):
            client = self.keep(Client(self.postern.imaps, tls=False, source=BALANCER))
            client.try_send(data)
            client.shut()
            self.assertEqual(client.rest(), b"")
        self.eventually(lambda: self.postern.scrape().sum("postern_sessions_total", close_reason="proxy_header") == 3,
                        "three sessions without a header")

    def test_a_header_must_come_within_five_seconds(self):
        silent = self.keep(Client(self.postern.imaps, tls=False, source=BALANCER))
        slow = self.keep(Client(self.postern.addresses["imap"], tls=False, source=BALANCER))
        begin = time.monotonic()
        for octet in v1(CLIENT)[:-2]:
            try:
                slow.send(bytes([octet]))
            except OSError:
                break
            if slow.clean_end is not None or not slow.quiet(1):
                break
        took = time.monotonic() - begin
        self.assertGreater(took, 3)
        self.assertLess(took, 8 * PATIENCE)
        self.assertEqual((silent.rest(), slow.rest()), (b"", b""))
        self.eventually(lambda: self.postern.scrape().sum("postern_sessions_total", close_reason="proxy_header") == 2,
                        "both were closed for the header")

    def test_others_are_served_without_a_header(self):
        self.assertEqual(self.login_of(self.client("imaps", source=OTHER)), OTHER)
        self.assertEqual(self.login_of(self.client("pop3", source=OTHER), starttls=True), OTHER)

    def test_a_header_from_another_source_is_nothing_but_bytes(self):
        for header in (v1(CLIENT), v2(CLIENT)):
            client = self.keep(Client(self.postern.imaps, tls=False, source=OTHER))
            client.send(header)
            self.assertNotIn(b"OK", client.rest())
        self.eventually(lambda: 2 == self.postern.scrape().sum("postern_sessions_total",
                                                               close_reason="handshake_failed"), "two without TLS")
        client = self.client("imap", v1(CLIENT), source=OTHER)
        client.expect(rb"PROXY BAD")
        self.assertEqual(self.login_of(client, starttls=True), OTHER)
        client = self.client("pop3", v1(CLIENT), source=OTHER)
        client.expect(rb"-ERR")
        self.assertEqual(self.login_of(client, starttls=True), OTHER)

    def test_a_second_header_is_not_one(self):
        client = self.client("imap", v1(CLIENT) + v1("192.0.2.66"))
        client.expect(rb"PROXY BAD")
        self.assertEqual(self.login_of(client, starttls=True), CLIENT)

    def test_the_address_reaches_the_backend(self):
        self.postern = self.start(self.provider.place(), pool={"forward": ["id", "xclient"]})
        # IMAP's ID cannot carry the port at this Dovecot, XCLIENT can.
        for at, header, seen in (("imaps", v1(CLIENT), CLIENT), ("pop3s", v2(CLIENT6, "2001:db8::1"), CLIENT6)):
            user = self.provider.new_user()
            client = self.client(at, header)
            client.login(user)
            client.logout() if at == "imaps" else client.quit()
            self.assertEqual(self.provider.login(user)["rip"], seen)
            if at == "pop3s":
                self.assertEqual(self.provider.login(user)["rport"], "40000")

    @unittest.skipUnless(Haproxy.installed, "haproxy is not installed")
    def test_haproxy_as_the_sender(self):
        for how in ("send-proxy", "send-proxy-v2"):
            for at, kind in (("imaps", Imap), ("pop3s", Pop3), ("imap", Imap)):
                with self.subTest(how=how, at=at):
                    haproxy = Haproxy(self.postern.addresses[at], how, BALANCER)
                    self.addCleanup(haproxy.stop)
                    self.mark = len(self.postern.events)
                    client = self.keep(kind(haproxy.address, tls=at.endswith("s"), source=OTHER))
                    self.assertEqual(self.login_of(client, starttls=at == "imap"), OTHER)
                    haproxy.stop()
