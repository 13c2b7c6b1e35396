"""What is not ported of Keras's layers, backend, metrics and optimizers, why, and what to do."""

from __future__ import annotations

from codemods.policy.entries import below, refused

_LAYERS, _BACKEND = "tf.keras.layers", "tf.keras.backend"


# -- layers ------------------------------------------------------------------------------------------

refused(
    *below(_LAYERS, "LocallyConnected1D LocallyConnected2D"),
    reason="a convolution with weights of its own at each place, gone from Keras 3",
    recipe="a module with an nnx.Param for the kernel, and jax.lax.conv_general_dilated_local in its call",
)
refused(
    f"{_LAYERS}.SpectralNormalization",
    reason="Keras divides the layer's weights themselves in each training step, Flax a copy of them",
    recipe="`nnx.SpectralNorm(layer, rngs=rngs)`, called with update_stats=training",
)
refused(
    f"{_LAYERS}.ActivityRegularization",
    reason="a penalty on activations, which Keras collects aside",
    recipe="give the activations back from the call, and add `l1 * jnp.sum(jnp.abs(x))` to the loss in the step",
)
refused(
    *below(_LAYERS, "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D"),
    *below(_LAYERS, "AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D"),
    reason="windows whose sizes differ from place to place",
    recipe="where sizes divide, nnx.avg_pool or nnx.max_pool with windows of size // output; else jax.image.resize",
)
refused(
    f"{_LAYERS}.StackedRNNCells",
    reason="several cells in one step",
    recipe="one RNN layer for each cell, all but the last with return_sequences=True: the result is the same",
)
refused(
    f"{_LAYERS}.AbstractRNNCell",
    reason="a base class for cells",
    recipe="derive from nnx.RNNCellBase: `__call__(self, carry, inputs)` gives the carry and the output; nnx.RNN runs it",
)
refused(
    *below(_LAYERS, "AugMix AutoContrast CutMix MixUp Equalization ContrastLimitedAdaptiveHistogramEqualization"),
    *below(_LAYERS, "RandAugment RandomColorDegeneration RandomColorJitter RandomElasticTransform RandomErasing"),
    *below(_LAYERS, "RandomGaussianBlur RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization"),
    *below(_LAYERS, "RandomSaturation RandomSharpness RandomShear RandomHeight RandomWidth Solarization"),
    *below(_LAYERS, "MaxNumBoundingBoxes Pipeline"),
    reason="an augmentation that Keras draws for each image",
    recipe="augment in the input pipeline, with grain and albumentations, or on the device with dm_pix",
)
refused(
    *below(_LAYERS, "Hashing HashedCrossing"),
    reason="a hash of strings or integers, with TensorFlow's own hash function",
    recipe="hash in the input pipeline: the model gets the numbers of the bins",
)
refused(
    *below(_LAYERS, "STFTSpectrogram MelSpectrogram"),
    reason="a spectrogram as a layer",
    recipe="jax.scipy.signal.stft, and a matrix of mel weights made beforehand with NumPy",
)
refused(
    f"{_LAYERS}.ReversibleEmbedding",
    reason="an embedding that is also the output's projection",
    recipe="`nnx.Embed`, whose `attend` gives the logits",
)
refused(
    *below(_LAYERS, "FlaxLayer JaxLayer"),
    reason="JAX code inside of Keras",
    recipe="use the Flax module or the function as it is, in the ported model",
)
refused(
    *below(_LAYERS, "TFSMLayer TorchModuleWrapper"),
    reason="a model of another framework inside of Keras",
    recipe="port the code that it was made by; its weights come over as arrays",
)

# -- weights and training ------------------------------------------------------------------------------

refused(
    "tf.keras.constraints.*",
    reason="a constraint on weights, which Keras's optimizers apply after each step",
    recipe="project the weights after `optimizer.update`, with optax.projections, jnp.clip or jnp.maximum",
)
refused(
    *below("tf.keras.optimizers", "Muon ScheduleFreeAdamW"),
    reason="an optimizer whose state is kept in another form than optax's",
    recipe="`optax.contrib.muon` or `optax.contrib.schedule_free_adamw`, with a training run of their own",
)
refused(
    *below("tf.keras.optimizers", "MultiOptimizer OptimizerMap"),
    reason="one optimizer for each part of the model",
    recipe="`optax.partition({'a': optax.adam(1e-3), 'b': optax.sgd(1e-2)}, labels)`",
)
refused(
    "tf.keras.metrics.MeanTensor", "tf.keras.metrics.MeanMetricWrapper",
    reason="a metric that no module of Flax keeps",
    recipe="an nnx.Metric of your own with a total and a count, or nnx.metrics.Average over the function's values",
)  # fmt: skip
refused(
    "tf.keras.losses.get", "tf.keras.metrics.get",
    reason="a loss or metric by its name",
    recipe="write the function, such as `tf.keras.losses.mean_squared_error`, which has a rule",
)  # fmt: skip

# -- the backend ---------------------------------------------------------------------------------------

refused(
    *below(_BACKEND, "function gradients placeholder manual_variable_initialization learning_phase_scope reset_uids"),
    reason="a part of TensorFlow 1's graphs in Keras",
    recipe="write a function of arrays; take gradients with jax.grad, compile with nnx.jit",
)
refused(
    *below(_BACKEND, "in_train_phase in_test_phase"),
    reason="goes by a mode that Keras keeps aside",
    recipe="`x if training else y`, with `training` an argument of the call",
)
refused(
    *below(_BACKEND, "switch"),
    reason="takes values or functions, and conditions of any rank",
    recipe="`jnp.where(condition, x, y)` for arrays, `lax.cond(condition, f, g)` for functions",
)
refused(
    *below(_BACKEND, "rnn foldl foldr map_fn"),
    reason="a loop over the first axis",
    recipe="`lax.scan(step, start, xs)`, `jax.lax.map(f, xs)`, or nnx.RNN over a cell",
)
refused(
    *below(
        _BACKEND, "conv1d conv2d conv2d_transpose conv3d depthwise_conv2d separable_conv2d local_conv1d local_conv2d"
    ),
    reason="a convolution with a layout of its own",
    recipe="tf.nn.conv2d and its like, which have rules, or jax.lax.conv_general_dilated",
)
refused(
    *below(
        _BACKEND, "pool2d pool3d resize_images resize_volumes spatial_2d_padding spatial_3d_padding temporal_padding"
    ),
    reason="an operation on images with a layout of its own",
    recipe="nnx.max_pool and nnx.avg_pool, jnp.repeat or jax.image.resize, jnp.pad",
)
refused(
    *below(_BACKEND, "variable update update_add update_sub moving_average_update random_normal_variable"),
    *below(_BACKEND, "random_uniform_variable"),
    reason="a variable of Keras outside of a layer",
    recipe="an nnx.Variable or nnx.Param as attribute of the module; `self.total[...] += value` in its call",
)
refused(
    *below(_BACKEND, "batch_normalization normalize_batch_in_training"),
    reason="normalises with statistics that are given or computed here",
    recipe="nnx.BatchNorm, or `(x - mean) * jax.lax.rsqrt(variance + epsilon) * gamma + beta`",
)
refused(
    *below(_BACKEND, "ctc_batch_cost ctc_label_dense_to_sparse"),
    reason="a loss of sequences without alignment, with lengths",
    recipe="optax.ctc_loss, which takes paddings in place of lengths",
)
