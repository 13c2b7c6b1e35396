"""A classifier that is trained, evaluated and used in one function."""

import functools

import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
BatchNorm = functools.partial(nnx.BatchNorm, epsilon=0.001, use_fast_variance=False)
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Classifier(nnx.Module):
    def __init__(self, num_classes=3, *, rngs: nnx.Rngs):
        self.dense1 = Linear(4, 8, rngs=rngs)
        self.norm = BatchNorm(8, rngs=rngs)
        self.dense2 = Linear(8, num_classes, rngs=rngs)

    def __call__(self, inputs, *, training=False):
        x = nnx.relu(self.dense1(inputs))
        x = self.norm(x, use_running_average=not training)
        return nnx.softmax(self.dense2(x))


def compute_loss(predictions, y):
    return optax.softmax_cross_entropy_with_integer_labels(jnp.log(jnp.clip(predictions, 1e-7, 0.9999999)), y).mean()


@nnx.jit
def train_step(model, optimizer, metrics, x, y):
    y = y.reshape(-1).astype(int)

    def loss_fn(model):
        predictions = model(x, training=True)
        return compute_loss(predictions, y), predictions

    (loss, predictions), grads = nnx.value_and_grad(loss_fn, has_aux=True)(model)
    optimizer.update(model, grads)
    metrics.update(loss=jnp.full(len(y), loss), logits=predictions, labels=y)


@nnx.jit
def eval_step(model, metrics, x, y):
    y = y.reshape(-1).astype(int)
    predictions = model(x)
    loss = compute_loss(predictions, y)
    metrics.update(loss=jnp.full(len(y), loss), logits=predictions, labels=y)


def evaluate(model, x, y, batch_size=32):
    """Loss and metrics over a data set."""
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), accuracy=nnx.metrics.Accuracy())
    for start in range(0, len(y), batch_size):
        eval_step(model, metrics, x[start : start + batch_size], y[start : start + batch_size])
    return {name: float(value) for name, value in metrics.compute().items()}


def train(model, x, y, x_val, y_val):
    optimizer = nnx.Optimizer(model, optax.sgd(0.1), wrt=nnx.Param)
    # the last batch is smaller than the others
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), accuracy=nnx.metrics.Accuracy())
    history = {}
    for epoch in range(3):
        metrics.reset()
        for start in range(0, len(x), 5):
            train_step(model, optimizer, metrics, x[start : start + 5], y[start : start + 5])
        results = {name: float(value) for name, value in metrics.compute().items()}
        validation = evaluate(model, x_val, y_val, 5)
        results |= {f"val_{name}": value for name, value in validation.items()}
        for name, value in results.items():
            history.setdefault(name, []).append(value)
    return history


@nnx.jit
def predict_step(model, x):
    return model(x)


def predict(model, x, batch_size=32):
    outputs = [predict_step(model, x[start : start + batch_size]) for start in range(0, len(x), batch_size)]
    return np.concatenate(outputs)


def test(model, x, y):
    loss, accuracy = evaluate(model, x, y, 5).values()
    return loss, accuracy, predict(model, x, 7)
