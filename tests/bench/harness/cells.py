"""One cell of the table: one workload through one target, measured by the load generator."""

import dataclasses
import json
import os
import signal
import subprocess
import time

from . import machine
from .targets import read_line
from .workloads import PACED, STORM

SETTLE_SECONDS = 0.15  # what the cell before left behind (closing sessions) is gone by then
STORM_LEAD_SECONDS = 0.4  # the storm is on when the first paced command goes
HANG_SECONDS = 120


@dataclasses.dataclass
class Cell:
    workload: str
    target: str
    round: int
    cost: float  # CPU µs per operation or s per GB
    rate: float  # operations per second
    proxy: float  # share of its CPU the proxy used
    load: float  # share of their CPU that load generator and backend used
    p50: float
    p99: float
    resumed: float  # share of the handshakes that resumed a TLS session
    foreign: float  # CPUs that somebody else used meanwhile
    stolen: float  # CPUs that the host kept from this machine meanwhile
    errors: int
    complaint: str


def load_process(bench, target, options, stdin=None):
    command = [bench.tool("bench_loadgen"), "--proxy-pids", ",".join(map(str, target.pids())),
               "--backend-pids", str(bench.stub.pid), *options]
    return machine.Process(command, {bench.cpus.load}, bench.niceness, stdin=stdin,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def workload_process(bench, target, workload, measure_ms, options=(), stdin=None):
    return load_process(bench, target, ["--port", str(target.ports[workload.protocol]),
                                        *workload.loadgen_options(), "--measure-ms",
                                        str(measure_ms), *options, *workload.steps()], stdin)


def finish(process):
    """(the result or None, the complaint)"""
    try:
        output, complaint = process.popen.communicate(timeout=HANG_SECONDS)
    except subprocess.TimeoutExpired:
        output, complaint = "", "the load generator hangs"
    finally:
        process.stop()
    if not output.strip():
        return None, complaint.strip() or "the load generator ended without a word"
    return json.loads(output), ""


class Watch:
    """What the machine does beside us while a cell runs."""

    def __init__(self, watched):
        self.watched = watched
        self.busy, self.stolen = machine.machine_seconds()
        self.ours = machine.cpu_seconds(watched)
        self.begun = time.monotonic()

    def done(self, load_seconds_of_wall):
        """(CPUs of others, CPUs stolen), given what share of a CPU the load generator used."""
        wall = time.monotonic() - self.begun
        busy, stolen = machine.machine_seconds()
        ours = machine.cpu_seconds(self.watched) - self.ours + load_seconds_of_wall * wall
        return max(0.0, (busy - self.busy - ours) / wall), (stolen - self.stolen) / wall


def run_cell(bench, target, workload, round_number, measure_ms):
    time.sleep(SETTLE_SECONDS)
    watch = Watch(target.pids() + [bench.stub.pid])
    result, complaint = finish(workload_process(bench, target, workload, measure_ms))
    if result is None:
        return failed_cell(workload, target, round_number, complaint)
    foreign, stolen = watch.done(result["load_cpu_s"] / max(result["wall_s"], 1e-9))
    return finished_cell(bench, workload, target, round_number, result, foreign, stolen)


def run_storm(bench, target, round_number, measure_ms):
    """Paced NOOPs beside a storm of logins; the cost of the cell is their p99.

    The paced load and the backend go before the storm's load on their CPU, or their waiting for it
    would be taken for the proxy's.
    """
    time.sleep(SETTLE_SECONDS)
    watch = Watch(target.pids() + [bench.stub.pid])
    paced = workload_process(bench, target, PACED, measure_ms, ["--hold"], subprocess.PIPE)
    first = read_line(paced.popen.stdout, HANG_SECONDS, "the load generator")
    if first.strip() != "open":
        paced.stop()
        return failed_cell(PACED, target, round_number, first.strip())
    with machine.RealTime([paced.pid, bench.stub.pid]):
        storm = workload_process(bench, target, STORM, measure_ms + 1000)
        time.sleep(STORM_LEAD_SECONDS)
        paced.popen.stdin.write("go\n")
        paced.popen.stdin.flush()
        result, complaint = finish(paced)
        logins, storm_complaint = finish(storm)
    if result is None or logins is None or logins["errors"]:
        complaint = complaint or storm_complaint or logins["first_error"]
        return failed_cell(PACED, target, round_number, complaint)
    load = result["load_cpu_s"] / result["wall_s"] + logins["load_cpu_s"] / logins["wall_s"]
    foreign, stolen = watch.done(load)
    cell = finished_cell(bench, PACED, target, round_number, result, foreign, stolen)
    cell.cost, cell.rate, cell.load = cell.p99, logins["operations"] / logins["wall_s"], load
    return cell


class Profile:
    """perf record on a target while a cell runs; nothing when no folder is given."""

    def __init__(self, folder, target, workload):
        self.process = None
        if folder is None:
            return
        os.makedirs(folder, exist_ok=True)
        data = os.path.join(folder, "%s-%s.data" % (workload.name, target.name))
        self.process = subprocess.Popen(
            [machine.require_tool("perf"), "record", "-q", "-F", "2000", "-o", data, "-p",
             ",".join(map(str, target.pids()))], stderr=subprocess.DEVNULL, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait()


def failed_cell(workload, target, round_number, complaint):
    return Cell(workload.name, target.name, round_number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, complaint)


def finished_cell(bench, workload, target, round_number, result, foreign, stolen):
    wall, operations = result["wall_s"], result["operations"]
    complaint = result["first_error"]
    errors = result["errors"]
    if operations == 0 and result["octets"] == 0 and errors == 0:
        errors, complaint = 1, "nothing was answered"
    resumed = result["resumed"] / result["handshakes"] if result["handshakes"] else 0
    # Whoever moves to another worker is judged by the report.
    if workload.resume and target.workers == 1 and resumed < 1 and errors == 0:
        errors, complaint = 1, "not every TLS session was resumed"
    units = result["octets"] / 1e9 if workload.bulk else operations / 1e6
    load = result["load_cpu_s"] + result["backend_cpu_s"]
    if not bench.cpus.shared:
        load = max(result["load_cpu_s"], result["backend_cpu_s"])
    return Cell(workload.name, target.name, round_number, result["proxy_cpu_s"] / max(units, 1e-12),
                operations / wall, result["proxy_cpu_s"] / wall, load / wall, result["p50_us"],
                result["p99_us"], resumed, foreign, stolen, errors, complaint)
