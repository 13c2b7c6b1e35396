"""Loops over tf.range."""

import jax.numpy as jnp


def returns(rewards, gamma):
    """Discounted sums, from the end."""
    n = rewards.shape[0]
    total = jnp.array(0.0)
    found = [None] * n
    for i in range(n):
        total = rewards[n - 1 - i] + gamma * total
        found[i] = total
    return jnp.stack(found)[::-1]


def pairs(x):
    width = x.shape[-1] // 2
    for i in range(1, width * 2, 2):
        x = x * jnp.asarray(i, dtype=jnp.float32)
    return x


def as_they_were(x, steps):
    for k in jnp.arange(0.0, 1.0, 0.25):  # no integers
        x = x * k
    for _ in jnp.arange(steps):  # a number or a tensor
        x = x + 1.0
    size = x.shape[0]
    size = size + 1
    for _ in jnp.arange(size):  # bound twice
        x = x + 1.0
    return x


def given_or_counted(x, n=None):
    if n is None:
        n = x.shape[0]
    for _ in jnp.arange(n):  # a caller may give a tensor
        x = x + 1.0
    return x
