"""Ready-made behaviour of a scripted backend: a decent IMAP and a decent POP3 server, with hooks."""

import base64
import re

LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r?\n$")

CAPABILITIES = ("IMAP4rev1 SASL-IR ID ENABLE IDLE LITERAL+ NAMESPACE UIDPLUS MULTIAPPEND CATENATE BINARY MOVE "
                "UNSELECT CHILDREN CONDSTORE ESEARCH SORT THREAD=REFERENCES LIST-EXTENDED SPECIAL-USE")


class ImapScript:
    """Greets, answers what a gateway asks before login, accepts any password but `wrong`.

    `on` maps a verb (UID FETCH is FETCH) to `function(wire, tag, command)`; what is not named gets OK.
    `command` is the whole command as received. Set `plus=None` to withhold the continuation.
    """

    def __init__(self, on=None, capabilities=CAPABILITIES, greeting=None, code=True, plus=b"+ go\r\n",
                 login_ok=None, starttls=None):
        self.on = {verb.upper(): function for verb, function in (on or {}).items()}
        self.capabilities = capabilities
        self.before = f"{capabilities} AUTH=PLAIN"
        self.starttls = starttls  # a server's SSLContext: offered, and needed for the login
        offered = f"{capabilities} STARTTLS LOGINDISABLED" if starttls else self.before
        self.greeting = greeting if greeting is not None else f"* OK [CAPABILITY {offered}] ready\r\n"
        self.code = code  # capabilities inside the OK of the login
        self.plus = plus
        self.login_ok = login_ok

    def __call__(self, wire):
        wire.send(self.greeting)
        if self.starttls:
            self.secure(wire)
        if self.login(wire):
            self.serve(wire)

    def secure(self, wire):
        """Everything but a capability question is refused until STARTTLS."""
        while True:
            tag, verb = split(wire.line())
            if verb == "STARTTLS":
                wire.send(f"{tag} OK begin\r\n")
                return wire.secure(self.starttls)
            if verb == "CAPABILITY":
                wire.send(f"* CAPABILITY {self.capabilities} STARTTLS LOGINDISABLED\r\n{tag} OK done\r\n")
            else:
                wire.send(f"{tag} BAD TLS first\r\n")

    def command(self, wire):
        """A command with its literals, all of it received."""
        data = wire.line()
        while True:
            mark = LITERAL.search(data)
            if not mark:
                return data
            if not mark[2]:
                if self.plus is None:
                    return data
                wire.send(self.plus)
            data += wire.read(int(mark[1])) + wire.line()

    def login(self, wire):
        while True:
            data = self.command(wire)
            tag, verb = split(data)
            if verb == "LOGIN":
                user, password = astrings(data.split(b" ", 2)[2])
            elif verb == "AUTHENTICATE":
                user, password = self.plain(wire, data)
            elif verb == "CAPABILITY":
                wire.send(f"* CAPABILITY {self.before}\r\n{tag} OK done\r\n")
                continue
            elif verb == "ID":
                wire.send(f'* ID ("name" "scripted")\r\n{tag} OK done\r\n')
                continue
            elif verb == "LOGOUT":
                wire.send(f"* BYE bye\r\n{tag} OK done\r\n")
                return False
            else:
                wire.send(f"{tag} BAD not before login\r\n")
                continue
            wire.credentials = (user, password)
            if password == b"wrong":
                wire.send(f"{tag} NO no such user\r\n")
                continue
            wire.mark_login()
            code = f"[CAPABILITY {self.capabilities}] " if self.code else ""
            wire.send(self.login_ok.replace("TAG", tag) if self.login_ok else f"{tag} OK {code}in\r\n")
            return True

    def plain(self, wire, data):
        words = data.split()
        if len(words) > 3:
            blob = words[3]
        else:
            wire.send(b"+ \r\n")
            blob = wire.line().strip()
        parts = base64.b64decode(blob).split(b"\0")
        return parts[1], parts[2]

    def serve(self, wire):
        while True:
            data = self.command(wire)
            tag, verb = split(data)
            handler = self.on.get(verb)
            if handler:
                if handler(wire, tag, data) == "end":
                    return
            elif verb == "LOGOUT":
                wire.send(f"* BYE bye\r\n{tag} OK done\r\n")
                return
            elif verb == "CAPABILITY":
                wire.send(f"* CAPABILITY {self.capabilities}\r\n{tag} OK done\r\n")
            elif verb == "IDLE":
                wire.send("+ idling\r\n")
                done = wire.line()
                wire.send(f"{tag} OK done\r\n" if done.strip().upper() == b"DONE" else f"{tag} BAD DONE?\r\n")
            else:
                wire.send(f"{tag} OK {verb} done\r\n")


