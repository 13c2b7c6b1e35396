"""Recurrent layers of `tf.keras.layers`: a cell inside `nnx.RNN`."""

from flax import nnx

from codemods.engine.rule import Weight, boolean, f32, known, layer, refuse, sample
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


@layer(
    "tf.keras.layers.LSTM",
    samples=[
        sample(4, recurrent_regularizer="l2", bias_regularizer="l1", x=f32(2, 6, 3)),
        sample(4, return_sequences=True, recurrent_activation="hard_sigmoid", activation="relu", x=f32(2, 6, 3)),
        sample(4, unit_forget_bias=False, go_backwards=True, return_sequences=True, x=f32(2, 6, 3)),
        sample(4, return_state=True, x=f32(2, 6, 3), call={"initial_state": [f32(2, 4), f32(2, 4)]}),
        sample(4, return_state=True, return_sequences=True, x=f32(2, 6, 3)),
        sample(4, dropout=0.3, return_state=True, x=f32(2, 6, 3)),
        sample(4, x=f32(5, 6, 3), call={"mask": boolean(5, 6)}),
        sample(
            4, return_state=True, x=f32(9, 2, 3), call={"mask": boolean(9, 2), "initial_state": [f32(9, 4), f32(9, 4)]}
        ),
        sample(4, dropout=0.3, return_sequences=True, x=f32(2, 6, 3), call={"mask": boolean(2, 6)}),
        sample(
            4,
            return_sequences=True,
            return_state=True,
            go_backwards=True,
            x=f32(5, 6, 3),
            call={"mask": boolean(5, 6), "initial_state": [f32(5, 4), f32(5, 4)]},
        ),
    ],
    differences=[DROPS],
)
class LSTM:
    helpers = (forget_bias, DropoutRNN, masked_rnn, outputs_and_states, last_and_states, held_and_states, last_of)
    keeps_mask = "return_sequences"

    def make(units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
             kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
             unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
             activity_regularizer=None, kernel_constraint=None, recurrent_constraint=None, bias_constraint=None,
             dropout=0.0, recurrent_dropout=0.0, seed=None, return_sequences=False, return_state=False,
             go_backwards=False, stateful=False, unroll=False, use_cudnn="auto", implementation=2, time_major=False,
             *, x, rngs):  # fmt: skip
        if not use_bias:
            refuse("Flax's LSTM cells always have a bias")
        bias_init = initializer(bias_initializer)
        if unit_forget_bias:
            if bias_initializer != "zeros":
                refuse("unit_forget_bias with a bias_initializer other than zeros")
            bias_init = forget_bias
        cell = nnx.OptimizedLSTMCell(
            x.shape[-1], units, gate_fn=as_function(recurrent_activation), activation_fn=as_function(activation),
            kernel_init=initializer(kernel_initializer), recurrent_kernel_init=initializer(recurrent_initializer),
            bias_init=bias_init, kernel_metadata=penalty(kernel_regularizer),
            recurrent_kernel_metadata=penalty(recurrent_regularizer), bias_metadata=penalty(bias_regularizer),
            rngs=rngs,
        )  # fmt: skip
        return over_steps(cell, dropout, recurrent_dropout, stateful, time_major, go_backwards, rngs)

    def call(layer, sequences, initial_state=None, mask=None, *, training, dropout, return_sequences, return_state):
        carry = None
        if not known(initial_state) or initial_state is not None:
            carry = (initial_state[1], initial_state[0])
        if return_state and return_sequences:
            return outputs_and_states(with_carry(layer, sequences, carry, mask, dropout, training))
        if return_state:
            if not known(mask) or mask is not None:
                return held_and_states(with_carry(layer, sequences, carry, mask, dropout, training))
            return last_and_states(with_carry(layer, sequences, carry, mask, dropout, training))
        return outputs_of(layer, sequences, carry, mask, dropout, training, return_sequences)

    def shape(x, *, units, return_sequences, return_state):
        return recurrent_shape(x, units, return_sequences, return_state, 2)

    weights = {
        "cell.kernel": "cell.dense_i.kernel",
        "cell.recurrent_kernel": "cell.dense_h.kernel",
        "cell.bias": "cell.dense_h.bias",
    }


