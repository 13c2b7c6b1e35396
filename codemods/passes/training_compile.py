"""`model.compile(...)`: the optimizer where it stood, the loss and the metrics as code for a batch."""

from __future__ import annotations

from typing import Any

import libcst as cst

from codemods.engine import rule as rules
from codemods.passes.frame import Frame
from codemods.passes.modules import Chain, Finished, ModuleSpec
from codemods.passes.names import ReplaceNames, assigned_names, read_names
from codemods.passes.training_losses import Losses
from codemods.passes.training_values import Compiled, Optimizer
from codemods.passes.values import Value, text

_ORDER = (
    "optimizer",
    "loss",
    "loss_weights",
    "metrics",
    "weighted_metrics",
    "run_eagerly",
    "steps_per_execution",
    "jit_compile",
)
#: Arguments that say how Keras should run a step, not what is computed.
_RUNNING = frozenset({"run_eagerly", "steps_per_execution", "jit_compile", "experimental_run_tf_function"})
#: What to do instead of arguments that are not ported.
_INSTEAD = {
    "loss_weights": "write the weights where it is called, as a list or a dict",
    "weighted_metrics": "give the metric's values times the weights to nnx.metrics.Average, and those of the weights to another",
    "sample_weight_mode": "give `fit` weights of the shape of the losses; Keras 3 has dropped it",
    "auto_scale_loss": "it only matters with a loss scale, which bfloat16 does not need",
    "loss_scale": "bfloat16 needs none",
}


