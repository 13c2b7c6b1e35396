"""Checks a port against the oracle: `<stem>_jax.py`, its weights map, the trace and the oracle.

    python -m parity.verify --module DIR/mnist_cnn_jax.py --map DIR/weights_map.json \\
        --trace DIR/trace.json --oracle DIR/oracle.safetensors --out DIR/certificate.json

Imports no TensorFlow. Exit codes: 0 if every check up to the level passed, 3 if residuals are left, 4
if a check failed, 2 for bad usage, 5 where there is no such accelerator.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from parity import devices, oracle_file, own_step_checks, verification
from parity.checks import LEVELS, reached, table
from parity.errors import BadInputError, NoDeviceError
from parity.weights_map import WeightsMap

NO_DEVICE = 5


def verify(
    module: str,
    map_file: str,
    trace_file: str,
    oracle_path: str | None,
    level: str,
    package_root: str | None = None,
    residuals_file: str | None = None,
    platform: str = "cpu",
) -> dict[str, Any]:
    """The certificate of a port.

    Args:
      module: the port.
      map_file: weights_map.json.
      trace_file: trace.json.
      oracle_path: oracle.safetensors; None up to level `shapes`.
      level: the highest level to check.
      package_root: folder that the port's package lies in.
      residuals_file: residuals.json; with residuals in it nothing is run.
      platform: what to check on, one of `devices.PLATFORMS`; tolerances are wider where it computes coarser.

    Raises:
      NoDeviceError: there is no such device here.
    """
    trace = json.loads(pathlib.Path(trace_file).read_text(encoding="utf-8"))
    weights = WeightsMap.read(map_file)
    left = json.loads(pathlib.Path(residuals_file).read_text(encoding="utf-8")) if residuals_file else {}
    oracle = oracle_file.read(oracle_path) if oracle_path and level not in ("none", "shapes") else None
    if oracle is not None and LEVELS.index(oracle.level) < LEVELS.index(level):
        raise BadInputError(f"the oracle was recorded up to level {oracle.level}, not {level}", oracle_path)
    checks, device = [], None
    if not left.get("residuals"):
        with devices.on(platform) as device:
            oracle = oracle.widened(device.factor) if oracle is not None else None
            checks = [*device.checks(), *verification.run(module, package_root, weights, trace, oracle, level)]
    got = reached(checks, level)
    failed = any(not check.passed for check in checks)
    if left.get("residuals"):
        verdict = "residuals"
    elif failed:
        verdict = "failed"
    else:
        verdict = "verified" if level != "none" else "unverified"
    own = weights.data.get("optimizer")
    notes = [*(oracle.notes if oracle else ()), *own_step_checks.unchecked(weights, oracle)]
    return {
        "version": 1,
        "unit": pathlib.Path(module).stem.removesuffix("_jax"),
        "verdict": verdict,
        "asked": level,
        "reached": got,
        "keras": trace["keras"],
        "optimizer": own or "sgd (the unit has none of its own)",
        "device": device.as_json() if device is not None else None,
        "checks": [check.as_json() for check in checks],
        "residuals": left.get("residuals", []),
        "notes": [*left.get("notes", []), *(_note(trace, note) for note in notes)],
        "answers": left.get("answers", []),
        "oracle": {
            "truth": None if oracle is None else oracle.truth,
            "cases": 0 if oracle is None else len(oracle.cases),
        },
    }


def _note(trace: Mapping[str, Any], note: str) -> dict[str, Any]:
    """A note on the whole unit, at the top of its source."""
    return {"file": trace["source"], "line": 1, "column": 0, "note": note}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    flags = argparse.ArgumentParser(prog="verify", description=__doc__.splitlines()[0], allow_abbrev=False)
    flags.add_argument("--module", required=True, help="the port")
    flags.add_argument("--map", required=True, help="its weights_map.json")
    flags.add_argument("--trace", required=True, help="trace.json of the original")
    flags.add_argument("--oracle", help="oracle.safetensors of the original")
    flags.add_argument("--residuals", help="residuals.json of the port")
    flags.add_argument("--package_root", help="folder that the port's package lies in")
    flags.add_argument("--level", choices=LEVELS, default="step")
    flags.add_argument("--accelerator", choices=devices.PLATFORMS, default="cpu", help="what to check on")
    flags.add_argument("--out", required=True, help="certificate.json to write")
    return flags


def main(argv: Sequence[str] | None = None) -> int:
    """The program; returns its exit code."""
    options = parser().parse_args(argv)
    try:
        certificate = verify(
            options.module,
            options.map,
            options.trace,
            options.oracle,
            options.level,
            options.package_root,
            options.residuals,
            options.accelerator,
        )
    except NoDeviceError as error:
        print(f"skipped: {error}", file=sys.stderr)
        return NO_DEVICE
    except (BadInputError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    os.makedirs(os.path.dirname(os.path.abspath(options.out)), exist_ok=True)
    pathlib.Path(options.out).write_text(json.dumps(certificate, indent=1) + "\n", encoding="utf-8")
    print(table(certificate))
    return {"failed": 4, "residuals": 3}.get(certificate["verdict"], 0)


if __name__ == "__main__":
    sys.exit(main())
