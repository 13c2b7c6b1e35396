"""What the codemods made of a unit."""

visibility(["//rules/...", "//tests/..."])

PortInfo = provider(
    doc = "The JAX side of a unit.",
    fields = {
        "module": "File; the ported module, NAME_jax.py.",
        "plan": "File; plan.json: what is left, in the order to ask about it.",
        "residuals": "File; residuals.json: what could not be ported, with reasons.",
        "weights_map": "File; weights_map.json: where each weight of the original goes.",
    },
)
