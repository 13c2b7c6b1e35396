"""Every command in the README and in docs/ names a program that is there, with flags that it takes."""

from __future__ import annotations

import pathlib
import re
import shlex

from absl.testing import absltest

from auditing import main as audit
from buildfiles import main as cut_over
from cli import main as jaxport
from parity import verify
from presubmitting import main as presubmit

PAGES = [pathlib.Path("README.md"), *sorted(pathlib.Path("docs").glob("*.md"))]
PARSERS = {
    "//:audit": audit.parser,
    "//:cut_over": cut_over.parser,
    "//:jaxport": jaxport.parser,
    "//:presubmit": presubmit.parser,
}
#: Programs without flags of their own; the test depends on them, so they are there.
PLAIN = {
    "//:format",
    "//docs:reference",
    "//docs:rules",
    "//migrate:mnist_cnn",
    "//tests/benchmarks:answering",
    "//tests/benchmarks:judging",
    "//tests/benchmarks:porting",
    "//tests/rules:kill_rate",
}

_RUN = re.compile(r"(?:\./bazelw|bazel) run (?:@jaxport)?(//[\w/]*:\w+)(?: -- ([^`\n]*))?")
_PYTHON = re.compile(r"python -m parity\.verify ((?:[^`\\\n]|\\\n)*)")
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def arguments(text):
    """The words of a command line, up to a comment or an ellipsis."""
    words = shlex.split(text.replace("\\\n", " ").replace('"$(git merge-base HEAD origin/main)"', "REV"), comments=True)
    return words if "..." not in words else None


class CommandsTest(absltest.TestCase):
    def test_programs_and_their_flags(self):
        found = 0
        for page in PAGES:
            for label, rest in _RUN.findall(page.read_text(encoding="utf-8")):
                with self.subTest(f"{page}: {label} {rest}"):
                    self.assertIn(label, PARSERS.keys() | PLAIN)
                    words = arguments(rest)
                    if label in PARSERS and words and len(words) > 1:
                        PARSERS[label]().parse_args(words)
                        found += 1
        self.assertGreater(found, 8)

    def test_verify_without_bazel(self):
        page = pathlib.Path("docs/runners.md").read_text(encoding="utf-8")
        command = _PYTHON.search(page)
        self.assertEqual(verify.parser().parse_args(arguments(command[1])).accelerator, "gpu")

    def test_links_lead_somewhere(self):
        for page in PAGES:
            for target in _LINK.findall(page.read_text(encoding="utf-8")):
                with self.subTest(f"{page}: {target}"):
                    self.assertTrue((page.parent / target).exists())


if __name__ == "__main__":
    absltest.main()
