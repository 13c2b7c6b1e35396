"""Cells of `tf.keras.layers`, and the RNN layer over a cell."""

from flax import nnx

from codemods.engine.rule import Weight, boolean, f32, known, layer, made, refuse, sample
from codemods.mappings.keras_activate import as_function
from codemods.mappings.keras_initializers import initializer
from codemods.mappings.keras_recurrent_parts import (
    DROPS,
    DropoutRNN,
    GRUCell,
    forget_bias,
    held_and_state,
    held_and_states,
    last_and_state,
    last_and_states,
    last_of,
    masked_rnn,
    only_state,
    outputs_and_states,
    outputs_of,
    over_steps,
    recurrent_shape,
    with_carry,
)
from codemods.mappings.keras_regularizers import penalty

LSTM_CELL = "tf.keras.layers.LSTMCell"
OWN_CELL = (
    "an RNN over a cell of another kind than LSTMCell, GRUCell and SimpleRNNCell: give the port's cell the form of "
    "nnx.RNNCellBase (`__call__(carry, inputs)` gives `(carry, output)`, and `initialize_carry`), and run it with nnx.RNN(cell)"
)
DROPPED_STEPS = "dropout of a cell that is called step by step: Keras keeps what it drops until it is reset"


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

    def call(layer, inputs, states, *, dropout, recurrent_dropout):
        if dropout or recurrent_dropout:
            refuse(DROPPED_STEPS)
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
        if not use_bias or not reset_after:
            refuse("a GRU without bias, or with reset_after=False, has no cell in Flax")
        return GRUCell(
            x.shape[-1], units, gate_fn=as_function(recurrent_activation), activation_fn=as_function(activation),
            kernel_init=initializer(kernel_initializer), recurrent_kernel_init=initializer(recurrent_initializer),
            bias_init=initializer(bias_initializer), kernel_metadata=penalty(kernel_regularizer),
            recurrent_kernel_metadata=penalty(recurrent_regularizer), rngs=rngs,
        )  # fmt: skip

    def call(layer, inputs, states, *, dropout, recurrent_dropout):
        if dropout or recurrent_dropout:
            refuse(DROPPED_STEPS)
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
        if not use_bias:
            refuse("Flax's recurrent cells always have a bias")
        return nnx.SimpleCell(
            x.shape[-1], units, activation_fn=as_function(activation), kernel_init=initializer(kernel_initializer),
            recurrent_kernel_init=initializer(recurrent_initializer), bias_init=initializer(bias_initializer),
            kernel_metadata=penalty(kernel_regularizer), recurrent_kernel_metadata=penalty(recurrent_regularizer),
            bias_metadata=penalty(bias_regularizer), rngs=rngs,
        )  # fmt: skip

    def call(layer, sequence, states, *, dropout, recurrent_dropout):
        if dropout or recurrent_dropout:
            refuse(DROPPED_STEPS)
        if isinstance(states, (list, tuple)):
            state, output = layer(states[0], sequence)
            return output, [state]
        return layer(states, sequence)[::-1]

    shape = GRUCellRule.shape
    weights = {"kernel": "dense_i.kernel", "recurrent_kernel": "dense_h.kernel", "bias": "dense_i.bias"}


@layer("tf.keras.layers.RNN", differences=[DROPS], samples=[
    sample(made(LSTM_CELL, 4), x=f32(2, 6, 3)),
    sample(made(LSTM_CELL, 4), return_sequences=True, return_state=True, x=f32(2, 6, 3)),
    sample(made(LSTM_CELL, 4), return_state=True, x=f32(2, 6, 3), call={"initial_state": [f32(2, 4), f32(2, 4)]}),
    sample(made("tf.keras.layers.GRUCell", 4), return_state=True, return_sequences=True, x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.GRUCell", 4), x=f32(5, 6, 3), call={"mask": boolean(5, 6)}),
    sample(made("tf.keras.layers.GRUCell", 4), return_state=True, x=f32(9, 2, 3), call={"mask": boolean(9, 2)}),
    sample(made(LSTM_CELL, 4), return_state=True, x=f32(9, 2, 3), call={"mask": boolean(9, 2)}),
    sample(made("tf.keras.layers.SimpleRNNCell", 4), return_sequences=True, go_backwards=True, x=f32(2, 6, 3)),
    sample(made("tf.keras.layers.SimpleRNNCell", 4, dropout=0.3), return_state=True, x=f32(2, 6, 3),
           call={"initial_state": f32(2, 4)}),
])  # fmt: skip
class RNN:
    wraps = ("cell",)
    children = {"cell": "cell"}
    helpers = (
        DropoutRNN, masked_rnn, outputs_and_states, last_and_states, last_and_state, held_and_states, held_and_state,
        last_of,
    )  # fmt: skip
    keeps_mask = "return_sequences"

    def make(cell, return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False,
             zero_output_for_mask=False, time_major=False, *, x, rngs):  # fmt: skip
        if not known(cell):
            refuse(OWN_CELL)
        if isinstance(cell, (list, tuple)):
            refuse("an RNN over a list of cells: one RNN after the other, all but the last with return_sequences=True")
        return over_steps(
            cell.make(x=x, rngs=rngs), cell.dropout, cell.recurrent_dropout, stateful, time_major, go_backwards, rngs
        )

    def call(layer, sequences, initial_state=None, mask=None, *, training, cell, return_sequences, return_state,
             zero_output_for_mask):  # fmt: skip
        if not known(cell):
            refuse(OWN_CELL)
        if (not known(mask) or mask is not None) and zero_output_for_mask:
            refuse("a mask with zero_output_for_mask: multiply the outputs by `mask[..., None]`")
        carry = only_state(initial_state)
        if cell.symbol == LSTM_CELL:
            carry = None
            if not known(initial_state) or initial_state is not None:
                carry = (initial_state[1], initial_state[0])
        if return_state and cell.symbol == LSTM_CELL:
            if return_sequences:
                return outputs_and_states(with_carry(layer, sequences, carry, mask, cell.dropout, training))
            if not known(mask) or mask is not None:
                return held_and_states(with_carry(layer, sequences, carry, mask, cell.dropout, training))
            return last_and_states(with_carry(layer, sequences, carry, mask, cell.dropout, training))
        if return_state and return_sequences:
            return with_carry(layer, sequences, carry, mask, cell.dropout, training)[::-1]
        if return_state:
            if not known(mask) or mask is not None:
                return held_and_state(with_carry(layer, sequences, carry, mask, cell.dropout, training))
            return last_and_state(with_carry(layer, sequences, carry, mask, cell.dropout, training))
        return outputs_of(layer, sequences, carry, mask, cell.dropout, training, return_sequences)

    def shape(x, *, cell, return_sequences, return_state):
        states = 2 if cell.symbol == LSTM_CELL else 1
        return recurrent_shape(x, cell.units, return_sequences, return_state, states)
