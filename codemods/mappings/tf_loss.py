"""Losses and measures of tf.nn."""

from __future__ import annotations

import jax.numpy as jnp
import optax
from flax import nnx

from codemods.engine.rule import Difference, f32, i32, known, refuse, rule, sample
from codemods.engine.touching import always
from codemods.mappings.differences import EMPTY, NAN, OUT_OF_CLASSES, WIDE_INTEGERS

X = f32(3, 4, low=-4, high=4)
LABELS = f32(3, 4, low=0, high=1)
EVEN = f32(3, 4, low=0.25, high=0.25)
UNEVEN = Difference(
    "labels that do not sum to 1",
    "the loss is the same; TensorFlow's gradient is not its gradient, JAX's is",
    ("one", "axis"),
    "values",
    always,
)


@rule("tf.nn.l2_loss", samples=[sample(f32(4, 3)), sample(f32(2))])
def l2_loss(t, name=None):
    return jnp.sum(jnp.square(t)) / 2


@rule(
    "tf.nn.softmax_cross_entropy_with_logits",
    samples=[sample(EVEN, X), sample(labels=f32(4, 3, low=0.25, high=0.25), logits=f32(4, 3), axis=0)],
    differences=[UNEVEN],
)
def softmax_cross_entropy_with_logits(labels, logits, axis=-1, name=None):
    return optax.softmax_cross_entropy(logits, labels, axis=axis)


@rule(
    "tf.nn.sparse_softmax_cross_entropy_with_logits",
    samples=[sample(i32(3, high=4), X), sample(labels=i32(2, 3, high=4), logits=f32(2, 3, 4))],
)
def sparse_softmax_cross_entropy_with_logits(labels, logits, name=None):
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels)


@rule(
    "tf.nn.sigmoid_cross_entropy_with_logits",
    samples=[sample(LABELS, X), sample(labels=LABELS, logits=X)],
    differences=[NAN],
)
def sigmoid_cross_entropy_with_logits(labels=None, logits=None, name=None):
    return optax.sigmoid_binary_cross_entropy(logits, labels)


@rule(
    "tf.nn.weighted_cross_entropy_with_logits",
    samples=[sample(LABELS, X, 2.0), sample(LABELS, X, pos_weight=f32(4, low=0.1))],
    differences=[NAN],
)
def weighted_cross_entropy_with_logits(labels, logits, pos_weight, name=None):
    return -pos_weight * labels * nnx.log_sigmoid(logits) - (1 - labels) * nnx.log_sigmoid(-logits)


@rule("tf.nn.log_poisson_loss", samples=[sample(f32(4, low=0), f32(4))])
def log_poisson_loss(targets, log_input, compute_full_loss=False, name=None):
    if compute_full_loss:
        refuse("compute_full_loss: use optax.losses.poisson_nll_loss with full=True")
    return jnp.exp(log_input) - log_input * targets


@rule(
    "tf.nn.compute_average_loss",
    samples=[sample(f32(6)), sample(f32(6), global_batch_size=12), sample(f32(6), f32(6))],
    differences=[WIDE_INTEGERS, EMPTY],
)
def compute_average_loss(per_example_loss, sample_weight=None, global_batch_size=None):
    if not (known(sample_weight) and sample_weight is None):
        per_example_loss = per_example_loss * sample_weight
    if global_batch_size is None:
        return jnp.sum(per_example_loss) / len(per_example_loss)
    return jnp.sum(per_example_loss) / global_batch_size


@rule("tf.nn.scale_regularization_loss", samples=[sample(f32(6)), sample(f32())], differences=[WIDE_INTEGERS])
def scale_regularization_loss(regularization_loss):
    return jnp.sum(regularization_loss)


@rule("tf.math.zero_fraction", samples=[sample(i32(3, 4, high=2)), sample(f32(5))])
def zero_fraction(value, name=None):
    return jnp.mean(jnp.equal(value, 0))


@rule(
    "tf.math.in_top_k",
    samples=[sample(i32(5, high=4), f32(5, 4), 2), sample(i32(5, high=4), f32(5, 4), k=1)],
    differences=[NAN, OUT_OF_CLASSES],
)
def in_top_k(targets, predictions, k, name=None):
    return jnp.sum(predictions > jnp.take_along_axis(predictions, targets[:, None], axis=-1), axis=1) < k
