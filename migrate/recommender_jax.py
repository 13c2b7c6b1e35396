"""Click prediction with embeddings, a cross network and a deep tower.

Roughly "Deep & Cross Network V2" (Wang et al., 2021) next to a matrix
factorization score of user and item and a linear ("wide") part.
"""

import argparse
import functools

import jax
import jax.numpy as jnp
import jax.scipy as jsp
import numpy as np
import optax
from flax import nnx
from tqdm import tqdm

# Keras defaults that differ from Flax's.
BatchNorm = functools.partial(nnx.BatchNorm, epsilon=0.001, use_fast_variance=False)
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class AUC(nnx.Metric):
    """Area under the ROC curve by trapezoids between evenly spaced thresholds."""

    def __init__(self, num_thresholds=200):
        inner = jnp.arange(1, num_thresholds - 1) / (num_thresholds - 1)
        self.thresholds = nnx.data(jnp.array([-1e-7, *inner, 1 + 1e-7]))
        self.counts = nnx.metrics.MetricState(jnp.zeros((2, num_thresholds)))

    def reset(self):
        self.counts[...] = jnp.zeros_like(self.counts)

    def update(self, *, labels, predictions, **_):
        classes = jnp.stack([labels.ravel() == 0, labels.ravel() != 0]).astype(jnp.float32)
        self.counts[...] += classes @ (predictions.ravel()[:, None] > self.thresholds)

    def compute(self):
        false_positives, true_positives = self.counts / jnp.maximum(self.counts[:, :1], 1e-7)
        return -jnp.trapezoid(true_positives, false_positives)


CATEGORICAL = ("user_id", "item_id", "genre")
NUMERIC = ("age", "price", "recency")


class CrossLayer(nnx.Module):
    """x0 * (W x + b) + x, the explicit feature cross of DCN-V2."""

    def __init__(self, in_features, use_bias=True, *, rngs: nnx.Rngs):
        self.use_bias = use_bias
        dim = in_features
        self.w = nnx.Param(nnx.initializers.truncated_normal(0.05)(rngs.params(), (dim, dim)))
        if self.use_bias:
            self.b = nnx.Param(jnp.zeros((dim,)))

    def __call__(self, inputs):
        x0, x = inputs
        projected = jnp.matmul(x, self.w[...])
        if self.use_bias:
            projected = projected + self.b
        return x0 * projected + x


class Embed(nnx.Module):
    """Looks up one id per example: (batch, 1) -> (batch, dim)."""

    def __init__(self, vocab_size, dim, *, rngs: nnx.Rngs):
        self.embedding = nnx.Embed(
            vocab_size, dim, embedding_init=functools.partial(jax.random.uniform, minval=-0.05, maxval=0.05), rngs=rngs
        )

    def __call__(self, inputs):
        x = self.embedding(inputs)
        return x.reshape(x.shape[0], -1)


