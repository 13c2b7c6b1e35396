"""Values on both sides of a rule: inputs for TensorFlow and JAX, and the comparison of what comes out."""

from __future__ import annotations

import functools
import inspect
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tensorflow as tf
import tf_keras

from codemods.engine.rule import Array, Difference, Made, Wrapped

#: Of 32-bit results: how far two libraries may be apart that sum in another order.
RTOL, ATOL = 2e-5, 2e-6
_NARROWED = {"int64": "int32", "uint64": "uint32", "float64": "float32", "complex128": "complex64"}


def source_object(symbol: str) -> Any:
    """The TensorFlow function or class of a symbol, or the one of Keras 2 if Keras 3 has none."""
    parts = symbol.split(".")
    if symbol.startswith("tf.keras.optimizers.legacy."):  # of Keras 2; Keras 3 has stubs that raise
        return functools.reduce(getattr, parts[2:], tf_keras)
    roots = [(tf, parts[1:])] + ([(tf_keras, parts[2:])] if parts[:2] == ["tf", "keras"] else [])
    for root, names in roots:
        try:
            return functools.reduce(getattr, names, root)
        except AttributeError:
            continue
    raise AttributeError(f"neither TensorFlow nor tf_keras has {symbol}")


def exists(symbol: str) -> bool:
    """Is there something of this name in the installed packages?"""
    try:
        source_object(symbol)
    except (AttributeError, ImportError):
        return False
    return True


def seed_of(*parts: Any) -> np.random.Generator:
    """A generator for a case, the same in every process."""
    return np.random.default_rng(zlib.crc32(repr(parts).encode()))


def drawn(value: Any, rng: np.random.Generator) -> Any:
    """A sample's value with real arrays in it."""
    if isinstance(value, Array):
        if value.dtype.startswith(("float", "bfloat")):
            return rng.uniform(value.low, value.high, value.shape).astype(jnp.dtype(value.dtype))
        if value.dtype.startswith("complex"):
            parts = rng.uniform(value.low, value.high, (2, *value.shape))
            return (parts[0] + 1j * parts[1]).astype(value.dtype)
        return rng.integers(int(value.low), int(value.high), value.shape).astype(value.dtype)
    return mapped(lambda item: drawn(item, rng), value) if isinstance(value, (list, tuple, dict)) else value


