"""Activations and initialisers as layer rules use them: applied to code, or as functions."""

import ast

from codemods.engine.rule import macro
from codemods.mappings.keras_activations import activation as activation_macro


class _Put(ast.NodeTransformer):
    """Puts an expression in place of a name."""

    def __init__(self, name: str, expression: ast.expr) -> None:
        self.name, self.expression, self.count = name, expression, 0

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id != self.name:
            return node
        self.count += 1
        return self.expression


def applied(function: str, argument: str) -> str:
    """Code that calls a function, given as code, without making a partial or lambda first."""
    tree = ast.parse(function, mode="eval").body
    value = ast.parse(argument, mode="eval").body
    if isinstance(tree, ast.Call) and ast.unparse(tree.func) == "functools.partial":
        return ast.unparse(ast.Call(tree.args[0], [*tree.args[1:], value], tree.keywords))
    if isinstance(tree, ast.Lambda) and len(tree.args.args) == 1:
        put = _Put(tree.args.args[0].arg, value)
        body = put.visit(tree.body)
        if put.count == 1:
            return ast.unparse(body)
    return f"({function})({argument})" if isinstance(tree, ast.Lambda) else f"{function}({argument})"


@macro(table="KERAS_ACTIVATIONS")
def activate(function, value):
    """`value` (code) after an activation that is given by its name, or None."""
    if function in (None, "linear"):
        return value
    return applied(activation_macro.function(function), value)


@macro(table="KERAS_ACTIVATIONS")
def as_function(function):
    """An activation that is given by its name, as a function."""
    return activation_macro.function("linear" if function is None else function)
