"""The step that checks the port against the recorded original, without TensorFlow."""

load("@rules_python//python:defs.bzl", "PyInfo")
load("//rules/private:environment.bzl", "ENVIRONMENT", "LEVELS", "WORKER_REQUIREMENTS", "worker_args")
load("//rules/private:places.bzl", "add_places")
load("//rules/providers:certificate_info.bzl", "CertificateInfo")
load("//rules/providers:port_info.bzl", "PortInfo")
load("//rules/providers:trace_info.bzl", "TraceInfo")

visibility(["//rules/..."])

_MNEMONIC = "JaxportVerify"

def _verify_impl(ctx):
    run = ctx.attr.capture[TraceInfo]
    ported = ctx.attr.port[PortInfo]
    certificate = ctx.actions.declare_file(ctx.attr.unit + ".verify/certificate.json")
    inputs = [ported.residuals, ported.weights_map]

    args = ctx.actions.args()
    worker_args(args)
    placed = add_places(ctx, args, [ported.module], ctx.attr.deps, tool = ctx.attr._tool)
    args.add(ctx.attr.unit, format = "--unit=%s")
    args.add(ctx.attr.level, format = "--level=%s")
    args.add(ported.module.short_path, format = "--module=%s")
    args.add(ported.weights_map, format = "--weights_map=%s")
    args.add(ported.residuals, format = "--residuals=%s")
    if run.trace:
        args.add(run.trace, format = "--trace=%s")
        args.add(run.oracle, format = "--oracle=%s")
        inputs += [run.trace, run.oracle]
    args.add(certificate, format = "--out=%s")
    ctx.actions.run(
        mnemonic = _MNEMONIC,
        progress_message = "Comparing {} with the original".format(ported.module.short_path),
        executable = ctx.executable._tool,
        arguments = [args],
        inputs = depset(inputs, transitive = [placed]),
        outputs = [certificate],
        env = ENVIRONMENT,
        execution_requirements = WORKER_REQUIREMENTS,
    )
    return [DefaultInfo(files = depset([certificate])), CertificateInfo(certificate = certificate)]

verify = rule(
    implementation = _verify_impl,
    doc = "Certifies a unit. A check that fails is a verdict in the certificate, not a failed build.",
    attrs = {
        "capture": attr.label(mandatory = True, providers = [TraceInfo], doc = "The run of the original."),
        "deps": attr.label_list(providers = [PyInfo], doc = "Libraries that the unit imports."),
        "level": attr.string(default = "step", values = LEVELS, doc = "How far to check."),
        "port": attr.label(mandatory = True, providers = [PortInfo], doc = "The port."),
        "unit": attr.string(mandatory = True, doc = "Name of the unit."),
        "_tool": attr.label(default = "//rules/tools:verify_step", executable = True, cfg = "exec"),
    },
)
