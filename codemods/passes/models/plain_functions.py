"""Calls of functions that compute."""

from __future__ import annotations

import dataclasses
from typing import Any

import libcst as cst

from codemods.passes.frame import Frame
from codemods.passes.pieces import EQUAL
from codemods.passes.values import UNKNOWN, Lasting, TensorType, Value


class PlainFunctions:
    """Types of what functions of tensors return, by evaluating their bodies."""

    def call_plain_function(self, name: str, node: cst.Call, frame: Frame) -> Value:
        arguments = self.arguments(node, frame)
        if arguments is None:
            return self.plain_call(Value(node.func), node, frame)
        result = self.plain_result(name, arguments, frame)
        args = [arg.with_changes(value=value.code) for arg, (_, value) in zip(node.args, arguments, strict=True)]
        info = self.function_flags.get(name, set())
        if "rngs" in info:
            args.append(cst.Arg(self.with_rngs(cst.Name("rngs"), frame), keyword=cst.Name("rngs"), equal=EQUAL))
        symbols = frame.spec.symbols if frame.spec is not None else self.plain_symbols
        if result.dim is not None and symbols.code(result.dim) is None:
            result = dataclasses.replace(result, dim=None)  # made of the function's own variables
        return dataclasses.replace(result, code=node.with_changes(args=args))

    def plain_result(self, name: str, arguments: list[Any], frame: Frame) -> Value:
        """Type of what a tensor function returns, by evaluating its body."""
        staged = any(value.is_tensor for _, value in arguments)
        for _, value in arguments:
            self.escape(value)
        if frame.depth > 4 or name in self.active:
            return Value(cst.Name("_"), tensor=TensorType() if staged else None)
        node = self.unit.functions[name]
        inner = Frame(self.unit, name, "plain", spec=None, emit=False, depth=frame.depth + 1)
        inner.spec = None
        parameters = [*node.params.params, *node.params.kwonly_params]
        for param in parameters:
            default = self.default_value(param)
            inner.env[param.name.value] = dataclasses.replace(default, code=param.name)
        for i, (keyword, value) in enumerate(arguments):
            target = keyword or (node.params.params[i].name.value if i < len(node.params.params) else None)
            if target is not None:
                inner.env[target] = Value(
                    cst.Name(target), value.known, value.dim, value.tensor, None, value.module, value.items,
                    value.item, value.mapping, None, value.shape_of,
                    value.special if value.module or isinstance(value.special, Lasting) else None, value.staged,
                )  # fmt: skip
        residuals = list(self.unit.residuals)
        self.active.add(name)
        outer_symbols = self.plain_symbols
        if frame.spec is not None:
            self.plain_symbols = frame.spec.symbols
        try:
            self.run(node.body.body, inner)  # type: ignore[arg-type]
        finally:
            self.active.discard(name)
            self.plain_symbols = outer_symbols
            self.drop_trial(name, residuals, self.unit.imports)
        self.function_flags.setdefault(name, set()).update(inner.flags)
        self.seen_arguments.setdefault(name, arguments)
        if not inner.returns:
            return Value(cst.Name("_"), staged=False)
        joined = inner.returns[0]
        for value in inner.returns[1:]:
            joined = self.join(joined, value, frame)
        lasting = isinstance(joined.special, Lasting) or joined.special in ("constant_tensor", "variable")
        lasting = lasting or (isinstance(joined.special, tuple) and joined.special[0] == "lambda")
        special = joined.special if lasting else None
        return Value(joined.code, joined.known, joined.dim, joined.tensor, joined.layer, joined.module, joined.items,
                     joined.item, joined.mapping, None, joined.shape_of, special, joined.staged)  # fmt: skip

    def default_value(self, param: cst.Param) -> Value:
        if param.default is None:
            return Value(param.name)
        try:
            known = eval(cst.Module([]).code_for_node(param.default), {})
        except Exception:
            return Value(param.name)
        return dataclasses.replace(self.of_known(known), known=UNKNOWN)
