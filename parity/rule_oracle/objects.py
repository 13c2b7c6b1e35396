"""One sample of an object rule, built on both sides, with the weights carried over."""

from __future__ import annotations

import dataclasses
import fnmatch
import inspect
import types
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from codemods.engine.api import canonical
from codemods.engine.rule import COMMON_LAYER_ARGUMENTS, OBJECTS, Made, ObjectRule, Sample, Weight, Wrapped
from parity.rule_oracle import compare

RNGS = 7


@dataclasses.dataclass
class Case:
    """A sample of a rule, with arrays drawn.

    Attributes:
      config: the constructor's arguments by parameter of `make` (or of `call`), defaults included.
      inputs: positional inputs of the call. A list stands for one that is a list.
      options: keywords of the call.
    """

    rule: ObjectRule
    symbol: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    config: dict[str, Any]
    inputs: tuple[Any, ...]
    options: dict[str, Any]

    @classmethod
    def of(cls, rule: ObjectRule, symbol: str, sample: Sample, index: int) -> Case:
        rng = compare.seed_of(symbol, index)
        args, kwargs = compare.drawn((sample.args, dict(sample.kwargs)), rng)
        x = compare.drawn(sample.x, rng)
        inputs = x if isinstance(x, tuple) else (x,)
        options = compare.drawn(dict(sample.call), rng)
        return cls(rule, symbol, args, kwargs, constructor(rule, args, kwargs), inputs, options)

    def source(self) -> Any:
        """The original's object."""
        args, kwargs = compare.mapped(compare.for_tf, (self.args, self.kwargs))
        return compare.source_object(self.symbol)(*args, **kwargs)

    def made(self, seed: int = RNGS) -> Any:
        """The port's object, by the body of `make`; None where there is none."""
        if self.rule.make is None:
            return None
        extra = {**self.stand_ins(), "rngs": nnx.Rngs(seed)}
        return _take(self.rule.make, (), {**self.config, **extra})

    def stand_ins(self) -> dict[str, Any]:
        """What `make` sees of the inputs, by name: `x` for the first, others by their names in `call`."""
        found = {name: _outline(value) for name, value in self.named_inputs().items()}
        return {**found, "x": _outline(self.inputs[0])}

    def named_inputs(self) -> dict[str, Any]:
        """The call's inputs by parameter, None for those not given."""
        assert self.rule.call is not None
        names = [p.name for p in inspect.signature(self.rule.call).parameters.values() if p.kind is not p.KEYWORD_ONLY]
        if self.rule.kind == "layer":
            names = names[1:]
        bound = dict(zip(names, self.inputs, strict=False)) | {k: v for k, v in self.options.items() if k in names}
        return {name: bound.get(name) for name in names}

    def call(self, made: Any, inputs: tuple[Any, ...], training: bool = False) -> Any:
        """The port's result, by the body of `call`."""
        assert self.rule.call is not None
        first = (made,) if self.rule.kind == "layer" else ()
        args, options = compare.mapped(compare.for_jax, ((*first, *inputs), self.options))
        return _take(self.rule.call, args, {**self.config, **options, "training": training})

    def weights(self, source: Any) -> Iterator[tuple[Any, str, Weight]]:
        """(variable of the original, path below the port's module, weight entry)."""
        yield from _weights(self.rule, self.config, source, "")


def constructor(rule: ObjectRule, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Constructor arguments by name, as bodies take them. Those common to all layers are the engine's."""
    if rule.make is None:
        assert not args, "a rule without `make` has no order of arguments"
        parameters: dict[str, Any] = dict(kwargs)
    else:
        own = [p for p in inspect.signature(rule.make).parameters.values() if p.kind is not p.KEYWORD_ONLY]
        names = {p.name for p in own}
        given = {k: v for k, v in kwargs.items() if k in names or not _is_common(k)}
        bound = inspect.Signature(own).bind(*args, **given)
        bound.apply_defaults()
        parameters = dict(bound.arguments)
    return {name: compare.for_jax(value) for name, value in parameters.items()}


def _is_common(name: str) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in COMMON_LAYER_ARGUMENTS)


