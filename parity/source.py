"""What can be said of a source file without running it, and how it is run."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import pathlib
import re
import sys
import types

from codemods.linking.parents import stand_in_parents
from parity.errors import BadInputError

_FRAMEWORKS = ("tensorflow", "keras", "tf_keras", "tensorflow_probability", "tensorflow_addons")
_PYTHON_2 = (
    (re.compile(r"^\s*print\s+[^(=\s.]"), "print is a statement"),
    (re.compile(r"^\s*print\s*$"), "print is a statement"),
    (re.compile(r"^\s*except\s+[\w.]+\s*,\s*\w+\s*:"), "`except X, e`"),
    (re.compile(r"^\s*exec\s+['\"\w]"), "exec is a statement"),
    (re.compile(r"^\s*raise\s+[\w.]+\s*,\s*['\"\w]"), "`raise X, message`"),
    (re.compile(r"\w\s*<>\s*\w"), "`<>`"),
    (re.compile(r"\bur['\"]"), "`ur''`"),
    (re.compile(r"`[^`]+`"), "`x` in backquotes"),
    (re.compile(r"(?<![\w.])0[0-7]+(?![\w.])"), "octal numbers such as 0777"),
)


def check(path: str) -> ast.Module:
    """Reads a file of TensorFlow code and parses it; imports nothing.

    Args:
      path: the file, as the user named it.

    Raises:
      BadInputError: the file can't be read, is not UTF-8, not Python 3, or has no TensorFlow in it.
    """
    tree = parse(path)
    if not any(is_framework(name) for name in imports(tree)):
        raise BadInputError("imports neither tensorflow nor keras, so there is nothing to migrate", path, 1)
    return tree


def is_framework(module: str) -> bool:
    """Is a module, by its dotted name, part of TensorFlow, Keras or what is built on them?"""
    return module.split(".")[0] in _FRAMEWORKS


def parse(path: str) -> ast.Module:
    """Parses a file; `check` without the look at what it imports."""
    try:
        data = pathlib.Path(path).read_bytes()
    except OSError as error:
        raise BadInputError(f"can't be read: {error.strerror}", path) from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BadInputError(f"is not UTF-8: byte 0x{data[error.start]:02x}", path, line) from None
    try:
        return ast.parse(text, filename=path)
    except SyntaxError as error:
        line = error.lineno or 1
        raise BadInputError(_syntax_reason(text, error), path, line) from None
    except ValueError as error:  # NUL bytes
        raise BadInputError(f"syntax error: {error}; save it as plain Python text", path, 1) from None


def _syntax_reason(text: str, error: SyntaxError) -> str:
    lines = text.splitlines()
    near = lines[(error.lineno or 1) - 1] if error.lineno and error.lineno <= len(lines) else ""
    if isinstance(error, TabError):
        return "Python 2 code: tabs and spaces are mixed; convert it first, with 2to3 for example"
    for pattern, what in _PYTHON_2:
        if pattern.search(near):
            return f"Python 2 code: {what}; convert it first, with 2to3 for example"
    return f"syntax error: {error.msg}"


def imports(tree: ast.Module, deep: bool = True) -> list[str]:
    """Dotted names of all modules that a file imports.

    Args:
      tree: the file.
      deep: also what functions import when called, and what is imported under `if __name__ == "__main__"`.
    """
    names: list[str] = []
    nodes: list[ast.AST] = [tree]
    while nodes:
        node = nodes.pop()
        if deep or not (isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or _is_main_guard(node)):
            nodes += list(ast.iter_child_nodes(node))[::-1]
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def _is_main_guard(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)


def module_name(path: str, package_root: str | None) -> str:
    """Name to import a file under: dotted below the package root, else its stem."""
    stem = pathlib.Path(path).stem
    if package_root is None:
        return stem
    relative = pathlib.Path(os.path.relpath(os.path.abspath(path), os.path.abspath(package_root)))
    if relative.parts[0] == "..":
        raise BadInputError(f"does not lie below the package root {package_root}", path)
    parts = [*relative.parts[:-1], stem]
    return ".".join(parts[:-1] if stem == "__init__" else parts)


def run_module(path: str, package_root: str | None = None, parents: bool = True) -> types.ModuleType:
    """Runs a file as a module, not as `__main__`; its neighbours, or the package root, can be imported.

    Running the same file again gives a fresh module. `parents`: run the packages that it lies in, too; those of a
    port import TensorFlow until all of the package is ported.

    Raises:
      Whatever the file raises.
    """
    name = module_name(path, package_root)
    folder = os.path.abspath(package_root or os.path.dirname(os.path.abspath(path)))
    sys.path[:] = [folder, *(entry for entry in sys.path if entry != folder)]
    package = name.rpartition(".")[0]
    if package and parents:
        importlib.import_module(package)
    elif package:
        stand_in_parents(package, pathlib.Path(folder))
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) != os.path.abspath(path):
        name = f"unit_{name.replace('.', '_')}"
    spec = importlib.util.spec_from_file_location(name, os.path.abspath(path))
    if spec is None or spec.loader is None:
        raise BadInputError("is not a Python file", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def line_of(error: BaseException, path: str) -> int | None:
    """The innermost line of a file that an error passed through."""
    line, trace = None, error.__traceback__
    wanted = os.path.abspath(path)
    while trace is not None:
        if os.path.abspath(trace.tb_frame.f_code.co_filename) == wanted:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
