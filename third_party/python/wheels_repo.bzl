"""The locked wheels as an external repository with one py_library per distribution.

`@pypi//:jax` brings jax and what jax needs, and nothing else: a target has TensorFlow in its
runfiles only where it says so. Each distribution is one folder, `dists/<name>`, and one input, so
that a sandbox makes a link per distribution and not one per file.
"""

load(":host.bzl", "require_linux")

visibility(["//third_party/..."])

def _pip_command(rctx, python, kept):
    """The words that run pip: the host's own, else Debian's wheel of it."""
    host_python = rctx.read(rctx.path(rctx.attr._interpreter_host)).strip()
    if rctx.execute([host_python, "-m", "pip", "--version"]).return_code == 0:
        return [host_python, "-m", "pip"]
    wheel = rctx.path("pip.whl")
    folder = kept or rctx.path(".")
    _run(
        rctx,
        ["bash", rctx.path(rctx.attr._fetch_pip), str(folder) + "/pip", wheel],
        "pip is needed (Debian: apt-get install python3-pip) and could not be fetched: ",
    )
    return [str(python), str(wheel) + "/pip"]

def _wheels_repo_impl(rctx):
    require_linux(rctx)
    python = rctx.path(rctx.attr._interpreter)
    lock = rctx.path(rctx.attr.lock)
    kept = _kept(rctx)
    downloads = kept or rctx.path("downloads")
    listing = rctx.path("wheels.txt")
    _run(
        rctx,
        [python, "-I", rctx.path(rctx.attr._download_script), lock, listing, downloads] + _pip_command(rctx, python, kept),
        "the locked Python wheels could not be downloaded: ",
    )
    _run(
        rctx,
        [python, "-I", rctx.path(rctx.attr._install_script), listing, rctx.path(".")],
        "the locked Python wheels could not be installed: ",
    )
    rctx.delete("downloads")
    rctx.delete("wheels.txt")

def _kept(rctx):
    """Where downloads outlive an interrupted run, or None; bazelw names its cache folder."""
    cache = rctx.os.environ.get("JAXPORT_CACHE")
    return rctx.path(cache + "/wheels-" + rctx.os.arch) if cache else None

def _run(rctx, command, failure):
    result = rctx.execute(command, quiet = False, timeout = 3600)
    if result.return_code:
        fail(failure + result.stderr.strip().split("\n")[-1].removeprefix("wheels: "))

wheels_repo = repository_rule(
    implementation = _wheels_repo_impl,
    doc = """Installs a hashed lock with the user's own pip set-up.

Index, proxy and certificates come from pip's environment variables and files. They are not declared
as inputs: the hashes in the lock say what is installed, wherever it came from.
""",
    attrs = {
        "lock": attr.label(mandatory = True, allow_single_file = True, doc = "A lock made by lock.sh."),
        "_download_script": attr.label(default = ":download_wheels.py", allow_single_file = True),
        "_fetch_pip": attr.label(default = "//third_party/bazel:fetch_pip.sh", allow_single_file = True),
        "_install_script": attr.label(default = ":install_wheels.py", allow_single_file = True),
        "_interpreter": attr.label(default = "@python//:bin/python3", allow_single_file = True),
        "_interpreter_host": attr.label(default = "@python//:HOST", allow_single_file = True),
        "_private_apt": attr.label(default = "//third_party/bazel:private_apt.sh", allow_single_file = True),
    },
)
