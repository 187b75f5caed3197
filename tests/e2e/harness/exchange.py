"""SASL as clients speak it, on both protocols (RFC 4616, 7628, 5034, 4959)."""

import base64

from .client import Imap

MECHANISMS = ("PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER")
TOKENS = ("XOAUTH2", "OAUTHBEARER")


def encode(data):
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def messages(mechanism, user, secret):
    """What the client has to say, message by message, not yet in base64."""
    return {
        "PLAIN": [f"\0{user}\0{secret}"],
        "LOGIN": [user, secret],
        "XOAUTH2": [f"user={user}\1auth=Bearer {secret}\1\1"],
        "OAUTHBEARER": [f"n,a={user},\1host=mail.example\1port=993\1auth=Bearer {secret}\1\1"],
    }[mechanism]


def play(client, mechanism, lines, initial=True):
    """An exchange with these lines (base64, or what a test wants instead), the first of them as initial response or
    not. Returns (challenges, last line): the last line is the tagged one, or +OK or -ERR."""
    lines = list(lines)
    imap = isinstance(client, Imap)
    tag = client.tag() if imap else None
    begin = f"{tag} AUTHENTICATE {mechanism}" if imap else f"AUTH {mechanism}"
    client.send(begin + (" " + lines.pop(0) if initial else "") + "\r\n")
    challenges = []
    while True:
        line = client.line()
        if line.startswith((b"+ ", b"+\r\n")):
            challenges.append(line[1:].strip())
            client.send((lines.pop(0) if lines else "*") + "\r\n")
        elif not line.startswith(b"* "):
            assert not imap or line.startswith(tag.encode() + b" "), line
            return challenges, line


def authenticate(client, mechanism, user, secret, initial=True):
    """The last line of an exchange; a challenge of refusal is answered as each mechanism wants it."""
    lines = [encode(each) for each in messages(mechanism, user, secret)]
    if mechanism in TOKENS:
        lines.append("AQ==" if mechanism == "OAUTHBEARER" else "")
    return play(client, mechanism, lines, initial)[1]


def fragments(secret):
    """What base64 shows of a secret inside a longer message: a piece for each of the three places it may begin at."""
    return [encode(b"\0" * shift + secret.encode())[(0, 2, 3)[shift]:-4] for shift in range(3)]


def accepted(line):
    return line.startswith(b"+OK") or line.split()[1].upper() == b"OK"
