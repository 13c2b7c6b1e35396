"""Assignments."""

from __future__ import annotations

import dataclasses
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.api import is_module
from codemods.engine.walk import findall, names_in
from codemods.passes.frame import Frame
from codemods.passes.models.closures import CURRIED
from codemods.passes.pieces import assign_name
from codemods.passes.values import UNKNOWN, Value, text


class Assignments:
    """Binds names and attributes; a layer that is given a name is kept in the module."""

    def _small_Assign(self, node: cst.Assign, frame: Frame) -> tuple[list[Any], bool]:
        target = node.targets[0].target
        hint = (
            target.value
            if isinstance(target, cst.Name)
            else target.attr.value
            if isinstance(target, cst.Attribute)
            else None
        )
        symbol = self.unit.symbol(node.value)
        if symbol is not None and is_module(symbol):
            return [], False  # an alias of a framework module
        value = self.eval(node.value, self.aimed(frame, hint))
        if value.special == "dropped":
            return [], False
        before = frame.env.get(hint) if isinstance(target, cst.Name) and hint else None
        if before is not None and not before.is_tensor and not before.has_layers:
            self.keep_widths(str(hint), frame)
        if len(node.targets) > 1 and value.has_layers:
            frame.unit.residual(frame.function, node, "a = b = layer", "one layer given two names in one statement")
        if len(node.targets) > 1 and isinstance(value.special, tuple) and value.special[0] == "input":
            return self.several_names(node, value, frame)
        for each in node.targets:
            statements = self.assign(each.target, value, node, frame)
            if statements is not None:
                return statements
        return self.assigned(node, value, frame)

    def told_apart(self, node: cst.BaseSmallStatement, frame: Frame) -> list[cst.BaseSmallStatement]:
        """`self.a, self.b = x, y` as two assignments, where neither value reads what the other one sets."""
        if not isinstance(node, cst.Assign) or len(node.targets) != 1:
            return [node]
        target, value = node.targets[0].target, node.value
        if not isinstance(target, cst.Tuple) or not isinstance(value, cst.Tuple):
            return [node]
        targets = [element.value for element in target.elements]
        values = [element.value for element in value.elements]
        if len(targets) != len(values) or not any(isinstance(each, cst.Attribute) for each in targets):
            return [node]
        selves = [each.value for each in targets if isinstance(each, cst.Attribute)]
        mine = all(isinstance(each, cst.Name) and self._stands_for_self(each.value, frame) for each in selves)
        set_here = {text(each) for each in targets}
        read = {text(name) for name in findall(value, m.Attribute() | m.Name())}
        if not mine or len(selves) != len(targets) or set_here & read:
            return [node]
        made = [cst.Assign([cst.AssignTarget(t)], v) for t, v in zip(targets, values, strict=True)]
        for each in made:
            self.unit.same_place(each, node)
        return [*made]

    def _stands_for_self(self, name: str, frame: Frame) -> bool:
        return name in frame.env and frame.env[name].special == "self"

    def several_names(self, node: cst.Assign, value: Value, frame: Frame) -> tuple[list[Any], bool]:
        """`x = inputs = Input(...)`: one name for the input, the one that nothing else is bound to; the rest follow it."""
        names = [each.target for each in node.targets if isinstance(each.target, cst.Name)]
        lasting = [name for name in names if frame.spec is not None and self.bound_once(name.value, frame.spec)]
        main = (lasting or names or [node.targets[0].target])[0]
        statements, config = self._small_Assign(cst.Assign([cst.AssignTarget(main)], node.value), frame)
        for each in node.targets:
            if each.target is not main:
                more, _ = self._small_Assign(cst.Assign([cst.AssignTarget(each.target)], main), frame)  # type: ignore[arg-type]
                statements = [*statements, *more]
                config = False
        return statements, config

    def aimed(self, frame: Frame, hint: str | None) -> Frame:
        frame.target = hint
        return frame

    def assigned(self, node: cst.Assign, value: Value, frame: Frame) -> tuple[list[Any], bool]:
        targets = []
        for each in node.targets:
            if isinstance(each.target, cst.Subscript | cst.Attribute):
                targets.append(each.with_changes(target=self.eval(each.target, frame).code))
            else:
                targets.append(each)
        config = self.is_config(value, frame)
        return [node.with_changes(targets=targets, value=value.code)], config

    def assign(
        self, target: cst.BaseExpression, value: Value, node: cst.Assign, frame: Frame
    ) -> tuple[list[Any], bool] | None:
        """Binds a target. Statements where the assignment becomes something else, else None."""
        if isinstance(target, cst.Attribute) and isinstance(target.value, cst.Name):
            base = frame.env.get(target.value.value)
            if base is not None and base.special == "self":
                return self.assign_attribute(target, value, node, frame)
        if isinstance(target, cst.Name):
            if frame.mode in ("staged", "call", "init") and frame.spec is not None:
                placed = self.keep_local(target.value, value, frame)
                if placed is not None:
                    return placed
            if isinstance(value.special, tuple) and value.special[0] == "input" and isinstance(node.value, cst.Name):
                self.bind_target(target, dataclasses.replace(value, special=("alias", value)), frame)
                frame.spec.aliases.add(target.value)  # type: ignore[union-attr]
                return None  # another name for it, which may be bound again
            if isinstance(value.special, tuple) and value.special[0] in ("model", "input", CURRIED):
                frame.env[target.value] = value if value.special[0] == CURRIED else value.with_code(target)
                return [], False
            if value.special is not None and type(value.special).__name__ in ("Chain", "Finished"):
                frame.env[target.value] = value
                return [], False
        if self.only_inputs(value):
            self.bind_target(target, value, frame)
            return [], False
        if isinstance(target, cst.Tuple) and frame.mode == "staged" and value.items is not None and value.is_tensor:
            for element, part in zip(target.elements, value.items, strict=False):
                code = frame.spec.symbols.code(part.dim) if part.dim is not None and not part.is_tensor else None  # type: ignore
                if code is not None and isinstance(element.value, cst.Name) and code != element.value.value:
                    frame.extra.append(assign_name(element.value.value, code))
        self.bind_target(target, value, frame)
        return None

    def only_inputs(self, value: Value) -> bool:
        if isinstance(value.special, tuple) and value.special[0] == "input":
            return True
        parts = list(value.items or ()) + list((value.mapping or {}).values())
        return bool(parts) and all(self.only_inputs(part) for part in parts)

    def is_config(self, value: Value, frame: Frame) -> bool:
        return frame.mode == "staged" and not value.is_tensor and not value.has_layers

    def _small_AugAssign(self, node: cst.AugAssign, frame: Frame) -> tuple[list[Any], bool]:
        value = self.eval(node.value, frame)
        target = self.eval(node.target, frame)
        code = node.with_changes(target=target.code, value=value.code)
        if isinstance(node.target, cst.Name):
            operators = {"AddAssign": cst.Add, "SubtractAssign": cst.Subtract, "MultiplyAssign": cst.Multiply,
                         "DivideAssign": cst.Divide, "FloorDivideAssign": cst.FloorDivide}  # fmt: skip
            kind = operators.get(type(node.operator).__name__)
            if kind is not None and target.code is not None:
                operation = cst.BinaryOperation(node.target, kind(), value.code)
                from codemods.passes import abstract

                result = self.combine(operation, abstract.BINARY.get(kind), [target, value], frame)
                if result.tensor is None and not result.is_tensor and frame.spec is not None:
                    # The name has a new value from here on: what the code says is a new symbol.
                    self.keep_widths(node.target.value, frame)
                    result = dataclasses.replace(
                        result, dim=frame.spec.symbols.renewed(node.target.value), known=UNKNOWN
                    )
                frame.env[node.target.value] = result.with_code(node.target)
                return [code], self.is_config(result, frame)
        return [code], self.is_config(value, frame) and not target.is_tensor

    def keep_widths(self, name: str, frame: Frame) -> None:
        """Widths that are written with a variable of the constructor, before it changes, get one of their own."""
        if frame.mode != "staged" or frame.as_init or frame.spec is None:
            return
        symbols = frame.spec.symbols
        for tensor, value in sorted(frame.env.items()):
            last = value.tensor.last if value.tensor is not None else None
            code = symbols.code(last) if last is not None and not isinstance(last, int) else None
            if code is None or name not in names_in(cst.parse_expression(code)):
                continue
            width = self.width_name(tensor, frame)
            if code != width:
                frame.extra.append(assign_name(width, code))
            symbols.local.add(width)
            frame.env[tensor] = self.rewidth(value, symbols.renewed(width), symbols)
            frame.env[width] = Value(cst.Name(width), dim=symbols.of_code(width))

    def _small_AnnAssign(self, node: cst.AnnAssign, frame: Frame) -> tuple[list[Any], bool]:
        if node.value is None:
            return [], False
        assign = cst.Assign([cst.AssignTarget(node.target)], node.value)
        return self._small_Assign(assign, frame)
