"""The action that certifies users' own rules, as ours are tested."""

load("//rules/private:environment.bzl", "ENVIRONMENT", "EXECUTION_REQUIREMENTS")
load("//rules/private:places.bzl", "add_places")

visibility(["//rules/..."])

_MNEMONIC = "JaxportCertify"

#: The attribute that a rule with users' rules has.
CERTIFY_TOOL = attr.label(default = "//rules/tools:certify_step", executable = True, cfg = "exec")

def certify(ctx):
    """Declares the action, which fails where a rule does not hold.

    Args:
      ctx: of a rule with the attributes `rules`, `unit` and `_certify_tool`.

    Returns:
      The certificate, a file.
    """
    certificate = ctx.actions.declare_file(ctx.attr.unit + ".port/rules.json")
    args = ctx.actions.args()
    placed = add_places(ctx, args, ctx.files.rules, [], tool = ctx.attr._certify_tool)
    args.add_all([file.short_path for file in ctx.files.rules], format_each = "--rules=%s")
    args.add(certificate, format = "--out=%s")
    ctx.actions.run(
        mnemonic = _MNEMONIC,
        progress_message = "Certifying rules of {}".format(ctx.label),
        executable = ctx.executable._certify_tool,
        arguments = [args],
        inputs = placed,
        outputs = [certificate],
        env = ENVIRONMENT,
        execution_requirements = EXECUTION_REQUIREMENTS,
    )
    return certificate
