"""Implicit masks of ported modules: those that come with their inputs, and those that their outputs take along."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall, identifiers, names_in
from codemods.passes.calls.inputs import Argument
from codemods.passes.frame import Frame
from codemods.passes.mask_values import Mask, out_of_reach
from codemods.passes.masks import Masks
from codemods.passes.modules import ModuleInstance, ModuleSpec
from codemods.passes.names import ReplaceNames, assigned_names
from codemods.passes.pieces import EQUAL
from codemods.passes.printing.dead_code import without_unread
from codemods.passes.values import Value, text

_SIMPLE = (cst.Name, cst.Attribute, cst.Subscript)
_SUPPORTS = m.Assign([m.AssignTarget(m.Attribute(m.Name("self"), m.Name("supports_masking")))], m.Name("True"))


class MaskedModules(Masks):
    """Gives modules the masks that they read as arguments."""

    def start(self) -> None:
        super().start()
        #: By module: inputs that came with a mask when it was analysed.
        self.masked_inputs: dict[int, frozenset[str]] = {}

    # -- inside ------------------------------------------------------------------------------------

    def enter_module(self, instance: ModuleInstance, inputs: list[Argument], node: cst.Call, frame: Frame) -> Value:
        spec = instance.spec
        if not spec.analysed:
            self.masked_inputs[id(spec)] = frozenset(self.masks_by_name(spec, inputs))
        return super().enter_module(instance, inputs, node, frame)

    def masks_by_name(self, spec: ModuleSpec, inputs: list[Argument]) -> dict[str, Mask]:
        """The masks of a call's inputs, by parameter."""
        names = self.input_names(spec)
        given = {name or (names[i] if i < len(names) else ""): value for i, (name, value) in enumerate(inputs)}
        return {name: mask for name, value in given.items() for mask in [_mask_of(value)] if mask is not None}

    def generalise(self, spec: ModuleSpec, given: dict[str, Value]) -> dict[str, Value]:
        found = super().generalise(spec, given)
        names: set[str] = set()
        for name, value in given.items():
            if value.mask is not None:
                found[name] = dataclasses.replace(found[name], mask=self.incoming(spec, name, names))
            elif _mask_of(value) is not None:
                items = [
                    dataclasses.replace(part, mask=_IN_LIST if item.mask is not None else None)
                    for part, item in zip(found[name].items or (), value.items or (), strict=False)
                ]
                found[name] = dataclasses.replace(found[name], items=items)
        return found

    def incoming(self, spec: ModuleSpec, name: str, names: set[str]) -> Mask:
        """The mask that comes with an input: an argument of its own, if the module reads it."""
        own = self.own_mask_parameter(spec)
        if own is not None and not names:
            names.add(own)
            body = self.call_node(spec).body  # type: ignore[union-attr]
            if own in assigned_names(body):
                return Mask(None, f"`{own}` is bound to something else here: give what comes after a name of its own")
            return Mask(cst.Name(own), parameter=name)
        wanted = "mask" if not names else f"{name}_mask"
        taken = identifiers(spec.node) | names | set(spec.attributes)
        fresh = next(n for n in [wanted, f"{name}_mask", *(f"mask{i}" for i in range(2, 99))] if n not in taken)
        names.add(fresh)
        return Mask(cst.Name(fresh), parameter=name)

    def call_node(self, spec: ModuleSpec) -> cst.FunctionDef | None:
        if spec.kind != "class":
            return None
        return self.method_node(spec, "call") or self.method_node(spec, "__call__")

    def own_mask_parameter(self, spec: ModuleSpec) -> str | None:
        """The parameter `mask` of the user's own call, which Keras fills."""
        node = self.call_node(spec)
        names = [p.name.value for p in [*node.params.params, *node.params.kwonly_params]] if node is not None else []
        return "mask" if "mask" in names else None

    def run_method(
        self, spec: ModuleSpec, node: cst.FunctionDef, arguments: Mapping[str, Value], spec_locals: set[str],
        entry: bool = False,
    ) -> Frame:  # fmt: skip
        if not entry:
            arguments = {k: dataclasses.replace(v, mask=out_of_reach(v.mask)) for k, v in arguments.items()}
        return super().run_method(spec, node, arguments, spec_locals, entry)

    def call_self_method(self, name: str, node: cst.Call, frame: Frame) -> Value:
        value = super().call_self_method(name, node, frame)
        return dataclasses.replace(value, mask=out_of_reach(value.mask)) if value.mask is not None else value

    def plain_result(self, name: str, arguments: list[Any], frame: Frame) -> Value:
        result = super().plain_result(name, arguments, frame)
        params = [p.name.value for p in self.unit.functions[name].params.params]
        masks = {key or (params[i] if i < len(params) else ""): v.mask for i, (key, v) in enumerate(arguments)}
        if isinstance(result.code, cst.Name) and masks.get(result.code.value) is not None:
            return dataclasses.replace(result, mask=out_of_reach(masks[result.code.value]))
        return result

    # -- outside -----------------------------------------------------------------------------------

    def call_module(self, callee: Value, arguments: list[Argument] | None, node: cst.Call, frame: Frame) -> Value:
        instance = callee.module
        if instance is None or arguments is None:
            return super().call_module(callee, arguments, node, frame)
        spec = instance.spec
        inputs = [(name, value) for name, value in arguments if name != "training"]
        masks = self.masks_by_name(spec, inputs)
        own = self.own_mask_parameter(spec)
        if own is not None and masks and own not in self.labels_given(spec, inputs):
            code = self.read_mask(next(iter(masks.values())), spec.source, node, frame)
            if code is not None:
                arguments = [*arguments, (own, Value(code, staged=True))]
        result = super().call_module(callee, arguments, node, frame)
        self.same_everywhere(spec, masks, node, frame)
        for name in self.cleared_inputs.get(id(spec), set()) & masks.keys():
            self.clear(
                masks[name], frame, left=Mask(None, f"attention in {spec.source} may have taken its input's mask off")
            )
        result = self.with_masks_read(spec, masks, own, result, node, frame)
        return self.result_with_mask(instance, inputs, masks, result, node, frame)

    def labels_given(self, spec: ModuleSpec, inputs: list[Argument]) -> set[str]:
        names = self.input_names(spec)
        return {name or (names[i] if i < len(names) else "") for i, (name, _) in enumerate(inputs)}

    def same_everywhere(self, spec: ModuleSpec, masks: Mapping[str, Mask], node: cst.Call, frame: Frame) -> None:
        before = self.masked_inputs.get(id(spec), frozenset())
        if before == frozenset(masks) or self.own_mask_parameter(spec) is not None:
            return
        if frozenset(masks) - before or self.mask_parameters.get(id(spec)):
            reason = "its input has a mask at some calls and none at others: give its call an argument `mask`"
            frame.unit.residual(frame.function, node, spec.source, reason)

    def with_masks_read(
        self, spec: ModuleSpec, masks: Mapping[str, Mask], own: str | None, result: Value, node: cst.Call, frame: Frame
    ) -> Value:
        """The call, with the masks that the module reads as arguments."""
        args: list[cst.Arg] = []
        for parameter, name in self.mask_parameters.get(id(spec), {}).items():
            if name == own or parameter not in masks:
                continue
            code = self.read_mask(masks[parameter], spec.source, node, frame)
            if code is not None:
                args.append(cst.Arg(code, keyword=cst.Name(name), equal=EQUAL))
        if not args or not isinstance(result.code, cst.Call):
            return result
        before = [a for a in result.code.args if a.keyword is None or a.keyword.value != "training"]
        after = [a for a in result.code.args if a not in before]
        return result.with_code(result.code.with_changes(args=[*before, *args, *after]))

    def result_with_mask(
        self, instance: ModuleInstance, inputs: list[Argument], masks: Mapping[str, Mask], result: Value,
        node: cst.Call, frame: Frame,
    ) -> Value:  # fmt: skip
        """What the module gives, with the mask that Keras attaches to it."""
        spec = instance.spec
        names = self.input_names(spec)
        given = {name or (names[i] if i < len(names) else ""): value for i, (name, value) in enumerate(inputs)}
        made = spec.result
        if made is not None and made.items is not None and result.items is not None:
            items = [
                dataclasses.replace(item, mask=self.outside(part.mask, spec, given, node, frame))
                for item, part in zip(result.items, made.items, strict=False)
            ]
            return dataclasses.replace(result, items=items)
        inner = made.mask if made is not None else None
        mask = self.outside(inner, spec, given, node, frame)
        if mask is None:
            mask = self.mask_of_class(spec, given, masks, node, frame)
        return dataclasses.replace(result, mask=mask)

    def outside(
        self, mask: Mask | None, spec: ModuleSpec, given: Mapping[str, Value], node: cst.Call, frame: Frame
    ) -> Mask | None:
        """A mask of the callee's, in its caller."""
        if mask is None:
            return None
        if mask.parameter is not None:
            value = given.get(mask.parameter)
            found = value.mask if value is not None else None
            return found.copy() if found is not None else Mask(None, _no_name(spec))
        if mask.formula is not None:
            return self.by_formula(mask.formula, spec, given, node, frame)
        return mask if mask.code is None else Mask(None, _no_name(spec))

    def by_formula(
        self, formula: cst.BaseExpression, spec: ModuleSpec, given: Mapping[str, Value], node: cst.Call, frame: Frame
    ) -> Mask:
        """A mask that the callee computes of its inputs alone, which its caller can do as well."""
        read = names_in(formula) & given.keys()
        codes = {name: given[name].code for name in read}
        if names_in(formula) - {"jnp"} - read or not all(isinstance(code, _SIMPLE) for code in codes.values()):
            return Mask(None, _no_name(spec))
        first = given[next(iter(read))] if read else None
        if first is None:
            return Mask(None, _no_name(spec))
        if "jnp" in names_in(formula):
            self.unit.imports.add("jnp")
        new = formula.visit(ReplaceNames(codes))
        assert isinstance(new, cst.BaseExpression)
        return self.named_mask(lambda _: text(new), first, node, frame)

    def mask_of_class(
        self, spec: ModuleSpec, given: Mapping[str, Value], masks: Mapping[str, Mask], node: cst.Call, frame: Frame
    ) -> Mask | None:
        """What `compute_mask` and `supports_masking` of a class say."""
        if spec.kind != "class" or not isinstance(spec.node, cst.ClassDef) or not given:
            return None
        method = self.method_node(spec, "compute_mask")
        first = next(iter(given))
        if method is None:
            kept = masks.get(first) if findall(spec.node, _SUPPORTS) else None
            return kept.copy() if kept is not None else None
        formula = self.mask_formula(spec, method, first, given[first])
        if isinstance(formula, cst.Name) and formula.value == "None":
            return None
        if isinstance(formula, cst.Name) and formula.value == _PREVIOUS:
            kept = masks.get(first)
            return kept.copy() if kept is not None else None
        if formula is None:
            return Mask(None, f"its input's mask is what compute_mask of {spec.source} says: return it with the output")
        return self.by_formula(formula, spec, given, node, frame)

    def mask_formula(
        self, spec: ModuleSpec, method: cst.FunctionDef, first: str, value: Value
    ) -> cst.BaseExpression | None:
        """The result of `compute_mask` in terms of the call's first parameter; None where that is not so simple."""
        lines = [s for s in method.body.body if isinstance(s, cst.SimpleStatementLine)]
        small = [part for line in lines for part in line.body if not m.matches(part, m.Expr(m.SimpleString()))]
        if len(lines) != len(method.body.body) or len(small) != 1 or not isinstance(small[0], cst.Return):
            return None
        returned = small[0].value
        if returned is None or isinstance(returned, cst.Name) and returned.value == "None":
            return cst.Name("None")
        names = [p.name.value for p in method.params.params[1:]]
        if isinstance(returned, cst.Name) and len(names) > 1 and returned.value == names[1]:
            return cst.Name(_PREVIOUS)
        inputs = names[0] if names else "inputs"
        if m.matches(returned, m.Call(func=m.Attribute(attr=m.Name("compute_mask")))):
            assert isinstance(returned, cst.Call)
            returned = returned.with_changes(args=[cst.Arg(cst.Name(inputs))])
        frame = Frame(self.unit, f"{spec.source}.compute_mask", "call", spec, self_name="self", emit=False)
        frame.env = {"self": Value(cst.Name("self"), special="self"), inputs: value.with_code(cst.Name(inputs))}
        residuals = list(self.unit.residuals)
        self.within += 1
        found = self.eval(returned, frame)
        self.within -= 1
        if len(self.unit.residuals) > len(residuals):
            self.unit.residuals[:] = residuals
            return None
        if found.known is None:
            return cst.Name("None")
        if frame.prelude or names_in(found.code) - {inputs, "jnp"}:
            return None
        return found.code.visit(ReplaceNames({inputs: cst.Name(first)}))  # type: ignore[return-value]

    # -- printing ----------------------------------------------------------------------------------

    def method_code(
        self, spec: ModuleSpec, node: cst.FunctionDef, items: list[Any], frame: Frame, entry: bool
    ) -> cst.FunctionDef:
        code = super().method_code(spec, node, items, frame, entry)
        owner: Any = spec.node
        names = set(self.mask_names.get((id(owner), frame.function), {}).values())
        if names and isinstance(code.body, cst.IndentedBlock):
            code = code.with_changes(body=code.body.with_changes(body=without_unread(code.body.body, (), names)))
        return code.with_changes(params=self.with_mask_parameters(spec, code.params)) if entry else code

    def call_method_node(self, spec: ModuleSpec, body: list[Any], env: dict[str, Value]) -> cst.FunctionDef:
        code = super().call_method_node(spec, body, env)
        return code.with_changes(params=self.with_mask_parameters(spec, code.params))

    def with_mask_parameters(self, spec: ModuleSpec, params: cst.Parameters) -> cst.Parameters:
        """Adds `mask=None` for the masks that are read, before `training`."""
        present = {p.name.value for p in [*params.params, *params.kwonly_params]}
        names = [n for n in self.mask_parameters.get(id(spec), {}).values() if n not in present]
        if not names:
            return params
        new = [cst.Param(cst.Name(name), default=cst.Name("None"), equal=EQUAL) for name in names]
        star = params.star_arg
        if not params.kwonly_params and not isinstance(star, cst.Param):
            star = cst.ParamStar()
        return params.with_changes(star_arg=star, kwonly_params=[*new, *params.kwonly_params])

    # -- training ----------------------------------------------------------------------------------

    def loss_of(self, compiled: Any, batch: Any, frame: Frame) -> Any:
        result = self.result_of(compiled)
        if result is not None and _mask_of(result) is not None:
            reason = (
                "the model's output has a mask, so that Keras leaves masked steps out of the loss: return the mask, too, "
                "and give it to the loss as weights (jnp.mean(losses, where=mask))"
            )
            self.unit.residual(compiled.function, compiled.node, "Model.compile", reason)
            if frame.function != compiled.function:
                self.unit.residual(frame.function, compiled.node, "Model.compile", reason)
            return None
        return super().loss_of(compiled, batch, frame)


#: Stands for the mask that came in.
_PREVIOUS = "__previous_mask__"
_IN_LIST = Mask(None, "its input's mask comes in a list of inputs: pass the masks on by name")


def _mask_of(value: Value) -> Mask | None:
    """A value's mask, or that of one of its parts."""
    if value.mask is not None:
        return value.mask
    return next((found for item in value.items or () for found in [_mask_of(item)] if found is not None), None)


def _no_name(spec: ModuleSpec) -> str:
    return f"its input's mask is made inside {spec.source}: return it with the output, and pass it on"
