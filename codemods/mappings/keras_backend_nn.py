"""Activations, losses and random numbers of tf.keras.backend, and settings of tf.keras.config."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import lax

from codemods.engine.rule import f32, refuse, rule, sample
from codemods.mappings.differences import NAN, ON_HOST, OUTSIDE
from codemods.mappings.tf_dtypes import as_dtype
from codemods.mappings.tf_nn import RANDOM
from codemods.mappings.tf_random import scaled

if TYPE_CHECKING:
    rngs = nnx.Rngs(0)


@rule("tf.keras.backend.l2_normalize", samples=[sample(f32(3, 4), axis=1), sample(f32(3, 4))])
def l2_normalize(x, axis=None):
    return x * lax.rsqrt(jnp.maximum(jnp.sum(jnp.square(x), axis=axis, keepdims=True), 1e-12))


@rule("tf.keras.backend.stop_gradient", samples=[sample(f32(3, 4))])
def stop_gradient(variables):
    return lax.stop_gradient(variables)


@rule("tf.keras.backend.get_value", samples=[sample(f32(3, 4))], differences=[ON_HOST])
def get_value(x):
    return np.asarray(x)


@rule("tf.keras.backend.eval", samples=[sample(f32(3, 4))], differences=[ON_HOST])
def eval_(x):
    return np.asarray(x)


@rule("tf.keras.backend.is_sparse", samples=[sample(f32(3, 4))])
def is_sparse(tensor):
    return False


@rule("tf.keras.backend.to_dense", samples=[sample(f32(3, 4))])
def to_dense(tensor):
    return tensor


@rule(
    "tf.keras.backend.relu",
    samples=[sample(f32(3, 4)), sample(f32(3), alpha=0.1), sample(f32(3), max_value=1.0), sample(f32(5), 0.1, 0.5)],
)
def relu(x, alpha=0.0, max_value=None, threshold=0.0):
    if threshold != 0:
        refuse("a threshold: use jnp.where")
    if alpha == 0 and max_value is None:
        return nnx.relu(x)
    if alpha == 0:
        return jnp.clip(x, 0, max_value)
    if max_value is None:
        return nnx.leaky_relu(x, negative_slope=alpha)
    return jnp.minimum(nnx.leaky_relu(x, negative_slope=alpha), max_value)


@rule("tf.keras.backend.softmax", samples=[sample(f32(3, 4)), sample(f32(3, 4), axis=0)], differences=[NAN])
def softmax(x, axis=-1):
    return nnx.softmax(x, axis=axis)


@rule("tf.keras.backend.sigmoid", samples=[sample(f32(3, 4))])
def sigmoid(x):
    return nnx.sigmoid(x)


@rule("tf.keras.backend.softplus", samples=[sample(f32(3, 4))])
def softplus(x):
    return nnx.softplus(x)


@rule("tf.keras.backend.softsign", samples=[sample(f32(3, 4))])
def softsign(x):
    return nnx.soft_sign(x)


@rule("tf.keras.backend.hard_sigmoid", samples=[sample(f32(3, 4, low=-4, high=4))])
def hard_sigmoid(x):
    return jnp.clip(0.2 * x + 0.5, 0, 1)


@rule("tf.keras.backend.elu", samples=[sample(f32(3, 4)), sample(f32(3), alpha=0.5)])
def elu(x, alpha=1.0):
    return nnx.elu(x, alpha=alpha)


@rule(
    "tf.keras.backend.binary_crossentropy",
    samples=[
        sample(f32(3, low=0, high=1), f32(3, low=0.1, high=0.9)),
        sample(f32(3, low=0, high=1), f32(3), from_logits=True),
    ],
    differences=[OUTSIDE],
)
def binary_crossentropy(target, output, from_logits=False):
    if from_logits:
        return optax.sigmoid_binary_cross_entropy(output, target)
    output = jnp.clip(output, 1e-7, 1 - 1e-7)
    return -target * jnp.log(output + 1e-7) - (1 - target) * jnp.log(1 - output + 1e-7)


@rule(
    "tf.keras.backend.random_normal",
    samples=[sample([40, 50]), sample([40, 50], 1.0, stddev=0.5, seed=1)],
    differences=[RANDOM],
    random=True,
)
def random_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    return scaled(jax.random.normal(rngs.noise(), shape, dtype=as_dtype(dtype)), mean, stddev)


@rule(
    "tf.keras.backend.random_uniform",
    samples=[sample([40, 50]), sample([40, 50], -1.0, maxval=0.5, seed=1)],
    differences=[RANDOM],
    random=True,
)
def random_uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    return jax.random.uniform(rngs.noise(), shape, dtype=as_dtype(dtype), minval=minval, maxval=maxval)


@rule("tf.keras.config.image_data_format", samples=[sample()])
def image_data_format():
    return "channels_last"


@rule("tf.keras.config.floatx", samples=[sample()])
def floatx():
    return "float32"


@rule("tf.keras.config.epsilon", samples=[sample()])
def epsilon():
    return 1e-7
