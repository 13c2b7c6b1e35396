"""Rules: the rewrite is the reference.

A rule is a Python function whose signature is the source API's and whose body is the replacement.
The engine binds a call with the signature and inlines the body (`template.py`); the test runs the
same body against TensorFlow (`tests/rules`). Registration is this decorator and nothing else;
`codemods.mappings` imports every module in its folder.

    @rule("tf.nn.leaky_relu", samples=[sample(f32(4, 3)), sample(f32(4, 3), alpha=0.1)])
    def leaky_relu(features, alpha=0.2, name=None):
        return jax.nn.leaky_relu(features, negative_slope=alpha)

What a body may hold (it is partially evaluated, never executed, when code is ported):
  * `return EXPRESSION`: the replacement; parts of it over known values only are printed as a literal
    (`padding.upper()` gives `"SAME"`), others as code (`padding.upper()` of the user's expression).
    A keyword that comes to the target's own default, or to None in a call of `layer`, is left out;
  * `if CONDITION:` over arguments whose value is known when porting (constants in the source, or
    arguments that were not given). A condition on an argument that is not known makes the call a
    residual; test `known(arg)` first where there is a form for both cases. `and`, `or` stop early.
    Known without the value: `isinstance(arg, int)` where the type is known, `x.ndim` and `x.dtype`
    of a tensor whose type is known, `len(xs)` of a list display (and then `xs[0]` is its element);
  * `NAME = EXPRESSION`: computed when porting and printed as a literal where all of it is known, else
    put in place of NAME as code;
  * `refuse("reason")`: this case stays TensorFlow, with the reason in the report;
  * macros (see `macro`) such as `initializer(...)` and `dtype(...)`, which turn an argument into code;
  * calls of functions marked `inline`, whose bodies are inlined by the same rules, and of functions
    marked `computed`, which are executed when porting over known values and dims.
Free names may only be those in `IMPORTS`, builtins, macros, inlined and computed functions, and the
`helpers` of an object rule. `shape` alone is executed, with dims that may be symbolic, and may call any function.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from codemods.engine.api import canonical
from codemods.engine.touching import At

#: Names that generated code may use, with the import that brings each.
IMPORTS: Mapping[str, str] = {
    "functools": "import functools",
    "math": "import math",
    "operator": "import operator",
    "os": "import os",
    "jax": "import jax",
    "jnp": "import jax.numpy as jnp",
    "jsp": "import jax.scipy as jsp",
    "lax": "from jax import lax",
    "np": "import numpy as np",
    "nnx": "from flax import nnx",
    "optax": "import optax",
    "ocp": "import orbax.checkpoint as ocp",
    "tqdm": "from tqdm import tqdm",
}


#: The signature of a rule body, which is asked for at every call.
signature_of = functools.cache(inspect.signature)


@dataclasses.dataclass(frozen=True)
class Array:
    """A generated input: shape, dtype, and the interval values are drawn from."""

    shape: tuple[int, ...]
    dtype: str
    low: float = -2.0
    high: float = 2.0


def f32(*shape: int, low: float = -2.0, high: float = 2.0) -> Array:
    """A float32 array of uniform values in [low, high)."""
    return Array(shape, "float32", low, high)


def i32(*shape: int, low: int = 0, high: int = 10) -> Array:
    """An int32 array of values in [low, high)."""
    return Array(shape, "int32", low, high)


def boolean(*shape: int) -> Array:
    """A bool array."""
    return Array(shape, "bool", 0, 2)


@dataclasses.dataclass(frozen=True)
class Made:
    """A layer made as an argument of a sample: the class and its constructor's arguments."""

    symbol: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


def made(symbol: str, *args: Any, **kwargs: Any) -> Made:
    """A layer as an argument of another, such as Bidirectional's."""
    return Made(symbol, args, kwargs)


