"""postern ctl against a running gateway: what it shows, what it changes, and who may."""

import datetime
import json
import re
import shutil
import threading
import time
import unittest

from harness.case import EndToEnd
from harness.client import PATIENCE
from harness.dovecot import Dovecot, free_port, message
from harness.postern import command

TOKEN = "3f0a5c7e-of-the-test"


class SecondDovecot(Dovecot):
    """Another one, with mailboxes of its own."""


def place(dovecot):
    return {"imap": dovecot.imap, "pop3": dovecot.pop3}


def instant(event):
    return datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()


class Ctl(EndToEnd):
    def setUp(self):
        super().setUp()
        self.token_file = self.folder() / "admin.token"
        self.token_file.write_text(TOKEN + "\n")
        self.token_file.chmod(0o600)

    def gate(self, *places, **changes):
        """A gateway in front of these Dovecots (or the shared one) that takes orders."""
        admin = {"token_file": self.token_file, **changes.pop("admin", {})}
        return self.gateway(*(places or [place(self.dovecot)]), admin=admin, **changes)

    def ctl(self, gateway, *arguments, status=0, config=None):
        """Standard output; where it is refused, standard error."""
        code, out, err = command("ctl", "-c", str(config or gateway.config), "--address", gateway.admin, *arguments,
                                 timeout=90)
        self.assertEqual(code, status, out + err)
        return err if status and not out else out

    def asked(self, gateway, *arguments, **options):
        return json.loads(self.ctl(gateway, "--json", *arguments, **options))

    def sessions(self, gateway):
        return self.asked(gateway, "sessions")["sessions"]

    def session_of(self, gateway, user):
        found = [each for each in self.sessions(gateway) if each.get("user") == user]
        self.assertEqual(len(found), 1, found)
        return found[0]

    def backends(self, gateway):
        return {f"{each['pool']}/{each['backend']}": each for each in self.asked(gateway, "backends")["backends"]}


