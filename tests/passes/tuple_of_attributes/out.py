import functools

from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Mm(nnx.Module):
    def __init__(self, in_features, n, m, *, rngs: nnx.Rngs):
        # Two sizes.
        self.n = n
        self.m = m  # both
        self.q = Linear(in_features, n, rngs=rngs)
        self.k = Linear(in_features, m, rngs=rngs)
        self.n, self.m = self.m, self.n

    def __call__(self, x):
        return self.q(x), self.k(x)


class Model(nnx.Module):
    def __init__(self, units, m, *, rngs: nnx.Rngs):
        self.mm = Mm(8, units, m, rngs=rngs)
        self.dense1 = Linear(units, 3, rngs=rngs)
        self.dense2 = Linear(m, 3, rngs=rngs)

    def __call__(self, inputs):
        x = inputs
        x, y = self.mm(x)
        return [self.dense1(x), self.dense2(y)]
