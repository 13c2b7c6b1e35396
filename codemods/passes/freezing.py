"""`base.trainable = False`: weights that are not trained, and what Keras's models list of themselves."""

from __future__ import annotations

from typing import Any

import libcst as cst
import libcst.matchers as m
from flax import nnx

from codemods.engine.outcome import Residual
from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.habits import Habits
from codemods.passes.modules import LayerInstance, ModuleInstance, ModuleSpec
from codemods.passes.placing.staging import Item, Staged
from codemods.passes.training_values import Model
from codemods.passes.values import Value, text

#: Attributes of Keras's models and layers that modules of Flax do not have.
_OF_KERAS = frozenset({"layers", "input", "output", "inputs", "outputs", "input_shape", "output_shape", "non_trainable_variables",
                       "non_trainable_weights", "stop_training", "metrics_names", "input_names", "output_names", "dtype_policy"})  # fmt: skip
_NORM = "tf.keras.layers.BatchNormalization"
_NORMS = frozenset({_NORM, "tf.keras.layers.SyncBatchNormalization"})
_NOT_TRAINED = m.Arg(keyword=m.Name("trainable"), value=m.Name("False"))


class Frozen(nnx.Variable):
    """A weight that is not trained."""


def freeze(module):
    """Takes the weights of a module out of training."""
    for _, part in list(nnx.iter_modules(module)):
        for name, value in list(vars(part).items()):
            if isinstance(value, nnx.Param):
                setattr(part, name, Frozen(value[...], **value.get_metadata()))


def frozen(module):
    """A module whose weights are not trained."""
    freeze(module)
    return module


def unfreeze(module):
    """Puts the weights of a module back into training."""
    for _, part in list(nnx.iter_modules(module)):
        for name, value in list(vars(part).items()):
            if isinstance(value, Frozen):
                setattr(part, name, nnx.Param(value[...], **value.get_metadata()))


