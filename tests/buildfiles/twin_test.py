"""A BUILD file gets a port's target and keeps everything else."""

from __future__ import annotations

from absl.testing import absltest, parameterized

from buildfiles import deps
from buildfiles.twin import Twin, with_twin
from parity.errors import BadInputError

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
DEPS = ("@pypi//:flax", "@pypi//:jax")
ORIGINAL = """\
# What the shop tags with.
py_library(
    name = "m",
    testonly = True,
    srcs = ["m.py"],
    tags = ["models"],
    visibility = [
        "//a:b",
        "//c:__subpackages__",
    ],
    deps = ["@pypi//:tensorflow_cpu"],
)
"""


def written(text, needed=DEPS):
    return with_twin(text, Twin("m_jax", "m.py", tuple(needed), LABELS), "models/BUILD")


class DepsTest(parameterized.TestCase):
    @parameterized.parameters(
        ("import jax.numpy as jnp\nfrom flax import nnx\n", [*DEPS]),
        ("def f():\n    import numpy as np\n", ["@pypi//:numpy"]),
        ("import orbax.checkpoint as ocp\n", ["@pypi//:orbax_checkpoint"]),
        ("import os\nfrom . import jax\n", []),
    )
    def test_what_is_imported(self, module, expected):
        self.assertEqual(deps.python_deps(module, LABELS), expected)

    def test_other_hubs(self):
        labels = ["@pip//jax", "//third_party/py/jax"]
        self.assertEqual(deps.python_deps("import jax", labels), labels)

    def test_ports_of_other_units(self):
        there = {":blocks_jax", "//lib:losses_jax"}
        labels = [":blocks.jax", "//lib:losses.jax", "//lib:other.jax", ":sizes"]
        expected = [":blocks_jax", "//lib:losses_jax", "//lib:other.jax", ":sizes"]
        self.assertEqual(deps.twins(labels, there.__contains__), expected)


class PlaceTest(parameterized.TestCase):
    def test_empty_file(self):
        self.assertEqual(written(""), f"{LOAD}\n{TARGET}")

    def test_before_loads_that_sort_later(self):
        text = 'load("//rules:defs.bzl", "jax_migration")\n\njax_migration(\n    name = "m",\n)\n'
        self.assertEqual(written(text), LOAD + text + "\n" + TARGET)

    def test_after_loads_that_sort_earlier(self):
        text = 'load("@a//:defs.bzl", "a")\nload(\n    "@zzz//:defs.bzl",\n    "b",\n)\n\na()\n'
        found = written(text)
        self.assertStartsWith(found, 'load("@a//:defs.bzl", "a")\n' + LOAD + 'load(\n    "@zzz//:defs.bzl"')
        found = written('load("@a//:defs.bzl", "a")\n\na()\n')
        self.assertStartsWith(found, 'load("@a//:defs.bzl", "a")\n' + LOAD + "\na()\n")

    def test_after_comments_and_docstring(self):
        text = '# Licence.\n\n"""What this is."""\n\npackage()\n'
        self.assertEqual(written(text), f'# Licence.\n\n"""What this is."""\n\n{LOAD}\npackage()\n\n{TARGET}')

    def test_load_that_is_there(self):
        for load in (
            LOAD,
            'load("//my:py.bzl", "py_binary", "py_library")\n',
            'load(\n    "//a.bzl",\n    "py_library",\n)\n',
        ):
            with self.subTest(load):
                self.assertEqual(written(load + "\nx()\n"), f"{load}\nx()\n\n{TARGET}")

    def test_load_of_other_rules_from_the_same_file(self):
        text = 'load("@rules_python//python:defs.bzl", "py_binary", "py_test")\n\nx()\n'
        expected = 'load("@rules_python//python:defs.bzl", "py_binary", "py_library", "py_test")\n\nx()\n\n'
        self.assertEqual(written(text), expected + TARGET)

    def test_no_newline_at_the_end(self):
        self.assertEqual(written("x()"), f"{LOAD}\nx()\n\n{TARGET}")

    def test_below_the_original_with_what_it_has(self):
        text = f"{LOAD}\n{ORIGINAL}\n# Tests it.\npy_test(name = 't')\n"
        twin = TARGET.replace(
            '    srcs = ["m_jax.py"],\n',
            '    testonly = True,\n    srcs = ["m_jax.py"],\n    tags = ["models"],\n'
            '    visibility = [\n        "//a:b",\n        "//c:__subpackages__",\n    ],\n',
        )
        self.assertEqual(written(text), f"{LOAD}\n{ORIGINAL}\n{twin}\n# Tests it.\npy_test(name = 't')\n")

    def test_not_below_a_test_of_the_original(self):
        text = LOAD + '\npy_test(\n    name = "m_test",\n    srcs = ["m.py"],\n)\n'
        self.assertEqual(written(text), f"{text}\n{TARGET}")

    def test_a_file_that_can_not_be_parsed(self):
        with self.assertRaises(BadInputError) as caught:
            written("x(\n\ny = )\n")
        self.assertRegex(str(caught.exception), r"^models/BUILD:\d: is not a BUILD file that can be parsed$")


class UpdateTest(parameterized.TestCase):
    @parameterized.parameters([[]], [["@pypi//:jax"]], [[*DEPS, "@pypi//:optax"]])
    def test_deps_that_changed(self, before):
        text = written("x()\n", before) + "\ny()\n"
        after = written(text)
        self.assertIn(TARGET, after)
        self.assertEqual(after.count("m_jax.py"), 1)
        self.assertEndsWith(after, "\n\ny()\n")
        self.assertEqual(written(after), after)

    def test_what_a_person_added_stays(self):
        mine = TARGET.replace('"@pypi//:jax",\n', '"@pypi//:jax",\n        "@pypi//:mine",  # for plots\n')
        mine = mine.replace("    deps", '    tags = ["a"],\n    deps').replace(
            '        "@pypi//:flax"', '        # layers\n        "@pypi//:flax"'
        )
        text = f"{LOAD}\n# Ours.\n{mine}"
        self.assertEqual(written(text), text)
        self.assertEqual(
            written(text, [*DEPS, "@pypi//:numpy"]),
            text.replace("  # for plots\n", '  # for plots\n        "@pypi//:numpy",\n'),
        )
        self.assertEqual(written(text, ["@pypi//:flax"]), text.replace('        "@pypi//:jax",\n', ""))

    def test_tensorflow_leaves(self):
        text = LOAD + "\n" + TARGET.replace("@pypi//:flax", "@pypi//:keras")
        self.assertEqual(written(text), f"{LOAD}\n{TARGET}")

    def test_on_one_line(self):
        text = f'{LOAD}\npy_library(name = "m_jax", srcs = ["m_jax.py"])\n'
        expected = 'srcs = ["m_jax.py"], deps = ["@pypi//:jax"])\n'
        self.assertEndsWith(written(text, ["@pypi//:jax"]), expected)

    def test_target_that_a_person_shaped_is_kept(self):
        for attribute in ('srcs = ["m_jax.py", "more.py"]', 'srcs = ["m_jax.py"],\n    deps = DEPS + ["x"]'):
            with self.subTest(attribute):
                text = f'{LOAD}\npy_library(\n    name = "m_jax",\n    {attribute},\n)\n'
                self.assertEqual(written(text), text)


if __name__ == "__main__":
    absltest.main()
