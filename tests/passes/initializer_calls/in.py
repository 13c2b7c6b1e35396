import tensorflow as tf

class Scale(tf.keras.layers.Layer):
    """Weights from an initializer that is called."""
    def __init__(self, units):
        super().__init__()
        self.units = units

    def build(self, input_shape):
        w_init = tf.random_normal_initializer()
        self.w = tf.Variable(initial_value=w_init(shape=(input_shape[-1], self.units), dtype="float32"), trainable=True)
        u_init = tf.random_uniform_initializer(-0.1, 0.1)
        self.u = tf.Variable(u_init([input_shape[-1], self.units]))
        g = tf.keras.initializers.GlorotUniform()
        self.g = tf.Variable(g((self.units,)  + (self.units,)), name="g")
        b_init = tf.zeros_initializer()
        self.b = tf.Variable(initial_value=b_init(shape=(self.units,), dtype="float32"), trainable=True)

    def call(self, x):
        return tf.matmul(tf.matmul(x, self.w + self.u), self.g) + self.b

class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.s = Scale(6)
        init = tf.random_uniform_initializer()
        self.k = tf.Variable(init(shape=[6, 3]))
    def call(self, x):
        return tf.matmul(self.s(x), self.k)
