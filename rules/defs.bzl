"""Public API of jaxport.

    load("@jaxport//rules:defs.bzl", "jax_migration")

    jax_migration(
        name = "mnist_cnn",
        srcs = ["mnist_cnn.py"],
        entry = "MnistCNN(num_classes=10)",
        inputs = ["float32[8,28,28,1]"],
    )

`bazel run :mnist_cnn` writes `mnist_cnn_jax.py`; `bazel test :all` checks it against the original.
"""

load("//rules/private:jax_migration.bzl", _jax_migration = "jax_migration")
load("//rules/private:migration_presubmit.bzl", _migration_presubmit = "migration_presubmit")
load("//rules/private:tf_audit.bzl", _tf_audit = "tf_audit")
load("//rules/private:tf_audit_aspect.bzl", _tf_audit_aspect = "tf_audit_aspect")
load("//rules/providers:audit_info.bzl", _TfAuditInfo = "TfAuditInfo")
load("//rules/providers:certificate_info.bzl", _CertificateInfo = "CertificateInfo")
load("//rules/providers:port_info.bzl", _PortInfo = "PortInfo")
load("//rules/providers:report_info.bzl", _ReportInfo = "ReportInfo")
load("//rules/providers:trace_info.bzl", _TraceInfo = "TraceInfo")

jax_migration = _jax_migration
migration_presubmit = _migration_presubmit
tf_audit = _tf_audit
tf_audit_aspect = _tf_audit_aspect
TfAuditInfo = _TfAuditInfo
CertificateInfo = _CertificateInfo
PortInfo = _PortInfo
ReportInfo = _ReportInfo
TraceInfo = _TraceInfo
