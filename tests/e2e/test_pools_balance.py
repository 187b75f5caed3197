"""How users are spread over the backends of a pool: by their names, or by how busy the backends are."""

from harness.pools import Pools, place


class ByUser(Pools):
    def test_every_user_has_a_backend_of_its_own_in_whatever_spelling(self):
        second = self.breakable()
        gateway = self.gateway(place(self.dovecot), place(second))
        users = [self.dovecot.new_user() for _ in range(12)]
        home = self.served(gateway, users)
        self.assertEqual(set(home.values()), {"mail1", "mail2"})
        self.assertEqual(self.served(gateway, users), home)
        self.assertEqual(self.served(gateway, users, "pop3"), home)
        self.assertEqual([self.served_by(gateway, user.upper()) for user in users], list(home.values()))
        # And the mailbox is there, and nowhere else.
        for user, backend in home.items():
            dovecot = self.dovecot if backend == "mail1" else second
            other = second if backend == "mail1" else self.dovecot
            self.assertIn(f"user=<{user}>", dovecot.log())
            self.assertNotIn(f"user=<{user}>", other.log())

    def test_another_gateway_sends_the_same_users_to_the_same_backends(self):
        second = self.breakable()
        users = [self.dovecot.new_user() for _ in range(8)]
        first_gateway = self.gateway(place(self.dovecot), place(second))
        home = self.served(first_gateway, users)
        self.assertEqual(self.served(self.gateway(place(self.dovecot), place(second)), users), home)


class ByLeast(Pools):
    def counts(self, gateway):
        scrape = gateway.scrape()
        return [scrape.sum("postern_backend_sessions", backend=name) for name in ("mail1", "mail2")]

    def test_the_backend_with_the_fewest_sessions_is_next(self):
        backends = self.imap_backend(), self.imap_backend()
        gateway = self.gateway(*backends, pool={"balance": "least"})
        clients = [self.imap(gateway, f"user{number}") for number in range(10)]
        self.assertEqual(self.counts(gateway), [5, 5])
        # Those of one backend leave; the next five come there.
        homes = [backends[0].received.count(b"user%d" % number) > 0 for number in range(10)]
        for client, at_first in zip(clients, homes):
            if at_first:
                client.logout()
        self.eventually(lambda: self.counts(gateway) == [0, 5], lambda: self.counts(gateway))
        for number in range(5):
            self.imap(gateway, f"late{number}")
        self.assertEqual(self.counts(gateway), [5, 5])
        self.assertEqual(backends[0].received.count(b"late"), 5)

    def test_one_that_is_gone_costs_no_login(self):
        good, gone = self.imap_backend(), self.imap_backend()
        gone.stop_listening()
        gateway = self.gateway(good, gone, pool={"balance": "least"})
        for number in range(6):
            self.imap(gateway, f"user{number}")
        self.assertEqual(self.counts(gateway), [6, 0])


if __name__ == "__main__":
    import unittest
    unittest.main()
