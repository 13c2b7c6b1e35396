"""Puts arguments into the code of an evaluated body.

An argument that is a name, an attribute chain or a constant goes wherever the body names it. Another
goes in place if the body uses it once, and in the order in which the original evaluated it; else it
is bound to a name first, by a statement (the prelude) or, where there can be none, by `:=`.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import enum
from collections.abc import Collection
from typing import Any

import jax
import libcst as cst

from codemods.engine.defaults import dotted
from codemods.engine.precedence import parenthesised, wrapped
from codemods.engine.rule import IMPORTS
from codemods.engine.state import State
from codemods.engine.values import Stop, is_chain, names_in
from codemods.engine.walk import children, identifiers, kept, mapped, marked

_print = cst.Module([]).code_for_node
#: Functions of Python's own that do nothing but give a value.
_PURE = (
    "abs",
    "bool",
    "dict",
    "enumerate",
    "float",
    "int",
    "len",
    "list",
    "max",
    "min",
    "range",
    "sum",
    "tuple",
    "zip",
)


class _Where(enum.IntFlag):
    """How the place of an occurrence is evaluated."""

    ONCE = 0
    CONDITIONAL = 1
    REPEATED = 2
    LATER = 4


@dataclasses.dataclass(frozen=True)
class Placed:
    """Code without holes, and the statements that come before it."""

    code: cst.BaseExpression
    prelude: tuple[cst.BaseStatement, ...] = ()


def place(state: State, code: cst.BaseExpression, taken: Collection[str], can_prelude: bool) -> Placed:
    """Fills the holes of `code`.

    Args:
      state: has the holes.
      code: the body's code.
      taken: names that new variables must not have.
      can_prelude: may statements come before the one that holds the code?
    """
    steps = _with_locals(state, code)
    bound = _to_bind(state, [step for _, step in steps])
    used = set().union(*[identifiers(step) for _, step in steps])
    for key, hole in state.holes.items():
        lost = not hole.local and key not in used
        if lost and _holds(hole.code, (cst.NamedExpr, cst.Yield, cst.Await)):
            raise Stop(f"`{_print(hole.code)}` would be lost, and what it does with it")
    names: dict[str, str] = {}
    wanted = [*bound, *(key for key, _ in steps if key)]
    avoid = {*taken, *state.user_names, *IMPORTS, *dir(builtins)} if wanted else set()
    avoid |= {n for _, step in steps for n in names_in(step)} if wanted else set()
    for key in wanted:
        names[key] = _fresh(state.holes[key].name, avoid, bool(taken))
        avoid.add(names[key])
    if not names:
        return Placed(_checked(parenthesised(_fill(state, code_of(steps), {}))))
    if not can_prelude:
        return Placed(_checked(parenthesised(_with_walrus(state, steps, bound, names))))
    prelude = [_assignment(names[key], _fill(state, state.holes[key].code, {})) for key in bound]
    prelude += [_assignment(names[key], _fill(state, step, names)) for key, step in steps if key]
    return Placed(_checked(parenthesised(_fill(state, code_of(steps), names))), tuple(prelude))


Steps = list[tuple[str, cst.BaseExpression]]


def code_of(steps: Steps) -> cst.BaseExpression:
    """The last step: the result."""
    return steps[-1][1]


def _with_locals(state: State, code: cst.BaseExpression) -> Steps:
    """The result, with the locals used once put in place; others are steps before it."""
    steps: Steps = [("", code)]
    for key in reversed(state.locals):
        found = [
            where for _, step in steps if key in identifiers(step) for k, where in _occurrences(step, state) if k == key
        ]
        if len(found) == 1 and found[0] <= _Where.CONDITIONAL:
            steps = [(k, _Fill({key: state.holes[key].code})(step)) for k, step in steps]
        elif found:
            steps.insert(0, (key, state.holes[key].code))
    return steps


def _to_bind(state: State, steps: list[cst.BaseExpression]) -> list[str]:
    """The arguments that need a name, in their original order."""
    found = [item for step in steps for item in _occurrences(step, state) if not state.holes[item[0]].local]
    found = [(key, where) for key, where in found if not is_chain(state.holes[key].code)]
    impure = {key for key, _ in found if _impure(state.holes[key].code)}
    bound: set[str] = set()
    for key, where in found:
        several = sum(1 for other, _ in found if other == key) > 1
        if several or where > _Where.CONDITIONAL or where and key in impure:
            bound.add(key)
    order = {key: state.holes[key].order for key, _ in found}
    sequence = list(dict.fromkeys(key for key, _ in found if key in impure))
    changed = True
    while changed:
        changed = False
        free = [key for key in sequence if key not in bound]
        for i, key in enumerate(free):
            # A bound argument is evaluated before all that stay in place, so it must come first; and
            # of those in place none may overtake another.
            late = any(order[key] < order[other] for other in bound & impure)
            if late or any(order[other] > order[key] for other in free[:i]):
                bound.add(key)
                changed = True
                break
    return sorted(bound, key=order.__getitem__)


def _occurrences(node: cst.CSTNode, state: State, where: _Where = _Where.ONCE) -> list[tuple[str, _Where]]:
    """The holes in code, in the order of evaluation."""
    found: list[tuple[str, _Where]] = []
    _find(node, state.holes, where, found)
    return found


def _find(node: Any, holes: Collection[str], where: _Where, found: list[tuple[str, _Where]]) -> None:
    kind = type(node)
    if kind is cst.Name:
        if node.value in holes:
            found.append((node.value, where))
    elif kind is cst.Attribute or kind is cst.Arg:
        _find(node.value, holes, where, found)
    elif kind is cst.Lambda:
        _find(node.params, holes, where, found)
        _find(node.body, holes, where | _Where.LATER, found)
    elif kind in _COMPREHENSIONS:
        _find(node.for_in.iter, holes, where, found)
        for part in (*node.for_in.ifs, node.elt):
            _find(part, holes, where | _Where.REPEATED, found)
    elif kind is cst.IfExp:
        _find(node.test, holes, where, found)
        for part in (node.body, node.orelse):
            _find(part, holes, where | _Where.CONDITIONAL, found)
    elif kind is cst.BooleanOperation:
        _find(node.left, holes, where, found)
        _find(node.right, holes, where | _Where.CONDITIONAL, found)
    else:
        for child in children(node):
            _find(child, holes, where, found)


_COMPREHENSIONS = frozenset({cst.ListComp, cst.SetComp, cst.GeneratorExp})


@kept
def _impure(node: cst.CSTNode) -> bool:
    """May evaluating this do something, or give something else at another time?"""
    if isinstance(node, (cst.Await, cst.Yield, cst.NamedExpr)):
        return True
    if isinstance(node, cst.Call):
        path = dotted(node.func)
        function = path and "random" not in path and not path.rpartition(".")[2][:1].isupper()
        method = isinstance(node.func, cst.Attribute) and hasattr(jax.Array, node.func.attr.value)
        if not function and not method and not (isinstance(node.func, cst.Name) and node.func.value in _PURE):
            return True
    return any(_impure(child) for child in children(node))


def _holds(node: cst.CSTNode, kinds: tuple[type, ...]) -> bool:
    return isinstance(node, kinds) or any(_holds(child, kinds) for child in children(node))


class _Fill:
    """Replaces holes; a second use of a node is a copy of it."""

    def __init__(self, by_key: dict[str, cst.BaseExpression]):
        self._by_key = by_key
        self._used: set[str] = set()

    def __call__(self, node: Any) -> Any:
        if type(node) is not cst.Name:
            return mapped(node, self)
        key = node.value
        if key not in self._by_key:
            return node
        code = self._by_key[key].deep_clone() if key in self._used else self._by_key[key]
        self._used.add(key)
        return code


def _fill(state: State, code: cst.BaseExpression, names: dict[str, str]) -> cst.BaseExpression:
    by_key = {key: cst.Name(names[key]) if key in names else hole.code for key, hole in state.holes.items()}
    if isinstance(code, cst.Name) and code.value in by_key:
        return by_key[code.value]
    return _Fill(by_key)(code)


def _with_walrus(state: State, steps: Steps, bound: list[str], names: dict[str, str]) -> cst.BaseExpression:
    """Binds where the argument is first used, if that is evaluated once and before all other uses."""
    if len(steps) > 1:
        raise Stop("the rewrite needs a variable, and there is no place for a statement here")
    code = code_of(steps)
    found = list(_occurrences(code, state))
    first = {key: next(i for i, (k, _) in enumerate(found) if k == key) for key in bound}
    calls = [i for i, (key, _) in enumerate(found) if _impure(state.holes[key].code)]
    ordered = [first[key] for key in bound] == sorted(first.values())
    if not ordered or any(where for key, where in found if key in bound) or (calls and not ordered):
        raise Stop("the rewrite needs a variable, and there is no place for a statement here")
    for key in bound:
        before = [state.holes[found[i][0]].order for i in calls if i < first[key] and found[i][0] != key]
        if any(order > state.holes[key].order for order in before):
            raise Stop("the rewrite would change the order of evaluation")
    filler = _Fill({key: hole.code for key, hole in state.holes.items() if key not in names})
    binder = _Bind({key: (names[key], state.holes[key].code) for key in bound})
    return filler(binder(code))


class _Bind:
    """Puts `(name := argument)` for the first use of a hole and the name for others."""

    def __init__(self, by_key: dict[str, tuple[str, cst.BaseExpression]]):
        self._by_key = by_key
        self._used: set[str] = set()

    def __call__(self, node: Any) -> Any:
        if type(node) is not cst.Name:
            return mapped(node, self)
        key = node.value
        if key not in self._by_key:
            return node
        name, code = self._by_key[key]
        if key in self._used:
            return cst.Name(name)
        self._used.add(key)
        return wrapped(cst.NamedExpr(cst.Name(name), code))


def _fresh(base: str, avoid: Collection[str], told: bool) -> str:
    # Who does not say which names are taken gets names that are unlikely to be.
    name = base if told else f"{base}_value"
    candidates = [name, f"{base}_value", *(f"{base}_{i}" for i in range(2, 1000))]
    return next(candidate for candidate in candidates if candidate not in avoid)


def _assignment(name: str, value: cst.BaseExpression) -> cst.BaseStatement:
    target = cst.AssignTarget(cst.Name(name))
    return cst.SimpleStatementLine([cst.Assign([target], _checked(parenthesised(value)))])


def _checked(code: cst.BaseExpression) -> cst.BaseExpression:
    """Code that spans lines outside of brackets gets some; code that can't be written is refused."""
    if not marked(code):
        return code
    text = _print(code)
    if "\n" in text and not _parses(text):
        code = wrapped(code)
        text = _print(code)
    if ("{" in text or "\n" in text) and not _parses(text):
        raise Stop("the rewrite can't be written as one expression")
    return code


def _parses(text: str) -> bool:
    try:
        ast.parse(f"_ = {text}")
    except SyntaxError as error:
        return "outside function" in str(error) or "await" in str(error)
    return True
