"""SIGHUP: what applies to live sessions, what to new ones, what waits for a restart, and what is refused."""

import os
import signal
import threading
import time

from harness.authority import Authority
from harness.case import EndToEnd
from harness.client import Imap
from harness.postern import configuration, listener, sanitized
from harness.scripts import ImapScript
from harness.sockets import server_context

# The whole promise of R-16 takes 100 s: POSTERN_E2E_LONG=1.
LONG = bool(os.environ.get("POSTERN_E2E_LONG"))


class Reload(EndToEnd):
    def start(self, *backends, **changes):
        self.backends = backends or (self.imap_backend(),)
        self.postern = self.gateway(*self.backends, **changes)
        return self.postern

    def places(self, backends=None):
        return [{"imap": each.address, "pop3": each.address} for each in backends or self.backends]

    def hangup(self, text=None):
        """Writes the configuration and sends SIGHUP; returns how many log lines there were before."""
        if text is not None:
            self.postern.config.write_text(text)
        before = len(self.postern.events)
        self.postern.process.send_signal(signal.SIGHUP)
        return before

    def reload(self, backends=None, **changes):
        before = self.hangup(configuration(self.places(backends), **changes))
        self.postern.event("reloaded", after=before, cause="SIGHUP")
        return before

    def refused(self, text):
        before = self.hangup(text)
        return self.postern.event("reload_refused", after=before)["reason"]

    # Live sessions.

    def test_a_limit_holds_for_live_sessions_from_the_next_command_on_on_every_worker(self):
        self.start(gateway={"workers": 3})
        clients = [self.imap(self.postern, f"user{number}") for number in range(9)]
        self.reload(gateway={"workers": 3}, limits={"append": "1KiB"})
        for client in clients:
            client.send("a APPEND INBOX {2000}\r\n")
            client.expect(rb"a NO \[TOOBIG\]")
            client.command("NOOP")

    def test_a_limit_that_is_lifted_is_lifted_for_live_sessions(self):
        self.start(limits={"append": "1KiB"})
        client = self.imap(self.postern, "ann")
        client.send("a APPEND INBOX {2000}\r\n")
        client.expect(rb"a NO \[TOOBIG\]")
        self.reload(limits={"append": "0"})
        client.send(b"b APPEND INBOX {2000+}\r\n" + b"x" * 2000 + b"\r\n")
        client.expect(rb"b OK")

    def test_an_idle_time_holds_for_live_sessions(self):
        self.start()
        client = self.imap(self.postern, "ann")
        self.reload(timeouts={"imap_idle": "1s", "allow_short_idle": True})
        client.expect(rb"\* BYE")
        self.closed(self.postern, "idle_timeout")

    def test_what_counts_as_slow_holds_for_live_sessions(self):
        def noop(wire, tag, _):
            time.sleep(0.02)
            wire.send(f"{tag} OK\r\n")
        self.start(self.imap_backend({"NOOP": noop}))
        client = self.imap(self.postern, "ann")
        client.command("NOOP")
        before = self.reload(log={"slow": "5ms"})
        client.command("NOOP")
        self.postern.event("slow_command", after=before, command="NOOP")

    def test_a_live_session_stays_at_its_backend_when_the_pool_moves(self):
        old, new = self.imap_backend(), self.imap_backend()
        self.start(old)
        live = self.imap(self.postern, "ann")
        self.reload([new])
        fresh = self.imap(self.postern, "ann")
        live.command("NOOP")
        fresh.command("NOOP")
        self.assertIn(b"NOOP", old.relayed)
        self.assertIn(b"NOOP", new.relayed)
        self.assertEqual(len(old.wires), 1)

    # New sessions.

    def test_a_renamed_pool_has_metrics_of_its_own(self):
        self.start()
        self.imap(self.postern, "ann").command("NOOP")
        text = configuration(self.places()).replace('"legacy"', '"modern"')
        before = self.hangup(text)
        self.postern.event("reloaded", after=before)
        self.imap(self.postern, "bob").command("NOOP")
        by_pool = self.postern.scrape().by("postern_commands_total", "pool", command="NOOP")
        self.assertEqual(by_pool, {"legacy": 1, "modern": 1})

    def test_a_listener_comes_and_another_goes(self):
        self.start(listeners=[listener("imaps"), listener("imap-old")])
        old = self.imap(self.postern, "ann", at="imap-old")
        gone = self.postern.addresses["imap-old"]
        kept = self.postern.addresses["imaps"]
        before = self.reload(listeners=[listener("imaps"), listener("imap-new")])
        new = self.postern.event("listening", after=before, listener="imap-new")["address"]
        self.assertEqual(self.postern.event("listening", after=before, listener="imaps")["address"], kept)
        old.command("NOOP")
        self.keep(Imap(new)).login("bob").command("NOOP")
        self.keep(Imap(kept)).login("cat").command("NOOP")

        def refused():
            try:
                Imap(gone, greeting=False).close()
                return False
            except OSError:
                return True
        self.eventually(refused, "the listener that is gone takes nobody")
        old.command("NOOP")

    def test_a_listener_may_change_its_tls(self):
        self.start(listeners=[listener("imaps")])
        self.reload(listeners=[listener("imaps", tls="starttls")])
        client = self.imap(self.postern, tls=False)
        client.starttls()
        client.login("ann").command("NOOP")

    def test_starttls_is_still_there_for_who_came_by_a_listener_that_is_gone(self):
        self.start(listeners=[listener("imaps"), listener("old", tls="starttls")])
        client = self.imap(self.postern, at="old", tls=False)
        self.reload(listeners=[listener("imaps")])
        client.starttls()
        client.login("ann").command("NOOP")

    def reload_between_starttls_and_its_ok(self, reload):
        asked, go_on = threading.Event(), threading.Event()
        certificate = server_context(Authority.shared().leaf())

        def script(wire):
            wire.send("* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi\r\n")
            tag = wire.line().split()[0].decode()
            asked.set()
            go_on.wait(20)
            wire.send(f"{tag} OK begin\r\n")
            wire.secure(certificate)
            ImapScript(greeting="")(wire)
        self.start(self.scripted(script), pool={"tls": "starttls", "verify": "none", "insecure": True})
        client = self.imap(self.postern)
        client.send("a LOGIN ann secret\r\n")
        self.assertTrue(asked.wait(20))
        reload()
        go_on.set()
        client.until("a")
        client.command("NOOP")

    def test_a_pool_that_loses_its_tls_does_not_lose_it_for_a_login_under_way(self):
        self.reload_between_starttls_and_its_ok(lambda: self.reload(pool={"tls": "none"}))

    def test_a_pool_that_goes_does_not_take_a_login_under_way_along(self):
        def rename():
            text = configuration(self.places()).replace('"legacy"', '"modern"')
            self.postern.event("reloaded", after=self.hangup(text))
        self.reload_between_starttls_and_its_ok(rename)

    # Refused, and kept.

    def test_a_broken_file_changes_nothing_and_says_where(self):
        self.start()
        live = self.imap(self.postern, "ann")
        reason = self.refused(configuration(self.places()).replace("[limits]", "[limits]\nsesions = 3"))
        self.assertRegex(reason, r"postern\.toml:\d+:\d+: .*sesions.*sessions")
        live.command("NOOP")
        self.imap(self.postern, "bob").command("NOOP")
        scrape = self.postern.scrape()
        self.assertEqual(scrape.by("postern_config_reloads_total", "result"), {"refused": 1})
        self.assertEqual(scrape["postern_config_generation"], 1)

    def test_every_mistake_is_told(self):
        self.start()
        broken = configuration(self.places()).replace("[limits]", "[limits]\nsesions = 3\nlogin_attempts = 0")
        broken = broken.replace("login_attempts = 3\n", "")
        before = self.hangup(broken)
        self.postern.event("reload_refused", after=before)
        told = [event["reason"] for event in self.postern.events[before:] if event["event"] == "config_error"]
        self.assertEqual(len(told), 2, told)

    def test_a_port_that_is_taken_refuses_the_whole_reload(self):
        self.start()
        taken = self.imap_backend()
        text = configuration(self.places(), listeners=[listener("imaps"), listener("other", address=taken.address)],
                             limits={"append": "1KiB"})
        self.assertIn("other", self.refused(text))
        client = self.imap(self.postern, "ann")
        client.send(b"b APPEND INBOX {2000+}\r\n" + b"x" * 2000 + b"\r\n")
        client.expect(rb"b OK")

    def test_what_needs_a_restart_is_said_and_keeps_its_value(self):
        self.start(gateway={"workers": 1})
        before = self.reload(gateway={"workers": 2}, admin={"address": "127.0.0.1:1"})
        told = [event["reason"] for event in self.postern.events[before:] if event["event"] == "restart_needed"]
        self.assertEqual(len(told), 2, told)
        self.assertTrue(any("workers" in each for each in told), told)
        self.assertTrue(any("admin.address" in each for each in told), told)
        self.assertEqual(self.postern.get("/healthz")[0], 200)

    def test_a_rotated_log_is_opened_anew(self):
        folder = self.folder()
        log = folder / "postern.log"
        self.start()
        # The harness reads standard output; a second gateway writes to a file.
        from harness.postern import BINARY
        import subprocess
        text = configuration(self.places(), log={"path": str(log)}, listeners=[listener("imaps")])
        (folder / "postern.toml").write_text(text)
        process = subprocess.Popen([BINARY, "run", "-c", str(folder / "postern.toml")], stdin=subprocess.DEVNULL)
        try:
            self.eventually(lambda: log.exists() and b'"ready"' in log.read_bytes(), "ready")
            log.rename(folder / "postern.log.1")
            process.send_signal(signal.SIGHUP)
            self.eventually(lambda: log.exists() and b'"reloaded"' in log.read_bytes(), "a new log")
            self.assertNotIn(b'"reloaded"', (folder / "postern.log.1").read_bytes())
        finally:
            process.terminate()
            self.assertEqual(process.wait(30), 0)

    # Many.

    def test_a_hundred_reloads_under_load_lose_nobody(self):
        def fetch(wire, tag, _):
            wire.send(b"* 1 FETCH (BODY[] {20000}\r\n" + b"x" * 20000 + f")\r\n{tag} OK\r\n".encode())
        self.start(self.imap_backend({"FETCH": fetch}, keep=False), gateway={"workers": 2})
        live = [self.imap(self.postern, f"live{number}") for number in range(20)]
        stop, counts, errors = threading.Event(), [0, 0], []

        def visits(number):
            while not stop.is_set():
                try:
                    client = Imap(self.postern.imaps).login(f"user{number}")
                    client.command("FETCH 1 BODY[]")
                    client.logout()
                    client.close()
                    counts[number] += 1
                except Exception as error:  # pylint: disable=broad-except
                    errors.append(error)
                    return
        visitors = [threading.Thread(target=visits, args=(number,)) for number in range(2)]
        for each in visitors:
            each.start()
        memory = None
        for number in range(100):
            self.reload(gateway={"workers": 2}, limits={"append": f"{number % 7}KiB"},
                        timeouts={"imap_idle": f"{30 + number % 5}m"})
            live[number % len(live)].command("FETCH 1 BODY[]")
            if number == 20:
                memory = self.postern.memory()
            if LONG:
                time.sleep(1)
        stop.set()
        for each in visitors:
            each.join()
        for client in live:
            client.command("NOOP")
        self.assertEqual(errors, [])
        self.assertGreater(min(counts), 5)
        grown = self.postern.memory() - memory
        print(f"100 reloads, {sum(counts)} visits, memory {grown / 1024:+.0f} KiB", flush=True)
        if not sanitized():
            self.assertLess(grown, 5 * 1024 * 1024)
        self.assertEqual(self.postern.scrape()["postern_config_generation"], 101)
