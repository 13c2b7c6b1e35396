"""Data: arrays in memory become batches in NumPy; loaders of bundled data sets stay, imported where they run."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import libcst as cst
import numpy as np

from codemods.passes.frame import Frame
from codemods.passes.training_penalties import LossTerms
from codemods.passes.training_values import SEED
from codemods.passes.values import Lasting, Value, text


class Batches:
    """Batches of arrays; with `shuffle`, every pass over them is in a new order."""

    def __init__(self, arrays, batch_size, *, shuffle=False, drop_remainder=False, seed=0):
        self.arrays, self.batch_size = arrays, batch_size
        self.rows = len(jax.tree.leaves(arrays)[0])
        self.order = np.random.default_rng(seed) if shuffle else None
        self.end = self.rows - batch_size + 1 if drop_remainder else self.rows

    def __len__(self):
        return len(range(0, self.end, self.batch_size))

    def __iter__(self):
        index = self.order.permutation(self.rows) if self.order else np.arange(self.rows)
        for start in range(0, self.end, self.batch_size):
            batch = index[start : start + self.batch_size]
            yield jax.tree.map(lambda array: array[batch], self.arrays)


@dataclasses.dataclass(frozen=True)
class Dataset(Lasting):
    """`from_tensor_slices(arrays)` and what follows, as keywords of `Batches`."""

    arrays: str
    size: str | None = None
    keywords: tuple[tuple[str, str], ...] = ()

    def code(self) -> cst.BaseExpression:
        given = [self.arrays, self.size or "1", *[f"{key}={value}" for key, value in self.keywords]]
        return cst.parse_expression(f"Batches({', '.join(given)})")


class Data(LossTerms):
    """Input data of ordinary functions."""

    def call_symbol(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        if symbol.startswith("tf.keras.datasets.") and frame.mode == "plain":
            return self.bundled(symbol, node, frame)
        if symbol == "tf.data.Dataset.from_tensor_slices" and frame.mode == "plain" and len(node.args) == 1:
            value = self.eval(node.args[0].value, frame)
            code = text(value.code)
            dataset = Dataset(code)
            return Value(node, special=dataset)
        return super().call_symbol(symbol, node, frame)

    # -- bundled data sets -------------------------------------------------------------------------

    def bundled(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        """`keras.datasets.NAME.load_data()` stays, with an import that runs with it."""
        root: cst.BaseExpression = node.func
        while isinstance(root, cst.Attribute):
            root = root.value
        line = self.import_of(root.value) if isinstance(root, cst.Name) else None
        func = node.func if line is not None else cst.parse_expression(symbol)
        self.host_imports.setdefault(frame.function, set()).add(line or "import tensorflow as tf")
        self.unit.note(
            node, f"{symbol} stays: it is imported when it is called, so that the module needs no TensorFlow"
        )
        args = [arg.with_changes(value=self.eval(arg.value, frame).code) for arg in node.args]
        return Value(node.with_changes(func=func, args=args))

    def import_of(self, name: str) -> str | None:
        """The import statement that brings a name."""
        for statement in self.unit.module.body:
            for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
                if not isinstance(small, cst.Import | cst.ImportFrom) or isinstance(small.names, cst.ImportStar):
                    continue
                for alias in small.names:
                    bound = alias.asname.name if alias.asname is not None else alias.name
                    if not isinstance(bound, cst.Name) or bound.value != name:
                        continue
                    called = f" as {name}" if alias.asname is not None else ""
                    if isinstance(small, cst.Import):
                        return f"import {text(alias.name)}{called}"
                    return (
                        f"from {text(small.module)} import {text(alias.name)}{called}"
                        if small.module is not None
                        else None
                    )
        return None

    def with_host_imports(self, function: str, body: list[Any]) -> list[Any]:
        """The imports, before the first statement that needs them."""
        lines = sorted(self.host_imports.get(function, ()))
        if not lines:
            return body
        at = 1 if body and _is_text(body[0]) else 0
        return [*body[:at], *[cst.parse_statement(line) for line in lines], *body[at:]]

    # -- arrays in memory --------------------------------------------------------------------------

    def _small_Assign(self, node: cst.Assign, frame: Frame) -> tuple[list[Any], bool]:
        items, config = super()._small_Assign(node, frame)
        target = node.targets[0].target
        value = frame.env.get(target.value) if isinstance(target, cst.Name) else None
        if (
            frame.mode == "plain"
            and value is not None
            and isinstance(value.special, Dataset)
            and value.special.size is None
        ):
            return [], config  # the batches are made where their size is given
        return items, config

    def call_method(self, callee: Value, node: cst.Call, frame: Frame) -> Value:
        _, base, name = callee.special
        if not isinstance(base.special, Dataset) or frame.mode != "plain":
            return super().call_method(callee, node, frame)
        found = self.extended(base.special, name, node, frame)
        if found is None:
            reason = "a tf.data pipeline that does more than shuffle and batch arrays: write it in NumPy, or with Grain"
            frame.unit.residual(frame.function, node, f"tf.data.Dataset.{name}", reason)
            return Value(node)
        self.unit.helpers["Batches"] = Batches
        if found.size is None:
            return Value(node, special=found)
        return Value(found.code(), special=found)

    def extended(self, dataset: Dataset, name: str, node: cst.Call, frame: Frame) -> Dataset | None:
        given = {arg.keyword.value if arg.keyword is not None else str(i): arg.value for i, arg in enumerate(node.args)}
        if name in ("prefetch", "cache"):
            return dataset
        if name == "shuffle" and dataset.size is None:
            if given.keys() - {"0", "buffer_size", "seed", "1"}:
                return None
            self.unit.note(node, "the whole of the data is shuffled, whatever the size of the buffer was")
            seed = given.get("seed", given.get("1"))
            seed_code = text(self.eval(seed, frame).code) if seed is not None else SEED
            return dataclasses.replace(dataset, keywords=(("shuffle", "True"), ("seed", seed_code)))
        if name == "batch" and dataset.size is None:
            size = given.get("0", given.get("batch_size"))
            drop = given.get("drop_remainder", given.get("1"))
            if size is None or given.keys() - {"0", "1", "batch_size", "drop_remainder", "num_parallel_calls"}:
                return None
            keywords = dataset.keywords
            if drop is not None and text(drop) != "False":
                keywords = (*keywords, ("drop_remainder", text(self.eval(drop, frame).code)))
            return dataclasses.replace(dataset, size=text(self.eval(size, frame).code), keywords=keywords)
        return None


def _is_text(node: Any) -> bool:
    if not isinstance(node, cst.SimpleStatementLine) or not isinstance(node.body[0], cst.Expr):
        return False
    return isinstance(node.body[0].value, cst.SimpleString | cst.ConcatenatedString)
