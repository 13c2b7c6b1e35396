import jax
import jax.numpy as jnp
from flax import nnx


class FlexibleDense(nnx.Module):
    def __init__(self, in_features, out_features, *, rngs: nnx.Rngs):
        self.out_features = out_features
        self.w = nnx.Param(jax.random.normal(rngs.noise(), [in_features, self.out_features]))
        self.b = nnx.Param(jnp.zeros([self.out_features]))

    # Create variables on first call.
    def __call__(self, x):
        y = jnp.matmul(x, self.w[...]) + self.b
        return nnx.relu(y)


class MySequentialModule(nnx.Module):
    def __init__(self, in_features, *, rngs: nnx.Rngs):
        self.dense_1 = FlexibleDense(in_features, out_features=3, rngs=rngs)
        self.dense_2 = FlexibleDense(3, out_features=2, rngs=rngs)

    def __call__(self, x):
        x = self.dense_1(x)
        return self.dense_2(x)
