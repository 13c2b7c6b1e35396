"""Cells of `tf.keras.layers`, and the RNN layer over a cell."""

from flax import nnx

from codemods.engine.rule import Weight, f32, layer, made, refuse, sample
from codemods.mappings.keras_activate import as_function
from codemods.mappings.keras_initializers import initializer
from codemods.mappings.keras_recurrent import (
    GRUCell,
    forget_bias,
    last_and_state,
    last_and_states,
    outputs_and_states,
    recurrent_shape,
)
from codemods.mappings.keras_regularizers import penalty

LSTM_CELL = "tf.keras.layers.LSTMCell"


def output_and_states(result):
    """(output, [h, c]) of one step of an LSTM cell."""
    (c, h), output = result
    return output, [h, c]


@layer(LSTM_CELL, samples=[
    sample(4, x=(f32(2, 3), [f32(2, 4), f32(2, 4)])),
    sample(4, activation="relu", unit_forget_bias=False, x=(f32(2, 3), [f32(2, 4), f32(2, 4)])),
])  # fmt: skip
class LSTMCell:
    helpers = (forget_bias, output_and_states)

    def make(units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
             kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
             unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
             kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.0,
             recurrent_dropout=0.0, seed=None, *, x, rngs):  # fmt: skip
        if dropout or recurrent_dropout:
            refuse("dropout inside a recurrent cell: put nnx.Dropout(rate, broadcast_dims=(1,)) before its layer")
        if not use_bias:
            refuse("Flax's LSTM cells always have a bias")
        bias_init = initializer(bias_initializer)
        if unit_forget_bias:
            if bias_initializer != "zeros":
                refuse("unit_forget_bias with a bias_initializer other than zeros")
            bias_init = forget_bias
        return nnx.OptimizedLSTMCell(
            x.shape[-1], units, gate_fn=as_function(recurrent_activation), activation_fn=as_function(activation),
            kernel_init=initializer(kernel_initializer), recurrent_kernel_init=initializer(recurrent_initializer),
            bias_init=bias_init, kernel_metadata=penalty(kernel_regularizer),
            recurrent_kernel_metadata=penalty(recurrent_regularizer), bias_metadata=penalty(bias_regularizer),
            rngs=rngs,
        )  # fmt: skip

    def call(layer, inputs, states):
        return output_and_states(layer((states[1], states[0]), inputs))

    def shape(x, *, units):
        return [(*x.shape[:-1], units)] * 3

    weights = {"kernel": "dense_i.kernel", "recurrent_kernel": "dense_h.kernel", "bias": "dense_h.bias"}


@layer("tf.keras.layers.GRUCell", samples=[
    sample(4, x=(f32(2, 3), f32(2, 4))), sample(4, activation="relu", x=(f32(2, 3), [f32(2, 4)])),
])  # fmt: skip
class GRUCellRule:
    helpers = (GRUCell,)

    def make(units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
             kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
             kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None,
             recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, reset_after=True,
             seed=None, *, x, rngs):  # fmt: skip
        if dropout or recurrent_dropout:
            refuse("dropout inside a recurrent cell: put nnx.Dropout(rate, broadcast_dims=(1,)) before its layer")
        if not use_bias or not reset_after:
            refuse("a GRU without bias, or with reset_after=False, has no cell in Flax")
        return GRUCell(
            x.shape[-1], units, gate_fn=as_function(recurrent_activation), activation_fn=as_function(activation),
            kernel_init=initializer(kernel_initializer), recurrent_kernel_init=initializer(recurrent_initializer),
            bias_init=initializer(bias_initializer), kernel_metadata=penalty(kernel_regularizer),
            recurrent_kernel_metadata=penalty(recurrent_regularizer), rngs=rngs,
        )  # fmt: skip

    def call(layer, inputs, states):
        if isinstance(states, (list, tuple)):
            state, output = layer(states[0], inputs)
            return output, [state]
        return layer(states, inputs)[::-1]

    def shape(x, *, units):
        return [(*x.shape[:-1], units)] * 2

    weights = {
        "kernel": Weight("dense_i.kernel", (("blocks", 1, (1, 0, 2)),)),
        "recurrent_kernel": Weight("dense_h.kernel", (("blocks", 1, (1, 0, 2)),)),
        "bias": (
            Weight("dense_i.bias", (("take", 0, 0), ("blocks", 0, (1, 0, 2)))),
            Weight("dense_h.bias", (("take", 0, 1), ("blocks", 0, (1, 0, 2)))),
        ),
    }


