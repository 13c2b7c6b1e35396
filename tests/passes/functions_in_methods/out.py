"""Functions inside methods, called there by name and given to each other."""

from flax import nnx


def call(x):
    return nnx.relu(x)


class Block(nnx.Module):
    def __call__(self, x):
        def doubled(y):
            return y * 2.0

        def applied(f, y):
            return f(y)

        return applied(doubled, call(doubled(x)))
