import tensorflow as tf


def build_net():
    inputs = tf.keras.Input((4,))
    return tf.keras.Model(inputs, tf.keras.layers.Dense(1)(tf.keras.layers.Dense(3, activation="tanh")(inputs)))


def penalty(net):
    return tf.add_n([tf.nn.l2_loss(w) for w in net.trainable_weights])


def train(net, x, y, rate=0.1):
    losses = []
    for _ in range(3):
        with tf.GradientTape() as tape:
            error = tf.reduce_mean(tf.square(net(x)[:, 0] - y))
            loss = error + 0.01 * penalty(net)
        weights = net.trainable_weights
        for w, g in zip(weights, tape.gradient(loss, weights)):
            w.assign_sub(rate * g)
        losses.append(float(error))
    return losses
