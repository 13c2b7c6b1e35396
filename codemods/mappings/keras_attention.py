"""Attention layers of `tf.keras.layers`."""

import math

import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import Difference, boolean, f32, inline, known, layer, refuse, sample
from codemods.engine.touching import stated
from codemods.mappings.keras_initializers import initializer
from codemods.mappings.keras_regularizers import penalty

HIDDEN = Difference(
    "a query whose mask hides every key",
    "Flax gives all keys the same weight, Keras 3 sometimes none",
    at=stated("attention_mask"),
)


def attention_weights(attention, query, key, mask=None):
    """The weights that an nnx.MultiHeadAttention gives to keys, of shape (batch, heads, query, key)."""
    query, key = attention.query(query) / math.sqrt(attention.head_dim), attention.key(key)
    return nnx.softmax(jnp.einsum("...qhd,...khd->...hqk", query, key), where=mask)


def without_padding(attended, mask, bias):
    """The output of attention, where what the mask hides attends to nothing."""
    return jnp.where(mask[..., None], attended, 0 if bias is None else bias)


@inline
def over_heads(mask):
    """(batch, query, key) as (batch, heads, query, key)."""
    if known(mask.ndim) and mask.ndim != 3:
        return mask
    return mask[:, None]


@inline
def padding_mask(query_mask, value_mask, key_mask):
    """What Keras makes of the masks of the three inputs: (batch, 1, query, key), to be broadcast over the heads."""
    if key_mask is not None:
        refuse("a mask of the keys beside that of the values: combine them into attention_mask")
    if query_mask is not None and value_mask is not None:
        return nnx.make_attention_mask(query_mask, value_mask)
    if value_mask is not None:
        return value_mask[:, None, None]
    return query_mask[:, None, :, None]


@inline
def causal(query, value):
    return jnp.tri(query.shape[1], value.shape[1], dtype=bool)


@layer(
    "tf.keras.layers.MultiHeadAttention",
    differences=[HIDDEN],
    samples=[
        sample(2, 3, kernel_regularizer="l2", bias_regularizer="l1", x=(f32(2, 5, 4), f32(2, 5, 4))),
        sample(num_heads=2, key_dim=3, output_shape=6, use_bias=False, x=(f32(2, 5, 4), f32(2, 7, 3))),
        sample(2, 3, x=(f32(2, 5, 4), f32(2, 7, 3), f32(2, 7, 3))),
        sample(2, 3, x=(f32(2, 5, 4), f32(2, 7, 3)), call={"attention_mask": boolean(2, 5, 7)}),
        sample(2, 3, x=(f32(2, 5, 4), f32(2, 7, 3)), call={"attention_mask": boolean(2, 1, 5, 7)}),
        sample(2, 3, x=(f32(2, 5, 4), f32(2, 5, 4)), call={"use_causal_mask": True}),
        sample(2, 3, x=(f32(2, 5, 4),) * 2, call={"attention_mask": boolean(2, 5, 5), "use_causal_mask": True}),
        sample(2, 3, x=(f32(2, 5, 4), f32(2, 5, 4)), call={"return_attention_scores": True}),
        sample(2, 3, x=(f32(2, 5, 4),) * 2, call={"return_attention_scores": True, "use_causal_mask": True}),
        sample(2, 3, dropout=0.3, x=(f32(2, 5, 4), f32(2, 5, 4))),
    ],
    attribute="attention",
)
class MultiHeadAttention:
    helpers = (attention_weights, without_padding)
    keeps_mask = "always"

    def make(num_heads, key_dim, value_dim=None, dropout=0.0, use_bias=True, output_shape=None, attention_axes=None,
             sliding_window=None, flash_attention=None, kernel_initializer="glorot_uniform", bias_initializer="zeros",
             kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
             bias_constraint=None, use_gate=False, seed=None, *, query, value, key, rngs):  # fmt: skip
        if value_dim is not None and value_dim != key_dim:
            refuse("value_dim other than key_dim: nnx.MultiHeadAttention has one width for both")
        if attention_axes is not None or sliding_window is not None or use_gate:
            refuse("attention_axes, sliding_window and use_gate have no form in nnx.MultiHeadAttention")
        if key is not None and key.shape[-1] != value.shape[-1]:
            refuse("keys and values of different widths")
        return nnx.MultiHeadAttention(
            num_heads, query.shape[-1], qkv_features=num_heads * key_dim, out_features=output_shape,
            in_kv_features=value.shape[-1], dropout_rate=dropout, broadcast_dropout=not dropout, use_bias=use_bias,
            kernel_init=initializer(kernel_initializer), bias_init=initializer(bias_initializer), decode=False,
            kernel_metadata=penalty(kernel_regularizer), out_kernel_metadata=penalty(kernel_regularizer),
            bias_metadata=penalty(bias_regularizer), out_bias_metadata=penalty(bias_regularizer), rngs=rngs,
        )  # fmt: skip

    def call(layer, query, value, key=None, query_mask=None, value_mask=None, key_mask=None, attention_mask=None,
             return_attention_scores=False, use_causal_mask=False, *, training, dropout):  # fmt: skip
        if query_mask is not None or value_mask is not None or key_mask is not None:
            if attention_mask is not None or return_attention_scores:
                refuse("masks of the inputs beside attention_mask, or with scores: combine them into attention_mask")
        deterministic = None
        if not known(dropout) or dropout:
            deterministic = not training
        mask = None
        if not known(attention_mask is None):
            if use_causal_mask:
                refuse("use_causal_mask with an attention_mask that may be None")
            mask = None if attention_mask is None else over_heads(attention_mask)
        elif attention_mask is not None:
            mask = over_heads(attention_mask)
        if use_causal_mask and (return_attention_scores or attention_mask is not None):
            mask = causal(query, value)[None, None] if mask is None else jnp.logical_and(mask, causal(query, value))
        only_causal = None
        if query_mask is not None or value_mask is not None or key_mask is not None:
            mask = padding_mask(query_mask, value_mask, key_mask)
            if use_causal_mask:
                mask = jnp.logical_and(mask, causal(query, value))
        elif use_causal_mask and attention_mask is None:
            only_causal = True
        if query_mask is not None and dropout:
            if key is None:
                return without_padding(
                    layer(query, value, mask=mask, deterministic=deterministic), query_mask, layer.out.bias
                )
            return without_padding(
                layer(query, key, value, mask=mask, deterministic=deterministic), query_mask, layer.out.bias
            )
        if return_attention_scores and key is None:
            return (
                layer(query, value, mask=mask, deterministic=deterministic),
                attention_weights(layer, query, value, mask=mask),
            )
        if return_attention_scores:
            return (
                layer(query, key, value, mask=mask, deterministic=deterministic),
                attention_weights(layer, query, key, mask=mask),
            )
        if key is None:
            return layer(query, value, mask=mask, is_causal=only_causal, deterministic=deterministic)
        return layer(query, key, value, mask=mask, is_causal=only_causal, deterministic=deterministic)

    def shape(x, *, num_heads, output_shape, value, return_attention_scores=False):
        output = (*x.shape[:-1], x.shape[-1] if output_shape is None else output_shape)
        return [output, (x.shape[0], num_heads, x.shape[1], value.shape[1])] if return_attention_scores else output

    weights = {
        "_query_dense.kernel": "query.kernel", "_query_dense.bias": "query.bias",
        "_key_dense.kernel": "key.kernel", "_key_dense.bias": "key.bias",
        "_value_dense.kernel": "value.kernel", "_value_dense.bias": "value.bias",
        "_output_dense.kernel": "out.kernel", "_output_dense.bias": "out.bias",
    }  # fmt: skip


