"""What a WORKSPACE needs where modules are not in use (Bazel 7 with --enable_workspace --noenable_bzlmod).

    load("@jaxport//rules:repositories.bzl", "jaxport_repositories", "jaxport_toolchains")

    jaxport_repositories()

    jaxport_toolchains()

rules_python is to be there before, as its own release notes say.
"""

load("//third_party/python:repositories.bzl", _jaxport_repositories = "jaxport_repositories", _jaxport_toolchains = "jaxport_toolchains")

jaxport_repositories = _jaxport_repositories
jaxport_toolchains = _jaxport_toolchains
