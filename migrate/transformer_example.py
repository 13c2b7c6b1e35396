"""Token ids with zero padding at the end, as the model sees them in training."""
import numpy as np


def model():
    return TransformerLM(vocab_size=200, max_len=32, d_model=32, num_layers=2, num_heads=4, d_ff=64)


def inputs(seed):
    rng = np.random.default_rng(seed)
    tokens = rng.integers(1, 200, size=(4, 24), dtype=np.int32)
    lengths = rng.integers(6, 25, size=(4, 1))
    tokens *= np.arange(24) < lengths  # the rest is padding
    return (tokens,)
