"""A port among the files that it imports, without writing beside them."""

from __future__ import annotations

import pathlib
import shutil
from collections.abc import Mapping


def mirror(
    root: pathlib.Path, source: pathlib.Path, files: Mapping[str, pathlib.Path], folder: pathlib.Path
) -> pathlib.Path:
    """Makes `folder` look like `root` with the files of the port in their places.

    Folders on the way to these places are real, everything beside them is a link; the source is left out.

    Args:
      root: the folder that imports start from.
      source: the original, below it.
      files: files of the port, by their places below the root.
      folder: where to build; made here.

    Returns:
      The place of the source's port in `folder`.
    """
    parents = {parent for place in files for parent in pathlib.PurePosixPath(place).parents}
    hidden = {*files, source.relative_to(root).as_posix(), *map(str, parents)}
    for parent in sorted(parents):
        here, there = folder / parent, root / parent
        here.mkdir(parents=True, exist_ok=True)
        for entry in there.iterdir() if there.is_dir() else ():
            name = (parent / entry.name).as_posix()
            if name not in hidden and (entry.is_dir() or entry.suffix == ".py"):
                (here / entry.name).symlink_to(entry.resolve())
    for place, file in files.items():
        shutil.copyfile(file, folder / place)
    return folder / source.parent.relative_to(root) / f"{source.stem}_jax.py"
