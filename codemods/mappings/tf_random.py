"""Random numbers: keys come from `rngs`; stateless ones from their seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import f32, inline, known, refuse, rule, sample
from codemods.mappings.differences import SCALAR
from codemods.mappings.tf_dtypes import NARROW, NARROW_UNLESS_ASKED, as_dtype, float_dtype
from codemods.mappings.tf_nn import RANDOM

if TYPE_CHECKING:
    rngs = nnx.Rngs(0)

UNKNOWN_DTYPE = "a dtype that is not known here: jax.random.uniform is for floats, jax.random.randint for integers"


@inline
def scaled(noise, mean, stddev):
    """Noise with another mean and deviation than 0 and 1."""
    if known(stddev) and stddev == 1 and known(mean) and mean == 0:
        return noise
    if known(mean) and mean == 0:
        return stddev * noise
    if known(stddev) and stddev == 1:
        return mean + noise
    return mean + stddev * noise


@inline
def uniform_of(key, shape, minval, maxval, dtype):
    """Uniform numbers, which are other functions for floats and integers."""
    if not known(dtype):
        refuse(UNKNOWN_DTYPE)
    if dtype in ("int32", "int64", "uint32", "uint64"):
        return jax.random.randint(key, shape, minval, maxval, dtype=as_dtype(dtype))
    if known(maxval) and maxval is None:
        return jax.random.uniform(key, shape, dtype=float_dtype(dtype), minval=minval)
    return jax.random.uniform(key, shape, dtype=float_dtype(dtype), minval=minval, maxval=maxval)


@rule(
    "tf.random.normal",
    samples=[
        sample([40, 50]),
        sample([40, 50], 1.0, 0.5),
        sample((40, 50), stddev=2.0, seed=1),
        sample([3], dtype="float16"),
    ],
    differences=[RANDOM],
    random=True,
)
def normal(shape, mean=0.0, stddev=1.0, dtype="float32", seed=None, name=None):
    return scaled(jax.random.normal(rngs.noise(), shape, dtype=float_dtype(dtype)), mean, stddev)


@rule(
    "tf.random.truncated_normal",
    samples=[sample([40, 50]), sample([40, 50], 1.0, 0.5), sample((40, 50), stddev=0.1, seed=1)],
    differences=[RANDOM],
    random=True,
)
def truncated_normal(shape, mean=0.0, stddev=1.0, dtype="float32", seed=None, name=None):
    return scaled(jax.random.truncated_normal(rngs.noise(), -2, 2, shape, dtype=float_dtype(dtype)), mean, stddev)


@rule(
    "tf.random.uniform",
    samples=[
        sample([40, 50]),
        sample([40, 50], -1.0, 3.0),
        sample((40, 50), maxval=2.5),
        sample([40, 50], 0, 9, dtype="int32"),
        sample([40, 50], maxval=5, dtype="int32", seed=1),
    ],
    differences=[RANDOM, NARROW],
    random=True,
)
def uniform(shape, minval=0, maxval=None, dtype="float32", seed=None, name=None):
    return uniform_of(rngs.noise(), shape, minval, maxval, dtype)


@rule(
    "tf.random.shuffle",
    samples=[sample(f32(600)), sample(f32(300, 2), seed=1)],
    differences=[RANDOM, SCALAR],
    random=True,
)
def shuffle(value, seed=None, name=None):
    return jax.random.permutation(rngs.noise(), value)


@rule(
    "tf.random.categorical",
    samples=[sample(f32(20, 5), 60, "int32"), sample(f32(20, 5), num_samples=60, dtype="int32", seed=1)],
    differences=[RANDOM, NARROW_UNLESS_ASKED],
    random=True,
)
def categorical(logits, num_samples, dtype=None, seed=None, name=None):
    return jax.random.categorical(rngs.noise(), jnp.expand_dims(logits, 1), shape=(logits.shape[0], num_samples))


@rule(
    "tf.random.gamma",
    samples=[
        sample([600], 2.0),
        sample([600], 2.0, beta=0.5),
        sample([600, 2], f32(3, low=2, high=2), seed=1),
        sample([600], 2.0, dtype="float16"),
    ],
    differences=[RANDOM],
    random=True,
)
def gamma(shape, alpha, beta=None, dtype="float32", seed=None, name=None):
    if known(alpha) and isinstance(alpha, (int, float)):
        numbers = jax.random.gamma(rngs.noise(), alpha, shape, dtype=float_dtype(dtype))
    else:
        numbers = jax.random.gamma(rngs.noise(), alpha, (*shape, *jnp.shape(alpha)), dtype=float_dtype(dtype))
    if known(beta) and beta is None:
        return numbers
    return numbers / beta


@rule(
    "tf.random.poisson",
    samples=[sample([600], 2.0), sample([600], lam=f32(2, low=3, high=3), dtype="int32")],
    differences=[RANDOM, NARROW],
    random=True,
)
def poisson(shape, lam, dtype="float32", seed=None, name=None):
    return jax.random.poisson(rngs.noise(), lam, (*shape, *jnp.shape(lam))).astype(as_dtype(dtype))


@rule(
    "tf.random.stateless_normal",
    samples=[sample([40, 50], [1, 2]), sample([40, 50], seed=[1, 2], mean=1.0, stddev=0.5)],
    differences=[RANDOM],
    random=True,
)
def stateless_normal(shape, seed, mean=0.0, stddev=1.0, dtype="float32", name=None, alg="auto_select"):
    key = jax.random.wrap_key_data(jnp.asarray(seed, dtype=jnp.uint32))
    return scaled(jax.random.normal(key, shape, dtype=float_dtype(dtype)), mean, stddev)


@rule(
    "tf.random.stateless_truncated_normal",
    samples=[sample([40, 50], [1, 2]), sample([40, 50], seed=[1, 2], stddev=0.5)],
    differences=[RANDOM],
    random=True,
)
def stateless_truncated_normal(shape, seed, mean=0.0, stddev=1.0, dtype="float32", name=None, alg="auto_select"):
    key = jax.random.wrap_key_data(jnp.asarray(seed, dtype=jnp.uint32))
    return scaled(jax.random.truncated_normal(key, -2, 2, shape, dtype=float_dtype(dtype)), mean, stddev)


@rule(
    "tf.random.stateless_uniform",
    samples=[
        sample([40, 50], [1, 2]),
        sample([40, 50], seed=[1, 2], minval=0, maxval=9, dtype="int32"),
        sample([40, 50], [1, 2], -1.0, 1.0),
    ],
    differences=[RANDOM, NARROW],
    random=True,
)
def stateless_uniform(shape, seed, minval=0, maxval=None, dtype="float32", name=None, alg="auto_select"):
    return uniform_of(jax.random.wrap_key_data(jnp.asarray(seed, dtype=jnp.uint32)), shape, minval, maxval, dtype)


@rule(
    "tf.random.stateless_categorical",
    samples=[sample(f32(20, 5), 60, [1, 2], dtype="int32")],
    differences=[RANDOM, NARROW],
    random=True,
)
def stateless_categorical(logits, num_samples, seed, dtype="int64", name=None):
    key = jax.random.wrap_key_data(jnp.asarray(seed, dtype=jnp.uint32))
    return jax.random.categorical(key, jnp.expand_dims(logits, 1), shape=(logits.shape[0], num_samples))


@rule(
    "tf.keras.random.normal",
    samples=[sample([40, 50]), sample([40, 50], 1.0, stddev=0.5, seed=1)],
    differences=[RANDOM],
    random=True,
)
def keras_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    return scaled(
        jax.random.normal(rngs.noise(), shape, dtype=float_dtype("float32" if dtype is None else dtype)), mean, stddev
    )


@rule(
    "tf.keras.random.truncated_normal",
    samples=[sample([40, 50]), sample([40, 50], 1.0, stddev=0.5, seed=1)],
    differences=[RANDOM],
    random=True,
)
def keras_truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    dtype = "float32" if dtype is None else dtype
    return scaled(jax.random.truncated_normal(rngs.noise(), -2, 2, shape, dtype=float_dtype(dtype)), mean, stddev)


@rule(
    "tf.keras.random.uniform",
    samples=[sample([40, 50]), sample([40, 50], -1.0, maxval=2.5, seed=1)],
    differences=[RANDOM],
    random=True,
)
def keras_uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    return uniform_of(rngs.noise(), shape, minval, maxval, "float32" if dtype is None else dtype)


@rule(
    "tf.keras.random.randint",
    samples=[sample([40, 50], 0, 9), sample([40, 50], minval=-3, maxval=3, seed=1)],
    differences=[RANDOM, NARROW],
    random=True,
)
def keras_randint(shape, minval, maxval, dtype="int32", seed=None):
    return jax.random.randint(rngs.noise(), shape, minval, maxval, dtype=as_dtype(dtype))


@rule("tf.keras.random.categorical", samples=[sample(f32(20, 5), 60)], differences=[RANDOM, NARROW], random=True)
def keras_categorical(logits, num_samples, dtype="int32", seed=None):
    found = jax.random.categorical(rngs.noise(), jnp.expand_dims(logits, 1), shape=(logits.shape[0], num_samples))
    if known(dtype) and dtype in ("int32", "int64"):
        return found
    return found.astype(as_dtype(dtype))


@rule(
    "tf.keras.random.shuffle",
    samples=[sample(f32(600)), sample(f32(2, 300), axis=1, seed=1), sample(f32(5, 3)), sample(f32(3, 5), axis=1)],
    differences=[RANDOM],
    random=True,
)
def keras_shuffle(x, axis=0, seed=None):
    return jax.random.permutation(rngs.noise(), x, axis=axis, independent=False)


@rule(
    "tf.keras.random.dropout",
    samples=[sample(f32(40, 50, low=1), 0.3), sample(f32(40, 50, low=1), rate=0.5, seed=1)],
    differences=[RANDOM],
    random=True,
)
def keras_dropout(inputs, rate, noise_shape=None, seed=None):
    if noise_shape is not None:
        refuse("noise_shape: give broadcast_dims to nnx.Dropout")
    return nnx.Dropout(rate)(inputs, rngs=rngs)
