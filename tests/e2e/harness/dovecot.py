"""A private Dovecot: one configuration file, own folders, ephemeral loopback ports, plain text.

Any user name may log in with the password `secret`, so that every test takes a fresh account of
its own (`new_user`). A few named accounts have passwords that are hard to carry.
"""

import atexit
import getpass
import imaplib
import itertools
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

NAMED = {
    "ann": "ann's pass",
    "bob": "secret",
    "bell": "p\u00e4ssw\u00f6rd \u20ac",
    "quote": 'a"b\\c {5}',
    "space": " two  spaces ",
}

CONFIG = """
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/dovecot.log
protocols = imap pop3
listen = {host}
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0 secs
auth_username_chars =
default_internal_user = {service_user}
default_internal_group = {service_group}
default_login_user = {login_user}
first_valid_uid = 1
mail_fsync = never
mail_location = maildir:{root}/mail/%u
mail_max_userip_connections = 0
maildir_very_dirty_syncs = no
imap_idle_notify_interval = 2 mins
pop3_no_flag_updates = no
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {root}/users
}}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={mail_user} gid={mail_group} home={root}/mail/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Trash {{
    special_use = \\Trash
  }}
}}
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  client_limit = 2000
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  client_limit = 2000
  inet_listener pop3 {{
    port = {pop3_port}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service imap {{
  process_limit = 1024
}}
service pop3 {{
  process_limit = 1024
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


class Dovecot:
    """Started by the first that asks; ended with this process."""

    _shared = None
    _users = itertools.count(1)

    @classmethod
    def shared(cls):
        if "_shared" not in vars(cls) or cls._shared is None:
            cls._shared = cls()
            atexit.register(cls._shared.stop)
        return cls._shared

    def __init__(self):
        # The mail user must be able to walk into this folder.
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="postern-dovecot-"))
        self.root.chmod(0o755)
        # An address of our own makes the short time between choosing a port and binding it harmless.
        pid = os.getpid()
        self.host = f"127.{64 + pid // 65536 % 64}.{pid // 256 % 256}.{pid % 256 or 1}"
        self.imap_port = free_port(self.host)
        self.pop3_port = free_port(self.host)
        self._write()
        with open(self.root / "dovecot.conf", "a", encoding="utf-8") as file:
            file.write(self.more())
        self.process = subprocess.Popen(
            ["/usr/sbin/dovecot", "-F", "-c", str(self.root / "dovecot.conf")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self._await_ports()

    def more(self):
        """What a kind of Dovecot adds to the configuration; what comes later wins."""
        return ""

    @property
    def imap(self):
        return f"{self.host}:{self.imap_port}"

    @property
    def pop3(self):
        return f"{self.host}:{self.pop3_port}"

    def _write(self):
        root = os.geteuid() == 0
        me = getpass.getuser()
        for folder in ("run", "state", "mail"):
            (self.root / folder).mkdir()
        if root:
            os.chown(self.root / "mail", 65534, 65534)
        lines = [f"{user}:{{PLAIN}}{password}::::::" for user, password in NAMED.items()]
        (self.root / "users").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (self.root / "dovecot.conf").write_text(CONFIG.format(
            root=self.root, host=self.host, imap_port=self.imap_port, pop3_port=self.pop3_port,
            service_user="dovecot" if root else me, service_group="dovecot" if root else _group(),
            login_user="dovenull" if root else me,
            mail_user="65534" if root else os.getuid(), mail_group="65534" if root else os.getgid()))

    def _await_ports(self):
        deadline = time.monotonic() + 20
        for port in (self.imap_port, self.pop3_port):
            while True:
                if self.process.poll() is not None:
                    raise RuntimeError("Dovecot ended: " + self.process.stderr.read().decode() + self.log())
                try:
                    socket.create_connection((self.host, port), 1).close()
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise RuntimeError("Dovecot did not answer\n" + self.log())
                    time.sleep(0.02)

    def log(self):
        path = self.root / "dovecot.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stderr.close()
        shutil.rmtree(self.root, ignore_errors=True)

    # Mailboxes, filled past Postern.

    def new_user(self, prefix="user"):
        return f"{prefix}{os.getpid()}x{next(self._users)}"

    def direct(self, user, password="secret"):
        """An imaplib connection to Dovecot itself."""
        connection = imaplib.IMAP4(self.host, self.imap_port, timeout=20)
        connection._encoding = "utf-8"
        connection.login(user, password)
        return connection

    def fill(self, user, messages, mailbox="INBOX", password="secret"):
        connection = self.direct(user, password)
        if mailbox != "INBOX":
            connection.create(mailbox)
        for message in messages:
            state, answer = connection.append(mailbox, None, None, message)
            assert state == "OK", answer
        connection.logout()

    def deliver(self, user, name, content, mailbox=""):
        """Puts a file straight into the Maildir: the bytes as they are, no IMAP involved."""
        folder = self.root / "mail" / user / mailbox
        for part in ("cur", "new", "tmp"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        path = folder / "tmp" / name
        path.write_bytes(content)
        if os.geteuid() == 0:
            for top, _, files in os.walk(self.root / "mail" / user):
                os.chown(top, 65534, 65534)
                for each in files:
                    os.chown(os.path.join(top, each), 65534, 65534)
        path.rename(folder / "new" / name)

    def count(self, user, mailbox="INBOX", password="secret"):
        connection = self.direct(user, password)
        try:
            state, answer = connection.select(mailbox, readonly=True)
            assert state == "OK", answer
            return int(answer[0])
        finally:
            connection.logout()

    def session_process(self, protocol, user):
        """The id of the process that serves this user's latest session."""
        found = re.findall(rf"{protocol}-login: Info: Login: user=<{re.escape(user)}>.* mpid=(\d+)", self.log())
        return int(found[-1])

    def messages(self, user, mailbox="INBOX", password="secret"):
        connection = self.direct(user, password)
        try:
            connection.select(mailbox, readonly=True)
            state, numbers = connection.search(None, "ALL")
            return [connection.fetch(number, "(BODY.PEEK[])")[1][0][1] for number in numbers[0].split()]
        finally:
            connection.logout()


def _group():
    import grp
    return grp.getgrgid(os.getgid()).gr_name


def free_port(host="127.0.0.1"):
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def message(number=1, size=0, subject=None):
    """A plain message with CRLF line ends; `size` adds that many bytes of body."""
    body = f"This is message {number}.\r\n"
    if size:
        line = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ...........\r\n"
        body += line * (size // len(line) + 1)
    subject = subject or f"message {number}"
    return (f"From: ann@example.org\r\nTo: bob@example.org\r\nSubject: {subject}\r\n"
            f"Message-ID: <{number}@example.org>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\n\r\n{body}").encode()
