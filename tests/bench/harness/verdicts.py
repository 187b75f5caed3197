"""What must hold (DESIGN 4, PERFORMANCE 5), figure by figure: the value, the limit, the verdict."""

import dataclasses
import statistics

from . import workloads as plan
from .report import ratios, of

REFERENCE = "haproxy"


@dataclasses.dataclass
class Verdict:
    figure: str
    value: float
    must: float
    aim: float = None
    note: str = ""
    at_least: bool = False  # the must is a lower limit
    allowance: float = plan.ALLOWANCE

    @property
    def met(self):
        if self.at_least:
            return self.value >= self.must
        return self.value <= self.must * self.allowance

    @property
    def word(self):
        if not self.met:
            return "MISS"
        if not self.at_least and self.value > self.must:
            return "PASS within 5 %"
        return "PASS, aim" if self.aim is not None and self.value <= self.aim else "PASS"


def all_verdicts(cells, idles, measured):
    """measured: the workloads that were run. Empty without Postern and the reference."""
    return (cost_verdicts(cells, measured) + latency_verdicts(cells) + pair_verdicts(cells) +
            metrics_verdicts(cells, measured) + rules_verdicts(cells, measured) +
            idle_verdicts(idles))


def spread(values):
    return "%.2f to %.2f" % (min(values), max(values))


def cost_verdicts(cells, measured):
    found = []
    for workload in measured:
        against = ratios(cells, workload.name, "postern")
        if against:
            kind = "p99" if workload.name == plan.PACED.name else "CPU"
            found.append(Verdict("%s, %s x haproxy" % (workload.name, kind),
                                 statistics.median(against), workload.must, workload.aim,
                                 spread(against)))
    return found


def latency_verdicts(cells):
    found = []
    for workload, field, must in plan.LATENCY_MUSTS:
        against = ratios(cells, workload, "postern", field)
        if against:
            found.append(Verdict("%s, %s x haproxy" % (workload, field),
                                 statistics.median(against), must, note=spread(against)))
    for workload in plan.STEP_FREE:
        p99 = [cell.p99 for cell in of(cells, workload, "postern")]
        if p99:
            found.append(Verdict("%s, p99 below a delayed ACK, µs" % workload,
                                 statistics.median(p99), plan.STEP_US, allowance=1))
    return found


def pair_verdicts(cells):
    found = []
    for workload in plan.PAIRED:
        against = ratios(cells, workload, "postern:2", reference="postern:1")
        if against:
            found.append(Verdict("%s, CPU with two workers x with one" % workload,
                                 statistics.median(against), plan.PAIR_MUST, note=spread(against)))
    resumed = [cell.resumed for cell in of(cells, "login_ec_resume", "postern:2")]
    if resumed:
        found.append(Verdict("resumed by either of two workers", statistics.median(resumed),
                             plan.RESUMED_MUST, at_least=True))
    return found


def metrics_verdicts(cells, measured):
    found = []
    for workload in measured:
        against = ratios(cells, workload.name, "postern", reference="no-metrics")
        if against:
            found.append(Verdict("%s, CPU with metrics x without" % workload.name,
                                 statistics.median(against), plan.METRICS_MUST,
                                 note=spread(against)))
    return found


def rules_verdicts(cells, measured):
    found = []
    for workload in measured:
        against = ratios(cells, workload.name, "rules", reference="postern")
        if not against:
            continue
        if workload.name not in plan.RULES_MUST_US:
            found.append(Verdict("%s (no rule names it), CPU with 1,000 rules x without" %
                                 workload.name, statistics.median(against),
                                 plan.RULES_MUST_RATIO, note=spread(against)))
            continue
        without = statistics.median(cell.cost for cell in of(cells, workload.name, "postern"))
        more = [without * (ratio - 1) for ratio in against]
        found.append(Verdict("%s, CPU µs more with 1,000 rules" % workload.name,
                             statistics.median(more), plan.RULES_MUST_US[workload.name],
                             note=spread(more)))
    return found


def idle_verdicts(idles):
    found = []
    for idle in idles:
        if idle.target != "postern" or idle.errors:
            continue
        name = "%d idle sessions, " % idle.sessions
        found.append(Verdict(name + "PSS KB each", max(idle.kb, idle.used_kb), plan.IDLE_MUST_KB,
                             plan.IDLE_AIM_KB, allowance=1))
        found.append(Verdict(name + "growth after a command, KB", idle.used_kb - idle.kb,
                             plan.IDLE_GROWTH_KB, allowance=1))
        found.append(Verdict(name + "CPU ms/s per 1,000", idle.hold_ms, plan.IDLE_MUST_CPU_MS))
        base = next((other.kb for other in idles if other.target == REFERENCE
                     and other.sessions == idle.sessions), 0)
        if base:
            found.append(Verdict(name + "PSS x haproxy", idle.kb / base, plan.IDLE_MUST_RATIO,
                                 plan.IDLE_AIM_RATIO))
    return found
