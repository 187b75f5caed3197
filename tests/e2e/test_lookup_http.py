"""nginx's auth_http protocol, answered by nginx itself as its documentation shows: a location with add_header and
return."""

import base64
import signal
import socket
import time

from harness.authority import Authority
from harness.postern import sanitized
from harness.services import HOST, LookupCase, MasteredDovecot, Nginx, in_parallel

# As the documentation shows a good answer.
GOOD = """
      add_header Auth-Status OK;
      add_header Auth-Server {host};
      add_header Auth-Port {port};
      return 204;
"""
# The password decides, and the user where to.
MAPS = """
  map "$http_auth_user $http_auth_pass" $verdict {{
    default            "Invalid login or password";
    "~ secret$"        OK;
    "~^late "          "Temporary server problem, try again later";
    "~^patience "      WAIT;
  }}
  map $http_auth_user $code {{ default ""; late "451 4.3.0"; }}
  map $http_auth_user $wait {{ default ""; slow 2; }}
  map $http_auth_user $host_of {{ default {legacy}; "~^new" {modern}; "~^lost" 192.0.2.1; "~^nowhere" ""; }}
  map $http_auth_user $port_of {{ default {legacy_port}; "~^new" {modern_port}; }}
  map $http_auth_user $name_of {{ default ""; "~^alias-(.*)$" $1; }}
"""
ANSWER = """
      add_header Auth-Status $verdict;
      add_header Auth-Server $host_of;
      add_header Auth-Port $port_of;
      add_header Auth-Error-Code $code;
      add_header Auth-Wait $wait;
      add_header Auth-User $name_of;
      return 204;
"""


