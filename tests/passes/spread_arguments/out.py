"""Sizes that are spread over a builder's parameters."""

import functools
import sys

import jax
from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Build(nnx.Module):
    def __init__(self, num_features, width, num_classes=10, *, rngs: nnx.Rngs):
        self.dense1 = Linear(num_features, width, rngs=rngs)
        self.dense2 = Linear(width, num_classes, rngs=rngs)

    def __call__(self, inputs):
        x = nnx.relu(self.dense1(inputs))
        return self.dense2(x)


def main(argv, *, seed=0):
    sizes = [int(value) for value in argv]
    model = Build(*sizes, num_classes=3, rngs=nnx.Rngs(seed))
    print(f"{sum(p.size for p in jax.tree.leaves(nnx.state(model, nnx.Param))):,} parameters")


if __name__ == "__main__":
    main(sys.argv[1:])
