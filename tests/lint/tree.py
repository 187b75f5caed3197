"""The source tree as the lint checks see it: which files there are, and their text without comments and strings."""

import functools
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_COMMENT_OR_STRING = re.compile(
    r'R"(?P<mark>[^(\s\\]{0,16})\(.*?\)(?P=mark)"'  # raw string
    r'|//(?:\\\n|[^\n])*'
    r'|/\*.*?\*/'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'",  # not the separator of 1'000
    re.DOTALL,
)


@functools.lru_cache(maxsize=None)
def files():
    """All files of the project, relative to ROOT: those git knows or would take, or else all but build/."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        paths = [Path(name) for name in listed.stdout.decode().split("\0") if name]
    else:
        paths = [path.relative_to(ROOT) for path in ROOT.rglob("*")]
        paths = [path for path in paths if path.parts[0] not in ("build", ".git")]
    return sorted(path for path in set(paths) if (ROOT / path).is_file())


def cpp(*tops):
    """C++ sources and headers under the named top-level folders."""
    return [path for path in files() if path.suffix in (".cc", ".h") and path.parts[0] in tops]


@functools.lru_cache(maxsize=None)
def text(path):
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


@functools.lru_cache(maxsize=None)
def code(path):
    """A C++ file's text with comments and the insides of strings blanked; lines and columns stay."""
    return _COMMENT_OR_STRING.sub(_blank, text(path))


def _blank(match):
    found = match.group(0)
    if found.startswith("/"):
        return re.sub(r"[^\n]", " ", found)
    return found[0] + re.sub(r"[^\n]", " ", found[1:-1]) + found[-1]


def line_of(source, offset):
    return source.count("\n", 0, offset) + 1


def shebang(path):
    first = text(path).split("\n", 1)[0] if not path.suffix or path.suffix in (".sh", ".py") else ""
    return first if first.startswith("#!") else ""
