"""Many sessions at once: nobody sees another's bytes, nothing leaks, limits hold."""

import os
import random
import threading

from harness.case import EndToEnd
from harness.client import Ended
from harness.postern import listener


class Many(EndToEnd):
    def test_every_answer_carries_its_own_users_mark(self):
        def fetch(wire, tag, command):
            mark = wire.credentials[0]
            wire.send(b"* 1 FETCH (BODY[] {%d}\r\n%s)\r\n%s OK\r\n" % (len(mark) * 500, mark * 500, tag.encode()))
        backend = self.imap_backend({"FETCH": fetch})
        postern = self.gateway(backend, gateway={"workers": 2})
        wrong = []

        def visit(number):
            chosen = random.Random(number)
            for turn in range(4):
                user = f"u{number}-{turn}-"
                client = self.imap(postern)
                if chosen.random() < 0.5:
                    client.command(f"LOGIN other{number} wrong", result="NO")
                client.login(user)
                for _ in range(25):
                    answer = client.command("FETCH 1 BODY[]")[0]
                    if user.encode() * 500 not in answer or answer.count(b"u") != 500:
                        wrong.append((user, answer[:80]))
                chosen.choice((client.logout, client.close, client.reset))()
        threads = [threading.Thread(target=visit, args=(number,)) for number in range(12)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        self.assertEqual(wrong, [])
        for wire in backend.wires:
            if wire.credentials and wire.login_end is not None:
                self.assertNotIn(b"wrong", wire.received)
        self.assertEqual(postern.settle().sum("postern_commands_total", command="FETCH", result="ok"), 12 * 4 * 25)

    def test_random_pipelines_are_answered_once_and_in_order(self):
        backend = self.imap_backend({"FETCH": lambda w, t, c: w.send(f"* 1 FETCH (BODY[] {{6}}\r\nx OK\r\n)\r\n{t} OK\r\n")})
        # In clear: one thread sends while another reads, which Python's TLS does not bear.
        postern = self.gateway(backend, listeners=[listener("imap", tls="none", trusted=["127.0.0.0/8"])])
        chosen = random.Random(20261122)
        client = self.imap(postern, "bob", at="imap", tls=False)
        relayed, local, text, wire = [], [], b"", b""
        for number in range(3000):
            tag = f"p{number}"
            kind = chosen.randrange(6)
            if kind < 2:
                line = b"%s NOOP\r\n" % tag.encode()
            elif kind == 2:
                line = b"%s FETCH 1 BODY[]\r\n" % tag.encode()
            elif kind == 3:
                body = bytes(chosen.randrange(256) for _ in range(chosen.randrange(60)))
                line = b"%s APPEND INBOX {%d+}\r\n%s\r\n" % (tag.encode(), len(body), body)
            elif kind == 4:
                line = b'%s SEARCH SUBJECT {3+}\r\nabc TEXT "d"\r\n' % tag.encode()
            else:
                text += b"%s XFOO bar\r\n" % tag.encode()
                local.append(tag)
                continue
            relayed.append(tag)
            text += line
            wire += line.replace(b"+}\r\n", b"}\r\n", 1)
        sender = threading.Thread(target=client.send, args=(text,))
        sender.start()
        order, found = [], {}
        while len(found) < 3000:
            line = client.response()
            tag = line.split()[0].decode("latin-1")
            if tag == "*":
                continue
            self.assertNotIn(tag, found)
            found[tag] = line
            order.append(tag)
        sender.join()
        self.assertEqual([tag for tag in order if tag in set(relayed)], relayed)
        self.assertTrue(all(b" BAD" in found[tag] for tag in local))
        self.assertTrue(all(b" OK" in found[tag] for tag in relayed))
        self.assertEqual(backend.wire(0).relayed, wire)

    def test_descriptors_come_back_however_sessions_end(self):
        backend = self.imap_backend()
        postern = self.gateway(backend)
        self.imap(postern, "bob").logout()
        postern.settle()

        def descriptors():
            return len(os.listdir(f"/proc/{postern.pid}/fd"))
        before = descriptors()
        for number in range(120):
            client = self.imap(postern, None if number % 3 else "bob")
            if number % 4 == 0:
                client.reset()
            elif number % 4 == 1:
                client.close()
            elif number % 4 == 2:
                client.try_send(b"a NOOP\n")
                client.rest()
                client.close()
            else:
                client.try_send(b"a LOGIN bob secr")
                client.reset()
        postern.settle()
        self.eventually(lambda: descriptors() <= before + 1, lambda: f"{descriptors()} descriptors, {before} before")

    def test_the_number_of_sessions_is_limited(self):
        postern = self.gateway(self.imap_backend(), limits={"sessions": 3})
        held = [self.imap(postern, f"user{number}") for number in range(3)]
        try:
            refused = self.imap(postern, greeting=False, timeout=2)
            line = refused.line()
            self.assertRegex(line, rb"^\* BYE \[UNAVAILABLE\]")
            refused.close()
        except (Ended, OSError, AssertionError) as error:
            self.assertNotIn("* OK", str(error))
        held[0].logout()

        def served():
            try:
                client = self.imap(postern, greeting=False, timeout=2)
                line = client.line()
                client.close()
                return line.startswith(b"* OK")
            except (Ended, OSError, AssertionError):
                return False
        self.eventually(served, "a place became free")
        held[1].command("NOOP")
