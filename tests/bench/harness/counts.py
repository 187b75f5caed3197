"""What one operation costs in things that can be counted, with a single session and nobody else:
instructions in user space, system calls, allocations, octets copied. Neighbours do not change them.

Each is the difference between 2 n and n operations, so that connecting and logging in falls out.
"""

import dataclasses
import re
import signal
import struct
import subprocess
import time

from . import machine
from .cells import finish, workload_process
from .targets import TARGETS, read_line
from .workloads import WORKLOADS

# name in the table, workload, n
COUNTED = (("NOOP", "noop", 100), ("FETCH 1 MB", "fetch_1m", 8), ("APPEND 1 MB", "append_1m", 8),
           ("FETCH 10 KB", "fetch_10k", 100), ("APPEND 10 KB", "append_10k", 40), ("login (ECDSA)", "login_ec", 20))
TARGETS_COUNTED = ("haproxy", "postern", "rules")
SETTLE_SECONDS = 0.1  # until the last session is closed at both ends
MOST_MS = 60000


@dataclasses.dataclass
class Count:
    what: str
    target: str
    instructions: float = float("nan")
    syscalls: dict = dataclasses.field(default_factory=dict)  # by name, per operation
    allocations: float = float("nan")
    copied: float = float("nan")  # octets
    complaint: str = ""


def drive(bench, target, name, operations):
    workload = next(known for known in WORKLOADS if known.name == name)
    workload = dataclasses.replace(workload, sessions=1)
    result, complaint = finish(workload_process(
        bench, target, workload, MOST_MS, ["--warmup-ms", "0", "--operations", str(operations)]))
    complaint = complaint or result["first_error"]
    if complaint:
        raise machine.Refusal("counting %s of %s: %s" % (name, target.name, complaint))
    time.sleep(SETTLE_SECONDS)


def count_all(bench):
    counts = []
    for kind in TARGETS_COUNTED:
        by_name = {what: Count(what, kind) for what, _, _ in COUNTED}
        for step in (count_memory, count_syscalls, count_instructions):
            try:
                step(bench, kind, by_name)
            except (machine.Refusal, OSError) as error:
                machine.say("not counted: %s" % error)
        counts += by_name.values()
        machine.say("counted " + kind)
    return counts


def count_memory(bench, kind, by_name):
    """With a library that counts in a file, preloaded."""
    target = TARGETS[kind](bench)
    path = bench.path("counts-" + kind)
    with open(path, "wb") as file:
        file.write(bytes(24))
    target.environment = {"LD_PRELOAD": bench.tool("libbench_counts.so"), "BENCH_COUNTS": path}

    def now():
        with open(path, "rb") as file:
            return struct.unpack("3Q", file.read(24))

    target.start()
    try:
        for what, name, n in COUNTED:
            drive(bench, target, name, n)  # what is made once
            readings = [now()]
            for operations in (n, 2 * n):
                drive(bench, target, name, operations)
                readings.append(now())
            each = [(c - b - (b - a)) / n for a, b, c in zip(*readings)]
            by_name[what].allocations, by_name[what].copied = each[0], each[2]
    finally:
        target.stop()


def count_syscalls(bench, kind, by_name):
    target = TARGETS[kind](bench)
    target.start()
    try:
        for what, name, n in COUNTED:
            once, twice = (traced(bench, target, name, operations) for operations in (n, 2 * n))
            # A call or two in a span belong to the seconds, not to the operations.
            found = {call: (calls - once.get(call, 0)) / n for call, calls in twice.items()}
            by_name[what].syscalls = {call: each for call, each in found.items() if each >= 0.05}
    finally:
        target.stop()


def traced(bench, target, name, operations):
    """Calls by name while so many operations run."""
    table = bench.path("strace")
    tracer = subprocess.Popen([machine.require_tool("strace"), "-f", "-c", "-o", table, "-p",
                               str(target.pids()[-1])], stderr=subprocess.PIPE, text=True)
    try:
        read_line(tracer.stderr, 10, "strace")  # "Process N attached"
        time.sleep(0.1)
        drive(bench, target, name, operations)
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.communicate()
    calls = {}
    with open(table) as lines:
        for line in lines:
            fields = line.split()
            if len(fields) >= 5 and fields[0][0].isdigit() and fields[-1] != "total":
                calls[fields[-1]] = int(fields[3])
    return calls


def count_instructions(bench, kind, by_name):
    """Under callgrind, which writes its count to a new file whenever it is told to, and starts anew."""
    machine.require_tool("valgrind")
    target = TARGETS[kind](bench)
    out = bench.path("callgrind-" + kind)
    target.wrapper = ["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out, "-q"]
    target.start()
    parts = 0

    def since_last():
        nonlocal parts
        parts += 1
        subprocess.run(["callgrind_control", "-d", str(target.process.pid)], check=True,
                       capture_output=True)
        with open("%s.%d" % (out, parts)) as file:
            return int(re.search(r"^(?:summary|totals): (\d+)", file.read(), re.MULTILINE).group(1))

    try:
        for what, name, n in COUNTED:
            drive(bench, target, name, n)
            since_last()
            spans = []
            for operations in (n, 2 * n):
                drive(bench, target, name, operations)
                spans.append(since_last())
            by_name[what].instructions = (spans[1] - spans[0]) / n
    finally:
        target.stop()
