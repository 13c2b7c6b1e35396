"""Bodies of rules run as if arguments were not known when porting, where they choose other code."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from codemods.engine.rule import Made, Rule
from parity.rule_oracle import compare
from parity.rule_oracle.original import Inputs

#: In the globals of such a body: the parameters that are not known.
UNKNOWN = "_unknown"


def definition_of(function: Callable[..., Any]) -> ast.FunctionDef:
    """A body's definition, without decorators; of a mutant, the changed one."""
    own = getattr(function, "definition", None)
    if own is not None:
        return own
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    found = next(node for node in tree.body if isinstance(node, ast.FunctionDef))
    found.decorator_list, found.returns = [], None
    return found


def compiled(definition: ast.FunctionDef, names: dict[str, Any]) -> Callable[..., Any]:
    """The function of a definition; it knows its definition."""
    names = dict(names)
    exec(compile(ast.fix_missing_locations(ast.Module([definition], [])), "<body>", "exec"), names)
    function = names[definition.name]
    function.definition = definition
    return function


@functools.cache
def unknowing(function: Callable[..., Any]) -> Callable[..., Any]:
    """The body, with `known(parameter)` false for those in its global `UNKNOWN`."""
    names = set(inspect.signature(function).parameters)

    class Asks(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.AST:
            self.generic_visit(node)
            match node:
                case ast.Call(func=ast.Name(id="known"), args=[ast.Name(id=name)]) if name in names:
                    return ast.parse(f"{name!r} not in {UNKNOWN}", mode="eval").body
            return node

    copied = ast.parse(ast.unparse(definition_of(function))).body[0]
    assert isinstance(copied, ast.FunctionDef)
    return compiled(Asks().visit(copied), function.__globals__)


def unknowns(rule: Rule, inputs: Inputs) -> Iterator[frozenset[str]]:
    """Which arguments of a call to take for unknown: each that the body asks about, and all of them."""
    text = ast.unparse(definition_of(rule.function))
    given = rule.signature.bind(*inputs[0], **inputs[1]).arguments
    asked = [name for name, value in given.items() if f"known({name})" in text and not _is_tensor(value)]
    yield from (frozenset([name]) for name in asked)
    if len(asked) > 1:
        yield frozenset(asked)


def _is_tensor(value: Any) -> bool:
    return any(isinstance(leaf, (np.ndarray, Made)) for leaf in compare.leaves(value))