def _outline(value: Any) -> Any:
    if isinstance(value, list):
        return [_outline(item) for item in value]
    return types.SimpleNamespace(shape=value.shape) if isinstance(value, np.ndarray) else value


def _take(body: Any, args: tuple[Any, ...], values: Mapping[str, Any]) -> Any:
    names = list(inspect.signature(body).parameters)[len(args) :]
    return body(*args, **{name: values[name] for name in names if name in values})


def _weights(
    rule: ObjectRule, config: Mapping[str, Any], source: Any, prefix: str
) -> Iterator[tuple[Any, str, Weight]]:
    for name, entries in rule.weights.items():
        variable = source
        for part in name.split("."):
            variable = getattr(variable, part, None)
        if variable is None:
            continue
        for weight in [entries] if isinstance(entries, Weight) else entries:
            yield variable, ".".join(filter(None, [prefix, weight.target])), weight
    wrapped = [config[name] for name in rule.wraps if isinstance(config.get(name), Wrapped)]
    for attribute, path in rule.children.items():
        inner = getattr(source, attribute, None)
        if inner is None:
            continue
        held = OBJECTS.get(canonical(f"tf.keras.layers.{type(inner).__name__}"))
        found = next((w for w in wrapped if w.rule is held), wrapped[0] if wrapped else None)
        if found is not None:
            yield from _weights(found.rule, found.arguments, inner, ".".join(filter(None, [prefix, path])))


def stepped(value: Any, steps: tuple[tuple[Any, ...], ...]) -> np.ndarray:
    """A variable's value in the layout of the port."""
    array = np.asarray(value)
    for kind, *rest in steps:
        if kind == "transpose":
            array = array.transpose(rest[0])
        elif kind == "reshape":
            shape = [array.shape[i] if size == 0 else size for i, size in enumerate(rest[0])]
            array = array.reshape(shape)
        elif kind == "blocks":
            axis, order = rest
            blocks = np.split(array, len(order), axis)
            array = np.concatenate([blocks[i] for i in order], axis)
        elif kind == "take":
            array = np.take(array, rest[1], axis=rest[0])
        else:
            raise AssertionError(f"no step {kind}")
    return array


def flat(module: Any) -> dict[str, nnx.Variable]:
    """Weights and statistics of a module by path."""
    state = nnx.to_flat_state(nnx.state(module, nnx.Not(nnx.RngState)))
    return {".".join(map(str, path)): variable for path, variable in state}


def carry(case: Case, source: Any, module: Any) -> dict[str, tuple[Any, Weight]]:
    """Copies the original's weights into the module; every one on either side must have a place."""
    if module is None:
        assert not _variables(source), "the original has weights, the port no object"
        return {}
    places = {path: (variable, weight) for variable, path, weight in case.weights(source)}
    targets = flat(module)
    assert places.keys() == targets.keys(), f"weights have {sorted(places)}, the module {sorted(targets)}"
    placed = {id(variable) for variable, _ in places.values()}
    lost = [v.name for v in _variables(source) if id(v) not in placed]
    assert not lost, f"weights without a place: {lost}"
    for path, (variable, weight) in places.items():
        value = stepped(variable, weight.steps)
        assert value.shape == targets[path].shape, f"{path}: {value.shape} for {targets[path].shape}"
        owner = module
        *parts, last = path.split(".")
        for part in parts:
            owner = owner[int(part)] if part.isdigit() else getattr(owner, part)
        getattr(owner, last)[...] = jnp.asarray(value)
    return places


def _variables(source: Any) -> list[Any]:
    return [v for v in getattr(source, "weights", []) if "seed" not in v.name]


def perturb(source: Any, rng: np.random.Generator) -> None:
    """Gives the original weights that no two of are alike, and variances that are positive."""
    for variable in _variables(source):
        value = rng.normal(0, 0.4, variable.shape)
        variable.assign(np.abs(value) + 0.5 if "variance" in variable.name else value)
    if hasattr(source, "finalize_state"):  # Normalization computes with a copy of its weights
        source.finalize_state()


def is_array(value: Any) -> bool:
    return isinstance(value, (np.ndarray, jax.Array))


__all__ = ["Case", "Made", "carry", "constructor", "flat", "is_array", "perturb", "stepped"]
