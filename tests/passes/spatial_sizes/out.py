"""MLP-Mixer: a layer over the tokens needs their number, which the image's size gives."""

import functools

import jax.numpy as jnp
from flax import nnx

# Keras defaults that differ from Flax's.
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform(), padding="VALID")
LayerNorm = functools.partial(nnx.LayerNorm, epsilon=0.001, use_fast_variance=False)
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class MlpBlock(nnx.Module):
    def __init__(self, in_features, mlp_dim, *, rngs: nnx.Rngs):
        self.dense_0 = Linear(in_features, mlp_dim, rngs=rngs)
        self.dense_1 = Linear(mlp_dim, in_features, rngs=rngs)

    def __call__(self, x):
        y = nnx.gelu(self.dense_0(x), approximate=False)
        return self.dense_1(y)


class MixerBlock(nnx.Module):
    def __init__(self, in_features, in_length, tokens_dim, channels_dim, *, rngs: nnx.Rngs):
        self.norm_0 = LayerNorm(in_features, rngs=rngs)
        self.mlp_block1 = MlpBlock(in_length, tokens_dim, rngs=rngs)
        self.norm_1 = LayerNorm(in_features, rngs=rngs)
        self.mlp_block2 = MlpBlock(in_features, channels_dim, rngs=rngs)

    def __call__(self, inputs):
        x = self.norm_0(inputs)
        x = jnp.transpose(x, (0, 2, 1))
        x = self.mlp_block1(x)
        x = jnp.transpose(x, (0, 2, 1))
        residual = inputs + x
        y = self.norm_1(residual)
        return self.mlp_block2(y) + residual


class Mixer(nnx.Module):
    def __init__(self, num_blocks=3, patch_size=8, hidden_dim=16, input_shape=(32, 32, 3), classes=10, *, rngs: nnx.Rngs):
        self.stem = Conv(input_shape[-1], hidden_dim, (patch_size, patch_size), strides=patch_size, rngs=rngs)
        height, width = input_shape[0] // patch_size, input_shape[1] // patch_size
        self.mixer_blocks = nnx.List(
            [MixerBlock(hidden_dim, height * width, 8, 4 * hidden_dim, rngs=rngs) for _ in range(num_blocks)]
        )
        self.head = Linear(hidden_dim, classes, rngs=rngs)
        self.height = height
        self.hidden_dim = hidden_dim
        self.width = width

    def __call__(self, inputs):
        x = self.stem(inputs)
        x = jnp.reshape(x, (x.shape[0], self.height * self.width, self.hidden_dim))
        for mixer_block in self.mixer_blocks:
            x = mixer_block(x)
        return self.head(jnp.mean(x, axis=1))
