"""The machine and the processes on it: CPUs, packages, versions, memory, who else is running."""

import ctypes
import os
import platform
import shutil
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1
PACKAGES = {"/usr/sbin/haproxy": "haproxy", "/usr/sbin/nginx": "nginx",
            "/usr/lib/nginx/modules/ngx_mail_module.so": "libnginx-mod-mail",
            "/usr/bin/openssl": "openssl",
            "/usr/include/benchmark/benchmark.h": "libbenchmark-dev"}
TICKS = os.sysconf("SC_CLK_TCK")


class Refusal(Exception):
    """Something the user can mend; its text is the whole message."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def require_packages(install, root):
    missing = [package for path, package in PACKAGES.items() if not os.path.exists(path)]
    if not missing:
        return
    if not install:
        raise Refusal("missing Debian packages: %s; --install gets them" % " ".join(missing))
    script = 'source "$0" && packages_require "${PACKAGES_BUILD[@]}" "${PACKAGES_BENCH[@]}"'
    packages = os.path.join(root, "rules", "quickstart", "packages.sh")
    if subprocess.run(["bash", "-c", script, packages], stdout=sys.stderr).returncode != 0:
        raise Refusal("could not install: " + " ".join(missing))


def package_version(package):
    found = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package],
                           capture_output=True, text=True)
    return found.stdout or "unknown"


def cpu_model():
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


class Cpus:
    """One CPU for the proxy; the load and the backend on another, or on one each if there are three.

    A proxy with two workers gets two CPUs: its own if there are four, else all that there are.
    """

    def __init__(self):
        allowed = sorted(os.sched_getaffinity(0))
        if len(allowed) < 2:
            raise Refusal("two CPUs are needed: one for the proxy, one for load and backend")
        self.load = allowed[0]
        self.proxy = allowed[1]
        self.backend = allowed[2] if len(allowed) > 2 else allowed[0]
        self.pair = {allowed[1], allowed[3]} if len(allowed) > 3 else set(allowed)

    @property
    def shared(self):
        return self.load == self.backend


class RealTime:
    """These processes go before all others on their CPU; nothing where the kernel forbids it."""
    refused = False

    def __init__(self, pids):
        self.pids = pids

    def __enter__(self):
        self.schedule(os.SCHED_FIFO, 1)

    def __exit__(self, *_):
        self.schedule(os.SCHED_OTHER, 0)

    def schedule(self, policy, priority):
        for pid in self.pids:
            try:
                os.sched_setscheduler(pid, policy, os.sched_param(priority))
            except PermissionError:
                RealTime.refused = True
            except ProcessLookupError:
                pass


class Process:
    """A child on a set of CPUs that cannot outlive this script."""

    def __init__(self, command, cpus, niceness=0, stdin=None, stdout=None, stderr=None,
                 environment=None):
        libc = ctypes.CDLL(None)

        def prepare():
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            os.sched_setaffinity(0, cpus)
            if niceness:
                be_nice(niceness)

        self.popen = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=stderr, text=True,
                                      start_new_session=True, preexec_fn=prepare,
                                      env=dict(os.environ, **environment) if environment else None)

    @property
    def pid(self):
        return self.popen.pid

    def pids(self):
        """This process and its children (a master and its worker)."""
        found = [self.pid]
        with open("/proc/%d/task/%d/children" % (self.pid, self.pid)) as children:
            found += [int(pid) for pid in children.read().split()]
        return found

    def stop(self):
        if self.popen.poll() is not None:
            return
        family = self.pids()
        self.popen.terminate()
        try:
            self.popen.wait(5)
        except subprocess.TimeoutExpired:
            say("%s does not end by itself, killing it" % self.popen.args[0])
            for pid in family:
                if pid == self.pid or is_child_of(pid, self.pid):
                    os.kill(pid, signal.SIGKILL)
            self.popen.wait()


def be_nice(niceness):
    """For this process and, where the kernel shares out CPU by session, for its session."""
    os.nice(niceness)
    if os.path.exists("/proc/self/autogroup"):
        with open("/proc/self/autogroup", "w") as autogroup:
            autogroup.write(str(niceness))


def is_child_of(pid, parent):
    try:
        with open("/proc/%d/stat" % pid) as stat:
            return int(stat.read().rsplit(")", 1)[1].split()[1]) == parent
    except FileNotFoundError:
        return False


def pss_kb(pids):
    total = 0
    for pid in pids:
        with open("/proc/%d/smaps_rollup" % pid) as rollup:
            total += next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
    return total


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        with open("/proc/%d/stat" % pid) as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def thread_ns(pids):
    """CPU time in nanoseconds of all living threads."""
    total = 0
    for pid in pids:
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/schedstat" % (pid, task)) as stat:
                total += int(stat.read().split()[0])
    return total


def machine_seconds():
    """(busy, stolen) CPU seconds of the whole machine since boot."""
    with open("/proc/stat") as stat:
        fields = [int(field) for field in stat.readline().split()[1:]]
    user, nice, system, _idle, _wait, irq, softirq, stolen = fields[:8]
    return (user + nice + system + irq + softirq) / TICKS, stolen / TICKS


def require_tool(name):
    path = shutil.which(name)
    if path is None:
        raise Refusal("the command %s is missing" % name)
    return path
