"""Code put together from pieces: lambdas called where they stand, names replaced."""

from __future__ import annotations

from collections import Counter
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall, names_in
from codemods.passes.names import ReplaceNames
from codemods.passes.values import text


def applied(code: cst.BaseExpression) -> cst.BaseExpression:
    """`(lambda s, i=0: s[i])(x)` to `x[0]`, where the arguments are names or constants."""
    if not isinstance(code, cst.Call) or not isinstance(code.func, cst.Lambda):
        return code
    params = code.func.params
    simple = not (
        params.kwonly_params or params.posonly_params or isinstance(params.star_arg, cst.Param) or params.star_kwarg
    )
    names = [p.name.value for p in params.params]
    given = {p.name.value: p.default for p in params.params if p.default is not None}
    for i, arg in enumerate(code.args):
        name = arg.keyword.value if arg.keyword is not None else names[i] if i < len(names) else None
        if name is None or arg.star:
            return code
        given[name] = arg.value
    body: Any = code.func.body
    for name, value in list(given.items()):
        if isinstance(value, cst.List | cst.Tuple):
            unpacked = _unpacked(body, name, [element.value for element in value.elements])
            if name not in names_in(unpacked):
                body, given[name] = unpacked, cst.Name(name)
    if not simple or given.keys() != set(names) or not _can_move(given, body):
        return code
    result = body.visit(ReplaceNames(given))  # type: ignore[arg-type]
    assert isinstance(result, cst.BaseExpression)
    return result


def _can_move(given: dict[str, cst.BaseExpression], body: cst.BaseExpression) -> bool:
    """May arguments stand where they are read? Names and constants anywhere; one that calls something, where read once."""
    reads = Counter(name.value for name in findall(body, m.Name()))  # type: ignore[attr-defined]
    often = {
        n: value for n, value in given.items() if not isinstance(value, cst.Name | cst.BaseNumber | cst.BaseString)
    }
    atoms = all(
        isinstance(value, cst.Call | cst.Attribute | cst.Subscript | cst.Tuple | cst.List) for value in often.values()
    )
    calling = [value for value in often.values() if findall(value, m.Call())]
    later = findall(body, m.Lambda() | m.ListComp() | m.GeneratorExp() | m.IfExp() | m.BooleanOperation())
    return not often or (atoms and all(reads[name] == 1 for name in often) and len(calling) <= 1 and not later)


def drawn(
    initializer: cst.BaseExpression,
    key: cst.BaseExpression,
    shape: cst.BaseExpression,
    dtype: cst.BaseExpression | None,
) -> cst.BaseExpression:
    """An initializer's call, the one that a lambda stands for written out: `0.02 * jax.random.normal(key, shape)`.

    `dtype`: None for float32, which all initializers give unless they are told otherwise.
    """
    if isinstance(initializer, cst.Lambda) and dtype is None:
        first, second = initializer.params.params[:2]
        initializer = initializer.with_changes(
            params=cst.Parameters([first, second.with_changes(comma=cst.MaybeSentinel.DEFAULT)]),
            body=m.replace(initializer.body, m.Call(), _without_dtype),
        )
    args = [key, shape] if dtype is None else [key, shape, dtype]
    return applied(cst.Call(initializer, [cst.Arg(arg) for arg in args]))


def _without_dtype(node: cst.CSTNode, _: Any) -> cst.CSTNode:
    assert isinstance(node, cst.Call)
    kept = [arg for arg in node.args if not m.matches(arg.value, m.Name("dtype"))]
    return node.with_changes(
        args=[*kept[:-1], kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)] if kept else kept
    )


def _unpacked(body: cst.BaseExpression, name: str, elements: list[cst.BaseExpression]) -> Any:
    """`pair[0] - pair[1]` with the elements put in, where each is read once."""
    reads: list[Any] = findall(body, m.Subscript(m.Name(name), [m.SubscriptElement(m.Index(m.Integer()))]))
    at = [read.slice[0].slice.value.evaluated_value for read in reads]
    if len(set(at)) != len(at) or any(index >= len(elements) for index in at):
        return body
    new = {text(read): elements[index] for read, index in zip(reads, at, strict=True)}

    class Put(cst.CSTTransformer):
        def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
            return new.get(text(original_node), updated_node)

    return body.visit(Put())


class ReplaceName(cst.CSTTransformer):
    def __init__(self, name: str, new: cst.BaseExpression):
        self.name, self.new = name, new

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        return self.new if original_node.value == self.name else updated_node
