"""Dense, Embedding, dropout and reshaping layers of `tf.keras.layers`."""

import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import Difference, f32, i32, known, layer, refuse, sample
from codemods.mappings.keras_activate import activate
from codemods.mappings.keras_initializers import initializer
from codemods.mappings.keras_regularizers import penalty


@layer(
    "tf.keras.layers.Dense",
    samples=[
        sample(8, x=f32(2, 5)),
        sample(8, activation="relu", use_bias=False, x=f32(2, 7, 5)),
        sample(3, activation="gelu", kernel_initializer="he_normal", bias_initializer="ones", x=f32(4, 5)),
        sample(3, kernel_regularizer="l2", bias_regularizer="l1", x=f32(4, 5)),
    ],
)
class Dense:
    keeps_mask = "always"

    def make(units, activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
             kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
             bias_constraint=None, lora_rank=None, lora_alpha=None, quantization_config=None, *, x, rngs):  # fmt: skip
        return nnx.Linear(
            x.shape[-1], units, use_bias=use_bias, kernel_init=initializer(kernel_initializer),
            bias_init=initializer(bias_initializer), kernel_metadata=penalty(kernel_regularizer),
            bias_metadata=penalty(bias_regularizer), rngs=rngs,
        )  # fmt: skip

    def call(layer, inputs, *, activation):
        return activate(activation, layer(inputs))

    def shape(x, *, units):
        return (*x.shape[:-1], units)

    weights = {"kernel": "kernel", "bias": "bias"}


@layer("tf.keras.layers.Activation", samples=[
    sample("relu", x=f32(3, 4)), sample("softmax", x=f32(3, 4)), sample("swish", x=f32(3, 4)),
])  # fmt: skip
class Activation:
    keeps_mask = "always"

    def make(activation):
        return None

    def call(layer, inputs, *, activation):
        return activate(activation, inputs)


@layer("tf.keras.layers.Identity", samples=[sample(x=f32(3, 4))])
class Identity:
    keeps_mask = "always"

    def make():
        return None

    def call(layer, inputs):
        return inputs


_DRAWS = [Difference("in training", "which values are dropped differs; their share and scale do not")]


@layer("tf.keras.layers.Dropout", differences=_DRAWS, samples=[
    sample(0.4, x=f32(8, 64, low=1)), sample(0.5, noise_shape=(None, 1, 4), x=f32(8, 32, 4, low=1)),
])  # fmt: skip
class Dropout:
    keeps_mask = "always"

    def make(rate, noise_shape=None, seed=None, *, rngs):
        if noise_shape is None:
            return nnx.Dropout(rate, rngs=rngs)
        return nnx.Dropout(rate, broadcast_dims=tuple(i for i, n in enumerate(noise_shape) if n == 1), rngs=rngs)

    def call(layer, inputs, *, training):
        return layer(inputs, deterministic=not training)


@layer("tf.keras.layers.SpatialDropout1D", differences=_DRAWS, samples=[sample(0.4, x=f32(8, 5, 64, low=1))])
class SpatialDropout1D:
    keeps_mask = "always"

    def make(rate, seed=None, *, rngs):
        return nnx.Dropout(rate, broadcast_dims=(1,), rngs=rngs)

    def call(layer, inputs, *, training):
        return layer(inputs, deterministic=not training)


@layer("tf.keras.layers.SpatialDropout2D", differences=_DRAWS, samples=[sample(0.4, x=f32(8, 3, 3, 64, low=1))])
class SpatialDropout2D:
    keeps_mask = "always"

    def make(rate, data_format=None, seed=None, *, rngs):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return nnx.Dropout(rate, broadcast_dims=(1, 2), rngs=rngs)

    def call(layer, inputs, *, training):
        return layer(inputs, deterministic=not training)


@layer("tf.keras.layers.SpatialDropout3D", differences=_DRAWS, samples=[sample(0.4, x=f32(8, 2, 3, 3, 64, low=1))])
class SpatialDropout3D:
    keeps_mask = "always"

    def make(rate, data_format=None, seed=None, *, rngs):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return nnx.Dropout(rate, broadcast_dims=(1, 2, 3), rngs=rngs)

    def call(layer, inputs, *, training):
        return layer(inputs, deterministic=not training)


