"""Names of a file to canonical TensorFlow symbols.

LibCST's QualifiedNameProvider does not follow assignments (`K = tf.keras.backend`), star imports or
the two bindings of a guarded import, and takes most of a second on a file of 1,000 lines; so this is
an own, small scope analysis: one walk that notes what binds each name in each scope, and look-ups
that follow these bindings when asked.

A name that is bound once, or whose bindings agree, resolves. What comes in an `except` clause of an
import is a fallback and counts only where the first choice is no TensorFlow name. A name that is bound
to several things resolves to `Ambiguous` if one of them may be a TensorFlow module or import, and to
None if they are values like any others (`activation = tf.nn.relu`, later `= tf.nn.gelu`): such code
works after the port just as before, once the values are ported.
"""

from __future__ import annotations

import dataclasses

import libcst as cst
from libcst.metadata import MetadataWrapper

from codemods.engine.api import ROOTS, canonical, is_module, is_public, table
from codemods.engine.scopes import Binding, Scopes


@dataclasses.dataclass(frozen=True)
class Ambiguous:
    """A name that may stand for several things; `options` has `?` for one that is not TensorFlow's."""

    options: tuple[str, ...]


class Names:
    """Resolves the expressions of one file."""

    def __init__(self, wrapper: MetadataWrapper):
        self._scopes = Scopes(wrapper.module)
        self._busy: set[cst.Name] = set()

    def symbol(self, node: cst.BaseExpression) -> str | Ambiguous | None:
        """The canonical symbol that a name or attribute chain stands for; None if it is not TensorFlow's."""
        options = self._options(node)
        if len(options) < 2:
            return next(iter(options), None)
        if self.via_assignment(node) and not any(o and is_module(o) for o in self._options(_root(node))):
            return None
        return Ambiguous(tuple(sorted(option or "?" for option in options)))

    def module_symbol(self, node: cst.BaseExpression) -> str | Ambiguous | None:
        """As `symbol`, for a name or chain that is not of the tree: what it stands for at module level."""
        root = _root(node)
        if not isinstance(root, cst.Name):
            return None
        if root in self._scopes.scope_of:
            return self.symbol(node)
        self._scopes.scope_of[root] = self._scopes.module
        try:
            return self.symbol(node)
        finally:
            del self._scopes.scope_of[root]

    def via_assignment(self, node: cst.BaseExpression) -> bool:
        """Does the name at the root of this chain stand for what it does by assignments alone?"""
        root = _root(node)
        found = self._scopes.bindings(root) if isinstance(root, cst.Name) else []
        return bool(found) and not any(isinstance(binding.target, str) for binding in found)

    def _options(self, node: cst.BaseExpression) -> set[str | None]:
        tail: list[str] = []
        while isinstance(node, cst.Attribute):
            tail.insert(0, node.attr.value)
            node = node.value
        if not isinstance(node, cst.Name) or node in self._busy:
            return set()
        found = self._scopes.bindings(node)
        if not found:
            return self._starred(node, tail)
        self._busy.add(node)
        try:
            first = {self._resolved(binding, tail) for binding in found if not binding.fallback} - {""}
            later = {self._resolved(binding, tail) for binding in found if binding.fallback} - {""}
        finally:
            self._busy.discard(node)
        if first and all(option and is_public(option) for option in first):
            return first
        if first and all(first) and any(option and is_public(option) for option in later):
            return later
        return first | later

    def _starred(self, node: cst.Name, tail: list[str]) -> set[str | None]:
        for module in reversed(self._scopes.module.stars) if node in self._scopes.scope_of else ():
            if node.value in table().get(module, {}) or f"{module}.{node.value}" in table():
                return {canonical(".".join([module, node.value, *tail]))}
        return set()

    def _resolved(self, binding: Binding, tail: list[str]) -> str | None:
        """The symbol below one binding; None for what is not TensorFlow's, "" for a bare `None`."""
        target = binding.target
        if isinstance(target, str):
            return canonical(".".join([target, *tail])) if target.partition(".")[0] in ROOTS else None
        if target is None:
            return None
        if isinstance(target, cst.Name) and target.value == "None":
            return ""
        options = self._options(target)
        (option,) = options if len(options) == 1 else (None,)
        return option and canonical(".".join([option, *tail]))


def _root(node: cst.BaseExpression) -> cst.BaseExpression:
    while isinstance(node, cst.Attribute):
        node = node.value
    return node
