"""Click prediction with embeddings, a cross network and a deep tower.

Roughly "Deep & Cross Network V2" (Wang et al., 2021) next to a matrix
factorization score of user and item and a linear ("wide") part.
"""
import argparse

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

CATEGORICAL = ("user_id", "item_id", "genre")
NUMERIC = ("age", "price", "recency")


class CrossLayer(layers.Layer):
    """x0 * (W x + b) + x, the explicit feature cross of DCN-V2."""

    def __init__(self, use_bias=True, **kwargs):
        super(CrossLayer, self).__init__(**kwargs)
        self.use_bias = use_bias

    def build(self, input_shape):
        dim = input_shape[0][-1]
        self.w = self.add_weight(
            name="w",
            shape=(dim, dim),
            initializer=keras.initializers.TruncatedNormal(stddev=0.05),
            trainable=True,
        )
        if self.use_bias:
            self.b = self.add_weight(name="b", shape=(dim,), initializer="zeros", trainable=True)

    def call(self, inputs):
        x0, x = inputs
        projected = tf.matmul(x, self.w)
        if self.use_bias:
            projected = projected + self.b
        return x0 * projected + x


def embed(inputs, vocab_size, dim, name):
    """Looks up one id per example: (batch, 1) -> (batch, dim)."""
    x = layers.Embedding(vocab_size, dim, embeddings_initializer="uniform", name=name)(inputs)
    return layers.Flatten()(x)


def build_recommender(num_users, num_items, num_genres, embed_dim=16, num_cross=2, deep_units=(64, 32), dropout=0.1):
    """Builds the model; it takes a dict of (batch, 1) features."""
    inputs = {name: keras.Input(shape=(1,), name=name, dtype="int32") for name in CATEGORICAL}
    inputs.update({name: keras.Input(shape=(1,), name=name, dtype="float32") for name in NUMERIC})

    user = embed(inputs["user_id"], num_users, embed_dim, "user_embedding")
    item = embed(inputs["item_id"], num_items, embed_dim, "item_embedding")
    genre = embed(inputs["genre"], num_genres, embed_dim // 2, "genre_embedding")
    numeric = layers.Concatenate(name="numeric")([inputs[name] for name in NUMERIC])
    numeric = layers.BatchNormalization()(numeric)

    x0 = layers.Concatenate(axis=-1)([user, item, genre, numeric])

    # cross network
    cross = x0
    for i in range(num_cross):
        cross = CrossLayer(name=f"cross_{i}")([x0, cross])

    # deep tower
    deep = x0
    for units in deep_units:
        deep = layers.Dense(units, activation="relu")(deep)
        deep = layers.Dropout(dropout)(deep)

    # matrix factorization, with one bias per user and item
    score = layers.Dot(axes=1)([user, item])
    user_bias = embed(inputs["user_id"], num_users, 1, "user_bias")
    item_bias = embed(inputs["item_id"], num_items, 1, "item_bias")

    wide = layers.Dense(1, use_bias=False, name="wide")(numeric)
    top = layers.Dense(1, name="top")(layers.concatenate([cross, deep]))
    logit = layers.Add()([top, wide, score, user_bias, item_bias])
    outputs = layers.Activation("sigmoid", name="click")(logit)
    return keras.Model(inputs=inputs, outputs=outputs, name="recommender")


def make_features(table):
    """Splits a structured array into the dict the model wants."""
    features = {name: table[name].reshape(-1, 1).astype("int32") for name in CATEGORICAL}
    for name in NUMERIC:
        column = table[name].astype("float32")
        features[name] = np.log1p(np.maximum(column, 0.0)).reshape(-1, 1)
    return features


def train(model, features, clicks, epochs=5, batch_size=256):
    model.compile(
        optimizer=tf.keras.optimizers.Adagrad(learning_rate=0.05),
        loss="binary_crossentropy",
        metrics=["accuracy", keras.metrics.AUC(name="auc")],
    )
    return model.fit(features, clicks, epochs=epochs, batch_size=batch_size, validation_split=0.1)


def recommend(model, user_features, item_features, k=10):
    """Ranks all items for one user, best first."""
    n = len(item_features["item_id"])
    features = dict(item_features)
    for name, value in user_features.items():
        features[name] = np.repeat(value.reshape(1, 1), n, axis=0)
    scores = model.predict(features, batch_size=1024, verbose=0)[:, 0]
    top = np.argsort(-scores)[:k]
    return item_features["item_id"][top, 0], scores[top]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("table", help="structured .npy array with one row per impression")
    parser.add_argument("--embed_dim", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=5)
    opts = parser.parse_args()

    table = np.load(opts.table)
    sizes = [int(table[name].max()) + 1 for name in CATEGORICAL]
    recommender = build_recommender(*sizes, embed_dim=opts.embed_dim)
    recommender.summary()
    train(recommender, make_features(table), table["click"].astype("float32"), epochs=opts.epochs)
