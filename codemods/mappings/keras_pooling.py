"""Pooling layers of `tf.keras.layers`."""

from flax import nnx

from codemods.engine.rule import f32, inline, layer, refuse, sample
from codemods.mappings.keras_conv import pair, triple, window_shape


@inline
def single(value):
    if isinstance(value, int):
        return (value,)
    return value


@layer("tf.keras.layers.MaxPool1D", "tf.keras.layers.MaxPooling1D", attribute="pool", samples=[
    sample(x=f32(2, 7, 3)), sample(3, strides=2, padding="same", x=f32(2, 7, 3)),
    sample((3,), strides=(1,), padding="SAME", x=f32(2, 7, 3)),
])  # fmt: skip
class MaxPool1D:
    def make(pool_size=2, strides=None, padding="valid", data_format=None, name=None):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return None

    def call(layer, inputs, *, pool_size, strides, padding):
        step = pool_size if strides is None else strides
        return nnx.max_pool(inputs, single(pool_size), strides=single(step), padding=padding.upper())

    def shape(x, *, pool_size, strides, padding):
        return window_shape(x.shape, x.shape[-1], pool_size, pool_size if strides is None else strides, padding)


@layer("tf.keras.layers.MaxPool2D", "tf.keras.layers.MaxPooling2D", attribute="pool", samples=[
    sample(x=f32(2, 6, 5, 3)), sample(3, strides=2, padding="same", x=f32(2, 6, 5, 3)),
    sample((2, 3), strides=(1, 2), padding="valid", x=f32(2, 6, 5, 3)),
])  # fmt: skip
class MaxPool2D:
    def make(pool_size=(2, 2), strides=None, padding="valid", data_format=None, name=None):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return None

    def call(layer, inputs, *, pool_size, strides, padding):
        step = pool_size if strides is None else strides
        return nnx.max_pool(inputs, pair(pool_size), strides=pair(step), padding=padding.upper())

    def shape(x, *, pool_size, strides, padding):
        return window_shape(x.shape, x.shape[-1], pool_size, pool_size if strides is None else strides, padding)


@layer("tf.keras.layers.MaxPool3D", "tf.keras.layers.MaxPooling3D", attribute="pool", samples=[
    sample(x=f32(2, 5, 4, 6, 3)), sample(3, strides=2, padding="same", x=f32(2, 5, 4, 6, 3)),
    sample((2, 1, 3), strides=2, padding="valid", x=f32(2, 5, 4, 6, 3)),
])  # fmt: skip
class MaxPool3D:
    def make(pool_size=(2, 2, 2), strides=None, padding="valid", data_format=None, name=None):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return None

    def call(layer, inputs, *, pool_size, strides, padding):
        step = pool_size if strides is None else strides
        return nnx.max_pool(inputs, triple(pool_size), strides=triple(step), padding=padding.upper())

    def shape(x, *, pool_size, strides, padding):
        return window_shape(x.shape, x.shape[-1], pool_size, pool_size if strides is None else strides, padding)


@layer("tf.keras.layers.AveragePooling1D", "tf.keras.layers.AvgPool1D", attribute="pool", samples=[
    sample(2, x=f32(2, 7, 3)), sample(3, strides=2, padding="same", x=f32(2, 7, 3)),
    sample((3,), strides=(1,), padding="SAME", x=f32(2, 7, 3)),
])  # fmt: skip
class AveragePooling1D:
    def make(pool_size, strides=None, padding="valid", data_format=None, name=None):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return None

    def call(layer, inputs, *, pool_size, strides, padding):
        step = pool_size if strides is None else strides
        return nnx.avg_pool(
            inputs, single(pool_size), strides=single(step), padding=padding.upper(),
            count_include_pad=padding.upper() != "SAME",
        )  # fmt: skip

    def shape(x, *, pool_size, strides, padding):
        return window_shape(x.shape, x.shape[-1], pool_size, pool_size if strides is None else strides, padding)


@layer("tf.keras.layers.AveragePooling2D", "tf.keras.layers.AvgPool2D", attribute="pool", samples=[
    sample(2, x=f32(2, 6, 5, 3)), sample(3, strides=2, padding="same", x=f32(2, 6, 5, 3)),
    sample((2, 3), strides=(1, 2), padding="valid", x=f32(2, 6, 5, 3)),
])  # fmt: skip
class AveragePooling2D:
    def make(pool_size, strides=None, padding="valid", data_format=None, name=None):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return None

    def call(layer, inputs, *, pool_size, strides, padding):
        step = pool_size if strides is None else strides
        return nnx.avg_pool(
            inputs, pair(pool_size), strides=pair(step), padding=padding.upper(),
            count_include_pad=padding.upper() != "SAME",
        )  # fmt: skip

    def shape(x, *, pool_size, strides, padding):
        return window_shape(x.shape, x.shape[-1], pool_size, pool_size if strides is None else strides, padding)


@layer("tf.keras.layers.AveragePooling3D", "tf.keras.layers.AvgPool3D", attribute="pool", samples=[
    sample(2, x=f32(2, 5, 4, 6, 3)), sample(3, strides=2, padding="same", x=f32(2, 5, 4, 6, 3)),
    sample((2, 1, 3), strides=2, padding="valid", x=f32(2, 5, 4, 6, 3)),
])  # fmt: skip
class AveragePooling3D:
    def make(pool_size, strides=None, padding="valid", data_format=None, name=None):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return None

    def call(layer, inputs, *, pool_size, strides, padding):
        step = pool_size if strides is None else strides
        return nnx.avg_pool(
            inputs, triple(pool_size), strides=triple(step), padding=padding.upper(),
            count_include_pad=padding.upper() != "SAME",
        )  # fmt: skip

    def shape(x, *, pool_size, strides, padding):
        return window_shape(x.shape, x.shape[-1], pool_size, pool_size if strides is None else strides, padding)
