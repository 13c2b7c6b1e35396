"""A BUILD file gets a port's target and keeps everything else."""

from absl.testing import absltest, parameterized

from rules.tools import build_file

LABELS = ("@pypi//:flax", "@pypi//:jax", "@pypi//:numpy", "@pypi//:optax", "@pypi//:orbax_checkpoint", "@pypi//:tqdm")

LOAD = 'load("@rules_python//python:defs.bzl", "py_library")\n'
TARGET = """\
py_library(
    name = "m_jax",
    srcs = ["m_jax.py"],
    deps = [
        "@pypi//:flax",
        "@pypi//:jax",
    ],
)
"""
DEPS = ["@pypi//:flax", "@pypi//:jax"]


class PythonDepsTest(parameterized.TestCase):
    @parameterized.parameters(
        ("import jax.numpy as jnp\nfrom flax import nnx\n", DEPS),
        ("def f():\n    import numpy as np\n", ["@pypi//:numpy"]),
        ("import orbax.checkpoint as ocp\n", ["@pypi//:orbax_checkpoint"]),
        ("import os\nfrom . import jax\n", []),
    )
    def test_what_is_imported(self, module, expected):
        self.assertEqual(build_file.python_deps(module, LABELS), expected)

    def test_other_hubs(self):
        self.assertEqual(build_file.python_deps("import jax", ["@pip//jax", "//third_party/py/jax"]),
                         ["@pip//jax", "//third_party/py/jax"])  # fmt: skip


class WithTargetTest(parameterized.TestCase):
    def test_empty_file(self):
        self.assertEqual(build_file.with_target("", "m_jax", DEPS), f"{LOAD}\n{TARGET}")

    def test_before_loads_that_sort_later(self):
        text = 'load("//rules:defs.bzl", "jax_migration")\n\njax_migration(\n    name = "m",\n)\n'
        self.assertEqual(build_file.with_target(text, "m_jax", DEPS), LOAD + text + "\n" + TARGET)

    def test_after_loads_that_sort_earlier(self):
        text = 'load("@a//:defs.bzl", "a")\nload(\n    "@zzz//:defs.bzl",\n    "b",\n)\n\na()\n'
        found = build_file.with_target(text, "m_jax", DEPS)
        self.assertStartsWith(found, 'load("@a//:defs.bzl", "a")\n' + LOAD + 'load(\n    "@zzz//:defs.bzl"')
        found = build_file.with_target('load("@a//:defs.bzl", "a")\n\na()\n', "m_jax", DEPS)
        self.assertStartsWith(found, 'load("@a//:defs.bzl", "a")\n' + LOAD + "\na()\n")

    def test_after_comments_and_docstring(self):
        text = '# Licence.\n\n"""What this is."""\n\npackage()\n'
        found = build_file.with_target(text, "m_jax", DEPS)
        self.assertEqual(found, f'# Licence.\n\n"""What this is."""\n\n{LOAD}\npackage()\n\n{TARGET}')

    def test_load_that_is_there(self):
        for load in (
            LOAD,
            'load("//my:py.bzl", "py_binary", "py_library")\n',
            'load(\n    "//a.bzl",\n    "py_library",\n)\n',
        ):
            with self.subTest(load):
                self.assertEqual(build_file.with_target(load + "\nx()\n", "m_jax", DEPS), f"{load}\nx()\n\n{TARGET}")

    @parameterized.parameters([[]], [["@pypi//:jax"]], [[*DEPS, "@pypi//:optax"]])
    def test_update(self, deps):
        before = build_file.with_target("x()\n", "m_jax", deps) + "\ny()\n"
        after = build_file.with_target(before, "m_jax", DEPS)
        self.assertIn(TARGET, after)
        self.assertEqual(after.count("m_jax.py"), 1)
        self.assertEndsWith(after, "\n\ny()\n")
        self.assertEqual(build_file.with_target(after, "m_jax", DEPS), after)

    def test_target_that_a_person_shaped_is_kept(self):
        text = LOAD + '\npy_library(\n    name = "m_jax",\n    srcs = ["m_jax.py", "more.py"],\n)\n'
        self.assertEqual(build_file.with_target(text, "m_jax", DEPS), text)

    def test_no_newline_at_the_end(self):
        self.assertEqual(build_file.with_target("x()", "m_jax", DEPS), f"{LOAD}\nx()\n\n{TARGET}")


if __name__ == "__main__":
    absltest.main()
