"""ConvLSTM layers of `tf.keras.layers`: a cell of convolutions inside `nnx.RNN`."""

import jax
import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import f32, inline, layer, refuse, sample
from codemods.mappings.keras_activate import as_function
from codemods.mappings.keras_conv import even, pair, triple, window_shape
from codemods.mappings.keras_initializers import initializer
from codemods.mappings.keras_recurrent_parts import forget_bias, last_and_states, outputs_and_states


class ConvLSTMCell(nnx.RNNCellBase):
    """An LSTM cell whose input and state are images; the gates are input, forget, cell, output."""

    def __init__(
        self, in_features, features, kernel_size, *, strides=1, padding="VALID", kernel_dilation=1,
        gate_fn=nnx.sigmoid, activation_fn=nnx.tanh, use_bias=True, kernel_init=nnx.initializers.glorot_uniform(),
        recurrent_kernel_init=nnx.initializers.glorot_uniform(), bias_init=nnx.initializers.zeros_init(),
        rngs: nnx.Rngs,
    ):  # fmt: skip
        self.features = features
        self.gate_fn, self.activation_fn = gate_fn, activation_fn
        self.input = nnx.Conv(
            in_features, 4 * features, kernel_size, strides=strides, padding=padding, kernel_dilation=kernel_dilation,
            use_bias=use_bias, kernel_init=kernel_init, bias_init=bias_init, rngs=rngs,
        )  # fmt: skip
        self.hidden = nnx.Conv(
            features, 4 * features, kernel_size, use_bias=False, kernel_init=recurrent_kernel_init,
            rngs=rngs,
        )  # fmt: skip

    def __call__(self, carry, inputs):
        c, h = carry
        i, f, g, o = jnp.split(self.input(inputs) + self.hidden(h), 4, axis=-1)
        c = self.gate_fn(f) * c + self.gate_fn(i) * self.activation_fn(g)
        h = self.gate_fn(o) * self.activation_fn(c)
        return (c, h), h

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        gates = jax.eval_shape(self.input, jax.ShapeDtypeStruct(input_shape, jnp.float32))
        zeros = jnp.zeros((*gates.shape[:-1], self.features))
        return zeros, zeros

    @property
    def num_feature_axes(self):
        return len(self.input.kernel_size) + 1


@inline
def over_images(layer, sequences, initial_state, mask, return_sequences, return_state):
    if initial_state is not None or mask is not None:
        refuse("a ConvLSTM with an initial state or a mask: nnx.RNN takes initial_carry and seq_lengths")
    if return_state and return_sequences:
        return outputs_and_states(layer(sequences, return_carry=True))
    if return_state:
        return last_and_states(layer(sequences, return_carry=True))
    if return_sequences:
        return layer(sequences)
    return layer(sequences)[:, -1]


@inline
def over_time(cell, dropout, recurrent_dropout, stateful, data_format, go_backwards):
    if dropout or recurrent_dropout:
        refuse("dropout inside a recurrent layer: put nnx.Dropout(rate, broadcast_dims=(1,)) before it")
    if stateful or data_format == "channels_first":
        refuse("stateful layers, and channels first: nnx.RNN takes initial_carry and gives it back")
    return nnx.RNN(cell, reverse=go_backwards)


@inline
def bias_of(bias_initializer, unit_forget_bias):
    if unit_forget_bias:
        return forget_bias
    return initializer(bias_initializer)


def images_shape(x, filters, kernel_size, strides, padding, dilation_rate, return_sequences, return_state):
    batch, steps, *rest = x.shape
    _, *image = window_shape((batch, *rest), filters, kernel_size, strides, padding, dilation_rate)
    output = (batch, steps, *image) if return_sequences else (batch, *image)
    return [output, (batch, *image), (batch, *image)] if return_state else output


