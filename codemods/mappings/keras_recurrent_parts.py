"""What recurrent layers of `tf.keras.layers` are ported to: cells and helpers of the output, and parts of the rules."""

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax

from codemods.engine.rule import Difference, inline, known, refuse
from codemods.engine.touching import stated, with_inner


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


class DropoutRNN(nnx.RNN):
    """An RNN that drops the same features of its inputs at all steps of a sequence."""

    def __init__(self, cell, rate, *, reverse=False, rngs: nnx.Rngs):
        super().__init__(cell, reverse=reverse)
        self.dropout = nnx.Dropout(rate, broadcast_dims=(1,), rngs=rngs)

    def __call__(self, inputs, *, deterministic=None, **kwargs):
        return super().__call__(self.dropout(inputs, deterministic=deterministic), **kwargs)


def masked_rnn(rnn, sequences, mask, initial_carry=None):
    """(carry, outputs) of an RNN over steps of which those where `mask`, of shape (batch, steps), is false are passed
    over: the state stays, and the output is the one before."""
    if mask is None:
        return rnn(sequences, initial_carry=initial_carry, return_carry=True)
    steps = (sequences.swapaxes(0, 1), mask.T)
    if rnn.reverse:
        steps = tuple(jnp.flip(part, axis=0) for part in steps)
    carry = rnn.cell.initialize_carry(steps[0].shape[1:], rnn.rngs) if initial_carry is None else initial_carry

    def step(held, inputs):
        x, counts = inputs
        found = rnn.cell(held[0], x)
        held = jax.tree.map(lambda new, old: jnp.where(counts[:, None], new, old), found, held)
        return held, held[1]

    output = jnp.zeros_like(jax.tree.leaves(carry)[-1])
    (carry, _), outputs = lax.scan(step, (carry, output), steps)
    return carry, outputs.swapaxes(0, 1)


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


def held_and_states(result):
    """As `last_and_states`, of a masked RNN: where no step counts, the output is not the state that it began with."""
    (c, h), outputs = result
    return outputs[:, -1], h, c


def held_and_state(result):
    """As `last_and_state`, of a masked RNN: where no step counts, the output is not the state that it began with."""
    state, outputs = result
    return outputs[:, -1], state


def last_of(result):
    """The last output of an RNN that returns its carry."""
    return result[1][:, -1]


DROPS = Difference(
    "dropout in training",
    "which features are dropped differs; their share and scale do not",
    at=with_inner(stated("dropout")),
)
RECURRENT_DROPOUT = (
    "recurrent_dropout: derive a cell that drops its state with nnx.Dropout(rate, rng_collection='recurrent', rngs=rngs), "
    "and run it with nnx.RNN(cell, broadcast_rngs='recurrent')"
)
STATEFUL = "stateful layers: nnx.RNN takes initial_carry and gives the last one back with return_carry=True"


@inline
def over_steps(cell, dropout, recurrent_dropout, stateful, time_major, go_backwards, rngs):
    """An RNN over a cell."""
    if recurrent_dropout:
        refuse(RECURRENT_DROPOUT)
    if stateful:
        refuse(STATEFUL)
    if time_major:
        refuse("time_major: give sequences of shape (batch, steps, features)")
    if not known(dropout) or dropout:
        return DropoutRNN(cell, dropout, reverse=go_backwards, rngs=rngs)
    return nnx.RNN(cell, reverse=go_backwards)


@inline
def with_carry(layer, sequences, carry, mask, dropout, training):
    """(carry, outputs) of an RNN."""
    if not known(dropout) or dropout:
        if known(mask) and mask is None:
            return layer(sequences, initial_carry=carry, return_carry=True, deterministic=not training)
        return masked_rnn(layer, layer.dropout(sequences, deterministic=not training), mask, initial_carry=carry)
    if known(mask) and mask is None:
        return layer(sequences, initial_carry=carry, return_carry=True)
    return masked_rnn(layer, sequences, mask, initial_carry=carry)


@inline
def outputs_of(layer, sequences, carry, mask, dropout, training, return_sequences):
    """The outputs of an RNN, or the last one."""
    if not known(mask) or mask is not None:
        if return_sequences:
            return with_carry(layer, sequences, carry, mask, dropout, training)[1]
        return last_of(with_carry(layer, sequences, carry, mask, dropout, training))
    if not known(dropout) or dropout:
        if return_sequences:
            return layer(sequences, initial_carry=carry, deterministic=not training)
        return layer(sequences, initial_carry=carry, deterministic=not training)[:, -1]
    if return_sequences:
        return layer(sequences, initial_carry=carry)
    return layer(sequences, initial_carry=carry)[:, -1]


@inline
def only_state(initial_state):
    if known(isinstance(initial_state, (list, tuple))) and isinstance(initial_state, (list, tuple)):
        return initial_state[0]
    return initial_state


def recurrent_shape(x, units, return_sequences, return_state, states):
    output = (*x.shape[:-1], units) if return_sequences else (x.shape[0], units)
    return [output] + [(x.shape[0], units)] * states if return_state else output
