import functools

import optax
from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Model(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense = Linear(4, 8, rngs=rngs)
        self.predictions = Linear(8, 10, rngs=rngs)

    def __call__(self, inputs):
        x1 = nnx.relu(self.dense(inputs))
        return self.predictions(x1)


model = Model(rngs=nnx.Rngs(0))
optimizer = nnx.Optimizer(model, optax.adam(1e-3, eps=1e-7), wrt=nnx.Param)


def loss_fn(y_true, y_pred):
    return optax.softmax_cross_entropy_with_integer_labels(y_pred, y_true).mean()


train_acc_metric = nnx.metrics.Accuracy()
val_acc_metric = nnx.metrics.Accuracy()


@nnx.jit
def train_step(model, optimizer, train_acc_metric, x, y):
    def loss_fn_(model):
        logits = model(x)
        return loss_fn(y, logits), logits

    (loss_value, logits), grads = nnx.value_and_grad(loss_fn_, has_aux=True)(model)
    optimizer.update(model, grads)
    train_acc_metric.update(logits=logits, labels=y)
    return loss_value


@nnx.jit
def test_step(model, val_acc_metric, x, y):
    val_logits = model(x)
    val_acc_metric.update(logits=val_logits, labels=y)


def main(train_dataset, val_dataset, epochs=2):
    for epoch in range(epochs):
        for step, (x_batch_train, y_batch_train) in enumerate(train_dataset):
            loss_value = train_step(model, optimizer, train_acc_metric, x_batch_train, y_batch_train)
            if step % 200 == 0:
                print("Training loss at step %d: %.4f" % (step, float(loss_value)))
        train_acc = train_acc_metric.compute()
        print("Training acc over epoch: %.4f" % (float(train_acc),))
        train_acc_metric.reset()
        for x, y in val_dataset:
            test_step(model, val_acc_metric, x, y)
        val_acc = val_acc_metric.compute()
        val_acc_metric.reset()
        print("Validation acc: %.4f" % float(val_acc))
