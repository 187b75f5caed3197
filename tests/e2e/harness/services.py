"""What lookups ask: an nginx that answers auth_http as its documentation shows, a Redis, and a Dovecot that knows a
master. Each private, in a folder of its own, on an ephemeral port of a loopback address of this process."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

from .case import EndToEnd
from .client import until
from .dovecot import Dovecot, free_port
from .postern import Gateway, configuration, table

HOST = f"127.{128 + os.getpid() // 65536 % 64}.{os.getpid() // 256 % 256}.{os.getpid() % 256 or 1}"


class Service:
    """A process that listens on a port and may be stopped and started again on the same one."""

    def __init__(self, name, host=HOST):
        self.host = host
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"postern-{name}-"))
        self.folder.chmod(0o755)
        self.port = free_port(host)
        self.process = None

    def command(self):
        raise NotImplementedError

    def start(self):
        with open(self.folder / "stderr", "ab") as stderr:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr,
                                            cwd=self.folder)
        until(self.answers, f"{self.command()[0]} on {self.host}:{self.port}: "
                            f"{(self.folder / 'stderr').read_text(errors='replace')}")
        return self

    def answers(self):
        assert self.process.poll() is None, (self.folder / "stderr").read_text(errors="replace")
        try:
            socket.create_connection((self.host, self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self, with_signal=signal.SIGTERM):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(with_signal)
            self.process.wait(20)

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
user root;
events {{ worker_connections 512; }}
http {{
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  log_format asked '$request_method|$http_host|$http_auth_method|$http_auth_user|$http_auth_pass|'
                   '$http_auth_protocol|$http_auth_login_attempt|$http_client_ip';
  access_log {folder}/asked.log asked;
{maps}
  server {{
    listen {host}:{port}{ssl};
    location = /auth {{
{answer}
    }}
  }}
}}
"""


class Nginx(Service):
    """`answer`: the body of `location = /auth`; `leaf`: speaks https with it."""

    def __init__(self, answer, maps="", leaf=None, host=HOST):
        super().__init__("nginx", host)
        ssl = f" ssl;\n    ssl_certificate {leaf.chain};\n    ssl_certificate_key {leaf.key};\n    ssl_protocols TLSv1.3" if leaf else ""
        (self.folder / "nginx.conf").write_text(NGINX.format(
            folder=self.folder, host=host, port=self.port, ssl=ssl, maps=maps, answer=answer))
        self.url = f"http{'s' if leaf else ''}://{host}:{self.port}/auth"

    def command(self):
        return ["/usr/sbin/nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e",
                str(self.folder / "error.log")]

    def asked(self):
        """Each request as a dictionary."""
        keys = ("verb", "host", "method", "user", "password", "protocol", "attempt", "client")
        text = (self.folder / "asked.log").read_text(errors="replace")
        return [dict(zip(keys, line.split("|"))) for line in text.splitlines()]


class Redis(Service):
    def __init__(self, *options, leaf=None, password=None):
        super().__init__("redis")
        self.leaf = leaf
        self.password = password
        self.plain_port = free_port(HOST) if leaf else self.port
        ports = ["--port", str(self.plain_port)]
        if leaf:
            ports += ["--tls-port", str(self.port), "--tls-cert-file", str(leaf.chain), "--tls-key-file", str(leaf.key),
                      "--tls-auth-clients", "no", "--tls-ca-cert-file", str(leaf.chain)]
        self.options = [*ports, "--bind", HOST, "--save", "60 1", "--dir", str(self.folder), *options]
        if password:
            self.options += ["--requirepass", password]
        self.address = f"{HOST}:{self.port}"

    def command(self):
        return ["/usr/bin/redis-server", *self.options]

    def call(self, *words):
        """The first line of the reply to one command."""
        with socket.create_connection((HOST, self.plain_port), 20) as wire:
            commands = [("AUTH", self.password)] if self.password else []
            commands.append(words)
            for each in commands:
                wire.sendall(f"*{len(each)}\r\n".encode() + b"".join(
                    f"${len(word.encode())}\r\n{word}\r\n".encode() for word in each))
                reply = b""
                while not reply.endswith(b"\r\n"):
                    more = wire.recv(4096)
                    assert more, reply
                    reply += more
            return reply


class MasteredDovecot(Dovecot):
    """Knows `gateway`, who may be anybody with the password `of the house`: by separator and by SASL authzid."""

    def more(self):
        (self.root / "masters").write_text("gateway:{PLAIN}of the house\n")
        return (f"auth_master_user_separator = *\npassdb {{\n  driver = passwd-file\n  master = yes\n"
                f"  args = {self.root}/masters\n}}\n")


class LookupCase(EndToEnd):
    """A gateway with two pools, legacy and modern, and what lookups a test wants."""

    def service(self, service):
        self.addCleanup(service.remove)
        return service.start()

    def text(self, legacy, modern, *lookups, pool=None, **changes):
        """legacy, modern: addresses of one backend each, as the harness writes them; lookups: tables."""
        def place(backend):
            return backend if isinstance(backend, dict) else {"imap": backend.address, "pop3": backend.address}
        second = table("[pool]", {"name": "modern", "tls": "none", "probe": {"every": "1h"}})
        second += table("[pool.backend]", {"name": "new1", **place(modern)})
        return "\n".join([configuration([place(legacy)], pool=pool, **changes), second,
                          *(table("[lookup]", each) for each in lookups)])

    def behind(self, text):
        gateway = Gateway(text)
        self._gateways.append(gateway)
        return gateway

    def refused(self, gateway, user, password="secret"):
        """The tagged line that a login gets which does not go well."""
        client = self.imap(gateway)
        client.send(f'a LOGIN "{user}" "{password}"\r\n')
        line = client.until("a")[1]
        client.close()
        return line

    def where(self, gateway, user, password="secret"):
        """pool/backend of a session of this user's."""
        before = len(gateway.events)
        client = self.imap(gateway, user, password)
        client.logout()
        client.close()
        event = gateway.event("session", after=before, user=user)
        return f"{event['pool']}/{event['backend']}"

    def counted(self, gateway, lookup, result):
        return gateway.scrape().sum("postern_lookup_requests_total", lookup=lookup, result=result)


def in_parallel(count, work):
    """Calls work(number) in this many threads; the errors."""
    errors = []

    def run(number):
        try:
            work(number)
        except Exception as error:  # pylint: disable=broad-except
            errors.append(error)
    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return errors
