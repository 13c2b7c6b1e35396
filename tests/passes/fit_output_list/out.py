import functools

import jax
import jax.numpy as jnp
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


def l2_penalty(strength):
    """An L2 penalty on a weight."""
    return lambda weight: strength * jnp.sum(jnp.square(weight))


def penalties(model):
    """The sum of the penalties that weights carry in their metadata."""
    weights = jax.tree.leaves(nnx.state(model, nnx.Param), is_leaf=lambda x: isinstance(x, nnx.Variable))
    return sum(weight.penalty(weight[...]) for weight in weights if weight.get_metadata("penalty", None))


class Net(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense = Linear(4, 8, rngs=rngs)
        self.main = Linear(8, 2, rngs=rngs)
        self.aux = Linear(4, 2, kernel_metadata={"penalty": l2_penalty(0.01)}, rngs=rngs)

    def __call__(self, inputs):
        x = nnx.tanh(self.dense(inputs))
        main = self.main(x)
        aux = self.aux(inputs)
        return [main, aux]


def compute_losses(predictions, y):
    main_pred, aux_pred = predictions[0], predictions[1]
    losses = {
        "main": optax.squared_error(main_pred, y[0].reshape(main_pred.shape)).mean(),
        "aux": jnp.abs(aux_pred - y[1].reshape(aux_pred.shape)).mean(),
    }
    return 1.0 * losses["main"] + 0.3 * losses["aux"], losses


def update_metrics(metrics, loss, losses, predictions, y):
    rows = len(y[0])
    metrics.loss.update(loss=jnp.full(rows, loss))
    metrics.main_loss.update(values=losses["main"])
    metrics.aux_loss.update(values=losses["aux"])
    main_pred, aux_pred = predictions[0], predictions[1]
    metrics.main_mae.update(mae=jnp.abs(main_pred - y[0].reshape(main_pred.shape)))
    metrics.aux_mse.update(mse=optax.squared_error(aux_pred, y[1].reshape(aux_pred.shape)))
    metrics.aux_mae.update(mae=jnp.abs(aux_pred - y[1].reshape(aux_pred.shape)))


@nnx.jit
def train_step(model, optimizer, metrics, x, y):
    def loss_fn(model):
        predictions = model(x)
        loss, losses = compute_losses(predictions, y)
        return loss + penalties(model), (losses, predictions)

    (loss, (losses, predictions)), grads = nnx.value_and_grad(loss_fn, has_aux=True)(model)
    optimizer.update(model, grads)
    update_metrics(metrics, loss, losses, predictions, y)


def make_metrics():
    return nnx.MultiMetric(
        loss=nnx.metrics.Average("loss"),
        main_mae=nnx.metrics.Average("mae"),
        aux_mse=nnx.metrics.Average("mse"),
        aux_mae=nnx.metrics.Average("mae"),
        main_loss=nnx.metrics.Average(),
        aux_loss=nnx.metrics.Average(),
    )


@nnx.jit
def eval_step(model, metrics, x, y):
    predictions = model(x)
    loss, losses = compute_losses(predictions, y)
    loss = loss + penalties(model)
    update_metrics(metrics, loss, losses, predictions, y)


def evaluate(model, x, y, batch_size=32):
    """Loss and metrics over a data set."""
    metrics = make_metrics()
    for start in range(0, len(x), batch_size):
        eval_step(model, metrics, x[start : start + batch_size], jax.tree.map(lambda a: a[start : start + batch_size], y))
    return {name: float(value) for name, value in metrics.compute().items()}


def train(model, x, targets):
    optimizer = nnx.Optimizer(model, optax.sgd(0.01), wrt=nnx.Param)
    y = [targets, targets]
    split = int(len(x) * (1 - 0.25))  # the rest is for validation
    metrics = make_metrics()
    history = {}
    for epoch in range(1):
        metrics.reset()
        for start in range(0, split, 8):
            train_step(
                model,
                optimizer,
                metrics,
                x[start : min(start + 8, split)],
                jax.tree.map(lambda a: a[start : min(start + 8, split)], y),
            )
        results = {name: float(value) for name, value in metrics.compute().items()}
        validation = evaluate(model, x[split:], jax.tree.map(lambda a: a[split:], y), 8)
        results |= {f"val_{name}": value for name, value in validation.items()}
        for name, value in results.items():
            history.setdefault(name, []).append(value)
    return history
