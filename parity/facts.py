"""Turns what the tracer saw into the `objects` of trace.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from parity import call as calls
from parity.frameworks import Frameworks
from parity.tracer import Seen, Tracer
from parity.trees import dtype_name, shape_list

_BOOKKEEPING = frozenset(
    "_layers _functional _operations _operations_by_depth _operations_by_name _inbound_nodes _outbound_nodes "
    "_tracker _metrics _losses _seed_generators _input_layers _output_layers _nested_inputs _nested_outputs "
    "_nodes _nodes_by_depth _layer_call_argspecs _obj_reference_counts_dict _undeduplicated_weights "
    "_layer_checkpoint_dependencies _created_nodes _network_nodes _input_coordinates _output_coordinates".split()
)
#: Variables that tf_keras keeps for itself.
_COUNTERS = frozenset("steps_per_execution _steps_per_execution _train_counter _test_counter _predict_counter".split())


class Facts:
    """The objects of one run, with ids, attributes and variables.

    Args:
      tracer: what was seen.
      frameworks: to tell the frameworks' classes from the user's.
      root: the object under test, or a tuple, list or dict of several; None for a plain function.
      user_modules: names of the user's modules, whose plain classes are looked into.

    Attributes:
      variables: of the object under test, in the order of their indices; then those of other objects.
      under_test: how many of them belong to the object under test.
      modules: names of the user's modules.
    """

    def __init__(self, tracer: Tracer, frameworks: Frameworks, root: Any, user_modules: set[str]):
        self._tracer = tracer
        self._frameworks = frameworks
        self.modules = user_modules
        self._attributes: dict[int, dict[str, Any]] = {}
        self._seen: dict[int, Seen] = {key: seen for key, seen in tracer.seen.items() if self._is_made(seen.value)}
        self._root = root
        reachable = self._reach([] if root is None else calls.models(root))
        made = [s.value for s in self._seen.values() if s.site or not frameworks.is_framework(type(s.value))]
        others = [value for value in self._reach(made) if id(value) not in set(map(id, reachable))]
        order = {key: number for number, key in enumerate(self._seen)}
        self.values = sorted([*reachable, *others], key=lambda value: order[id(value)])
        self.ids = {id(value): number for number, value in enumerate(self.values)}
        self.variables: list[Any] = []
        self._own: dict[int, list[tuple[int, Any]]] = {}
        claimed: set[int] = set()
        for value in [*reachable, *others]:
            self._claim(value, claimed)
        self.under_test = sum(len(self._own.get(id(value), ())) for value in reachable)
        self._renumber(reachable, others)

    def root_id(self) -> Any:
        """The id of the object under test; a list or dict of ids where there are several."""
        return None if self._root is None else self._numbered(self._root)

    def objects(self) -> list[dict[str, Any]]:
        """The objects as in trace.json, in the order of their construction."""
        return [self._object(value) for value in self.values]

    def left_out(self) -> tuple[str, type] | None:
        """A variable that a layer holds and does not train: Keras 3 knows only what `add_weight` makes, Keras 2 every one."""
        for value in self.values:
            if isinstance(value, self._frameworks.keras.layers.Layer):
                known = {id(weight) for weight in value.weights}
                for name, item in vars(value).items():
                    held = isinstance(item, self._frameworks.tf.Variable) and id(item) not in known
                    if held and name not in _COUNTERS and is_trained(item):
                        return name, type(value)
        return None

    def _object(self, value: Any) -> dict[str, Any]:
        cls = type(value)
        seen = self._seen[id(value)]
        name = self._frameworks.name_of(cls)
        user = not self._frameworks.is_framework(cls)
        return {
            "id": self.ids[id(value)],
            "class": cls.__qualname__ if user else name or cls.__name__,
            "base": self._frameworks.base_of(cls),
            "user": user,
            "site": seen.site,
            "args": seen.args,
            "attrs": {key: self._numbered(item) for key, item in self._attributes[id(value)].items()},
            "calls": seen.calls,
            "variables": [self._variable(value, index, item) for index, item in self._own.get(id(value), ())],
        }

    def _numbered(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key): self._numbered(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._numbered(item) for item in value]
        return self.ids.get(id(value))

    def _variable(self, owner: Any, index: int, variable: Any) -> dict[str, Any]:
        path = getattr(variable, "path", None) or variable.name
        path = path.removesuffix(":0")
        return {
            "index": index,
            "name": path.split("/")[-1],
            "attr": _attribute_of(owner, variable),
            "path": path,
            "shape": shape_list(variable.shape),
            "dtype": dtype_name(variable.dtype),
            "trainable": is_trained(variable),
        }

    def _is_made(self, value: Any) -> bool:
        """Was the object's constructor run? Keras makes an instance of a functional subclass that it throws away."""
        return not isinstance(value, self._frameworks.keras.layers.Layer) or hasattr(value, "built")

    def _reach(self, values: list[Any]) -> list[Any]:
        """All objects below some, parents first."""
        found: dict[int, Any] = {}
        stack = values[::-1]
        while stack:
            value = stack.pop()
            if id(value) in found:
                continue
            found[id(value)] = value
            if id(value) not in self._seen:
                self._seen[id(value)] = Seen(value, [], {})
            if id(value) not in self._attributes:
                self._attributes[id(value)] = self._children(value)
            stack += list(_objects(self._attributes[id(value)]))[::-1]
        return list(found.values())

    def _children(self, value: Any) -> dict[str, Any]:
        attributes = dict(getattr(value, "__dict__", {}))
        named: dict[str, Any] = {}
        if isinstance(value, self._frameworks.keras.Model) and "layers" not in attributes:
            kind = self._frameworks.base_of(type(value))
            if kind in ("tf.keras.Functional", "tf.keras.Sequential"):
                named["layers"] = self._traced(list(value.layers))
        taken = set(map(id, _objects(named)))
        for private in (False, True):
            for name, item in attributes.items():
                if name.startswith("_") is not private or name in _BOOKKEEPING or name.startswith("_self_"):
                    continue
                found = self._traced(item)
                inside = list(_objects({"": found}))
                if inside and not (private and all(id(x) in taken for x in inside)):
                    named[name] = found
                    taken.update(map(id, inside))
        return named

    def _traced(self, value: Any, depth: int = 0) -> Any:
        """The value with None for all that isn't a traced object, a list or a dict of them."""
        if id(value) in self._seen or self._is_plain(value):
            return value
        if depth < 4 and isinstance(value, Mapping) and not isinstance(value, type):
            items = {str(key): self._traced(item, depth + 1) for key, item in list(value.items())}
            return items if any(True for _ in _objects(items)) else None
        if depth < 4 and isinstance(value, (list, tuple)):
            listed = [self._traced(item, depth + 1) for item in value]
            return listed if any(True for _ in _objects({"": listed})) else None
        return None

    def _is_plain(self, value: Any) -> bool:
        """An instance of a user's class with variables or layers in it."""
        cls = type(value)
        if cls.__module__ not in self.modules or isinstance(value, type) or not hasattr(value, "__dict__"):
            return False
        items = list(vars(value).values())
        return any(id(item) in self._seen or isinstance(item, self._frameworks.tf.Variable) for item in items)

    def _claim(self, value: Any, claimed: set[int]) -> None:
        """Gives the object the variables that none of its children has."""
        if id(value) in self._own:
            return
        self._own[id(value)] = []
        for child in _objects(self._attributes[id(value)]):
            self._claim(child, claimed)
        for variable in self._candidates(value):
            if id(variable) not in claimed:
                claimed.add(id(variable))
                self._own[id(value)].append((-1, variable))

    def _candidates(self, value: Any) -> Iterator[Any]:
        if isinstance(value, self._frameworks.keras.layers.Layer):
            counted = {id(variable) for variable in self._of_metrics(value)}
            yield from (weight for weight in value.weights if id(weight) not in counted)
        elif isinstance(value, self._frameworks.tf.Module):
            yield from value.variables
        for name, item in getattr(value, "__dict__", {}).items():
            if name in _COUNTERS:
                continue
            for held in item if isinstance(item, (list, tuple)) else (item,):
                if isinstance(held, self._frameworks.tf.Variable) and held.dtype.name != "resource":
                    yield held

    def _of_metrics(self, layer: Any) -> Iterator[Any]:
        """Variables of the metrics that a layer holds, which Keras 2 counts among its weights."""
        for item in vars(layer).values():
            for held in item if isinstance(item, (list, tuple)) else (item,):
                if isinstance(held, self._frameworks.keras.metrics.Metric):
                    yield from held.variables

    def _renumber(self, reachable: list[Any], others: list[Any]) -> None:
        for value in [*reachable, *others]:
            own = [variable for _, variable in self._own[id(value)]]
            start = len(self.variables)
            self._own[id(value)] = list(enumerate(own, start))
            self.variables += own


def is_trained(variable: Any) -> bool:
    """Does an optimizer change the variable? Counters may be marked so, and can't be."""
    return bool(variable.trainable) and "float" in dtype_name(variable.dtype)


def _objects(attributes: Any) -> Iterator[Any]:
    if isinstance(attributes, Mapping):
        for item in attributes.values():
            yield from _objects(item)
    elif isinstance(attributes, list):
        for item in attributes:
            yield from _objects(item)
    elif attributes is not None:
        yield attributes


def _attribute_of(owner: Any, variable: Any) -> str | None:
    """The attribute that holds a variable, without the underscore if there is a property of that name."""
    for name, value in getattr(owner, "__dict__", {}).items():
        if value is variable:
            public = name.removeprefix("_")
            return public if hasattr(type(owner), public) else name
        if isinstance(value, (list, tuple)) and not name.startswith("_"):
            for index, item in enumerate(value):
                if item is variable:
                    return f"{name}.{index}"
        if isinstance(value, Mapping) and not name.startswith("_"):
            for key, item in value.items():
                if item is variable:
                    return f"{name}.{key}"
    return None
