"""What a port's target depends on."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Sequence

#: Distributions that a port no longer needs, as the last part of labels.
FRAMEWORKS = frozenset(
    {"keras", "tensorflow", "tensorflow_addons", "tensorflow_cpu", "tensorflow_gpu", "tensorflow_intel", "tf_keras"}
)


def distribution(label: str) -> str:
    """`flax` of `@pypi//:flax`, `@pip//flax` and `//third_party/py/flax`."""
    return re.split(r"[:/]", label)[-1].replace("-", "_")


def python_deps(module: str, labels: Sequence[str]) -> list[str]:
    """Those of `labels` whose distribution the module imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    wanted = {name.split(".")[0] for name in names}
    wanted |= {"_".join(name.split(".")[:2]) for name in names}  # orbax.checkpoint: orbax_checkpoint
    return [label for label in labels if distribution(label) in wanted]


def twins(labels: Iterable[str], exists: Callable[[str], bool]) -> list[str]:
    """Labels of libraries with those of checked-in ports in the place of `:NAME.jax`, which is built.

    Args:
      labels: what a unit names as its dependencies.
      exists: is there such a target in the source tree?
    """
    found = []
    for label in labels:
        twin = f"{label.removesuffix('.jax')}_jax"
        found.append(twin if label.endswith(".jax") and exists(twin) else label)
    return found


def changes(old: Sequence[str], wanted: Collection[str], managed: Iterable[str]) -> tuple[set[str], set[str]]:
    """What leaves and what joins the dependencies of a target that is there; what a person added stays.

    Args:
      old: what it has.
      wanted: what the port needs.
      managed: labels that earlier runs may have put there.
    """
    ours = {*managed, *(label for label in old if distribution(label) in FRAMEWORKS)}
    return {label for label in old if label in ours and label not in wanted}, set(wanted) - set(old)


def order(label: str) -> tuple[int, str]:
    """Sorts as buildifier does: labels of this package, of this repository, of others."""
    kinds = (":", "//", "@")
    return next((i for i, kind in enumerate(kinds) if label.startswith(kind)), 0), label
