"""Classes, waves, cycles and findings of small repositories."""

import json

from absl.testing import absltest, parameterized

from auditing.drawing import as_dot, as_svg, migration_graph
from auditing.facts import Facts, facts_of
from auditing.graph import order
from auditing.page import as_html
from auditing.result import Audit, as_csv, as_json, audit
from auditing.targets import Repository, Target, own_class, package_of

TF = "import tensorflow as tf\ny = tf.nn.relu(1.0)\n"
JAX = "import jax\n"
HOST = "import tensorflow as tf\nds = tf.data.Dataset.range(3)\n"


def repository(**sources: tuple[str, list[str]]) -> Repository:
    """Targets `//:NAME` with one file `NAME.py`: (source, names of the targets that it depends on)."""
    targets = {
        f"//:{name}": Target(f"//:{name}", "py_library", (f"{name}.py",), tuple(f"//:{dep}" for dep in deps))
        for name, (_, deps) in sources.items()
    }
    return Repository(
        targets, {f"{name}.py": facts_of(f"{name}.py", text.encode()) for name, (text, _) in sources.items()}
    )


def result(**sources: tuple[str, list[str]]) -> Audit:
    return audit("//...", repository(**sources))


class ClassTest(parameterized.TestCase):
    @parameterized.parameters((TF, "tensorflow"), (JAX, "jax"), (HOST, "host-only"), ("x = 1\n", "free"),
                              (TF + JAX, "mixed"), (HOST + JAX, "jax"), ("from tensorflow import keras\n", "tensorflow"))  # fmt: skip
    def test_of_sources(self, source: str, expected: str) -> None:
        self.assertEqual(own_class([facts_of("m.py", source.encode())]), expected)

    @parameterized.parameters(
        (["@pypi//:tensorflow_cpu"], "tensorflow"), (["@pip//jax:pkg"], "jax"), (["@x//:y"], "free")
    )
    def test_of_targets_without_sources(self, deps: list[str], expected: str) -> None:
        self.assertEqual(own_class([], deps), expected)

    @parameterized.parameters(
        ("@pypi//:jax", "jax"), ("@pip//tensorflow", "tensorflow"), ("@pip_deps_flax//:pkg", "pip_deps_flax"),
        ("@rules_python~~pip~pypi//numpy:pkg", "numpy"), ("//a:b", ""),
    )  # fmt: skip
    def test_package(self, label: str, expected: str) -> None:
        self.assertEqual(package_of(label), expected)

    def test_transitive(self) -> None:
        found = order(repository(a=(TF, []), b=("x = 1\n", ["a"]), c=(JAX, ["b"]), d=(JAX, []))).standings
        self.assertEqual([found[f"//:{n}"].transitive for n in "abcd"], ["tensorflow", "tensorflow", "mixed", "jax"])


class WavesTest(absltest.TestCase):
    def test_leaves_come_first_and_other_targets_take_no_wave(self) -> None:
        found = result(a=(TF, []), b=("x = 1\n", ["a"]), c=(TF, ["b"]), d=(TF, ["a", "c"]), e=(TF, []))
        self.assertEqual(found.waves, [["//:a", "//:e"], ["//:c"], ["//:d"]])

    def test_what_blocks(self) -> None:
        found = result(a=(TF, []), b=("x = 1\n", ["a"]), c=(TF, ["b"]), d=("x = 1\n", ["c"]))
        a, c = found.rows["//:a"].standing, found.rows["//:c"].standing
        self.assertEqual((a.blocks, a.alone, c.blocks, c.alone), (1, 1, 0, 0))

    def test_cycles_are_named_and_do_not_stop_anything(self) -> None:
        found = result(a=(TF, ["b"]), b=("x = 1\n", ["a"]), c=(TF, ["a"]))
        self.assertEqual(found.cycles, (("//:a", "//:b"),))
        self.assertEqual(found.waves, [["//:a"], ["//:c"]])


