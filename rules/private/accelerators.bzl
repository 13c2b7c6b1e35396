"""The tests of a unit, one for each accelerator."""

load("@rules_python//python:defs.bzl", "py_test")
load("//rules/private:environment.bzl", "ENVIRONMENT")

visibility(["//rules/...", "//tests/..."])

ACCELERATORS = ["cpu", "gpu", "tpu"]

# JAX takes the device that it finds; a GPU's memory only as it needs it, since others may use it, too.
_DEVICE_ENVIRONMENT = ENVIRONMENT | {"JAX_PLATFORMS": "", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}

def _suite(accelerator):
    """All parity tests of the package on one accelerator, made by its first unit."""
    name = "{}_parity_tests".format(accelerator)
    if not native.existing_rule(name):
        native.test_suite(name = name, tags = ["jaxport-" + accelerator])

def parity_tests(name, facts, deps, accelerators, runners, accelerator_deps, common):
    """Makes `NAME_test`, `NAME_cpu_test`, and for others `NAME_gpu_test` and `NAME_tpu_test`.

    A test for a device is compatible with platforms that have its constraint alone: elsewhere Bazel skips it, and
    where the platform has it and the machine has not, the test says so and is skipped.

    Args:
      name: of the unit.
      facts: label of its manifest.
      deps: libraries of all these tests.
      accelerators: see `jax_migration`, as for the next two.
      runners: .
      accelerator_deps: .
      common: attributes of all targets.
    """
    tool = Label("//rules/tools:parity_test.py")
    program = dict(
        common,
        srcs = [tool],
        data = [facts],
        main = tool,
    )
    tags = common.get("tags", [])
    py_test(
        name = name + "_test",
        args = ["$(rootpath {})".format(facts)],
        deps = deps + accelerator_deps.get("cpu", []),
        env = ENVIRONMENT,
        **dict(program, tags = tags + ["jaxport-cpu"], exec_properties = _of_test(runners.get("cpu", {})))
    )
    _suite("cpu")
    for accelerator in accelerators:
        if accelerator == "cpu":
            native.test_suite(name = name + "_cpu_test", tests = [name + "_test"], **common)
            continue
        constraint = Label("//rules/accelerators:" + accelerator)
        own = ["jaxport-" + accelerator, "requires-" + accelerator, "exclusive-if-local"]
        py_test(
            name = "{}_{}_test".format(name, accelerator),
            args = ["$(rootpath {})".format(facts), "--accelerator=" + accelerator],
            deps = deps + accelerator_deps.get(accelerator, []),
            env = _DEVICE_ENVIRONMENT,
            exec_compatible_with = [constraint],
            target_compatible_with = [constraint],
            **dict(program, tags = tags + own, exec_properties = _of_test(runners.get(accelerator, {})))
        )
        _suite(accelerator)

def _of_test(properties):
    """Execution properties of the test alone: what builds it runs anywhere."""
    return {"test." + name: value for name, value in properties.items()}
