"""What may stand where in the tree, and what may not be written."""

import re

import tree

TOP_LEVEL = {"CMakeLists.txt", "src", "include", "rules", "tests", "grafana", "README.md", "LICENSE"}
NAMESPACES = {"postern", "postern::imap", "postern::pop3"}

# What a note for later must look like: the reason it is not done now.
_BARE_TODO = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\([^)]{8,}\))")

# Folders of the machine that a file was written on mean nothing on any other.
_MACHINE = re.compile(r"(?<![\w.])/(home/[a-z]+|root|work|Users)/|(?i:\blanguage model\b|\bAI[- ](assistant|generated)\b)")

# One word per thing: what the code calls otherwise (in identifiers and comments of src/ and include/).
_OTHER_WORDS = {
    r"\b[Uu]pstream\b|\b[Dd]ownstream\b|[a-z]_?(Upstream|Downstream)|\b(upstream|downstream)_": "client or backend",
    r"\b[Ff]rontend\b|\bfrontend_": "client",
    r"\b[Rr]eactor\b": "worker",
}

_TEXT = {".cc", ".h", ".py", ".sh", ".md", ".toml", ".txt", ".cmake", ".conf", ".eml", ".json", ""}


def check_top_level():
    """nothing new stands at the top of the tree without a reason"""
    for entry in sorted({path.parts[0] for path in tree.files()}):
        if not entry.startswith(".") and entry not in TOP_LEVEL:
            yield f"{entry}: not one of the top-level entries {' '.join(sorted(TOP_LEVEL))}"


def check_words():
    """no bare note for later, no path of one machine, no word that another word stands for"""
    for path in tree.files():
        if path.suffix not in _TEXT or path.parts[:2] == ("tests", "lint") or "corpus" in path.parts:
            continue
        rules = [(_BARE_TODO, "a note for later needs its reason: TODO(why not now)"),
                 (_MACHINE, "this belongs to one machine or workplace")]
        if path.parts[0] in ("src", "include"):
            rules += [(re.compile(pattern), f"the house says {word}") for pattern, word in _OTHER_WORDS.items()]
        source = tree.text(path)
        for pattern, complaint in rules:
            for found in pattern.finditer(source):
                yield f"{path}:{tree.line_of(source, found.start())}: '{found.group(0)}': {complaint}"


def check_names():
    """files are named lower_case.cc and .h, and none is a drawer for everything"""
    for path in tree.cpp("src", "include", "tests"):
        if not re.fullmatch(r"[a-z0-9_]+\.(cc|h)", path.name):
            yield f"{path}: file names are lower_case.cc and lower_case.h"
        if re.fullmatch(r"(.*_)?(util|utils|common|misc|helpers?)\.(cc|h)", path.name):
            yield f"{path}: a file is named after the thing it holds"


def check_headers():
    """a header begins with what it is, has #pragma once, and imports no namespace"""
    for path in tree.cpp("src", "include", "tests"):
        if path.suffix != ".h":
            continue
        source = tree.text(path)
        if "\n#pragma once\n" not in "\n" + source:
            yield f"{path}: no #pragma once"
        if not source.lstrip().startswith(("//", "#pragma once\n\n//", "#pragma once\n//")):
            yield f"{path}: the first words of a header say what it is, who owns it, which thread"
        if re.search(r"^\s*using namespace\b", tree.code(path), re.MULTILINE):
            yield f"{path}: 'using namespace' in a header"


def check_namespaces():
    """the namespaces are postern, postern::imap and postern::pop3"""
    for path in tree.cpp("src", "include"):
        source = tree.code(path)
        for found in re.finditer(r"^\s*(?:inline\s+)?namespace\s+([\w:]+)\s*\{", source, re.MULTILINE):
            if found.group(1) not in NAMESPACES:
                yield f"{path}:{tree.line_of(source, found.start())}: namespace {found.group(1)}"


def check_exceptions():
    """our own code throws nothing"""
    for path in tree.cpp("src", "include"):
        source = tree.code(path)
        for found in re.finditer(r"\bthrow\b", source):
            yield f"{path}:{tree.line_of(source, found.start())}: return a Result instead"


# A response code at its opening bracket: what a text of ours tells a client in trouble.
_RESPONSE_CODE = re.compile(r"\[([A-Z][A-Z0-9/-]*)")
# Marks in brackets that are no trouble: a list of capabilities, and a POP3 greeting that invites XCLIENT.
_OTHER_MARKS = {"CAPABILITY", "XCLIENT"}


def check_reply_codes():
    """the engines take response codes from trouble.h and write none themselves"""
    for path in tree.cpp("src", "include"):
        if "engine" not in path.parts or path.name == "trouble.h":
            continue
        source = tree.text(path)
        # Blanked text has its strings in the same places, and no comments.
        for literal in re.finditer(r'"[^"\n]*"', tree.code(path)):
            for found in _RESPONSE_CODE.finditer(source[literal.start():literal.end()]):
                if found.group(1) not in _OTHER_MARKS:
                    line = tree.line_of(source, literal.start())
                    yield f"{path}:{line}: '{found.group(0)}': response codes come from trouble.h"


def check_cmake():
    """no build file asks for the system's OpenSSL or for curl"""
    for path in tree.files():
        if path.name == "CMakeLists.txt" or path.suffix == ".cmake":
            source = re.sub(r"#[^\n]*", "", tree.text(path))
            for found in re.finditer(r"find_package\(\s*(OpenSSL|CURL)\b|prometheus-cpp::push|libssl\b|libcurl\b", source):
                yield f"{path}:{tree.line_of(source, found.start())}: '{found.group(0)}' would bring OpenSSL into the process"


CHECKS = [check_top_level, check_words, check_names, check_headers, check_namespaces, check_exceptions,
          check_reply_codes, check_cmake]
