"""Users out of a file: where they go, what a reload changes, what is wrong with a line."""

import os
import pathlib
import signal
import subprocess
import time

from harness.postern import BINARY, sanitized
from harness.services import LookupCase


class FileLookup(LookupCase):
    def setUp(self):
        super().setUp()
        self.legacy, self.modern = self.imap_backend(), self.imap_backend()
        self.map = self.folder() / "users.map"

    def start(self, lines, **changes):
        self.map.write_text(lines)
        return self.behind(self.text(self.legacy, self.modern, {"type": "file", "path": self.map}, **changes))

    def processor_time(self, gateway):
        fields = pathlib.Path(f"/proc/{gateway.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def hangup(self, gateway):
        before = len(gateway.events)
        gateway.process.send_signal(signal.SIGHUP)
        return before

    def test_users_go_where_their_line_says(self):
        gateway = self.start("# who lives where\nann@a.example\tmodern\nBob\tlegacy/mail1\r\n@c.example\tmodern/new1\n")
        self.assertEqual(self.where(gateway, "ann@a.example"), "modern/new1")
        self.assertEqual(self.where(gateway, "ANN@A.example"), "modern/new1")
        self.assertEqual(self.where(gateway, "bob"), "legacy/mail1")
        self.assertEqual(self.where(gateway, "anybody@c.example"), "modern/new1")
        self.assertEqual(self.where(gateway, "stranger@a.example"), "legacy/mail1")
        self.assertEqual(self.counted(gateway, "file", "found"), 4)
        self.assertEqual(self.counted(gateway, "file", "unknown"), 1)
        self.assertEqual(gateway.scrape().sum("postern_lookup_duration_seconds_count", lookup="file"), 5)

    def test_a_reload_moves_a_user_and_leaves_who_is_in(self):
        gateway = self.start("ann\tlegacy\n")
        live = self.imap(gateway, "ann")
        self.map.write_text("ann\tmodern\n")
        gateway.event("reloaded", after=self.hangup(gateway))
        live.command("NOOP")
        self.assertEqual(self.where(gateway, "ann"), "modern/new1")

    def test_lines_that_are_wrong_are_named_and_change_nothing(self):
        gateway = self.start("ann\tmodern\n")
        self.map.write_text("ann\tlegacy\nbob legacy\n\nANN\tmodern\ncarl\tmodrn\n")
        event = gateway.event("reload_refused", after=self.hangup(gateway))
        self.assertIn("3 lines are wrong", event["reason"])
        for said in ("line 2: no tab", "line 4: user", "line 5: pool"):
            self.assertIn(said, event["reason"])
        self.assertEqual(self.where(gateway, "ann"), "modern/new1")

    def test_a_start_with_a_wrong_line_fails_and_says_which(self):
        self.map.write_text("ann\tnowhere\n")
        config = self.folder() / "postern.toml"
        config.write_text(self.text(self.legacy, self.modern, {"type": "file", "path": self.map}))
        done = subprocess.run([BINARY, "run", "-c", str(config)], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=60, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("line 1", done.stdout + done.stderr)
        self.assertIn("nowhere", done.stdout + done.stderr)
        done = subprocess.run([BINARY, "check", "-c", str(config)], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=60, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"postern\.toml:\d+:\d+: .*users\.map: 1 line is wrong: line 1: .*nowhere")
        self.map.write_text("ann\tmodern/new1\n")
        done = subprocess.run([BINARY, "check", "-c", str(config)], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=60, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_two_files_are_asked_in_order(self):
        other = self.folder() / "other.map"
        other.write_text("ann\tlegacy\nbob\tmodern\n")
        self.map.write_text("ann\tmodern\n")
        gateway = self.behind(self.text(self.legacy, self.modern, {"type": "file", "path": self.map},
                                        {"type": "file", "path": other, "name": "second"}))
        self.assertEqual(self.where(gateway, "ann"), "modern/new1")
        self.assertEqual(self.where(gateway, "bob"), "modern/new1")
        self.assertEqual(self.counted(gateway, "second", "found"), 1)

    def test_a_million_lines_load_in_seconds_into_little_memory(self):
        with open(self.map, "w", encoding="ascii") as file:
            for number in range(1_000_000):
                file.write(f"user{number}@domain{number % 977}.example\t{'modern' if number % 2 else 'legacy/mail1'}\n")
        before = time.monotonic()
        gateway = self.behind(self.text(self.legacy, self.modern, {"type": "file", "path": self.map}))
        loaded = gateway.event("lookup_loaded")
        print(f"a million lines: ready after {time.monotonic() - before:.1f} s, loaded in {loaded['seconds']:.1f} s, "
              f"{loaded['bytes'] / 1e6:.1f} octets a line", flush=True)
        self.assertEqual(loaded["users"], 1_000_000)
        self.assertLess(loaded["bytes"], 64_000_000)
        if not sanitized():
            # Of the processor: how long it takes on a busy machine says nothing.
            self.assertLess(self.processor_time(gateway), 5)
        self.assertEqual(self.where(gateway, f"user999999@domain{999999 % 977}.example"), "modern/new1")
        live = self.imap(gateway, "user2@domain2.example")
        after = self.hangup(gateway)
        live.command("NOOP")
        gateway.event("reloaded", after=after, seconds=60)
        live.command("NOOP")
