"""Module extension that makes `@python`, the pinned interpreter, and `@pypi`, the locked wheels."""

load(":interpreter_repo.bzl", "interpreter_repo")
load(":wheels_repo.bzl", "wheels_repo")

_PYTHON_VERSION = "3.11"

def _python_deps_impl(_mctx):
    interpreter_repo(name = "python", version = _PYTHON_VERSION)
    wheels_repo(name = "pypi", lock = "//third_party/python:requirements.lock")

python_deps = module_extension(
    implementation = _python_deps_impl,
    doc = "The interpreter and the wheels that jaxport's own targets run with.",
)
