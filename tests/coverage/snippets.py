"""Small programs that use one symbol, made from what is declared for it: a rule's sample, a pass's, the policy's."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from typing import Any

from codemods.coverage.dry_run import DryRun, dry_run
from codemods.engine import rule as rules
from codemods.engine.rule import Array, Made, ObjectRule, Sample
from codemods.policy.entries import Host

HEADER = "import tensorflow as tf\n\n\n"


def port(program: str) -> DryRun:
    """The port of a program, without a run of the original."""
    return dry_run(HEADER + program + "\n", "snippet.py")


def left(run: DryRun) -> dict[str, str]:
    """Residuals: reason by symbol."""
    return {residual.symbol: residual.reason for _, residual in run.residuals}


def imports_at_top(source: str) -> set[str]:
    """Roots of the packages that a module imports when it is imported."""
    found: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


class _Code:
    """Code of a sample's values; arrays become parameters."""

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}

    def of(self, value: Any) -> str:
        if isinstance(value, Array):
            name = f"x{len(self.arrays)}"
            self.arrays[name] = value
            return name
        if isinstance(value, Made):
            return f"{value.symbol}({self.arguments(value.args, value.kwargs)})"
        if isinstance(value, (list, tuple)):
            items = [self.of(item) for item in value]
            if isinstance(value, tuple):
                return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
            return f"[{', '.join(items)}]"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key!r}: {self.of(item)}" for key, item in value.items()) + "}"
        if inspect.isbuiltin(value):
            return f"lambda *xs: __import__({value.__module__!r}).{value.__name__}(*xs)"
        if callable(value):
            return _lambda(value)
        return repr(value)

    def arguments(self, args: Any, kwargs: Mapping[str, Any]) -> str:
        given = [self.of(value) for value in args]
        return ", ".join([*given, *[f"{name}={self.of(value)}" for name, value in kwargs.items()]])


def _lambda(function: Any) -> str:
    """The source of a lambda of one line."""
    positions = [p for p in function.__code__.co_positions() if p[2] is not None and p[3] is not None]
    lines, first = inspect.findsource(function)
    text = lines[first if positions[-1][0] is None else positions[-1][0] - 1]
    begin, end = min(p[2] for p in positions if p[3] > p[2]), max(p[3] for p in positions)
    return f"lambda {', '.join(inspect.signature(function).parameters)}: {text[begin:end]}"


def of_rule(symbol: str, sample: Sample) -> str:
    """A function that makes one call of a rule's symbol."""
    code = _Code()
    call = f"{symbol}({code.arguments(sample.args, sample.kwargs)})"
    return f"def f({', '.join(code.arrays)}):\n    return {call}"


def of_rule_with_shapes(symbol: str, sample: Sample) -> str:
    """As `of_rule`, where the shapes and dtypes of the arrays can be seen."""
    code = _Code()
    call = f"{symbol}({code.arguments(sample.args, sample.kwargs)})"
    lines = [f"{name} = tf.zeros({list(a.shape)}, tf.{a.dtype})" for name, a in code.arrays.items()]
    return "def f():\n    " + "\n    ".join([*lines, f"return {call}"])


def of_object(symbol: str, entry: ObjectRule, sample: Sample) -> str:
    """A program that makes an object of a class and calls it."""
    code = _Code()
    made = f"{symbol}({code.arguments(sample.args, sample.kwargs)})"
    inputs = sample.x if isinstance(sample.x, tuple) else (sample.x,)
    called = code.arguments(inputs, sample.call)
    if entry.kind == "loss":
        return f"def f({', '.join(code.arrays)}):\n    loss = {made}\n    return loss({called})"
    if entry.kind == "metric":
        lines = [f"metric = {made}", f"metric.update_state({called})", "return metric.result()"]
        return f"def f({', '.join(code.arrays)}):\n    " + "\n    ".join(lines)
    lines = [
        f'{name} = tf.keras.Input({array.shape[1:]}, dtype="{array.dtype}")' for name, array in code.arrays.items()
    ]
    lines += [f"y = {made}({called})", f"return tf.keras.Model([{', '.join(code.arrays)}], y)"]
    return "def build():\n    " + "\n    ".join(lines)


def of_host(symbol: str, entry: Host) -> str:
    """A function that uses a symbol of the host policy."""
    if entry.sample:
        return entry.sample.replace("SYMBOL", symbol)
    use = symbol if entry.gives == "constant" else f"{symbol}(path)"
    return f"def read(path):\n    found = {use}\n    return found"


def of_refused(symbol: str) -> str:
    """A function that uses a symbol that is not ported."""
    if symbol.startswith("tf.keras.callbacks."):
        lines = [
            "model = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(1)])",
            'model.compile("adam", "mse")',
            f"model.fit(x, y, callbacks=[{symbol}(x)])",
        ]
        return "def main(x, y):\n    " + "\n    ".join(lines)
    return f"def f(x):\n    return {symbol}(x)"


def rules_of(symbol: str) -> list[str]:
    """A program for each table that has a rule for the symbol."""
    found = []
    if symbol in rules.RULES:
        found += [of_rule(symbol, sample) for sample in rules.RULES[symbol].samples[:1]]
    if symbol in rules.OBJECTS:
        entry = rules.OBJECTS[symbol]
        found += [of_object(symbol, entry, sample) for sample in entry.samples[:1]]
    if symbol in rules.CONSTANTS:
        found.append(f"def f():\n    return {symbol}")
    return found
