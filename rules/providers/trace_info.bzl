"""What a run of the original recorded."""

visibility(["//rules/...", "//tests/..."])

TraceInfo = provider(
    doc = "A run of the TensorFlow original.",
    fields = {
        "oracle": "File or None; oracle.safetensors. None where the original is not run.",
        "source": "File; the original.",
        "text": "File; what is ported: the original, or what pre_codemods make of it.",
        "trace": "File or None; trace.json. None where the original is not run.",
    },
)
