"""What the scoreboard ports: files of installed packages, by their paths in the package. Nothing of them is kept here."""

from __future__ import annotations

import dataclasses
import importlib.util
import pathlib
from typing import Any


@dataclasses.dataclass(frozen=True)
class Unit:
    """One file of an installed package.

    Attributes:
      package: the package as it is imported; `path`: the file, below the package's folder.
      entry: the expression that makes the object under test; small, with random weights.
      input: its input, as `--input` takes it.
    """

    package: str
    path: str
    entry: str
    input: str

    @property
    def name(self) -> str:
        return f"{self.package}/{self.path.removesuffix('.py')}"

    def file(self) -> pathlib.Path:
        """Where the file is installed. The package is looked up, not imported."""
        found = importlib.util.find_spec(self.package)
        if found is None or not found.submodule_search_locations:
            raise FileNotFoundError(f"{self.package} is not installed: add it to the target's deps")
        return pathlib.Path(found.submodule_search_locations[0]) / self.path

    def trace(self) -> dict[str, Any]:
        """What a port without a run of the original knows: how the file's builder is called."""
        return {"version": 1, "source": pathlib.Path(self.path).name, "entry": self.entry, "objects": [], "root": None}


def _application(file: str, builder: str, size: int = 32) -> Unit:
    entry = f"{builder}(weights=None, input_shape=({size}, {size}, 3), classes=10)"
    return Unit("keras", f"src/applications/{file}.py", entry, f"float32[4,{size},{size},3]")


#: Every family of keras.applications, its smallest variant at the smallest image that it takes.
UNITS = (
    _application("convnext", "ConvNeXtTiny"),
    _application("densenet", "DenseNet121"),
    _application("efficientnet", "EfficientNetB0"),
    _application("efficientnet_v2", "EfficientNetV2B0"),
    _application("inception_resnet_v2", "InceptionResNetV2", 75),
    _application("inception_v3", "InceptionV3", 75),
    _application("mobilenet", "MobileNet"),
    _application("mobilenet_v2", "MobileNetV2"),
    _application("mobilenet_v3", "MobileNetV3Small"),
    _application("nasnet", "NASNetMobile"),
    _application("resnet", "ResNet50"),
    _application("resnet_v2", "ResNet50V2"),
    _application("vgg16", "VGG16"),
    _application("vgg19", "VGG19"),
    _application("xception", "Xception", 71),
)
