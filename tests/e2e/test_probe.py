"""Probes: what they find, what they say to a backend, and what clients are offered because of them."""

from harness.backend_tls import KINDS, NAME, BackendTls
from harness.pools import QUICK, Pools
from harness.postern import listener
from harness.scripts import POP3_CAPA, ImapScript, Pop3Script

IMAP, POP3 = [listener("imaps")], [listener("pop3s")]


def greets_then_hangs(wire):
    wire.send("* OK ready\r\n")
    wire.drain()


class Finding(Pools):
    def test_a_backend_that_greets_and_then_hangs_is_skipped_within_two_probes(self):
        hanging, good = self.scripted(greets_then_hangs), self.imap_backend()
        gateway = self.gateway({"imap": hanging.address}, {"imap": good.address},
                               pool={"probe": {"every": "500ms"}}, listeners=IMAP)
        self.state(gateway, "mail1", "down", reason="waited too long for its capabilities")
        probes = len(hanging.wires)
        self.assertLessEqual(probes, 3)  # the third may be under way
        for number in range(8):
            self.imap(gateway, f"user{number}").logout()
        self.assertNotIn(b"user", hanging.received)
        self.assertEqual(gateway.scrape().by("postern_logins_total", "result"), {"ok": 8})

    def test_a_backend_that_serves_one_protocol_badly_keeps_the_other(self):
        imap = self.imap_backend()
        gateway = self.gateway({"imap": imap.address, "pop3": imap.address}, pool={"probe": QUICK})
        said = self.state(gateway, "mail1", "down", protocol="pop3")
        self.assertIn("it does not speak POP3: * OK", said["reason"])
        self.imap(gateway, "bob").logout()
        client = self.pop3(gateway)
        client.command("USER bob")
        self.assertIn(b"[SYS/TEMP]", client.command("PASS secret", good=False))

    def test_a_probe_is_no_session_and_says_nothing_that_changes_a_mailbox(self):
        imap, pop3 = self.imap_backend(), self.pop3_backend()
        gateway = self.gateway({"imap": imap.address, "pop3": pop3.address}, pool={"probe": QUICK})
        imap.wire(2)
        pop3.wire(2)
        self.assertEqual(imap.wires[0].received, b"probe CAPABILITY\r\nprobe LOGOUT\r\n")
        self.assertEqual(pop3.wires[0].received, b"CAPA\r\nQUIT\r\n")
        self.assertEqual(gateway.scrape().sum("postern_sessions_opened_total"), 0)
        self.assertFalse([event for event in gateway.events if event["event"] == "backend_state"])


class Login(Pools):
    def start(self, password, backend):
        file = self.folder() / "probe.pw"
        file.write_text(password + "\n")
        file.chmod(0o600)
        return self.gateway(backend, pool={"probe": {**QUICK, "user": "prober", "password_file": file}})

    def test_the_account_is_logged_in_over_both_protocols(self):
        for backend in (self.imap_backend(), self.imap_backend(capabilities="IMAP4rev1"), self.pop3_backend()):
            gateway = self.start("canary secret", backend)
            self.eventually(lambda: any(wire.credentials == (b"prober", b"canary secret") for wire in backend.wires),
                            "the login")
            backend.wait_end()
            self.assertNotIn("canary", "".join(map(str, gateway.events)))

    def test_a_login_that_is_refused_takes_the_backend_down_and_the_password_is_nowhere(self):
        gateway = self.start("wrong", self.imap_backend())
        said = self.state(gateway, "mail1", "down", protocol="imap")
        self.assertIn("it refused the login: probe NO", said["reason"])

    def test_a_real_dovecot_lets_the_probe_in(self):
        user = self.dovecot.new_user("probe")
        file = self.folder() / "probe.pw"
        file.write_text("secret\n")
        file.chmod(0o600)
        gateway = self.gateway(pool={"probe": {**QUICK, "user": user, "password_file": file}})
        self.eventually(lambda: self.dovecot.log().count(f"Login: user=<{user}>") >= 4, self.dovecot.log)
        self.assertIn("pop3-login: Info: Login: user=<" + user, self.dovecot.log())
        self.assertFalse([event for event in gateway.events if event["event"] == "backend_state"])


class Encrypted(BackendTls):
    def probes(self, gateway, backend="mail1", to="down"):
        return gateway.event("backend_state", seconds=40, backend=backend, to=to)

    def test_tls_of_both_kinds_is_probed_with_its_certificate(self):
        for kind in KINDS:
            place = self.provider.place(tls=kind == "implicit")
            gateway = self.gateway(place, pool=self.pool(kind, probe=QUICK))
            self.offered(gateway)
            self.assertFalse([event for event in gateway.events if event["event"] == "backend_state"])
            gateway = self.gateway(place, pool={**self.pool(kind, probe=QUICK), "verify_name": "other." + NAME})
            self.probes(gateway)

    def test_a_backend_that_wants_a_proxy_header_gets_one(self):
        gateway = self.gateway(self.provider.place(proxy=True), pool={"forward": ["proxy2"], "probe": QUICK})
        self.offered(gateway)
        self.assertFalse([event for event in gateway.events if event["event"] == "backend_state"])

    def offered(self, gateway):
        """Waits until probes went well: clients are offered what they found."""
        client = self.imap(gateway)

        def idle():
            return b" IDLE" in b"".join(client.command("CAPABILITY"))
        self.eventually(idle, "IDLE is offered before the login", seconds=20)


class Offered(Pools):
    def imap_names(self, gateway):
        client = self.imap(gateway)
        names = set(b"".join(client.command("CAPABILITY")).split())
        client.close()
        return names

    def test_clients_are_told_before_the_login_what_all_backends_have(self):
        one = self.scripted(ImapScript(capabilities="IMAP4rev1 IDLE MOVE X-OWN"))
        two = self.scripted(ImapScript(capabilities="IMAP4rev1 MOVE ENABLE COMPRESS=DEFLATE"))
        gateway = self.gateway({"imap": one.address}, {"imap": two.address}, pool={"probe": QUICK}, listeners=IMAP)
        # What only one of them has is offered while nothing is known of the other.
        def common():
            names = self.imap_names(gateway)
            return b"MOVE" in names and not names & {b"IDLE", b"ENABLE"}
        self.eventually(common, lambda: self.imap_names(gateway))
        self.assertFalse(self.imap_names(gateway) & {b"X-OWN", b"COMPRESS=DEFLATE"})

    def test_utf8_of_pop3_is_offered_when_every_backend_has_it(self):
        has = self.scripted(Pop3Script(capa=POP3_CAPA + "UTF8\r\n"))
        has_not = self.pop3_backend()
        gateway = self.gateway({"pop3": has.address}, pool={"probe": QUICK}, listeners=POP3)
        self.eventually(lambda: b"UTF8" in self.capa(gateway), lambda: self.capa(gateway))
        gateway = self.gateway({"pop3": has.address}, {"pop3": has_not.address}, pool={"probe": QUICK},
                               listeners=POP3)
        has_not.wire(1)
        has.wire(3)
        self.assertNotIn(b"UTF8", self.capa(gateway))

    def capa(self, gateway):
        client = self.pop3(gateway)
        text = client.many("CAPA")
        client.quit()
        return text


if __name__ == "__main__":
    import unittest
    unittest.main()