class HttpLookup(LookupCase):
    def setUp(self):
        super().setUp()
        self.legacy, self.modern = self.imap_backend(), self.imap_backend()

    def nginx(self, leaf=None):
        (legacy, legacy_port), (modern, modern_port) = (
            each.address.rsplit(":", 1) for each in (self.legacy, self.modern))
        maps = MAPS.format(legacy=legacy, legacy_port=legacy_port, modern=modern, modern_port=modern_port)
        return self.service(Nginx(ANSWER, maps, leaf))

    def start(self, nginx, pool=None, more=(), **keys):
        keys = {"type": "http", "url": nginx.url, "ttl": "0s", **keys}
        return self.behind(self.text(self.legacy, self.modern, keys, *more, pool=pool))

    def test_the_answer_that_the_documentation_shows(self):
        host, port = self.modern.address.rsplit(":", 1)
        nginx = self.service(Nginx(GOOD.format(host=host, port=port)))
        gateway = self.start(nginx)
        self.assertEqual(self.where(gateway, "ann"), "modern/new1")
        self.assertEqual(self.counted(gateway, "http", "found"), 1)

    def test_the_request_that_the_documentation_shows(self):
        nginx = self.nginx()
        gateway = self.start(nginx)
        client = self.imap(gateway, source="127.0.0.9")
        client.send(b'a LOGIN "an n" "100% wr\xc3\xb6ng"\r\n')
        self.assertIn(b"a NO [AUTHENTICATIONFAILED] Invalid login or password", client.until("a")[1])
        client.login("ann")
        self.eventually(lambda: len(nginx.asked()) == 2, "two requests")
        first, second = nginx.asked()
        self.assertEqual(first, {"verb": "GET", "host": HOST, "method": "plain", "user": "an%20n",
                                 "password": "100%25%20wr\\xC3\\xB6ng", "protocol": "imap", "attempt": "1",
                                 "client": "127.0.0.9"})
        self.assertEqual((second["user"], second["attempt"]), ("ann", "2"))

    def test_users_go_where_the_service_says_with_the_name_it_says(self):
        gateway = self.start(self.nginx())
        self.assertEqual(self.where(gateway, "ann"), "legacy/mail1")
        self.assertEqual(self.where(gateway, "newcomer"), "modern/new1")
        self.imap(gateway, "alias-bob").logout()
        self.assertIn(b"bob", self.legacy.received)

    def test_a_refusal_comes_in_the_words_of_the_service(self):
        gateway = self.start(self.nginx())
        line = self.refused(gateway, "ann", "wrong")
        self.assertIn(b"NO [AUTHENTICATIONFAILED] Invalid login or password", line)
        self.assertEqual(self.counted(gateway, "http", "refused"), 1)
        pop = self.pop3(gateway)
        pop.command("USER ann")
        pop.send("PASS wrong\r\n")
        self.assertTrue(pop.line().startswith(b"-ERR [AUTH] Invalid login or password"))

    def test_auth_wait_holds_a_refusal_back(self):
        gateway = self.start(self.nginx())
        before = time.monotonic()
        self.assertIn(b"NO [AUTHENTICATIONFAILED]", self.refused(gateway, "slow", "wrong"))
        took = time.monotonic() - before
        self.assertGreaterEqual(took, 2)
        before = time.monotonic()
        self.refused(gateway, "ann", "wrong")
        self.assertLess(time.monotonic() - before, took)

    def test_what_is_temporary_is_not_the_password(self):
        gateway = self.start(self.nginx())
        for user in ("late", "patience"):
            line = self.refused(gateway, user, "any")
            self.assertIn(b"NO [UNAVAILABLE]", line)
        self.assertNotIn(b"AUTHENTICATIONFAILED", line)

    def test_an_address_of_no_pool_is_told_to_the_operator(self):
        gateway = self.start(self.nginx())
        self.assertIn(b"NO [UNAVAILABLE]", self.refused(gateway, "lost"))
        self.assertIn("192.0.2.1", gateway.event("lookup_wrong")["reason"])

    def test_a_service_that_vouches_and_knows_no_place_leaves_it_to_the_next(self):
        users = self.folder() / "users.map"
        users.write_text("nowhere-ann\tmodern\n")
        gateway = self.start(self.nginx(), more=[{"type": "file", "path": users}])
        self.assertEqual(self.where(gateway, "nowhere-ann"), "modern/new1")
        self.assertEqual(self.where(gateway, "nowhere-bob"), "legacy/mail1")

    def test_answers_are_kept_for_their_password_only(self):
        nginx = self.nginx()
        gateway = self.start(nginx, ttl="1h")
        for _ in range(3):
            self.imap(gateway, "ann").logout()
        self.assertIn(b"AUTHENTICATIONFAILED", self.refused(gateway, "ann", "wrong"))
        self.imap(gateway, "ann", source="127.0.0.9").logout()
        self.eventually(lambda: len(nginx.asked()) == 3, "three requests")
        self.assertEqual(gateway.scrape().sum("postern_lookup_cache_hits_total", lookup="http"), 2)

    def test_a_service_that_stops_is_never_a_wrong_password(self):
        nginx = self.nginx()
        gateway = self.start(nginx, stale="1h", timeout="500ms")
        self.imap(gateway, "ann").logout()
        nginx.stop()
        for _ in range(3):
            self.assertEqual(self.where(gateway, "ann"), "legacy/mail1")
            line = self.refused(gateway, "bob")
            self.assertIn(b"NO [UNAVAILABLE]", line)
            self.assertIn(b"NO [UNAVAILABLE]", self.refused(gateway, "ann", "other"))
        self.assertEqual(len([each for each in gateway.events if each["event"] == "lookup_down"]), 1)
        pop = self.pop3(gateway)
        pop.command("USER bob")
        pop.send("PASS secret\r\n")
        self.assertTrue(pop.line().startswith(b"-ERR [SYS/TEMP]"))
        nginx.start()

        def back():
            self.imap(gateway, "ann").logout()
            return any(each["event"] == "lookup_up" for each in gateway.events)
        self.eventually(back, "the service to be told to be back")
        self.imap(gateway, "bob").logout()

    def test_an_error_of_the_service_is_never_a_wrong_password(self):
        for answer in ("return 500;", "return 404;", "return 204;", "deny all;"):
            nginx = self.service(Nginx(answer))
            gateway = self.start(nginx)
            self.assertIn(b"NO [UNAVAILABLE]", self.refused(gateway, "ann"), answer)

    def test_a_service_that_says_nothing_is_waited_for_no_longer_than_the_timeout(self):
        silent = socket.create_server((HOST, 0))
        self.addCleanup(silent.close)
        url = f"http://{HOST}:{silent.getsockname()[1]}/auth"
        gateway = self.behind(self.text(self.legacy, self.modern,
                                        {"type": "http", "url": url, "timeout": "300ms", "stale": "0s"}))
        live = self.imap(gateway)
        before = time.monotonic()
        live.send("a LOGIN ann secret\r\n")
        self.assertIn(b"NO [UNAVAILABLE]", live.until("a")[1])
        self.assertGreaterEqual(time.monotonic() - before, 0.3)

    def test_https_with_the_right_name_and_root_only(self):
        authority = Authority.shared()
        nginx = self.nginx(authority.leaf(names=(f"IP:{HOST}",), subject="auth"))
        gateway = self.start(nginx, ca=authority.root)
        self.assertEqual(self.where(gateway, "newcomer"), "modern/new1")
        self.assertIn(b"AUTHENTICATIONFAILED", self.refused(gateway, "ann", "wrong"))
        stranger = Authority("Another Root")
        self.addCleanup(stranger.remove)
        self.assertIn(b"NO [UNAVAILABLE]", self.refused(self.start(nginx, ca=stranger.root), "ann"))
        other = self.nginx(authority.leaf(names=("DNS:other.example",)))
        gateway = self.start(other, ca=authority.root)
        self.assertIn(b"NO [UNAVAILABLE]", self.refused(gateway, "ann"))
        self.assertEqual(other.asked() if (other.folder / "asked.log").exists() else [], [])

    def test_a_service_may_be_named(self):
        host, port = self.modern.address.rsplit(":", 1)
        nginx = self.service(Nginx(GOOD.format(host=host, port=port), host="127.0.0.1"))
        nginx.url = nginx.url.replace("127.0.0.1", "localhost")
        gateway = self.start(nginx)
        self.assertEqual(self.where(gateway, "ann"), "modern/new1")
        self.assertEqual(nginx.asked()[0]["host"], "localhost")
        nginx.url = "http://no-such-host.invalid/auth"
        self.assertIn(b"NO [UNAVAILABLE]", self.refused(self.start(nginx, timeout="1s"), "ann"))

    def test_many_at_once_are_each_answered_their_own(self):
        gateway = self.start(self.nginx(), timeout="20s")

        def visits(number):
            for turn in range(4):
                good = (number + turn) % 2 == 0
                client = self.imap(gateway)
                client.send(f"a LOGIN user{number} {'secret' if good else 'wrong'}\r\n")
                line = client.until("a")[1]
                assert line.startswith(b"a OK" if good else b"a NO [AUTHENTICATIONFAILED]"), line
                client.close()
        self.assertEqual(in_parallel(100, visits), [])
        self.assertEqual((self.counted(gateway, "http", "found"), self.counted(gateway, "http", "refused")), (200, 200))

    def test_a_reload_takes_no_answer_from_who_waits_for_it(self):
        gateway = self.start(self.nginx())
        client = self.imap(gateway)
        client.send("a LOGIN slow wrong\r\n")
        for _ in range(3):
            before = len(gateway.events)
            gateway.process.send_signal(signal.SIGHUP)
            self.imap(gateway, "ann").logout()
            gateway.event("reloaded", after=before)
        self.assertIn(b"NO [AUTHENTICATIONFAILED]", client.until("a")[1])

    def test_no_password_is_logged(self):
        nginx = self.nginx()
        gateway = self.start(nginx, ttl="1h")
        self.refused(gateway, "ann", "hush-hush-wrong")
        nginx.stop()
        self.refused(gateway, "ann", "hush-hush-away")
        self.assertNotIn("hush-hush", str(gateway.events))
        self.assertNotIn("hush-hush", gateway.stderr())

    def test_no_password_stays_in_memory(self):
        if sanitized():
            self.skipTest("a sanitizer keeps freed memory")
        host, port = self.legacy.address.rsplit(":", 1)
        good = GOOD.format(host=host, port=port).replace("return", "add_header Auth-Pass other-canary-of-ours;\n      return")
        authority = Authority.shared()
        leaf = authority.leaf(names=(f"IP:{HOST}",), subject="auth")
        for nginx in (self.service(Nginx(good)), self.service(Nginx(good, leaf=leaf))):
            keys = {"ca": authority.root} if nginx.url.startswith("https") else {}
            gateway = self.start(nginx, stale="0s", **keys)
            client = self.imap(gateway, "ann", "canary-in-a-mine")
            self.imap(gateway, "bob", "canary-of-another").logout()
            self.assertIn(b"other-canary-of-ours", self.legacy.received)
            for needle in (b"canary-in-a-mine", b"canary-of-another", b"other-canary-of-ours"):
                self.eventually(lambda: not gateway.copies(needle),
                                lambda: f"{needle} stands in {gateway.copies(needle)} of {nginx.url}", seconds=3)
            client.logout()


