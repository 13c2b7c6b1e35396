"""A rule of a user's, for an operation that ours do not know."""

import jax.numpy as jnp

from codemods.engine.rule import f32, known, refuse, rule, sample


@rule(
    "tf.raw_ops.Cumsum",
    samples=[
        sample(f32(4, 3), axis=0),
        sample(f32(4, 3), axis=-1),
        sample(f32(4, 3), axis=1, exclusive=True),
        sample(f32(2, 3, 4), axis=1, reverse=True),
        sample(f32(4, 3), axis=0, exclusive=True, reverse=True),
    ],
)
def cumsum(x, axis, exclusive=False, reverse=False, name=None):
    if not known(exclusive) or not known(reverse):
        refuse("whether it is exclusive or goes backwards is not known when porting")
    if reverse and exclusive:
        return jnp.flip(jnp.cumsum(jnp.flip(x, axis), axis), axis) - x
    if reverse:
        return jnp.flip(jnp.cumsum(jnp.flip(x, axis), axis), axis)
    if exclusive:
        return jnp.cumsum(x, axis) - x
    return jnp.cumsum(x, axis)
