"""The checks that need no build: TensorFlow in migrated packages, residuals, layers."""

from __future__ import annotations

import dataclasses
import pathlib
import re
from collections.abc import Iterable, Iterator

from auditing.graph import TO_MIGRATE
from auditing.targets import JAX, Repository, own_class
from presubmitting.policy import Policy, Ratchet

#: The comment that the port leaves above what it could not rewrite.
RESIDUAL = re.compile(r"^\s*# jaxport: line \d+: ")


@dataclasses.dataclass(frozen=True, order=True)
class Finding:
    """One thing that keeps a change from going in.

    Attributes:
      file, line: where.
      rule: which check, as a word.
      message: what is wrong.
      command: what mends it.
    """

    file: str
    line: int
    rule: str
    message: str
    command: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.message}; run: {self.command}"


def counts(root: pathlib.Path, repository: Repository, policy: Policy) -> Ratchet:
    """What the ratchet would hold if it were written now."""
    tensorflow = {}
    residuals = {}
    for file, facts in repository.facts.items():
        if policy.is_migrated(file) and facts.tensorflow:
            uses = sum(uses for _, uses, _ in facts.symbols)
            tensorflow[file] = max(1, uses)
        if file.endswith("_jax.py"):
            left = sum(1 for line in _lines(root / file) if RESIDUAL.match(line))
            if left:
                residuals[file] = left
    return Ratchet(tensorflow, residuals)


def broken(repository: Repository, bazel: str) -> Iterator[Finding]:
    """BUILD files that Bazel can't read. `bazel` is how people call it."""
    for place in repository.broken:
        package = place.file.rpartition("/")[0]
        message = f"{place.message}; nothing in this package can be checked"
        yield Finding(place.file, place.line, "broken-package", message, f"{bazel} query //{package}:all")


def ratchet(root: pathlib.Path, repository: Repository, policy: Policy, update: str) -> Iterator[Finding]:
    """More TensorFlow or residuals than the ratchet allows, and lines of it that allow more than there is.

    `update`: the command that writes the ratchet, which only ever lowers counts.
    """
    now, allowed = counts(root, repository, policy), policy.ratchet
    for file, uses in now.tensorflow.items():
        if uses > allowed.tensorflow.get(file, 0):
            first = next((s for s in repository.facts[file].symbols), None)
            name = f"{first[0]} and others" if first else "an import"
            message = f"uses TensorFlow in {uses} places ({name}), {allowed.tensorflow.get(file, 0)} are allowed in this migrated package"
            port = f"jaxport port {file} --out {pathlib.PurePosixPath(file).parent}"
            yield Finding(file, repository.facts[file].tensorflow, "new-tensorflow", message, port)
    for file, left in now.residuals.items():
        if left > allowed.residuals.get(file, 0):
            line = next(i for i, text in enumerate(_lines(root / file), 1) if RESIDUAL.match(text))
            message = f"{left} residuals, {allowed.residuals.get(file, 0)} are allowed"
            yield Finding(file, line, "new-residuals", message, f"jaxport coverage {file.removesuffix('_jax.py')}.py")
    for kind in ("tensorflow", "residuals"):
        for file, count in getattr(allowed, kind).items():
            there = getattr(now, kind).get(file, 0)
            if there < count:
                message = f"allows {count} for {file}, which has {there} now"
                yield Finding(policy.ratchet_file, 1, "loose-ratchet", message, update)


def layering(repository: Repository) -> Iterator[Finding]:
    """Targets on the JAX side that depend on one of the TensorFlow side."""
    classes = {label: own_class(repository.facts_of(t), t.deps) for label, t in repository.targets.items()}
    for label, target in repository.targets.items():
        if classes[label] != JAX:
            continue
        for dep in target.deps:
            if classes.get(dep) in TO_MIGRATE:
                file = target.files[0] if target.files else ""
                line = next((f.jax for f in repository.facts_of(target) if f.jax), 1)
                message = f"{label} is on the JAX side and depends on {dep}, which uses TensorFlow"
                yield Finding(file, line, "layering", message, f"bazel query 'somepath({label}, {dep})'")


def lowered(before: Ratchet, now: Ratchet) -> Ratchet:
    """A ratchet that allows what there is, and nowhere more than before."""
    return Ratchet(
        *[
            {file: min(count, now_counts[file]) for file, count in counts.items() if file in now_counts}
            for counts, now_counts in ((before.tensorflow, now.tensorflow), (before.residuals, now.residuals))
        ]
    )


def _lines(path: pathlib.Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def touching(findings: Iterable[Finding], changed: Iterable[str] | None) -> list[Finding]:
    """Findings in changed files, or all; what concerns the ratchet itself stays."""
    wanted = None if changed is None else set(changed)
    return sorted(f for f in findings if wanted is None or f.file in wanted or f.rule == "loose-ratchet")