def split(data):
    """(tag, verb) of a command; the verb behind UID counts."""
    words = data.decode("latin-1").split()
    tag = words[0] if words else "*"
    verb = words[1].upper() if len(words) > 1 else ""
    if verb == "UID" and len(words) > 2:
        verb = words[2].upper()
    return tag, verb


def astrings(data):
    """The two arguments of LOGIN in any form."""
    found = []
    data = data.lstrip(b" ")
    while data.strip(b"\r\n"):
        mark = re.match(rb"\{(\d+)\+?\}\r\n", data)
        if mark:
            size = int(mark[1])
            found.append(data[mark.end():mark.end() + size])
            data = data[mark.end() + size:]
        elif data.startswith(b'"'):
            mark = re.match(rb'"((?:[^"\\]|\\.)*)"', data, re.DOTALL)
            found.append(re.sub(rb"\\(.)", rb"\1", mark[1], flags=re.DOTALL))
            data = data[mark.end():]
        else:
            word = re.match(rb"[^ \r\n]+", data)[0]
            found.append(word)
            data = data[len(word):]
        data = data.lstrip(b" ")
    return found[0], found[1]


POP3_CAPA = "TOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nAUTH-RESP-CODE\r\nUSER\r\nSASL PLAIN\r\n"


class Pop3Script:
    """`on` maps a verb to `function(wire, line)`; what is not named gets +OK."""

    def __init__(self, on=None, greeting="+OK ready\r\n", capa=POP3_CAPA, starttls=None):
        self.on = {verb.upper(): function for verb, function in (on or {}).items()}
        self.greeting = greeting
        self.capa = capa
        self.starttls = starttls  # a server's SSLContext: offered, and needed for the login

    def __call__(self, wire):
        wire.send(self.greeting)
        if self.starttls:
            self.secure(wire)
        if self.login(wire):
            self.serve(wire)

    def secure(self, wire):
        """Everything but CAPA is refused until STLS."""
        while True:
            verb = wire.line().strip().upper()
            if verb == b"STLS":
                wire.send("+OK begin\r\n")
                return wire.secure(self.starttls)
            wire.send(f"+OK\r\n{self.capa}STLS\r\n.\r\n" if verb == b"CAPA" else "-ERR TLS first\r\n")

    def login(self, wire):
        user = b""
        while True:
            data = wire.line()
            verb = data.split(None, 1)[0].upper().decode("latin-1") if data.strip() else ""
            if verb == "CAPA":
                wire.send(f"+OK\r\n{self.capa}.\r\n")
                continue
            if verb == "USER":
                user = data[5:].rstrip(b"\r\n")
                wire.send("+OK\r\n")
                continue
            if verb == "PASS":
                password = data[5:].rstrip(b"\r\n")
            elif verb == "AUTH":
                words = data.split()
                if len(words) < 3:
                    wire.send("+ \r\n")
                    words.append(wire.line().strip())
                _, user, password = base64.b64decode(words[2]).split(b"\0")
            elif verb == "QUIT":
                wire.send("+OK bye\r\n")
                return False
            elif verb in ("UTF8", "XCLIENT") and verb in self.capa:
                wire.send("+OK\r\n")
                continue
            else:
                wire.send("-ERR not before login\r\n")
                continue
            wire.credentials = (user, password)
            if password == b"wrong":
                wire.send("-ERR [AUTH] no\r\n")
                continue
            wire.mark_login()
            wire.send("+OK in\r\n")
            return True

    def serve(self, wire):
        while True:
            data = wire.line()
            words = data.split()
            verb = words[0].upper().decode("latin-1") if words else ""
            handler = self.on.get(verb)
            if handler:
                if handler(wire, data) == "end":
                    return
            elif verb == "QUIT":
                wire.send("+OK bye\r\n")
                return
            elif verb == "CAPA":
                wire.send(f"+OK\r\n{self.capa}.\r\n")
            elif verb in ("RETR", "TOP") or (verb in ("LIST", "UIDL") and len(words) == 1):
                wire.send("+OK follows\r\n1 one\r\n.\r\n")
            else:
                wire.send("+OK done\r\n")
