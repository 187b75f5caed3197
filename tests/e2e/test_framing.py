"""Framing is the security boundary: each cell of the table against a scripted backend and Dovecot."""

import json
import pathlib
import re
import subprocess
import unittest

from harness.case import EndToEnd
from harness.client import Ended, Imap
from harness.scripts import ImapScript
from vectors import AFTER, BEFORE

GOLDEN = pathlib.Path(__file__).with_name("oracle_dovecot.json")


class Recording(ImapScript):
    """Keeps the commands as a strict reader takes them apart: (line with literals)."""

    def __init__(self, **options):
        super().__init__(**options)
        self.commands = []

    def command(self, wire):
        data = super().command(wire)
        if wire.login_end is not None:
            self.commands.append(data)
        return data


class Table(EndToEnd):
    def setUp(self):
        super().setUp()
        self.script = Recording()
        self.backend = self.scripted(self.script)
        self.postern = self.gateway(self.backend)

    def test_each_cell_after_login(self):
        for vector in AFTER:
            for dripping in (False, True):
                if dripping and len(vector.send) > 200:
                    continue
                with self.subTest(cell=vector.name, dripping=dripping):
                    self.after_login(vector, dripping)

    def after_login(self, vector, dripping):
        number = len(self.backend.wires)
        self.script.commands.clear()
        client = self.imap(self.postern, "bob")
        try:
            (client.drip if dripping else client.send)(vector.send)
            client.send(b"zz NOOP\r\n")
        except OSError:
            pass
        closed, text = self.outcome(client)
        client.close()
        relayed = self.backend.wait_end(number).relayed
        getattr(self, vector.want)(vector, closed, text, relayed)
        self.assertNotIn(b"b OK", text, "the smuggled command was executed")
        self.assertFalse([each for each in self.script.commands if each.startswith(b"b ")])

    def outcome(self, client):
        """(closed, what came): up to the answer to zz, or to the end."""
        text = b""
        try:
            while not re.search(rb"(?m)^zz (OK|NO|BAD)", text):
                text += client.line()
        except (Ended, OSError):
            return True, text
        return False, text

    def close(self, vector, closed, text, relayed):
        self.assertEqual(relayed, b"")
        self.assertTrue(closed, text)
        if re.match(rb"[a-z0-9.]+ ", vector.send):
            self.assertRegex(text, rb"(?m)^a BAD ")
        self.assertRegex(text, rb"(?m)^\* BYE ")

    def cut(self, vector, closed, text, relayed):
        self.assertTrue(closed, text)
        self.assertEqual([each for each in self.script.commands if each.endswith(b"\r\n") and len(each) > 1
                          and not each.startswith(b"zz")], [])

    def bad(self, vector, closed, text, relayed):
        self.assertFalse(closed, text)
        self.assertRegex(text, rb"(?m)^a BAD ")
        self.assertEqual(relayed, b"zz NOOP\r\n")

    def refuse(self, vector, closed, text, relayed):
        self.assertIn(relayed, (b"", b"zz NOOP\r\n") if not closed else (b"",))
        self.assertNotRegex(text, rb"(?m)^a OK")

    def step(self, vector, closed, text, relayed):
        for command in self.script.commands:
            self.assertTrue(command.startswith((b"a ", b"zz ")), command)
        if not closed:
            self.assertRegex(text, rb"(?m)^zz OK")

    def relay(self, vector, closed, text, relayed):
        self.assertEqual(relayed, vector.wire + b"zz NOOP\r\n")
        self.assertFalse(closed, text)

    def test_each_cell_before_login(self):
        for vector in BEFORE:
            for dripping in (False, True):
                if dripping and len(vector.send) > 200:
                    continue
                with self.subTest(cell=vector.name, dripping=dripping):
                    client = self.imap(self.postern)
                    try:
                        (client.drip if dripping else client.send)(vector.send)
                        client.send(b"zz NOOP\r\n")
                    except OSError:
                        pass
                    closed, text = self.outcome(client)
                    client.close()
                    self.assertNotRegex(text, rb"(?m)^[ab] OK")
                    if vector.want == "close":
                        self.assertTrue(closed, text)
                        self.assertRegex(text, rb"(?m)^\* BYE ")
        for word in (b"LOGIN", b"AUTHENTICATE"):
            self.assertNotIn(word, self.backend.received)

    def test_nothing_of_a_literal_is_accepted_that_this_backend_did_not_advertise(self):
        backend = self.imap_backend(capabilities="IMAP4rev1 LITERAL+")
        postern = self.gateway(backend)
        for send in (b"a APPEND INBOX ~{2+}\r\nh\0\r\n", b"a APPEND INBOX CATENATE (TEXT {2+}\r\nhi)\r\n",
                     b"a SORT (DATE) UTF-8 SUBJECT {2+}\r\nhi\r\n", b"a MOVE 1 {2+}\r\nhi\r\n",
                     b"a APPEND INBOX UTF8 (~{2+}\r\nhi)\r\n"):
            with self.subTest(send=send):
                number = len(backend.wires)
                client = self.imap(postern, "bob")
                client.try_send(send + b"zz NOOP\r\n")
                closed, text = self.outcome(client)
                client.close()
                self.assertTrue(closed, text)
                self.assertEqual(backend.wait_end(number).relayed, b"")

    def test_a_backend_without_literal_plus_never_sees_one(self):
        backend = self.imap_backend(capabilities="IMAP4rev1")
        postern = self.gateway(backend)
        client = self.imap(postern, "bob")
        self.assertIn(b"LITERAL+", b"".join(client.command("CAPABILITY")))
        client.append("INBOX", b"hello")
        self.assertIn(b"{5}\r\nhello", backend.wire(0).relayed)
        self.assertNotIn(b"+}", backend.wire(0).received)


