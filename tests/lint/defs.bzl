"""What //:lint_test and //:types_test read."""

def py_sources(name = "py_sources", exclude = [], folders = ["**"], not_folders = []):
    """Gathers a package's own Python files and those of all packages below it in `:py_sources`.

    Every package calls this, or //:lint_test does not build: that way no file goes unchecked.

    Args:
      name: the same everywhere.
      exclude: files that are data: inputs and expected outputs of tests. `*_jax.py` always is.
      folders: where to look for packages below; the root names them, as `bazel-out` is there too.
      not_folders: where not to look: workspaces of their own.
    """
    below = native.subpackages(include = folders, exclude = not_folders, allow_empty = True)
    here = native.package_name()
    native.filegroup(
        name = name,
        srcs = native.glob(["*.py"], exclude = ["*_jax.py"] + exclude, allow_empty = True) +
               ["//%s:py_sources" % (here + "/" + p if here else p) for p in below],
        visibility = ["//visibility:public"],
    )
