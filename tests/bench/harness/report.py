"""Tables and verdicts, in Markdown."""

import statistics

from .workloads import ALLOWANCE, IDLE_MUST_CPU_MS, IDLE_MUST_KB, IDLE_MUST_RATIO, LATENCY_MUSTS

REFERENCE = "haproxy"
QUIET_CPUS = 0.2  # what others may use before the report says so


def verdict(ratio, must):
    if ratio <= must:
        return "PASS"
    return "PASS within 5 %" if ratio <= must * ALLOWANCE else "MISS"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |",
             "|" + "|".join("---" if i == 0 else "---:" for i in range(len(head))) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def of(cells, workload, target):
    return [cell for cell in cells if (cell.workload, cell.target) == (workload, target)]


def ratios(cells, workload, target, field="cost"):
    """A figure of the target's cells relative to the reference, round by round."""
    reference = {cell.round: getattr(cell, field) for cell in of(cells, workload, REFERENCE)}
    return [getattr(cell, field) / reference[cell.round] for cell in of(cells, workload, target)
            if reference.get(cell.round)]


def number(value):
    return "%.3f" % value if value < 1 else "%.2f" % value if value < 100 else "%.0f" % value


def costs_table(cells, workloads, targets):
    """Median CPU per operation and, against the reference of the same round, median (min..max)."""
    rows = []
    for workload in workloads:
        row = ["%s, %s" % (workload.name, workload.unit)]
        for target in targets:
            found = of(cells, workload.name, target)
            if not found:
                row.append("-")
                continue
            text = number(statistics.median(cell.cost for cell in found))
            against = ratios(cells, workload.name, target)
            if target != REFERENCE and against:
                text += " (%.2f, %.2f..%.2f)" % (statistics.median(against), min(against),
                                                 max(against))
            row.append(text)
        row += judged(cells, workload) if "postern" in targets else []
        rows.append(row)
    head = ["workload"] + list(targets)
    head += ["must", "verdict"] if "postern" in targets else []
    return table(head, rows)


def judged(cells, workload):
    against = ratios(cells, workload.name, "postern")
    if not against:
        return ["%.2f" % workload.must, "not measured"]
    return ["%.2f" % workload.must, verdict(statistics.median(against), workload.must)]


def latency_table(cells, targets):
    rows = []
    for workload, field, must in LATENCY_MUSTS:
        row = ["%s, %s µs" % (workload, field)]
        for target in targets:
            found = [getattr(cell, field) for cell in of(cells, workload, target)]
            against = ratios(cells, workload, target, field)
            row.append("%.0f (%.2f)" % (statistics.median(found), statistics.median(against))
                       if against else "-")
        against = ratios(cells, workload, "postern", field)
        row += ["%.2f" % must, verdict(statistics.median(against), must) if against else "-"]
        rows.append(row)
    return table(["latency"] + list(targets) + ["must", "verdict"], rows)


def utilisation_table(cells, workloads, targets):
    """Who was busy: a cell whose proxy is near 100 % was bound by the proxy and nothing else."""
    rows = []
    for workload in workloads:
        for target in targets:
            found = of(cells, workload.name, target)
            if not found:
                continue
            median = {field: statistics.median(getattr(cell, field) for cell in found)
                      for field in ("rate", "proxy", "load", "p50", "p99")}
            rows.append([workload.name, target, "%.0f" % median["rate"],
                         "%.0f %%" % (100 * median["proxy"]), "%.0f %%" % (100 * median["load"]),
                         "%.0f" % median["p50"], "%.0f" % median["p99"]])
    return table(["workload", "target", "ops/s", "proxy's CPU", "load's CPU", "p50 µs", "p99 µs"],
                 rows)


def idle_table(idles):
    rows = []
    for idle in idles:
        base = next((other.kb for other in idles if other.target == REFERENCE
                     and other.sessions == idle.sessions), 0)
        row = [idle.target, str(idle.sessions), "%.2f" % idle.kb, "%.2f" % idle.used_kb,
               "%.2f" % (idle.kb / base) if base else "-", "%.3f" % idle.hold_ms,
               "%.0f" % idle.base_kb]
        row.append(idle_verdict(idle, base) if idle.target == "postern" else "")
        rows.append(row)
    return table(["target", "sessions", "PSS KB each", "after a command", "x haproxy",
                  "CPU ms/s per 1,000", "process itself KB", "verdict"], rows)


def idle_verdict(idle, base):
    missed = []
    if max(idle.kb, idle.used_kb) > IDLE_MUST_KB:
        missed.append("%.0f KB" % IDLE_MUST_KB)
    if base and idle.kb / base > IDLE_MUST_RATIO:
        missed.append("x %.2f" % IDLE_MUST_RATIO)
    if idle.hold_ms > IDLE_MUST_CPU_MS:
        missed.append("%.2f ms" % IDLE_MUST_CPU_MS)
    return "MISS (%s)" % ", ".join(missed) if missed else "PASS"


def disturbance_line(cells):
    foreign = sorted(cell.foreign for cell in cells)
    stolen = sorted(cell.stolen for cell in cells)
    line = ("Meanwhile other processes used %.2f CPUs (median; worst cell %.2f) and the host kept "
            "%.2f from this machine (worst %.2f)." % (
                statistics.median(foreign), foreign[-1], statistics.median(stolen), stolen[-1]))
    if statistics.median(foreign) > QUIET_CPUS:
        line += " This was not a quiet machine: trust the ratios, not the figures."
    return line
