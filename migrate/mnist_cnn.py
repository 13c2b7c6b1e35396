"""A small convolutional network for MNIST digits.

Usage:
    python mnist_cnn.py --epochs 5 --batch-size 128
"""
import argparse

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


class MnistCNN(keras.Model):
    """Two conv/pool blocks followed by a dense classifier.

    Args:
        num_classes: number of digits to tell apart.
        dropout: rate applied before the last layer.
    """

    def __init__(self, num_classes=10, dropout=0.5, **kwargs):
        super().__init__(**kwargs)
        self.conv1 = layers.Conv2D(32, 3, padding="same", activation="relu")
        self.conv2 = layers.Conv2D(64, (3, 3), activation="relu")
        self.pool = layers.MaxPooling2D(pool_size=2)  # has no weights, so it is shared
        self.flatten = layers.Flatten()
        self.fc1 = layers.Dense(128, activation="relu")
        self.dropout = layers.Dropout(dropout)
        self.fc2 = layers.Dense(num_classes, activation="softmax")

    def call(self, inputs, training=False):
        x = self.pool(self.conv1(inputs))  # 28x28 -> 14x14
        x = self.pool(self.conv2(x))  # 14x14 -> 6x6
        x = self.flatten(x)
        x = self.fc1(x)
        x = self.dropout(x, training=training)
        return self.fc2(x)


def preprocess(images, labels):
    """Scale the pixels to [0, 1] and add the channel axis."""
    images = images.astype("float32") / 255.0
    images = np.expand_dims(images, -1)
    return images, labels.astype("int32")


def load_data():
    (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    return preprocess(x_train, y_train), preprocess(x_test, y_test)


def train(x_train, y_train, epochs=5, batch_size=128, learning_rate=1e-3):
    """Fit a fresh model and return it together with its history."""
    model = MnistCNN(num_classes=10)
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(
        x_train,
        y_train,
        batch_size=batch_size,
        epochs=epochs,
        validation_split=0.1,
    )
    return model, history


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=42)
    args = parser.parse_args()

    tf.random.set_seed(args.seed)
    (x_train, y_train), (x_test, y_test) = load_data()
    print("train:", x_train.shape, "test:", x_test.shape)

    model, _ = train(x_train, y_train, args.epochs, args.batch_size, args.lr)

    test_loss, test_acc = model.evaluate(x_test, y_test, verbose=0)
    print(f"test loss {test_loss:.4f}, test accuracy {test_acc:.4f}")


if __name__ == "__main__":
    main()
