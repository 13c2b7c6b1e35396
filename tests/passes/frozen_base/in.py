"""A frozen base whose normalization runs on its statistics; then all of it is trained."""
from tensorflow import keras
from tensorflow.keras import layers


def make_base():
    inputs = keras.Input((4,))
    x = layers.Dense(5, activation="relu")(inputs)
    return keras.Model(inputs, layers.BatchNormalization()(x))


def make_model(num_classes=3):
    base = make_base()
    base.trainable = False
    inputs = keras.Input((4,))
    x = base(inputs)
    return keras.Model(inputs, layers.Dense(num_classes)(x))


def train(model, x, y):
    model.compile(keras.optimizers.SGD(0.1), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
