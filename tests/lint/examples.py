"""For each check a tree that breaks its rule, so that a check which has gone blind is noticed."""

import contextlib
import tempfile
from pathlib import Path

import layering
import sizes
import tools
import tree
import words

_LONG_FUNCTION = "int Long(int (*f)(int)) {\n" + "  f(1);\n" * 60 + "}\n"
_NET = {"include/postern/net/stream.h": "// A stream.\n#pragma once\n"}

# check -> files that it must complain about
BAD = {
    layering.check_layers: {"src/imap/a.cc": '#include "postern/net/stream.h"\n', **_NET},
    layering.check_include_paths: {"src/imap/a.cc": '#include "postern/imap/nowhere.h"\n'},
    layering.check_third_party: {"src/gateway/a.cc": "#include <uv.h>\n"},
    layering.check_purity: {"src/engine/a.cc": "auto t = std::chrono::steady_clock::now();\n"},
    layering.check_include_cycles: {"src/imap/a.h": '#include "b.h"\n', "src/imap/b.h": '#include "a.h"\n'},
    sizes.check_file_lines: {"src/imap/a.cc": "//\n" * 351},
    sizes.check_function_lines: {"src/imap/a.cc": "struct A {\n  A() : x_{1} {}\n  int x_;\n};\n" + _LONG_FUNCTION},
    words.check_top_level: {"stuff/a": "\n"},
    words.check_words: {"src/imap/a.cc": "// TODO later\n"},
    words.check_names: {"src/imap/util.cc": "\n"},
    words.check_headers: {"include/postern/imap/a.h": "// A thing.\nint x;\n"},
    words.check_namespaces: {"src/imap/a.cc": "namespace postern::detail {\n}\n"},
    words.check_exceptions: {"src/imap/a.cc": "void F() { throw 1; }\n"},
    words.check_reply_codes: {"src/engine/a.cc": 'auto a = "* BYE [UNAVAILABLE] later\\r\\n";\n'},
    words.check_cmake: {"CMakeLists.txt": "find_package(OpenSSL REQUIRED)\n"},
    tools.check_format: {".clang-format": "BasedOnStyle: Google\n", "src/imap/a.cc": "int   x ;\n"},
    tools.check_shell: {"tests/a": "#!/bin/bash\nx=$1\n"},
    tools.check_python: {"tests/a.py": "def f(:\n"},
}


@contextlib.contextmanager
def _root(folder):
    before, tree.ROOT = tree.ROOT, folder
    _forget()
    try:
        yield
    finally:
        tree.ROOT = before
        _forget()


def _forget():
    for cached in (tree.files, tree.text, tree.code):
        cached.cache_clear()


def check_examples(checks):
    """every check complains about a tree that breaks its rule"""
    for check in checks:
        if check not in BAD:
            yield f"{check.__name__} has no example in tests/lint/examples.py"
            continue
        with tempfile.TemporaryDirectory() as folder, _root(Path(folder).resolve()):
            for name, content in BAD[check].items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
            if not list(check()):
                yield f"{check.__name__} finds nothing wrong with {', '.join(BAD[check])}"
