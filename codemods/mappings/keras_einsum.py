"""`tf.keras.layers.EinsumDense`."""

from flax import nnx

from codemods.engine.rule import computed, f32, known, layer, sample
from codemods.mappings.keras_activate import activate
from codemods.mappings.keras_initializers import initializer
from codemods.mappings.keras_regularizers import penalty


@computed
def einsum_sizes(equation, output_shape, shape):
    """The size of every letter of the equation."""
    left, output = equation.replace(" ", "").split("->")
    inputs = left.split(",")[0].removeprefix("...")
    sizes = dict(zip(inputs, shape[len(shape) - len(inputs) :], strict=True))
    letters = output.removeprefix("...") if output.startswith("...") else output[1:]
    wanted = tuple(output_shape) if isinstance(output_shape, (tuple, list)) else (output_shape,)
    for letter, size in zip(letters, wanted[len(wanted) - len(letters) :], strict=True):
        if size is not None:
            sizes[letter] = size
    return sizes


@computed
def einsum_kernel(equation, sizes):
    """The kernel's shape."""
    return tuple(sizes[c] for c in equation.replace(" ", "").split(",")[1].split("->")[0])


@computed
def einsum_axes(equation):
    """The kernel's axes that come from the input, and those that go to the output."""
    left, output = equation.replace(" ", "").split("->")
    inputs, kernel = left.split(",")
    return tuple(tuple(i for i, letter in enumerate(kernel) if letter in letters) for letters in (inputs, output))


@computed
def einsum_bias(equation, bias_axes, sizes):
    """The bias's shape: 1 for axes of the output between the ones it has."""
    if not bias_axes:
        return None
    output = equation.split("->")[1].strip()
    first = min(output.index(c) for c in bias_axes)
    return tuple(sizes[c] if c in bias_axes else 1 for c in output[first:])


@layer(
    "tf.keras.layers.EinsumDense",
    "tf.keras.layers.experimental.EinsumDense",
    samples=[
        sample("abc,cd->abd", output_shape=(None, 6), bias_axes="d", kernel_regularizer="l2", x=f32(2, 3, 4)),
        sample("...x,xy->...y", output_shape=5, activation="relu", x=f32(2, 3, 4)),
        sample("abc,cde->abde", output_shape=(None, 2, 6), bias_axes="de", x=f32(2, 3, 4)),
    ],
)
class EinsumDense:
    def make(equation, output_shape, activation=None, bias_axes=None, kernel_initializer="glorot_uniform",
             bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, kernel_constraint=None,
             bias_constraint=None, lora_rank=None, lora_alpha=None, gptq_unpacked_column_size=None,
             quantization_config=None, *, x, rngs):  # fmt: skip
        sizes = einsum_sizes(equation, output_shape, x.shape)
        axes = einsum_axes(equation)
        kernel_init = initializer(kernel_initializer)
        if known(kernel_initializer) and kernel_initializer == "glorot_uniform" and axes != ((0,), (1,)):
            kernel_init = nnx.initializers.glorot_uniform(in_axis=axes[0], out_axis=axes[1])
        return nnx.Einsum(
            equation.replace(" ", ""), einsum_kernel(equation, sizes), einsum_bias(equation, bias_axes, sizes),
            kernel_init=kernel_init, bias_init=initializer(bias_initializer),
            kernel_metadata=penalty(kernel_regularizer), bias_metadata=penalty(bias_regularizer), rngs=rngs,
        )  # fmt: skip

    def call(layer, inputs, *, activation):
        return activate(activation, layer(inputs))

    def shape(x, *, equation, output_shape):
        sizes = einsum_sizes(equation, output_shape, x.shape)
        output = equation.replace(" ", "").split("->")[1]
        if output.startswith("..."):
            output = output[3:]
            return (*x.shape[: len(x.shape) - equation.index(",") + 3], *(sizes[c] for c in output))
        return tuple(sizes[c] for c in output)

    weights = {"kernel": "kernel", "bias": "bias"}
