"""POP3 after login: replies of every shape, and deletions that happen only on the client's own QUIT."""

import os
import signal
import threading

from harness.case import EndToEnd
from harness.dovecot import message


class OnDovecot(EndToEnd):
    def setUp(self):
        super().setUp()
        self.user = self.dovecot.new_user()
        self.originals = [message(1), message(2, size=50_000), message(3) + b".\r\n..\r\n.dots\r\n"]
        self.dovecot.fill(self.user, self.originals)
        self.postern = self.gateway()

    def test_every_command_with_and_without_argument(self):
        client = self.pop3(self.postern, self.user)
        self.assertRegex(client.command("STAT"), rb"^\+OK 3 \d+")
        self.assertEqual(len(client.many("LIST").splitlines()), 3)
        self.assertRegex(client.command("LIST 2"), rb"^\+OK 2 \d+")
        self.assertEqual(len(client.many("UIDL").splitlines()), 3)
        self.assertRegex(client.command("UIDL 2"), rb"^\+OK 2 ")
        self.assertEqual(client.many("retr 1"), self.originals[0])
        self.assertEqual(client.many("RETR 3"), self.originals[2].replace(b"\r\n.", b"\r\n.."))
        self.assertEqual(client.many("TOP 2 0"), self.originals[1].split(b"\r\n\r\n")[0] + b"\r\n\r\n")
        self.assertEqual(client.many("TOP 2 1").count(b"\r\n"), self.originals[1].split(b"\r\n\r\n")[0].count(b"\r\n") + 3)
        for text in ("RETR 9", "LIST 9", "UIDL 9", "TOP 9 0", "DELE 9", "RETR", "XFOO", "STLS", "AUTH PLAIN", "USER x"):
            client.command(text, good=False)
        client.command("NOOP")
        client.command("DELE 1")
        self.assertEqual(len(client.many("LIST").splitlines()), 2)
        client.command("RSET")
        client.many("CAPA")
        client.quit()
        self.assertEqual(self.dovecot.count(self.user), 3)
        self.closed(self.postern, "logout")

    def test_pipelined_commands_keep_their_order(self):
        client = self.pop3(self.postern, self.user)
        client.send(b"STAT\r\nLIST\r\nXFOO\r\nRETR 3\r\nLIST 1\r\nUIDL\r\nNOOP\r\nTOP 1 0\r\nQUIT\r\n")
        client.expect(rb"\+OK 3")
        client.expect(rb"\+OK")
        client.body()
        client.expect(rb"-ERR")
        client.expect(rb"\+OK")
        self.assertEqual(client.body(), self.originals[2].replace(b"\r\n.", b"\r\n.."))
        client.expect(rb"\+OK 1 ")
        client.expect(rb"\+OK")
        client.body()
        client.expect(rb"\+OK")
        client.expect(rb"\+OK")
        client.body()
        client.expect(rb"\+OK")
        client.expect_end()

    def test_a_session_works_when_every_byte_comes_alone(self):
        client = self.pop3(self.postern)
        client.drip(f"USER {self.user}\r\nPASS secret\r\nRETR 1\r\nQUIT\r\n".encode())
        client.expect(rb"\+OK")
        client.expect(rb"\+OK")
        client.expect(rb"\+OK")
        self.assertEqual(client.body(), self.originals[0])
        client.expect(rb"\+OK")

    def test_a_large_message_comes_down_unchanged(self):
        big = message(9, size=20_000_000)
        user = self.dovecot.new_user()
        self.dovecot.fill(user, [big])
        client = self.pop3(self.postern, user)
        self.assertEqual(client.many("RETR 1"), big)


