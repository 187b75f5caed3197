"""Real clients over real Dovecot: what people use must work, byte for byte."""

import imaplib
import os
import poplib
import shutil
import subprocess
import unittest

from harness.case import EndToEnd
from harness.client import context
from harness.dovecot import message


def run(arguments, timeout=60, folder=None, environment=None):
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, cwd=folder,
                          env={**os.environ, **(environment or {})})
    return done.returncode, done.stdout, done.stderr


def needs(program):
    return unittest.skipUnless(shutil.which(program), f"{program} is not installed")


class Clients(EndToEnd):
    def setUp(self):
        super().setUp()
        self.user = self.dovecot.new_user()
        self.postern = self.gateway()

    def imaplib(self):
        host, port = self.postern.imaps.rsplit(":", 1)
        connection = imaplib.IMAP4_SSL(host, int(port), ssl_context=context(), timeout=20)
        connection.login(self.user, "secret")
        return connection

    def test_imaplib_reads_searches_flags_and_appends(self):
        originals = [message(1), message(2, size=100_000), message(3)]
        self.dovecot.fill(self.user, originals)
        connection = self.imaplib()
        self.assertEqual(connection.select()[1], [b"3"])
        for number, original in enumerate(originals, 1):
            state, answer = connection.fetch(str(number), "(FLAGS BODY.PEEK[])")
            self.assertEqual((state, answer[0][1]), ("OK", original))
        self.assertEqual(connection.search(None, "SUBJECT", '"message 2"')[1], [b"2"])
        self.assertEqual(connection.store("2", "+FLAGS", r"(\Flagged)")[0], "OK")
        self.assertEqual(connection.search(None, "FLAGGED")[1], [b"2"])
        fourth = message(4, size=50_000)
        self.assertEqual(connection.append("INBOX", r"(\Seen)", None, fourth)[0], "OK")
        self.assertEqual(connection.create("Archive")[0], "OK")
        self.assertEqual(connection.copy("1:2", "Archive")[0], "OK")
        self.assertEqual(connection.logout()[0], "BYE")
        self.assertEqual(self.dovecot.messages(self.user), originals + [fourth])
        self.assertEqual(self.dovecot.messages(self.user, "Archive"), originals[:2])

    def test_imaplib_authenticates_with_plain(self):
        host, port = self.postern.imaps.rsplit(":", 1)
        connection = imaplib.IMAP4_SSL(host, int(port), ssl_context=context(), timeout=20)
        connection.authenticate("PLAIN", lambda _: b"\0" + self.user.encode() + b"\0secret")
        self.assertEqual(connection.select()[0], "OK")
        connection.logout()

    def test_poplib_reads_and_deletes(self):
        originals = [message(1), message(2, size=30_000), message(3) + b"..\r\n.dot\r\n"]
        self.dovecot.fill(self.user, originals)
        host, port = self.postern.pop3s.rsplit(":", 1)
        connection = poplib.POP3_SSL(host, int(port), context=context(), timeout=20)
        connection.user(self.user)
        connection.pass_("secret")
        self.assertEqual(connection.stat()[0], 3)
        self.assertEqual(len(connection.uidl()[1]), 3)
        self.assertEqual(len(connection.list()[1]), 3)
        for number, original in enumerate(originals, 1):
            self.assertEqual(b"".join(line + b"\r\n" for line in connection.retr(number)[1]), original)
        self.assertTrue(connection.top(1, 0)[1])
        self.assertIn("UIDL", connection.capa())
        connection.dele(2)
        connection.quit()
        self.assertEqual(self.dovecot.messages(self.user), [originals[0], originals[2]])

    def curl(self, *arguments):
        return run(["curl", "-s", "-S", "-k", "-m", "30", "-u", f"{self.user}:secret", *arguments])

    @needs("curl")
    def test_curl_fetches_and_appends_over_imap(self):
        original = message(1, size=200_000)
        self.dovecot.fill(self.user, [original])
        code, out, error = self.curl(f"imaps://{self.postern.imaps}/INBOX;MAILINDEX=1")
        self.assertEqual((code, out), (0, original), error)
        path = self.folder() / "new.eml"
        second = message(2, size=300_000)
        path.write_bytes(second)
        code, out, error = self.curl(f"imaps://{self.postern.imaps}/INBOX", "-T", str(path))
        self.assertEqual(code, 0, error)
        self.assertEqual(self.dovecot.messages(self.user), [original, second])
        code, out, error = self.curl(f"imaps://{self.postern.imaps}/INBOX?SUBJECT%20message")
        self.assertEqual((code, out.strip()), (0, b"* SEARCH 1 2"), error)

    @needs("curl")
    def test_curl_fetches_over_pop3(self):
        original = message(1, size=200_000)
        self.dovecot.fill(self.user, [original])
        code, out, error = self.curl(f"pop3s://{self.postern.pop3s}/1")
        self.assertEqual((code, out), (0, original), error)
        code, out, error = self.curl(f"pop3s://{self.postern.pop3s}/")
        self.assertEqual(code, 0, error)
        self.assertTrue(out.startswith(b"1 "), out)

    @needs("curl")
    def test_curl_is_refused_with_a_wrong_password(self):
        code, _, error = run(["curl", "-s", "-S", "-k", "-m", "30", "-u", f"{self.user}:nonsense",
                              f"imaps://{self.postern.imaps}/INBOX"])
        self.assertEqual(code, 67, error)

    @needs("mbsync")
    def test_mbsync_syncs_hundreds_of_messages_both_ways(self):
        here = self.folder()
        far = [message(number, size=number * 37 % 5000) for number in range(1, 301)]
        self.dovecot.fill(self.user, far)
        port = self.postern.imaps.rsplit(":", 1)[1]
        (here / "mail" / "INBOX").mkdir(parents=True)
        for part in ("cur", "new", "tmp"):
            (here / "mail" / "INBOX" / part).mkdir()
        near = [message(number, size=number * 53 % 5000) for number in range(1001, 1101)]
        for number, content in enumerate(near):
            (here / "mail" / "INBOX" / "new" / f"{1000 + number}.local").write_bytes(content.replace(b"\r\n", b"\n"))
        from harness.postern import Certificate
        (here / "mbsyncrc").write_text(
            f"IMAPStore far\nHost localhost\nPort {port}\nUser {self.user}\nPass secret\nSSLType IMAPS\n"
            f"CertificateFile {Certificate.shared().chain}\nAuthMechs LOGIN PLAIN\nPipelineDepth 50\n\n"
            f"MaildirStore near\nPath {here}/mail/\nInbox {here}/mail/INBOX\n\n"
            f"Channel all\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Both\nExpunge Both\nSync All\n"
            f"SyncState {here}/state-\n")
        command = ["mbsync", "-c", str(here / "mbsyncrc"), "-V", "-a"]
        code, out, error = run(command, environment={"HOME": str(here)})
        self.assertEqual(code, 0, out + error)
        self.assertEqual(sorted(self.far_plain()), sorted(self.plain(far + near)))
        self.assertEqual(sorted(self.near_plain(here)), sorted(self.plain(far + near)))
        # Delete one on each side; a second run carries both over.
        local = sorted((here / "mail" / "INBOX").glob("*/*"))[0]
        local.unlink()
        connection = self.imaplib()
        connection.select()
        connection.store("200", "+FLAGS", r"(\Deleted)")
        connection.expunge()
        connection.logout()
        code, out, error = run(command, environment={"HOME": str(here)})
        self.assertEqual(code, 0, out + error)
        self.assertEqual(self.dovecot.count(self.user), 398)
        self.assertEqual(sorted(self.near_plain(here)), sorted(self.far_plain()))

    def plain(self, messages):
        return [self.strip(each) for each in messages]

    def strip(self, content):
        """mbsync stamps what it uploads with X-TUID; everything else must be the same bytes."""
        lines = content.replace(b"\r\n", b"\n").split(b"\n")
        return b"\n".join(line for line in lines if not line.startswith(b"X-TUID:"))

    def far_plain(self):
        return self.plain(self.dovecot.messages(self.user))

    def near_plain(self, here):
        return self.plain([path.read_bytes() for path in (here / "mail" / "INBOX").glob("*/*")])

    @needs("fetchmail")
    def test_fetchmail_keeps_or_deletes_as_told(self):
        originals = [message(number, size=number * 100) for number in range(1, 21)]
        self.dovecot.fill(self.user, originals)
        for protocol, address in (("pop3", self.postern.pop3s), ("imap", self.postern.imaps)):
            for keep in (True, False):
                with self.subTest(protocol=protocol, keep=keep):
                    self.fetchmail(protocol, address, keep)
                    self.assertEqual(self.dovecot.count(self.user), 20 if keep else 0)
            self.dovecot.fill(self.user, originals)

    def fetchmail(self, protocol, address, keep):
        here = self.folder()
        host, port = address.rsplit(":", 1)
        (here / "rc").write_text(
            f"poll {host} protocol {protocol} port {port} user '{self.user}' password 'secret' ssl "
            f"no sslcertck {'keep' if keep else 'nokeep'} fetchall mda '/bin/cat >> {here}/inbox'\n")
        (here / "rc").chmod(0o600)
        code, out, error = run(["fetchmail", "-f", str(here / "rc"), "--pidfile", str(here / "pid"), "--nosyslog",
                                "--idfile", str(here / "ids")],
                               environment={"HOME": str(here), "FETCHMAILHOME": str(here), "LC_ALL": "C"})
        self.assertEqual(code, 0, out + error)
        inbox = (here / "inbox").read_bytes()
        for number in range(1, 21):
            self.assertIn(f"This is message {number}.".encode(), inbox)


if __name__ == "__main__":
    unittest.main()
