"""Functions that give functions of tensors, functions inside builders, and static methods: all are helpers.

`ConvBlock(filters)(x)`, where `ConvBlock` defines a function that makes layers and returns it, is `ConvBlock(x, filters)`
written in two calls: the module takes the first call's arguments in its constructor, the second's in its call. A function
defined inside a builder is a helper that is also given what it reads of the builder.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.names import assigned_names, free_reads, read_names
from codemods.passes.pieces import EQUAL
from codemods.passes.values import Value

#: `special[0]` of what the first call of a function in two calls gives.
CURRIED = "curried"
#: What makes a function more than its parameters and its result.
_LEAKS = m.Nonlocal() | m.Global() | m.Yield()


class Closures:
    """Makes helpers of functions that are written otherwise."""

    def open_closures(self) -> None:
        """Takes the inner function's parameters and body into every function of the file that returns one."""
        #: By function: the names of the parameters that the second call gives.
        self.curried: dict[str, list[str]] = {}
        #: Functions in two calls whose first call makes layers.
        self.shares_layers: set[str] = set()
        #: By function inside another: what it reads of that one.
        self.lifted: dict[str, list[str]] = {}
        self.second_calls: dict[tuple[int, int], cst.Call] = {}
        originals = dict(self.unit.functions)
        for name, node in originals.items():
            opened = _opened(node)
            if opened is not None:
                self.unit.functions[name], self.curried[name] = opened
        while True:
            self.kinds.clear()
            plain = [name for name in self.curried if self.function_kind(name) != "helper"]
            for name in plain:
                self.unit.functions[name] = originals[name]
                del self.curried[name]
            if not plain:
                break
        self.kinds.clear()
        for name in self.curried:
            before = originals[name].body.body[:-2]
            calls: list[Any] = [c for statement in before for c in findall(statement, m.Call())]
            if any(self.makes_layer(call) for call in calls):
                self.shares_layers.add(name)

    # -- functions in two calls ------------------------------------------------------------------------

    def first_call(self, name: str, node: cst.Call, frame: Frame) -> Value:
        """`ConvBlock(filters)`: nothing is made yet; the names it reads must not change until the second call."""
        read = {n: frame.env[n] for n in sorted(read_names(node)) if n in frame.env}
        return Value(cst.Name(self.unit.fresh("curried")), special=(CURRIED, name, node, read, []))

    def second_call(self, callee: Value, node: cst.Call, frame: Frame) -> Value:
        """`ConvBlock(filters)(x)`."""
        _, name, first, read, calls = callee.special
        changed = [n for n, value in read.items() if frame.env.get(n) is not value and not value.is_tensor]
        if changed and first is not node.func:
            why = f"`{changed[0]}` changes between the call that makes this function and the call of it"
            frame.unit.residual(frame.function, node, name, why)
            return Value(node)
        if frame.emit and node not in calls:
            calls.append(node)
        if len(calls) > 1 and name in self.shares_layers:
            frame.unit.residual(frame.function, node, name, "a function that makes layers once, and is called twice")
            return Value(node)
        key = (id(first), id(node))
        if key not in self.second_calls:
            given = _by_name(node.args, self.curried[name])
            if given is None:
                frame.unit.residual(frame.function, node, name, "arguments that do not fit the function it returns")
                return Value(node)
            new = node.with_changes(func=first.func, args=[*first.args, *given])
            self.unit.same_place(new, node)
            self.second_calls[key] = new
        return self.call_helper(self.spec_for(name, "helper"), self.second_calls[key], frame)

    # -- functions inside builders -----------------------------------------------------------------------

    def lift(self, node: cst.FunctionDef, frame: Frame) -> bool:
        """Makes a helper of a function inside a builder that makes layers; False where it is none, or can't be one."""
        path = f"{frame.function}.{node.name.value}"
        if path in self.given_groups and path in self.lifted:
            frame.env[node.name.value] = Value(node.name, special=("function", path))
            return True
        if frame.mode != "staged" or node.decorators or frame.spec is None:
            return False
        if findall(node, _LEAKS):
            return False
        name = f"{frame.spec.source}.{node.name.value}"
        own = {p.name.value for p in [*node.params.params, *node.params.kwonly_params]}
        reads = free_reads(node.body.body) - own - assigned_names(node.body)  # type: ignore[arg-type]
        captured = {n for n in reads if n in frame.env}
        for other in sorted(reads):
            captured |= set(self.lifted.get(f"{frame.spec.source}.{other}", ()))
        captured = {n for n in captured if not _is_function(frame.env.get(n)) and n != frame.self_name}
        if any(frame.env[n].has_layers for n in captured if n in frame.env):
            return False
        if name not in self.lifted:
            extra = [cst.Param(cst.Name(n)) for n in sorted(captured)]
            if node.params.star_arg is not cst.MaybeSentinel.DEFAULT or node.params.star_kwarg is not None:
                return False
            new = node.with_changes(params=_with(node.params, extra))
            self.unit.same_place(new, node)
            self.unit.functions[name] = new
            self.kinds.pop(name, None)
            if self.function_kind(name) != "helper":
                del self.unit.functions[name]
                return False
            self.lifted[name] = sorted(captured)
        frame.env[node.name.value] = Value(node.name, special=("function", name))
        return True

    def with_captured(self, name: str, node: cst.Call) -> cst.Call:
        """A call of a function inside a builder, with what it reads of the builder."""
        captured = self.lifted.get(name)
        if not captured:
            return node
        key = (id(node), 0)
        if key not in self.second_calls:
            extra = [cst.Arg(cst.Name(n), keyword=cst.Name(n), equal=EQUAL) for n in captured]
            new = node.with_changes(args=[*node.args, *extra])
            self.unit.same_place(new, node)
            self.second_calls[key] = new
        return self.second_calls[key]

    def enclosing(self, name: str, frame: Frame) -> str | None:
        """The function inside a builder that a name stands for in that builder's other functions."""
        parts = frame.function.split(".")
        for length in range(len(parts), 0, -1):
            full = ".".join([*parts[:length], name])
            if full in self.lifted:
                return full
        return None


