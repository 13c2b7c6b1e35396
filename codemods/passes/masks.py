"""Implicit masks: what Keras attaches to tensors and hands from layer to layer is passed on by name.

Embedding with `mask_zero`, Masking, and layers that keep what came in give their output a mask; layers with an argument
`mask` read it. The port computes it once (`mask = tokens != 0`) and gives it to what reads it. Where it can't, what reads
the mask is a residual: a mask that is dropped changes results, and no shape tells.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Sequence
from typing import Any

import libcst as cst

from codemods.engine.walk import identifiers, names_in
from codemods.passes.calls.inputs import Argument
from codemods.passes.frame import Frame
from codemods.passes.layer_parts import LayerParts
from codemods.passes.mask_values import Mask
from codemods.passes.modules import LayerInstance
from codemods.passes.names import assigned_names
from codemods.passes.pieces import assign_name
from codemods.passes.values import UNKNOWN, TensorType, Value, constant, text

_LAYERS = "tf.keras.layers."
EMBEDDING = f"{_LAYERS}Embedding"
MASKING = f"{_LAYERS}Masking"
_ATTENTION = frozenset(f"{_LAYERS}{name}" for name in ("Attention", "AdditiveAttention"))
_HEADS = frozenset(f"{_LAYERS}{name}" for name in ("MultiHeadAttention", "GroupQueryAttention"))
_SUMS = frozenset(f"{_LAYERS}{name}" for name in ("Add", "Subtract", "Average"))
#: Keras 3 computes these of what is masked in another way.
_WEIGHED = frozenset(f"{_LAYERS}{name}" for name in ("Maximum", "Minimum", "Multiply"))
_CONCATENATE = f"{_LAYERS}Concatenate"
#: What keeps a mask in Keras 3 only.
NOT_IN_KERAS_2 = frozenset(
    f"{_LAYERS}{name}" for name in ("Identity", "Normalization", "Rescaling", "TimeDistributed", "GroupNormalization")
)
_READ_HERE = "its input has a mask, which Keras reads here: multiply by it, or give it to what comes after"
#: Functions that make such a layer and call it.
_FUNCTIONS = {
    layer.removesuffix(name) + name.lower(): layer
    for layer in sorted({*_SUMS, *_WEIGHED, _CONCATENATE})
    for name in [layer.rsplit(".", 1)[1]]
}
#: What reads a mask although its rule does not: it is refused.
READERS = frozenset({*_WEIGHED, f"{_LAYERS}Softmax"})
#: These give back the tensor itself, where there is nothing to convert.
_SAME_TENSOR = frozenset({"tf.convert_to_tensor", "tf.cast", "tf.keras.ops.cast", "tf.keras.ops.convert_to_tensor"})
#: `special[0]` of a mask that the port computes.
_MASK_OF = "mask_of"


class Masks(LayerParts):
    """Follows masks from where they are made to where they are read."""

    def start(self) -> None:
        super().start()
        #: Names of masks, by definition and function, and by place.
        self.mask_names: dict[tuple[int, str], dict[tuple[int, int], str]] = {}
        #: Of modules that read the masks that come with their inputs: by input, the parameter that brings it.
        self.mask_parameters: dict[int, dict[str, str]] = {}
        #: Of modules that take the masks off their inputs: which ones.
        self.cleared_inputs: dict[int, set[str]] = {}
        self.within = 0

    # -- layers ------------------------------------------------------------------------------------

    def call_layer(self, callee: Value, arguments: list[Argument] | None, node: cst.Call, frame: Frame) -> Value:
        instance = callee.layer
        rule = instance.rule if instance is not None else None
        if rule is None or instance is None or arguments is None or rule.call is None:
            return super().call_layer(callee, arguments, node, frame)
        arguments = [(name, self.as_it_is_now(value, frame)) for name, value in arguments]
        if rule.kind != "layer":
            if any(_masks_of(value) for name, value in arguments):
                reason = "its input has a mask, which Keras applies here: weigh what it averages by the mask (`where=`)"
                frame.unit.residual(frame.function, node, instance.symbol, reason)
                return Value(node)
            return super().call_layer(callee, arguments, node, frame)
        names = [p.name for p in inspect.signature(rule.call).parameters.values() if p.kind is not p.KEYWORD_ONLY][1:]
        given = {name or (names[i] if i < len(names) else ""): value for i, (name, value) in enumerate(arguments)}
        first = given.get(names[0]) if names else None
        if instance.symbol == MASKING and first is not None:
            return self.call_masking(callee, first, arguments, node, frame)
        mask = self.made_by(instance, first, node, frame)
        if mask is not None and mask.code is not None and first is not None and self.bound_ids is not None:
            arguments = [(name, self.bound_ids if value is first else value) for name, value in arguments]
        arguments, explicit = self.given_masks(instance, names, given, list(arguments), node, frame)
        result = super().call_layer(callee, arguments, node, frame)
        if mask is None:
            mask = self.kept_by(instance, first, explicit, node, frame)
        if instance.symbol in _HEADS and not self.unit.keras2:
            for value in given.values():
                self.clear(value.mask, frame)
        return self.with_mask(result, mask, instance)

    def with_mask(self, result: Value, mask: Mask | None, instance: LayerInstance) -> Value:
        """A result with a mask; of several outputs, the ones of the input's length have it."""
        if result.items is None:
            return dataclasses.replace(result, mask=mask)
        sequences = (
            2 if instance.symbol.endswith(".Bidirectional") and _known(instance, "merge_mode", "") is None else 1
        )
        items = [
            dataclasses.replace(item, mask=mask.copy() if mask is not None and i < sequences else None)
            for i, item in enumerate(result.items)
        ]
        return dataclasses.replace(result, items=items, mask=None)

    bound_ids: Value | None = None

    def made_by(self, instance: LayerInstance, first: Value | None, node: cst.Call, frame: Frame) -> Mask | None:
        """The mask of an Embedding's output."""
        self.bound_ids = None
        if instance.symbol != EMBEDDING or first is None or "mask_zero" not in instance.arguments:
            return None
        if instance.arguments["mask_zero"].known is False:
            return None
        if instance.arguments["mask_zero"].known is not True:
            return Mask(None, "whether its input has a mask depends on what is not known here (`mask_zero`)")
        return self.named_mask(lambda code: f"{code} != 0", first, node, frame)

    def call_masking(
        self, callee: Value, first: Value, arguments: list[Argument], node: cst.Call, frame: Frame
    ) -> Value:
        """`x * mask[..., None]`: steps that hold nothing but the mask's value are zeros."""
        assert callee.layer is not None
        value = callee.layer.arguments.get("mask_value")
        code = text(self.in_call(value, frame).code) if value is not None else "0.0"
        self.unit.imports.add("jnp")
        mask = self.named_mask(lambda x: f"jnp.any({x} != {code}, axis=-1)", first, node, frame)
        if mask.code is None:
            return dataclasses.replace(super().call_layer(callee, arguments, node, frame), mask=mask)
        x = self.bound_ids.code if self.bound_ids is not None else first.code
        masked = cst.parse_expression(f"{text(x)} * {text(mask.code)}[..., None]")
        if frame.emit and first.tensor is not None:
            callee.layer.calls.append({"inputs": first})
            callee.layer.inputs.append(first.tensor)
        return Value(masked, tensor=first.tensor or TensorType(), mask=mask)

    def named_mask(self, formula: Any, first: Value, node: cst.Call, frame: Frame, binds: bool = True) -> Mask:
        """Computes a mask of a tensor in a statement before this one; `bound_ids` is the tensor by a name then."""
        if frame.mode not in ("call", "staged", "plain") or self.within:
            return Mask(None, "its input's mask is made within an expression: make it in a statement of its own")
        self.bound_ids = first
        if binds and not isinstance(first.code, cst.Name | cst.Attribute | cst.Subscript):
            ids = self.fresh_name("tokens", (id(node), -1), frame)
            self.before(assign_name(ids, text(first.code)), frame)
            self.bound_ids = dataclasses.replace(first, code=cst.Name(ids))
        code = formula(text(self.bound_ids.code))
        name = self.same_mask(code, frame)
        if name is None:
            base = text(first.code) if isinstance(first.code, cst.Name) else ""
            name = self.fresh_name("mask", (id(node), 0), frame, base)
            self.before(assign_name(name, code), frame)
            frame.env[name] = _bool(cst.Name(name))
            frame.env[name].special = (_MASK_OF, code, id(frame.env), self.read_by(code, frame))
        if frame.spec is not None:
            frame.spec.aliases.add(name)
        made = cst.parse_expression(formula(text(first.code)))
        parameters = self.lasting_parameters(frame)
        return Mask(cst.Name(name), formula=made if names_in(made) - {"jnp"} <= parameters else None)

    def same_mask(self, code: str, frame: Frame) -> str | None:
        """The name of a mask that this block has computed of the same tensors."""
        for name, value in frame.env.items():
            kind = value.special[0] if isinstance(value.special, tuple) else None
            if kind == _MASK_OF and value.special[1:3] == (code, id(frame.env)):
                if all(frame.env.get(key) is read for key, read in value.special[3].items()):
                    return name
        return None

    def read_by(self, code: str, frame: Frame) -> dict[str, Value]:
        return {name: frame.env[name] for name in names_in(cst.parse_expression(code)) & frame.env.keys()}

    def before(self, statement: cst.BaseStatement, frame: Frame) -> None:
        """Puts a statement before the one under evaluation, once."""
        if not frame.as_init and not any(statement.deep_equals(other) for other in frame.prelude):
            frame.prelude.append(statement)

    def lasting_parameters(self, frame: Frame) -> set[str]:
        """Parameters of the function under evaluation that are bound to nothing else."""
        spec = frame.spec
        if spec is None:
            return set()
        if spec.kind == "class":
            method = self.method_node(spec, frame.function.rsplit(".", 1)[-1])
            entry = method is not None and method.name.value in ("call", "__call__")
            if method is None or not entry:
                return set()
            return {p.name.value for p in method.params.params[1:]} - assigned_names(method.body)
        return {"x"} if spec.kind == "sequential" else set()

    def fresh_name(self, wanted: str, key: tuple[int, int], frame: Frame, base: str = "") -> str:
        """A name that nothing else in the definition has; the same one each time that a place is evaluated."""
        owner: Any = frame.spec.node if frame.spec is not None else self.unit.functions.get(frame.function)
        names = self.mask_names.setdefault((id(owner), frame.function), {})
        if key not in names:
            taken = {*frame.env, *names.values(), *(identifiers(owner) if owner is not None else ())}
            choices = [wanted, *([f"{base}_{wanted}"] if base else []), *(f"{wanted}{i}" for i in range(2, 99))]
            names[key] = next(name for name in choices if name not in taken)
        return names[key]

    # -- what reads masks --------------------------------------------------------------------------

    def given_masks(
        self, instance: LayerInstance, names: list[str], given: dict[str, Value], arguments: list[Argument],
        node: cst.Call, frame: Frame,
    ) -> tuple[list[Argument], Mask | None]:  # fmt: skip
        """The arguments, with the masks that Keras adds to them; and the mask that the call is given as `mask`."""
        explicit = given.get("mask")
        if explicit is not None and explicit.known is not None:
            return self.explicit_mask(explicit, arguments, node, frame) if "mask" in names else (arguments, None)
        if not any(_masks_of(value) for value in given.values()):
            return arguments, None
        first = given.get(names[0])
        inner = instance.arguments.get("layer")
        if instance.symbol.endswith(".TimeDistributed") and inner is not None and inner.layer is not None:
            call = inner.layer.rule.call
            if call is None or "mask" not in inspect.signature(call).parameters:
                return arguments, None
        if instance.symbol in _WEIGHED and not self.unit.keras2 or instance.symbol.endswith(".Softmax"):
            frame.unit.residual(frame.function, node, instance.symbol, _READ_HERE)
            return arguments, None
        if instance.symbol in _HEADS:
            return self.head_masks(instance, given, arguments, node, frame), None
        if "mask" not in names or first is None:
            return arguments, None
        several = sum(value.is_tensor for name, value in given.items() if name != "training") > 1
        if several and not self.unit.keras2:
            return arguments, None  # Keras 3 looks for `sequences_mask` then, which the layer does not have
        if instance.symbol in _ATTENTION:
            read = [self.read_mask(item.mask, instance.symbol, node, frame) for item in first.items or ()]
            if not any(code is not None for code in read):
                return arguments, None
            items = [constant(None) if code is None else _bool(code) for code in read]
            listed = cst.List([cst.Element(item.code) for item in items])
            arguments = [a for a in arguments if a[0] != "mask"]
            return [*arguments, ("mask", Value(listed, items=items))], None
        code = self.read_mask(first.mask, instance.symbol, node, frame)
        if code is None:
            return arguments, None
        return [*[a for a in arguments if a[0] != "mask"], ("mask", _bool(code))], None

    def head_masks(
        self, instance: LayerInstance, given: dict[str, Value], arguments: list[Argument], node: cst.Call, frame: Frame
    ) -> list[Argument]:
        """Multi-head attention reads the masks of query, value and key."""
        before = arguments
        for name in ("query", "value", "key"):
            value = given.get(name)
            asked = given.get(f"{name}_mask")
            if value is None or value.mask is None or (asked is not None and asked.known is not None):
                continue
            if name == "key" and "value" in given and given["value"].mask is value.mask:
                continue  # one tensor: its mask is the value's
            code = self.read_mask(value.mask, instance.symbol, node, frame)
            if code is not None:
                arguments = [*[a for a in arguments if a[0] != f"{name}_mask"], (f"{name}_mask", _bool(code))]
        added = {name: value for name, value in arguments if (name, value) not in before}
        if not self.unit.keras2 or "query_mask" not in added or _setting(instance, "dropout") == 0:
            return arguments
        # With dropout, Keras 3 gives queries outside of the mask nothing, as the rule does, and Keras 2 the mean.
        if added.keys() != {"query_mask", "value_mask"} or "attention_mask" in given:
            reason = "masks of its inputs, with dropout, on Keras 2: combine them into attention_mask"
            frame.unit.residual(frame.function, node, instance.symbol, reason)
            return before
        self.unit.imports.add("nnx")
        code = f"nnx.make_attention_mask({text(added['query_mask'].code)}, {text(added['value_mask'].code)})"
        symbols = frame.spec.symbols if frame.spec is not None else self.plain_symbols
        shape = tuple(symbols.unknown("d") for _ in range(4))
        return [*before, ("attention_mask", Value(cst.parse_expression(code), tensor=TensorType(shape, "bool")))]

    def read_mask(self, mask: Mask | None, symbol: str, node: cst.Call, frame: Frame) -> cst.BaseExpression | None:
        """Code of a mask that a layer reads; None, and a residual where there should be some."""
        if mask is None:
            return None
        if mask.code is None:
            frame.unit.residual(frame.function, node, symbol, mask.why)
            return None
        if mask.parameter is not None and frame.spec is not None and isinstance(mask.code, cst.Name):
            self.mask_parameters.setdefault(id(frame.spec), {})[mask.parameter] = mask.code.value
        return mask.code

    def explicit_mask(
        self, value: Value, arguments: list[Argument], node: cst.Call, frame: Frame
    ) -> tuple[list[Argument], Mask | None]:
        """A mask that the user gives a layer: Keras attaches it to what the layer gives, so that it needs a name."""
        if value.items:  # of Attention: the query's comes first
            first = value.items[0]
            if first.known is None or isinstance(first.code, cst.Name | cst.Attribute):
                return arguments, None if first.known is None else Mask(first.code)
            return arguments, Mask(None, "its input's mask was given to another layer as an expression: give it a name")
        if isinstance(value.code, cst.Name | cst.Attribute):
            return arguments, Mask(value.code)
        mask = self.named_mask(lambda code: code, value, node, frame, binds=False)
        if mask.code is None:
            return arguments, mask
        named = value.with_code(mask.code)
        return [(name, named if given is value else given) for name, given in arguments], mask

    # -- what keeps masks --------------------------------------------------------------------------

    def kept_by(
        self, instance: LayerInstance, first: Value | None, explicit: Mask | None, node: cst.Call, frame: Frame
    ) -> Mask | None:
        """The mask of a layer's output."""
        if first is None:
            return None
        if first.items is not None and instance.symbol in _SUMS | _WEIGHED | {_CONCATENATE}:
            axis = _setting(instance, "axis") if instance.symbol == _CONCATENATE else -1
            return self.merged_mask(instance.symbol, first.items, axis)
        previous = explicit or first.mask
        if instance.symbol in _ATTENTION and first.items and explicit is None:
            previous = first.items[0].mask
        if previous is None:
            return None
        keeps = instance.rule.keeps_mask
        if self.unit.keras2 and instance.symbol in NOT_IN_KERAS_2:
            return Mask(None, f"whether {instance.symbol} of Keras 2 keeps its input's mask depends: pass the mask on")
        if not keeps:
            return None
        decides = True if keeps == "always" else _setting(instance, keeps)
        if decides is UNKNOWN:
            return Mask(None, f"whether its input has a mask depends on `{keeps}` of {instance.symbol}")
        return previous.copy() if decides else None

    def merged_mask(self, symbol: str, items: list[Value], axis: Any) -> Mask | None:
        """The mask of a sum, or of what is joined at the last axis."""
        masks = [item.mask for item in items]
        found = [mask for mask in masks if mask is not None]
        if not found:
            return None
        for mask in found:
            if mask.code is None:
                return mask.copy()
        codes = {text(mask.code): mask for mask in found if mask.code is not None}
        everywhere = len(found) == len(masks)
        if axis is UNKNOWN or axis != -1:
            rank = len(items[0].tensor.shape) if items[0].tensor is not None and items[0].tensor.shape else None
            if axis is UNKNOWN or rank is None or axis != rank - 1:
                return Mask(
                    None, "its input was joined of parts that have masks: join the masks, too, and pass them on"
                )
        if not everywhere and not self.unit.keras2:
            return None  # of a concatenation: all steps count
        if len(codes) == 1:
            return next(iter(codes.values())).copy()
        if any(mask.parameter is not None for mask in found):
            return Mask(None, "its input was made of parts with several masks: combine them, and pass the result on")
        operator = " & " if self.unit.keras2 else " | "
        return Mask(cst.parse_expression(f"({operator.join(codes)})"))

    def clear(self, mask: Mask | None, frame: Frame, left: Mask | None = None) -> None:
        """Keras 3's multi-head attention takes the masks off its inputs; `left`: what they have then."""
        if mask is None:
            return
        if mask.parameter is not None and frame.spec is not None:
            self.cleared_inputs.setdefault(id(frame.spec), set()).add(mask.parameter)
        for name, value in frame.env.items():
            if value.mask is mask:
                frame.env[name] = dataclasses.replace(value, mask=left)

    def as_it_is_now(self, value: Value, frame: Frame) -> Value:
        """An argument that was evaluated before another one took its mask off: `add([x, attention(x, x)])`."""
        if value.items is not None and value.mask is None and _masks_of(value):
            return dataclasses.replace(value, items=[self.as_it_is_now(item, frame) for item in value.items])
        now = frame.env.get(value.code.value) if isinstance(value.code, cst.Name) else None
        if value.mask is None or now is None or now.tensor is not value.tensor or now.mask is value.mask:
            return value
        return dataclasses.replace(value, mask=now.mask)

    # -- rules -------------------------------------------------------------------------------------

    def apply_rule(self, entry: Any, symbol: str, arguments: Sequence[Argument], node: Any, frame: Frame) -> Value:
        arguments = [(name, self.as_it_is_now(value, frame)) for name, value in arguments]
        value = super().apply_rule(entry, symbol, arguments, node, frame)
        first = arguments[0][1] if arguments else None
        if first is not None and first.items and symbol in _FUNCTIONS and _masks_of(first):
            layer = _FUNCTIONS[symbol]
            if layer in _WEIGHED and not self.unit.keras2:
                frame.unit.residual(frame.function, node, symbol, _READ_HERE)
                return value
            given = next(
                (v for i, (name, v) in enumerate(arguments) if name == "axis" or name is None and i == 1), None
            )
            axis = given.known if given is not None else -1
            return dataclasses.replace(value, mask=self.merged_mask(layer, first.items, axis))
        if first is None or first.mask is None:
            return dataclasses.replace(value, mask=None) if value.mask is not None else value
        if symbol not in _SAME_TENSOR:
            return dataclasses.replace(value, mask=None)
        before, after = first.tensor, value.tensor
        same = before is not None and after is not None and before.dtype is not None and before.dtype == after.dtype
        return dataclasses.replace(value, mask=first.mask if same else None)

    def _eval_Subscript(self, node: cst.Subscript, frame: Frame) -> Value:
        value = super()._eval_Subscript(node, frame)
        if value.mask is not None and value.tensor is not None and isinstance(node.value, cst.Name):
            base = frame.env.get(node.value.value)
            if base is not None and base.mask is value.mask:
                return dataclasses.replace(value, mask=None)
        return value

    def combine(self, *args: Any, **kwargs: Any) -> Value:
        value = super().combine(*args, **kwargs)
        return dataclasses.replace(value, mask=None) if value.mask is not None else value

    def _within(self, method: Any, node: Any, frame: Frame) -> Value:
        self.within += 1
        try:
            return method(node, frame)
        finally:
            self.within -= 1

    def _eval_ListComp(self, node: Any, frame: Frame) -> Value:
        return self._within(super()._eval_ListComp, node, frame)

    def _eval_DictComp(self, node: Any, frame: Frame) -> Value:
        return self._within(super()._eval_DictComp, node, frame)

    def _eval_Lambda(self, node: Any, frame: Frame) -> Value:
        return self._within(super()._eval_Lambda, node, frame)

    def _eval_IfExp(self, node: Any, frame: Frame) -> Value:
        return self._within(super()._eval_IfExp, node, frame)

    # -- attributes --------------------------------------------------------------------------------

    def attribute(self, base: Value, node: cst.Attribute, frame: Frame) -> Value:
        name = node.attr.value
        if name == "compute_mask" and base.layer is not None and base.layer.rule.kind == "layer":
            return Value(node, special=("method", base, name))
        if name == "_keras_mask" and base.tensor is not None:
            code = self.read_mask(base.mask, "_keras_mask", node, frame)  # type: ignore[arg-type]
            return constant(None) if code is None else _bool(code)
        return super().attribute(base, node, frame)

    def call_method(self, callee: Value, node: cst.Call, frame: Frame) -> Value:
        _, base, name = callee.special
        if name == "compute_mask" and base.layer is not None and base.layer.rule.kind == "layer":
            return self.computed_mask(base.layer, node, frame)
        return super().call_method(callee, node, frame)

    def computed_mask(self, instance: LayerInstance, node: cst.Call, frame: Frame) -> Value:
        """`self.embedding.compute_mask(tokens)`."""
        arguments = self.arguments(node, frame) or []
        first = arguments[0][1] if arguments else None
        if first is not None and instance.symbol == EMBEDDING:
            zero = _setting(instance, "mask_zero")
            if zero is False:
                return constant(None)
            if zero is True:
                return _bool(cst.parse_expression(f"{_operand(first.code)} != 0"))
        if first is not None and instance.symbol == MASKING:
            value = instance.arguments.get("mask_value")
            given = text(self.in_call(value, frame).code) if value is not None else "0.0"
            self.unit.imports.add("jnp")
            return _bool(cst.parse_expression(f"jnp.any({_operand(first.code)} != {given}, axis=-1)"))
        reason = f"compute_mask of {instance.symbol}: compute the mask, and pass it on"
        frame.unit.residual(frame.function, node, f"{instance.symbol}.compute_mask", reason)
        return Value(node)


def _operand(code: cst.BaseExpression) -> str:
    return text(code) if isinstance(code, cst.Name | cst.Attribute | cst.Subscript | cst.Call) else f"({text(code)})"


def _bool(code: cst.BaseExpression) -> Value:
    return Value(code, tensor=TensorType(None, "bool"))


def _masks_of(value: Value) -> bool:
    return value.mask is not None or any(_masks_of(item) for item in value.items or ())


def _known(instance: LayerInstance, name: str, default: Any) -> Any:
    return instance.arguments[name].known if name in instance.arguments else default


def _setting(instance: LayerInstance, path: str) -> Any:
    """A constructor argument's value, of an inner layer too (`layer.return_sequences`); UNKNOWN where it is not known."""
    head, _, rest = path.partition(".")
    value = instance.arguments.get(head)
    if rest:
        return _setting(value.layer, rest) if value is not None and value.layer is not None else UNKNOWN
    if value is not None:
        return value.known
    make = instance.rule.make
    parameters = inspect.signature(make).parameters if make is not None else {}
    return parameters[head].default if head in parameters else UNKNOWN
