"""Checks that other programs do: formatting, shell scripts, Python, and what the binary links."""

import ast
import os
import re
import shutil
import subprocess

import tree


class Skip(Exception):
    """The check cannot be done here; its text says why."""


def _run(*command):
    program = shutil.which(command[0])
    if program is None:
        raise Skip(f"{command[0]} is not installed")
    return subprocess.run([program, *command[1:]], cwd=tree.ROOT, capture_output=True, text=True, check=False)


def check_format():
    """all C++ is formatted as .clang-format says (clang-format-14 -i mends it)"""
    sources = [str(path) for path in tree.cpp("src", "include", "tests")]
    done = _run("clang-format-14", "--dry-run", "-Werror", *sources)
    if done.returncode != 0:
        complaints = re.findall(r"^(\S+?:\d+):\d+: error", done.stderr, re.MULTILINE)
        seen = {}
        for place in complaints:
            name, line = place.rsplit(":", 1)
            seen.setdefault(name, line)
        for name, line in seen.items():
            yield f"{name}:{line}: not formatted; clang-format-14 -i {name}"
        if not seen:
            yield done.stderr.strip()


def check_shell():
    """shell scripts please shellcheck and are executable"""
    scripts = [path for path in tree.files() if re.search(r"\b(ba)?sh\b", tree.shebang(path))]
    for path in scripts:
        if not os.access(tree.ROOT / path, os.X_OK):
            yield f"{path}: has a #! line but is not executable"
    done = _run("shellcheck", "-x", "-S", "warning", "-f", "gcc", *map(str, scripts))
    yield from done.stdout.splitlines()


def check_python():
    """Python is the system's, and compiles"""
    for path in tree.files():
        first = tree.shebang(path)
        if "python" in first and not first.startswith("#!/usr/bin/python3"):
            yield f"{path}:1: the interpreter is /usr/bin/python3, another may come first in PATH"
        if path.suffix == ".py" or "python" in first:
            try:
                ast.parse(tree.text(path), str(path))
            except SyntaxError as error:
                yield f"{path}:{error.lineno}: {error.msg}"


def check_linked_libraries(binary):
    """the binary loads BoringSSL and never the system's OpenSSL"""
    if not os.access(binary, os.X_OK):
        raise Skip(f"there is no {binary}; build it first or name it with --binary")
    done = _run("ldd", str(binary))
    if done.returncode != 0:
        yield f"ldd {binary}: {done.stderr.strip()}"
        return
    for found in re.finditer(r"^\s*(lib(?:ssl|crypto)\.so\.[13]\S*)", done.stdout, re.MULTILINE):
        yield f"{binary} loads {found.group(1)}: two libraries with the same symbols in one process crash"
    if not re.search(r"libssl\.so\.0 => \S+", done.stdout) and "BoringSSL_ROOT" not in os.environ:
        yield f"{binary} does not load Debian's BoringSSL (libssl.so.0)"


CHECKS = [check_format, check_shell, check_python]