class Deletions(EndToEnd):
    """Two messages are marked; the session then ends in some other way than QUIT."""

    def start(self, **changes):
        self.user = self.dovecot.new_user()
        self.dovecot.fill(self.user, [message(1), message(2), message(3)])
        self.postern = self.gateway(**changes)
        client = self.pop3(self.postern, self.user)
        client.command("DELE 1")
        client.command("DELE 2")
        return client

    def nothing_was_deleted(self, *reasons):
        self.assertIn(self.closed(self.postern)["close_reason"], reasons)
        # Dovecot has let go of the mailbox once a new session gets its lock.
        log = f"pop3({self.user})"
        self.eventually(lambda: any(log in line and "Disconnected" in line
                                    for line in self.dovecot.log().splitlines()), "Dovecot noticed the end")
        self.assertEqual(self.dovecot.count(self.user), 3)

    def test_the_clients_own_quit_deletes(self):
        client = self.start()
        client.quit()
        self.assertEqual(self.dovecot.count(self.user), 1)
        self.closed(self.postern, "logout")

    def test_a_quit_whose_answer_nobody_reads_deletes(self):
        client = self.start()
        client.send("QUIT\r\n")
        client.close()
        self.eventually(lambda: self.dovecot.count(self.user) == 1, "the deletions took place")

    def test_a_close_without_quit_deletes_nothing(self):
        self.start().close()
        self.nothing_was_deleted("client_closed", "client_reset")

    def test_an_orderly_end_of_tls_without_quit_deletes_nothing(self):
        client = self.start()
        try:
            client.socket.unwrap()
        except OSError:
            pass
        client.close()
        self.nothing_was_deleted("client_closed")

    def test_a_reset_deletes_nothing(self):
        self.start().reset()
        self.nothing_was_deleted("client_reset")

    def test_an_idle_timeout_deletes_nothing(self):
        client = self.start(timeouts={"pop3_idle": "1s"})
        client.rest()
        self.nothing_was_deleted("idle_timeout")

    def test_a_malformed_line_deletes_nothing(self):
        for line in (b"NOOP\n", b"QUIT\n", b"QUIT\0\r\n", b"QU\rIT\r\n", b"\nQUIT\r\n", b"NOOP " + b"x" * 100_000):
            with self.subTest(line=line[:20]):
                client = self.start()
                client.try_send(line + b"QUIT\r\n")
                client.rest()
                self.nothing_was_deleted("client_protocol")

    def test_surplus_arguments_are_no_quit(self):
        client = self.start()
        client.command("QUIT now", good=False)
        client.command("STAT")
        client.close()
        self.nothing_was_deleted("client_closed", "client_reset")

    def test_the_drain_deadline_deletes_nothing(self):
        client = self.start(gateway={"drain": "1s"})
        self.postern.terminate()
        client.rest()
        self.assertEqual(self.postern.wait(), 0)
        self.nothing_was_deleted("drain_deadline")

    def test_half_a_quit_deletes_nothing(self):
        for part in (b"Q", b"QUIT", b"QUIT\r"):
            with self.subTest(part=part):
                client = self.start()
                client.send(part)
                client.close()
                self.nothing_was_deleted("client_closed", "client_reset", "client_protocol")

    def test_losing_dovecot_deletes_nothing(self):
        client = self.start()
        os.kill(self.dovecot.session_process("pop3", self.user), signal.SIGKILL)
        client.rest()
        self.closed(self.postern, "backend_closed")
        self.assertEqual(self.dovecot.count(self.user), 3)

    def test_losing_the_backend_deletes_nothing_and_sends_no_quit(self):
        backend = self.pop3_backend({"NOOP": lambda wire, line: "end"})
        postern = self.gateway(backend)
        client = self.pop3(postern, "bob")
        client.command("DELE 1")
        client.send("NOOP\r\n")
        client.rest()
        self.closed(postern, "backend_closed")
        self.assertEqual(backend.wait_end().relayed, b"DELE 1\r\nNOOP\r\n")


