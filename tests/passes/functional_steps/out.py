import functools

import jax.numpy as jnp
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
BatchNorm = functools.partial(nnx.BatchNorm, epsilon=0.001, use_fast_variance=False)
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Steps(nnx.Module):
    def __init__(self, units=8, *, rngs: nnx.Rngs):
        self.dense1 = Linear(4, units, rngs=rngs)
        self.norm = BatchNorm(units, rngs=rngs)
        self.dense2 = Linear(units, 2, rngs=rngs)

    def __call__(self, inputs, *, training=False):
        x = nnx.relu(self.dense1(inputs))
        x = self.norm(x, use_running_average=not training)
        return self.dense2(x)


@nnx.jit
def train_step(model, optimizer, metrics, x, y):

    def loss_fn(model):
        predictions = model(x, training=True)
        return jnp.mean(jnp.square(predictions - y))

    loss, gradients = nnx.value_and_grad(loss_fn)(model)
    optimizer.update(model, gradients)
    metrics.total.update(total=loss)
    return metrics.compute()


@nnx.jit
def test_step(model, metrics, x, y):
    predictions = model(x)
    metrics.total.update(total=jnp.mean(jnp.square(predictions - y)))
    return metrics.compute()


def train(model, x, y):
    optimizer = nnx.Optimizer(model, optax.sgd(0.05), wrt=nnx.Param)
    metrics = nnx.MultiMetric(total=nnx.metrics.Average("total"))
    history = {}
    for epoch in range(2):
        metrics.reset()
        for start in range(0, len(x), 8):
            results = train_step(model, optimizer, metrics, x[start : start + 8], y[start : start + 8])
        results = {name: float(value) for name, value in results.items()}
        for name, value in results.items():
            history.setdefault(name, []).append(value)
    return history


def evaluate(model, x, y, batch_size=32):
    metrics = nnx.MultiMetric(total=nnx.metrics.Average("total"))
    for start in range(0, len(x), batch_size):
        results = test_step(model, metrics, x[start : start + batch_size], y[start : start + batch_size])
    return {name: float(value) for name, value in results.items()}


def test(model, x, y):
    return evaluate(model, x, y, 8)
