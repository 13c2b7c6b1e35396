"""The host policy: code around the model that stays as it is, and what would replace it.

Input pipelines, files, strings and summaries are not compiled into the model: they run on the host, feed it
NumPy arrays and take its results. A port leaves them alone. TensorFlow is then imported by the function
that needs it, when it runs, so that the ported module itself can be imported where there is none.
"""

from __future__ import annotations

from codemods.policy.entries import host

_GRAIN = "with grain: `grain.MapDataset.source(records).map(f).shuffle(seed=0).batch(n)`"
_PILLOW = "with Pillow: `np.asarray(PIL.Image.open(path))`"
_EPATH = "with etils: `epath.Path(path)`, which knows local and cloud paths"
_RECORDS = "with array_record and msgpack, or keep the files and read them with grain's TFRecord source"
_WRITER = "with tensorboardX: `SummaryWriter(folder).add_scalar(name, value, step)`, or clu.metric_writers"
_STRINGS = "with Python's own strings, before the data becomes arrays"

# -- input pipelines -------------------------------------------------------------------------------

host(
    "tf.data.Dataset.*", "tf.data.TFRecordDataset", "tf.data.TextLineDataset", "tf.data.FixedLengthRecordDataset",
    "tf.data.experimental.CsvDataset", "tf.data.experimental.SqlDataset", "tf.data.experimental.make_csv_dataset",
    "tf.data.experimental.make_batched_features_dataset", "tf.data.experimental.Counter",
    "tf.data.experimental.RandomDataset", "tf.data.experimental.sample_from_datasets",
    "tf.data.experimental.choose_from_datasets", "tf.data.experimental.load",
    gives="dataset", recipe=_GRAIN,
)  # fmt: skip
host("tf.data.*", recipe=_GRAIN)
host("tf.data.Dataset", "tf.data.DatasetSpec", gives="constant", recipe=_GRAIN)
host(
    "tf.keras.utils.image_dataset_from_directory", "tf.keras.utils.text_dataset_from_directory",
    "tf.keras.utils.audio_dataset_from_directory", "tf.keras.utils.timeseries_dataset_from_array",
    gives="dataset", recipe=_GRAIN,
)  # fmt: skip
host(
    "tf.keras.datasets.*", "tf.keras.utils.get_file",
    recipe="with pooch: `pooch.retrieve(url, known_hash=...)`, and np.load",
)  # fmt: skip
host(
    "tf.keras.preprocessing.image.*", "tf.keras.preprocessing.sequence.*", "tf.keras.preprocessing.text.*",
    "tf.keras.utils.Sequence", "tf.keras.utils.PyDataset", "tf.keras.utils.SequenceEnqueuer",
    "tf.keras.utils.OrderedEnqueuer", "tf.keras.utils.GeneratorEnqueuer",
    recipe=_GRAIN,
)  # fmt: skip
host(
    "tf.keras.applications.imagenet_utils.decode_predictions",
    *[f"tf.keras.applications.{name}.decode_predictions" for name in (
        "convnext", "densenet", "efficientnet", "efficientnet_v2", "inception_resnet_v2", "inception_v3", "mobilenet",
        "mobilenet_v2", "mobilenet_v3", "nasnet", "resnet", "resnet50", "resnet_v2", "vgg16", "vgg19", "xception")],
    recipe="with the 1000 class names in a file of your own",
)  # fmt: skip
host("tfds.load", gives="dataset", recipe="`tfds.data_source(name)` gives NumPy arrays and needs no TensorFlow")
host("tfds.*", recipe="`tfds.data_source(name)` gives NumPy arrays and needs no TensorFlow")
host("tf_text.*", recipe="with the `tokenizers` or `sentencepiece` package, before the data becomes arrays")

# -- what records and files hold -------------------------------------------------------------------

