"""Injects nine known bugs into the ports of the bundled units: the recorded originals must expose them.

The bugs are those that oracles with small weights, one batch and a fixed tolerance were seen to miss,
and two more defaults that differ between frameworks. Needs no TensorFlow.
"""

import dataclasses
import json
import pathlib
import re
import sys
from collections.abc import Iterator

from absl.testing import absltest, parameterized

from parity import mutate, mutations, oracle_file

_UNITS = pathlib.Path("migrate")


@dataclasses.dataclass(frozen=True)
class Bug:
    """One bug, and where it fits.

    Attributes:
      unit: the unit with the code that it is put into.
      mutation: name of its class in `mutations`.
      what: pattern of its description; the first mutant that matches is taken.
    """

    unit: str
    mutation: str
    what: str = ""


BUGS = {
    "attention_scale_dropped": Bug("transformer", "attention_scale", "attention without scale"),
    "gelu_of_the_other_form": Bug("transformer", "gelu_form"),
    "tiny_epsilon_ten_times_larger": Bug("transformer", "default_epsilon", "1e-05"),
    "layer_norm_epsilon": Bug("text_lstm", "norm_epsilon", "LayerNorm with epsilon 1e-05"),
    "batch_norm_epsilon": Bug("mlp", "norm_epsilon", "BatchNorm with epsilon 1e-05"),
    "gru_reset_before": Bug("text_lstm", "gru_reset"),
    "same_padding_on_the_other_side": Bug("resnet", "pad_side"),
    "gates_in_another_order": Bug("text_lstm", "gate_order"),
    "batch_norm_momentum": Bug("mlp", "norm_momentum"),
}


def mutants(bug: Bug) -> Iterator[mutate.Mutant]:
    """All forms of a bug in its unit."""
    source = (_UNITS / f"{bug.unit}_jax.py").read_text(encoding="utf-8")
    weights_map = json.loads((_UNITS / f"{bug.unit}_weights_map.json").read_text(encoding="utf-8"))
    classes = [mutation for mutation in mutations.MUTATIONS if mutation.__name__ == bug.mutation]
    for mutant in mutate.mutants(source, weights_map, classes, per_kind=9):
        if mutant.kind == bug.mutation and re.search(bug.what, mutant.what):
            yield mutant


class MutantsTest(parameterized.TestCase):
    @parameterized.named_parameters(*BUGS.items())
    def test_is_caught(self, bug: Bug):
        mutant = next(mutants(bug))
        recorded = _UNITS / f"{bug.unit}.capture"
        trace = json.loads((recorded / "trace.json").read_text(encoding="utf-8"))
        oracle = oracle_file.read(str(recorded / "oracle.safetensors"))
        found = mutate.caught(mutant, f"{bug.unit}_jax.py", trace, oracle)
        self.assertIsNotNone(found, f"{mutant.what}: the changed port does not run")
        self.assertTrue(found, f"{bug.unit}_jax.py: {mutant.what}: passes every check")
        self.assertNotIn("tensorflow", sys.modules)


if __name__ == "__main__":
    absltest.main()
