"""Layers of `tf.keras.layers` that hold another layer."""

import operator
import types

import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import boolean, f32, inline, known, layer, made, refuse, sample
from codemods.mappings.keras_recurrent_parts import DROPS, masked_rnn

#: Layers that take any number of leading axes in Flax.
ANY_LEADING_AXES = (
    "tf.keras.layers.Dense", "tf.keras.layers.Activation", "tf.keras.layers.Embedding",
    "tf.keras.layers.LayerNormalization", "tf.keras.layers.Conv1D", "tf.keras.layers.Conv2D",
    "tf.keras.layers.MaxPool2D", "tf.keras.layers.AvgPool2D",
)  # fmt: skip
DROPOUT = "tf.keras.layers.Dropout"
#: Layers that treat each row of a batch on its own, in either mode, and need no more than the width of their input.
ROW_BY_ROW = (
    "tf.keras.layers.Flatten", "tf.keras.layers.Reshape", "tf.keras.layers.Permute", "tf.keras.layers.RepeatVector",
    "tf.keras.layers.GlobalAvgPool1D", "tf.keras.layers.GlobalAvgPool2D",
    "tf.keras.layers.GlobalMaxPool1D", "tf.keras.layers.GlobalMaxPool2D", "tf.keras.layers.Conv3D",
    "tf.keras.layers.MaxPool1D", "tf.keras.layers.AvgPool1D", "tf.keras.layers.Conv2DTranspose",
    "tf.keras.layers.DepthwiseConv2D", "tf.keras.layers.SeparableConv1D", "tf.keras.layers.SeparableConv2D",
    "tf.keras.layers.ZeroPadding1D", "tf.keras.layers.ZeroPadding2D", "tf.keras.layers.Cropping2D",
    "tf.keras.layers.UpSampling1D", "tf.keras.layers.UpSampling2D", "tf.keras.layers.LSTM", "tf.keras.layers.GRU",
    "tf.keras.layers.SimpleRNN",
)  # fmt: skip
GATED = ("tf.keras.layers.LSTM", "tf.keras.layers.GRU", "tf.keras.layers.SimpleRNN")


def each_step(function, sequences):
    """A function of batches, applied to all steps of sequences."""
    outputs = function(sequences.reshape(-1, *sequences.shape[2:]))
    return outputs.reshape(*sequences.shape[:2], *outputs.shape[1:])


def both_states(result):
    """(outputs, h and c of the way forward, h and c of the way back) of a Bidirectional over LSTM cells."""
    ((c, h), (back_c, back_h)), outputs = result
    return outputs, h, c, back_h, back_c


def both_state(result):
    """(outputs, state of the way forward, state of the way back) of a Bidirectional over cells with one state."""
    (state, back_state), outputs = result
    return outputs, state, back_state


def masked_both(both, sequences, mask):
    """The outputs of both ways of a Bidirectional over the steps where `mask` is true, each in its own order."""
    _, forward = masked_rnn(both.forward_rnn, sequences, mask)
    _, backward = masked_rnn(both.backward_rnn, sequences[:, ::-1], mask[:, ::-1])
    return forward, backward


def masked_outputs(both, sequences, mask):
    """The outputs of a Bidirectional, zero where `mask` is false, whose steps are passed over."""
    forward, backward = masked_both(both, sequences, mask)
    return both.merge_fn(*[jnp.where(mask[..., None], way, 0) for way in (forward, backward[:, ::-1])])


def masked_last(both, sequences, mask):
    """The last outputs of a Bidirectional that passes over the steps where `mask` is false."""
    forward, backward = masked_both(both, sequences, mask)
    return both.merge_fn(forward[:, -1], backward[:, -1])


def both_last_and_states(merge_fn, result):
    """(last output, h and c of the way forward, h and c of the way back) of a Bidirectional over LSTM cells."""
    (c, h), (back_c, back_h) = result[0]
    return merge_fn(h, back_h), h, c, back_h, back_c


def both_last_and_state(merge_fn, result):
    """(last output, state of the way forward, state of the way back) of a Bidirectional over cells with one state."""
    state, back_state = result[0]
    return merge_fn(state, back_state), state, back_state


