import functools

import jax
import jax.numpy as jnp
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Net(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense1 = Linear(4, 5, rngs=rngs)
        self.dense2 = Linear(5, 2, rngs=rngs)

    def __call__(self, x):
        return self.dense2(nnx.relu(self.dense1(x)))


def huber(y_true, y_pred):
    """The user's own loss, one value for each sample."""

    error = jnp.abs(y_true - y_pred)
    return jnp.mean(jnp.where(error < 1.0, 0.5 * error**2, error - 0.5), axis=-1)


@nnx.jit
def train_step(model, optimizer, metrics, x, y):
    def loss_fn(model):
        predictions = model(x)
        return huber(y, predictions).mean(), predictions

    (loss, predictions), grads = nnx.value_and_grad(loss_fn, has_aux=True)(model)
    optimizer.update(model, grads)
    metrics.update(
        loss=jnp.full(len(y), loss),
        mae=jnp.abs(predictions - y.reshape(predictions.shape)),
        mse=optax.squared_error(predictions, y.reshape(predictions.shape)),
    )


def make_metrics():
    return nnx.MultiMetric(loss=nnx.metrics.Average("loss"), mae=nnx.metrics.Average("mae"), mse=nnx.metrics.Average("mse"))


@nnx.jit
def eval_step(model, metrics, x, y):
    predictions = model(x)
    loss = huber(y, predictions).mean()
    metrics.update(
        loss=jnp.full(len(y), loss),
        mae=jnp.abs(predictions - y.reshape(predictions.shape)),
        mse=optax.squared_error(predictions, y.reshape(predictions.shape)),
    )


def evaluate(model, x, y, batch_size=32):
    """Loss and metrics over a data set."""
    metrics = make_metrics()
    for start in range(0, len(y), batch_size):
        eval_step(model, metrics, x[start : start + batch_size], y[start : start + batch_size])
    return {name: float(value) for name, value in metrics.compute().items()}


def train(net, x, y, x_val, y_val):
    optimizer = nnx.Optimizer(net, optax.sgd(0.01), wrt=nnx.Param)
    metrics = make_metrics()
    fitted = {}
    best, wait = None, 0
    for epoch in range(20):
        metrics.reset()
        for start in range(0, len(x), 4):
            train_step(net, optimizer, metrics, x[start : start + 4], y[start : start + 4])
        results = {name: float(value) for name, value in metrics.compute().items()}
        validation = evaluate(net, x_val, y_val, 4)
        results |= {f"val_{name}": value for name, value in validation.items()}
        for name, value in results.items():
            fitted.setdefault(name, []).append(value)
        if best is None or results["val_mae"] + 0.02 < best:
            best, wait = results["val_mae"], 0
            best_weights = jax.tree.map(jnp.copy, nnx.state(net, nnx.Not(nnx.RngState)))
        else:
            wait += 1
            if wait >= 1:
                break
    nnx.update(net, best_weights)
    return fitted