@dataclasses.dataclass(frozen=True)
class Sample:
    """Arguments of one test call, positional and by keyword. `Array`s in them (nested lists and
    dicts too) become real arrays. For layers: constructor arguments, and `x`, `call` (see `sample`)."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    x: Any = None
    call: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def sample(*args: Any, x: Any = None, call: Mapping[str, Any] | None = None, **kwargs: Any) -> Sample:
    """One test call. For objects with a call (`layer`, `loss`): `args`/`kwargs` construct, `x` is
    the tensor, or tuple of positional tensors, to call with, and `call` the call's keywords."""
    return Sample(args, kwargs, x, call or {})


@dataclasses.dataclass(frozen=True)
class Difference:
    """A difference of meaning that remains after the rewrite, and the truth that still holds.

    Attributes:
      when, truth: for people.
      covers: the kinds of generated cases that differ so (`parity/rule_oracle/variants.py`): a dtype, "empty", "nan",
        the name of an argument; "jit": samples that can't be traced.
      keeps: what those cases are still held to: "values" (not their gradient), "values of another dtype",
        "nearby values" (to 1 %), "shape", or nothing; "not run" where TensorFlow may not come back.
      at: at which calls it can show, and the user's report has a note; absent: where `covers` may be so (`touching.py`).
    """

    when: str
    truth: str
    covers: tuple[str, ...] = ()
    keeps: str = ""
    at: At | None = None


@dataclasses.dataclass(frozen=True)
class Rule:
    """One rewrite of one API symbol (with its aliases).

    Attributes:
      symbols: canonical names, the first is the one shown.
      function: signature = the source's, body = the replacement.
      kind: `call` (also used for a bare reference), `method` (a tensor's method; the receiver is
        the first parameter) or `attribute` (a tensor's attribute; the receiver is the only one).
      samples: calls that the test compares with TensorFlow.
      differences: declared differences.
      random: the values are random: the test compares shape, dtype and moments only.
      helpers: functions whose source goes into the output where the body that is used names them.
      loose: why the signature is not the installed source's, where it is not.
    """

    symbols: tuple[str, ...]
    function: Callable[..., Any]
    kind: str = "call"
    samples: Sequence[Sample] = ()
    differences: Sequence[Difference] = ()
    random: bool = False
    helpers: Sequence[Any] = ()
    loose: str = ""

    @property
    def signature(self) -> inspect.Signature:
        return signature_of(self.function)


@dataclasses.dataclass(frozen=True)
class Weight:
    """Where one variable of the original goes.

    Attributes:
      target: path below the NNX module, such as `kernel` or `cell.dense_i.kernel`.
      steps: invertible steps from the original's layout to the target's, applied in order:
        `("transpose", axes)`, `("reshape", shape)`, `("blocks", axis, order)` (split in
        len(order) equal blocks along axis and reorder them), `("take", axis, index)`.
        In a rule's `reshape`, 0 keeps the dimension in that place and -1 is what is left.
    """

    target: str
    steps: tuple[tuple[Any, ...], ...] = ()


