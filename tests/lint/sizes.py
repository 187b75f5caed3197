"""Size budgets: files of at most 350 lines, functions of at most 60. (Columns are clang-format's business.)"""

import re

import tree

MAX_FILE_LINES = 350
MAX_FUNCTION_LINES = 60

_TYPE = re.compile(r"^(template\s*<.*>\s*)?(requires\b.*)?(typedef\s+)?(class|struct|union|enum)\b", re.DOTALL)
_NAMESPACE = re.compile(r'^(inline\s+)?namespace\b|^extern\s*"')


def functions(source):
    """(first line, last line, signature) of each function defined in blanked C++ text.

    A brace at namespace or class scope opens a function when what stands before it has parentheses and is not
    a type, an initialiser (clang-format puts no space before that brace, or there is a '=') or a namespace."""
    scopes = []  # of [kind, start of the statement]
    start = 0
    for found in re.finditer(r"[{};]|^[ \t]*#(?:\\\n|[^\n])*", source, re.MULTILINE):
        mark = found.group(0)
        inside = any(kind in ("function", "value") for kind, _ in scopes)
        if mark == "{":
            kind = "value" if inside else _kind(source[start:found.start()])
            scopes.append((kind, start))
            if kind != "value":
                start = found.end()
        elif mark == "}":
            kind, begun = scopes.pop() if scopes else ("type", start)
            if kind == "function":
                head = source[begun:found.end()]
                first = tree.line_of(source, begun + len(head) - len(head.lstrip()))
                yield first, tree.line_of(source, found.start()), " ".join(head.split("{")[0].split())
            # After a value the statement goes on: a constructor's initialisers, a variable's ';'.
            start = begun if kind == "value" else found.end()
        elif not inside:
            start = found.end()


def _kind(statement):
    bare = re.sub(r"^\s*((public|private|protected)\s*:|\[\[.*?\]\])\s*", "", statement.strip())
    if _NAMESPACE.match(bare):
        return "type"
    if _TYPE.match(bare) and not re.search(r"\)\s*(const|noexcept|override|final|\s)*$", bare):
        return "type"
    outside_parentheses = re.sub(r"\([^()]*\)", "()", re.sub(r"\([^()]*\)", "()", bare))
    if statement and not statement[-1].isspace():
        return "value"
    if re.search(r"(?<!operator)(?<![=!<>])=(?!=)", outside_parentheses.replace("operator=", "operator")):
        return "value"
    return "function" if "(" in bare else "value"


def check_file_lines():
    """no file of src/ and include/ is longer than 350 lines"""
    for path in tree.cpp("src", "include"):
        lines = tree.text(path).count("\n")
        if lines > MAX_FILE_LINES:
            yield f"{path}: {lines} lines, {MAX_FILE_LINES} are allowed; a thing is waiting to be named"


def check_function_lines():
    """no function of src/ and include/ is longer than 60 lines"""
    for path in tree.cpp("src", "include"):
        for first, last, signature in functions(tree.code(path)):
            if last - first + 1 > MAX_FUNCTION_LINES:
                yield f"{path}:{first}: {last - first + 1} lines in {signature[:80]}, {MAX_FUNCTION_LINES} are allowed"


CHECKS = [check_file_lines, check_function_lines]
