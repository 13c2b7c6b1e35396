"""Global pooling layers of `tf.keras.layers`."""

import jax.numpy as jnp

from codemods.engine.rule import boolean, f32, known, layer, refuse, sample


def pooled_shape(shape, keepdims):
    return (shape[0], *((1,) * (len(shape) - 2) if keepdims else ()), shape[-1])


@layer("tf.keras.layers.GlobalAvgPool1D", "tf.keras.layers.GlobalAveragePooling1D", attribute="pool", samples=[
    sample(x=f32(2, 7, 3)), sample(keepdims=True, x=f32(2, 7, 3)),
    sample(x=f32(2, 7, 3), call={"mask": boolean(2, 7)}),
])  # fmt: skip
class GlobalAveragePooling1D:
    def make(data_format=None, keepdims=False):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return None

    def call(layer, inputs, mask=None, *, keepdims):
        if known(mask) and mask is None:
            return jnp.mean(inputs, axis=1, keepdims=keepdims)
        return jnp.mean(inputs, axis=1, keepdims=keepdims, where=mask[..., None])

    def shape(x, *, keepdims):
        return pooled_shape(x.shape, keepdims)


@layer("tf.keras.layers.GlobalAvgPool2D", "tf.keras.layers.GlobalAveragePooling2D", attribute="pool", samples=[
    sample(x=f32(2, 6, 5, 3)), sample(keepdims=True, x=f32(2, 6, 5, 3)),
])  # fmt: skip
class GlobalAveragePooling2D:
    def make(data_format=None, keepdims=False):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return None

    def call(layer, inputs, *, keepdims):
        return jnp.mean(inputs, axis=(1, 2), keepdims=keepdims)

    def shape(x, *, keepdims):
        return pooled_shape(x.shape, keepdims)


@layer("tf.keras.layers.GlobalAvgPool3D", "tf.keras.layers.GlobalAveragePooling3D", attribute="pool", samples=[
    sample(x=f32(2, 5, 4, 6, 3)), sample(keepdims=True, x=f32(2, 5, 4, 6, 3)),
])  # fmt: skip
class GlobalAveragePooling3D:
    def make(data_format=None, keepdims=False):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return None

    def call(layer, inputs, *, keepdims):
        return jnp.mean(inputs, axis=(1, 2, 3), keepdims=keepdims)

    def shape(x, *, keepdims):
        return pooled_shape(x.shape, keepdims)


@layer("tf.keras.layers.GlobalMaxPool1D", "tf.keras.layers.GlobalMaxPooling1D", attribute="pool", samples=[
    sample(x=f32(2, 7, 3)), sample(keepdims=True, x=f32(2, 7, 3)),
])  # fmt: skip
class GlobalMaxPooling1D:
    def make(data_format=None, keepdims=False):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return None

    def call(layer, inputs, *, keepdims):
        return jnp.max(inputs, axis=1, keepdims=keepdims)

    def shape(x, *, keepdims):
        return pooled_shape(x.shape, keepdims)


@layer("tf.keras.layers.GlobalMaxPool2D", "tf.keras.layers.GlobalMaxPooling2D", attribute="pool", samples=[
    sample(x=f32(2, 6, 5, 3)), sample(keepdims=True, x=f32(2, 6, 5, 3)),
])  # fmt: skip
class GlobalMaxPooling2D:
    def make(data_format=None, keepdims=False):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return None

    def call(layer, inputs, *, keepdims):
        return jnp.max(inputs, axis=(1, 2), keepdims=keepdims)

    def shape(x, *, keepdims):
        return pooled_shape(x.shape, keepdims)


@layer("tf.keras.layers.GlobalMaxPool3D", "tf.keras.layers.GlobalMaxPooling3D", attribute="pool", samples=[
    sample(x=f32(2, 5, 4, 6, 3)), sample(keepdims=True, x=f32(2, 5, 4, 6, 3)),
])  # fmt: skip
class GlobalMaxPooling3D:
    def make(data_format=None, keepdims=False):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return None

    def call(layer, inputs, *, keepdims):
        return jnp.max(inputs, axis=(1, 2, 3), keepdims=keepdims)

    def shape(x, *, keepdims):
        return pooled_shape(x.shape, keepdims)
