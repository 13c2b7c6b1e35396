"""Variables and weights."""

from __future__ import annotations

from typing import Any

import libcst as cst

from codemods.engine import rule as rules
from codemods.engine.handled import handled
from codemods.passes.calls.inputs import Argument
from codemods.passes.calls.lambdas import drawn
from codemods.passes.frame import Frame
from codemods.passes.pieces import EQUAL
from codemods.passes.values import UNKNOWN, TensorType, Value, text

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


#: What a layer calls the dtype of its weights, which is float32 without a mixed dtype policy.
_OWN_DTYPES = frozenset(
    {"self.dtype", "self.variable_dtype", "self.compute_dtype", "self._dtype", "self._compute_dtype"}
)


class Variables:
    """`tf.Variable`, `add_weight`, and assignments to variables."""

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
        shape = given.get("shape", self.of_known(()))
        initializer = given.get("initializer")
        if initializer is None or initializer.known is None:
            initializer = Value(cst.parse_expression('"glorot_uniform"'), known="glorot_uniform")
        dtype = self.weight_dtype(given.get("dtype"))
        made = self.initial_weight(initializer, shape, node, frame, dtype.code if dtype is not None else None)
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
        known = "float32" if dtype is None else dtype.known if isinstance(dtype.known, str) else None
        return Value(code, tensor=TensorType(dims, known), special="variable")

    def weight_dtype(self, given: Value | None) -> Value | None:
        """The dtype that a weight is given; None for float32, which Keras means where nothing else is said."""
        if given is None or given.known in (None, "float32") or text(given.code) in _OWN_DTYPES:
            return None
        if isinstance(given.known, str):
            self.unit.imports.add("jnp")
            return given.with_code(cst.parse_expression(f"jnp.{given.known.replace('bool', 'bool_')}"))
        return given

    def symbols_of(self, frame: Frame) -> Any:
        return frame.spec.symbols if frame.spec else self.plain_symbols

    def initial_weight(
        self, initializer: Value, shape: Value, node: cst.CSTNode, frame: Frame, dtype: cst.BaseExpression | None = None
    ) -> cst.BaseExpression | None:
        """`INITIALIZER(rngs.params(), SHAPE)`, or zeros and ones written directly; `dtype`: where it is not float32."""
        shape_code = shape.code
        if shape.known is None:
            shape_code = cst.parse_expression("()")
        if shape.items is None and (isinstance(shape_code, cst.Integer | cst.Name) or shape.sure):
            shape_code = cst.Tuple([cst.Element(shape_code)])
        self.unit.imports.add("jnp")
        given = [cst.Arg(dtype, keyword=cst.Name("dtype"), equal=EQUAL)] if dtype is not None else []
        simple = {"zeros": "jnp.zeros", "zero": "jnp.zeros", "ones": "jnp.ones", "one": "jnp.ones"}
        if initializer.known is not UNKNOWN and initializer.known in simple:
            return cst.Call(cst.parse_expression(simple[initializer.known]), [cst.Arg(shape_code), *given])
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
        return drawn(code, key, shape_code, dtype)
