import tensorflow as tf
from tensorflow.keras import layers

loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def build_net():
    inputs = tf.keras.Input((4,))
    h = layers.BatchNormalization()(layers.Dense(7, activation="relu")(inputs))
    return tf.keras.Model(inputs, layers.Dense(3)(h))


@tf.function
def train_step(net, optimizer, x, y):
    with tf.GradientTape() as tape:
        logits = net(x, training=True)
        loss = loss_object(y, logits)
    gradients = tape.gradient(loss, net.trainable_variables)
    # clipped twice, to show both forms
    gradients = [tf.clip_by_value(g, -0.5, 0.5) for g in gradients]
    gradients, _ = tf.clip_by_global_norm(gradients, 0.3)
    optimizer.apply_gradients(zip(gradients, net.trainable_variables))
    return loss, tf.reduce_mean(tf.cast(tf.argmax(logits, -1, output_type=tf.int32) == y, tf.float32))


def train(net, x, y):
    optimizer = tf.keras.optimizers.SGD(0.2, momentum=0.9)
    return [[float(v) for v in train_step(net, optimizer, x, y)] for _ in range(4)]
