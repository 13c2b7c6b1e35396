"""One dict of named features."""
import numpy as np


def model():
    return build_recommender(num_users=50, num_items=40, num_genres=12, embed_dim=8)


def inputs(seed):
    rng = np.random.default_rng(seed)
    features = {
        "user_id": rng.integers(0, 50, size=(8, 1), dtype=np.int32),
        "item_id": rng.integers(0, 40, size=(8, 1), dtype=np.int32),
        "genre": rng.integers(0, 12, size=(8, 1), dtype=np.int32),
        "age": rng.normal(size=(8, 1)).astype(np.float32),
        "price": rng.normal(size=(8, 1)).astype(np.float32),
        "recency": rng.normal(size=(8, 1)).astype(np.float32),
    }
    return (features,)
