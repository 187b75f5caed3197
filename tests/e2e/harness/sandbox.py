"""Runs a program under the system call filter of a systemd unit: sandbox.py UNIT PROGRAM [ARGUMENT]...

What systemd does for SystemCallFilter= is done here with libseccomp, so that the filter is tried without a systemd.
"""

import ctypes
import errno
import os
import re
import subprocess
import sys

ALLOW = 0x7FFF0000
NO_NEW_PRIVILEGES = 38  # PR_SET_NO_NEW_PRIVS


def groups():
    """{"@group": {names of groups and system calls}} as this systemd knows them."""
    text = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], check=True, capture_output=True,
                          text=True).stdout
    found, group = {}, None
    for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines():
        word = line.split("#")[0].strip()
        if line.startswith("@"):
            group = found.setdefault(word, set())
        elif not line.startswith(" "):
            group = None  # what belongs to no group is listed behind them
        elif word and group is not None:
            group.add(word)
    return found


def expand(word, known):
    if not word.startswith("@"):
        return {word}
    return {name for each in known[word] for name in expand(each, known)}


def allowed(unit):
    """The names that the unit's SystemCallFilter= lines leave: the first allows, those with ~ take away."""
    known = groups()
    names = set(expand("@default", known))
    for value in re.findall(r"^SystemCallFilter=(.+)$", open(unit).read(), re.MULTILINE):
        chosen = {name for word in value.lstrip("~").split() for name in expand(word, known)}
        names = names - chosen if value.startswith("~") else names | chosen
    return names


def enter(names):
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_rule_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint]
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    refuse = 0x00050000 | errno.EPERM
    context = library.seccomp_init(refuse)
    for name in sorted(names):
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:  # others are of other machines
            assert library.seccomp_rule_add(context, ALLOW, number, 0) == 0, name
    assert ctypes.CDLL(None).prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
    assert library.seccomp_load(context) == 0, "seccomp_load"


if __name__ == "__main__":
    enter(allowed(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])
