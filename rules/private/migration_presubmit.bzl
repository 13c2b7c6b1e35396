"""A program that checks a change before it goes in."""

load("@rules_python//python:defs.bzl", "py_binary")

visibility(["//rules/..."])

def migration_presubmit(name, policy, **kwargs):
    """Makes `bazel run :NAME`, which lists what keeps a change from going in, one line each.

    Flags go after `--`: `--since REV` for changed files alone, `--format json` or `sarif`, `--update` to lower the
    ratchet, `--no_build` to leave out what builds and tests units.

    Args:
      name: of the program.
      policy: JSON file of the package: `migrated`, a list of packages such as `//models/...` in which no new
        TensorFlow may appear, and `ratchet`, the file with the exceptions (tensorflow_ratchet.json).
      **kwargs: what all targets have in common, such as `tags`.
    """
    package = native.package_name()
    py_binary(
        name = name,
        srcs = [Label("//presubmitting:main.py")],
        main = Label("//presubmitting:main.py"),
        args = ["--policy=" + (package + "/" + policy if package else policy)],
        deps = [Label("//presubmitting:command")],
        **kwargs
    )
