"""Drafts playbook pages from answers that hold: what was paid for once is advice for the next place like it."""

from __future__ import annotations

import ast
import builtins
import itertools
import pathlib
import re
from collections.abc import Iterable, Sequence

from agent import pairs
from agent.records import Answer
from agent.shapes import argument_lines

_IMPORTS = {
    "tf": "import tensorflow as tf", "jax": "import jax", "jnp": "import jax.numpy as jnp", "lax": "from jax import lax",
    "np": "import numpy as np", "nnx": "from flax import nnx", "jsp": "import jax.scipy as jsp", "math": "import math",
}  # fmt: skip


def drafts(answer: Answer) -> tuple[str, list[str]]:
    """A page for an answer that puts one expression for another, once for each line of inputs to try.

    Returns:
      The name of its file, and the texts; none where the answer is of another kind, or needs more than tensors.
    """
    symbols = list(dict.fromkeys(cause.symbol for cause in answer.request.subject.causes))
    name = f"{re.sub(r'[^a-z0-9]+', '_', symbols[0].lower()).strip('_')}_{answer.key[:6]}.md"
    if len(answer.edit) != 1:
        return name, []
    (block,) = answer.edit
    names = [_names(code) for code in (block.search, block.replace)]
    if names[0] is None or names[1] is None or "self" in names[0]:
        return name, []
    arguments = sorted((names[0] | names[1]) - _IMPORTS.keys())
    if not arguments or not names[1] - _IMPORTS.keys() <= names[0]:
        return name, []
    code = [_function(text, arguments, used) for text, used in zip((block.search, block.replace), names, strict=True)]
    texts = [
        f"# In place of {', '.join(symbols)}\nlevel: client\nmatches: {', '.join(symbols)}\nreviewed:\ninputs: {line}\n\n"
        f"From an answer of {answer.origin} to `{answer.request.subject.function}`. Say when it applies, and put your name to "
        f"`reviewed:`.\n\n```python before\n{code[0]}```\n\n```python after\n{code[1]}```\n"
        for line in argument_lines(len(arguments))
    ]
    return name, texts


def pages(answers: Iterable[Answer], folder: pathlib.Path, timeout: float) -> dict[str, str]:
    """Pages whose pairs hold wherever TensorFlow takes what is tried, by the names of their files.

    Args:
      answers: that hold.
      folder: to work in.
      timeout: seconds to run all pairs.
    """
    found: dict[str, str] = {}
    tried: dict[pathlib.Path, tuple[str, str]] = {}
    for number, answer in enumerate(answers):
        name, texts = drafts(answer)
        for case, text in enumerate(texts):
            path = folder / f"draft-{number}-{case}.md"
            path.write_text(text, encoding="utf-8")
            tried[path] = (name, text)
    problems = pairs.problems(list(tried), folder, timeout) if tried else {}
    for name, entries in itertools.groupby(tried.items(), key=lambda entry: entry[1][0]):
        chosen = holding([(text, problems[path]) for path, (_, text) in entries])
        if chosen is not None:
            found[name] = chosen
    return found


def holding(tried: Sequence[tuple[str, str | None]]) -> str | None:
    """The first text whose pair holds; None where one differs, as the two are not the same then."""
    if any(problem is not None and problem.startswith("on ") for _, problem in tried):
        return None
    return next((text for text, problem in tried if problem is None), None)


def _names(code: str) -> set[str] | None:
    """Names that an expression reads; None where the code is none."""
    try:
        tree = ast.parse(f"({code.strip()})", mode="eval")
    except SyntaxError:
        return None
    bound = {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    bound |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - bound - set(dir(builtins))


def _function(code: str, arguments: Sequence[str], used: set[str] | None) -> str:
    imports = "".join(f"{_IMPORTS[name]}\n" for name in sorted(used or ()) if name in _IMPORTS)
    body = code.strip()
    returned = f"    return {body}\n" if "\n" not in body else f"    return (\n        {body}\n    )\n"
    return f"{imports}\n\ndef f({', '.join(arguments)}):\n{returned}".lstrip("\n")
