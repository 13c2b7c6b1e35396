import functools

from flax import nnx

# Keras defaults that differ from Flax's.
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform())
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Block(nnx.Module):
    """A layer that is given another."""

    def __init__(self, in_features, units, act, *, rngs: nnx.Rngs):
        self.dense = Linear(in_features, units, rngs=rngs)
        self.act = act

    def __call__(self, x):
        x = self.dense(x)
        return self.act(x)


class Net(nnx.Module):
    def __init__(self, in_features, units, *, rngs: nnx.Rngs):
        self.a = Block(in_features, units, nnx.relu, rngs=rngs)
        self.b = Block(units, units * 2, functools.partial(nnx.leaky_relu, negative_slope=0.2), rngs=rngs)
        self.c = Block(units * 2, units, nnx.relu, rngs=rngs)
        self.d = Block(units, 8, nnx.softmax, rngs=rngs)

    def __call__(self, x):
        return self.d(self.c(self.b(self.a(x))))


class Down(nnx.Module):
    def __init__(self, in_features, filters, activation, *, rngs: nnx.Rngs):
        self.conv = Conv(in_features, filters, (3, 3), rngs=rngs)
        self.activation = activation

    def __call__(self, x):
        x = self.conv(x)
        if self.activation:
            x = self.activation(x)
        return x


class Build(nnx.Module):
    def __init__(self, filters=8, n=2, *, rngs: nnx.Rngs):
        self.conv = Conv(3, filters, (3, 3), padding="VALID", rngs=rngs)
        in_features = filters
        self.downs = nnx.List()
        for _ in range(n):
            filters *= 2
            self.downs.append(Down(in_features, filters, activation=nnx.relu, rngs=rngs))
            in_features = filters
        self.down = Down(in_features, 4, activation=None, rngs=rngs)
        self.dense = Linear(4, 3, rngs=rngs)

    def __call__(self, inputs):
        x = self.conv(inputs)
        for down in self.downs:
            x = down(x)
        x = self.down(x)
        return self.dense(x)
