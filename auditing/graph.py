"""Questions about the dependency graph: classes, cycles, migration waves, what blocks most."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Mapping

import networkx as nx
import numpy as np

from auditing.targets import MIXED, TENSORFLOW, Repository, own_class, reached_class

#: Classes of targets that a migration has to rewrite.
TO_MIGRATE = frozenset({TENSORFLOW, MIXED})


@dataclasses.dataclass(frozen=True)
class Standing:
    """Where one target stands.

    Attributes:
      direct: class of its own sources.
      transitive: class of its sources and of all that they depend on.
      wave: the step of the migration that it belongs to, from 1; 0 if it uses no TensorFlow itself.
      blocks: how many other targets that use TensorFlow depend on it.
      alone: how many targets reach TensorFlow through it alone.
    """

    direct: str
    transitive: str
    wave: int
    blocks: int
    alone: int


@dataclasses.dataclass(frozen=True)
class Order:
    """The graph as a whole: standings by label, and cycles as sorted lists of labels."""

    standings: Mapping[str, Standing]
    cycles: tuple[tuple[str, ...], ...]


def order(repository: Repository) -> Order:
    """Classes, waves and cycles of all targets, in time linear in the edges but for the sets of ancestors."""
    targets = repository.targets
    direct = {label: own_class(repository.facts_of(t), t.deps) for label, t in targets.items()}
    graph = nx.DiGraph()
    graph.add_nodes_from(sorted(targets))
    graph.add_edges_from((label, dep) for label in sorted(targets) for dep in targets[label].deps if dep in targets)
    condensed = nx.condensation(graph)
    members = {node: sorted(condensed.nodes[node]["members"]) for node in condensed}
    leaves_first = list(reversed(list(nx.topological_sort(condensed))))

    reached: dict[int, set[str]] = {}
    waves: dict[int, int] = {}
    below: dict[int, int] = {}  # sets of targets to migrate, as bits
    bit = {label: 1 << i for i, label in enumerate(sorted(name for name in targets if direct[name] in TO_MIGRATE))}
    for node in leaves_first:
        labels, deps = members[node], list(condensed.successors(node))
        reached[node] = {direct[label] for label in labels}.union(*[reached[dep] for dep in deps])
        own = any(direct[label] in TO_MIGRATE for label in labels)
        waves[node] = max((waves[dep] for dep in deps), default=0) + own
        below[node] = 0
        for dep in deps:
            below[node] |= below[dep]
        for label in labels:
            below[node] |= bit.get(label, 0)

    counts: np.ndarray = np.zeros(len(bit), np.int64)
    alone: collections.Counter[str] = collections.Counter()
    names = list(bit)
    for node in leaves_first:
        for label in members[node]:
            rest = below[node] & ~bit.get(label, 0)
            if label in bit:
                counts += _unpacked(rest, len(bit))
            elif rest and not rest & (rest - 1):
                alone[names[rest.bit_length() - 1]] += 1
    blocks = dict(zip(names, counts.tolist(), strict=True))
    where = {label: node for node, labels in members.items() for label in labels}
    standings = {
        label: Standing(
            direct[label], reached_class(reached[where[label]]), waves[where[label]] if label in bit else 0,
            blocks.get(label, 0), alone[label],
        )
        for label in sorted(targets)
    }  # fmt: skip
    cycles = tuple(sorted(tuple(labels) for labels in members.values() if len(labels) > 1))
    return Order(standings, cycles)


def _unpacked(bits: int, size: int) -> np.ndarray:
    """The `size` lowest bits as an array of 0 and 1, lowest first."""
    packed = np.frombuffer(bits.to_bytes((size + 7) // 8, "little"), np.uint8)
    return np.unpackbits(packed, count=size, bitorder="little")
