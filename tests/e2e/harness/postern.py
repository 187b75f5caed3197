"""The binary under test: its configuration, its start, its log lines, its scrape, its end."""

import atexit
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading

from . import client, metrics

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = os.environ.get("POSTERN_BINARY", str(ROOT / "build" / "postern"))
SANITIZER = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "WARNING: ThreadSanitizer",
             "AddressSanitizer:", "UndefinedBehaviorSanitizer:")
# libuv closes descriptors by a raw system call that ThreadSanitizer cannot see; when another thread gets the same
# number for a new connection, it reports a race on the descriptor. Such a report is looked at here, not by exit code.
DESCRIPTOR_RACE = "Location is file descriptor"
# A record that BoringSSL decrypted in place, its content type behind the last line: it frees that buffer of its own
# without wiping it, and nobody else can reach it.
BORINGSSLS = re.compile(rb"[^\0]{0,99}\r\n\x17")
TSAN = ":halt_on_error=0:exitcode=0"


def sanitized():
    """True if the binary was built with a sanitizer: memory figures mean nothing then."""
    with open(BINARY, "rb") as binary:
        content = binary.read()
    return b"__asan_init" in content or b"__tsan_init" in content


class Certificate:
    """A P-256 key and its certificate, made once per process."""

    _shared = None

    @classmethod
    def shared(cls):
        if cls._shared is None:
            cls._shared = cls()
            atexit.register(shutil.rmtree, cls._shared.folder, ignore_errors=True)
        return cls._shared

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-certificate-"))
        self.chain = self.folder / "chain.pem"
        self.key = self.folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-days", "30", "-subj", "/CN=mail.example", "-keyout", str(self.key), "-out", str(self.chain),
             "-addext", "subjectAltName=DNS:mail.example,DNS:localhost,IP:127.0.0.1"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(each) for each in value) + "]"
    return json.dumps(str(value))


def table(name, values):
    return f"[{name}]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in values.items())


def listener(name, **values):
    """One listener; the protocol is in its name."""
    protocol = "pop3" if name.startswith("pop3") else "imap"
    return {"name": name, "protocol": protocol, "address": "127.0.0.1:0", "tls": "implicit", **values}


def configuration(backends, listeners=None, pool=None, certificates=None, **changes):
    """The configuration as text. `backends`: dicts with imap and pop3 addresses; `listeners`: what `listener` returns;
    `pool`: keys of the pool; `certificates`: their tables; `changes`: tables by name."""
    shared = Certificate.shared()
    tables = {
        "gateway": {"name": "mail.example", "workers": 1, "drain": "5s", "user": "root"},
        "tls": {"minimum": "1.2"},
        "routing": {"pool": "legacy"},
        "timeouts": {"handshake": "10s", "login": "60s", "connect": "5s", "imap_idle": "35m", "pop3_idle": "10m",
                     "allow_short_idle": True},
        "limits": {"sessions": 0, "login_attempts": 3, "append": "0"},
        "log": {"path": "-", "slow": "1s"},
        "admin": {"address": "127.0.0.1:0"},
    }
    for name, values in changes.items():
        tables[name] = {**tables.get(name, {}), **values}
    listening = "".join(table("[listener]", each) + "\n"
                        for each in listeners or [listener("imaps"), listener("pop3s")])
    # Scripts count who comes: a test that wants probes says so.
    pools = table("[pool]", {"name": "legacy", "balance": "user", "tls": "none", "probe": {"every": "1h"},
                             **(pool or {})}) + "\n"
    for number, backend in enumerate(backends, 1):
        pools += table("[pool.backend]", {"name": f"mail{number}", **backend}) + "\n"
    rest = [table(name, values) for name, values in tables.items()]
    chains = [table("[certificate]", each) for each in certificates or [{"chain": shared.chain, "key": shared.key}]]
    return "\n".join([rest[0], listening, *chains, *rest[1:], pools])


