"""Functions, classes and statements that make no module: rules apply, instances get their code."""

from __future__ import annotations

from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleInstance
from codemods.passes.names import read_names, replaced
from codemods.passes.printing.emit import Emit
from codemods.passes.values import UNKNOWN, Value

_EQUAL = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))


class Plain(Emit):
    """Everything at module level that is no class or builder of layers."""

    entry_node: cst.FunctionDef | None = None

    def settle_plain(self, node: Any, function: str) -> Any:
        """Puts constructor calls in place of the markers of modules made outside modules."""
        new: dict[str, cst.BaseExpression] = {}
        for _, instance in self.loose:
            self.finalise(instance.spec)
            new[instance.marker] = self.loose_code(instance, function)
        return replaced(node, new)

    def loose_code(self, instance: ModuleInstance, function: str) -> cst.BaseExpression:
        return self.module_code(instance, instance.spec if not instance.spec.used_dims else instance.spec)

    def port_function(self, node: cst.FunctionDef) -> list[cst.BaseStatement]:
        """A plain function: its body with the rules applied."""
        name = node.name.value
        frame = Frame(self.unit, name, "plain")
        seen = self.seen_arguments.get(name) or []
        given: dict[str, Value] = {}
        positional = [p.name.value for p in node.params.params]
        for i, (keyword, value) in enumerate(seen):
            target = keyword or (positional[i] if i < len(positional) else None)
            if target is not None:
                given[target] = value
        for param in [*node.params.params, *node.params.kwonly_params]:
            value = given.get(param.name.value)
            frame.env[param.name.value] = (
                Value(param.name, tensor=value.tensor, module=value.module, staged=value.staged)
                if value is not None else Value(param.name)
            )  # fmt: skip
        body = [item.node for item in self.run(node.body.body, frame).call]  # type: ignore[arg-type]
        params = node.params
        if "rngs" in frame.flags:
            extra = cst.Param(cst.Name("rngs"), annotation=cst.Annotation(cst.parse_expression("nnx.Rngs")))
            star: Any = (
                params.star_arg if isinstance(params.star_arg, cst.Param) or params.kwonly_params else cst.ParamStar()
            )
            params = params.with_changes(kwonly_params=[*params.kwonly_params, extra], star_arg=star)
            self.unit.imports.add("nnx")
        decorators = [d for d in node.decorators if self.unit.symbol(_callee(d.decorator)) is None]
        new = node.with_changes(body=node.body.with_changes(body=body), params=params, decorators=decorators)
        return [self.settle_plain(new, name)]

    def as_other_name(self, statement: cst.BaseStatement) -> cst.BaseStatement:
        """`generator = build_resnet`, which nothing here calls: another name for the class that the function became."""
        found = m.extract(statement, _ALIAS)
        if found is None:
            return statement
        alias, name = found["alias"].value, found["name"].value  # type: ignore[union-attr]
        builds = name in self.unit.functions and self.function_kind(name) == "builder"
        others = [s for s in self.unit.module.body if s is not statement]
        if not builds or any(alias in read_names(other) for other in others):
            return statement
        return statement.with_deep_changes(found["name"], value=self.spec_for(name, "builder").name)  # type: ignore[arg-type]

    def port_class(self, node: cst.ClassDef) -> list[cst.BaseStatement]:
        """A class that is no module: its methods are ported like functions."""
        body: list[Any] = []
        for statement in node.body.body:
            body.extend(self.port_function(statement) if isinstance(statement, cst.FunctionDef) else [statement])
        return [node.with_changes(body=node.body.with_changes(body=body))]

    def moved_functions(self, name: str) -> list[cst.BaseStatement]:
        """Functions that methods of a class became."""
        return []

    def makers(self) -> list[cst.FunctionDef]:
        """Functions that give one call's result to the constructor of a module that keeps it: models made of models."""
        keeping = {
            name for name, node in self.unit.classes.items()
            if self.unit.is_module_class(name) and findall(node, _KEEPS)
        }  # fmt: skip
        keeping |= {
            name for name, node in self.unit.functions.items()
            if self.function_kind(name) == "builder" and findall(node.body, _call_of(node.params))
        }  # fmt: skip
        if not keeping:
            return []
        return [
            node for name, node in self.unit.functions.items()
            if self.function_kind(name) == "plain" and keeping & read_names(node.body)
        ]  # fmt: skip

    def discover(self) -> None:
        """Evaluates the entry for the modules that it gives to other modules' constructors."""
        makers = [self.entry_node] if self.entry_node is not None else self.makers()
        if not makers:
            return
        for node in makers:
            residuals = list(self.unit.residuals)
            frame = Frame(self.unit, node.name.value, "plain", emit=False)
            self.run(node.body.body, frame)  # type: ignore[arg-type]
            self.drop_trial(frame.function, residuals, self.unit.imports)
        for _, instance in list(self.loose):
            self.module_parameters.setdefault(instance.spec.source, {}).update(self.modules_given(instance))
        self.loose.clear()
        self.made.clear()


def _callee(node: cst.BaseExpression) -> cst.BaseExpression:
    return node.func if isinstance(node, cst.Call) else node


def _call_of(params: cst.Parameters) -> m.Call:
    """`encoder(x)`, where `encoder` is a parameter."""
    names = {param.name.value for param in [*params.params, *params.kwonly_params]}
    return m.Call(func=m.Name(m.MatchIfTrue(lambda name: name in names)))


_ALIAS = m.SimpleStatementLine(
    [m.Assign([m.AssignTarget(m.SaveMatchedNode(m.Name(), "alias"))], m.SaveMatchedNode(m.Name(), "name"))]
)

#: `self.student = student`
_KEEPS = m.Assign([m.AssignTarget(m.Attribute(m.Name("self"), m.Name()))], m.Name())

__all__ = ["Plain", "UNKNOWN"]
