"""Ports one file: source and trace in, JAX source, weights map and residuals out.

Run as `python -m codemods.port --source FILE [--trace trace.json] --out DIR`. Exit codes: 0 ported in
full, 3 residuals left, 2 bad input.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import gc
import json
import pathlib
import sys
import textwrap
import types
from collections.abc import Mapping
from typing import Any

import libcst as cst
from absl import app, flags

from codemods import rule_files
from codemods.engine.edits import Edits
from codemods.engine.walk import forget
from codemods.linking.files import linked_files
from codemods.linking.link import Linked, link
from codemods.linking.parents import stand_in_parents
from codemods.linking.unlink import ported_path, written_path
from codemods.passes.frame import Frame
from codemods.passes.porter import Porter
from codemods.passes.printing.output import Output
from codemods.passes.trace import Trace
from codemods.passes.unit import Unit
from codemods.passes.values import text
from codemods.passes.weights import WeightsMap
from codemods.roots import ported_call, roots
from codemods.rule_files import RuleFileError
from codemods.train_steps import TrainSteps, functions

_SOURCE = flags.DEFINE_string("source", None, "The file to port.")
_TRACE = flags.DEFINE_string("trace", None, "Facts of a run of the original, as parity.capture writes them.")
_ROOT = flags.DEFINE_string("package_root", None, "The folder that imports start from; linked files are ported, too.")
_RULES = flags.DEFINE_multi_string("rules", [], "A file with rules of the user's own, which are certified apart.")
_OUT = flags.DEFINE_string("out", None, "The folder to write to.")

_OWN = "__jaxport_"
_ENTRY = f"{_OWN}entry__"
_OPTIMIZER = f"{_OWN}optimizer__"


class Port:
    """One port, from text to text."""

    def __init__(
        self,
        source: str,
        file: str,
        trace: dict[str, Any] | None,
        root: pathlib.Path | None = None,
        edits: Edits | None = None,
    ):
        """`root`: the folder that imports start from; None for a file that is ported alone.

        `edits` are made to the source, and to the files that are ported with it, before anything else: JAX code over
        the names of the original, for what no rule knows. Places are those of the source without them.
        """
        self.trace = trace or {}
        self.root = root
        self.edits = edits or Edits()
        linked = self._linked(source, file)
        if linked is None:
            self.lines_in = _count_lines(source)
            self.unit = Unit(self.edits.apply(file, source) + self._extra(), file, Trace(trace), edits=self.edits)
        else:
            self.lines_in = sum(_count_lines(f.text) for f in linked.files) - _count_lines(self._extra())
            self.unit = Unit(linked.text, file, Trace(trace), linked, self.edits)
        for name in [name for name in self.unit.functions if name.startswith(_OWN)]:
            del self.unit.functions[name]
        self.porter = Porter(self.unit)
        self._specials = {
            s.name.value: s
            for s in self.unit.module.body
            if isinstance(s, cst.FunctionDef) and s.name.value.startswith(_OWN)
        }
        rest = [s for s in self.unit.module.body if s not in self._specials.values()]
        self.unit.module = self.unit.module.with_changes(body=rest)
        self.porter.entry_node = self._specials.get(_ENTRY)
        self.porter.port()
        self.roots = roots(self.unit)
        self.entry = self._expression(_ENTRY)
        self.optimizer = self._expression(_OPTIMIZER)
        self.output = Output(self.porter)
        self.source = self.output.text()
        self._late_residuals()
        forget()

    def _linked(self, source: str, file: str) -> Linked | None:
        """The file with those of its package that it needs, if there are any."""
        files = linked_files(self.root, file) if self.root is not None else []
        if len(files) < 2:
            return None
        others = [dataclasses.replace(f, text=self.edits.apply(f.path, f.text)) for f in files[:-1]]
        text = self.edits.apply(files[-1].path, source)
        entry = dataclasses.replace(files[-1], text=text.rstrip("\n") + "\n" + self._extra())
        return link(self.root, [*others, entry])  # type: ignore[arg-type]

    @functools.cached_property
    def sources(self) -> dict[str, str]:
        """Text of the port of every file, by the original's path."""
        return self.output.texts()

    def _late_residuals(self) -> None:
        """What printing found: those definitions are left as they were, too."""
        for _ in range(8):
            again = Output(self.porter)
            if again.failed == self.output.failed:
                return
            self.output, self.source = again, again.text()

    def _extra(self) -> str:
        """The entry and the optimizer as functions, so that they are ported like the rest of the file."""
        extra = ""
        entry = self.trace.get("entry")
        example = self.trace.get("example_source")
        body = _function_body(example, "model") if example else f"    return {entry}" if entry else None
        extra += f"\n\ndef {_ENTRY}():\n{body}\n" if body else ""
        optimizer = self.trace.get("optimizer")
        if optimizer:
            extra += f"\n\ndef {_OPTIMIZER}():\n    import tensorflow as tf\n    return {optimizer['expression']}\n"
        return extra + functions(self.trace, textwrap.dedent(body) if body else None)

    def _expression(self, name: str) -> str | None:
        node = self._specials.get(name)
        if node is None:
            return None
        returns = [
            s for s in node.body.body if isinstance(s, cst.SimpleStatementLine) and isinstance(s.body[0], cst.Return)
        ]
        value = returns[-1].body[0].value if returns else None  # type: ignore[union-attr]
        if value is None:
            return None
        frame = Frame(self.unit, name, "plain")
        before = len(self.unit.residuals)
        code = self.porter.settle_plain(self.porter.eval(value, frame).code, name)
        if len(self.unit.residuals) > before:
            del self.unit.residuals[before:]
            return None
        return text(code).replace("rngs=rngs", "rngs=nnx.Rngs(0)")

    # -- results -----------------------------------------------------------------------------------

    def weights_map(self, module: str) -> dict[str, Any]:
        call = self.trace.get("call")
        call = call if call is None else ported_call(call, self.roots)
        result: dict[str, Any] = {
            "version": 1, "module": module, "entry": self.entry, "call": call,
            "mode": any(root.spec is not None and root.spec.mode for root in self.roots), "optimizer": self.optimizer, "train_steps": [], "weights": [],
            "penalty": None,
        }  # fmt: skip
        if self.unit.linked is not None:
            result["files"] = {written_path(p, self.unit.file): ported_path(p) for p in self.sources}
        if not self.roots or self.entry is None:
            return result
        if any(root.spec is not None and root.spec.source in self.output.failed for root in self.roots):
            return result
        try:
            model = self._instance()
        except Exception as error:
            # The parity test says what is wrong, with the place; here there is just no map to give.
            result["problem"] = f"the ported entry can't be made: {type(error).__name__}: {error}"
            return result
        terms = [name for name in ("penalties", "added_losses") if name in self.unit.helpers]
        result["penalty"] = " + ".join(f"{name}(model)" for name in terms) or None
        walk = WeightsMap(self.porter, model)
        for root in self.roots:
            walk.add_root(root.spec, root.object, root.path)
        result["weights"] = walk.sorted_entries()
        steps = TrainSteps(self.porter, self.optimizer, self.source, self._specials)
        spec = self.roots[0].spec
        result["train_steps"] = [
            steps.entry(n, step, spec) for n, step in enumerate(self.trace.get("train_steps") or ())
        ]
        return result

    def _instance(self) -> Any:
        """The ported model, made without computing anything."""
        import jax
        import jax.numpy as jnp
        import numpy as np
        from flax import nnx

        module = types.ModuleType("ported")
        names = module.__dict__
        if self.root is not None:
            package = ".".join(pathlib.PurePosixPath(self.unit.file).parts[:-1])
            stand_in_parents(package, self.root)
            names["__package__"] = package
        source = Output(self.porter, drop_failed=True).text() if self.output.failed else self.source
        sys.modules["ported"] = module  # where dataclasses look up what their annotations name
        try:
            exec(compile(source, "<ported>", "exec", dont_inherit=True), names)
            names.update(jax=jax, jnp=jnp, np=np, nnx=nnx)
            return nnx.eval_shape(lambda: eval(self.entry or "None", names))
        finally:
            del sys.modules["ported"]

    def residuals(self) -> dict[str, Any]:
        entries = []
        for function, residual in self.unit.residuals:
            span = residual.span
            assert span is not None
            entries.append(
                {"file": span.file, "line": span.line, "column": span.column, "end_line": span.end_line,
                 "end_column": span.end_column, "symbol": residual.symbol, "reason": residual.reason, "function": function}
            )  # fmt: skip
        entries.sort(key=lambda e: (e["line"], e["column"], e["symbol"], e["reason"]))
        notes = [
            {"file": n.span.file, "line": n.span.line, "column": n.span.column, "note": n.text}
            for n in (*self.unit.notes, *self.unit.touched(lambda f: f in self.output.failed or f.startswith(_OWN)))
        ]
        notes.sort(key=lambda n: (n["line"], n["column"], n["note"]))
        total = len(self.unit.classes) + len(self.unit.functions)
        return {
            "version": 1, "residuals": entries, "notes": notes,
            "functions": {"total": total, "ported": total - len(self.output.failed & {*self.unit.classes, *self.unit.functions})},
            "lines": {"in": self.lines_in, "out": _count_lines(self.source)},
        }  # fmt: skip


