"""Sets a step's files up by their names in the repository; see //rules/tools:placed.py."""

load("@rules_python//python:defs.bzl", "PyInfo")

visibility(["//rules/..."])

def _placed(file):
    """Flag that puts a file of the main repository where imports expect it."""
    if file.short_path.startswith("../"):
        return None
    return "--place={}={}".format(file.path, file.short_path)

def _import_path(ctx, path):
    """A folder of `PyInfo.imports`: among the files that are placed, or where another repository lies."""
    repository, _, rest = path.partition("/")
    if repository == ctx.workspace_name:
        return "--import_path=" + (rest or ".")
    return "--external_path=external/" + path

def add_places(ctx, args, files, deps):
    """Adds flags that place a step's own files and those of the libraries it imports.

    Args:
      ctx: of the rule.
      args: the action's Args.
      files: the step's own files.
      deps: targets with PyInfo.

    Returns:
      A depset of all these files, which are inputs of the action.
    """
    own = depset(files)
    imported = depset(transitive = [dep[PyInfo].transitive_sources for dep in deps] +
                                   [dep[DefaultInfo].default_runfiles.files for dep in deps])
    args.add_all(own, map_each = _placed)
    args.add_all(imported, map_each = _placed, expand_directories = False)
    paths = depset(transitive = [dep[PyInfo].imports for dep in deps]).to_list()
    args.add_all([_import_path(ctx, path) for path in paths])
    return depset(transitive = [own, imported])
