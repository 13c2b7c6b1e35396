"""Initializers written as dicts, `{"class_name": "VarianceScaling", "config": {...}}`: the function that they describe.

A dict is taken for an initializer where nothing but arguments and parameters called so read it. Any other dict of the
file is known to be one, so that it is never printed where Flax wants a function.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from typing import Any

import libcst as cst

from codemods.engine import rule as rules
from codemods.engine.walk import nodes_of
from codemods.passes.calls.binding import symbols_of
from codemods.passes.calls.calls import INITIALIZER
from codemods.passes.frame import Frame
from codemods.passes.lazy_build import LazyBuild
from codemods.passes.names import assigned_names
from codemods.passes.values import TensorType, Value, text

#: `special[0]` of a dict that is written out.
DICT = "dict"
_NAMED = re.compile(r"(^|_)init(ializer)?$")
_MAKES = re.compile(r"^tf\.keras\.initializers\.|^tf\.[a-z_]+_initializer$")
_KEYS = {"class_name", "config"}
_MORE_KEYS = {"module", "registered_name"}


class Serialized(LazyBuild):
    """Reads dicts as what Keras makes of them."""

    def start(self) -> None:
        super().start()
        #: Dicts that stand for initializers, by identity, and the names of those that the file binds.
        self.described: dict[int, cst.Dict] = {}
        #: Names that the file binds once, at module level, to a dict.
        self.dict_names: dict[str, cst.Dict] = {}
        self._read_dicts()

    def _read_dicts(self) -> None:
        """Finds dicts that describe initializers: given as such, or bound to a name that is only given as such."""
        module = self.unit.module
        bound = Counter(name for node in nodes_of(module, cst.Assign) for name in assigned_names(node))
        for holder in nodes_of(module, cst.Arg, cst.Param):
            value = holder.value if isinstance(holder, cst.Arg) else holder.default
            if isinstance(value, cst.Dict) and _takes_initializer(holder) and _description(value) is not None:
                self.described[id(value)] = value
        for node in nodes_of(module, cst.Assign):
            target = node.targets[0].target
            if len(node.targets) != 1 or not isinstance(target, cst.Name) or bound[target.value] != 1:
                continue
            if isinstance(node.value, cst.Dict):
                if _description(node.value) is not None and self._only_given(target):
                    self.described[id(node.value)] = node.value
        for statement in module.body:
            small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
            if isinstance(small, cst.Assign) and isinstance(small.value, cst.Dict):
                for name in assigned_names(small):
                    self.dict_names[name] = small.value

    def _only_given(self, target: cst.Name) -> bool:
        """Is a name read only where an initializer is taken?"""
        module, name = self.unit.module, target.value
        given = [h.value if isinstance(h, cst.Arg) else h.default
                 for h in nodes_of(module, cst.Arg, cst.Param) if _takes_initializer(h)]  # fmt: skip
        fitting = {id(value) for value in given if isinstance(value, cst.Name)}
        keywords = {id(arg.keyword) for arg in nodes_of(module, cst.Arg) if arg.keyword is not None}
        keywords |= {id(param.name) for param in nodes_of(module, cst.Param)}
        keywords |= {id(node.attr) for node in nodes_of(module, cst.Attribute)}
        reads = [n for n in nodes_of(module, cst.Name) if n.value == name and n is not target and id(n) not in keywords]
        return bool(reads) and all(id(read) in fitting for read in reads)

    def enter_dicts(self) -> None:
        """Makes the file's dicts known to whatever reads them."""
        for name, node in self.dict_names.items():
            if name not in self.unit.globals:
                special = (INITIALIZER,) if id(node) in self.described else (DICT, node)
                self.unit.globals[name] = Value(cst.Name(name), special=special)

    def _eval_Dict(self, node: cst.Dict, frame: Frame) -> Value:
        found = _description(node) if id(node) in self.described else None
        if found is None:
            return super()._eval_Dict(node, frame)
        class_name, config = found
        arguments = [(name, self.eval(value, frame)) for name, value in config.items()]
        symbol = _symbol(class_name)
        if symbol is None:
            frame.unit.residual(
                frame.function, node, class_name, f"no function in Flax for the initialiser {class_name}"
            )
            return Value(node)
        made = self.apply_rule(rules.RULES[symbol], symbol, arguments, node, frame)
        return Value(made.code, special=(INITIALIZER,))

    # -- calls -------------------------------------------------------------------------------------

    def call_symbol(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        value = super().call_symbol(symbol, node, frame)
        if symbol in rules.RULES and _MAKES.search(symbol) and value.code is not node:
            return dataclasses.replace(value, special=(INITIALIZER,))
        return value

    def call_initializer(self, callee: Value, node: cst.Call, frame: Frame) -> Value:
        """`w_init(shape=(n, m), dtype="float32")`: an initializer of Flax wants a key, first."""
        arguments = self.arguments(node, frame)
        if arguments is None:
            return Value(node)
        names = ("shape", "dtype")
        given = {name or names[min(i, 1)]: value for i, (name, value) in enumerate(arguments)}
        shape = given.pop("shape", None)
        dtype = given.pop("dtype", None)
        given = {name: value for name, value in given.items() if value.known is not None}
        if shape is None or given or len(arguments) > 2 and not all(name for name, _ in arguments):
            why = "an initializer called with more than a shape and a dtype"
            frame.unit.residual(frame.function, node, text(node.func), why)
            return Value(node)
        sizes = shape.code
        if isinstance(sizes, cst.List):
            sizes = cst.Tuple(sizes.elements)
        elif isinstance(sizes, cst.Name | cst.Attribute) and shape.items is None and shape.sure:
            sizes = cst.Tuple([cst.Element(sizes)])
        key = self.with_rngs(cst.parse_expression("rngs.params()"), frame)
        args = [cst.Arg(key), cst.Arg(sizes)]
        kind = "float32" if dtype is None or not isinstance(dtype.known, str) else dtype.known
        if dtype is not None and dtype.known not in (None, "float32"):
            args.append(cst.Arg(dtype.code))
        elements = self.elements(shape)
        dims = None
        if elements is not None:
            symbols = symbols_of(frame, self.plain_symbols)
            dims = tuple(
                e.known if isinstance(e.known, int) else e.dim if e.dim is not None else symbols.unknown()
                for e in elements
            )
        self.unit.imports.add("nnx")
        return Value(cst.Call(callee.code, args), tensor=TensorType(dims, kind))

    # -- dicts -------------------------------------------------------------------------------------

    def index(self, base: Value, code: cst.Subscript, indices: list[Any], frame: Frame) -> Value:
        value = super().index(base, code, indices, frame)
        if isinstance(base.special, tuple) and base.special[0] == DICT and value.special is None:
            inner = [e.value for e in base.special[1].elements if isinstance(e.value, cst.Dict)]
            return dataclasses.replace(value, special=(DICT, inner[0])) if inner else value
        return value


def _takes_initializer(holder: cst.Arg | cst.Param) -> bool:
    name = holder.keyword if isinstance(holder, cst.Arg) else holder.name
    return name is not None and _NAMED.search(name.value) is not None


def _description(node: cst.Dict) -> tuple[str, dict[str, cst.BaseExpression]] | None:
    """Class and arguments, by name, of an object that a dict describes in Keras's form."""
    parts = _by_name(node)
    if parts is None or not parts.keys() >= _KEYS or parts.keys() - _KEYS - _MORE_KEYS:
        return None
    class_name, config = parts["class_name"], parts["config"]
    if not isinstance(class_name, cst.SimpleString) or not isinstance(config, cst.Dict):
        return None
    arguments = _by_name(config)
    name = class_name.evaluated_value
    return (str(name), arguments) if arguments is not None else None


def _by_name(node: cst.Dict) -> dict[str, cst.BaseExpression] | None:
    found: dict[str, cst.BaseExpression] = {}
    for element in node.elements:
        if not isinstance(element, cst.DictElement) or not isinstance(element.key, cst.SimpleString):
            return None
        found[str(element.key.evaluated_value)] = element.value
    return found


def _symbol(class_name: str) -> str | None:
    """The rule for an initializer, by the name of its class or by the function's."""
    wanted = class_name.replace("_", "").lower()
    prefix = "tf.keras.initializers."
    names = [s for s in rules.RULES if s.startswith(prefix) and s.removeprefix(prefix).lower() == wanted]
    return names[0] if names else None
