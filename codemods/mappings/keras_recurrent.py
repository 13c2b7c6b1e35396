"""Recurrent layers of `tf.keras.layers`: a cell inside `nnx.RNN`."""

import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import Weight, f32, inline, known, layer, refuse, sample
from codemods.mappings.keras_activate import as_function
from codemods.mappings.keras_initializers import initializer
from codemods.mappings.keras_regularizers import penalty


def forget_bias(key, shape, dtype=jnp.float32):
    """Zeros, and ones for the forget gate; the gates are input, forget, cell, output."""
    return jnp.zeros(shape, dtype).at[shape[0] // 4 : shape[0] // 2].set(1)


class GRUCell(nnx.GRUCell):
    """A GRU cell with a bias of its own on the recurrent side, as in cuDNN."""

    def __init__(
        self, in_features, hidden_features, *, bias_init=nnx.initializers.zeros_init(), rngs: nnx.Rngs, **kwargs
    ):
        super().__init__(in_features, hidden_features, bias_init=bias_init, rngs=rngs, **kwargs)
        kernel = self.dense_h.kernel
        self.dense_h = nnx.Linear(hidden_features, 3 * hidden_features, bias_init=bias_init, rngs=rngs)
        self.dense_h.kernel = kernel


def outputs_and_states(result):
    """(outputs, h, c) of an RNN over an LSTM cell that returns its carry."""
    (c, h), outputs = result
    return outputs, h, c


def last_and_states(result):
    """(last output, h, c) of an RNN over an LSTM cell that returns its carry."""
    (c, h), _ = result
    return h, h, c


def last_and_state(result):
    """(last output, state) of an RNN, over a cell whose state is its output, that returns its carry."""
    return result[0], result[0]


@inline
def only_state(initial_state):
    if known(isinstance(initial_state, (list, tuple))) and isinstance(initial_state, (list, tuple)):
        return initial_state[0]
    return initial_state


@layer(
    "tf.keras.layers.LSTM",
    samples=[
        sample(4, recurrent_regularizer="l2", bias_regularizer="l1", x=f32(2, 6, 3)),
        sample(4, return_sequences=True, recurrent_activation="hard_sigmoid", activation="relu", x=f32(2, 6, 3)),
        sample(4, unit_forget_bias=False, go_backwards=True, return_sequences=True, x=f32(2, 6, 3)),
        sample(4, return_state=True, x=f32(2, 6, 3), call={"initial_state": [f32(2, 4), f32(2, 4)]}),
        sample(4, return_state=True, return_sequences=True, x=f32(2, 6, 3)),
    ],
)
class LSTM:
    helpers = (forget_bias, outputs_and_states, last_and_states)

    def make(units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
             kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
             unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
             activity_regularizer=None, kernel_constraint=None, recurrent_constraint=None, bias_constraint=None,
             dropout=0.0, recurrent_dropout=0.0, seed=None, return_sequences=False, return_state=False,
             go_backwards=False, stateful=False, unroll=False, use_cudnn="auto", implementation=2, time_major=False,
             *, x, rngs):  # fmt: skip
        if dropout or recurrent_dropout:
            refuse("dropout inside a recurrent layer: put nnx.Dropout(rate, broadcast_dims=(1,)) before it")
        if stateful or time_major:
            refuse("stateful and time_major layers: nnx.RNN takes initial_carry and time_major in the call")
        if not use_bias:
            refuse("Flax's LSTM cells always have a bias")
        bias_init = initializer(bias_initializer)
        if unit_forget_bias:
            if bias_initializer != "zeros":
                refuse("unit_forget_bias with a bias_initializer other than zeros")
            bias_init = forget_bias
        return nnx.RNN(
            nnx.OptimizedLSTMCell(
                x.shape[-1], units, gate_fn=as_function(recurrent_activation), activation_fn=as_function(activation),
                kernel_init=initializer(kernel_initializer), recurrent_kernel_init=initializer(recurrent_initializer),
                bias_init=bias_init, kernel_metadata=penalty(kernel_regularizer),
                recurrent_kernel_metadata=penalty(recurrent_regularizer), bias_metadata=penalty(bias_regularizer),
                rngs=rngs,
            ),
            reverse=go_backwards,
        )  # fmt: skip

    def call(layer, sequences, initial_state=None, mask=None, *, return_sequences, return_state):
        if mask is not None:
            refuse("a mask given to a recurrent layer: nnx.RNN takes seq_lengths where the padding is at the end")
        carry = None
        if not known(initial_state) or initial_state is not None:
            carry = (initial_state[1], initial_state[0])
        if return_state and return_sequences:
            return outputs_and_states(layer(sequences, initial_carry=carry, return_carry=True))
        if return_state:
            return last_and_states(layer(sequences, initial_carry=carry, return_carry=True))
        if return_sequences:
            return layer(sequences, initial_carry=carry)
        return layer(sequences, initial_carry=carry)[:, -1]

    def shape(x, *, units, return_sequences, return_state):
        return recurrent_shape(x, units, return_sequences, return_state, 2)

    weights = {
        "cell.kernel": "cell.dense_i.kernel",
        "cell.recurrent_kernel": "cell.dense_h.kernel",
        "cell.bias": "cell.dense_h.bias",
    }


def recurrent_shape(x, units, return_sequences, return_state, states):
    output = (*x.shape[:-1], units) if return_sequences else (x.shape[0], units)
    return [output] + [(x.shape[0], units)] * states if return_state else output


@layer(
    "tf.keras.layers.GRU",
    samples=[
        sample(4, kernel_regularizer="l1", recurrent_regularizer="l2", x=f32(2, 6, 3)),
        sample(4, return_sequences=True, activation="relu", bias_initializer="ones", x=f32(2, 6, 3)),
        sample(4, go_backwards=True, return_sequences=True, x=f32(2, 6, 3)),
        sample(4, return_state=True, x=f32(2, 6, 3), call={"initial_state": f32(2, 4)}),
        sample(4, return_state=True, return_sequences=True, x=f32(2, 6, 3), call={"initial_state": [f32(2, 4)]}),
    ],
)
class GRU:
    helpers = (GRUCell, last_and_state)

    def make(units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
             kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
             kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, activity_regularizer=None,
             kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.0,
             recurrent_dropout=0.0, seed=None, return_sequences=False, return_state=False, go_backwards=False,
             stateful=False, unroll=False, reset_after=True, use_cudnn="auto", implementation=2, time_major=False,
             *, x, rngs):  # fmt: skip
        if dropout or recurrent_dropout:
            refuse("dropout inside a recurrent layer: put nnx.Dropout(rate, broadcast_dims=(1,)) before it")
        if stateful or time_major:
            refuse("stateful and time_major layers: nnx.RNN takes initial_carry and time_major in the call")
        if not use_bias or not reset_after:
            refuse("a GRU without bias, or with reset_after=False, has no cell in Flax")
        return nnx.RNN(
            GRUCell(
                x.shape[-1], units, gate_fn=as_function(recurrent_activation), activation_fn=as_function(activation),
                kernel_init=initializer(kernel_initializer), recurrent_kernel_init=initializer(recurrent_initializer),
                bias_init=initializer(bias_initializer), kernel_metadata=penalty(kernel_regularizer),
                recurrent_kernel_metadata=penalty(recurrent_regularizer), rngs=rngs,
            ),
            reverse=go_backwards,
        )  # fmt: skip

    def call(layer, sequences, initial_state=None, mask=None, *, return_sequences, return_state):
        if mask is not None:
            refuse("a mask given to a recurrent layer: nnx.RNN takes seq_lengths where the padding is at the end")
        if return_state and return_sequences:
            return layer(sequences, initial_carry=only_state(initial_state), return_carry=True)[::-1]
        if return_state:
            return last_and_state(layer(sequences, initial_carry=only_state(initial_state), return_carry=True))
        if return_sequences:
            return layer(sequences, initial_carry=only_state(initial_state))
        return layer(sequences, initial_carry=only_state(initial_state))[:, -1]

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
    ],
)
class SimpleRNN:
    def make(units, activation="tanh", use_bias=True, kernel_initializer="glorot_uniform",
             recurrent_initializer="orthogonal", bias_initializer="zeros", kernel_regularizer=None,
             recurrent_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
             recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0,
             return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False, seed=None,
             *, x, rngs):  # fmt: skip
        if dropout or recurrent_dropout:
            refuse("dropout inside a recurrent layer: put nnx.Dropout(rate, broadcast_dims=(1,)) before it")
        if stateful:
            refuse("stateful layers: nnx.RNN takes initial_carry and gives it back with return_carry=True")
        if not use_bias:
            refuse("Flax's recurrent cells always have a bias")
        return nnx.RNN(
            nnx.SimpleCell(
                x.shape[-1], units, activation_fn=as_function(activation), kernel_init=initializer(kernel_initializer),
                recurrent_kernel_init=initializer(recurrent_initializer), bias_init=initializer(bias_initializer),
                kernel_metadata=penalty(kernel_regularizer), recurrent_kernel_metadata=penalty(recurrent_regularizer),
                bias_metadata=penalty(bias_regularizer), rngs=rngs,
            ),
            reverse=go_backwards,
        )  # fmt: skip

    helpers = (last_and_state,)
    call = GRU.call
    shape = GRU.shape
    weights = {
        "cell.kernel": "cell.dense_i.kernel",
        "cell.recurrent_kernel": "cell.dense_h.kernel",
        "cell.bias": "cell.dense_i.bias",
    }
