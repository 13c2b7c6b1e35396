"""Generated inputs of models that mask padding hold some."""

import numpy as np
from absl.testing import absltest

from parity.inputs import SpecInputs
from parity.padding import with_padding


def _embedding(mask_zero: bool) -> dict[str, object]:
    return {"class": "tf.keras.layers.Embedding", "args": {"mask_zero": mask_zero}}


class PaddingTest(absltest.TestCase):
    def test_tokens_end_in_zeros(self) -> None:
        """Every other row, and no other input."""
        inputs = SpecInputs(["int32[4,6]{0..999}", "float32[4,6]"])
        padded, other = with_padding(inputs, [_embedding(True)])(0)
        plain, same = inputs(0)
        np.testing.assert_array_equal(padded[1::2, 4:], 0)
        np.testing.assert_array_equal(padded[:, :4], plain[:, :4])
        np.testing.assert_array_equal(padded[::2], plain[::2])
        np.testing.assert_array_equal(other, same)

    def test_range_without_zero(self) -> None:
        """Such inputs are never padded: the user says so."""
        inputs = SpecInputs(["int32[4,6]{1..999}"])
        np.testing.assert_array_equal(with_padding(inputs, [_embedding(True)])(0)[0], inputs(0)[0])

    def test_steps_of_masking(self) -> None:
        """Steps hold the value that the layer masks."""
        inputs = SpecInputs(["float32[2,6,3]"])
        masking = {"class": "tf.keras.layers.Masking", "args": {"mask_value": -1.0}}
        np.testing.assert_array_equal(with_padding(inputs, [masking])(0)[0][1, 4:], -1)

    def test_nothing_is_masked(self) -> None:
        """Inputs stay what they are."""
        inputs = SpecInputs(["int32[4,6]{0..999}"])
        self.assertIs(with_padding(inputs, [_embedding(False)]), inputs)


if __name__ == "__main__":
    absltest.main()
