"""How the original and its port are called."""

from __future__ import annotations

from absl.testing import absltest, parameterized

from parity import call


class Layer:
    """What has a method `call`, as Keras's layers do."""

    def __call__(self, *args, **kwargs):
        return self.call(*args, **kwargs)


class Functional(Layer):
    def call(self, inputs, training=None, mask=None):
        return inputs


class Masked(Layer):
    def call(self, x, mask, training=False):
        return x


class Several(Layer):
    def call(self, *xs):
        return xs


def plain(x):
    return x


class DefaultCallTest(parameterized.TestCase):
    @parameterized.parameters(
        (Functional(), 1, "model(*inputs, training=False)"),
        (Functional(), 2, "model(inputs, training=False)"),
        (Masked(), 2, "model(*inputs, training=False)"),
        (Several(), 3, "model(*inputs)"),
        (plain, 1, "model(*inputs)"),
        (plain, 2, "model(inputs)"),
        (lambda x, y: x, 2, "model(*inputs)"),
        (lambda x, *, y=0: x, 2, "model(*inputs)"),
        (max, 2, "model(*inputs)"),
    )
    def test(self, model, count, expected):
        self.assertEqual(call.default_call(model, count, Layer), expected)


if __name__ == "__main__":
    absltest.main()
