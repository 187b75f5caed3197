"""A real Redis: AUTH, databases, TLS; killed and brought back under load; stopped in the middle."""

import signal
import threading

from harness.authority import Authority
from harness.client import Imap
from harness.services import HOST, LookupCase, Redis


class RedisLookup(LookupCase):
    def setUp(self):
        super().setUp()
        self.legacy, self.modern = self.imap_backend(keep=False), self.imap_backend(keep=False)

    def start(self, redis, scheme="redis", db="", **keys):
        keys = {"type": "redis", "url": f"{scheme}://{redis.address}{db}", "command": "HGET mail:{domain} {user}",
                "ttl": "0s", "stale": "0s", **keys}
        if redis.password and "password_file" not in keys:
            keys["password_file"] = self.secret(redis.password)
        return self.behind(self.text(self.legacy, self.modern, keys))

    def secret(self, text):
        path = self.folder() / "password"
        path.write_text(text + "\n")
        path.chmod(0o600)
        return path

    def fill(self, redis):
        self.assertEqual(redis.call("HSET", "mail:a.example", "ann@a.example", "modern", "bob@a.example", "legacy/mail1",
                                    "lost@a.example", "nowhere"), b":3\r\n")

    def test_users_go_where_redis_says(self):
        redis = self.service(Redis())
        self.fill(redis)
        gateway = self.start(redis)
        self.assertEqual(self.where(gateway, "ann@a.example"), "modern/new1")
        self.assertEqual(self.where(gateway, "Ann@A.example"), "modern/new1")
        self.assertEqual(self.where(gateway, "bob@a.example"), "legacy/mail1")
        self.assertEqual(self.where(gateway, "carl@a.example"), "legacy/mail1")
        self.assertEqual(self.where(gateway, "ann"), "legacy/mail1")
        self.assertEqual(self.counted(gateway, "redis", "found"), 3)
        self.assertEqual(self.counted(gateway, "redis", "unknown"), 2)
        self.assertIn(b"NO [UNAVAILABLE]", self.refused(gateway, "lost@a.example"))
        self.assertIn("nowhere", gateway.event("lookup_wrong")["reason"])

    def test_a_user_cannot_speak_to_redis(self):
        redis = self.service(Redis())
        self.fill(redis)
        gateway = self.start(redis)
        for user in ("x FLUSHALL", "ann@a.example DEL mail:a.example", "*1 $8 FLUSHALL", "{domain}"):
            self.imap(gateway, user).logout()
        self.assertEqual(self.where(gateway, "ann@a.example"), "modern/new1")

    def test_auth_and_a_database_of_its_own(self):
        redis = self.service(Redis(password="open sesame"))
        gateway = self.start(redis, db="/3")
        self.assertEqual(redis.call("PING"), b"+PONG\r\n")
        self.fill(redis)  # into database 0: not there
        self.assertEqual(self.where(gateway, "ann@a.example"), "legacy/mail1")
        redis.call("SWAPDB", "0", "3")
        self.assertEqual(self.where(gateway, "ann@a.example"), "modern/new1")
        wrong = self.start(redis, password_file=self.secret("wrong"))
        self.assertIn(b"NO [UNAVAILABLE]", self.refused(wrong, "ann@a.example"))
        self.assertIn("WRONGPASS", wrong.event("lookup_down")["reason"])
        redis.call("ACL", "SETUSER", "postern", "on", ">sesame", "~mail:*", "+hget", "+select")
        named = self.start(redis, db="/3", user="postern", password_file=self.secret("sesame"))
        self.assertEqual(self.where(named, "ann@a.example"), "modern/new1")

    def test_tls_with_the_right_name_and_root_only(self):
        authority = Authority.shared()
        redis = self.service(Redis(leaf=authority.leaf(names=(f"IP:{HOST}",), subject="redis"), password="pw"))
        self.fill(redis)
        gateway = self.start(redis, "rediss", ca=authority.root)
        self.assertEqual(self.where(gateway, "ann@a.example"), "modern/new1")
        stranger = Authority("Another Root")
        self.addCleanup(stranger.remove)
        self.assertIn(b"NO [UNAVAILABLE]",
                      self.refused(self.start(redis, "rediss", ca=stranger.root), "ann@a.example"))
        # Plain where TLS is spoken.
        self.assertIn(b"NO [UNAVAILABLE]", self.refused(self.start(redis, timeout="500ms"), "ann@a.example"))

    def test_an_error_of_redis_is_never_a_wrong_password(self):
        redis = self.service(Redis())
        redis.call("SET", "mail:a.example", "no hash")
        gateway = self.start(redis)
        self.assertIn(b"NO [UNAVAILABLE]", self.refused(gateway, "ann@a.example"))
        self.assertIn("WRONGTYPE", gateway.event("lookup_down")["reason"])

    def test_a_redis_that_hangs_is_waited_for_no_longer_than_the_timeout(self):
        redis = self.service(Redis())
        self.fill(redis)
        gateway = self.start(redis, timeout="300ms", stale="1h")
        self.assertEqual(self.where(gateway, "ann@a.example"), "modern/new1")
        redis.process.send_signal(signal.SIGSTOP)
        self.assertEqual(self.where(gateway, "ann@a.example"), "modern/new1")
        self.assertIn(b"NO [UNAVAILABLE]", self.refused(gateway, "bob@a.example"))
        redis.process.send_signal(signal.SIGCONT)

        def served():
            return b"OK" in self.refused(gateway, "bob@a.example")
        self.eventually(served, "a Redis that goes on")

    def test_killed_and_brought_back_under_load(self):
        redis = self.service(Redis())
        self.fill(redis)
        redis.call("SAVE")
        gateway = self.start(redis, timeout="1s")
        stop, good, unavailable, errors = threading.Event(), [0] * 8, [0] * 8, []

        def visits(number):
            while not stop.is_set():
                try:
                    client = Imap(gateway.imaps)
                    client.send("a LOGIN ann@a.example secret\r\n")
                    line = client.until("a")[1]
                    client.close()
                    if line.startswith(b"a OK"):
                        good[number] += 1
                    else:
                        assert b"NO [UNAVAILABLE]" in line, line
                        unavailable[number] += 1
                except Exception as error:  # pylint: disable=broad-except
                    errors.append(error)
                    return
        visitors = [threading.Thread(target=visits, args=(number,)) for number in range(8)]
        for each in visitors:
            each.start()
        try:
            for _ in range(3):
                before = sum(good)
                self.eventually(lambda: sum(good) > before + 20 or errors, "logins while Redis is there")
                redis.stop(signal.SIGKILL)
                refused = sum(unavailable)
                self.eventually(lambda: sum(unavailable) > refused + 5 or errors, "refusals while Redis is away")
                redis.start()
                before = sum(good)
                self.eventually(lambda: sum(good) > before + 20 or errors, "logins when Redis is back")
        finally:
            stop.set()
            for each in visitors:
                each.join()
        self.assertEqual(errors, [])
        downs = len([each for each in gateway.events if each["event"] == "lookup_down"])
        print(f"{sum(good)} logins, {sum(unavailable)} unavailable, {downs} times told to be down", flush=True)
        self.assertLessEqual(downs, 6)
