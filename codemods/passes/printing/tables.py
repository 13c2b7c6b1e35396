"""Dicts of the port from names that configuration gives ("relu") to functions (nnx.relu).

Code that takes such a name as a parameter looks it up at run time: `KERAS_ACTIVATIONS.get(activation, activation)`,
which leaves functions as they are. A dict holds the names that the file mentions, and no others.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import libcst as cst
import libcst.matchers as m

from codemods.engine import rule as rules
from codemods.engine.outcome import Refusal
from codemods.engine.walk import findall

_COMMENTS = {
    "KERAS_ACTIVATIONS": "# Activations by the names that Keras gives them.",
    "KERAS_INITIALIZERS": "# Initializers by the names that Keras gives them.",
}
#: Parameters and arguments that may be None, and name an activation or an initializer.
_MAY_BE_NONE = {
    "KERAS_ACTIVATIONS": re.compile(r"\bact(ivation|iv)?\w*\s*=\s*None"),
    "KERAS_INITIALIZERS": re.compile(r"\b\w*init(ializer)?\s*=\s*None"),
}


def table_lines(name: str, module: cst.Module) -> list[str]:
    """The definition of a table, with the names that a file's strings give.

    Args:
      name: the table, as a macro names it.
      module: the file, as its author wrote it.
    """
    macro = next(entry for entry in rules.MACROS.values() if entry.table == name)
    entries: dict[str | None, str] = {}
    if _MAY_BE_NONE[name].search(module.code):
        entries[None] = macro.function(None)
    strings = {node.evaluated_value for node in findall(module, m.SimpleString())}  # type: ignore[attr-defined]
    for value in sorted(v for v in strings if isinstance(v, str) and v.isidentifier()):
        try:
            entries[value] = macro.function(value)
        except (Refusal, rules.Refused):
            continue
    items = "".join(f"    {_key(key)}: {code},\n" for key, code in entries.items())
    return [f"{name} = {{\n{items}}}"]


def table_statements(names: Collection[str], module: cst.Module) -> list[cst.BaseStatement]:
    """Definitions of the tables among the names that a port reads."""
    statements = []
    for name in sorted(set(names) & _COMMENTS.keys()):
        comment = cst.EmptyLine(comment=cst.Comment(_COMMENTS[name]))
        statement = cst.parse_statement(table_lines(name, module)[0])
        lead = [cst.EmptyLine(indent=False), comment]
        statements.append(statement.with_changes(leading_lines=lead))  # type: ignore[call-arg]
    return statements  # type: ignore[return-value]


def _key(key: str | None) -> str:
    return "None" if key is None else f'"{key}"'
