"""How a connection can begin: from an address of one's own, over IPv6, with bytes ahead of the TLS, in pieces."""

import socket
import ssl
import threading
import time


def context(cafile=None, minimum=None, maximum=None, alpn=None, ciphers=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    if cafile:
        made.load_verify_locations(cafile)
        made.verify_mode = ssl.CERT_REQUIRED
    if minimum:
        made.minimum_version = minimum
    if maximum:
        made.maximum_version = maximum
    if alpn:
        made.set_alpn_protocols(alpn)
    if ciphers:
        made.set_ciphers(ciphers)
    return made


def server_context(leaf, minimum=None, maximum=None):
    """For a scripted backend behind TLS; `leaf` has a chain and a key."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(leaf.chain, leaf.key)
    if minimum:
        made.minimum_version = minimum
    if maximum:
        made.maximum_version = maximum
    return made


def host_and_port(address):
    """("::1", 993) of "[::1]:993"."""
    host, port = address.rsplit(":", 1)
    return host.strip("[]"), int(port)


def connect(address, timeout, source=None, receive_buffer=None):
    """A TCP connection without delays; `source` is the address it comes from."""
    host, port = host_and_port(address)
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if receive_buffer:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            made.bind((source, 0))
        made.settimeout(timeout)
        made.connect((host, port))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        made.close()
        raise
    return made


def kernel_address(host, port):
    """As /proc/net/tcp writes it: words of four octets, each in the machine's order."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    packed = socket.inet_pton(family, host)
    words = (packed[at:at + 4][::-1].hex().upper() for at in range(0, len(packed), 4))
    return "".join(words) + f":{port:04X}"


def await_taken(connection, seconds=0.25):
    """Waits until the process at the other end (of this machine) has read all that was sent; False if it does not.

    So the next bytes are a read of their own there, without a pause of ours that is too long or too short.
    """
    here, there = connection.getsockname()[:2], connection.getpeername()[:2]
    table = "/proc/net/tcp6" if ":" in here[0] else "/proc/net/tcp"
    mark = f" {kernel_address(*there)} {kernel_address(*here)} "
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with open(table, encoding="ascii") as file:
            row = next((line for line in file if mark in line), None)
        if row is None or row.split()[4].endswith(":00000000"):
            return True
    return False


def send_cut(connection, data, cuts):
    """`data` in pieces that the other end reads one by one."""
    begin = 0
    for end in [*sorted(cuts), len(data)]:
        if data[begin:end]:
            connection.sendall(data[begin:end])
            if end < len(data):
                await_taken(connection)
        begin = end


class Opening:
    """Stands between a client's TLS and its TCP connection: the first bytes of TLS (the ClientHello) go out right
    behind `before`, in one segment or cut; everything later passes as it is. `inside` is the client's socket."""

    def __init__(self, outside, before=b"", cuts=()):
        self.outside = outside
        self.inside, self.end = socket.socketpair()
        self.inside.settimeout(outside.gettimeout())
        self.before, self.cuts = before, cuts
        outside.settimeout(None)
        threading.Thread(target=self._out, daemon=True).start()
        threading.Thread(target=self._in, daemon=True).start()

    def _out(self):
        try:
            first = self.before + self.end.recv(65536)
            send_cut(self.outside, first, self.cuts)
            while data := self.end.recv(65536):
                self.outside.sendall(data)
            self.outside.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _in(self):
        try:
            while data := self.outside.recv(65536):
                self.end.sendall(data)
        except OSError:
            pass
        try:
            self.end.shutdown(socket.SHUT_WR)
        except OSError:
            pass
