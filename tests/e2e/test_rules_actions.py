"""Each action of the rules, end to end, in both protocols."""

import base64
import datetime
import ssl
import time

from harness.dovecot import message
from harness.postern import listener
from harness.ruled import Ruled, rule
from harness.sockets import context

ELSEWHERE = "127.0.0.9"
TLS12 = {"maximum": ssl.TLSVersion.TLSv1_2}


class Arrivals(Ruled):
    """deny, disconnect and delay before the login."""

    def test_a_client_that_is_not_wanted_hears_why_and_others_are_served(self):
        self.postern = self.ruled(rule("not from there", "deny", given={"client": ELSEWHERE + "/32"}, text="not you"))
        for_imap = self.imap(self.postern, source=ELSEWHERE)
        self.assertRegex(for_imap.greeting, rb"^\* BYE .*not you")
        for_imap.expect_end()
        for_pop3 = self.pop3(self.postern, source=ELSEWHERE)
        self.assertRegex(for_pop3.greeting, rb"^-ERR \[SYS/PERM\] not you")
        for_pop3.expect_end()
        for protocol in ("imap", "pop3"):
            self.closed(self.postern, "rule", protocol=protocol)
        self.imap(self.postern, self.dovecot.new_user()).command("NOOP")
        self.pop3(self.postern, self.dovecot.new_user()).command("NOOP")
        self.assertEqual(self.hits(self.postern, "not from there", then="deny", mode="enforce"), 2)

    def test_a_client_that_is_cut_off_hears_nothing(self):
        self.postern = self.ruled(rule("cut", "disconnect", given={"client": ELSEWHERE + "/32"}))
        for make in (self.imap, self.pop3):
            try:
                client = make(self.postern, source=ELSEWHERE, greeting=False)
                self.assertEqual(client.rest(), b"")
            except (OSError, ssl.SSLError):
                pass  # within the handshake
        self.imap(self.postern, self.dovecot.new_user()).command("NOOP")
        self.eventually(lambda: self.postern.scrape().sum("postern_sessions_total", close_reason="rule") == 2,
                        "both are counted")

    def test_tls_that_is_too_old_is_denied_before_the_login(self):
        self.postern = self.ruled(rule("floor", "deny", given={"tls_version": "<1.3"}, text="TLS 1.3 please"))
        old = self.imap(self.postern, tls_context=context(**TLS12))
        self.assertRegex(old.greeting, rb"^\* BYE .*TLS 1.3 please")
        old = self.pop3(self.postern, tls_context=context(**TLS12))
        self.assertRegex(old.greeting, rb"^-ERR .*TLS 1.3 please")
        self.imap(self.postern, self.dovecot.new_user()).command("NOOP")
        self.pop3(self.postern, self.dovecot.new_user()).command("NOOP")

    def test_a_host_name_that_is_not_wanted_is_denied(self):
        self.postern = self.ruled(rule("sni", "deny", given={"sni": r".*\.example"}, text="no"))
        self.assertRegex(self.imap(self.postern).greeting, rb"^\* BYE")
        self.assertRegex(self.pop3(self.postern).greeting, rb"^-ERR")

    def test_a_greeting_may_come_late(self):
        self.postern = self.ruled(rule("tarpit", "delay", given={"client": ELSEWHERE + "/32"}, delay="600ms"))
        for make in (self.imap, self.pop3):
            begin = time.monotonic()
            make(self.postern, self.dovecot.new_user(), source=ELSEWHERE)
            self.assertGreaterEqual(time.monotonic() - begin, 0.6)


    def test_what_the_tls_of_starttls_lets_wait_waits_at_the_login(self):
        place, _, _ = self.two()
        self.postern = self.ruled(rule("tarpit", "delay", given={"tls_version": "<=1.3"}, delay="600ms"), place,
                                  listeners=[listener("imap", tls="starttls"), listener("pop3", tls="starttls")])
        for client, attempt in ((self.imap(self.postern, at="imap", tls=False), self.try_imap),
                                (self.pop3(self.postern, at="pop3", tls=False), self.try_pop3)):
            client.starttls()
            begin = time.monotonic()
            self.assertIn(b"OK", attempt(client, "ann"))
            self.assertGreaterEqual(time.monotonic() - begin, 0.6)


