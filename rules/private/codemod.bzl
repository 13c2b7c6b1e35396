"""The action that applies users' codemods to a file."""

load("@rules_python//python:defs.bzl", "PyInfo")
load("//rules/private:environment.bzl", "ENVIRONMENT", "EXECUTION_REQUIREMENTS")
load("//rules/private:places.bzl", "add_places")

visibility(["//rules/..."])

_MNEMONIC = "JaxportCodemod"

def codemods_attr(doc):
    """The attribute of a rule that takes codemods.

    Args:
      doc: when they are applied.

    Returns:
      An attribute.
    """
    return attr.label_list(allow_files = [".py"], doc = doc)

#: The attribute that every rule with codemods has.
CODEMOD_TOOL = attr.label(default = "//rules/tools:codemod_step", executable = True, cfg = "exec")

def apply_codemods(ctx, file, name, codemods, out):
    """Declares the action.

    Args:
      ctx: of a rule with an attribute `_codemod_tool`.
      file: the file to rewrite.
      name: its name in the repository.
      codemods: the value of the rule's attribute, not empty.
      out: the file to write.
    """
    libraries = [target for target in codemods if PyInfo in target]
    sources = [source for target in codemods for source in target[DefaultInfo].files.to_list() if source.extension == "py"]

    args = ctx.actions.args()
    placed = add_places(ctx, args, sources, libraries, tool = ctx.attr._codemod_tool)
    args.add(file, format = "--code=%s")
    args.add(name, format = "--name=%s")
    args.add_all([source.short_path for source in sources], format_each = "--codemod=%s")
    args.add(out, format = "--out=%s")
    ctx.actions.run(
        mnemonic = _MNEMONIC,
        progress_message = "Applying codemods to {}".format(name),
        executable = ctx.executable._codemod_tool,
        arguments = [args],
        inputs = depset([file], transitive = [placed]),
        outputs = [out],
        env = ENVIRONMENT,
        execution_requirements = EXECUTION_REQUIREMENTS,
    )
