"""Names for classes, attributes and lists, made from what the original calls things."""

from __future__ import annotations

import keyword
import re


def snake(name: str) -> str:
    """`ResidualBlock`, `residual-block 1` and `Padding2D` to `residual_block`, `residual_block_1` and `padding2d`."""
    name = re.sub(r"\W+", "_", name)
    name = re.sub(r"(?<=\d)D(?![a-z])", "d", name)
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).strip("_").lower()
    return name if name and not name[0].isdigit() else f"layer_{name}"


def identifier(name: str) -> str:
    """A name that Keras takes and Python does not: `top-5-accuracy` to `top_5_accuracy`."""
    name = re.sub(r"\W", "_", name)
    return name if name.isidentifier() and not keyword.iskeyword(name) else f"_{name}"


def plural(name: str) -> str:
    """A name for a list of these."""
    if name.endswith(("s", "x", "dense")):
        return f"{name}_layers"
    return f"{name[:-1]}ies" if name.endswith("y") and name[-2:-1] not in "aeiou" else f"{name}s"


def camel(name: str) -> str:
    """`build_resnet` to `Resnet`, `residual_block` to `ResidualBlock`."""
    name = re.sub(r"^_*(build|make|create|get|define|construct)_(?=\w)", "", name).strip("_")
    parts = [part for part in name.split("_") if part]
    return "".join(part[:1].upper() + part[1:] for part in parts) or "Model"
