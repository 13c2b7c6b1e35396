"""What is read from `bazel query`, and how often files are read."""

import contextlib
import io
import os
import pathlib
import stat

from absl.testing import absltest, parameterized

from auditing import main
from auditing.collect import collect
from auditing.findings import findings
from auditing.query import QueryError, parsed, short, targets
from auditing.targets import Repository

XML = b"""<?xml version="1.1" encoding="UTF-8"?>
<query version="2">
  <rule class="py_library" name="//a:lib">
    <list name="srcs"><label value="//a:m.py"/><label value="//a:more"/></list>
    <list name="deps"><label value="@@//b:b"/><label value="@pypi//:jax"/></list>
    <list name="imports"><string value="."/></list>
  </rule>
  <rule class="filegroup" name="//a:more"><list name="srcs"><label value="//a/sub:n.py"/></list></rule>
  <rule class="py_test" name="@other//:x"/>
</query>
"""


class QueryTest(parameterized.TestCase):
    def test_parsed(self) -> None:
        lib, more = parsed(XML.replace(b'version="1.1"', b'version="1.0"'))
        self.assertEqual((lib.label, lib.files, lib.deps, lib.roots),
                         ("//a:lib", ("//a:more", "a/m.py"), ("//b:b", "@pypi//:jax"), ("a",)))  # fmt: skip
        self.assertEqual(more.files, ("a/sub/n.py",))

    @parameterized.parameters(("//a", "//a:a"), ("@@//a/b", "//a/b:b"), ("@//a:c", "//a:c"), ("@@p~1//:x", "@p~1//:x"))
    def test_short(self, label: str, expected: str) -> None:
        self.assertEqual(short(label), expected)

    def bazel(self, script: str) -> str:
        path = pathlib.Path(self.create_tempdir().full_path) / "bazel"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    def test_filegroups_are_looked_into_and_dependencies_followed(self) -> None:
        first = pathlib.Path(self.create_tempdir().full_path) / "first.xml"
        first.write_bytes(XML.replace(b'version="1.1"', b'version="1.0"'))
        script = f'case "$*" in *set*) echo \'<query><rule class="py_library" name="//b:b"/></query>\';; *) cat {first};; esac'
        found = targets([self.bazel(script)], pathlib.Path("/"), ["//a/..."])
        self.assertEqual(found["//a:lib"].files, ("a/m.py", "a/sub/n.py"))
        self.assertEqual(sorted(found), ["//a:lib", "//b:b"])

    def test_a_failing_query_says_why(self) -> None:
        bazel = self.bazel('echo "ERROR: no such package: x" >&2; exit 7')
        with self.assertRaisesRegex(QueryError, "no such package: x"):
            targets([bazel], pathlib.Path("/"), ["//x/..."])
        workspace = self.create_tempdir().full_path
        self.assertEqual(main.main(["--workspace", workspace, "--bazel", bazel, "//x/..."]), 2)

    def test_broken_packages_do_not_hide_the_others_and_are_named(self) -> None:
        error = "ERROR: /repo/p/BUILD:2:1: syntax error at 'newline'"
        more = "ERROR: package contains errors: p"
        bazel = self.bazel(
            f'echo "{error}" >&2; echo "{more}" >&2; echo \'<query><rule class="py_library" name="//b:b"/></query>\'; exit 3'
        )
        found = targets([bazel], self.root(bazel), [])
        self.assertIn("//b:b", found)
        self.assertEqual([(place.line, place.message) for place in found.broken], [(2, "syntax error at 'newline'")])
        self.assertEndsWith(found.broken[0].file, "p/BUILD")
        (finding,) = findings(Repository(found, {}, found.broken))
        self.assertEqual((finding.kind, finding.line), ("broken-package", 2))

    def root(self, bazel: str) -> pathlib.Path:
        return pathlib.Path(bazel).parent

    def test_packages_that_load_what_is_not_there(self) -> None:
        errors = ["error loading package 'p': No repository visible as '@x'", "error loading package '': the same"]
        bazel = self.bazel("".join(f'echo "ERROR: {error}" >&2; ' for error in errors) + "exit 3")
        root = self.root(bazel)
        (root / "p").mkdir()
        (root / "p" / "BUILD.bazel").write_text("")
        found = targets([bazel], root, [])
        expected = [("BUILD", 1, "the same"), ("p/BUILD.bazel", 1, "No repository visible as '@x'")]
        self.assertEqual([(place.file, place.line, place.message) for place in found.broken], expected)

    def test_many_packages_that_can_not_be_read_are_counted(self) -> None:
        errors = "".join(f"echo \"ERROR: error loading package 'p{i}': no\" >&2; " for i in range(13))
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            code = main.main(["--workspace", self.create_tempdir().full_path, "--bazel", self.bazel(errors + "exit 3")])
        self.assertEqual(code, 2)
        self.assertEqual(said.getvalue().count("nothing is known"), 10)
        self.assertIn("and 3 more packages that Bazel can't read\n", said.getvalue())

    def test_a_pattern_that_names_nothing(self) -> None:
        bazel = self.bazel(
            "echo \"ERROR: Skipping '//no:x': no such package 'no': BUILD file not found in any\" >&2; exit 3"
        )
        with self.assertRaisesRegex(QueryError, "^//no:x: no such package 'no'$"):
            targets([bazel], self.root(bazel), ["//no:x"])


class CollectTest(absltest.TestCase):
    def test_only_changed_files_are_read_again(self) -> None:
        root = pathlib.Path(self.create_tempdir().full_path)
        cache = root / "cache" / "facts.sqlite"
        (root / "a.py").write_text("import jax\n")
        (root / "b.py").write_text("x = 1\n")
        first = collect(root, ["a.py", "b.py", "gone.py"], cache)
        self.assertEqual(sorted(first), ["a.py", "b.py"])
        os.chmod(root / "a.py", 0)  # what is not read again need not be readable
        (root / "b.py").write_text("import tensorflow\n")
        again = collect(root, ["a.py", "b.py"], cache)
        self.assertEqual((again["a.py"], again["b.py"].tensorflow), (first["a.py"], 1))

    def test_without_a_place_for_a_cache(self) -> None:
        root = pathlib.Path(self.create_tempdir().full_path)
        (root / "a.py").write_text("import jax\n")
        (root / "file").write_text("")
        self.assertEqual(collect(root, ["a.py"], root / "file" / "x.sqlite")["a.py"].jax, 1)


if __name__ == "__main__":
    absltest.main()
