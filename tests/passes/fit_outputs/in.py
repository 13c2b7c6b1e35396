import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


def build_net(units=8):
    inputs = keras.Input((4,), name="features")
    x = layers.Dense(units, activation="relu")(inputs)
    kind = layers.Dense(3, name="kind")(x)
    value = layers.Dense(2, name="value")(x)
    return keras.Model(inputs, {"kind": kind, "value": value})


def train(model, x, targets, labels, x_val, targets_val, labels_val):
    model.compile(
        optimizer=keras.optimizers.SGD(0.05),
        loss={"value": "mse", "kind": keras.losses.SparseCategoricalCrossentropy(from_logits=True)},
        loss_weights={"value": 0.5, "kind": 2.0},
        metrics={"value": ["mae", keras.metrics.RootMeanSquaredError()], "kind": "accuracy"},
    )
    history = model.fit(
        x,
        {"value": targets, "kind": labels},
        batch_size=8,
        shuffle=False,
        verbose=0,
        validation_data=(x_val, {"value": targets_val, "kind": labels_val}),
    )
    return history.history
