"""Sentiment classifier: bidirectional LSTM and GRU over word embeddings."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
from absl import app, flags, logging
from flax import nnx
from tqdm import tqdm

# Keras defaults that differ from Flax's.
Embed = functools.partial(nnx.Embed, embedding_init=functools.partial(jax.random.uniform, minval=-0.05, maxval=0.05))
LayerNorm = functools.partial(nnx.LayerNorm, epsilon=0.001, use_fast_variance=False)
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())
OptimizedLSTMCell = functools.partial(nnx.OptimizedLSTMCell, kernel_init=nnx.initializers.glorot_uniform())


class GRUCell(nnx.GRUCell):
    """A GRU cell with a bias of its own on the recurrent side, as in cuDNN."""

    def __init__(self, in_features, hidden_features, *, bias_init=nnx.initializers.zeros_init(), rngs: nnx.Rngs, **kwargs):
        super().__init__(in_features, hidden_features, bias_init=bias_init, rngs=rngs, **kwargs)
        kernel = self.dense_h.kernel
        self.dense_h = nnx.Linear(hidden_features, 3 * hidden_features, bias_init=bias_init, rngs=rngs)
        self.dense_h.kernel = kernel


def forget_bias(key, shape, dtype=jnp.float32):
    """Zeros, and ones for the forget gate; the gates are input, forget, cell, output."""
    return jnp.zeros(shape, dtype).at[shape[0] // 4 : shape[0] // 2].set(1)


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


class TextModel(nnx.Module):
    """Token ids -> class probabilities.

    The recurrent part is a bidirectional LSTM whose states are read by a GRU;
    average and max over time are then both given to the classifier.
    """

    def __init__(
        self, vocab_size=1000, embed_dim=64, lstm_units=32, gru_units=32, num_classes=2, dropout=0.2, *, rngs: nnx.Rngs
    ):
        self.embedding = Embed(vocab_size, embed_dim, rngs=rngs)
        self.spatial_dropout = nnx.Dropout(dropout, broadcast_dims=(1,), rngs=rngs)
        self.bi_lstm = nnx.Bidirectional(
            nnx.RNN(OptimizedLSTMCell(embed_dim, lstm_units, bias_init=forget_bias, rngs=rngs)),
            nnx.RNN(OptimizedLSTMCell(embed_dim, lstm_units, bias_init=forget_bias, rngs=rngs)),
        )
        self.norm = LayerNorm(2 * lstm_units, rngs=rngs)
        self.gru = nnx.RNN(GRUCell(2 * lstm_units, gru_units, kernel_init=nnx.initializers.glorot_uniform(), rngs=rngs))
        self.dense = Linear(3 * gru_units, 64, rngs=rngs)
        self.dropout_layer = nnx.Dropout(dropout, rngs=rngs)
        self.probs = Linear(64, num_classes, rngs=rngs)

    def __call__(self, tokens, *, training=False):
        x = self.embedding(tokens)
        x = self.spatial_dropout(x, deterministic=not training)

        x = self.bi_lstm(x)
        x = self.norm(x)
        states = self.gru(x)

        # last state as well: it has seen the whole sequence
        pooled = jnp.concatenate([jnp.mean(states, axis=1), jnp.max(states, axis=1), states[:, -1, :]], axis=-1)
        h = nnx.elu(self.dense(pooled))
        h = self.dropout_layer(h, deterministic=not training)
        return nnx.softmax(self.probs(h))


def compute_loss(predictions, y):
    return optax.softmax_cross_entropy_with_integer_labels(jnp.log(jnp.clip(predictions, 1e-7, 0.9999999)), y).mean()


@nnx.jit
def train_step(model, optimizer, metrics, x, y):
    y = y.reshape(-1).astype(int)

    def loss_fn(model):
        predictions = model(x, training=True)
        return compute_loss(predictions, y), predictions

    (loss, predictions), grads = nnx.value_and_grad(loss_fn, has_aux=True)(model)
    optimizer.update(model, grads)
    metrics.update(loss=jnp.full(len(y), loss), logits=predictions, labels=y)


def train(model, tokens, labels, epochs=3, batch_size=64, learning_rate=1e-3, *, seed=0):
    # recurrent nets like their gradients clipped
    optimizer = nnx.Optimizer(
        model,
        optax.chain(
            optax.stateless_with_tree_map(lambda g, _: g * (1.0 / jnp.maximum(jnp.linalg.norm(g), 1.0))),
            optax.adam(learning_rate, eps=1e-7),
        ),
        wrt=nnx.Param,
    )
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), acc=nnx.metrics.Accuracy())
    history = {}
    order = np.random.default_rng(seed)
    for epoch in range(epochs):
        metrics.reset()
        shuffled = order.permutation(len(tokens))
        for start in tqdm(range(0, len(tokens), batch_size), desc=f"epoch {epoch + 1}/{epochs}"):
            batch = shuffled[start : start + batch_size]
            train_step(model, optimizer, metrics, tokens[batch], labels[batch])
        results = {name: float(value) for name, value in metrics.compute().items()}
        print(results)
        for name, value in results.items():
            history.setdefault(name, []).append(value)
    return history


def predict_labels(model, tokens, batch_size=256):
    """Returns the most likely class of every row and how sure the model is."""
    labels, scores = [], []
    for start in range(0, len(tokens), batch_size):
        probs = model(jnp.array(tokens[start : start + batch_size]))
        labels.append(np.asarray(jnp.argmax(probs, axis=-1)))
        scores.append(np.asarray(jnp.max(probs, axis=-1)))
    return np.concatenate(labels), np.concatenate(scores)


def main(argv, *, seed=0):
    del argv  # unused
    data = np.load(FLAGS.data)
    sequences = np.split(data["tokens"], np.cumsum(data["lengths"])[:-1])
    tokens = pad_or_truncate(sequences)
    tokens = np.where(tokens < FLAGS.vocab_size, tokens, OOV_ID)
    labels = data["labels"].astype(np.int32)

    split = int(0.9 * len(tokens))
    model = TextModel(vocab_size=FLAGS.vocab_size, rngs=nnx.Rngs(seed))
    history = train(model, tokens[:split], labels[:split], FLAGS.epochs, FLAGS.batch_size, FLAGS.learning_rate)
    logging.info("final training loss %.4f", history["loss"][-1])

    predicted, scores = predict_labels(model, tokens[split:])
    logging.info("held-out accuracy %.4f", np.mean(predicted == labels[split:]))
    logging.info("mean confidence %.4f", scores.mean())


if __name__ == "__main__":
    flags.mark_flag_as_required("data")
    app.run(main)
