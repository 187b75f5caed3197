"""One cell of the table: one workload through one target, measured by the load generator."""

import dataclasses
import json
import os
import signal
import subprocess
import time

from . import machine

SETTLE_SECONDS = 0.15  # what the cell before left behind (closing sessions) is gone by then


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
    foreign: float  # CPUs that somebody else used meanwhile
    stolen: float  # CPUs that the host kept from this machine meanwhile
    errors: int
    complaint: str


def load_process(bench, target, options, stdin=None):
    command = [bench.tool("bench_loadgen"), "--proxy-pids", ",".join(map(str, target.pids())),
               "--backend-pids", str(bench.stub.pid), *options]
    return machine.Process(command, bench.cpus.load, bench.niceness, stdin=stdin,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run_cell(bench, target, workload, round_number, measure_ms):
    time.sleep(SETTLE_SECONDS)
    watched = target.pids() + [bench.stub.pid]
    busy, stolen = machine.machine_seconds()
    ours = machine.cpu_seconds(watched)
    begun = time.monotonic()
    process = load_process(bench, target, ["--port", str(target.ports[workload.protocol]),
                                           *workload.loadgen_options(),
                                           "--measure-ms", str(measure_ms), "--", *workload.steps])
    try:
        output, complaint = process.popen.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        output, complaint = "", "the load generator hangs"
    finally:
        process.stop()
    if not output.strip():
        return failed_cell(workload, target, round_number, complaint.strip())
    result = json.loads(output)
    wall = time.monotonic() - begun
    ours = machine.cpu_seconds(watched) - ours
    ours += result["load_cpu_s"] * wall / max(result["wall_s"], 1e-9)
    now_busy, now_stolen = machine.machine_seconds()
    return finished_cell(bench, workload, target, round_number, result,
                         max(0.0, (now_busy - busy - ours) / wall), (now_stolen - stolen) / wall)


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
    return Cell(workload.name, target.name, round_number, 0, 0, 0, 0, 0, 0, 0, 0, 1,
                complaint or "the load generator ended without a word")


def finished_cell(bench, workload, target, round_number, result, foreign, stolen):
    wall, operations = result["wall_s"], result["operations"]
    complaint = result["first_error"]
    errors = result["errors"]
    if operations == 0 and errors == 0:
        errors, complaint = 1, "nothing was answered"
    if workload.resume and result["resumed"] < result["handshakes"]:
        errors, complaint = errors + 1, "not every TLS session was resumed"
    units = result["octets"] / 1e9 if workload.bulk else operations / 1e6
    load = result["load_cpu_s"] + result["backend_cpu_s"]
    if not bench.cpus.shared:
        load = max(result["load_cpu_s"], result["backend_cpu_s"])
    return Cell(workload.name, target.name, round_number, result["proxy_cpu_s"] / max(units, 1e-12),
                operations / wall, result["proxy_cpu_s"] / wall, load / wall, result["p50_us"],
                result["p99_us"], foreign, stolen, errors, complaint)
