"""Reads the text a scrape returns, and knows the laws it must obey (DESIGN 1.4)."""

import re
import urllib.error
import urllib.request

LINE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Scrape:
    """Samples by name; every question takes labels to narrow it."""

    def __init__(self, text):
        self.text = text
        self.samples = {}
        for line in text.splitlines():
            if not line or line.startswith("#"):
                continue
            found = LINE.match(line)
            assert found, f"not a sample: {line!r}"
            labels = dict(LABEL.findall(found[2] or ""))
            self.samples.setdefault(found[1], []).append((labels, float(found[3])))

    def all(self, metric, **labels):
        """(labels, value) of each series that carries these label values."""
        return [(each, value) for each, value in self.samples.get(metric, [])
                if all(each.get(key) == wanted for key, wanted in labels.items())]

    def sum(self, metric, **labels):
        return sum(value for _, value in self.all(metric, **labels))

    def by(self, metric, label, **labels):
        """Sums per value of one label."""
        sums = {}
        for each, value in self.all(metric, **labels):
            sums[each.get(label)] = sums.get(each.get(label), 0) + value
        return {key: value for key, value in sums.items() if value}

    def buckets(self, metric, **labels):
        """{upper bound: observations in this bucket alone}, summed over the series."""
        cumulative = {}
        for each, value in self.all(metric + "_bucket", **labels):
            bound = float(each["le"].replace("+Inf", "inf"))
            cumulative[bound] = cumulative.get(bound, 0) + value
        alone, before = {}, 0
        for bound in sorted(cumulative):
            alone[bound] = cumulative[bound] - before
            before = cumulative[bound]
        return {bound: count for bound, count in alone.items() if count}

    def series(self):
        return sum(len(each) for each in self.samples.values())

    def __getitem__(self, metric):
        return self.sum(metric)


def get(address, path, timeout=20):
    """(status, body) of an HTTP GET."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def broken_laws(scrape):
    """A sentence for each law that does not hold. Only meaningful when nothing is in flight."""
    broken = []

    def law(name, left, right):
        if left != right:
            broken.append(f"{name}: {left:.0f} != {right:.0f}")

    for protocol in ("imap", "pop3"):
        here = {"protocol": protocol}
        results = {result: scrape.sum("postern_commands_total", result=result, **here)
                   for result in ("ok", "no", "bad", "err", "denied", "local", "aborted")}
        in_flight = scrape.sum("postern_commands_in_flight", **here)
        law(f"{protocol}: commands begun = ended + in flight",
            scrape.sum("postern_commands_begun_total", **here),
            scrape.sum("postern_commands_total", **here) + in_flight)
        law(f"{protocol}: every result is a known one",
            scrape.sum("postern_commands_total", **here), sum(results.values()))
        answered = results["ok"] + results["no"] + results["bad"] + results["err"]
        for histogram in ("postern_command_duration_seconds", "postern_backend_command_seconds"):
            law(f"{protocol}: observations of {histogram} = results of backends",
                scrape.sum(histogram + "_count", **here), answered)
        law(f"{protocol}: client in = backend out + elided - inserted",
            scrape.sum("postern_bytes_total", side="client", direction="in", **here),
            scrape.sum("postern_bytes_total", side="backend", direction="out", **here)
            + scrape.sum("postern_elided_bytes_total", **here)
            - scrape.sum("postern_inserted_bytes_total", **here))
        law(f"{protocol}: sessions opened = closed + open",
            scrape.sum("postern_sessions_opened_total", **here),
            scrape.sum("postern_sessions_total", **here) + scrape.sum("postern_sessions", **here))
    return broken