class Showing(Ctl):
    def test_sessions_oldest_first(self):
        gateway = self.gate(gateway={"workers": 2})
        ann, bob = self.dovecot.new_user("ann"), self.dovecot.new_user("bob")
        self.imap(gateway, ann)
        self.pop3(gateway, bob)
        self.imap(gateway)
        first, second, third = self.sessions(gateway)
        self.assertEqual((first["user"], first["protocol"], first["state"]), (ann, "imap", "relay"))
        self.assertEqual((first["pool"], first["backend"], first["listener"]), ("legacy", "mail1", "imaps"))
        self.assertEqual((first["tls_version"], first["client"]), ("1.3", "127.0.0.1"))
        self.assertEqual((second["user"], second["protocol"]), (bob, "pop3"))
        self.assertEqual(third["state"], "login")
        self.assertNotIn("user", third)
        self.assertNotIn("backend", third)
        table = self.ctl(gateway, "sessions").splitlines()
        self.assertRegex(table[0], r"^ID +PROTO +STATE +USER +CLIENT +BACKEND +TLS +AGE +IDLE +HELD")
        self.assertRegex(table[1], rf"^{first['id']} +imap +relay +{ann} +127\.0\.0\.1 +legacy/mail1 +1\.3 +\d+s +\d+s")
        self.assertEqual(table[-1], "3 sessions")

    def test_no_session(self):
        self.assertEqual(self.ctl(self.gate(), "sessions"), "0 sessions\n")

    def test_users_are_for_those_with_the_token(self):
        gateway = self.gate()
        user = self.dovecot.new_user("secretive")
        self.imap(gateway, user)
        config = self.folder() / "other.toml"
        config.write_text("")
        shown = self.ctl(gateway, "sessions", config=config)
        self.assertNotIn(user, shown)
        self.assertIn("user names are shown to those who have the token", shown)
        self.assertNotIn(user, self.ctl(gateway, "--json", "sessions", config=config))
        self.assertNotIn(user, gateway.get("/api/v1/sessions")[1])
        self.assertIn(user, self.ctl(gateway, "sessions"))

    def test_a_hostile_user_name_does_nothing_to_the_terminal(self):
        gateway = self.gate()
        user = self.dovecot.new_user("evil") + "\x1b[2J\x1b]0;owned\x07\u202e\x9b1m"
        client = self.imap(gateway)
        name = user.encode()
        client.send(b"a LOGIN {%d+}\r\n%b secret\r\n" % (len(name), name))
        self.assertIn(b"a OK", client.until("a")[1])
        table = self.ctl(gateway, "sessions")
        self.assertIn(r"\x1b[2J\x1b]0;owned\x07\u{202e}\x9b1m", table)
        raw = self.ctl(gateway, "--json", "sessions")
        for hostile in "\x1b\x07\x9b\u202e":
            self.assertNotIn(hostile, table)
        for hostile in "\x1b\x07\x9b":
            self.assertNotIn(hostile, raw)
        self.assertEqual(json.loads(raw)["sessions"][0]["user"], user)

    def test_a_session_says_what_holds_it_up(self):
        gateway = self.gate()
        user = self.dovecot.new_user()
        self.dovecot.deliver(user, "big", message(size=8 << 20))
        client = self.imap(gateway, user, receive_buffer=65536)
        client.command("SELECT INBOX")
        client.send("f FETCH 1 BODY.PEEK[]\r\n")
        client.expect(rb"\* 1 FETCH")
        self.eventually(lambda: "client does not take" in self.session_of(gateway, user).get("not_reading", ""),
                        lambda: self.sessions(gateway))
        session = self.session_of(gateway, user)
        self.assertGreater(session["held_bytes"], 100_000)
        self.assertEqual(session["command"], "FETCH")
        self.assertRegex(self.ctl(gateway, "sessions"), r"\d+ KiB +FETCH; backend: the client does not take")

    def test_status_when_all_is_well(self):
        gateway = self.gate()
        self.imap(gateway, self.dovecot.new_user())
        self.eventually(lambda: command("ctl", "-c", str(gateway.config), "--address", gateway.admin, "status")[0] == 0,
                        lambda: self.asked(gateway, "status", status=1))
        lines = self.ctl(gateway, "status").splitlines()
        self.assertLessEqual(len(lines), 10)
        self.assertRegex(lines[0], r"^postern \S+ +mail\.example, up \d+s, ready$")
        self.assertIn("generation 1, not reloaded", lines[1])
        self.assertRegex(lines[2], r"1 of at most \d+: 1 in relay")
        self.assertIn("1 up", lines[3])
        self.assertRegex(lines[4], r"(29|30) days left")
        self.assertEqual(lines[-1], "all is well")

    def test_status_names_a_backend_that_is_down(self):
        dead = f"127.0.0.1:{free_port()}"
        gateway = self.gate(place(self.dovecot), {"imap": dead, "pop3": dead}, pool={"probe": {"every": "1s"}})
        self.eventually(lambda: self.backends(gateway)["legacy/mail2"]["state"] == "down",
                        lambda: self.backends(gateway), seconds=20 * PATIENCE)
        shown = self.ctl(gateway, "status", status=1)
        self.assertIn("1 down (legacy/mail2)", shown)
        self.assertRegex(shown, r"PROBLEM +backend legacy/mail2 is down")
        self.assertTrue(any("legacy/mail2" in each for each in self.asked(gateway, "status", status=1)["problems"]))
        self.assertRegex(self.ctl(gateway, "backends"), r"(?m)^legacy/mail2 +down +\d+s +0 ")


