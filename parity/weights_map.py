"""Carries arrays of the original over to the leaves of the port, by the map that came with the port."""

from __future__ import annotations

import json
import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from parity.checks import Check, holds


class WeightsMap:
    """A parsed weights_map.json.

    Attributes:
      data: the file.
      entries: its `weights`.
    """

    def __init__(self, data: Mapping[str, Any]):
        self.data = data
        self.entries: list[Mapping[str, Any]] = list(data["weights"])

    @classmethod
    def read(cls, path: str) -> WeightsMap:
        """Reads the file."""
        return cls(json.loads(pathlib.Path(path).read_text(encoding="utf-8")))

    def carry(self, arrays: Mapping[int, Any]) -> dict[str, np.ndarray]:
        """Arrays by target, for those sources that are given by index."""
        return {
            entry["target"]: apply(entry["steps"], np.asarray(arrays[entry["source"]]))
            for entry in self.entries
            if entry["source"] in arrays
        }

    def source_of(self, target: str) -> int | None:
        """The index of the variable that a leaf stands for."""
        return next((entry["source"] for entry in self.entries if entry["target"] == target), None)

    def check(self, variables: Sequence[Mapping[str, Any]], leaves: Mapping[str, tuple[Any, bool]]) -> list[Check]:
        """Is the map a bijection that keeps shapes and what is trained?

        Args:
          variables: of the original, by index.
          leaves: shape of each leaf of the port, and whether it is trained.
        """
        problems: list[str] = [self.data["problem"]] if "problem" in self.data else []
        sources = [entry["source"] for entry in self.entries]
        targets = [entry["target"] for entry in self.entries]
        problems += [f"{t} is mapped to twice" for t in sorted({t for t in targets if targets.count(t) > 1})]
        problems += [f"{t} is not a weight of the port" for t in targets if t not in leaves]
        problems += [f"{t} of the port gets no weight" for t in leaves if t not in targets]
        known = {index for index in sources if 0 <= index < len(variables)}
        problems += [f"source {index} is not a variable of the original" for index in sorted(set(sources) - known)]
        problems += [f"{v['path']} of the original goes nowhere" for i, v in enumerate(variables) if i not in known]
        for entry in self.entries:
            if entry["source"] in known and entry["target"] in leaves:
                problems += self._entry_problems(entry, variables[entry["source"]], *leaves[entry["target"]])
        problems += self._coverage(variables, known)
        return [holds("shapes", "weights map one to one", not problems, "; ".join(problems[:4]))]

    def _entry_problems(self, entry: Any, variable: Any, shape: Any, trained: bool) -> list[str]:
        target, path = entry["target"], variable["path"]
        try:
            got = apply(entry["steps"], np.empty(variable["shape"], bool)).shape
        except (ValueError, IndexError, TypeError) as error:
            return [f"{path} can't be brought to {target}: {error}"]
        if tuple(got) != tuple(shape):
            return [f"{target} has shape {list(shape)}, {path} gives {list(got)}"]
        if bool(variable["trainable"]) != trained:
            kinds = ("trained", "not trained") if trained else ("not trained", "trained")
            return [f"{target} is {kinds[0]}, {path} is {kinds[1]}"]
        return []

    def _coverage(self, variables: Sequence[Mapping[str, Any]], known: set[int]) -> list[str]:
        """Is every element of every source used exactly once?"""
        problems = []
        for index in sorted(known):
            entries = [entry for entry in self.entries if entry["source"] == index]
            size = math.prod(variables[index]["shape"])
            numbers = np.arange(size).reshape(variables[index]["shape"])
            try:
                used = np.concatenate([apply(entry["steps"], numbers).reshape(-1) for entry in entries])
            except (ValueError, IndexError, TypeError):
                continue  # said already
            if used.size != size or np.unique(used).size != size:
                problems.append(f"{variables[index]['path']} is not used in full, once")
        return problems


def apply(steps: Sequence[Sequence[Any]], array: np.ndarray) -> np.ndarray:
    """Runs the steps of one entry.

    Raises:
      ValueError: a step is unknown, or does not fit the array.
    """
    for kind, *arguments in steps:
        if kind == "transpose":
            array = np.transpose(array, arguments[0])
        elif kind == "reshape":
            array = np.reshape(array, arguments[0])
        elif kind == "blocks":
            axis, order = arguments
            blocks = np.split(array, len(order), axis=axis)
            array = np.concatenate([blocks[number] for number in order], axis=axis)
        elif kind == "take":
            axis, index = arguments
            array = np.take(array, index, axis=axis)
        else:
            raise ValueError(f"unknown step {kind!r}")
    return array