class TableOnDovecot(EndToEnd):
    def test_no_cell_smuggles_a_command_into_dovecot(self):
        user = self.dovecot.new_user()
        postern = self.gateway()
        for vector in AFTER:
            with self.subTest(cell=vector.name):
                client = self.imap(postern, user)
                client.command("SELECT INBOX")
                client.try_send(vector.send + b"zz NOOP\r\n")
                closed, text = Table.outcome(self, client)
                client.close()
                # The smuggled LOGOUT would show as its own OK, or as Dovecot's farewell.
                self.assertNotIn(b"b OK", text)
                self.assertNotIn(b"Logging out", text)
                if vector.want == "close":
                    self.assertTrue(closed, text)
                elif vector.want in ("relay", "bad"):
                    self.assertRegex(text, rb"(?m)^zz OK")


class Oracle(unittest.TestCase):
    """The same vectors straight to the installed Dovecot: an upgrade that changes a cell is noticed.

    Write the golden file anew with `python3 tests/e2e/test_framing.py golden` and read its difference.
    """

    maxDiff = None

    def test_the_installed_dovecot_treats_every_cell_as_before(self):
        golden = json.loads(GOLDEN.read_text())
        self.assertEqual(version(), golden["version"], "another Dovecot: look at each changed cell, then make the "
                                                       "golden file anew")
        self.assertEqual(cells(), golden["cells"])


def version():
    return subprocess.run(["/usr/sbin/dovecot", "--version"], capture_output=True).stdout.decode().split()[0]


def cells():
    """{cell: the tagged answers in their order, BYE, +, and how it ended}"""
    from harness.dovecot import Dovecot
    dovecot = Dovecot.shared()
    user = dovecot.new_user("oracle")
    found = {}
    for vector in AFTER + BEFORE:
        client = Imap(dovecot.imap, tls=False)
        if not vector.before:
            client.login(user).command("SELECT INBOX")
        client.try_send(vector.send + b"zz NOOP\r\n")
        found[vector.name] = " ".join(direct_outcome(client, user))
        client.close()
    return found


def direct_outcome(client, user):
    seen = []
    while True:
        if b"\n" not in client.buffer and client.quiet(0.4):
            return seen + ["waits"]
        try:
            line = client.line()
        except (Ended, OSError):
            return seen + ["closed"]
        words = line.split()
        if words[0] == b"+":
            seen.append("+")
        elif words[:2] == [b"*", b"BYE"] or words[:2] == [b"*", b"BAD"]:
            seen.append(words[1].decode())
        elif words[0] == b"*":
            pass
        elif not words[0].isalnum():
            seen.append("?")  # Dovecot repeats an argument in its text, line end and all
        else:
            seen.append(f"{words[0].decode('latin-1')}:{words[1].decode()}")
        if words[0] == b"zz":
            return seen


if __name__ == "__main__":
    import sys
    if sys.argv[1:] == ["golden"]:
        GOLDEN.write_text(json.dumps({"version": version(), "cells": cells()}, indent=1) + "\n")
    else:
        unittest.main()
