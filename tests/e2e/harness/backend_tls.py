"""The fixture of tests with backends behind TLS."""

from .authority import Authority
from .case import EndToEnd
from .scripts import ImapScript, Pop3Script

NAME = "mail.internal"
KINDS = ("implicit", "starttls")


class BackendTls(EndToEnd):
    """Verbs for tests of backends behind TLS."""

    @property
    def authority(self):
        return Authority.shared()

    def pool(self, kind, **keys):
        return {"tls": kind, "ca": str(self.authority.root), "verify_name": NAME, **keys}

    def pinned(self, kind, *pins):
        return {"tls": kind, "verify": "pin", "pin": list(pins)}

    def behind(self, kind, tls_context, protocol="imap", on=None):
        """A scripted backend with this context, by STARTTLS or from the first byte."""
        script = ImapScript if protocol == "imap" else Pop3Script
        if kind == "starttls":
            return self.scripted(script(on, starttls=tls_context))

        def implicit(wire):
            wire.secure(tls_context)
            script(on)(wire)
        return self.scripted(implicit)

    def assert_works(self, postern, user):
        client = self.imap(postern, user)
        client.command("NOOP")
        client.logout()
        self.pop3(postern, user).quit()

    def assert_unavailable(self, backend, pool, protocol, reason="tls"):
        """One login: refused as temporary, tried once, without a byte of the credentials, and counted."""
        postern = self.gateway(backend, pool=pool)
        if protocol == "imap":
            client = self.imap(postern)
            untagged = client.command("LOGIN ann canary", result="NO")
            self.assertRegex(client.tagged, rb"^t\d+ NO \[UNAVAILABLE\]")
            self.assertEqual(untagged, [])
        else:
            client = self.pop3(postern)
            client.command("USER ann")
            self.assertRegex(client.command("PASS canary", good=False), rb"^-ERR \[SYS/TEMP\]")
        self.assertEqual(len(backend.wires), 1)
        backend.wait_end()
        for secret in (b"canary", b"ann", b"LOGIN", b"AUTH", b"USER", b"PASS"):
            self.assertNotIn(secret, backend.received)
        scrape = postern.scrape()
        self.assertEqual(scrape.by("postern_backend_failures_total", "reason"), {reason: 1})
        self.assertEqual(scrape.by("postern_logins_total", "result"), {"unavailable": 1})
        client.close()
        return postern