@dataclasses.dataclass(frozen=True)
class ObjectRule:
    """A rewrite of a class whose instances are called: a layer, loss, metric.

    `make(constructor arguments..., *, x, rngs)` is the replacement of the constructor, a rule body;
    `x` stands for the first call's input, of which only `x.shape[i]` and `len(x.shape)` may be used
    (a list of them, `x[0].shape`, for a layer that is called on a list); both keyword-only parameters
    are optional, and more may be named after inputs of `call` (`query`, `value`), for which they stand.
    A `make` that returns None (or is absent) makes no object: the call alone remains (Flatten,
    Activation, losses). The arguments in `COMMON_LAYER_ARGUMENTS` are settled before, in or out of
    the signature.
    `call(layer, inputs..., *, training, <constructor argument>...)` is the replacement of a call: a
    rule body; keyword-only parameters are the constructor's arguments by name, and `training`. A
    loss has no object: `call(y_true, y_pred, sample_weight=None, *, <constructor argument>...)`. A
    metric's `call` has the parameters of `update_state` and gives a dict: the keywords of the NNX
    metric's `update`, such as `{name: values}` for the `nnx.metrics.Average(name)` that `make` gave.
    `shape(x, *, <constructor argument>...)` gives the output shape, a tuple of dims, from the input's `x.shape`
    (dims may be symbolic: use only + - * //). Absent: the shape of `x` is kept. A list of shapes
    where the call gives several outputs. It may take arguments of `call` too, inputs as things with a shape.
    `weights` maps the original's variables, named below the layer by attributes (`kernel`,
    `cell.bias`, `_query_dense.kernel`), to `Weight`s below the NNX module; variables that the layer
    was made without (no bias) have no place and need none.
    `wraps` names the constructor arguments that hold a layer: in `make`, `call` and `shape` each is
    a `Wrapped`. `children` maps attributes of the original that hold its inner layers to the paths
    of theirs below the NNX module ("" for the module itself).
    `helpers` are classes and functions whose source goes into the output, once for a file, where a
    body that is used names them.
    `keeps_mask`: does the (first) output have the mask that Keras attached to the (first) input? "always", or the
    constructor argument that decides (`return_sequences`, `layer.return_sequences`); absent: the mask ends here. A layer
    reads masks if its `call` has `mask`, or the masks of its inputs by name, as the original's call has.
    """

    symbols: tuple[str, ...]
    kind: str
    make: Callable[..., Any] | None
    call: Callable[..., Any] | None
    shape: Callable[..., Any] | None
    weights: Mapping[str, Weight | Sequence[Weight]]
    mode: bool
    samples: Sequence[Sample]
    differences: Sequence[Difference]
    attribute: str
    doc: str
    helpers: Sequence[Any] = ()
    wraps: Sequence[str] = ()
    children: Mapping[str, str] = dataclasses.field(default_factory=dict)
    keeps_mask: str = ""


@dataclasses.dataclass(frozen=True)
class Wrapped:
    """A layer's constructor that is an argument of another's, as rule bodies see it.

    `wrapped.NAME` is a constructor argument. `make` and `call` are inlined like the bodies of the
    rule itself; each `make` is a new layer.
    """

    rule: ObjectRule
    arguments: Mapping[str, Any]

    @classmethod
    def of(cls, value: Made) -> Wrapped:
        rule = OBJECTS[value.symbol]
        own = [p for p in inspect.signature(rule.make).parameters.values() if p.kind is not p.KEYWORD_ONLY]  # type: ignore[arg-type]
        bound = inspect.Signature(own).bind(*value.args, **value.kwargs)
        bound.apply_defaults()
        return cls(rule, bound.arguments)

    @property
    def symbol(self) -> str:
        return self.rule.symbols[0]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self.arguments:
            raise AttributeError(name)
        return self.arguments[name]

    def make(self, **extra: Any) -> Any:
        return _take(self.rule.make, **{**self.arguments, **extra}) if self.rule.make else None

    def call(self, layer: Any, *inputs: Any, **extra: Any) -> Any:
        assert self.rule.call is not None
        return _take(self.rule.call, layer, *inputs, **{**self.arguments, **extra})

    def shape(self, x: Any) -> Any:
        return _take(self.rule.shape, x, **self.arguments) if self.rule.shape else x.shape


def _take(body: Callable[..., Any], *args: Any, **values: Any) -> Any:
    """Calls `body` with those of the values that it takes."""
    return body(*args, **{name: values[name] for name in signature_of(body).parameters if name in values})


@dataclasses.dataclass(frozen=True)
class Common:
    """An argument that every layer takes and the port leaves out.

    Attributes:
      why: the note in the report, or the reason of the residual.
      accepted: values with which it may be left out; None: with any.
    """

    why: str
    accepted: tuple[Any, ...] | None = None


_NO_PENALTY = "penalties on these weights are not ported yet"
_NO_ACTIVITY = (
    "a penalty on what the layer gives, which Keras adds to the loss: return the layer's output as well, and add "
    "`l2 * jnp.sum(x**2) / len(x)` to the loss in the step"
)
_NO_CONSTRAINT = (
    "Keras's optimizers apply constraints after each step: project the weights after `optimizer.update`, "
    "with optax.projections, jnp.clip or jnp.maximum"
)

