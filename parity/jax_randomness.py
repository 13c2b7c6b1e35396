"""Lets the port draw from the shared stream of noise, and turns its dropout off, as on the other side."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from parity import call as calls
from parity.noise import STREAM


def install() -> None:
    """Replaces the public random functions; outside `STREAM.evaluation()` they are what they were.

    Call it before the port is imported, which may take the functions by name.
    """

    def normal(key, shape=(), dtype=float, **_):
        return jnp.asarray(STREAM.normal(shape), dtype)

    def uniform(key, shape=(), dtype=float, minval=0.0, maxval=1.0, **_):
        return jnp.asarray(STREAM.uniform(shape), dtype) * (maxval - minval) + minval

    def truncated_normal(key, lower=-2.0, upper=2.0, shape=(), dtype=float, **_):
        return jnp.asarray(STREAM.truncated(shape or (), float(lower), float(upper)), dtype)

    def randint(key, shape, minval, maxval, dtype=int, **_):
        return jnp.asarray(STREAM.integers(shape, int(minval), int(maxval)), dtype)

    def bernoulli(key, p=0.5, shape=None, *_, **__):
        return jnp.asarray(STREAM.uniform(jnp.shape(p) if shape is None else shape)) < p

    def gumbel(key, shape=(), dtype=float, *_, **__):
        return -jnp.log(-jnp.log(jnp.asarray(STREAM.uniform(shape), dtype)))

    def categorical(key, logits, axis=-1, shape=None, *_, **__):
        rows = logits.shape[:-1]
        samples = () if shape is None else tuple(shape)[: len(shape) - len(rows)]
        noise = gumbel(key, (*rows, *(samples or (1,)), logits.shape[-1]), logits.dtype)
        drawn = jnp.argmax(logits[..., None, :] + noise, axis=-1)
        return drawn[..., 0] if not samples else jnp.moveaxis(drawn, -1, 0)

    functions: list[Callable[..., Any]] = [normal, uniform, truncated_normal, randint, bernoulli, gumbel, categorical]
    for function in functions:
        name = function.__name__
        original = getattr(jax.random, name)
        if not hasattr(original, "draws_noise"):
            setattr(jax.random, name, _switched(original, function))
    if not hasattr(nnx.Dropout.__call__, "draws_noise"):
        nnx.Dropout.__call__ = _without_rate(nnx.Dropout.__call__)


#: Classes that ports bring with them for layers that are off in the original, too.
_OFF = frozenset({"RandomFlip", "RandomWarp", "RandomContrast", "RandomBrightness", "AlphaDropout", "GaussianDropout"})


def _as_given(module: Any, x: Any, *, deterministic: bool = False) -> Any:
    """A layer that is off."""
    return x


def without_dropout(model: Any) -> None:
    """Sets the rate of everything that drops out to 0, and takes images as they are, for good."""
    for part in calls.models(model):
        for _, module in nnx.iter_modules(part) if isinstance(part, nnx.Module) else ():
            if isinstance(module, nnx.MultiHeadAttention):
                module.dropout_rate = 0.0
            elif type(module).__name__ in _OFF and hasattr(module, "rngs"):
                type(module).__call__ = _as_given


def _switched(original: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def called(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs) if STREAM.active else original(*args, **kwargs)

    called.draws_noise = True  # type: ignore[attr-defined]
    return called


def _without_rate(original: Callable[..., Any]) -> Callable[..., Any]:
    """Dropout that still wants to know whether it is on, and then drops nothing."""

    @functools.wraps(original)
    def called(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if not STREAM.active:
            return original(layer, *args, **kwargs)
        rate, layer.rate = layer.rate, 0.0
        try:
            return original(layer, *args, **kwargs)
        finally:
            layer.rate = rate

    called.draws_noise = True  # type: ignore[attr-defined]
    return called
