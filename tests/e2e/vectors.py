"""The framing table (PROTOCOL.md 2, SECURITY.md 1.3), one cell each, as bytes.

`send` goes out in one piece after login (INBOX selected) or, with `before=True`, instead of a login.
What Postern must do with it:

    close    tagged BAD where there is a tag, then * BYE, then the end; no byte of it reaches a backend
    cut      the same, but a part that was in order may have reached the backend: never a whole command
    bad      a tagged BAD of Postern's own, nothing reaches a backend, the session goes on
    refuse   bad or close, whichever; nothing reaches a backend
    step     closed, or relayed with the literal's content as content: never as a command
    relay    reaches the backend as `wire`

The smuggled command of a vector is `b LOGOUT`: ten bytes with its line end.
"""

from collections import namedtuple

Vector = namedtuple("Vector", "name send want wire before")

SMUGGLED = b"b LOGOUT\r\n"


def _v(name, send, want, wire=None, before=False):
    return Vector(name, send, want, wire, before)


def _nosync(name, prefix, want, before=False):
    return _v(name, b"a " + prefix + b"{10+}\r\n" + SMUGGLED + b"\r\n", want, before=before)


NO_LITERAL = ["XFOO ", "UID XFOO ", "NOOP ", "CHECK ", "CAPABILITY ", "NAMESPACE ", "CLOSE ", "EXPUNGE ", "LOGOUT ",
              "STARTTLS ", "COMPRESS ", "IDLE ", "UNSELECT ", "NOOP foo ", "FROB foo bar ", "CREATE foo ",
              "DELETE foo "]
UNADVERTISED = ["GETQUOTA ", "SETACL ", "GETACL ", "SETMETADATA INBOX (/private/x ", "GENURLAUTH ", "LANGUAGE "]
POSITIONS = ["SELECT INBOX ", "SELECT INBOX (", "EXAMINE INBOX ", "LIST \"\" ",
             "LIST ", "FETCH ", "FETCH 1 ", "FETCH 1 (", "STORE 1 ", "STORE 1 FLAGS (", "SEARCH ", "SEARCH SUBJECT ",
             "COPY 1 ", "ID ", "ID (\"name\" ", "ENABLE ", "APPEND ", "APPEND INBOX ", "APPEND INBOX (\\Seen) ",
             "STATUS ", "STATUS INBOX ", "STATUS INBOX (", "RENAME a ", "SUBSCRIBE ", "SORT (DATE) UTF-8 SUBJECT ",
             "UID SEARCH TEXT ", "UID COPY 1 "]

