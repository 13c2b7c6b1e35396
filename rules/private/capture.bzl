"""The step that runs the TensorFlow original and records what it does."""

load("@rules_python//python:defs.bzl", "PyInfo")
load("//rules/private:codemod.bzl", "CODEMOD_TOOL", "apply_codemods", "codemods_attr")
load("//rules/private:environment.bzl", "ENVIRONMENT", "LEVELS", "WORKER_REQUIREMENTS", "worker_args")
load("//rules/private:places.bzl", "add_places", "place")
load("//rules/providers:trace_info.bzl", "TraceInfo")

visibility(["//rules/..."])

_MNEMONIC = "JaxportCapture"

def _run(ctx, folder, rewritten = None):
    """Declares a run of the original, or of what codemods make of it; returns trace and oracle."""
    trace = ctx.actions.declare_file(folder + "/trace.json")
    oracle = ctx.actions.declare_file(folder + "/oracle.safetensors")

    args = ctx.actions.args()
    worker_args(args)
    own = ctx.files.example + ctx.files.data
    inputs = add_places(ctx, args, own if rewritten else ctx.files.src + own, ctx.attr.deps, tool = ctx.attr._tool)
    if rewritten:
        args.add(place(rewritten, at = ctx.file.src))
        inputs = depset([rewritten], transitive = [inputs])
    args.add(trace.dirname, format = "--out=%s")
    args.add(ctx.file.src.short_path, format = "--source=%s")
    args.add(ctx.attr.level, format = "--level=%s")
    args.add(ctx.attr.keras, format = "--keras=%s")
    args.add(ctx.attr.capture_timeout, format = "--timeout=%s")
    args.add_all(ctx.attr.inputs, format_each = "--input=%s")
    if ctx.attr.entry:
        args.add(ctx.attr.entry, format = "--entry=%s")
    if ctx.attr.call:
        args.add(ctx.attr.call, format = "--call=%s")
    if ctx.file.example:
        args.add(ctx.file.example.short_path, format = "--example=%s")
    ctx.actions.run(
        mnemonic = _MNEMONIC,
        progress_message = "Running {} on TensorFlow".format(ctx.file.src.short_path),
        executable = ctx.executable._tool,
        arguments = [args],
        inputs = inputs,
        outputs = [trace, oracle],
        env = ENVIRONMENT,
        execution_requirements = WORKER_REQUIREMENTS,
    )
    return trace, oracle

def _capture_impl(ctx):
    source = ctx.file.src
    text = source
    if ctx.attr.pre_codemods:
        text = ctx.actions.declare_file("{}.rewritten/{}".format(ctx.attr.unit, source.basename))
        apply_codemods(ctx, source, source.short_path, ctx.attr.pre_codemods, text)
    if ctx.attr.level == "none" and not ctx.attr.entry and not ctx.file.example:
        # Nothing to run, and nothing to verify: the port goes by what the source says.
        return [TraceInfo(oracle = None, source = source, text = text, trace = None)]
    trace, oracle = _run(ctx, ctx.attr.unit + ".capture")
    if text != source:
        # The port goes by a run of what is ported, the checks by the original as its authors left it.
        trace, _ = _run(ctx, ctx.attr.unit + ".recapture", rewritten = text)
    return [
        DefaultInfo(files = depset([trace, oracle])),
        TraceInfo(oracle = oracle, source = source, text = text, trace = trace),
    ]

capture = rule(
    implementation = _capture_impl,
    doc = "Runs the original; the port and the checks go by what it records.",
    attrs = {
        "call": attr.string(doc = "Expression over `model` and `inputs`; empty for the default."),
        "capture_timeout": attr.int(default = 600, doc = "Seconds that the original may take."),
        "data": attr.label_list(allow_files = True, doc = "Files that the original reads."),
        "deps": attr.label_list(providers = [PyInfo], doc = "Libraries that the original imports."),
        "entry": attr.string(doc = "Expression that gives the object to call."),
        "example": attr.label(allow_single_file = [".py"], doc = "File with model() and inputs(seed)."),
        "inputs": attr.string_list(doc = "Input specs, one per positional argument."),
        "keras": attr.string(default = "auto", values = ["auto", "3", "legacy"], doc = "Which Keras runs the original."),
        "level": attr.string(default = "step", values = LEVELS, doc = "How far to record."),
        "pre_codemods": codemods_attr("Rewrite the original before it is ported."),
        "src": attr.label(allow_single_file = [".py"], mandatory = True, doc = "The original."),
        "unit": attr.string(mandatory = True, doc = "Name of the unit."),
        "_codemod_tool": CODEMOD_TOOL,
        "_tool": attr.label(default = "//rules/tools:capture_step", executable = True, cfg = "exec"),
    },
)
