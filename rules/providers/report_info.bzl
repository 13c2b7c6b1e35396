"""The report on a unit."""

visibility(["//rules/...", "//tests/..."])

ReportInfo = provider(
    doc = "The report, for people and for programs.",
    fields = {
        "html": "File; report.html, the two sources side by side.",
        "json": "File; report.json.",
        "sarif": "File; report.sarif, SARIF 2.1.0.",
    },
)
