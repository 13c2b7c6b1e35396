"""Models and optimizers as values of ordinary functions."""

from __future__ import annotations

from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.outcome import Span
from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleInstance, ModuleSpec
from codemods.passes.names import read_names
from codemods.passes.training_host import Host
from codemods.passes.training_values import Model, Optimizer, Parameters
from codemods.passes.values import TensorType, Value, text

#: Attributes by which a parameter of which nothing else is known shows to be a model.
_OF_MODELS = frozenset(
    {
        "fit",
        "compile",
        "evaluate",
        "predict",
        "trainable_variables",
        "trainable_weights",
        "save_weights",
        "load_weights",
        "train_on_batch",
        "test_on_batch",
        "predict_on_batch",
        "fit_generator",
        "summary",
    }  # fmt: skip
)
_OF_COMPILE = frozenset({"optimizer", "loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly",
                         "steps_per_execution", "jit_compile", "auto_scale_loss"})  # fmt: skip
_TRAINABLE = frozenset({"trainable_variables", "trainable_weights"})


class Models(Host):
    """What may be done with a model outside of models."""

    # -- which values are models ---------------------------------------------------------------------

    def parameters_of(self, node: cst.FunctionDef, name: str) -> dict[str, Value]:
        env = super().parameters_of(node, name)
        for param, value in env.items():
            if value.module is None and value.special is None and self.is_model(param, node):
                env[param] = self.unknown_model(value.code, self.without_loss(param, node))
        return env

    def without_loss(self, name: str, node: cst.FunctionDef) -> bool:
        """Is a model compiled without a loss, as those that have their own training step are?"""
        compiled = findall(node.body, m.Call(func=m.Attribute(m.Name(name), m.Name("compile"))))
        names = [{a.keyword.value for a in c.args if a.keyword is not None} for c in compiled]  # type: ignore
        own = any(found - _OF_COMPILE for found in names)  # of a `compile` of the class's own
        return own or any("loss" not in found and len(c.args) < 2 for c, found in zip(compiled, names, strict=True))  # type: ignore

    def is_model(self, name: str, node: cst.FunctionDef) -> bool:
        """Is a parameter used as only models are?"""
        if findall(node.body, m.Attribute(m.Name(name), m.MatchIfTrue(lambda n: n.value in _OF_MODELS))):
            return True
        calls = findall(node.body, m.Call(func=m.Name(name)))
        return any(arg.keyword is not None and arg.keyword.value == "training" for call in calls for arg in call.args)  # type: ignore

    def unknown_model(self, code: cst.BaseExpression, own_step: bool = False) -> Value:
        """A model that comes from outside: the file's own, if it has just one."""
        spec = self.only_model(own_step)
        if spec is None:
            return Value(code, special=Model(text(code)))
        return Value(code, module=ModuleInstance(spec, [], Span(self.unit.file, 0, 0), self.unit.fresh("module")))

    def only_model(self, own_step: bool = False) -> ModuleSpec | None:
        """The model of the file that is part of no other; of several, the one that was traced."""
        whole = [spec for spec in self.unit.specs.values() if spec.analysed and spec.kind in ("class", "builder")]
        whole = [s for s in whole if s.kind == "builder" or self.unit.bases(s.source)[:1] != ["tf.keras.layers.Layer"]]
        inner = set().union(*[read_names(spec.node.body) - {spec.source} for spec in whole], set())  # type: ignore[attr-defined]
        parts = {v.module.spec.source for found in self.module_parameters.values() for v in found.values() if v.module}
        outer = [spec for spec in whole if spec.source not in inner | parts]
        if own_step:
            outer = [spec for spec in outer if "train_step" in self.moved_methods.get(spec.source, {})]
        if len(outer) > 1:
            root = self.unit.trace.root or {}
            sites = [site["function"] for site in root.get("site") or ()]
            outer = [spec for spec in outer if spec.source == root.get("class") or spec.source in sites]
        return outer[0] if len(outer) == 1 else None

    # -- optimizers ----------------------------------------------------------------------------------

    def call_symbol(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        value = super().call_symbol(symbol, node, frame)
        if (
            symbol.startswith("tf.keras.optimizers.")
            and symbol.count(".") == 3
            and symbol.rsplit(".", 1)[1][:1].isupper()
        ):
            return Value(value.code, special=Optimizer(id(node)))
        return value

    # -- attributes ----------------------------------------------------------------------------------

    def attribute(self, base: Value, node: cst.Attribute, frame: Frame) -> Value:
        name = node.attr.value
        is_model = base.module is not None or isinstance(base.special, Model)
        if name in _TRAINABLE and (is_model or frame.mode == "plain" and base.special is None and base.symbol is None):
            self.unit.imports |= {"jax", "nnx"}
            code = cst.parse_expression("jax.tree.leaves(nnx.state(_, nnx.Param))")
            code = code.visit(_Put(base.code))  # type: ignore[assignment]
            item = Value(cst.Name("_"), tensor=TensorType())
            return Value(code, item=item, special=Parameters((text(base.code),)), staged=True)
        return super().attribute(base, node, frame)

    def _small_AugAssign(self, node: cst.AugAssign, frame: Frame) -> tuple[list[Any], bool]:
        items, config = super()._small_AugAssign(node, frame)
        empty = [i for i in items if isinstance(i, cst.AugAssign) and text(i.value) in ("0.0", "0")]
        return [i for i in items if i not in empty], config

    # -- other methods of models ------------------------------------------------------------------

    def call_method(self, callee: Value, node: cst.Call, frame: Frame) -> Value:
        _, base, name = callee.special
        if isinstance(base.special, Model) and base.module is None:
            handled = self.model_method(base, name, node, frame)
            if handled is not None:
                return handled
        return super().call_method(callee, node, frame)

    def call_module_method(self, base: Value, name: str, node: cst.Call, frame: Frame) -> Value:
        if frame.mode == "plain":
            handled = self.model_method(base, name, node, frame)
            if handled is not None:
                return handled
        return super().call_module_method(base, name, node, frame)

    def model_method(self, base: Value, name: str, node: cst.Call, frame: Frame) -> Value | None:
        """`model.NAME(...)`; None where this is no method of Keras's."""
        if name == "summary":
            self.unit.note(
                node,
                f"`{text(node)}` prints the number of parameters; nnx.tabulate shows a table, for an example input",
            )
            self.unit.imports |= {"jax", "nnx"}
            count = f"sum(p.size for p in jax.tree.leaves(nnx.state({text(base.code)}, nnx.Param)))"
            return Value(cst.parse_expression(f'print(f"{{{count}:,}} parameters")'))
        if name == "build" and base.module is not None:
            return self.built(base, node, frame)
        if name in ("save_weights", "save", "load_weights"):
            return self.checkpoint(base, name, node, frame)
        return None

    def built(self, base: Value, node: cst.Call, frame: Frame) -> Value | None:
        """`model.build((None, 4))` says what the model's input looks like; the port's constructor knows."""
        shape = self.eval(node.args[0].value, frame).known if len(node.args) == 1 else None
        if not isinstance(shape, tuple | list) or not shape or not all(d is None or isinstance(d, int) for d in shape):
            return None
        dims = tuple(self.plain_symbols.unknown("d") if d is None else d for d in shape)
        assert base.module is not None
        self.enter_module(base.module, [(None, Value(cst.Name("x"), tensor=TensorType(dims, "float32")))], node, frame)
        frame.unit.note(node, f"`{text(node)}` left out: a module of Flax has its weights when it is made")
        return Value(node, special="dropped")

    def checkpoint(self, base: Value, name: str, node: cst.Call, frame: Frame) -> Value:
        """Weights in a folder that Orbax writes."""
        arguments = self.arguments(node, frame) or []
        given = {key or ("filepath", "overwrite")[min(i, 1)]: value for i, (key, value) in enumerate(arguments)}
        path = given.pop("filepath", None)
        given.pop("overwrite", None)
        if path is None or given:
            frame.unit.residual(frame.function, node, f"Model.{name}", f"`.{name}` with these arguments")
            return Value(node)
        self.unit.imports |= {"nnx", "ocp", "os"}
        self.unit.note(node, "weights are kept in a folder that Orbax writes, not in Keras's format")
        place = f"os.path.abspath({text(path.code)})"
        state = f"nnx.state({text(base.code)}, nnx.Not(nnx.RngState))"
        if name == "load_weights":
            code = f"nnx.update({text(base.code)}, ocp.StandardCheckpointer().restore({place}, {state}))"
            return Value(cst.parse_expression(code))
        code = (
            f"with ocp.StandardCheckpointer() as checkpointer:\n    checkpointer.save({place}, {state}, force=True)\n"
        )
        return Value(node, special=("statements", [cst.parse_statement(code)]))


class _Put(cst.CSTTransformer):
    def __init__(self, new: cst.BaseExpression):
        self.new = new

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        return self.new if original_node.value == "_" else updated_node
