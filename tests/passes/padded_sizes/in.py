import tensorflow as tf
from tensorflow.keras import layers


class ReflectionPadding2D(layers.Layer):
    def __init__(self, padding=(1, 1), **kwargs):
        self.padding = tuple(padding)
        super().__init__(**kwargs)

    def call(self, input_tensor, mask=None):
        padding_width, padding_height = self.padding
        padding_tensor = [
            [0, 0],
            [padding_height, padding_height],
            [padding_width, padding_width],
            [0, 0],
        ]
        return tf.pad(input_tensor, padding_tensor, mode="REFLECT")


class Pad(layers.Layer):
    def __init__(self, pad=1, **kwargs):
        super().__init__(**kwargs)
        self.pad = pad

    def call(self, x):
        p = self.pad
        return tf.pad(x, [[0, 0], [p, p], [p, p], [0, 0]], mode="REFLECT")


class Net(tf.keras.Model):
    def __init__(self, n):
        super().__init__()
        self.conv = layers.Conv2D(n, 3)
        self.pad = ReflectionPadding2D((2, 2))
        self.conv2 = layers.Conv2D(5, 3)
        self.pad2 = Pad(2)
        self.conv3 = layers.Conv2D(5, 3)

    def call(self, x):
        x = self.conv(x)
        x = self.pad(x)
        x = self.conv2(x)
        x = self.pad2(x)
        return self.conv3(x)
