"""A critic with a gradient penalty: a method with a tape of its own, within the tape of the step."""

import functools

import jax.numpy as jnp
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Generator(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense1 = Linear(4, 5, rngs=rngs)
        self.dense2 = Linear(5, 4, rngs=rngs)

    def __call__(self, x):
        x = nnx.tanh(self.dense1(x))
        return self.dense2(x)


class Critic(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense1 = Linear(4, 6, rngs=rngs)
        self.dense2 = Linear(6, 1, rngs=rngs)

    def __call__(self, inputs):
        x = self.dense1(inputs)
        x = nnx.leaky_relu(x, negative_slope=0.2)
        return self.dense2(x)


class Adversaries(nnx.Module):
    def __init__(self, critic, generator, steps=2, weight=10.0):
        self.critic = critic
        self.generator = generator
        self.steps = steps
        self.weight = weight

    def __call__(self, x):
        return self.critic(x), self.generator(x)


def gradient_penalty(model, real, fake):
    between = 0.5 * real + 0.5 * fake

    def score_fn(between):
        score = model.critic(between)
        return jnp.sum(score)

    gradients = nnx.grad(score_fn)(between)
    norm = jnp.sqrt(jnp.sum(jnp.square(gradients), axis=(1,)))
    return jnp.mean((norm - 1.0) ** 2)


@nnx.jit
def train_step(model, c_optimizer, g_optimizer, real):
    for _ in range(model.steps):

        def loss_fn(model):
            fake = model.generator(real)
            cost = critic_loss(real=model.critic(real), fake=model.critic(fake))
            return cost + model.weight * gradient_penalty(model, real, fake)

        c_loss, gradients = nnx.value_and_grad(
            loss_fn, argnums=nnx.DiffState(0, nnx.All(nnx.Param, nnx.PathContains("critic")))
        )(model)
        gradients = gradients["critic"]
        c_optimizer.update(model.critic, gradients)

    def loss_fn(model):
        return generator_loss(model.critic(model.generator(real)))

    g_loss, gradients = nnx.value_and_grad(
        loss_fn, argnums=nnx.DiffState(0, nnx.All(nnx.Param, nnx.PathContains("generator")))
    )(model)
    gradients = gradients["generator"]
    g_optimizer.update(model.generator, gradients)
    return {"c_loss": c_loss, "g_loss": g_loss}


def critic_loss(real, fake):
    return jnp.mean(fake) - jnp.mean(real)


def generator_loss(fake):
    return -jnp.mean(fake)


def train(model, x):
    c_optimizer = nnx.Optimizer(model.critic, optax.sgd(0.05), wrt=nnx.Param)
    g_optimizer = nnx.Optimizer(model.generator, optax.sgd(0.05), wrt=nnx.Param)
    history = {}
    for epoch in range(2):
        for start in range(0, len(x), 11):
            results = train_step(model, c_optimizer, g_optimizer, x[start : start + 11])
        results = {name: float(value) for name, value in results.items()}
        for name, value in results.items():
            history.setdefault(name, []).append(value)
    return history


def build_adversaries(*, seed=0):
    rngs = nnx.Rngs(seed)
    return Adversaries(Critic(rngs=rngs), Generator(rngs=rngs))
