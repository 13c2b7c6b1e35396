"""Sequential models."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.layer_names import says_nothing
from codemods.passes.modules import Chain, ModuleInstance, ModuleSpec
from codemods.passes.names import assigned_names, read_names
from codemods.passes.naming import camel
from codemods.passes.placing.staging import Item, Staged
from codemods.passes.values import UNKNOWN, TensorType, Value


class Sequentials:
    """Models whose layers are listed or added, one after the other."""

    def analyse_sequential(self, spec: ModuleSpec, inputs: list[tuple[str | None, Value]] | None) -> None:
        """A Sequential written where it is used, called on `inputs`."""
        frame = Frame(self.unit, spec.source, "staged", spec, self_name="self")
        for name in spec.locals_used:
            dim = spec.symbols.of_code(name)
            frame.env[name] = Value(cst.Name(name), dim=dim)
        chain = Chain("x")
        if inputs:
            generalised = self.generalise(spec, {"x": inputs[0][1]})
            frame.env["x"] = dataclasses.replace(generalised["x"], code=cst.Name("x"))
        assert isinstance(spec.node, cst.Call)
        staged = Staged()
        for layer in self.chain_layers(spec.node):
            staged.extend(self.chain_statement(chain, layer, frame, []))
        spec.init = staged.init
        items = staged.call
        if items and isinstance(items[-1].node, cst.SimpleStatementLine):
            last = items[-1].node.body[0]
            if isinstance(last, cst.Assign):
                items[-1] = Item(items[-1].node.with_changes(body=[cst.Return(last.value)]))
        spec.result = frame.env.get(chain.variable)
        self.stage_items[id(spec)] = items
        self.staged_frames[id(spec)] = frame
        self.finished[id(spec)] = "x"
        spec.mode = "training" in frame.flags

    def chain_layers(self, node: cst.Call) -> list[cst.BaseExpression]:
        listed = next((arg.value for arg in node.args if arg.keyword is None or arg.keyword.value == "layers"), None)
        layers = [element.value for element in listed.elements] if isinstance(listed, cst.List | cst.Tuple) else []
        return layers + self.added.get(id(node), [])

    def layers_added(self, name: str, body: Sequence[cst.BaseStatement]) -> list[cst.BaseExpression] | None:
        """What the statements of a body add to a Sequential, one after the other; None where some are in branches."""
        adding = m.Call(func=m.Attribute(m.Name(name), m.Name("add")))
        found: list[cst.BaseExpression] = []
        for statement in body:
            calls: list[Any] = findall(statement, adding)
            plain = isinstance(statement, cst.SimpleStatementLine) and m.matches(statement.body[0], m.Expr(adding))
            if calls and not plain:
                return None
            found += [call.args[0].value for call in calls]
        return found

    def chain_statement(self, chain: Chain, layer: cst.BaseExpression, frame: Frame, leading: Any) -> Staged:
        """One layer of a Sequential: `x = layer(x)`."""
        extra, prelude, frame.target = frame.extra, frame.prelude, None
        frame.extra, frame.prelude = [], []
        value = self.eval(layer, frame)  # type: ignore[attr-defined]
        result = Staged()
        if isinstance(value.special, tuple) and value.special[0] == "input" and value.layer is None:
            frame.env[chain.variable] = value.with_code(cst.Name(chain.variable))
            frame.extra, frame.prelude = extra, prelude
            return result
        if chain.variable not in frame.env:
            frame.env[chain.variable] = self.first_input(value, frame, chain)
        node = cst.Call(layer, [])
        current = frame.env[chain.variable]
        if value.layer is not None:
            new = self.call_layer(value, [(None, current)], node, frame)
        elif value.module is not None:
            new = self.call_module(value, [(None, current)], node, frame)
        else:
            frame.unit.residual(
                frame.function, layer, "tf.keras.Sequential", "a Sequential item that is no known layer"
            )
            new = Value(layer)
        result.init = list(frame.extra)
        statements = list(frame.prelude)
        code = new.code
        if not (isinstance(code, cst.Name) and code.value == chain.variable):
            statements.append(cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Name(chain.variable))], code)]))
        if statements:
            statements[0] = statements[0].with_changes(leading_lines=leading)
        result.call = [Item(s) for s in statements]
        frame.extra, frame.prelude = extra, prelude
        frame.env[chain.variable] = dataclasses.replace(new, code=cst.Name(chain.variable), layer=None, module=None)
        return result

    def first_input(self, value: Value, frame: Frame, chain: Chain) -> Value:
        """Type of the input of a Sequential that does not begin with Input."""
        code = cst.Name(chain.variable)
        hint = value.special[1] if isinstance(value.special, tuple) and value.special[0] == "input_hint" else {}
        assert frame.spec is not None
        for name, given in hint.items():
            if name == "input_dim" and (given.dim is not None or given.known is not UNKNOWN):
                dims: list[Any] = [given.known if given.known is not UNKNOWN else given.dim]
            else:
                found = self.shape_dims(given, frame)
                if found is None:
                    continue
                dims = found[1:] if name == "batch_input_shape" else found
            return Value(code, tensor=TensorType((frame.spec.symbols.unknown("batch"), *dims), "float32"))
        shapes = set()
        if value.layer is not None:
            shapes = self.unit.trace.inputs(self.unit.trace.made_at(value.layer.span))
        if len(shapes) == 1:
            shape = shapes.pop()
            tokens = value.layer is not None and value.layer.symbol == "tf.keras.layers.Embedding"
            dims = (frame.spec.symbols.unknown("batch"), *shape[1:])
            return Value(code, tensor=TensorType(dims, "int32" if tokens else "float32"))
        return Value(code, tensor=TensorType())

    def handle_sequential(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        if frame.mode == "staged" and self.is_main_chain(node, frame):
            chain = Chain(self.chain_name(frame))
            staged = Staged()
            for layer in self.chain_layers(node):
                staged.extend(self.chain_statement(chain, layer, frame, _leading_of(layer)))
            frame.extra.extend(staged.init)
            frame.prelude.extend(item.node for item in staged.call)
            return Value(cst.Name(chain.variable), special=chain)
        key = (id(node), frame.function)
        if key in self.made:
            return self.made[key]
        silent = says_nothing(frame.target or "")
        base = (
            (None if silent else frame.target)
            or next((v.known for n, v in (self.arguments_named(node, "name", frame))), None)
            or ("layers" if silent else "sequential")
        )
        owner = frame.spec.node if frame.spec is not None else None
        if frame.target and isinstance(owner, cst.FunctionDef):
            added = self.layers_added(frame.target, owner.body.body)  # type: ignore[arg-type]
            if added:
                self.added[id(node)] = added
        local = {n for layer in self.chain_layers(node) for n in read_names(layer)} & self.locals_of(frame)
        source = f"{frame.function}.{base}"
        while source in self.unit.specs:
            source += "_"
        named = (
            f"{camel(frame.function.split('.')[0])}Layers" if base in ("model", "net", "seq", "layers") else camel(base)
        )
        spec = ModuleSpec(self.free_name(named), source, "sequential", node)
        spec.locals_used = sorted(local)
        self.unit.specs[source] = spec
        self.outer_frames[id(spec)] = frame
        if not self.chain_layers(node):
            frame.unit.residual(
                frame.function, node, symbol, "a Sequential whose layers are not listed where it is made"
            )
        arguments: list[tuple[str | None, Value]] = [(None, frame.env[name]) for name in spec.locals_used]
        instance = ModuleInstance(spec, arguments, frame.unit.span(node), frame.unit.fresh("module"))
        if frame.spec is not None:
            frame.spec.modules.append(instance)
        else:
            self.loose.append((frame.function, instance))
            self.analyse(spec, None, frame)
        value = Value(cst.Name(instance.marker), module=instance)
        self.made[key] = value
        return value

    def arguments_named(self, node: cst.Call, name: str, frame: Frame) -> list[tuple[str, Value]]:
        return [
            (name, self.eval(arg.value, frame))
            for arg in node.args
            if arg.keyword is not None and arg.keyword.value == name  # type: ignore
        ]

    def locals_of(self, frame: Frame) -> set[str]:
        return {name for name, value in frame.env.items() if value.special != "self"}

    def is_main_chain(self, node: cst.Call, frame: Frame) -> bool:
        """Is this Sequential what the function returns?"""
        spec = frame.spec
        if spec is None or spec.kind != "builder" or not isinstance(spec.node, cst.FunctionDef):
            return False
        for statement in spec.node.body.body:
            if isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[-1], cst.Return):
                value = statement.body[-1].value
                if value is node:
                    return True
                if isinstance(value, cst.Name) and any(
                    isinstance(s, cst.SimpleStatementLine) and isinstance(s.body[0], cst.Assign) and s.body[0].value is node
                    and value.value in assigned_names(s)
                    for s in spec.node.body.body
                ):  # fmt: skip
                    return True
        return False

    def chain_name(self, frame: Frame) -> str:
        return "x"

    def call_chain_method(self, chain: Chain, name: str, node: cst.Call, frame: Frame) -> Value:
        """`model.add(layer)` and the like."""
        if name == "add" and len(node.args) == 1:
            staged = self.chain_statement(chain, node.args[0].value, frame, [])
            frame.extra.extend(staged.init)
            return Value(node, special=("statements", [item.node for item in staged.call]))
        if name in ("summary", "build"):
            return Value(node, special="dropped")
        frame.unit.residual(frame.function, node, f"Sequential.{name}", f"`.{name}` of a model that is being built")
        return Value(node)


def _leading_of(node: cst.BaseExpression) -> list[cst.EmptyLine]:
    return []
