import functools

import jax.numpy as jnp
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Build(nnx.Module):
    def __init__(self, n=16, *, rngs: nnx.Rngs):
        self.dense = Linear(8, n, rngs=rngs)

    def __call__(self, inputs):
        return self.dense(inputs)


small = Build


class Trainer:
    """Holds a model and its optimizer, and is no module itself."""

    def __init__(self, model, loss, learning_rate):
        self.loss = loss
        self.model = model
        self.optimizer = optax.adam(learning_rate, eps=1e-7)

    @nnx.jit
    def train_step(self, x, y):
        def loss_fn(self):
            return self.loss(y, self.model(x, training=True))

        loss, gradients = nnx.value_and_grad(loss_fn, argnums=nnx.DiffState(0, nnx.All(nnx.Param, nnx.PathContains("model"))))(
            self
        )
        gradients = gradients["model"]
        self.optimizer.update(self.model, gradients)
        return loss


class Eager:
    def __init__(self, model):
        self.model = model
        self.optimizer = optax.sgd(0.1)

    def step(self, x):
        x = jnp.asarray(x, dtype=jnp.float32)

        def loss_fn(model):
            return jnp.mean(model(x))

        loss, gradients = nnx.value_and_grad(loss_fn)(self.model)
        self.optimizer.update(self.model, gradients)
# residual: in.py:21:6: tf.function: in a method of Trainer, which is no module: `nnx.jit` and gradients take models, optimizers and arrays, not objects that hold them; make it a function of the model and the optimizer
# residual: in.py:26:9: Optimizer.apply_gradients: in a method of Trainer, which is no module: `nnx.jit` and gradients take models, optimizers and arrays, not objects that hold them; make it a function of the model and the optimizer
# residual: in.py:40:9: Optimizer.apply_gradients: in a method of Eager, which is no module: `nnx.jit` and gradients take models, optimizers and arrays, not objects that hold them; make it a function of the model and the optimizer
