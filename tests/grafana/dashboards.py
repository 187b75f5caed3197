"""What must hold of each dashboard, one generator of complaints per law."""

import json
import pathlib
import re

from promql import family, groupings, metrics

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "grafana" / "dashboards"
NAMES = ("overview", "commands", "backends", "security", "gateway")
UNITS = {"short", "none", "s", "cps", "Bps", "bytes", "percentunit", "d"}
VARIABLES = ("datasource", "instance", "protocol", "pool", "listener")
# Selections and pairs that a label from elsewhere may carry.
OWN = {"command", *VARIABLES, "__rate_interval", "__range", "__url_time_range", "__all_variables", "__field"}


def load():
    return {name: json.loads((FOLDER / f"{name}.json").read_text()) for name in NAMES}


def panels(board):
    return [each for each in board["panels"] if each["type"] != "row"]


def expressions(board):
    """(where, expression) of everything that asks Prometheus."""
    for panel in panels(board):
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", target["expr"]
    for each in board["annotations"]["list"]:
        if "expr" in each:
            yield f"annotation {each['name']}", each["expr"]
    for each in board["templating"]["list"]:
        if each["type"] == "query":
            yield f"variable {each['name']}", re.sub(r"^label_values\((.*), \w+\)$", r"\1", each["query"]["query"])


def shape(board, catalogue, boards):
    """Schema version, identifiers, variables, a grid without overlaps."""
    if board["schemaVersion"] != 39:
        yield f"schemaVersion {board['schemaVersion']}"
    numbers = [each["id"] for each in board["panels"]]
    if len(numbers) != len(set(numbers)):
        yield f"panel ids repeat: {numbers}"
    titles = [each["title"] for each in panels(board)]
    if len(titles) != len(set(titles)):
        yield f"titles repeat: {sorted(titles)}"
    names = [each["name"] for each in board["templating"]["list"]]
    yield from (f"no variable {name}" for name in VARIABLES if name not in names)
    asked = " ".join(expression for _, expression in expressions(board))
    for each in board["templating"]["list"][1:]:
        if each["hide"] == 0 and not re.search(rf"\${each['name']}\b", asked):
            yield f"variable {each['name']} is shown and used by no panel"
    taken = {}
    for each in board["panels"]:
        grid = each["gridPos"]
        for cell in ((x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])):
            if cell[0] >= 24 or taken.setdefault(cell, each["title"]) != each["title"]:
                yield f"{each['title']} stands on {taken.get(cell)} or beyond the edge"
                break


def words(board, catalogue, boards):
    """Each panel says what it means and has a unit that Grafana knows."""
    for panel in panels(board):
        if len(panel["description"]) < 60:
            yield f"{panel['title']}: its description says too little"
        unit = panel["fieldConfig"]["defaults"]["unit"]
        if unit not in UNITS:
            yield f"{panel['title']}: unit {unit!r}"
        if not panel["fieldConfig"]["defaults"]["thresholds"]["steps"]:
            yield f"{panel['title']}: no thresholds"
        if not panel["targets"]:
            yield f"{panel['title']}: asks nothing"


def queries(board, catalogue, boards):
    """Only metrics and labels that there are, chosen variables only, rates over the interval Grafana knows."""
    for where, expression in expressions(board):
        found = metrics(expression)
        if not found:
            yield f"{where}: no metric in {expression}"
        for name, matchers in found:
            name = family(name, catalogue.families)
            if name not in catalogue.families:
                yield f"{where}: there is no metric {name}"
                continue
            for label, _, _ in matchers:
                if label not in catalogue.labels(name):
                    yield f"{where}: {name} has no label {label}"
        if not found or any(family(name, catalogue.families) not in catalogue.families for name, _ in found):
            continue
        everywhere = set().union(*(catalogue.labels(family(name, catalogue.families)) for name, _ in found), {"le"})
        yield from (f"{where}: groups by {label}, which nothing in it has" for label in groupings(expression) - everywhere)
        for window in re.findall(r"\[([^\]]+)\]", expression):
            if window not in ("$__rate_interval", "$__range", "1h"):
                yield f"{where}: a window of {window}"
        if "histogram_quantile" in expression and not re.search(r"sum by \(le[,)]", expression):
            yield f"{where}: a quantile that is not over sum by (le)"
        yield from (f"{where}: unknown variable ${name}" for name in re.findall(r"\$\{?(\w+)", expression) if name not in OWN)


def legends(board, catalogue, boards):
    """A legend names only labels that the expression leaves."""
    for panel in panels(board):
        for target in panel["targets"]:
            kept = groupings(target["expr"])
            names = [family(name, catalogue.families) for name, _ in metrics(target["expr"])]
            if not kept or not re.search(r"\bby\s*\(", target["expr"]):
                kept = kept.union(*(catalogue.labels(name) for name in names if name in catalogue.families))
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                if label not in kept and "label_replace" not in target["expr"]:
                    yield f"{panel['title']}: legend names {label}"


def links(board, catalogue, boards):
    """Every panel leads somewhere, every link to a dashboard that there is, every dashboard to all others."""
    known = {each["uid"] for each in boards.values()}
    reached = set()
    for panel in panels(board):
        if not panel["links"]:
            yield f"{panel['title']}: leads nowhere"
    for where, url in every_link(board):
        found = re.match(r"/d/([\w-]+)/[\w-]+", url)
        if not found or found[1] not in known:
            yield f"{where}: {url} leads to no dashboard of ours"
        elif where == "dashboard":
            reached.add(found[1])
    yield from (f"no link to {each}" for each in known - reached - {board["uid"]})


def every_link(board):
    yield from (("dashboard", each["url"]) for each in board["links"])
    for panel in panels(board):
        for each in panel["links"] + panel["fieldConfig"]["defaults"].get("links", []):
            yield panel["title"], each["url"]


LAWS = (shape, words, queries, legends, links)
