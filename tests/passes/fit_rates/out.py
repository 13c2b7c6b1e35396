"""Callbacks that set the learning rate, stop, and keep a record."""

import functools

import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Record:
    """Keeps the best loss."""

    def __init__(self, patience=1):
        self.patience = patience
        self.losses = []

    def on_train_begin(self, logs=None):
        self.best = None

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(logs.get("loss"))
        if self.best is None or logs["loss"] < self.best:
            self.best = logs["loss"]
        elif epoch > self.patience:
            self.stop_training = True


class Net(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense = Linear(4, 2, rngs=rngs)

    def __call__(self, inputs):
        return self.dense(inputs)


def schedule(epoch, rate):
    if epoch < 2:
        return rate
    return rate * 0.5


def compute_loss(predictions, y):
    return optax.squared_error(predictions, y.reshape(predictions.shape)).mean()


@nnx.jit
def train_step(model, optimizer, metrics, x, y):
    def loss_fn(model):
        predictions = model(x)
        return compute_loss(predictions, y)

    loss, grads = nnx.value_and_grad(loss_fn)(model)
    optimizer.update(model, grads)
    metrics.update(loss=jnp.full(len(y), loss))


@nnx.jit
def eval_step(model, metrics, x, y):
    predictions = model(x)
    loss = compute_loss(predictions, y)
    metrics.update(loss=jnp.full(len(y), loss))


def evaluate(model, x, y, batch_size=32):
    """Loss and metrics over a data set."""
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"))
    for start in range(0, len(y), batch_size):
        eval_step(model, metrics, x[start : start + batch_size], y[start : start + batch_size])
    return {name: float(value) for name, value in metrics.compute().items()}


def train(model, x, y, x_val, y_val):
    optimizer = nnx.Optimizer(
        model,
        optax.inject_hyperparams(
            lambda learning_rate: optax.chain(optax.scale_by_learning_rate(learning_rate), optax.trace(0.5, nesterov=True))
        )(learning_rate=0.3),
        wrt=nnx.Param,
    )
    record = Record(patience=2)
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"))
    first = {}
    record.model = model
    record.stop_training = False
    record.on_train_begin()
    for epoch in range(4):
        optimizer.opt_state.hyperparams["learning_rate"][...] = schedule(
            epoch, float(optimizer.opt_state.hyperparams["learning_rate"][...])
        )
        metrics.reset()
        for start in range(0, len(x), 8):
            train_step(model, optimizer, metrics, x[start : start + 8], y[start : start + 8])
        results = {name: float(value) for name, value in metrics.compute().items()}
        results["learning_rate"] = float(optimizer.opt_state.hyperparams["learning_rate"][...])
        for name, value in results.items():
            first.setdefault(name, []).append(value)
        record.on_epoch_end(epoch, results)
        if record.stop_training:
            break
    optimizer = nnx.Optimizer(model, optax.inject_hyperparams(optax.sgd)(0.3), wrt=nnx.Param)
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"))
    second = {}
    best, wait = None, 0
    best_value, epochs_waited = np.inf, 0
    for epoch in range(9):
        metrics.reset()
        for start in range(0, len(x), 8):
            train_step(model, optimizer, metrics, x[start : start + 8], y[start : start + 8])
        results = {name: float(value) for name, value in metrics.compute().items()}
        validation = evaluate(model, x_val, y_val, 8)
        results |= {f"val_{name}": value for name, value in validation.items()}
        results["learning_rate"] = float(optimizer.opt_state.hyperparams["learning_rate"][...])
        for name, value in results.items():
            second.setdefault(name, []).append(value)
        if results["val_loss"] < best_value - 0.05:
            best_value, epochs_waited = results["val_loss"], 0
        else:
            epochs_waited += 1
            if epochs_waited >= 1:
                optimizer.opt_state.hyperparams["learning_rate"][...] = jnp.maximum(
                    optimizer.opt_state.hyperparams["learning_rate"][...] * 0.2, 1e-3
                )
                epochs_waited = 0
        if best is None or results["val_loss"] + 0.05 < best:
            best, wait = results["val_loss"], 0
        else:
            wait += 1
            if wait >= 6:
                break
    return first, second, record.losses
