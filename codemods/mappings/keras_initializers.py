"""Initialisers: classes, and the names that layers take. Each is a function of (key, shape, dtype)."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import Difference, macro, refuse, rule, sample
from codemods.engine.touching import stated

#: Names in lower case without underscores, with Keras's default arguments.
INITIALIZERS = {
    "glorotnormal": "nnx.initializers.glorot_normal()",
    "glorotuniform": "nnx.initializers.glorot_uniform()",
    "henormal": "nnx.initializers.he_normal()",
    "heuniform": "nnx.initializers.he_uniform()",
    "identity": "lambda key, shape, dtype=jnp.float32: jnp.eye(*shape, dtype=dtype)",
    "identityinitializer": "lambda key, shape, dtype=jnp.float32: jnp.eye(*shape, dtype=dtype)",
    "lecunnormal": "nnx.initializers.lecun_normal()",
    "lecununiform": "nnx.initializers.lecun_uniform()",
    "normal": "nnx.initializers.normal(0.05)",
    "one": "nnx.initializers.ones_init()",
    "ones": "nnx.initializers.ones_init()",
    "orthogonal": "nnx.initializers.orthogonal()",
    "orthogonalinitializer": "nnx.initializers.orthogonal()",
    "randomnormal": "nnx.initializers.normal(0.05)",
    "randomuniform": "functools.partial(jax.random.uniform, minval=-0.05, maxval=0.05)",
    "truncatednormal": "nnx.initializers.truncated_normal(0.05)",
    "uniform": "functools.partial(jax.random.uniform, minval=-0.05, maxval=0.05)",
    "variancescaling": 'nnx.initializers.variance_scaling(1.0, "fan_in", "truncated_normal")',
    "zero": "nnx.initializers.zeros_init()",
    "zeros": "nnx.initializers.zeros_init()",
}
UNKNOWN = "an initialiser whose name is not known here: pass the function, such as nnx.initializers.glorot_uniform()"
FANS = "axes of the fans: give in_axis and out_axis to nnx.initializers.variance_scaling"
SEED = Difference("a seed", "the distribution is the same, the numbers come from `rngs`", at=stated("seed"))


@macro(table="KERAS_INITIALIZERS")
def initializer(value: str | None) -> str:
    """The function that a Keras initialiser's name stands for."""
    name = "glorot_uniform" if value is None else value
    name = name.lower().replace("_", "") if isinstance(name, str) else ""
    if name not in INITIALIZERS:
        refuse(f"no function in Flax for the initialiser {value!r}")
    return INITIALIZERS[name]


@rule("tf.keras.initializers.get", samples=[sample("zeros"), sample("ones")])
def get(identifier):
    return initializer(identifier)


@rule("tf.keras.initializers.Zeros", samples=[sample()])
def zeros():
    return nnx.initializers.zeros_init()


@rule("tf.zeros_initializer", samples=[sample()])
def zeros_initializer():
    return nnx.initializers.zeros_init()


@rule("tf.keras.initializers.Ones", samples=[sample()])
def ones():
    return nnx.initializers.ones_init()


@rule("tf.ones_initializer", samples=[sample()])
def ones_initializer():
    return nnx.initializers.ones_init()


@rule("tf.keras.initializers.Constant", samples=[sample(), sample(0.5), sample(value=-1.0)])
def constant(value=0.0):
    return nnx.initializers.constant(value)


@rule("tf.constant_initializer", samples=[sample(0.5), sample(value=-1.0)])
def constant_initializer(value=0, support_partition=False):
    if support_partition:
        refuse("support_partition: partial initialisation has no form in Flax")
    return nnx.initializers.constant(value)


@rule(
    "tf.keras.initializers.RandomNormal",
    samples=[sample(), sample(stddev=0.02), sample(1.0, 0.5, seed=1)],
    differences=[SEED],
    random=True,
)
def random_normal(mean=0.0, stddev=0.05, seed=None):
    if mean == 0:
        return nnx.initializers.normal(stddev)
    return lambda key, shape, dtype=jnp.float32: mean + stddev * jax.random.normal(key, shape, dtype)


@rule(
    "tf.random_normal_initializer",
    samples=[sample(), sample(stddev=0.02), sample(1.0, 0.5, seed=1)],
    differences=[SEED],
    random=True,
)
def random_normal_initializer(mean=0.0, stddev=0.05, seed=None):
    if mean == 0:
        return nnx.initializers.normal(stddev)
    return lambda key, shape, dtype=jnp.float32: mean + stddev * jax.random.normal(key, shape, dtype)