@layer(
    "tf.keras.layers.GroupQueryAttention", "tf.keras.layers.GroupedQueryAttention", differences=[HIDDEN],
    samples=[
        sample(3, 4, 2, x=(f32(2, 5, 4), f32(2, 5, 4))),
        sample(3, 4, 1, use_bias=False, x=(f32(2, 5, 4), f32(2, 7, 4)), call={"attention_mask": boolean(2, 5, 7)}),
        sample(3, 4, 2, kernel_regularizer="l2", x=(f32(2, 5, 4), f32(2, 5, 4)), call={"use_causal_mask": True}),
    ],
    attribute="attention",
)  # fmt: skip
class GroupQueryAttention:
    keeps_mask = "always"

    def make(head_dim, num_query_heads, num_key_value_heads, dropout=0.0, use_bias=True, sliding_window=None,
             flash_attention=None, kernel_initializer="glorot_uniform", bias_initializer="zeros",
             kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
             bias_constraint=None, use_gate=False, seed=None, *, query, value, key, rngs):  # fmt: skip
        if sliding_window is not None or use_gate:
            refuse("sliding_window and use_gate have no form in nnx.MultiHeadAttention")
        if key is not None and key.shape[-1] != value.shape[-1]:
            refuse("keys and values of different widths")
        return nnx.MultiHeadAttention(
            num_query_heads, query.shape[-1], qkv_features=num_query_heads * head_dim,
            num_kv_heads=num_key_value_heads, in_kv_features=value.shape[-1], dropout_rate=dropout,
            broadcast_dropout=not dropout, use_bias=use_bias, kernel_init=initializer(kernel_initializer),
            bias_init=initializer(bias_initializer), decode=False, kernel_metadata=penalty(kernel_regularizer),
            out_kernel_metadata=penalty(kernel_regularizer), bias_metadata=penalty(bias_regularizer),
            out_bias_metadata=penalty(bias_regularizer), rngs=rngs,
        )  # fmt: skip

    def call(layer, query, value, key=None, query_mask=None, value_mask=None, key_mask=None, attention_mask=None,
             return_attention_scores=False, use_causal_mask=False, *, training, dropout):  # fmt: skip
        if query_mask is not None or value_mask is not None or key_mask is not None:
            if attention_mask is not None or return_attention_scores:
                refuse("masks of the inputs beside attention_mask, or with scores: combine them into attention_mask")
        if return_attention_scores:
            refuse("attention scores of grouped queries")
        deterministic = None
        if not known(dropout) or dropout:
            deterministic = not training
        mask = None
        if attention_mask is not None:
            mask = over_heads(attention_mask)
        if use_causal_mask and mask is not None:
            mask = jnp.logical_and(mask, causal(query, value))
        only_causal = None
        if query_mask is not None or value_mask is not None or key_mask is not None:
            mask = padding_mask(query_mask, value_mask, key_mask)
            if use_causal_mask:
                mask = jnp.logical_and(mask, causal(query, value))
        elif use_causal_mask and attention_mask is None:
            only_causal = True
        if key is None:
            return layer(query, value, mask=mask, is_causal=only_causal, deterministic=deterministic)
        return layer(query, key, value, mask=mask, is_causal=only_causal, deterministic=deterministic)

    weights = MultiHeadAttention.weights


