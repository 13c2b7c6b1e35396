"""One text, and one digest, for each JSON value."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical(value: Any) -> str:
    """A JSON value as text that does not depend on the order of keys, on layout or on the machine.

    Raises:
      ValueError: there is a NaN or an infinity in it.
      TypeError: it is no JSON value.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest(value: Any) -> str:
    """SHA-256 of the canonical text, in hex."""
    return hashlib.sha256(canonical(value).encode("ascii")).hexdigest()
