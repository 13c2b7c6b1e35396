"""Makes TensorFlow's own defaults float64, for the run that serves as truth."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from parity.frameworks import Frameworks

#: Functions whose `dtype` is float32 unless given.
_BY_DEFAULT = (
    "zeros", "ones", "eye", "random.normal", "random.uniform", "random.truncated_normal", "random.stateless_normal",
    "random.stateless_uniform", "random.stateless_truncated_normal", "one_hot", "linalg.eye",
)  # fmt: skip


@contextlib.contextmanager
def doubled(frameworks: Frameworks) -> Iterator[None]:
    """Within this, what the user's code makes is float64, also where it says `tf.float32`."""
    keras = frameworks.keras
    before = keras.backend.floatx()
    policy = keras.mixed_precision
    old = policy.global_policy() if hasattr(policy, "global_policy") else None
    setter = policy.set_global_policy
    keras.backend.set_floatx("float64")
    setter("float64")
    try:
        with patched(frameworks.tf):
            yield
    finally:
        keras.backend.set_floatx(before)
        setter(old if old is not None else before)


@contextlib.contextmanager
def patched(tf: Any) -> Iterator[None]:
    """Within this, `tf.float32` is float64, and so are floats that TensorFlow makes of Python's."""
    saved: list[tuple[Any, str, Any]] = []

    def replace(owner: Any, name: str, value: Any) -> None:
        saved.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)

    try:
        for dotted in _BY_DEFAULT:
            owner, name = _find(tf, dotted)
            replace(owner, name, _with_default(tf, getattr(owner, name)))
        for name in ("constant", "convert_to_tensor"):
            replace(tf, name, _with_doubled_value(tf, getattr(tf, name)))
        replace(tf, "bitcast", _bitcast(tf, tf.bitcast, tf.cast, tf.float32))
        replace(tf, "cast", _cast(tf, tf.cast))
        replace(tf, "Variable", _variable(tf, tf.Variable))
        replace(tf, "float32", tf.float64)
        yield
    finally:
        for owner, name, value in reversed(saved):
            setattr(owner, name, value)


def _find(tf: Any, dotted: str) -> tuple[Any, str]:
    *modules, name = dotted.split(".")
    owner = tf
    for module in modules:
        owner = getattr(owner, module)
    return owner, name


def _wide(tf: Any, dtype: Any) -> Any:
    name = getattr(dtype, "name", dtype)
    return tf.float64 if name == "float32" or dtype is np.float32 else dtype


def _with_default(tf: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(function)
    default = signature.parameters["dtype"].default if "dtype" in signature.parameters else None
    wide_default = tf.float64 if default is None or getattr(default, "name", None) == "float32" else default

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.arguments["dtype"] = _wide(tf, bound.arguments.get("dtype", wide_default))
        return function(*bound.args, **bound.kwargs)

    return called


def _doubled(value: Any) -> Any:
    """Python floats, lists of them and float32 arrays as float64 arrays; anything else as it is."""
    if isinstance(value, (float, np.floating)):
        return np.float64(value)
    if isinstance(value, np.ndarray):
        return value.astype(np.float64) if value.dtype == np.float32 else value
    if isinstance(value, (list, tuple)) and value:
        with contextlib.suppress(Exception):
            array = np.asarray(value)
            if array.dtype.kind == "f":
                return array.astype(np.float64)
    return value


def _with_doubled_value(tf: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def called(value: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        wide = _wide(tf, dtype)
        return function(_doubled(value) if wide is None else value, wide, *args, **kwargs)

    return called


def _cast(tf: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def called(x: Any, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        return function(x, _wide(tf, dtype), *args, **kwargs)

    return called


def _bitcast(tf: Any, function: Callable[..., Any], cast: Callable[..., Any], single: Any) -> Callable[..., Any]:
    """The bits of what would be a float32 otherwise, as Keras takes them to see a sign."""

    @functools.wraps(function)
    def called(input: Any, type: Any, *args: Any, **kwargs: Any) -> Any:
        size = getattr(tf.as_dtype(type), "size", 0)
        wide = getattr(input, "dtype", None) == tf.float64 and size == 4
        return function(cast(input, single) if wide else input, type, *args, **kwargs)

    return called


def _variable(tf: Any, original: type) -> Any:
    """`tf.Variable` that widens its value; still the class for `isinstance`."""

    class Meta(type):
        def __call__(cls, initial_value: Any = None, *args: Any, **kwargs: Any) -> Any:
            if "dtype" in kwargs:
                kwargs["dtype"] = _wide(tf, kwargs["dtype"])
            return original(_doubled(initial_value), *args, **kwargs)

        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, original)

        def __getattr__(cls, name: str) -> Any:
            return getattr(original, name)

    return Meta("Variable", (), {})
