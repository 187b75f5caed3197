"""PROXY headers as senders make them (haproxy's proxy-protocol.txt), and HAProxy itself as a sender."""

import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile

from .client import until
from .dovecot import free_port
from .sockets import kernel_address

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21


def v1(source, destination="192.0.2.1", port=40000, destination_port=993):
    family = "TCP6" if ":" in source else "TCP4"
    return f"PROXY {family} {source} {destination} {port} {destination_port}\r\n".encode()


def vector(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


def v2(source=None, destination="192.0.2.1", port=40000, destination_port=993, vectors=b"", command=PROXY, family=None,
       length=None):
    """`source` None: no addresses (LOCAL as a health check sends it). `family`, `length`: to lie with."""
    block, kind = b"", 0
    if source:
        kind = 0x21 if ":" in source else 0x11
        packing = socket.AF_INET6 if ":" in source else socket.AF_INET
        block = socket.inet_pton(packing, source) + socket.inet_pton(packing, destination)
        block += struct.pack("!HH", port, destination_port)
    block += vectors
    return SIGNATURE + struct.pack("!BBH", command, kind if family is None else family,
                                   len(block) if length is None else length) + block


HAPROXY = """
global
  maxconn 100
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen mail
  bind {place}
  server postern {target} {how} source {source}
"""


class Haproxy:
    """In front of one listener; connects from `source`. Stopped by `stop`."""

    installed = shutil.which("haproxy") or os.path.exists("/usr/sbin/haproxy")

    def __init__(self, target, how, source):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-haproxy-"))
        pid = os.getpid()
        host = f"127.{160 + pid // 65536 % 64}.{pid // 256 % 256}.{pid % 256 or 1}"
        self.address = f"{host}:{free_port(host)}"
        config = self.folder / "haproxy.cfg"
        config.write_text(HAPROXY.format(place=self.address, target=target, how=how, source=source))
        self.process = subprocess.Popen(["/usr/sbin/haproxy", "-db", "-f", str(config)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        port = int(self.address.rsplit(":", 1)[1])
        until(lambda: self._listens(host, port), "HAProxy listens")

    def _listens(self, host, port):
        """Without a connection, which would be one to the gateway as well."""
        assert self.process.poll() is None, self.process.stderr.read().decode()
        mark = f" {kernel_address(host, port)} 00000000:0000 0A "
        return mark in pathlib.Path("/proc/net/tcp").read_text()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stderr.close()
        shutil.rmtree(self.folder, ignore_errors=True)
