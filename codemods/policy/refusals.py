"""What is not ported, why, and what to do: the one source of these sentences, in reports, coverage and the reference."""

from __future__ import annotations

from codemods.policy.entries import refused

# -- models that come from elsewhere ---------------------------------------------------------------

refused(
    "tf.keras.models.load_model", "tf.keras.models.model_from_json", "tf.keras.models.model_from_config",
    "tf.keras.Model.from_config", "tf.keras.models.clone_model", "tf.keras.models.save_model",
    reason="the model's structure is in a file or an object, not in the code",
    recipe="port the code that builds the model; its weights come over through the weights map",
)  # fmt: skip
refused(
    "tf.keras.applications.*",
    reason="the network's code is in Keras, not in this file",
    recipe="port its file in keras/applications, a unit like any other, and import the result",
)
refused(
    "hub.*",
    reason="a TensorFlow Hub module is a saved graph without code",
    recipe="take a JAX version of the model (Hugging Face, Kaggle Models), or call it through jax2tf.call_tf",
)
refused(
    "tf.saved_model.*",
    reason="SavedModel is TensorFlow's format",
    recipe="save weights with Orbax, and compiled functions with jax.export; jax2tf writes a SavedModel for serving",
)
refused(
    "tf.lite.*", "tfmot.*",
    reason="made for TensorFlow Lite's runtime",
    recipe="export the ported model with jax.export or ai-edge-torch's JAX bridge; quantize with AQT or Qwix",
)  # fmt: skip
refused(
    "tf.train.Checkpoint", "tf.train.CheckpointManager", "tf.compat.v1.train.Saver", "tf.train.Checkpoint.*",
    reason="TensorFlow's checkpoints hold its own objects",
    recipe="`ocp.CheckpointManager(folder)` with `args=ocp.args.StandardSave(nnx.state(model))`",
)  # fmt: skip

# -- many devices ----------------------------------------------------------------------------------

refused(
    "tf.distribute.*", "tf.tpu.*", "tf.experimental.dtensor.*", "tf.VariableAggregation.*",
    "tf.VariableSynchronization.*", "tf.config.experimental_connect_to_cluster",
    reason="TensorFlow's way to use many devices",
    recipe="make a mesh, `jax.make_mesh((n,), ('data',))`, and place batches with jax.NamedSharding; jit does the rest",
)  # fmt: skip

# -- other libraries -------------------------------------------------------------------------------

refused(
    "tfp.*",
    reason="TensorFlow Probability on TensorFlow",
    recipe="the same names exist for JAX: `from tensorflow_probability.substrates import jax as tfp`, or distrax",
)
refused(
    "tfa.*",
    reason="TensorFlow Addons is no longer maintained and can't be run for comparison",
    recipe="use Keras's own version where there is one (AdamW, GroupNormalization, GELU), else optax or your own layer",
)
refused(
    "snt.*", reason="Sonnet is not ported", recipe="Flax NNX has the same modules: nnx.Linear, nnx.Conv, nnx.BatchNorm"
)
refused(
    "keras_nlp.*", "keras_cv.*", "keras_hub.*", "tfm.*",
    reason="models of another package, on Keras",
    recipe="run them on Keras's JAX backend, or port the file that defines the model",
)  # fmt: skip
refused(
    "tf.estimator.*", "tf.compat.v1.estimator.*", "tf.feature_column.*", "tf.keras.layers.DenseFeatures",
    "tf.compat.v1.feature_column.*",
    reason="Estimators and feature columns are gone from TensorFlow 2.16",
    recipe="write the model as a Keras model first (preprocessing layers, compile, fit), then port that",
)  # fmt: skip

# -- graphs ------------------------------------------------------------------------------------------

refused(
    "tf.compat.v1.*",
    reason="code for TensorFlow 1's graphs and sessions",
    recipe="bring it to TensorFlow 2 first (tf_upgrade_v2 and the TF1 migration guide), then port that",
)
refused(
    "tf.Graph", "tf.Operation", "tf.graph_util.*", "tf.gradients", "tf.RegisterGradient", "tf.no_gradient",
    reason="a graph under construction has no counterpart in JAX",
    recipe="write a function of arrays; take gradients with jax.grad",
)  # fmt: skip
refused(
    "tf.autograph.*",
    reason="autograph reads the source; JAX traces values",
    recipe="use lax.cond, lax.while_loop and lax.scan where values decide",
)
refused(
    "tf.python.*", "tf.compiler.*", "tf.core.*", "tf.__internal__.*", "tf.keras.__internal__.*",
    reason="a private part of TensorFlow",
    recipe="use the public function that it stands behind, then port that",
)  # fmt: skip
refused(
    "tf.raw_ops.*",
    reason="an operation without its Python function",
    recipe="use the public function of the same name",
)

