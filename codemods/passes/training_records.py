"""What is asked of a `tf.GradientTape`, and the functions that give it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.handled import handled
from codemods.engine.walk import Rewriter, findall, mapped
from codemods.passes.frame import Frame
from codemods.passes.names import read_names
from codemods.passes.training_optimizers import Optimizers
from codemods.passes.training_values import Model, Tracker, name_of
from codemods.passes.values import Value, text

TAPES = handled(
    "tf.GradientTape",
    becomes="a function of what is differentiated, and nnx.value_and_grad or nnx.vjp",
    only="in a `with` statement, for gradients of a model's trainable variables or of one tensor",
    shows="nnx.value_and_grad(",
    sample="""
    def step(model, optimizer, x, y):
        with SYMBOL() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss
    """,
)


@dataclasses.dataclass
class Wanted:
    """One `TARGET = tape.gradient(loss, sources)`.

    Attributes:
      models: the models whose trainable variables the sources are; `inputs` the tensors, otherwise.
      listed: one source in a list, and `[0]` after the call.
      whole: the call is all that the statement assigns; else its value is put where it stood.
    """

    call: cst.Call
    target: cst.BaseExpression
    loss: cst.BaseExpression
    models: list[Value]
    inputs: list[str]
    listed: bool = False
    whole: bool = True


class Records(Optimizers):
    """Gradient calls, and the code that computes them."""

    def tape_names(self, node: cst.CSTNode) -> list[str]:
        """Names of the tapes that a `with` statement opens."""
        if not isinstance(node, cst.With):
            return []
        names = []
        for item in node.items:
            call = item.item
            if not isinstance(call, cst.Call) or self.unit.symbol(call.func) not in TAPES:
                return []
            if item.asname is None or not isinstance(item.asname.name, cst.Name):
                return []
            names.append(item.asname.name.value)
        return names

    def wanted(
        self, names: list[str], rest: Sequence[cst.BaseStatement], frame: Frame
    ) -> list[tuple[cst.BaseStatement, Wanted]] | None:
        """Every gradient that is taken of the tapes; None where one can't be followed."""
        found: list[tuple[cst.BaseStatement, Wanted]] = []
        pattern = m.Call(
            func=m.Attribute(m.OneOf(*[m.Name(n) for n in names]), m.Name("gradient") | m.Name("jacobian"))
        )
        local = frame.child(env=dict(frame.env), emit=False)
        for statement in rest:
            if set(self.tape_names(statement)) & set(names):
                break  # another tape of that name
            calls = findall(statement, pattern)
            small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
            if not calls:
                if isinstance(small, cst.Assign) and isinstance(small.targets[0].target, cst.Name):
                    models = self.models_of(small.value, local)
                    if models is not None:
                        local.env[small.targets[0].target.value] = self.eval(small.value, local)
                continue
            assign = small if isinstance(small, cst.Assign) and len(small.targets) == 1 else None
            for call in calls:
                wanted = self.wanted_of(assign, call, local, len(found))  # type: ignore[arg-type]
                if wanted is None:
                    return None
                found.append((statement, wanted))
        return found or None

    def wanted_of(self, node: cst.Assign | None, call: cst.Call, frame: Frame, index: int) -> Wanted | None:
        value: Any = node.value if node is not None else None
        first = m.Subscript(slice=[m.SubscriptElement(m.Index(m.Integer("0")))])
        listed = isinstance(value, cst.Subscript) and value.value is call and m.matches(value, first)
        whole = listed or value is call
        name = self.local(f"grads{index + 1}" if index else "grads", frame)
        goal: Any = node.targets[0].target if whole and node is not None else cst.Name(name)
        plain = [arg.value for arg in call.args if arg.keyword is None]
        given = {arg.keyword.value: arg.value for arg in call.args if arg.keyword is not None}
        target = plain[0] if plain else given.pop("target", None)
        sources = plain[1] if len(plain) > 1 else given.pop("sources", None)
        if target is None or sources is None or given or name_of(getattr(call.func, "attr", None)) != "gradient":
            return None
        models = self.models_of(sources, frame)
        if models is not None:
            return None if listed else Wanted(call, goal, target, models, [], False, whole)
        elements = [e.value for e in sources.elements] if isinstance(sources, cst.List | cst.Tuple) else [sources]
        inputs = [name_of(e) for e in elements]
        if not all(inputs) or len(inputs) > 1 or any(self.is_object(n, frame) for n in inputs):
            return None
        if isinstance(sources, cst.List | cst.Tuple) != listed:
            return None
        return Wanted(call, goal, target, [], inputs, listed, whole)

    def is_object(self, name: str, frame: Frame) -> bool:
        value = frame.env.get(name) or self.unit.globals.get(name)
        return value is not None and (value.module is not None or isinstance(value.special, Model | Tracker))

    def is_del(self, node: cst.BaseStatement, names: list[str]) -> bool:
        return m.matches(node, m.SimpleStatementLine([m.Del(m.OneOf(*[m.Name(n) for n in names]))]))

    def is_watch(self, node: cst.BaseStatement) -> bool:
        return m.matches(
            node, m.SimpleStatementLine([m.Expr(m.Call(func=m.Attribute(m.Name(), m.Name("watch"))))])
        )  # fmt: skip

    def single(
        self, node: cst.With, w: Wanted, loss: Value, body: list[Any], aux: list[str], arguments: list[str],
        outer: set[str], frame: Frame,
    ) -> list[Any]:  # fmt: skip
        """One gradient: `nnx.value_and_grad`, or `nnx.grad` where the value is not read."""
        grads = text(w.target)
        code = text(loss.code)
        whole = self.whole_model(w, body, code, aux)
        if whole is not None:
            return self.of_parts(whole, w, loss, body, aux, arguments, outer, frame)
        summed = self.is_summed(w, loss)
        direct = self.direct(body, code, arguments, outer) if len(w.models) < 2 and not summed else None
        if direct is not None:
            return [cst.parse_statement(f"{direct[0]}, {grads} = {direct[1]}")]
        reads_value = isinstance(loss.code, cst.Name) and code in outer
        named = f"{code}_fn" if w.inputs and code.isidentifier() else "loss_fn"
        function = self.local(named, frame)
        value, aux, reads_value = self.scalar(code, summed, aux, reads_value)
        definition = self.closure(function, body, arguments, [value, *([_packed(aux)] if aux else [])])
        called = ", ".join(arguments)
        kind = "value_and_grad" if reads_value else "grad"
        numbers = f", argnums=({', '.join(str(i) for i in range(len(w.models)))})" if len(w.models) > 1 else ""
        transformed = f"nnx.{kind}({function}{numbers}{', has_aux=True' if aux else ''})({called})"
        if reads_value:
            left = f"({code}, {_packed(aux)}), {grads}" if aux else f"{code}, {grads}"
        else:
            left = f"{grads}, {_packed(aux)}" if aux else grads
        return [definition, cst.parse_statement(f"{left} = {transformed}")]

    def is_summed(self, w: Wanted, loss: Value) -> bool:
        """Is the target more than one number? A tape differentiates the sum of its elements."""
        shape = loss.tensor.shape if loss.tensor is not None else None
        return bool(shape) or (bool(w.inputs) and shape is None)

    def scalar(self, code: str, summed: bool, aux: list[str], reads_value: bool) -> tuple[str, list[str], bool]:
        """What the function returns: the sum of a target with several elements, which itself goes with the rest."""
        if not summed:
            return code, aux, reads_value
        self.unit.imports.add("jnp")
        return f"jnp.sum({code})", [*aux, code] if reads_value else aux, False

    def whole_model(self, w: Wanted, body: list[Any], loss: str, aux: list[str]) -> str | None:
        """The model that holds all sources, where the body reads more of it than these."""
        sources = [text(value.code) for value in w.models]
        roots = {source.split(".")[0] for source in sources}
        if len(roots) != 1 or any(source.count(".") != 1 for source in sources):
            return None
        replace = _ReplaceChains(dict.fromkeys(sources, "_"))
        rest = [s.visit(replace) for s in [*body, cst.parse_statement(f"return {loss}")]]
        return next(iter(roots)) if roots & set().union(*[read_names(s) for s in rest]) else None

    def of_parts(
        self, model: str, w: Wanted, loss: Value, body: list[Any], aux: list[str], arguments: list[str], outer: set[str],
        frame: Frame,
    ) -> list[Any]:  # fmt: skip
        """Gradients for parts of a model: the function is given all of it, since it may use and change the rest."""
        grads, code = text(w.target), text(loss.code)
        parts = [text(value.code).split(".")[1] for value in w.models]
        given = _distinct([model, *[a for a in arguments if "." not in a and a != model]])
        function = self.local("loss_fn", frame)
        reads_value = isinstance(loss.code, cst.Name) and code in outer
        returned, aux, reads_value = self.scalar(code, self.is_summed(w, loss), aux, reads_value)
        definition = self.closure(function, body, given, [returned, *([_packed(aux)] if aux else [])])
        filters = [f'nnx.PathContains("{part}")' for part in parts]
        chosen = filters[0] if len(filters) == 1 else f"nnx.Any({', '.join(filters)})"
        wrt = f"argnums=nnx.DiffState(0, nnx.All(nnx.Param, {chosen}))"
        extra = ", has_aux=True" if aux else ""
        kind = "value_and_grad" if reads_value else "grad"
        value = f"({code}, {_packed(aux)})" if aux else code
        left = f"{value}, {grads}" if reads_value else f"{grads}, {_packed(aux)}" if aux else grads
        taken = ", ".join(f'{grads}["{part}"]' for part in parts)
        return [
            definition,
            cst.parse_statement(f"{left} = nnx.{kind}({function}, {wrt}{extra})({', '.join(given)})"),
            cst.parse_statement(f"{grads} = {taken}"),
        ]

    def direct(self, body: list[Any], loss: str, arguments: list[str], outer: set[str]) -> tuple[str, str] | None:
        """The body is one call of a function of the file that can be differentiated itself."""
        if len(body) != 1 or len(arguments) != 1:
            return None
        small = body[0].body[0] if isinstance(body[0], cst.SimpleStatementLine) else None
        if not isinstance(small, cst.Assign) or not isinstance(small.value, cst.Call) or len(small.targets) != 1:
            return None
        call, target = small.value, small.targets[0].target
        if not isinstance(call.func, cst.Name) or call.func.value not in self.unit.functions:
            return None
        if (
            any(arg.keyword is not None or arg.star for arg in call.args)
            or not call.args
            or text(call.args[0].value) != arguments[0]
        ):
            return None
        given = ", ".join(text(arg.value) for arg in call.args)
        if isinstance(target, cst.Name) and target.value == loss:
            return loss, f"nnx.value_and_grad({call.func.value})({given})"
        names = [e.value for e in target.elements] if isinstance(target, cst.Tuple) else []
        if len(names) == 2 and text(names[0]) == loss:
            return f"({loss}, {text(names[1])})", f"nnx.value_and_grad({call.func.value}, has_aux=True)({given})"
        return None

    def several(
        self, wanted: list[Wanted], losses: list[Value], body: list[Any], aux: list[str], arguments: list[str],
        sources: list[str], outer: set[str], frame: Frame,
    ) -> list[Any]:  # fmt: skip
        """Several gradients of one forward pass: `nnx.vjp`, which runs it once."""
        held = [
            w
            for w in wanted
            if self.whole_model(
                Wanted(w.call, w.target, w.loss, [v for x in wanted for v in x.models], []),
                body,
                text(losses[0].code),
                aux,
            )
        ]
        if held:
            reason = "several gradients of parts of a model that the recorded code also uses as a whole: take one tape for each"
            frame.unit.residual(frame.function, held[0].call, "tf.GradientTape", reason)
        function, backward = self.local("losses", frame), self.local("backward", frame)
        values = _distinct([text(v.code) for v in losses])
        returned = [_packed(values), *([_packed(aux)] if aux else [])]
        definition = self.closure(function, body, arguments, returned)
        extra = ", has_aux=True" if aux else ""
        names = [v if v.isidentifier() else f"value{i}" for i, v in enumerate(values)]
        lines = [
            definition,
            cst.parse_statement(
                f"{_tuple(names)}, {backward}{f', {_packed(aux)}' if aux else ''} = "
                f"nnx.vjp({function}, {', '.join(arguments)}{extra}, graph_updates=False)"
            ),
        ]
        seed_of = {}
        for value, name in zip(values, names, strict=True):
            loss = next(v for v in losses if text(v.code) == value)
            several = loss.tensor is not None and bool(loss.tensor.shape)
            seed_of[value] = (f"jnp.zeros_like({name})", f"jnp.ones_like({name})") if several else ("0.0", "1.0")
            self.unit.imports |= {"jnp"} if several else set()
        for w, loss in zip(wanted, losses, strict=True):
            seed = [seed_of[v][v == text(loss.code)] for v in values]
            cotangents = f"({', '.join(seed)})" if len(seed) > 1 else seed[0]
            parts = [
                f"{backward}({cotangents})[{arguments.index(s)}]"
                for s in [*[text(v.code) for v in w.models], *w.inputs]
            ]
            parts = [f"nnx.state({part}, nnx.Param)" if w.models else part for part in parts]
            lines.append(cst.parse_statement(f"{text(w.target)} = {', '.join(parts)}"))
        return lines

    def closure(self, name: str, body: list[Any], arguments: list[str], returned: list[str]) -> Any:
        """`def NAME(arguments): body; return ...`; an attribute becomes a parameter of its last name."""
        parameters = [a.rsplit(".", 1)[-1] for a in arguments]
        inner, returned = _returning(body, returned)
        inner = [_unblanked(inner[0]), *inner[1:]] if inner else []
        result = cst.parse_statement(f"return {_bare(returned[0]) if len(returned) == 1 else ', '.join(returned)}")
        replace = _ReplaceChains({a: p for a, p in zip(arguments, parameters, strict=True) if a != p})
        statements = [s.visit(replace) for s in [*inner, result]]
        definition = cst.parse_statement(f"def {name}({', '.join(parameters)}):\n    pass\n")
        assert isinstance(definition, cst.FunctionDef)
        return definition.with_changes(body=cst.IndentedBlock(statements))


