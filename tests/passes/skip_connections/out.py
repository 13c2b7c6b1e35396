import functools

import jax.numpy as jnp
from flax import nnx

# Keras defaults that differ from Flax's.
BatchNorm = functools.partial(nnx.BatchNorm, epsilon=0.001, use_fast_variance=False)
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform())
ConvTranspose = functools.partial(nnx.ConvTranspose, kernel_init=nnx.initializers.glorot_uniform(), transpose_kernel=True)

# Activations by the names that Keras gives them.
KERAS_ACTIVATIONS = {"relu": nnx.relu, "softmax": nnx.softmax}


class DoubleConv(nnx.Module):
    def __init__(self, in_features, filters, activation="relu", *, rngs: nnx.Rngs):
        x_features = in_features
        self.convs = nnx.List()
        self.norms = nnx.List()
        for _ in range(2):
            self.convs.append(nnx.Conv(x_features, filters, (3, 3), kernel_init=nnx.initializers.he_normal(), rngs=rngs))
            self.norms.append(BatchNorm(filters, rngs=rngs))
            x_features = filters
        self.activation = KERAS_ACTIVATIONS.get(activation, activation)

    def __call__(self, x, *, training=False):
        for conv, norm in zip(self.convs, self.norms):
            x = conv(x)
            x = norm(x, use_running_average=not training)
            x = self.activation(x)
        return x


class Unet(nnx.Module):
    def __init__(self, img_size=(32, 32), num_classes=3, base=8, depth=3, *, rngs: nnx.Rngs):
        skips_features = []
        in_features = 3
        self.double_convs1 = nnx.List()
        # encoder
        for level in range(depth):
            self.double_convs1.append(DoubleConv(in_features, base * 2**level, rngs=rngs))
            skips_features.append(base * 2**level)
            in_features = base * 2**level
        self.double_conv = DoubleConv(in_features, base * 2**depth, rngs=rngs)
        in_features = base * 2**depth
        self.convs = nnx.List()
        self.double_convs2 = nnx.List()
        # decoder
        for level in reversed(range(depth)):
            self.convs.append(ConvTranspose(in_features, base * 2**level, (2, 2), strides=2, rngs=rngs))
            self.double_convs2.append(DoubleConv(base * 2**level + skips_features[level], base * 2**level, rngs=rngs))
            in_features = base * 2**level
        self.conv = Conv(in_features, num_classes, (1, 1), padding="VALID", rngs=rngs)
        self.depth = depth

    def __call__(self, inputs, *, training=False):
        skips = []
        x = inputs
        # encoder
        for double_conv1 in self.double_convs1:
            x = double_conv1(x, training=training)
            skips.append(x)
            x = nnx.max_pool(x, (2, 2), strides=(2, 2))
        x = self.double_conv(x, training=training)
        # decoder
        for level, conv, double_conv2 in zip(reversed(range(self.depth)), self.convs, self.double_convs2):
            x = conv(x)
            x = jnp.concatenate([x, skips[level]], axis=-1)
            x = double_conv2(x, training=training)
        return nnx.softmax(self.conv(x))
