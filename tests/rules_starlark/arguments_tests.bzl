"""Tests of what `jax_migration` says to wrong arguments. They run while this package is loaded."""

load("//rules/private:arguments.bzl", "problem")

visibility("private")

_GOOD = {"entry": "f", "name": "m", "srcs": ["m.py"]}

_CASES = [
    # (what is different from _GOOD, a part of the answer; None where nothing is wrong)
    ({}, None),
    ({"inputs": ["float32[1]"]}, None),
    ({"entry": None, "example": "e.py"}, None),
    ({"entry": None, "verify": "none"}, None),
    ({"name": "a-b"}, "letters, digits and `_`"),
    ({"name": "1a"}, "begin with a letter"),
    ({"srcs": []}, "the one file"),
    ({"srcs": ["a.py", "b.py"]}, "here are 2"),
    ({"example": "e.py"}, "leave out entry"),
    ({"entry": None}, "say what to run"),
    ({"entry": None, "inputs": ["float32[1]"]}, "inputs needs entry"),
    ({"verify": "all"}, "it is \"all\""),
    ({"keras": "2"}, "it is \"2\""),
    ({"accelerators": ["cpu", "gpu", "tpu"]}, None),
    ({"accelerators": ["cuda"]}, "list of cpu, gpu, tpu"),
    ({"accelerators": []}, "list of cpu, gpu, tpu"),
    ({"devices": ["npu"]}, "npu"),
]

def arguments_tests():
    """Fails the load of the package that calls it where an answer is not the expected one."""
    for changes, part in _CASES:
        found = problem(**(_GOOD | changes))
        if (found == None) != (part == None) or (part and part not in found):
            fail("{}: expected {}, got {}".format(changes, repr(part), repr(found)))
