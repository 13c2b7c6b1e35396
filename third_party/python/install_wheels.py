"""Installs downloaded wheels: `python3 -I install_wheels.py LIST FOLDER`.

Run by wheels_repo.bzl; LIST is what download_wheels.py wrote. Each wheel is unpacked into
FOLDER/dists/<name> and compiled, and FOLDER/BUILD.bazel gets one py_library per distribution.
The result is the same, byte for byte, wherever it is made.

A library is one folder, or with --define=jaxport_files=each all of its files, which FOLDER/each/BUILD.bazel finds: Bazel
takes no folder among the runfiles of what it runs remotely.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import email.parser
import os
import pathlib
import py_compile
import re
import shutil
import sys
import time
import warnings
import zipfile

# Large parts that no target reads, as path prefixes or path parts.
PRUNED = {
    "numpy": re.compile(r"(^|/)tests/"),
    "scipy": re.compile(r"(^|/)tests/"),
    "tensorflow_cpu": re.compile(r"^tensorflow/include/"),
}
# Names by which other distributions ask for one that the lock replaces.
REPLACED = {"tensorflow": "tensorflow_cpu"}

HEADER = """\
load("@rules_python//python:defs.bzl", "py_library")

package(default_visibility = ["//visibility:public"])
"""
SETTING = """
config_setting(
    name = "each_file",
    define_values = {"jaxport_files": "each"},
)
"""
EACH = """
py_library(
    name = "{name}_files",
    data = glob(["{name}/**"]),
    imports = ["{name}"],
)
"""
LIBRARY = """
py_library(
    name = "_{name}_folder",
    data = ["dists/{name}"],
    imports = ["dists/{name}"],
    visibility = ["//visibility:private"],
)

py_library(
    name = "_{name}",
    visibility = ["//visibility:private"],
    deps = select({{
        ":each_file": ["//each:{name}_files"],
        "//conditions:default": [":_{name}_folder"],
    }}),
)

py_library(
    name = "{name}",
    deps = {deps},
)
"""
ALIAS = """
alias(
    name = "{name}",
    actual = "{actual}",
)
"""


def normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()


def say(text: str) -> None:
    print(f"wheels: {text}", flush=True)


def unpack(wheel: pathlib.Path, dists: pathlib.Path) -> str:
    """Unpacks one wheel, compiles its modules, and returns its name."""
    name = normalise(wheel.name.split("-")[0])
    target = dists / name
    pruned = PRUNED.get(name)
    sources = []
    with zipfile.ZipFile(wheel) as z:
        for info in z.infolist():
            path = info.filename
            if path.endswith("/"):
                continue
            # <name>.data/{purelib,platlib} belong beside the modules, scripts into bin/.
            data = re.match(r"[^/]+\.data/([^/]+)/(.+)", path)
            if data and data[1] in ("purelib", "platlib"):
                path = data[2]
            elif data and data[1] == "scripts":
                path = "bin/" + data[2]
            elif data:
                continue
            if (pruned and pruned.search(path)) or path.endswith(".pyc"):
                continue
            file = target / path
            if not file.resolve().is_relative_to(target.resolve()):
                sys.exit(f"{wheel.name} has a file outside its folder: {path}")
            file.parent.mkdir(parents=True, exist_ok=True)
            with z.open(info) as src, open(file, "wb") as dst:
                shutil.copyfileobj(src, dst, 1 << 20)
            executable = path.startswith("bin/") or (info.external_attr >> 16) & 0o111
            file.chmod(0o755 if executable else 0o644)
            if path.endswith(".py"):
                sources.append(file)
    warnings.simplefilter("ignore", SyntaxWarning)
    for file in sources:
        # A template or a file for another Python version stays uncompiled: import will say so if asked.
        with contextlib.suppress(py_compile.PyCompileError, ValueError):
            py_compile.compile(
                str(file),
                dfile=str(file.relative_to(target)),
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
    return name


def dependencies(dists: pathlib.Path, names: set[str]) -> dict[str, set[str]]:
    """Every distribution with all that it needs, itself included, extras as they are asked for."""
    sys.path.insert(0, str(dists / "packaging"))
    from packaging.requirements import Requirement

    requires: dict[str, list[Requirement]] = {}
    for name in names:
        (metadata,) = (dists / name).glob("*.dist-info/METADATA")
        message = email.parser.Parser().parsestr(metadata.read_text(encoding="utf-8"), headersonly=True)
        requires[name] = [Requirement(r) for r in message.get_all("Requires-Dist", [])]

    def direct(name: str, extra: str) -> set[tuple[str, str]]:
        found = set()
        for r in requires[name]:
            if r.marker is not None and not r.marker.evaluate({"extra": extra}):
                continue
            needed = normalise(r.name)
            needed = needed if needed in names else REPLACED.get(needed, needed)
            if needed in names:
                found |= {(needed, e) for e in ("", *r.extras)}
        return found

    closure = {}
    for name in names:
        done: set[tuple[str, str]] = set()
        todo = {(name, "")}
        while todo:
            item = todo.pop()
            done.add(item)
            todo |= direct(*item) - done
        closure[name] = {n for n, _ in done}
    return closure


def build_file(closure: dict[str, set[str]]) -> str:
    text = HEADER + SETTING
    for name, needed in sorted(closure.items()):
        deps = "".join(f'        ":_{n}",\n' for n in sorted(needed))
        text += LIBRARY.format(name=name, deps=f"[\n{deps}    ]")
    for name, actual in sorted(REPLACED.items()):
        if name not in closure and actual in closure:
            text += ALIAS.format(name=name, actual=actual)
    return text


def main() -> None:
    listing, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    dists = folder / "dists"
    shutil.rmtree(dists, ignore_errors=True)
    dists.mkdir(parents=True)
    start = time.monotonic()
    files = [pathlib.Path(line) for line in listing.read_text(encoding="utf-8").splitlines()]
    say(f"unpacking and compiling {len(files)} wheels")
    names = set()
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        futures = [pool.submit(unpack, wheel, dists) for wheel in files]
        for count, future in enumerate(concurrent.futures.as_completed(futures), 1):
            names.add(future.result())
            if count % 20 == 0 or count == len(files):
                say(f"{count} of {len(files)} unpacked")
    (folder / "BUILD.bazel").write_text(build_file(dependencies(dists, names)), encoding="utf-8")
    each = folder / "each"
    shutil.rmtree(each, ignore_errors=True)
    each.mkdir()
    for name in names:
        (each / name).symlink_to(pathlib.Path("..", "dists", name))
    libraries = (EACH.format(name=name) for name in sorted(names))
    (each / "BUILD.bazel").write_text(HEADER + "".join(libraries), encoding="utf-8")
    say(f"unpacked in {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
