"""Lists that grow by a tensor in a loop, such as the skip connections of a U-Net.

Which width the k-th tensor has is known where the layers are made, so the constructor keeps a list of widths beside
the list of tensors that the call keeps: `skips` and `skips_features`. What the call does with its list (an index, a
slice, `pop`, `reversed`, `zip`), the constructor does with the widths.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.names import ReplaceNames, assigned_names, read_names
from codemods.passes.values import UNKNOWN, Lasting, TensorType, Value, text

#: Layers that join tensors along an axis.
_JOINING = frozenset(
    {
        "tf.concat",
        "tf.keras.backend.concatenate",
        "tf.keras.layers.Concatenate",
        "tf.keras.layers.concatenate",
        "tf.keras.ops.concatenate",
    }
)


@dataclasses.dataclass(frozen=True)
class Widths(Lasting):
    """The constructor's code for the list of widths."""

    code: str


def widths_name(name: str) -> str:
    return f"{name}_widths" if name.endswith("features") else f"{name}_features"


class WidthLists:
    """Follows lists of tensors whose length is not known; `Expressions` and `Statements` ask it."""

    unit: Any

    def grown(self, name: str, before: Value, item: Value, frame: Frame) -> Value:
        """What is known of a list that a loop makes longer."""
        value = dataclasses.replace(before, items=None, item=item, known=UNKNOWN, mapping=None)
        if frame.mode == "staged" and item.tensor is not None and item.tensor.shape:
            value = dataclasses.replace(value, special=Widths(widths_name(name)))
        return value

    def start_widths(self, name: str, before: Value, frame: Frame) -> cst.BaseStatement | None:
        """The constructor's list, with the widths that are there before the loop."""
        symbols = frame.spec.symbols  # type: ignore[union-attr]
        codes = [symbols.code(item.tensor.last) if item.tensor is not None else None for item in before.items or ()]
        if None in codes:
            return None
        return cst.parse_statement(f"{widths_name(name)} = [{', '.join(str(code) for code in codes)}]")

    def join_lists(self, name: str, *branches: tuple[Any, Frame], frame: Frame) -> None:
        """A list of tensors that differs by branch: the constructor keeps the widths of the branch that is taken.

        Args:
          name: what both branches bind to a list of tensors.
          branches: statements and frame of each branch.
          frame: the frame that goes on after them.
        """
        symbols = frame.spec.symbols  # type: ignore[union-attr]
        values = [inner.env[name] for _, inner in branches]
        code = widths_name(name)
        lists = []
        for value in values:
            if isinstance(value.special, Widths) and value.special.code == code:
                lists.append(None)
                continue
            tensors = [item.tensor for item in value.items or ()]
            if not tensors or not isinstance(value.code, cst.Name):
                return
            widths = [symbols.code(t.last) if t is not None and t.shape else None for t in tensors]
            if None in widths:
                return
            lists.append([str(width) for width in widths])
        if lists[0] == lists[1]:
            return
        for (staged, inner), value, widths in zip(branches, values, lists, strict=True):
            if widths is not None:
                staged.init.append(cst.parse_statement(f"{code} = [{', '.join(widths)}]"))
                item = self.element_of(value, inner)
                inner.env[name] = Value(cst.Name(name), item=item, special=Widths(code), staged=True)
        symbols.local.add(code)

    def append_width(self, base: Value, value: Value, frame: Frame) -> None:
        """`skips.append(x)`: the constructor appends the width."""
        if not isinstance(base.special, Widths) or frame.mode != "staged" or frame.spec is None or value.tensor is None:
            return
        code = frame.spec.symbols.code(value.tensor.last) if value.tensor.shape else None
        if code is not None:
            frame.extra.append(cst.parse_statement(f"{base.special.code}.append({code})"))

    def pop_width(self, base: Value, node: cst.Call, code: cst.BaseExpression, frame: Frame) -> Value:
        """`skip = skips.pop()`."""
        assert isinstance(base.special, Widths) and base.item is not None and frame.spec is not None
        of_list = base.special.code.split("_")[0].removesuffix("s")
        name = widths_name(frame.target if frame.target and frame.target != "x" else of_list)
        if name == base.special.code:
            name = "popped_features"
        taken = frame.spec.symbols.local
        while name in taken and not frame.scope.is_loop:
            name += "_"
        arguments = ", ".join(text(arg.value) for arg in node.args)
        frame.extra.append(cst.parse_statement(f"{name} = {base.special.code}.pop({arguments})"))
        return self.of_width(base.item, name, frame).with_code(code)

    def of_width(self, item: Value, code: str, frame: Frame) -> Value:
        """An element whose width the constructor reads by `code`."""
        symbols = frame.spec.symbols  # type: ignore[union-attr]
        root = code.split("[")[0].split(".")[0]
        if root != "self":
            symbols.local.add(code)
        shape = item.tensor.shape if item.tensor is not None else None
        if not shape:
            return item
        dims = (*[d if i == 0 else symbols.unknown("d") for i, d in enumerate(shape[:-1])], symbols.of_code(code))
        return Value(item.code, tensor=TensorType(dims, item.tensor.dtype))  # type: ignore[union-attr]

    def index_widths(self, base: Value, code: cst.Subscript, frame: Frame) -> Value:
        """`skips[level]`, `skips[::-1]`."""
        assert isinstance(base.special, Widths) and base.item is not None
        at = code.visit(ReplaceNames({name: cst.parse_expression(w) for name, w in self.width_names(frame).items()}))
        place = text(at).removeprefix(text(at.value))  # type: ignore[union-attr,attr-defined]
        new = f"{base.special.code}{place}"
        if isinstance(code.slice[0].slice, cst.Slice):
            return dataclasses.replace(base, code=code, special=Widths(new))
        return self.of_width(base.item, new, frame).with_code(code)

    def width_list(self, value: Value, frame: Frame) -> Value:
        """A list of tensors as the constructor sees it: their widths."""
        symbols = frame.spec.symbols  # type: ignore[union-attr]
        codes = [
            symbols.code(item.tensor.last) if item.tensor and item.tensor.shape else None for item in value.items or ()
        ]
        return Value(cst.parse_expression(f"[{', '.join(str(code) for code in codes)}]"))

    def width_names(self, frame: Frame) -> dict[str, str]:
        """Lists of widths by the lists of tensors that they belong to."""
        return {name: value.special.code for name, value in frame.env.items() if isinstance(value.special, Widths)}

    def bind_widths(self, node: cst.For, inner: Frame, frame: Frame) -> cst.BaseAssignTargetExpression:
        """A loop over lists of tensors: what the constructor's loop binds, in place of the tensors their widths."""
        listed = {name for name, value in frame.env.items() if value.items and all(item.tensor for item in value.items)}
        lists: list[Any] = findall(node.iter, m.List() | m.Tuple())
        tensors = any(self.holds_tensors(part, frame) for part in lists)
        if not read_names(node.iter) & (self.width_names(frame).keys() | listed) and not tensors:
            return node.target
        renamed: dict[str, cst.BaseExpression] = {}
        for name in assigned_names(cst.Assign([cst.AssignTarget(node.target)], cst.Name("_"))):
            value = inner.env.get(name)
            if value is not None and value.tensor is not None and value.tensor.shape:
                renamed[name] = cst.Name(widths_name(name))
                inner.env[name] = self.of_width(value, widths_name(name), inner).with_code(cst.Name(name))
        return node.target.visit(ReplaceNames(renamed))  # type: ignore[return-value]

    def comprehension_widths(self, node: Any, inner: Frame, frame: Frame) -> tuple[str, str] | None:
        """`[f(x) for x in skips]`: the list of widths, and what the constructor calls an element of it."""
        part = node.for_in
        simple = part.inner_for_in is None and not part.ifs and isinstance(part.target, cst.Name)
        source = frame.env.get(part.iter.value) if isinstance(part.iter, cst.Name) else None
        if frame.mode != "staged" or not simple or source is None or not isinstance(source.special, Widths):
            return None
        name = part.target.value
        inner.env[name] = self.of_width(source.item, widths_name(name), inner).with_code(part.target)  # type: ignore
        return source.special.code, widths_name(name)

    def mapped_widths(self, listed: tuple[str, str], element: Value, frame: Frame) -> Widths | None:
        """The widths of what a comprehension makes of the tensors of a list."""
        widths, name = listed
        last = element.tensor.last if element.tensor is not None else None
        code = frame.spec.symbols.code(last) if last is not None else None  # type: ignore[union-attr]
        if code is None:
            return None
        return Widths(widths if code == name else f"[{code} for {name} in {widths}]")

    def holds_tensors(self, node: Any, frame: Frame) -> bool:
        parts = [element.value for element in node.elements]
        names = [part.value for part in parts if isinstance(part, cst.Name)]
        return bool(parts) and len(names) == len(parts) and all(
            name in frame.env and frame.env[name].tensor is not None for name in names
        )  # fmt: skip

    def joined_width(self, symbol: str, value: Value, frame: Frame) -> Value | None:
        """Concatenation or a sum of such a list."""
        if not isinstance(value.special, Widths) or value.item is None or frame.spec is None:
            return None
        tensor = value.item.tensor
        if tensor is None or not tensor.shape:
            return None
        code = f"sum({value.special.code})" if symbol in _JOINING else f"{value.special.code}[0]"
        return self.of_width(value.item, code, frame)
