"""Who may include whom: the house's layers, and where each third-party library is let in."""

import re

import tree

# A layer may include itself and those named here. server and main.cc may include everything.
ALLOWED = {
    "base": set(),
    "imap": {"base"},
    "pop3": {"base"},
    "sasl": {"base"},
    "rules": {"base"},  # and the command and mailbox headers below
    "metrics": {"base"},  # and the command headers below
    "net": {"base"},
    "engine": {"base", "imap", "pop3", "sasl", "rules", "metrics"},
    "gateway": {"base", "imap", "pop3", "sasl", "rules", "metrics", "net", "engine"},
    "lookup": {"base", "metrics", "net", "gateway"},
    "server": {"base", "imap", "pop3", "sasl", "rules", "metrics", "net", "engine", "gateway", "lookup"},
}

# The label values of the metrics are the commands of the protocols.
RULES_MAY_ALSO = re.compile(r"^postern/(imap/(command|capability|mailbox)|pop3/command)\.h$")
METRICS_MAY_ALSO = re.compile(r"^postern/(imap|pop3)/command[a-z_]*\.h$")

# Bytes in, bytes and decisions out: no sockets, no threads, no clock of their own.
PURE = {"imap", "pop3", "sasl", "rules", "engine"}

# Which files may include a third-party header.
THIRD_PARTY = {
    r"uv\.h": r"src/net/",
    r"openssl/": r"src/net/boringssl\.h$",
    r"prometheus/": r"src/metrics/|src/server/",
    r"toml\+\+/": r"src/server/",
    r"CLI/": r"src/main\.cc$",
    r"boost/": r"src/server/(admin|ctl|http)[a-z_]*\.(cc|h)$|src/lookup/http[a-z_]*\.(cc|h)$",
    r"re2/": r"src/rules/",
    r"date/": r"src/rules/time_window\.cc$",
    r"ares\.h": r"src/net/resolver[a-z_]*\.cc$",
    r"hiredis/": r"src/lookup/redis[a-z_]*\.(cc|h)$",
    r"fmt/": r"src/|include/",
}

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^">]+)[">]', re.MULTILINE)
_SYSTEM = re.compile(r"^(sys|netinet|arpa|net|linux)/|^(unistd|fcntl|poll|pwd|grp|signal|netdb|pthread|sched|"
                     r"link|dlfcn|malloc|syslog|stdlib|string|errno|time|limits|stdio)\.h$")
_IMPURE_STANDARD = {"thread", "mutex", "shared_mutex", "condition_variable", "future", "iostream", "fstream",
                    "filesystem", "csignal", "cstdio"}


def includes(path):
    """(line, '<' or '"', header) of each include."""
    source = tree.text(path)
    return [(tree.line_of(source, found.start()), found.group(1), found.group(2))
            for found in _INCLUDE.finditer(source)]


def layer_of(path):
    """'imap' for src/imap/x.cc and include/postern/imap/x.h; 'main' for src/main.cc."""
    parts = path.parts
    if parts[0] == "include":
        return parts[2] if len(parts) > 3 else ""
    return parts[1] if len(parts) > 2 else "main"


def resolve(path, header):
    """The project's file that an include means, relative to the root, or None."""
    for folder in ("include", "src", str(path.parent)):
        candidate = tree.ROOT / folder / header
        if candidate.is_file():
            return candidate.resolve().relative_to(tree.ROOT)
    return None


def check_layers():
    """an include goes only to the layer itself or to one below it"""
    for path in tree.cpp("src", "include"):
        layer = layer_of(path)
        if layer == "main":
            continue
        if layer not in ALLOWED:
            yield f"{path}: {layer or 'this'} is not a layer of the house (tests/lint/layering.py lists them)"
            continue
        for line, _, header in includes(path):
            target = resolve(path, header)
            if target is None or layer_of(target) == layer:
                continue
            below = layer_of(target)
            if layer == "rules" and RULES_MAY_ALSO.match(header):
                continue
            if layer == "metrics" and METRICS_MAY_ALSO.match(header):
                continue
            if below not in ALLOWED[layer]:
                yield f"{path}:{line}: {layer} may not include {header}: {below} is not below it"
            elif target.parts[0] == "src":
                yield (f"{path}:{line}: {header} is private to {below}; "
                       f"a header that others use lives in include/postern/{below}/")


def check_include_paths():
    """a quoted include names a file of the tree, an angled one never does"""
    for path in tree.cpp("src", "include"):
        for line, mark, header in includes(path):
            if mark == '"' and resolve(path, header) is None:
                yield f'{path}:{line}: "{header}" is not in the tree; libraries are included with <>'
            if mark == "<" and header.startswith("postern/"):
                yield f'{path}:{line}: write "{header}" for our own headers'


def check_third_party():
    """each library is included only where the house lets it in"""
    for path in tree.cpp("src", "include"):
        for line, mark, header in includes(path):
            if mark != "<" or ("." not in header and "/" not in header) or _SYSTEM.match(header):
                continue
            place = next((where for name, where in THIRD_PARTY.items() if re.match(name, header)), None)
            if place is None:
                yield f"{path}:{line}: <{header}> belongs to no library that the house knows"
            elif not re.match(place, path.as_posix()):
                yield f"{path}:{line}: <{header}> may be included only in {place}"


def check_purity():
    """the pure layers know no socket, no thread, no stream of the process and no clock"""
    clock = re.compile(r"\b(steady_clock|system_clock|high_resolution_clock)::now\b|\b(clock_gettime|gettimeofday)\s*\(")
    for path in tree.cpp("src", "include"):
        if layer_of(path) not in PURE:
            continue
        for line, mark, header in includes(path):
            if mark == "<" and (header in _IMPURE_STANDARD or re.match(r"(sys|netinet|arpa)/|(unistd|poll|netdb)\.h", header)):
                yield f"{path}:{line}: <{header}> in a pure layer"
        for found in clock.finditer(tree.code(path)):
            yield f"{path}:{tree.line_of(tree.code(path), found.start())}: a pure layer is told the time, it does not ask"


def check_include_cycles():
    """headers include each other in no circle"""
    edges = {path: {target for _, _, header in includes(path) if (target := resolve(path, header))}
             for path in tree.cpp("src", "include") if path.suffix == ".h"}
    done = set()

    def visit(path, trail):
        if path in trail:
            yield "include cycle: " + " -> ".join(str(step) for step in (*trail[trail.index(path):], path))
        elif path not in done:
            for target in sorted(edges.get(path, ())):
                yield from visit(target, (*trail, path))
            done.add(path)

    for path in sorted(edges):
        yield from visit(path, ())


CHECKS = [check_layers, check_include_paths, check_third_party, check_purity, check_include_cycles]
