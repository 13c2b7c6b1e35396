"""Watches how the original makes and calls its layers, models and modules."""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from parity import trees
from parity.frames import Frames
from parity.frameworks import Frameworks

_NOT_CALLS = frozenset(
    "build call get_config from_config compute_output_shape compute_output_spec compute_mask compile fit evaluate "
    "predict train_step test_step predict_step add_weight build_from_config get_build_config".split()
)


class Seen:
    """What was seen of one object.

    Attributes:
      value: the object; held, so that its id stays its own.
      site: user frames of the constructor call, outermost first.
      args: arguments of the constructor by name.
      calls: distinct calls, as in trace.json.
    """

    def __init__(self, value: Any, site: list[dict[str, Any]], args: dict[str, Any]):
        self.value = value
        self.site = site
        self.args = args
        self.calls: list[dict[str, Any]] = []
        self._known: set[str] = set()

    def add(self, call: dict[str, Any]) -> None:
        """Notes a call, once: Keras may run a call a second time to learn its shapes."""
        site = dict(call["site"] or {}, invocation=None)
        key = json.dumps({**call, "site": site}, sort_keys=True)
        if key not in self._known:
            self._known.add(key)
            self.calls.append(call)


class Tracer:
    """Hooks into `Layer` and `tf.Module` by their public classes.

    Attributes:
      seen: what was seen, by id of the object, in the order of construction.
      recording: calls are noted; off while the oracle runs.
      only: ids of the objects whose calls are noted; None for all.
    """

    def __init__(self, frameworks: Frameworks, frames: Frames):
        self.frameworks = frameworks
        self.frames = frames
        self.seen: dict[int, Seen] = {}
        self.recording = True
        self.only: set[int] | None = None
        self._wrapped: set[type] = set()
        self._handed: tuple[Any, Any] | None = None
        keras = frameworks.keras
        self._layer: type = keras.layers.Layer
        self._ignored = (keras.metrics.Metric, keras.optimizers.Optimizer, keras.losses.Loss)

    def install(self) -> None:
        """Hooks into the base classes, for the rest of the process."""
        self._hook_new(self._layer)
        self._hook_model()
        if not issubclass(self._layer, self.frameworks.tf.Module):
            self._hook_new(self.frameworks.tf.Module)
        else:
            self._hook_new(self.frameworks.tf.Module, apart_from=self._layer)
        original = self._layer.__call__

        @functools.wraps(original)
        def called(layer: Any, *args: Any, **kwargs: Any) -> Any:
            caller = sys._getframe(1)
            return self._note("call", layer, caller, functools.partial(original, layer), args, kwargs)

        self._layer.__call__ = called  # type: ignore[method-assign]

    def without_calls(self) -> set[int]:
        """Ids of the objects that were not called yet."""
        return {key for key, seen in self.seen.items() if not seen.calls}

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Within this, no call is noted."""
        before, self.recording = self.recording, False
        try:
            yield
        finally:
            self.recording = before

    def watch_class(self, cls: type) -> None:
        """Notes the construction and calls of a user's plain class, which has no base to hook into."""
        if cls in self._wrapped or "__init__" not in vars(cls) or hasattr(cls, "__slots__"):
            return
        original: Callable[..., None] = cls.__init__  # type: ignore[misc]

        @functools.wraps(original)
        def made(instance: Any, *args: Any, **kwargs: Any) -> None:
            if type(instance) is cls:
                self._made(instance, sys._getframe(1), args, kwargs)
            original(instance, *args, **kwargs)

        cls.__init__ = made  # type: ignore[misc]
        self._wrap_methods(cls)

    def _hook_new(self, base: type, apart_from: type | None = None) -> None:
        original = base.__new__ if "__new__" in vars(base) else None

        def made(cls: type, *args: Any, **kwargs: Any) -> Any:
            following: Any = original or super(base, cls).__new__  # type: ignore[arg-type]
            instance = following(cls) if following is object.__new__ else following(cls, *args, **kwargs)
            if isinstance(instance, self._ignored) or (apart_from is not None and issubclass(cls, apart_from)):
                return instance
            self._wrap_methods(type(instance))
            self._made(instance, sys._getframe(1), args, kwargs)
            return instance

        base.__new__ = made  # type: ignore[assignment, method-assign]

    def _hook_model(self) -> None:
        """Keeps the arguments that Keras's Model doesn't hand on to Layer."""
        model: type = self.frameworks.keras.Model
        original = model.__new__

        def made(cls: type, *args: Any, **kwargs: Any) -> Any:
            self._handed = (args, dict(kwargs))
            try:
                return original(cls, *args, **kwargs)
            finally:
                self._handed = None

        model.__new__ = made  # type: ignore[assignment, method-assign]

    def _made(self, instance: Any, caller: types.FrameType, args: Any, kwargs: Any) -> None:
        if id(instance) in self.seen:
            return
        args, kwargs = self._handed or (args, kwargs)
        frame = self.frames.caller(caller, skip=instance)
        site = self.frames.stack(frame) if frame is not None else []
        self.seen[id(instance)] = Seen(instance, site, bind_arguments(type(instance), args, kwargs))

    def _wrap_methods(self, cls: type) -> None:
        """Notes calls of the user's own methods; `call` itself is seen by the hook of its class."""
        for base in cls.__mro__:
            if base in self._wrapped or self.frameworks.is_framework(base):
                continue
            self._wrapped.add(base)
            for name, function in list(vars(base).items()):
                if isinstance(function, types.FunctionType) and self._is_noted(base, name):
                    setattr(base, name, self._wrap_method(name, function))

    def _is_noted(self, cls: type, name: str) -> bool:
        if issubclass(cls, self._layer):
            return not name.startswith("_") and name not in _NOT_CALLS
        return name == "__call__" or not name.startswith("_")

    def _wrap_method(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def called(instance: Any, *args: Any, **kwargs: Any) -> Any:
            caller = sys._getframe(1)
            return self._note(name, instance, caller, functools.partial(function, instance), args, kwargs)

        return called

    def _note(self, method: str, instance: Any, caller: Any, function: Any, args: Any, kwargs: Any) -> Any:
        seen = self.seen.get(id(instance)) if self.recording else None
        outputs = function(*args, **kwargs)
        if seen is None or not (trees.has_array(args) or trees.has_array(kwargs) or trees.has_array(outputs)):
            return outputs
        if self.only is not None and id(instance) not in self.only:
            return outputs
        frame = self.frames.caller(caller, skip=instance)
        seen.add(
            {
                "method": method,
                "inputs": [trees.describe(arg) for arg in args],
                "kwargs": {key: trees.describe(value) for key, value in kwargs.items() if value is not None},
                "outputs": trees.describe(outputs),
                "site": self.frames.site(frame) if frame is not None else None,
            }
        )
        return outputs


def bind_arguments(cls: type, args: Any, kwargs: Any) -> dict[str, Any]:
    """Constructor arguments by name, defaults included; those that aren't JSON are left out."""
    try:
        bound = inspect.signature(cls.__init__).bind(None, *args, **kwargs)  # type: ignore[misc]
    except (TypeError, ValueError):
        return {}
    bound.apply_defaults()
    named: dict[str, Any] = {}
    for index, (name, parameter) in enumerate(bound.signature.parameters.items()):
        if index == 0:
            continue
        value = bound.arguments[name]
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            named.update(value)
        else:
            named[name] = value
    return {name: plain for name, value in named.items() for known, plain in [as_json(value)] if known}


def as_json(value: Any) -> tuple[bool, Any]:
    """`(True, value as JSON)`, or `(False, None)` for what has no such form."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return True, value
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return as_json(value.item())
    if isinstance(value, (list, tuple)):
        items = [as_json(item) for item in value]
        return all(known for known, _ in items), [item for _, item in items]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        items = [as_json(item) for item in value.values()]
        return all(known for known, _ in items), dict(zip(value, [item for _, item in items], strict=True))
    return False, None
