"""The user's own functions and classes, where they are called."""

from __future__ import annotations

import libcst as cst

from codemods.passes.frame import Frame
from codemods.passes.models.closures import Closures
from codemods.passes.models.function_kinds import FunctionKinds
from codemods.passes.models.given import Given
from codemods.passes.models.helpers import Helpers
from codemods.passes.models.instances import Instances
from codemods.passes.models.plain_functions import PlainFunctions
from codemods.passes.statements.statements import Statements
from codemods.passes.values import Value


class Functions(Closures, Given, FunctionKinds, Instances, Helpers, PlainFunctions, Statements):
    """Calls of module-level functions and classes of the file."""

    def call_function(self, name: str, node: cst.Call, frame: Frame) -> Value:
        kind = self.function_kind(name)
        if kind == "plain":
            return self.call_plain_function(name, node, frame)
        if name in self.curried:
            return self.first_call(name, node, frame)
        spec = self.spec_for(name, kind)
        if kind == "builder":
            return self.instantiate(spec, node, frame)
        if kind == "factory":
            return self.call_factory(spec, node, frame)
        return self.call_helper(spec, self.with_captured(name, node), frame)
