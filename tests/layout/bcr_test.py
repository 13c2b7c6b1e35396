"""The templates for the Bazel Central Registry have the form that its tools expect, and name files that are there."""

import json
import pathlib
import re
import shlex

import yaml
from absl.testing import absltest

_FOLDER = pathlib.Path(".bcr")
_SUBSTITUTED = {"OWNER", "REPO", "TAG", "VERSION"}


class TemplatesTest(absltest.TestCase):
    def test_metadata(self):
        metadata = json.loads((_FOLDER / "metadata.template.json").read_text(encoding="utf-8"))
        self.assertEqual(metadata.keys(), {"homepage", "maintainers", "repository", "versions", "yanked_versions"})
        # The publishing tool fills these.
        self.assertEqual((metadata["versions"], metadata["yanked_versions"]), ([], {}))
        for repository in metadata["repository"]:
            self.assertRegex(repository, r"^github:[\w.-]+/[\w.-]+$")

    def test_source(self):
        source = json.loads((_FOLDER / "source.template.json").read_text(encoding="utf-8"))
        self.assertEqual(source.keys(), {"integrity", "strip_prefix", "url"})
        self.assertEqual(source["integrity"], "")
        self.assertLessEqual(set(re.findall(r"\{(\w+)\}", source["url"] + source["strip_prefix"])), _SUBSTITUTED)

    def test_presubmit(self):
        presubmit = yaml.safe_load((_FOLDER / "presubmit.yml").read_text(encoding="utf-8"))["bcr_test_module"]
        module = pathlib.Path(presubmit["module_path"])
        text = (module / "MODULE.bazel").read_text(encoding="utf-8")
        self.assertIn('bazel_dep(name = "jaxport"', text)
        override = re.search(r'local_path_override\(\s*module_name = "jaxport",\s*path = "([^"]+)"', text)
        self.assertTrue((module / override[1] / "MODULE.bazel").samefile("MODULE.bazel"))
        for name, task in presubmit["tasks"].items():
            with self.subTest(name):
                self.assertEqual(task["platform"], "${{ platform }}")
                for label in (*task["build_targets"], *task["test_targets"]):
                    package, target = label.removeprefix("//").split(":")
                    build = (module / package / "BUILD.bazel").read_text(encoding="utf-8")
                    made = re.findall(r'name = "(\w+)"', build)
                    self.assertIn(re.sub(r"(\.report|_test)$", "", target), made)
                for command in task["shell_commands"]:
                    program, script, lock, _ = shlex.split(command)
                    self.assertEqual(program, "python3")
                    self.assertTrue((module / script).exists() and (module / lock).exists(), command)

    def test_the_shop_asks_for_this_version(self):
        def version(file):
            return re.search(r'name = "jaxport",\s*version = "([^"]+)"', file.read_text(encoding="utf-8"))[1]

        self.assertEqual(version(pathlib.Path("tests/e2e/shop/MODULE.bazel")), version(pathlib.Path("MODULE.bazel")))


if __name__ == "__main__":
    absltest.main()