class FindingsTest(absltest.TestCase):
    def kinds(self, found: Audit) -> list[tuple[str, str, int]]:
        return [(f.kind, f.file, f.line) for f in found.findings]

    def test_missing_and_unused_dependencies(self) -> None:
        found = result(a=("x = 1\n", []), b=("import os\nimport a\n", ["c"]), c=("y = 1\n", []))
        self.assertEqual(self.kinds(found), [("unused", "b.py", 1), ("missing", "b.py", 2)])

    def test_a_target_without_sources_stands_for_its_dependencies(self) -> None:
        base = repository(a=("x = 1\n", []), b=("import a\n", ["all"]))
        targets = {**base.targets, "//:all": Target("//:all", "py_library", (), ("//:a",))}
        self.assertEqual(audit("x", Repository(targets, base.facts)).findings, ())

    def test_frameworks_that_nothing_imports(self) -> None:
        base = repository(a=("x = 1\n", []))
        target = Target("//:a", "py_library", ("a.py",), ("@pypi//:numpy", "@pypi//:tensorflow_cpu"))
        found = audit("x", Repository({"//:a": target}, base.facts)).findings
        self.assertEqual(
            [f.message for f in found], ["//:a depends on @pypi//:tensorflow_cpu, of which its sources import nothing"]
        )

    def test_unreadable_and_shared_files(self) -> None:
        both = {f"//:{n}": Target(f"//:{n}", "py_library", ("m.py",), ()) for n in "ab"}
        found = audit("x", Repository(both, {"m.py": facts_of("m.py", b"x = 1\ny = (\n")}))
        self.assertEqual({k for k, _, _ in self.kinds(found)}, {"unreadable", "shared"})

    def test_relative_imports_and_import_roots(self) -> None:
        def target(label: str, file: str, deps: tuple[str, ...] = ()) -> Target:
            return Target(label, "py_library", (file,), deps, ("src",))

        targets = [
            target("//src/p:a", "src/p/a.py"),
            target("//src/p:b", "src/p/b.py"),
            target("//src/q:c", "src/q/c.py"),
        ]
        facts = {
            "src/p/a.py": facts_of("src/p/a.py", b"x = 1\n"),
            "src/p/b.py": facts_of("src/p/b.py", b"from . import a\n"),
            "src/q/c.py": facts_of("src/q/c.py", b"from p.a import x\n"),
        }
        found = audit("x", Repository({t.label: t for t in targets}, facts))
        self.assertEqual(
            [(f.kind, f.target) for f in found.findings], [("missing", "//src/p:b"), ("missing", "//src/q:c")]
        )


class OutputTest(absltest.TestCase):
    def test_all_formats(self) -> None:
        found = result(a=(TF, []), b=("import a\n", ["a"]), c=(JAX, []))
        data = json.loads(as_json(found))
        self.assertEqual(data["counts"]["direct"], {"free": 1, "jax": 1, "tensorflow": 1})
        self.assertLen(as_csv(found).splitlines(), 4)
        graph = migration_graph(found)
        self.assertIn('"//:b" -> "//:a";', as_dot(graph))
        self.assertEqual(as_svg(graph).count("<rect"), 2)
        page = as_html(found)
        self.assertIn("//:c", page)
        self.assertNotIn("{{", page)

    def test_markup_in_names_is_escaped(self) -> None:
        label = "//x:<script>"
        target = Target(label, "py_library", ("m.py",), ())
        found = audit(label, Repository({label: target}, {"m.py": facts_of("m.py", TF.encode())}))
        self.assertNotIn("<script>alert", as_html(found))
        self.assertNotIn(":<script>", as_html(found) + as_svg(migration_graph(found)))

    def test_nothing_at_all(self) -> None:
        self.assertIn("0 targets", as_html(audit("//...", Repository({}, dict[str, Facts]()))))


if __name__ == "__main__":
    absltest.main()
