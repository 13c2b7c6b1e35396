"""Normalisation layers of `tf.keras.layers`."""

import jax.numpy as jnp
from flax import nnx
from jax import lax

from codemods.engine.rule import Difference, f32, known, layer, refuse, sample
from codemods.engine.touching import both, of_rank, on_keras2
from codemods.mappings.keras_initializers import initializer
from codemods.mappings.keras_regularizers import penalty


@layer(
    "tf.keras.layers.BatchNormalization",
    "tf.keras.layers.SyncBatchNormalization",
    "tf.keras.layers.experimental.SyncBatchNormalization",
    differences=[
        Difference(
            "tf_keras, inputs of rank 4, training",
            "its fused kernel multiplies the variance that it stores by n / (n - 1); Keras 3 and the port do not",
            at=both(on_keras2, of_rank(4)),
        )
    ],
    samples=[
        sample(beta_regularizer="l1", gamma_regularizer="l2", x=f32(4, 3, 3, 5)),
        sample(epsilon=1e-5, momentum=0.9, center=False, x=f32(6, 5)),
        sample(axis=1, scale=False, x=f32(4, 5, 3)),
        sample(axis=3, gamma_initializer="zeros", x=f32(4, 3, 3, 5, low=3, high=5)),
    ],
    attribute="norm",
)
class BatchNormalization:
    keeps_mask = "always"

    def make(axis=-1, momentum=0.99, epsilon=0.001, center=True, scale=True, beta_initializer="zeros",
             gamma_initializer="ones", moving_mean_initializer="zeros", moving_variance_initializer="ones",
             beta_regularizer=None, gamma_regularizer=None, beta_constraint=None, gamma_constraint=None,
             renorm=False, renorm_clipping=None, renorm_momentum=0.99, synchronized=False, fused=None,
             virtual_batch_size=None, adjustment=None, *, x, rngs):  # fmt: skip
        if renorm or virtual_batch_size is not None or adjustment is not None:
            refuse("batch renormalisation and virtual batches have no form in Flax")
        if moving_mean_initializer != "zeros" or moving_variance_initializer != "ones":
            refuse("nnx.BatchNorm starts its statistics at 0 and 1")
        if known(isinstance(axis, (list, tuple))) and isinstance(axis, (list, tuple)):
            if len(axis) != 1:
                refuse("batch normalisation over several axes")
            axis = axis[0]
        if known(axis) and axis == len(x.shape) - 1:
            axis = -1
        return nnx.BatchNorm(
            x.shape[axis], axis=axis, momentum=momentum, epsilon=epsilon, use_bias=center, use_scale=scale,
            bias_init=initializer(beta_initializer), scale_init=initializer(gamma_initializer),
            use_fast_variance=False, bias_metadata=penalty(beta_regularizer),
            scale_metadata=penalty(gamma_regularizer), rngs=rngs,
        )  # fmt: skip

    def call(layer, inputs, mask=None, *, training):
        if mask is not None:
            refuse("batch normalisation with a mask")
        return layer(inputs, use_running_average=not training)

    weights = {"gamma": "scale", "beta": "bias", "moving_mean": "mean", "moving_variance": "var"}


@layer(
    "tf.keras.layers.LayerNormalization",
    samples=[
        sample(beta_regularizer="l1", gamma_regularizer="l2", x=f32(4, 3, 5)),
        sample(epsilon=1e-6, center=False, x=f32(4, 5, low=3, high=5)),
        sample(axis=1, scale=False, x=f32(4, 5, 3)),
        sample(axis=[2], x=f32(4, 5, 3)),
    ],
    attribute="norm",
)
class LayerNormalization:
    keeps_mask = "always"

    def make(axis=-1, epsilon=0.001, center=True, scale=True, beta_initializer="zeros", gamma_initializer="ones",
             beta_regularizer=None, gamma_regularizer=None, beta_constraint=None, gamma_constraint=None,
             rms_scaling=False, *, x, rngs):  # fmt: skip
        if rms_scaling:
            refuse("rms_scaling: Keras itself has dropped it for RMSNormalization")
        if known(isinstance(axis, (list, tuple))) and isinstance(axis, (list, tuple)):
            if len(axis) != 1:
                refuse("layer normalisation over several axes: nnx.LayerNorm has one vector of weights")
            axis = axis[0]
        if known(axis) and axis == len(x.shape) - 1:
            axis = -1
        return nnx.LayerNorm(
            x.shape[axis], epsilon=epsilon, use_bias=center, use_scale=scale, bias_init=initializer(beta_initializer),
            scale_init=initializer(gamma_initializer), reduction_axes=axis, feature_axes=axis, use_fast_variance=False,
            bias_metadata=penalty(beta_regularizer), scale_metadata=penalty(gamma_regularizer), rngs=rngs,
        )  # fmt: skip

    def call(layer, inputs):
        return layer(inputs)

    weights = {"gamma": "scale", "beta": "bias"}