#: By name, or by pattern; dtypes are compared by their names. An argument that a rule's signature
#: requires (Embedding's `input_dim`) is that rule's own.
COMMON_LAYER_ARGUMENTS: Mapping[str, Common] = {
    "name": Common("a module is named by the attribute that holds it"),
    "dtype": Common(
        "computing in another dtype than float32: port it as float32, and give the modules of the port `dtype=` (what they "
        "compute in) and `param_dtype=`",
        (None, "float32"),
    ),  # fmt: skip
    "trainable": Common(
        "a layer that is frozen when it is made: set `layer.trainable = False` after it, which becomes `freeze(layer)`",
        (None, True),
    ),
    "dynamic": Common("every module may be dynamic", (None, False, True)),
    "autocast": Common("only matters with a mixed dtype policy", (None, True, False)),
    "input_dim": Common("shapes come from the trace"),
    "input_shape": Common("shapes come from the trace"),
    "batch_input_shape": Common("shapes come from the trace"),
    "batch_shape": Common("shapes come from the trace"),
    "batch_size": Common("shapes come from the trace"),
    "input_length": Common("shapes come from the trace"),
    "seed": Common("randomness comes from `rngs`"),
    "weights": Common(
        "weights given to a constructor: give the layer an initializer of keras.initializers.Constant, or set the weights of "
        "the port (`layer.kernel[...] = array`)",
        (None,),
    ),  # fmt: skip
    "lora_rank": Common("LoRA is not ported yet", (None,)),
    "lora_alpha": Common("LoRA is not ported yet", (None,)),
    "quantization_config": Common("quantization is not ported", (None,)),
    "gptq_unpacked_column_size": Common("quantization is not ported", (None,)),
    "activity_regularizer": Common(_NO_ACTIVITY, (None,)),
    "*_regularizer": Common(_NO_PENALTY, (None,)),
    "*_constraint": Common(_NO_CONSTRAINT, (None,)),
}


#: Of these, what a rule's signature has is the rule's own.
OWN_ARGUMENTS = frozenset({"weights"})


RULES: dict[str, Rule] = {}
METHODS: dict[str, Rule] = {}
ATTRIBUTES: dict[str, Rule] = {}
CONSTANTS: dict[str, str] = {}
OBJECTS: dict[str, ObjectRule] = {}
MACROS: dict[str, Macro] = {}
INLINED: dict[str, Callable[..., Any]] = {}
COMPUTED: dict[str, Callable[..., Any]] = {}


def _enter(table: dict[str, Any], names: Sequence[str], entry: Any) -> None:
    # Under its canonical name (`api.canonical`): several aliases of one thing in one rule are one entry.
    for name in {canonical(name) if "." in name else name: None for name in names}:
        if name in table:
            raise ValueError(f"two rules for {name}")
        table[name] = entry


