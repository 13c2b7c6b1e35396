"""Sets a step's files up by their names in the repository; see //rules/tools:placed.py."""

load("@rules_python//python:defs.bzl", "PyInfo")

visibility(["//rules/..."])

def _is_external(file):
    return file.short_path.startswith("../")

def place(file, at):
    """Flag that gives a file the place of another of the main repository, or its own, for imports to find it there."""
    return "--place={}={}".format(file.path, at.short_path)

def _placed(file):
    return None if _is_external(file) else place(file, at = file)

def _import_path(ctx, path):
    """A folder of `PyInfo.imports`: among the files that are placed, or where another repository lies."""
    repository, _, rest = path.partition("/")
    if repository == ctx.workspace_name:
        return "--import_path=" + (rest or ".")
    return "--external_path=external/" + path

def add_places(ctx, args, files, deps, tool = None):
    """Adds flags that place a step's own files and those of the libraries it imports.

    Args:
      ctx: of the rule.
      args: the action's Args.
      files: the step's own files.
      deps: targets with PyInfo.
      tool: the step's program, where the step runs what is in the libraries; what is in its runfiles already is not
        given again. None where only their source is read: other repositories' files are left out.

    Returns:
      A depset of all these files, which are inputs of the action.
    """
    own = depset(files)
    imported = depset(transitive = [dep[PyInfo].transitive_sources for dep in deps] +
                                   [dep[DefaultInfo].default_runfiles.files for dep in deps]).to_list()
    paths = depset(transitive = [dep[PyInfo].imports for dep in deps]).to_list()
    if tool:
        there = {file.path: None for file in tool[DefaultInfo].default_runfiles.files.to_list()}
        imported = [file for file in imported if not _is_external(file) or file.path not in there]
    else:
        imported = [file for file in imported if not _is_external(file)]
        paths = [path for path in paths if path.partition("/")[0] == ctx.workspace_name]
    args.add_all(own, map_each = _placed)
    args.add_all(imported, map_each = _placed, expand_directories = False)
    args.add_all([_import_path(ctx, path) for path in paths])
    return depset(imported, transitive = [own])
