"""`@python`, the pinned interpreter, and `@pypi`, the locked wheels, made by a module or a WORKSPACE."""

load(":interpreter_repo.bzl", "interpreter_repo")
load(":wheels_repo.bzl", "wheels_repo")

visibility(["//rules/...", "//third_party/python/..."])

def jaxport_repositories(version = "3.11", lock = None):
    """Makes the repositories that jaxport's targets need.

    Args:
      version: major and minor version of Python.
      lock: label of a lock with hashes; by default jaxport's own.
    """
    interpreter_repo(name = "python", version = version)
    wheels_repo(name = "pypi", lock = lock or Label("//third_party/python:requirements.lock"))

def jaxport_toolchains():
    """Registers the interpreter; for a WORKSPACE, as MODULE.bazel does it by itself."""
    native.register_toolchains("@python//:toolchain")
