"""Weights of classes and of samples."""

import functools

import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Net(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense1 = Linear(4, 5, rngs=rngs)
        self.dense2 = Linear(5, 3, rngs=rngs)

    def __call__(self, inputs):
        return nnx.softmax(self.dense2(nnx.tanh(self.dense1(inputs))))


def compute_loss(predictions, y, sample_weight):
    return (
        optax.softmax_cross_entropy_with_integer_labels(jnp.log(jnp.clip(predictions, 1e-7, 0.9999999)), y) * sample_weight
    ).mean()


@nnx.jit
def train_step(model, optimizer, metrics, x, y, sample_weight):
    y = y.reshape(-1).astype(int)

    def loss_fn(model):
        predictions = model(x)
        return compute_loss(predictions, y, sample_weight), predictions

    (loss, predictions), grads = nnx.value_and_grad(loss_fn, has_aux=True)(model)
    optimizer.update(model, grads)
    metrics.update(loss=jnp.full(len(y), loss), logits=predictions, labels=y)


def batch_loss(predictions, y):
    return optax.softmax_cross_entropy_with_integer_labels(jnp.log(jnp.clip(predictions, 1e-7, 0.9999999)), y).mean()


@nnx.jit
def eval_step(model, metrics, x, y):
    y = y.reshape(-1).astype(int)
    predictions = model(x)
    loss = batch_loss(predictions, y)
    metrics.update(loss=jnp.full(len(y), loss), logits=predictions, labels=y)


def evaluate(model, x, y, batch_size=32):
    """Loss and metrics over a data set."""
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), accuracy=nnx.metrics.Accuracy())
    for start in range(0, len(y), batch_size):
        eval_step(model, metrics, x[start : start + batch_size], y[start : start + batch_size])
    return {name: float(value) for name, value in metrics.compute().items()}


def train(model, x, y, weights):
    optimizer = nnx.Optimizer(model, optax.sgd(0.1), wrt=nnx.Param)
    # the second class is rare
    class_weight = {0: 1.0, 1: 5.0}
    sample_weight = np.array([class_weight.get(int(label), 1.0) for label in np.ravel(y)], np.float32)
    split = int(len(x) * (1 - 0.25))  # the rest is for validation
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), accuracy=nnx.metrics.Accuracy())
    first = {}
    for epoch in range(2):
        metrics.reset()
        for start in range(0, split, 6):
            train_step(
                model,
                optimizer,
                metrics,
                x[start : min(start + 6, split)],
                y[start : min(start + 6, split)],
                sample_weight[start : min(start + 6, split)],
            )
        results = {name: float(value) for name, value in metrics.compute().items()}
        validation = evaluate(model, x[split:], y[split:], 6)
        results |= {f"val_{name}": value for name, value in validation.items()}
        for name, value in results.items():
            first.setdefault(name, []).append(value)
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), accuracy=nnx.metrics.Accuracy())
    second = {}
    for epoch in range(2):
        metrics.reset()
        for start in range(0, len(x), 6):
            train_step(model, optimizer, metrics, x[start : start + 6], y[start : start + 6], weights[start : start + 6])
        results = {name: float(value) for name, value in metrics.compute().items()}
        for name, value in results.items():
            second.setdefault(name, []).append(value)
    return first, second
