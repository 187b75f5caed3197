"""The metrics Postern has: declared in src/metrics, and seen in the scrape of one that had traffic."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What Prometheus adds to every series.
SCRAPED = {"job", "instance"}


class Catalogue:
    """`families`: {name: (type, labels)}; labels of what was never seen are those that any family declares."""

    def __init__(self):
        self.families = {}
        labels = set()
        for path in sorted((ROOT / "src" / "metrics").glob("*.cc")):
            source = path.read_text()
            for kind, name in re.findall(r'\b(Counters|Gauges|Histograms|gauge|emit)\(\s*"((?:postern|process)_\w+)"', source):
                self.families[name] = (kind.lower(), None)
            labels |= set(re.findall(r'\{"(\w+)", ', source))
        self.all_labels = labels | {"le"}
        self.values = {}

    def learn(self, text):
        """Takes the labels from a scrape. What it has and the source does not declare is an error of this reader."""
        types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
        for name, kind in types.items():
            assert name in self.families, f"{name} is exported and not found in src/metrics"
            seen = set()
            for labels in re.findall(rf"^{name}(?:_bucket)?\{{(.*)\}} ", text, re.MULTILINE):
                for label, value in re.findall(r'(\w+)="((?:\\.|[^"\\])*)"', labels):
                    seen.add(label)
                    self.values.setdefault((name, label), set()).add(value)
            self.families[name] = (kind, seen)
        return len(types)

    def labels(self, name):
        return (self.families[name][1] if self.families[name][1] is not None else self.all_labels) | SCRAPED
