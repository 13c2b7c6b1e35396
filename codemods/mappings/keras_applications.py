"""What `tf.keras.applications` offers beside its networks: images as the networks were trained on them."""

import jax.numpy as jnp

from codemods.engine.rule import Difference, f32, inline, known, refuse, rule, sample
from codemods.mappings.differences import HALF

IMAGES = f32(2, 4, 4, 3, low=0, high=255)
#: Networks by how their images are scaled.
CENTERED = ("inception_resnet_v2", "inception_v3", "mobilenet", "mobilenet_v2", "nasnet", "resnet_v2", "xception")
UNCHANGED = ("convnext", "efficientnet", "efficientnet_v2", "mobilenet_v3")
BLUE_FIRST = ("resnet", "resnet50", "vgg16", "vgg19")
WHOLE_MEANS = Difference(
    "integer inputs", "Keras subtracts the means without their digits, JAX as they are", ("int32",)
)


@inline
def last_only(data_format):
    if known(data_format) and data_format == "channels_first":
        refuse("channels_first: JAX's layers keep channels last")


@inline
def blue_first(x):
    return x[..., ::-1] - jnp.array([103.939, 116.779, 123.68])


@inline
def normalized(x):
    return (x / 255.0 - jnp.array([0.485, 0.456, 0.406])) / jnp.array([0.229, 0.224, 0.225])


@rule(
    "tf.keras.applications.imagenet_utils.preprocess_input",
    samples=[sample(IMAGES), sample(IMAGES, mode="tf"), sample(IMAGES, mode="torch")],
    differences=[HALF, WHOLE_MEANS],
)
def preprocess_input(x, data_format=None, mode="caffe"):
    last_only(data_format)
    if mode == "tf":
        return x / 127.5 - 1.0
    if mode == "torch":
        return normalized(x)
    return blue_first(x)


@rule(*[f"tf.keras.applications.{name}.preprocess_input" for name in CENTERED], samples=[sample(IMAGES)])
def centered(x, data_format=None):
    last_only(data_format)
    return x / 127.5 - 1.0


@rule(*[f"tf.keras.applications.{name}.preprocess_input" for name in UNCHANGED], samples=[sample(IMAGES)])
def unchanged(x, data_format=None):
    last_only(data_format)
    return x


@rule(*[f"tf.keras.applications.{name}.preprocess_input" for name in BLUE_FIRST], samples=[sample(IMAGES)],
      differences=[HALF, WHOLE_MEANS])  # fmt: skip
def bgr(x, data_format=None):
    last_only(data_format)
    return blue_first(x)


@rule("tf.keras.applications.densenet.preprocess_input", samples=[sample(IMAGES)], differences=[HALF])
def standardized(x, data_format=None):
    last_only(data_format)
    return normalized(x)


def correct_pad(inputs, kernel_size):
    """Padding before a convolution with stride 2, by axis: as much as "same" would add, but first where it is uneven.

    Args:
      inputs: (batch, height, width, channels).
      kernel_size: of the convolution.
    """
    return tuple((kernel_size // 2 - 1 + size % 2, kernel_size // 2) for size in inputs.shape[1:3])