class DotAttention(nnx.Module):
    """Dot-product attention with a learned scale."""

    def __init__(self):
        self.scale = nnx.Param(jnp.ones(()))

    def __call__(self, query, value, key):
        return nnx.softmax(self.scale * (query @ key.mT)) @ value


@inline
def third(inputs):
    if len(inputs) > 2:
        return inputs[2]
    return inputs[1]


@layer(
    "tf.keras.layers.Attention",
    samples=[
        sample(x=[f32(2, 5, 4), f32(2, 7, 4)]),
        sample(x=[f32(2, 5, 4), f32(2, 7, 3), f32(2, 7, 4)]),
        sample(x=[f32(2, 5, 4), f32(2, 5, 4)], call={"use_causal_mask": True}),
        sample(x=[f32(2, 5, 4), f32(2, 7, 4)], call={"return_attention_scores": True}),
        sample(use_scale=True, x=[f32(2, 5, 4), f32(2, 7, 4)]),
        sample(x=[f32(2, 5, 4), f32(2, 7, 4)], call={"mask": [boolean(2, 5), boolean(2, 7)]}),
        sample(x=[f32(2, 5, 4), f32(2, 7, 4)], call={"mask": [None, boolean(2, 7)]}),
    ],
    attribute="attention",
)
class Attention:
    helpers = (DotAttention,)
    keeps_mask = "always"

    def make(use_scale=False, score_mode="dot", dropout=0.0, seed=None, causal=False):
        if score_mode != "dot" or dropout or causal:
            refuse("Attention with concatenated scores, dropout or a causal constructor argument")
        if use_scale:
            return DotAttention()
        return None

    def call(layer, inputs, mask=None, return_attention_scores=False, use_causal_mask=False, *, use_scale):
        if use_scale:
            if mask is not None or use_causal_mask or return_attention_scores:
                refuse("Attention with use_scale and masks, a causal mask or scores")
            return layer(inputs[0], inputs[1], third(inputs))
        scores = inputs[0] @ third(inputs).mT
        if use_causal_mask:
            scores = jnp.where(causal(inputs[0], inputs[1]), scores, -1e9)
        if mask is not None:
            if use_causal_mask or return_attention_scores:
                refuse("Attention with masks of its inputs and a causal mask or scores")
            if mask[1] is not None:
                scores = jnp.where(mask[1][:, None], scores, scores - 1e9)
            if mask[0] is not None:
                return nnx.softmax(scores) @ inputs[1] * mask[0][..., None]
        if return_attention_scores:
            return (nnx.softmax(scores) @ inputs[1], nnx.softmax(scores))
        return nnx.softmax(scores) @ inputs[1]

    def shape(x, *, return_attention_scores=False):
        output = (*x[0].shape[:-1], x[1].shape[-1])
        return [output, (*x[0].shape[:-1], x[1].shape[-2])] if return_attention_scores else output

    weights = {"scale": "scale"}


class AdditiveScores(nnx.Module):
    """Attention whose scores are the weighted sum of tanh(query + key)."""

    def __init__(self, features, *, rngs: nnx.Rngs):
        self.scale = nnx.Param(nnx.initializers.glorot_uniform()(rngs.params(), (features, 1))[:, 0])

    def __call__(self, query, value, key):
        scores = jnp.sum(self.scale * jnp.tanh(query[:, :, None] + key[:, None]), axis=-1)
        return nnx.softmax(scores) @ value


@layer(
    "tf.keras.layers.AdditiveAttention",
    samples=[sample(x=[f32(2, 5, 4), f32(2, 7, 4)]), sample(x=[f32(2, 5, 4), f32(2, 7, 3), f32(2, 7, 4)])],
    attribute="attention",
)
class AdditiveAttention:
    helpers = (AdditiveScores,)
    keeps_mask = "always"

    def make(use_scale=True, dropout=0.0, seed=None, *, x, rngs):
        if not use_scale or dropout:
            refuse("AdditiveAttention without scale, or with dropout")
        return AdditiveScores(x[0].shape[-1], rngs=rngs)

    def call(layer, inputs, mask=None, return_attention_scores=False, use_causal_mask=False):
        if mask is not None or return_attention_scores or use_causal_mask:
            refuse("AdditiveAttention with masks or scores")
        return layer(inputs[0], inputs[1], third(inputs))

    def shape(x):
        return (*x[0].shape[:-1], x[1].shape[-1])

    weights = {"scale": "scale"}
