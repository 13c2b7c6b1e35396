"""Tells the programs of a unit where its files lie in their runfiles."""

load("//rules/providers:certificate_info.bzl", "CertificateInfo")
load("//rules/providers:port_info.bzl", "PortInfo")
load("//rules/providers:trace_info.bzl", "TraceInfo")

visibility(["//rules/..."])

def _manifest_impl(ctx):
    run = ctx.attr.capture[TraceInfo]
    ported = ctx.attr.port[PortInfo]
    files = {
        "module": ported.module,
        "residuals": ported.residuals,
        "weights_map": ported.weights_map,
    }
    if ctx.attr.oracle and run.trace:
        files |= {"oracle": run.oracle, "trace": run.trace}
    files |= {"rules/" + file.basename: file for file in ctx.files.rules}
    if ctx.attr.text and run.text != run.source:
        files["text"] = run.text
    if ctx.attr.certificate:
        files["plan"] = ported.plan
        files["certificate"] = ctx.attr.certificate[CertificateInfo].certificate

    paths = {name: file.short_path for name, file in files.items()}
    runfiles = ctx.runfiles(files.values())
    if ctx.attr.apart:
        # A checked-in file has the runfiles path of the one that is built; here both get others.
        for file in ctx.files.checked_in:
            files["checked_in_" + ("module" if file.extension == "py" else "weights_map")] = file
        folder = "/".join([part for part in (ctx.label.package, ctx.label.name) if part])
        paths = {name: "{}/{}/{}".format(folder, name, file.basename) for name, file in files.items()}
        runfiles = ctx.runfiles(symlinks = {paths[name]: file for name, file in files.items()})

    manifest = ctx.actions.declare_file(ctx.label.name + ".json")
    ctx.actions.write(manifest, json.encode_indent({
        "answers": ctx.attr.answers,
        "command": ctx.attr.command,
        "files": paths,
        "level": ctx.attr.level,
        "own_deps": ctx.attr.own_deps,
        "package": ctx.label.package,
        "python_deps": ctx.attr.python_deps,
        "source": run.source.short_path,
        "unit": ctx.attr.unit,
        "version": 1,
    }, indent = "  ") + "\n")
    return [DefaultInfo(
        files = depset([manifest]),
        runfiles = runfiles.merge(ctx.runfiles([manifest])),
    )]

manifest = rule(
    implementation = _manifest_impl,
    doc = "A JSON file with the runfiles paths of a unit's files; these are in its runfiles.",
    attrs = {
        "answers": attr.string(doc = "The folder of recorded answers, below the package."),
        "apart": attr.bool(doc = "Whether checked-in files are to be compared with those that are built."),
        "capture": attr.label(mandatory = True, providers = [TraceInfo], doc = "The run of the original."),
        "certificate": attr.label(providers = [CertificateInfo], doc = "The verdict, where it is wanted."),
        "checked_in": attr.label_list(allow_files = True, doc = "The port and its weights map in the source tree."),
        "command": attr.string(mandatory = True, doc = "What a user types to write the port into the source tree."),
        "level": attr.string(mandatory = True, doc = "How far the unit is verified."),
        "oracle": attr.bool(doc = "Whether the recorded original is wanted."),
        "own_deps": attr.string_list(doc = "Labels that the port needs whatever it imports."),
        "port": attr.label(mandatory = True, providers = [PortInfo], doc = "The port."),
        "python_deps": attr.string_list(doc = "Labels that the port may need, as written in BUILD files."),
        "rules": attr.label_list(allow_files = [".py"], doc = "Users' own rules, where they are wanted."),
        "text": attr.bool(doc = "Whether the original is wanted as codemods made it, where they did."),
        "unit": attr.string(mandatory = True, doc = "Name of the unit."),
    },
)
