"""Activations, normalisation, dropout and lookups of tf.nn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax

from codemods.engine.rule import Difference, f32, i32, known, refuse, rule, sample
from codemods.mappings.differences import FLOAT_RESULT, INTEGERS, NAN
from codemods.mappings.tf_index import TAKE_RANGE

if TYPE_CHECKING:
    rngs = nnx.Rngs(0)

X = f32(3, 4, low=-4, high=4)
RANDOM = Difference("random values", "the distribution is the same; the numbers come from `rngs`")


@rule("tf.nn.relu", samples=[sample(X), sample(i32(3, low=-4))])
def relu(features, name=None):
    return nnx.relu(features)


@rule("tf.nn.relu6", samples=[sample(f32(3, 4, low=-3, high=9))], differences=[FLOAT_RESULT])
def relu6(features, name=None):
    return nnx.relu6(features)


@rule("tf.nn.leaky_relu", samples=[sample(X), sample(X, alpha=0.1)])
def leaky_relu(features, alpha=0.2, name=None):
    return nnx.leaky_relu(features, negative_slope=alpha)


@rule("tf.nn.elu", samples=[sample(X)])
def elu(features, name=None):
    return nnx.elu(features)


@rule("tf.nn.selu", samples=[sample(X)])
def selu(features, name=None):
    return nnx.selu(features)


@rule("tf.nn.gelu", samples=[sample(X), sample(X, approximate=True)])
def gelu(features, approximate=False, name=None):
    return nnx.gelu(features, approximate=approximate)


@rule("tf.nn.silu", samples=[sample(X), sample(X, beta=0.5)])
def silu(features, beta=1.0):
    if known(beta) and beta == 1:
        return nnx.silu(features)
    return features * nnx.sigmoid(beta * features)


@rule("tf.nn.crelu", samples=[sample(X), sample(X, axis=0)])
def crelu(features, axis=-1, name=None):
    return jnp.concatenate([nnx.relu(features), nnx.relu(-features)], axis=axis)


@rule("tf.nn.softplus", samples=[sample(X)])
def softplus(features, name=None):
    return nnx.softplus(features)


@rule("tf.nn.softsign", samples=[sample(X)])
def softsign(features, name=None):
    return nnx.soft_sign(features)


@rule("tf.sigmoid", samples=[sample(X)])
def sigmoid(x, name=None):
    return nnx.sigmoid(x)


@rule("tf.math.log_sigmoid", samples=[sample(X)])
def log_sigmoid(x, name=None):
    return nnx.log_sigmoid(x)


@rule("tf.nn.softmax", samples=[sample(X), sample(X, axis=0), sample(X, axis=-1)], differences=[NAN])
def softmax(logits, axis=None, name=None):
    return nnx.softmax(logits, axis=-1 if axis is None else axis)


@rule("tf.nn.log_softmax", samples=[sample(X), sample(X, axis=0), sample(X, axis=-1)])
def log_softmax(logits, axis=None, name=None):
    return nnx.log_softmax(logits, axis=-1 if axis is None else axis)


@rule(
    "tf.nn.bias_add",
    samples=[
        sample(f32(2, 3, 4), f32(4)),
        sample(f32(2, 3, 4, 4), f32(3), data_format="NCHW"),
        sample(f32(2, 4), f32(4), "N...C"),
    ],
)
def bias_add(value, bias, data_format=None, name=None):
    if data_format in (None, "NHWC", "NWC", "NDHWC", "N...C"):
        return value + bias
    if data_format == "NCHW":
        return value + jnp.reshape(bias, (-1,) + (1,) * (value.ndim - 2))
    refuse("this data_format: move the channels to the end")


@rule(
    "tf.nn.moments",
    samples=[sample(f32(4, 3, 2), [0, 1]), sample(f32(4, 3), axes=[-1], keepdims=True), sample(f32(4, 3), 0)],
    differences=[INTEGERS],
)
def moments(x, axes, shift=None, keepdims=False, name=None):
    if known(axes) and isinstance(axes, list):
        axes = tuple(axes)
    return jnp.mean(x, axis=axes, keepdims=keepdims), jnp.var(x, axis=axes, keepdims=keepdims)


@rule(
    "tf.nn.batch_normalization",
    samples=[
        sample(f32(4, 3), f32(3), f32(3, low=0.1), f32(3), f32(3), 1e-3),
        sample(f32(4, 3), f32(3), f32(3, low=0.1), None, None, 1e-3),
        sample(f32(4, 3), f32(4, 1), f32(4, 1, low=0.1), offset=f32(3), scale=None, variance_epsilon=1e-5),
        sample(f32(4, 3), f32(3), f32(3, low=0.1), None, f32(3), 1e-3),
    ],
 differences=[NAN])  # fmt: skip
def batch_normalization(x, mean, variance, offset, scale, variance_epsilon, name=None):
    normalized = nnx.standardize(x, mean=mean, variance=variance, epsilon=variance_epsilon)
    if known(scale) and scale is None and known(offset) and offset is None:
        return normalized
    if known(scale) and scale is None:
        return normalized + offset
    if known(offset) and offset is None:
        return normalized * scale
    return normalized * scale + offset


@rule(
    "tf.nn.l2_normalize",
    samples=[sample(f32(4, 3), 1), sample(f32(4, 3)), sample(f32(4, 3, 2), axis=[1, 2], epsilon=1.0)],
)
def l2_normalize(x, axis=None, epsilon=1e-12, name=None, dim=None):
    if known(axis) and isinstance(axis, list):
        axis = tuple(axis)
    if dim is not None:
        axis = dim
    return x * lax.rsqrt(jnp.maximum(jnp.sum(jnp.square(x), axis=axis, keepdims=True), epsilon))


@rule(
    "tf.nn.local_response_normalization",
    samples=[sample(f32(2, 3, 3, 8)), sample(f32(1, 2, 2, 8), depth_radius=2, bias=2.0, alpha=0.1, beta=0.75)],
    differences=[NAN],
)
def local_response_normalization(input, depth_radius=5, bias=1, alpha=1, beta=0.5, name=None):
    window = (1, 1, 1, 2 * depth_radius + 1)
    sums = lax.reduce_window(jnp.square(input), 0.0, lax.add, window, (1, 1, 1, 1), "SAME")
    return input / (bias + alpha * sums) ** beta


@rule(
    "tf.nn.dropout",
    samples=[sample(f32(40, 50, low=1), 0.3), sample(f32(40, 50, low=1), rate=0.5, noise_shape=[40, 50], seed=1)],
    differences=[RANDOM],
    random=True,
)
def dropout(x, rate, noise_shape=None, seed=None, name=None):
    if known(noise_shape) and noise_shape is None:
        return nnx.Dropout(rate)(x, rngs=rngs)
    return jnp.where(jax.random.bernoulli(rngs.dropout(), 1 - rate, noise_shape), x / (1 - rate), 0)


@rule(
    "tf.nn.embedding_lookup",
    samples=[sample(f32(5, 3), i32(4, high=5)), sample(f32(5, 3), ids=i32(2, 2, high=5))],
    differences=[TAKE_RANGE],
)
def embedding_lookup(params, ids, max_norm=None, name=None):
    if max_norm is not None:
        refuse("max_norm: clip the rows with optax.projections.projection_l2_ball")
    return jnp.take(params, ids, axis=0)
