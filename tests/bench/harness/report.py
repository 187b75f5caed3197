"""Tables, in Markdown."""

import math
import statistics

REFERENCE = "haproxy"
QUIET_CPUS = 0.2  # what others may use before the report says so


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |",
             "|" + "|".join("---" if i == 0 else "---:" for i in range(len(head))) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def of(cells, workload, target):
    return [cell for cell in cells if (cell.workload, cell.target) == (workload, target)]


def ratios(cells, workload, target, field="cost", reference=REFERENCE):
    """A figure of the target's cells relative to the reference, round by round."""
    base = {cell.round: getattr(cell, field) for cell in of(cells, workload, reference)
            if not cell.errors}
    return [getattr(cell, field) / base[cell.round] for cell in of(cells, workload, target)
            if base.get(cell.round) and not cell.errors]


def number(value):
    return "%.3f" % value if value < 1 else "%.2f" % value if value < 100 else "%.0f" % value


def costs_table(cells, workloads, targets):
    """Median CPU per operation and, against the reference of the same round, median (min..max)."""
    rows = []
    for workload in workloads:
        row = ["%s, %s" % (workload.name, workload.unit)]
        for target in targets:
            found = of(cells, workload.name, target)
            text = number(statistics.median(cell.cost for cell in found)) if found else "-"
            against = ratios(cells, workload.name, target)
            if target != REFERENCE and against:
                text += " (%.2f, %.2f..%.2f)" % (statistics.median(against), min(against),
                                                 max(against))
            row.append(text)
        rows.append(row)
    return table(["workload"] + list(targets), rows)


def verdict_table(verdicts):
    rows = [[verdict.figure, number(verdict.value), number(verdict.must),
             number(verdict.aim) if verdict.aim is not None else "", verdict.note, verdict.word]
            for verdict in verdicts]
    return table(["figure", "measured", "must", "aim", "range", "verdict"], rows)


def utilisation_table(cells):
    """Who was busy: a cell whose proxy is near 100 % was bound by the proxy and nothing else."""
    rows = []
    for workload, target in dict.fromkeys((cell.workload, cell.target) for cell in cells):
        found = of(cells, workload, target)
        median = {field: statistics.median(getattr(cell, field) for cell in found)
                  for field in ("rate", "proxy", "load", "p50", "p99")}
        rows.append([workload, target, "%.0f" % median["rate"], "%.0f %%" % (100 * median["proxy"]),
                     "%.0f %%" % (100 * median["load"]), "%.0f" % median["p50"],
                     "%.0f" % median["p99"]])
    return table(["workload", "target", "ops/s", "proxy's CPU", "load's CPU", "p50 µs", "p99 µs"],
                 rows)


def idle_table(idles):
    rows = []
    for idle in idles:
        base = next((other.kb for other in idles if other.target == REFERENCE
                     and other.sessions == idle.sessions), 0)
        rows.append([idle.target, str(idle.sessions), "%.2f" % idle.kb, "%.2f" % idle.used_kb,
                     "%.2f" % (idle.kb / base) if base else "-", "%.3f" % idle.hold_ms,
                     "%.0f" % idle.base_kb])
    return table(["target", "sessions", "PSS KB each", "after a command", "x haproxy",
                  "CPU ms/s per 1,000", "process itself KB"], rows)


def counts_table(counts):
    def whole(value):
        return "-" if math.isnan(value) else "{:,.0f}".format(value)

    rows = []
    for count in counts:
        calls = sorted(count.syscalls.items(), key=lambda item: -item[1])
        rows.append([count.what, count.target, whole(count.instructions),
                     "-" if math.isnan(count.allocations) else "%.1f" % count.allocations,
                     whole(count.copied), "%.1f" % sum(count.syscalls.values()) if calls else "-",
                     ", ".join("%s %.1f" % (name, each) for name, each in calls)])
    return table(["operation", "target", "instructions", "allocations", "octets copied",
                  "system calls", "of which"], rows)


def disturbance_line(cells):
    foreign = sorted(cell.foreign for cell in cells)
    stolen = sorted(cell.stolen for cell in cells)
    line = ("Meanwhile other processes used %.2f CPUs (median; worst cell %.2f) and the host kept "
            "%.2f from this machine (worst %.2f)." % (
                statistics.median(foreign), foreign[-1], statistics.median(stolen), stolen[-1]))
    if statistics.median(foreign) > QUIET_CPUS:
        line += " This was not a quiet machine: trust the ratios, not the figures."
    return line