class Logins(Ruled):
    """deny, disconnect, require-tls, delay, allow, share and exempt at the login."""

    def answers(self, user, **options):
        """What a fresh client of each protocol hears: (IMAP's tagged line, POP3's)."""
        return (self.try_imap(self.imap(self.postern, **options), user),
                self.try_pop3(self.pop3(self.postern, **options), user))

    def test_a_denied_login_reaches_no_backend_and_the_client_may_try_another(self):
        place, imap_side, pop3_side = self.two()
        self.postern = self.ruled(rule("no mallory", "deny", given={"user": "mallory"}, text="not you"), place)
        client = self.imap(self.postern)
        self.assertRegex(self.try_imap(client, "MALLORY"), rb"NO \[AUTHORIZATIONFAILED\] not you")
        self.assertFalse(imap_side.wires)
        self.assertIn(b" OK", self.try_imap(client, "ann"))
        client = self.pop3(self.postern)
        self.assertEqual(self.try_pop3(client, "mallory"), b"-ERR [SYS/PERM] not you\r\n")
        self.assertFalse(pop3_side.wires)
        self.assertRegex(self.try_pop3(client, "ann"), rb"^\+OK")
        scrape = self.postern.scrape()
        self.assertEqual(scrape.sum("postern_commands_total", result="denied"), 2)
        self.assertEqual(scrape.sum("postern_logins_total", result="ok"), 2)

    def test_no_spelling_of_a_denied_user_and_no_authorization_identity_gets_past(self):
        place, imap_side, _ = self.two()
        self.postern = self.ruled(rule("no ann", "deny", given={"user": r"ann@old\.example"}), place)
        client = self.imap(self.postern)
        for user in ("ann@old.example", "ANN@Old.Example", " ann@old.example", "ann@old.example ", "ann@old.example.",
                     "\tann@old.example\x7f"):
            client.command(f'LOGIN "{user}" secret', result="NO")
            self.assertIn(b"[AUTHORIZATIONFAILED]", client.tagged, user)
        for message in (b"bob\0ann@old.example\0secret", b"ann@old.example\0bob\0secret"):
            client.command("AUTHENTICATE PLAIN " + base64.b64encode(message).decode(), result="NO")
            self.assertIn(b"[AUTHORIZATIONFAILED]", client.tagged, message)
        self.assertFalse(imap_side.wires)

    def test_a_login_may_end_the_session(self):
        place, imap_side, pop3_side = self.two()
        self.postern = self.ruled(rule("out", "disconnect", given={"user": "mallory"}, text="go away"), place)
        client = self.imap(self.postern)
        self.assertRegex(self.try_imap(client, "mallory"), rb"NO \[AUTHORIZATIONFAILED\] go away")
        self.assertRegex(client.rest(), rb"^\* BYE")
        client = self.pop3(self.postern)
        self.assertEqual(self.try_pop3(client, "mallory"), b"-ERR [SYS/PERM] go away\r\n")
        client.expect_end()
        self.assertFalse(imap_side.wires or pop3_side.wires)
        for protocol in ("imap", "pop3"):
            self.closed(self.postern, "rule", protocol=protocol)

    def test_whom_an_exception_names_is_not_refused(self):
        place, _, _ = self.two()
        self.postern = self.ruled(
            rule("inside only", "deny", given={"user": ".*"}, unless={"client": "127.0.0.0/29"}), place)
        for options, imap_answer, pop3_answer in (({}, b" OK", b"+OK"), ({"source": ELSEWHERE}, b" NO", b"-ERR")):
            imap, pop3 = self.answers("ann", **options)
            self.assertIn(imap_answer, imap)
            self.assertTrue(pop3.startswith(pop3_answer), pop3)

    def test_a_program_that_says_its_name_is_known_by_it(self):
        place, imap_side, _ = self.two()
        self.postern = self.ruled(rule("old program", "deny", given={"client_id": "Old.*"}, text="update it"), place)
        client = self.imap(self.postern)
        client.command('ID ("name" "OldMail" "version" "1")')
        self.assertRegex(self.try_imap(client, "ann"), rb"NO \[AUTHORIZATIONFAILED\] update it")
        self.assertFalse(imap_side.wires)
        client = self.imap(self.postern, "ann")
        client.send('a ID ("name" "OldMail")\r\n')
        self.assertRegex(client.rest(), rb"\* BYE .*update it")
        self.closed(self.postern, "rule")
        client = self.imap(self.postern)
        client.command('ID ("name" "NewMail")')
        self.assertIn(b" OK", self.try_imap(client, "ann"))

    def test_rules_by_listener_mechanism_domain_and_time(self):
        place, _, _ = self.two()
        for given in ({"listener": "imaps"}, {"mechanism": "LOGIN"}, {"domain": r"old\.example", "protocol": "imap"},
                      {"time": "00:00-24:00", "protocol": "imap", "user": ".*"}):
            with self.subTest(given):
                self.postern = self.ruled(rule("some", "deny", given=given), place)
                client = self.imap(self.postern)
                denied = client.greeting.startswith(b"* BYE") or b" NO" in self.try_imap(client, "ann@old.example")
                self.assertTrue(denied)
                self.assertRegex(self.try_pop3(self.pop3(self.postern), "ann@old.example"), rb"^\+OK")

    def test_tls_is_required_of_some_users_only(self):
        self.postern = self.ruled(
            rule("better tls", "require-tls", given={"user": r".*@new\.example"}, minimum="1.3", text="use TLS 1.3"))
        old = {"tls_context": context(**TLS12)}
        imap, pop3 = self.answers("ann@new.example", **old)
        self.assertRegex(imap, rb"NO \[PRIVACYREQUIRED\] use TLS 1.3")
        self.assertEqual(pop3, b"-ERR [SYS/PERM] use TLS 1.3\r\n")
        for user, options in (("ann@new.example", {}), ("bob@old.example", old)):
            imap, pop3 = self.answers(user, **options)
            self.assertIn(b" OK", imap)
            self.assertRegex(pop3, rb"^\+OK")

    def test_a_login_may_take_its_time(self):
        self.postern = self.ruled(rule("slow", "delay", given={"user": "slow.*"}, delay="600ms"))
        for make in (self.imap, self.pop3):
            client = make(self.postern)
            begin = time.monotonic()
            client.login(self.dovecot.new_user("slow"))
            self.assertGreaterEqual(time.monotonic() - begin, 0.6)

    def test_allow_ends_its_own_stage_only(self):
        self.postern = self.ruled(
            rule("staff", "allow", given={"user": "staff.*"})
            + rule("nobody", "deny", given={"user": ".*"}, text="closed")
            + rule("no list", "deny", given={"command": "LIST"}, text="no lists"))
        imap, pop3 = self.answers("guest")
        self.assertRegex(imap, rb"NO .*closed")
        self.assertRegex(pop3, rb"^-ERR .*closed")
        user = self.dovecot.new_user("staff")
        self.imap(self.postern, user).command('LIST "" *', result="NO")
        self.pop3(self.postern, user).command("LIST", good=False)

    def test_a_share_is_a_stable_slice_of_the_users(self):
        place, _, _ = self.two()
        self.postern = self.ruled(rule("half", "deny", given={"user": ".*"}, share="50%"), place)
        users = [f"user{number}@example.org" for number in range(24)]

        def denied(make, try_login):
            return {user for user in users if b"OK" not in try_login(make(self.postern), user)}
        first = denied(self.imap, self.try_imap)
        self.assertTrue(3 <= len(first) <= 21, first)
        self.assertEqual(denied(self.imap, self.try_imap), first)
        self.assertEqual(denied(self.pop3, self.try_pop3), first)

    def test_exceptions_have_an_end(self):
        place, _, _ = self.two()
        today = datetime.date.today()
        later, before = (today + datetime.timedelta(days=days) for days in (30, -2))
        self.postern = self.ruled(
            rule("closed", "deny", given={"user": ".*"},
                 exempt=[{"user": "ann", "until": later, "owner": "desk"}, {"user": "bob", "until": before, "owner": "desk"}]),
            place)
        imap, pop3 = self.answers("ann")
        self.assertIn(b" OK", imap)
        self.assertRegex(pop3, rb"^\+OK")
        for user in ("bob", "carl"):
            imap, pop3 = self.answers(user)
            self.assertIn(b" NO", imap)
            self.assertRegex(pop3, rb"^-ERR")

    def test_report_mode_stops_nothing_and_tells_all(self):
        place, _, _ = self.two()
        self.postern = self.ruled(rule("trial", "deny", mode="report", given={"user": "ann"}), place)
        imap, pop3 = self.answers("ann")
        self.assertIn(b" OK", imap)
        self.assertRegex(pop3, rb"^\+OK")
        self.assertEqual(self.hits(self.postern, "trial", mode="report"), 2)
        for protocol in ("imap", "pop3"):
            line = self.postern.event("rule", rule="trial", mode="report", protocol=protocol)
            self.assertEqual((line["user"], line["client"], line["then"]), ("ann", "127.0.0.1", "deny"))

    def test_logged_hits_have_a_line_and_stop_nothing(self):
        self.postern = self.ruled(rule("watch logins", "log", given={"user": "ann"})
                                  + rule("watch noop", "log", given={"command": "NOOP"}))
        self.imap(self.postern, "ann", "ann's pass").command("NOOP")
        self.pop3(self.postern, "ann", "ann's pass").command("NOOP")
        for protocol in ("imap", "pop3"):
            for name in ("watch logins", "watch noop"):
                line = self.postern.event("rule", rule=name, protocol=protocol)
                self.assertEqual((line["user"], line["mode"], line["then"]), ("ann", "enforce", "log"))
            self.assertEqual(line["command"], "NOOP")
        self.assertNotIn("ann's pass", str(self.postern.events))


