"""A step of the user's own, with the loss and metrics that `compile` was given."""

import functools

import jax
import jax.numpy as jnp
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


def penalties(model):
    """The sum of the penalties that weights carry in their metadata."""
    weights = jax.tree.leaves(nnx.state(model, nnx.Param), is_leaf=lambda x: isinstance(x, nnx.Variable))
    return sum(weight.penalty(weight[...]) for weight in weights if weight.get_metadata("penalty", None))


class Classifier(nnx.Module):
    def __init__(self, in_features, units=6, num_classes=3, *, rngs: nnx.Rngs):
        self.hidden = Linear(
            in_features, units, kernel_metadata={"penalty": lambda weight: 0.01 * jnp.sum(jnp.square(weight))}, rngs=rngs
        )
        self.dropout = nnx.Dropout(0.0, rngs=rngs)
        self.out = Linear(units, num_classes, rngs=rngs)

    def __call__(self, inputs, training=False):
        x = nnx.relu(self.hidden(inputs))
        x = self.dropout(x, deterministic=not training)
        return self.out(x)


@nnx.jit
def train_step(model, optimizer, metrics, x, y):

    def loss_fn(model):
        y_pred = model(x, training=True)
        return optax.softmax_cross_entropy_with_integer_labels(y_pred, y.astype(int)).mean() + penalties(model), y_pred

    (loss, y_pred), gradients = nnx.value_and_grad(loss_fn, has_aux=True)(model)
    optimizer.update(model, gradients)
    metrics.update(loss=loss, logits=y_pred, labels=y)
    return metrics.compute()


@nnx.jit
def test_step(model, metrics, x, y):
    y_pred = model(x)
    loss = optax.softmax_cross_entropy_with_integer_labels(y_pred, y.astype(int)).mean() + penalties(model)
    metrics.update(loss=loss, logits=y_pred, labels=y)
    return metrics.compute()


def build_net(*, seed=0):
    model = Classifier(4, rngs=nnx.Rngs(seed))
    model(jnp.zeros((1, 4)))
    return model


def evaluate(model, x, y, batch_size=32):
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), accuracy=nnx.metrics.Accuracy())
    for start in range(0, len(x), batch_size):
        results = test_step(model, metrics, x[start : start + batch_size], y[start : start + batch_size])
    return {name: float(value) for name, value in results.items()}


def train(model, x, y):
    optimizer = nnx.Optimizer(model, optax.sgd(0.1), wrt=nnx.Param)
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), accuracy=nnx.metrics.Accuracy())
    history = {}
    for epoch in range(2):
        metrics.reset()
        for start in range(0, len(x), 8):
            results = train_step(model, optimizer, metrics, x[start : start + 8], y[start : start + 8])
        results = {name: float(value) for name, value in results.items()}
        validation = evaluate(model, x, y, 8)
        results |= {f"val_{name}": value for name, value in validation.items()}
        for name, value in results.items():
            history.setdefault(name, []).append(value)
    return history
