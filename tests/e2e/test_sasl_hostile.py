"""What a SASL message must not smuggle, and what a backend without the mechanism means."""

import base64

from harness.case import EndToEnd
from harness.exchange import TOKENS, authenticate, encode, play


class Hostile(EndToEnd):

    EVIL = ("\r\nDELE 1", "\nx LOGOUT", "\rx", "\0", "\r\n")

    def setUp(self):
        super().setUp()
        self.backend = self.imap_backend()
        self.pop3_side = self.pop3_backend()
        self.postern = self.gateway({"imap": self.backend.address, "pop3": self.pop3_side.address})

    def evil(self):
        """(mechanism, lines): a line end or NUL in each field of each mechanism."""
        for bad in self.EVIL:
            for at in range(2):
                fields = ["bob", "canary"]
                fields[at] += bad + ("z" if at else "")
                if not (bad == "\0"):
                    yield "PLAIN", [f"\0{fields[0]}\0{fields[1]}"]
                yield "LOGIN", fields
                yield "XOAUTH2", [f"user={fields[0]}\1auth=Bearer {fields[1]}\1\1"]
                yield "OAUTHBEARER", [f"n,a={fields[0]},\1auth=Bearer {fields[1]}\1\1"]
            if bad != "\0":
                yield "PLAIN", [f"ann{bad}\0bob\0canary"]
            yield "OAUTHBEARER", [f"n,a=bob,\1host=h{bad}\1port=993\1auth=Bearer canary\1\1"]
        yield "PLAIN", ["\0bob\0can\0ary"]
        yield "XOAUTH2", ["user=bob\1auth=Bearer canary\1"]
        yield "XOAUTH2", ["user=bob\1\1"]
        yield "XOAUTH2", ["auth=Bearer canary\1\1"]
        yield "OAUTHBEARER", ["y,\1auth=Basic canary\1\1"]
        yield "OAUTHBEARER", ["n,,\1\1"]
        yield "OAUTHBEARER", ["n,a=bob,\1auth=Bearer canary\1\1\1auth=Bearer other\1\1"]

    def test_no_field_can_become_a_line(self):
        for protocol, connect in (("imap", self.imap), ("pop3", self.pop3)):
            for mechanism, parts in self.evil():
                for initial in (True, False):
                    with self.subTest(protocol=protocol, mechanism=mechanism, parts=parts, initial=initial):
                        client = connect(self.postern)
                        _, line = play(client, mechanism, [encode(each) for each in parts], initial)
                        self.assertRegex(line, rb"^t\d+ (BAD|NO)|^-ERR")
                        self.assertNotIn(b"canary", line)
                        client.close()
        self.postern.settle()
        for backend in (self.backend, self.pop3_side):
            self.assertNotIn(b"AUTH", backend.received)
            self.assertNotIn(b"LOGIN", backend.received)
            self.assertNotIn(b"PASS", backend.received)

    def test_base64_must_be_base64(self):
        good = encode("\0bob\0secret")
        for protocol, connect in (("imap", self.imap), ("pop3", self.pop3)):
            for bad in ("@@@@", good[:-1], good + "=", good[:4] + " " + good[4:], good[:5] + "=" + good[5:], "====",
                        good + "!", "=" + good):
                for initial in (True, False):
                    with self.subTest(protocol=protocol, bad=bad, initial=initial):
                        client = connect(self.postern)
                        self.assertRegex(play(client, "PLAIN", [bad], initial)[1], rb"^t\d+ BAD|^-ERR")
                        client.close()
        self.assertNotIn(b"AUTH", self.backend.received + self.pop3_side.received)

    def test_a_token_for_a_backend_without_the_mechanism_is_refused_without_a_word_of_it(self):
        for protocol, connect, backend in (("imap", self.imap, self.backend), ("pop3", self.pop3, self.pop3_side)):
            for mechanism in TOKENS:
                client = connect(self.postern)
                line = authenticate(client, mechanism, "bob", "canary.token")
                self.assertRegex(line, rb"^t\d+ NO \[|^-ERR ", protocol)
                self.assertNotIn(b"AUTHENTICATIONFAILED", line)
                self.assertNotIn(b"[AUTH]", line)
                blobs = [word for word in backend.received.split() if len(word) > 20]
                self.assertNotIn(b"Bearer", b"".join(base64.b64decode(each + b"===") for each in blobs))
                client.close()

    def test_an_endless_message_is_not_gathered(self):
        for protocol, connect in (("imap", self.imap), ("pop3", self.pop3)):
            for initial in (True, False):
                with self.subTest(protocol=protocol, initial=initial):
                    client = connect(self.postern)
                    verb = "a AUTHENTICATE" if protocol == "imap" else "AUTH"
                    client.send(f"{verb} XOAUTH2" + (" " if initial else "\r\n"))
                    if not initial:
                        client.expect(rb"\+")
                    client.try_send("QUFB" * 100_000)
                    rest = client.rest()
                    self.assertRegex(rest, rb"^(a BAD|\* BYE|-ERR)|^$")
        self.assertEqual((self.backend.received, self.pop3_side.received), (b"", b""))
