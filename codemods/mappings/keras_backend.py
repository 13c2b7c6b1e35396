"""The other functions of tf.keras.backend, and constants of tf.keras.config."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import lax

from codemods.engine.rule import f32, i32, known, refuse, rule, sample
from codemods.mappings.tf_dtypes import as_dtype
from codemods.mappings.tf_index import TAKE_RANGE
from codemods.mappings.tf_nn import RANDOM
from codemods.mappings.tf_random import scaled

if TYPE_CHECKING:
    rngs = nnx.Rngs(0)


@rule("tf.keras.backend.pow", samples=[sample(f32(3, low=0.1), 2.0), sample(f32(3, low=0.1), a=0.5)])
def pow_(x, a):
    return jnp.power(x, a)


@rule("tf.keras.backend.clip", samples=[sample(f32(3, 4), -1.0, 0.5)])
def clip(x, min_value, max_value):
    return jnp.clip(x, min_value, max_value)


@rule("tf.keras.backend.cast", samples=[sample(f32(3, low=-9, high=9), "int32"), sample(i32(3), dtype="float32")])
def cast(x, dtype):
    return jnp.asarray(x, dtype=as_dtype(dtype))


@rule("tf.keras.backend.cast_to_floatx", samples=[sample(i32(3))])
def cast_to_floatx(x):
    return jnp.asarray(x, dtype=jnp.float32)


@rule("tf.keras.backend.reshape", samples=[sample(f32(4, 3), (2, 6))])
def reshape(x, shape):
    return jnp.reshape(x, shape)


@rule("tf.keras.backend.shape", samples=[sample(f32(3, 4))])
def shape(x):
    return x.shape


@rule("tf.keras.backend.int_shape", samples=[sample(f32(3, 4))])
def int_shape(x):
    return x.shape


@rule("tf.keras.backend.ndim", samples=[sample(f32(3, 4))])
def ndim(x):
    return x.ndim


@rule("tf.keras.backend.dtype", samples=[sample(f32(3, 4)), sample(i32(3))])
def dtype(x):
    return x.dtype.name


@rule("tf.keras.backend.expand_dims", samples=[sample(f32(3, 4)), sample(f32(3), axis=0)])
def expand_dims(x, axis=-1):
    return jnp.expand_dims(x, axis)


@rule("tf.keras.backend.squeeze", samples=[sample(f32(1, 3), 0)])
def squeeze(x, axis):
    return jnp.squeeze(x, axis=axis)


@rule("tf.keras.backend.concatenate", samples=[sample([f32(2, 3), f32(2, 1)]), sample([f32(2, 3), f32(4, 3)], axis=0)])
def concatenate(tensors, axis=-1):
    return jnp.concatenate(tensors, axis=axis)


@rule("tf.keras.backend.stack", samples=[sample([f32(2), f32(2)]), sample([f32(2), f32(2)], axis=-1)])
def stack(x, axis=0):
    return jnp.stack(x, axis=axis)


@rule("tf.keras.backend.permute_dimensions", samples=[sample(f32(2, 3, 4), (0, 2, 1))])
def permute_dimensions(x, pattern):
    return jnp.transpose(x, pattern)


@rule("tf.keras.backend.transpose", samples=[sample(f32(3, 4))])
def transpose(x):
    return jnp.transpose(x)


@rule("tf.keras.backend.tile", samples=[sample(f32(2, 3), [2, 1])])
def tile(x, n):
    return jnp.tile(x, n)


@rule("tf.keras.backend.repeat", samples=[sample(f32(2, 3), 4)])
def repeat(x, n):
    return jnp.repeat(jnp.expand_dims(x, 1), n, axis=1)


@rule("tf.keras.backend.repeat_elements", samples=[sample(f32(2, 3), 2, 1)])
def repeat_elements(x, rep, axis):
    return jnp.repeat(x, rep, axis=axis)


@rule("tf.keras.backend.flatten", samples=[sample(f32(3, 4))])
def flatten(x):
    return jnp.ravel(x)


@rule("tf.keras.backend.batch_flatten", samples=[sample(f32(2, 3, 4))])
def batch_flatten(x):
    return jnp.reshape(x, (x.shape[0], -1))


@rule("tf.keras.backend.reverse", samples=[sample(f32(3, 4), 1)])
def reverse(x, axes):
    return jnp.flip(x, axes)


@rule("tf.keras.backend.gather", samples=[sample(f32(5, 3), i32(4, high=5))], differences=[TAKE_RANGE])
def gather(reference, indices):
    return jnp.take(reference, indices, axis=0)


@rule("tf.keras.backend.arange", samples=[sample(5), sample(1, 7, 2), sample(4, dtype="float32")])
def arange(start, stop=None, step=1, dtype="int32"):
    if stop is None:
        return jnp.arange(0, start, step, dtype=as_dtype(dtype))
    return jnp.arange(start, stop, step, dtype=as_dtype(dtype))


@rule("tf.keras.backend.one_hot", samples=[sample(i32(4, high=5), 5)])
def one_hot(indices, num_classes):
    return jax.nn.one_hot(indices, num_classes)


@rule("tf.keras.backend.zeros_like", samples=[sample(f32(3, 4))])
def zeros_like(x, dtype=None, name=None):
    return jnp.zeros_like(x, dtype=as_dtype(dtype))


@rule("tf.keras.backend.ones_like", samples=[sample(f32(3, 4))])
def ones_like(x, dtype=None, name=None):
    return jnp.ones_like(x, dtype=as_dtype(dtype))


@rule(
    "tf.keras.backend.constant",
    samples=[sample([1.0, 2.0]), sample(0.5, shape=[2, 3]), sample([1, 2], dtype="float32")],
)
def constant(value, dtype=None, shape=None, name=None):
    if known(shape) and shape is None:
        return jnp.array(value, dtype=as_dtype(dtype))
    return jnp.full(shape, value, dtype=as_dtype(dtype))


@rule("tf.keras.backend.dot", samples=[sample(f32(2, 3), f32(3, 4)), sample(f32(2, 5, 3), f32(3, 4))])
def dot(x, y):
    return jnp.dot(x, y)


@rule("tf.keras.backend.bias_add", samples=[sample(f32(2, 3, 4), f32(4))])
def bias_add(x, bias, data_format=None):
    if data_format == "channels_first":
        refuse("channels_first: move the channels to the end")
    return x + bias


@rule("tf.keras.backend.l2_normalize", samples=[sample(f32(3, 4), axis=1), sample(f32(3, 4))])
def l2_normalize(x, axis=None):
    return x * lax.rsqrt(jnp.maximum(jnp.sum(jnp.square(x), axis=axis, keepdims=True), 1e-12))


@rule("tf.keras.backend.stop_gradient", samples=[sample(f32(3, 4))])
def stop_gradient(variables):
    return lax.stop_gradient(variables)


@rule("tf.keras.backend.get_value", samples=[sample(f32(3, 4))])
def get_value(x):
    return np.asarray(x)


@rule("tf.keras.backend.eval", samples=[sample(f32(3, 4))])
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


@rule("tf.keras.backend.softmax", samples=[sample(f32(3, 4)), sample(f32(3, 4), axis=0)])
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
