"""The verdict on a symbol, computed from what is there: rules, passes, policy."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import codemods.mappings  # noqa: F401  (registers the rules)
import codemods.passes.printing.output  # noqa: F401  (imports the passes, which declare what they handle)
from codemods.engine import rule as rules
from codemods.engine.api import canonical, is_module
from codemods.engine.handled import HANDLED
from codemods.policy.entries import Host, Refused
from codemods.policy.lookup import entry_of

KINDS = ("rule", "pass", "host", "refused", "unknown")


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What becomes of a symbol.

    Attributes:
      symbol: its canonical name.
      kind: `rule`, `pass`, `host`, `refused`, or `unknown` where nothing says what to do.
      becomes: what the user finds in the port, or why nothing does.
      recipe: what to do by hand, for `host` and `refused`.
      only: where a pass handles it, if not everywhere.
    """

    symbol: str
    kind: str
    becomes: str
    recipe: str = ""
    only: str = ""

    @property
    def ported(self) -> bool:
        """Does a port deal with it, without the user?"""
        return self.kind in ("rule", "pass", "host")


@functools.cache
def always_refuses(body: Callable[..., Any] | None) -> str:
    """The reason of a rule's body that refuses every call; empty for others."""
    if body is None:
        return ""
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(body))))
    definition = next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    statements = [s for s in definition.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    call = statements[0].value if isinstance(statements[0], ast.Expr | ast.Return) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != "refuse":
        return ""
    code = compile(ast.Expression(call.args[0]), "reason", "eval")
    try:
        return str(eval(code, inspect.unwrap(body).__globals__))
    except NameError:  # made of the arguments
        return ast.unparse(call.args[0])


def verdict(symbol: str) -> Verdict:
    """The verdict on a symbol, by any of its names."""
    name = canonical(symbol)
    if name in rules.OBJECTS:
        made = rules.OBJECTS[name]
        why = always_refuses(made.make or made.call)
        return Verdict(name, "refused", why) if why else Verdict(name, "rule", f"{made.kind} rule")
    if name in rules.RULES:
        why = always_refuses(rules.RULES[name].function)
        return Verdict(name, "refused", why) if why else Verdict(name, "rule", "rule")
    if name in rules.CONSTANTS:
        return Verdict(name, "rule", rules.CONSTANTS[name])
    if name in HANDLED:
        declared = HANDLED[name]
        everywhere = any(not one.only for one in declared)
        only = "" if everywhere else "; ".join(dict.fromkeys(one.only for one in declared))
        return Verdict(name, "pass", "; ".join(dict.fromkeys(one.becomes for one in declared)), only=only)
    entry = entry_of(name)
    if isinstance(entry, Host):
        return Verdict(name, "host", "stays as host code, imported where it runs", entry.recipe)
    if isinstance(entry, Refused):
        return Verdict(name, "refused", entry.reason, entry.recipe)
    if is_module(name):
        return Verdict(name, "pass", "a module: what is used of it counts")
    return Verdict(name, "unknown", f"no rule for {name} yet")
