"""Tells the signature and the documentation of a symbol: `python -m parity.rule_oracle.describe --symbol S --out FILE`."""

from __future__ import annotations

import argparse
import inspect
import json
import pathlib
import sys
from collections.abc import Sequence

_MOST = 2500


def main(argv: Sequence[str] | None = None) -> int:
    """The program; returns its exit code: 2 where there is no such function."""
    flags = argparse.ArgumentParser(prog="describe", description=__doc__.splitlines()[0], allow_abbrev=False)
    flags.add_argument("--symbol", required=True)
    flags.add_argument("--out", type=pathlib.Path, required=True)
    args = flags.parse_args(argv)
    from parity.rule_oracle import compare

    try:
        found = compare.source_object(args.symbol)
        signature = inspect.signature(found)
    except (AttributeError, ImportError, TypeError, ValueError) as error:
        print(f"{args.symbol}: {error}", file=sys.stderr)
        return 2
    if inspect.isclass(found):
        print(f"{args.symbol} is a class, for which rules can't be certified yet", file=sys.stderr)
        return 2
    plain = signature.replace(
        parameters=[p.replace(annotation=p.empty) for p in signature.parameters.values()],
        return_annotation=signature.empty,
    )
    about = {"signature": str(plain), "doc": (inspect.getdoc(found) or "")[:_MOST]}
    args.out.write_text(json.dumps(about), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
