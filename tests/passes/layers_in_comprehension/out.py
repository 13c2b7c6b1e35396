"""A pyramid: a helper gives a list of feature maps, and layers are made over it."""

import functools

import jax.numpy as jnp
from flax import nnx

# Keras defaults that differ from Flax's.
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform())
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Backbone(nnx.Module):
    def __init__(self, in_features, widths, *, rngs: nnx.Rngs):
        features_widths = []
        x_features = in_features
        self.convs = nnx.List()
        for width in widths:
            self.convs.append(Conv(x_features, width, (3, 3), strides=2, rngs=rngs))
            features_widths.append(width)
            x_features = width
        self.out_features = features_widths

    def __call__(self, x):
        features = []
        for conv in self.convs:
            x = nnx.relu(conv(x))
            features.append(x)
        return features


class Pyramid(nnx.Module):
    def __init__(self, in_features, channels, *, rngs: nnx.Rngs):
        self.lateral4 = Conv(in_features[1], channels, (1, 1), padding="VALID", rngs=rngs)
        self.lateral3 = Conv(in_features[0], channels, (1, 1), padding="VALID", rngs=rngs)
        parts_features = []
        self.smooths = nnx.List()
        for i, p_features in enumerate([channels, channels]):
            self.smooths.append(Conv(p_features, channels, (3, 3), rngs=rngs))
            parts_features.append(channels)
        self.out_features = parts_features

    def __call__(self, features):
        c3, c4 = features
        p4 = self.lateral4(c4)
        p3 = jnp.repeat(jnp.repeat(p4, 2, axis=1), 2, axis=2) + self.lateral3(c3)
        parts = []
        for (i, p), smooth in zip(enumerate([p3, p4]), self.smooths):
            parts.append(smooth(p))
        return parts


class Detector(nnx.Module):
    def __init__(self, input_shape=(32, 32, 3), num_classes=3, *, rngs: nnx.Rngs):
        self.backbone = Backbone(input_shape[-1], (8, 16), rngs=rngs)
        self.pyramid = Pyramid(self.backbone.out_features, 8, rngs=rngs)
        self.user_dense = Linear(sum(self.pyramid.out_features), 16, rngs=rngs)
        self.scores_dense = Linear(16, num_classes, rngs=rngs)

    def __call__(self, image):
        levels = self.pyramid(self.backbone(image))
        user = jnp.concatenate([jnp.max(level, axis=(1, 2)) for level in levels], axis=-1)
        user = self.user_dense(user)
        return self.scores_dense(user)
