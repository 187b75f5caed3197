"""Takes the metrics, matchers and grouping labels out of PromQL; enough to compare with a catalogue, no parser."""

import re

METRIC = re.compile(r"\b((?:postern|process)_[a-z0-9_]+|up|[a-z]+:[a-z0-9_:]+)\b\s*(?:\{((?:[^}\"]|\"(?:\\.|[^\"\\])*\")*)\})?")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"((?:\\.|[^"\\])*)"')
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
SUFFIXES = ("_bucket", "_sum", "_count")


def metrics(expression):
    """[(name, [(label, operator, value)])] of each selector."""
    bare = GROUPING.sub(" ", expression)
    # label_replace's strings are no metrics.
    bare = re.sub(r'"(?:\\.|[^"\\])*"(?=\s*[,)])', '""', bare) if "label_replace" in bare else bare
    return [(found[1], MATCHER.findall(found[2] or "")) for found in METRIC.finditer(bare)]


def groupings(expression):
    """Every label named in by, on, ignoring and group_left."""
    return {label.strip() for found in GROUPING.findall(expression) for label in found.split(",") if label.strip()}


def family(name, known):
    """The declared name of a histogram's series, or the name itself."""
    for suffix in SUFFIXES:
        if name.endswith(suffix) and name.removesuffix(suffix) in known:
            return name.removesuffix(suffix)
    return name


def filled(expression, interval="5s", span="1m"):
    """As Grafana would send it, with All chosen everywhere."""
    expression = expression.replace("$__rate_interval", interval).replace("$__range", span)
    return re.sub(r"\$(instance|protocol|pool|listener|command)\b", ".*", expression)