refused(
    "tf.variable_creator_scope", "tf.keras.backend.get_uid", "tf.keras.utils.get_source_inputs",
    reason="a part of how Keras builds its graphs",
    recipe="give modules and inputs by name: in NNX they are plain Python objects",
)  # fmt: skip
refused(
    "tf.keras.backend.set_value", "tf.keras.backend.batch_set_value", "tf.keras.backend.batch_get_value",
    reason="reads and writes variables of Keras by reference",
    recipe="`variable[...] = value` for weights; for a learning rate, optax.inject_hyperparams or a schedule",
)  # fmt: skip
refused(
    "tf.keras.backend.set_learning_phase",
    reason="a mode for all models at once",
    recipe="pass `training=` to the call; nnx's `model.train()` and `model.eval()` set it for one model",
)
refused(
    "tf.keras.config.set_dtype_policy", "tf.keras.config.dtype_policy", "tf.keras.config.set_floatx",
    "tf.keras.config.set_image_data_format", "tf.keras.DTypePolicy", "tf.keras.optimizers.LossScaleOptimizer",
    "tf.keras.mixed_precision.*",
    reason="a precision or layout for all layers that are made later",
    recipe="give layers `dtype=jnp.bfloat16` (weights stay float32, no loss scaling is needed); images are channels-last",
)  # fmt: skip

refused(
    "tf.keras.layers.Wrapper",
    reason="a base class for layers around a layer",
    recipe="derive from tf.keras.layers.Layer and keep the inner layer in an attribute, then port that",
)
refused(
    "tf.random.Generator.*", "tf.random.Generator", "tf.random.get_global_generator", "tf.random.set_global_generator",
    "tf.random.create_rng_state",
    reason="a generator that keeps its state in a variable",
    recipe="`rngs = nnx.Rngs(seed)` and `jax.random.normal(rngs.noise(), shape)`; the numbers are others",
)  # fmt: skip
refused(
    "tf.unique", "tf.unique_with_counts", "tf.image.combined_non_max_suppression",
    "tf.image.non_max_suppression_padded",
    reason="the size of the result depends on values",
    recipe="jnp.unique and jnp.nonzero take `size=`; suppress boxes in a lax.fori_loop over a fixed number of them",
)  # fmt: skip
refused(
    "tf.keras.backend.batch_dot",
    reason="which axes it sums over depends on the ranks",
    recipe="jnp.einsum with the axes named, such as `jnp.einsum('bij,bjk->bik', x, y)`",
)
refused(
    "tf.keras.backend.ctc_decode",
    reason="a beam search on the host",
    recipe="decode greedily with jnp.argmax, or with a decoder package; the loss is optax.ctc_loss",
)

# -- data of other shapes --------------------------------------------------------------------------

refused(
    "tf.ragged.*", "tf.RaggedTensor", "tf.RaggedTensor.*", "tf.RaggedTensorSpec", "tf.keras.layers.ToDense",
    reason="rows of different lengths have no form in JAX",
    recipe="pad to one length in the input pipeline (`.to_tensor()`) and pass a mask or the lengths",
)  # fmt: skip
refused(
    "tf.sparse.*", "tf.SparseTensor", "tf.SparseTensor.*", "tf.SparseTensorSpec", "tf.IndexedSlices",
    reason="a sparse tensor",
    recipe="make it dense in the input pipeline (tf.sparse.to_dense), or use jax.experimental.sparse.BCOO",
)  # fmt: skip
refused(
    "tf.TypeSpec", "tf.type_spec_from_value", "tf.experimental.ExtensionType", "tf.experimental.ExtensionType.*",
    "tf.experimental.BatchableExtensionType",
    reason="a type of composite tensors",
    recipe="a dataclass registered with jax.tree_util.register_dataclass",
)  # fmt: skip

# -- saving by configuration -------------------------------------------------------------------------

refused(
    "tf.keras.utils.serialize_keras_object", "tf.keras.utils.deserialize_keras_object",
    "tf.keras.utils.get_custom_objects", "tf.keras.utils.custom_object_scope", "tf.keras.utils.CustomObjectScope",
    "tf.keras.utils.get_registered_name", "tf.keras.utils.get_registered_object",
    "tf.keras.layers.serialize", "tf.keras.layers.deserialize", "tf.keras.initializers.serialize",
    "tf.keras.initializers.deserialize", "tf.keras.regularizers.serialize", "tf.keras.regularizers.deserialize",
    "tf.keras.constraints.serialize", "tf.keras.constraints.deserialize", "tf.keras.activations.serialize",
    "tf.keras.activations.deserialize", "tf.keras.losses.serialize", "tf.keras.losses.deserialize",
    "tf.keras.metrics.serialize", "tf.keras.metrics.deserialize", "tf.keras.optimizers.serialize",
    "tf.keras.optimizers.deserialize", "tf.keras.optimizers.get",
    reason="Keras's configurations describe its own objects",
    recipe="keep the constructor's arguments, for example in a dataclass or ml_collections.ConfigDict",
)  # fmt: skip

# -- subclasses --------------------------------------------------------------------------------------

refused(
    "tf.keras.callbacks.Callback", "tf.keras.callbacks.*",
    reason="this callback is not ported",
    recipe="the ported loop is yours to edit: put what the callback does at the end of an epoch",
)  # fmt: skip
refused(
    "tf.keras.Loss", "tf.keras.Metric", "tf.keras.Optimizer", "tf.keras.optimizers.Optimizer",
    "tf.keras.optimizers.legacy.Optimizer", "tf.keras.Initializer", "tf.keras.Regularizer",
    "tf.keras.constraints.Constraint", "tf.keras.Quantizer",
    reason="a base class for user code",
    recipe="a loss is a function of arrays, a metric an nnx.Metric, an optimizer an optax.GradientTransformation",
)  # fmt: skip
