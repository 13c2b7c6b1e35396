"""The checks of one port, level by level."""

from __future__ import annotations

import ast
import pathlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import flax.nnx as nnx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from parity import call as calls
from parity import jax_randomness, source, trees
from parity.checks import LEVELS, Check, Pair, compare, holds
from parity.optimizer_checks import check_steps
from parity.oracle_file import MODES, PENALTY, Oracle
from parity.own_step_checks import check_own_steps
from parity.ported import Ported
from parity.weights_map import WeightsMap

_FOREIGN = ("tensorflow", "keras", "tf_keras", "tensorflow_probability", "tensorflow_addons", "jaxport")


def run(
    path: str,
    package_root: str | None,
    weights: WeightsMap,
    trace: Mapping[str, Any],
    oracle: Oracle | None,
    level: str,
) -> list[Check]:
    """All checks up to a level, on JAX's default device; those that need what an earlier one found missing are left out."""
    jax_randomness.install()
    checks: list[Check] = [_no_tensorflow(path)]
    if not checks[-1].passed:
        return checks
    module, failure = _attempt(lambda: source.run_module(path, package_root, parents=False), path)
    checks.append(holds("none", "imports without TensorFlow", failure is None, failure or ""))
    loaded = sorted(name for name in _FOREIGN if name in sys.modules)
    if loaded:
        checks.append(holds("none", "loads no TensorFlow", False, f"{', '.join(loaded)} was imported along the way"))
    if module is None or not checks[-1].passed or level == "none":
        return checks
    names = {"nnx": nnx, "jax": jax, "jnp": jnp, "np": np, "optax": optax, **vars(module)}
    entry = weights.data["entry"]
    model, failure = _attempt(lambda: eval(entry, dict(names)), path)  # noqa: S307 - the map's own
    checks.append(holds("shapes", f"makes {entry}", failure is None, failure or ""))
    if failure is not None:
        return checks
    ported = Ported(model, _modes(weights.data), names, weights.data.get("penalty"))
    variables = oracle.variables if oracle is not None else _variables(trace)
    checks += weights.check(variables, ported.leaves())
    if not checks[-1].passed:
        return checks
    checks += list(_shapes(ported, weights, trace, path))
    if oracle is None or not checks[-1].passed:
        return checks
    steps = (
        ("forward", _forward),
        ("gradients", _gradients),
        ("step", check_steps),
        ("step", check_own_steps),
        ("trajectory", check_steps),
    )
    for name, check in steps:
        if LEVELS.index(name) > LEVELS.index(level):
            break
        found, failure = _attempt(
            lambda check=check, name=name: list(check(ported, weights, oracle, name, names)), path
        )
        checks += found or []
        if failure is not None:
            checks.append(holds(name, "runs", False, failure))
            break
    return checks + _nothing_to_train(checks, variables, level)


def _nothing_to_train(checks: Sequence[Check], variables: Sequence[Mapping[str, Any]], level: str) -> list[Check]:
    """Steps hold of what has no weights to train, and are said to; not where an earlier check failed."""
    if any(variable["trainable"] for variable in variables) or not all(check.passed for check in checks):
        return []
    asked = [name for name in ("step", "trajectory") if LEVELS.index(name) <= LEVELS.index(level)]
    there = {check.level for check in checks}
    return [holds(name, "there is no weight to train", True) for name in asked if name not in there]


def _modes(data: Mapping[str, Any]) -> dict[str, str]:
    """The port's call in both modes; one that has no modes is compared with the original in both."""
    inference = data["call"]
    training = calls.in_training(inference)
    if training is None and data.get("mode"):
        training = calls.add_training(inference)
    return {"inference": inference, "training": training or inference}


def _attempt(function: Callable[[], Any], path: str) -> tuple[Any, str | None]:
    try:
        return function(), None
    except Exception as error:
        line = source.line_of(error, path)
        where = f"{path}:{line}: " if line else ""
        text = " ".join(str(error).split())
        return None, f"{where}{type(error).__name__}: {text[:300]}"


def _no_tensorflow(path: str) -> Check:
    """Importing the port must not need TensorFlow; a function that loads data may still use it."""
    tree = ast.parse(pathlib.Path(path).read_text(encoding="utf-8"), path)
    found = sorted({name for name in source.imports(tree, deep=False) if name.split(".")[0] in _FOREIGN})
    return holds("none", "no import of TensorFlow in the source", not found, f"imports {', '.join(found)}")


