"""`compile` of the user's own: losses, numbers, metrics, and optimizers for parts of the model."""

import functools

import jax.numpy as jnp
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Student(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense1 = Linear(4, 3, rngs=rngs)
        self.dense2 = Linear(3, 3, rngs=rngs)

    def __call__(self, x):
        x = nnx.relu(self.dense1(x))
        return self.dense2(x)


class Teacher(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense1 = Linear(4, 8, rngs=rngs)
        self.dense2 = Linear(8, 3, rngs=rngs)

    def __call__(self, x):
        x = nnx.relu(self.dense1(x))
        return self.dense2(x)


class Probe(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense = Linear(3, 1, rngs=rngs)

    def __call__(self, x):
        return self.dense(x)


class Distiller(nnx.Module):
    def __init__(self, student, teacher, *, rngs: nnx.Rngs):
        self.student = student
        self.teacher = teacher
        self.probe = Probe(rngs=rngs)

    def compile(self, alpha=0.1, temperature=3):
        """Configure the distiller.

        Args:
            alpha: weight of the labels
            temperature: softens the probabilities
        """
        self.alpha = alpha
        self.temperature = temperature

    def __call__(self, x):
        return self.probe(self.student(x)), self.teacher(x)

    def distance(self, teacher_logits, student_logits):
        soft = nnx.softmax(teacher_logits / self.temperature, axis=1)
        return jnp.mean(jnp.square(soft - nnx.softmax(student_logits / self.temperature, axis=1)))


@nnx.jit
def train_step(model, optimizer, probe_optimizer, metrics, x, y):
    teacher_logits = model.teacher(x)

    def loss_fn(model):
        logits = model.student(x)
        distance = model.distance(teacher_logits, logits)
        return model.alpha * optax.softmax_cross_entropy_with_integer_labels(logits, y).mean() + (1 - model.alpha) * distance

    loss, gradients = nnx.value_and_grad(loss_fn, argnums=nnx.DiffState(0, nnx.All(nnx.Param, nnx.PathContains("student"))))(
        model
    )
    gradients = gradients["student"]
    optimizer.update(model.student, gradients)

    # a probe that reads the student, and moves it a little
    def loss_fn(student, probe):
        outputs = probe(student(x))
        return optax.squared_error(outputs, jnp.ones_like(outputs)).mean()

    probe_loss, gradients = nnx.value_and_grad(loss_fn, argnums=(0, 1))(model.student, model.probe)
    probe_optimizer.update((model.student, model.probe), gradients)

    metrics.update(loss=loss, probe_loss=probe_loss)
    return metrics.compute()


def train(model, x, y):
    model.compile(temperature=2)
    optimizer = nnx.Optimizer(model.student, optax.sgd(0.1), wrt=nnx.Param)
    probe_optimizer = nnx.Optimizer((model.student, model.probe), optax.adam(0.01, eps=1e-7), wrt=nnx.Param)
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), probe_loss=nnx.metrics.Average("probe_loss"))
    history = {}
    for epoch in range(2):
        metrics.reset()
        for start in range(0, len(x), 8):
            results = train_step(model, optimizer, probe_optimizer, metrics, x[start : start + 8], y[start : start + 8])
        results = {name: float(value) for name, value in results.items()}
        for name, value in results.items():
            history.setdefault(name, []).append(value)
    return history


def build_distiller(*, seed=0):
    rngs = nnx.Rngs(seed)
    return Distiller(Student(rngs=rngs), Teacher(rngs=rngs), rngs=rngs)
