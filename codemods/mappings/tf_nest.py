"""Nested structures: JAX's pytrees."""

from __future__ import annotations

import jax

from codemods.engine.rule import Difference, refuse, rule, sample
from codemods.mappings.tf_debugging import LEFT

COMPOSITES = "expand_composites: sparse and ragged tensors have no form as pytrees of arrays"
NONE = Difference("None in the structure", "None is a leaf in TensorFlow and an empty subtree in JAX")


@rule(
    "tf.nest.map_structure",
    samples=[sample(abs, [-1, (2, -3)]), sample(max, {"a": 1, "b": [2]}, {"a": 3, "b": [0]})],
    differences=[NONE],
)
def map_structure(func, *structure, check_types=True, expand_composites=False):
    if expand_composites:
        refuse(COMPOSITES)
    return jax.tree.map(func, *structure)


@rule("tf.nest.flatten", samples=[sample([1, (2, [3])]), sample({"b": 1, "a": [2, 3]}), sample(5)], differences=[NONE])
def flatten(structure, expand_composites=False):
    if expand_composites:
        refuse(COMPOSITES)
    return jax.tree.leaves(structure)


@rule(
    "tf.nest.pack_sequence_as",
    samples=[sample([1, (2, [3])], [4, 5, 6]), sample({"b": 1, "a": [2, 3]}, flat_sequence=[7, 8, 9])],
    differences=[NONE],
)
def pack_sequence_as(structure, flat_sequence, expand_composites=False):
    if expand_composites:
        refuse(COMPOSITES)
    return jax.tree.unflatten(jax.tree.structure(structure), flat_sequence)


@rule("tf.nest.is_nested", samples=[sample([1]), sample({"a": 1}), sample(3), sample("ab"), sample((1,))])
def is_nested(seq):
    return isinstance(seq, (list, tuple, dict))


@rule("tf.nest.assert_same_structure", samples=[sample([1, (2,)], [3, (4,)])], differences=[LEFT])
def assert_same_structure(nest1, nest2, check_types=True, expand_composites=False):
    return None
