"""The step that puts everything known of a unit in a report."""

load("//rules/private:environment.bzl", "ENVIRONMENT", "EXECUTION_REQUIREMENTS")
load("//rules/providers:certificate_info.bzl", "CertificateInfo")
load("//rules/providers:port_info.bzl", "PortInfo")
load("//rules/providers:report_info.bzl", "ReportInfo")
load("//rules/providers:trace_info.bzl", "TraceInfo")

visibility(["//rules/..."])

_MNEMONIC = "JaxportReport"

def _report_impl(ctx):
    run = ctx.attr.capture[TraceInfo]
    ported = ctx.attr.port[PortInfo]
    certificate = ctx.attr.certificate[CertificateInfo].certificate
    html, summary, sarif = [
        ctx.actions.declare_file("{}.report/report.{}".format(ctx.attr.unit, kind))
        for kind in ("html", "json", "sarif")
    ]

    args = ctx.actions.args()
    args.add(run.text, format = "--source=%s")
    args.add(run.source.short_path, format = "--source_uri=%s")
    args.add(ported.module, format = "--module=%s")
    args.add(ported.weights_map, format = "--weights_map=%s")
    args.add(ported.residuals, format = "--residuals=%s")
    args.add(certificate, format = "--certificate=%s")
    if run.trace:
        args.add(run.trace, format = "--trace=%s")
    args.add(html.dirname, format = "--out=%s")
    ctx.actions.run(
        mnemonic = _MNEMONIC,
        progress_message = "Reporting on {}".format(run.source.short_path),
        executable = ctx.executable._tool,
        arguments = [args],
        inputs = [run.text, ported.module, ported.weights_map, ported.residuals, certificate] +
                 ([run.trace] if run.trace else []),
        outputs = [html, summary, sarif],
        env = ENVIRONMENT,
        execution_requirements = EXECUTION_REQUIREMENTS,
    )
    return [
        DefaultInfo(files = depset([html, summary, sarif])),
        OutputGroupInfo(
            jaxport_human = depset([html]),
            jaxport_machine = depset([summary, sarif]),
        ),
        ReportInfo(html = html, json = summary, sarif = sarif),
    ]

report = rule(
    implementation = _report_impl,
    doc = "Writes report.html, report.json and report.sarif.",
    attrs = {
        "capture": attr.label(mandatory = True, providers = [TraceInfo], doc = "The run of the original."),
        "certificate": attr.label(mandatory = True, providers = [CertificateInfo], doc = "The verdict."),
        "port": attr.label(mandatory = True, providers = [PortInfo], doc = "The port."),
        "unit": attr.string(mandatory = True, doc = "Name of the unit."),
        "_tool": attr.label(default = "//report", executable = True, cfg = "exec"),
    },
)
