"""Writes a Bazel repository of many Python targets, for figures of the audit: `audit_repository OUT TARGETS FILES`."""

from __future__ import annotations

import pathlib
import random
import sys
from collections.abc import Sequence

_TENSORFLOW = """import tensorflow as tf


class Block{n}(tf.keras.layers.Layer):
    def __init__(self, units=32):
        super().__init__()
        self.dense = tf.keras.layers.Dense(units, activation="relu")
        self.norm = tf.keras.layers.LayerNormalization()

    def call(self, x, training=False):
        return tf.nn.dropout(self.norm(self.dense(x)), 0.1) if training else self.dense(x)
"""
_JAX = "import jax.numpy as jnp\n\n\ndef scale{n}(x):\n    return jnp.tanh(x) * {n}\n"
_PLAIN = '''"""Settings of part {n}."""

import dataclasses


@dataclasses.dataclass
class Settings{n}:
    name: str = "part{n}"
    size: int = {n}

    def describe(self):
        return f"{{self.name}}: {{self.size}}"
'''


def write(out: pathlib.Path, targets: int, files: int, seed: int = 0) -> None:
    """A repository with `targets` py_library targets of `files` sources in all, each package with ten targets."""
    rng = random.Random(seed)
    per = max(1, files // targets)
    out.mkdir(parents=True, exist_ok=True)
    for package in range((targets + 9) // 10):
        folder = out / f"p{package // 50}" / f"q{package}"
        folder.mkdir(parents=True, exist_ok=True)
        rules = ['load("@rules_python//python:defs.bzl", "py_library")\n']
        for n in range(package * 10, min(targets, package * 10 + 10)):
            below = sorted({rng.randrange(max(0, n - 400), n) for _ in range(min(n, 4))})
            imports = "".join(f"import {_module(dep)}  # noqa\n" for dep in below)
            kind = rng.choices([_TENSORFLOW, _JAX, _PLAIN], [2, 1, 7])[0]
            names = []
            for i in range(per):
                body = (kind if i == 0 else _PLAIN).format(n=n * per + i)
                (folder / f"m{n}_{i}.py").write_text((imports if i == 0 else "") + body * (1 + rng.randrange(4)))
                names.append(f'"m{n}_{i}.py"')
            deps = ", ".join(f'"{_label(dep)}"' for dep in below)
            rules.append(
                f'py_library(name = "t{n}", srcs = [{", ".join(names)}], deps = [{deps}], visibility = ["//visibility:public"])\n'
            )
        (folder / "BUILD").write_text("\n".join(rules))
    roots = ", ".join(f'"{_label(n)}"' for n in range(max(0, targets - 200), targets))
    (out / "BUILD").write_text(
        f'load("@jaxport//rules:defs.bzl", "tf_audit")\n\ntf_audit(name = "audit", roots = [{roots}])\n'
    )


def _folder(n: int) -> str:
    return f"p{n // 10 // 50}/q{n // 10}"


def _label(n: int) -> str:
    return f"//{_folder(n)}:t{n}"


def _module(n: int) -> str:
    return _folder(n).replace("/", ".") + f".m{n}_0"


def main(argv: Sequence[str]) -> int:
    """Writes the repository."""
    write(pathlib.Path(argv[0]), int(argv[1]), int(argv[2]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
