"""Dependencies that are missing or unused, sources without a target or with two, and files that can't be read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from auditing.facts import Facts, is_jax, is_tensorflow
from auditing.targets import Repository, Target, package_of

#: A source of a target, and what `Repository.providers` says of its imports.
Imported = tuple[Facts, Mapping[str, tuple[int, list[str]]]]


@dataclasses.dataclass(frozen=True, order=True)
class Finding:
    """One thing to mend: where, what kind, and what to do in words."""

    file: str
    line: int
    kind: str
    target: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.kind}: {self.message}"


def findings(repository: Repository) -> list[Finding]:
    """All findings, sorted by place."""
    found = list(_broken(repository)) + list(_unreadable(repository)) + list(_shared(repository))
    for target in repository.targets.values():
        imported = [(facts, repository.providers(facts, target.roots)) for facts in repository.facts_of(target)]
        found += [*_missing(repository, target, imported), *_unused(repository, target, imported)]
    return sorted(set(found))


def _broken(repository: Repository) -> Iterator[Finding]:
    for place in repository.broken:
        yield Finding(place.file, place.line, "broken-package", "", place.consequence)


def _unreadable(repository: Repository) -> Iterator[Finding]:
    for file, facts in repository.facts.items():
        if facts.error:
            place, _, message = facts.error.partition(": ")
            line = int(place.removeprefix("line ")) if place.startswith("line ") else 1
            owner = repository.owners.get(file, [""])[0]
            yield Finding(file, line, "unreadable", owner, f"{message}; nothing is known of this file")


def _shared(repository: Repository) -> Iterator[Finding]:
    for file, labels in repository.owners.items():
        if len(labels) > 1:
            yield Finding(
                file, 1, "shared", labels[0], f"is a source of {', '.join(labels)}: give it a target of its own"
            )


def _missing(repository: Repository, target: Target, imported: Sequence[Imported]) -> Iterator[Finding]:
    """Imports of modules whose target is no direct dependency."""
    have = {target.label, *target.deps, *_exported(repository, target)}
    for facts, providers in imported:
        for module, (line, labels) in providers.items():
            if not have & set(labels):
                message = f"imports {module}, but {target.label} does not depend on {labels[0]}"
                yield Finding(facts.file, line, "missing", target.label, message)


def _exported(repository: Repository, target: Target) -> set[str]:
    """What dependencies without sources stand for."""
    found: set[str] = set()
    todo = [dep for dep in target.deps if dep in repository.targets and not repository.targets[dep].files]
    while todo:
        for dep in repository.targets[todo.pop()].deps:
            if dep not in found:
                found.add(dep)
                if dep in repository.targets and not repository.targets[dep].files:
                    todo.append(dep)
    return found


def _unused(repository: Repository, target: Target, imported: Sequence[Imported]) -> Iterator[Finding]:
    """Dependencies none of whose modules is imported. Nothing is said of what can't be seen."""
    facts = [facts for facts, _ in imported]
    if not facts or any(f.error for f in facts):
        return
    used = {label for _, providers in imported for _, labels in providers.values() for label in labels}
    roots = {i.module.partition(".")[0] for f in facts for i in f.imports if not i.level}
    for dep in target.deps:
        known = repository.targets.get(dep)
        if known is not None and known.files and dep not in used and not _only_data(repository, known):
            yield _unused_finding(target, dep, facts[0].file)
        package = package_of(dep)
        family = is_tensorflow if is_tensorflow(package) else is_jax if is_jax(package) else None
        if known is None and family is not None and not any(family(root) for root in roots):
            yield _unused_finding(target, dep, facts[0].file)


def _unused_finding(target: Target, dep: str, file: str) -> Finding:
    return Finding(
        file, 1, "unused", target.label, f"{target.label} depends on {dep}, of which its sources import nothing"
    )


def _only_data(repository: Repository, target: Target) -> bool:
    """Binaries and tests are run, not imported."""
    return target.kind.endswith(("_binary", "_test")) or not any(f.endswith(".py") for f in target.files)
