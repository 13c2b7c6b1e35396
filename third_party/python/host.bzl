"""What the repository rules need to know about the host."""

visibility("private")

def require_linux(rctx):
    """Stops with one sentence where the locked wheels and the copied interpreter can't work."""
    if rctx.os.name != "linux":
        fail("jaxport's build runs on Linux (x86_64, aarch64); this is %s. Use a Linux machine or container." % rctx.os.name)

def python_candidates(rctx, version):
    """Places where a Python of this version may be, best first.

    Args:
      rctx: the repository context.
      version: major and minor version, such as `3.11`.

    Returns:
      Paths as strings, none of them tried yet.
    """
    named = rctx.os.environ.get("JAXPORT_PYTHON")
    if named:
        return [named]
    found = []
    for name in ["python" + version, "python3"]:
        # The system's own first: unlike a version manager's it needs no library from elsewhere.
        for path in [rctx.path(d + name) for d in ["/usr/bin/", "/usr/local/bin/"]] + [rctx.which(name)]:
            if path and path.exists and str(path) not in found:
                found.append(str(path))
    return found