AFTER = (
    [_nosync("no literal: " + each.strip(), each.encode(), "close") for each in NO_LITERAL]
    + [_nosync("not advertised: " + each.strip(), each.encode(), "close") for each in UNADVERTISED]
    + [_nosync("position: " + each.strip(), each.encode(), "step") for each in POSITIONS]
    + [
        _nosync("login again", b"LOGIN ", "close"),
        _v("bad tag with a literal", b"a( NOOP {10+}\r\n" + SMUGGLED + b"\r\n", "close"),
        _v("quoted NUL before a literal", b'a CREATE "x\0y" {10+}\r\n' + SMUGGLED + b"\r\n", "close"),
        _v("sync literal on a command without", b"a NOOP {10}\r\n", "close"),
        _v("sync literal on an unknown verb", b"a XFOO {10}\r\n", "close"),
        _v("empty tag", b" NOOP\r\n", "refuse"),
        _v("tag of a plus", b"+ NOOP\r\n", "refuse"),
        _v("tag of a star", b"* NOOP\r\n", "refuse"),
        _v("tag with a brace", b"a{1+} NOOP\r\n", "refuse"),
        _v("tag with a quote", b'a" NOOP\r\n', "refuse"),
        _v("tag with a percent", b"a%n NOOP\r\n", "refuse"),
        _v("8-bit tag", b"\xc3\xa4 NOOP\r\n", "refuse"),
        _v("tag alone", b"a\r\n", "refuse"),
        _v("empty line", b"\r\n", "refuse"),
        _v("two spaces before the verb", b"a  NOOP\r\n", "refuse"),
        _v("bare LF at the end", b"a NOOP\n", "close"),
        _v("bare LF then a command", b"a NOOP\nb LOGOUT\r\n", "close"),
        _v("bare LF behind a literal mark", b"a CREATE {5+}\nhello\r\n", "close"),
        _v("CR CR LF behind a literal mark", b"a CREATE {10+}\r\r\n" + SMUGGLED + b"\r\n", "close"),
        _v("CR CR LF at the end", b"a NOOP\r\r\n", "close"),
        _v("empty braces", b"a CREATE {}\r\n" + SMUGGLED, "close"),
        _v("plus alone in braces", b"a CREATE {+}\r\n" + SMUGGLED, "close"),
        _v("minus in braces", b"a CREATE {10-}\r\n" + SMUGGLED, "close"),
        _v("space in braces", b"a CREATE {10 }\r\n" + SMUGGLED, "close"),
        _v("sign in braces", b"a CREATE {+10}\r\n" + SMUGGLED, "close"),
        _v("hex in braces", b"a CREATE {0x5+}\r\n", "refuse"),
        _v("zero length", b"a CREATE {0+}\r\n\r\n", "relay", b"a CREATE {0}\r\n\r\n"),
        _v("leading zero", b"a CREATE {05+}\r\nhello\r\n", "close"),
        _v("2^64+1", b"a CREATE {18446744073709551617+}\r\nx\r\n", "close"),
        _v("2^64+1 of APPEND", b"a APPEND INBOX {18446744073709551617+}\r\nx\r\n", "close"),
        _v("2^32", b"a CREATE {4294967296+}\r\nx\r\n", "close"),
        _v("a hundred million", b"a CREATE {99999999+}\r\nx\r\n", "close"),
        _v("literal8 in SEARCH", b"a SEARCH SUBJECT ~{10+}\r\n" + SMUGGLED + b"\r\n", "close"),
        _v("literal8 in CREATE", b"a CREATE ~{10+}\r\n" + SMUGGLED + b"\r\n", "close"),
        _v("literal8 in APPEND", b"a APPEND INBOX ~{2+}\r\nh\0\r\n", "relay", b"a APPEND INBOX ~{2}\r\nh\0\r\n"),
        _v("quoted backslash LF", b'a CREATE "x\\\nb LOGOUT\r\n', "close"),
        _v("quoted backslash CR LF", b'a CREATE "x\\\r\nb LOGOUT\r\n', "close"),
        _v("quoted NUL", b'a CREATE "x\0y"\r\n', "close"),
        _v("quoted bare LF", b'a CREATE "x\nb LOGOUT\r\n"\r\n', "close"),
        _v("quoted bare CR", b'a CREATE "x\ry"\r\n', "close"),
        _v("quote never closed", b'a CREATE "xy\r\n', "refuse"),
        _v("quote never closed with a literal mark", b'a CREATE "xy {10+}\r\n' + SMUGGLED + b"\r\n", "close"),
        _v("literal mark inside quotes", b'a CREATE "{10+}"\r\n', "relay", b'a CREATE "{10+}"\r\n'),
        _v("literal mark not at the end", b"a CREATE {10+}x\r\n", "refuse"),
        _v("literal mark glued to an atom", b"a CREATE x{10+}\r\n" + SMUGGLED + b"\r\n", "close"),
        _v("literal mark glued to a quote", b'a CREATE "x"{10+}\r\n' + SMUGGLED + b"\r\n", "close"),
        _v("text glued to a literal", b"a CREATE {5+}\r\nhellox\r\n", "cut"),
        _v("text glued to a literal of APPEND", b"a APPEND INBOX {5+}\r\nhellox\r\n", "cut"),
        _v("bare LF behind a literal", b"a CREATE {5+}\r\nhello\nb LOGOUT\r\n", "cut"),
        _v("NUL inside a mailbox literal", b"a CREATE {5+}\r\nIN\0OX\r\n", "refuse"),
        _v("NUL in the line", b"a CREATE x\0y\r\n", "close"),
        _v("NUL as the line's first byte", b"\0a NOOP\r\n", "close"),
        _v("bare CR inside the line", b"a CREATE x\ry\r\n", "close"),
        _v("bare CR before a command", b"a NOOP\rb LOGOUT\r\n", "close"),
        _v("8-bit in quotes", b'a CREATE "\xff\xc3\xa4"\r\n', "relay", b'a CREATE "\xff\xc3\xa4"\r\n'),
        _v("lists 33 deep", b"a FETCH 1 " + b"(" * 33 + b"FLAGS" + b")" * 33 + b"\r\n", "refuse"),
        _v("lists not balanced", b"a FETCH 1 (FLAGS\r\n", "refuse"),
        _v("a line of 70,000 bytes", b"a SEARCH TEXT " + b"x" * 70_000 + b"\r\n", "close"),
        _v("DONE without IDLE", b"DONE\r\n", "refuse"),
        _v("trailing spaces", b"a NOOP   \r\n", "relay", b"a NOOP\r\n"),
        _v("surplus argument", b"a NOOP surplus\r\n", "bad"),
        _v("unknown verb", b"a FROBNICATE foo\r\n", "bad"),
        _v("STARTTLS", b"a STARTTLS\r\n", "bad"),
        _v("COMPRESS", b"a COMPRESS DEFLATE\r\n", "bad"),
        _v("verb in lower case", b"a nOoP\r\n", "relay", b"a nOoP\r\n"),
    ])

