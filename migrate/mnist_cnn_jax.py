"""A small convolutional network for MNIST digits.

Usage:
    python mnist_cnn.py --epochs 5 --batch-size 128
"""

import argparse
import functools

import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from tqdm import tqdm

# Keras defaults that differ from Flax's.
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform())
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class MnistCNN(nnx.Module):
    """Two conv/pool blocks followed by a dense classifier.

    Args:
        num_classes: number of digits to tell apart.
        dropout: rate applied before the last layer.
    """

    def __init__(self, num_classes=10, dropout=0.5, *, rngs: nnx.Rngs):
        self.conv1 = Conv(1, 32, (3, 3), rngs=rngs)
        self.conv2 = Conv(32, 64, (3, 3), padding="VALID", rngs=rngs)
        self.fc1 = Linear(2304, 128, rngs=rngs)
        self.dropout = nnx.Dropout(dropout, rngs=rngs)
        self.fc2 = Linear(128, num_classes, rngs=rngs)

    def __call__(self, inputs, training=False):
        x = nnx.max_pool(nnx.relu(self.conv1(inputs)), (2, 2), strides=(2, 2))  # 28x28 -> 14x14
        x = nnx.max_pool(nnx.relu(self.conv2(x)), (2, 2), strides=(2, 2))  # 14x14 -> 6x6
        x = x.reshape(x.shape[0], -1)
        x = nnx.relu(self.fc1(x))
        x = self.dropout(x, deterministic=not training)
        return nnx.softmax(self.fc2(x))


def preprocess(images, labels):
    """Scale the pixels to [0, 1] and add the channel axis."""
    images = images.astype("float32") / 255.0
    images = np.expand_dims(images, -1)
    return images, labels.astype("int32")


def load_data():
    from tensorflow import keras

    (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    return preprocess(x_train, y_train), preprocess(x_test, y_test)


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


def train(x_train, y_train, epochs=5, batch_size=128, learning_rate=1e-3, *, seed=0):
    """Fit a fresh model and return it together with its history."""
    model = MnistCNN(num_classes=10, rngs=nnx.Rngs(seed))
    optimizer = nnx.Optimizer(model, optax.adam(learning_rate, eps=1e-7), wrt=nnx.Param)
    split = int(len(x_train) * (1 - 0.1))  # the rest is for validation
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), accuracy=nnx.metrics.Accuracy())
    history = {}
    order = np.random.default_rng(seed)
    for epoch in range(epochs):
        metrics.reset()
        shuffled = order.permutation(split)
        for start in tqdm(range(0, split, batch_size), desc=f"epoch {epoch + 1}/{epochs}"):
            batch = shuffled[start : start + batch_size]
            train_step(model, optimizer, metrics, x_train[batch], y_train[batch])
        results = {name: float(value) for name, value in metrics.compute().items()}
        validation = evaluate(model, x_train[split:], y_train[split:], batch_size)
        results |= {f"val_{name}": value for name, value in validation.items()}
        print(results)
        for name, value in results.items():
            history.setdefault(name, []).append(value)
    return model, history


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=42)
    args = parser.parse_args()
    (x_train, y_train), (x_test, y_test) = load_data()
    print("train:", x_train.shape, "test:", x_test.shape)

    model, _ = train(x_train, y_train, args.epochs, args.batch_size, args.lr, seed=args.seed)

    test_loss, test_acc = evaluate(model, x_test, y_test).values()
    print(f"test loss {test_loss:.4f}, test accuracy {test_acc:.4f}")


if __name__ == "__main__":
    main()