host("tf.io.gfile.*", recipe=_EPATH)
host(
    "tf.io.read_file", "tf.io.write_file", "tf.io.matching_files", recipe=_EPATH,
)  # fmt: skip
host(
    "tf.io.decode_image", "tf.io.decode_jpeg", "tf.io.decode_png", "tf.io.decode_bmp", "tf.io.decode_gif",
    "tf.io.decode_and_crop_jpeg", "tf.io.extract_jpeg_shape", "tf.image.draw_bounding_boxes",
    gives="tensor", recipe=_PILLOW,
)  # fmt: skip
host(
    "tf.io.encode_jpeg", "tf.io.encode_png", "tf.io.is_jpeg", "tf.image.sample_distorted_bounding_box",
    "tf.image.stateless_sample_distorted_bounding_box",
    recipe=_PILLOW,
)  # fmt: skip
host("tf.io.decode_raw", gives="tensor", recipe="with np.frombuffer")
host("tf.io.decode_csv", recipe="with np.loadtxt or pandas")
host("tf.io.*", recipe=_RECORDS)
host(
    "tf.train.Example", "tf.train.Example.*", "tf.train.SequenceExample", "tf.train.SequenceExample.*",
    "tf.train.Feature", "tf.train.Features", "tf.train.FeatureList", "tf.train.FeatureLists", "tf.train.BytesList",
    "tf.train.FloatList", "tf.train.Int64List",
    recipe=_RECORDS,
)  # fmt: skip
host("tf.audio.*", recipe="with the `soundfile` package")
host(
    "tf.keras.utils.load_img", "tf.keras.utils.img_to_array", "tf.keras.utils.array_to_img",
    "tf.keras.utils.save_img",
    recipe=_PILLOW,
)  # fmt: skip
host("tf.keras.utils.pad_sequences", recipe="with NumPy, into an array of zeros made beforehand")
host("tf.keras.utils.to_categorical", recipe="`jax.nn.one_hot(labels, num_classes)`, or `np.eye(num_classes)[labels]`")
host("tf.keras.utils.normalize", "tf.keras.utils.split_dataset", recipe="with NumPy")
host("tf.keras.utils.Progbar", recipe="with tqdm")
host("tf.keras.utils.FeatureSpace", "tf.keras.utils.FeatureSpace.*", recipe="with scikit-learn's transformers")

# -- strings and tables ----------------------------------------------------------------------------

host("tf.string", gives="constant", recipe=_STRINGS)
host("tf.strings.*", "tf.as_string", "tf.lookup.*", recipe=_STRINGS)
host("tf.compat.as_bytes", "tf.compat.as_text", "tf.compat.as_str", "tf.compat.as_str_any", recipe=_STRINGS)
host(
    "tf.numpy_function", "tf.py_function", "tf.compat.v1.py_func",
    recipe="call the function; within compiled code `jax.pure_callback(f, jax.ShapeDtypeStruct(shape, dtype), x)`",
)  # fmt: skip

host(
    "tf.keras.layers.TextVectorization", "tf.keras.layers.StringLookup", "tf.keras.layers.IntegerLookup",
    gives="layer", recipe="with the `tokenizers` package, or a dict of words, before the data becomes arrays",
)  # fmt: skip

# -- summaries and what else a program reports -------------------------------------------------------

host("tf.summary.*", recipe=_WRITER)
host("tf.get_logger", "tf.compat.v1.logging.*", recipe="with Python's logging, or absl.logging")
host("tf.compat.v1.app.*", "tf.compat.v1.flags.*", gives="constant", recipe="absl.app and absl.flags, which these are")
host(
    "tf.errors.*", gives="constant",
    recipe="Python's own: IndexError and StopIteration at the end of data, OSError for files, FloatingPointError",
)  # fmt: skip
host("tf.train.latest_checkpoint", "tf.train.list_variables", "tf.train.load_checkpoint", "tf.train.load_variable",
     "tf.train.get_checkpoint_state", "tf.train.checkpoints_iterator", "tf.train.CheckpointOptions",
     recipe="with Orbax: `ocp.CheckpointManager(folder).latest_step()`")  # fmt: skip
