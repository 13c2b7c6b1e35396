"""A tf.data pipeline as the input of fit and evaluate: it stays, and is read as NumPy arrays."""

import functools

import jax.numpy as jnp
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


def preprocess(x, y):
    import tensorflow as tf

    return tf.cast(x, tf.float32) * 0.5, y


def make_dataset(x, y, batch_size=8):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices((x, y))
    return dataset.map(preprocess).batch(batch_size).prefetch(tf.data.AUTOTUNE)


class Net(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense1 = Linear(4, 5, rngs=rngs)
        self.dense2 = Linear(5, 3, rngs=rngs)

    def __call__(self, inputs):
        return self.dense2(nnx.relu(self.dense1(inputs)))


def compute_loss(logits, y):
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


@nnx.jit
def train_step(model, optimizer, metrics, x, y):
    y = y.reshape(-1).astype(int)

    def loss_fn(model):
        logits = model(x)
        return compute_loss(logits, y), logits

    (loss, logits), grads = nnx.value_and_grad(loss_fn, has_aux=True)(model)
    optimizer.update(model, grads)
    metrics.update(loss=jnp.full(len(y), loss), logits=logits, labels=y)


@nnx.jit
def eval_step(model, metrics, x, y):
    y = y.reshape(-1).astype(int)
    logits = model(x)
    loss = compute_loss(logits, y)
    metrics.update(loss=jnp.full(len(y), loss), logits=logits, labels=y)


def evaluate(model, batches):
    """Loss and metrics over a data set."""
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), accuracy=nnx.metrics.Accuracy())
    for x, y in batches:
        eval_step(model, metrics, x, y)
    return {name: float(value) for name, value in metrics.compute().items()}


def train(model, x, y, x_val, y_val):
    optimizer = nnx.Optimizer(model, optax.sgd(0.1), wrt=nnx.Param)
    train_ds = make_dataset(x, y)
    val_ds = make_dataset(x_val, y_val, 5)
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), accuracy=nnx.metrics.Accuracy())
    history = {}
    for epoch in range(2):
        metrics.reset()
        for x_, y_ in train_ds.as_numpy_iterator():
            train_step(model, optimizer, metrics, x_, y_)
        results = {name: float(value) for name, value in metrics.compute().items()}
        validation = evaluate(model, val_ds.as_numpy_iterator())
        results |= {f"val_{name}": value for name, value in validation.items()}
        for name, value in results.items():
            history.setdefault(name, []).append(value)
    loss, accuracy = evaluate(model, val_ds.as_numpy_iterator()).values()
    return history, loss, accuracy