@layer(
    "tf.keras.layers.RMSNormalization",
    samples=[sample(x=f32(4, 3, 5)), sample(epsilon=1e-3, x=f32(4, 5))],
    attribute="norm",
)
class RMSNormalization:
    def make(axis=-1, epsilon=1e-6, *, x, rngs):
        if known(isinstance(axis, (list, tuple))) and isinstance(axis, (list, tuple)):
            if len(axis) != 1:
                refuse("normalisation over several axes: nnx.RMSNorm has one vector of weights")
            axis = axis[0]
        if known(axis) and axis == len(x.shape) - 1:
            axis = -1
        return nnx.RMSNorm(x.shape[axis], epsilon=epsilon, reduction_axes=axis, feature_axes=axis, rngs=rngs)

    def call(layer, inputs):
        return layer(inputs)

    weights = {"scale": "scale"}


@layer(
    "tf.keras.layers.GroupNormalization",
    samples=[
        sample(4, beta_regularizer="l1", gamma_regularizer="l2", x=f32(2, 3, 3, 8)),
        sample(groups=2, epsilon=1e-5, center=False, x=f32(2, 5, 8)),
        sample(groups=-1, scale=False, x=f32(2, 5, 8)),
    ],
    attribute="norm",
)
class GroupNormalization:
    keeps_mask = "always"

    def make(groups=32, axis=-1, epsilon=0.001, center=True, scale=True, beta_initializer="zeros",
             gamma_initializer="ones", beta_regularizer=None, gamma_regularizer=None, beta_constraint=None,
             gamma_constraint=None, *, x, rngs):  # fmt: skip
        if axis != -1 and axis != len(x.shape) - 1:
            refuse("nnx.GroupNorm keeps channels last")
        if known(groups) and groups == -1:  # where it isn't, nnx.GroupNorm stops at -1
            return nnx.GroupNorm(
                x.shape[-1], num_groups=None, group_size=1, epsilon=epsilon, use_bias=center, use_scale=scale,
                bias_init=initializer(beta_initializer), scale_init=initializer(gamma_initializer),
                use_fast_variance=False, bias_metadata=penalty(beta_regularizer),
                scale_metadata=penalty(gamma_regularizer), rngs=rngs,
            )  # fmt: skip
        return nnx.GroupNorm(
            x.shape[-1], num_groups=groups, epsilon=epsilon, use_bias=center, use_scale=scale,
            bias_init=initializer(beta_initializer), scale_init=initializer(gamma_initializer),
            use_fast_variance=False, bias_metadata=penalty(beta_regularizer),
            scale_metadata=penalty(gamma_regularizer), rngs=rngs,
        )  # fmt: skip

    def call(layer, inputs):
        return layer(inputs)

    weights = {"gamma": "scale", "beta": "bias"}


@layer("tf.keras.layers.UnitNormalization", samples=[sample(x=f32(4, 5)), sample(axis=1, x=f32(4, 5, 3))])
class UnitNormalization:
    keeps_mask = "always"

    def make(axis=-1):
        return None

    def call(layer, inputs, *, axis):
        if isinstance(axis, list):
            axis = tuple(axis)
        return inputs * lax.rsqrt(jnp.maximum(jnp.sum(jnp.square(inputs), axis=axis, keepdims=True), 1e-12))