def _variables(trace: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Variables of the object under test, which have the lowest indices."""
    reachable: set[int] = set()

    def visit(value: Any) -> None:
        if isinstance(value, Mapping):
            for item in value.values():
                visit(item)
        elif isinstance(value, list):
            for item in value:
                visit(item)
        elif isinstance(value, int) and value not in reachable:
            reachable.add(value)
            visit(trace["objects"][value]["attrs"])

    visit(trace["root"])
    found = {v["index"]: v for number in reachable for v in trace["objects"][number]["variables"]}
    return [found[index] for index in sorted(found)]


def _shapes(ported: Ported, weights: WeightsMap, trace: Mapping[str, Any], path: str) -> Iterator[Check]:
    def struct(value: Any) -> Any:
        if isinstance(value, Mapping) and set(value) == {"shape", "dtype"}:
            return jax.ShapeDtypeStruct(tuple(value["shape"]), _narrow(value["dtype"]))
        if isinstance(value, Mapping):
            return {key: struct(item) for key, item in value.items()}
        return [struct(item) for item in value] if isinstance(value, list) else value

    inputs = tuple(struct(value) for value in trace["inputs"])
    found, failure = _attempt(lambda: ported.shapes("inference", inputs), path)
    if failure is not None and "TracerError" not in failure and "Concretization" not in failure:
        yield holds("shapes", "outputs", False, failure)
        return
    if found is None:
        return
    wanted = {p: (tuple(v.shape), str(v.dtype)) for p, v in trees.flatten(struct(trace["outputs"]))}
    problems = [f"output {p!r} is on one side only" for p in sorted(set(found) ^ set(wanted))]
    for output in sorted(set(found) & set(wanted)):
        if found[output] != wanted[output]:
            got, want = found[output], wanted[output]
            problems.append(f"output {output!r} is {got[1]}{list(got[0])}, the original {want[1]}{list(want[0])}")
    yield holds("shapes", "outputs", not problems, "; ".join(problems[:3]))


def _narrow(dtype: str) -> str:
    return {"float64": "float32", "int64": "int32", "uint64": "uint32"}.get(dtype, dtype)


def _restore(ported: Ported, weights: WeightsMap, oracle: Oracle) -> None:
    values = {int(index): array for index, array in oracle.below("weights/").items()}
    ported.set_values(weights.carry(values))


def _evaluations(oracle: Oracle) -> Iterator[tuple[Any, str, str]]:
    for case in oracle.cases:
        for mode in MODES:
            if mode in oracle.modes:
                yield case, mode, f"cases/{case.number}/{mode}/"


def _evaluate(ported: Ported, oracle: Oracle, case: Any, mode: str, prefix: str) -> Any:
    """One case in one mode, with gradients where the port has some; run once, for both levels."""
    if prefix not in ported.evaluated:
        inputs, cotangents = oracle.inputs(case), oracle.below(prefix + "cotangents/")
        try:
            ported.evaluated[prefix] = ported.evaluate(mode, inputs, cotangents)
        except Exception:  # it may run forward only, which is one level
            ported.evaluated[prefix] = ported.evaluate(mode, inputs, None)
    return ported.evaluated[prefix]


def _forward(ported: Ported, weights: WeightsMap, oracle: Oracle, level: str, _: Any) -> Iterator[Check]:
    _restore(ported, weights, oracle)
    for case, mode, prefix in _evaluations(oracle):
        got = _evaluate(ported, oracle, case, mode, prefix)
        for kind in ("outputs/", "state/"):
            wanted = oracle.below(prefix + kind)
            got = got if PENALTY in wanted or got.get(f"outputs/{PENALTY}", 1) != 0 else _without_penalty(got)
            have = {name[len(kind) :]: value for name, value in got.items() if name.startswith(kind)}
            limits = {path: oracle.tolerances[prefix + kind + path] for path in wanted}
            if kind == "state/":
                numbered = {int(index): array for index, array in wanted.items()}
                limits = {e["target"]: limits[str(e["source"])] for e in weights.entries if e["source"] in numbered}
                wanted = weights.carry(numbered)
            if wanted or (kind == "outputs/"):
                label = "output" if kind == "outputs/" else "state"
                pairs = [
                    Pair(path or "it", have[path], wanted[path], limits[path])
                    for path in sorted(wanted)
                    if path in have
                ]
                missing = sorted(set(wanted) ^ set(have)) if kind == "outputs/" else sorted(set(wanted) - set(have))
                yield compare(level, f"{case.title}, {mode}: {label}", pairs, missing)


def _without_penalty(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The sum of the penalties is 0 for a model without any, whose original has none."""
    return {name: value for name, value in arrays.items() if name != f"outputs/{PENALTY}"}


def _gradients(ported: Ported, weights: WeightsMap, oracle: Oracle, level: str, _: Any) -> Iterator[Check]:
    _restore(ported, weights, oracle)
    for case, mode, prefix in _evaluations(oracle):
        cotangents = oracle.below(prefix + "cotangents/")
        if not cotangents:
            continue
        if not any(name.startswith("gradients/") for name in _evaluate(ported, oracle, case, mode, prefix)):
            ported.evaluate(mode, oracle.inputs(case), cotangents)  # raises what it raised
        got = _evaluate(ported, oracle, case, mode, prefix)
        kind = prefix + "gradients/weights/"
        numbered = {int(index): array for index, array in oracle.below(kind).items()}
        wanted = weights.carry(numbered)
        pairs = [
            Pair(p, got[f"gradients/weights/{p}"], wanted[p], oracle.tolerances[f"{kind}{weights.source_of(p)}"])
            for p in sorted(wanted)
        ]
        if pairs:
            yield compare(level, f"{case.title}, {mode}: weights", pairs)
        kind = prefix + "gradients/inputs/"
        pairs = [
            Pair(f"input {path}", got.get(f"gradients/inputs/{path}"), value, oracle.tolerances[kind + path])
            for path, value in sorted(oracle.below(kind).items())
        ]
        if pairs:
            yield compare(level, f"{case.title}, {mode}: inputs", pairs)
