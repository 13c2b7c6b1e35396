"""Writes `api_table.json`, the public names of TensorFlow and Keras and which of them are the same thing.

    python -m codemods.engine.make_api_table codemods/engine/api_table.json

Needs TensorFlow, Keras and tf_keras; the codemods themselves read only the table. The format:
`{module: {name: canonical}}`, with an empty string for a name that is its own canonical. Of
`tf.compat.v1` only what is not the same object as its namesake in `tf` is listed, and of Keras 2
(`tf_keras`) only names that Keras 3 has lost. Names below `tensorflow.python` are those of public things,
where they are defined: some code reaches for them there.

The canonical one of several names of an object is the one with the fewest dots, then the shortest,
then the first in ASCII order (`tf.reduce_mean`, `tf.keras.layers.MaxPool2D`, `tf.keras.Layer`), but
a Keras object's always starts with `tf.keras`.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
import types
from collections.abc import Callable
from typing import Any

#: Constants of these types share an identity by chance (`tf.newaxis` is None).
_PLAIN = (int, float, str, bytes, tuple, list, dict, type(None))

#: Keras 3 keeps these names as one class that raises.
_STUBS = "tf.keras.optimizers.legacy."


def _walk(module: Any, name: str, found: dict[str, Any], modules: set[str], above: tuple[int, ...] = ()) -> None:
    try:
        keys = sorted(dir(module))
    except ImportError:  # a lazy loader of something not installed
        return
    modules.add(name)
    for key in keys:
        if key.startswith("_") and key != "__version__" or key == "compat" and name == "tf.compat.v1":
            continue
        try:
            value = getattr(module, key)
        except Exception:  # lazy modules of optional packages
            continue
        path = f"{name}.{key}"
        if not isinstance(value, types.ModuleType):
            found.setdefault(path, value)
        elif path not in ("tf.compat.v1", "tf.compat.v2") and id(value) not in above and _is_public(value):
            _walk(value, path, found, modules, (*above, id(value)))


def _is_public(module: types.ModuleType) -> bool:
    try:
        parts = module.__name__.split(".")
    except AttributeError:  # TensorFlow's lazy loaders of Keras (`tf.losses`) have no name
        parts = ["keras"]
    return parts[0] in ("tensorflow", "keras", "tf_keras") and not {"src", "python"} & set(parts)


def _order(path: str, value: Any) -> tuple[bool, int, bool, int, str]:
    keras = str(getattr(value, "__module__", "")).startswith(("keras", "tf_keras"))
    dtype = path.rpartition(".")[2] == getattr(value, "name", None)  # `tf.float64` before `tf.double`
    return keras and not path.startswith("tf.keras"), path.count("."), not dtype, len(path), path


def _fold(found: dict[str, Any], known: Callable[[Any], str | None]) -> dict[str, str]:
    groups: dict[int, list[str]] = {}
    for path, value in found.items():
        groups.setdefault(id(value), []).append(path)
    folded = {}
    for path, value in found.items():
        if isinstance(value, _PLAIN) or path.startswith(_STUBS):
            folded[path] = path
        else:
            folded[path] = known(value) or min(groups[id(value)], key=lambda p: _order(p, value))
    return folded


def _private(public: dict[str, Any], names: dict[str, str]) -> dict[str, str]:
    """Names below `tensorflow.python` of things that are public elsewhere, where they are defined."""
    by_identity: dict[int, str] = {}
    for path in sorted(public, key=lambda p: _order(p, public[p])):
        if not isinstance(public[path], _PLAIN):
            by_identity.setdefault(id(public[path]), names.get(path, path))
    homes = {str(getattr(value, "__module__", "")) for value in public.values()}
    found = {}
    for home in sorted(h for h in homes if h.startswith("tensorflow.python.") and h in sys.modules):
        for key, value in vars(sys.modules[home]).items():
            canonical = by_identity.get(id(value), "tf.raw_ops")
            own = getattr(value, "__module__", "") == home and not key.startswith("_")
            if own and not canonical.startswith("tf.raw_ops"):
                found[f"tf{home.removeprefix('tensorflow')}.{key}"] = canonical
    return found


def table() -> dict[str, dict[str, str]]:
    """The table, from the installed packages."""
    import keras
    import tensorflow as tf
    import tf_keras

    modules: set[str] = set()
    new: dict[str, Any] = {}
    _walk(tf, "tf", new, modules)
    _walk(keras, "tf.keras", new, modules)
    names = _fold(new, lambda value: None)
    by_identity = {id(new[path]): canonical for path, canonical in names.items() if not isinstance(new[path], _PLAIN)}

    v1: dict[str, Any] = {}
    _walk(tf.compat.v1, "tf.compat.v1", v1, modules)
    for path, canonical in _fold(v1, lambda value: by_identity.get(id(value))).items():
        same = "tf" + path.removeprefix("tf.compat.v1")
        plain = isinstance(v1[path], _PLAIN) and same in names
        if not plain and names.get(same) != canonical and not path.startswith("tf.compat.v1.keras."):
            names[path] = canonical

    old: dict[str, Any] = {}
    _walk(tf_keras, "tf.keras", old, modules)
    lost = _fold(old, lambda value: None)
    by_old_identity: dict[int, str] = {}
    for path in sorted(old, key=lambda p: _order(p, old[p])):
        if path in names and not isinstance(old[path], _PLAIN):
            by_old_identity.setdefault(id(old[path]), names[path])
    for path, canonical in lost.items():
        if path not in names:
            names[path] = by_old_identity.get(id(old[path]), canonical)

    for path, canonical in _private({**new, **v1}, names).items():
        modules.add(path.rpartition(".")[0])
        names.setdefault(path, canonical)

    result: dict[str, dict[str, str]] = {module: {} for module in modules}
    for path, canonical in names.items():
        module, _, name = path.rpartition(".")
        result[module][name] = "" if canonical == path else canonical
    return {module: dict(sorted(members.items())) for module, members in sorted(result.items())}


def render() -> str:
    """The table as the text of the file: a line per module, so that a diff can be read."""
    lines = [f"{json.dumps(module)}: {json.dumps(members)}" for module, members in table().items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=pathlib.Path)
    parser.parse_args().output.write_text(render())
