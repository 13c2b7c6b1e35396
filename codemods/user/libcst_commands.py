"""Runs a user's LibCST codemod on one file (https://libcst.readthedocs.io/en/latest/codemods.html)."""

from __future__ import annotations

from collections.abc import Callable

from libcst.codemod import (
    Codemod,
    CodemodContext,
    TransformFailure,
    TransformSkip,
    TransformSuccess,
    transform_module,
)

from codemods.user.errors import CodemodError


def rewrite(command: type[Codemod], path: str) -> Callable[[str, str], str]:
    """What the codemod makes of a file's code.

    Args:
      command: made with a context alone.
      path: where it is defined.
    """

    def apply(code: str, name: str) -> str:
        try:
            made = command(CodemodContext(filename=name))
        except TypeError as error:
            raise CodemodError(f"{command.__name__} is not made with a context alone: {error}", path) from error
        result = transform_module(made, code)
        if isinstance(result, TransformSuccess):
            return result.code
        if isinstance(result, TransformSkip):
            return code
        reason = result.error if isinstance(result, TransformFailure) else "it was stopped"
        raise CodemodError(f"{command.__name__} failed on {name}: {type(reason).__name__}: {reason}", path)

    return apply
