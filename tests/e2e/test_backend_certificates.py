"""A backend's certificate: each way in which it can be wrong, and its neighbour that is right."""

import ssl

from harness.backend_tls import KINDS, NAME, BackendTls
from harness.sockets import server_context


class Certificates(BackendTls):
    def test_those_that_must_not_pass(self):
        sign = self.authority.leaf
        wrong = {
            "another name": (sign(("DNS:mail.example",)), {}),
            "the name in the subject only": (sign((), subject=NAME), {}),
            "a wildcard of two labels": (sign(("DNS:*.a.internal",)), {"verify_name": "x.y.a.internal"}),
            "a wildcard of everything": (sign(("DNS:*.internal", "DNS:*")), {}),
            "expired": (sign(days=(-20, -1)), {}),
            "not yet valid": (sign(days=(2, 20)), {}),
            "self-signed": (self.authority.self_signed(), {}),
            "for clients": (sign(usage="clientAuth"), {}),
            "an address against a name": (sign(("IP:127.0.0.1",)), {}),
            "a name against an address": (sign(("DNS:mail.internal",)), {"verify_name": None}),
            "an address as a name": (sign(("DNS:127.0.0.1",)), {"verify_name": None}),
            "an incomplete chain": (sign(issuer="between", whole=False), {}),
        }
        for name, (leaf, keys) in wrong.items():
            pool = {key: value for key, value in self.pool("implicit", **keys).items() if value}
            for kind in KINDS:
                for protocol in ("imap", "pop3"):
                    with self.subTest(name=name, kind=kind, protocol=protocol):
                        backend = self.behind(kind, server_context(leaf), protocol)
                        self.assert_unavailable(backend, {**pool, "tls": kind}, protocol)

    def test_those_that_must(self):
        sign = self.authority.leaf
        right = {
            "the name": (sign(), {}),
            "one of several names": (sign(("DNS:a.example", f"DNS:{NAME}")), {}),
            "the name in other letters": (sign(("DNS:Mail.INTERNAL",)), {}),
            "a wildcard": (sign(("DNS:*.a.internal",)), {"verify_name": "mail.a.internal"}),
            "a whole chain": (sign(issuer="between"), {}),
            "an RSA key": (sign(kind="rsa"), {}),
            "an address": (sign(("IP:127.0.0.1",)), {"verify_name": None}),
        }
        for name, (leaf, keys) in right.items():
            pool = {key: value for key, value in self.pool("implicit", **keys).items() if value}
            for kind in KINDS:
                with self.subTest(name=name, kind=kind):
                    backend = self.behind(kind, server_context(leaf))
                    self.imap(self.gateway(backend, pool={**pool, "tls": kind}), "ann").logout()
                    self.assertEqual(backend.wait_end().credentials, (b"ann", b"secret"))

    def test_a_pin_needs_nothing_else_and_nothing_else_will_do(self):
        good = self.authority.leaf(("DNS:elsewhere",), days=(-20, -1))
        own = self.authority.self_signed()
        for leaf, other in ((good, own), (own, good)):
            for kind in KINDS:
                backend = self.behind(kind, server_context(leaf))
                self.imap(self.gateway(backend, pool=self.pinned(kind, leaf.pin)), "ann").logout()
                self.assert_unavailable(self.behind(kind, server_context(leaf)), self.pinned(kind, other.pin), "imap")

    def test_a_pinned_intermediate_is_no_pinned_leaf(self):
        leaf = self.authority.leaf(issuer="between")
        between = type(leaf)(self.authority.between, self.authority.folder / "between.key")
        self.assert_unavailable(self.behind("implicit", server_context(leaf)), self.pinned("implicit", between.pin),
                                "imap")

    def test_the_name_is_sent_and_an_address_is_not(self):
        for keys, leaf, wanted in (({}, self.authority.leaf(), NAME),
                                   ({"verify_name": None}, self.authority.leaf(("IP:127.0.0.1",)), None)):
            named = []
            tls_context = server_context(leaf)
            tls_context.sni_callback = lambda _, name, __: named.append(name)
            pool = {key: value for key, value in self.pool("implicit", **keys).items() if value}
            for kind in KINDS:
                self.imap(self.gateway(self.behind(kind, tls_context), pool={**pool, "tls": kind}), "ann").logout()
            self.assertEqual(named, [wanted, wanted])

    def test_old_versions_are_not_spoken(self):
        old = server_context(self.authority.leaf())
        old.set_ciphers("DEFAULT:@SECLEVEL=0")
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        for kind in KINDS:
            self.assert_unavailable(self.behind(kind, old), self.pool(kind), "imap")
