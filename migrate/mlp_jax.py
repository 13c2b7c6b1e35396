# Multi-layer perceptron for tabular classification.
#
# Expects a CSV file without header whose last column is the class id:
#   python mlp.py data/covertype.csv --hidden 128 64 --epochs 30

import argparse
import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
BatchNorm = functools.partial(nnx.BatchNorm, epsilon=0.001, use_fast_variance=False)
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Mlp(nnx.Module):
    """Builds Dense -> BatchNorm -> ReLU -> Dropout, once per hidden layer."""

    def __init__(self, input_dim, num_classes, hidden=(128, 64), dropout_rate=0.3, *, rngs: nnx.Rngs):
        self.dense1 = nnx.Linear(input_dim, hidden[0], kernel_init=nnx.initializers.he_uniform(), rngs=rngs)
        self.norm = BatchNorm(hidden[0], rngs=rngs)
        self.dropout = nnx.Dropout(dropout_rate, rngs=rngs)
        in_features = hidden[0]
        self.dense_layers = nnx.List()
        self.norms = nnx.List()
        self.dropouts = nnx.List()

        for units in hidden[1:]:
            self.dense_layers.append(nnx.Linear(in_features, units, kernel_init=nnx.initializers.he_uniform(), rngs=rngs))
            self.norms.append(BatchNorm(units, rngs=rngs))
            self.dropouts.append(nnx.Dropout(dropout_rate, rngs=rngs))
            in_features = units
        self.dense2 = Linear(in_features, 32, rngs=rngs)
        self.dense3 = Linear(32, num_classes, rngs=rngs)

    def __call__(self, x, *, training=False):
        x = self.dense1(x)
        x = self.norm(x, use_running_average=not training)
        x = nnx.relu(x)
        x = self.dropout(x, deterministic=not training)

        for dense, norm, dropout in zip(self.dense_layers, self.norms, self.dropouts):
            x = dense(x)
            x = norm(x, use_running_average=not training)
            x = nnx.relu(x)
            x = dropout(x, deterministic=not training)
        x = nnx.tanh(self.dense2(x))
        return nnx.softmax(self.dense3(x))


def one_hot(labels, num_classes):
    return np.eye(num_classes, dtype="float32")[labels]


def standardize(train, *others):
    """Zero mean and unit variance, with the statistics of the training set."""
    mean = train.mean(axis=0)
    std = train.std(axis=0) + 1e-7
    return [(x - mean) / std for x in (train,) + others]


def load_csv(path, test_fraction=0.2, seed=0):
    table = np.loadtxt(path, delimiter=",", dtype="float32")
    np.random.RandomState(seed).shuffle(table)
    features, labels = table[:, :-1], table[:, -1].astype("int64")
    n_test = int(len(table) * test_fraction)
    x_train, x_test = standardize(features[n_test:], features[:n_test])
    return x_train, labels[n_test:], x_test, labels[:n_test]


def compute_loss(predictions, y):
    return (
        -jnp.sum(y * jnp.log(jnp.clip(predictions / jnp.sum(predictions, axis=-1, keepdims=True), 1e-7, 0.9999999)), axis=-1)
    ).mean()


@nnx.jit
def train_step(model, optimizer, metrics, x, y):
    def loss_fn(model):
        predictions = model(x, training=True)
        return compute_loss(predictions, y), predictions

    (loss, predictions), grads = nnx.value_and_grad(loss_fn, has_aux=True)(model)
    optimizer.update(model, grads)
    metrics.update(loss=jnp.full(len(y), loss), accuracy=jnp.argmax(y, axis=-1) == jnp.argmax(predictions, axis=-1))


@nnx.jit
def eval_step(model, metrics, x, y):
    predictions = model(x)
    loss = compute_loss(predictions, y)
    metrics.update(loss=jnp.full(len(y), loss), accuracy=jnp.argmax(y, axis=-1) == jnp.argmax(predictions, axis=-1))


def evaluate_model(model, x, y, batch_size=32):
    """Loss and metrics over a data set."""
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), accuracy=nnx.metrics.Average("accuracy"))
    for start in range(0, len(y), batch_size):
        eval_step(model, metrics, x[start : start + batch_size], y[start : start + batch_size])
    return {name: float(value) for name, value in metrics.compute().items()}


def train(model, x_train, y_train, x_val, y_val, epochs=50, batch_size=32, *, seed=0):
    optimizer = nnx.Optimizer(model, optax.rmsprop(0.001, eps=1e-07), wrt=nnx.Param)
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), accuracy=nnx.metrics.Average("accuracy"))
    history = {}
    order = np.random.default_rng(seed)
    best, wait = None, 0
    for epoch in range(epochs):
        metrics.reset()
        shuffled = order.permutation(len(x_train))
        for start in range(0, len(x_train), batch_size):
            batch = shuffled[start : start + batch_size]
            train_step(model, optimizer, metrics, x_train[batch], y_train[batch])
        results = {name: float(value) for name, value in metrics.compute().items()}
        validation = evaluate_model(model, x_val, y_val, batch_size)
        results |= {f"val_{name}": value for name, value in validation.items()}
        print(f"epoch {epoch + 1}/{epochs}:", results)
        for name, value in results.items():
            history.setdefault(name, []).append(value)
        if best is None or results["val_loss"] < best:
            best, wait = results["val_loss"], 0
            best_weights = jax.tree.map(jnp.copy, nnx.state(model, nnx.Not(nnx.RngState)))
        else:
            wait += 1
            if wait >= 5:
                break
    nnx.update(model, best_weights)
    return history


@nnx.jit
def predict_step(model, x):
    return model(x)


def predict(model, x, batch_size=32):
    outputs = [predict_step(model, x[start : start + batch_size]) for start in range(0, len(x), batch_size)]
    return np.concatenate(outputs)


def evaluate(model, x_test, y_test):
    """Prints the test score and returns the accuracy per class."""
    score = list(evaluate_model(model, x_test, y_test, 256).values())
    print("Test loss:", score[0])
    print("Test accuracy:", score[1])

    predicted = np.argmax(predict(model, x_test, 256), axis=1)
    expected = np.argmax(y_test, axis=1)
    per_class = {}
    for label in np.unique(expected):
        mask = expected == label
        per_class[int(label)] = float(np.mean(predicted[mask] == label))
    return per_class


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("csv")
    parser.add_argument("--hidden", type=int, nargs="+", default=[128, 64])
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--epochs", type=int, default=50)
    args = parser.parse_args()

    x_train, y_train, x_test, y_test = load_csv(args.csv)
    num_classes = int(max(y_train.max(), y_test.max())) + 1
    y_train, y_test = one_hot(y_train, num_classes), one_hot(y_test, num_classes)

    # hold out a tenth of the training set for early stopping
    n_val = len(x_train) // 10
    model = Mlp(x_train.shape[1], num_classes, args.hidden, args.dropout, rngs=nnx.Rngs(0))
    history = train(model, x_train[n_val:], y_train[n_val:], x_train[:n_val], y_train[:n_val], args.epochs)
    print("best val loss: %.4f" % min(history["val_loss"]))
    for label, accuracy in evaluate(model, x_test, y_test).items():
        print("class %d: %.3f" % (label, accuracy))
