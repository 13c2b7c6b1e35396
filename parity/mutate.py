"""Proves that the oracle can tell wrong ports from right ones: injects bugs and expects verify to fail.

    python -m parity.mutate --module DIR/mlp_jax.py --map DIR/weights_map.json \\
        --trace DIR/trace.json --oracle DIR/oracle.safetensors [--certificate DIR/certificate.json]

Exit codes: 0 if every bug is caught, 4 otherwise.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import dataclasses
import json
import os
import pathlib
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
from absl import flags

from parity import oracle_file, verification
from parity.mutations import MUTATIONS, RESET_BEFORE, Change, Mutation, gate_order, optimizer_epsilon
from parity.oracle_file import Oracle
from parity.weights_map import WeightsMap


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A port with one bug.

    Attributes:
      kind: name of the class of bugs.
      what: the bug in words.
      lines: where it is, first and last; zeros for the weights map.
      source: the changed port.
      weights_map: the map that goes with it.
    """

    kind: str
    what: str
    lines: tuple[int, int]
    source: str
    weights_map: Mapping[str, Any]


def mutants(
    source: str, weights_map: Mapping[str, Any], mutations: Sequence[Mutation] = MUTATIONS, per_kind: int = 3
) -> Iterator[Mutant]:
    """All bugs that fit a port, at most `per_kind` of each class.

    Args:
      source: the port.
      weights_map: its map; the optimizer in it is changed too.
      mutations: classes of bugs.
      per_kind: limit; the first places are taken, one change each.
    """
    tree = ast.parse(source)
    expression = weights_map.get("optimizer")
    for mutation in mutations:
        kind = mutation.__name__
        if mutation is optimizer_epsilon and expression and any(mutation(ast.parse(expression))):
            tree_changes = []  # what the port's own training uses is not what is checked
        else:
            tree_changes = list(mutation(tree))[:per_kind]
        for change in tree_changes:
            changed = _replace(source, change)
            if "_reset_before" in change.text:
                changed += RESET_BEFORE
            lines = (change.node.lineno, change.node.end_lineno or change.node.lineno)
            yield Mutant(kind, change.what, lines, changed, weights_map)
        if expression:
            for change in mutation(ast.parse(expression)):
                other = {**weights_map, "optimizer": _replace(expression, change)}
                yield Mutant(kind, change.what, (0, 0), source, other)
    for what, other in list(gate_order(weights_map))[:per_kind]:
        yield Mutant(gate_order.__name__, what, (0, 0), source, other)


def _replace(source: str, change: Change) -> str:
    """The source with the text of one expression exchanged."""
    lines = source.splitlines(keepends=True)
    node = change.node
    assert node.end_lineno is not None and node.end_col_offset is not None
    first, last = lines[node.lineno - 1].encode(), lines[node.end_lineno - 1].encode()
    head, tail = first[: node.col_offset].decode(), last[node.end_col_offset :].decode()
    return "".join([*lines[: node.lineno - 1], f"{head}({change.text}){tail}", *lines[node.end_lineno :]])


def caught(
    mutant: Mutant, name: str, trace: Mapping[str, Any], oracle: Oracle, package_root: str | None = None
) -> bool | None:
    """Does any check fail? Cheap levels are tried first.

    Args:
      mutant: the port with a bug.
      name: file name for it.
      trace: of the original.
      oracle: of the original.
      package_root: folder that the port's package lies in.

    Returns:
      None if the mutant fails without a number being wrong, which says nothing of the oracle.
    """
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        path = os.path.join(folder, name)
        pathlib.Path(path).write_text(mutant.source, encoding="utf-8")
        few = dataclasses.replace(oracle, cases=[case for case in oracle.cases if case.number in _FEW])
        few.arrays = {name: array for name, array in oracle.arrays.items() if "/cotangents/" not in name}
        for level in ("forward", "step" if oracle.level in ("step", "trajectory") else oracle.level):
            part = few if level == "forward" else oracle  # gradients take most of the time to compile
            with _own_flags():
                checks = verification.run(path, package_root, WeightsMap(mutant.weights_map), trace, part, level)
            failed = [check for check in checks if not check.passed]
            if any(check.level == "none" or check.max_abs is None for check in failed):
                return None  # an exception or another shape, which any test would see
            if failed:
                return True
        return False


def executed_lines(
    source: str, weights_map: Mapping[str, Any], name: str, trace: Any, oracle: Oracle
) -> set[int] | None:
    """Lines of a port that the checks run; None if it doesn't pass them."""
    lines: set[int] = set()

    def enter(frame: Any, event: str, _: Any) -> Any:
        return note if os.path.basename(frame.f_code.co_filename) == name else None

    def note(frame: Any, event: str, _: Any) -> Any:
        lines.add(frame.f_lineno)
        return note

    sys.settrace(enter)
    try:
        passed = caught(Mutant("", "", (0, 0), source, weights_map), name, trace, oracle) is False
    finally:
        sys.settrace(None)
    return lines if passed else None


@contextlib.contextmanager
def _own_flags() -> Iterator[None]:
    """Forgets the absl flags that a port defines, so that its mutants can define them again."""
    before = set(flags.FLAGS)
    try:
        yield
    finally:
        for name in set(flags.FLAGS) - before:
            delattr(flags.FLAGS, name)


#: Cases for the first look: plain inputs, and tiny ones, in which epsilons show.
_FEW = (0, 4)


def main(argv: Sequence[str] | None = None) -> int:
    """The program; returns its exit code."""
    parser = argparse.ArgumentParser(prog="mutate", description=__doc__.splitlines()[0], allow_abbrev=False)
    for name in ("module", "map", "trace", "oracle"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--certificate", help="certificate.json to enter the numbers into")
    parser.add_argument("--per_kind", type=int, default=3, help="at most so many bugs of one class")
    options = parser.parse_args(argv)
    trace = json.loads(pathlib.Path(options.trace).read_text(encoding="utf-8"))
    weights_map = json.loads(pathlib.Path(options.map).read_text(encoding="utf-8"))
    oracle = oracle_file.read(options.oracle)
    source = pathlib.Path(options.module).read_text(encoding="utf-8")
    name = os.path.basename(options.module)
    executed = executed_lines(source, weights_map, name, trace, oracle)
    if executed is None:
        print(f"{options.module} itself does not pass, so nothing can be said of the oracle", file=sys.stderr)
        return 2
    found = []
    for mutant in mutants(source, weights_map, per_kind=options.per_kind):
        if mutant.lines[0] and not executed.intersection(range(mutant.lines[0], mutant.lines[1] + 1)):
            continue  # another unit of the same file
        result = caught(mutant, name, trace, oracle)
        where = f"line {mutant.lines[0]}" if mutant.lines[0] else "weights map"
        word = {True: "caught", False: "MISSED", None: "broken"}[result]
        if result is not None:
            found.append(result)
        print(f"{word}  {mutant.kind}: {mutant.what} ({where})", flush=True)
        jax.clear_caches()
    print(f"{sum(found)} of {len(found)} mutants caught")
    if options.certificate:
        path = pathlib.Path(options.certificate)
        certificate = json.loads(path.read_text(encoding="utf-8"))
        certificate["oracle"] = {**(certificate["oracle"] or {}), "mutants": len(found), "caught": sum(found)}
        path.write_text(json.dumps(certificate, indent=1) + "\n", encoding="utf-8")
    return 0 if all(found) else 4


if __name__ == "__main__":
    sys.exit(main())
