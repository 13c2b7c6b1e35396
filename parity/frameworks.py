"""The frameworks of the original, and the public names of their classes."""

from __future__ import annotations

import dataclasses
import functools
import os
from typing import Any


@dataclasses.dataclass(frozen=True)
class Frameworks:
    """TensorFlow and the Keras that the original runs on.

    Attributes:
      tf: the tensorflow module.
      keras: `tf.keras`, which is Keras 3 or tf_keras.
      legacy: it is tf_keras.
    """

    tf: Any
    keras: Any
    legacy: bool

    @property
    def version(self) -> str:
        """`3.15.1`, or `tf_keras 2.21.0`."""
        if not self.legacy:
            return str(self.keras.__version__)
        import tf_keras

        return f"tf_keras {tf_keras.__version__}"

    @functools.cached_property
    def _names(self) -> dict[int, str]:
        names: dict[int, str] = {}
        spaces = ("layers", "models", "optimizers", "losses", "metrics", "initializers", "regularizers")
        for space in (*spaces, "constraints", "activations", "optimizers.schedules", "random"):
            module: Any = self.keras
            for part in space.split("."):
                module = getattr(module, part, None)
            for name in dir(module) if module is not None else ():
                value = getattr(module, name)
                if callable(value) and (id(value) not in names or getattr(value, "__name__", "") == name):
                    names[id(value)] = f"tf.keras.{space}.{name}"
        for name in ("Model", "Sequential"):
            names[id(getattr(self.keras, name))] = f"tf.keras.{name}"
        names[id(self.tf.Module)] = "tf.Module"
        return names

    def name_of(self, value: Any) -> str | None:
        """The canonical public name of a framework class or function; None for the user's own."""
        found = self._names.get(id(value))
        if found is None and isinstance(value, type) and value.__name__ == "Functional":
            module = value.__module__.split(".")[0]
            return "tf.keras.Functional" if module in ("keras", "tf_keras") else None
        return found

    def base_of(self, cls: type) -> str:
        """The canonical name of the nearest public framework class; `object` where there is none."""
        return next((name for name in map(self.name_of, cls.__mro__) if name), "object")

    def is_framework(self, cls: type) -> bool:
        """Was the class made by a framework?"""
        return cls.__module__.split(".")[0] in ("keras", "tf_keras", "tensorflow", "builtins")


def load() -> Frameworks:
    """Imports TensorFlow; TF_USE_LEGACY_KERAS decides which Keras `tf.keras` is."""
    import keras
    import tensorflow as tf

    legacy = os.environ.get("TF_USE_LEGACY_KERAS") == "1"
    return Frameworks(tf, tf.keras if legacy else keras, legacy)
