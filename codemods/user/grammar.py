"""Keeps fissix, on which Bowler stands, from writing its tables into the home folder, which a build action may not.

To be imported before anything else of fissix or Bowler.
"""

from __future__ import annotations

import atexit
import pathlib
import shutil
import tempfile

import fissix

_FOLDER = tempfile.mkdtemp(prefix="fissix-")
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
fissix.CACHE_DIR = pathlib.Path(_FOLDER)
