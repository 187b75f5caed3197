"""Rules at the command line: postern test, explain and check, their words and their exit status."""

import pathlib

from harness.case import EndToEnd
from harness.postern import command, configuration

BACKENDS = [{"imap": "127.0.0.1:10143", "pop3": "127.0.0.1:10110"}]
ROOT = pathlib.Path(__file__).resolve().parents[2]

RULES = """
[[rule]]
name   = "no dele"
if     = { protocol = "pop3", command = "DELE", user = '.*@legacy\\.example' }
unless = { client = "10.0.0.0/8" }
then   = "deny"
[[rule]]
name = "zoe is there"
if   = { user = 'zoe@.*' }
then = "route"
pool = "legacy"
[[rule]]
name = "archive"
if   = { user = 'old@.*' }
then = "read-only"

[[test]]
name   = "refused from outside"
given  = { protocol = "pop3", user = "ann@legacy.example", client = "192.0.2.7", command = "DELE 1" }
expect = { then = "deny", rule = "no dele" }
"""


class RulesAtTheCommandLine(EndToEnd):
    def write(self, text, name="rules.toml"):
        if not hasattr(self, "place"):
            self.place = self.folder()
        path = self.place / name
        path.write_text(text)
        return str(path)

    def configured(self, text):
        rules = self.write(text)
        return self.write(configuration(BACKENDS) + f'\n[rules]\nfiles = ["{rules}"]\n', "postern.toml")

    def test_tests_that_pass(self):
        code, out, error = command("test", self.write(RULES))
        self.assertEqual((code, error), (0, ""))
        self.assertIn("3 rules, 1 test, 0 failed", out)

    def test_a_test_that_fails_says_where_and_what(self):
        path = self.write(RULES.replace('then = "deny", rule', 'then = "allow", rule'))
        code, out, error = command("test", path)
        self.assertEqual(code, 1)
        line = RULES.splitlines().index("[[test]]") + 1
        self.assertIn(f'{path}:{line}:1: test "refused from outside" fails', error)
        self.assertIn('expected then = "allow"', error)
        self.assertIn('got then = "deny", rule = "no dele"', error)
        self.assertIn("1 failed", out)

    def test_mistakes_have_places_and_hints(self):
        path = self.write(RULES.replace("unless", "unles", 1).replace('"route"', '"rout"'))
        code, _, error = command("test", path)
        self.assertEqual(code, 1)
        self.assertIn(f'{path}:5:1: unknown key "unles"', error)
        self.assertIn('did you mean "unless"?', error)
        self.assertIn('did you mean "route"?', error)
        self.assertIn("2 errors", error)

    def test_a_file_that_is_not_there(self):
        code, _, error = command("test", "/nowhere/rules.toml")
        self.assertEqual(code, 1)
        self.assertIn("/nowhere/rules.toml:1:1: cannot be read", error)

    def test_no_file_at_all_is_a_mistake_of_the_command_line(self):
        self.assertEqual(command("test")[0], 2)

    def test_every_example_passes_alone_and_with_the_others(self):
        files = sorted(str(each) for each in (ROOT / "rules").glob("*.toml"))
        self.assertGreaterEqual(len(files), 9)
        for each in files:
            code, out, error = command("test", each)
            self.assertEqual((code, error), (0, ""), each)
            self.assertNotIn(" 0 tests", out)
        code, _, error = command("test", *files)
        self.assertEqual((code, error), (0, ""))

    def test_examples_say_who_uses_them(self):
        for each in (ROOT / "rules").glob("*.toml"):
            self.assertTrue(each.read_text().startswith("# For "), each)

    def test_a_conversation_is_played_and_a_difference_found(self):
        rules = self.write(RULES)
        talk = "! given protocol=pop3\n! given user=ann@legacy.example\n! given client=192.0.2.7\n! login\nC: DELE 1\n"
        path = self.write(talk + "S: -ERR [SYS/PERM] not permitted here\nC: STAT\nP: STAT\n", "talk.txt")
        code, out, error = command("test", rules, "--transcript", path)
        self.assertEqual((code, error), (0, ""))
        self.assertIn("S: -ERR [SYS/PERM]", out)
        path = self.write(talk + "P: DELE 1\n", "talk.txt")
        code, out, error = command("test", rules, "--transcript", path)
        self.assertEqual(code, 1)
        self.assertIn(f"{path}:6:1: the backend gets", error)

    def test_explain_names_the_rule_that_decides_and_why_the_others_do_not(self):
        path = self.configured(RULES)
        code, out, error = command("explain", "-c", path, "protocol=pop3", "user=ann@legacy.example", "client=192.0.2.7",
                                   "command=DELE 1")
        self.assertEqual((code, error), (0, ""))
        self.assertIn('decides: deny by "no dele"', out)
        self.assertIn("user is ann@legacy.example, not zoe@.*", out)
        code, out, _ = command("explain", "-c", path, "protocol=pop3", "user=ann@legacy.example", "client=10.0.0.1",
                               "command=DELE 1")
        self.assertEqual(code, 0)
        self.assertIn("decides: allow", out)
        self.assertIn("unless", out)
        code, out, _ = command("explain", "-c", path, "user=zoe@x")
        self.assertIn('decides: route by "zoe is there"', out)
        self.assertIn("to pool legacy", out)
        code, out, _ = command("explain", "-c", path, "user=old@x", "command=STORE 1 FLAGS (x)")
        self.assertIn('decides: deny by "archive"', out)

    def test_explain_refuses_what_is_no_fact(self):
        path = self.configured(RULES)
        for fact, hint in (("usr=x", "user"), ("user", "KEY=VALUE"), ("client=home", "192.0.2.7"),
                           ("listener=imap", "imaps")):
            code, _, error = command("explain", "-c", path, fact)
            self.assertEqual(code, 2, fact)
            self.assertIn(hint, error)

    def test_check_runs_the_tests_and_counts(self):
        code, out, error = command("check", "-c", self.configured(RULES))
        self.assertEqual(code, 0, error)
        self.assertIn("3 rules and 1 test", out)
        code, _, error = command("check", "-c", self.configured(RULES.replace('"deny", rule', '"allow", rule')))
        self.assertEqual(code, 1)
        self.assertIn('test "refused from outside" fails', error)

    def test_check_knows_the_names_of_the_configuration(self):
        code, _, error = command("check", "-c", self.configured(RULES.replace('pool = "legacy"', 'pool = "legasy"')))
        self.assertEqual(code, 1)
        self.assertIn('did you mean "legacy"?', error)

    def test_check_warns_of_exemptions_that_are_over(self):
        text = RULES.replace("[[test]]", '[[rule.exempt]]\nuser = "a"\nuntil = 2020-02-01\nowner = "it"\n[[test]]', 1)
        code, _, error = command("check", "-c", self.configured(text))
        self.assertEqual(code, 0, error)
        self.assertIn('the exemption of "a" (it) ended on 2020-02-01', error)

    def test_check_warns_of_rules_that_never_decide(self):
        again = '[[rule]]\nname = "too late"\nif = { protocol = "pop3", command = "DELE" }\nthen = "deny"\n'
        first = '[[rule]]\nname = "all"\nif = { protocol = "pop3", command = "DELE" }\nthen = "deny"\n'
        code, _, error = command("check", "-c", self.configured(first + again))
        self.assertEqual(code, 0, error)
        self.assertIn("too late", error)
        self.assertIn("(warning)", error)
