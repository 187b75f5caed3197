"""The proxies under measurement: their configurations, starting and stopping."""

import json
import os
import random
import select
import socket
import subprocess
import time

from . import rules
from .machine import Process, Refusal

START_SECONDS = 10
KEYS = {"ec": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        "rsa": ("-newkey", "rsa:2048")}


def free_ports(count):
    """Free loopback ports below the range from which the kernel serves outgoing connections."""
    held = []
    for port in random.sample(range(20000, 32000), 2000):
        probe = socket.socket()
        try:
            probe.bind(("127.0.0.1", port))
            held.append(probe)
        except OSError:
            probe.close()
        if len(held) == count:
            break
    ports = [probe.getsockname()[1] for probe in held]
    for probe in held:
        probe.close()
    if len(ports) < count:
        raise Refusal("no free loopback ports")
    return ports


def read_line(stream, seconds, who):
    ready, _, _ = select.select([stream], [], [], seconds)
    line = stream.readline() if ready else ""
    if not line:
        raise Refusal("%s said nothing within %d s" % (who, seconds))
    return line


class Bench:
    """What all targets share: folder, certificate, the stub backend, CPUs."""

    def __init__(self, folder, tools, cpus, niceness, sessions):
        self.folder = folder
        self.tools = tools
        self.cpus = cpus
        self.niceness = niceness
        self.sessions = sessions  # most sessions any cell will open
        for kind, options in KEYS.items():
            subprocess.run(["openssl", "req", "-x509", *options, "-nodes", "-subj",
                            "/CN=mail.example", "-days", "30", "-keyout", self.key(kind), "-out",
                            self.chain(kind)], check=True, capture_output=True)
        self.stub = None
        self.stub_ports = None

    def start_stub(self):
        self.stub = Process([self.tool("bench_stub")], {self.cpus.backend}, self.niceness,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.stub_ports = json.loads(read_line(self.stub.popen.stdout, START_SECONDS, "the stub"))

    def chain(self, kind):
        return self.path("chain-%s.pem" % kind)

    def key(self, kind):
        return self.path("key-%s.pem" % kind)

    def tool(self, name):
        for place in (os.path.join(self.tools, "tests", "bench"), self.tools):
            path = os.path.join(place, name)
            if os.path.exists(path):
                return path
        raise Refusal("%s is not in %s: build it first" % (name, self.tools))

    def path(self, *names):
        return os.path.join(self.folder, *names)


class Target:
    kind = ""

    def __init__(self, bench, certificate="ec", workers=1, pinned=True):
        self.bench = bench
        self.certificate = certificate
        self.workers = workers
        # One worker on its own CPU, or as many as there are where two workers run.
        self.cpus = {bench.cpus.proxy} if pinned else bench.cpus.pair
        self.name = self.kind if pinned else "%s:%d" % (self.kind, workers)
        self.wrapper = []  # what the command is run under
        self.environment = None
        self.process = None
        self.ports = {}  # protocol -> port

    def start(self):
        """Starts a fresh process and waits until both ports answer."""
        self.ports = dict(zip(("imap", "pop3"), free_ports(2)))
        log = open(self.file("log"), "w")
        self.process = Process(self.wrapper + self.command(), self.cpus, self.bench.niceness,
                               stdin=subprocess.PIPE, stdout=log, stderr=log,
                               environment=self.environment)
        log.close()
        self.wait_until_ready()

    def file(self, ending):
        return self.bench.path("%s-%s-%d.%s" % (self.name, self.certificate, self.workers, ending))

    def write(self, ending, text):
        with open(self.file(ending), "w") as file:
            file.write(text)
        return self.file(ending)

    def command(self):
        raise NotImplementedError

    def wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        for port in self.ports.values():
            while not self.answers(port):
                self.check_alive(deadline)
                select.select([], [], [], 0.02)

    @staticmethod
    def answers(port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def check_alive(self, deadline):
        if self.process.popen.poll() is None and time.monotonic() < deadline:
            return
        with open(self.file("log")) as log:
            raise Refusal("%s did not start: %s" % (self.name, log.read()[-800:].strip()))

    def pids(self):
        return self.process.pids()

    def stop(self):
        if self.process is not None:
            self.process.stop()
            self.process = None


class HAProxy(Target):
    """TCP mode with TLS termination, one thread a worker. Sees no mail."""
    kind = "haproxy"

    def command(self):
        backend = self.bench.stub_ports
        pem = self.file("pem")
        with open(pem, "w") as joined:
            for part in (self.bench.chain(self.certificate), self.bench.key(self.certificate)):
                with open(part) as source:
                    joined.write(source.read())
        text = """
global
    nbthread %d
    maxconn %d
    ssl-default-bind-options ssl-min-ver TLSv1.3
    ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
    ssl-default-bind-curves X25519
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
""" % (self.workers, self.bench.sessions + 100)
        for protocol in ("imap", "pop3"):
            text += """
listen %s
    bind 127.0.0.1:%d ssl crt %s
    server stub 127.0.0.1:%d
""" % (protocol, self.ports[protocol], pem, backend[protocol])
        return ["/usr/sbin/haproxy", "-db", "-f", self.write("cfg", text)]


class NginxMail(Target):
    """nginx as mail proxy, one worker: reads the login, asks auth_http, copies from then on."""
    kind = "nginx"

    def command(self):
        text = """
load_module /usr/lib/nginx/modules/ngx_mail_module.so;
daemon off;
user root;
worker_processes %(workers)d;
pid %(pid)s;
error_log stderr error;
events { worker_connections %(connections)d; }
mail {
    auth_http 127.0.0.1:%(http)d/auth;
    ssl_certificate %(chain)s;
    ssl_certificate_key %(key)s;
    ssl_protocols TLSv1.3;
    ssl_ecdh_curve X25519;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    timeout 1h;
    imap_capabilities IMAP4rev1 LITERAL+ SASL-IR IDLE UIDPLUS;
    server { listen 127.0.0.1:%(imap)d ssl; protocol imap; }
    server { listen 127.0.0.1:%(pop3)d ssl; protocol pop3; }
}
""" % dict(self.ports, workers=self.workers, pid=self.file("pid"),
           chain=self.bench.chain(self.certificate), key=self.bench.key(self.certificate),
           connections=3 * self.bench.sessions + 200, http=self.bench.stub_ports["http"])
        return ["/usr/sbin/nginx", "-e", "stderr", "-p", self.bench.folder,
                "-c", self.write("conf", text)]


class Postern(Target):
    kind = "postern"
    binary = "postern"

    def configuration(self):
        backend = self.bench.stub_ports
        return """
[gateway]
name = "mail.example"
workers = %(workers)d
drain = "1s"
user = "root"
[[listener]]
name = "imaps"
protocol = "imap"
address = "127.0.0.1:%(imap)d"
tls = "implicit"
[[listener]]
name = "pop3s"
protocol = "pop3"
address = "127.0.0.1:%(pop3)d"
tls = "implicit"
[[certificate]]
chain = "%(chain)s"
key = "%(key)s"
[tls]
minimum = "1.2"
[[pool]]
name = "stub"
tls = "none"
[[pool.backend]]
name = "stub"
imap = "127.0.0.1:%(backend_imap)d"
pop3 = "127.0.0.1:%(backend_pop3)d"
[routing]
pool = "stub"
[log]
path = "-"
slow = "10s"
[admin]
address = "127.0.0.1:0"
""" % dict(self.ports, workers=self.workers, chain=self.bench.chain(self.certificate),
           key=self.bench.key(self.certificate), backend_imap=backend["imap"],
           backend_pop3=backend["pop3"])

    def command(self):
        return [self.bench.tool(self.binary), "run", "-c",
                self.write("toml", self.configuration())]


class PosternWithoutMetrics(Postern):
    """The same build with a shard that stores nothing."""
    kind = "no-metrics"
    binary = "bench_postern_no_metrics"


class PosternWithRules(Postern):
    """With a thousand rules of mixed kinds."""
    kind = "rules"

    def configuration(self):
        return super().configuration() + '[rules]\nfiles = ["%s"]\n' % self.write("rules", rules.text(1000))


class Direct(Target):
    """No proxy: the stub with TLS of its own on the proxy's CPU. Shows what the load can drive."""
    kind = "direct"

    def start(self):
        self.process = Process(
            [self.bench.tool("bench_stub"), "--tls", self.bench.chain(self.certificate),
             self.bench.key(self.certificate)], self.cpus, self.bench.niceness,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        ports = json.loads(read_line(self.process.popen.stdout, START_SECONDS, "the stub"))
        self.ports = {"imap": ports["imaps"], "pop3": ports["pop3s"]}


TARGETS = {target.kind: target
           for target in (HAProxy, NginxMail, Postern, PosternWithoutMetrics, PosternWithRules,
                           Direct)}


class Fleet:
    """The targets of a run: each is started when it is first asked for, and then kept."""

    def __init__(self, bench):
        self.bench = bench
        self.started = {}

    def get(self, kind, certificate="ec", workers=1, pinned=True):
        key = (kind, certificate, workers, pinned)
        if key not in self.started:
            target = TARGETS[kind](self.bench, certificate, workers, pinned)
            self.started[key] = target
            target.start()
        return self.started[key]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for target in self.started.values():
            target.stop()
