"""Dtypes and other symbols that are not called.

JAX has 32-bit types only, unless x64 is switched on: 64-bit names become the types that are computed with.
"""

from __future__ import annotations

from codemods.engine.rule import Difference, constant, macro
from codemods.engine.touching import wide, wide_of_integers, wide_unless_asked

#: Names in TensorFlow and in jax.numpy, where they differ.
RENAMED = {"int64": "int32", "uint64": "uint32", "float64": "float32", "complex128": "complex64", "bool": "bool_"}
ALIASES = {"double": "float64", "half": "float16"}
SAME = ("bfloat16", "float16", "float32", "int8", "int16", "int32", "uint8", "uint16", "uint32", "complex64",
        "float8_e4m3fn", "float8_e5m2", "int4", "uint4")  # fmt: skip

#: For rules whose result is 64 bits wide in TensorFlow.
_NARROWS = "JAX computes with 32 bits unless x64 is switched on"
NARROW = Difference("a 64-bit result", _NARROWS, at=wide)
NARROW_UNLESS_ASKED = Difference("a 64-bit result", _NARROWS, at=wide_unless_asked)
NARROW_INTEGERS = Difference("a 64-bit result", _NARROWS, at=wide_of_integers)


@macro
def as_dtype(value: str | None) -> str:
    """Code of a dtype that is given by its name."""
    if value is None:
        return "None"
    name = getattr(value, "name", None) or getattr(value, "__name__", None) or str(value)
    name = ALIASES.get(name, name)
    if name not in SAME and name not in RENAMED:
        raise ValueError(f"JAX has no dtype {name}")
    return f"jnp.{RENAMED.get(name, name)}"


@macro
def float_dtype(value: str | None) -> str:
    """As `as_dtype`, for functions that give float32 where no dtype is stated."""
    code = "None" if value is None else as_dtype.function(value)
    return "None" if code == "jnp.float32" else code


for _name in (*SAME, *RENAMED):
    constant(f"tf.{_name}", as_dtype.function(_name))

constant("tf.newaxis", "None")
