# Multi-layer perceptron for tabular classification.
#
# Expects a CSV file without header whose last column is the class id:
#   python mlp.py data/covertype.csv --hidden 128 64 --epochs 30
import argparse

import numpy as np
from tensorflow.keras.callbacks import EarlyStopping
from tensorflow.keras.layers import Activation, BatchNormalization, Dense, Dropout
from tensorflow.keras.models import Sequential


def build_mlp(input_dim, num_classes, hidden=(128, 64), dropout_rate=0.3):
    """Builds Dense -> BatchNorm -> ReLU -> Dropout, once per hidden layer."""
    model = Sequential(name="mlp")
    model.add(Dense(hidden[0], input_shape=(input_dim,), kernel_initializer="he_uniform"))
    model.add(BatchNormalization())
    model.add(Activation("relu"))
    model.add(Dropout(dropout_rate))

    for units in hidden[1:]:
        model.add(Dense(units, kernel_initializer="he_uniform"))
        model.add(BatchNormalization())
        model.add(Activation("relu"))
        model.add(Dropout(dropout_rate))

    # a narrow bottleneck works better than going straight to the classes
    model.add(Dense(32, activation="tanh"))
    model.add(Dense(num_classes, activation="softmax"))
    return model


def one_hot(labels, num_classes):
    return np.eye(num_classes, dtype="float32")[labels]


def standardize(train, *others):
    """Zero mean and unit variance, with the statistics of the training set."""
    mean = train.mean(axis=0)
    std = train.std(axis=0) + 1e-7
    return [(x - mean) / std for x in (train,) + others]


def load_csv(path, test_fraction=0.2, seed=0):
    table = np.loadtxt(path, delimiter=",", dtype="float32")
    np.random.RandomState(seed).shuffle(table)
    features, labels = table[:, :-1], table[:, -1].astype("int64")
    n_test = int(len(table) * test_fraction)
    x_train, x_test = standardize(features[n_test:], features[:n_test])
    return x_train, labels[n_test:], x_test, labels[:n_test]


def train(model, x_train, y_train, x_val, y_val, epochs=50, batch_size=32):
    model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
    early_stopping = EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)
    return model.fit(
        x_train,
        y_train,
        validation_data=(x_val, y_val),
        epochs=epochs,
        batch_size=batch_size,
        shuffle=True,
        callbacks=[early_stopping],
        verbose=2,
    )


def evaluate(model, x_test, y_test):
    """Prints the test score and returns the accuracy per class."""
    score = model.evaluate(x_test, y_test, batch_size=256, verbose=0)
    print("Test loss:", score[0])
    print("Test accuracy:", score[1])

    predicted = np.argmax(model.predict(x_test, batch_size=256), axis=1)
    expected = np.argmax(y_test, axis=1)
    per_class = {}
    for label in np.unique(expected):
        mask = expected == label
        per_class[int(label)] = float(np.mean(predicted[mask] == label))
    return per_class


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("csv")
    parser.add_argument("--hidden", type=int, nargs="+", default=[128, 64])
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--epochs", type=int, default=50)
    args = parser.parse_args()

    x_train, y_train, x_test, y_test = load_csv(args.csv)
    num_classes = int(max(y_train.max(), y_test.max())) + 1
    y_train, y_test = one_hot(y_train, num_classes), one_hot(y_test, num_classes)

    # hold out a tenth of the training set for early stopping
    n_val = len(x_train) // 10
    model = build_mlp(x_train.shape[1], num_classes, args.hidden, args.dropout)
    history = train(model, x_train[n_val:], y_train[n_val:], x_train[:n_val], y_train[:n_val], args.epochs)
    print("best val loss: %.4f" % min(history.history["val_loss"]))
    for label, accuracy in evaluate(model, x_test, y_test).items():
        print("class %d: %.3f" % (label, accuracy))
