"""Skips that are taken from their list where they are joined."""

import functools

import jax.numpy as jnp
from flax import nnx

# Keras defaults that differ from Flax's.
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform())


class Unet(nnx.Module):
    def __init__(self, widths=(8, 16), *, rngs: nnx.Rngs):
        self.conv1 = Conv(3, 4, (3, 3), rngs=rngs)
        skips_features = [4]
        stack_features = [4]
        in_features = 4
        self.convs1 = nnx.List()
        for width in widths:
            self.convs1.append(Conv(in_features, width, (3, 3), rngs=rngs))
            skips_features.append(width)
            stack_features.append(width)
            in_features = width
        self.convs2 = nnx.List()
        for width in reversed(widths):
            skip_features = skips_features.pop()
            popped_features = stack_features.pop()
            self.convs2.append(Conv(skip_features + popped_features + in_features, width, (3, 3), rngs=rngs))
            in_features = width
        self.conv2 = Conv(in_features, 1, (1, 1), padding="VALID", rngs=rngs)

    def __call__(self, inputs):
        x = self.conv1(inputs)
        skips = [x]
        stack = [x]
        for conv1 in self.convs1:
            x = nnx.relu(conv1(x))
            skips.append(x)
            stack.append(x)
        for conv2 in self.convs2:
            x = jnp.concatenate([x, skips.pop()], axis=-1)
            x = jnp.concatenate([x, stack.pop()], axis=-1)
            x = nnx.relu(conv2(x))
        return self.conv2(x)


model = Unet(rngs=nnx.Rngs(0))
