"""Lets the original draw from the shared stream of noise, and turns its dropout off."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from parity.frameworks import Frameworks
from parity.noise import STREAM


def install(frameworks: Frameworks) -> None:
    """Replaces the public random functions; outside `STREAM.evaluation()` they are what they were.

    Call it before the user's module is imported, which may take the functions by name.
    """
    tf, keras = frameworks.tf, frameworks.keras

    def noise(kind: str, shape: Any, dtype: Any, *bounds: Any) -> Any:
        sizes = [int(size) for size in np.asarray(shape).reshape(-1)]
        name = getattr(dtype, "name", dtype) or keras.backend.floatx()
        return tf.cast(tf.convert_to_tensor(getattr(STREAM, kind)(sizes, *bounds)), name)

    def normal(shape, mean=0.0, stddev=1.0, dtype=None, *_, **__):
        return noise("normal", shape, dtype) * stddev + mean

    def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, *_, **__):
        return noise("truncated", shape, dtype) * stddev + mean

    def uniform(shape, minval=0, maxval=None, dtype=None, *_, **__):
        if dtype is not None and "int" in str(getattr(dtype, "name", dtype)):
            return noise("integers", shape, dtype, minval, maxval)
        return noise("uniform", shape, dtype) * ((1 if maxval is None else maxval) - minval) + minval

    def randint(shape, minval, maxval, dtype="int32", *_, **__):
        return noise("integers", shape, dtype, minval, maxval)

    def bernoulli(shape, p=0.0, dtype=None, *_, **__):
        return tf.cast(noise("uniform", shape, "float32") < p, dtype or keras.backend.floatx())

    def categorical(logits, num_samples, dtype=None, *_, **__):
        shape = [logits.shape[0], num_samples, logits.shape[1]]
        gumbel = -tf.math.log(-tf.math.log(noise("uniform", shape, logits.dtype)))
        return tf.argmax(logits[:, tf.newaxis] + gumbel, -1, output_type=dtype or tf.int64)

    def identity(x, *_, **__):
        return tf.convert_to_tensor(x)

    seeded = {"normal": normal, "truncated_normal": truncated_normal, "uniform": uniform}
    for module in (tf.random, tf.compat.v1.random, tf.compat.v1, keras.random if hasattr(keras, "random") else None):
        _replace(module, {**seeded, "randint": randint, "categorical": categorical, "dropout": identity})
        _replace(module, {f"random_{name}": function for name, function in seeded.items()})
        _replace(module, {f"stateless_{name}": _after_seed(function) for name, function in seeded.items()})
        _replace(module, {"truncated_normal": truncated_normal, "stateless_categorical": _after_seed(categorical, 2)})
    _replace(keras.backend, {f"random_{name}": function for name, function in seeded.items()})
    _replace(keras.backend, {"truncated_normal": truncated_normal, "random_bernoulli": bernoulli})
    _replace(keras.backend, {"random_binomial": bernoulli, "dropout": identity})
    for module in (tf.nn, tf.compat.v1.nn):
        _replace(module, {"dropout": identity})
    _replace(tf.nn.experimental, {"stateless_dropout": identity, "general_dropout": identity})
    _replace(tf.random.Generator, {name: _method(function) for name, function in seeded.items()})

    def gaussian_noise(layer: Any, inputs: Any, training: Any = False) -> Any:
        return inputs + normal(inputs.shape, 0.0, layer.stddev, inputs.dtype) if training else inputs

    _replace(keras.layers.GaussianNoise, {"call": gaussian_noise})


def without_dropout(objects: Iterable[Any], keras: Any) -> None:
    """Sets the rate of everything that drops out to 0, and takes images as they are, for good."""
    recurrent = ("dropout", "recurrent_dropout")
    for value in objects:
        if not isinstance(value, keras.layers.Layer):
            continue
        if type(value).__name__.startswith("Random") and type(value).__module__.startswith(("keras.", "tf_keras.")):
            value.call = functools.partial(_as_given, getattr(keras, "ops", keras.backend).cast, value.compute_dtype)
        if "Dropout" in type(value).__name__ and isinstance(getattr(value, "rate", None), (int, float)):
            value.rate = 0.0
        for name in recurrent if "Cell" in type(value).__name__ or hasattr(value, "cell") else ():
            if isinstance(vars(value).get(name), float):
                setattr(value, name, 0.0)


def _as_given(cast: Callable[..., Any], dtype: str, inputs: Any, training: Any = True) -> Any:
    """An augmentation layer that is off."""
    return cast(inputs, dtype)


def _replace(owner: Any, functions: dict[str, Callable[..., Any]]) -> None:
    for name, function in functions.items():
        original = getattr(owner, name, None)
        if original is not None and not hasattr(original, "draws_noise"):
            setattr(owner, name, _switched(original, function))


def _switched(original: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def called(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs) if STREAM.active else original(*args, **kwargs)

    called.draws_noise = True  # type: ignore[attr-defined]
    return called


def _after_seed(function: Callable[..., Any], position: int = 1) -> Callable[..., Any]:
    """For the stateless twins, whose seed comes after the shape."""

    def called(*args: Any, **kwargs: Any) -> Any:
        kwargs.pop("seed", None)
        return function(*args[:position], *args[position + 1 :], **kwargs)

    return called


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    def called(generator: Any, *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return called