class Kicking(Ctl):
    def test_an_idle_session_is_told_and_ends(self):
        gateway = self.gate()
        users = [self.dovecot.new_user() for _ in range(3)]
        clients = [self.imap(gateway, user) for user in users]
        victim = self.session_of(gateway, users[1])["id"]
        self.assertEqual(self.ctl(gateway, "kick", victim), f"kicked {victim}: it ends at its next command boundary\n")
        clients[1].expect(rb"\* BYE ")
        clients[1].expect_end()
        self.closed(gateway, "kicked", id=victim)
        for client in (clients[0], clients[2]):
            client.command("NOOP")

    def test_a_fetch_under_way_is_not_cut(self):
        gateway = self.gate()
        user = self.dovecot.new_user()
        self.dovecot.deliver(user, "big", message(size=4 << 20))
        client = self.imap(gateway, user)
        client.command("SELECT INBOX")
        client.send("f FETCH 1 BODY.PEEK[]\r\n")
        line = client.expect(rb"\* 1 FETCH")
        self.ctl(gateway, "kick", self.session_of(gateway, user)["id"])
        size = int(re.search(rb"\{(\d+)\}\r\n$", line)[1])
        self.assertGreater(size, 4 << 20)
        client.read(size)
        client.expect(rb"\)")
        client.expect(rb"f OK")
        client.expect(rb"\* BYE ")
        client.expect_end()
        self.closed(gateway, "kicked")

    def test_who_has_not_logged_in_is_ended_at_once(self):
        gateway = self.gate()
        imap, pop3 = self.imap(gateway), self.pop3(gateway)
        for session in self.sessions(gateway):
            self.assertEqual(session["state"], "login")
            self.ctl(gateway, "kick", session["id"])
        imap.expect(rb"\* BYE ")
        imap.expect_end()
        pop3.rest()
        self.closed(gateway, "kicked", protocol="imap")
        self.closed(gateway, "kicked", protocol="pop3")

    def test_who_has_not_even_begun_its_handshake_is_ended(self):
        gateway = self.gate()
        client = self.imap(gateway, tls=False, greeting=False)
        self.eventually(lambda: self.sessions(gateway), "it is there")
        session = self.sessions(gateway)[0]
        self.assertEqual(session["state"], "handshake")
        self.ctl(gateway, "kick", session["id"])
        client.rest()
        self.closed(gateway, "kicked", id=session["id"])
        self.assertEqual(self.sessions(gateway), [])

    def test_pop3_deletions_without_quit_are_not_carried_out(self):
        gateway = self.gate()
        user = self.dovecot.new_user()
        self.dovecot.fill(user, [message(1)])
        client = self.pop3(gateway, user)
        client.command("DELE 1")
        self.ctl(gateway, "kick", self.session_of(gateway, user)["id"])
        client.rest()
        self.closed(gateway, "kicked", protocol="pop3")
        self.assertEqual(self.dovecot.count(user), 1)

    def test_a_session_that_is_not_there(self):
        gateway = self.gate()
        refused = self.ctl(gateway, "kick", "no\x1b such&id=1", status=1)
        self.assertIn(r"there is no session no\x1b such&id=1", refused)


