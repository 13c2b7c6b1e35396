"""An aspect that reads the sources of every Python target below another, one cached action per file."""

load("//rules/private:environment.bzl", "EXECUTION_REQUIREMENTS", "worker_args")
load("//rules/providers:audit_info.bzl", "TfAuditInfo")

visibility(["//rules/..."])

_MNEMONIC = "JaxportAudit"

# Attributes that lead to what a target needs when it runs.
_ATTRIBUTES = ["deps", "runtime_deps", "actual", "roots"]

# One process reads many files; where there are no workers, each action starts its own.
_WORKER = dict(EXECUTION_REQUIREMENTS, **{
    "requires-worker-protocol": "json",
    "supports-workers": "1",
})

def _facts(ctx, target, source):
    out = ctx.actions.declare_file("{}.tf_audit/{}.json".format(target.label.name, source.short_path))
    args = ctx.actions.args()
    worker_args(args)
    args.add(source)
    args.add(source.short_path)
    args.add(out)
    ctx.actions.run(
        mnemonic = _MNEMONIC,
        progress_message = "Reading {}".format(source.short_path),
        executable = ctx.executable._facts,
        arguments = [args],
        inputs = [source],
        outputs = [out],
        execution_requirements = _WORKER,
    )
    return out

def _label(label):
    """Labels of the main repository without its name, as people write them."""
    text = str(label)
    return text.lstrip("@") if text.lstrip("@").startswith("//") else text

def _tf_audit_aspect_impl(target, ctx):
    below = []
    for name in _ATTRIBUTES:
        found = getattr(ctx.rule.attr, name, None)
        below += found if type(found) == "list" else [found] if type(found) == "Target" else []
    infos = [dep[TfAuditInfo] for dep in below if TfAuditInfo in dep]
    own_targets, own_facts = [], []
    if not target.label.workspace_name:
        sources = [
            file
            for file in getattr(ctx.rule.files, "srcs", [])
            if file.extension == "py" and file.is_source and not file.owner.workspace_name
        ]
        own_facts = [_facts(ctx, target, source) for source in sources]
        package = target.label.package
        own_targets = [struct(
            # Tuples, as a depset holds nothing that can change.
            deps = tuple([_label(dep.label) for dep in below]),
            facts = tuple(own_facts),
            kind = ctx.rule.kind,
            label = _label(target.label),
            roots = tuple([package + "/" + root if package else root for root in getattr(ctx.rule.attr, "imports", [])]),
        )]
    return [
        TfAuditInfo(
            facts = depset(own_facts, transitive = [info.facts for info in infos]),
            targets = depset(own_targets, transitive = [info.targets for info in infos]),
        ),
        OutputGroupInfo(tf_audit = depset(own_facts, transitive = [info.facts for info in infos])),
    ]

tf_audit_aspect = aspect(
    implementation = _tf_audit_aspect_impl,
    doc = """Reads what Python sources import and which framework symbols they use.

    `bazel build --aspects=@jaxport//rules:defs.bzl%tf_audit_aspect --output_groups=tf_audit //some/...` needs no
    change of any BUILD file; `tf_audit` makes a report of what it finds.""",
    attr_aspects = _ATTRIBUTES,
    attrs = {
        "_facts": attr.label(default = "//auditing:facts_step", executable = True, cfg = "exec"),
    },
)
