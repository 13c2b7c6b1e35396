"""What is not ported of TensorFlow's functions of tensors, why, and what to do."""

from __future__ import annotations

from codemods.policy.entries import below, refused

refused(
    "tf.dynamic_partition", "tf.dynamic_stitch",
    reason="the sizes of the parts depend on values",
    recipe="keep all rows and a mask: `jnp.where(partitions == i, x, 0)`; put parts together with `x.at[indices].set(part)`",
)  # fmt: skip
refused(
    "tf.case",
    "tf.foldl",
    "tf.foldr",
    reason="a choice or loop between functions",
    recipe="`lax.switch(index, branches, *operands)`, or `lax.scan(step, start, xs)`, with reverse=True for foldr",
)
refused(
    "tf.sets.*",
    "tf.edit_distance",
    reason="works on sparse tensors",
    recipe="in the input pipeline with NumPy (np.intersect1d, np.union1d, np.setdiff1d)",
)
refused(
    "tf.nn.ctc_loss",
    reason="takes lengths and sparse labels, JAX paddings and dense ones",
    recipe="optax.ctc_loss(logits, logit_paddings, labels, label_paddings)",
)
refused(
    *below("tf.nn", "ctc_beam_search_decoder ctc_greedy_decoder collapse_repeated ctc_unique_labels"),
    reason="the lengths of the results depend on values",
    recipe="jnp.argmax per step, and collapse repeats on the host",
)
refused(
    *below("tf.nn", "sampled_softmax_loss nce_loss compute_accidental_hits all_candidate_sampler"),
    *below("tf.random", "all_candidate_sampler log_uniform_candidate_sampler uniform_candidate_sampler"),
    *below("tf.nn", "fixed_unigram_candidate_sampler learned_unigram_candidate_sampler"),
    *below("tf.random", "fixed_unigram_candidate_sampler learned_unigram_candidate_sampler"),
    reason="samples classes with TensorFlow's own samplers",
    recipe="the whole softmax, which accelerators compute fast enough, or indices of your own from jax.random.choice",
)
refused(
    *below("tf.nn", "conv_transpose conv3d_transpose convolution atrous_conv2d atrous_conv2d_transpose"),
    "tf.conv",
    reason="a convolution of any rank, with layouts of its own",
    recipe="jax.lax.conv_general_dilated or jax.lax.conv_transpose with dimension_numbers",
)  # fmt: skip
refused(
    *below("tf.nn", "pool max_pool_with_argmax fractional_avg_pool fractional_max_pool dilation2d erosion2d"),
    "tf.extract_volume_patches",
    reason="windows that JAX has no function for",
    recipe="jax.lax.reduce_window, or jax.lax.conv_general_dilated_patches and a reduction over the patches",
)  # fmt: skip
refused(
    *below("tf.nn", "weighted_moments sufficient_statistics normalize_moments"),
    "tf.nn.batch_norm_with_global_normalization",
    reason="moments in parts",
    recipe="jnp.mean and jnp.var, or jnp.average with weights",
)
refused(
    *below("tf.nn", "embedding_lookup_sparse safe_embedding_lookup_sparse"),
    reason="looks up rows of different lengths",
    recipe="pad the ids, `jnp.take(table, ids, axis=0)`, and sum with a mask",
)
refused(
    *[f"tf.linalg.LinearOperator{kind}" for kind in (
        "", "Adjoint", "BlockDiag", "BlockLowerTriangular", "Circulant", "Circulant2D", "Circulant3D", "Composition",
        "Diag", "FullMatrix", "Householder", "Identity", "Inversion", "Kronecker", "LowRankUpdate", "LowerTriangular",
        "Permutation", "ScaledIdentity", "Toeplitz", "Tridiag", "Zeros")],
    reason="a matrix that is never made",
    recipe="a function of vectors, or the matrix itself; the lineax package has the same operators for JAX",
)  # fmt: skip
refused(
    *below("tf.linalg", "logm lu_matrix_inverse lu_reconstruct lu_solve lu sqrtm banded_triangular_solve"),
    *below("tf.linalg", "eig eigvals eigh_tridiagonal tridiagonal_matmul tridiagonal_solve"),
    reason="a decomposition whose result JAX gives in another form",
    recipe="jax.scipy.linalg (lu_factor, lu_solve, sqrtm, eigh_tridiagonal), jax.lax.linalg.tridiagonal_solve",
)
refused(
    *below("tf.image", "ssim ssim_multiscale sobel_edges extract_glimpse adjust_jpeg_quality"),
    *below("tf.image", "random_jpeg_quality stateless_random_jpeg_quality"),
    reason="a measure or filter of images",
    recipe="dm_pix has ssim and filters for JAX; jax.scipy.signal.convolve for one of your own; JPEG on the host",
)
refused(
    *below("tf.image", "non_max_suppression non_max_suppression_overlaps non_max_suppression_with_scores"),
    "tf.image.generate_bounding_box_proposals",
    reason="the number of boxes depends on values",
    recipe="a lax.fori_loop over a fixed number of boxes with a mask, or on the host with NumPy",
)
refused(
    *below("tf.image", "stateless_random_brightness stateless_random_contrast stateless_random_crop"),
    *below("tf.image", "stateless_random_flip_left_right stateless_random_flip_up_down stateless_random_hue"),
    "tf.image.stateless_random_saturation",
    reason="draws with a seed of two numbers",
    recipe="draw with jax.random and a key, then use the function without chance, such as tf.image.adjust_brightness",
)
refused(
    "tf.quantization.*",
    reason="quantization in TensorFlow's own formats",
    recipe="AQT or Qwix, which quantize Flax models",
)
refused(
    "tf.recompute_grad",
    "tf.grad_pass_through",
    reason="a function with other gradients",
    recipe="`jax.checkpoint(f)` computes again; `x + jax.lax.stop_gradient(f(x) - x)` passes gradients through",
)
refused(
    "tf.hessians",
    "tf.autodiff.ForwardAccumulator",
    reason="derivatives of a graph",
    recipe="jax.hessian of a function, jax.jvp for forward mode",
)
refused(
    "tf.train.ExponentialMovingAverage",
    reason="averages of variables kept in variables",
    recipe="`nnx.EMA(model, decay)`, or optax.ema in the optimizer's chain",
)
refused(
    "tf.queue.*",
    "tf.CriticalSection",
    "tf.train.Coordinator",
    reason="runs threads within a graph",
    recipe="Python's queue and threading, on the host",
)
