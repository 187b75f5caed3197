"""The log: a JSON line per session and per failed login, whatever the names; never a secret."""

import base64
import json
import re
import signal
import subprocess
import unittest

from harness.case import EndToEnd
from harness.postern import BINARY, configuration, sanitized

CANARY = "Kn4r13nv0g3l"


class Log(EndToEnd):
    def setUp(self):
        super().setUp()
        self.backend, self.pop3_side = self.imap_backend(), self.pop3_backend()
        self.postern = self.gateway({"imap": self.backend.address, "pop3": self.pop3_side.address})

    def test_a_session_ends_with_one_line_that_tells_all(self):
        client = self.imap(self.postern, "bob")
        client.command("NOOP")
        client.command("FETCH 1 FLAGS")
        client.command("FETCH 2 FLAGS")
        client.logout()
        line = self.closed(self.postern, "logout")
        for field, value in (("protocol", "imap"), ("listener", "imaps"), ("user", "bob"), ("pool", "legacy"),
                             ("backend", "mail1")):
            self.assertEqual(line.get(field), value, line)
        text = str(line)
        for word in ("127.0.0.1", "TLS", "FETCH", "id", "duration"):
            self.assertIn(word.lower(), text.lower(), line)
        self.assertEqual(sum(event.get("event") == "session" for event in self.postern.events), 1)

    def test_a_failed_login_gets_a_line_with_the_clients_address(self):
        client = self.imap(self.postern)
        client.command("LOGIN mallory wrong", result="NO")
        found = self.eventually(lambda: [event for event in self.postern.events if "login" in event.get("event", "")],
                                "a line for the failed login")
        self.assertIn("127.0.0.1", str(found[0]))
        self.assertIn("mallory", str(found[0]))

    def test_hostile_names_stay_inside_their_field(self):
        for name in (b'x","event":"login_ok', b"\x1b[31mred", b"a\\", b"\xff\xfe\xc3", b"\xe2\x80\xa8", b"<>&'", b"n" * 900):
            client = self.imap(self.postern)
            client.send(b"a LOGIN {%d+}\r\n%s wrong\r\n" % (len(name), name))
            client.until("a")
            client.close()
        self.postern.settle()
        # A line that is not JSON fails every test in assert_sound; none may be forged either.
        self.assertFalse([event for event in self.postern.events if event.get("event") == "login_ok"])

    def test_no_password_reaches_log_metrics_or_stderr(self):
        self.every_way_in()
        self.postern.settle()
        text = str(self.postern.events) + self.postern.scrape().text + self.postern.stderr()
        self.assertNotIn(CANARY, text)
        self.assertNotIn(base64.b64encode(b"\0bob\0" + CANARY.encode()).decode(), text)

    def every_way_in(self):
        blob = base64.b64encode(b"\0bob\0" + CANARY.encode()).decode()
        imap = (f"a LOGIN bob {CANARY}\r\n", f'a LOGIN bob "{CANARY}"\r\n',
                f"a LOGIN bob {{{len(CANARY)}+}}\r\n{CANARY}\r\n", f"a AUTHENTICATE PLAIN {blob}\r\n",
                f"a AUTHENTICATE PLAIN\r\n{blob}\r\n", f"a LOGIN bob {CANARY}\n", f"a LOGIN bob {CANARY} more\r\n",
                f"a XLOGIN bob {CANARY}\r\n", f"{CANARY}\r\n", f"a AUTHENTICATE PLAIN\r\n{CANARY}!\r\n")
        pop3 = (f"USER bob\r\nPASS {CANARY}\r\n", f"AUTH PLAIN {blob}\r\n", f"AUTH PLAIN\r\n{blob}\r\n",
                f"PASS {CANARY}\r\n", f"USER bob\r\nPASS {CANARY}\n", f"XPASS {CANARY}\r\n", f"AUTH PLAIN {CANARY}!\r\n")
        for made, lines, last in ((self.imap, imap, "z LOGOUT\r\n"), (self.pop3, pop3, "QUIT\r\n")):
            for line in lines:
                client = made(self.postern)
                client.try_send(line + last)
                client.rest()
                client.close()

    def test_after_login_no_copy_of_the_password_is_left_in_memory(self):
        if sanitized():
            raise unittest.SkipTest("a sanitizer keeps freed memory")
        self.every_way_in()
        client = self.imap(self.postern)
        client.command(f"LOGIN bob {CANARY}")
        client.command("NOOP")
        blob = base64.b64encode(b"\0bob\0" + CANARY.encode())[8:-8]
        self.assertEqual(self.postern.copies(CANARY.encode()) + self.postern.copies(blob), [])


class Path(EndToEnd):
    def test_the_log_may_be_a_file(self):
        path = self.folder() / "postern.log"
        text = configuration([{"imap": self.imap_backend().address}], log={"path": str(path)}).replace(
            '[[listener]]\nname = "pop3s"\nprotocol = "pop3"\naddress = "127.0.0.1:0"\ntls = "implicit"\n', "")
        config = self.folder() / "postern.toml"
        config.write_text(text)
        process = subprocess.Popen([BINARY, "run", "-c", str(config)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            self.eventually(lambda: path.exists() and '"ready"' in path.read_text(), "the log says ready")
        finally:
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0, out)
        for line in path.read_text().splitlines():
            json.loads(line)
