"""Is everything of an original in its port? Goes by the two texts alone, without knowing how the port was made.

Every class, function, argument, default, string and number of the original is to be found in the port, or to be explained:
by what Keras alone asks for, by a note or a residual at its place; and what the port reads is to be defined in it. What is found is not therefore right; what is not, is
to be looked at.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from codemods.passes.printing.undefined import undefined_names

KINDS = ("class", "function", "argument", "default", "string", "number", "name")
#: Methods that Keras calls, and nothing of a module's author; what `build` makes is made in the constructor.
_KERAS_ASKS = frozenset(
    "build get_config from_config compute_output_shape compute_mask compute_output_signature metrics get_build_config "
    "build_from_config train_function make_train_function make_test_function call __call__ __init__ __new__ compile".split()
)
#: Arguments that a module has no use for, or gets otherwise.
_KERAS_GIVES = frozenset(
    "self cls name dtype mask trainable dynamic training kwargs args seed input_shape shape".split()
)
_NAMED = frozenset("name dtype verbose jit_compile run_eagerly data_format layer_name default_name autocast".split())
_PREFIX = re.compile(r"^_*(?:build|make|create|get|define|new)_+")
#: Methods that have another name in Flax.
_RENAMED = {"call": "__call__", "update_state": "update", "result": "compute", "reset_state": "reset"}
#: Methods whose arguments are Keras's own; in the port they are what a loop has at hand.
_STEPS = frozenset("train_step test_step predict_step compile fit".split())
#: Arguments of which a value may be Flax's or optax's default, and these defaults.
_LEFT_OUT = frozenset("epsilon momentum beta_1 beta_2 rho learning_rate".split())
_DEFAULTS = frozenset({1e-5, 1e-6, 1e-7, 1e-8, 1e-3, 0.9, 0.99, 0.999})
#: 0, 1 and 2 are everywhere, and stand for nothing in particular.
_PLAIN = frozenset({0, 1, 2, -1})
#: What the two frameworks and Python's words call alike.
_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "mse": ("squared",), "mae": ("absolute", "abs"), "meansquarederror": ("squared",), "meanabsoluteerror": ("absolute", "abs"),
    "valid": ("pad", "conv", "pool"), "same": ("pad", "conv", "pool"), "swish": ("silu",), "randomnormal": ("normal",),
    "randomuniform": ("uniform",), "l1": ("abs",), "l2": ("square",), "sparsecategoricalcrossentropy": ("crossentropy", "logsoftmax"),
    "categoricalcrossentropy": ("crossentropy", "logsoftmax"), "binarycrossentropy": ("crossentropy", "logsigmoid"), "glorotuniform": ("nnx",), "channelslast": ("nnx",), "auto": ("nnx",), "min": ("min", "<"),
    "linear": ("nnx",), "constant": ("constant", "full"), "symmetric": ("pad",), "int": ("int32",), "float": ("float32",),
}  # fmt: skip


@dataclasses.dataclass(frozen=True, order=True)
class Finding:
    """Something of the original that the port does not have, and nothing explains."""

    line: int
    kind: str
    name: str
    why: str

    def __str__(self) -> str:
        return f"{f'line {self.line}: ' if self.line else ''}{self.kind} {self.name}: {self.why}"


@dataclasses.dataclass(frozen=True)
class Audit:
    """What came of looking.

    Attributes:
      looked_at: how many things of each kind; names are those that nothing defines.
      explained: how many of them are not in the port, for a reason that is known.
      findings: those without a reason, in the order of the original.
    """

    looked_at: Mapping[str, int]
    explained: int
    findings: tuple[Finding, ...]


def audit(original: str, port: str, explained: Collection[int] = ()) -> Audit:
    """Looks for everything of an original in its port.

    Args:
      original, port: the texts; both parse.
      explained: lines of the original at which a note or a residual says what became of them.
    """
    source = ast.parse(original)
    target = _Port(ast.parse(port), {n.name for n in source.body if isinstance(n, ast.FunctionDef | ast.ClassDef)})
    findings, counts, excused = [], dict.fromkeys(KINDS, 0), 0
    for finding, present, reason in _looked(source, target):
        counts[finding.kind] += 1
        if present:
            continue
        if reason or finding.line in explained:
            excused += 1
        else:
            findings.append(finding)
    for owner, missing in sorted(undefined_names(port).items()):
        findings += [
            Finding(0, "name", name, f"{owner} of the port reads it, and nothing there defines it")
            for name in sorted(missing)
        ]
    return Audit(counts, excused, tuple(sorted(findings)))


_Looked = Iterator[tuple[Finding, bool, bool]]


def _looked(source: ast.Module, target: _Port) -> _Looked:
    yield from _definitions(source.body, "", target)
    yield from _constants(source, target)


def _definitions(body: Iterable[ast.stmt], owner: str, target: _Port) -> _Looked:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield (
                Finding(node.lineno, "class", node.name, "there is none of that name"),
                node.name in target.classes,
                False,
            )
            yield from _definitions(node.body, node.name, target)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            shown = f"{owner}.{node.name}" if owner else node.name
            found = target.function(owner, node.name)
            asked = bool(owner) and node.name in _KERAS_ASKS
            why = "there is none of that name, nor a module made of it"
            yield Finding(node.lineno, "function", shown, why), found is not None, asked
            if found is not None:
                yield from _arguments(node, shown, found, owner)


def _arguments(node: ast.FunctionDef | ast.AsyncFunctionDef, shown: str, found: _Signature, owner: str) -> _Looked:
    used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    for name, default in _parameters(node.args):
        given = name in _KERAS_GIVES or name.startswith("_") or name not in used or node.name in _STEPS
        present = name in found.names
        # A layer's inputs have whatever names its port gives them; a module made of a function takes sizes of them.
        is_input = (owner and node.name in ("call", "__call__")) or (found.made and default is None)
        why = f"{shown} does not take it"
        yield Finding(node.lineno, "argument", f"{name} of {shown}", why), present, given or bool(is_input)
        if default is not None and present:
            new = found.names[name]
            told = f"is {ast.unparse(default)}; in the port {ast.unparse(new) if new is not None else 'there is none'}"
            yield Finding(node.lineno, "default", f"{name} of {shown}", told), _same(default, new), given


def _constants(source: ast.Module, target: _Port) -> _Looked:
    skipped = _without_meaning(source)
    keywords = [k for k in ast.walk(source) if isinstance(k, ast.keyword) and k.arg in _LEFT_OUT]
    may_be_left_out = {id(node) for keyword in keywords for node in ast.walk(keyword)}
    for definition in source.body:
        where = target.counterpart(getattr(definition, "name", ""))
        seen: Counter[Any] = Counter()
        for node in ast.walk(definition):
            if not isinstance(node, ast.Constant) or id(node) in skipped:
                continue
            if isinstance(node.value, str) and node.value.strip():
                seen[_bare(node.value)] += 1
                present = where.says(node.value, seen[_bare(node.value)])
                yield Finding(node.lineno, "string", repr(node.value), "nothing in its port says so"), present, False
            elif type(node.value) in (int, float) and node.value not in _PLAIN:
                seen[node.value] += 1
                left_out = id(node) in may_be_left_out and node.value in _DEFAULTS
                finding = Finding(node.lineno, "number", repr(node.value), "it is not in its port")
                yield finding, where.has(node.value, seen[node.value]), left_out


def _without_meaning(source: ast.Module) -> set[int]:
    """Constants that name things for Keras, document, or stand in annotations."""
    found: set[int] = set()

    def skip(node: ast.AST | None) -> None:
        found.update(id(inner) for inner in ast.walk(node)) if node is not None else None

    labels = _labels(source)
    takes = {f.name: [a.arg for a in f.args.args] for f in ast.walk(source) if isinstance(f, ast.FunctionDef)}
    for node in ast.walk(source):
        if isinstance(node, ast.Assert):  # checked when porting, as shapes are
            skip(node)
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called.rpartition(".")[2] in ("Input", "InputLayer", "InputSpec", "TensorSpec"):
                skip(node)
            for name, argument in zip(takes.get(called, ()), node.args, strict=False):
                if name in labels:
                    skip(argument)
        elif isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id in labels for t in node.targets):
            skip(node.value)
        elif isinstance(node, ast.keyword) and node.arg in labels:
            skip(node)
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            or isinstance(node, ast.keyword)
            and node.arg in _NAMED
        ):
            skip(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name in _KERAS_ASKS - {"build", "call", "__call__", "__init__", "metrics"}:
                skip(node)
            skip(node.returns)
            for name, default in _parameters(node.args):
                if name in _NAMED:
                    skip(default)
        elif isinstance(node, ast.arg | ast.AnnAssign):
            skip(node.annotation)
        elif isinstance(node, ast.Compare) and ast.unparse(node).startswith("__name__"):
            skip(node)
    return found


def _labels(source: ast.Module) -> set[str]:
    """Variables that only go into names of layers."""
    naming = {
        name.id
        for node in ast.walk(source)
        if isinstance(node, ast.keyword) and node.arg == "name"
        for name in ast.walk(node.value)
        if isinstance(name, ast.Name)
    }
    inside = {id(n) for k in ast.walk(source) if isinstance(k, ast.keyword) and k.arg == "name" for n in ast.walk(k)}
    elsewhere = {
        node.id
        for node in ast.walk(source)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in inside
    }
    return naming - elsewhere


def _parameters(arguments: ast.arguments) -> Iterator[tuple[str, ast.expr | None]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    yield from ((a.arg, d) for a, d in zip(positional, defaults, strict=True))
    yield from ((a.arg, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True))


def _same(one: ast.expr, other: ast.expr | None) -> bool:
    """Is this default that one? What is no literal may be written in another way."""
    if other is None:
        return False
    try:
        a, b = ast.literal_eval(one), ast.literal_eval(other)
    except (ValueError, TypeError):
        return True
    if isinstance(a, str) and isinstance(b, str):
        return _bare(a) == _bare(b)
    return a == b or (isinstance(a, list | tuple) and isinstance(b, list | tuple) and list(a) == list(b))


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


@dataclasses.dataclass(frozen=True)
class _Signature:
    """Parameters with their defaults; `made`: of a module that a function became."""

    names: Mapping[str, ast.expr | None]
    made: bool = False


class _Port:
    """What is in a port, by name and by value."""

    def __init__(self, tree: ast.Module, own: Collection[str]):
        """`own`: names of the original's definitions."""
        self.classes: dict[str, ast.ClassDef] = {}
        self._functions: dict[tuple[str, str], _Signature] = {}
        self._anywhere: dict[str, _Signature] = {}
        self._whole = _Words(tree)
        self._parts: dict[str, _Words] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                self.classes[node.name] = node
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef):
                        self._functions[node.name, inner.name] = _Signature(dict(_parameters(inner.args)))
            elif isinstance(node, ast.FunctionDef):
                self._anywhere.setdefault(node.name, _Signature(dict(_parameters(node.args))))
        self._by_bare = {_bare(name): name for name in self.classes}
        self._top = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        taken = set(own) | {made for name in own if (made := self._made(name))}
        # What `compile` and `fit` become stands in functions of the port alone.
        self._rest = [n for n in tree.body if getattr(n, "name", None) not in taken]

    def function(self, owner: str, name: str) -> _Signature | None:
        """The function of that name; where it makes layers, the module that it became."""
        ported = _RENAMED.get(name, name) if owner else name
        found = self._functions.get((owner, ported)) or self._anywhere.get(name)
        if found is not None and (owner or not self._made(name)):
            return found
        made = self._made(name)
        if made is None:
            return found
        own = self._functions.get((made, "__init__")) or _Signature({})
        call = self._functions.get((made, "__call__")) or _Signature({})
        return _Signature({**call.names, **own.names}, made=True)

    def _made(self, name: str) -> str | None:
        for candidate in (name, _PREFIX.sub("", name)):
            bare = _bare(candidate)
            for known, full in self._by_bare.items():
                if known == bare or (len(bare) > 3 and known.removesuffix("model") == bare.removesuffix("model")):
                    return full
        return None

    def counterpart(self, name: str) -> _Words:
        """What is in the definition that has a name, or was made of it, and in what is the port's alone; else in all of it."""
        found = self._top.get(name) or self._top.get(self._made(name) or "")
        if found is None:
            return self._whole
        if name not in self._parts:
            self._parts[name] = _Words(ast.Module([found, *self._rest], []))
        return self._parts[name]


class _Words:
    """What a part of a port names and says, and how often."""

    def __init__(self, tree: ast.Module):
        self._numbers: Counter[Any] = Counter()
        self._words: Counter[str] = Counter()
        for node in ast.walk(tree):
            self._words.update(map(_bare, _words(node)))
            if isinstance(node, ast.Constant) and type(node.value) in (int, float):
                self._numbers[node.value] += 1
        self._text = " ".join(sorted(self._words))

    def says(self, text: str, times: int) -> bool:
        """Is a string there so often, or what it names?"""
        bare = _bare(text)
        if not bare or self._words[bare] >= times:
            return True
        within = [word for word in self._words if bare in word and word != bare] if len(bare) > 2 else []
        if self._words[bare] + sum(self._words[word] for word in within) >= times:
            return True
        return any(word in self._text for word in _SYNONYMS.get(bare, ()))

    def has(self, number: Any, times: int) -> bool:
        """Is a number there so often, or what is left of 1 by it, as of a rate that is kept?"""
        left = sum(n for other, n in self._numbers.items() if abs(1 - number - other) < 1e-9)
        return self._numbers[number] + left >= times


def _words(node: Any) -> Iterator[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.alias(name=name):
            yield name
        case ast.Constant(value=str(text)):
            yield text