def _opened(node: cst.FunctionDef) -> tuple[cst.FunctionDef, list[str]] | None:
    """A function that ends in `def inner(x): ...` and `return inner`, as one function of all parameters."""
    body = list(node.body.body)
    if len(body) < 2 or not isinstance(node.body, cst.IndentedBlock) or node.decorators:
        return None
    inner, last = body[-2], body[-1]
    if not isinstance(inner, cst.FunctionDef) or inner.decorators or not isinstance(inner.body, cst.IndentedBlock):
        return None
    if not m.matches(last, m.SimpleStatementLine([m.Return(m.Name(inner.name.value))])):
        return None
    own, outer = inner.params, node.params
    plain = not own.kwonly_params and not own.posonly_params and own.star_kwarg is None
    if not plain or own.star_arg is not cst.MaybeSentinel.DEFAULT or any(p.default is not None for p in own.params):
        return None
    before = body[:-2]
    names = [p.name.value for p in own.params]
    bound = {p.name.value for p in [*outer.params, *outer.kwonly_params]}
    bound |= set().union(*[assigned_names(statement) for statement in before], set())
    if set(names) & bound or inner.name.value in read_names(inner.body) or findall(node, _LEAKS):
        return None
    if any(findall(statement, m.Return()) or isinstance(statement, cst.FunctionDef) for statement in before):
        return None
    rest = list(inner.body.body)
    if before and inner.get_docstring() is not None:
        rest = rest[1:]
    params = _with(outer, [_bare(p) for p in own.params])
    return node.with_changes(params=params, body=node.body.with_changes(body=[*before, *rest])), names


def _with(params: cst.Parameters, more: Sequence[cst.Param]) -> cst.Parameters:
    """Parameters, and some more that calls give by name."""
    if any(p.default is not None for p in params.params):
        return params.with_changes(kwonly_params=[*params.kwonly_params, *more])
    return params.with_changes(params=[*params.params, *more])


def _bare(param: cst.Param) -> cst.Param:
    return param.with_changes(comma=cst.MaybeSentinel.DEFAULT)


def _by_name(args: Sequence[cst.Arg], names: list[str]) -> list[cst.Arg] | None:
    """Arguments as keywords; None where they do not fit, one for each name."""
    given = {}
    for i, arg in enumerate(args):
        name = arg.keyword.value if arg.keyword else names[i] if i < len(names) else None
        if name is None or arg.star or name in given:
            return None
        given[name] = arg.with_changes(keyword=cst.Name(name), equal=EQUAL, comma=cst.MaybeSentinel.DEFAULT)
    return [given[name] for name in names] if given.keys() == set(names) else None


def _is_function(value: Value | None) -> bool:
    return value is not None and isinstance(value.special, tuple) and value.special[0] == "function"
