"""Loops over tf.range."""
import tensorflow as tf


def returns(rewards, gamma):
    """Discounted sums, from the end."""
    n = tf.shape(rewards)[0]
    total = tf.constant(0.0)
    found = tf.TensorArray(tf.float32, size=n)
    for i in tf.range(n):
        total = rewards[n - 1 - i] + gamma * total
        found = found.write(i, total)
    return found.stack()[::-1]


def pairs(x):
    width = x.shape[-1] // 2
    for i in tf.range(1, width * 2, 2, dtype=tf.int32):
        x = x * tf.cast(i, tf.float32)
    return x


def as_they_were(x, steps):
    for k in tf.range(0.0, 1.0, 0.25):  # no integers
        x = x * k
    for _ in tf.range(steps):  # a number or a tensor
        x = x + 1.0
    size = tf.shape(x)[0]
    size = size + 1
    for _ in tf.range(size):  # bound twice
        x = x + 1.0
    return x


def given_or_counted(x, n=None):
    if n is None:
        n = tf.shape(x)[0]
    for _ in tf.range(n):  # a caller may give a tensor
        x = x + 1.0
    return x
