"""A frozen base whose normalization runs on its statistics; then all of it is trained."""

import functools

import jax.numpy as jnp
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
BatchNorm = functools.partial(nnx.BatchNorm, epsilon=0.001, use_fast_variance=False)
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Frozen(nnx.Variable):
    """A weight that is not trained."""


def freeze(module):
    """Takes the weights of a module out of training."""
    for _, part in list(nnx.iter_modules(module)):
        for name, value in list(vars(part).items()):
            if isinstance(value, nnx.Param):
                setattr(part, name, Frozen(value[...], **value.get_metadata()))


class Base(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense = Linear(4, 5, rngs=rngs)
        self.norm = BatchNorm(5, rngs=rngs)

    def __call__(self, inputs, *, training=False):
        x = nnx.relu(self.dense(inputs))
        return self.norm(x, use_running_average=not training)


class Model(nnx.Module):
    def __init__(self, num_classes=3, *, rngs: nnx.Rngs):
        self.base = Base(rngs=rngs)
        freeze(self.base)
        self.dense = Linear(5, num_classes, rngs=rngs)

    def __call__(self, inputs):
        x = self.base(inputs)
        return self.dense(x)


def compute_loss(logits, y):
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


@nnx.jit
def train_step(model, optimizer, metrics, x, y):
    y = y.reshape(-1)

    def loss_fn(model):
        logits = model(x)
        return compute_loss(logits, y)

    loss, grads = nnx.value_and_grad(loss_fn)(model)
    optimizer.update(model, grads)
    metrics.update(loss=jnp.full(len(y), loss))


def train(model, x, y):
    optimizer = nnx.Optimizer(model, optax.sgd(0.1), wrt=nnx.Param)
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"))
    history = {}
    for epoch in range(2):
        metrics.reset()
        for start in range(0, len(x), 8):
            train_step(model, optimizer, metrics, x[start : start + 8], y[start : start + 8])
        results = {name: float(value) for name, value in metrics.compute().items()}
        for name, value in results.items():
            history.setdefault(name, []).append(value)
    return history
