"""Keras activations: functions, and the names that layers take."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import f32, macro, refuse, rule, sample
from codemods.mappings.differences import FLOAT_RESULT, NAN

#: Keras names, in lower case, and the function that computes the same.
ACTIVATIONS = {
    "celu": "nnx.celu",
    "elu": "nnx.elu",
    "exponential": "jnp.exp",
    "gelu": "functools.partial(nnx.gelu, approximate=False)",
    "glu": "nnx.glu",
    "hard_shrink": "lambda x: jnp.where(jnp.abs(x) > 0.5, x, 0)",
    "hard_sigmoid": "nnx.hard_sigmoid",
    "hard_silu": "nnx.hard_silu",
    "hard_swish": "nnx.hard_silu",
    "hard_tanh": "nnx.hard_tanh",
    "leaky_relu": "functools.partial(nnx.leaky_relu, negative_slope=0.2)",
    "linear": "nnx.identity",
    "log_sigmoid": "nnx.log_sigmoid",
    "log_softmax": "nnx.log_softmax",
    "mish": "jax.nn.mish",
    "relu": "nnx.relu",
    "relu6": "nnx.relu6",
    "selu": "nnx.selu",
    "sigmoid": "nnx.sigmoid",
    "silu": "nnx.silu",
    "soft_shrink": "lambda x: jnp.sign(x) * nnx.relu(jnp.abs(x) - 0.5)",
    "softmax": "nnx.softmax",
    "softplus": "nnx.softplus",
    "softsign": "nnx.soft_sign",
    "sparse_plus": "jax.nn.sparse_plus",
    "sparse_sigmoid": "jax.nn.sparse_sigmoid",
    "squareplus": "jax.nn.squareplus",
    "swish": "nnx.silu",
    "tanh": "nnx.tanh",
    "tanh_shrink": "lambda x: x - jnp.tanh(x)",
}
UNKNOWN = "an activation whose name is not known here: pass the function, such as nnx.relu, in place of its name"


@macro(table="KERAS_ACTIVATIONS")
def activation(value: str | None) -> str:
    """The function that a Keras activation's name stands for."""
    name = "linear" if value is None else value
    if name not in ACTIVATIONS:
        refuse(f"no function in JAX for the activation {name!r}")
    return ACTIVATIONS[name]


X = f32(3, 4, low=-4, high=4)


@rule("tf.keras.activations.get", samples=[sample("relu"), sample("gelu"), sample("leaky_relu")])
def get(identifier):
    return activation(identifier)


@rule("tf.keras.activations.celu", samples=[sample(X), sample(X, alpha=0.5)])
def celu(x, alpha=1.0):
    return nnx.celu(x, alpha=alpha)


@rule("tf.keras.activations.elu", samples=[sample(X), sample(X, alpha=0.5)])
def elu(x, alpha=1.0):
    return nnx.elu(x, alpha=alpha)


@rule("tf.keras.activations.exponential", samples=[sample(X)])
def exponential(x):
    return jnp.exp(x)


@rule("tf.keras.activations.gelu", samples=[sample(X), sample(X, approximate=True)])
def gelu(x, approximate=False):
    return nnx.gelu(x, approximate=approximate)


@rule("tf.keras.activations.glu", samples=[sample(X), sample(f32(4, 6), axis=0)])
def glu(x, axis=-1):
    return nnx.glu(x, axis=axis)


@rule("tf.keras.activations.hard_shrink", samples=[sample(X), sample(X, threshold=1.0)])
def hard_shrink(x, threshold=0.5):
    return jnp.where(jnp.abs(x) > threshold, x, 0)


@rule("tf.keras.activations.hard_sigmoid", samples=[sample(X)])
def hard_sigmoid(x):
    return nnx.hard_sigmoid(x)


@rule("tf.keras.activations.hard_silu", samples=[sample(X)])
def hard_silu(x):
    return nnx.hard_silu(x)


