"""One migrated unit: all its steps, programs and tests."""

load("@rules_python//python:defs.bzl", "py_binary", "py_library", "py_test")
load("//rules/private:accelerators.bzl", "parity_tests")
load("//rules/private:arguments.bzl", "problem")
load("//rules/private:capture.bzl", "capture")
load("//rules/private:manifest.bzl", "manifest")
load("//rules/private:port.bzl", "port")
load("//rules/private:report.bzl", "report")
load("//rules/private:verify.bzl", "verify")

visibility(["//rules/..."])

# What a port may import. As strings: they are also what is written into the user's BUILD file.
_PYTHON_DEPS = [
    "@pypi//:flax",
    "@pypi//:jax",
    "@pypi//:numpy",
    "@pypi//:optax",
    "@pypi//:orbax_checkpoint",
    "@pypi//:tqdm",
]

def _bazel():
    """How users call Bazel: in jaxport's own repository by ./bazelw."""
    own = Label("//rules:defs.bzl").repo_name == native.package_relative_label(":BUILD").repo_name
    return "./bazelw" if own else "bazel"

def _ask(src):
    """How answers are made anew; the flags that say what to run are those of the unit.

    Args:
      src: label of the file that is ported.

    Returns:
      A command, for messages.
    """
    label = native.package_relative_label(src)
    file = "{}/{}".format(label.package, label.name) if label.package else label.name
    own = _bazel() == "./bazelw"
    return "{} run {}//:jaxport -- ask {} --answers DIR".format(_bazel(), "" if own else "@jaxport", file)

def jax_migration(
        name,
        srcs,
        entry = None,
        inputs = [],
        example = None,
        deps = [],
        jax_deps = None,
        data = [],
        answers = [],
        rules = [],
        pre_codemods = [],
        post_codemods = [],
        accelerators = ["cpu"],
        accelerator_deps = {},
        runners = {},
        call = None,
        verify = "step",
        keras = "auto",
        capture_timeout = 600,
        python_deps = None,
        tags = [],
        visibility = None,
        **kwargs):
    """Ports a file of TensorFlow or Keras code to JAX, and tests the port against the original.

    Makes these targets:
      * `NAME`: `bazel run` writes NAME_jax.py, NAME_weights_map.json and their BUILD target beside the
        source and shows a summary. `-- --diff` and `-- --dry_run` write nothing.
      * `NAME.jax`: a py_library of the port as it is built, whether or not it was written.
      * `NAME.report`: the report as HTML, JSON and SARIF.
      * `NAME.ask`: `bazel run` gets answers to what no rule knows, checks and records them; `-- --models own` asks a
        model service, the one thing here that calls out, `-- --prompts_dir DIR` exchanges files. See docs/models.md.
      * `NAME.capture`: what was recorded of the original: trace.json and oracle.safetensors.
      * `NAME_test`: checks the port against the recorded original, on the CPU; needs no TensorFlow.
      * `NAME_gpu_test`, `NAME_tpu_test`: the same on other accelerators, for platforms with the constraint
        `//rules/accelerators:gpu` or `:tpu`. `NAME_cpu_test` is another name of `NAME_test`.
      * `cpu_parity_tests`, `gpu_parity_tests`, `tpu_parity_tests`: these tests of all units of the package.
      * `NAME_fresh_test`: fails where the checked-in port is not the one that is built.

    Args:
      name: name of the unit; the port is NAME_jax.py.
      srcs: the file to port, in a list.
      entry: expression over the file's names that gives the object to call.
      inputs: one spec per positional argument, as `float32[8,28,28,1]` or `int32[8,64]{0..999}`.
      example: file with functions `model()` and `inputs(seed)`, in place of entry, inputs and call.
      deps: libraries that the file and its port import; TensorFlow, which the port does not need, is there
        when the file is run.
      jax_deps: libraries that the port imports, where they are not those of the original: a file `blocks.py` that
        the original imports and that needs TensorFlow is a unit `blocks` of its own, whose port `:blocks.jax` or
        checked-in `:blocks_jax` stands here. By default the same as deps.
      data: files that the original reads when it is run.
      answers: files with recorded answers to what no rule knows, as `glob(["answers/*.json"])`; the port has their
        code in its places. An answer that was edited, or that nothing asks for, fails the build.
      rules: Python files with rules of your own, for symbols that jaxport has none for, as `glob(["jaxport_rules/*.py"])`.
        They are certified as jaxport's are, by values, dtypes, gradients and mutants; one that fails, fails the build.
      pre_codemods: Python files, or libraries of one, with codemods that rewrite the original before it is ported:
        classes derived from `libcst.codemod.Codemod`, a function `query(*paths)` that gives a `bowler.Query`, or
        fixers. The port is still checked against the original as it was. Lines in residuals and in the report are
        those of the file as rewritten, which the report shows.
      post_codemods: the same, to rewrite the port before it is checked.
      accelerators: what to test on: cpu, gpu, tpu.
      accelerator_deps: libraries that JAX needs on an accelerator, such as its CUDA plugin: lists of labels by
        accelerator.
      runners: execution properties that tests on an accelerator ask for, such as `{"gpu": {"Pool": "h200"}}`.
      call: expression over `model` and `inputs`; by default `model(*inputs)`.
      verify: how far to check: none, shapes, forward, gradients, step or trajectory.
      keras: which Keras runs the original: 3, legacy (tf_keras), or auto.
      capture_timeout: seconds that the original may take.
      python_deps: libraries that ports import, by default flax, jax, numpy, optax, orbax_checkpoint and
        tqdm of `@pypi`; the last part of each label is the distribution's name.
      tags: tags of all targets.
      visibility: visibility of `NAME.jax`, `NAME.report` and `NAME.capture`.
      **kwargs: what all targets have in common, such as `testonly`.
    """
    wrong = problem(
        name = name,
        srcs = srcs,
        entry = entry,
        inputs = inputs,
        example = example,
        call = call,
        verify = verify,
        keras = keras,
        accelerators = accelerators,
        devices = accelerator_deps.keys() + runners.keys(),
    )
    if wrong:
        fail("jax_migration {}: {}".format(repr(name), wrong))
    python_deps = _PYTHON_DEPS if python_deps == None else python_deps
    jax_deps = deps if jax_deps == None else jax_deps
    common = dict(kwargs, tags = tags)
    steps = {"capture": name + ".capture", "port": name + ".port"}

    capture(
        name = name + ".capture",
        call = call,
        capture_timeout = capture_timeout,
        data = data,
        deps = deps,
        entry = entry,
        example = example,
        inputs = inputs,
        keras = keras,
        level = verify,
        pre_codemods = pre_codemods,
        src = srcs[0],
        unit = name,
        visibility = visibility,
        **common
    )
    port(
        name = name + ".port",
        answers = answers,
        ask = _ask(srcs[0]),
        capture = name + ".capture",
        deps = deps,
        post_codemods = post_codemods,
        rules = rules,
        unit = name,
        visibility = ["//visibility:private"],
        **common
    )
    _verify(name, verify, jax_deps, common)
    report(
        name = name + ".report",
        certificate = name + ".verify",
        unit = name,
        visibility = visibility,
        **dict(common, **steps)
    )
    native.filegroup(
        name = name + ".module",
        srcs = [name + ".port"],
        output_group = "module",
        visibility = ["//visibility:private"],
        **common
    )
    py_library(
        name = name + ".jax",
        srcs = [name + ".module"],
        deps = python_deps + jax_deps,
        visibility = visibility,
        **common
    )
    _programs(name, verify, python_deps, jax_deps, common, steps)
    _asking(name, verify, answers, rules, python_deps + jax_deps + deps, common, steps)
    parity_tests(
        name = name,
        accelerator_deps = accelerator_deps,
        accelerators = accelerators,
        common = common,
        deps = [Label("//rules/tools:parity_lib")] + python_deps + jax_deps,
        facts = name + ".tested",
        runners = runners,
    )

