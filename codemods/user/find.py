"""The codemods that a user's file defines."""

from __future__ import annotations

import importlib.util
import inspect
import pathlib
import traceback
from collections.abc import Callable
from types import ModuleType

from fissix.fixer_base import BaseFix
from libcst.codemod import Codemod

from codemods.user import bowler_queries, libcst_commands
from codemods.user.errors import CodemodError

#: Takes the code of a file and its name, gives the code as it is after.
Rewrite = Callable[[str, str], str]


def find(path: str) -> list[Rewrite]:
    """The codemods in a Python file, in the order in which they stand there.

    They are its concrete classes derived from `libcst.codemod.Codemod`, made with a context alone, its function
    `query(*paths)`, which gives a `bowler.Query`, and its fixers: classes derived from `fissix.fixer_base.BaseFix`.

    Args:
      path: the file.

    Raises:
      CodemodError: the file can't be imported, or defines no codemod.
    """
    module = _imported(path)
    found: list[Rewrite] = []
    for name, value in vars(module).items():
        if inspect.isclass(value) and value.__module__ == module.__name__:
            if issubclass(value, Codemod) and not inspect.isabstract(value):
                found.append(libcst_commands.rewrite(value, path))
            elif issubclass(value, BaseFix):
                found.append(bowler_queries.fixer_rewrite(value, path))
        elif name == "query" and inspect.isfunction(value):
            found.append(bowler_queries.rewrite(value, path))
    if not found:
        raise CodemodError(
            "defines no codemod: neither a class derived from libcst.codemod.Codemod, nor a function "
            "query(*paths) that gives a bowler.Query, nor a fixer",
            path,
        )
    return found


def _imported(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"_codemod_{pathlib.Path(path).stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        lines = [entry.lineno for entry in traceback.extract_tb(error.__traceback__) if entry.filename == path]
        line = (lines or [getattr(error, "lineno", None)])[-1] or 1
        raise CodemodError(f"raised when imported: {type(error).__name__}: {error}", path, line) from error
    return module