class Draining(Ctl):
    """Two Dovecots, one of which is drained."""

    def setUp(self):
        super().setUp()
        self.second = SecondDovecot.shared()
        self.gateway_ = self.gate(place(self.dovecot), place(self.second), gateway={"workers": 2})

    def crowd(self, backend, count, client=None, others=2):
        """Logged-in clients at this backend, by user, and some at the other."""
        here, elsewhere = {}, {}
        while len(here) < count or len(elsewhere) < others:
            user = self.dovecot.new_user("drain")
            made = (client or self.imap)(self.gateway_, user)
            at = self.session_of(self.gateway_, user)["backend"]
            wanted, enough = (here, count) if at == backend else (elsewhere, others)
            if len(wanted) < enough:
                wanted[user] = made
            else:
                made.command("LOGOUT" if made.greeting.startswith(b"*") else "QUIT")
                made.close()
        return here, elsewhere

    def test_sessions_leave_over_the_window_and_newcomers_go_elsewhere(self):
        here, elsewhere = self.crowd("mail1", 8)
        window = 4 * PATIENCE
        asked_at = time.time()
        said = self.ctl(self.gateway_, "drain", "legacy/mail1", "--window", f"{window:g}s")
        self.assertIn("draining legacy/mail1", said)
        self.assertNotIn("note", said)
        self.assertEqual(self.backends(self.gateway_)["legacy/mail1"]["state"], "draining")
        self.assertRegex(self.ctl(self.gateway_, "backends"), r"(?m)^legacy/mail1 +draining ")
        self.assertIn("1 draining (legacy/mail1)", self.ctl(self.gateway_, "status"))
        # While it lasts, those who come go to the other one, also those whose place it was.
        for user in list(here)[:3]:
            self.imap(self.gateway_, user)
            states = {each["backend"] for each in self.sessions(self.gateway_) if each.get("user") == user}
            self.assertIn("mail2", states)
        for client in here.values():
            client.expect(rb"\* BYE \[UNAVAILABLE\]")
            client.expect_end()
        self.eventually(lambda: self.backends(self.gateway_)["legacy/mail1"]["sessions"] == 0, "mail1 is empty")

        def drained():
            return sorted(instant(each) - asked_at for each in self.gateway_.events
                          if each.get("event") == "session" and each["close_reason"] == "drained")
        self.eventually(lambda: len(drained()) >= 8, "a line in the log for each")
        ends = drained()
        self.assertEqual(len(ends), 8)
        # Two workers spread theirs each for itself: not all at once, none behind the window.
        self.assertGreater(ends[-1] - ends[0], window / 3)
        self.assertLess(ends[-1], window + 1 * PATIENCE)
        self.assertGreater(ends[4] - ends[0], window / 10)
        for client in elsewhere.values():
            client.command("NOOP")

    def test_undrained_it_takes_its_users_again(self):
        here, _ = self.crowd("mail1", 1)
        user = next(iter(here))
        self.ctl(self.gateway_, "drain", "legacy/mail1", "--window", "0s")
        here[user].expect(rb"\* BYE")
        self.imap(self.gateway_, user).logout()
        self.assertIn("already", self.ctl(self.gateway_, "drain", "legacy/mail1", status=1))
        self.assertEqual(self.ctl(self.gateway_, "undrain", "legacy/mail1"), "legacy/mail1 takes sessions again\n")
        self.eventually(lambda: self.comes_to("mail1", user), "the user is back", seconds=60 * PATIENCE)
        self.assertEqual(self.backends(self.gateway_)["legacy/mail1"]["state"], "up")

    def comes_to(self, backend, user):
        client = self.imap(self.gateway_, user)
        at = self.session_of(self.gateway_, user)["backend"]
        client.logout()
        self.eventually(lambda: not any(each.get("user") == user for each in self.sessions(self.gateway_)), "it ended")
        return at == backend

    def test_undraining_in_the_middle_keeps_the_rest(self):
        here, _ = self.crowd("mail1", 4)
        self.ctl(self.gateway_, "drain", "legacy/mail1", "--window", "10m")
        self.gateway_.event("session", close_reason="drained")
        self.ctl(self.gateway_, "undrain", "legacy/mail1")
        left = [each for each in self.sessions(self.gateway_) if each["backend"] == "mail1" and each["state"] == "relay"]
        self.assertGreaterEqual(len(left), 2)  # the first of each worker has gone
        for session in left:
            here[session["user"]].command("NOOP")

    def test_a_fetch_under_way_is_not_cut(self):
        here, _ = self.crowd("mail1", 1)
        user, client = next(iter(here.items()))
        self.dovecot.deliver(user, "big", message(size=4 << 20))
        client.command("SELECT INBOX")
        client.send("f FETCH 1 BODY.PEEK[]\r\n")
        line = client.expect(rb"\* 1 FETCH")
        self.ctl(self.gateway_, "drain", "legacy/mail1", "--window", "0s")
        client.read(int(re.search(rb"\{(\d+)\}\r\n$", line)[1]))
        client.expect(rb"\)")
        client.expect(rb"f OK")
        client.expect(rb"\* BYE \[UNAVAILABLE\]")
        client.expect_end()

    def test_an_append_under_way_is_not_cut(self):
        here, _ = self.crowd("mail1", 1)
        user, client = next(iter(here.items()))
        content = message(size=100_000)
        client.send(f"a APPEND INBOX {{{len(content)}}}\r\n")
        client.expect(rb"\+")
        client.send(content[:50_000])
        self.ctl(self.gateway_, "drain", "legacy/mail1", "--window", "0s")
        client.send(content[50_000:] + b"\r\n")
        self.assertIn(b"a OK", client.until("a")[1])
        client.expect(rb"\* BYE \[UNAVAILABLE\]")
        client.expect_end()
        self.assertEqual(self.dovecot.count(user), 1)

    def test_pop3_deletions_run_to_their_quit(self):
        here, _ = self.crowd("mail1", 2, client=self.pop3, others=0)
        (user, client), (other, untouched) = here.items()
        client.quit()
        untouched.quit()
        for each in (user, other):
            self.dovecot.fill(each, [message(1), message(2)])
        client, untouched = self.pop3(self.gateway_, user), self.pop3(self.gateway_, other)
        client.command("DELE 1")
        untouched.command("DELE 1")
        self.ctl(self.gateway_, "drain", "legacy/mail1", "--window", "0s")
        self.eventually(lambda: self.backends(self.gateway_)["legacy/mail1"]["state"] == "draining", "it drains")
        client.command("NOOP")
        client.command("STAT")
        client.command("QUIT")
        client.expect_end()
        self.assertEqual(self.dovecot.count(user), 1)
        self.assertEqual(self.dovecot.count(other), 2)
        untouched.command("QUIT")
        self.assertEqual(self.dovecot.count(other), 1)

    def test_more_than_one_turn_can_tell(self):
        """Two hundred sessions of one worker: its turns are kept short, and nobody is forgotten."""
        backend = self.imap_backend()
        gateway = self.gate({"imap": backend.address, "pop3": backend.address})
        clients = [self.imap(gateway, f"user{number}") for number in range(200)]
        self.assertEqual(len(self.sessions(gateway)), 200)
        said = self.ctl(gateway, "drain", "legacy/mail1", "--window", "0s")
        self.assertIn("note: no other backend of pool legacy is up", said)
        for client in clients:
            client.expect(rb"\* BYE \[UNAVAILABLE\]")
            client.expect_end()
        self.assertEqual(self.backends(gateway)["legacy/mail1"]["sessions"], 0)
        # With nowhere to go, a login hears that this is temporary.
        client = self.imap(gateway)
        client.command("LOGIN ann secret", "NO")
        self.assertIn(b"[UNAVAILABLE]", client.tagged)

    def test_a_backend_that_is_not_there(self):
        self.assertIn("did you mean legacy/mail1?", self.ctl(self.gateway_, "drain", "legacy/mial1", status=1))
        self.assertIn("did you mean legacy/mail2?", self.ctl(self.gateway_, "undrain", "mail2", status=1))
        self.assertIn("not a duration", self.ctl(self.gateway_, "drain", "legacy/mail1", "--window", "soon", status=1))
        self.assertIn("is not draining", self.ctl(self.gateway_, "undrain", "legacy/mail1", status=1))
        self.assertEqual(self.backends(self.gateway_)["legacy/mail1"]["state"], "up")


