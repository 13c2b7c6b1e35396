import functools

import jax.numpy as jnp
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
BatchNorm = functools.partial(nnx.BatchNorm, epsilon=0.001, use_fast_variance=False)
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Net(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense1 = Linear(4, 3, rngs=rngs)
        self.norm = BatchNorm(3, rngs=rngs)
        self.dense2 = Linear(3, 2, rngs=rngs)

    def __call__(self, inputs, *, training=False):
        return self.dense2(self.norm(self.dense1(inputs), use_running_average=not training))


class Regressor(nnx.Module):
    def __init__(self, net, weight=0.5):
        self.net = net
        self.weight = weight

    def __call__(self, x, training=False):
        return self.net(x, training=training)


@nnx.jit
def train_step(model, optimizer, metrics, x, y):
    def loss_fn(model):
        # the model in training mode
        predictions = model(x, training=True)
        return model.weight * jnp.mean(jnp.square(predictions - y)), predictions

    (loss, predictions), gradients = nnx.value_and_grad(loss_fn, has_aux=True)(model)
    optimizer.update(model, gradients)
    metrics.update(loss=loss, mae=jnp.abs(predictions - y.reshape(predictions.shape)))
    return metrics.compute()


@nnx.jit
def test_step(model, metrics, x, y):
    predictions = model(x)
    metrics.update(loss=jnp.mean(jnp.square(predictions - y)), mae=jnp.abs(predictions - y.reshape(predictions.shape)))
    return metrics.compute()


def evaluate(model, x, y, batch_size=32):
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), mae=nnx.metrics.Average("mae"))
    for start in range(0, len(x), batch_size):
        results = test_step(model, metrics, x[start : start + batch_size], y[start : start + batch_size])
    return {name: float(value) for name, value in results.items()}


def train(model, x, y):
    optimizer = nnx.Optimizer(model, optax.sgd(0.1), wrt=nnx.Param)
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), mae=nnx.metrics.Average("mae"))
    history = {}
    for epoch in range(2):
        metrics.reset()
        for start in range(0, len(x), 4):
            results = train_step(model, optimizer, metrics, x[start : start + 4], y[start : start + 4])
        results = {name: float(value) for name, value in results.items()}
        validation = evaluate(model, x, y, 4)
        results |= {f"val_{name}": value for name, value in validation.items()}
        for name, value in results.items():
            history.setdefault(name, []).append(value)
    return history
