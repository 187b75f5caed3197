"""Certificates by name and kind, staples, tickets, and renewal without a restart."""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess

from harness.authority import Authority, openssl
from harness.case import EndToEnd
from harness.postern import configuration, listener
from harness.sockets import context, host_and_port


def pair(leaf, **more):
    return {"chain": leaf.chain, "key": leaf.key, **more}


class Certificates(EndToEnd):
    def setUp(self):
        super().setUp()
        self.authority = Authority.shared()
        self.backend = self.imap_backend()

    def start(self, certificates, **changes):
        changes.setdefault("listeners", [listener("imaps")])
        return self.gateway(self.backend, certificates=certificates, **changes)

    def handshake(self, address, name="mail.example", session=None, made=None):
        made = made or context()
        stream = made.wrap_socket(socket.create_connection(host_and_port(address), 10), server_hostname=name,
                                  session=session)
        stream.recv(100)  # the greeting; tickets of TLS 1.3 come with it
        return self.keep(stream)

    def leaf_of(self, address, name):
        """The public key shown for this name."""
        return self.handshake(address, name).getpeercert(binary_form=True)

    def der(self, leaf):
        return openssl("x509", "-in", leaf.chain, "-outform", "der")

    def client(self, address, *options):
        done = subprocess.run(["openssl", "s_client", "-connect", address, *options], input=b"a LOGOUT\r\n",
                              capture_output=True, timeout=20)
        return (done.stdout + done.stderr).decode(errors="replace")

    # Choice.

    def test_the_name_picks_the_certificate(self):
        leaves = {name: self.authority.leaf([f"DNS:{name}"], name) for name in ("mail.one.example", "mail.two.example")}
        wild = self.authority.leaf(["DNS:*.three.example"], "three")
        postern = self.start([pair(each) for each in (*leaves.values(), wild)])
        for name, leaf in leaves.items():
            self.assertEqual(self.leaf_of(postern.imaps, name), self.der(leaf), name)
            self.assertEqual(self.leaf_of(postern.imaps, name.upper()), self.der(leaf), name)
        self.assertEqual(self.leaf_of(postern.imaps, "imap.three.example"), self.der(wild))
        default = self.der(leaves["mail.one.example"])
        for other in ("unknown.example", "a.imap.three.example", "three.example", None):
            self.assertEqual(self.leaf_of(postern.imaps, other), default, other)

    def test_strict_sni_refuses_unknown_names_with_an_alert(self):
        leaf = self.authority.leaf(["DNS:mail.example"], "mail.example")
        postern = self.start([pair(leaf)], listeners=[listener("imaps", strict_sni=True)])
        self.handshake(postern.imaps, "mail.example")
        self.handshake(postern.imaps, None)
        self.assertIn("alert number 112", self.client(postern.imaps, "-servername", "other.example"))

    def test_rsa_and_ecdsa_of_one_name_stand_side_by_side(self):
        leaves = {kind: self.authority.leaf(["DNS:mail.example"], "mail.example", kind=kind) for kind in ("rsa", "ec")}
        postern = self.start([pair(leaves["rsa"]), pair(leaves["ec"])])
        shown = {
            "ec": [("-tls1_3",), ("-tls1_2",), ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")],
            "rsa": [("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"),
                    ("-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256"), ("-tls1_2", "-sigalgs", "RSA+SHA256")],
        }
        for kind, ways in shown.items():
            for way in ways:
                with self.subTest(kind=kind, way=way):
                    text = self.client(postern.imaps, "-servername", "mail.example", *way)
                    pem = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.S)
                    self.assertTrue(pem, text)
                    self.assertEqual(openssl("x509", "-outform", "der", data=pem[0].encode()), self.der(leaves[kind]))

    def test_a_staple_from_a_file_is_shown(self):
        leaf = self.authority.leaf(["DNS:mail.example"], "mail.example")
        staple = self.folder() / "staple.der"
        root, key = self.authority.root, self.authority.folder / "root.key"
        openssl("ocsp", "-index", self.authority.folder / "index.txt", "-CA", root, "-rsigner", root, "-rkey", key,
                "-issuer", root, "-cert", leaf.chain, "-respout", staple, "-no_nonce", "-ndays", "5")
        postern = self.start([pair(leaf, ocsp=staple)])
        for version in ("-tls1_2", "-tls1_3"):
            self.assertIn("OCSP Response Status: successful", self.client(postern.imaps, "-status", version))

    def test_a_staple_that_is_none_is_refused_with_its_place(self):
        leaf = self.authority.leaf(["DNS:mail.example"], "mail.example")
        staple = self.folder() / "staple.der"
        staple.write_bytes(b"nonsense")
        with self.assertRaisesRegex(AssertionError, r"postern\.toml:\d+:\d+: .*staple"):
            self.start([pair(leaf, ocsp=staple)])

    # Tickets.

    def resumes(self, first, second, version=ssl.TLSVersion.TLSv1_3):
        made = context(minimum=version, maximum=version)
        session = self.handshake(first, made=made).session
        return self.handshake(second, session=session, made=made).session_reused

    def both(self, first, second):
        return [self.resumes(first, second, version) for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)]

    def test_sessions_resume_across_workers(self):
        leaf = self.authority.leaf(["DNS:mail.example"], "mail.example")
        postern = self.start([pair(leaf)], gateway={"workers": 4})
        self.assertEqual([self.both(postern.imaps, postern.imaps) for _ in range(20)], [[True, True]] * 20)
        self.assertGreater(len(postern.scrape().by("postern_sessions", "worker")), 1)

    def test_sessions_resume_across_machines_that_share_the_file(self):
        keys = self.folder() / "ticket.keys"
        keys.write_bytes(os.urandom(48))
        leaf = self.authority.leaf(["DNS:mail.example"], "mail.example")
        first, second = (self.start([pair(leaf)], tls={"ticket_keys": keys}) for _ in range(2))
        stranger = self.start([pair(leaf)])
        self.assertEqual(self.both(first.imaps, second.imaps), [True, True])
        self.assertEqual(self.both(first.imaps, stranger.imaps), [False, False])

    def test_tickets_never_cross_listeners_of_another_policy(self):
        leaf = self.authority.leaf(["DNS:mail.example"], "mail.example")
        postern = self.start([pair(leaf)], listeners=[
            listener("imaps"), listener("imaps2"), listener("pop3s"), listener("imap-strict", strict_sni=True)])
        at = postern.addresses
        self.assertEqual(self.both(at["imaps"], at["imaps2"]), [True, True])
        self.assertEqual(self.both(at["imaps"], at["pop3s"]), [False, False])
        self.assertEqual(self.both(at["imaps"], at["imap-strict"]), [False, False])

    def test_sessions_resume_across_a_reload_and_a_renewal(self):
        folder, leaf = self.folder(), self.authority.leaf(["DNS:mail.example"], "mail.example")
        self.put(folder, leaf)
        postern = self.start([{"chain": folder / "chain.pem", "key": folder / "key.pem"}])
        sessions = {}
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            made = context(minimum=version, maximum=version)
            sessions[version] = made, self.handshake(postern.imaps, made=made).session
        self.put(folder, self.authority.leaf(["DNS:mail.example"], "mail.example"))
        postern.event("reloaded", cause="certificate")
        before = len(postern.events)
        postern.process.send_signal(signal.SIGHUP)
        postern.event("reloaded", after=before, cause="SIGHUP")
        for made, session in sessions.values():
            self.assertTrue(self.handshake(postern.imaps, session=session, made=made).session_reused)

    # Renewal.

    def put(self, folder, leaf):
        """By rename, the key first, as renewal tools do."""
        for name, file in (("key.pem", leaf.key), ("chain.pem", leaf.chain)):
            shutil.copy(file, folder / f"{name}.new")
            os.rename(folder / f"{name}.new", folder / name)

    def shows(self, postern, leaf):
        self.eventually(lambda: self.leaf_of(postern.imaps, "mail.example") == self.der(leaf), "the new certificate")

    def test_a_renewal_by_rename_is_taken_without_a_signal(self):
        folder = self.folder()
        leaves = [self.authority.leaf(["DNS:mail.example"], "mail.example", days=(-1, days)) for days in (20.5, 80.5)]
        self.put(folder, leaves[0])
        postern = self.start([{"chain": folder / "chain.pem", "key": folder / "key.pem"}])
        live = self.imap(postern, "ann")
        expiry = postern.scrape()["postern_certificate_expiry_timestamp_seconds"]
        self.assertEqual(postern.event("certificate_expires")["days_left"], 20)
        self.put(folder, leaves[1])
        self.shows(postern, leaves[1])
        later = postern.scrape()["postern_certificate_expiry_timestamp_seconds"]
        self.assertAlmostEqual(later - expiry, 60 * 86400, delta=60)
        live.command("NOOP")

    def test_a_renewal_by_a_swapped_link_is_taken_without_a_signal(self):
        folder = self.folder()
        leaves = [self.authority.leaf(["DNS:mail.example"], "mail.example") for _ in range(2)]
        for number, leaf in enumerate(leaves):
            (folder / str(number)).mkdir()
            self.put(folder / str(number), leaf)
        (folder / "live").symlink_to("0")
        postern = self.start([{"chain": folder / "live" / "chain.pem", "key": folder / "live" / "key.pem"}])
        self.assertEqual(self.leaf_of(postern.imaps, "mail.example"), self.der(leaves[0]))
        (folder / "next").symlink_to("1")
        os.rename(folder / "next", folder / "live")
        self.shows(postern, leaves[1])

    def test_a_broken_renewal_keeps_the_old_one_and_says_so(self):
        folder = self.folder()
        leaves = [self.authority.leaf(["DNS:mail.example"], "mail.example") for _ in range(2)]
        self.put(folder, leaves[0])
        postern = self.start([{"chain": folder / "chain.pem", "key": folder / "key.pem"}])
        shutil.copy(leaves[1].chain, folder / "chain.pem")  # without its key
        reason = postern.event("reload_refused", cause="certificate")["reason"]
        self.assertIn("key.pem", reason)
        self.assertEqual(self.leaf_of(postern.imaps, "mail.example"), self.der(leaves[0]))
        self.assertEqual(postern.scrape().by("postern_config_reloads_total", "result"), {"refused": 1})
        shutil.copy(leaves[1].key, folder / "key.pem")
        self.shows(postern, leaves[1])

    def test_sighup_takes_a_new_certificate(self):
        first, second = (self.authority.leaf(["DNS:mail.example"], "mail.example") for _ in range(2))
        postern = self.start([pair(first)])
        postern.config.write_text(configuration([{"imap": self.backend.address}], [listener("imaps")],
                                                certificates=[pair(second)]))
        postern.process.send_signal(signal.SIGHUP)
        postern.event("reloaded")
        self.shows(postern, second)

    # As strangers see it.

    def test_testssl_finds_nothing_above_low(self):
        leaf = self.authority.leaf(["DNS:mail.example", "DNS:localhost", "IP:127.0.0.1"], "mail.example",
                                   issuer="between")
        rsa = self.authority.leaf(["DNS:mail.example", "DNS:localhost", "IP:127.0.0.1"], "mail.example",
                                  issuer="between", kind="rsa")
        postern = self.start([pair(leaf), pair(rsa)])
        out = self.folder() / "findings.csv"
        subprocess.run(["testssl", "--nodns", "none", "--add-ca", str(self.authority.root), "--quiet", "--color", "0",
                        "--warnings", "off", "-p", "-s", "-f", "-U", "--csvfile", str(out), postern.imaps],
                       stdin=subprocess.DEVNULL, capture_output=True, timeout=500, check=False)
        rows = [line.split('","') for line in out.read_text().splitlines()[1:]]
        self.assertGreater(len(rows), 30, "testssl looked at it")
        bad = [row for row in rows if row[3].strip('"') in ("MEDIUM", "HIGH", "CRITICAL", "FATAL")]
        print(f"testssl: {len(rows)} findings, {len(bad)} above LOW", flush=True)
        self.assertEqual(bad, [])
