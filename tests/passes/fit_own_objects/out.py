"""A loss, a metric, a function as a metric, and a schedule of the user's own."""

import functools

import jax.numpy as jnp
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class FocalLoss:
    """Counts what is easy less."""

    def __init__(self, gamma=2.0):
        self.gamma = gamma

    def __call__(self, y_true, y_pred):
        y_true = jnp.asarray(y_true, dtype=jnp.float32)
        p = jnp.clip(y_pred, 1e-7, 1.0 - 1e-7)
        pt = jnp.where(jnp.equal(y_true, 1.0), p, 1.0 - p)
        return jnp.mean(-jnp.power(1.0 - pt, self.gamma) * jnp.log(pt))


class F1(nnx.Metric):
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.hits = nnx.metrics.MetricState(jnp.zeros(()))
        self.misses = nnx.metrics.MetricState(jnp.zeros(()))

    def update(self, *, y_true, y_pred, sample_weight=None, **_):
        y_true = jnp.asarray(y_true, dtype=jnp.float32)
        chosen = jnp.asarray(y_pred > self.threshold, dtype=jnp.float32)
        self.hits[...] += jnp.sum(y_true * chosen)
        self.misses[...] += jnp.sum(jnp.abs(y_true - chosen))

    def compute(self):
        return 2.0 * self.hits / (2.0 * self.hits + self.misses + 1e-7)

    def reset(self):
        self.hits[...] = 0.0
        self.misses[...] = 0.0


class Warmup:
    def __init__(self, rate, steps):
        self.rate = rate
        self.steps = steps

    def __call__(self, step):
        step = jnp.asarray(step, dtype=jnp.float32)
        return self.rate * jnp.minimum(1.0, (step + 1.0) / self.steps)


def mean_output(y_true, y_pred):
    return jnp.mean(y_pred)


class Net(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense1 = Linear(4, 5, rngs=rngs)
        self.dense2 = Linear(5, 1, rngs=rngs)

    def __call__(self, inputs):
        x = nnx.relu(self.dense1(inputs))
        return nnx.sigmoid(self.dense2(x))


@nnx.jit
def train_step(model, optimizer, metrics, x, y):
    def loss_fn(model):
        predictions = model(x)
        return FocalLoss(gamma=1.5)(y, predictions), predictions

    (loss, predictions), grads = nnx.value_and_grad(loss_fn, has_aux=True)(model)
    optimizer.update(model, grads)
    metrics.update(
        loss=jnp.full(len(y), loss),
        y_true=y,
        y_pred=predictions,
        accuracy=(predictions > 0.5) == y.reshape(predictions.shape),
        mean_output=jnp.full(len(y), mean_output(y, predictions)),
    )


def train(model, x, y):
    optimizer = nnx.Optimizer(model, optax.sgd(Warmup(0.5, 5)), wrt=nnx.Param)
    metrics = nnx.MultiMetric(
        loss=nnx.metrics.Average("loss"),
        f1=F1(),
        accuracy=nnx.metrics.Average("accuracy"),
        mean_output=nnx.metrics.Average("mean_output"),
    )
    history = {}
    for epoch in range(3):
        metrics.reset()
        for start in range(0, len(x), 11):
            train_step(model, optimizer, metrics, x[start : start + 11], y[start : start + 11])
        results = {name: float(value) for name, value in metrics.compute().items()}
        for name, value in results.items():
            history.setdefault(name, []).append(value)
    return history
