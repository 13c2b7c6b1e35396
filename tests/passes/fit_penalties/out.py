"""Penalties on weights, losses that a layer adds, and a regularizer of the user's own."""

import functools

import jax
import jax.numpy as jnp
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


def added_losses(model):
    """The sum of what layers have added to the loss in the last call of the model."""
    terms = jax.tree.leaves(nnx.state(model, nnx.Intermediate))
    return sum(jnp.sum(term) for term in terms)


def l2_penalty(strength):
    """An L2 penalty on a weight."""
    return lambda weight: strength * jnp.sum(jnp.square(weight))


def penalties(model):
    """The sum of the penalties that weights carry in their metadata."""
    weights = jax.tree.leaves(nnx.state(model, nnx.Param), is_leaf=lambda x: isinstance(x, nnx.Variable))
    return sum(weight.penalty(weight[...]) for weight in weights if weight.get_metadata("penalty", None))


class Orthogonal:
    def __init__(self, strength=0.01):
        self.strength = strength

    def __call__(self, x):
        gram = jnp.matmul(jnp.matrix_transpose(x), x)
        return self.strength * jnp.sum(jnp.square(gram - jnp.eye(gram.shape[0])))


class Sparse(nnx.Module):
    """Adds a loss where the activity is high."""

    def __init__(self, rate=0.1):
        self.rate = rate
        self.added_loss = nnx.Intermediate(jnp.zeros(()))

    def __call__(self, inputs):
        self.added_loss[...] = self.rate * jnp.mean(jnp.square(inputs))
        return inputs


class Net(nnx.Module):
    def __init__(self, in_features, units=3, *, rngs: nnx.Rngs):
        self.hidden = Linear(in_features, units, kernel_metadata={"penalty": l2_penalty(0.1)}, rngs=rngs)
        self.sparse = Sparse()
        self.out = Linear(
            units,
            2,
            bias_init=nnx.initializers.ones_init(),
            kernel_metadata={"penalty": Orthogonal(0.02)},
            bias_metadata={"penalty": lambda weight: 0.01 * jnp.sum(jnp.abs(weight))},
            rngs=rngs,
        )

    def __call__(self, x):
        return self.out(self.sparse(nnx.tanh(self.hidden(x))))


def build_net(*, seed=0):
    model = Net(4, rngs=nnx.Rngs(seed))
    model(jnp.zeros((1, 4)))
    return model


def loss_fn(y_true, y_pred):
    return optax.squared_error(y_pred, y_true.reshape(y_pred.shape)).mean()


def train_by_hand(model, optimizer, x, y):
    def loss_fn_(model):
        loss = loss_fn(y, model(x))
        # losses that were added during the forward pass
        loss += penalties(model) + added_losses(model)
        return loss

    loss, gradients = nnx.value_and_grad(loss_fn_)(model)
    optimizer.update(model, gradients)
    return loss


def compute_loss(predictions, y):
    return optax.squared_error(predictions, y.reshape(predictions.shape)).mean()


@nnx.jit
def train_step(model, optimizer, metrics, x, y):
    def loss_fn(model):
        predictions = model(x)
        return compute_loss(predictions, y) + penalties(model) + added_losses(model)

    loss, grads = nnx.value_and_grad(loss_fn)(model)
    optimizer.update(model, grads)
    metrics.update(loss=jnp.full(len(y), loss))


@nnx.jit
def eval_step(model, metrics, x, y):
    predictions = model(x)
    loss = compute_loss(predictions, y) + penalties(model) + added_losses(model)
    metrics.update(loss=jnp.full(len(y), loss))


def evaluate(model, x, y, batch_size=32):
    """Loss and metrics over a data set."""
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"))
    for start in range(0, len(y), batch_size):
        eval_step(model, metrics, x[start : start + batch_size], y[start : start + batch_size])
    return {name: float(value) for name, value in metrics.compute().items()}


def train(model, x, y):
    optimizer = nnx.Optimizer(model, optax.sgd(0.05), wrt=nnx.Param)
    losses = [float(train_by_hand(model, optimizer, x, y)) for _ in range(2)]
    model_optimizer = nnx.Optimizer(model, optax.sgd(0.1), wrt=nnx.Param)
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"))
    history = {}
    for epoch in range(2):
        metrics.reset()
        for start in range(0, len(x), 8):
            train_step(model, model_optimizer, metrics, x[start : start + 8], y[start : start + 8])
        results = {name: float(value) for name, value in metrics.compute().items()}
        validation = evaluate(model, x, y, 8)
        results |= {f"val_{name}": value for name, value in validation.items()}
        for name, value in results.items():
            history.setdefault(name, []).append(value)
    return losses, history
