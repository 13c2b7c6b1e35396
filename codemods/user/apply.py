"""Applies users' codemods to one file."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from codemods.user.errors import CodemodError
from codemods.user.find import find


def apply(code: str, name: str, codemods: Sequence[str]) -> str:
    """The code after all codemods, one after the other.

    Args:
      code: of a Python file.
      name: of that file, as messages call it.
      codemods: files that define codemods; see `find`.

    Raises:
      CodemodError: a codemod can't be used, fails, or makes code that is not Python.
    """
    for path in codemods:
        for rewrite in find(path):
            code = rewrite(code, name)
            try:
                ast.parse(code)
            except SyntaxError as error:
                raise CodemodError(
                    f"made code of {name} that is not Python: line {error.lineno}: {error.msg}", path
                ) from error
    return code
