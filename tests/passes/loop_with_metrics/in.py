import tensorflow as tf
from tensorflow import keras

def get_model():
    inputs = keras.Input(shape=(4,), name="digits")
    x1 = keras.layers.Dense(8, activation="relu")(inputs)
    outputs = keras.layers.Dense(10, name="predictions")(x1)
    model = keras.Model(inputs=inputs, outputs=outputs)
    return model

model = get_model()
optimizer = keras.optimizers.Adam(learning_rate=1e-3)
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
train_acc_metric = keras.metrics.SparseCategoricalAccuracy()
val_acc_metric = keras.metrics.SparseCategoricalAccuracy()

@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        logits = model(x, training=True)
        loss_value = loss_fn(y, logits)
        loss_value += sum(model.losses)
    grads = tape.gradient(loss_value, model.trainable_weights)
    optimizer.apply_gradients(zip(grads, model.trainable_weights))
    train_acc_metric.update_state(y, logits)
    return loss_value

@tf.function
def test_step(x, y):
    val_logits = model(x, training=False)
    val_acc_metric.update_state(y, val_logits)

def main(train_dataset, val_dataset, epochs=2):
    for epoch in range(epochs):
        for step, (x_batch_train, y_batch_train) in enumerate(train_dataset):
            loss_value = train_step(x_batch_train, y_batch_train)
            if step % 200 == 0:
                print("Training loss at step %d: %.4f" % (step, float(loss_value)))
        train_acc = train_acc_metric.result()
        print("Training acc over epoch: %.4f" % (float(train_acc),))
        train_acc_metric.reset_state()
        for x, y in val_dataset:
            test_step(x, y)
        val_acc = val_acc_metric.result()
        val_acc_metric.reset_states()
        print("Validation acc: %.4f" % float(val_acc))