class Compiling(Losses):
    """Compiled models."""

    def start(self) -> None:
        super().start()
        self.compiled: dict[int, Compiled] = {}
        self.comments: dict[int, Any] = {}
        self.fitted: set[int] = set()

    # -- compile -----------------------------------------------------------------------------------

    def call_method(self, callee: Value, node: cst.Call, frame: Frame) -> Value:
        _, base, name = callee.special
        if (
            name == "compile"
            and frame.mode == "staged"
            and frame.spec is not None
            and isinstance(base.special, Chain | Finished)
        ):
            inner = Frame(self.unit, frame.function, "plain")
            arguments = self.compile_arguments(node, inner)
            if arguments is None:
                return Value(node)
            found = self.compiled.setdefault(id(node), Compiled(node, frame.function, "", frame.spec, arguments))
            found.arguments = arguments
            return Value(node, special="dropped")
        return super().call_method(callee, node, frame)

    def optimizer_for(self, compiled: Compiled, base: Value, node: cst.Call, frame: Frame) -> str | None:
        """The optimizer of a model that was compiled in another function, made where it is trained."""
        transformation = self.transformation(compiled.arguments.get("optimizer"), compiled.node, frame)
        if transformation is None:
            return None
        given: dict[str, cst.BaseExpression] = {}
        if base.module is not None and compiled.spec is not None and compiled.function == compiled.spec.source:
            here = any(i is base.module and f == frame.function for f, i in self.loose)
            for name, value in self.named_arguments(base.module).items():
                if here or not read_names(value.code):
                    given[name] = value.code
        code = cst.parse_expression(transformation).visit(ReplaceNames(given))
        unknown = self.not_global(read_names(code) - {n for v in given.values() for n in read_names(v)})
        if unknown:
            reason = f"`compile` and `fit` are in different functions, and the optimizer needs `{sorted(unknown)[0]}`"
            frame.unit.residual(frame.function, node, "Model.fit", reason)
            return None
        self.unit.imports |= {"nnx", "optax"}
        return f"{self.optimizer_name(frame)} = nnx.Optimizer({self.updated_part(compiled.spec, text(base.code))}, {text(code)}, wrt=nnx.Param)"

    def model_method(self, base: Value, name: str, node: cst.Call, frame: Frame) -> Value | None:
        if name == "compile":
            return self.compile_model(base, node, frame)
        return super().model_method(base, name, node, frame)

    def compile_model(self, base: Value, node: cst.Call, frame: Frame) -> Value:
        arguments = self.compile_arguments(node, frame)
        if arguments is None:
            return Value(node)
        spec = base.module.spec if base.module is not None else None
        found = self.compiled.setdefault(id(node), Compiled(node, frame.function, text(base.code), spec, arguments))
        found.arguments, found.spec = arguments, spec
        if id(node) not in self.fitted and not self.surveying:
            return Value(node, special="dropped")
        transformation = self.transformation(arguments.get("optimizer"), node, frame)
        if transformation is None:
            return Value(node)
        self.unit.imports |= {"nnx", "optax"}
        name = self.optimizer_name(frame)
        code = f"{name} = nnx.Optimizer({self.updated_part(spec, text(base.code))}, {transformation}, wrt=nnx.Param)"
        statement = cst.parse_statement(code)
        given = arguments.get("optimizer")
        if given is not None and isinstance(given.special, Optimizer) and given.special.site in self.comments:
            statement = statement.with_changes(leading_lines=self.comments[given.special.site])  # type: ignore[call-arg]
        return Value(node, special=("statements", [statement]))

    def compile_arguments(self, node: cst.Call, frame: Frame) -> dict[str, Value] | None:
        arguments: dict[str, Value] = {}
        for i, arg in enumerate(node.args):
            key = arg.keyword.value if arg.keyword is not None else _ORDER[min(i, len(_ORDER) - 1)]
            if arg.star:
                frame.unit.residual(frame.function, arg, "Model.compile", "which arguments these are is not known")
                return None
            arguments[key] = self.eval_raw(arg.value, frame)
            if key in ("loss", "metrics") and isinstance(arg.value, cst.List | cst.Tuple):
                arguments[key] = Value(arg.value, items=[self.eval_raw(e.value, frame) for e in arg.value.elements])
        for key in sorted(arguments.keys() - {"optimizer", "loss", "metrics", *_RUNNING}):
            code = arguments[key].code
            nested = key == "loss_weights" and isinstance(code, cst.Dict | cst.List | cst.Tuple | cst.Float)
            if arguments[key].known is not None and not nested:
                reason = _INSTEAD.get(key, "has no form in the port")
                frame.unit.residual(frame.function, node, "Model.compile", f"`{key}` of compile: {reason}")
        return arguments

    def optimizer_name(self, frame: Frame) -> str:
        """`optimizer`, which the user's own name for it may be, too."""
        others = [
            name for name, value in frame.env.items() if name == "optimizer" and not self.is_compiled_optimizer(value)
        ]
        return "optimizer" if not others else self.local("model_optimizer", frame)

    def is_compiled_optimizer(self, value: Value) -> bool:
        """Is this made for `compile` alone, which gives it to the loop?"""
        return isinstance(value.special, Optimizer) and value.special.site in self.compiled_optimizers()

    def updated_part(self, spec: ModuleSpec | None, model: str) -> str:
        """What the optimizer of `compile` updates: the model, or the part that its own step says."""
        return model

    def transformation(self, optimizer: Value | None, node: cst.Call, frame: Frame) -> str | None:
        """Code of the optax transformation that `compile` is given."""
        known = "rmsprop" if optimizer is None else optimizer.known
        if isinstance(known, str):
            try:
                return rules.MACROS["optimizer"].function(known)
            except rules.Refused as refused:
                frame.unit.residual(frame.function, node, "Model.compile", str(refused))
                return None
        assert optimizer is not None
        optimizer = self.materialise(optimizer, node, frame)
        return text(optimizer.code)

    def _small_Assign(self, node: cst.Assign, frame: Frame) -> tuple[list[Any], bool]:
        items, config = super()._small_Assign(node, frame)
        target = node.targets[0].target
        if frame.mode != "plain" or not isinstance(target, cst.Name) or len(node.targets) > 1:
            return items, config
        value = frame.env.get(target.value)
        if value is not None and isinstance(value.special, Optimizer) and isinstance(node.value, cst.Call):
            if items and value.special.site in self.compiled_optimizers():
                frame.env[target.value] = value.with_code(items[0].value)
                self.comments[value.special.site] = self.line.leading_lines if self.line is not None else []
                return [], False
        return items, config

    line: cst.SimpleStatementLine | None = None

    def small(self, line: cst.SimpleStatementLine, node: cst.BaseSmallStatement, frame: Frame) -> Any:
        outer, self.line = self.line, line
        try:
            return super().small(line, node, frame)
        finally:
            self.line = outer

    def compiled_optimizers(self) -> set[int]:
        """Optimizers that are made for one `compile` alone."""
        sites = [c.arguments["optimizer"].special.site for c in self.compiled.values() if "optimizer" in c.arguments
                 and isinstance(c.arguments["optimizer"].special, Optimizer)]  # fmt: skip
        return {site for site in sites if sites.count(site) == 1}

    def find_compiled(self, base: Value, node: cst.Call, frame: Frame) -> Compiled | None:
        """The `compile` that a `fit` or `evaluate` goes by."""
        every = list(self.compiled.values())
        spec = base.module.spec if base.module is not None else None
        for found in (
            [c for c in every if c.function == frame.function and c.model == text(base.code)],
            [c for c in every if spec is not None and c.spec is spec],
            [c for c in every if c.spec is None or spec is None],
        ):
            before = [c for c in found if self.unit.span(c.node).line < self.unit.span(node).line] or found
            if before and (len(found) == 1 or found[0].function == frame.function):
                return before[-1]
            if len(found) > 1:
                break
        reason = "this model's `compile` is not in this file, or there are several"
        frame.unit.residual(frame.function, node, f"Model.{text(node.func).rsplit('.', 1)[-1]}", reason)
        return None

    # -- the batch ---------------------------------------------------------------------------------

    # -- metrics -----------------------------------------------------------------------------------

    # -- names -------------------------------------------------------------------------------------

    def local(self, base: str, frame: Frame) -> str:
        """A name that the function does not have yet."""
        node: Any = self.unit.functions.get(frame.function)
        scope = node.body if node is not None else self.unit.module
        taken = read_names(scope) | assigned_names(scope)
        if node is not None:
            taken |= {p.name.value for p in [*node.params.params, *node.params.kwonly_params]}
        while base in taken:
            base += "_"
        return base
