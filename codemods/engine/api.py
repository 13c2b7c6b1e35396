"""Canonical names of TensorFlow symbols, from the generated `api_table.json` (`make_api_table.py`)."""

from __future__ import annotations

import functools
import json
import pathlib

#: Roots of packages whose names depend on TensorFlow, with the name that stands for each.
ROOTS = {
    "tensorflow": "tf",
    "keras": "tf.keras",
    "tf_keras": "tf.keras",
    "tensorflow_probability": "tfp",
    "tensorflow_addons": "tfa",
    "tensorflow_datasets": "tfds",
    "tensorflow_hub": "hub",
    "tensorflow_text": "tf_text",
    "tensorflow_models": "tfm",
    "keras_nlp": "keras_nlp",
    "keras_cv": "keras_cv",
    "keras_hub": "keras_hub",
}


@functools.cache
def table() -> dict[str, dict[str, str]]:
    """`{module: {name: canonical, or an empty string for itself}}`."""
    return json.loads((pathlib.Path(__file__).parent / "api_table.json").read_text())


def is_module(symbol: str) -> bool:
    """Is the canonical symbol a module, such as `tf.keras.layers`?"""
    return symbol in table() or symbol in ROOTS.values()


def is_public(symbol: str) -> bool:
    """Does the symbol (canonical or not) name something of the installed API?"""
    module, _, name = symbol.rpartition(".")
    return is_module(symbol) or name in table().get(module, {})


@functools.cache
def canonical(dotted: str) -> str:
    """The one name for all aliases of an API symbol; other names come back as they are.

    `tensorflow.math.reduce_mean` and `tf.math.reduce_mean` give `tf.reduce_mean`, and
    `keras.layers.Convolution2D` gives `tf.keras.layers.Conv2D`. Attributes below a symbol follow it.
    """
    root, _, rest = dotted.partition(".")
    parts = [*ROOTS.get(root, root).split("."), *(rest.split(".") if rest else [])]
    if parts[0] != "tf":
        return ".".join(parts)
    if parts[1:3] == ["compat", "v2"]:
        del parts[1:3]
    if parts[1:3] == ["compat", "v1"] and not is_public(".".join(parts)):
        without = canonical(".".join(["tf", *parts[3:]]))
        if is_public(without) or parts[3:4] == ["keras"]:
            return without
    if "python" in parts or "src" in parts or parts[1:2] == ["keras"]:
        parts = _public_path(parts)
    for cut in range(len(parts), 1, -1):
        found = table().get(".".join(parts[: cut - 1]), {}).get(parts[cut - 1])
        if found is not None:
            return ".".join([found or ".".join(parts[:cut]), *parts[cut:]])
    old = ".".join(["tf", "compat", "v1", *parts[1:]])
    if parts[1:2] not in (["compat"], ["keras"], ["python"]) and not is_module(old) and is_public(old):
        return canonical(old)  # a name of TensorFlow 1
    return ".".join(parts)


def _public_path(parts: list[str]) -> list[str]:
    """Leaves out what private paths have in the middle: `tf.python.keras.layers.core.Dense`."""
    public = [part for part in parts if part not in ("python", "src")]
    if is_public(".".join(public)):
        return public
    for cut in range(len(public) - 1, 1, -1):
        if is_public(".".join([*public[: cut - 1], public[-1]])) and public[1] == "keras":
            return [*public[: cut - 1], public[-1]]
    return public if "keras" in public[:2] else parts
