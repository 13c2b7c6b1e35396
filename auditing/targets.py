"""Targets of a build graph with the facts of their sources, and how modules lead to targets."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence

from auditing.facts import Facts, is_jax, is_tensorflow
from codemods.policy.lookup import host_entry


@dataclasses.dataclass(frozen=True)
class Target:
    """One rule with Python sources.

    Attributes:
      label: as Bazel prints it for the main repository, `//a/b:c`.
      kind: the rule's class, `py_library`.
      files: its sources, as paths below the repository's root.
      deps: labels, also of targets that are not in the graph.
      roots: folders that its `imports` attribute puts on the import path, besides the root itself.
    """

    label: str
    kind: str
    files: tuple[str, ...]
    deps: tuple[str, ...]
    roots: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, order=True)
class Broken:
    """A place in a BUILD file that Bazel can't read, so that nothing is known of the package's targets."""

    file: str
    line: int
    message: str

    @property
    def consequence(self) -> str:
        """What is wrong, and what it means for an audit."""
        return f"{self.message}; nothing is known of this package's targets"


@dataclasses.dataclass(frozen=True)
class Repository:
    """Everything that an audit is about."""

    targets: Mapping[str, Target]
    facts: Mapping[str, Facts]
    broken: Sequence[Broken] = ()

    def facts_of(self, target: Target) -> list[Facts]:
        """Facts of a target's sources."""
        return [self.facts[file] for file in target.files if file in self.facts]

    @functools.cached_property
    def owners(self) -> dict[str, list[str]]:
        """Labels by source file."""
        found: dict[str, list[str]] = {}
        for label, target in sorted(self.targets.items()):
            for file in target.files:
                found.setdefault(file, []).append(label)
        return found

    @functools.cached_property
    def modules(self) -> dict[str, list[str]]:
        """Labels by the dotted names under which their sources can be imported."""
        found: dict[str, list[str]] = {}
        for label, target in sorted(self.targets.items()):
            for file in target.files:
                for name in module_names(file, target.roots):
                    found.setdefault(name, []).append(label)
        return found

    def providers(self, facts: Facts, roots: tuple[str, ...]) -> dict[str, tuple[int, list[str]]]:
        """For each module of this repository that a file imports: the line, and the targets that own the module."""
        found: dict[str, tuple[int, list[str]]] = {}
        own = module_names(facts.file, roots)
        for entry in facts.imports:
            bases = _absolute(entry.module, entry.level, facts.file, own)
            names = [name for base in bases for name in ([f"{base}.{entry.name}"] if entry.name else []) + [base]]
            name = next((name.strip(".") for name in names if name.strip(".") in self.modules), None)
            if name is not None:
                found.setdefault(name, (entry.line, self.modules[name]))
        return found


@functools.lru_cache(1 << 18)
def module_names(file: str, roots: tuple[str, ...]) -> tuple[str, ...]:
    """Dotted names of a source file: from the repository's root, and from each import root above it."""
    path = file.removesuffix(".py")
    path = path.removesuffix("__init__").rstrip("/") if path.endswith("/__init__") or path == "__init__" else path
    below = [path, *(path.removeprefix(f"{root}/") for root in roots if path.startswith(f"{root}/"))]
    return tuple(part.replace("/", ".") for part in below if part)


def _absolute(module: str, level: int, file: str, own: Sequence[str]) -> list[str]:
    """Absolute names that an import may mean: relative ones start at the file's package."""
    if not level:
        return [module]
    package = file.endswith("__init__.py")
    found = []
    for name in own:
        parts = name.split(".")
        keep = len(parts) - level + (1 if package else 0)
        if keep >= 0:
            found.append(".".join([*parts[:keep], *([module] if module else [])]))
    return found


#: What a target, or what it reaches, has to do with the two frameworks.
TENSORFLOW, JAX, MIXED, HOST, FREE = "tensorflow", "jax", "mixed", "host-only", "free"


def own_class(facts: Iterable[Facts], deps: Iterable[str] = ()) -> str:
    """What a target's own sources use.

    `host-only` uses TensorFlow for input pipelines, files and summaries alone, which may stay; beside JAX it makes
    no difference. A target without sources goes by the packages it depends on, as wrappers of TensorFlow do.
    """
    facts = list(facts)
    symbols = {name for f in facts for name, _, _ in f.symbols}
    tensorflow = any(f.tensorflow for f in facts)
    host = tensorflow and bool(symbols) and all(host_entry(name) is not None for name in symbols)
    jax = any(f.jax for f in facts)
    if not facts:
        names = [package_of(label) for label in deps]
        tensorflow, jax = any(is_tensorflow(n) for n in names), any(is_jax(n) for n in names)
    if tensorflow and not host:
        return MIXED if jax else TENSORFLOW
    if jax:
        return JAX
    return HOST if host else FREE


def reached_class(classes: Iterable[str]) -> str:
    """The class of a target with all that it depends on."""
    found = set(classes)
    if MIXED in found or (TENSORFLOW in found and JAX in found):
        return MIXED
    for name in (TENSORFLOW, JAX, HOST):
        if name in found:
            return name
    return FREE


def package_of(label: str) -> str:
    """The Python package that an external label stands for, by its name: `@pypi//:jax` gives `jax`."""
    if not label.startswith("@"):
        return ""
    tail = label.rsplit("//", 1)[-1]
    name = tail.rsplit(":", 1)[-1] if ":" in tail else tail.rsplit("/", 1)[-1] or label.strip("@/")
    name = name.removesuffix("_cpu").removesuffix("_gpu") if name.startswith("tensorflow") else name
    package = tail.partition(":")[0]
    generic = name in ("pkg", "lib", "_pkg")
    return (
        (package.rsplit("/", 1)[-1] or label.split("//")[0].strip("@") if generic else name).replace("-", "_").lower()
    )
