"""Activations, normalisation, losses and lookups of tf.nn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax import lax

from codemods.engine.rule import Difference, f32, i32, known, refuse, rule, sample
from codemods.mappings.tf_index import TAKE_RANGE

if TYPE_CHECKING:
    rngs = nnx.Rngs(0)

X = f32(3, 4, low=-4, high=4)
LABELS = f32(3, 4, low=0, high=1)
EVEN = f32(3, 4, low=0.25, high=0.25)
UNEVEN = Difference("labels that do not sum to 1", "the loss agrees; TensorFlow's gradient is softmax - labels, JAX's the true one")
RANDOM = Difference("random values", "the distribution is the same; the numbers come from `rngs`")


@rule("tf.nn.relu", samples=[sample(X), sample(i32(3, low=-4))])
def relu(features, name=None):
    return nnx.relu(features)


@rule("tf.nn.relu6", samples=[sample(f32(3, 4, low=-3, high=9))])
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


@rule("tf.nn.softmax", samples=[sample(X), sample(X, axis=0), sample(X, axis=-1)])
def softmax(logits, axis=None, name=None):
    return nnx.softmax(logits, axis=-1 if axis is None else axis)


@rule("tf.nn.log_softmax", samples=[sample(X), sample(X, axis=0), sample(X, axis=-1)])
def log_softmax(logits, axis=None, name=None):
    return nnx.log_softmax(logits, axis=-1 if axis is None else axis)


@rule("tf.nn.bias_add", samples=[sample(f32(2, 3, 4), f32(4)), sample(f32(2, 3, 4, 4), f32(3), data_format="NCHW"), sample(f32(2, 4), f32(4), "N...C")])
def bias_add(value, bias, data_format=None, name=None):
    if data_format in (None, "NHWC", "NWC", "NDHWC", "N...C"):
        return value + bias
    if data_format == "NCHW":
        return value + jnp.reshape(bias, (-1, 1, 1))
    refuse("this data_format: move the channels to the end")


@rule("tf.nn.moments", samples=[sample(f32(4, 3, 2), [0, 1]), sample(f32(4, 3), axes=[-1], keepdims=True), sample(f32(4, 3), 0)])
def moments(x, axes, shift=None, keepdims=False, name=None):
    if known(axes) and isinstance(axes, list):
        axes = tuple(axes)
    return jnp.mean(x, axis=axes, keepdims=keepdims), jnp.var(x, axis=axes, keepdims=keepdims)


@rule(
    "tf.nn.batch_normalization",
    samples=[
        sample(f32(4, 3), f32(3), f32(3, low=0.1), f32(3), f32(3), 1e-3), sample(f32(4, 3), f32(3), f32(3, low=0.1), None, None, 1e-3),
        sample(f32(4, 3), f32(4, 1), f32(4, 1, low=0.1), offset=f32(3), scale=None, variance_epsilon=1e-5),
        sample(f32(4, 3), f32(3), f32(3, low=0.1), None, f32(3), 1e-3),
    ],
)  # fmt: skip
def batch_normalization(x, mean, variance, offset, scale, variance_epsilon, name=None):
    normalized = nnx.standardize(x, mean=mean, variance=variance, epsilon=variance_epsilon)
    if known(scale) and scale is None and known(offset) and offset is None:
        return normalized
    if known(scale) and scale is None:
        return normalized + offset
    if known(offset) and offset is None:
        return normalized * scale
    return normalized * scale + offset


@rule("tf.nn.l2_normalize", samples=[sample(f32(4, 3), 1), sample(f32(4, 3)), sample(f32(4, 3, 2), axis=[1, 2], epsilon=1.0)])
def l2_normalize(x, axis=None, epsilon=1e-12, name=None, dim=None):
    if known(axis) and isinstance(axis, list):
        axis = tuple(axis)
    if dim is not None:
        axis = dim
    return x * lax.rsqrt(jnp.maximum(jnp.sum(jnp.square(x), axis=axis, keepdims=True), epsilon))


@rule("tf.nn.local_response_normalization", samples=[sample(f32(2, 3, 3, 8)), sample(f32(1, 2, 2, 8), depth_radius=2, bias=2.0, alpha=0.1, beta=0.75)])
def local_response_normalization(input, depth_radius=5, bias=1, alpha=1, beta=0.5, name=None):
    window = (1, 1, 1, 2 * depth_radius + 1)
    sums = lax.reduce_window(jnp.square(input), 0.0, lax.add, window, (1, 1, 1, 1), "SAME")
    return input / (bias + alpha * sums) ** beta


@rule("tf.nn.dropout", samples=[sample(f32(40, 50, low=1), 0.3), sample(f32(40, 50, low=1), rate=0.5, noise_shape=[40, 50], seed=1)], differences=[RANDOM], random=True)
def dropout(x, rate, noise_shape=None, seed=None, name=None):
    if noise_shape is None:
        return nnx.Dropout(rate)(x, rngs=rngs)
    return jnp.where(jax.random.bernoulli(rngs.dropout(), 1 - rate, noise_shape), x / (1 - rate), 0)


@rule("tf.nn.embedding_lookup", samples=[sample(f32(5, 3), i32(4, high=5)), sample(f32(5, 3), ids=i32(2, 2, high=5))], differences=[TAKE_RANGE])
def embedding_lookup(params, ids, max_norm=None, name=None):
    if max_norm is not None:
        refuse("max_norm: clip the rows with optax.projections.projection_l2_ball")
    return jnp.take(params, ids, axis=0)


@rule("tf.nn.l2_loss", samples=[sample(f32(4, 3)), sample(f32(2))])
def l2_loss(t, name=None):
    return jnp.sum(jnp.square(t)) / 2


@rule("tf.nn.softmax_cross_entropy_with_logits", samples=[sample(EVEN, X), sample(labels=f32(4, 3, low=0.25, high=0.25), logits=f32(4, 3), axis=0)], differences=[UNEVEN])
def softmax_cross_entropy_with_logits(labels, logits, axis=-1, name=None):
    return optax.softmax_cross_entropy(logits, labels, axis=axis)


@rule("tf.nn.sparse_softmax_cross_entropy_with_logits", samples=[sample(i32(3, high=4), X), sample(labels=i32(2, 3, high=4), logits=f32(2, 3, 4))])
def sparse_softmax_cross_entropy_with_logits(labels, logits, name=None):
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels)


@rule("tf.nn.sigmoid_cross_entropy_with_logits", samples=[sample(LABELS, X), sample(labels=LABELS, logits=X)])
def sigmoid_cross_entropy_with_logits(labels=None, logits=None, name=None):
    return optax.sigmoid_binary_cross_entropy(logits, labels)


@rule("tf.nn.weighted_cross_entropy_with_logits", samples=[sample(LABELS, X, 2.0), sample(LABELS, X, pos_weight=f32(4, low=0.1))])
def weighted_cross_entropy_with_logits(labels, logits, pos_weight, name=None):
    return -pos_weight * labels * nnx.log_sigmoid(logits) - (1 - labels) * nnx.log_sigmoid(-logits)


@rule("tf.nn.log_poisson_loss", samples=[sample(f32(4, low=0), f32(4))])
def log_poisson_loss(targets, log_input, compute_full_loss=False, name=None):
    if compute_full_loss:
        refuse("compute_full_loss: use optax.losses.poisson_nll_loss with full=True")
    return jnp.exp(log_input) - log_input * targets


@rule("tf.nn.compute_average_loss", samples=[sample(f32(6)), sample(f32(6), global_batch_size=12), sample(f32(6), f32(6))])
def compute_average_loss(per_example_loss, sample_weight=None, global_batch_size=None):
    if known(sample_weight) and sample_weight is not None:
        per_example_loss = per_example_loss * sample_weight
    if global_batch_size is None:
        return jnp.sum(per_example_loss) / len(per_example_loss)
    return jnp.sum(per_example_loss) / global_batch_size


@rule("tf.nn.scale_regularization_loss", samples=[sample(f32(6)), sample(f32())])
def scale_regularization_loss(regularization_loss):
    return jnp.sum(regularization_loss)


@rule("tf.math.zero_fraction", samples=[sample(i32(3, 4, high=2)), sample(f32(5))])
def zero_fraction(value, name=None):
    return jnp.mean(jnp.equal(value, 0))


@rule("tf.math.in_top_k", samples=[sample(i32(5, high=4), f32(5, 4), 2), sample(i32(5, high=4), f32(5, 4), k=1)])
def in_top_k(targets, predictions, k, name=None):
    return jnp.sum(predictions > jnp.take_along_axis(predictions, targets[:, None], axis=1), axis=1) < k


@rule("tf.nn.ctc_loss")
def ctc_loss(labels, logits, label_length, logit_length, logits_time_major=True, unique=None, blank_index=None, name=None):
    refuse("lengths: optax.ctc_loss takes batch-major logits and paddings, jnp.arange(n) >= lengths[:, None]")
