"""The user's own losses and regularizers: subclasses become plain classes that are called."""

from __future__ import annotations

from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.handled import handled
from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.names import read_names
from codemods.passes.training_losses import Batch
from codemods.passes.training_objects import Objects
from codemods.passes.training_values import Compiled
from codemods.passes.values import Value, text

_CLASS = """
class Own(SYMBOL):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
"""
LOSS_BASES = handled(
    "tf.keras.losses.Loss",
    becomes="subclasses become plain classes, called with labels and predictions",
    only="as a base class",
    shows=("class Own:", "return jnp.mean("),
    sample=_CLASS
    + """
    def call(self, y_true, y_pred):
        return self.factor * tf.square(y_true - y_pred)
""",
)
_REGULARIZERS = handled(
    "tf.keras.regularizers.Regularizer",
    becomes="subclasses become plain classes, called with the weight",
    only="as a base class",
    shows="class Own:",
    sample=_CLASS
    + """
    def __call__(self, x):
        return self.factor * tf.reduce_sum(x * x)
""",
)
#: Parameters of constructors that are for Keras's base classes.
FOR_KERAS = frozenset({"name", "dtype"})
_REDUCTIONS = frozenset({"'sum_over_batch_size'", "'auto'", "'mean'"})


class OwnLosses(Objects):
    """Subclasses of Loss and Regularizer."""

    def is_own_loss(self, name: str) -> bool:
        return any(base in LOSS_BASES for base in self.unit.bases(name))

    def is_plain_base(self, symbol: str) -> bool:
        return symbol in LOSS_BASES | _REGULARIZERS or super().is_plain_base(symbol)

    def is_own_object(self, name: str) -> bool:
        """A class whose constructor takes what is Keras's alone."""
        return any(base in LOSS_BASES | _REGULARIZERS for base in self.unit.bases(name))

    # -- the class -----------------------------------------------------------------------------------

    def port_body(self, node: cst.FunctionDef, name: str) -> tuple[list[Any], cst.FunctionDef]:
        owner, _, method = name.partition(".")
        if not method or owner not in self.unit.classes or not self.is_own_object(owner):
            return super().port_body(node, name)
        if method == "__init__":
            self.check_reduction(owner, node)
            return super().port_body(self.without_keras(node), name)
        if method != "call" or not self.is_own_loss(owner):
            return super().port_body(node, name)
        before, new = super().port_body(node, name)
        self.unit.imports.add("jnp")
        body = new.body.visit(_Mean())
        return before, new.with_changes(name=cst.Name("__call__"), body=body)

    def check_reduction(self, owner: str, node: cst.FunctionDef) -> None:
        """A loss that is not averaged over the batch is more than a function of the batch."""
        for call in findall(node.body, m.Call(func=m.Attribute(m.Call(func=m.Name("super")), m.Name("__init__")))):
            for arg in call.args:  # type: ignore[attr-defined]
                if arg.keyword is None or arg.keyword.value != "reduction":
                    continue
                code = text(arg.value).replace('"', "'")
                if code not in _REDUCTIONS and not code.endswith((".AUTO", ".SUM_OVER_BATCH_SIZE")):
                    reason = "a reduction other than the mean: reduce in `call`"
                    self.unit.residual(owner, arg, f"{owner}.reduction", reason)

    def without_keras(self, node: cst.FunctionDef) -> cst.FunctionDef:
        """A constructor without the parameters that only Keras's base class reads."""
        own = [s for s in node.body.body if not _is_super_init(s)]
        reads = set().union(*[read_names(s) for s in own], set())

        def kept(param: cst.Param) -> bool:
            return param.name.value not in FOR_KERAS or param.name.value in reads

        params = node.params
        plain = [p for p in params.params if kept(p)]
        if plain and len(plain) < len(params.params):
            plain[-1] = plain[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        kwonly = [p for p in params.kwonly_params if kept(p)]
        star = params.star_kwarg if params.star_kwarg is not None and params.star_kwarg.name.value in reads else None
        star_arg: Any = (
            params.star_arg if kwonly or isinstance(params.star_arg, cst.Param) else cst.MaybeSentinel.DEFAULT
        )
        new = params.with_changes(params=plain, kwonly_params=kwonly, star_kwarg=star, star_arg=star_arg)
        body = node.body.with_changes(body=own or [cst.SimpleStatementLine([cst.Pass()])])
        return node.with_changes(params=new, body=body)

    # -- objects -------------------------------------------------------------------------------------

    def call_class(self, name: str, node: cst.Call, frame: Frame) -> Value:
        if not self.is_own_object(name) or not self.own_arguments(name, node, frame):
            return super().call_class(name, node, frame)
        args = [a for a in node.args if a.keyword is None or a.keyword.value not in FOR_KERAS]
        if args and len(args) < len(node.args):
            args[-1] = args[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        value = super().call_class(name, node.with_changes(args=args), frame)
        return Value(value.code, special=("own_object", name, value.code))

    def own_arguments(self, name: str, node: cst.Call, frame: Frame) -> bool:
        """Are all arguments the class's own, or Keras's names?"""
        init = next(
            (
                s
                for s in self.unit.classes[name].body.body
                if isinstance(s, cst.FunctionDef) and s.name.value == "__init__"
            ),
            None,
        )
        known = {p.name.value for p in [*init.params.params, *init.params.kwonly_params]} if init is not None else set()
        unknown = [
            a.keyword.value for a in node.args if a.keyword is not None and a.keyword.value not in known | FOR_KERAS
        ]
        if unknown:
            reason = f"`{unknown[0]}` is handed on to Keras's base class, which the port does not have"
            frame.unit.residual(frame.function, node, name, reason)
        return not unknown

    def loss_code(self, compiled: Compiled, batch: Batch, frame: Frame) -> str | None:
        loss = compiled.arguments.get("loss")
        special = loss.special if loss is not None else None
        own = isinstance(special, tuple) and special[0] == "own_object" and self.is_own_loss(special[1])
        if not own or batch.weights is not None:
            return super().loss_code(compiled, batch, frame)
        assert isinstance(special, tuple)
        return f"{text(special[2])}({text(batch.labels.code)}, {text(batch.predictions.code)})"


class _Mean(cst.CSTTransformer):
    """`return x` to `return jnp.mean(x)`, in the method itself."""

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return False

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        return False

    def leave_Return(self, original_node: cst.Return, updated_node: cst.Return) -> cst.Return:
        value = updated_node.value
        if value is None or m.matches(value, m.Call(func=m.Attribute(m.Name("jnp"), m.Name("mean")), args=[m.Arg()])):
            return updated_node
        return updated_node.with_changes(value=cst.Call(cst.parse_expression("jnp.mean"), [cst.Arg(value)]))


def _is_super_init(node: Any) -> bool:
    call = m.Call(func=m.Attribute(m.Call(func=m.Name("super")), m.Name("__init__")))
    return m.matches(node, m.SimpleStatementLine([m.Expr(call)]))
