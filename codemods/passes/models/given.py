"""Functions that are given to builders and helpers: `ResNet(stack_fn, ...)`, `block(x, 64, activation=tf.nn.relu)`.

A function that only computes is called as it was. One that makes layers is a module class in the port: whoever is given
it makes an instance (`stack_fn(in_features, rngs=rngs)`), and asks that for the width of its result (`out_features`). All
functions given to one parameter take the same arguments then, whether they read them or not.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import libcst as cst

from codemods.engine import rule as rules
from codemods.passes.calls.inputs import Argument
from codemods.passes.frame import Frame
from codemods.passes.models.given_sources import Candidate, GivenSources, Slot
from codemods.passes.modules import IN_FEATURES, OUT_FEATURES, ModuleSpec
from codemods.passes.names import assigned_names, free_reads, read_names
from codemods.passes.pieces import EQUAL
from codemods.passes.values import TensorType, Value

#: `special[0]` of a parameter that functions are given to; and of one that may be None, too.
GIVEN, GIVEN_OR_NONE = "given", "given_or_none"


class Given:
    """Calls of parameters that are functions."""

    given_sources: GivenSources

    def open_given(self) -> None:
        """Finds the functions that are given to parameters; those inside other functions become helpers."""
        #: What stands for all functions that are given to one parameter and make layers.
        self.given_specs: dict[Slot, ModuleSpec] = {}
        #: By path of a function that is given: the specs that stand for it.
        self.given_groups: dict[str, list[Slot]] = {}
        self.given_lambdas: dict[int, str] = {}
        every = [(slot, c) for slot, candidates in self.given_sources.slots.items() for c in candidates]
        more = True
        while more:
            more = False
            for _, candidate in every:
                if candidate.kind == "lambda":
                    more |= self._open_lambda(candidate)
                elif candidate.kind == "function" and "." in candidate.path:
                    more |= self._lifted_to(candidate.path, self.given_sources.functions[candidate.path])
            self.kinds.clear()
        for slot, candidate in every:
            if self.makes_layers(candidate):
                self.given_groups.setdefault(candidate.path, []).append(slot)

    def _open_lambda(self, candidate: Candidate) -> bool:
        """`lambda x: layers.Dense(8)(x)` as a function of its own."""
        node = candidate.node
        returned = cst.SimpleStatementLine([cst.Return(node.body)])
        name = cst.Name(candidate.path.rsplit(".", 1)[-1])
        function = cst.FunctionDef(name, node.params, cst.IndentedBlock([returned]))
        self.unit.same_place(function, node)
        opened = self._lifted_to(candidate.path, function)
        if opened:
            self.given_lambdas[id(node)] = candidate.path
        return opened

    def _lifted_to(self, path: str, node: cst.FunctionDef) -> bool:
        """Makes a helper of a function inside another, where it makes layers; it is given what it reads of that one."""
        if path in self.unit.functions or path in self.lifted:
            return False
        *outer, _ = path.split(".")
        if node.params.star_kwarg is not None or isinstance(node.params.star_arg, cst.Param) or node.decorators:
            return False
        bound: set[str] = set()
        for i in range(1, len(outer) + 1):
            around = self.given_sources.functions[".".join(outer[:i])]
            bound |= {p.name.value for p in [*around.params.params, *around.params.kwonly_params]}
            bound |= assigned_names(around.body)
        own = {p.name.value for p in [*node.params.params, *node.params.kwonly_params]}
        captured = sorted((free_reads(node.body.body) - own) & bound)  # type: ignore[arg-type]
        functions = [n for n in captured if any(p.endswith(f".{n}") for p in self.given_sources.functions)]
        params = node.params.with_changes(
            kwonly_params=[*node.params.kwonly_params, *[cst.Param(cst.Name(n)) for n in captured]]
        )
        new = node.with_changes(params=params) if captured else node
        if new is not node:
            self.unit.same_place(new, node)
        self.unit.functions[path] = new
        self.kinds.pop(path, None)
        if functions or self.function_kind(path) != "helper":
            del self.unit.functions[path]
            self.kinds.pop(path, None)
            return False
        self.lifted[path] = captured
        return True

    def makes_layers(self, candidate: Candidate) -> bool:
        """Is this a function that becomes a module?"""
        path = candidate.path
        return candidate.kind in ("function", "lambda") and path in self.unit.functions and (
            self.function_kind(path) == "helper" and path not in self.curried
        )  # fmt: skip

    def functions_given(self) -> set[str]:
        """Functions that are given to others, and what they read: whoever is given them is analysed first."""
        return self.given_groups.keys() | {
            name for path in self.given_groups for name in read_names(self.unit.functions[path].body)
        }

    # -- the parameter -----------------------------------------------------------------------------

    def given_parameter(self, source: str, param: cst.Param) -> Value | None:
        """What a parameter stands for that functions are given to; None for any other."""
        slot = (source, param.name.value)
        found = self.given_sources.slots.get(slot)
        if found is None:
            return None
        kind = GIVEN_OR_NONE if any(c.kind == "none" for c in found) else GIVEN
        return Value(param.name, special=(kind, slot))

    def handed_on(self, value: Value) -> Value:
        """A function as an argument: where it makes layers, its class, with what it reads of the function around it."""
        self.escape(value)
        if not isinstance(value.special, tuple) or value.special[0] != "function":
            return value
        path = value.special[1]
        if path not in self.given_groups:
            return value
        code: cst.BaseExpression = cst.Name(self.spec_for(path, "helper").name)
        captured = self.lifted.get(path, ())
        if captured:
            self.unit.imports.add("functools")
            given = [cst.Arg(cst.Name(n), keyword=cst.Name(n), equal=EQUAL) for n in captured]
            code = cst.Call(cst.parse_expression("functools.partial"), [cst.Arg(code), *given])
        return value.with_code(code)

    # -- the call ----------------------------------------------------------------------------------

    def call_given(self, callee: Value, node: cst.Call, frame: Frame) -> Value:
        """`stack_fn(x)`."""
        slot: Slot = callee.special[1]
        candidates = [c for c in self.given_sources.slots[slot] if c.kind != "none"]
        making = [c for c in candidates if self.makes_layers(c)]
        if not making:
            return self.call_computing(callee, candidates, node, frame)
        what = slot[1]
        if len(making) != len(candidates):
            why = f"`{what}` is given functions that make layers and functions that make none"
            frame.unit.residual(frame.function, node, what, why)
            return Value(node)
        arguments = self.helper_arguments(node, frame)
        if arguments is None or frame.spec is None or frame.mode != "staged":
            frame.unit.residual(frame.function, node, what, f"`{what}` makes layers where it is called")
            return Value(node)
        spec = self.given_spec(slot, making, arguments, node, frame)
        return self.call_helper(spec, node, frame) if spec is not None else Value(node)

    def given_spec(
        self, slot: Slot, making: list[Candidate], arguments: list[Argument], node: cst.Call, frame: Frame
    ) -> ModuleSpec | None:
        """What stands for all functions given to a parameter; each of them is analysed with the inputs of the call."""
        if slot in self.given_specs:
            return self.given_specs[slot]
        specs = [self.spec_for(candidate.path, "helper") for candidate in making]
        shapes: list[TensorType] = []
        for spec in specs:
            why = self.analyse_given(spec, arguments, frame)
            if why is not None:
                frame.unit.residual(frame.function, node, slot[1], f"{spec.source}, given here: {why}")
                return None
            assert spec.result is not None and spec.result.tensor is not None
            shapes.append(spec.result.tensor)
        first = specs[0]
        names = [_names(spec) for spec in specs]
        if any(own != names[0] for own in names):
            why = f"the functions given for `{slot[1]}` have parameters of other names or in another order"
            frame.unit.residual(frame.function, node, slot[1], why)
            return None
        ranks = {len(tensor.shape or ()) for tensor in shapes}
        assert isinstance(first.node, cst.FunctionDef)
        lifted = {name for spec in specs for name in self.lifted.get(spec.source, ())}
        own = [p for p in first.node.params.kwonly_params if p.name.value not in lifted]
        made = ModuleSpec(slot[1], f"{slot[0]}({slot[1]})", "helper",
                          first.node.with_changes(params=first.node.params.with_changes(kwonly_params=own)))  # fmt: skip
        made.called = re.sub(r"_(fn|func|function|cls|class|builder|maker)$", "", slot[1])
        made.tensor_parameters = list(first.tensor_parameters)
        made.analysed = made.done = made.random = True
        made.mode = any(spec.mode for spec in specs)
        made.dims = {IN_FEATURES: made.symbols.of_code(IN_FEATURES)}
        made.used_dims = [IN_FEATURES]
        if len(ranks) == 1:
            dims = [made.symbols.unknown("d") for _ in range(ranks.pop() - 1)]
            made.result = Value(cst.Name("_"), tensor=TensorType((*dims, made.symbols.of_code(OUT_FEATURES))))
        else:
            made.result = Value(cst.Name("_"), tensor=TensorType())
        for spec in specs:
            spec.given = True
            spec.mode = spec.mode or made.mode
            spec.exposed[OUT_FEATURES] = spec.result.tensor.last  # type: ignore[union-attr]
        self.given_specs[slot] = made
        return made

    def given_together(self, spec: ModuleSpec) -> tuple[list[ModuleSpec], list[ModuleSpec]]:
        """What stands for functions that are given, and these functions: all that must take the same as one of them."""
        slots = {slot for slot, made in self.given_specs.items() if made is spec}
        slots |= {slot for slot in self.given_groups.get(spec.source, ()) if slot in self.given_specs}
        paths: set[str] = set()
        while True:
            paths = {c.path for slot in slots for c in self.given_sources.slots[slot] if self.makes_layers(c)}
            more = {slot for path in paths for slot in self.given_groups[path] if slot in self.given_specs}
            if more <= slots:
                break
            slots |= more
        return [self.given_specs[s] for s in sorted(slots)], [self.spec_for(p, "helper") for p in sorted(paths)]

    def given_function(self, spec: ModuleSpec, frame: Mapping[str, Any]) -> ModuleSpec:
        """The function, of those that a spec stands for, that was called: by a frame of the original's run."""
        called = frame["function"].replace("<locals>.", "")
        specs = self.given_together(spec)[1] if spec in self.given_specs.values() else []
        for each in specs:
            at = self.unit.span(each.node)
            if each.source == called or called.endswith("<lambda>") and at.line <= frame["line"] <= at.end_line:
                return each
        return next((s for s in specs if s.source.rsplit(".", 1)[-1] == called.rsplit(".", 1)[-1]), spec)

    def analyse_given(self, spec: ModuleSpec, arguments: list[Argument], frame: Frame) -> str | None:
        """Analyses a function that is given, at the first call of the parameter; the reason why it can't be."""
        assert isinstance(spec.node, cst.FunctionDef)
        params = [p.name.value for p in spec.node.params.params]
        own = [(name or (params[i] if i < len(params) else None), value) for i, (name, value) in enumerate(arguments)]
        if any(name is None or name not in (*params, *_keyword_only(spec.node)) for name, _ in own if name != "**"):
            return "does not take these arguments"
        tensors = [(name, value) for name, value in own if value.is_tensor]
        if not spec.analysed:
            spec.tensor_parameters = [str(name) for name, _ in tensors]
            spec.first_arguments = {str(name): value for name, value in own if not value.is_tensor and name != "**"}
            self.analyse(spec, [(str(name), value) for name, value in tensors], frame)
        elif set(spec.tensor_parameters) != {name for name, _ in tensors}:
            return "called with tensors here that are no tensors elsewhere"
        tensor = spec.result.tensor if spec.result is not None else None
        if tensor is None or not tensor.shape or spec.symbols.code(tensor.last) is None:
            return "how wide its result is, is only known when it is called"
        return None

    def call_computing(self, callee: Value, candidates: list[Candidate], node: cst.Call, frame: Frame) -> Value:
        """`activation(x)`: the call stays; its result is what all of the functions agree on."""
        slot: Slot = callee.special[1]
        arguments = self.arguments(node, frame)
        if arguments is None:
            return Value(node)
        results = []
        for candidate in candidates:
            if candidate.kind == "symbol":
                inner = frame.child(extra=[], prelude=[], flags=set())
                residuals = list(self.unit.residuals)
                value = self.apply_rule(rules.RULES[candidate.path], candidate.path, arguments, node, inner)
                failed, self.unit.residuals[:] = len(self.unit.residuals) > len(residuals), residuals
                results.append(Value(node, tensor=TensorType()) if failed else value)
            elif candidate.kind == "layer":
                results.append(self.result_of_layer(candidate, arguments, node, frame))
            elif candidate.path in self.unit.functions and self.function_kind(candidate.path) == "plain":
                results.append(self.plain_result(candidate.path, arguments, frame))
                if self.function_flags.get(candidate.path, set()) & {"rngs", "training"}:
                    why = f"{candidate.path}, given here, is random or depends on the mode"
                    frame.unit.residual(frame.function, node, slot[1], why)
            else:
                return self.plain_call(dataclasses.replace(callee, special=None), node, frame)
        joined = results[0]
        for value in results[1:]:
            joined = self.join(joined, value, frame)
        args: list[Any] = [
            arg.with_changes(value=value.code) for arg, (_, value) in zip(node.args, arguments, strict=True)
        ]
        for _, value in arguments:
            self.escape(value)
        staged = joined.staged or any(value.is_tensor for _, value in arguments)
        code = node.with_changes(func=callee.code, args=args)
        return Value(code, tensor=joined.tensor, items=joined.items, mapping=joined.mapping, staged=staged)

    def result_of_layer(self, candidate: Candidate, arguments: list[Argument], node: cst.Call, frame: Frame) -> Value:
        """What a layer that is given makes of the arguments: `activation=layers.LeakyReLU(0.2)`."""
        if frame.spec is None or any(name in frame.env for arg in candidate.node.args for name in read_names(arg)):
            return Value(node, tensor=TensorType())  # a name that means something else here
        inner = frame.child(extra=[], prelude=[], flags=set(), emit=False)
        residuals, layers = list(self.unit.residuals), len(frame.spec.layers)
        value = self.call_layer(self.eval(candidate.node, inner), arguments, node, inner)
        del frame.spec.layers[layers:]
        failed, self.unit.residuals[:] = len(self.unit.residuals) > len(residuals), residuals
        return Value(node, tensor=TensorType()) if failed else value


def _names(spec: ModuleSpec) -> list[str]:
    """Parameters that callers give by place, the tensors aside."""
    assert isinstance(spec.node, cst.FunctionDef)
    return [p.name.value for p in spec.node.params.params if p.name.value not in spec.tensor_parameters]


def _keyword_only(node: cst.FunctionDef) -> list[str]:
    return [p.name.value for p in node.params.kwonly_params]
