"""Runs the original once: its module, the object under test, and the first call."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import inspect
import io
import re
import sys
import types
from typing import Any

from parity import call as calls
from parity import source
from parity.errors import BadInputError
from parity.frameworks import Frameworks
from parity.inputs import Example, SpecInputs

#: What Python says of `from . import x` in a file that is no part of a package.
_RELATIVE = "attempted relative import"


@dataclasses.dataclass(frozen=True)
class Request:
    """What capture was asked for.

    Attributes:
      source: the file.
      package_root: folder that its package lies in; None for a single file.
      entry: expression for the object under test; None with an example.
      specs: input specs.
      example: an example file.
      call: expression for the call under test; None for the default.
      level: how much is recorded.
    """

    source: str
    package_root: str | None = None
    entry: str | None = None
    specs: tuple[str, ...] = ()
    example: str | None = None
    call: str | None = None
    level: str = "step"


@dataclasses.dataclass
class Unit:
    """The original, ready to be called.

    Attributes:
      module: its module.
      model: the object or function under test, or a tuple, list or dict of several objects.
      inputs: gives the positional arguments for a seed.
      call: the call under test, in inference mode where there are two.
    """

    module: types.ModuleType
    model: Any
    inputs: Any
    call: str


class RunError(BadInputError):
    """The original raised, which another version of Keras may not.

    Attributes:
      retry: whether it is worth a try.
    """

    retry = True


def load(request: Request, frameworks: Frameworks, prepared: Any = None) -> Unit:
    """Imports the file and makes the object under test.

    Args:
      request: what to load.
      frameworks: TensorFlow and Keras.
      prepared: called with the module once it is imported.

    Raises:
      BadInputError: the user's code raised, or the entry isn't there.
    """
    frameworks.keras.utils.set_random_seed(0)
    module = _import(request)
    _settle_flags()
    if prepared is not None:
        prepared(module)
    if request.example is not None:
        example = Example(request.example, vars(module))
        model = _run(example.model, request, "model()", "the example's model()")
        inputs: Any = example
    else:
        model = _run(lambda: _entry(request, module), request, request.entry or "", f"the entry {request.entry!r}")
        inputs = SpecInputs(request.specs)
    if isinstance(model, type) and request.call is None:
        name = model.__name__
        reason = f"the entry gives the class {name}, not an object of it; write {name}(...) with its arguments"
        raise BadInputError(reason, request.source, _line_of(model))
    if isinstance(model, (tuple, list, dict)) and request.call is None:
        such = "model['b'](model['a'](*inputs))" if isinstance(model, dict) else "model[1](model[0](*inputs))"
        reason = (
            f"the entry gives a {type(model).__name__}; say how what is in it is called with --call, such as {such}"
        )
        raise BadInputError(reason, request.source)
    if not callable(model) and request.call is None:
        raise BadInputError(f"the entry gives a {type(model).__name__}, which can't be called", request.source)
    call = request.call or calls.default_call(model, len(inputs(0)), frameworks.keras.layers.Layer)
    return Unit(module, model, inputs, call)


def first_call(unit: Unit, inputs: Any, request: Request, frameworks: Frameworks) -> Any:
    """Calls the object, which builds it.

    Raises:
      BadInputError: with the reason in one sentence, such as an input of the wrong rank.
    """
    tensors = to_tensors(inputs, frameworks)
    names = {"tf": frameworks.tf}
    return _run(lambda: calls.evaluate(unit.call, unit.model, tensors, names), request, unit.call, unit.call)


def to_tensors(inputs: Any, frameworks: Frameworks) -> Any:
    """Arrays as tensors, the structure kept."""
    from parity import trees

    return trees.map_arrays(lambda _, array: frameworks.tf.convert_to_tensor(array), inputs)


def _import(request: Request) -> types.ModuleType:
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            return source.run_module(request.source, request.package_root)
    except BadInputError:
        raise
    except SystemExit as error:
        raise BadInputError(
            f"leaves the program when imported (exit {error.code}); put what runs it under `if __name__ == '__main__':`",
            request.source,
            source.line_of(error, request.source),
        ) from error
    except Exception as error:
        # What is missing under one Keras is missing under the other.
        missing = (
            isinstance(error, FileNotFoundError)
            or (isinstance(error, ModuleNotFoundError) and not source.is_framework(error.name or ""))
            or (isinstance(error, ImportError) and _RELATIVE in str(error))
        )
        raise (BadInputError if missing else RunError)(
            f"raised when imported: {type(error).__name__}: {_first_sentence(error)}{_advice(error)}",
            request.source,
            source.line_of(error, request.source),
        ) from error


def _entry(request: Request, module: types.ModuleType) -> Any:
    code = compile(request.entry or "", "<entry>", "eval", dont_inherit=True)
    try:
        return eval(code, dict(vars(module)))  # noqa: S307 - the user's own
    except NameError as error:
        if source.line_of(error, request.source) is None:
            close = difflib.get_close_matches(error.name or "", vars(module), 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            line = _line_of(vars(module)[close[0]]) if close else None
            raise BadInputError(f"the entry {request.entry!r}: {error}{hint}", request.source, line) from None
        raise


def _run(function: Any, request: Request, what: str, named: str) -> Any:
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            return function()
    except BadInputError:
        raise
    except (Exception, SystemExit) as error:
        line = source.line_of(error, request.source)
        reason = f"{named} raised {type(error).__name__}: {_first_sentence(error)}{_advice(error)}"
        raise RunError(reason, request.source, line) from error


def _first_sentence(error: BaseException) -> str:
    """What the exception says, in one line, without what Keras adds for its own developers."""
    text = " ".join(re.sub(r"\x1b\[[\d;]*m", "", str(error)).split())
    text = re.sub(r"^Exception encountered when calling [^:]*?\.call\(\)\. ", "", text)
    text = re.split(r" Arguments received by| \[Op:| Call arguments received", text)[0]
    return text if len(text) <= 300 else text[:300] + "..."


def _advice(error: BaseException) -> str:
    text = str(error)
    if isinstance(error, ImportError) and _RELATIVE in text:
        return "; give --package_root, the folder that its outermost package lies in"
    if "URL fetch failure" in text or "Name or service not known" in text or "Temporary failure in name" in text:
        return "; the original is run without network: load data under `if __name__ == '__main__':` or in a function"
    if isinstance(error, FileNotFoundError):
        return "; files are not there when the original is run: load data under `if __name__ == '__main__':`"
    return ""


def _line_of(value: Any) -> int | None:
    try:
        return inspect.getsourcelines(value)[1]
    except (OSError, TypeError):
        return None


def _settle_flags() -> None:
    """Lets functions read absl flags, with their defaults."""
    flags = sys.modules.get("absl.flags")
    if flags is not None and not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()
