"""Keras 2 took the mode by position."""

import functools

from flax import nnx

# Keras defaults that differ from Flax's.
BatchNorm = functools.partial(nnx.BatchNorm, epsilon=0.001, use_fast_variance=False)
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Block(nnx.Module):
    def __init__(self, in_features, units, rate=0.1, *, rngs: nnx.Rngs):
        self.dense = Linear(in_features, units, rngs=rngs)
        self.norm = BatchNorm(units, rngs=rngs)
        self.dropout = nnx.Dropout(rate, rngs=rngs)

    def __call__(self, x, training=False):
        x = self.norm(self.dense(x), use_running_average=not training)
        return self.dropout(nnx.relu(x), deterministic=not training)
