"""Inputs of a unit: specs such as `float32[8,28,28,1]`, and example files."""

from __future__ import annotations

import dataclasses
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from parity import trees, weights
from parity.errors import BadInputError

_SPEC = re.compile(r"^\s*(\w+)\s*\[([^\]]*)\]\s*(?:\{\s*(-?\d+)\s*\.\.\s*(-?\d+)\s*\})?\s*$")
_FLOATS = ("float16", "float32", "float64", "bfloat16")
_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


@dataclasses.dataclass(frozen=True)
class InputSpec:
    """One positional argument.

    Attributes:
      dtype: numpy's name of the dtype.
      shape: sizes, batch first.
      low: smallest integer, for integers.
      high: largest integer, for integers.
    """

    dtype: str
    shape: tuple[int, ...]
    low: int = 0
    high: int = 9

    @classmethod
    def parse(cls, text: str) -> InputSpec:
        """Reads `int32[8,64]{0..999}`.

        Raises:
          BadInputError: if the text is no spec; says which part is wrong.
        """
        match = _SPEC.match(text)
        if not match:
            raise BadInputError(f"--input {text!r} is not of the form float32[8,28,28,1] or int32[8,64]{{0..999}}")
        dtype, sizes, low, high = match.groups()
        if dtype not in (*_FLOATS[:3], *_INTEGERS, "bool"):
            raise BadInputError(f"--input {text!r}: {dtype!r} is not a dtype of an input")
        try:
            shape = tuple(int(size) for size in sizes.split(",") if size.strip())
        except ValueError:
            raise BadInputError(f"--input {text!r}: sizes must be whole numbers, not [{sizes}]") from None
        if any(size < 1 for size in shape):
            raise BadInputError(f"--input {text!r}: sizes must be 1 or more")
        if low is None:
            return cls(dtype, shape)
        if dtype not in _INTEGERS:
            raise BadInputError(f"--input {text!r}: a range in braces is for integers")
        if int(low) > int(high):
            raise BadInputError(f"--input {text!r}: the range is empty")
        return cls(dtype, shape, int(low), int(high))

    def generate(self, seed: int, index: int) -> np.ndarray:
        """Values for one case: normal floats, integers over the whole range, fair booleans.

        Args:
          seed: number of the case's seed.
          index: position of the argument, so that two alike differ.
        """
        rng = np.random.default_rng([seed, index])
        if self.dtype == "bool":
            return rng.random(self.shape) < 0.5
        if self.dtype in _INTEGERS:
            return rng.integers(self.low, self.high, self.shape, endpoint=True).astype(self.dtype)
        return rng.standard_normal(self.shape).astype(self.dtype)


class SpecInputs:
    """Inputs made from specs, one per positional argument."""

    def __init__(self, specs: Sequence[str]):
        if not specs:
            raise BadInputError("give --input once per positional argument, or --example")
        self.specs = [InputSpec.parse(text) for text in specs]

    def __call__(self, seed: int) -> tuple[Any, ...]:
        return tuple(spec.generate(seed, index) for index, spec in enumerate(self.specs))


class Example:
    """An example file: functions `model()` and `inputs(seed)`, run with the unit's names as globals.

    Args:
      path: the file.
      names: public names of the unit's module; those of the file come on top.

    Raises:
      BadInputError: if the file can't be run or lacks one of the functions.
    """

    def __init__(self, path: str, names: Mapping[str, Any]):
        self._path = path
        try:
            text = pathlib.Path(path).read_text(encoding="utf-8")
            code = compile(text, path, "exec", dont_inherit=True)
        except SyntaxError as error:
            raise BadInputError(f"syntax error: {error.msg}", path, error.lineno) from None
        except (OSError, UnicodeDecodeError) as error:
            raise BadInputError(f"the example can't be read: {error}", path) from None
        self._globals = {name: value for name, value in names.items() if not name.startswith("_")}
        self._globals.update(__name__="example", __file__=path)
        try:
            exec(code, self._globals)  # noqa: S102 - the user's own file
        except Exception as error:
            raise BadInputError(f"the example raised {type(error).__name__}: {error}", path) from error
        for name in ("model", "inputs"):
            if not callable(self._globals.get(name)):
                raise BadInputError(f"the example defines no function {name}()", path)

    def model(self) -> Any:
        """The object under test."""
        return self._run("model")

    def __call__(self, seed: int) -> tuple[Any, ...]:
        value = self._run("inputs", seed)
        if not isinstance(value, (tuple, list)):
            raise BadInputError("inputs(seed) must return a tuple, one item per positional argument", self._path)
        return tuple(value)

    def _run(self, name: str, *args: Any) -> Any:
        try:
            return self._globals[name](*args)
        except Exception as error:
            raise BadInputError(f"{name}() raised {type(error).__name__}: {error}", self._path) from error


def has_floats(inputs: Any) -> bool:
    """Is there a float array to scale and to differentiate by?"""
    return any(trees.dtype_name(array.dtype) in _FLOATS for _, array in trees.flatten(inputs))


def jittered(inputs: Any, seed: int, size: float = 1.0) -> Any:
    """Float arrays off by rounding errors, as in `weights.jittered`; masks and labels of zeros and ones stay."""

    def jitter_one(_: str, array: Any) -> Any:
        array = np.asarray(array)
        return array if _is_mask(array) else weights.jittered([array], seed, size)[0]

    return trees.map_arrays(jitter_one, inputs)


def _is_mask(array: np.ndarray) -> bool:
    return not np.any((array != 0) & (array != 1))


def scaled(inputs: Any, scale: float) -> Any:
    """Float arrays times `scale`; what else there is stays, masks of zeros and ones too."""

    def scale_one(_: str, array: Any) -> Any:
        array = np.asarray(array)
        if array.dtype.kind != "f" or _is_mask(array):
            return array
        return (array * scale).astype(array.dtype)

    return trees.map_arrays(scale_one, inputs)
