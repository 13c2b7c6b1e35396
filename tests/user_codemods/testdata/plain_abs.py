"""A LibCST codemod: what a function of the house is called elsewhere."""

import libcst as cst
from libcst import matchers as m
from libcst.codemod import VisitorBasedCodemodCommand
from libcst.codemod.visitors import RemoveImportsVisitor


class PlainAbs(VisitorBasedCodemodCommand):
    """`magnitude(x)` becomes `tf.abs(x)`."""

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if not m.matches(updated_node.func, m.Name("magnitude")):
            return updated_node
        RemoveImportsVisitor.remove_unused_import(self.context, "tests.user_codemods.house", "magnitude")
        return updated_node.with_changes(func=cst.parse_expression("tf.abs"))
