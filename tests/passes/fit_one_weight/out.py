"""The weight of the only loss, and a layer that is frozen when it is made."""

import functools

import jax.numpy as jnp
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Frozen(nnx.Variable):
    """A weight that is not trained."""


def freeze(module):
    """Takes the weights of a module out of training."""
    for _, part in list(nnx.iter_modules(module)):
        for name, value in list(vars(part).items()):
            if isinstance(value, nnx.Param):
                setattr(part, name, Frozen(value[...], **value.get_metadata()))


def frozen(module):
    """A module whose weights are not trained."""
    freeze(module)
    return module


class Net(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense1 = frozen(Linear(4, 5, rngs=rngs))
        self.dense2 = Linear(5, 2, rngs=rngs)

    def __call__(self, inputs):
        return self.dense2(nnx.tanh(self.dense1(inputs)))


def compute_loss(predictions, y):
    return 0.25 * optax.squared_error(predictions, y.reshape(predictions.shape)).mean()


@nnx.jit
def train_step(model, optimizer, metrics, x, y):
    def loss_fn(model):
        predictions = model(x)
        return compute_loss(predictions, y), predictions

    (loss, predictions), grads = nnx.value_and_grad(loss_fn, has_aux=True)(model)
    optimizer.update(model, grads)
    metrics.update(loss=jnp.full(len(y), loss), mae=jnp.abs(predictions - y.reshape(predictions.shape)))


def train(model, x, y):
    optimizer = nnx.Optimizer(model, optax.sgd(0.1), wrt=nnx.Param)
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), mae=nnx.metrics.Average("mae"))
    history = {}
    for epoch in range(2):
        metrics.reset()
        for start in range(0, len(x), 8):
            train_step(model, optimizer, metrics, x[start : start + 8], y[start : start + 8])
        results = {name: float(value) for name, value in metrics.compute().items()}
        for name, value in results.items():
            history.setdefault(name, []).append(value)
    return history
