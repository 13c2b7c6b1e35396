import tensorflow as tf


def build_net():
    inputs = tf.keras.Input((4,))
    return tf.keras.Model(inputs, tf.keras.layers.Dense(2)(tf.keras.layers.Dense(3, activation="tanh")(inputs)))


def saliency(net, x):
    """How much every input changes the first output."""
    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        score = net(x)[:, 0]
    return tf.abs(tape.gradient(score, x)).numpy()


def penalised_step(net, optimizer, x, y):
    """A penalty on the gradient with respect to the input, inside the gradient of the weights."""
    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        with tf.GradientTape() as inner:
            inner.watch(x)
            out = net(x, training=True)
        slope = inner.gradient(out, x)
        loss = tf.reduce_mean(tf.square(out - y)) + tf.reduce_mean(tf.reduce_sum(tf.square(slope), axis=1))
    grads = tape.gradient(loss, net.trainable_variables)
    optimizer.apply_gradients(zip(grads, net.trainable_variables))
    return float(loss)


def train(net, x, y):
    optimizer = tf.keras.optimizers.SGD(0.05)
    return [penalised_step(net, optimizer, x, y) for _ in range(3)], saliency(net, x)
