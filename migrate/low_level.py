"""LeNet-style classifier written with plain TensorFlow ops, no Keras layers."""
import math

import numpy as np
import tensorflow as tf


def weight_variable(shape, name):
    fan_in = int(np.prod(shape[:-1]))
    initial = tf.random.truncated_normal(shape, stddev=math.sqrt(2.0 / fan_in))
    return tf.Variable(initial, name=name)


def bias_variable(shape, name):
    # slightly positive, to keep the ReLUs alive
    return tf.Variable(tf.constant(0.1, shape=shape), name=name)


def max_pool_2x2(x):
    return tf.nn.max_pool2d(x, ksize=2, strides=2, padding="SAME")


class BatchNorm(tf.Module):
    """Batch normalization over all axes but the last."""

    def __init__(self, size, decay=0.9, epsilon=1e-3, name=None):
        super().__init__(name=name)
        self.decay = decay
        self.epsilon = epsilon
        self.beta = tf.Variable(tf.zeros([size]), name="beta")
        self.gamma = tf.Variable(tf.ones([size]), name="gamma")
        self.moving_mean = tf.Variable(tf.zeros([size]), trainable=False, name="moving_mean")
        self.moving_var = tf.Variable(tf.ones([size]), trainable=False, name="moving_var")

    def __call__(self, x, training):
        if training:
            axes = list(range(len(x.shape) - 1))
            mean, var = tf.nn.moments(x, axes)
            self.moving_mean.assign(self.decay * self.moving_mean + (1 - self.decay) * mean)
            self.moving_var.assign(self.decay * self.moving_var + (1 - self.decay) * var)
        else:
            mean, var = self.moving_mean, self.moving_var
        return tf.nn.batch_normalization(x, mean, var, self.beta, self.gamma, self.epsilon)


class ConvNet(tf.Module):
    def __init__(self, num_classes=10, keep_prob=0.75, name="convnet"):
        super().__init__(name=name)
        self.num_classes = num_classes
        self.keep_prob = keep_prob
        with self.name_scope:
            # First convolutional layer - maps one grayscale image to 16 feature maps.
            self.w_conv1 = weight_variable([5, 5, 1, 16], "w_conv1")
            self.b_conv1 = bias_variable([16], "b_conv1")
            # Second convolutional layer - maps 16 feature maps to 32.
            self.w_conv2 = weight_variable([3, 3, 16, 32], "w_conv2")
            self.bn = BatchNorm(32, name="bn")
            # After 2 rounds of pooling the image is down to 7x7x32.
            self.w_fc1 = weight_variable([7 * 7 * 32, 64], "w_fc1")
            self.b_fc1 = bias_variable([64], "b_fc1")
            self.w_fc2 = weight_variable([64, num_classes], "w_fc2")
            self.b_fc2 = bias_variable([num_classes], "b_fc2")

    def __call__(self, x, training=False):
        x = tf.reshape(x, [-1, 28, 28, 1])
        h = tf.nn.conv2d(x, self.w_conv1, strides=[1, 1, 1, 1], padding="SAME")
        h = max_pool_2x2(tf.nn.relu(tf.nn.bias_add(h, self.b_conv1)))

        h = tf.nn.conv2d(h, self.w_conv2, strides=1, padding="SAME")
        h = max_pool_2x2(tf.nn.relu(self.bn(h, training)))

        h = tf.reshape(h, [-1, 7 * 7 * 32])
        h = tf.nn.relu(tf.matmul(h, self.w_fc1) + self.b_fc1)
        if training:
            h = tf.nn.dropout(h, rate=1 - self.keep_prob)
        return tf.matmul(h, self.w_fc2) + self.b_fc2


def compute_loss(model, images, labels, weight_decay=1e-4):
    logits = model(images, training=True)
    one_hot = tf.one_hot(labels, depth=model.num_classes)
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=one_hot, logits=logits))
    # only the matrices are decayed, not the biases
    decay = tf.add_n([tf.nn.l2_loss(v) for v in model.trainable_variables if len(v.shape) > 1])
    return loss + weight_decay * decay, logits


@tf.function
def train_step(model, images, labels, learning_rate):
    with tf.GradientTape() as tape:
        loss, logits = compute_loss(model, images, labels)
    variables = model.trainable_variables
    gradients = tape.gradient(loss, variables)
    gradients, grad_norm = tf.clip_by_global_norm(gradients, 5.0)
    for variable, gradient in zip(variables, gradients):
        variable.assign_sub(learning_rate * gradient)
    return loss, grad_norm


def accuracy(model, images, labels):
    predictions = tf.argmax(model(images), axis=1, output_type=tf.int32)
    return tf.reduce_mean(tf.cast(tf.equal(predictions, labels), tf.float32))


def batches(images, labels, batch_size, rng):
    order = rng.permutation(len(images))
    for start in range(0, len(order) - batch_size + 1, batch_size):
        index = order[start : start + batch_size]
        yield images[index], labels[index]


def train(images, labels, epochs=3, batch_size=100, learning_rate=0.1):
    model = ConvNet(num_classes=10)
    rng = np.random.default_rng(0)
    step = 0
    for epoch in range(epochs):
        for x, y in batches(images, labels, batch_size, rng):
            # passed as a tensor: a Python float would retrace the graph
            rate = tf.constant(learning_rate * 0.95 ** (step // 100), tf.float32)
            loss, grad_norm = train_step(model, tf.constant(x), tf.constant(y), rate)
            if step % 100 == 0:
                print("step %d, loss %g, gradient norm %g" % (step, loss.numpy(), grad_norm.numpy()))
            step += 1
        print("epoch %d, training accuracy %g" % (epoch, accuracy(model, images[:1000], labels[:1000])))
    return model


if __name__ == "__main__":
    tf.random.set_seed(1)
    (x_train, y_train), (x_test, y_test) = tf.keras.datasets.mnist.load_data()
    model = train(np.float32(x_train / 255.0), y_train.astype(np.int32))
    print("test accuracy %g" % accuracy(model, np.float32(x_test / 255.0), y_test.astype(np.int32)))