def _returning(body: list[Any], returned: list[str]) -> tuple[list[Any], list[str]]:
    """`loss = X; return loss` to `return X`."""
    small = body[-1].body[0] if body and isinstance(body[-1], cst.SimpleStatementLine) else None
    if not isinstance(small, cst.Assign) or len(small.targets) != 1 or text(small.targets[0].target) != returned[0]:
        return body, returned
    others = set().union(
        *[read_names(s) for s in body[:-1]], *[read_names(cst.parse_expression(r)) for r in returned[1:]]
    )
    if returned[0] in others or body[-1].leading_lines or isinstance(small.value, cst.Tuple):
        return body, returned
    return body[:-1], [text(small.value), *returned[1:]]


def _bare(values: str) -> str:
    return values[1:-1] if values.startswith("(") and values.endswith(")") and values.count("(") == 1 else values


def _packed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def _distinct(items: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(items))


def _comments(node: Any) -> list[Any]:
    return [line for line in node.leading_lines if line.comment is not None]


def _unblanked(node: Any) -> Any:
    return node.with_changes(leading_lines=_comments(node)) if hasattr(node, "leading_lines") else node


class _ReplaceChains(Rewriter):
    """Replaces `model.generator` by `generator`."""

    def __init__(self, new: dict[str, str]):
        self.new = new

    def rewritten(self, node: Any) -> Any:
        name = self.new.get(text(node)) if isinstance(node, cst.Attribute) else None
        return mapped(node, self.rewritten) if name is None else cst.Name(name)


_tuple = _packed