@inline
def merged_by(merge_mode, forward, backward):
    if merge_mode == "concat":
        return nnx.Bidirectional(forward, backward)
    if merge_mode == "sum":
        return nnx.Bidirectional(forward, backward, merge_fn=operator.add)
    if merge_mode == "mul":
        return nnx.Bidirectional(forward, backward, merge_fn=operator.mul)
    if merge_mode == "ave":
        return nnx.Bidirectional(forward, backward, merge_fn=lambda one, other: (one + other) / 2)
    if merge_mode is None:
        return nnx.Bidirectional(forward, backward, merge_fn=lambda one, other: (one, other))
    refuse("a merge_mode that Keras does not know")


@layer("tf.keras.layers.Bidirectional", differences=[DROPS], samples=[
    sample(made("tf.keras.layers.LSTM", 4, return_sequences=True), x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.LSTM", 4), x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.GRU", 4), x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.SimpleRNN", 4, return_sequences=True), merge_mode="sum", x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.GRU", 4, return_sequences=True), "mul", x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.LSTM", 4), merge_mode="ave", x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.GRU", 4, return_sequences=True), merge_mode=None, x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.LSTM", 4, return_sequences=True, return_state=True), x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.GRU", 4, return_sequences=True, return_state=True), x=f32(2, 6, 3),
           call={"initial_state": [f32(2, 4), f32(2, 4)]}),
    sample(made("tf.keras.layers.LSTM", 4, return_sequences=True), x=f32(2, 6, 3),
           call={"initial_state": [f32(2, 4), f32(2, 4), f32(2, 4), f32(2, 4)]}),
    sample(made("tf.keras.layers.GRU", 4, dropout=0.3), x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.LSTM", 4, return_state=True), x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.GRU", 4, return_state=True), merge_mode="sum", x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.LSTM", 4, return_sequences=True), x=f32(5, 6, 3), call={"mask": boolean(5, 6)}),
    sample(made("tf.keras.layers.GRU", 4), merge_mode="ave", x=f32(5, 6, 3), call={"mask": boolean(5, 6)}),
    sample(made("tf.keras.layers.LSTM", 4, return_sequences=True),
           backward_layer=made("tf.keras.layers.LSTM", 4, activation="relu", return_sequences=True, go_backwards=True),
           x=f32(2, 6, 3)),
])  # fmt: skip
class Bidirectional:
    wraps = ("layer", "backward_layer")
    children = {"forward_layer": "forward_rnn", "backward_layer": "backward_rnn"}
    helpers = (
        both_states, both_state, both_last_and_states, both_last_and_state, masked_rnn, masked_both, masked_outputs,
        masked_last,
    )  # fmt: skip
    keeps_mask = "layer.return_sequences"

    def make(layer, merge_mode="concat", weights=None, backward_layer=None, *, x, rngs):
        if layer.symbol not in GATED:
            refuse("Bidirectional over another layer than LSTM, GRU and SimpleRNN")
        if weights is not None:
            refuse(
                "Bidirectional with weights: set those of the port (`layer.forward_rnn.cell.dense_i.kernel[...] = array`)"
            )
        if layer.go_backwards:
            refuse("Bidirectional over a layer with go_backwards")
        if backward_layer is None:
            return merged_by(merge_mode, layer.make(x=x, rngs=rngs), layer.make(x=x, rngs=rngs))
        if backward_layer.symbol != layer.symbol or layer.dropout or backward_layer.dropout:
            refuse("Bidirectional with a backward_layer of another class, or with dropout")
        return merged_by(merge_mode, layer.make(x=x, rngs=rngs), backward_layer.make(x=x, rngs=rngs))

    def call(both, sequences, initial_state=None, mask=None, *, training, layer, merge_mode):
        if mask is not None:
            if not known(layer.dropout) or layer.dropout or layer.return_state:
                refuse("Bidirectional with a mask, over a layer with dropout or return_state")
            if not known(initial_state) or initial_state is not None:
                refuse("Bidirectional with a mask and an initial state")
            if layer.return_sequences:
                return masked_outputs(both, sequences, mask)
            return masked_last(both, sequences, mask)
        carry = None
        if not known(initial_state) or initial_state is not None:
            carry = (initial_state[0], initial_state[1])
            if layer.symbol == "tf.keras.layers.LSTM":
                carry = ((initial_state[1], initial_state[0]), (initial_state[3], initial_state[2]))
        if not known(layer.dropout) or layer.dropout:
            if layer.return_state or carry is not None:
                refuse("Bidirectional over a layer with dropout that takes or returns states")
            forward = both.forward_rnn(sequences, deterministic=not training)
            backward = both.backward_rnn(sequences, reverse=True, keep_order=True, deterministic=not training)
            if layer.return_sequences:
                return both.merge_fn(forward, backward)
            return both.merge_fn(forward[:, -1], backward[:, 0])
        if layer.return_state:
            if merge_mode is None:
                refuse("Bidirectional over a layer with return_state, and without merge_mode")
            if not layer.return_sequences and layer.symbol == "tf.keras.layers.LSTM":
                return both_last_and_states(both.merge_fn, both(sequences, initial_carry=carry, return_carry=True))
            if not layer.return_sequences:
                return both_last_and_state(both.merge_fn, both(sequences, initial_carry=carry, return_carry=True))
            if layer.symbol == "tf.keras.layers.LSTM":
                return both_states(both(sequences, initial_carry=carry, return_carry=True))
            return both_state(both(sequences, initial_carry=carry, return_carry=True))
        if layer.return_sequences:
            return both(sequences, initial_carry=carry)
        if layer.symbol == "tf.keras.layers.LSTM":
            if merge_mode != "concat":
                return both.merge_fn(*[h for c, h in both(sequences, initial_carry=carry, return_carry=True)[0]])
            return jnp.concatenate([h for c, h in both(sequences, initial_carry=carry, return_carry=True)[0]], axis=-1)
        if merge_mode != "concat":
            return both.merge_fn(*both(sequences, initial_carry=carry, return_carry=True)[0])
        return jnp.concatenate(both(sequences, initial_carry=carry, return_carry=True)[0], axis=-1)

    def shape(x, *, layer, merge_mode):
        output = layer.shape(x)
        if layer.return_state:
            output, *states = output
        if merge_mode is None:
            return [output, output]
        output = (*output[:-1], 2 * output[-1]) if merge_mode == "concat" else output
        return [output, *states, *states] if layer.return_state else output


