"""A backend of a pool that dies and comes back: its users move, the others do not, and they return to it."""

import os
import unittest

from harness.client import PATIENCE
from harness.pools import QUICK, Pools, place
from harness.postern import listener


class Failover(Pools):
    def test_the_users_of_a_backend_that_dies_move_and_come_back_to_it(self):
        frail = self.breakable()
        gateway = self.gateway(place(self.dovecot), place(frail), pool={"probe": QUICK})
        users = [self.dovecot.new_user() for _ in range(16)]
        home = self.served(gateway, users)
        moved = [user for user in users if home[user] == "mail2"]
        stay = [user for user in users if home[user] == "mail1"]
        self.assertTrue(moved and stay)
        client = self.imap(gateway, moved[0])

        frail.down()
        self.state(gateway, "mail2", "down", protocol="imap")
        self.state(gateway, "mail2", "down", protocol="pop3")
        client.expect(rb"\* BYE")
        client.close()
        gateway.event("session", user=moved[0], close_reason="backend_closed")
        scrape = gateway.scrape()
        self.assertEqual(scrape.sum("postern_backend_up", backend="mail2"), 0)
        self.assertEqual(scrape.sum("postern_backend_state", backend="mail2", state="down"), 1)
        failures = scrape.sum("postern_backend_failures_total", backend="mail2")
        self.assertEqual(set(self.served(gateway, users).values()), {"mail1"})
        self.assertEqual(set(self.served(gateway, moved, "pop3").values()), {"mail1"})
        # Nobody had to find out by himself.
        self.assertEqual(gateway.scrape().sum("postern_backend_failures_total", backend="mail2"), failures)

        frail.up()
        self.state(gateway, "mail2", "up", protocol="imap", **{"from": "down"})
        self.state(gateway, "mail2", "up", protocol="pop3", **{"from": "down"})
        self.assertEqual(gateway.scrape().sum("postern_backend_state", backend="mail2", state="down"), 0)
        # One after the other, over half a minute, and then exactly as before.
        back = set()

        def all_back():
            for user in moved:
                if self.served_by(gateway, user) == "mail2":
                    back.add(user)
                else:
                    self.assertNotIn(user, back, "a user that was back moved away again")
            return len(back) == len(moved)
        self.eventually(all_back, lambda: (sorted(back), moved), seconds=60 * PATIENCE)
        self.assertEqual(self.served(gateway, users), home)

    def test_with_one_dead_backend_every_login_works_before_a_probe_found_out(self):
        frail = self.breakable()
        gateway = self.gateway(place(self.dovecot), place(frail))
        users = [self.dovecot.new_user() for _ in range(8)]
        frail.down()
        self.assertEqual(set(self.served(gateway, users).values()), {"mail1"})
        self.state(gateway, "mail2", "failing", reason="it failed a session")

    def test_with_all_backends_down_a_login_is_refused_at_once_and_works_again_later(self):
        frail = self.breakable()
        gateway = self.gateway(place(frail), pool={"probe": QUICK})
        user = frail.new_user()
        self.imap(gateway, user).logout()
        frail.down()
        self.state(gateway, "mail1", "down", protocol="imap")
        client = self.imap(gateway)
        client.command(f"LOGIN {user} secret", result="NO")
        self.assertIn(b"[UNAVAILABLE]", client.tagged)
        client = self.pop3(gateway)
        client.command(f"USER {user}")
        self.state(gateway, "mail1", "down", protocol="pop3")
        self.assertIn(b"[SYS/TEMP]", client.command("PASS secret", good=False))
        frail.up()
        self.state(gateway, "mail1", "up", protocol="imap", **{"from": "down"})
        # With nobody else to go to there is no slow start.
        self.imap(gateway, user).logout()


@unittest.skipUnless(os.geteuid() == 0, "a private /etc/hosts needs root")
class Names(Pools):
    def test_a_name_that_means_another_address_is_followed_without_a_reload(self):
        backend = self.imap_backend()
        hosts = self.folder() / "hosts"
        hosts.write_text("127.0.0.1 localhost mail1.internal\n")
        gateway = self.gateway({"imap": f"mail1.internal:{backend.port}"}, listeners=[listener("imaps")],
                               prefix=["unshare", "--mount", "sh", "-c",
                                       f"mount --bind {hosts} /etc/hosts && exec \"$@\"", "sh"])
        self.imap(gateway, "ann").logout()
        hosts.write_text("127.0.0.1 localhost\n127.0.0.9 mail1.internal\n")
        gateway.event("reloaded", seconds=30, cause="address")
        client = self.imap(gateway)
        client.command("LOGIN ann secret", result="NO")
        self.assertIn(b"[UNAVAILABLE]", client.tagged)
        after = len(gateway.events)
        hosts.write_text("127.0.0.1 localhost mail1.internal\n")
        gateway.event("reloaded", seconds=30, after=after, cause="address")
        # What was said of the other machine does not hold for this one.
        self.imap(gateway, "ann").logout()


if __name__ == "__main__":
    unittest.main()