def _verify(name, level, deps, common):
    """Apart, since in `jax_migration` the name `verify` is the level."""
    verify(
        name = name + ".verify",
        capture = name + ".capture",
        deps = deps,
        level = level,
        port = name + ".port",
        unit = name,
        visibility = ["//visibility:private"],
        **common
    )

def _asking(name, level, answers, rules, deps, common, steps):
    """The one target that calls out, where it is told to; nothing depends on it, and `//...` leaves it out."""
    folders = [answer.rpartition("/")[0] for answer in answers if not answer.startswith(("//", "@", ":"))]
    manifest(
        name = name + ".asked",
        answers = folders[0] if folders else "answers",
        command = "{} run //{}:{}.ask".format(_bazel(), native.package_name(), name),
        level = level,
        oracle = True,
        rules = rules,
        text = True,
        unit = name,
        visibility = ["//visibility:private"],
        **dict(common, **dict(steps, tags = common["tags"] + ["manual"]))
    )
    py_binary(
        name = name + ".ask",
        srcs = [Label("//rules/tools:ask.py")],
        main = Label("//rules/tools:ask.py"),
        args = ["$(rootpath {}.asked)".format(name)],
        data = [name + ".asked"],
        deps = {native.package_relative_label(dep): None for dep in [Label("//rules/tools:ask_lib")] + deps}.keys(),
        **dict(common, tags = common["tags"] + ["manual"])
    )

def _programs(name, level, python_deps, deps, common, steps):
    """What is run: the target that writes into the source tree, and the tests."""
    facts = dict(
        common,
        command = "{} run //{}:{}".format(_bazel(), native.package_name(), name),
        level = level,
        own_deps = [str(dep) for dep in deps],
        python_deps = python_deps,
        unit = name,
        visibility = ["//visibility:private"],
        **steps
    )
    manifest(name = name + ".written", certificate = name + ".verify", **facts)
    manifest(name = name + ".tested", oracle = True, **facts)
    manifest(
        name = name + ".compared",
        apart = True,
        checked_in = native.glob([name + "_jax.py", name + "_weights_map.json"], allow_empty = True),
        **facts
    )

    def program(kind, target, tool, facts, **attributes):
        kind(
            name = target,
            srcs = [Label("//rules/tools:{}.py".format(tool))],
            main = Label("//rules/tools:{}.py".format(tool)),
            args = ["$(rootpath {})".format(facts)],
            data = [facts],
            **dict(common, **attributes)
        )

    program(py_binary, name, "migrate", name + ".written", deps = [Label("//rules/tools:migrate_lib")])
    program(
        py_test,
        name + "_fresh_test",
        "fresh_test",
        name + ".compared",
        size = "small",
        deps = [Label("//rules/tools:fresh_lib")],
    )