class Reloading(Ctl):
    def test_applied_or_refused_and_why(self):
        gateway = self.gate()
        client = self.imap(gateway, self.dovecot.new_user())
        good = gateway.config.read_text()
        gateway.config.write_text(good.replace('slow = "1s"', 'slow = "2s"'))
        self.assertIn("applied: generation 2\n", self.ctl(gateway, "reload"))
        gateway.event("reloaded", generation=2)
        self.assertRegex(self.ctl(gateway, "status"), r"generation 2, \S.* applied \d+s ago")
        gateway.config.write_text(good.replace('slow = "1s"', 'slow = "soon"').replace("login_attempts = 3", "lgin = 3"))
        refused = self.ctl(gateway, "reload", status=1)
        self.assertIn("nothing has changed", refused)
        self.assertRegex(refused, r"postern\.toml:\d+:\d+: slow = \"soon\"")
        self.assertRegex(refused, r"postern\.toml:\d+:\d+: .*lgin")
        raw = self.asked(gateway, "reload", status=1)
        self.assertEqual((raw["applied"], raw["generation"], len(raw["reasons"])), (False, 2, 2))
        shown = self.ctl(gateway, "status", status=1)
        self.assertIn("REFUSED", shown)
        self.assertRegex(shown, r"PROBLEM +the last reload was refused: .*postern\.toml")
        gateway.config.write_text(good)
        self.assertIn("applied: generation 3\n", self.ctl(gateway, "reload"))
        self.assertNotIn("refused", self.ctl(gateway, "status"))
        client.command("NOOP")

    def test_what_waits_for_a_restart_is_said(self):
        gateway = self.gate()
        gateway.config.write_text(gateway.config.read_text().replace("workers = 1", "workers = 3"))
        self.assertRegex(self.ctl(gateway, "reload"), r"applied: generation 2\n.*workers")

    def test_what_is_dangerous_is_said(self):
        self.token_file.chmod(0o644)
        self.assertRegex(self.ctl(self.gate(), "reload"), r"applied: generation 2\n.*chmod 0600")

    def test_several_at_once_all_hear_how_it_went(self):
        gateway = self.gate()
        said = []

        def reload():
            said.append(command("ctl", "-c", str(gateway.config), "--address", gateway.admin, "reload", timeout=90))
        threads = [threading.Thread(target=reload) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([each[0] for each in said], [0] * 4, said)
        for each in said:
            self.assertRegex(each[1], r"applied: generation \d+")

    def test_a_token_that_is_set_or_changed_counts_from_the_reload_on(self):
        gateway = self.gate()
        other = self.folder() / "new.token"
        other.write_text("quite-another\n")
        other.chmod(0o600)
        gateway.config.write_text(gateway.config.read_text().replace(str(self.token_file), str(other)))
        self.assertIn("not the token", self.ctl(gateway, "reload", status=1))
        gateway.process.send_signal(1)
        gateway.event("reloaded", cause="SIGHUP")
        self.assertIn("applied", self.ctl(gateway, "reload"))


class Reaching(Ctl):
    def test_who_has_no_token_changes_nothing(self):
        gateway = self.gate()
        session = self.imap(gateway, self.dovecot.new_user())
        wrong = self.folder() / "postern.toml"
        (wrong.parent / "t").write_text("not the one\n".replace(" ", "-"))
        wrong.write_text('[admin]\ntoken_file = "t"\n')
        none = self.folder() / "postern.toml"
        none.write_text("")
        victim = self.sessions(gateway)[0]["id"]
        for arguments in (["kick", victim], ["drain", "legacy/mail1"], ["undrain", "legacy/mail1"], ["reload"]):
            self.assertIn("not the token", self.ctl(gateway, *arguments, status=1, config=wrong))
            self.assertIn("admin.token_file", self.ctl(gateway, *arguments, status=1, config=none))
        self.assertIn("not the token", self.ctl(gateway, "sessions", status=1, config=wrong))
        session.command("NOOP")
        self.assertEqual(self.backends(gateway)["legacy/mail1"]["state"], "up")

    def test_a_gateway_without_a_token_says_which_key_to_set(self):
        gateway = self.gateway()
        self.assertIn("set admin.token_file", self.ctl(gateway, "reload", status=1))
        self.assertEqual(self.ctl(gateway, "sessions"), "0 sessions\n")

    def test_a_token_that_cannot_be_read_is_named(self):
        gateway = self.gate()
        config = self.folder() / "postern.toml"
        config.write_text('[admin]\ntoken_file = "gone"\n')
        self.assertIn(str(config.parent / "gone"), self.ctl(gateway, "reload", status=1, config=config))
        self.assertIn("0 sessions", self.ctl(gateway, "sessions", config=config))

    def test_over_a_unix_socket_with_nothing_but_the_file(self):
        folder = self.folder()
        gateway = self.gate(admin={"address": f"unix:{folder}/admin.sock"})
        self.assertEqual(gateway.admin, f"unix:{folder}/admin.sock")
        # The certificate's key is the gateway's business alone.
        config = folder / "postern.toml"
        config.write_text(re.sub(r'(?m)^key = .*$', 'key = "/nonexistent/key.pem"', gateway.config.read_text()))
        code, out, err = command("ctl", "-c", str(config), "sessions")
        self.assertEqual((code, out, err), (0, "0 sessions\n", ""))
        code, out, err = command("ctl", "reload", "-c", str(config))
        self.assertEqual(code, 0, out + err)
        gateway.terminate()
        self.assertEqual(gateway.wait(), 0)
        code, out, err = command("ctl", "-c", str(config), "status")
        self.assertEqual((code, out), (3, ""))
        self.assertIn(f"cannot reach the gateway at unix:{folder}/admin.sock", err)

    def test_nobody_there(self):
        config = self.folder() / "postern.toml"
        config.write_text(f'[admin]\naddress = "127.0.0.1:{free_port()}"\n')
        code, out, err = command("ctl", "-c", str(config), "status")
        self.assertEqual((code, out), (3, ""))
        self.assertRegex(err, r"cannot reach the gateway at 127\.0\.0\.1:\d+: Connection refused\n.*is it running\?")
        code, _, err = command("ctl", "-c", "/nonexistent/postern.toml", "status")
        self.assertEqual(code, 3)
        self.assertIn("/nonexistent/postern.toml: No such file", err)
        config.write_text("[admin\n")
        code, _, err = command("ctl", "-c", str(config), "status")
        self.assertEqual(code, 3)
        self.assertIn(f"{config}:1:", err)

    def test_somebody_else_there(self):
        backend = self.imap_backend()
        code, _, err = command("ctl", "-c", "/dev/null", "--address", backend.address, "status")
        self.assertEqual(code, 3)
        self.assertIn("does not speak HTTP", err)

    def test_the_command_line(self):
        for arguments in ([], ["explode"], ["kick"], ["drain"], ["status", "more"], ["sessions", "--window", "3s"]):
            self.assertEqual(command("ctl", *arguments)[0], 2, arguments)
        code, out, _ = command("ctl", "--help")
        self.assertEqual(code, 0)
        for word in ("sessions", "kick", "backends", "drain", "undrain", "reload", "status", "--json", "Exit status"):
            self.assertIn(word, out)
        self.assertIn("--window", command("ctl", "drain", "--help")[1])

    @unittest.skipUnless(shutil.which("curl"), "no curl")
    def test_the_api_by_hand(self):
        import subprocess
        gateway = self.gate()
        base = f"http://{gateway.admin}/api/v1"

        def curl(*arguments):
            done = subprocess.run(["curl", "-s", "-w", "\n%{http_code}", *arguments], capture_output=True, timeout=30)
            body, status = done.stdout.decode().rsplit("\n", 1)
            return int(status), json.loads(body)
        self.assertEqual(curl(f"{base}/status")[0], 200)
        self.assertEqual(curl("-X", "POST", f"{base}/reload")[0], 401)
        bearer = ["-H", f"Authorization: Bearer {TOKEN}"]
        self.assertEqual(curl("-X", "POST", *bearer, f"{base}/reload"),
                         (200, {"applied": True, "generation": 2, "reasons": [], "notes": []}))
        self.assertEqual(curl("-d", "x=1", *bearer, f"{base}/reload")[0], 200)
        self.assertEqual(curl("-X", "POST", *bearer, "-H", "Origin: http://evil.example", f"{base}/reload")[0], 403)
        self.assertEqual(curl(*bearer, f"{base}/reload")[0], 405)


if __name__ == "__main__":
    unittest.main()
