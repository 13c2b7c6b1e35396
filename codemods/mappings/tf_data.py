"""Constants of tf.data: plain numbers, so that code which only hands them on needs no TensorFlow."""

from __future__ import annotations

from codemods.engine.rule import constant

for _symbol in ("tf.data.AUTOTUNE", "tf.data.experimental.AUTOTUNE", "tf.data.INFINITE_CARDINALITY",
                "tf.data.experimental.INFINITE_CARDINALITY"):  # fmt: skip
    constant(_symbol, "-1")
for _symbol in ("tf.data.UNKNOWN_CARDINALITY", "tf.data.experimental.UNKNOWN_CARDINALITY"):
    constant(_symbol, "-2")