@layer("tf.keras.layers.SimpleRNNCell", samples=[
    sample(4, x=(f32(2, 3), f32(2, 4))), sample(4, activation="relu", x=(f32(2, 3), [f32(2, 4)])),
])  # fmt: skip
class SimpleRNNCell:
    def make(units, activation="tanh", use_bias=True, kernel_initializer="glorot_uniform",
             recurrent_initializer="orthogonal", bias_initializer="zeros", kernel_regularizer=None,
             recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None, recurrent_constraint=None,
             bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, seed=None, *, x, rngs):  # fmt: skip
        if dropout or recurrent_dropout:
            refuse("dropout inside a recurrent cell: put nnx.Dropout(rate, broadcast_dims=(1,)) before its layer")
        if not use_bias:
            refuse("Flax's recurrent cells always have a bias")
        return nnx.SimpleCell(
            x.shape[-1], units, activation_fn=as_function(activation), kernel_init=initializer(kernel_initializer),
            recurrent_kernel_init=initializer(recurrent_initializer), bias_init=initializer(bias_initializer),
            kernel_metadata=penalty(kernel_regularizer), recurrent_kernel_metadata=penalty(recurrent_regularizer),
            bias_metadata=penalty(bias_regularizer), rngs=rngs,
        )  # fmt: skip

    def call(layer, sequence, states):
        if isinstance(states, (list, tuple)):
            state, output = layer(states[0], sequence)
            return output, [state]
        return layer(states, sequence)[::-1]

    shape = GRUCellRule.shape
    weights = {"kernel": "dense_i.kernel", "recurrent_kernel": "dense_h.kernel", "bias": "dense_i.bias"}


@layer("tf.keras.layers.RNN", samples=[
    sample(made(LSTM_CELL, 4), x=f32(2, 6, 3)),
    sample(made(LSTM_CELL, 4), return_sequences=True, return_state=True, x=f32(2, 6, 3)),
    sample(made(LSTM_CELL, 4), return_state=True, x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.GRUCell", 4), return_state=True, return_sequences=True, x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.SimpleRNNCell", 4), return_sequences=True, go_backwards=True, x=f32(2, 6, 3)),
])  # fmt: skip
class RNN:
    wraps = ("cell",)
    children = {"cell": "cell"}
    helpers = (outputs_and_states, last_and_states, last_and_state)

    def make(cell, return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False,
             zero_output_for_mask=False, time_major=False, *, x, rngs):  # fmt: skip
        if stateful or time_major:
            refuse("stateful and time_major layers: nnx.RNN takes initial_carry and time_major in the call")
        return nnx.RNN(cell.make(x=x, rngs=rngs), reverse=go_backwards)

    def call(layer, sequences, initial_state=None, mask=None, *, cell, return_sequences, return_state):
        if initial_state is not None or mask is not None:
            refuse("an RNN over a cell with an initial state or a mask: nnx.RNN takes initial_carry and seq_lengths")
        if return_state and cell.symbol == "tf.keras.layers.LSTMCell":
            if return_sequences:
                return outputs_and_states(layer(sequences, return_carry=True))
            return last_and_states(layer(sequences, return_carry=True))
        if return_state and return_sequences:
            return layer(sequences, return_carry=True)[::-1]
        if return_state:
            return last_and_state(layer(sequences, return_carry=True))
        if return_sequences:
            return layer(sequences)
        return layer(sequences)[:, -1]

    def shape(x, *, cell, return_sequences, return_state):
        states = 2 if cell.symbol == LSTM_CELL else 1
        return recurrent_shape(x, cell.units, return_sequences, return_state, states)
