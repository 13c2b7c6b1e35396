"""Differences of meaning that several rules share.

What each covers are kinds of generated cases, see `parity/rule_oracle/variants.py`; a rule that names a difference it does
not have fails its test, as one does that has a difference it does not name.
"""

from __future__ import annotations

from codemods.engine.rule import Difference
from codemods.engine.touching import always, equal, stated

ONE_DIMENSION = Difference(
    "inputs of another rank than 1", "TensorFlow flattens them, jnp.meshgrid fails", ("rank", "scalar")
)
FLOAT_INDICES = Difference(
    "indices or lengths that are floats",
    "TensorFlow rounds them to zero first, JAX takes them as they are or fails",
    ("float32", "bfloat16"),
)
NAN = Difference(
    "NaN or infinite values", "where they end up may differ; finite values are treated alike", ("nan",), "shape"
)
EMPTY = Difference(
    "a tensor without elements",
    "JAX fails where TensorFlow gives an empty result or the dtype's limit",
    ("empty", "one"),
)
SCALAR = Difference("a scalar", "TensorFlow gives it back, JAX fails", ("scalar",))
INTEGERS = Difference(
    "integer inputs", "TensorFlow's result is an integer, rounded to zero; JAX's is a float32", ("int32",), "shape"
)
FLOAT_RESULT = Difference(
    "integer inputs", "JAX's result is a float32 of the same value", ("int32",), "values of another dtype"
)
INTEGER_RESULT = Difference(
    "integer inputs", "Keras gives a float32, JAX an integer of the same value", ("int32",), "values of another dtype"
)
BOOL_RESULT = Difference(
    "bool inputs", "the result is of another dtype, with the same values", ("bool",), "values of another dtype"
)
BOOLS = Difference("bool inputs", "JAX computes with another dtype, or fails", ("bool",))
HALF = Difference("bfloat16 inputs", "the result is of another float dtype", ("bfloat16",), "values of another dtype")
STRICT_SHAPES = Difference(
    "shapes that differ",
    "TensorFlow broadcasts or reshapes them, optax and JAX may fail",
    ("rank", "broadcast", "axis"),
)
STRICT_FLOATS = Difference("integer inputs", "TensorFlow converts them, optax fails", ("int32",))
BATCHES = Difference(
    "several batch dimensions", "TensorFlow takes them, JAX fails; reshape, or use jax.vmap", ("rank",)
)
CUBIC = Difference(
    "bicubic",
    "TensorFlow takes its weights from a table of 1024, so pixels differ by 1e-3 and less",
    ("method", "size"),
    "nearby values",
    equal("method", "bicubic"),
)
NO_GRADIENT = Difference(
    "the gradient",
    "TensorFlow has none for this function, and takes it as 0; JAX's is the true one",
    ("sample", "one", "rank", "broadcast", "scalar"),
    "values",
)
IGNORED_DECAY = Difference(
    "decay", "Keras 3 warns and ignores it; the port lets the learning rate decay, as Keras 2 did", ("decay",)
)
IGNORED_DTYPE = Difference("dtype", "Keras's TensorFlow backend ignores it here, JAX does not", ("dtype",), "shape")
WIDTH = Difference(
    "k with a width", "Keras's TensorFlow backend gives k more rows and columns, JAX those asked for", ("k",)
)
SPREAD = Difference(
    "strides together with dilations",
    "TensorFlow's depthwise convolution leaves the strides out of its account, JAX's not",
    ("dilations", "strides"),
    "shape",
    stated("dilations"),
)
OUTSIDE = Difference(
    "probabilities outside of [0, 1]",
    "both sides clip them, at values that differ in the last digit",
    ("wide", "from_logits"),
    "shape",
    equal("from_logits", False),
)
SMOOTHED = Difference(
    "label_smoothing along another axis than the last",
    "Keras divides by the size of the last axis, optax by that of the classes",
    ("axis",),
    "shape",
    stated("label_smoothing"),
)
WIDE_INTEGERS = Difference("integer inputs", "Keras computes with 64 bits, JAX with 32", ("int32",), "shape")
OUT_OF_CLASSES = Difference(
    "targets that are no class",
    "TensorFlow gives False, JAX looks at the last class",
    ("one", "empty"),
    "shape",
    always,
)
NO_ELEMENTS = Difference(
    "segments without elements",
    "their maximum is infinite in JAX, the lowest value in TensorFlow",
    ("empty", "one", "ties", "nan", "num_segments"),
    "shape",
)
INFEASIBLE = Difference(
    "labels that do not fit into the logits",
    "the loss is large on both sides, and not the same",
    ("one", "empty", "broadcast", "rank"),
    "shape",
    always,
)
HALF_SUMS = Difference(
    "bfloat16 inputs",
    "the digits that bfloat16 has agree",
    ("bfloat16",),
    "nearby values",
)
ROWS = Difference(
    "vectors", "Keras's TensorFlow backend joins them end to end, JAX makes rows of them, as NumPy does", ("rank",)
)
NO_WEIGHTS = Difference("weights without elements", "TensorFlow takes them for none, JAX fails", ("empty",))
SNUG = Difference(
    "a size that fits without a border",
    "TensorFlow computes it with float32 and may leave out a row or column",
    ("target_height", "target_width"),
    "shape",
)
MELS = Difference(
    "weights next to 0",
    "mel scales of 32 bits differ in the last digits",
    ("num_mel_bins", "num_spectrogram_bins", "sample_rate", "lower_edge_hertz", "upper_edge_hertz"),
    "nearby values",
)
ON_HOST = Difference("under nnx.jit", "a NumPy array is there outside of jit alone", ("jit",))
ANY_ORDER = Difference("sorted=False", "the same elements, in another order", ("sorted",), "shape")
ENDLESS = Difference(
    "NaN or infinite values", "TensorFlow's decomposition may never end; JAX gives NaN", ("nan",), "not run"
)
NO_FFT = Difference(
    "a Fourier transform without elements",
    "XLA ends the process, TensorFlow gives a result without elements",
    ("one", "empty"),
    "not run",
)
