"""A backend that does what a test tells it: greets, logs in, then answers, lies, stalls or dies.

Every byte received is kept. One thread per connection; a script is a plain function over `Wire`.
"""

import socket
import struct
import threading


class Gone(Exception):
    """The gateway closed."""


class Wire:
    """One connection as the backend sees it."""

    def __init__(self, backend, connection):
        self.backend = backend
        self.socket = connection
        self.buffer = b""
        self.received = bytearray()
        self.login_end = None  # how many bytes belonged to the login
        self.credentials = None
        self.ended = threading.Event()
        self.end = None  # "closed" or "reset", as the gateway ended it

    @property
    def relayed(self):
        """The bytes received after the login was accepted."""
        return bytes(self.received[self.login_end:]) if self.login_end is not None else b""

    def mark_login(self):
        self.login_end = len(self.received) - len(self.buffer)

    def fill(self):
        try:
            data = self.socket.recv(262144)
        except ConnectionError:
            self.end = "reset"
            raise Gone() from None
        except OSError:
            raise Gone() from None
        if not data:
            self.end = "closed"
            raise Gone()
        self.buffer += data
        if self.backend.keep:
            self.received += data

    def line(self):
        while b"\n" not in self.buffer:
            self.fill()
        data, _, self.buffer = self.buffer.partition(b"\n")
        return data + b"\n"

    def read(self, count):
        while len(self.buffer) < count:
            self.fill()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def skip(self, count):
        """Reads and forgets."""
        while count:
            if not self.buffer:
                self.fill()
            taken = min(count, len(self.buffer))
            self.buffer = self.buffer[taken:]
            count -= taken

    def secure(self, tls_context):
        """TLS from here on, as the server. What is still unread was plain and stays in `buffer`."""
        try:
            self.socket = tls_context.wrap_socket(self.socket, server_side=True)
        except (OSError, ValueError):
            self.end = "handshake"
            raise Gone() from None

    def send(self, data):
        try:
            self.socket.sendall(data.encode() if isinstance(data, str) else data)
        except OSError:
            raise Gone() from None

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def drain(self):
        """Reads until the gateway ends the connection."""
        while True:
            self.buffer = b""
            self.fill()

    def wait(self, event, seconds=30):
        if not event.wait(seconds):
            raise AssertionError("the test never released the scripted backend")


class Scripted:
    """Listens on an ephemeral loopback port; `script(wire)` runs for each connection."""

    def __init__(self, script, keep=True, receive_buffer=None, port=0):
        self.script = script
        self.keep = keep  # False: do not keep the bytes (gigabytes)
        self.wires = []
        self.errors = []
        self.arrived = threading.Condition()
        self.listener = socket.socket()
        if receive_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if port:  # one that a backend had which is gone now
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(128)
        self.port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while self.open:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            wire = Wire(self, connection)
            with self.arrived:
                self.wires.append(wire)
                self.arrived.notify_all()
            threading.Thread(target=self._run, args=(wire,), daemon=True).start()

    def _run(self, wire):
        try:
            self.script(wire)
        except Gone:
            pass
        except Exception as error:  # shown by the test's end
            self.errors.append(error)
        finally:
            wire.close()
            wire.ended.set()

    def wire(self, number=0, seconds=10):
        with self.arrived:
            if not self.arrived.wait_for(lambda: len(self.wires) > number, seconds):
                raise AssertionError(f"connection {number} to the scripted backend never came")
        return self.wires[number]

    def wait_end(self, number=0, seconds=10):
        wire = self.wire(number)
        if not wire.ended.wait(seconds):
            raise AssertionError("the gateway did not close the backend connection")
        return wire

    @property
    def received(self):
        return b"".join(bytes(wire.received) for wire in self.wires)

    @property
    def relayed(self):
        return b"".join(wire.relayed for wire in self.wires)

    def stop_listening(self):
        """From now on connections are refused."""
        self.open = False
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()

    def stop(self):
        self.stop_listening()
        for wire in self.wires:
            wire.close()