@layer("tf.keras.layers.TimeDistributed", differences=[DROPS], samples=[
    sample(made("tf.keras.layers.Dense", 4, activation="relu"), x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.Conv2D", 4, 3, strides=2, padding="same"), x=f32(2, 3, 6, 5, 3)),
    sample(made("tf.keras.layers.MaxPool2D", 2), x=f32(2, 3, 6, 5, 3)),
    sample(made("tf.keras.layers.Flatten"), x=f32(2, 3, 4, 5)),
    sample(made("tf.keras.layers.GlobalAvgPool2D"), x=f32(2, 3, 4, 5, 3)),
    sample(made("tf.keras.layers.Conv2DTranspose", 4, 3, strides=2, padding="same"), x=f32(2, 3, 4, 5, 3)),
    sample(made("tf.keras.layers.LSTM", 4), x=f32(2, 3, 5, 3)),
    sample(made("tf.keras.layers.Dropout", 0.4), x=f32(2, 3, 64, low=1)),
])  # fmt: skip
class TimeDistributed:
    wraps = ("layer",)
    children = {"layer": ""}
    helpers = (each_step,)
    keeps_mask = "always"

    def make(layer, *, x, rngs):
        if layer.symbol not in ANY_LEADING_AXES and layer.symbol not in ROW_BY_ROW and layer.symbol != DROPOUT:
            refuse("TimeDistributed over a layer that may mix rows of a batch: use jax.vmap, or reshape")
        return layer.make(x=x, rngs=rngs)

    def call(inner, inputs, mask=None, *, training, layer):
        if mask is not None:
            refuse("TimeDistributed with a mask")
        if layer.symbol in ANY_LEADING_AXES or layer.symbol == DROPOUT:
            return layer.call(inner, inputs, training=training)
        return each_step(lambda batch: layer.call(inner, batch, training=training), inputs)

    def shape(x, *, layer):
        batch, steps, *rest = x.shape
        first, *others = layer.shape(types.SimpleNamespace(shape=(batch, *rest)))
        return (first, steps, *others)