@layer("tf.keras.layers.ConvLSTM2D", attribute="conv_lstm", samples=[
    sample(4, 3, x=f32(2, 4, 6, 5, 3)),
    sample(4, (3, 2), padding="same", strides=2, return_sequences=True, x=f32(2, 3, 6, 5, 3)),
    sample(3, 2, recurrent_activation="hard_sigmoid", activation="relu", return_state=True, x=f32(2, 3, 6, 5, 3)),
    sample(3, 2, use_bias=False, go_backwards=True, return_sequences=True, return_state=True, x=f32(2, 3, 4, 5, 3)),
])  # fmt: skip
class ConvLSTM2D:
    helpers = (ConvLSTMCell, forget_bias, outputs_and_states, last_and_states)
    keeps_mask = "return_sequences"

    def make(filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, activation="tanh",
             recurrent_activation="sigmoid", use_bias=True, kernel_initializer="glorot_uniform",
             recurrent_initializer="orthogonal", bias_initializer="zeros", unit_forget_bias=True,
             kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, activity_regularizer=None,
             kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.0,
             recurrent_dropout=0.0, seed=None, return_sequences=False, return_state=False, go_backwards=False,
             stateful=False, *, x, rngs):  # fmt: skip
        cell = ConvLSTMCell(
            x.shape[-1], filters, pair(kernel_size), strides=even(strides), padding=padding.upper(),
            kernel_dilation=even(dilation_rate), gate_fn=as_function(recurrent_activation),
            activation_fn=as_function(activation), use_bias=use_bias, kernel_init=initializer(kernel_initializer),
            recurrent_kernel_init=initializer(recurrent_initializer),
            bias_init=bias_of(bias_initializer, unit_forget_bias), rngs=rngs,
        )  # fmt: skip
        return over_time(cell, dropout, recurrent_dropout, stateful, data_format, go_backwards)

    def call(layer, sequences, initial_state=None, mask=None, *, return_sequences, return_state):
        return over_images(layer, sequences, initial_state, mask, return_sequences, return_state)

    def shape(x, *, filters, kernel_size, strides, padding, dilation_rate, return_sequences, return_state):
        return images_shape(x, filters, kernel_size, strides, padding, dilation_rate, return_sequences, return_state)

    weights = {"cell.kernel": "cell.input.kernel", "cell.recurrent_kernel": "cell.hidden.kernel",
               "cell.bias": "cell.input.bias"}  # fmt: skip


@layer("tf.keras.layers.ConvLSTM1D", attribute="conv_lstm", samples=[
    sample(4, 3, x=f32(2, 4, 6, 3)), sample(4, 3, padding="same", return_sequences=True, x=f32(2, 3, 6, 3)),
])  # fmt: skip
class ConvLSTM1D:
    helpers = ConvLSTM2D.helpers
    keeps_mask = "return_sequences"

    def make(filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, activation="tanh",
             recurrent_activation="sigmoid", use_bias=True, kernel_initializer="glorot_uniform",
             recurrent_initializer="orthogonal", bias_initializer="zeros", unit_forget_bias=True,
             kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, activity_regularizer=None,
             kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.0,
             recurrent_dropout=0.0, seed=None, return_sequences=False, return_state=False, go_backwards=False,
             stateful=False, *, x, rngs):  # fmt: skip
        cell = ConvLSTMCell(
            x.shape[-1], filters, (kernel_size,) if isinstance(kernel_size, int) else kernel_size,
            strides=even(strides), padding=padding.upper(), kernel_dilation=even(dilation_rate),
            gate_fn=as_function(recurrent_activation), activation_fn=as_function(activation), use_bias=use_bias,
            kernel_init=initializer(kernel_initializer), recurrent_kernel_init=initializer(recurrent_initializer),
            bias_init=bias_of(bias_initializer, unit_forget_bias), rngs=rngs,
        )  # fmt: skip
        return over_time(cell, dropout, recurrent_dropout, stateful, data_format, go_backwards)

    call = ConvLSTM2D.call
    shape = ConvLSTM2D.shape
    weights = ConvLSTM2D.weights


@layer("tf.keras.layers.ConvLSTM3D", attribute="conv_lstm", samples=[
    sample(2, 2, x=f32(2, 3, 4, 3, 4, 2)), sample(2, 2, padding="same", return_sequences=True, x=f32(1, 3, 4, 3, 4, 2)),
])  # fmt: skip
class ConvLSTM3D:
    helpers = ConvLSTM2D.helpers
    keeps_mask = "return_sequences"

    def make(filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, activation="tanh",
             recurrent_activation="sigmoid", use_bias=True, kernel_initializer="glorot_uniform",
             recurrent_initializer="orthogonal", bias_initializer="zeros", unit_forget_bias=True,
             kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, activity_regularizer=None,
             kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.0,
             recurrent_dropout=0.0, seed=None, return_sequences=False, return_state=False, go_backwards=False,
             stateful=False, *, x, rngs):  # fmt: skip
        cell = ConvLSTMCell(
            x.shape[-1], filters, triple(kernel_size), strides=even(strides), padding=padding.upper(),
            kernel_dilation=even(dilation_rate), gate_fn=as_function(recurrent_activation),
            activation_fn=as_function(activation), use_bias=use_bias, kernel_init=initializer(kernel_initializer),
            recurrent_kernel_init=initializer(recurrent_initializer),
            bias_init=bias_of(bias_initializer, unit_forget_bias), rngs=rngs,
        )  # fmt: skip
        return over_time(cell, dropout, recurrent_dropout, stateful, data_format, go_backwards)

    call = ConvLSTM2D.call
    shape = ConvLSTM2D.shape
    weights = ConvLSTM2D.weights
