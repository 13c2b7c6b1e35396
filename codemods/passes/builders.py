"""Functional and Sequential models, and helper functions that make layers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.handled import handled
from codemods.engine.walk import findall
from codemods.passes.classes import Classes
from codemods.passes.frame import Frame
from codemods.passes.modules import Chain, Finished, ModuleInstance, ModuleSpec
from codemods.passes.names import assigned_names, read_names
from codemods.passes.placing import camel, snake
from codemods.passes.staging import Item, Staged
from codemods.passes.values import UNKNOWN, TensorType, Value, text

_FUNCTIONAL = """
def build():
    x = tf.keras.Input(shape=(4,))
    return tf.keras.Model(x, tf.keras.layers.Dense(2)(x))
"""
INPUT = handled(
    "tf.keras.Input",
    becomes="an argument of the module's `__call__`",
    sample=_FUNCTIONAL.replace("tf.keras.Input", "SYMBOL"),
)
MODEL = handled(
    "tf.keras.Model",
    "tf.keras.models.Functional",
    becomes="an nnx.Module with the layers of a functional model",
    shows="(nnx.Module):",
    sample=_FUNCTIONAL.replace("tf.keras.Model", "SYMBOL"),
)
INPUT_LAYER = handled(
    "tf.keras.layers.InputLayer",
    becomes="an argument of the module's `__call__`",
    only="as the first layer of a Sequential",
    sample="""
    def build():
        return tf.keras.Sequential([SYMBOL((4,)), tf.keras.layers.Dense(2)])
    """,
)
SEQUENTIAL = handled(
    "tf.keras.Sequential",
    becomes="an nnx.Module, or nnx.Sequential",
    shows="Linear(4, 2",
    sample="""
    def build():
        return SYMBOL([tf.keras.Input((4,)), tf.keras.layers.Dense(2)])
    """,
)


class Builders(Classes):
    """The functional pass."""

    def analyse_function(self, spec: ModuleSpec, inputs: list[tuple[str | None, Value]] | None) -> None:
        """Evaluates a builder, helper or factory."""
        assert isinstance(spec.node, cst.FunctionDef)
        frame = Frame(self.unit, spec.source, "staged", spec, self_name="self")
        given: dict[str, Value] = {}
        if spec.kind == "helper" and inputs is not None:
            named = {name or spec.tensor_parameters[i]: value for i, (name, value) in enumerate(inputs)}
            given = self.generalise(spec, named)
        for param in [*spec.node.params.params, *spec.node.params.kwonly_params]:
            name = param.name.value
            if name in given:
                frame.env[name] = dataclasses.replace(given[name], code=param.name)
            else:
                frame.env[name] = self.parameter(spec, param)
        body = [s for s in spec.node.body.body if not _is_docstring(s, spec.node)]
        if spec.kind == "factory":
            frame.mode = "init"
            staged = self.run(body, frame)
            spec.init = staged.init
            spec.result = self.joined(frame)
            return
        self.finished.pop(id(spec), None)
        staged = self.run(body, frame)
        spec.init = staged.init
        spec.result = self.joined(frame)
        self.settle_returns(spec, frame)
        self.stage_items[id(spec)] = staged.call
        self.staged_frames[id(spec)] = frame
        if "training" in frame.flags:
            spec.mode = True

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

    # -- Sequential ---------------------------------------------------------------------------

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
            return Value(code, tensor=TensorType((frame.spec.symbols.unknown("batch"), *shape[1:]), "float32"))
        return Value(code, tensor=TensorType())

    def shape_dims(self, value: Value, frame: Frame) -> list[Any] | None:
        """Dims of a shape given as configuration; None in it is open."""
        assert frame.spec is not None
        elements = self.elements(value)
        if elements is not None:
            dims: list[Any] = []
            for element in elements:
                if element.known is not UNKNOWN and element.known is not None:
                    dims.append(element.known)
                elif element.dim is not None:
                    dims.append(element.dim)
                else:
                    dims.append(frame.spec.symbols.unknown("d"))
            return dims
        if isinstance(value.known, int):
            return [value.known]
        if isinstance(value.code, cst.BinaryOperation) and isinstance(value.code.operator, cst.Add):
            halves = [self.shape_dims(self.of_part(part, frame), frame) for part in (value.code.left, value.code.right)]
            return [*halves[0], *halves[1]] if halves[0] is not None and halves[1] is not None else None
        ranked = isinstance(value.special, tuple) and value.special[0] == "ranked"
        rank = value.special[1] if ranked else self.rank_of_parameter(value, frame)
        if rank is None:
            return None
        code = text(value.code)
        return [frame.spec.symbols.of_code(f"{code}[{i if i < rank - 1 else -1}]") for i in range(rank)]

    def of_part(self, code: cst.BaseExpression, frame: Frame) -> Value:
        """Part of a shape that is put together from tuples."""
        if isinstance(code, cst.Name) and code.value in frame.env:
            return frame.env[code.value]
        if isinstance(code, cst.Tuple | cst.List):
            return Value(code, items=[self.of_part(element.value, frame) for element in code.elements])
        if isinstance(code, cst.Integer):
            return self.of_known(code.evaluated_value)
        return Value(code)

    def rank_of_parameter(self, value: Value, frame: Frame) -> int | None:
        if not isinstance(value.code, cst.Name) or not isinstance(frame.spec, ModuleSpec):
            return None
        if isinstance(frame.spec.node, cst.FunctionDef):
            for param in [*frame.spec.node.params.params, *frame.spec.node.params.kwonly_params]:
                if param.name.value == value.code.value:
                    known = self.default_value(param).items if param.default is not None else None
                    return len(known) if known is not None else self.given_rank(frame.spec, value.code.value)
        return None

    def given_rank(self, spec: ModuleSpec, name: str) -> int | None:
        """The length of the tuples that calls in the file, and the entry, give for a parameter."""
        assert isinstance(spec.node, cst.FunctionDef)
        names = [p.name.value for p in spec.node.params.params]
        lengths = set()
        for tree in (self.unit.module, self.entry_node):
            for call in findall(tree, m.Call(func=m.Name(spec.source))) if tree is not None else ():
                for i, arg in enumerate(call.args):  # type: ignore[attr-defined]
                    target = arg.keyword.value if arg.keyword else names[i] if i < len(names) else None
                    if target == name and isinstance(arg.value, cst.Tuple | cst.List):
                        lengths.add(len(arg.value.elements))
        return lengths.pop() if len(lengths) == 1 else None

    # -- handlers of framework calls ----------------------------------------------------------

    def handle_input(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        arguments = self.arguments(node, frame.child(as_init=True))
        if arguments is None or frame.spec is None:
            frame.unit.residual(frame.function, node, symbol, "an Input outside a function that builds a model")
            return Value(node)
        given = {"shape" if name in (None, "input_shape") else name: value for name, value in arguments}
        dims: list[Any] | None = None
        if "shape" in given:
            dims = self.shape_dims(given["shape"], frame)
        for name in ("batch_shape", "batch_input_shape"):
            if name in given:
                found = self.shape_dims(given[name], frame)
                dims = found[1:] if found else None
        unknown = set(given) - {"shape", "batch_shape", "batch_size", "dtype", "name", "batch_input_shape"}
        if unknown:
            frame.unit.residual(frame.function, node, symbol, f"`{', '.join(sorted(unknown))}` of Input")
        dtype = given["dtype"].known if "dtype" in given and isinstance(given["dtype"].known, str) else "float32"
        tensor = (
            TensorType((frame.spec.symbols.unknown("batch"), *dims), dtype)
            if dims is not None
            else TensorType(None, dtype)
        )
        name = given["name"].known if "name" in given and isinstance(given["name"].known, str) else None
        return Value(cst.Name(snake(name) if name else "inputs"), tensor=tensor, special=("input", id(node), name))

    def handle_model(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        arguments = self.arguments(node, frame)
        given = {name or ("inputs", "outputs", "name")[i]: value for i, (name, value) in enumerate(arguments or ())}
        if frame.mode != "staged" or "inputs" not in given or "outputs" not in given:
            frame.unit.residual(frame.function, node, symbol, "a functional model outside a function that builds it")
            return Value(node)
        return Value(node, special=Finished(_original(given["inputs"]), given["outputs"]))

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
        base = (
            frame.target
            or next((v.known for n, v in (self.arguments_named(node, "name", frame))), None)
            or "sequential"
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

    def call_special(self, callee: Value, node: cst.Call, frame: Frame) -> Value | None:
        return None

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

    def finish(self, value: Value, frame: Frame) -> Value:
        """What a builder returns: the outputs of the model it made."""
        if isinstance(value.special, Chain):
            if frame.spec is not None:
                self.finished[id(frame.spec)] = value.special.variable
            return frame.env[value.special.variable]
        if isinstance(value.special, Finished):
            if frame.spec is not None:
                self.finished[id(frame.spec)] = value.special.inputs
            return value.special.outputs
        return value


def _original(inputs: Value) -> Value:
    """Inputs by their own names, where other names for them are given."""
    if isinstance(inputs.special, tuple) and inputs.special[0] == "alias":
        return inputs.special[1]
    if inputs.items is not None and inputs.items:
        items = [_original(item) for item in inputs.items]
        return dataclasses.replace(inputs, items=items)
    return inputs


def _is_docstring(statement: cst.BaseStatement, node: cst.FunctionDef) -> bool:
    return (
        statement is node.body.body[0] and isinstance(statement, cst.SimpleStatementLine)
        and isinstance(statement.body[0], cst.Expr) and isinstance(statement.body[0].value, cst.SimpleString)
    )  # fmt: skip


def _leading_of(node: cst.BaseExpression) -> list[cst.EmptyLine]:
    return []
