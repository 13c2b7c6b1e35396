"""What of a long definition is shown beside the statement that is asked about."""

from __future__ import annotations

import ast

from agent.records import Subject

#: Of a definition; with the rest of a prompt some 10,000 tokens.
MOST = 32_000
#: Lines around the statement that are kept of a method that is too long itself.
_AROUND = 60
#: Methods that say what the names of the others mean.
_TELLING = ("__init__", "build", "setup")


def excerpt(subject: Subject, most: int = MOST) -> tuple[str, int]:
    """The definition as it is shown, and the line of the statement in that.

    Where it has more than `most` characters, methods that neither hold the statement nor make what it uses are shown
    without their bodies; where that is too much still, the lines around the statement alone.
    """
    lines = subject.definition.splitlines(keepends=True)
    if len(subject.definition) <= most:
        return subject.definition, subject.line
    dropped = _bodies(subject, most)
    text, line = _without(lines, dropped, subject.line)
    if len(text) <= most:
        return text, line
    last = subject.line + len(subject.region.splitlines())
    far = set(range(len(lines))) - set(range(max(0, subject.line - _AROUND), last + _AROUND)) - {0}
    return _without(lines, dropped | far, subject.line)


def _bodies(subject: Subject, most: int) -> set[int]:
    """Lines of the bodies of methods that are left out, from 0: first of those that tell least."""
    try:
        (tree,) = ast.parse(subject.definition).body
    except (SyntaxError, ValueError):  # a statement, cut out
        return set()
    if not isinstance(tree, ast.ClassDef):
        return set()
    methods = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    others = [n for n in methods if not (n.lineno - 1 <= subject.line < (n.end_lineno or n.lineno))]
    size = len(subject.definition)
    found: set[int] = set()
    lines = subject.definition.splitlines(keepends=True)
    for node in sorted(others, key=lambda n: (n.name in _TELLING, -((n.end_lineno or 0) - n.lineno))):
        if size <= most:
            break
        body = set(range(node.body[0].lineno - 1, node.end_lineno or node.lineno))
        if node.body[0].lineno > node.lineno:  # not all in one line
            found |= body
            size -= sum(len(lines[i]) for i in body)
    return found


def _without(lines: list[str], dropped: set[int], line: int) -> tuple[str, int]:
    """The lines that stay, with a mark where some are left out, and where one of them comes to stand."""
    shown: list[str] = []
    place, left = line, 0
    for number, text in enumerate(lines):
        if number in dropped:
            left += 1
            continue
        if left:
            indent = text[: len(text) - len(text.lstrip())] or "    "
            shown.append(f"{indent}# ... {left} lines are not shown\n")
            left = 0
        if number == line:
            place = len(shown)
        shown.append(text)
    if left:
        shown.append(f"    # ... {left} lines are not shown\n")
    return "".join(shown), place
