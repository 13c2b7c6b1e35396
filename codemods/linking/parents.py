"""Packages that can be imported from without running them."""

from __future__ import annotations

import importlib.machinery
import pathlib
import sys
import types


def stand_in_parents(package: str, root: pathlib.Path) -> None:
    """Makes the modules of a package importable, without running its `__init__.py` and those above it.

    A ported module lies in the package of its original, whose `__init__.py` imports TensorFlow until all of it is
    ported. Packages that were imported before stay as they are.

    Args:
      package: dotted name; empty for none.
      root: the folder that imports start from.
    """
    parts = package.split(".") if package else []
    for count in range(1, len(parts) + 1):
        name = ".".join(parts[:count])
        if name in sys.modules:
            continue
        module = types.ModuleType(name)
        spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(root.joinpath(*parts[:count]))]
        module.__spec__, module.__path__ = spec, spec.submodule_search_locations
        sys.modules[name] = module
        if count > 1:
            setattr(sys.modules[".".join(parts[: count - 1])], parts[count - 1], module)