def mapped(function: Callable[[Any], Any], value: Any) -> Any:
    """Applies a function to all leaves of nested lists, tuples and dicts."""
    if isinstance(value, dict):
        return {key: mapped(function, item) if _nests(item) else function(item) for key, item in value.items()}
    if _nests(value):
        items = [mapped(function, item) if _nests(item) else function(item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    return function(value)


def _nests(value: Any) -> bool:
    return isinstance(value, (list, tuple, dict))


def for_tf(value: Any) -> Any:
    """Inputs as TensorFlow takes them."""
    if isinstance(value, np.ndarray):
        return tf.constant(value)
    return source_object(value.symbol)(*value.args, **value.kwargs) if isinstance(value, Made) else value


#: What ported code has in place of TensorFlow's objects.
_STANDS_FOR: dict[str, Callable[..., Any]] = {"tf.TensorShape": tuple, "tf.Variable": jnp.asarray}


def for_jax(value: Any) -> Any:
    """Inputs as rule bodies take them."""
    if isinstance(value, np.ndarray):
        return jnp.asarray(value)
    if isinstance(value, Made):
        return _STANDS_FOR[value.symbol](*value.args) if value.symbol in _STANDS_FOR else Wrapped.of(value)
    return value


def leaves(value: Any) -> Iterator[Any]:
    """The leaves of nested lists, tuples and dicts, dicts by key."""
    if isinstance(value, dict):
        for key in sorted(value, key=str):
            yield from leaves(value[key])
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def floats(value: Any) -> list[np.ndarray]:
    """The float arrays among drawn inputs: what gradients are taken of."""
    return [x for x in leaves(value) if isinstance(x, np.ndarray) and np.issubdtype(x.dtype, np.floating)]


def replaced(value: Any, old: Sequence[np.ndarray], new: Sequence[Any]) -> Any:
    """Nested inputs with some arrays, known by identity, replaced."""
    by_id = {id(x): y for x, y in zip(old, new, strict=True)}
    return mapped(lambda item: by_id.get(id(item), item), value)


def plain(value: Any) -> Any:
    """A result with NumPy arrays for tensors of either side."""
    if isinstance(value, (tf.IndexedSlices, tf.SparseTensor)):
        value = tf.convert_to_tensor(value) if isinstance(value, tf.IndexedSlices) else tf.sparse.to_dense(value)
    if isinstance(value, tf.TensorShape):
        return tuple(value.as_list())
    if isinstance(value, (tf.Tensor, tf.Variable, jax.Array)):
        return np.asarray(value)
    return value


def check(
    expected: Any, actual: Any, differences: Sequence[Difference] = (), where: str = "result", dtypes: bool = True
) -> None:
    """Raises AssertionError unless the two results, of TensorFlow and JAX, agree, with `dtypes` in dtype, too."""
    expected, actual = plain(expected), plain(actual)
    if isinstance(expected, dict):
        assert isinstance(actual, dict) and expected.keys() == actual.keys(), f"{where}: keys differ"
        for key in expected:
            check(expected[key], actual[key], differences, f"{where}[{key!r}]", dtypes)
    elif isinstance(expected, (list, tuple)) and not isinstance(actual, np.ndarray):
        assert isinstance(actual, (list, tuple)), f"{where}: a sequence became {type(actual).__name__}"
        assert len(expected) == len(actual), f"{where}: {len(expected)} parts became {len(actual)}"
        for i, (one, other) in enumerate(zip(expected, actual, strict=True)):
            check(one, other, differences, f"{where}[{i}]", dtypes)
    elif isinstance(expected, np.ndarray) or isinstance(actual, np.ndarray):
        _check_array(expected, actual, differences, where, dtypes)
    else:
        assert expected == actual, f"{where}: {expected!r} became {actual!r}"


def _check_array(
    expected: Any, actual: Any, differences: Sequence[Difference], where: str, dtypes: bool = True
) -> None:
    strict = dtypes and isinstance(expected, np.ndarray) and isinstance(actual, np.ndarray)
    parts = next((x for x in (expected, actual) if isinstance(x, (list, tuple))), ())
    assert len({np.shape(x) for x in parts}) < 2, f"{where}: parts of several shapes are no array"
    expected, actual = np.asarray(expected), np.asarray(actual)
    assert expected.shape == actual.shape, f"{where}: shape {expected.shape} became {actual.shape}"
    if strict:
        check_dtype(expected, actual, differences, where)
    if np.issubdtype(expected.dtype, np.inexact) or expected.dtype.name == "bfloat16":
        half = min(expected.dtype.itemsize, actual.dtype.itemsize if actual.dtype.kind != "i" else 4) < 4
        expected, actual = (x if np.iscomplexobj(x) else x.astype(np.float64) for x in (expected, actual))
        finite = np.abs(expected[np.isfinite(expected)])
        scale = finite.max() if finite.size else 1.0
        np.testing.assert_allclose(
            actual,
            expected,
            rtol=1e-2 if half else RTOL,
            atol=max(scale, 1.0) * (1e-2 if half else ATOL),
            err_msg=where,
        )
    else:
        np.testing.assert_array_equal(actual, expected, err_msg=where)


def check_dtype(expected: np.ndarray, actual: np.ndarray, differences: Sequence[Difference], where: str) -> None:
    if expected.dtype != actual.dtype:
        narrowed = _NARROWED.get(expected.dtype.name) == actual.dtype.name
        declared = any("64" in difference.when for difference in differences)
        assert narrowed and declared, f"{where}: {expected.dtype} became {actual.dtype}"


def check_nearby(expected: Any, actual: Any) -> None:
    """Raises AssertionError unless all numbers agree to 1 % of the largest."""
    for want, got in zip(leaves(expected), leaves(actual), strict=True):
        one, other = (np.asarray(plain(x)).astype(np.float64) for x in (want, got))
        scale = np.abs(one[np.isfinite(one)]).max(initial=1e-6)
        np.testing.assert_allclose(other, one, rtol=0.01, atol=0.01 * scale)


def projection(results: Any, rng: np.random.Generator) -> list[np.ndarray | None]:
    """Random weights for the float leaves of TensorFlow's result, None for others, NumPy arrays too."""
    return [
        rng.normal(size=leaf.shape).astype(np.float32)
        if isinstance(leaf, (tf.Tensor, tf.Variable)) and leaf.dtype == tf.float32
        else None
        for leaf in leaves(results)
    ]


def signature_of(function: Any) -> list[tuple[str, str, Any]]:
    """Parameters as (name, kind, default), in a form in which both sides can be compared."""
    parameters = inspect.signature(function).parameters.values()
    return [
        (
            p.name,
            "keyword" if p.kind is p.KEYWORD_ONLY else p.kind.name.removesuffix("_OR_KEYWORD"),
            _default(p.default),
        )
        for p in parameters
    ]


def _default(value: Any) -> Any:
    if value is inspect.Parameter.empty:
        return "(none)"
    if isinstance(value, (tf.DType, np.dtype)):
        return value.name
    if isinstance(value, (list, tuple)):
        return tuple(value)
    return value if isinstance(value, (int, float, str, bool, type(None))) else repr(value)
