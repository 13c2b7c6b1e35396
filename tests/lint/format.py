"""Formats the project's Python in place: ./bazelw run //:format"""

import os
import pathlib
import subprocess
import sys

import ruff

RUFF = pathlib.Path(ruff.__file__).parents[1] / "bin" / "ruff"


def main() -> int:
    # Bazel links the files here, and some empty ones besides; written are those of the source tree.
    here = [p for p in sorted(pathlib.Path().rglob("*.py")) if p.parts[0] != "external"]
    os.chdir(os.environ["BUILD_WORKSPACE_DIRECTORY"])
    files = [p for p in here if p.exists()]
    subprocess.run([RUFF, "check", "--no-cache", "--fix", "--quiet", "--exit-zero", *files], check=True)
    return subprocess.run([RUFF, "format", "--no-cache", *files]).returncode


if __name__ == "__main__":
    sys.exit(main())
