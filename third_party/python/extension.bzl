"""Module extension that makes `@python`, the pinned interpreter, and `@pypi`, the locked wheels.

A repository that uses jaxport can have jaxport's tools run with wheels and a Python of its own:

    python_deps = use_extension("@jaxport//third_party/python:extension.bzl", "python_deps")
    python_deps.wheels(lock = "//:requirements.lock")
    use_repo(python_deps, "pypi")
"""

load(":repositories.bzl", "jaxport_repositories")

_interpreter = tag_class(
    doc = "Another version of Python. Only the root module's counts.",
    attrs = {"version": attr.string(mandatory = True, doc = "Major and minor version, such as `3.12`.")},
)

_wheels = tag_class(
    doc = "Other versions of the libraries that jaxport's tools and the ports run with. Only the root module's counts.",
    attrs = {
        "lock": attr.label(
            mandatory = True,
            doc = """A lock with hashes, which holds all that third_party/python/requirements.in of jaxport asks for
            up to its line on development, as lock.sh makes it.""",
        ),
    },
)

def _python_deps_impl(mctx):
    chosen = {}
    for module in mctx.modules:
        if module.is_root:
            for tag in module.tags.interpreter:
                chosen["version"] = tag.version
            for tag in module.tags.wheels:
                chosen["lock"] = tag.lock
    jaxport_repositories(**chosen)

python_deps = module_extension(
    implementation = _python_deps_impl,
    doc = "The interpreter and the wheels that jaxport's own targets run with.",
    tag_classes = {"interpreter": _interpreter, "wheels": _wheels},
)
