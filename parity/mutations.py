"""Bugs to inject into a port: each a function from its tree to changes of single expressions."""

from __future__ import annotations

import ast
import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Change:
    """One changed expression.

    Attributes:
      node: what is replaced.
      text: what it becomes.
      what: the bug in words.
    """

    node: ast.expr
    text: str
    what: str


Mutation = Callable[[ast.Module], Iterator[Change]]


def _calls(tree: ast.Module, *names: str) -> Iterator[ast.Call]:
    """Calls of functions by the last part of their name, and `functools.partial` of them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            if _name(function) == "partial" and node.args:
                function = node.args[0]
            if _name(function) in names:
                yield node


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _with(call: ast.Call, name: str, text: str) -> str:
    """The call with a keyword set."""
    keywords = [keyword for keyword in call.keywords if keyword.arg != name]
    value = ast.parse(text, mode="eval").body
    return ast.unparse(ast.Call(call.func, call.args, [*keywords, ast.keyword(name, value)]))


def _preset(tree: ast.Module, call: ast.Call, name: str) -> ast.expr | None:
    """A keyword that a `functools.partial` of the called name has."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _name(node.value.func) == "partial":
            if any(_name(target) == _name(call.func) for target in node.targets):
                return _keyword(node.value, name)
    return None


def _is_overridden(tree: ast.Module, call: ast.Call, name: str) -> bool:
    """Is it a `functools.partial` each call of which gives the keyword itself?"""
    made = next((node for node in tree.body if isinstance(node, ast.Assign) and node.value is call), None)
    if made is None:
        return False
    names = {_name(target) for target in made.targets}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node.func) in names]
    return all(_keyword(node, name) is not None for node in calls)


def gelu_form(tree: ast.Module) -> Iterator[Change]:
    """The tanh approximation of GELU instead of erf, and the other way round."""
    for call in _calls(tree, "gelu"):
        exact = isinstance(value := _keyword(call, "approximate"), ast.Constant) and value.value is False
        yield Change(call, _with(call, "approximate", str(exact)), "the other form of GELU")


def norm_epsilon(tree: ast.Module) -> Iterator[Change]:
    """A norm with another framework's epsilon."""
    for name, usual in (("LayerNorm", 1e-6), ("BatchNorm", 1e-5), ("GroupNorm", 1e-6), ("RMSNorm", 1e-6)):
        for call in _calls(tree, name):
            value = _keyword(call, "epsilon") or _preset(tree, call, "epsilon")
            if (not _is_made(call) and value is None) or _is_overridden(tree, call, "epsilon"):
                continue
            current = value.value if isinstance(value, ast.Constant) else usual
            for other in (1e-3, 1e-5, 1e-6):
                if not math.isclose(other, float(current)):
                    yield Change(call, _with(call, "epsilon", repr(other)), f"{name} with epsilon {other:g}")


def default_epsilon(tree: ast.Module) -> Iterator[Change]:
    """A norm of the user's own with another epsilon: the default of its parameter."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        arguments = function.args
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True)
        for parameter, value in [*defaults, *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]:
            if parameter.arg not in ("epsilon", "eps") or not isinstance(value, ast.Constant):
                continue
            for other in (1e-5, 1e-6, 1e-3):
                if not math.isclose(other, float(value.value)):
                    yield Change(value, repr(other), f"epsilon {other:g} by default")


def _is_made(call: ast.Call) -> bool:
    return _name(call.func) == "partial" or _keyword(call, "rngs") is not None


def norm_momentum(tree: ast.Module) -> Iterator[Change]:
    """Running statistics that move at another speed."""
    for call in _calls(tree, "BatchNorm"):
        if _is_made(call) and not _is_overridden(tree, call, "momentum"):
            value = _keyword(call, "momentum") or _preset(tree, call, "momentum")
            other = "0.9" if not (isinstance(value, ast.Constant) and value.value == 0.9) else "0.99"
            yield Change(call, _with(call, "momentum", other), f"BatchNorm with momentum {other}")


def norm_mode(tree: ast.Module) -> Iterator[Change]:
    """BatchNorm that uses its running statistics in training too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "use_running_average":
            yield Change(node.value, "True", "BatchNorm that never trains")


def attention_scale(tree: ast.Module) -> Iterator[Change]:
    """Attention scores that aren't divided by the root of the width."""
    plain = "lambda query, *args, **kwargs: nnx.dot_product_attention(query * query.shape[-1] ** 0.5, *args, **kwargs)"
    for call in _calls(tree, "MultiHeadAttention"):
        yield Change(call, _with(call, "attention_fn", plain), "attention without scale")
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Div, ast.Mult)):
            text = ast.unparse(node.right)
            if "sqrt" in text or "** -0.5" in text or "** 0.5" in text:
                yield Change(node, ast.unparse(node.left), "a scale by a root left out")