class Recommender(nnx.Module):
    """Builds the model; it takes a dict of (batch, 1) features."""

    def __init__(
        self, num_users, num_items, num_genres, embed_dim=16, num_cross=2, deep_units=(64, 32), dropout=0.1, *, rngs: nnx.Rngs
    ):
        self.user = Embed(num_users, embed_dim, rngs=rngs)
        self.item = Embed(num_items, embed_dim, rngs=rngs)
        self.genre = Embed(num_genres, embed_dim // 2, rngs=rngs)
        self.numeric_norm = BatchNorm(3, rngs=rngs)
        self.cross_layers = nnx.List([CrossLayer(embed_dim // 2 + 2 * embed_dim + 3, rngs=rngs) for _ in range(num_cross)])
        in_features = embed_dim // 2 + 2 * embed_dim + 3
        self.deep_dense_layers = nnx.List()
        self.deep_dropouts = nnx.List()
        for units in deep_units:
            self.deep_dense_layers.append(Linear(in_features, units, rngs=rngs))
            self.deep_dropouts.append(nnx.Dropout(dropout, rngs=rngs))
            in_features = units
        self.user_bias = Embed(num_users, 1, rngs=rngs)
        self.item_bias = Embed(num_items, 1, rngs=rngs)
        self.wide = Linear(3, 1, use_bias=False, rngs=rngs)
        self.top = Linear(embed_dim // 2 + in_features + 2 * embed_dim + 3, 1, rngs=rngs)

    def __call__(self, inputs, *, training=False):
        user = self.user(inputs["user_id"])
        item = self.item(inputs["item_id"])
        genre = self.genre(inputs["genre"])
        numeric = jnp.concatenate([inputs[name] for name in NUMERIC], axis=-1)
        numeric = self.numeric_norm(numeric, use_running_average=not training)

        x0 = jnp.concatenate([user, item, genre, numeric], axis=-1)

        # cross network
        cross = x0
        for cross_layer in self.cross_layers:
            cross = cross_layer([x0, cross])

        # deep tower
        deep = x0
        for deep_dense, deep_dropout in zip(self.deep_dense_layers, self.deep_dropouts):
            deep = nnx.relu(deep_dense(deep))
            deep = deep_dropout(deep, deterministic=not training)

        # matrix factorization, with one bias per user and item
        score = jnp.sum(user * item, axis=1, keepdims=True)
        user_bias = self.user_bias(inputs["user_id"])
        item_bias = self.item_bias(inputs["item_id"])

        wide = self.wide(numeric)
        top = self.top(jnp.concatenate([cross, deep], axis=-1))
        logit = sum([top, wide, score, user_bias, item_bias])
        return nnx.sigmoid(logit)


def make_features(table):
    """Splits a structured array into the dict the model wants."""
    features = {name: table[name].reshape(-1, 1).astype("int32") for name in CATEGORICAL}
    for name in NUMERIC:
        column = table[name].astype("float32")
        features[name] = np.log1p(np.maximum(column, 0.0)).reshape(-1, 1)
    return features


def compute_loss(predictions, y):
    return optax.sigmoid_binary_cross_entropy(jsp.special.logit(jnp.clip(predictions, 1e-7, 0.9999999)), y).mean()


@nnx.jit
def train_step(model, optimizer, metrics, x, y):
    y = y.reshape(-1, 1)

    def loss_fn(model):
        predictions = model(x, training=True)
        return compute_loss(predictions, y), predictions

    (loss, predictions), grads = nnx.value_and_grad(loss_fn, has_aux=True)(model)
    optimizer.update(model, grads)
    metrics.update(loss=jnp.full(len(y), loss), accuracy=(predictions > 0.5) == y, labels=y, predictions=predictions)


def make_metrics():
    return nnx.MultiMetric(loss=nnx.metrics.Average("loss"), accuracy=nnx.metrics.Average("accuracy"), auc=AUC(200))


@nnx.jit
def eval_step(model, metrics, x, y):
    y = y.reshape(-1, 1)
    predictions = model(x)
    loss = compute_loss(predictions, y)
    metrics.update(loss=jnp.full(len(y), loss), accuracy=(predictions > 0.5) == y, labels=y, predictions=predictions)


def evaluate(model, x, y, batch_size=32):
    """Loss and metrics over a data set."""
    metrics = make_metrics()
    for start in range(0, len(y), batch_size):
        eval_step(model, metrics, jax.tree.map(lambda a: a[start : start + batch_size], x), y[start : start + batch_size])
    return {name: float(value) for name, value in metrics.compute().items()}


def train(model, features, clicks, epochs=5, batch_size=256, *, seed=0):
    optimizer = nnx.Optimizer(model, optax.adagrad(0.05), wrt=nnx.Param)
    split = int(len(clicks) * (1 - 0.1))  # the rest is for validation
    metrics = make_metrics()
    history = {}
    order = np.random.default_rng(seed)
    for epoch in range(epochs):
        metrics.reset()
        shuffled = order.permutation(split)
        for start in tqdm(range(0, split, batch_size), desc=f"epoch {epoch + 1}/{epochs}"):
            batch = shuffled[start : start + batch_size]
            train_step(model, optimizer, metrics, jax.tree.map(lambda a: a[batch], features), clicks[batch])
        results = {name: float(value) for name, value in metrics.compute().items()}
        validation = evaluate(model, jax.tree.map(lambda a: a[split:], features), clicks[split:], batch_size)
        results |= {f"val_{name}": value for name, value in validation.items()}
        print(results)
        for name, value in results.items():
            history.setdefault(name, []).append(value)
    return history


@nnx.jit
def predict_step(model, x):
    return model(x)


def predict(model, x, batch_size=32):
    outputs = [
        predict_step(model, jax.tree.map(lambda a: a[start : start + batch_size], x))
        for start in range(0, len(jax.tree.leaves(x)[0]), batch_size)
    ]
    return np.concatenate(outputs)


def recommend(model, user_features, item_features, k=10):
    """Ranks all items for one user, best first."""
    n = len(item_features["item_id"])
    features = dict(item_features)
    for name, value in user_features.items():
        features[name] = np.repeat(value.reshape(1, 1), n, axis=0)
    scores = predict(model, features, 1024)[:, 0]
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
    recommender = Recommender(*sizes, embed_dim=opts.embed_dim, rngs=nnx.Rngs(0))
    print(f"{sum(p.size for p in jax.tree.leaves(nnx.state(recommender, nnx.Param))):,} parameters")
    train(recommender, make_features(table), table["click"].astype("float32"), epochs=opts.epochs)
