"""What `cmake --install` leaves: it runs, it is where it belongs, it is locked in, and it is explained."""

import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest
from unittest import mock

from harness import client
from harness.case import EndToEnd
from harness.postern import BINARY, Certificate, Gateway, command, configuration, sanitized

BUILD = pathlib.Path(BINARY).resolve().parent
RULES = pathlib.Path(__file__).resolve().parents[2] / "rules"
NOBODY = 65534
EXPOSURE = 2.0  # of 10, as systemd-analyze security counts
UNPRIVILEGED = pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


def output(*arguments, **options):
    """Standard output of a program that must succeed; its errors are part of it."""
    done = subprocess.run([str(each) for each in arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, **options)
    assert done.returncode == 0, f"{arguments}: exit code {done.returncode}\n{done.stdout}"
    return done.stdout


def overall(report):
    return float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", report)[1])


@unittest.skipUnless((BUILD / "cmake_install.cmake").is_file(), "the binary does not lie in its build folder")
class Prefix(EndToEnd):
    """A folder into which the build was installed."""

    @classmethod
    def setUpClass(cls):
        cls.prefix = pathlib.Path(tempfile.mkdtemp(prefix="postern-install-"))
        cls.addClassCleanup(shutil.rmtree, cls.prefix, ignore_errors=True)
        output("cmake", "--install", BUILD, "--prefix", cls.prefix)
        cls.binary = cls.prefix / "bin/postern"
        cls.unit = cls.prefix / "lib/systemd/system/postern.service"
        cls.prefix.chmod(0o755)

    def launcher(self, before="", prefix="", environment=""):
        """A script that starts the installed binary with an empty environment, by way of `prefix`."""
        path = self.folder() / "postern"
        options = 'TSAN_OPTIONS="$TSAN_OPTIONS" ASAN_OPTIONS="$ASAN_OPTIONS"'
        path.write_text(f"#!/bin/sh\n{before}\nexec env -i {options} {environment} {prefix} {self.binary} \"$@\"\n")
        path.chmod(0o755)
        return mock.patch("harness.postern.BINARY", str(path))

    def serves(self, gateway, user=None):
        """A login and a mailbox over both protocols."""
        user = user or self.dovecot.new_user()
        imap = self.imap(gateway, user)
        imap.append("INBOX", b"Subject: installed\r\n\r\nhello\r\n")
        imap.command("SELECT INBOX")
        imap.logout()
        pop3 = self.pop3(gateway, user)
        self.assertIn(b"hello", pop3.many("RETR 1"))
        pop3.quit()


class Installed(Prefix):
    def test_the_binary_runs_with_an_empty_environment(self):
        with self.launcher():
            code, out, error = command("--version")
        self.assertEqual(code, 0, error)
        self.assertIn("BoringSSL", out)
        headers = output("readelf", "-d", self.binary)
        library = re.search(r"(/\S+)/libssl", out)[1]
        self.assertRegex(headers, r"R(UN)?PATH.*\[.*" + re.escape(library))
        self.assertNotIn(str(BUILD), headers)

    def test_the_binary_serves_both_protocols(self):
        with self.launcher():
            gateway = self.gateway()
        self.assertEqual(os.readlink(f"/proc/{gateway.pid}/exe"), str(self.binary))
        self.serves(gateway)

    def test_everything_is_where_it_belongs(self):
        found = {str(path.relative_to(self.prefix)) for path in self.prefix.rglob("*") if path.is_file()}
        self.assertEqual(found, {
            "bin/postern", "lib/systemd/system/postern.service", "lib/sysusers.d/postern.conf",
            "share/man/man1/postern.1", "share/man/man5/postern.toml.5",
            "share/doc/postern/postern.toml", "share/doc/postern/LICENSE",
            *(f"share/doc/postern/rules/{each.name}" for each in RULES.glob("*.toml"))})
        self.assertEqual(self.binary.stat().st_mode & 0o777, 0o755)

    def test_a_staged_install_names_the_final_place(self):
        stage = self.folder()
        output("cmake", "--install", BUILD, "--prefix", "/opt/postern", env={**os.environ, "DESTDIR": str(stage)})
        unit = (stage / "opt/postern/lib/systemd/system/postern.service").read_text()
        self.assertIn("ExecStart=/opt/postern/bin/postern run -c /etc/postern/postern.toml\n", unit)

    def test_the_unit_is_locked_in(self):
        text = self.unit.read_text()
        self.assertIn(f"ExecStart={self.binary} run ", text)
        self.assertIn(f"ExecStartPre={self.binary} check ", text)
        self.assertNotIn("@", re.sub(r"SystemCallFilter=.*", "", text))
        report = output("systemd-analyze", "security", "--offline=yes", "--no-pager", self.unit)
        print(f"systemd-analyze security: exposure {overall(report)} of 10")
        self.assertLessEqual(overall(report), EXPOSURE, report)

    def test_the_unit_has_no_mistakes(self):
        said = output("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", self.unit)
        self.assertNotIn(self.unit.name, said)

    def test_the_account_can_be_made(self):
        root = self.folder()
        said = output("systemd-sysusers", "--dry-run", f"--root={root}", self.prefix / "lib/sysusers.d/postern.conf")
        self.assertRegex(said, r"(?i)creat\w* user '?postern")

    def test_the_example_is_a_good_configuration(self):
        text = (self.prefix / "share/doc/postern/postern.toml").read_text()
        folder = self.folder()
        (folder / "tls").mkdir()
        shutil.copy(Certificate.shared().chain, folder / "tls/fullchain.pem")
        shutil.copy(Certificate.shared().key, folder / "tls/key.pem")
        # The names of the example are nobody's; no resolver is asked for them.
        (folder / "postern.toml").write_text(text.replace("mail1.example", "127.0.0.1"))
        with self.launcher():
            code, out, error = command("check", "-c", str(folder / "postern.toml"))
        self.assertEqual((code, error), (0, ""))

    def test_the_manual_pages_format_without_a_warning(self):
        for page in ("man1/postern.1", "man5/postern.toml.5"):
            path = self.prefix / "share/man" / page
            said = subprocess.run(["groff", "-man", "-ww", "-Tutf8", "-z", str(path)], capture_output=True, text=True)
            self.assertEqual((said.returncode, said.stdout, said.stderr), (0, "", ""))
            if shutil.which("mandoc"):
                self.assertEqual(output("mandoc", "-Tlint", "-Wwarning", path), "")

    def test_the_manual_names_the_commands_and_options_that_there_are(self):
        page = (self.prefix / "share/man/man1/postern.1").read_text().replace("\\-", "-")
        synopsis = page[page.index(".SH SYNOPSIS"):page.index(".SH DESCRIPTION")]
        _, help_text, _ = command("--help")
        listed = help_text[help_text.index("Subcommands:"):].split("Examples:")[0]
        commands = set(re.findall(r"^  (\w+)", listed, re.MULTILINE))
        self.assertEqual(set(re.findall(r"^\.B postern (\w+)", synopsis, re.MULTILINE)), commands)
        for each in commands:
            _, text, _ = command(each, "--help")
            for option in set(re.findall(r"(--[a-z]+)", text[:text.find("The configuration is TOML") % (1 << 30)])):
                self.assertIn(option, page, each)


class Confined(Prefix):
    """As the unit would run it."""

    def for_nobody(self, text):
        """The configuration with a certificate that an ordinary user may read, and what opens its folder to them."""
        folder = self.folder()
        for path in (Certificate.shared().chain, Certificate.shared().key):
            copy = folder / path.name
            shutil.copy(path, copy)
            os.chown(copy, NOBODY, NOBODY)
            text = text.replace(str(path), str(copy))
        folder.chmod(0o755)
        return text, 'chmod 755 "$(dirname "$3")"'

    def needs_root(self):
        if os.geteuid() != 0:
            self.skipTest("not root: cannot become an ordinary user")

    def launch(self, text, **options):
        with self.launcher(**options):
            gateway = Gateway(text)
        self._gateways.append(gateway)
        return gateway

    def as_nobody(self, capabilities=""):
        return f"setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups --no-new-privs {capabilities}"

    def plain(self, **changes):
        """In front of Dovecot, without gateway.user."""
        text = configuration([{"imap": self.dovecot.imap, "pop3": self.dovecot.pop3}], **changes)
        return text.replace('user = "root"\n', "")

    def identity(self, gateway, field):
        status = pathlib.Path(f"/proc/{gateway.pid}/status").read_text()
        return re.search(rf"^{field}:\s+(.+)$", status, re.MULTILINE)[1].split()

    def low_address(self):
        host = f"127.{random.randrange(1, 255)}.{random.randrange(256)}.{random.randrange(1, 255)}"
        return f"{host}:993"

    def test_an_ordinary_user_with_one_capability_binds_a_low_port(self):
        self.needs_root()
        if int(UNPRIVILEGED.read_text()) <= 993:
            self.skipTest("on this machine everybody may bind low ports")
        text, before = self.for_nobody(self.plain().replace("127.0.0.1:0", self.low_address(), 1))
        keeps = " ".join(f"--{each} -all,+net_bind_service" for each in ("inh-caps", "ambient-caps", "bounding-set"))
        gateway = self.launch(text, before=before, prefix=self.as_nobody(keeps))
        self.assertTrue(gateway.imaps.endswith(":993"))
        self.assertEqual(set(self.identity(gateway, "Uid")), {str(NOBODY)})
        self.assertEqual(self.identity(gateway, "CapBnd"), [f"{1 << 10:016x}"])
        self.serves(gateway)

    def test_without_the_capability_the_refusal_is_one_clear_sentence(self):
        self.needs_root()
        if int(UNPRIVILEGED.read_text()) <= 993:
            self.skipTest("on this machine everybody may bind low ports")
        address = self.low_address()
        text, before = self.for_nobody(self.plain().replace("127.0.0.1:0", address, 1))
        path = self.folder() / "postern.toml"
        path.write_text(text)
        with self.launcher(before=before, prefix=self.as_nobody()):
            code, out, error = command("run", "-c", str(path))
        self.assertEqual(code, 1)
        self.assertRegex(error, re.escape(address) + r".*[Pp]ermission denied", out)

    def test_root_binds_and_becomes_the_user_of_the_configuration(self):
        self.needs_root()
        text = configuration([{"imap": self.dovecot.imap, "pop3": self.dovecot.pop3}], gateway={"user": "nobody"})
        text, before = self.for_nobody(text.replace("127.0.0.1:0", self.low_address(), 1))
        gateway = self.launch(text, before=before)
        self.assertEqual(set(self.identity(gateway, "Uid")), {str(NOBODY)})
        self.assertEqual(set(self.identity(gateway, "CapEff")), {"0" * 16})
        self.serves(gateway)

    @unittest.skipIf(sanitized(), "a sanitizer calls what the unit forbids")
    def test_the_system_calls_of_the_unit_are_enough(self):
        self.needs_root()
        sandbox = pathlib.Path(__file__).parent / "harness/sandbox.py"
        text, before = self.for_nobody(self.plain())
        prefix = f"{self.as_nobody()} /usr/bin/python3 {sandbox} {self.unit}"
        gateway = self.launch(text, before=before, prefix=prefix)
        self.assertEqual(self.identity(gateway, "Seccomp"), ["2"])
        self.serves(gateway)
        gateway.process.send_signal(signal.SIGHUP)
        gateway.event("reloaded")
        self.serves(gateway)
        self.assertEqual(gateway.get("/readyz")[0], 200)
        # MemoryDenyWriteExecute= would have refused these.
        maps = pathlib.Path(f"/proc/{gateway.pid}/maps").read_text()
        self.assertNotRegex(maps, r"(?m)^\S+ .wx")


class Manager(Prefix):
    """Type=notify: what the manager of the service hears."""

    def manager(self, name):
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        made.settimeout(client.SOON)
        made.bind("\0" + name[1:] if name.startswith("@") else name)
        self.addCleanup(made.close)
        return made

    def heard(self, manager, beside="WATCHDOG=1"):
        """The next message but those."""
        while True:
            message = manager.recv(4096).decode()
            if message != beside:
                return message

    def test_start_reload_and_end_are_told(self):
        for name in (str(self.folder() / "notify"), f"@postern-{os.getpid()}-{random.getrandbits(64)}"):
            with self.subTest(name=name[0]):
                manager = self.manager(name)
                with self.launcher(environment=f"NOTIFY_SOCKET={name}"):
                    gateway = self.gateway(self.imap_backend())
                self.assertEqual(self.heard(manager), "READY=1")
                gateway.process.send_signal(signal.SIGHUP)
                self.assertRegex(self.heard(manager), r"\ARELOADING=1\nMONOTONIC_USEC=[0-9]+\Z")
                self.assertEqual(self.heard(manager), "READY=1")
                gateway.terminate()
                self.assertEqual(self.heard(manager), "STOPPING=1")
                self.assertEqual(gateway.wait(), 0)

    def test_a_refused_reload_ends_too(self):
        name = str(self.folder() / "notify")
        manager = self.manager(name)
        with self.launcher(environment=f"NOTIFY_SOCKET={name}"):
            gateway = self.gateway(self.imap_backend())
        self.assertEqual(self.heard(manager), "READY=1")
        gateway.config.write_text("nonsense")
        gateway.process.send_signal(signal.SIGHUP)
        self.assertIn("RELOADING=1", self.heard(manager))
        self.assertEqual(self.heard(manager), "READY=1")
        self.assertTrue(gateway.event("reload_refused"))

    def test_the_watchdog_hears_that_it_is_alive(self):
        name = str(self.folder() / "notify")
        manager = self.manager(name)
        with self.launcher(environment=f"NOTIFY_SOCKET={name} WATCHDOG_USEC=10000000"):
            self.gateway(self.imap_backend())
        self.assertEqual(self.heard(manager, beside="READY=1"), "WATCHDOG=1")
        self.assertEqual(self.heard(manager, beside="READY=1"), "WATCHDOG=1")


if __name__ == "__main__":
    unittest.main()