class Routes(Ruled):
    """route and rewrite-user: where a session goes, and as whom."""

    def test_a_domain_goes_to_its_pool_and_the_others_where_they_went(self):
        old, old_imap, old_pop3 = self.two()
        new, new_imap, new_pop3 = self.two()
        self.postern = self.ruled(
            rule("moved", "route", given={"domain": r"new\.example"}, pool="modern"), old, pools={"modern": [new]})
        for make in (self.imap, self.pop3):
            make(self.postern, "ann@new.example").command("NOOP")
            make(self.postern, "bob@old.example").command("NOOP")
        for backend, user in ((new_imap, b"ann@new.example"), (new_pop3, b"ann@new.example"),
                              (old_imap, b"bob@old.example"), (old_pop3, b"bob@old.example")):
            self.assertEqual([wire.credentials[0] for wire in backend.wires], [user])
        for client in list(self._clients):
            client.close()
        for protocol in ("imap", "pop3"):
            self.closed(self.postern, protocol=protocol, user="ann@new.example", pool="modern", backend="modern1")
            self.closed(self.postern, protocol=protocol, user="bob@old.example", pool="legacy", backend="mail1")

    def test_a_route_may_name_the_backend(self):
        first, first_imap, first_pop3 = self.two()
        second, second_imap, second_pop3 = self.two()
        self.postern = self.ruled(rule("pinned", "route", given={"user": ".*"}, pool="legacy", backend="mail2"),
                                  first, second)
        for number in range(5):
            self.imap(self.postern, f"user{number}")
            self.pop3(self.postern, f"user{number}")
        self.assertEqual((len(first_imap.wires), len(first_pop3.wires)), (0, 0))
        self.assertEqual((len(second_imap.wires), len(second_pop3.wires)), (5, 5))

    def test_a_renamed_user_finds_the_mail_under_the_new_name(self):
        user = self.dovecot.new_user()
        self.dovecot.fill(f"{user}@new.example", [message(1), message(2)])
        self.postern = self.ruled(
            rule("renamed", "rewrite-user", given={"user": r"(.*)@old\.example"}, to=r"\1@new.example"))
        client = self.imap(self.postern, f"{user}@old.example")
        self.assertIn(b"* 2 EXISTS\r\n", client.command("SELECT INBOX"))
        client.logout()
        client = self.pop3(self.postern, f"{user}@old.example")
        self.assertRegex(client.command("STAT"), rb"^\+OK 2 ")
        client.quit()
        # The log speaks of the user as the client does.
        for protocol in ("imap", "pop3"):
            self.closed(self.postern, "logout", protocol=protocol, user=f"{user}@old.example")

    def test_a_wrong_password_of_a_renamed_user_is_the_users(self):
        place, imap_side, pop3_side = self.two()
        self.postern = self.ruled(
            rule("renamed", "rewrite-user", given={"user": r"(.*)@old\.example"}, to=r"\1@new.example"), place)
        self.assertIn(b"NO [AUTHENTICATIONFAILED]",
                      self.try_imap(self.imap(self.postern), "ann@old.example", "wrong"))
        self.assertIn(b"-ERR [AUTH]", self.try_pop3(self.pop3(self.postern), "ann@old.example", "wrong"))
        for backend in (imap_side, pop3_side):
            self.assertEqual(backend.wire().credentials[0], b"ann@new.example")


