"""What is wrong with the arguments of `jax_migration`, as sentences that say what to write instead."""

load("//rules/private:accelerators.bzl", "ACCELERATORS")
load("//rules/private:environment.bzl", "LEVELS")

visibility(["//rules/...", "//tests/..."])

_KERAS = ["auto", "3", "legacy"]

def _name_problem(name):
    if not name or not (name[0].isalpha() or name[0] == "_"):
        return "name is to begin with a letter, since {}_jax.py is imported; it is {}".format(name, repr(name))
    for character in name.elems():
        if not (character.isalnum() or character == "_"):
            return ("name may hold letters, digits and `_`, since {}_jax.py is imported; " +
                    "it is {}").format(name, repr(name))
    return None

def _unit_problem(srcs, entry, inputs, example, call, verify):
    if len(srcs) != 1:
        return "srcs is to name the one file to port, here are {}; put what it imports in deps".format(len(srcs))
    if example and (entry or inputs or call):
        return "example says what to run; leave out entry, inputs and call"
    if inputs and not entry:
        return "inputs needs entry, the expression that gives the object to call"
    if not entry and not example and verify != "none":
        return "say what to run: entry with inputs, or example; or verify = \"none\" to port without a run"
    return None

def problem(
        name,
        srcs,
        entry = None,
        inputs = [],
        example = None,
        call = None,
        verify = "step",
        keras = "auto",
        accelerators = ["cpu"],
        devices = []):
    """The first thing wrong with a unit's arguments, or None.

    Args:
      name: see `jax_migration`, as for all others.
      srcs: .
      entry: .
      inputs: .
      example: .
      call: .
      verify: .
      keras: .
      accelerators: .
      devices: accelerators that accelerator_deps and runners speak of.

    Returns:
      A sentence, or None.
    """
    found = _name_problem(name) or _unit_problem(srcs, entry, inputs, example, call, verify)
    if found:
        return found
    if verify not in LEVELS:
        return "verify is to be one of {}; it is {}".format(", ".join(LEVELS), repr(verify))
    if keras not in _KERAS:
        return "keras is to be one of {}; it is {}".format(", ".join(_KERAS), repr(keras))
    unknown = [device for device in accelerators + devices if device not in ACCELERATORS]
    if unknown or not accelerators:
        return "accelerators is to be a list of {}; it is {}".format(", ".join(ACCELERATORS), unknown or accelerators)
    return None
