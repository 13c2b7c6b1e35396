"""Callbacks that set the learning rate, stop, and keep a record."""
from tensorflow import keras
from tensorflow.keras.callbacks import Callback, EarlyStopping, LearningRateScheduler, ReduceLROnPlateau


class Record(Callback):
    """Keeps the best loss."""

    def __init__(self, patience=1):
        super().__init__()
        self.patience = patience
        self.losses = []

    def on_train_begin(self, logs=None):
        self.best = None

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(logs.get("loss"))
        if self.best is None or logs["loss"] < self.best:
            self.best = logs["loss"]
        elif epoch > self.patience:
            self.model.stop_training = True


def build_net():
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.layers.Dense(2)(inputs))


def schedule(epoch, rate):
    if epoch < 2:
        return rate
    return rate * 0.5


def train(model, x, y, x_val, y_val):
    model.compile(optimizer=keras.optimizers.SGD(0.3, momentum=0.5, nesterov=True), loss="mse")
    record = Record(patience=2)
    callbacks = [LearningRateScheduler(schedule), record]
    first = model.fit(x, y, batch_size=8, epochs=4, shuffle=False, callbacks=callbacks, verbose=0)
    plateau = ReduceLROnPlateau(monitor="val_loss", factor=0.2, patience=1, min_delta=0.05, min_lr=1e-3)
    stopping = EarlyStopping(monitor="val_loss", patience=6, min_delta=0.05)
    model.compile(optimizer=keras.optimizers.SGD(0.3), loss="mse")
    second = model.fit(
        x, y, batch_size=8, epochs=9, shuffle=False, validation_data=(x_val, y_val), callbacks=[stopping, plateau], verbose=0
    )
    return first.history, second.history, record.losses
