"""Pre-activation ResNet with bottleneck blocks for CIFAR-10.

Follows "Identity Mappings in Deep Residual Networks" (He et al., 2016):
batch norm and ReLU come before each convolution, and the shortcut stays clean.
"""

import argparse
import functools
import os

import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint as ocp
from flax import nnx
from tqdm import tqdm

# Keras defaults that differ from Flax's.
BatchNorm = functools.partial(nnx.BatchNorm, use_fast_variance=False)

NUM_CLASSES = 10
EXPANSION = 4


def conv(in_features, filters, kernel_size, strides=1, *, rngs: nnx.Rngs):
    """Convolution with the settings shared by the whole network; batch norm makes a bias redundant."""
    return nnx.Conv(
        in_features,
        filters,
        (kernel_size, kernel_size),
        strides=strides,
        use_bias=False,
        kernel_init=nnx.initializers.he_normal(),
        rngs=rngs,
    )


class BnRelu(nnx.Module):
    def __init__(self, in_features, *, rngs: nnx.Rngs):
        self.norm = BatchNorm(in_features, momentum=0.9, rngs=rngs)

    def __call__(self, x, *, training=False):
        x = self.norm(x, use_running_average=not training)
        return nnx.relu(x)


class Bottleneck(nnx.Module):
    """1x1 reduce, 3x3, 1x1 expand.

    Args:
        x: input feature map.
        filters: width of the 3x3 convolution; the output is EXPANSION times wider.
        strides: stride of the 3x3 convolution.

    Returns:
        The output feature map.
    """

    def __init__(self, in_features, filters, strides=1, *, rngs: nnx.Rngs):
        out_filters = filters * EXPANSION
        self.preact = BnRelu(in_features, rngs=rngs)

        # The projection sees the pre-activated input, the identity does not.
        if strides > 1 or in_features != out_filters:
            self.shortcut_conv = conv(in_features, out_filters, 1, strides, rngs=rngs)
        else:
            self.shortcut_conv = None
        self.conv1 = conv(in_features, filters, 1, rngs=rngs)
        self.bn_relu1 = BnRelu(filters, rngs=rngs)
        self.conv2 = conv(filters, filters, 3, strides, rngs=rngs)
        self.bn_relu2 = BnRelu(filters, rngs=rngs)
        self.conv3 = conv(filters, out_filters, 1, rngs=rngs)

    def __call__(self, x, *, training=False):
        preact = self.preact(x, training=training)

        # The projection sees the pre-activated input, the identity does not.
        if self.shortcut_conv is not None:
            shortcut = self.shortcut_conv(preact)
        else:
            shortcut = x

        y = self.conv1(preact)
        y = self.bn_relu1(y, training=training)
        y = self.conv2(y)
        y = self.bn_relu2(y, training=training)
        y = self.conv3(y)
        return shortcut + y


class Resnet(nnx.Module):
    """Builds the model; the width doubles and the resolution halves at every stage but the first."""

    def __init__(
        self, input_shape=(32, 32, 3), num_classes=NUM_CLASSES, num_blocks=(2, 2, 2), base_filters=16, *, rngs: nnx.Rngs
    ):
        self.conv = conv(input_shape[-1], base_filters, 3, rngs=rngs)

        filters = base_filters
        in_features = base_filters
        self.bottlenecks = nnx.List()
        for stage, n in enumerate(num_blocks):
            for i in range(n):
                strides = 2 if stage > 0 and i == 0 else 1
                self.bottlenecks.append(Bottleneck(in_features, filters, strides, rngs=rngs))
                in_features = 4 * filters
            filters *= 2
        self.bn_relu = BnRelu(in_features, rngs=rngs)
        self.predictions = nnx.Linear(in_features, num_classes, kernel_init=nnx.initializers.he_normal(), rngs=rngs)

    def __call__(self, inputs, *, training=False):
        x = self.conv(inputs)
        for bottleneck in self.bottlenecks:
            x = bottleneck(x, training=training)

        x = self.bn_relu(x, training=training)
        x = jnp.mean(x, axis=(1, 2))
        return nnx.softmax(self.predictions(x))


def make_optimizer(steps_per_epoch, base_lr=0.1):
    # Same recipe as the paper: divide by 10 after 50% and 75% of the training.
    schedule = optax.join_schedules(
        [optax.constant_schedule(base_lr), optax.constant_schedule(base_lr * 0.1), optax.constant_schedule(base_lr * 0.01)],
        [steps_per_epoch * 80 + 1, steps_per_epoch * 120 + 1],
    )
    return optax.chain(optax.scale_by_learning_rate(schedule), optax.trace(decay=0.9, nesterov=True))


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


def train(x_train, y_train, x_test, y_test, epochs=160, batch_size=128, *, seed=0):
    model = Resnet(input_shape=x_train.shape[1:], rngs=nnx.Rngs(seed))
    print(f"{sum(p.size for p in jax.tree.leaves(nnx.state(model, nnx.Param))):,} parameters")
    optimizer = nnx.Optimizer(model, make_optimizer(len(x_train) // batch_size), wrt=nnx.Param)
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), accuracy=nnx.metrics.Accuracy())
    order = np.random.default_rng(seed)
    for epoch in range(epochs):
        metrics.reset()
        shuffled = order.permutation(len(x_train))
        for start in tqdm(range(0, len(x_train), batch_size), desc=f"epoch {epoch + 1}/{epochs}"):
            batch = shuffled[start : start + batch_size]
            train_step(model, optimizer, metrics, x_train[batch], y_train[batch])
        results = {name: float(value) for name, value in metrics.compute().items()}
        validation = evaluate(model, x_test, y_test, batch_size)
        results |= {f"val_{name}": value for name, value in validation.items()}
        print(results)
    return model


def main():
    from tensorflow import keras

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=160)
    parser.add_argument("--batch_size", type=int, default=128)
    parser.add_argument("--output", default="resnet.weights.h5")
    args = parser.parse_args()
    (x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
    # Per-channel normalization
    mean = x_train.mean(axis=(0, 1, 2)) / 255.0
    std = x_train.std(axis=(0, 1, 2)) / 255.0
    x_train = ((x_train / 255.0 - mean) / std).astype("float32")
    x_test = ((x_test / 255.0 - mean) / std).astype("float32")

    model = train(x_train, y_train, x_test, y_test, args.epochs, args.batch_size, seed=0)
    _, accuracy = evaluate(model, x_test, y_test).values()
    print("accuracy: {:.2%}".format(accuracy))
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(os.path.abspath(os.path.expanduser(args.output)), nnx.state(model, nnx.Not(nnx.RngState)), force=True)


if __name__ == "__main__":
    main()