class Freezing(Habits):
    """Freezes modules where they are made or trained."""

    def start(self) -> None:
        super().start()
        self.frozen: set[int] = set()

    # -- freezing ------------------------------------------------------------------------------------

    def common(self, name: str | None, value: Value, signature: Any, symbol: str, node: cst.Call, frame: Frame) -> bool:
        """`trainable=False` of a constructor; normalisation would run on its statistics, too."""
        if name == "trainable" and value.known is False and symbol not in _NORMS:
            return True
        return super().common(name, value, signature, symbol, node, frame)

    def make_object(self, entry: Any, symbol: str, node: cst.Call, frame: Frame) -> Value:
        value = super().make_object(entry, symbol, node, frame)
        if value.layer is not None and entry.kind == "layer" and symbol not in _NORMS:
            value.layer.frozen = any(m.matches(arg, _NOT_TRAINED) for arg in node.args)
            inner = [
                given.layer for name, given in value.layer.arguments.items() if name in entry.wraps and given.layer
            ]
            if any(layer.frozen for layer in inner):
                reason = "a frozen layer inside another: freeze the part of the port (`freeze(self.layer.forward_rnn)`)"
                frame.unit.residual(frame.function, node, symbol, reason)
        return value

    def layer_code(self, layer: LayerInstance, spec: ModuleSpec) -> cst.BaseExpression | None:
        code = super().layer_code(layer, spec)
        if not layer.frozen or not layer.makes or code is None or layer.factory is not None or layer.wrapped:
            return code
        if layer.alone:
            reason = "a frozen layer that code calls which is not seen here: freeze it where it is kept"
            self.unit.residuals.append((spec.source, Residual(layer.symbol, reason, layer.span)))
            return code
        self.unit.imports.add("nnx")
        for helper in (Frozen, freeze, frozen):
            self.unit.helpers[helper.__name__] = helper
        return cst.Call(cst.Name(frozen.__name__), [cst.Arg(code)])

    def assign(
        self, target: cst.BaseExpression, value: Value, node: cst.Assign, frame: Frame
    ) -> tuple[list[Any], bool] | None:
        if isinstance(target, cst.Attribute) and target.attr.value == "trainable":
            base = self.eval(target.value, frame)
            if base.module is not None or base.layer is not None or isinstance(base.special, Model):
                return [self.set_trainable(base, value, node, frame)], frame.mode == "staged"
        return super().assign(target, value, node, frame)

    def set_trainable(self, base: Value, value: Value, node: cst.CSTNode, frame: Frame) -> cst.BaseSmallStatement:
        """`freeze(base)` or `unfreeze(base)`."""
        self.unit.imports.add("nnx")
        self.unit.helpers["Frozen"] = Frozen
        if value.known is not True and value.known is not False:
            reason = "whether these weights are trained depends on what is not known here: call freeze or unfreeze"
            frame.unit.residual(frame.function, node, "trainable", reason)
            return cst.Expr(cst.Name("None"))
        helper = unfreeze if value.known else freeze
        self.unit.helpers[helper.__name__] = helper
        base = self.place(base, frame) if frame.mode in ("staged", "init") and base.layer is not None else base
        if base.module is not None and not value.known:
            self.frozen.add(id(base.module))
        return cst.Expr(cst.Call(cst.Name(helper.__name__), [cst.Arg(base.code)]))

    def _exec_For(self, node: cst.For, frame: Frame) -> Any:
        """`for layer in base.layers: layer.trainable = False`: all of it."""
        found = m.extract(node, _ALL_LAYERS)
        if found is None or not isinstance(node.iter, cst.Attribute):
            return super()._exec_For(node, frame)
        base = self.eval(node.iter.value, frame)
        if base.module is None and not isinstance(base.special, Model):
            return super()._exec_For(node, frame)
        statement = self.set_trainable(base, self.eval(found["value"], frame), node, frame)  # type: ignore[arg-type]
        line = cst.SimpleStatementLine([statement], leading_lines=node.leading_lines)
        if frame.mode == "init":
            return Staged([line])
        if frame.mode == "staged":
            return Staged([line], [Item(line, config=True)])
        return Staged(call=[Item(line)])

    def call_module(self, callee: Value, arguments: Any, node: cst.Call, frame: Frame) -> Value:
        """A frozen BatchNormalization runs on its statistics, whatever the mode is."""
        instance = callee.module
        if instance is not None and id(instance) in self.frozen and arguments is not None:
            self.analyse(instance.spec, [a for a in arguments if a[0] != "training"], frame)
            given = next((value for name, value in arguments if name == "training"), None)
            fixed = given is not None and given.known is False
            if not fixed and self.has_layer(instance.spec, _NORM, set()):
                if self.is_random(instance.spec, set()) or self.thaws:
                    reason = "frozen, with BatchNormalization in it, which then runs on its statistics: call it with training=False"
                    frame.unit.residual(frame.function, node, instance.spec.source, reason)
                arguments = [a for a in arguments if a[0] != "training"]
                arguments.append(("training", Value(cst.Name("False"), known=False)))
        return super().call_module(callee, arguments, node, frame)

    @property
    def thaws(self) -> bool:
        """Does the file put weights back into training?"""
        trainable = m.AssignTarget(m.Attribute(attr=m.Name("trainable")))
        return bool(findall(self.unit.module, m.Assign([trainable], m.Name("True"))))

    def has_layer(self, spec: ModuleSpec, symbol: str, seen: set[int]) -> bool:
        if id(spec) in seen:
            return False
        seen.add(id(spec))
        return any(layer.symbol == symbol for layer in spec.layers) or any(
            self.has_layer(part, symbol, seen) for part in self.parts_of(spec)
        )

    def is_random(self, spec: ModuleSpec, seen: set[int]) -> bool:
        """Does a module do something else with the mode than normalise?"""
        if id(spec) in seen:
            return False
        seen.add(id(spec))
        own = any(
            "Dropout" in layer.symbol or "Noise" in layer.symbol or "Random" in layer.symbol for layer in spec.layers
        )
        return own or spec.kind == "class" or any(self.is_random(part, seen) for part in self.parts_of(spec))

    # -- what modules do not have ----------------------------------------------------------------------

    def attribute(self, base: Value, node: cst.Attribute, frame: Frame) -> Value:
        name = node.attr.value
        if name in _OF_KERAS and base.module is not None and base.special is None:
            spec = base.module.spec
            known = name in spec.attributes or (spec.kind == "class" and self.method_node(spec, name) is not None)
            if not known and not self.is_set(spec, name):
                declared = self.declared_shape(base.module, node, frame)
                if declared is not None:
                    return declared
                reason = f"`{text(node)}` of a Keras model: modules of Flax are named by their attributes"
                frame.unit.residual(frame.function, node, f"Model.{name}", reason)
        return super().attribute(base, node, frame)

    def declared_shape(self, module: ModuleInstance, node: cst.Attribute, frame: Frame) -> Value | None:
        """`Input(shape=encoder.output.shape[1:])`: what a model gives, where only its shape is wanted."""
        result = module.spec.result
        if not frame.declaring or node.attr.value not in ("output", "output_shape") or result is None:
            return None
        tensor = self.translate(result, module, {}, frame).tensor
        if tensor is None or tensor.shape is None:
            return None
        return Value(node, tensor=tensor) if node.attr.value == "output" else self.shape_value(node, tensor, frame)

    def is_set(self, spec: ModuleSpec, name: str) -> bool:
        """Does the class set such an attribute itself?"""
        return bool(findall(spec.node, m.AssignTarget(m.Attribute(m.Name("self"), m.Name(name)))))


_ALL_LAYERS = m.For(
    target=m.Name(), iter=m.Attribute(attr=m.Name("layers")),
    body=m.IndentedBlock([m.SimpleStatementLine([
        m.Assign([m.AssignTarget(m.Attribute(m.Name(), m.Name("trainable")))], m.SaveMatchedNode(m.Name(), "value")),
    ])]),
)  # fmt: skip
