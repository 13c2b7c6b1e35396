import functools

import jax.numpy as jnp
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform())


class PReLU(nnx.Module):
    """A leaky ReLU with a learned slope for every element."""

    def __init__(self, shape, *, slope_init=nnx.initializers.zeros, rngs: nnx.Rngs):
        self.slope = nnx.Param(slope_init(rngs.params(), shape))

    def __call__(self, x):
        return nnx.relu(x) - self.slope * nnx.relu(-x)


def pixel_shuffle(scale):
    return lambda x: jnp.reshape(
        jnp.transpose(jnp.reshape(x, (x.shape[0], x.shape[1], x.shape[2], scale, scale, -1)), (0, 1, 3, 2, 4, 5)),
        (x.shape[0], x.shape[1] * scale, x.shape[2] * scale, -1),
    )


class Upsample(nnx.Module):
    def __init__(self, in_features, n, *, rngs: nnx.Rngs):
        self.conv = Conv(in_features, n, (3, 3), rngs=rngs)
        self.p_relu = PReLU((1, 1, n // 4), rngs=rngs)

    def __call__(self, x):
        x = self.conv(x)
        x = pixel_shuffle(scale=2)(x)
        return self.p_relu(x)


class Build(nnx.Module):
    def __init__(self, n=16, *, rngs: nnx.Rngs):
        self.upsample = Upsample(3, n * 4, rngs=rngs)
        self.conv = Conv(n // 4, 3, (3, 3), padding="VALID", rngs=rngs)

    def __call__(self, inputs):
        x = inputs
        x = self.upsample(x)
        x = jnp.reshape(
            jnp.transpose(jnp.reshape(x, (x.shape[0], x.shape[1], x.shape[2], 2, 2, -1)), (0, 1, 3, 2, 4, 5)),
            (x.shape[0], x.shape[1] * 2, x.shape[2] * 2, -1),
        )
        return self.conv(x)


model = Build(rngs=nnx.Rngs(0))
optimizer = nnx.Optimizer(model, optax.adam(1e-4, eps=1e-7), wrt=nnx.Param)


def loss_fn(y_true, y_pred):
    return optax.squared_error(y_pred, y_true.reshape(y_pred.shape)).mean()


@nnx.jit
def train_step(model, optimizer, lr, hr):
    lr = jnp.asarray(lr, dtype=jnp.float32)
    hr = jnp.asarray(hr, dtype=jnp.float32) / 255.0

    def loss_fn_(model):
        sr = model(lr)
        return loss_fn(hr, sr)

    loss_value, gradients = nnx.value_and_grad(loss_fn_)(model)
    optimizer.update(model, gradients)
    return loss_value
