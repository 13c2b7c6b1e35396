"""Layers of `tf.keras.layers` that hold another layer."""

import operator
import types

import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import f32, layer, made, refuse, sample

#: Layers that take any number of leading axes in Flax.
ANY_LEADING_AXES = (
    "tf.keras.layers.Dense", "tf.keras.layers.Activation", "tf.keras.layers.Embedding",
    "tf.keras.layers.LayerNormalization", "tf.keras.layers.Conv1D", "tf.keras.layers.Conv2D",
    "tf.keras.layers.MaxPool2D", "tf.keras.layers.AvgPool2D",
)  # fmt: skip


@layer("tf.keras.layers.Bidirectional", samples=[
    sample(made("tf.keras.layers.LSTM", 4, return_sequences=True), x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.LSTM", 4), x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.GRU", 4), x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.SimpleRNN", 4, return_sequences=True), merge_mode="sum", x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.GRU", 4, return_sequences=True), "mul", x=f32(2, 6, 3)),
])  # fmt: skip
class Bidirectional:
    wraps = ("layer", "backward_layer")
    children = {"forward_layer": "forward_rnn", "backward_layer": "backward_rnn"}

    def make(layer, merge_mode="concat", weights=None, backward_layer=None, *, x, rngs):
        if backward_layer is not None:
            refuse("Bidirectional with a backward_layer of its own")
        if layer.go_backwards or layer.return_state:
            refuse("Bidirectional over a layer with go_backwards or return_state")
        if merge_mode == "sum":
            return nnx.Bidirectional(layer.make(x=x, rngs=rngs), layer.make(x=x, rngs=rngs), merge_fn=operator.add)
        if merge_mode == "mul":
            return nnx.Bidirectional(layer.make(x=x, rngs=rngs), layer.make(x=x, rngs=rngs), merge_fn=operator.mul)
        if merge_mode != "concat":
            refuse("merge_mode other than concat, sum and mul")
        return nnx.Bidirectional(layer.make(x=x, rngs=rngs), layer.make(x=x, rngs=rngs))

    def call(both, sequences, initial_state=None, mask=None, *, layer, merge_mode):
        if initial_state is not None or mask is not None:
            refuse("Bidirectional with an initial state or a mask")
        if layer.return_sequences:
            return both(sequences)
        if merge_mode != "concat":
            refuse("merge_mode other than concat without return_sequences")
        if layer.symbol == "tf.keras.layers.LSTM":
            return jnp.concatenate([h for c, h in both(sequences, return_carry=True)[0]], axis=-1)
        return jnp.concatenate(both(sequences, return_carry=True)[0], axis=-1)

    def shape(x, *, layer, merge_mode):
        output = layer.shape(x)
        return (*output[:-1], 2 * output[-1]) if merge_mode == "concat" else output


@layer("tf.keras.layers.TimeDistributed", samples=[
    sample(made("tf.keras.layers.Dense", 4, activation="relu"), x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.Conv2D", 4, 3, strides=2, padding="same"), x=f32(2, 3, 6, 5, 3)),
    sample(made("tf.keras.layers.MaxPool2D", 2), x=f32(2, 3, 6, 5, 3)),
])  # fmt: skip
class TimeDistributed:
    wraps = ("layer",)
    children = {"layer": ""}

    def make(layer, *, x, rngs):
        if layer.symbol not in ANY_LEADING_AXES:
            refuse("TimeDistributed over a layer that does not take more leading axes: use jax.vmap or reshape")
        return layer.make(x=x, rngs=rngs)

    def call(inner, inputs, mask=None, *, layer):
        if mask is not None:
            refuse("TimeDistributed with a mask")
        return layer.call(inner, inputs)

    def shape(x, *, layer):
        batch, steps, *rest = x.shape
        first, *others = layer.shape(types.SimpleNamespace(shape=(batch, *rest)))
        return (first, steps, *others)
