"""Rules that hide mailboxes and capabilities, in front of Dovecot: what is hidden is nowhere, in any spelling."""

from harness.case import EndToEnd
from harness.dovecot import message

RULES = r"""
[[rule]]
name = "the archive of the board"
if = { user = 'user.*' }
then = "hide"
mailboxes = ['Board', 'Shared/.*private.*', 'Entwürfe']

[[rule]]
name = "no sorting"
if = { user = 'user.*' }
then = "hide"
capabilities = ["SORT", "NOTIFY"]
"""

# Names of what is hidden, as they could stand in any answer.
TRACES = (b"board", b"private", b"entw")

SPELLINGS = ("Board", '"Board"', '"&AEI-oard"', '"Board/"', '"Board/minutes"', "Board/minutes", '"&AEIAbwBhAHIAZA-"',
             '"Shared/our private box"')


class Hidden(EndToEnd):
    def setUp(self):
        super().setUp()
        self.user = self.dovecot.new_user()
        direct = self.dovecot.direct(self.user)
        for name in ("Board", "Board/minutes", '"Shared/our private box"', "Shared/open", "Entw&APw-rfe", "Open", "Boarding"):
            self.assertEqual(direct.create(name)[0], "OK", name)
            direct.subscribe(name)
        direct.logout()
        self.dovecot.fill(self.user, [message(1), message(2)])
        self.dovecot.fill(self.user, [message(3)], mailbox="Board")
        rules = self.folder() / "hide.toml"
        rules.write_text(RULES)
        self.postern = self.gateway(rules={"files": [rules]})
        self.client = self.imap(self.postern, self.user)

    def assert_no_trace(self, answers):
        for answer in answers:
            for trace in TRACES:
                self.assertNotIn(trace, answer.lower().replace(b"boarding", b""), answer)

    def refused(self, text, code):
        untagged = self.client.command(text, result="NO")
        # A failed SELECT closes what was selected.
        self.assertEqual([each for each in untagged if b"[CLOSED]" not in each], [], text)
        self.assertIn(b"[" + code + b"]", self.client.tagged, text)
        self.assert_no_trace([self.client.tagged])

    def test_lists_show_what_is_not_hidden(self):
        for text in ('LIST "" *', 'LSUB "" *', 'LIST "" %', 'LIST "" "Board*"', 'LIST "" Board',
                     'LIST "" "*" RETURN (SUBSCRIBED CHILDREN STATUS (MESSAGES))', 'LIST (SUBSCRIBED RECURSIVEMATCH) "" %',
                     'LIST "" ("Board/%" "Open")', 'LIST "Board/" "%"', "NAMESPACE"):
            with self.subTest(command=text):
                self.assert_no_trace(self.client.command(text))
        shown = b"".join(self.client.command('LIST "" *'))
        for name in (b"INBOX", b"Open", b"Boarding", b"Shared/open"):
            self.assertIn(name, shown)

    def test_what_is_hidden_is_not_there(self):
        for name in SPELLINGS:
            for text in (f"SELECT {name}", f"EXAMINE {name}", f"STATUS {name} (MESSAGES)", f"DELETE {name}",
                         f"SUBSCRIBE {name}", f"UNSUBSCRIBE {name}", f"RENAME {name} Mine"):
                with self.subTest(command=text):
                    self.refused(text, b"NONEXISTENT")
            with self.subTest(name=name):
                self.refused(f"CREATE {name}", b"CANNOT")
                self.refused(f"RENAME Open {name}", b"CANNOT")
                self.client.command("SELECT INBOX")
                self.refused(f"COPY 1 {name}", b"TRYCREATE")
                self.refused(f"UID MOVE 1:* {name}", b"TRYCREATE")
                self.refused(f"APPEND {name} {{5+}}\r\nhello", b"TRYCREATE")
        # All of it is still there, and as it was.
        self.assertEqual(self.dovecot.count(self.user, "Board"), 1)
        self.assertEqual(self.dovecot.count(self.user), 2)

    def test_a_failed_select_deselects(self):
        self.client.command("SELECT INBOX")
        self.refused("SELECT Board", b"NONEXISTENT")
        self.client.command("FETCH 1 FLAGS", result="BAD")

    def test_names_in_literals(self):
        for mark, waits in (("{5}", True), ("{5+}", False)):
            tag = self.client.tag()
            self.client.send(f"{tag} STATUS {mark}\r\n")
            if waits:
                self.client.expect(rb"\+")
            self.client.send("Board (MESSAGES)\r\n")
            untagged, tagged = self.client.until(tag)
            self.assertEqual(untagged, [])
            self.assertIn(b"NO [NONEXISTENT]", tagged)

    def test_parents_stay_where_they_are(self):
        self.refused("RENAME Shared Common", b"CANNOT")
        self.client.command("RENAME Open Opened")
        self.client.command('LIST "" Shared')

    def test_urls_of_hidden_messages(self):
        self.client.command("SELECT INBOX")
        self.client.command('APPEND Open CATENATE (URL "/INBOX/;UID=1")')
        for url in ("/Board/;UID=1", "/%42oard/;UID=1", "/Open/../Board/;UID=1"):
            self.client.command(f'APPEND Open CATENATE (URL "{url}")', result="NO")
            self.assertIn(b"[NONEXISTENT]", self.client.tagged)
        self.assertEqual(self.dovecot.count(self.user, "Open"), 1)

    def test_hidden_capabilities_are_nowhere_and_do_nothing(self):
        fresh = self.imap(self.postern)
        fresh.command(f"LOGIN {self.user} secret")
        lines = [fresh.tagged, *fresh.command("CAPABILITY")]
        fresh.command("SELECT INBOX")
        for line in lines:
            self.assertNotIn(b"SORT", line.replace(b"SORT=", b"").replace(b"ESORT", b""))
            self.assertNotIn(b"NOTIFY", line)
        for text in ("SORT (DATE) UTF-8 ALL", "UID SORT (DATE) UTF-8 ALL", "NOTIFY NONE"):
            fresh.command(text, result="BAD")
        fresh.command("SEARCH ALL")

    def test_another_user_sees_everything(self):
        other = "other" + self.user
        client = self.imap(self.postern, other)
        client.command("CREATE Board")
        self.assertIn(b"Board", b"".join(client.command('LIST "" *')))
        client.command("SELECT Board")
        client.command("SORT (DATE) UTF-8 ALL")