@rule("tf.keras.activations.hard_tanh", samples=[sample(X)])
def hard_tanh(x):
    return nnx.hard_tanh(x)


@rule("tf.keras.activations.leaky_relu", samples=[sample(X), sample(X, negative_slope=0.1)])
def leaky_relu(x, negative_slope=0.2):
    return nnx.leaky_relu(x, negative_slope=negative_slope)


@rule("tf.keras.activations.linear", samples=[sample(X)])
def linear(x):
    return x


@rule("tf.keras.activations.log_sigmoid", samples=[sample(X)])
def log_sigmoid(x):
    return nnx.log_sigmoid(x)


@rule("tf.keras.activations.log_softmax", samples=[sample(X), sample(X, axis=0)])
def log_softmax(x, axis=-1):
    return nnx.log_softmax(x, axis=axis)


@rule("tf.keras.activations.mish", samples=[sample(X)])
def mish(x):
    return jax.nn.mish(x)


@rule(
    "tf.keras.activations.relu",
    samples=[sample(X), sample(X, negative_slope=0.1), sample(X, max_value=2.0), sample(X, threshold=0.5),
             sample(X, negative_slope=0.1, max_value=1.0, threshold=0.5)],
)  # fmt: skip
def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    if threshold == 0 and negative_slope == 0 and max_value is None:
        return nnx.relu(x)
    if threshold == 0 and max_value is None:
        return nnx.leaky_relu(x, negative_slope=negative_slope)
    if threshold == 0 and negative_slope == 0:
        return jnp.clip(x, 0, max_value)
    return jnp.where(
        x > threshold,
        jnp.minimum(x, max_value if max_value is not None else jnp.inf),
        negative_slope * (x - threshold),
    )


@rule("tf.keras.activations.relu6", samples=[sample(f32(5, low=-3, high=9))], differences=[FLOAT_RESULT])
def relu6(x):
    return nnx.relu6(x)


@rule("tf.keras.activations.selu", samples=[sample(X)])
def selu(x):
    return nnx.selu(x)


@rule("tf.keras.activations.sigmoid", samples=[sample(X)])
def sigmoid(x):
    return nnx.sigmoid(x)


@rule("tf.keras.activations.silu", samples=[sample(X)])
def silu(x):
    return nnx.silu(x)


@rule("tf.keras.activations.soft_shrink", samples=[sample(X), sample(X, threshold=1.0)], differences=[NAN])
def soft_shrink(x, threshold=0.5):
    return jnp.sign(x) * nnx.relu(jnp.abs(x) - threshold)


@rule("tf.keras.activations.softmax", samples=[sample(X), sample(X, axis=0)], differences=[NAN])
def softmax(x, axis=-1):
    return nnx.softmax(x, axis=axis)


@rule("tf.keras.activations.softplus", samples=[sample(X)])
def softplus(x):
    return nnx.softplus(x)


@rule("tf.keras.activations.softsign", samples=[sample(X)])
def softsign(x):
    return nnx.soft_sign(x)


@rule("tf.keras.activations.sparse_plus", samples=[sample(X)])
def sparse_plus(x):
    return jax.nn.sparse_plus(x)


@rule("tf.keras.activations.sparse_sigmoid", samples=[sample(X)])
def sparse_sigmoid(x):
    return jax.nn.sparse_sigmoid(x)


@rule("tf.keras.activations.squareplus", samples=[sample(X), sample(X, b=1)])
def squareplus(x, b=4):
    return jax.nn.squareplus(x, b=b)


@rule("tf.keras.activations.tanh", samples=[sample(X)])
def tanh(x):
    return nnx.tanh(x)


@rule("tf.keras.activations.tanh_shrink", samples=[sample(X)])
def tanh_shrink(x):
    return x - jnp.tanh(x)


@rule("tf.keras.activations.threshold", samples=[sample(X, 0.5, -1.0)])
def threshold(x, threshold, default_value):
    return jnp.where(x > threshold, x, default_value)
