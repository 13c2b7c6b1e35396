"""Layers of `tf.keras.layers` that bring features into shape: Normalization, Discretization."""

import jax
import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import Difference, f32, inline, known, layer, refuse, sample


class Normalization(nnx.Module):
    """Shifts and scales features by statistics that `adapt` takes from data."""

    def __init__(self, features):
        self.mean = nnx.BatchStat(jnp.zeros(features))
        self.variance = nnx.BatchStat(jnp.ones(features))
        self.count = nnx.BatchStat(jnp.zeros((), int))

    def adapt(self, data):
        axes = tuple(range(data.ndim - self.mean.ndim))
        self.mean[...], self.variance[...] = data.mean(axes), data.var(axes)

    def __call__(self, x):
        return (x - self.mean) / jnp.maximum(jnp.sqrt(self.variance), 1e-7)


@inline
def deviation(variance):
    """The root of a variance, which may be a list of numbers."""
    if isinstance(variance, (list, tuple)):
        return jnp.maximum(jnp.sqrt(jnp.array(variance)), 1e-7)
    return jnp.maximum(jnp.sqrt(variance), 1e-7)


@inline
def vector(numbers):
    if isinstance(numbers, (list, tuple)):
        return jnp.array(numbers)
    return numbers


@layer(
    "tf.keras.layers.Normalization", "tf.keras.layers.experimental.preprocessing.Normalization",
    differences=[Difference("the count, an int64", "is an int32")],
    samples=[
        sample(x=f32(4, 3)), sample(axis=None, x=f32(4, 3)), sample(mean=0.5, variance=2.0, x=f32(4, 3)),
        sample(mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0], x=f32(4, 3)),
        sample(mean=1.0, variance=4.0, invert=True, x=f32(4, 2, 3)),
    ],
)  # fmt: skip
class NormalizationRule:
    helpers = (Normalization,)
    keeps_mask = "always"

    def make(axis=-1, mean=None, variance=None, invert=False, *, x):
        if mean is not None:
            return None
        if invert:
            refuse("Normalization with invert and statistics of its own")
        if axis is None:
            return Normalization(())
        if axis != -1 and axis != len(x.shape) - 1:
            refuse("Normalization over other axes than the last: move that axis to the end")
        return Normalization(x.shape[-1])

    def call(layer, inputs, *, axis, mean, variance, invert):
        if mean is None:
            return layer(inputs)
        if axis is not None and axis != -1 and axis != inputs.ndim - 1:
            refuse("Normalization over other axes than the last: move that axis to the end")
        if invert:
            return vector(mean) + inputs * deviation(variance)
        return (inputs - vector(mean)) / deviation(variance)

    weights = {"adapt_mean": "mean", "adapt_variance": "variance", "count": "count"}


@layer(
    "tf.keras.layers.Discretization", "tf.keras.layers.experimental.preprocessing.Discretization",
    samples=[sample([-1.0, 0.0, 1.0], x=f32(4, 3)), sample(bin_boundaries=[0.5], output_mode="one_hot", x=f32(4, 1))],
)  # fmt: skip
class Discretization:
    def make(bin_boundaries=None, num_bins=None, epsilon=0.01, output_mode="int", sparse=False, dtype=None, name=None):
        if bin_boundaries is None or sparse:
            refuse("Discretization whose boundaries come from `adapt`: take np.quantile of the data, and pass them")
        return None

    def call(layer, inputs, *, bin_boundaries, output_mode):
        places = jnp.digitize(inputs, jnp.array(bin_boundaries))
        if output_mode == "int":
            return places
        if output_mode == "one_hot":
            if known(inputs.ndim) and inputs.ndim > 1:
                return jax.nn.one_hot(places[..., 0], len(bin_boundaries) + 1)
            return jax.nn.one_hot(places, len(bin_boundaries) + 1)
        refuse("multi_hot and count: sum jax.nn.one_hot of the places")

    def shape(x, *, bin_boundaries, output_mode):
        if output_mode == "int":
            return x.shape
        return (*(x.shape[:-1] if len(x.shape) > 1 else x.shape), len(bin_boundaries) + 1)
