"""Keeps a process from writing where it has no business to, as any user may on Linux since 5.13."""

from __future__ import annotations

import ctypes
import os

# Landlock (https://docs.kernel.org/userspace-api/landlock.html); the numbers are the same on all machines.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_NO_NEW_PRIVILEGES = 38
# Writing to files; removing, making and linking of anything. Since the second and third version: moving, truncating.
_WRITES = sum(1 << bit for bit in (1, 4, 5, 6, 7, 8, 9, 10, 11, 12))
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_TO_FILES = 1 << 1


class _Ruleset(ctypes.Structure):
    _fields_ = [("handled", ctypes.c_uint64)]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def write_only_to(folders: list[str]) -> bool:
    """Forbids this process to change files outside some folders, for good; False where the system can't."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        version = library.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)
        if version < 1:
            return False
        handled = _WRITES | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
        attributes = _Ruleset(handled)
        rules = library.syscall(_CREATE_RULESET, ctypes.byref(attributes), ctypes.sizeof(attributes), 0)
        if rules < 0:
            return False
        places = [(folder, handled) for folder in folders]
        places.append(("/dev/null", handled & (_TO_FILES | _TRUNCATE)))
        for place, allowed in places:
            parent = os.open(place, os.O_PATH | os.O_CLOEXEC)  # type: ignore[attr-defined]  # on Linux
            rule = _Beneath(allowed, parent)
            failed = library.syscall(_ADD_RULE, rules, _PATH_BENEATH, ctypes.byref(rule), 0)
            os.close(parent)
            if failed:
                return False
        if library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
            return False
        return library.syscall(_RESTRICT_SELF, rules, 0) == 0
    except (OSError, AttributeError):
        return False
