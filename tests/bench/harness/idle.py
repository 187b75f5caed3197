"""What idle logged-in sessions cost: memory of the proxy's processes, and CPU while nothing happens."""

import dataclasses
import json
import subprocess
import time

from . import machine
from .cells import load_process
from .targets import read_line

HOLD_SECONDS = 3
OPEN_SECONDS = 120
WARM_SESSIONS = 20


@dataclasses.dataclass
class Idle:
    target: str
    sessions: int
    base_kb: float  # PSS before the sessions came
    kb: float  # PSS per session after the login
    used_kb: float  # ... and after one more command on each
    hold_ms: float  # CPU ms per second and 1,000 sessions
    errors: int
    complaint: str


def session_limit(most):
    """Sessions a proxy can hold: two descriptors each, some for itself."""
    import resource
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(most, (hard - 300) // 2)


class Sessions:
    """Idle sessions held by a load generator."""

    def __init__(self, bench, target, count):
        self.process = load_process(bench, target, [
            "--port", str(target.ports["imap"]), "--sessions", str(count), "--idle", "--", "NOOP"],
            stdin=subprocess.PIPE)
        self.complaint = ""
        first = read_line(self.process.popen.stdout, OPEN_SECONDS, "the load generator")
        if first.strip() != "open":
            self.complaint = json.loads(first)["first_error"]

    def each(self):
        self.process.popen.stdin.write("each\n")
        self.process.popen.stdin.flush()
        read_line(self.process.popen.stdout, OPEN_SECONDS, "the load generator")

    def close(self):
        """The first error, or nothing."""
        output, words = self.process.popen.communicate()
        self.process.stop()
        if output.strip():
            self.complaint = self.complaint or json.loads(output)["first_error"]
        return self.complaint or words.strip()


def measure_idle(bench, target, count):
    """A fresh process of `target`, a few sessions to warm it, then `count` that stay."""
    target.start()
    try:
        warm = Sessions(bench, target, WARM_SESSIONS)
        warm.close()
        time.sleep(0.5)
        base = machine.pss_kb(target.pids())
        held = Sessions(bench, target, count)
        if held.complaint:
            return Idle(target.name, count, base, 0, 0, 0, 1, held.complaint)
        time.sleep(0.5)
        after_login = machine.pss_kb(target.pids())
        used, begun = machine.thread_ns(target.pids()), time.monotonic()
        time.sleep(HOLD_SECONDS)
        hold = (machine.thread_ns(target.pids()) - used) / 1e6 / (time.monotonic() - begun)
        held.each()
        after_command = machine.pss_kb(target.pids())
        complaint = held.close()
        return Idle(target.name, count, base, (after_login - base) / count,
                    (after_command - base) / count, hold * 1000 / count, 1 if complaint else 0,
                    complaint)
    finally:
        target.stop()
