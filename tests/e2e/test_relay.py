"""After login: every family of command through to Dovecot, and byte for byte to a scripted backend."""

import threading

from harness.case import EndToEnd
from harness.client import until
from harness.dovecot import message


class OnDovecot(EndToEnd):
    def setUp(self):
        super().setUp()
        self.user = self.dovecot.new_user()
        self.dovecot.fill(self.user, [message(1), message(2, size=20_000), message(3)])
        self.postern = self.gateway()
        self.client = self.imap(self.postern, self.user)

    def test_every_family_of_command_is_understood(self):
        for text in ("NAMESPACE", "ENABLE CONDSTORE", 'CREATE "one/two"', "CREATE three", "SUBSCRIBE three",
                     'LIST "" "*"', 'LSUB "" "*"', 'LIST (SUBSCRIBED) "" ("*" "x") RETURN (CHILDREN)',
                     'LIST "" % RETURN (STATUS (MESSAGES UNSEEN))', "STATUS INBOX (MESSAGES UIDNEXT HIGHESTMODSEQ)",
                     "EXAMINE INBOX", "SELECT INBOX (CONDSTORE)", "CHECK", "FETCH 1:* (FLAGS UID)",
                     "UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)])", "FETCH 1 (BODYSTRUCTURE ENVELOPE)",
                     "FETCH 1:* (FLAGS) (CHANGEDSINCE 1)", "FETCH 2 BODY.PEEK[]<0.100>", "FETCH 1 BINARY.PEEK[1]",
                     r"STORE 1 +FLAGS (\Flagged)", r"UID STORE 2 -FLAGS.SILENT (\Seen)", "SEARCH ALL",
                     'UID SEARCH SUBJECT "message 2"', "SEARCH RETURN (MIN MAX COUNT) ALL", "SEARCH RETURN (SAVE) 1",
                     "FETCH $ FLAGS", "SEARCH YOUNGER 100000", "SORT (DATE) UTF-8 ALL", "UID SORT (SUBJECT) US-ASCII ALL",
                     "THREAD REFERENCES UTF-8 ALL", "COPY 1 three", "UID COPY 2 three", "MOVE 3 three",
                     r"STORE 1 +FLAGS (\Deleted)", "UID EXPUNGE 1", "EXPUNGE", "NOOP", "CLOSE", "SELECT three",
                     "UNSELECT", "RENAME three four", "UNSUBSCRIBE three", "DELETE four",
                     "NOTIFY SET (personal (MessageNew MessageExpunge))", "NOTIFY NONE", "CAPABILITY"):
            with self.subTest(command=text):
                self.client.command(text)
        for text, results in (("GETQUOTAROOT INBOX", ("BAD",)), ("SETACL INBOX bob lr", ("BAD",)),
                              ("XFOO bar", ("BAD",)), ("COMPRESS DEFLATE", ("BAD",)), ("STARTTLS", ("BAD",)),
                              ("SELECT nowhere", ("NO",)), ("FETCH", ("BAD",)), ("FETCH 99 FLAGS", ("BAD", "NO")),
                              ("LOGIN bob secret", ("BAD",)), ("UNAUTHENTICATE", ("BAD",))):
            with self.subTest(command=text):
                self.client.command(text, result=None)
                self.assertIn(self.client.tagged.split()[1].decode(), results)
        self.client.logout()

    def test_the_answer_through_postern_is_dovecots_own(self):
        direct = self.dovecot.direct(self.user)
        direct.select(readonly=True)
        self.client.command("EXAMINE INBOX")
        for text in ("FETCH 1:* (FLAGS UID RFC822.SIZE BODY.PEEK[] ENVELOPE BODYSTRUCTURE)", "SEARCH ALL",
                     "UID SEARCH ALL", 'LIST "" "*"', "STATUS INBOX (MESSAGES)"):
            direct.send(b"q1 " + text.encode() + b"\r\n")
            expected = self.read_direct(direct)
            self.assertEqual(b"".join(self.client.command(text)), expected, text)
        direct.shutdown()

    def read_direct(self, connection):
        found = b""
        while True:
            line = connection.readline()
            if line.startswith(b"q1 "):
                return found
            found += line

    def test_appends_of_every_shape(self):
        client = self.client
        first, second = message(10, size=70_000), message(11)
        client.append("INBOX", first, plus=True)
        client.append("INBOX", first, plus=False)
        # MULTIAPPEND, one literal of each kind.
        client.send(f"m APPEND INBOX (\\Seen) {{{len(first)}}}\r\n")
        client.expect(rb"\+")
        client.send(first + f" (\\Flagged) \"02-Nov-2026 10:00:00 +0000\" {{{len(second)}+}}\r\n".encode()
                    + second + b"\r\n")
        self.assertIn(b"m OK [APPENDUID", client.until("m")[1])
        # CATENATE: two texts around an old message.
        client.send(b"c APPEND INBOX CATENATE (TEXT {19+}\r\nSubject: joined\r\n\r\n"
                    b" URL \"/INBOX/;UID=1/;SECTION=TEXT\" TEXT {5}\r\n")
        client.expect(rb"\+")
        client.send("after)\r\n")
        self.assertIn(b"c OK", client.until("c")[1])
        # BINARY: a NUL is part of a literal8.
        binary = b"Subject: bin\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\1\2\r\n"
        client.send(b"b APPEND INBOX ~{%d+}\r\n%s\r\n" % (len(binary), binary))
        self.assertRegex(client.until("b")[1], rb"^b (OK|NO) ")
        client.append("INBOX", message(12))
        found = self.dovecot.messages(self.user)
        self.assertEqual(found[3:7], [first, first, first, second])
        self.assertEqual(found[7], b"Subject: joined\r\n\r\n" + b"This is message 1.\r\nafter")
        self.assertEqual(found[-1], message(12))

    def test_literals_in_search_and_mailbox_names(self):
        client = self.client
        client.send("a CREATE {9+}\r\nmit d\u00e4sh\r\n".encode())
        client.until("a")
        client.send("b SELECT {5}\r\n")
        client.expect(rb"\+")
        client.send("INBOX\r\n")
        self.assertIn(b"b OK", client.until("b")[1])
        client.send("c SEARCH SUBJECT {9+}\r\nmessage 2 FROM {3+}\r\nann\r\n")
        untagged, tagged = client.until("c")
        self.assertIn(b"c OK", tagged)
        self.assertIn(b"* SEARCH 2\r\n", untagged)
        client.send("d SEARCH CHARSET UTF-8 TEXT {7}\r\n")
        client.expect(rb"\+")
        client.send("message OR SUBJECT {1+}\r\n1 SUBJECT {1+}\r\n3\r\n")
        self.assertIn(b"* SEARCH 1 3\r\n", client.until("d")[0])
        client.send("e SEARCH CHARSET KLINGON SUBJECT {3+}\r\nfoo\r\n")
        self.assertRegex(client.until("e")[1], rb"^e (NO|BAD) ")
        client.command("NOOP")

    def test_a_refused_append_leaves_the_session_in_step(self):
        client = self.client
        for plus in ("+", ""):
            client.send(f"a APPEND nowhere {{30{plus}}}\r\n")
            if plus:
                client.send(b"b DELETE INBOX\r\nc LOGOUT\r\n....\r\n")
            untagged, tagged = client.until("a")
            if not plus and untagged and untagged[-1].startswith(b"+"):
                raise AssertionError("until() must not swallow a continuation")
            self.assertRegex(tagged, rb"^a NO ")
            client.command("NOOP")
        self.assertEqual(self.dovecot.count(self.user), 3)

    def test_idle_delivers_pushes_at_once(self):
        client = self.client
        client.command("SELECT INBOX")
        client.send("i IDLE\r\n")
        client.expect(rb"\+ ")
        self.dovecot.fill(self.user, [message(4)])
        while b"4 EXISTS" not in client.line():
            pass
        client.send("done\r\n")
        self.assertIn(b"i OK", client.until("i")[1])
        client.send("j IDLE\r\nDONE\r\nk NOOP\r\nl IDLE\r\n")
        client.expect(rb"\+ ")
        self.assertIn(b"j OK", client.until("j")[1])
        self.assertIn(b"k OK", client.until("k")[1])
        client.expect(rb"\+ ")
        client.send("DONE\r\n")
        self.assertIn(b"l OK", client.until("l")[1])

    def test_a_hundred_pipelined_commands_are_each_answered_once(self):
        client = self.client
        client.command("SELECT INBOX")
        batch = [f"p{number} " + ("NOOP", "FETCH 1:3 (FLAGS)", "XFOO", "SEARCH ALL", "FETCH 2 BODY.PEEK[]")[number % 5]
                 for number in range(100)]
        client.send("\r\n".join(batch) + "\r\n")
        # Dovecot itself answers some out of order; every one is answered once.
        answers = client.all([f"p{number}" for number in range(100)])
        for number in range(100):
            self.assertIn(b" BAD " if number % 5 == 2 else b" OK ", answers[f"p{number}"])

    def test_a_session_works_when_every_byte_comes_alone(self):
        client = self.client
        client.drip(b"a SELECT INBOX\r\nb APPEND INBOX {12+}\r\nSubject: x\r\n\r\nc FETCH 1 (BODY.PEEK[])\r\n")
        for tagged in client.all(["a", "b", "c"]).values():
            self.assertIn(b" OK", tagged)
        self.assertEqual(self.dovecot.messages(self.user)[3], b"Subject: x\r\n")

    def test_a_large_message_goes_up_and_comes_down_unchanged(self):
        big = message(5, size=40_000_000)
        self.client.append("INBOX", big, plus=False)
        self.client.command("SELECT INBOX")
        untagged = self.client.command("FETCH 4 BODY.PEEK[]")
        self.assertEqual(untagged[0], b"* 4 FETCH (BODY[] {%d}\r\n%s)\r\n" % (len(big), big))


