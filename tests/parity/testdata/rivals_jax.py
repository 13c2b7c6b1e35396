"""The same, ported by hand."""

import jax
import jax.numpy as jnp
import optax
from flax import nnx


class Forger(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.hidden = nnx.Linear(4, 6, rngs=rngs)
        self.norm = nnx.BatchNorm(6, epsilon=1e-3, use_fast_variance=False, rngs=rngs)
        self.out = nnx.Linear(6, 5, rngs=rngs)

    def __call__(self, x, *, training=False):
        return self.out(self.norm(self.hidden(x), use_running_average=not training))


class Critic(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.hidden = nnx.Linear(5, 7, rngs=rngs)
        self.out = nnx.Linear(7, 1, rngs=rngs)

    def __call__(self, x):
        return self.out(nnx.tanh(self.hidden(x)))


rngs = nnx.Rngs(0)
forger = Forger(rngs=rngs)
critic = Critic(rngs=rngs)
forger_optimizer = nnx.Optimizer(forger, optax.adam(1e-3, eps=1e-7), wrt=nnx.Param)
critic_optimizer = nnx.Optimizer(critic, optax.sgd(1e-2, momentum=0.9), wrt=nnx.Param)


def forger_loss_of(forger, critic, noise):
    fake = forger(noise, training=True)
    return jnp.mean(jnp.square(critic(fake) - 1.0)), fake


def critic_loss_of(critic, fake, real):
    return jnp.mean(jnp.square(critic(fake))) + jnp.mean(jnp.square(critic(real) - 1.0))


def train_step(forger, critic, forger_optimizer, critic_optimizer, real, *, rngs: nnx.Rngs):
    noise = jax.random.normal(rngs.noise(), (real.shape[0], 4))
    (forger_loss, fake), forger_grads = nnx.value_and_grad(forger_loss_of, has_aux=True)(forger, critic, noise)
    critic_loss, critic_grads = nnx.value_and_grad(critic_loss_of)(critic, fake, real)
    forger_optimizer.update(forger, forger_grads)
    critic_optimizer.update(critic, critic_grads)
    return {"forger": forger_loss, "critic": critic_loss}


def stale_step(forger, critic, forger_optimizer, critic_optimizer, real, *, rngs: nnx.Rngs):
    """A bug: the critic is trained first, and the forger against what it has become."""
    noise = jax.random.normal(rngs.noise(), (real.shape[0], 4))
    fake = forger(noise, training=True)
    critic_loss, critic_grads = nnx.value_and_grad(critic_loss_of)(critic, fake, real)
    critic_optimizer.update(critic, critic_grads)
    (forger_loss, _), forger_grads = nnx.value_and_grad(forger_loss_of, has_aux=True)(forger, critic, noise)
    forger_optimizer.update(forger, forger_grads)
    return {"forger": forger_loss, "critic": critic_loss}
