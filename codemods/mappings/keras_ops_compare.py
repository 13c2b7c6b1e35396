"""Comparisons and logic of keras.ops."""

from __future__ import annotations

import jax.numpy as jnp

from codemods.engine.rule import boolean, f32, i32, rule, sample


@rule("tf.keras.ops.equal", samples=[sample(i32(4, 3, high=3), i32(3, high=3)), sample(f32(3), 0.5)])
def equal(x1, x2):
    return jnp.equal(x1, x2)


@rule("tf.keras.ops.not_equal", samples=[sample(i32(4, 3, high=3), i32(3, high=3)), sample(f32(3), 0.5)])
def not_equal(x1, x2):
    return jnp.not_equal(x1, x2)


@rule("tf.keras.ops.greater", samples=[sample(i32(4, 3, high=3), i32(3, high=3)), sample(f32(3), 0.5)])
def greater(x1, x2):
    return jnp.greater(x1, x2)


@rule("tf.keras.ops.greater_equal", samples=[sample(i32(4, 3, high=3), i32(3, high=3)), sample(f32(3), 0.5)])
def greater_equal(x1, x2):
    return jnp.greater_equal(x1, x2)


@rule("tf.keras.ops.less", samples=[sample(i32(4, 3, high=3), i32(3, high=3)), sample(f32(3), 0.5)])
def less(x1, x2):
    return jnp.less(x1, x2)


@rule("tf.keras.ops.less_equal", samples=[sample(i32(4, 3, high=3), i32(3, high=3)), sample(f32(3), 0.5)])
def less_equal(x1, x2):
    return jnp.less_equal(x1, x2)


@rule("tf.keras.ops.logical_and", samples=[sample(boolean(4, 3), boolean(3))])
def logical_and(x1, x2):
    return jnp.logical_and(x1, x2)


@rule("tf.keras.ops.logical_or", samples=[sample(boolean(4, 3), boolean(3))])
def logical_or(x1, x2):
    return jnp.logical_or(x1, x2)


@rule("tf.keras.ops.logical_xor", samples=[sample(boolean(4, 3), boolean(3))])
def logical_xor(x1, x2):
    return jnp.logical_xor(x1, x2)


@rule("tf.keras.ops.logical_not", samples=[sample(boolean(4))])
def logical_not(x):
    return jnp.logical_not(x)
