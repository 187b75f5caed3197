"""Rules on POP3 commands, with a real Dovecot behind them: what is refused did not happen."""

import time

from harness.dovecot import message
from harness.ruled import Ruled, rule

NO_DELETE = rule("no deleting", "deny", given={"protocol": "pop3", "command": "DELE"}, text="keep it")
READ_ONLY = rule("keep", "read-only", given={"protocol": "pop3"}, text="read only")


class OnDovecot(Ruled):
    def start(self, rules, messages=3, size=0):
        self.user = self.dovecot.new_user()
        self.dovecot.fill(self.user, [message(number, size=size) for number in range(1, messages + 1)])
        self.postern = self.ruled(rules)
        return self.pop3(self.postern, self.user)

    def test_a_denied_deletion_does_not_happen_in_any_spelling(self):
        client = self.start(NO_DELETE)
        for text in ("DELE 1", "dele 1", "DeLe 1  ", "DELE  1", "DELE\t1", "DELE 01", "DELE"):
            client.command(text, good=False)
        client.send("NOOP\r\nDELE 1\r\ndele 2\r\nSTAT\r\n")
        client.expect(rb"\+OK")
        client.expect(rb"-ERR \[SYS/PERM\] keep it\r\n")
        client.expect(rb"-ERR \[SYS/PERM\] keep it\r\n")
        client.expect(rb"\+OK 3 ")
        client.drip(b"DELE 3\r\n")
        client.expect(rb"-ERR \[SYS/PERM\] keep it\r\n")
        client.quit()
        self.assertEqual(self.dovecot.count(self.user), 3)
        scrape = self.postern.settle()
        denied = scrape.sum("postern_commands_total", protocol="pop3", command="DELE", result="denied")
        self.assertEqual(denied, 7)
        self.assertEqual(scrape.sum("postern_rule_hits_total", rule="no deleting", then="deny", mode="enforce"), 7)

    def test_denials_keep_their_order_while_a_message_comes_down(self):
        client = self.start(NO_DELETE, messages=2, size=3_000_000)
        client.send("RETR 1\r\nDELE 1\r\nSTAT\r\nDELE 2\r\nXFOO\r\nRETR 2\r\nDELE 1\r\nQUIT\r\n")
        client.expect(rb"\+OK")
        self.assertEqual(client.body(), message(1, size=3_000_000))
        client.expect(rb"-ERR \[SYS/PERM\] keep it")
        client.expect(rb"\+OK 2 ")
        client.expect(rb"-ERR \[SYS/PERM\] keep it")
        client.expect(rb"-ERR no such")
        client.expect(rb"\+OK")
        self.assertEqual(client.body(), message(2, size=3_000_000))
        client.expect(rb"-ERR \[SYS/PERM\] keep it")
        client.expect(rb"\+OK")
        client.expect_end()
        self.assertEqual(self.dovecot.count(self.user), 2)

    def test_under_read_only_everything_is_read_and_nothing_deleted(self):
        client = self.start(READ_ONLY)
        client.command("DELE 1", good=False)
        client.command("STAT")
        self.assertEqual(len(client.many("LIST").splitlines()), 3)
        self.assertEqual(len(client.many("UIDL").splitlines()), 3)
        self.assertEqual(client.many("RETR 1"), message(1))
        client.many("TOP 1 0")
        client.many("CAPA")
        client.command("NOOP")
        client.command("RSET")
        client.send("DELE 1\r\nDELE 2\r\nQUIT\r\n")
        client.expect(rb"-ERR \[SYS/PERM\] read only\r\n")
        client.expect(rb"-ERR \[SYS/PERM\] read only\r\n")
        client.expect(rb"\+OK")
        client.expect_end()
        self.assertEqual(self.dovecot.count(self.user), 3)

    def test_read_only_that_a_reload_brings_holds_for_live_sessions(self):
        client = self.start("")
        client.command("DELE 1")
        self.reload(self.postern, READ_ONLY)
        client.command("DELE 2", good=False)
        client.quit()
        # What the client had asked for before is its own.
        self.assertEqual(self.dovecot.count(self.user), 2)

    def test_a_reload_lifts_a_denial_for_live_sessions(self):
        client = self.start(NO_DELETE)
        client.command("DELE 1", good=False)
        self.reload(self.postern, "")
        client.command("DELE 1")
        client.quit()
        self.assertEqual(self.dovecot.count(self.user), 2)

    def test_in_report_mode_it_happens_and_is_told(self):
        client = self.start(rule("trial", "deny", mode="report", given={"protocol": "pop3", "command": "DELE"}))
        client.command("DELE 1")
        client.quit()
        self.assertEqual(self.dovecot.count(self.user), 2)
        self.assertEqual(self.hits(self.postern, "trial", mode="report", then="deny"), 1)
        line = self.postern.event("rule", rule="trial", mode="report")
        self.assertEqual((line["user"], line["command"]), (self.user, "DELE"))

    def test_hidden_capabilities_are_gone_and_their_commands_unknown(self):
        hide = rule("hide", "hide", given={"protocol": "pop3"}, capabilities=["TOP", "UIDL", "SASL"])
        before = self.start(hide)
        after = self.pop3(self.postern)
        for client in (before, after):
            listed = [line.split()[0] for line in client.many("CAPA").splitlines()]
            for name in (b"TOP", b"UIDL", b"SASL"):
                self.assertNotIn(name, listed)
            self.assertIn(b"PIPELINING", listed)
        for text in ("TOP 1 0", "UIDL", "UIDL 1", "AUTH"):
            before.command(text, good=False)
        for text in ("AUTH", "AUTH PLAIN"):
            after.command(text, good=False)
        before.many("LIST")
        before.quit()

    def test_a_rule_on_an_argument_sees_the_message_number(self):
        client = self.start(rule("not the second", "deny", given={"protocol": "pop3", "command": "RETR", "argument": "2"}))
        client.many("RETR 1")
        client.command("RETR 2", good=False)
        client.command("RETR 2  ", good=False)
        client.many("RETR 3")

    def test_a_delayed_command_is_slow_and_nothing_overtakes_it(self):
        client = self.start(rule("slow", "delay", given={"protocol": "pop3", "command": "STAT"}, delay="700ms"))
        begin = time.monotonic()
        client.command("NOOP")
        self.assertLess(time.monotonic() - begin, 0.6)
        begin = time.monotonic()
        client.send("NOOP\r\nSTAT\r\nLIST 1\r\n")
        client.expect(rb"\+OK")
        client.expect(rb"\+OK 3 ")
        self.assertGreaterEqual(time.monotonic() - begin, 0.7)
        client.expect(rb"\+OK 1 ")
        client.quit()
        self.assertEqual(self.hits(self.postern, "slow"), 1)

    def test_a_command_that_ends_the_session(self):
        client = self.start(rule("out", "disconnect", given={"protocol": "pop3", "command": "TOP"}, text="not here"))
        client.command("DELE 1")
        client.send("RETR 2\r\nTOP 1 0\r\nQUIT\r\n")
        client.expect(rb"\+OK")
        self.assertEqual(client.body(), message(2))
        client.expect(rb"-ERR \[SYS/PERM\] not here\r\n")
        client.expect_end()
        self.closed(self.postern, "rule")
        # Without its QUIT nothing is deleted, and the mailbox is free again.
        self.eventually(lambda: self.dovecot.count(self.user) == 3, "the mailbox is let go")


if __name__ == "__main__":
    import unittest

    unittest.main()
