"""The fixture of tests with pools of several backends: two Dovecots, and who serves whom."""

import signal
import subprocess

from .case import EndToEnd
from .dovecot import Dovecot

QUICK = {"every": "300ms"}


class Breakable(Dovecot):
    """A Dovecot of one test, which may be ended and started again at the same ports."""

    def __init__(self):
        self.process = None
        super().__init__()

    def down(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        self.process.stderr.close()

    def up(self):
        self.process = subprocess.Popen(
            ["/usr/sbin/dovecot", "-F", "-c", str(self.root / "dovecot.conf")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self._await_ports()


def place(dovecot):
    return {"imap": dovecot.imap, "pop3": dovecot.pop3}


class Pools(EndToEnd):
    def breakable(self):
        made = Breakable()
        self.addCleanup(made.stop)
        return made

    def served_by(self, gateway, user, protocol="imap"):
        """The backend that a login of this user comes to, as the log says."""
        after = len(gateway.events)
        if protocol == "imap":
            self.imap(gateway, user).logout()
        else:
            self.pop3(gateway, user).quit()
        return gateway.event("session", after=after, user=user)["backend"]

    def served(self, gateway, users, protocol="imap"):
        return {user: self.served_by(gateway, user, protocol) for user in users}

    def state(self, gateway, backend, to, **fields):
        """The log line of a backend's new state."""
        return gateway.event("backend_state", seconds=40, backend=backend, to=to, **fields)