class Limits(Ruled):
    """limit: per user and per client, refusing or ending the oldest."""

    def ends(self, client, line):
        """The session ends with these words."""
        self.assertRegex(client.rest(), line)

    def test_a_user_has_so_many_sessions_and_no_more(self):
        place, _, _ = self.two()
        self.postern = self.ruled(
            rule("two each", "limit", given={"user": ".*"}, sessions=2, per="user", full="refuse", text="two are enough"),
            place)
        mine = [self.imap(self.postern, "ann"), self.pop3(self.postern, "ANN")]
        third = self.imap(self.postern)
        self.assertRegex(self.try_imap(third, "ann"), rb"NO \[LIMIT\] two are enough")
        self.assertRegex(self.try_pop3(self.pop3(self.postern), "ann"), rb"^-ERR \[SYS/TEMP\] two are enough")
        self.imap(self.postern, "bob")
        mine[0].logout()
        self.eventually(lambda: b" OK" in self.try_imap(third, "ann"), "the place is free again")
        self.assertGreaterEqual(self.postern.scrape().sum("postern_logins_total", result="limit"), 2)

    def test_the_places_of_a_user_are_counted_over_all_workers(self):
        place, _, _ = self.two()
        self.postern = self.ruled(
            rule("two each", "limit", given={"user": ".*"}, sessions=2, per="user", full="refuse"), place,
            gateway={"workers": 3})
        tries = [self.imap(self.postern) for _ in range(8)]
        self.assertEqual(sum(b" OK" in self.try_imap(client, "ann") for client in tries), 2)

    def test_a_client_has_so_many_sessions_and_no_more(self):
        place, _, _ = self.two()
        self.postern = self.ruled(
            rule("two each", "limit", given={"client": "127.0.0.0/8"}, sessions=2, per="client", full="refuse"), place)
        mine = [self.imap(self.postern, "ann", source=ELSEWHERE), self.pop3(self.postern, "bob", source=ELSEWHERE)]
        self.assertRegex(self.imap(self.postern, source=ELSEWHERE).greeting, rb"^\* BYE")
        self.assertRegex(self.pop3(self.postern, source=ELSEWHERE).greeting, rb"^-ERR \[SYS/TEMP\]")
        self.closed(self.postern, "limit", protocol="imap")
        self.closed(self.postern, "limit", protocol="pop3")
        self.imap(self.postern, "carl")
        mine[1].quit()
        self.closed(self.postern, "logout", protocol="pop3")
        self.imap(self.postern, "dora", source=ELSEWHERE)

    def test_who_is_over_one_limit_holds_no_place_of_another(self):
        """However often the refused client tries again, others find the room that it has not taken."""
        place, _, _ = self.two({"NOOP": lambda wire, tag, command: None})
        self.postern = self.ruled(
            rule("two of a client", "limit", given={"user": ".*"}, sessions=2, per="client")
            + rule("one each", "limit", given={"user": ".*"}, sessions=1, per="user", full="end-oldest-idle"), place)
        busy = self.imap(self.postern, "ann")
        busy.send("a NOOP\r\n")
        self.eventually(lambda: self.postern.scrape().sum("postern_commands_in_flight", protocol="imap") == 1,
                        "ann cannot be ended for another")
        again = self.imap(self.postern)
        for _ in range(3):
            self.assertRegex(self.try_imap(again, "ann"), rb"NO \[LIMIT\]")
        self.assertIn(b" OK", self.try_imap(self.imap(self.postern), "bob"))

    def test_a_login_during_a_reload_is_counted(self):
        place, _, _ = self.two()
        limit = rule("one each", "limit", given={"user": ".*"}, sessions=1, per="user")
        self.postern = self.ruled(rule("slow", "delay", given={"user": ".*"}, delay="2s") + limit, place)
        first = self.imap(self.postern)
        first.send("a LOGIN ann secret\r\n")
        self.eventually(lambda: self.hits(self.postern, "slow") == 1, "the login waits")
        self.reload(self.postern, limit)
        self.assertIn(b" OK", first.line())
        self.assertRegex(self.try_imap(self.imap(self.postern), "ann"), rb"NO \[LIMIT\]")

    def test_a_new_session_of_a_user_may_end_the_oldest_idle_one(self):
        place, _, _ = self.two()
        self.postern = self.ruled(
            rule("one each", "limit", given={"user": ".*"}, sessions=1, per="user", full="end-oldest-idle"), place)
        first = self.imap(self.postern, "ann")
        other = self.imap(self.postern, "bob")
        second = self.pop3(self.postern, "ann")
        self.ends(first, rb"^\* BYE ")
        third = self.imap(self.postern, "ann")
        self.ends(second, rb"^-ERR \[SYS/TEMP\] ")
        third.command("NOOP")
        other.command("NOOP")
        self.closed(self.postern, "limit", protocol="imap", user="ann")
        self.closed(self.postern, "limit", protocol="pop3", user="ann")

    def test_a_new_session_of_a_client_may_end_the_oldest_idle_one(self):
        place, _, _ = self.two()
        self.postern = self.ruled(
            rule("one each", "limit", given={"client": "127.0.0.0/8"}, sessions=1, per="client", full="end-oldest-idle"),
            place)
        first = self.imap(self.postern, "ann", source=ELSEWHERE)
        other = self.imap(self.postern, "bob")
        second = self.pop3(self.postern, "carl", source=ELSEWHERE)
        self.ends(first, rb"^\* BYE ")
        third = self.imap(self.postern, "dora", source=ELSEWHERE)
        self.ends(second, rb"^-ERR \[SYS/TEMP\] ")
        third.command("NOOP")
        other.command("NOOP")