def _count_lines(source: str) -> int:
    """Lines with code on them: no blank lines, comments or docstrings."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return len([line for line in source.splitlines() if line.strip()])
    doc: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            doc |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = enumerate(source.splitlines(), 1)
    return len([i for i, line in lines if line.strip() and not line.strip().startswith("#") and i not in doc])


def _function_body(source: str, name: str) -> str | None:
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return "\n".join("    " + line for statement in node.body for line in ast.unparse(statement).splitlines())
    return None


class BadSource(Exception):
    """The source can't be read; the text is a sentence that names it."""


def port_file(
    path: pathlib.Path, trace: dict[str, Any] | None, root: pathlib.Path | None, edits: Edits | None = None
) -> Port:
    """Ports a file.

    Args:
      path: the file.
      trace: of a run of it; None where it was not run.
      root: the folder that imports start from; None for a file that is ported alone.
      edits: see `Port`.

    Raises:
      BadSource: the file is not Python 3 in UTF-8.
    """
    try:
        source = path.read_text(encoding="utf-8")
        cst.parse_module(source)
    except UnicodeDecodeError:
        raise BadSource(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except cst.ParserSyntaxError as error:
        raise BadSource(f"{path}:{error.raw_line}: syntax error; only Python 3 is read") from None
    file = _below(path, root) if root else path.name
    return Port(source, trace.get("source", file) if trace else file, trace, root, edits)


def _below(path: pathlib.Path, root: pathlib.Path) -> str:
    """A file's path below the folder that imports start from. A link counts where it lies, not where it leads."""
    for place in (path.absolute(), path.parent.resolve() / path.name, path.resolve()):
        if place.is_relative_to(root):
            return place.relative_to(root).as_posix()
    raise BadSource(f"{path}: does not lie in {root}, where imports start")


def write(port: Port, stem: str, out: pathlib.Path, more: Mapping[str, Any] = types.MappingProxyType({})) -> None:
    """Writes a port, its weights map and its residuals to a folder; `more` goes beside the residuals."""
    out.mkdir(parents=True, exist_ok=True)
    weights = port.weights_map(f"{stem}_jax.py")
    for original, text_ in port.sources.items():
        place = out / written_path(original, port.unit.file)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text_, encoding="utf-8")
    residuals = {**port.residuals(), **more}
    (out / "weights_map.json").write_text(json.dumps(weights, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    (out / "residuals.json").write_text(json.dumps(residuals, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def main(argv: list[str]) -> int:
    del argv
    gc.freeze()  # what was imported stays; looking at it again and again takes a seventh of the time
    path = pathlib.Path(_SOURCE.value)
    trace = json.loads(pathlib.Path(_TRACE.value).read_text(encoding="utf-8")) if _TRACE.value else None
    try:
        rule_files.add(_RULES.value)
    except RuleFileError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        port = port_file(path, trace, pathlib.Path(_ROOT.value).resolve() if _ROOT.value else None)
    except BadSource as error:
        print(error, file=sys.stderr)
        return 2
    write(port, path.stem, pathlib.Path(_OUT.value))
    return 3 if port.unit.residuals else 0


if __name__ == "__main__":
    # Not where they are declared: whoever imports this module would have to give them.
    flags.mark_flags_as_required(["source", "out"])
    app.run(main)
