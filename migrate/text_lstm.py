"""Sentiment classifier: bidirectional LSTM and GRU over word embeddings."""
import numpy as np
import tensorflow as tf
from absl import app, flags, logging

tfk = tf.keras
tfkl = tf.keras.layers

FLAGS = flags.FLAGS
flags.DEFINE_string("data", None, "An .npz file with `tokens`, `lengths` and `labels`.")
flags.DEFINE_integer("vocab_size", 1000, "Tokens above this id become out-of-vocabulary.")
flags.DEFINE_integer("epochs", 3, "Number of epochs.")
flags.DEFINE_integer("batch_size", 64, "Batch size.")
flags.DEFINE_float("learning_rate", 1e-3, "Adam learning rate.")

MAX_LEN = 64
OOV_ID = 2


def pad_or_truncate(sequences, max_len=MAX_LEN):
    """Right-pads with 0, keeps the first `max_len` tokens."""
    out = np.zeros((len(sequences), max_len), dtype=np.int32)
    for row, sequence in enumerate(sequences):
        sequence = sequence[:max_len]
        out[row, : len(sequence)] = sequence
    return out


def build_text_model(vocab_size=1000, embed_dim=64, lstm_units=32, gru_units=32, num_classes=2, dropout=0.2):
    """Token ids -> class probabilities.

    The recurrent part is a bidirectional LSTM whose states are read by a GRU;
    average and max over time are then both given to the classifier.
    """
    tokens = tfk.Input(shape=(None,), dtype="int32", name="tokens")
    x = tfkl.Embedding(vocab_size, embed_dim, name="embedding")(tokens)
    x = tfkl.SpatialDropout1D(dropout)(x)

    x = tfkl.Bidirectional(tfkl.LSTM(lstm_units, return_sequences=True), name="bi_lstm")(x)
    x = tfkl.LayerNormalization()(x)
    states = tfkl.GRU(gru_units, return_sequences=True, name="gru")(x)

    # last state as well: it has seen the whole sequence
    pooled = tfkl.Concatenate()(
        [
            tfkl.GlobalAveragePooling1D()(states),
            tfkl.GlobalMaxPooling1D()(states),
            tfkl.Lambda(lambda s: s[:, -1, :])(states),
        ]
    )
    h = tfkl.Dense(64, activation="elu")(pooled)
    h = tfkl.Dropout(dropout)(h)
    probs = tfkl.Dense(num_classes, activation="softmax", name="probs")(h)
    return tfk.Model(tokens, probs, name="text_lstm")


def train(model, tokens, labels, epochs=3, batch_size=64, learning_rate=1e-3):
    # recurrent nets like their gradients clipped
    optimizer = tfk.optimizers.Adam(learning_rate, clipnorm=1.0)
    model.compile(
        optimizer=optimizer,
        loss=tfk.losses.SparseCategoricalCrossentropy(from_logits=False),
        metrics=[tfk.metrics.SparseCategoricalAccuracy(name="acc")],
    )
    history = model.fit(tokens, labels, epochs=epochs, batch_size=batch_size, verbose=1)
    return history.history


def predict_labels(model, tokens, batch_size=256):
    """Returns the most likely class of every row and how sure the model is."""
    labels, scores = [], []
    for start in range(0, len(tokens), batch_size):
        probs = model(tf.constant(tokens[start : start + batch_size]), training=False)
        labels.append(tf.argmax(probs, axis=-1).numpy())
        scores.append(tf.reduce_max(probs, axis=-1).numpy())
    return np.concatenate(labels), np.concatenate(scores)


def main(argv):
    del argv  # unused
    data = np.load(FLAGS.data)
    sequences = np.split(data["tokens"], np.cumsum(data["lengths"])[:-1])
    tokens = pad_or_truncate(sequences)
    tokens = np.where(tokens < FLAGS.vocab_size, tokens, OOV_ID)
    labels = data["labels"].astype(np.int32)

    split = int(0.9 * len(tokens))
    model = build_text_model(vocab_size=FLAGS.vocab_size)
    history = train(model, tokens[:split], labels[:split], FLAGS.epochs, FLAGS.batch_size, FLAGS.learning_rate)
    logging.info("final training loss %.4f", history["loss"][-1])

    predicted, scores = predict_labels(model, tokens[split:])
    logging.info("held-out accuracy %.4f", np.mean(predicted == labels[split:]))
    logging.info("mean confidence %.4f", scores.mean())


if __name__ == "__main__":
    flags.mark_flag_as_required("data")
    app.run(main)
