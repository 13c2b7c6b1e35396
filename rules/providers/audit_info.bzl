"""What an audit knows of a target and of all that it depends on."""

visibility(["//rules/...", "//tests/..."])

TfAuditInfo = provider(
    doc = "Python targets below a target, with the facts of their sources.",
    fields = {
        "facts": "depset of Files; one JSON file per source file.",
        "targets": "depset of structs with label, kind, deps, roots (lists of strings) and facts (list of Files).",
    },
)
