"""What is measured: one line per workload, and what DESIGN 4 demands of each.

A step is one command line; a literal announced at its end is streamed after the server's `+`.
`FETCH 1 BODY.PEEK[n]` brings n octets from the stub, `RETR` brings the stub's message size, and
DONE follows the `+` of IDLE at once.
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
    aim: float  # what it should become
    scripts: tuple = ((),)  # lists of steps; a session's connections take them in turn
    protocol: str = "imap"
    certificate: str = "ec"  # ec | rsa
    sessions: int = 64
    depth: int = 1
    rate: int = 0
    reconnect: bool = False  # an operation is a connection: TLS, login, steps, farewell
    resume: bool = False
    bulk: bool = False  # counted in seconds per GB instead of microseconds per operation
    burst: bool = False  # all sessions connect at once; an operation is a login

    @property
    def unit(self):
        return "CPU s/GB" if self.bulk else "CPU µs/op"

    def loadgen_options(self):
        options = ["--protocol", self.protocol, "--sessions", str(self.sessions),
                   "--depth", str(self.depth), "--rate", str(self.rate)]
        options += ["--reconnect"] if self.reconnect else []
        options += ["--resume"] if self.resume else []
        options += ["--burst"] if self.burst else []
        return options

    def steps(self):
        """As the load generator wants them behind its options."""
        return [word for steps in self.scripts for word in ("--", *steps)]


MAILBOX = ("STAT", "UIDL") + tuple("RETR %d" % n for n in range(1, 11))

# A phone keeps its connection, idles, and gets one message at a time; a webmail makes a connection
# for every page. Both log in with a full handshake.
PHONE = ("CAPABILITY", "SELECT INBOX", "UID FETCH 1:* (FLAGS)",
         *(FETCH % 20480, "IDLE", "UID FETCH 1001:* (FLAGS)") * 4,
         "UID STORE 1001 +FLAGS.SILENT (\\Seen)", "NOOP")
WEBMAIL = ("SELECT INBOX", "UID FETCH 951:1000 (UID FLAGS RFC822.SIZE)", FETCH % 20480,
           "UID STORE 1000 +FLAGS (\\Answered)", APPEND % 10240)

WORKLOADS = (
    Workload("login_ec", "connect, full TLS handshake (ECDSA), LOGIN, LOGOUT", 0.85, 0.60,
             reconnect=True, sessions=32),
    Workload("login_ec_resume", "the same with a resumed TLS session", 0.85, 0.70,
             reconnect=True, resume=True, sessions=32),
    Workload("login_rsa", "the same, full handshake with RSA-2048", 1.15, 1.00,
             reconnect=True, certificate="rsa", sessions=32),
    Workload("noop", "NOOP, closed loop on 64 sessions", 1.00, 0.90, (("NOOP",),)),
    Workload("noop_p16", "NOOP with 16 in flight on each of 64 sessions", 1.30, 1.00,
             (("NOOP",),), depth=16),
    Workload("noop_rate", "NOOP, 4,000/s over 500 sessions", 0.95, 0.80, (("NOOP",),),
             sessions=500, rate=4000),
    Workload("fetch_10k", "FETCH of 10 KB", 1.00, 0.85, ((FETCH % 10240,),)),
    Workload("fetch_1m", "FETCH of 1 MB", 0.95, 0.85, ((FETCH % MB,),), sessions=8, bulk=True),
    Workload("fetch_50m", "FETCH of 50 MB", 0.95, 0.85, ((FETCH % (50 * MB),),), sessions=4,
             bulk=True),
    Workload("append_10k", "APPEND of 10 KB", 1.05, 0.95, ((APPEND % 10240,),)),
    Workload("append_1m", "APPEND of 1 MB", 1.00, 0.90, ((APPEND % MB,),), sessions=8, bulk=True),
    Workload("mixed", "connections of a phone (IDLE, 4 x 20 KB) and of a webmail (20 KB, APPEND) "
             "in turn", 0.85, 0.70, (PHONE, WEBMAIL), reconnect=True, sessions=32),
    Workload("retr", "a POP3 mailbox: login, STAT, UIDL, 10 x RETR of 20 KB, QUIT", 0.95, 0.80,
             (MAILBOX,), protocol="pop3", reconnect=True, sessions=32),
)

# All clients of a lost machine at once. DESIGN has no figure for its CPU; the login's is taken.
BURST = Workload("connect_storm", "1,000 clients connect and log in at the same moment", 0.85, 0.60,
                 sessions=1000, burst=True)

# The storm beside which NOOPs are paced, and the NOOPs: judged by their p99.
STORM = Workload("storm_rsa", "full RSA logins of 12 clients in a loop", 0, 0, reconnect=True,
                 certificate="rsa", sessions=12)
PACED = Workload("storm_rsa", "NOOP, 1,000/s over 50 sessions, beside 12 clients that do full RSA "
                 "logins", 1.00, 0.50, (("NOOP",),), certificate="rsa", sessions=50, rate=1000)

# With two workers: CPU per operation against one worker's (PERFORMANCE 5).
PAIRED = ("login_ec", "login_ec_resume", "noop", "fetch_1m", "mixed")
PAIR_MUST = 1.10
RESUMED_MUST = 0.95  # of the TLS sessions offered to two workers

# With metrics against the same build without (PERFORMANCE 5).
METRICS_MUST = 1.05

# With a thousand rules against none (DESIGN 4): workload, figure, largest difference of
# CPU µs per operation, or ratio where no rule names the command.
RULED = ("noop", "fetch_10k", "login_ec")
RULES_MUST_RATIO = 1.05  # nothing measurable, for a command that no rule names
RULES_MUST_US = {"fetch_10k": 2.0, "login_ec": 20.0}

# Latency against haproxy in the same round (PERFORMANCE 5): workload, field of the cell, largest
# ratio.
LATENCY_MUSTS = (("noop_rate", "p50", 1.1), ("noop_rate", "p99", 1.1),
                 ("fetch_10k", "p99", 1.5), ("append_10k", "p99", 1.5))
STEP_US = 40000  # Nagle waiting for a delayed ACK; no median of any workload may reach it
STEP_FREE = ("noop", "noop_rate", "fetch_10k", "append_10k")

# Idle sessions: user-space memory each, absolute and against haproxy (PERFORMANCE 5).
IDLE_MUST_KB = 6.0
IDLE_AIM_KB = 4.0
IDLE_MUST_RATIO = 0.35
IDLE_AIM_RATIO = 0.24
IDLE_MUST_CPU_MS = 0.05  # per second and 1,000 sessions
IDLE_GROWTH_KB = 0.5  # after a command on each
ALLOWANCE = 1.05  # on the boundary (PERFORMANCE 5)
