"""MLP-Mixer: a layer over the tokens needs their number, which the image's size gives."""

from tensorflow.keras import Input, Model
from tensorflow.keras.layers import Add, Conv2D, Dense, GlobalAveragePooling1D, LayerNormalization, Permute, Reshape


def mlp_block(x, mlp_dim, name=""):
    y = Dense(mlp_dim, activation="gelu", name=name + "dense_0")(x)
    return Dense(x.shape[-1], name=name + "dense_1")(y)


def mixer_block(inputs, tokens_dim, channels_dim, name):
    x = LayerNormalization(name=name + "norm_0")(inputs)
    x = Permute((2, 1))(x)
    x = mlp_block(x, tokens_dim, name=name + "tokens_")
    x = Permute((2, 1))(x)
    residual = Add()([inputs, x])
    y = LayerNormalization(name=name + "norm_1")(residual)
    return Add()([mlp_block(y, channels_dim, name=name + "channels_"), residual])


def build_mixer(num_blocks=3, patch_size=8, hidden_dim=16, input_shape=(32, 32, 3), classes=10):
    inputs = Input(input_shape)
    x = Conv2D(hidden_dim, patch_size, strides=patch_size, name="stem")(inputs)
    height, width = x.shape[1], x.shape[2]
    x = Reshape((height * width, hidden_dim))(x)
    for i in range(num_blocks):
        x = mixer_block(x, 8, 4 * hidden_dim, name=f"block_{i}_")
    return Model(inputs, Dense(classes, name="head")(GlobalAveragePooling1D()(x)))