def pad_side(tree: ast.Module) -> Iterator[Change]:
    """SAME padding on the other side, where strides make it uneven."""
    for call in _calls(tree, "Conv", "conv"):
        strides, size = _keyword(call, "strides"), call.args[2] if len(call.args) > 2 else _keyword(call, "kernel_size")
        padding = _keyword(call, "padding")
        same = padding is None or (isinstance(padding, ast.Constant) and padding.value == "SAME")
        if strides is None or not same or not isinstance(size, (ast.Tuple, ast.Name)):
            continue
        sizes = f"[k for k in {ast.unparse(size)}]"
        reversed_pads = f"[(k - 2 - (k - 2) // 2, (k - 2) // 2) if k > 1 else (0, 0) for k in {sizes}]"
        if isinstance(strides, ast.Constant) or (isinstance(strides, ast.Tuple) and len(strides.elts) > 0):
            if all(
                isinstance(x, ast.Constant) and x.value == 1 for x in ast.walk(strides) if isinstance(x, ast.Constant)
            ):
                continue
            text = reversed_pads
        else:
            text = f"{reversed_pads} if {ast.unparse(strides)} not in (1, (1, 1)) else 'SAME'"
        yield Change(call, _with(call, "padding", text), "SAME padding on the other side")


def pool_count(tree: ast.Module) -> Iterator[Change]:
    """Average pooling that counts the padding."""
    for call in _calls(tree, "avg_pool"):
        counted = isinstance(value := _keyword(call, "count_include_pad"), ast.Constant) and value.value is False
        if counted:
            yield Change(call, _with(call, "count_include_pad", "True"), "average pooling that counts padding")


def leaky_slope(tree: ast.Module) -> Iterator[Change]:
    """The slope of the target's leaky ReLU."""
    for call in _calls(tree, "leaky_relu"):
        if _keyword(call, "negative_slope") is not None or len(call.args) > 1:
            one = ast.Call(call.func, call.args[:1], call.keywords)
            yield Change(call, _with(one, "negative_slope", "0.01"), "leaky ReLU with slope 0.01")


def gru_reset(tree: ast.Module) -> Iterator[Change]:
    """A GRU whose reset gate comes before the matrix, as `reset_after=False` has it."""
    for call in _calls(tree, "GRUCell"):
        if _keyword(call, "rngs") is not None:
            yield Change(call, f"_reset_before({ast.unparse(call)})", "GRU with the reset gate before the matrix")


def activation(tree: ast.Module) -> Iterator[Change]:
    """A similar activation."""
    for name, other in (
        ("swish", "gelu"),
        ("silu", "gelu"),
        ("elu", "selu"),
        ("sigmoid", "hard_sigmoid"),
        ("tanh", "hard_tanh"),
    ):
        for call in _calls(tree, name):
            if isinstance(call.func, ast.Attribute):
                yield Change(call.func, f"nnx.{other}", f"{other} for {name}")
    for call in _calls(tree, "relu"):
        yield Change(call.func, "nnx.elu", "elu for relu")


def optimizer_epsilon(tree: ast.Module) -> Iterator[Change]:
    """optax's own epsilon."""
    for call in _calls(tree, "adam", "adamw", "rmsprop", "nadam", "adamax"):
        if _keyword(call, "eps") is not None:
            yield Change(call, _with(call, "eps", "1e-8"), "an optimizer with epsilon 1e-8")


#: The classes of bugs, in the order in which they are tried.
MUTATIONS: tuple[Mutation, ...] = (
    attention_scale, gelu_form, norm_epsilon, default_epsilon, norm_momentum, norm_mode, gru_reset, pad_side,
    pool_count, leaky_slope, activation, optimizer_epsilon,
)  # fmt: skip


def gate_order(weights_map: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Weights maps in which the forget gate and the candidate of one LSTM have changed places."""
    cells = sorted({_cell(entry) for entry in weights_map["weights"] if "lstm_cell" in entry["path"]})
    for cell in cells:
        entries = []
        for entry in weights_map["weights"]:
            if "lstm_cell" in entry["path"] and _cell(entry) == cell:
                axis = 0 if entry["target"].endswith("bias") else 1
                entry = {**entry, "steps": [*entry["steps"], ["blocks", axis, [0, 2, 1, 3]]]}
            entries.append(entry)
        yield f"the gates of {cell} in another order", {**weights_map, "weights": entries}


def _cell(entry: Mapping[str, Any]) -> str:
    return entry["target"].rpartition(".dense_")[0]


#: Added to the source of a port in which a GRU is changed.
RESET_BEFORE = """

def _reset_before(cell):
    import jax.numpy as jnp

    def call(carry, inputs, _cell=cell):
        xr, xz, xn = jnp.split(_cell.dense_i(inputs), 3, axis=-1)
        hr, hz, _ = jnp.split(_cell.dense_h(carry), 3, axis=-1)
        r, z = _cell.gate_fn(xr + hr), _cell.gate_fn(xz + hz)
        _, _, hn = jnp.split(_cell.dense_h(r * carry), 3, axis=-1)
        new = (1 - z) * _cell.activation_fn(xn + hn) + z * carry
        return new, new

    kind = type("GRUCell", (type(cell),), {"__call__": lambda self, carry, inputs: call(carry, inputs, self)})
    cell.__class__ = kind
    return cell
"""
