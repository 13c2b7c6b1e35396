"""A machine made of stand-in programs, for running bazelw on."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

#: What bazelw and the scripts that it calls may take from any Linux machine.
USUAL = (
    "awk", "basename", "bash", "cat", "chmod", "cksum", "cut", "date", "dirname", "env", "find", "flock", "getent", "grep",
    "head", "id", "ls", "mkdir", "mktemp", "mv", "printf", "python3", "readlink", "realpath", "rm", "sed", "sh",
    "sha256sum", "sleep", "sort", "stat", "timeout", "touch", "tr", "uname", "wc", "xargs",
)  # fmt: skip

#: A Bazel that resolves modules, and says what it was asked.
BAZEL = """
echo "$(basename "$0") $*" >>"$CALLS"
case " $* " in
  *" --version "*) echo "bazel ${VERSION:-7.7.1}" ;;
  *" mod graph "*) exit "${REGISTRY:-0}" ;;
esac
"""


class Machine:
    """A clone of the project's set-up with a PATH, a home and a temporary folder of its own.

    Attributes:
      clone: the folder with bazelw in it.
      home: the user's.
      calls: what stand-ins of Bazel were asked, one call per line.
    """

    def __init__(self, folder: pathlib.Path, files: dict[str, pathlib.Path], name: str = "a clone"):
        """Copies `files`, by their names in the repository, into a new clone."""
        self.clone, self.home, self._programs = folder / name, folder / "home", folder / "bin"
        self._temporary, self._calls = folder / "tmp", folder / "calls"
        for new in (self.home, self._programs, self._temporary):
            new.mkdir(parents=True)
        self._calls.touch()
        for target, source in files.items():
            (self.clone / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, self.clone / target)
        for program in USUAL:
            found = shutil.which(program)
            if found:
                (self._programs / program).symlink_to(found)

    def program(self, name: str, script: str) -> pathlib.Path:
        """Puts a program on PATH."""
        return self.script(self._programs / name, script)

    def script(self, path: pathlib.Path, script: str) -> pathlib.Path:
        """Makes a program anywhere."""
        path.unlink(missing_ok=True)
        path.write_text(f"#!{self._programs}/bash\n{script}\n")
        path.chmod(0o755)
        return path

    def start(self, *words: str, **variables: str | None) -> subprocess.Popen[str]:
        """Starts bazelw; `variables` are set in its environment, or unset where None."""
        environment: dict[str, str | None] = {
            "PATH": str(self._programs),
            "HOME": str(self.home),
            "TMPDIR": str(self._temporary),
            "CALLS": str(self._calls),
            **variables,
        }
        return subprocess.Popen(
            [str(self.clone / "bazelw"), *words],
            cwd=self.clone,
            env={k: v for k, v in environment.items() if v is not None},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, **variables: str | None) -> tuple[int, list[str]]:
        """Runs bazelw; returns its exit code and what it said."""
        process = self.start(*words, **variables)
        _, said = process.communicate(timeout=100)
        return process.returncode, said.splitlines()

    @property
    def calls(self) -> list[str]:
        return self._calls.read_text().splitlines()

    @property
    def cache(self) -> pathlib.Path:
        return self.home / ".cache" / "jaxport"

    @property
    def temporary_cache(self) -> pathlib.Path:
        return self._temporary / f"jaxport-{os.getuid()}"
