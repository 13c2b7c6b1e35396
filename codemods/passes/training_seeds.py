"""Where functions and module-level code take their randomness from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.handled import handled
from codemods.engine.walk import findall, identifiers
from codemods.passes.frame import Frame
from codemods.passes.names import ReplaceNames, assigned_names, read_names
from codemods.passes.plain import Plain
from codemods.passes.training_values import SEED
from codemods.passes.values import Value, text

_SET_SEED = handled(
    "tf.random.set_seed",
    "tf.keras.utils.set_random_seed",
    "tf.compat.v1.set_random_seed",
    becomes="the seed of `nnx.Rngs`, in functions that make models or draw numbers",
    only="in functions and at module level",
    shows="nnx.Rngs(3)",
    sample="""
    def main():
        SYMBOL(3)
        return tf.random.normal([4])
    """,
)

_MODULE = "<module>"


class Seeds(Plain):
    """`tf.random.set_seed` and what draws numbers become `nnx.Rngs` with a seed."""

    def call_symbol(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        if symbol in _SET_SEED and node.args and frame.mode == "plain":
            seed = text(self.eval(node.args[0].value, frame).code)
            self.seeds[frame.function] = seed
            if frame.function == _MODULE and self.at_top and isinstance(node.args[0].value, cst.Integer):
                self.module_seed = seed
            self.unit.note(node, f"`{text(node)}`: the seed goes to the functions that make models or draw numbers")
            return Value(node, special="dropped")
        return super().call_symbol(symbol, node, frame)

    def random_markers(self) -> set[str]:
        """Markers of the modules that need `rngs` where they are made, for themselves or for a module given to them."""
        found: set[str] = set()
        for _, instance in self.loose:
            if instance.spec.analysed:
                self.finalise(instance.spec)
        while True:
            more = {
                i.marker for _, i in self.loose
                if not i.spec.analysed or self.needs_rngs(i.spec) or any(read_names(value.code) & found for _, value in i.arguments)
            } - found  # fmt: skip
            if not more:
                return found
            found |= more

    def with_randomness(
        self, node: cst.FunctionDef, name: str, body: list[Any], frame: Frame
    ) -> tuple[list[Any], list[cst.Param]]:
        """Gives a function its `rngs`: handed in, or, where it makes models or trains them, from a seed."""
        reads = set().union(*[read_names(s) for s in body], set())
        made = bool(reads & self.random_markers())
        wants = made or "rngs" in frame.flags
        if SEED not in reads and not wants:
            self.seeded.pop(name, None)
            return body, []
        if not (made or SEED in reads or self.drives(node)):
            self.function_flags.setdefault(name, set()).add("rngs")
            annotation = cst.Annotation(cst.parse_expression("nnx.Rngs"))
            self.unit.imports.add("nnx")
            return body, [cst.Param(cst.Name("rngs"), annotation=annotation)]
        self.function_flags.get(name, set()).discard("rngs")
        seed, extra = self.seeds.get(name), []
        if seed is None:
            taken = assigned_names(node.body) | {p.name.value for p in _all_parameters(node.params)}
            seed = "seed" if "seed" not in taken else "random_seed"
            self.seeded[name] = seed
            extra = [cst.Param(cst.Name(seed), default=cst.Integer(self.module_seed), equal=_EQUAL)]
        if wants:
            self.unit.imports.add("nnx")
            body = self.make_rngs(body, seed)
        body = [
            s.visit(ReplaceNames({SEED: cst.parse_expression(seed)})) if SEED in identifiers(s) else s for s in body
        ]
        return body, extra

    def drives(self, node: cst.FunctionDef) -> bool:
        """A function that nobody hands randomness to: it has no parameters, or calls training steps in a loop."""
        if not _all_parameters(node.params):
            return True
        steps = {n for n, f in self.unit.functions.items() if _has_tape(f)}
        loops = findall(node.body, m.For() | m.While())
        return any(read_names(loop) & steps for loop in loops)

    def make_rngs(self, body: list[Any], seed: str) -> list[Any]:
        """`rngs = nnx.Rngs(seed)` before its first use."""
        markers = self.random_markers() | {"rngs"}
        for i, statement in enumerate(body):
            if read_names(statement) & markers:
                new = cst.parse_statement(f"rngs = nnx.Rngs({seed})")
                lines = [line for line in statement.leading_lines if line.comment is None]
                statement = statement.with_changes(leading_lines=statement.leading_lines[len(lines) :])
                return [*body[:i], new.with_changes(leading_lines=lines), statement, *body[i + 1 :]]  # type: ignore
        return body

    def settle_plain(self, node: Any, function: str) -> Any:
        node = super().settle_plain(node, function)
        return _inline_rngs(node)

    def module_randomness(self, new: list[Any], statement: cst.BaseStatement) -> list[Any]:
        """`rngs` at module level, or in the script's block: made before the first statement that needs it."""
        random = [s for s in self.unit.module.body if id(s) in self.needy]
        if not new or not self.reads_rngs(new):
            return new
        if isinstance(new[0], cst.If) and len(new) == 1 and not any(not isinstance(s, cst.If) for s in random):
            block = new[0].body
            made = self.make_rngs(list(block.body), self.seeds.get(_MODULE, self.module_seed))
            return [new[0].with_changes(body=block.with_changes(body=made))]
        if len(random) == 1 and isinstance(statement, cst.SimpleStatementLine):
            seeded = ReplaceNames({"rngs": cst.parse_expression(f"nnx.Rngs({self.module_seed})")})
            return [self.settle_plain(s, _MODULE).visit(seeded) for s in new]
        if random and random[0] is statement:
            return self.make_rngs(new, self.module_seed)
        return new

    def reads_rngs(self, statements: Sequence[cst.CSTNode]) -> bool:
        markers = self.random_markers() | {"rngs"}
        return any(read_names(s) & markers for s in statements)


def _inline_rngs(node: Any) -> Any:
    """`rngs = nnx.Rngs(seed)` that is read once, outside loops, is written where it is read."""
    body = getattr(getattr(node, "body", None), "body", None)
    if not isinstance(node, cst.FunctionDef | cst.If) or body is None:
        return node
    for i, statement in enumerate(body):
        if not m.matches(statement, m.SimpleStatementLine([m.Assign([m.AssignTarget(m.Name("rngs"))], m.Call())])):
            continue
        rest = body[i + 1 :]
        uses = [n for s in rest for n in findall(s, m.Arg(value=m.Name("rngs")))]
        reads = [n for s in rest for n in findall(s, m.Name("rngs"))]
        loops = [n for s in rest for loop in findall(s, m.For() | m.While()) for n in findall(loop, m.Name("rngs"))]
        if len(uses) == 1 and len(reads) == 2 and not loops and i + 1 < len(body):
            value = statement.body[0].value
            rest = [s.visit(ReplaceNames({"rngs": value})) for s in rest]
            rest[0] = rest[0].with_changes(leading_lines=[*statement.leading_lines, *rest[0].leading_lines])
            return node.with_changes(body=node.body.with_changes(body=[*body[:i], *rest]))
    return node


def _has_tape(node: cst.FunctionDef) -> bool:
    return bool(findall(node.body, m.Attribute(attr=m.Name("GradientTape")) | m.Name("GradientTape")))


def _all_parameters(params: cst.Parameters) -> list[cst.Param]:
    return [*params.posonly_params, *params.params, *params.kwonly_params]


_EQUAL = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
