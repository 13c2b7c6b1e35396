import tensorflow as tf


def build_model():
    inputs = tf.keras.Input(shape=(4,))
    h = tf.keras.layers.Dense(6, activation="tanh")(inputs)
    return tf.keras.Model(inputs, tf.keras.layers.Dense(1, activation="sigmoid")(h))


def train(model, x, y, epochs=2):
    optimizer = tf.keras.optimizers.SGD(0.1, momentum=0.9, clipnorm=0.5)  # clipped, weight by weight
    model.compile(
        optimizer,
        tf.keras.losses.BinaryCrossentropy(label_smoothing=0.1),
        metrics=[tf.keras.metrics.BinaryAccuracy(threshold=0.4), tf.keras.metrics.AUC(num_thresholds=50)],
    )
    return model.fit(x, y, 8, epochs, shuffle=False, validation_split=0.25, verbose=2).history
