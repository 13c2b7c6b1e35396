"""Rules: the rewrite is the reference.

A rule is a Python function whose signature is the source API's and whose body is the replacement.
The engine binds a call with the signature and inlines the body (`template.py`); the test runs the
same body against TensorFlow (`tests/rules`). Registration is this decorator and nothing else;
`codemods.mappings` imports every module in its folder.

    @rule("tf.nn.leaky_relu", samples=[sample(f32(4, 3)), sample(f32(4, 3), alpha=0.1)])
    def leaky_relu(features, alpha=0.2, name=None):
        return jax.nn.leaky_relu(features, negative_slope=alpha)

What a body may hold (it is partially evaluated, never executed, when code is ported):
  * `return EXPRESSION`: the replacement;
  * `if CONDITION:` over arguments whose value is known when porting (constants in the source, or
    arguments that were not given). A condition on an argument that is not known makes the call a
    residual; test `known(arg)` first where there is a form for both cases;
  * `NAME = EXPRESSION` over known arguments: computed when porting, printed as a literal;
  * `refuse("reason")`: this case stays TensorFlow, with the reason in the report;
  * macros (see `macro`) such as `initializer(...)` and `dtype(...)`, which turn an argument into code.
Free names may only be those in `IMPORTS`, builtins, and macros.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

#: Names that generated code may use, with the import that brings each.
IMPORTS: Mapping[str, str] = {
    "functools": "import functools",
    "math": "import math",
    "operator": "import operator",
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
    """A difference of meaning that remains after the rewrite, and the truth that still holds."""

    when: str
    truth: str


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
    """

    symbols: tuple[str, ...]
    function: Callable[..., Any]
    kind: str = "call"
    samples: Sequence[Sample] = ()
    differences: Sequence[Difference] = ()
    random: bool = False

    @property
    def signature(self) -> inspect.Signature:
        return inspect.signature(self.function)


@dataclasses.dataclass(frozen=True)
class Weight:
    """Where one variable of the original goes.

    Attributes:
      target: path below the NNX module, such as `kernel` or `cell.dense_i.kernel`.
      steps: invertible steps from the original's layout to the target's, applied in order:
        `("transpose", axes)`, `("reshape", shape)`, `("blocks", axis, order)` (split in
        len(order) equal blocks along axis and reorder them), `("take", axis, index)`.
    """

    target: str
    steps: tuple[tuple[Any, ...], ...] = ()


@dataclasses.dataclass(frozen=True)
class ObjectRule:
    """A rewrite of a class whose instances are called: a layer, loss, metric.

    `make(constructor arguments..., *, x, rngs)` is the replacement of the constructor, a rule body;
    `x` stands for the first call's input, of which only `x.shape[i]` may be used; both keyword-only
    parameters are optional. A `make` that returns None (or is absent) makes no object: the call
    alone remains (Flatten, Activation, losses).
    `call(layer, inputs..., *, training, <constructor argument>...)` is the replacement of a call: a
    rule body; keyword-only parameters are the constructor's arguments by name, and `training`.
    `shape(x, *, <constructor argument>...)` gives the output shape, a tuple of dims, from the input's `x.shape`
    (dims may be symbolic: use only + - * //). Absent: the shape of `x` is kept.
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


RULES: dict[str, Rule] = {}
METHODS: dict[str, Rule] = {}
ATTRIBUTES: dict[str, Rule] = {}
CONSTANTS: dict[str, str] = {}
OBJECTS: dict[str, ObjectRule] = {}
MACROS: dict[str, Macro] = {}


def _enter(table: dict[str, Any], names: Sequence[str], entry: Any) -> None:
    for name in names:
        if name in table:
            raise ValueError(f"two rules for {name}")
        table[name] = entry


def rule(
    *symbols: str,
    samples: Sequence[Sample] = (),
    differences: Sequence[Difference] = (),
    random: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers a function as the rewrite of calls of `symbols`."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        _enter(RULES, symbols, Rule(symbols, function, "call", samples, differences, random))
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


def _object(kind: str) -> Callable[..., Callable[[type], type]]:
    def decorator(
        *symbols: str, samples: Sequence[Sample] = (), differences: Sequence[Difference] = (), attribute: str = ""
    ) -> Callable[[type], type]:
        """Registers a class with `make`, `call`, `shape`, `weights`. `attribute`: default field name."""

        def register(body: type) -> type:
            weights = {
                name: Weight(target) if isinstance(target, str) else target
                for name, target in getattr(body, "weights", {}).items()
            }
            call = body.__dict__.get("call")
            mode = call is not None and "training" in inspect.signature(call).parameters
            entry = ObjectRule(
                symbols, kind, body.__dict__.get("make"), call, body.__dict__.get("shape"), weights, mode,
                samples, differences, attribute or symbols[0].rsplit(".", 1)[-1].lower(), inspect.getdoc(body) or "",
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
    """

    name: str
    function: Callable[..., str]
    passes_through: bool

    def __call__(self, *args: Any) -> Any:
        return args[0] if callable(args[0]) else eval(self.function(*args), _namespace())


def macro(function: Callable[..., str] | None = None, *, passes_through: bool = True) -> Any:
    """Registers a macro; see `Macro`."""

    def register(f: Callable[..., str]) -> Macro:
        entry = Macro(f.__name__, f, passes_through)
        _enter(MACROS, [f.__name__], entry)
        return entry

    return register(function) if function is not None else register


def known(value: Any) -> bool:
    """In a rule body: is this argument's value known when porting? At run time it always is."""
    return True


def _namespace() -> dict[str, Any]:
    names: dict[str, Any] = {}
    for line in IMPORTS.values():
        exec(line, names)
    return names
