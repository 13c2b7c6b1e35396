"""What every action that runs TensorFlow or JAX has in common."""

visibility(["//rules/..."])

# Stable numerics, quiet logs, no accelerator: the same bytes on every machine.
ENVIRONMENT = {
    "JAX_PLATFORMS": "cpu",
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
}

# No step needs the network; on the action itself, as tags reach actions only by a flag.
EXECUTION_REQUIREMENTS = {"block-network": "1"}

LEVELS = ["none", "shapes", "forward", "gradients", "step", "trajectory"]
