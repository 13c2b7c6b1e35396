"""Penalties of `tf.keras.regularizers`: functions of a weight, which the weight carries in its metadata."""

import jax
import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import Difference, inline, known, refuse, rule, sample
from codemods.engine.touching import on_keras2

BOTH = Difference(
    "`l1_l2` of Keras 2 with one strength alone",
    "its other strength is 0.01, that of Keras 3 and the port 0",
    at=on_keras2,
)


def l1_penalty(strength):
    """An L1 penalty on a weight."""
    return lambda weight: strength * jnp.sum(jnp.abs(weight))


def l2_penalty(strength):
    """An L2 penalty on a weight."""
    return lambda weight: strength * jnp.sum(jnp.square(weight))


def penalties(model):
    """The sum of the penalties that weights carry in their metadata."""
    weights = jax.tree.leaves(nnx.state(model, nnx.Param), is_leaf=lambda x: isinstance(x, nnx.Variable))
    return sum(weight.penalty(weight[...]) for weight in weights if weight.get_metadata("penalty", None))


@inline
def penalty(regularizer):
    """Metadata of a weight, for a layer's `kernel_metadata` and its like."""
    if known(regularizer) and regularizer is None:
        return {}
    if known(regularizer) and isinstance(regularizer, str):
        return {"penalty": named_penalty(regularizer)}
    return {"penalty": regularizer}


@inline
def named_penalty(name):
    """The penalty that a name stands for, with Keras's default strengths."""
    if name.lower() == "l1":
        return lambda weight: 0.01 * jnp.sum(jnp.abs(weight))
    if name.lower() == "l2":
        return lambda weight: 0.01 * jnp.sum(jnp.square(weight))
    refuse("a regularizer whose name is not known here: pass a function of the weight")


@rule("tf.keras.regularizers.L2", "tf.keras.regularizers.l2", helpers=(l2_penalty,), samples=[
    sample(), sample(0.3), sample(l2=1e-4),
])  # fmt: skip
def l2(l2=0.01):
    return l2_penalty(l2)


@rule("tf.keras.regularizers.L1", "tf.keras.regularizers.l1", helpers=(l1_penalty,), samples=[
    sample(), sample(0.3), sample(l1=1e-4),
])  # fmt: skip
def l1(l1=0.01):
    return l1_penalty(l1)


@rule(
    "tf.keras.regularizers.L1L2", differences=[BOTH], helpers=(l1_penalty, l2_penalty),
    samples=[sample(0.1, 0.2), sample(l1=0.1), sample(l2=0.2), sample()],
)  # fmt: skip
def l1l2(l1=0.0, l2=0.0):
    if not l1:
        return l2_penalty(l2)
    if not l2:
        return l1_penalty(l1)
    return lambda weight: jnp.sum(l1 * jnp.abs(weight) + l2 * jnp.square(weight))


def orthogonal_penalty(factor=0.01, mode="rows"):
    """A penalty on the cosines between the rows, or columns, of a matrix."""

    def penalty(weight):
        weight = weight if mode == "rows" else weight.T
        weight = weight / jnp.linalg.norm(weight, axis=1, keepdims=True)
        cosines = jnp.abs(weight @ weight.T) * (1 - jnp.eye(len(weight)))
        return factor * jnp.sum(cosines) / max(len(weight) * (len(weight) - 1), 2)

    return penalty


@rule(
    "tf.keras.regularizers.OrthogonalRegularizer", helpers=(orthogonal_penalty,),
    samples=[sample(), sample(0.5, mode="columns")],
)  # fmt: skip
def orthogonal_regularizer(factor=0.01, mode="rows"):
    return orthogonal_penalty(factor, mode)


@rule("tf.keras.regularizers.get", samples=[sample("l1"), sample("l2"), sample(None)])
def get(identifier):
    if not known(identifier) or identifier is None:
        return identifier
    if isinstance(identifier, str):
        return named_penalty(identifier)
    return identifier
