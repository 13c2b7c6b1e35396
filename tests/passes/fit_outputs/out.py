import functools

import jax
import jax.numpy as jnp
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class RootMean(nnx.metrics.Average):
    """The square root of an average."""

    def compute(self):
        return jnp.sqrt(super().compute())


class Net(nnx.Module):
    def __init__(self, units=8, *, rngs: nnx.Rngs):
        self.dense = Linear(4, units, rngs=rngs)
        self.kind = Linear(units, 3, rngs=rngs)
        self.value = Linear(units, 2, rngs=rngs)

    def __call__(self, inputs):
        x = nnx.relu(self.dense(inputs))
        kind = self.kind(x)
        value = self.value(x)
        return {"kind": kind, "value": value}


def compute_losses(predictions, y):
    kind_pred, value_pred = predictions["kind"], predictions["value"]
    losses = {
        "kind": optax.softmax_cross_entropy_with_integer_labels(kind_pred, y["kind"].reshape(-1).astype(int)).mean(),
        "value": optax.squared_error(value_pred, y["value"].reshape(value_pred.shape)).mean(),
    }
    return 2.0 * losses["kind"] + 0.5 * losses["value"], losses


def update_metrics(metrics, loss, losses, predictions, y):
    rows = len(y["kind"])
    metrics.loss.update(loss=jnp.full(rows, loss))
    metrics.kind_loss.update(values=losses["kind"])
    metrics.value_loss.update(values=losses["value"])
    kind_pred, value_pred = predictions["kind"], predictions["value"]
    metrics.kind_accuracy.update(logits=kind_pred, labels=y["kind"].reshape(-1).astype(int))
    metrics.value_mae.update(mae=jnp.abs(value_pred - y["value"].reshape(value_pred.shape)))
    metrics.value_root_mean_squared_error.update(
        root_mean_squared_error=optax.squared_error(value_pred, y["value"].reshape(value_pred.shape))
    )


@nnx.jit
def train_step(model, optimizer, metrics, x, y):
    def loss_fn(model):
        predictions = model(x)
        loss, losses = compute_losses(predictions, y)
        return loss, (losses, predictions)

    (loss, (losses, predictions)), grads = nnx.value_and_grad(loss_fn, has_aux=True)(model)
    optimizer.update(model, grads)
    update_metrics(metrics, loss, losses, predictions, y)


def make_metrics():
    return nnx.MultiMetric(
        loss=nnx.metrics.Average("loss"),
        kind_accuracy=nnx.metrics.Accuracy(),
        value_mae=nnx.metrics.Average("mae"),
        value_root_mean_squared_error=RootMean("root_mean_squared_error"),
        kind_loss=nnx.metrics.Average(),
        value_loss=nnx.metrics.Average(),
    )


@nnx.jit
def eval_step(model, metrics, x, y):
    predictions = model(x)
    loss, losses = compute_losses(predictions, y)
    update_metrics(metrics, loss, losses, predictions, y)


def evaluate(model, x, y, batch_size=32):
    """Loss and metrics over a data set."""
    metrics = make_metrics()
    for start in range(0, len(x), batch_size):
        eval_step(model, metrics, x[start : start + batch_size], jax.tree.map(lambda a: a[start : start + batch_size], y))
    return {name: float(value) for name, value in metrics.compute().items()}


def train(model, x, targets, labels, x_val, targets_val, labels_val):
    optimizer = nnx.Optimizer(model, optax.sgd(0.05), wrt=nnx.Param)
    y = {"value": targets, "kind": labels}
    metrics = make_metrics()
    history = {}
    for epoch in range(1):
        metrics.reset()
        for start in range(0, len(x), 8):
            train_step(model, optimizer, metrics, x[start : start + 8], jax.tree.map(lambda a: a[start : start + 8], y))
        results = {name: float(value) for name, value in metrics.compute().items()}
        validation = evaluate(model, x_val, {"value": targets_val, "kind": labels_val}, 8)
        results |= {f"val_{name}": value for name, value in validation.items()}
        for name, value in results.items():
            history.setdefault(name, []).append(value)
    return history