class OnScripts(EndToEnd):
    def start(self, on=None, **changes):
        self.backend = self.pop3_backend(on)
        self.postern = self.gateway(self.backend, **changes)
        self.client = self.pop3(self.postern, "bob")
        return self.client

    def test_no_end_but_quit_sends_a_byte_to_the_backend(self):
        endings = [(lambda client: client.close(), ("client_closed", "client_reset")),
                   (lambda client: client.reset(), ("client_reset",)),
                   (lambda client: client.send(b"a\0b\r\n"), ("client_protocol",))]
        for ending, reasons in endings:
            with self.subTest(reasons=reasons):
                client = self.start()
                client.command("DELE 1")
                ending(client)
                self.assertIn(self.closed(self.postern)["close_reason"], reasons)
                self.assertEqual(self.backend.wait_end().relayed, b"DELE 1\r\n")

    def test_only_crlf_dot_crlf_ends_a_reply(self):
        body = (b"one\n.\ntwo\r.\rthree\r\n.\rfour\n.\r\nfive\r\n..\r\n.x\r\n. \r\n\0\xff" + b"\r" * 70_000 + b"\n" * 70_000
                + b"\r\n...\r\n")
        client = self.start({"RETR": lambda wire, line: wire.send(b"+OK\r\n" + body + b".\r\n"),
                             "TOP": lambda wire, line: [wire.send(bytes([each])) for each in b"+OK\r\n" + body[:60]
                                                        + b"\r\n.\r\n"]})
        client.send("RETR 1\r\nSTAT\r\nTOP 1 1\r\nNOOP\r\n")
        expected = b"+OK\r\n" + body + b".\r\n+OK done\r\n+OK\r\n" + body[:60] + b"\r\n.\r\n+OK done\r\n"
        self.assertEqual(client.read(len(expected)), expected)
        client.quit()

    def test_an_error_to_a_multi_line_command_is_one_line(self):
        client = self.start({"RETR": lambda wire, line: wire.send("-ERR [IN-USE] no\r\n")})
        client.send("RETR 1\r\nLIST\r\nRETR 2\r\nLIST 1\r\n")
        client.expect(rb"-ERR \[IN-USE\] no\r\n")
        client.expect(rb"\+OK")
        client.body()
        client.expect(rb"-ERR")
        client.expect(rb"\+OK done")

    def test_unknown_verbs_are_never_forwarded(self):
        client = self.start()
        for text in ("XFOO", "XTND XMIT", "LANG", "STLS", "UTF8", "APOP a b", "AUTH PLAIN", "USER x", "PASS y"):
            client.command(text, good=False)
        client.command("NOOP")
        self.assertEqual(self.backend.wire(0).relayed, b"NOOP\r\n")

    def test_what_the_backend_receives_is_what_the_client_sent(self):
        client = self.start()
        client.send(b"stat\r\nList 1\r\nuidl\r\nrEtR 12\r\nTOP 1 0\r\nDELE 3\r\nRSET\r\nNOOP\r\nQUIT\r\n")
        client.rest()
        self.assertEqual(self.backend.wait_end().relayed,
                         b"stat\r\nList 1\r\nuidl\r\nrEtR 12\r\nTOP 1 0\r\nDELE 3\r\nRSET\r\nNOOP\r\nQUIT\r\n")

    def test_lines_that_are_too_long_or_malformed_close(self):
        for line in (b"RETR " + b"1" * 300 + b"\r\n", b"NOOP\n", b"NO\0OP\r\n", b"NO\rOP\r\n", b"NOOP\r\r\n"):
            with self.subTest(line=line[:12]):
                client = self.start()
                client.send(line)
                self.assertRegex(client.rest(), rb"^-ERR ")
                self.closed(self.postern, "client_protocol")
                self.assertEqual(self.backend.wait_end().relayed, b"")

    def test_our_own_answers_keep_their_place_between_slow_replies(self):
        gate = threading.Event()

        def retr(wire, line):
            wire.send("+OK\r\nhalf")
            wire.wait(gate)
            wire.send(" done\r\n.\r\n")
        client = self.start({"RETR": retr})
        client.send("RETR 1\r\nXFOO\r\nNOOP\r\n")
        client.expect(rb"\+OK")
        self.assertEqual(client.read(4), b"half")
        gate.set()
        self.assertEqual(client.body(), b" done\r\n")
        client.expect(rb"-ERR")
        client.expect(rb"\+OK")

    def test_a_reply_nobody_asked_for_closes(self):
        def noop(wire, line):
            wire.send("+OK\r\n+OK and one more\r\n")
            wire.drain()
        client = self.start({"NOOP": noop})
        client.send("NOOP\r\n")
        client.expect(rb"\+OK")
        client.rest()
        self.closed(self.postern, "backend_protocol")

    def test_a_backend_that_dies_inside_a_body_is_a_visible_cut(self):
        def retr(wire, line):
            wire.send("+OK\r\nfirst line\r\n")
            return "end"
        client = self.start({"RETR": retr})
        client.send("RETR 1\r\n")
        self.assertEqual(client.rest(), b"+OK\r\nfirst line\r\n")
        self.assertFalse(client.clean_end)
        self.closed(self.postern, "backend_closed")