def rule(
    *symbols: str,
    samples: Sequence[Sample] = (),
    differences: Sequence[Difference] = (),
    random: bool = False,
    helpers: Sequence[Any] = (),
    loose: str = "",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers a function as the rewrite of calls of `symbols`; the arguments are those of `Rule`."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        _enter(RULES, symbols, Rule(symbols, function, "call", samples, differences, random, helpers, loose))
        return function

    return register


def method(
    *names: str, samples: Sequence[Sample] = (), differences: Sequence[Difference] = ()
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers a function as the rewrite of a tensor's methods, such as `get_shape` or `assign_add`."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        _enter(METHODS, names, Rule(names, function, "method", samples, differences))
        return function

    return register


def attribute(
    *names: str, samples: Sequence[Sample] = (), differences: Sequence[Difference] = ()
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers a function as the rewrite of a tensor's attribute that JAX arrays do not share."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        _enter(ATTRIBUTES, names, Rule(names, function, "attribute", samples, differences))
        return function

    return register


def constant(symbol: str, code: str) -> None:
    """Registers `code` as the replacement of a symbol that is not called, such as a dtype."""
    _enter(CONSTANTS, [symbol], code)


def _field(symbol: str) -> str:
    """`tf.keras.layers.SpatialDropout1D` to `spatial_dropout`."""
    name = re.sub(r"[123]D(?=[A-Z]|$)", "", symbol.rsplit(".", 1)[-1]).replace("ReLU", "Relu")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _object(kind: str) -> Callable[..., Callable[[type], type]]:
    def decorator(
        *symbols: str, samples: Sequence[Sample] = (), differences: Sequence[Difference] = (), attribute: str = ""
    ) -> Callable[[type], type]:
        """Registers a class with `make`, `call`, `shape`, `weights`, `helpers`, `wraps`, `children`.
        `attribute`: default field name."""

        def register(body: type) -> type:
            weights = {
                name: Weight(target) if isinstance(target, str) else target
                for name, target in getattr(body, "weights", {}).items()
            }
            call = body.__dict__.get("call")
            mode = call is not None and "training" in inspect.signature(call).parameters
            entry = ObjectRule(
                symbols, kind, body.__dict__.get("make"), call, body.__dict__.get("shape"), weights, mode,
                samples, differences, attribute or _field(symbols[0]), inspect.getdoc(body) or "",
                getattr(body, "helpers", ()), getattr(body, "wraps", ()), getattr(body, "children", {}),
                getattr(body, "keeps_mask", ""),
            )  # fmt: skip
            _enter(OBJECTS, symbols, entry)
            return body

        return register

    return decorator


layer = _object("layer")
loss = _object("loss")
metric = _object("metric")


@dataclasses.dataclass(frozen=True)
class Macro:
    """A function of known values that gives code, for use inside rule bodies.

    `function(value)` gets the argument's known value and returns Python source over `IMPORTS`
    names; called at run time (in tests) it returns what that source evaluates to. When the
    argument is not known (an expression of the user's), the expression itself, rewritten, is used
    where `passes_through` is set; else the call is a residual.
    Arguments after the first are code: `function(value, "self.dense(x)")` gets the source of the
    expressions, safe to put anywhere, and an expression of the user's is called with them.
    `table` names a dict of the port, from the names that the file uses to what the macro gives for them; an expression
    that may be such a name is looked up in it.
    """

    name: str
    function: Callable[..., str]
    passes_through: bool
    table: str | None = None

    def __call__(self, value: Any, *code: Any) -> Any:
        if callable(value):
            return value(*code) if code else value
        names = {f"_{i}": argument for i, argument in enumerate(code)}
        return eval(self.function(value, *names), _namespace() | names)


def macro(function: Callable[..., str] | None = None, *, passes_through: bool = True, table: str | None = None) -> Any:
    """Registers a macro; see `Macro`."""

    def register(f: Callable[..., str]) -> Macro:
        entry = Macro(f.__name__, f, passes_through, table)
        _enter(MACROS, [f.__name__], entry)
        return entry

    return register(function) if function is not None else register


def inline(function: Callable[..., Any]) -> Callable[..., Any]:
    """Registers a function with a rule body, for use inside rule bodies."""
    _enter(INLINED, [function.__name__], function)
    return function


def computed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Registers a function of known values and dims (`x.shape`, maybe symbolic) for use in rule bodies.
    It is executed when porting; its result, of literals and dims, is printed."""
    _enter(COMPUTED, [function.__name__], function)
    return function


class Refused(Exception):
    """A rule body refuses the call; the reason is for the report."""


def refuse(reason: str) -> Any:
    """In a rule body: this case stays TensorFlow."""
    raise Refused(reason)


def known(value: Any) -> bool:
    """In a rule body: is this argument's value known when porting? At run time it always is."""
    return True


def _namespace() -> dict[str, Any]:
    names: dict[str, Any] = {}
    for line in IMPORTS.values():
        exec(line, names)
    return names
