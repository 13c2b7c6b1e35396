"""Masks that Keras attaches to tensors, as the port knows them."""

from __future__ import annotations

import dataclasses

import libcst as cst


@dataclasses.dataclass(frozen=True, eq=False)
class Mask:
    """Which steps of a tensor count. One object for one tensor: names of the same tensor share it.

    Attributes:
      code: of a bool array of shape (batch, steps), valid in the function under evaluation; None where it has none there.
      why: the reason then.
      parameter: the parameter of the function under evaluation that brought it along.
      formula: the same over the function's parameters alone, for its callers.
    """

    code: cst.BaseExpression | None
    why: str = ""
    parameter: str | None = None
    formula: cst.BaseExpression | None = None

    def copy(self) -> Mask:
        """For another tensor."""
        return dataclasses.replace(self)


def joined_mask(a: Mask | None, b: Mask | None) -> Mask | None:
    """What two branches agree on."""
    if a is b:
        return a
    if a is not None and b is not None and a.code is not None and b.code is not None and a.code.deep_equals(b.code):
        return a
    return Mask(None, "whether its input has a mask depends on the way taken: compute the mask, and pass it on")


def out_of_reach(mask: Mask | None) -> Mask | None:
    """The same mask in another function, which has no name for it."""
    return None if mask is None else Mask(None, "its input's mask comes through a function: pass the mask on, too")
