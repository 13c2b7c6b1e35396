"""Layers that are frozen where they are made, and weights given to an embedding."""

import functools

import numpy as np
from flax import nnx
from tensorflow import keras
from tensorflow.keras import layers

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Frozen(nnx.Variable):
    """A weight that is not trained."""


def freeze(module):
    """Takes the weights of a module out of training."""
    for _, part in list(nnx.iter_modules(module)):
        for name, value in list(vars(part).items()):
            if isinstance(value, nnx.Param):
                setattr(part, name, Frozen(value[...], **value.get_metadata()))


def frozen(module):
    """A module whose weights are not trained."""
    freeze(module)
    return module


matrix = np.ones((20, 6), "float32")


class Classifier(nnx.Module):
    def __init__(self, units, *, rngs: nnx.Rngs):
        self.embedding = frozen(nnx.Embed(20, 6, embedding_init=nnx.initializers.constant(matrix), rngs=rngs))
        self.dense1 = frozen(Linear(6, 5, rngs=rngs))
        self.dropout = nnx.Dropout(0.1, rngs=rngs)
        self.dense2 = Linear(35, units, rngs=rngs)

    def __call__(self, tokens, *, training=False):
        x = self.embedding(tokens)
        x = self.dense1(x)
        x = self.dropout(x.reshape(x.shape[0], -1), deterministic=not training)
        return self.dense2(x)


# jaxport: line 20: tf.keras.layers.Bidirectional: a frozen layer inside another: freeze the part of the port (`freeze(self.layer.forward_rnn)`)
def inside(units):
    inputs = keras.Input((7, 3))
    return keras.Model(inputs, layers.Bidirectional(layers.LSTM(units, trainable=False))(inputs))


# jaxport: line 25: tf.keras.layers.BatchNormalization: `trainable`: a layer that is frozen when it is made: set `layer.trainable = False` after it, which becomes `freeze(layer)`
def normalised():
    inputs = keras.Input((3,))
    return keras.Model(inputs, layers.BatchNormalization(trainable=False)(inputs))


# jaxport: line 30: tf.keras.layers.Dense: `trainable`: a layer that is frozen when it is made: set `layer.trainable = False` after it, which becomes `freeze(layer)`
def depends(trained):
    inputs = keras.Input((3,))
    return keras.Model(inputs, layers.Dense(2, trainable=trained)(inputs))
# residual: in.py:20:32: tf.keras.layers.Bidirectional: a frozen layer inside another: freeze the part of the port (`freeze(self.layer.forward_rnn)`)
# residual: in.py:25:32: tf.keras.layers.BatchNormalization: `trainable`: a layer that is frozen when it is made: set `layer.trainable = False` after it, which becomes `freeze(layer)`
# residual: in.py:30:32: tf.keras.layers.Dense: `trainable`: a layer that is frozen when it is made: set `layer.trainable = False` after it, which becomes `freeze(layer)`
