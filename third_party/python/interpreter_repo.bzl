"""The interpreter that every Python target runs: a copy of CPython 3.11 in an external repository.

The copy is pruned, has its bytecode ready and reads nothing from the user's or the system's
site-packages. `toolchain` in it is registered by MODULE.bazel, so PATH decides nothing once the
copy is made.
"""

load(":host.bzl", "python_candidates", "require_linux")

visibility("private")

_BUILD = """\
load("@rules_python//python:defs.bzl", "py_runtime", "py_runtime_pair")

package(default_visibility = ["//visibility:public"])

exports_files([
    "HOST",
    "bin/python3",
])

# A whole folder as one input: a sandbox makes one link instead of two thousand. Bazel takes no folder among the runfiles
# of what it runs remotely.
filegroup(
    name = "files",
    srcs = ["pyvenv.cfg"] + select({{
        ":each_file": glob(["lib/**"]),
        "//conditions:default": ["lib"],
    }}),
)

config_setting(
    name = "each_file",
    define_values = {{"jaxport_files": "each"}},
)

py_runtime(
    name = "runtime",
    files = [":files"],
    interpreter = "bin/python3",
    python_version = "PY3",
    stub_shebang = "#!{shebang}",
)

py_runtime_pair(
    name = "runtime_pair",
    py3_runtime = ":runtime",
)

toolchain(
    name = "toolchain",
    toolchain = ":runtime_pair",
    toolchain_type = "@rules_python//python:toolchain_type",
)
"""

def _interpreter_repo_impl(rctx):
    require_linux(rctx)
    script = rctx.path(rctx.attr._copy_script)
    rejected = []
    copied = False
    for python in python_candidates(rctx, rctx.attr.version):
        result = rctx.execute([python, "-I", script, rctx.attr.version, rctx.path(".")])
        if result.return_code == 0:
            copied = True
            break
        rejected.append("\n  %s: %s" % (python, result.stderr.strip().split("\n")[-1]))
    if not copied:
        fail("Python %s is needed and was not found; install it (Debian: apt-get install python3) or set JAXPORT_PYTHON.%s" % (
            rctx.attr.version,
            "".join(rejected),
        ))

    # Bazel's launcher script starts under any Python 3 before it hands over to the copy.
    usual = [p for p in ["/usr/bin/python3", "/bin/python3", "/usr/local/bin/python3"] if rctx.path(p).exists]
    shebang = "/usr/bin/env python3" if usual else str(rctx.path("bin/python3"))
    rctx.file("BUILD.bazel", _BUILD.format(shebang = shebang))

interpreter_repo = repository_rule(
    implementation = _interpreter_repo_impl,
    doc = "Copies CPython of the given version from the host.",
    attrs = {
        "version": attr.string(mandatory = True, doc = "Major and minor version, such as `3.11`."),
        "_copy_script": attr.label(default = ":copy_interpreter.py", allow_single_file = True),
    },
    environ = ["JAXPORT_PYTHON"],
)
