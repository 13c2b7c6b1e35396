"""What every action that runs TensorFlow or JAX has in common."""

visibility(["//rules/..."])

# Stable numerics, quiet logs, no accelerator: the same bytes on every machine.
ENVIRONMENT = {
    "JAX_PLATFORMS": "cpu",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
}

# No step needs the network; on the action itself, as tags reach actions only by a flag.
EXECUTION_REQUIREMENTS = {"block-network": "1"}

# One process runs many actions, each in a copy of itself (//rules/tools:forking_worker.py); where there are no workers,
# each action starts its own.
WORKER_REQUIREMENTS = dict(EXECUTION_REQUIREMENTS, **{
    "requires-worker-protocol": "json",
    "supports-multiplex-workers": "1",
    "supports-worker-cancellation": "1",
    "supports-workers": "1",
})

def worker_args(args):
    """Puts an action's arguments in a file, as workers get them.

    Args:
      args: the action's Args.
    """
    args.use_param_file("@%s", use_always = True)
    args.set_param_file_format("shell")

LEVELS = ["none", "shapes", "forward", "gradients", "step", "trajectory"]