class Masters(LookupCase):
    """A service judges the password, and the gateway logs in at a real Dovecot as its master."""

    def start(self, **master):
        dovecot = MasteredDovecot.shared()
        nginx = self.service(Nginx(
            f"\n      add_header Auth-Status $verdict;\n      add_header Auth-Server {dovecot.host};\n"
            "      add_header Auth-Port $port_of;\n      return 204;",
            '  map $http_auth_pass $verdict { default "Wrong"; known-to-nginx-only OK; }\n'
            f"  map $http_auth_protocol $port_of {{ imap {dovecot.imap_port}; pop3 {dovecot.pop3_port}; }}\n"))
        password = self.folder() / "master.pw"
        password.write_text("of the house\n")
        password.chmod(0o600)
        place = {"imap": dovecot.imap, "pop3": dovecot.pop3}
        elsewhere = self.imap_backend()
        master = {"user": "gateway", "password_file": password, **master}
        return dovecot, self.behind(self.text(place, elsewhere, {"type": "http", "url": nginx.url},
                                              pool={"master": master}))

    def check(self, dovecot, gateway):
        user = dovecot.new_user()
        dovecot.fill(user, [b"Subject: mine\r\n\r\nfor " + user.encode() + b"\r\n"])
        client = self.imap(gateway, user, "known-to-nginx-only")
        client.command("SELECT INBOX")
        self.assertIn(user.encode(), b"".join(client.command("FETCH 1 BODY.PEEK[]")))
        plain = self.imap(gateway)
        message = base64.b64encode(f"\0{user}\0known-to-nginx-only".encode()).decode()
        plain.command(f"AUTHENTICATE PLAIN {message}")
        plain.command("STATUS INBOX (MESSAGES)")
        pop = self.pop3(gateway, user, "known-to-nginx-only")
        self.assertTrue(pop.command("STAT").startswith(b"+OK 1 "))
        self.assertIn(b"AUTHENTICATIONFAILED", self.refused(gateway, user, "secret"))
        client.logout()
        self.closed(gateway, user=user)

    def test_by_separator(self):
        self.check(*self.start(separator="*"))

    def test_by_authzid(self):
        self.check(*self.start())
