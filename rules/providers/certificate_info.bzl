"""What the checks found."""

visibility(["//rules/...", "//tests/..."])

CertificateInfo = provider(
    doc = "The verdict on a unit.",
    fields = {
        "certificate": "File; certificate.json: verdict, errors with tolerances, residuals.",
    },
)