@rule(
    "tf.keras.initializers.TruncatedNormal",
    samples=[sample(), sample(stddev=0.02), sample(1.0, 0.5, seed=1)],
    differences=[SEED],
    random=True,
)
def truncated_normal(mean=0.0, stddev=0.05, seed=None):
    if mean == 0:
        return nnx.initializers.truncated_normal(stddev)
    return lambda key, shape, dtype=jnp.float32: mean + stddev * jax.random.truncated_normal(key, -2, 2, shape, dtype)


@rule(
    "tf.keras.initializers.RandomUniform",
    samples=[sample(), sample(-1.0, 1.0), sample(minval=0.0, maxval=0.1, seed=1)],
    differences=[SEED],
    random=True,
)
def random_uniform(minval=-0.05, maxval=0.05, seed=None):
    return functools.partial(jax.random.uniform, minval=minval, maxval=maxval)


@rule(
    "tf.random_uniform_initializer",
    samples=[sample(), sample(-1.0, 1.0), sample(minval=0.0, maxval=0.1, seed=1)],
    differences=[SEED],
    random=True,
)
def random_uniform_initializer(minval=-0.05, maxval=0.05, seed=None):
    return functools.partial(jax.random.uniform, minval=minval, maxval=maxval)


@rule("tf.keras.initializers.Orthogonal", samples=[sample(), sample(gain=2.0, seed=1)], differences=[SEED], random=True)
def orthogonal(gain=1.0, seed=None):
    return nnx.initializers.orthogonal(gain)


@rule("tf.keras.initializers.Identity", samples=[sample(), sample(gain=0.5)])
def identity(gain=1.0):
    return lambda key, shape, dtype=jnp.float32: gain * jnp.eye(*shape, dtype=dtype)


OF_FANS = [sample(), sample(seed=1), sample(input_axes=[0]), sample(output_axes=[1])]


@rule(
    "tf.keras.initializers.VarianceScaling",
    samples=[
        sample(),
        sample(2.0, mode="fan_out", distribution="untruncated_normal", seed=1),
        sample(0.1, "fan_avg", "uniform"),
        *OF_FANS[2:],
    ],
    differences=[SEED],
    random=True,
)
def variance_scaling(
    scale=1.0, mode="fan_in", distribution="truncated_normal", seed=None, input_axes=None, output_axes=None
):
    if input_axes is not None and output_axes is not None:  # Keras ignores one without the other
        refuse(FANS)
    names = {"normal": "truncated_normal", "untruncated_normal": "normal"}
    return nnx.initializers.variance_scaling(scale, mode, names.get(distribution, distribution))


@rule("tf.keras.initializers.GlorotUniform", samples=OF_FANS, differences=[SEED], random=True)
def glorot_uniform(seed=None, input_axes=None, output_axes=None):
    if input_axes is not None and output_axes is not None:  # Keras ignores one without the other
        refuse(FANS)
    return nnx.initializers.glorot_uniform()


@rule("tf.keras.initializers.GlorotNormal", samples=OF_FANS, differences=[SEED], random=True)
def glorot_normal(seed=None, input_axes=None, output_axes=None):
    if input_axes is not None and output_axes is not None:  # Keras ignores one without the other
        refuse(FANS)
    return nnx.initializers.glorot_normal()


@rule("tf.keras.initializers.HeNormal", samples=OF_FANS, differences=[SEED], random=True)
def he_normal(seed=None, input_axes=None, output_axes=None):
    if input_axes is not None and output_axes is not None:  # Keras ignores one without the other
        refuse(FANS)
    return nnx.initializers.he_normal()


@rule("tf.keras.initializers.HeUniform", samples=OF_FANS, differences=[SEED], random=True)
def he_uniform(seed=None, input_axes=None, output_axes=None):
    if input_axes is not None and output_axes is not None:  # Keras ignores one without the other
        refuse(FANS)
    return nnx.initializers.he_uniform()


@rule("tf.keras.initializers.LecunNormal", samples=OF_FANS, differences=[SEED], random=True)
def lecun_normal(seed=None, input_axes=None, output_axes=None):
    if input_axes is not None and output_axes is not None:  # Keras ignores one without the other
        refuse(FANS)
    return nnx.initializers.lecun_normal()


@rule("tf.keras.initializers.LecunUniform", samples=OF_FANS, differences=[SEED], random=True)
def lecun_uniform(seed=None, input_axes=None, output_axes=None):
    if input_axes is not None and output_axes is not None:  # Keras ignores one without the other
        refuse(FANS)
    return nnx.initializers.lecun_uniform()
