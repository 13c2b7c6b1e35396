"""Runs the pairs of playbook pages in both frameworks: values, dtypes and gradients, the JAX side under `jax.jit`.

Run as `python -m parity.rule_oracle.pairs --page FILE.md [--page FILE.md] --out pairs.json`; exit code 0 however they
end. Needs TensorFlow.
"""

from __future__ import annotations

import argparse
import ast
import json
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

from agent import pages
from agent.pages import Page
from parity.errors import BadInputError
from parity.inputs import InputSpec


def problem(page: Page) -> str | None:
    """What is wrong with a page's pair, or None."""
    try:
        before, after = (_function(code, kind) for code, kind in ((page.before, "before"), (page.after, "after")))
        for number, line in enumerate(page.inputs):
            inputs = _inputs(line, number)
            if found := _difference(before, after, inputs):
                return f"on {line}: {found}"
    except BadInputError as error:
        return str(error)
    except Exception as error:  # of whatever kind the code on the page raises
        return f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"
    return None


def _function(code: str, kind: str) -> Callable[..., Any]:
    names: dict[str, Any] = {"__name__": f"_{kind}"}
    exec(compile(code, f"<{kind}>", "exec", dont_inherit=True), names)
    if not callable(names.get("f")):
        raise BadInputError(f"the block `{kind}` defines no function f")
    return names["f"]


def _inputs(line: str, seed: int) -> list[Any]:
    """The arguments that a line stands for: `float32[4,3], 2, "sum"`."""
    found: list[Any] = []
    for index, part in enumerate(_parts(line)):
        try:
            found.append(ast.literal_eval(part))
        except (ValueError, SyntaxError):
            found.append(InputSpec.parse(part).generate(seed, index))
    return found


def _parts(line: str) -> list[str]:
    """A line at its commas, those in brackets left alone."""
    parts, depth = [""], 0
    for character in line:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _difference(before: Callable[..., Any], after: Callable[..., Any], inputs: list[Any]) -> str | None:
    import tensorflow as tf

    from parity.rule_oracle import compare
    from parity.rule_oracle.programs import Program, run

    floats = compare.floats(inputs)
    watched = [tf.constant(x) for x in floats]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        result = before(*compare.mapped(compare.for_tf, compare.replaced(inputs, floats, watched)))
        weights = compare.projection(result, compare.seed_of(repr(inputs)))
        parts = zip(compare.leaves(result), weights, strict=True)
        total = sum((tf.reduce_sum(x * w) for x, w in parts if w is not None), start=tf.constant(0.0))
    gradients = tape.gradient(total, watched, unconnected_gradients="zero") if watched else []
    (outcome,) = run(
        [Program(lambda given: after(*compare.mapped(compare.for_jax, given[0])), (tuple(inputs), {}), weights)]
    )
    if outcome.error is not None:
        return f"JAX raises {type(outcome.error).__name__}: {outcome.error}"
    if not outcome.traced:
        return "the port works outside of jax.jit alone"
    try:
        compare.check(compare.mapped(compare.plain, result), outcome.result)
        compare.check([compare.plain(x) for x in gradients], list(outcome.gradients or []), where="gradient")
    except AssertionError as error:
        return " ".join(str(error).split())[:400]
    return None


def main(argv: Sequence[str] | None = None) -> int:
    """The program; returns its exit code."""
    flags = argparse.ArgumentParser(prog="pairs", description=__doc__.splitlines()[0], allow_abbrev=False)
    flags.add_argument("--page", type=pathlib.Path, action="append", required=True)
    flags.add_argument("--out", type=pathlib.Path, required=True)
    args = flags.parse_args(argv)
    found = {}
    for path in args.page:
        try:
            found[str(path)] = problem(pages.read(path))
        except BadInputError as error:
            found[str(path)] = str(error)
    args.out.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
