"""The step that rewrites the original in JAX."""

load("@rules_python//python:defs.bzl", "PyInfo")
load("//rules/private:certify.bzl", "CERTIFY_TOOL", "certify")
load("//rules/private:codemod.bzl", "CODEMOD_TOOL", "apply_codemods", "codemods_attr")
load("//rules/private:environment.bzl", "ENVIRONMENT", "WORKER_REQUIREMENTS", "worker_args")
load("//rules/private:places.bzl", "add_places", "place")
load("//rules/providers:port_info.bzl", "PortInfo")
load("//rules/providers:trace_info.bzl", "TraceInfo")

visibility(["//rules/..."])

_MNEMONIC = "JaxportPort"

def _port_impl(ctx):
    run = ctx.attr.capture[TraceInfo]

    # Beside the source in the output tree, so that it is imported as the checked-in file will be.
    module = ctx.actions.declare_file(ctx.attr.unit + "_jax.py")
    ported = module
    if ctx.attr.post_codemods:
        ported = ctx.actions.declare_file("{0}.port/{0}_jax.py".format(ctx.attr.unit))
        apply_codemods(ctx, ported, module.short_path, ctx.attr.post_codemods, module)
    weights_map = ctx.actions.declare_file(ctx.attr.unit + ".port/weights_map.json")
    residuals = ctx.actions.declare_file(ctx.attr.unit + ".port/residuals.json")
    plan = ctx.actions.declare_file(ctx.attr.unit + ".port/plan.json")

    args = ctx.actions.args()
    worker_args(args)
    own = ctx.files.answers + ctx.files.rules + ([run.source] if run.text == run.source else [])
    inputs = add_places(ctx, args, own, ctx.attr.deps)
    if run.text != run.source:
        args.add(place(run.text, at = run.source))
    args.add(run.source.short_path, format = "--source=%s")
    if run.trace:
        args.add(run.trace, format = "--trace=%s")
    args.add_all([answer.short_path for answer in ctx.files.answers], format_each = "--answer=%s")
    more = []
    if ctx.files.rules:
        more = [certify(ctx)]
        args.add_all([file.short_path for file in ctx.files.rules], format_each = "--rules=%s")
        args.add(more[0], format = "--certificate=%s")
    args.add(ctx.attr.ask, format = "--ask=%s")
    args.add(ported, format = "--module=%s")
    args.add(weights_map, format = "--weights_map=%s")
    args.add(residuals, format = "--residuals=%s")
    args.add(plan, format = "--plan=%s")
    ctx.actions.run(
        mnemonic = _MNEMONIC,
        progress_message = "Porting {}".format(run.source.short_path),
        executable = ctx.executable._tool,
        arguments = [args],
        inputs = depset([run.text] + more + ([run.trace] if run.trace else []), transitive = [inputs]),
        outputs = [ported, weights_map, residuals, plan],
        env = ENVIRONMENT,
        execution_requirements = WORKER_REQUIREMENTS,
    )
    return [
        DefaultInfo(files = depset([module, weights_map, residuals])),
        OutputGroupInfo(
            module = depset([module]),
            plan = depset([plan]),
            residuals = depset([residuals]),
            weights_map = depset([weights_map]),
        ),
        PortInfo(module = module, plan = plan, residuals = residuals, weights_map = weights_map),
    ]

port = rule(
    implementation = _port_impl,
    doc = "Ports a unit. What can't be ported is left as it is and listed; the build goes on.",
    attrs = {
        "answers": attr.label_list(allow_files = [".json"], doc = "Recorded answers to what no rule knows."),
        "ask": attr.string(doc = "The command that makes answers anew, for messages."),
        "capture": attr.label(mandatory = True, providers = [TraceInfo], doc = "The run of the original."),
        "deps": attr.label_list(providers = [PyInfo], doc = "Libraries that the unit imports."),
        "post_codemods": codemods_attr("Rewrite the port."),
        "rules": attr.label_list(allow_files = [".py"], doc = "Users' own rules, which are certified first."),
        "unit": attr.string(mandatory = True, doc = "Name of the unit."),
        "_certify_tool": CERTIFY_TOOL,
        "_codemod_tool": CODEMOD_TOOL,
        "_tool": attr.label(default = "//rules/tools:port_step", executable = True, cfg = "exec"),
    },
)
