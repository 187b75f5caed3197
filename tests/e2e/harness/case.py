"""The fixture of every end-to-end test: verbs that start things, and an end that checks the laws."""

import pathlib
import tempfile
import unittest

from .client import Imap, Pop3, until
from .dovecot import Dovecot
from .postern import Gateway, configuration
from .provider import Provider
from .scripted import Scripted
from .scripts import ImapScript, Pop3Script


class EndToEnd(unittest.TestCase):
    """Whatever a test starts ends with it; gateways are checked before they end."""

    def setUp(self):
        self._gateways = []
        self._clients = []
        self.addCleanup(self._finish)

    def _finish(self):
        # Clients first: the laws are laws when nothing is in flight.
        for each in self._clients:
            each.close()
        try:
            for gateway in self._gateways:
                if gateway.process.poll() is None:
                    gateway.assert_laws()
                    gateway.stop()
                else:
                    gateway.assert_sound()
        finally:
            for gateway in self._gateways:
                gateway.kill()

    # Backends.

    @property
    def dovecot(self):
        return Dovecot.shared()

    @property
    def provider(self):
        """The Dovecot with TLS, tokens and a proxy it trusts."""
        return Provider.shared()

    def scripted(self, script, **options):
        backend = Scripted(script, **options)
        self.addCleanup(self._end_scripted, backend)
        return backend

    def _end_scripted(self, backend):
        backend.stop()
        if backend.errors:
            raise AssertionError(f"in the scripted backend: {backend.errors}")

    def imap_backend(self, on=None, keep=True, port=0, **options):
        return self.scripted(ImapScript(on, **options), keep=keep, port=port)

    def pop3_backend(self, on=None, keep=True, port=0, **options):
        return self.scripted(Pop3Script(on, **options), keep=keep, port=port)

    # The gateway.

    def gateway(self, *backends, prefix=(), environment=None, **changes):
        """In front of the scripted backends given (IMAP and POP3 alike), or of Dovecot."""
        if backends:
            places = [{"imap": each.address, "pop3": each.address} if isinstance(each, Scripted) else each
                      for each in backends]
        else:
            places = [{"imap": self.dovecot.imap, "pop3": self.dovecot.pop3}]
        gateway = Gateway(configuration(places, **changes), prefix, environment)
        self._gateways.append(gateway)
        return gateway

    # Clients.

    def imap(self, gateway, user=None, password="secret", at="imaps", **options):
        """An IMAP client of one listener, logged in if a user is named."""
        made = Imap(gateway.addresses[at], **options)
        self._clients.append(made)
        return made.login(user, password) if user else made

    def pop3(self, gateway, user=None, password="secret", at="pop3s", **options):
        made = Pop3(gateway.addresses[at], **options)
        self._clients.append(made)
        return made.login(user, password) if user else made

    def keep(self, client):
        """A client made by hand, closed with the test."""
        self._clients.append(client)
        return client

    # Small things.

    def folder(self):
        made = tempfile.TemporaryDirectory(prefix="postern-test-")
        self.addCleanup(made.cleanup)
        return pathlib.Path(made.name)

    def eventually(self, condition, what, **options):
        return until(condition, what, **options)

    def closed(self, gateway, reason=None, **fields):
        """The log line of a session's end."""
        if reason:
            fields["close_reason"] = reason
        return gateway.event("session", **fields)
