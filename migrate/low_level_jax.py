"""LeNet-style classifier written with plain TensorFlow ops, no Keras layers."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import lax


def weight_variable(shape, name, *, rngs: nnx.Rngs):
    fan_in = int(np.prod(shape[:-1]))
    initial = math.sqrt(2.0 / fan_in) * jax.random.truncated_normal(rngs.noise(), -2, 2, shape)
    return nnx.Param(initial)


def bias_variable(shape, name):
    # slightly positive, to keep the ReLUs alive
    return nnx.Param(jnp.full(shape, 0.1))


def max_pool_2x2(x):
    return nnx.max_pool(x, (2, 2), strides=(2, 2), padding="SAME")


class BatchNorm(nnx.Module):
    """Batch normalization over all axes but the last."""

    def __init__(self, size, decay=0.9, epsilon=1e-3):
        self.decay = decay
        self.epsilon = epsilon
        self.beta = nnx.Param(jnp.zeros([size]))
        self.gamma = nnx.Param(jnp.ones([size]))
        self.moving_mean = nnx.BatchStat(jnp.zeros([size]))
        self.moving_var = nnx.BatchStat(jnp.ones([size]))

    def __call__(self, x, training):
        if training:
            axes = list(range(len(x.shape) - 1))
            mean, var = (jnp.mean(x, axis=axes), jnp.var(x, axis=axes))
            self.moving_mean[...] = self.decay * self.moving_mean + (1 - self.decay) * mean
            self.moving_var[...] = self.decay * self.moving_var + (1 - self.decay) * var
        else:
            mean, var = self.moving_mean, self.moving_var
        return nnx.standardize(x, mean=mean[...], variance=var[...], epsilon=self.epsilon) * self.gamma[...] + self.beta[...]


class ConvNet(nnx.Module):
    def __init__(self, num_classes=10, keep_prob=0.75, *, rngs: nnx.Rngs):
        self.rngs = rngs.fork()
        self.num_classes = num_classes
        self.keep_prob = keep_prob
        # First convolutional layer - maps one grayscale image to 16 feature maps.
        self.w_conv1 = weight_variable([5, 5, 1, 16], "w_conv1", rngs=rngs)
        self.b_conv1 = bias_variable([16], "b_conv1")
        # Second convolutional layer - maps 16 feature maps to 32.
        self.w_conv2 = weight_variable([3, 3, 16, 32], "w_conv2", rngs=rngs)
        self.bn = BatchNorm(32)
        # After 2 rounds of pooling the image is down to 7x7x32.
        self.w_fc1 = weight_variable([7 * 7 * 32, 64], "w_fc1", rngs=rngs)
        self.b_fc1 = bias_variable([64], "b_fc1")
        self.w_fc2 = weight_variable([64, num_classes], "w_fc2", rngs=rngs)
        self.b_fc2 = bias_variable([num_classes], "b_fc2")

    def __call__(self, x, training=False):
        x = jnp.reshape(x, [-1, 28, 28, 1])
        h = lax.conv_general_dilated(x, self.w_conv1[...], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        h = max_pool_2x2(nnx.relu(h + self.b_conv1[...]))

        h = lax.conv_general_dilated(h, self.w_conv2[...], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        h = max_pool_2x2(nnx.relu(self.bn(h, training=training)))

        h = jnp.reshape(h, [-1, 7 * 7 * 32])
        h = nnx.relu(jnp.matmul(h, self.w_fc1[...]) + self.b_fc1)
        if training:
            h = nnx.Dropout(1 - self.keep_prob)(h, rngs=self.rngs)
        return jnp.matmul(h, self.w_fc2[...]) + self.b_fc2


def compute_loss(model, images, labels, weight_decay=1e-4):
    logits = model(images, training=True)
    one_hot = jax.nn.one_hot(labels, model.num_classes)
    loss = jnp.mean(optax.softmax_cross_entropy(logits, one_hot))
    # only the matrices are decayed, not the biases
    decay = sum([jnp.sum(jnp.square(v)) / 2 for v in jax.tree.leaves(nnx.state(model, nnx.Param)) if len(v.shape) > 1])
    return loss + weight_decay * decay, logits


@nnx.jit
def train_step(model, images, labels, learning_rate):
    (loss, logits), gradients = nnx.value_and_grad(compute_loss, has_aux=True)(model, images, labels)
    gradients, grad_norm = optax.projections.projection_l2_ball(gradients, 5.0), optax.tree.norm(gradients)
    nnx.update(
        model,
        jax.tree.map(lambda variable, gradient: variable - learning_rate * gradient, nnx.state(model, nnx.Param), gradients),
    )
    return loss, grad_norm


def accuracy(model, images, labels):
    predictions = jnp.argmax(model(images), axis=1)
    return jnp.mean(jnp.asarray(jnp.equal(predictions, labels), dtype=jnp.float32))


def batches(images, labels, batch_size, rng):
    order = rng.permutation(len(images))
    for start in range(0, len(order) - batch_size + 1, batch_size):
        index = order[start : start + batch_size]
        yield images[index], labels[index]


def train(images, labels, epochs=3, batch_size=100, learning_rate=0.1, *, seed=0):
    model = ConvNet(num_classes=10, rngs=nnx.Rngs(seed))
    rng = np.random.default_rng(0)
    step = 0
    for epoch in range(epochs):
        for x, y in batches(images, labels, batch_size, rng):
            # passed as a tensor: a Python float would retrace the graph
            rate = jnp.array(learning_rate * 0.95 ** (step // 100), dtype=jnp.float32)
            loss, grad_norm = train_step(model, jnp.array(x), jnp.array(y), rate)
            if step % 100 == 0:
                print("step %d, loss %g, gradient norm %g" % (step, np.asarray(loss), np.asarray(grad_norm)))
            step += 1
        print("epoch %d, training accuracy %g" % (epoch, accuracy(model, images[:1000], labels[:1000])))
    return model


if __name__ == "__main__":
    import tensorflow as tf

    (x_train, y_train), (x_test, y_test) = tf.keras.datasets.mnist.load_data()
    model = train(np.float32(x_train / 255.0), y_train.astype(np.int32), seed=1)
    print("test accuracy %g" % accuracy(model, np.float32(x_test / 255.0), y_test.astype(np.int32)))
