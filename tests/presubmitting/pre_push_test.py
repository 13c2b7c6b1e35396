"""The git hook asks for what is pushed, and passes the answer on."""

from __future__ import annotations

import os
import pathlib
import subprocess

from absl.testing import absltest

HOOK = pathlib.Path("presubmitting/pre_push.sh").resolve()
NONE = "0" * 40


class PrePushTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)
        self.calls = self.root / "calls"
        self.bazel = self.root / "bazel"
        self.repository = self.root / "repository"
        self.repository.mkdir()
        self.git("init", "-q", "-b", "main")
        self.commits = [self.commit("one"), self.commit("two"), self.commit("three")]

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        ran = subprocess.run(
            ["git", *identity, *arguments], cwd=self.repository, capture_output=True, text=True, check=True
        )
        return ran.stdout.strip()

    def commit(self, name: str) -> str:
        self.git("commit", "-q", "--allow-empty", "-m", name)
        return self.git("rev-parse", "HEAD")

    def push(self, local: str, remote: str, code: int = 0, **variables: str) -> tuple[int, list[str]]:
        self.bazel.write_text(f'#!/bin/sh\necho "$*" >>{self.calls}\nexit {code}\n')
        self.bazel.chmod(0o755)
        environment = os.environ | {"JAXPORT_BAZEL": str(self.bazel), **variables}
        ran = subprocess.run(
            ["sh", str(HOOK), "origin", "url"], input=f"refs/heads/x {local} refs/heads/x {remote}\n",
            cwd=self.repository, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return ran.returncode, self.calls.read_text().splitlines() if self.calls.exists() else []

    def test_from_what_the_remote_has(self) -> None:
        code, calls = self.push(self.commits[2], self.commits[1])
        self.assertEqual((code, calls), (0, [f"run //:presubmit -- --since {self.commits[1]}"]))

    def test_a_new_branch_is_compared_with_its_base(self) -> None:
        self.git("branch", "base", self.commits[0])
        _, calls = self.push(self.commits[2], NONE, JAXPORT_BASE="base", JAXPORT_PRESUBMIT="//x:y")
        self.assertEqual(calls, [f"run //x:y -- --since {self.commits[0]}"])

    def test_findings_stop_the_push(self) -> None:
        self.assertNotEqual(self.push(self.commits[2], self.commits[1], code=1)[0], 0)

    def test_a_branch_that_is_removed(self) -> None:
        self.assertEqual(self.push(NONE, self.commits[1]), (0, []))


if __name__ == "__main__":
    absltest.main()