class Commands(Ruled):
    """deny, disconnect, delay, read-only and hide on the commands of IMAP; POP3's are in test_rules_pop3."""

    def start(self, rules, messages=2):
        self.user = self.dovecot.new_user()
        self.dovecot.fill(self.user, [message(number) for number in range(1, messages + 1)])
        self.postern = self.ruled(rules)
        return self.imap(self.postern, self.user)

    def test_a_denied_command_does_not_happen_and_the_session_goes_on(self):
        client = self.start(rule("no expunge", "deny", given={"command": "EXPUNGE"}, text="nothing goes"))
        client.command("SELECT INBOX")
        client.command(r"STORE 1 +FLAGS (\Deleted)")
        for text in ("EXPUNGE", "expunge", "UID EXPUNGE 1:*", "EXPUNGE  "):
            client.command(text, result="NO")
            self.assertIn(b"[NOPERM] nothing goes", client.tagged)
        client.command("NOOP")
        self.assertEqual(self.dovecot.count(self.user), 2)
        self.assertEqual(self.postern.scrape().sum("postern_commands_total", command="EXPUNGE", result="denied"), 4)

    def test_a_denied_append_is_swallowed_with_its_literal(self):
        client = self.start(rule("no append", "deny", given={"command": "APPEND"}))
        client.send(b"a APPEND INBOX {10+}\r\nb NOOP\r\nxx\r\nc NOOP\r\n")
        client.expect(rb"a NO \[NOPERM\]")
        client.expect(rb"c OK")
        self.assertEqual(self.dovecot.count(self.user), 2)

    def test_a_command_may_end_the_session(self):
        client = self.start(rule("out", "disconnect", given={"command": "SEARCH"}, text="not here"))
        client.command("SELECT INBOX")
        client.command("NOOP")
        client.send("b SEARCH ALL\r\nc NOOP\r\n")
        rest = client.rest()
        self.assertRegex(rest, rb"\* BYE .*not here")
        self.assertNotIn(b"c OK", rest)
        self.closed(self.postern, "rule")

    def test_a_command_may_take_its_time(self):
        client = self.start(rule("slow", "delay", given={"command": "NOOP"}, delay="600ms"))
        begin = time.monotonic()
        client.send("a CAPABILITY\r\nb NOOP\r\nc CHECK\r\nd CAPABILITY\r\n")
        client.until("a")
        self.assertLess(time.monotonic() - begin, 0.5)
        client.until("b")
        self.assertGreaterEqual(time.monotonic() - begin, 0.6)
        client.until("c")
        client.until("d")

    def test_under_read_only_a_mailbox_is_read_and_stays_as_it_is(self):
        client = self.start(rule("archive", "read-only", given={"protocol": "imap"}, text="read only"))
        client.command("SELECT INBOX")
        self.assertIn(b"[READ-ONLY]", client.tagged)
        self.assertTrue(client.command("FETCH 1 BODY[TEXT]"))
        for text in (r"STORE 1 +FLAGS (\Deleted)", "EXPUNGE", "COPY 1 Trash", "MOVE 1 Trash", "CREATE box", "DELETE box",
                     "RENAME INBOX box", "SUBSCRIBE box"):
            client.command(text, result=None)
            self.assertRegex(client.tagged, rb"^t\d+ NO \[NOPERM\]|^t\d+ BAD", text)
        client.send(b"x APPEND INBOX {3+}\r\nabc\r\n")
        client.expect(rb"x NO \[NOPERM\]")
        client.logout()
        self.assertEqual(self.dovecot.count(self.user), 2)

    def test_what_is_hidden_is_not_there(self):
        client = self.start(rule("hide", "hide", given={"protocol": "imap"}, capabilities=["IDLE", "MOVE"])
                            + rule("secret", "hide", given={"protocol": "imap"}, mailboxes=["Secret"]))
        self.dovecot.fill(self.user, [message(1)], mailbox="Secret")
        listed = b"".join(client.command("CAPABILITY")).split()
        self.assertIn(b"UIDPLUS", listed)
        self.assertFalse({b"IDLE", b"MOVE"} & set(listed))
        client.command("IDLE", result="BAD")
        self.assertNotIn(b"Secret", b"".join(client.command('LIST "" *')))
        client.command("SELECT Secret", result="NO")
        client.command("STATUS Secret (MESSAGES)", result="NO")

    def test_a_command_needs_better_tls(self):
        self.postern = self.ruled(
            rule("store by 1.3", "require-tls", given={"command": "STORE"}, minimum="1.3", text="use TLS 1.3"))
        user = self.dovecot.new_user()
        self.dovecot.fill(user, [message(1)])
        for options, result in (({"tls_context": context(**TLS12)}, "NO"), ({}, "OK")):
            client = self.imap(self.postern, user, **options)
            client.command("SELECT INBOX")
            client.command(r"STORE 1 +FLAGS (\Seen)", result=result)

    def test_rules_by_pool_hold_for_its_sessions_only(self):
        old, _, _ = self.two()
        new, _, _ = self.two()
        self.postern = self.ruled(
            rule("moved", "route", given={"user": "ann"}, pool="modern")
            + rule("no noop there", "deny", given={"pool": "modern", "command": "NOOP"}), old, pools={"modern": [new]})
        self.imap(self.postern, "ann").command("NOOP", result="NO")
        self.imap(self.postern, "bob").command("NOOP")
        self.pop3(self.postern, "ann").command("NOOP", good=False)
        self.pop3(self.postern, "bob").command("NOOP")