BEFORE = (
    [_nosync("before login: " + each.strip(), each.encode(), "close", before=True)
     for each in ("XFOO ", "NOOP ", "CAPABILITY ", "LOGOUT ", "STARTTLS ", "SELECT ", "AUTHENTICATE ",
                  "AUTHENTICATE PLAIN ")]
    + [
        _v("before login: user of no bytes", b'a LOGIN {0+}\r\n "p"\r\n', "refuse", before=True),
        _v("before login: plus alone", b"a LOGIN {+}\r\nbob secret\r\n", "close", before=True),
        _v("before login: leading zero", b"a LOGIN {03+}\r\nbob secret\r\n", "close", before=True),
        _v("before login: 2^64+1", b"a LOGIN {18446744073709551617+}\r\nb secret\r\n", "close", before=True),
        _v("before login: a hundred million", b"a LOGIN {99999999+}\r\nbob secret\r\n", "close", before=True),
        _v("before login: bare LF behind a mark", b"a LOGIN {3+}\nbob secret\r\n", "close", before=True),
        _v("before login: bare LF", b"a LOGIN bob secret\n", "close", before=True),
        _v("before login: text glued to a literal", b"a LOGIN {3+}\r\nbobx secret\r\n", "close", before=True),
        _v("before login: text glued to the last", b"a LOGIN bob {6+}\r\nsecretx\r\n", "close", before=True),
        _v("before login: NUL in a literal", b"a LOGIN bob {6+}\r\nsec\0et\r\n", "refuse", before=True),
        _v("before login: NUL in quotes", b'a LOGIN bob "sec\0et"\r\n', "close", before=True),
        _v("before login: quoted backslash LF", b'a LOGIN bob "secret\\\n"\r\n', "close", before=True),
        _v("before login: literal8", b"a LOGIN ~{3+}\r\nbob secret\r\n", "close", before=True),
        _v("before login: three arguments", b"a LOGIN bob secret more\r\n", "refuse", before=True),
        _v("before login: one argument", b"a LOGIN bob\r\n", "refuse", before=True),
        _v("before login: lists", b"a NOOP " + b"(" * 2000 + b"\r\n", "refuse", before=True),
    ])