@layer("tf.keras.layers.Flatten", samples=[sample(x=f32(2, 3, 4, 5)), sample(x=f32(3, 4)), sample(x=f32(6))])
class Flatten:
    def make(data_format=None):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return None

    def call(layer, inputs):
        return inputs.reshape(inputs.shape[0], -1)

    def shape(x):
        size = 1
        for dim in x.shape[1:]:
            size = size * dim
        return (x.shape[0], size)


@layer("tf.keras.layers.Reshape", samples=[
    sample((6, 2), x=f32(2, 3, 4)), sample((-1, 2), x=f32(2, 3, 4)), sample([12], x=f32(2, 3, 4)),
])  # fmt: skip
class Reshape:
    def make(target_shape):
        return None

    def call(layer, inputs, *, target_shape):
        if known(target_shape) and -1 not in target_shape:
            return jnp.reshape(inputs, (-1, *target_shape))
        return jnp.reshape(inputs, (inputs.shape[0], *target_shape))

    def shape(x, *, target_shape):
        if -1 not in target_shape:
            return (x.shape[0], *target_shape)
        size = 1
        for dim in x.shape[1:]:
            size = size * dim
        for dim in target_shape:
            if dim != -1:
                size = size // dim
        return (x.shape[0], *(size if dim == -1 else dim for dim in target_shape))


@layer("tf.keras.layers.Permute", samples=[sample((2, 1), x=f32(2, 3, 4)), sample((3, 1, 2), x=f32(2, 3, 4, 5))])
class Permute:
    def make(dims):
        return None

    def call(layer, inputs, *, dims):
        return jnp.transpose(inputs, (0, *dims))

    def shape(x, *, dims):
        return (x.shape[0], *(x.shape[i] for i in dims))


@layer("tf.keras.layers.RepeatVector", samples=[sample(3, x=f32(2, 4))])
class RepeatVector:
    def make(n):
        return None

    def call(layer, inputs, *, n):
        return jnp.repeat(inputs[:, None], n, axis=1)

    def shape(x, *, n):
        return (x.shape[0], n, x.shape[1])


@layer(
    "tf.keras.layers.Embedding",
    differences=[Difference("an index out of range", "gives NaN where TensorFlow on CPU raises an error")],
    samples=[
        sample(10, 4, x=i32(2, 7)),
        sample(10, 4, embeddings_initializer="he_normal", embeddings_regularizer="l2", x=i32(3)),
    ],
)
class Embedding:
    def make(input_dim, output_dim, embeddings_initializer="uniform", embeddings_regularizer=None,
             embeddings_constraint=None, mask_zero=False, weights=None, lora_rank=None, lora_alpha=None,
             quantization_config=None, *, rngs):  # fmt: skip
        init = initializer(embeddings_initializer)
        if not known(weights) or weights is not None:
            if not isinstance(weights, (list, tuple)):
                refuse("weights of an embedding that are not a list of one array")
            init = nnx.initializers.constant(weights[0])
        return nnx.Embed(
            input_dim, output_dim, embedding_init=init,
            embedding_metadata=penalty(embeddings_regularizer), rngs=rngs,
        )  # fmt: skip

    def call(layer, inputs):
        if known(inputs.dtype) and inputs.dtype == "float32":
            return layer(inputs.astype(jnp.int32))
        return layer(inputs)

    def shape(x, *, output_dim):
        return (*x.shape, output_dim)

    weights = {"embeddings": "embedding"}


@layer("tf.keras.layers.Lambda", samples=[])
class Lambda:
    """The function is the call; how it computes is the user's code, which is ported where it stands."""

    def make(function, output_shape=None, mask=None, arguments=None):
        if mask is not None:
            refuse("Lambda with `mask`")
        return None

    def call(layer, inputs, *, function, arguments):
        if known(arguments) and arguments is None:
            return function(inputs)
        return function(inputs, **arguments)
