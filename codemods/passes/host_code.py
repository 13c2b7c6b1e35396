"""Which functions of a file are host code: input pipelines, file reading and the like, kept as they are.

A function is host code as a whole where it uses something of the host policy, or is handed to a tf.data pipeline
or called from one, and does nothing with a model. Functions that do both keep the calls of the policy alone
(`hosting.py`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import libcst as cst

from codemods.engine import rule as rules
from codemods.engine.handled import HANDLED
from codemods.engine.walk import children, walk
from codemods.passes.names import read_names
from codemods.passes.unit import MODULE_BASES, Unit
from codemods.policy.entries import Host
from codemods.policy.lookup import host_entry

#: Methods of a dataset that take a function which TensorFlow then calls.
_TAKE_FUNCTIONS = frozenset({"map", "flat_map", "interleave", "filter", "apply", "take_while", "scan", "reduce",
                             "group_by_window", "rejection_resample", "bucket_by_sequence_length"})  # fmt: skip
_PYTHON_CALLS = frozenset({"tf.py_function", "tf.numpy_function", "tf.compat.v1.py_func"})
#: Methods and attributes by which a model or its training shows.
_OF_TRAINING = frozenset({"fit", "compile", "evaluate", "predict", "apply_gradients", "trainable_variables",
                          "trainable_weights", "train_on_batch", "test_on_batch", "predict_on_batch",
                          "save_weights", "load_weights", "update_state"})  # fmt: skip
#: What `handled` code may be in host code: it stays, too.
_NEUTRAL = frozenset({"tf.name_scope", "tf.compat.v1.name_scope", "tf.function", "tf.device", "tf.control_dependencies",
                      "tf.Tensor", "tf.TensorShape", "tf.TensorSpec", "tf.executing_eagerly", "tf.get_static_value",
                      "tf.autograph.experimental.do_not_convert"})  # fmt: skip
#: Passes that only leave things out.
_SILENT_PASSES = (".settings", ".questions")


def kept(symbol: str) -> Host | None:
    """The entry of the host policy for a symbol, where no rule and no pass is there for it."""
    ported = any(symbol in table for table in (rules.OBJECTS, rules.RULES, rules.CONSTANTS, HANDLED))
    return None if ported else host_entry(symbol)


@dataclasses.dataclass
class Definition:
    """A function or method, with what the analysis asks of it.

    Attributes:
      owner: the class of a method.
      reads: names of the module that it reads; `self.NAME` is there as `owner.NAME`.
      tensorflow: does it use TensorFlow at all, itself or by what it calls?
      policy: does it use something of the host policy itself?
      models: does it, or what it calls, make, train or call a model?
    """

    node: cst.FunctionDef
    owner: str | None
    reads: set[str]
    tensorflow: bool = False
    policy: bool = False
    models: bool = False


class HostCode:
    """The host functions of a file, by name (`Class.method` for methods)."""

    def __init__(self, unit: Unit, makes_modules: set[str]):
        """`makes_modules`: functions of the file that make layers or models."""
        self.unit = unit
        self._modules = makes_modules | {name for name in unit.classes if unit.is_module_class(name)}
        self._definitions = {name: self._definition(node, owner) for name, node, owner in self._all()}
        self.handed = self._handed(unit.module)
        self.functions = self._host_functions()
        self.shared = self._shared()

    def is_host(self, name: str) -> bool:
        return name in self.functions

    def method(self, name: str) -> str | None:
        """The one method of this name that is host code, of classes that are no models."""
        every = [n for n, d in self._definitions.items() if d.owner is not None and d.node.name.value == name]
        return every[0] if len(every) == 1 and every[0] in self.functions else None

    def uses_policy(self, name: str) -> bool:
        """Does a function use something of the host policy?"""
        return name in self._definitions and self._definitions[name].policy

    def node(self, name: str) -> cst.FunctionDef:
        return self._definitions[name].node

    # -- what there is -----------------------------------------------------------------------------

    def _all(self) -> Iterator[tuple[str, cst.FunctionDef, str | None]]:
        for name, function in self.unit.functions.items():
            yield name, function, None
        for name, node in self.unit.classes.items():
            for statement in node.body.body if name not in self._modules else ():
                if isinstance(statement, cst.FunctionDef):
                    yield f"{name}.{statement.name.value}", statement, name

    def _definition(self, node: cst.FunctionDef, owner: str | None) -> Definition:
        own = node.params.params[0].name.value if owner and node.params.params else ""
        found = Definition(node, owner, read_names(node.body))
        parameters = {p.name.value for p in [*node.params.params, *node.params.kwonly_params]}
        for part in _chains(node.body):
            symbol = self.unit.symbol(part) if isinstance(part, cst.Name | cst.Attribute) else None
            if symbol is not None:
                found.tensorflow = True
                found.policy = found.policy or kept(symbol) is not None
                found.models = found.models or _is_model_code(symbol)
            elif isinstance(part, cst.Attribute):
                found.models = found.models or part.attr.value in _OF_TRAINING
                if isinstance(part.value, cst.Name) and part.value.value == own:
                    found.reads.add(f"{owner}.{part.attr.value}")
            elif isinstance(part, cst.Call) and isinstance(part.func, cst.Name):
                found.models = found.models or part.func.value in parameters
        found.models = found.models or bool(found.reads & self._modules)
        return found

    def _handed(self, tree: cst.CSTNode) -> set[str]:
        """Names of functions that a pipeline is given, and of those that the lambdas given to one call."""
        found: set[str] = set()
        for call in walk(tree):
            if not isinstance(call, cst.Call):
                continue
            method = isinstance(call.func, cst.Attribute) and call.func.attr.value in _TAKE_FUNCTIONS
            symbol = self.unit.symbol(call.func)
            if symbol in _PYTHON_CALLS or (method and symbol is None) or (symbol or "").startswith("tf.data."):
                for arg in call.args:
                    found |= _functions_named(arg.value)
        return found

    # -- what is host code ---------------------------------------------------------------------------

    def _host_functions(self) -> set[str]:
        every = self._definitions
        for trait in ("models", "tensorflow"):  # what calls code with a model runs a model, and so on
            while True:
                has = {name for name, d in every.items() if getattr(d, trait)}
                more = [d for name, d in every.items() if name not in has and d.reads & has]
                if not more:
                    break
                for definition in more:
                    setattr(definition, trait, True)
        handed = {name for name, d in every.items() if d.tensorflow and {name, d.node.name.value} & self.handed}
        found = {name for name, d in every.items() if (d.policy or name in handed) and not d.models}
        while True:  # what host code calls is host code
            called = {r for n in found for r in every[n].reads & every.keys() if every[r].tensorflow} - found
            if not called:
                return found
            found |= called

    def _shared(self) -> set[str]:
        """Host functions that compiled or differentiated code calls, too: they would have to be two."""
        inside: set[str] = set()
        outside: set[str] = set()
        for name in self._modules:
            inside |= read_names(self.unit.classes[name] if name in self.unit.classes else self.unit.functions[name])
        for name, definition in self._definitions.items():
            if name not in self.functions:
                outside |= definition.reads
        tensors = {n for n in self.functions if not self._definitions[n].policy and n not in self.handed}
        return self.functions & (inside | outside & tensors)


def _is_model_code(symbol: str) -> bool:
    if symbol in rules.OBJECTS or symbol in MODULE_BASES:
        return True
    if symbol in rules.RULES:
        return symbol.startswith("tf.keras.optimizers.")
    return symbol in HANDLED and symbol not in _NEUTRAL and not HANDLED[symbol][0].where.endswith(_SILENT_PASSES)


def _chains(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """All nodes, of a chain of attributes the whole alone; not what keyword names and definitions bind."""
    todo = [node]
    while todo:
        part = todo.pop()
        yield part
        if isinstance(part, cst.Attribute):
            inner: cst.BaseExpression = part.value
            while isinstance(inner, cst.Attribute):
                inner = inner.value
            if not isinstance(inner, cst.Name):
                todo.append(inner)
        elif isinstance(part, cst.Arg):
            todo.append(part.value)
        else:
            todo += reversed(children(part))


def _functions_named(node: cst.BaseExpression) -> set[str]:
    """The functions that an argument stands for."""
    if isinstance(node, cst.Name):
        return {node.value}
    if isinstance(node, cst.Attribute):
        return {node.attr.value}
    if isinstance(node, cst.Lambda):
        calls = [part.func for part in walk(node.body) if isinstance(part, cst.Call)]
        return set().union(*[_functions_named(f) for f in calls if isinstance(f, cst.Name | cst.Attribute)], set())
    if isinstance(node, cst.Call):  # functools.partial(f, ...), or a function that makes one
        return set().union(*[_functions_named(a.value) for a in node.args if isinstance(a.value, cst.Name)], set())
    return set()
