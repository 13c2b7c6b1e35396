"""Drafts playbook pages from code that people migrated by hand: functions that stand in an old file and in its new one."""

from __future__ import annotations

import ast
import dataclasses
import itertools
from collections import Counter
from collections.abc import Sequence

from agent.reading import names_read
from agent.shapes import argument_lines
from codemods.coverage.dry_run import dry_run
from codemods.coverage.uses import uses_of


@dataclasses.dataclass(frozen=True)
class Draft:
    """A page that is not checked yet.

    Attributes:
      name: of the function.
      matches: symbols of the framework that the old one uses.
      before, after: the functions, with their imports, as `f`.
      inputs: lines of arguments to try, the simplest first.
    """

    name: str
    matches: tuple[str, ...]
    before: str
    after: str
    inputs: tuple[str, ...]

    def page(self, inputs: str) -> str:
        """The page, to be completed and reviewed by a person."""
        return (
            f"# How `{self.name}` was ported\nlevel: client\nmatches: {', '.join(self.matches)}\nreviewed:\ninputs: {inputs}\n\n"
            "Say here what is to be learned from it, and whether it holds elsewhere; then put your name to `reviewed:`.\n\n"
            f"```python before\n{self.before}```\n\n```python after\n{self.after}```\n"
        )


def drafts(old: str, new: str, file: str) -> tuple[list[Draft], Counter[str]]:
    """Drafts of all functions that both files have.

    Args:
      old, new: the two texts; both parse.
      file: name of the old one.

    Returns:
      The drafts, in the order of the old file, and how many functions were left out, by the reason.
    """
    run = dry_run(old, file)
    blocked = {owner.split(".")[0] for owner, _ in run.residuals}
    symbols: dict[str, list[str]] = {}
    for use in uses_of(run.unit):
        symbols.setdefault(use.owner, []).append(use.symbol)
    ours, theirs = _Functions(old), _Functions(new)
    found, left_out = [], Counter[str]()
    for name, node in ours.functions.items():
        used = tuple(dict.fromkeys(symbols.get(name, ())))
        if not used:
            continue
        if name not in blocked:
            left_out["rules port it"] += 1
        elif name not in theirs.functions:
            left_out["the new file has no function of that name"] += 1
        elif len(node.args.args) != len(theirs.functions[name].args.args):
            left_out["the new one takes other arguments"] += 1
        elif (before := ours.alone(name)) is None or (after := theirs.alone(name)) is None:
            left_out["it needs more of its file than imports"] += 1
        else:
            required = len(node.args.args) - len(node.args.defaults)
            found.append(Draft(name, used, before, after, tuple(argument_lines(required))))
    return found, left_out


class _Functions:
    """The functions at module level of a file."""

    def __init__(self, text: str):
        self.text = text
        tree = ast.parse(text)
        self.functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef) and not n.decorator_list}
        self._reads = names_read(text)
        self._imports: dict[str, str] = {}
        self._others: set[str] = set()
        for node in tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    self._imports[(alias.asname or alias.name).split(".")[0]] = ast.unparse(node)
            elif isinstance(node, ast.ClassDef | ast.FunctionDef):
                self._others.add(node.name)
            else:
                self._others |= {
                    n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
                }

    def alone(self, name: str) -> str | None:
        """A function as `f` with the imports that it needs; None where it needs something else of its file."""
        reads = self._reads[name]
        if reads & self._others or any("import *" in line or "from ." in line for line in self._imports.values()):
            return None
        node = self.functions[name]
        code = "\n".join(self.text.splitlines()[node.lineno - 1 : node.end_lineno])
        imports = sorted({self._imports[read] for read in reads if read in self._imports})
        head = "".join(f"{line}\n" for line in imports)
        return f"{head}\n\n{code.replace(f'def {name}(', 'def f(', 1)}\n".lstrip("\n")


def file_name(name: str, taken: Sequence[str]) -> str:
    """A name for a page's file that is not taken."""
    for number in itertools.count(1):
        candidate = f"{name.strip('_').lower()}{f'_{number}' if number > 1 else ''}.md"
        if candidate not in taken:
            return candidate
    raise AssertionError
