import functools

import jax.numpy as jnp
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
BatchNorm = functools.partial(nnx.BatchNorm, epsilon=0.001, use_fast_variance=False)
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Generator(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense1 = Linear(3, 5, rngs=rngs)
        self.norm = BatchNorm(5, rngs=rngs)
        self.dense2 = Linear(5, 4, rngs=rngs)

    def __call__(self, z, *, training=False):
        return self.dense2(self.norm(self.dense1(z), use_running_average=not training))


class Critic(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense1 = Linear(4, 6, rngs=rngs)
        self.norm = BatchNorm(6, rngs=rngs)
        self.dense2 = Linear(6, 1, rngs=rngs)

    def __call__(self, x, *, training=False):
        return self.dense2(self.norm(self.dense1(x), use_running_average=not training))


def train(generator, critic, noise, real):
    generator_optimizer = nnx.Optimizer(generator, optax.sgd(0.1), wrt=nnx.Param)
    critic_optimizer = nnx.Optimizer(critic, optax.sgd(0.2, momentum=0.5), wrt=nnx.Param)
    found = []
    for _ in range(3):

        def losses(generator, critic):
            fake = generator(noise, training=True)
            fake_score = critic(fake, training=True)
            real_score = critic(real, training=True)
            generator_loss = -jnp.mean(fake_score)
            critic_loss = jnp.mean(fake_score) - jnp.mean(real_score) + 0.1 * jnp.mean(real_score**2)
            return generator_loss, critic_loss

        (generator_loss, critic_loss), backward = nnx.vjp(losses, generator, critic, graph_updates=False)
        generator_gradients = nnx.state(backward((1.0, 0.0))[0], nnx.Param)
        critic_gradients = nnx.state(backward((0.0, 1.0))[1], nnx.Param)
        generator_optimizer.update(generator, generator_gradients)
        critic_optimizer.update(critic, critic_gradients)
        found.append([float(generator_loss), float(critic_loss)])
    return found
