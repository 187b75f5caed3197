"""What is measured: one line per workload, and what DESIGN 4 demands of each.

A step is one command line; a literal announced at its end is streamed after the server's `+`.
`FETCH 1 BODY.PEEK[n]` brings n octets from the stub, `RETR` brings the stub's message size.
"""

import dataclasses

MB = 1048576
FETCH = "FETCH 1 BODY.PEEK[%d]"
APPEND = "APPEND INBOX {%d}"


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    what: str
    must: float  # largest allowed ratio of CPU to haproxy, DESIGN 4
    steps: tuple = ()
    protocol: str = "imap"
    sessions: int = 64
    depth: int = 1
    rate: int = 0
    reconnect: bool = False  # an operation is a connection: TLS, login, steps, farewell
    resume: bool = False
    bulk: bool = False  # counted in seconds per GB instead of microseconds per operation

    @property
    def unit(self):
        return "CPU s/GB" if self.bulk else "CPU µs/op"

    def loadgen_options(self):
        options = ["--protocol", self.protocol, "--sessions", str(self.sessions),
                   "--depth", str(self.depth), "--rate", str(self.rate)]
        options += ["--reconnect"] if self.reconnect else []
        options += ["--resume"] if self.resume else []
        return options


MAILBOX = ("STAT", "UIDL") + tuple("RETR %d" % n for n in range(1, 11))

WORKLOADS = (
    Workload("login_ec", "connect, full TLS handshake, LOGIN, LOGOUT", 0.85,
             reconnect=True, sessions=32),
    Workload("login_ec_resume", "the same with a resumed TLS session", 0.85,
             reconnect=True, resume=True, sessions=32),
    Workload("noop", "NOOP, closed loop on 64 sessions", 1.00, ("NOOP",)),
    Workload("noop_p16", "NOOP with 16 in flight on each of 64 sessions", 1.30, ("NOOP",), depth=16),
    Workload("noop_rate", "NOOP, 4,000/s over 500 sessions", 0.95, ("NOOP",),
             sessions=500, rate=4000),
    Workload("fetch_10k", "FETCH of 10 KB", 1.00, (FETCH % 10240,)),
    Workload("fetch_1m", "FETCH of 1 MB", 0.95, (FETCH % MB,), sessions=8, bulk=True),
    Workload("append_10k", "APPEND of 10 KB", 1.05, (APPEND % 10240,)),
    Workload("append_1m", "APPEND of 1 MB", 1.00, (APPEND % MB,), sessions=8, bulk=True),
    Workload("retr", "a POP3 mailbox: login, STAT, UIDL, 10 x RETR of 20 KB, QUIT", 0.95, MAILBOX,
             protocol="pop3", reconnect=True, sessions=32),
)

# Latency against haproxy in the same round (PERFORMANCE 5): workload, field of the cell, largest ratio.
LATENCY_MUSTS = (("noop_rate", "p50", 1.1), ("noop_rate", "p99", 1.1),
                 ("fetch_10k", "p99", 1.5), ("append_10k", "p99", 1.5))

# Idle sessions: user-space memory each, absolute and against haproxy (PERFORMANCE 5).
IDLE_MUST_KB = 6.0
IDLE_MUST_RATIO = 0.35
IDLE_MUST_CPU_MS = 0.05  # per second and 1,000 sessions
ALLOWANCE = 1.05  # on the boundary (PERFORMANCE 5)
