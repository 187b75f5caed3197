"""The command: what it prints, what it refuses, and where it points."""

import re

from harness.case import EndToEnd
from harness.postern import Certificate, command, configuration

BACKENDS = [{"imap": "127.0.0.1:10143", "pop3": "127.0.0.1:10110"}]


class CommandLine(EndToEnd):
    def check(self, text, *options):
        path = self.folder() / "postern.toml"
        path.write_text(text)
        self.path = str(path)
        return command("check", "-c", str(path), *options)

    def test_version_names_what_is_inside(self):
        code, out, _ = command("--version")
        self.assertEqual(code, 0)
        for word in ("postern", "boringssl", "libuv"):
            self.assertIn(word, out.lower())

    def test_help_names_the_commands(self):
        code, out, _ = command("--help")
        self.assertEqual(code, 0)
        self.assertIn("run", out)
        self.assertIn("check", out)
        code, out, error = command()
        self.assertNotEqual(code, 0)
        code, out, error = command("dance")
        self.assertNotEqual(code, 0)
        self.assertTrue(error)

    def test_a_good_configuration_passes(self):
        code, out, error = self.check(configuration(BACKENDS))
        self.assertEqual(code, 0, out + error)

    def test_the_printed_configuration_is_the_effective_one_and_passes_again(self):
        code, out, error = self.check(configuration(BACKENDS), "--print")
        self.assertEqual(code, 0, error)
        self.assertIn("login_attempts", out)
        printed = "\n".join(line for line in out.splitlines() if not line.endswith(": ok"))
        code, again, error = self.check(printed, "--print")
        self.assertEqual(code, 0, error)

    def test_all_errors_come_at_once_with_their_places_and_hints(self):
        text = configuration(BACKENDS)
        text = text.replace("workers = 1", "wrokers = 1").replace('login = "60s"', 'login = "sixty"')
        text = text.replace('pool = "legacy"', 'pool = "legasy"').replace("login_attempts = 3", 'login_attempts = "x"')
        code, out, error = self.check(text)
        self.assertEqual(code, 1)
        found = {}
        for line in (out + error).splitlines():
            mark = re.match(re.escape(self.path) + r":(\d+):(\d+): (.+)", line)
            if mark:
                found[int(mark[1])] = (int(mark[2]), mark[3])
        lines = text.splitlines()
        for word, hint in (("wrokers", "workers"), ("sixty", ""), ("legasy", "legacy"), ('login_attempts = "x"', "")):
            number = next(at for at, line in enumerate(lines, 1) if word in line)
            self.assertIn(number, found, out + error)
            self.assertIn(hint, found[number][1])
            self.assertGreater(found[number][0], 0)

    def test_each_mistake_is_named(self):
        good = configuration(BACKENDS)
        mistakes = {
            "unknown table": (good + "\n[gatway]\nname = 'x'\n", "gateway"),
            "unknown value": (good.replace('protocol = "imap"', 'protocol = "imaps"'), "imap"),
            "syntax": (good + "\nthis is not toml\n", ""),
            "duplicate key": (good.replace("workers = 1", "workers = 1\nworkers = 2"), ""),
            "address": (good.replace('imap = "127.0.0.1:10143"', 'imap = "nonsense"'), ""),
            "port": (good.replace('imap = "127.0.0.1:10143"', 'imap = "127.0.0.1:99999"'), ""),
            "negative": (good.replace("workers = 1", "workers = -1"), ""),
            "two listeners of one name": (good.replace('name = "pop3s"', 'name = "imaps"'), "imaps"),
            "two backends of one name": (good + '\n[[pool.backend]]\nname = "mail1"\nimap = "127.0.0.1:1"\n', "mail1"),
            "certificate missing": (good.replace("chain.pem", "nowhere.pem"), "nowhere.pem"),
            "key of another": (good.replace(str(Certificate.shared().key), str(Certificate().key)), ""),
            "idle under the RFC's": (good.replace("allow_short_idle = true", "allow_short_idle = false")
                                     .replace('imap_idle = "35m"', 'imap_idle = "5m"'), "30"),
            "minimum": (good.replace('minimum = "1.2"', 'minimum = "1.1"'), "allow_obsolete"),
            "nobody trusted": (good.replace('tls = "implicit"', 'tls = "none"', 1), "trusted"),
            "network": (good.replace('tls = "implicit"', 'tls = "implicit"\nproxy = ["10.0.0.1/8"]', 1), "10.0.0.0/8"),
            "mechanism": (good.replace('tls = "implicit"', 'tls = "implicit"\nmechanisms = ["PLAN"]', 1), "PLAIN"),
            "no pin": (good.replace('tls = "none"', 'tls = "implicit"\nverify = "pin"', 1), "pin ="),
            "no verification": (good.replace('tls = "none"', 'tls = "implicit"\nverify = "none"', 1), "insecure"),
            "roots missing": (good.replace('tls = "none"', 'tls = "implicit"\nca = "nowhere.pem"', 1), "nowhere.pem"),
            "ticket keys missing": (good.replace('minimum = "1.2"', 'ticket_keys = "nowhere.keys"'), "nowhere.keys"),
            "later key": (good.replace('[routing]', '[report]\nevery = "1d"\n\n[routing]'), ""),
        }
        for name, (text, hint) in mistakes.items():
            with self.subTest(mistake=name):
                self.assertNotEqual(text, good)
                code, out, error = self.check(text)
                self.assertEqual(code, 1, out + error)
                self.assertRegex(out + error, r":\d+:\d+: ")
                self.assertIn(hint, out + error)

    def test_what_is_dangerous_but_meant_is_a_warning(self):
        good = configuration(BACKENDS)
        key = self.folder() / "key.pem"
        key.write_bytes(Certificate.shared().key.read_bytes())
        key.chmod(0o644)
        meant = {
            "verify": good.replace('tls = "none"', 'tls = "implicit"\nverify = "none"\ninsecure = true', 1),
            "minimum": good.replace('minimum = "1.2"', 'minimum = "1.0"\nallow_obsolete = true'),
            "does nothing without TLS": good.replace('tls = "none"', 'tls = "none"\nverify = "full"', 1),
            "everybody on this machine can read": good.replace(str(Certificate.shared().key), str(key)),
        }
        for word, text in meant.items():
            with self.subTest(word=word):
                self.assertNotEqual(text, good)
                code, out, error = self.check(text)
                self.assertEqual(code, 0, error)
                self.assertRegex(error, re.escape(self.path) + r":\d+:\d+: .*" + word + r".* \(warning\)\n\Z")

    def test_a_configuration_of_plain_listeners_needs_no_certificate(self):
        text = configuration(BACKENDS).replace('tls = "implicit"', 'tls = "none"\ntrusted = ["127.0.0.0/8"]')
        start = text.index("[[certificate]]")
        text = text[:start] + text[text.index("[tls]", start):]
        code, out, error = self.check(text)
        self.assertEqual((code, error), (0, ""))

    def test_run_refuses_what_check_refuses(self):
        path = self.folder() / "postern.toml"
        path.write_text(configuration(BACKENDS).replace("workers", "wrokers"))
        code, out, error = command("run", "-c", str(path))
        self.assertEqual(code, 1)
        self.assertIn("workers", out + error)

    def test_root_must_be_said(self):
        text = configuration(BACKENDS).replace('user = "root"\n', "")
        path = self.folder() / "postern.toml"
        path.write_text(text)
        import os
        if os.geteuid() != 0:
            self.skipTest("not root")
        code, out, error = command("run", "-c", str(path))
        self.assertNotEqual(code, 0)
        self.assertIn("user", out + error)

    def test_a_missing_file_is_one_clear_sentence(self):
        code, out, error = command("check", "-c", "/nonexistent/postern.toml")
        self.assertEqual(code, 1)
        self.assertIn("/nonexistent/postern.toml", out + error)

    def test_a_busy_port_is_one_clear_sentence(self):
        postern = self.gateway(self.imap_backend())
        path = self.folder() / "postern.toml"
        path.write_text(configuration(BACKENDS).replace('address = "127.0.0.1:0"', f'address = "{postern.admin}"', 1))
        code, out, error = command("run", "-c", str(path))
        self.assertNotEqual(code, 0)
        self.assertIn(postern.admin.rsplit(":", 1)[1], out + error)
        self.assertRegex((out + error).lower(), "in use")


class Workers(EndToEnd):
    def test_two_workers_serve_and_add_up(self):
        postern = self.gateway(self.imap_backend(), gateway={"workers": 2})
        clients = [self.imap(postern, f"user{number}") for number in range(40)]
        for client in clients:
            client.command("NOOP")
        self.assertEqual(len(postern.scrape().by("postern_sessions", "worker", protocol="imap", state="relay")), 2)
        for client in clients:
            client.logout()
        self.assertEqual(postern.settle().sum("postern_commands_total", command="NOOP"), 40)
