"""Lists of labels, laid out as buildifier does it, with the comments that people put into them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import libcst as cst

from buildfiles.deps import order
from buildfiles.parsed import quoted

_INDENT = "    "
_ROW = re.compile(r'\s*"([^"]*)",?\s*(#.*)?$')


def code_list(values: Sequence[str]) -> cst.BaseExpression:
    """A list of strings as the value of an attribute."""
    if len(values) < 2:
        return cst.parse_expression(f"[{', '.join(quoted(value) for value in values)}]")
    rows = "".join(f"{2 * _INDENT}{quoted(value)},\n" for value in values)
    return cst.parse_expression(f"[\n{rows}{_INDENT}]")


def edited(old: cst.BaseExpression, gone: Collection[str], new: Collection[str]) -> cst.BaseExpression:
    """A list without some labels and with others, each where it sorts; comments stay with their labels.

    Args:
      old: a list of strings.
      gone: labels to leave out.
      new: labels to add.
    """
    lines = cst.Module([]).code_for_node(old).split("\n")
    matches = [_ROW.match(line) for line in lines[1:-1]]
    if len(lines) < 3 or not all(
        match or line.strip().startswith("#") for match, line in zip(matches, lines[1:-1], strict=True)
    ):
        strings = [match for match in re.findall(r'"([^"]*)"', "\n".join(lines)) if match not in gone]
        return code_list(sorted({*strings, *new}, key=order))
    blocks: list[tuple[str, list[str]]] = []
    above: list[str] = []
    for match, line in zip(matches, lines[1:-1], strict=True):
        above.append(line if match is None or "," in line else line.replace(f'"{match[1]}"', f'"{match[1]}",'))
        if match is not None:
            blocks.append((match[1], above))
            above = []
    blocks = [block for block in blocks if block[0] not in gone]
    for label in sorted(new, key=order):
        place = next((i for i, block in enumerate(blocks) if order(block[0]) > order(label)), len(blocks))
        blocks.insert(place, (label, [f"{2 * _INDENT}{quoted(label)},"]))
    if len(blocks) < 2 and not any("#" in line for _, rows in blocks for line in rows) and not above:
        return code_list([label for label, _ in blocks])
    rows = [line for _, block in blocks for line in block]
    return cst.parse_expression("\n".join([lines[0], *rows, *above, lines[-1]]))
