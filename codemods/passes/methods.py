"""Calls of methods: of tensors, variables, lists, losses, models under construction."""

from __future__ import annotations

import dataclasses
from typing import Any

import libcst as cst

from codemods.engine import rule as rules
from codemods.engine.handled import handled
from codemods.passes.builders import Builders
from codemods.passes.calls import Argument
from codemods.passes.frame import Frame
from codemods.passes.modules import Chain
from codemods.passes.names import ReplaceNames
from codemods.passes.values import UNKNOWN, TensorType, Value, text
from codemods.passes.width_lists import Widths

VARIABLE = handled(
    "tf.Variable",
    becomes="nnx.Param, nnx.BatchStat or nnx.Variable; assigns become `v[...] = x`",
    shows=("nnx.Param(", "self.weight[...] +="),
    sample="""
    class Counter(tf.Module):
        def __init__(self):
            self.weight = SYMBOL(tf.zeros([3]), name="weight")

        def __call__(self, x):
            self.weight.assign_add(x)
            return self.weight * 2.0
    """,
)

#: Names of tensor methods that nothing else is likely to have.
_DISTINCT = frozenset(
    {"numpy", "get_shape", "as_list", "set_shape", "assign", "assign_add", "assign_sub", "with_values"}
)


class Methods(Builders):
    """Method calls, and variables."""

    def call_method(self, callee: Value, node: cst.Call, frame: Frame) -> Value:
        _, base, name = callee.special
        if isinstance(base.special, Chain):
            return self.call_chain_method(base.special, name, node, frame)
        if base.layer is not None and base.layer.rule.kind == "loss" and name in ("__call__", "call"):
            return self.call_layer(base, self.arguments(node, frame), node, frame)
        if base.shape_of is not None and name in ("as_list", "num_elements", "ndims"):
            return base if name == "as_list" else Value(callee.code)
        if base.module is not None:
            return self.call_module_method(base, name, node, frame)
        if base.special == "variable" and name in ("assign", "assign_add", "assign_sub"):
            return self.assign_variable(base, name, node, frame)
        if base.special == "variable" and name in ("read_value", "value") and not node.args:
            return base
        if name == "numpy" and base.special == "constant_tensor" and not node.args:
            return self.in_numpy(base, frame)
        if name in rules.METHODS and (base.tensor is not None or name in _DISTINCT):
            arguments = self.arguments(node, frame)
            if arguments is None:
                return Value(node)
            receiver: list[Argument] = [(None, base)]
            return self.apply_rule(rules.METHODS[name], name, [*receiver, *arguments], node, frame)
        if (
            isinstance(base.special, tuple)
            and base.special[0] == "layers"
            and name in ("append", "extend")
            and frame.mode == "init"
        ):
            return self.keep_in_list(base, name, node, frame)
        if base.mapping is not None or base.items is not None or base.item is not None:
            handled = self.call_container(base, name, node, callee, frame)
            if handled is not None:
                return handled
        value = self.plain_call(callee, node, frame)
        if base.tensor is not None and value.tensor is None:
            value = dataclasses.replace(value, tensor=TensorType(), staged=True)
        return value

    def in_numpy(self, base: Value, frame: Frame) -> Value:
        """`tf.reduce_prod(shape).numpy()` of configuration: computed by numpy, which knows the same functions."""
        code = base.code.visit(ReplaceNames({"jnp": cst.Name("np")}))
        self.unit.imports.add("np")
        assert isinstance(code, cst.BaseExpression)
        dim = frame.spec.symbols.of_code(text(code)) if frame.spec is not None else None
        return Value(code, dim=dim)

    def call_container(self, base: Value, name: str, node: cst.Call, callee: Value, frame: Frame) -> Value | None:
        """Lists and dicts whose elements are followed."""
        values = [self.eval(arg.value, frame) for arg in node.args]  # type: ignore[attr-defined]
        args = [arg.with_changes(value=value.code) for arg, value in zip(node.args, values, strict=True)]
        code = node.with_changes(func=callee.code, args=args)
        target = _root_name(node.func)
        if name == "pop" and isinstance(base.special, Widths) and frame.mode == "staged":
            return self.pop_width(base, node, code, frame)
        if name == "append" and len(values) == 1:
            self.append_width(base, values[0], frame)
            if base.items is not None and base.items is not UNKNOWN and target in frame.env:
                new = dataclasses.replace(base, items=[*base.items, values[0]], known=UNKNOWN)
                frame.env[target] = new
            return Value(code, staged=any(v.is_tensor for v in values) or base.is_tensor)
        if name == "update" and len(values) == 1 and base.mapping is not None and values[0].mapping is not None:
            new = dataclasses.replace(base, mapping={**base.mapping, **values[0].mapping})
            if target in frame.env:
                frame.env[target] = new
            if self.only_inputs(new):
                return Value(code, special="dropped")
            return Value(code, staged=new.is_tensor)
        if base.mapping is not None and name in ("items", "values", "keys"):
            pairs = []
            for key, value in base.mapping.items():
                at = self.of_known(key)
                pairs.append({"items": Value(code, items=[at, value]), "values": value, "keys": at}[name])
            return Value(code, items=pairs)
        if base.mapping is not None and name in ("pop", "get") and values and values[0].known in base.mapping:
            return base.mapping[values[0].known].with_code(code)
        return None

    def keep_in_list(self, base: Value, name: str, node: cst.Call, frame: Frame) -> Value:
        """`self.blocks.append(layer)`: the layer is kept in that list."""
        values = [self.eval(arg.value, frame) for arg in node.args]  # type: ignore[attr-defined]
        args = [arg.with_changes(value=value.code) for arg, value in zip(node.args, values, strict=True)]
        assert isinstance(node.func, cst.Attribute) and frame.spec is not None
        code = node.with_changes(func=node.func.with_changes(value=base.code), args=args)
        attribute = base.special[1]
        if name == "extend" or not values or not self.is_unplaced(values[0]):
            if values and (values[0].has_layers or name == "extend"):
                frame.unit.residual(
                    frame.function, node, f"self.{attribute}", "layers added to a list in a way that is not followed"
                )
            return Value(code)
        kept = self.read_container(values[0], cst.Subscript(base.code, [cst.SubscriptElement(cst.Index(cst.Name("_")))]),
                                   (attribute, "*"))  # fmt: skip
        held = base.special[2]
        if not any(x.layer is kept.layer and x.module is kept.module for x in held):
            held.append(kept)
        frame.spec.lists.add(attribute)
        found = frame.spec.attributes[attribute]
        found.item = held[0]
        return Value(code)

    def call_module_method(self, base: Value, name: str, node: cst.Call, frame: Frame) -> Value:
        """`model.encode(x)` on an instance of a ported module."""
        assert base.module is not None
        spec = base.module.spec
        if name == "add" and id(spec.node) in self.added:
            return Value(node, special="dropped")  # one of the layers that the Sequential is made of
        if spec.kind == "class" and self.method_node(spec, name) is not None:
            arguments = self.arguments(node, frame)
            if arguments is None:
                return Value(node)
            base = self.place(base, frame)
            self.enter_module(base.module, [], node, frame) if not spec.analysed else None  # type: ignore[arg-type]
            args = [arg.with_changes(value=value.code) for arg, (_, value) in zip(node.args, arguments, strict=True)]
            if (spec.source, name) in self.mode_methods and not any(k == "training" for k, _ in arguments):
                args.append(
                    cst.Arg(self.training_argument(None, frame).code, keyword=cst.Name("training"), equal=_EQUAL)
                )
            func = node.func.with_changes(value=base.code) if isinstance(node.func, cst.Attribute) else node.func
            inner = self.method_frames.get((spec.source, name))
            code = node.with_changes(func=func, args=args)
            result = self.joined(inner) if inner is not None else None
            if result is None:
                return Value(code, staged=True, tensor=TensorType())
            return self.translate(result, base.module, {}, frame).with_code(code)
        if name in ("summary", "build"):
            frame.unit.note(node, f"`{text(node)}` left out: it only describes the Keras model")
            return Value(node, special="dropped")
        frame.unit.residual(frame.function, node, f"Model.{name}", f"`.{name}` of a ported model")
        for arg in node.args:
            self.eval(arg.value, frame)  # type: ignore[attr-defined]
        return Value(node)

    # -- variables ----------------------------------------------------------------------------------

    def assign_variable(self, base: Value, name: str, node: cst.Call, frame: Frame) -> Value:
        """`v.assign(x)` as a statement: `v[...] = x`."""
        arguments = self.arguments(node, frame)
        if arguments is None or not arguments:
            return Value(node)
        value = arguments[0][1]
        extra = [key for key, _ in arguments[1:] if key not in ("name", "read_value", "use_locking")]
        if extra or len(arguments) > 1 and arguments[1][0] is None:
            frame.unit.residual(frame.function, node, f"tf.Variable.{name}", "arguments of assign")
        target = cst.Subscript(base.code, [cst.SubscriptElement(cst.Index(cst.Ellipsis()))])
        statement: cst.BaseSmallStatement
        if name == "assign":
            statement = cst.Assign([cst.AssignTarget(target)], value.code)
        else:
            operator = cst.AddAssign() if name == "assign_add" else cst.SubtractAssign()
            statement = cst.AugAssign(target, operator, value.code)
        return Value(node, special=("statements", [statement]), staged=True)

    def handle_variable(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        """`tf.Variable(initial, trainable=...)`."""
        arguments = self.arguments(node, frame)
        if arguments is None:
            return Value(node)
        order = ("initial_value", "trainable", "validate_shape", "caching_device", "name", "variable_def", "dtype")
        given = {name or order[i]: value for i, (name, value) in enumerate(arguments)}
        initial = given.pop("initial_value", None)
        if initial is None:
            frame.unit.residual(frame.function, node, symbol, "a variable without an initial value")
            return Value(node)
        trainable = given.pop("trainable", None)
        name = given.pop("name", None)
        dtype = given.pop("dtype", None)
        for other in set(given) - {"validate_shape", "caching_device", "synchronization", "aggregation", "shape"}:
            frame.unit.residual(frame.function, node, symbol, f"`{other}` of tf.Variable")
        code = initial.code
        if initial.special and isinstance(initial.special, tuple) and initial.special[0] == "lambda":
            frame.unit.residual(frame.function, node, symbol, "an initial value given as a function")
        if dtype is not None or initial.tensor is None or initial.known is not UNKNOWN:
            wrapped = [cst.Arg(code)] + ([cst.Arg(dtype.code)] if dtype is not None else [])
            code = cst.Call(cst.parse_expression("jnp.asarray"), wrapped)
            if initial.known is not UNKNOWN and dtype is None and isinstance(initial.known, float):
                code = cst.Call(cst.parse_expression("jnp.asarray"), wrapped)
            self.unit.imports.add("jnp")
        kind = self.variable_kind(trainable, name.known if name else None, initial, node, frame)
        self.unit.imports.add("nnx")
        made = cst.Call(cst.parse_expression(f"nnx.{kind}"), [cst.Arg(code)])
        return Value(made, tensor=initial.tensor or TensorType(), special="variable")

    def variable_kind(
        self, trainable: Value | None, name: Any, initial: Value | None, node: cst.CSTNode, frame: Frame
    ) -> str:
        if trainable is None or trainable.known is True:
            dtype = initial.tensor.dtype if initial is not None and initial.tensor is not None else "float32"
            return "Param" if dtype is None or "float" in dtype else "Variable"
        if trainable.known is False:
            moving = isinstance(name, str) and any(part in name for part in ("moving", "running", "mean", "var"))
            return "BatchStat" if moving else "Variable"
        frame.unit.residual(frame.function, node, "trainable", "whether this weight is trained is not known")
        return "Param"

    def make_weight(self, arguments: list[Argument], node: cst.Call, frame: Frame) -> Value:
        """`self.add_weight(name=, shape=, initializer=, trainable=)`."""
        positional = [value for name, value in arguments if name is None]
        given: dict[str, Value] = {name: value for name, value in arguments if name is not None}
        order = (
            ("name", "shape")
            if positional and isinstance(positional[0].known, str)
            else ("shape", "initializer", "dtype")
        )
        for name, value in zip(order, positional, strict=False):
            given[name] = value
        allowed = {"name", "shape", "initializer", "dtype", "trainable", "aggregation", "synchronization", "use_resource", "autocast",
                   "experimental_autocast", "overwrite_with_gradient"}  # fmt: skip
        for other in sorted(set(given) - allowed):
            if given[other].known is not None:
                frame.unit.residual(frame.function, node, "add_weight", f"`{other}` of add_weight is not ported yet")
        dtype = given.get("dtype")
        if dtype is not None and dtype.known not in (None, "float32", UNKNOWN):
            pass
        shape = given.get("shape", self.of_known(()))
        initializer = given.get("initializer")
        default = "glorot_uniform" if len(self.elements(shape) or (0, 0)) != 0 else "glorot_uniform"
        if initializer is None or initializer.known is None:
            initializer = Value(cst.parse_expression(repr(default)), known=default)
        made = self.initial_weight(initializer, shape, node, frame)
        if made is None:
            return Value(node)
        trainable = given.get("trainable")
        name = given["name"].known if "name" in given else None
        kind = self.variable_kind(trainable, name, None, node, frame)
        self.unit.imports.add("nnx")
        code = cst.Call(cst.parse_expression(f"nnx.{kind}"), [cst.Arg(made)])
        elements = self.elements(shape)
        dims = None
        if elements is not None:
            dims = tuple(e.known if isinstance(e.known, int) else (e.dim if e.dim is not None else self.symbols_of(frame).unknown())
                         for e in elements)  # fmt: skip
        return Value(code, tensor=TensorType(dims, "float32"), special="variable")

    def symbols_of(self, frame: Frame) -> Any:
        return frame.spec.symbols if frame.spec else self.plain_symbols

    def initial_weight(
        self, initializer: Value, shape: Value, node: cst.CSTNode, frame: Frame
    ) -> cst.BaseExpression | None:
        """`INITIALIZER(rngs.params(), SHAPE)`, or zeros and ones written directly."""
        shape_code = shape.code
        if shape.known is None:
            shape_code = cst.parse_expression("()")
        if isinstance(shape_code, cst.Integer | cst.Name) and shape.items is None:
            shape_code = cst.Tuple([cst.Element(shape_code)])
        self.unit.imports.add("jnp")
        simple = {"zeros": "jnp.zeros", "zero": "jnp.zeros", "ones": "jnp.ones", "one": "jnp.ones"}
        if initializer.known is not UNKNOWN and initializer.known in simple:
            return cst.Call(cst.parse_expression(simple[initializer.known]), [cst.Arg(shape_code)])
        code = initializer.code
        if isinstance(initializer.known, str):
            macro = rules.MACROS["initializer"]
            try:
                code = cst.parse_expression(macro.function(initializer.known))
            except Exception as error:
                frame.unit.residual(frame.function, node, "add_weight", getattr(error, "reason", str(error)))
                return None
        self.unit.imports |= self.import_names(code)
        key = cst.parse_expression("rngs.params()")
        frame.flags.add("rngs")
        return cst.Call(code, [cst.Arg(key), cst.Arg(shape_code)])


_EQUAL = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))


def _root_name(node: cst.BaseExpression) -> str | None:
    while isinstance(node, cst.Attribute):
        node = node.value
    return node.value if isinstance(node, cst.Name) else None
