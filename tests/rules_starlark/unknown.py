"""A unit that uses what jaxport has no rule for."""

import tensorflow as tf


def error_function(x):
    return tf.raw_ops.Erf(x=x)