class Trusted(Ruled):
    """pass_commands and pass_capabilities: what a pool's backends are trusted with beyond the table."""

    def test_trusted_verbs_and_capabilities_pass(self):
        def answer(wire, tag, _):
            wire.send(f"* XFOO 1\r\n{tag} OK done\r\n")
        backend = self.imap_backend({"XFOO": answer}, capabilities="IMAP4rev1 X-NEW X-OLD")
        pop3 = self.pop3_backend(capa="TOP\r\nX-NEW 1\r\nX-OLD\r\n")
        self.postern = self.ruled("", {"imap": backend.address, "pop3": pop3.address},
                                  pool={"pass_commands": ["XFOO"], "pass_capabilities": ["X-NEW"]})
        client = self.imap(self.postern, "ann")
        self.assertEqual(client.command('xfoo (1 2) "3"'), [b"* XFOO 1\r\n"])
        client.command("XBAR", result="BAD")
        client.command('XFOO "\xc3\xa9"', result="BAD")
        listed = b"".join(client.command("CAPABILITY")).split()
        self.assertIn(b"X-NEW", listed)
        self.assertNotIn(b"X-OLD", listed)
        client.send("a XFOO {4+}\r\nb NOOP\r\n")
        self.assertRegex(client.rest(), rb"^a BAD .*\r\n\* BYE ")
        self.assertEqual(backend.relayed.count(b"XFOO") + backend.relayed.count(b"xfoo"), 1)
        reader = self.pop3(self.postern, "ann")
        listed = reader.many("CAPA")
        self.assertIn(b"X-NEW 1\r\n", listed)
        self.assertNotIn(b"X-OLD", listed)
        reader.command("XFOO", good=False)

    def test_under_read_only_they_do_not(self):
        backend = self.imap_backend()
        self.postern = self.ruled(rule("keep", "read-only", given={"protocol": "imap"}), backend,
                                  pool={"pass_commands": ["XFOO"]})
        client = self.imap(self.postern, "ann")
        client.command("XFOO", result="NO")
        self.assertNotIn(b"XFOO", backend.relayed)


if __name__ == "__main__":
    import unittest

    unittest.main()