class Gateway:
    """A running Postern."""

    def __init__(self, text, prefix=(), environment=None):
        """`prefix`: a command that runs the binary, such as prlimit; `environment`: variables beside ours."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-gateway-"))
        self.config = self.folder / "postern.toml"
        self.config.write_text(text)
        self.errors = self.folder / "stderr"
        self.events = []
        self.changed = threading.Condition()
        self.addresses = {}
        environment = {**os.environ, **(environment or {}), "TSAN_OPTIONS": os.environ.get("TSAN_OPTIONS", "") + TSAN}
        with open(self.errors, "wb") as stderr:
            self.process = subprocess.Popen([*prefix, BINARY, "run", "-c", str(self.config)], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=stderr, env=environment)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        try:
            self.event("ready")
        except AssertionError:
            self.kill()
            raise
        self.addresses = {event["listener"]: event["address"] for event in self.events
                          if event.get("event") == "listening"}

    def _read(self):
        for line in self.process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                event = {"event": "not json", "line": line}
            with self.changed:
                self.events.append(event)
                self.changed.notify_all()
        with self.changed:
            self.events.append({"event": "end of log"})
            self.changed.notify_all()

    def event(self, name, seconds=client.SOON, after=0, **fields):
        """The first log line with this event name and these fields, waited for."""
        def found():
            for event in self.events[after:]:
                if event.get("event") == name and all(event.get(k) == v for k, v in fields.items()):
                    return event
            return None
        with self.changed:
            self.changed.wait_for(lambda: found() or self._over(), seconds)
            event = found()
        assert event, f"no log line {name!r} {fields}: {self.events[-5:]} {self.stderr()[-2000:]}"
        return event

    def _over(self):
        return self.events and self.events[-1].get("event") == "end of log"

    @property
    def imaps(self):
        return self.addresses["imaps"]

    @property
    def pop3s(self):
        return self.addresses["pop3s"]

    @property
    def admin(self):
        return self.addresses["admin"]

    @property
    def pid(self):
        return self.process.pid

    def stderr(self):
        return self.errors.read_text(errors="replace")

    def scrape(self):
        status, text = metrics.get(self.admin, "/metrics")
        assert status == 200, (status, text[:200])
        return metrics.Scrape(text)

    def get(self, path):
        return metrics.get(self.admin, path)

    # Memory.

    def memory(self, field="VmRSS"):
        """Bytes, from /proc/PID/status."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
        raise AssertionError(f"no {field}")

    def copies(self, needle):
        """Where in its writable memory these bytes stand."""
        found = []
        with open(f"/proc/{self.pid}/maps") as maps, open(f"/proc/{self.pid}/mem", "rb", 0) as memory:
            for line in maps:
                begin, end, rights, name = re.match(r"(\w+)-(\w+) (\S+) \S+ \S+ \S+ *(.*)", line).groups()
                if "w" not in rights or name.startswith("[v"):
                    continue
                begin, end = int(begin, 16), int(end, 16)
                try:
                    memory.seek(begin)
                    content = memory.read(end - begin)
                except OSError:
                    continue
                found += [f"{name or 'anonymous'}+{at.start():x}" for at in re.finditer(re.escape(needle), content)
                          if not BORINGSSLS.match(content, at.end())]
        return found

    def forget_peak(self):
        pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    # The end.

    def settle(self):
        """A scrape in which no session is open and no command in flight."""
        last = []

        def quiescent():
            last[:] = [self.scrape()]
            return last[0] if last[0]["postern_sessions"] == 0 else None
        return client.until(quiescent, lambda: f"sessions stayed open: {last[0].all('postern_sessions')}",
                            5 * client.PATIENCE)

    def assert_laws(self):
        scrape = self.settle()
        broken = metrics.broken_laws(scrape)
        assert not broken, "laws of the metrics broken: " + "; ".join(broken) + "\n" + "\n".join(
            line for line in scrape.text.splitlines() if line.startswith(("postern_commands", "postern_bytes",
                                                                          "postern_elided", "postern_inserted")))

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds=20 * client.PATIENCE):
        """Waits for the end; returns the exit code."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not end within {seconds:g} s") from None
        self.reader.join(5)
        return code

    def stop(self):
        """SIGTERM, exit code 0, nothing from a sanitizer, every log line was JSON."""
        if self.process.poll() is None:
            self.terminate()
        try:
            code = self.wait()
            assert code == 0, f"exit code {code}: {self.stderr()[:6000]}"
            self.assert_sound()
        finally:
            self.kill()

    def assert_sound(self):
        stderr = "".join(each for each in self.stderr().split("=" * 18) if DESCRIPTOR_RACE not in each)
        assert not any(mark in stderr for mark in SANITIZER), stderr[:6000]
        wrong = [event for event in self.events if event.get("event") == "not json"]
        assert not wrong, f"log lines that are not JSON: {wrong[:3]}"

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def command(*arguments, timeout=30):
    """Runs the binary to its end; (exit code, stdout, stderr)."""
    done = subprocess.run([BINARY, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


