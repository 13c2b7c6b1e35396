"""Calls, lambdas and comprehensions in rule bodies."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import libcst as cst

from codemods.engine import outcome, rule
from codemods.engine.computing import Computing
from codemods.engine.defaults import dotted, is_default, is_helper_default, namespace
from codemods.engine.expressions import bare
from codemods.engine.precedence import is_atom, parenthesised, wrapped
from codemods.engine.values import Arg, Code, Items, Known, Source, Stop, Value, evaluated, is_chain, names_in

_print = cst.Module([]).code_for_node

Given = tuple[list[Value], dict[str, Value]]


class Calls(Computing):
    """Evaluates calls: macros and inlined functions, what can be computed, and code for the rest."""

    def eval_Call(self, node: cst.Call) -> Value:
        function = self.eval(node.func)
        target: Any = function.value if isinstance(function, Known) else None
        if target in (outcome.refuse, rule.refuse):
            reason = self.eval(node.args[0].value)
            raise Stop(str(reason.value) if isinstance(reason, Known) else _print(node.args[0].value))
        if target is rule.known:
            return Known(self.is_known(node.args[0].value))
        if isinstance(target, rule.Macro):
            return self.macro(target, [self.eval(arg.value) for arg in node.args])
        if isinstance(node.func, cst.Attribute) and node.func.attr.value in ("make", "call", "shape"):
            base = self.eval(node.func.value)
            if isinstance(base, Known) and isinstance(base.value, rule.Wrapped):
                return self.wrapped(base.value, node.func.attr.value, *self.arguments(node))
        if _is_in(rule.INLINED, target):
            args, keywords = self.arguments(node)
            return self.inlined(target, args, keywords)
        if _is_in(rule.COMPUTED, target):
            args, keywords = self.arguments(node)
            plain, known = [self.plain(v) for v in args], {name: self.plain(v) for name, v in keywords.items()}
            return self.computed(lambda: target(*plain, **known), node, *args, *keywords.values())
        simple = not any(arg.star for arg in node.args)
        if simple and isinstance(function, Known):
            found = self.computable(target, node)
            if found is not None:
                return found
        return self.printed(node, function)

    def is_known(self, node: cst.BaseExpression) -> bool:
        value = self.eval(node)
        return isinstance(value, Known)

    def arguments(self, node: cst.Call) -> Given:
        args: list[Value] = []
        keywords: dict[str, Value] = {}
        for arg in node.args:
            value = self.eval(arg.value)
            if arg.keyword is not None:
                keywords[arg.keyword.value] = value
            elif arg.star:
                parts = self.parts(value) if arg.star == "*" else None
                if parts is None:
                    raise Stop(f"what `{arg.star}{_print(arg.value)}` holds is not known")
                args += parts
            else:
                args.append(value)
        return args, keywords

    # What is the engine's own

    def macro(self, macro: rule.Macro, args: Sequence[Value]) -> Value:
        first, rest = args[0], [self.state.code(value) for value in args[1:]]
        if isinstance(first, Items):
            first = self.folded(first)
        if not isinstance(first, Known) or callable(first.value) and not isinstance(first.value, type):
            if isinstance(first, Code) and first.type is dict:
                raise Stop("a dict, as Keras saves objects: pass the function or the object that it describes")
            if not macro.passes_through:
                raise Stop(f"`{macro.name}` has to know the value, which the source does not tell")
            looked_up = self.looked_up(macro, first)
            code = self.state.code(looked_up)
            return Code(_applied(self.filled(code), code, rest)) if rest else looked_up
        try:
            source = macro.function(first.value, *(_print(_atom(part)) for part in rest))
        except (outcome.Refusal, rule.Refused) as error:
            raise Stop(error.reason if isinstance(error, outcome.Refusal) else str(error)) from error
        except (ValueError, TypeError, KeyError) as error:
            raise Stop(str(error)) from error
        code = cst.parse_expression(source)
        if rest:
            return Code(code, object)
        try:  # so that it can be compared with the target's default
            return Known(eval(source, namespace()), code, first.source)
        except NameError:  # it names a helper
            self.state.helpers_used |= names_in(code) & self.state.helpers.keys()
            return Code(code, object)

    def looked_up(self, macro: rule.Macro, value: Value) -> Value:
        """A name or what it stands for, whichever the user's expression gives, as the latter."""
        if macro.table is None or not isinstance(value, Code) or value.type is not None:
            return value
        written = self.filled(value.code)
        if isinstance(written, cst.IfExp):
            branches = [evaluated(part) for part in (written.body, written.orelse)]
            if all(branch is None or isinstance(branch, str) for branch in branches):
                body, orelse = (cst.parse_expression(macro.function(branch)) for branch in branches)
                chosen = written.with_changes(body=body, orelse=orelse)
                return Code(chosen.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()]), object)
        if not is_chain(written) and not isinstance(written, cst.Subscript) or names_in(written) & rule.IMPORTS.keys():
            return value
        get = cst.Attribute(cst.Name(macro.table), cst.Name("get"))
        return Code(cst.Call(get, [cst.Arg(value.code), cst.Arg(value.code)]), object)

    def inlined(self, function: Callable[..., Any], args: Sequence[Value], keywords: dict[str, Value]) -> Value:
        from codemods.engine import frame  # the two call each other

        try:
            bound = rule.signature_of(function).bind(*args, **keywords)
        except TypeError as error:
            raise Stop(f"{function.__name__}: {error}") from error
        env: dict[str, Value] = {}
        for parameter in bound.signature.parameters.values():
            if parameter.name in bound.arguments:
                value = bound.arguments[parameter.name]
                if parameter.kind is parameter.VAR_POSITIONAL:
                    value = Items(tuple(value), tuple)
                env[parameter.name] = self.named(parameter.name, value)
            elif parameter.default is not parameter.empty:
                env[parameter.name] = Known(parameter.default, None, Source.DEFAULT)
        return frame.run(self.state, function, env)

    def wrapped(self, layer: rule.Wrapped, part: str, args: Sequence[Value], keywords: dict[str, Value]) -> Value:
        body = getattr(layer.rule, part)
        if body is None:
            return Known(None)
        given: dict[str, Value] = {}
        for name, value in layer.arguments.items():
            found = self.extern(name, value)
            is_default = isinstance(found, Known) and not isinstance(value, Arg | Known)
            if is_default and isinstance(found, Known):
                found = dataclasses.replace(found, source=Source.DEFAULT)
            given[name] = found
        given |= keywords
        taken = {name: given[name] for name in rule.signature_of(body).parameters if name in given}
        return self.inlined(body, args, taken)

    # Code

    def printed(self, node: cst.Call, function: Value) -> Value:
        code = self.state.code(function)
        path = dotted(code)
        helper = self.state.helpers.get(code.value) if isinstance(code, cst.Name) else None
        args: list[cst.Arg] = []
        ledger: set[str] = set()
        for arg in node.args:
            value = self.eval(arg.value)
            if arg.keyword is not None and isinstance(value, Known):
                if path and not value.users and is_default(path, arg.keyword.value, value.value):
                    continue
                if path is None and not value.users and value.value is None:
                    continue
                if helper is not None and not value.users and is_helper_default(helper, arg.keyword.value, value.value):
                    continue
                if value.source is not Source.GIVEN and not value.users:
                    ledger.add(arg.keyword.value)
            parts = self.parts(value) if arg.star == "*" else None
            if parts is not None:
                args += [cst.Arg(self.state.code(part)) for part in parts]
            elif arg.star == "*" and isinstance(value, Code) and self.state.starred(value.code) is not None:
                args += self.state.starred(value.code) or []
            elif arg.star == "**" and isinstance(value, Code) and isinstance(value.code, cst.Dict):
                args += [cst.Arg(e.value, keyword=cst.Name(evaluated(e.key))) for e in value.code.elements]  # type: ignore[attr-defined]
            elif arg.star == "**" and isinstance(value, Known):
                args += [_keyword(name, self.state.code(Known(item))) for name, item in value.value.items()]
            else:
                args.append(arg.with_changes(value=self.state.code(value)))
        if args:
            args[-1] = args[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        made = bare(node).with_changes(func=code, args=args)
        self.state.ledgers[made] = frozenset(ledger)
        return Code(made)

    def eval_Lambda(self, node: cst.Lambda) -> Value:
        names = [param.name.value for param in node.params.params]
        inner, fresh = self.inner(names)
        params = [
            p.with_changes(name=cst.Name(fresh[p.name.value]), default=p.default and self.code(p.default))
            for p in node.params.params
        ]
        body = inner.code(node.body)
        return Code(bare(node).with_changes(params=node.params.with_changes(params=params), body=body), object)

    def inner(self, names: Sequence[str]) -> tuple[Calls, dict[str, str]]:
        """A copy of this frame in which `names` are variables of the body, clear of the user's names."""
        fresh = {name: name if name not in self.state.user_names else f"{name}_" for name in names}
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy.env = self.env | {name: Code(cst.Name(new)) for name, new in fresh.items()}
        return copy, fresh

    def eval_ListComp(self, node: cst.ListComp) -> Value:
        return self.comprehension(node)

    def eval_GeneratorExp(self, node: cst.GeneratorExp) -> Value:
        return self.comprehension(node)

    def comprehension(self, node: cst.ListComp | cst.GeneratorExp) -> Value:
        """Written out where the sequence is known, else printed."""
        clause = node.for_in
        sequence = self.eval(clause.iter)
        parts = self.parts(sequence)
        if parts is not None and clause.inner_for_in is None:
            items = []
            for part in parts:
                frame, _ = self.inner([])
                frame.env = dict(self.env)
                frame.assign(clause.target, part)  # type: ignore[attr-defined]
                if all(frame.truth(test.test) for test in clause.ifs):  # type: ignore[attr-defined]
                    items.append(frame.eval(node.elt))
            return self.folded(Items(tuple(items), list))
        frame, fresh = self.inner(sorted(names_in(clause.target)))
        if clause.inner_for_in is not None:
            raise Stop("a nested comprehension over what is not known")
        target = clause.target.visit(_Rename(fresh))
        ifs = [test.with_changes(test=frame.code(test.test)) for test in clause.ifs]
        new = clause.with_changes(target=target, iter=self.state.code(sequence), ifs=ifs)
        return Code(node.with_changes(elt=frame.code(node.elt), for_in=new), list)


class _Rename(cst.CSTTransformer):
    def __init__(self, names: dict[str, str]):
        self._names = names

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        return updated_node.with_changes(value=self._names.get(updated_node.value, updated_node.value))


def _is_in(table: Mapping[str, Any], target: Any) -> bool:
    return target is not None and table.get(getattr(target, "__name__", "")) is target


def _keyword(name: str, value: cst.BaseExpression) -> cst.Arg:
    equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    return cst.Arg(value, keyword=cst.Name(name), equal=equal)


def _atom(node: cst.BaseExpression) -> cst.BaseExpression:
    node = parenthesised(node)
    return node if is_atom(node) else wrapped(node)


def _applied(written: cst.BaseExpression, code: cst.BaseExpression, args: Sequence[cst.BaseExpression]) -> cst.Call:
    """A call of a function, without making a partial first that is called at once.

    Args:
      written: the function as it will be printed.
      code: stands for it.
      args: positional arguments of the call.
    """
    given = [cst.Arg(part) for part in args]
    if isinstance(written, cst.Call) and _print(written.func) == "functools.partial":
        function, *more = written.args
        positional = [arg for arg in more if arg.keyword is None]
        return cst.Call(function.value, [*positional, *given, *[arg for arg in more if arg.keyword is not None]])
    return cst.Call(code, given)
