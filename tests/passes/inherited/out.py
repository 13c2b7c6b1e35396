"""Classes that inherit from classes of the file, call their methods, and set themselves up in a method."""

import functools

from flax import nnx

# Keras defaults that differ from Flax's.
LayerNorm = functools.partial(nnx.LayerNorm, epsilon=0.001, use_fast_variance=False)
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Encoder(nnx.Module):
    activation = "tanh"

    def __init__(self, in_features, hidden, rate=0.1, *, rngs: nnx.Rngs):
        self.hidden = hidden
        self.encoder = Linear(in_features, hidden, rngs=rngs)
        self.drop = nnx.Dropout(rate, rngs=rngs)

    def encode(self, x, training=False):
        """What derived classes share."""
        return self.drop(nnx.tanh(self.encoder(x)), deterministic=not training)

    def __call__(self, x, training=False):
        return self.encode(x, training=training)


class Wide(nnx.Module):
    """Twice as wide as asked."""

    activation = "tanh"

    def __init__(self, in_features, classes, *, rngs: nnx.Rngs):
        # the base keeps what it is told
        hidden = 2 * classes
        rate = 0.2
        self.hidden = hidden
        self.encoder = Linear(in_features, hidden, rngs=rngs)
        self.drop = nnx.Dropout(rate, rngs=rngs)
        self.out = Linear(2 * classes, classes, rngs=rngs)

    def __call__(self, x, training=False):
        return self.out(self.encoder_call(x, training=training))

    def encode(self, x, training=False):
        """What derived classes share."""
        return self.drop(nnx.tanh(self.encoder(x)), deterministic=not training)

    def encoder_call(self, x, training=False):
        return self.encode(x, training=training)


class Wider(nnx.Module):
    activation = "tanh"

    def __init__(self, in_features, classes, *, rngs: nnx.Rngs):
        # the base keeps what it is told
        hidden = 2 * classes
        rate = 0.2
        self.hidden = hidden
        self.encoder = Linear(in_features, hidden, rngs=rngs)
        self.drop = nnx.Dropout(rate, rngs=rngs)
        self.out = Linear(2 * classes, classes, rngs=rngs)

    def __call__(self, x, training=False):
        return nnx.relu(self.wide_call(x, training=training))

    def encode(self, x, training=False):
        """What derived classes share."""
        return self.drop(nnx.tanh(self.encoder(x)), deterministic=not training)

    def encoder_call(self, x, training=False):
        return self.encode(x, training=training)

    def wide_call(self, x, training=False):
        return self.out(self.encoder_call(x, training=training))


class Residual(nnx.Module):
    def __init__(self, in_features, units, *, rngs: nnx.Rngs):
        self.dense = Linear(in_features, units, rngs=rngs)
        self.norm = LayerNorm(units, rngs=rngs)

    def __call__(self, x):
        return self.norm(x + self.dense(x))


class Block(nnx.Module):
    expansion = 2

    def __init__(self, in_features, units, *, rngs: nnx.Rngs):
        self.units = units
        self.inner = Linear(in_features, self.units * self.expansion, rngs=rngs)
        self.outer = Linear(self.units * self.expansion, self.units, rngs=rngs)
        if in_features != self.units:
            self.shortcut = Linear(in_features, self.units, rngs=rngs)
        else:
            self.shortcut = None

    def __call__(self, x):
        shortcut = x if self.shortcut is None else self.shortcut(x)
        return shortcut + self.outer(nnx.relu(self.inner(x)))


class Net(nnx.Module):
    def __init__(self, in_features, *, rngs: nnx.Rngs):
        self.first = Wider(in_features, 4, rngs=rngs)
        self.second = Residual(4, 4, rngs=rngs)
        self.third = Block(4, 3, rngs=rngs)
        self.heads = nnx.Dict({name: Linear(3, 2, rngs=rngs) for name in ("a", "b")})

    def __call__(self, x, training=False):
        x = self.third(self.second(self.first(x, training=training)))
        return {name: head(x) for name, head in self.heads.items()}


def build_net(*, seed=0):
    model = Net(5, rngs=nnx.Rngs(seed))
    return model