class OnScripts(EndToEnd):
    def start(self, on=None, **options):
        self.backend = self.imap_backend(on, **options)
        self.postern = self.gateway(self.backend)
        self.client = self.imap(self.postern, "bob")
        return self.client

    @property
    def relayed(self):
        return self.backend.wire(0).relayed

    def test_what_the_backend_receives_is_what_the_client_sent(self):
        client = self.start()
        lines = [b"a SELECT INBOX", b"b uid fetch 1:* (flags body.peek[header.fields (subject)])",
                 b"c SEARCH SUBJECT \"with \\\"quotes\\\" and \\\\\" NOT 1", b"d LIST \"\" \"*\"",
                 b"e STORE 1 +FLAGS.SILENT (\\Seen $Forwarded)", b"f STATUS \"caf\xc3\xa9 \xff\" (MESSAGES)",
                 b"A.b-c_9 NOOP", b"g FETCH 1 BODY[1.2.MIME]<5.10>", b"h CREATE \"{5+}\"", b"i SEARCH TEXT \"a{5}\"",
                 b"j COPY 1,3:* \"x y\""]
        client.send(b"".join(line + b"\r\n" for line in lines))
        for line in lines:
            client.until(line.split()[0])
        self.assertEqual(self.relayed, b"".join(line + b"\r\n" for line in lines))

    def test_non_synchronising_literals_go_out_synchronising(self):
        client = self.start()
        client.send(b"a APPEND INBOX {5+}\r\nhello\r\n")
        client.until("a")
        client.send(b"b SEARCH SUBJECT {3+}\r\nabc TEXT {2}\r\n")
        client.expect(rb"\+")
        client.send(b"xy\r\nc APPEND INBOX (\\Seen) {1+}\r\nq {0+}\r\n\r\n")
        client.until("b")
        client.until("c")
        self.assertEqual(self.relayed, b"a APPEND INBOX {5}\r\nhello\r\nb SEARCH SUBJECT {3}\r\nabc TEXT {2}\r\nxy\r\n"
                                       b"c APPEND INBOX (\\Seen) {1}\r\nq {0}\r\n\r\n")
        scrape = self.postern.scrape()
        self.assertGreaterEqual(scrape["postern_elided_bytes_total"], 4)

    def test_no_literal_byte_leaves_before_the_backends_plus(self):
        released = threading.Event()
        seen = []

        def append(wire, tag, command):
            # The script withholds the continuation: nothing may follow the line.
            wire.socket.settimeout(0.2)
            try:
                wire.fill()
            except Exception:
                pass
            wire.socket.settimeout(None)
            seen.append(bytes(wire.buffer))
            released.wait(10)
            wire.send("+\r\n")
            literal = wire.read(5) + wire.line()
            seen.append(literal)
            wire.send(f"{tag} OK stored\r\n")
        client = self.start({"APPEND": append}, plus=None)
        client.send(b"a APPEND INBOX {5+}\r\nhello\r\n")
        until(lambda: seen, "the backend looked")
        released.set()
        client.until("a")
        self.assertEqual(seen, [b"", b"hello\r\n"])

    def test_a_refusal_before_the_plus_swallows_the_announced_bytes(self):
        def append(wire, tag, command):
            wire.send(f"{tag} NO [TRYCREATE] no such mailbox\r\n")
        client = self.start({"APPEND": append}, plus=None)
        client.send(b"a APPEND x {21+}\r\nb DELETE INBOX\r\n12345\r\nc NOOP\r\n")
        self.assertEqual(client.until("a")[1], b"a NO [TRYCREATE] no such mailbox\r\n")
        self.assertIn(b"c OK", client.until("c")[1])
        # A synchronising one: the client never sends it.
        client.send(b"d APPEND x {16}\r\n")
        self.assertRegex(client.until("d")[1], rb"^d NO ")
        client.command("NOOP")
        self.assertEqual(self.relayed, b"a APPEND x {21}\r\nc NOOP\r\nd APPEND x {16}\r\nt2 NOOP\r\n")

    def test_a_refusal_in_the_middle_of_a_multiappend(self):
        def append(wire, tag, command):
            wire.send("+ go\r\n")
            wire.read(3)
            wire.line()
            wire.send(f"{tag} NO [OVERQUOTA] full\r\n")
        client = self.start({"APPEND": append}, plus=None)
        client.send(b"a APPEND x {3+}\r\nabc {10+}\r\nz LOGOUT\r\n {2+}\r\nzz\r\nc NOOP\r\n")
        self.assertIn(b"a NO [OVERQUOTA]", client.until("a")[1])
        self.assertIn(b"c OK", client.until("c")[1])
        self.assertEqual(self.relayed, b"a APPEND x {3}\r\nabc {10}\r\nc NOOP\r\n")

    def test_a_tagged_end_inside_a_literal_still_sends_the_rest_as_announced(self):
        size = 1_000_000

        def append(wire, tag, command):
            wire.send("+ go\r\n")
            wire.read(1000)
            wire.send(f"{tag} NO [OVERQUOTA] enough\r\n")
            wire.skip(size - 1000)
            wire.line()
        client = self.start({"APPEND": append}, plus=None)
        client.send(b"a APPEND x {%d}\r\n" % size)
        client.expect(rb"\+")
        client.send(b"x" * 5000)
        self.assertIn(b"a NO", client.until("a")[1])
        client.send(b"x" * (size - 5000) + b"\r\nb NOOP\r\n")
        self.assertIn(b"b OK", client.until("b")[1])

    def test_a_bad_after_the_last_byte_is_forwarded_and_the_session_lives(self):
        client = self.start({"SEARCH": lambda wire, tag, command: wire.send(f"{tag} BAD no mailbox\r\n")})
        client.send("a SEARCH CHARSET UTF-8 SUBJECT {3}\r\n")
        client.expect(rb"\+")
        client.send("foo\r\nb NOOP\r\n")
        self.assertEqual(client.until("a")[1], b"a BAD no mailbox\r\n")
        self.assertIn(b"b OK", client.until("b")[1])

    def test_an_append_over_the_limit_is_refused_before_its_literal(self):
        self.backend = self.imap_backend()
        self.postern = self.gateway(self.backend, limits={"append": "1000B"})
        client = self.imap(self.postern, "bob")
        client.send("a APPEND INBOX {1001}\r\n")
        self.assertRegex(client.until("a")[1], rb"^a NO \[TOOBIG\]")
        client.send(b"b APPEND INBOX {1001+}\r\n" + b"y" * 1001 + b"\r\n")
        self.assertRegex(client.until("b")[1], rb"^b NO \[TOOBIG\]")
        client.append("INBOX", b"z" * 1000)
        self.assertNotIn(b"1001", self.relayed)
        self.assertNotIn(b"y", self.relayed)

    def test_trailing_spaces_are_trimmed_and_surplus_arguments_are_bad(self):
        client = self.start()
        client.command("NOOP  ")
        client.command("NOOP surplus", result="BAD")
        client.command("CHECK now", result="BAD")
        client.command("FROBNICATE (", result="BAD")
        client.command("NOOP")
        self.assertEqual(self.relayed, b"t2 NOOP\r\nt6 NOOP\r\n")
        self.assertEqual(self.postern.scrape().sum("postern_commands_total", result="local", protocol="imap"), 3)

    def test_answers_of_old_backends_are_tolerated(self):
        def fetch(wire, tag, command):
            wire.send(b"* 1 FETCH (BODY[] {3}\r\na\0b)\r\n* 99 XWHATEVER " + b"x" * 300_000 + b"\r\n")
            wire.send(f"* ok\r\n{tag} oK\r\n")
        client = self.start({"FETCH": fetch, "NOOP": lambda w, t, c: w.send(f"{t} no\r\n"),
                             "CHECK": lambda w, t, c: w.send(f"{t} Bad \r\n")}, plus=b"+\r\n")
        client.send("a FETCH 1 BODY[]\r\nb NOOP\r\nc CHECK\r\nd APPEND x {1+}\r\ny\r\n")
        untagged, tagged = client.until("a")
        self.assertEqual((len(untagged), tagged), (3, b"a oK\r\n"))
        self.assertEqual(client.until("b")[1], b"b no\r\n")
        self.assertEqual(client.until("c")[1], b"c Bad \r\n")
        self.assertIn(b"d OK", client.until("d")[1])

    def test_server_literals_are_counted_never_scanned(self):
        inner = b"a OK done\r\n* BYE\r\n{100}\r\n+ go\r\n" + b")" * 100_000
        body = b"* 1 FETCH (BODY[] {%d}\r\n%s BODY[1] {0}\r\n FLAGS ())\r\n* OK look {5}\r\n" % (len(inner), inner)
        client = self.start({"FETCH": lambda w, t, c: w.send(body + f"{t} OK end {{7}}\r\n".encode())})
        client.send("a FETCH 1 BODY[]\r\nb NOOP\r\n")
        expected = body + b"a OK end {7}\r\nb OK NOOP done\r\n"
        self.assertEqual(client.read(len(expected)), expected)
        client.send("c FETCH 1 BODY[]\r\n")
        client.read(len(expected) - len(b"b OK NOOP done\r\n"))