@layer(
    "tf.keras.layers.GRU",
    samples=[
        sample(4, kernel_regularizer="l1", recurrent_regularizer="l2", x=f32(2, 6, 3)),
        sample(4, return_sequences=True, activation="relu", bias_initializer="ones", x=f32(2, 6, 3)),
        sample(4, go_backwards=True, return_sequences=True, x=f32(2, 6, 3)),
        sample(4, return_state=True, x=f32(2, 6, 3), call={"initial_state": f32(2, 4)}),
        sample(4, return_state=True, return_sequences=True, x=f32(2, 6, 3), call={"initial_state": [f32(2, 4)]}),
        sample(4, dropout=0.3, return_sequences=True, x=f32(2, 6, 3)),
        sample(4, return_sequences=True, return_state=True, x=f32(5, 6, 3), call={"mask": boolean(5, 6)}),
        sample(4, go_backwards=True, x=f32(5, 6, 3), call={"mask": boolean(5, 6), "initial_state": f32(5, 4)}),
        sample(4, return_state=True, x=f32(9, 2, 3), call={"mask": boolean(9, 2), "initial_state": f32(9, 4)}),
    ],
    differences=[DROPS],
)
class GRU:
    helpers = (GRUCell, DropoutRNN, masked_rnn, last_and_state, held_and_state, last_of)
    keeps_mask = "return_sequences"

    def make(units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
             kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
             kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, activity_regularizer=None,
             kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.0,
             recurrent_dropout=0.0, seed=None, return_sequences=False, return_state=False, go_backwards=False,
             stateful=False, unroll=False, reset_after=True, use_cudnn="auto", implementation=2, time_major=False,
             *, x, rngs):  # fmt: skip
        if not use_bias or not reset_after:
            refuse("a GRU without bias, or with reset_after=False, has no cell in Flax")
        cell = GRUCell(
            x.shape[-1], units, gate_fn=as_function(recurrent_activation), activation_fn=as_function(activation),
            kernel_init=initializer(kernel_initializer), recurrent_kernel_init=initializer(recurrent_initializer),
            bias_init=initializer(bias_initializer), kernel_metadata=penalty(kernel_regularizer),
            recurrent_kernel_metadata=penalty(recurrent_regularizer), rngs=rngs,
        )  # fmt: skip
        return over_steps(cell, dropout, recurrent_dropout, stateful, time_major, go_backwards, rngs)

    def call(layer, sequences, initial_state=None, mask=None, *, training, dropout, return_sequences, return_state):
        carry = only_state(initial_state)
        if return_state and return_sequences:
            return with_carry(layer, sequences, carry, mask, dropout, training)[::-1]
        if return_state:
            if not known(mask) or mask is not None:
                return held_and_state(with_carry(layer, sequences, carry, mask, dropout, training))
            return last_and_state(with_carry(layer, sequences, carry, mask, dropout, training))
        return outputs_of(layer, sequences, carry, mask, dropout, training, return_sequences)

    def shape(x, *, units, return_sequences, return_state):
        return recurrent_shape(x, units, return_sequences, return_state, 1)

    # Keras's gates are update, reset, candidate; Flax's are reset, update, candidate.
    weights = {
        "cell.kernel": Weight("cell.dense_i.kernel", (("blocks", 1, (1, 0, 2)),)),
        "cell.recurrent_kernel": Weight("cell.dense_h.kernel", (("blocks", 1, (1, 0, 2)),)),
        "cell.bias": (
            Weight("cell.dense_i.bias", (("take", 0, 0), ("blocks", 0, (1, 0, 2)))),
            Weight("cell.dense_h.bias", (("take", 0, 1), ("blocks", 0, (1, 0, 2)))),
        ),
    }


@layer(
    "tf.keras.layers.SimpleRNN",
    samples=[
        sample(4, kernel_regularizer="l1", bias_regularizer="l2", x=f32(2, 6, 3)),
        sample(4, return_sequences=True, activation="relu", go_backwards=True, x=f32(2, 6, 3)),
        sample(4, return_state=True, return_sequences=True, x=f32(2, 6, 3), call={"initial_state": f32(2, 4)}),
        sample(4, return_state=True, x=f32(2, 6, 3)),
        sample(4, return_sequences=True, x=f32(5, 6, 3), call={"mask": boolean(5, 6)}),
    ],
    differences=[DROPS],
)
class SimpleRNN:
    keeps_mask = "return_sequences"

    def make(units, activation="tanh", use_bias=True, kernel_initializer="glorot_uniform",
             recurrent_initializer="orthogonal", bias_initializer="zeros", kernel_regularizer=None,
             recurrent_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
             recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0,
             return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False, seed=None,
             *, x, rngs):  # fmt: skip
        if not use_bias:
            refuse("Flax's recurrent cells always have a bias")
        cell = nnx.SimpleCell(
            x.shape[-1], units, activation_fn=as_function(activation), kernel_init=initializer(kernel_initializer),
            recurrent_kernel_init=initializer(recurrent_initializer), bias_init=initializer(bias_initializer),
            kernel_metadata=penalty(kernel_regularizer), recurrent_kernel_metadata=penalty(recurrent_regularizer),
            bias_metadata=penalty(bias_regularizer), rngs=rngs,
        )  # fmt: skip
        return over_steps(cell, dropout, recurrent_dropout, stateful, False, go_backwards, rngs)

    helpers = (DropoutRNN, masked_rnn, last_and_state, held_and_state, last_of)
    call = GRU.call
    shape = GRU.shape
    weights = {
        "cell.kernel": "cell.dense_i.kernel",
        "cell.recurrent_kernel": "cell.dense_h.kernel",
        "cell.bias": "cell.dense_i.bias",
    }
