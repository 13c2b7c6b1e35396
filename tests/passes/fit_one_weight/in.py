"""The weight of the only loss, and a layer that is frozen when it is made."""
from tensorflow import keras
from tensorflow.keras import layers


def build_net():
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(2)(layers.Dense(5, activation="tanh", trainable=False)(inputs)))


def train(model, x, y):
    model.compile(keras.optimizers.SGD(0.1), loss="mse", loss_weights=[0.25], metrics=["mae"])
    return model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
