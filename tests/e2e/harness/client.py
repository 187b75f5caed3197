"""A raw TLS client with deadlines. It knows just enough IMAP and POP3 to find the end of an answer."""

import os
import re
import socket
import ssl
import struct
import time

from .sockets import Opening, connect, context, send_cut

PATIENCE = float(os.environ.get("POSTERN_E2E_PATIENCE", "1"))
SOON = 10 * PATIENCE


class Ended(AssertionError):
    """The other side closed while the test still expected bytes."""


class Client:
    """Bytes over TLS (or plain, with tls=False). `clean_end` tells how the stream closed."""

    def __init__(self, address, tls=True, timeout=SOON, tls_context=None, receive_buffer=None, source=None, before=b"",
                 cuts=()):
        """`source`: the address to come from; `before`: bytes ahead of the TLS, in one segment with the ClientHello or
        cut at these places."""
        self.timeout = timeout
        self.raw = self.socket = connect(address, timeout, source, receive_buffer)
        self.local = self.raw.getsockname()[:2]  # (address, port), as the other side sees them
        self.came_to = self.raw.getpeername()[:2]
        if tls and (before or cuts):
            self.raw = Opening(self.raw, before, cuts).inside
        elif before:
            send_cut(self.raw, before, cuts)
        if tls:
            self.secure(tls_context)
        self.buffer = bytearray()
        self.clean_end = None  # None: open; True: close_notify or FIN; False: cut without close_notify
        self.everything = bytearray()  # what was received, for messages of failed tests

    def secure(self, tls_context=None):
        """TLS from here on."""
        self.socket = (tls_context or context()).wrap_socket(
            self.raw, server_hostname="mail.example", suppress_ragged_eofs=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Sending.

    def send(self, data):
        self.socket.sendall(data.encode("utf-8") if isinstance(data, str) else data)

    def drip(self, data):
        """Byte by byte: with TLS each byte is a record of its own."""
        for at in range(len(data)):
            self.socket.sendall(data[at:at + 1])

    def try_send(self, data):
        """For bytes behind a line that may have closed the session."""
        try:
            self.send(data)
        except (OSError, ssl.SSLError):
            pass

    # Receiving.

    def fill(self):
        """One read; False at the end of the stream."""
        if self.clean_end is not None:
            return False
        try:
            data = self.socket.recv(262144)
        except TimeoutError:
            raise AssertionError(f"nothing came for {self.timeout:g} s; so far {self.tail()!r}") from None
        except (ssl.SSLZeroReturnError,):
            data = b""
        except (ssl.SSLEOFError, ConnectionError):
            self.clean_end = False
            return False
        except ssl.SSLError as error:
            if "EOF" in str(error).upper():
                self.clean_end = False
                return False
            raise
        if not data:
            self.clean_end = True
            return False
        self.buffer += data
        if len(self.everything) < 65536:
            self.everything += data
        return True

    def tail(self):
        return bytes(self.everything[-400:])

    def read(self, count):
        while len(self.buffer) < count:
            if not self.fill():
                raise Ended(f"closed after {len(self.buffer)} of {count} bytes: {self.tail()!r}")
        return self.take(count)

    def take(self, count):
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def line(self):
        """A line with its CRLF, as it came."""
        while True:
            end = self.buffer.find(b"\n")
            if end >= 0:
                return self.take(end + 1)
            if not self.fill():
                raise Ended(f"closed inside or before a line: {self.tail()!r}")

    def expect(self, pattern):
        """The next line must match the regular expression."""
        data = self.line()
        pattern = pattern.encode() if isinstance(pattern, str) else pattern
        if not re.match(pattern, data, re.IGNORECASE | re.DOTALL):
            raise AssertionError(f"expected {pattern!r}, got {data!r}; so far {self.tail()!r}")
        return data

    def rest(self):
        """All bytes until the other side closes; then `clean_end` is known."""
        while self.fill():
            pass
        return self.take(len(self.buffer))

    def expect_end(self, clean=True):
        rest = self.rest()
        assert rest == b"", f"bytes before the end: {rest!r}"
        assert self.clean_end == clean, f"clean_end is {self.clean_end}, expected {clean}"

    def drain_count(self, count):
        """Reads exactly `count` bytes without keeping them; returns what followed in the buffer."""
        left = count - len(self.buffer)
        if left < 0:
            del self.buffer[:count]
            return
        self.buffer.clear()
        room = memoryview(bytearray(1 << 18))
        while left:
            got = self.socket.recv_into(room, min(left, len(room)))
            if not got:
                raise Ended(f"closed with {left} bytes to come")
            left -= got

    def quiet(self, seconds=0.15):
        """True if nothing comes for that long. Only for showing that something does not happen."""
        if self.buffer:
            return False
        self.socket.settimeout(seconds)
        try:
            data = self.socket.recv(65536)
        except (TimeoutError, ssl.SSLWantReadError):
            return True
        except (ssl.SSLError, ConnectionError):
            self.clean_end = False
            return False
        finally:
            self.socket.settimeout(self.timeout)
        self.buffer += data
        self.everything += data
        if not data:
            self.clean_end = True
        return False

    # Ending.

    def close(self):
        try:
            self.socket.close()
        except OSError:
            pass

    def reset(self):
        """Ends with a TCP RST."""
        self.raw_option_linger()
        self.close()

    def raw_option_linger(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def shut(self):
        """Ends sending with a FIN; reading goes on. (SSLSocket.shutdown would forget its TLS.)"""
        twin = socket.socket(fileno=os.dup(self.socket.fileno()))
        twin.shutdown(socket.SHUT_WR)
        twin.close()


LITERAL = re.compile(rb"\{(\d+)\}\r\n$")


class Imap(Client):
    """Tags and literals."""

    def __init__(self, address, greeting=True, **options):
        super().__init__(address, **options)
        self.number = 0
        self.greeting = self.expect(rb"\* (OK|BYE|PREAUTH)") if greeting else None

    def response(self):
        """One whole response, its literals included."""
        data = self.line()
        while True:
            mark = LITERAL.search(data)
            if not mark:
                return data
            data += self.read(int(mark[1])) + self.line()

    def until(self, tag):
        """(untagged responses, tagged line)"""
        tag = tag if isinstance(tag, bytes) else tag.encode()
        untagged = []
        while True:
            data = self.response()
            if data.startswith(tag + b" "):
                return untagged, data
            if not data.startswith(b"* "):
                raise AssertionError(f"waiting for {tag!r}, got {data!r}")
            untagged.append(data)

    def all(self, tags):
        """{tag: tagged line} in whatever order the answers come; untagged responses are dropped."""
        found = {}
        while len(found) < len(tags):
            data = self.response()
            tag = data.split(b" ")[0].decode()
            if tag in tags:
                assert tag not in found, f"two answers to {tag}: {data!r}"
                found[tag] = data
            elif not data.startswith((b"* ", b"+")):
                raise AssertionError(f"waiting for {tags}, got {data!r}")
        return found

    def tag(self):
        self.number += 1
        return f"t{self.number}"

    def command(self, text, result="OK"):
        """Sends a command without literals; returns its untagged responses."""
        tag = self.tag()
        text = text.encode() if isinstance(text, str) else text
        self.send(tag.encode() + b" " + text + b"\r\n")
        untagged, tagged = self.until(tag)
        if result is not None and tagged.split()[1].upper() != result.encode():
            raise AssertionError(f"{text!r}: expected {result}, got {tagged!r}")
        self.tagged = tagged
        return untagged

    def login(self, user, password="secret"):
        def quoted(text):
            return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        self.command(f"LOGIN {quoted(user)} {quoted(password)}")
        return self

    def starttls(self, **options):
        self.command("STARTTLS")
        assert not self.buffer, bytes(self.buffer)
        self.secure(**options)
        return self

    def append(self, mailbox, content, plus=True):
        tag = self.tag()
        self.send(f"{tag} APPEND {mailbox} {{{len(content)}{'+' if plus else ''}}}\r\n")
        if not plus:
            self.expect(rb"\+")
        self.send(content + b"\r\n")
        untagged, tagged = self.until(tag)
        assert b" OK" in tagged, tagged
        return tagged

    def logout(self):
        tag = self.tag()
        self.send(f"{tag} LOGOUT\r\n")
        self.until(tag)
        self.expect_end()
        self.close()


class Pop3(Client):
    """+OK, -ERR and dots."""

    def __init__(self, address, greeting=True, **options):
        super().__init__(address, **options)
        self.greeting = self.expect(rb"\+OK|-ERR") if greeting else None

    def command(self, text, good=True):
        text = text.encode() if isinstance(text, str) else text
        self.send(text + b"\r\n")
        return self.expect(rb"\+OK" if good else rb"-ERR")

    def body(self):
        """The lines of a multi-line reply up to its dot, dots still stuffed."""
        seen = 0
        while True:
            if self.buffer.startswith(b".\r\n"):
                del self.buffer[:3]
                return b""
            end = self.buffer.find(b"\r\n.\r\n", max(0, seen - 4))
            seen = len(self.buffer)
            if end >= 0:
                data = self.take(end + 2)
                del self.buffer[:3]
                return data
            if not self.fill():
                raise Ended(f"closed inside a multi-line reply: {self.tail()!r}")

    def many(self, text):
        self.command(text)
        return self.body()

    def login(self, user, password="secret"):
        self.command(f"USER {user}")
        self.command(f"PASS {password}")
        return self

    def starttls(self, **options):
        self.command("STLS")
        assert not self.buffer, bytes(self.buffer)
        self.secure(**options)
        return self

    def quit(self):
        self.command("QUIT")
        self.expect_end()
        self.close()


def until(condition, what, seconds=SOON):
    """Waits for a condition that another process brings about."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what() if callable(what) else what}")
        time.sleep(0.01)
