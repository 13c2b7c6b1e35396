"""An audit of what some targets depend on, as files."""

load("//rules/private:environment.bzl", "EXECUTION_REQUIREMENTS")
load("//rules/private:tf_audit_aspect.bzl", "tf_audit_aspect")
load("//rules/providers:audit_info.bzl", "TfAuditInfo")

visibility(["//rules/..."])

_KINDS = ["json", "csv", "dot", "svg", "html"]

def _line(target):
    return json.encode(struct(
        deps = target.deps,
        facts = [file.path for file in target.facts],
        kind = target.kind,
        label = target.label,
        roots = target.roots,
    ))

def _tf_audit_impl(ctx):
    infos = [root[TfAuditInfo] for root in ctx.attr.roots]
    outputs = {kind: ctx.actions.declare_file("{}.{}".format(ctx.label.name, kind)) for kind in _KINDS}
    targets = ctx.actions.args()
    targets.set_param_file_format("multiline")
    targets.use_param_file("@%s", use_always = True)
    targets.add_all(depset(transitive = [info.targets for info in infos]), map_each = _line)
    args = ctx.actions.args()
    args.add(ctx.label.name)
    args.add_all([outputs[kind] for kind in _KINDS])
    ctx.actions.run(
        mnemonic = "JaxportAuditReport",
        progress_message = "Auditing {}".format(ctx.label),
        executable = ctx.executable._report,
        arguments = [args, targets],
        inputs = depset(transitive = [info.facts for info in infos]),
        outputs = outputs.values(),
        # Only the facts are read; linking tens of thousands of them into a sandbox would take longer than that.
        execution_requirements = dict(EXECUTION_REQUIREMENTS, **{"no-sandbox": "1"}),
    )
    return [
        DefaultInfo(files = depset(outputs.values())),
        OutputGroupInfo(**{kind: depset([file]) for kind, file in outputs.items()}),
    ]

tf_audit = rule(
    implementation = _tf_audit_impl,
    doc = """Reports what uses TensorFlow below some targets: NAME.json, .csv, .dot, .svg and .html.

    Each output is an output group of its own, too.""",
    attrs = {
        "roots": attr.label_list(aspects = [tf_audit_aspect], mandatory = True, doc = "Targets to start from; all that they depend on is in the audit."),
        "_report": attr.label(default = "//auditing:report_step", executable = True, cfg = "exec"),
    },
)
