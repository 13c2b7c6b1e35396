"""A port among the files that it imports, without writing beside them."""

from __future__ import annotations

import pathlib
import shutil


def mirror(root: pathlib.Path, source: pathlib.Path, module: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Makes `folder` look like `root` with the port beside its source.

    Folders on the way to the source are real, everything beside them is a link.

    Args:
      root: the folder that imports start from.
      source: the original, below it.
      module: the port.
      folder: where to build; made here.

    Returns:
      The port's place in `folder`.
    """
    parts = source.relative_to(root).parts
    here, there = folder, root
    for part in parts:
        here.mkdir(parents=True)
        for entry in there.iterdir():
            if entry.name not in (part, module.name) and (entry.is_dir() or entry.suffix == ".py"):
                (here / entry.name).symlink_to(entry.resolve())
        here, there = here / part, there / part
    place = here.parent / module.name
    shutil.copyfile(module, place)
    return place
