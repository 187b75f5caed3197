"""The scrape tells the truth: the right command, the right bucket, nothing else, and no label from outside."""

import shutil
import subprocess
import threading
import time
import unittest

from harness.case import EndToEnd
from harness.metrics import Scrape, broken_laws, get

DURATION = "postern_command_duration_seconds"
FIRST = "postern_backend_first_byte_seconds"


def slow_fetch(wire, tag, command):
    time.sleep(0.3)
    wire.send(f"* 1 FETCH (FLAGS ())\r\n{tag} OK\r\n")


class Timing(EndToEnd):
    def start(self, on=None, **options):
        self.backend = self.imap_backend(on, **options)
        self.postern = self.gateway(self.backend)
        self.client = self.imap(self.postern, "bob")
        return self.client

    def test_a_wait_of_300_ms_before_each_fetch_shows_there_and_nowhere_else(self):
        client = self.start({"FETCH": slow_fetch})
        for text in ("NOOP", "FETCH 1 FLAGS", "UID FETCH 1 FLAGS", "SEARCH ALL", "NOOP", "FETCH 1 FLAGS"):
            client.command(text)
        scrape = self.postern.scrape()
        self.assertEqual(scrape.buckets(DURATION, command="FETCH", pool="legacy"), {0.5: 3})
        self.assertEqual(scrape.sum(DURATION + "_count", command="FETCH"), 3)
        self.assertAlmostEqual(scrape.sum(DURATION + "_sum", command="FETCH"), 0.9, delta=0.2)
        self.assertTrue(all(bound <= 0.1 for bound in scrape.buckets(DURATION, command="NOOP")))
        self.assertTrue(all(bound <= 0.1 for bound in scrape.buckets(DURATION, command="SEARCH")))
        # First byte has every second bound: .001 .005 .025 .1 .5 ..., or .0005 .0025 .01 .05 .25 1 ...
        first = scrape.buckets(FIRST, command="FETCH", pool="legacy")
        self.assertEqual(list(first.values()), [3])
        self.assertIn(list(first)[0], (0.5, 1.0))
        per_backend = scrape.buckets("postern_backend_command_seconds", backend="mail1")
        self.assertEqual(per_backend.get(0.5), 3)
        self.assertEqual(scrape.by("postern_commands_total", "result", command="FETCH"), {"ok": 3})

    def test_pipelined_commands_each_begin_when_the_one_before_ended(self):
        client = self.start({"FETCH": slow_fetch})
        client.send("a FETCH 1 FLAGS\r\nb FETCH 1 FLAGS\r\nc NOOP\r\nd FETCH 1 FLAGS\r\n")
        for tag in "abcd":
            client.until(tag)
        scrape = self.postern.scrape()
        self.assertEqual(scrape.buckets(DURATION, command="FETCH"), {0.5: 3})
        self.assertTrue(all(bound <= 0.1 for bound in scrape.buckets(DURATION, command="NOOP")))

    def test_a_literals_upload_is_the_clients_time_and_the_plus_the_backends(self):
        def append(wire, tag, command):
            time.sleep(0.3)
            wire.send("+ go\r\n")
            wire.read(1000)
            wire.line()
            wire.send(f"{tag} OK\r\n")
        client = self.start({"APPEND": append}, plus=None)
        client.send("a APPEND INBOX {1000}\r\n")
        client.expect(rb"\+")
        client.send(b"x" * 500)
        time.sleep(1.2)  # a slow client: its own time
        client.send(b"x" * 500 + b"\r\n")
        client.until("a")
        scrape = self.postern.scrape()
        self.assertTrue(all(bound <= 0.1 for bound in scrape.buckets(DURATION, command="APPEND")),
                        scrape.buckets(DURATION, command="APPEND"))
        self.assertEqual(scrape.buckets("postern_upload_seconds"), {10: 1})
        self.assertAlmostEqual(scrape.sum("postern_upload_seconds_sum"), 1.2, delta=0.3)
        self.assertEqual(scrape.sum("postern_backend_continue_seconds_count"), 1)
        self.assertAlmostEqual(scrape.sum("postern_backend_continue_seconds_sum"), 0.3, delta=0.15)

    def test_idle_is_measured_from_done(self):
        client = self.start()
        client.send("a IDLE\r\n")
        client.expect(rb"\+")
        self.assertEqual(self.postern.scrape().sum("postern_commands_in_flight", protocol="imap"), 1)
        time.sleep(1.2)  # the dwell
        client.send("DONE\r\n")
        client.until("a")
        scrape = self.postern.scrape()
        self.assertTrue(all(bound <= 0.1 for bound in scrape.buckets(DURATION, command="IDLE")))
        self.assertEqual(scrape.sum(DURATION + "_count", command="IDLE"), 1)
        self.assertEqual(scrape.buckets("postern_idle_seconds"), {10: 1})
        self.assertAlmostEqual(scrape.sum("postern_idle_seconds_sum"), 1.2, delta=0.3)
        self.assertEqual(scrape.sum("postern_commands_in_flight", protocol="imap"), 0)

    def test_a_slow_client_is_stall_and_not_command_time(self):
        size = 60_000_000
        chunk = b"y" * 1_000_000

        def fetch(wire, tag, command):
            wire.send("* 1 FETCH (BODY[] {%d}\r\n" % size)
            for _ in range(size // len(chunk)):
                wire.send(chunk)
            wire.send(f")\r\n{tag} OK\r\n")
        self.backend = self.imap_backend({"FETCH": fetch})
        self.postern = self.gateway(self.backend)
        client = self.imap(self.postern, "bob", receive_buffer=32768)
        before = self.postern.memory()
        client.send("a FETCH 1 BODY[]\r\n")
        client.expect(rb"\* 1 FETCH")
        time.sleep(2)  # the client does not read
        from harness.postern import sanitized
        if not sanitized():
            self.assertLess(self.postern.memory() - before, 1_500_000)
        begin = time.monotonic()
        client.drain_count(size)
        client.expect(rb"\)")
        client.until("a")
        reading = time.monotonic() - begin
        scrape = self.postern.scrape()
        self.assertGreater(scrape.sum("postern_client_stall_seconds_sum", protocol="imap"), 1.8)
        self.assertGreaterEqual(scrape.sum("postern_client_stall_seconds_count", protocol="imap"), 1)
        self.assertLess(scrape.sum(DURATION + "_sum", command="FETCH"), reading + 0.5)
        self.assertEqual(scrape.sum(DURATION + "_count", command="FETCH"), 1)

    def test_results_are_told_apart(self):
        client = self.start({"SELECT": lambda w, t, c: w.send(f"{t} NO no\r\n"),
                             "STORE": lambda w, t, c: w.send(f"{t} BAD bad\r\n"),
                             "FETCH": lambda w, t, c: "end"})
        client.command("SELECT x", result="NO")
        client.command("STORE 1 FLAGS ()", result="BAD")
        client.command("NOOP")
        client.command("FROBNICATE", result="BAD")
        client.command("NOOP surplus", result="BAD")
        client.send("a FETCH 1 FLAGS\r\n")
        client.rest()
        client.close()
        scrape = self.postern.settle()

        def results(command):
            return scrape.by("postern_commands_total", "result", command=command, pool="legacy")
        self.assertEqual(results("SELECT"), {"no": 1})
        self.assertEqual(results("STORE"), {"bad": 1})
        self.assertEqual(results("NOOP"), {"ok": 1, "local": 1})
        self.assertEqual(results("other"), {"local": 1})
        self.assertEqual(results("FETCH"), {"aborted": 1})
        self.assertEqual(scrape.sum(DURATION + "_count", command="FETCH"), 0)

    def test_pop3_is_timed_like_imap(self):
        def retr(wire, line):
            time.sleep(0.3)
            wire.send("+OK\r\nbody\r\n.\r\n")
        backend = self.pop3_backend({"RETR": retr, "DELE": lambda w, l: w.send("-ERR no\r\n")})
        self.postern = self.gateway(backend)
        client = self.pop3(self.postern, "bob")
        client.send("RETR 1\r\nSTAT\r\nRETR 2\r\nDELE 9\r\nXFOO\r\nQUIT\r\n")
        client.rest()
        client.close()
        scrape = self.postern.settle()
        self.assertEqual(scrape.buckets(DURATION, protocol="pop3", command="RETR"), {0.5: 2})
        self.assertTrue(all(bound <= 0.1 for bound in scrape.buckets(DURATION, protocol="pop3", command="STAT")))
        self.assertEqual(scrape.by("postern_commands_total", "result", protocol="pop3", command="DELE"), {"err": 1})
        self.assertEqual(scrape.by("postern_commands_total", "result", protocol="pop3", command="other"), {"local": 1})
        self.assertEqual(scrape.by("postern_commands_total", "result", protocol="pop3", command="QUIT"), {"ok": 1})

    def test_login_phases_and_sessions(self):
        client = self.start()
        scrape = self.postern.scrape()
        for phase in ("connect", "login"):
            self.assertEqual(scrape.sum("postern_login_duration_seconds_count", protocol="imap", pool="legacy",
                                        phase=phase), 1, phase)
        self.assertEqual(scrape.by("postern_sessions", "state", protocol="imap"), {"relay": 1})
        other = self.imap(self.postern)
        self.assertEqual(self.postern.scrape().by("postern_sessions", "state", protocol="imap"),
                         {"relay": 1, "login": 1})
        other.close()
        client.logout()
        scrape = self.postern.settle()
        self.assertEqual(scrape.sum("postern_sessions_total", protocol="imap", listener="imaps", close_reason="logout"), 1)
        self.assertGreater(scrape.sum("postern_bytes_total", protocol="imap", side="client", direction="in"), 0)
        self.assertGreater(scrape.sum("postern_bytes_total", protocol="imap", side="backend", direction="in"), 0)

    def test_a_slow_command_gets_a_log_line(self):
        backend = self.imap_backend({"FETCH": slow_fetch})
        self.postern = self.gateway(backend, log={"slow": "100ms"})
        client = self.imap(self.postern, "bob")
        client.command("FETCH 1 (BODY[HEADER])")
        client.command("NOOP")
        self.eventually(lambda: [event for event in self.postern.events if event.get("command") == "FETCH"],
                        "a line for the slow command")


class Bounded(EndToEnd):
    def test_unknown_commands_names_and_users_add_no_series(self):
        backend, pop3_backend = self.imap_backend(), self.pop3_backend()
        postern = self.gateway({"imap": backend.address, "pop3": pop3_backend.address})
        def round_of(start, count):
            client = self.imap(postern, f"user{start}")
            for base in range(start, start + count, 500):
                client.send("".join(f"t{n} XVERB{n} box{n}\r\n" for n in range(base, base + 500)))
                client.all([f"t{n}" for n in range(base, base + 500)])
                client.command(f'SELECT "box{base}"')
            client.logout()
            for each in range(5):
                client = self.imap(postern)
                client.command(f"LOGIN zebra{start + each} wrong", result="NO")
                client.command(f"AUTHENTICATE X{start + each}", result="NO")
                client.command(f'ID ("name" "mua{start + each}")')
                client.close()
            client = self.pop3(postern, f"user{start}")
            client.send("".join(f"XV{n}\r\n" for n in range(start, start + 500)))
            for _ in range(500):
                client.expect(rb"-ERR")
            client.quit()
        round_of(0, 1000)
        before = postern.settle()
        round_of(1000, 20_000)
        after = postern.settle()
        self.assertEqual(after.series(), before.series())
        self.assertEqual(after.sum("postern_commands_total", protocol="imap", command="other"), 21_000)
        for word in ("XVERB", "box0", "user0", "zebra", "mua"):
            self.assertNotIn(word, after.text)

    def test_label_values_come_from_closed_lists(self):
        postern = self.gateway(self.imap_backend())
        self.imap(postern, "bob").logout()
        scrape = postern.settle()
        closed = {"protocol": {"imap", "pop3"}, "side": {"client", "backend"}, "direction": {"in", "out"},
                  "state": {"handshake", "login", "relay", "closing", "up", "failing", "down", "draining"}, "pool": {"legacy", "none"},
                  "result": {"ok", "no", "bad", "err", "denied", "local", "aborted", "failed", "unavailable", "limit",
                             "refused"},
                  "listener": {"imaps", "pop3s"}, "backend": {"mail1"}, "worker": {"0"}, "resumed": {"true", "false"}}
        for name, samples in scrape.samples.items():
            for labels, _ in samples:
                for label, value in labels.items():
                    if label in closed and name.startswith("postern_") and name != "postern_build_info":
                        self.assertIn(value, closed[label], f"{name}{labels}")


class Laws(unittest.TestCase):
    """Every other test trusts this function; it must be able to say no."""

    GOOD = {"postern_commands_begun_total{protocol=\"imap\"}": 3,
            "postern_commands_total{protocol=\"imap\",result=\"ok\"}": 2,
            "postern_commands_total{protocol=\"imap\",result=\"local\"}": 1,
            "postern_command_duration_seconds_count{protocol=\"imap\"}": 2,
            "postern_backend_command_seconds_count{protocol=\"imap\"}": 2,
            "postern_bytes_total{protocol=\"imap\",side=\"client\",direction=\"in\"}": 100,
            "postern_bytes_total{protocol=\"imap\",side=\"backend\",direction=\"out\"}": 95,
            "postern_elided_bytes_total{protocol=\"imap\"}": 10, "postern_inserted_bytes_total{protocol=\"imap\"}": 5,
            "postern_sessions_opened_total{protocol=\"imap\"}": 4, "postern_sessions_total{protocol=\"imap\"}": 3,
            "postern_sessions{protocol=\"imap\"}": 1}

    def broken(self, values):
        return broken_laws(Scrape("".join(f"{name} {value}\n" for name, value in values.items())))

    def test_each_figure_that_is_off_breaks_a_law(self):
        self.assertEqual(self.broken(self.GOOD), [])
        for name in self.GOOD:
            with self.subTest(name=name):
                self.assertTrue(self.broken({**self.GOOD, name: self.GOOD[name] + 1}))


class Admin(EndToEnd):
    def setUp(self):
        super().setUp()
        self.postern = self.gateway(self.imap_backend())
        self.imap(self.postern, "bob").logout()

    def test_health_and_readiness(self):
        self.assertEqual(self.postern.get("/healthz")[0], 200)
        self.assertEqual(self.postern.get("/readyz")[0], 200)
        self.assertEqual(self.postern.get("/nowhere")[0], 404)

    def test_the_scrape_carries_the_contract(self):
        scrape = self.postern.settle()
        for name in ("postern_command_duration_seconds_bucket", "postern_backend_first_byte_seconds_bucket",
                     "postern_backend_command_seconds_bucket", "postern_commands_total", "postern_commands_begun_total",
                     "postern_commands_in_flight", "postern_sessions", "postern_sessions_total",
                     "postern_sessions_opened_total", "postern_logins_total", "postern_login_duration_seconds_bucket",
                     "postern_tls_handshakes_total", "postern_tls_handshake_duration_seconds_bucket",
                     "postern_bytes_total", "postern_elided_bytes_total",
                     "postern_inserted_bytes_total", "postern_loop_turn_seconds_bucket", "postern_build_info",
                     "process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"):
            self.assertIn(name, scrape.samples)
        bounds = {labels["le"] for labels, _ in scrape.samples["postern_command_duration_seconds_bucket"]}
        self.assertEqual({float(each.replace("+Inf", "inf")) for each in bounds},
                         {.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, float("inf")})

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
    def test_promtool_finds_nothing_wrong(self):
        done = subprocess.run(["promtool", "check", "metrics"], input=self.postern.scrape().text.encode(),
                              capture_output=True, timeout=30)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, b""))

    def test_requests_that_are_not_get_or_too_long_are_refused(self):
        import socket
        host, port = self.postern.admin.rsplit(":", 1)
        for request in (b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", b"nonsense\r\n\r\n",
                        b"GET / HTTP/1.1\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"):
            made = socket.create_connection((host, int(port)), 10)
            try:
                made.sendall(request)
                answer = made.recv(4096)
            except ConnectionError:
                answer = b""
            self.assertNotIn(b" 200 ", answer)
            made.close()
        self.assertEqual(get(self.postern.admin, "/healthz")[0], 200)

    def test_scrapes_do_not_disturb_each_other(self):
        failed = []

        def scrape():
            for _ in range(20):
                if self.postern.get("/metrics")[0] != 200:
                    failed.append(1)
        threads = [threading.Thread(target=scrape) for _ in range(4)]
        for each in threads:
            each.start()
        client = self.imap(self.postern, "bob")
        for _ in range(200):
            client.command("NOOP")
        for each in threads:
            each.join()
        self.assertEqual(failed, [])
