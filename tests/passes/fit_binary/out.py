import functools

import jax.numpy as jnp
import jax.scipy as jsp
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class AUC(nnx.Metric):
    """Area under the ROC curve by trapezoids between evenly spaced thresholds."""

    def __init__(self, num_thresholds=200):
        inner = jnp.arange(1, num_thresholds - 1) / (num_thresholds - 1)
        self.thresholds = nnx.data(jnp.array([-1e-7, *inner, 1 + 1e-7]))
        self.counts = nnx.metrics.MetricState(jnp.zeros((2, num_thresholds)))

    def reset(self):
        self.counts[...] = jnp.zeros_like(self.counts)

    def update(self, *, labels, predictions, **_):
        classes = jnp.stack([labels.ravel() == 0, labels.ravel() != 0]).astype(jnp.float32)
        self.counts[...] += classes @ (predictions.ravel()[:, None] > self.thresholds)

    def compute(self):
        false_positives, true_positives = self.counts / jnp.maximum(self.counts[:, :1], 1e-7)
        return -jnp.trapezoid(true_positives, false_positives)


class Model(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense1 = Linear(4, 6, rngs=rngs)
        self.dense2 = Linear(6, 1, rngs=rngs)

    def __call__(self, inputs):
        h = nnx.tanh(self.dense1(inputs))
        return nnx.sigmoid(self.dense2(h))


def compute_loss(predictions, y):
    return optax.sigmoid_binary_cross_entropy(jsp.special.logit(jnp.clip(predictions, 1e-7, 0.9999999)), y * 0.9 + 0.05).mean()


@nnx.jit
def train_step(model, optimizer, metrics, x, y):
    y = y.reshape(-1, 1)

    def loss_fn(model):
        predictions = model(x)
        return compute_loss(predictions, y), predictions

    (loss, predictions), grads = nnx.value_and_grad(loss_fn, has_aux=True)(model)
    optimizer.update(model, grads)
    metrics.update(loss=jnp.full(len(y), loss), binary_accuracy=(predictions > 0.4) == y, labels=y, predictions=predictions)


def make_metrics():
    return nnx.MultiMetric(
        loss=nnx.metrics.Average("loss"), binary_accuracy=nnx.metrics.Average("binary_accuracy"), auc=AUC(50)
    )


@nnx.jit
def eval_step(model, metrics, x, y):
    y = y.reshape(-1, 1)
    predictions = model(x)
    loss = compute_loss(predictions, y)
    metrics.update(loss=jnp.full(len(y), loss), binary_accuracy=(predictions > 0.4) == y, labels=y, predictions=predictions)


def evaluate(model, x, y, batch_size=32):
    """Loss and metrics over a data set."""
    metrics = make_metrics()
    for start in range(0, len(y), batch_size):
        eval_step(model, metrics, x[start : start + batch_size], y[start : start + batch_size])
    return {name: float(value) for name, value in metrics.compute().items()}


def train(model, x, y, epochs=2):
    optimizer = nnx.Optimizer(
        model,
        optax.chain(
            optax.stateless_with_tree_map(lambda g, _: g * (0.5 / jnp.maximum(jnp.linalg.norm(g), 0.5))),
            optax.sgd(0.1, momentum=0.9),
        ),
        wrt=nnx.Param,
    )
    split = int(len(x) * (1 - 0.25))  # the rest is for validation
    metrics = make_metrics()
    history = {}
    for epoch in range(epochs):
        metrics.reset()
        for start in range(0, split, 8):
            train_step(model, optimizer, metrics, x[start : min(start + 8, split)], y[start : min(start + 8, split)])
        results = {name: float(value) for name, value in metrics.compute().items()}
        validation = evaluate(model, x[split:], y[split:], 8)
        results |= {f"val_{name}": value for name, value in validation.items()}
        print(f"epoch {epoch + 1}/{epochs}:", results)
        for name, value in results.items():
            history.setdefault(name, []).append(value)
    return history
