"""Activation layers of `tf.keras.layers`."""

import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import boolean, computed, f32, known, layer, sample
from codemods.mappings.keras_initializers import initializer


@layer("tf.keras.layers.ReLU", samples=[
    sample(x=f32(3, 4)), sample(6.0, x=f32(3, 4, low=-9, high=9)), sample(negative_slope=0.1, x=f32(3, 4)),
    sample(max_value=2.0, negative_slope=0.2, x=f32(3, 4, high=4)), sample(threshold=0.5, x=f32(3, 4)),
    sample(2.0, 0.1, 1.0, x=f32(3, 4, high=4)),
])  # fmt: skip
class ReLU:
    keeps_mask = "always"

    def make(max_value=None, negative_slope=0.0, threshold=0.0):
        return None

    def call(layer, inputs, *, max_value, negative_slope, threshold):
        if threshold != 0:
            if max_value is not None:
                return jnp.where(
                    inputs > threshold, jnp.minimum(inputs, max_value), negative_slope * (inputs - threshold)
                )
            return jnp.where(inputs > threshold, inputs, negative_slope * (inputs - threshold))
        if max_value == 6 and not negative_slope:
            return nnx.relu6(inputs)
        if max_value is not None and negative_slope:
            return jnp.minimum(nnx.leaky_relu(inputs, negative_slope=negative_slope), max_value)
        if max_value is not None:
            return jnp.clip(inputs, 0, max_value)
        if negative_slope:
            return nnx.leaky_relu(inputs, negative_slope=negative_slope)
        return nnx.relu(inputs)


@layer("tf.keras.layers.LeakyReLU", samples=[
    sample(x=f32(3, 4)), sample(0.1, x=f32(3, 4)), sample(negative_slope=0.01, x=f32(3, 4)),
])  # fmt: skip
class LeakyReLU:
    keeps_mask = "always"

    def make(negative_slope=0.3, alpha=None):
        return None

    def call(layer, inputs, *, negative_slope, alpha):
        if known(alpha) and alpha is None:
            return nnx.leaky_relu(inputs, negative_slope=negative_slope)
        return nnx.leaky_relu(inputs, negative_slope=alpha)


@layer("tf.keras.layers.ELU", samples=[sample(x=f32(3, 4)), sample(0.5, x=f32(3, 4))])
class ELU:
    keeps_mask = "always"

    def make(alpha=1.0):
        return None

    def call(layer, inputs, *, alpha):
        return nnx.elu(inputs, alpha=alpha)


@layer("tf.keras.layers.ThresholdedReLU", samples=[sample(x=f32(3, 4)), sample(0.2, x=f32(3, 4))])
class ThresholdedReLU:
    keeps_mask = "always"

    def make(theta=1.0):
        return None

    def call(layer, inputs, *, theta):
        return jnp.where(inputs > theta, inputs, 0)


@layer("tf.keras.layers.Softmax", samples=[
    sample(x=f32(3, 4)), sample(axis=1, x=f32(3, 4, 2)), sample([1, 2], x=f32(3, 4, 2)),
    sample(x=f32(3, 4), call={"mask": boolean(3, 4)}),
])  # fmt: skip
class Softmax:
    keeps_mask = "always"

    def make(axis=-1):
        return None

    def call(layer, inputs, mask=None, *, axis):
        if isinstance(axis, list):
            axis = tuple(axis)
        if mask is not None:
            return nnx.softmax(inputs, axis=axis, where=mask)
        return nnx.softmax(inputs, axis=axis)


@computed
def prelu_shape(shape, shared_axes):
    """One slope for each element, with 1 along the axes that share theirs."""
    shared = shared_axes if isinstance(shared_axes, (list, tuple)) else [shared_axes]
    shared = [axis % len(shape) for axis in shared if axis is not None]
    return tuple(1 if i in shared else n for i, n in enumerate(shape) if i > 0)


class PReLU(nnx.Module):
    """A leaky ReLU with a learned slope for every element."""

    def __init__(self, shape, *, slope_init=nnx.initializers.zeros, rngs: nnx.Rngs):
        self.slope = nnx.Param(slope_init(rngs.params(), shape))

    def __call__(self, x):
        return nnx.relu(x) - self.slope * nnx.relu(-x)


@layer("tf.keras.layers.PReLU", samples=[
    sample(alpha_initializer="ones", x=f32(3, 4)), sample(shared_axes=[1, 2], x=f32(2, 3, 3, 4)),
])  # fmt: skip
class PReLULayer:
    helpers = (PReLU,)
    keeps_mask = "always"

    def make(alpha_initializer="Zeros", alpha_regularizer=None, alpha_constraint=None, shared_axes=None, *, x, rngs):
        return PReLU(prelu_shape(x.shape, shared_axes), slope_init=initializer(alpha_initializer), rngs=rngs)

    def call(layer, inputs):
        return layer(inputs)

    weights = {"alpha": "slope"}
