"""What a class's own step is given for a batch, and how the step takes it apart."""

from __future__ import annotations

from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleSpec
from codemods.passes.training_in_steps import InSteps
from codemods.passes.training_values import Compiled
from codemods.passes.values import text

STEPS = ("train_step", "test_step")


class StepData(InSteps):
    """`x, y = data`, and tests of what `data` is."""

    def start(self) -> None:
        super().start()
        self.parts_given: dict[str, set[int]] = {}
        self.settled_steps: dict[tuple[str, str, int], cst.FunctionDef] = {}

    def takes(self, compiled: Compiled, parts: int) -> None:
        if compiled.spec is not None:
            self.parts_given.setdefault(compiled.spec.source, set()).add(parts)

    def parts_of_data(self, source: str) -> int:
        """How many parts the batches of this file have; 0 where that is not known."""
        found = self.parts_given.get(source, set())
        return next(iter(found)) if len(found) == 1 else 0

    def settled_step(self, source: str, node: cst.FunctionDef) -> cst.FunctionDef:
        """A step without the branches for data that it is not given."""
        if node.name.value not in STEPS or len(node.params.params) != 2:
            return node
        parts = self.parts_of_data(source)
        key = (source, node.name.value, parts)
        if key not in self.settled_steps:
            data = node.params.params[1].name.value
            body = [self.unpacking(s, data, parts) for s in node.body.body]
            body = [s for new in body for s in new]
            if parts:
                answers = _Answers(data, parts)
                body = [s.visit(answers) if _asks(s, data) else s for s in body]
                body = self.settled(body, Frame(self.unit, f"{source}.{node.name.value}", "plain"))
            self.settled_steps[key] = node.with_changes(body=node.body.with_changes(body=body))
        return self.settled_steps[key]

    def unpacking(self, statement: Any, data: str, parts: int) -> list[Any]:
        """`x, y, sample_weight = unpack_x_y_sample_weight(data)`, as plain assignments."""
        small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
        if not isinstance(small, cst.Assign) or not m.matches(small.value, _UNPACK) or not parts:
            return [statement]
        target = small.targets[0].target
        names = [text(e.value) for e in target.elements] if isinstance(target, cst.Tuple) else []
        given = small.value.args[0].value if isinstance(small.value, cst.Call) else None
        if len(names) != 3 or text(given) != data:  # type: ignore[arg-type]
            return [statement]
        known, rest = names[:parts], names[parts:]
        lines = [f"{', '.join(known)} = {data}", *[f"{name} = None" for name in rest if name != "_"]]
        new = [cst.parse_statement(line) for line in lines]
        return [new[0].with_changes(leading_lines=statement.leading_lines), *new[1:]]  # type: ignore[call-arg]

    def unpacked(self, node: cst.FunctionDef) -> Any:
        """`x, y = data` at the beginning of a step."""
        if node.name.value not in STEPS or len(node.params.params) != 2:
            return None
        data = node.params.params[1].name.value
        names = m.Tuple([m.Element(m.Name()), m.Element(m.Name()), m.ZeroOrMore(m.Element(m.Name()))])
        for statement in node.body.body[:3]:
            if m.matches(statement, m.SimpleStatementLine([m.Assign([m.AssignTarget(names)], m.Name(data))])):
                others = [s for s in node.body.body if s is not statement]
                return statement if not any(findall(s, m.Name(data)) for s in others) else None
        return None

    def step_names(self, spec: ModuleSpec, step: str) -> list[str]:
        """Names of the parts that a class's own step takes apart."""
        node = self.moved_methods.get(spec.source, {}).get(step)
        found = self.unpacked(self.settled_step(spec.source, node)) if node is not None else None
        return [e.value.value for e in found.body[0].targets[0].target.elements] if found is not None else []

    def step_parts(self, compiled: Compiled) -> list[str]:
        if compiled.spec is None or not self.has_own_step(compiled):
            return super().step_parts(compiled)
        return self.step_names(compiled.spec, "train_step")

    def as_step_takes(self, compiled: Compiled, data: list[str]) -> list[str]:
        if compiled.spec is None or not self.has_own_step(compiled) or len(data) < 2:
            return data
        return data if len(self.step_parts(compiled)) == len(data) else [f"({', '.join(data)})"]


class _Answers(cst.CSTTransformer):
    """Puts answers in place of questions about the data."""

    def __init__(self, data: str, parts: int):
        self.data, self.parts = data, parts

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if m.matches(original_node, m.Call(m.Name("len"), [m.Arg(m.Name(self.data))])) and self.parts > 1:
            return cst.Integer(str(self.parts))
        kinds = m.Name("tuple") | m.Tuple([m.AtLeastN(m.Element(m.Name("tuple") | m.Name("list")), n=1)])
        if m.matches(original_node, m.Call(m.Name("isinstance"), [m.Arg(m.Name(self.data)), m.Arg(kinds)])):
            return cst.Name(str(self.parts > 1))
        return updated_node


def _asks(node: cst.CSTNode, data: str) -> bool:
    asked = m.Call(m.Name("len") | m.Name("isinstance"), [m.Arg(m.Name(data)), m.ZeroOrMore()])
    return bool(findall(node, asked))


_UNPACK = m.Call(
    func=m.Name("unpack_x_y_sample_weight") | m.Attribute(attr=m.Name("unpack_x_y_sample_weight")), args=[m.Arg()]
)
