"""The passes are one object made of many classes: no two of them may define one name by accident."""

import ast
import inspect
import textwrap

from absl.testing import absltest

from codemods.passes.porter import Porter

#: Methods that take the place of another part's on purpose, and leave nothing to it.
_TAKES_OVER = {
    "as_step_takes": {"StepData"},
    "call_plain_function": {"Host"},
    "has_own_step": {"Overrides", "Fitting"},
    "is_host_dataset": {"Hosting"},
    "is_host_value": {"Hosting"},
    "metric_names": {"InSteps"},
    "own_variable": {"OwnCompile"},
    "port_class": {"Objects"},
    "port_function": {"Host"},
    "port_statement": {"Host"},
    "step_label": {"FunctionalClasses"},
    "step_rngs": {"Overrides"},
    "survey_class": {"Objects"},
    "takes": {"StepData"},
    "updated_part": {"OwnCompile"},
}


class MixinsTest(absltest.TestCase):
    def test_no_part_hides_what_another_defines(self) -> None:
        found: dict[str, set[str]] = {}
        definitions: dict[str, list[tuple[type, object]]] = {}
        for part in Porter.__mro__[:-1]:
            for name, value in vars(part).items():
                if not name.startswith("__") and name not in ("_abc_impl",):
                    definitions.setdefault(name, []).append((part, value))
        for name, every in definitions.items():
            for (part, value), (_, hidden) in zip(every, every[1:], strict=False):
                if not _is_hook(hidden) and f"super().{name}" not in _source(value):
                    found.setdefault(name, set()).add(part.__name__)
        unknown = {name: parts for name, parts in found.items() if parts - _TAKES_OVER.get(name, set())}
        self.assertEmpty(unknown, "rename one of the two, or call super(); both are parts of one object")
        self.assertContainsSubset(found, _TAKES_OVER, "these no longer hide anything: take them out of the table")


def _source(value: object) -> str:
    return textwrap.dedent(inspect.getsource(value)) if inspect.isfunction(value) else ""


def _is_hook(value: object) -> bool:
    """Is this there for others to override: no more than a docstring and a constant?"""
    source = _source(value)
    if not source:
        return False
    body = ast.parse(source).body[0].body  # type: ignore[attr-defined]
    rest = [s for s in body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    return all(isinstance(s, ast.Return | ast.Pass | ast.Raise) for s in rest) and not any(
        isinstance(part, ast.Call | ast.Attribute) for s in rest for part in ast.walk(s)
    )


if __name__ == "__main__":
    absltest.main()
