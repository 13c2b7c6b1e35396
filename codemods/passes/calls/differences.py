"""Notes on the differences that rules declare, at the calls where they can show."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from codemods.engine import rule as rules
from codemods.engine.outcome import Span
from codemods.engine.rule import Array, ObjectRule, Rule, Sample
from codemods.engine.template import DYNAMIC, Arg
from codemods.engine.touching import UNKNOWN as NOT_KNOWN
from codemods.engine.touching import Site, Tensor, touches
from codemods.passes.calls.layer_constructors import constructor_signature
from codemods.passes.frame import Frame
from codemods.passes.modules import LayerInstance
from codemods.passes.values import UNKNOWN, Value


class Differences:
    """Asks of each rewritten call which of its rule's differences it touches."""

    def note_rule(self, entry: Rule, symbol: str, bound: Mapping[str, Any], place: Span, frame: Frame) -> None:
        """A call by a rule of a function, method or attribute."""
        if not entry.differences or not frame.emit:
            return
        self._note(entry, symbol, _site(entry, entry.signature, bound, frame.unit.keras2), place, place, frame)

    def note_object(self, layer: LayerInstance, bound: Mapping[str, Any], call: Span, frame: Frame) -> None:
        """A call of a layer or loss, or an update of a metric; the note stands where the object is made."""
        entry = layer.rule
        if not entry.differences or not frame.emit:
            return
        place = layer.span if layer.span.line else call
        site = _site(entry, constructor_signature(entry), {**layer.arguments, **bound}, frame.unit.keras2)
        self._note(entry, layer.symbol, site, place, call, frame)

    def _note(self, entry: Rule | ObjectRule, symbol: str, site: Site, place: Span, call: Span, frame: Frame) -> None:
        for difference in entry.differences:
            shown = symbol if "." in symbol else f"`{symbol}` of a tensor"
            text = f"{shown}, {difference.when}: {difference.truth}"
            # What is known of a call grows while functions are evaluated again: the last time counts.
            key = (frame.function, place, call, text)
            frame.unit.differences[key] = touches(difference.covers, difference.at, site)


def _site(entry: Rule | ObjectRule, signature: inspect.Signature, bound: Mapping[str, Any], keras2: bool) -> Site:
    defaults = {name: p.default for name, p in signature.parameters.items() if p.default is not p.empty}
    arrays = set().union(*(_array_parameters(entry, sample) for sample in entry.samples))
    tensors, inner = [], []
    for name, value in bound.items():
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Value):
                tensors += _tensors(part, name in arrays)
                inner += _inner(part, keras2)
    return Site(
        {**defaults, **{name: _known(value) for name, value in bound.items()}}, frozenset(bound), tensors,
        frozenset(_ranks(entry, sample) for sample in entry.samples), defaults, keras2, inner,
    )  # fmt: skip


def _known(value: Any) -> Any:
    """A Python value, or that it is not known."""
    if isinstance(value, Arg):
        return NOT_KNOWN if value.value is DYNAMIC else value.value
    if not isinstance(value, Value):
        return NOT_KNOWN
    if value.known is not UNKNOWN:
        return value.known
    if value.items is not None:
        items = [_known(item) for item in value.items]
        return NOT_KNOWN if NOT_KNOWN in items else items
    return NOT_KNOWN


def _inner(value: Value, keras2: bool) -> Iterator[Site]:
    """A layer given to another's constructor."""
    wrapped = value.wrapped
    if isinstance(wrapped, rules.Wrapped):
        values = {name: _known(given) for name, given in wrapped.arguments.items() if isinstance(given, Arg)}
        defaults = {name: given for name, given in wrapped.arguments.items() if not isinstance(given, Arg)}
        yield Site({**defaults, **values}, frozenset(values), (), frozenset(), defaults, keras2)


def _tensors(value: Value, expected: bool) -> Iterator[Tensor]:
    """The tensors of an argument; `expected`: it is one, even if nothing is known of it."""
    if value.tensor is not None:
        yield Tensor(value.tensor.dtype, value.tensor.shape)
    elif value.known is not UNKNOWN:
        if expected and isinstance(value.known, (bool, int, float, list, tuple)):
            yield from _literal(value.known)
    elif value.items is not None:
        for item in value.items:
            yield from _tensors(item, expected)
    elif expected or value.staged:
        yield Tensor()


def _literal(value: Any) -> Iterator[Tensor]:
    """A Python number or list of numbers, as TensorFlow takes it."""
    try:
        array = np.asarray(value)
    except ValueError:  # ragged
        return
    name = {"b": "bool", "i": "int32", "f": "float32"}.get(array.dtype.kind)
    if name is not None:
        yield Tensor(name, array.shape)


def _bound(entry: Rule | ObjectRule, sample: Sample) -> dict[str, Any]:
    """A sample's inputs by parameter."""
    if isinstance(entry, Rule):
        return dict(entry.signature.bind(*sample.args, **sample.kwargs).arguments)
    assert entry.call is not None
    parameters = [p.name for p in inspect.signature(entry.call).parameters.values() if p.kind is not p.KEYWORD_ONLY]
    inputs = sample.x if isinstance(sample.x, tuple) else (sample.x,)
    return dict(zip(parameters[entry.kind == "layer" :], inputs, strict=False)) | dict(sample.call)


def _array_parameters(entry: Rule | ObjectRule, sample: Sample) -> set[str]:
    return {name for name, value in _bound(entry, sample).items() if any(isinstance(x, Array) for x in _leaves(value))}


def _ranks(entry: Rule | ObjectRule, sample: Sample) -> tuple[int, ...]:
    arrays = _array_parameters(entry, sample)
    found = [leaf for name, value in _bound(entry, sample).items() if name in arrays for leaf in _leaves(value)]
    return tuple(len(leaf.shape) if isinstance(leaf, Array) else 0 for leaf in found)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, (Array, int, float)):
        yield value
