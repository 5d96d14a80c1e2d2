"""A candidate's file: run, searched for the function to ask, and read for what it declares."""

from __future__ import annotations

import ast
import linecache
import os
import sys
import traceback
from collections.abc import Mapping
from functools import reduce
from inspect import isclass, signature
from types import FunctionType, ModuleType
from typing import Any

from purebp.oracle.asking.declared import declaration
from purebp.oracle.asking.making import HINTS, Hints, hints
from purebp.oracle.asking.roles import kind_of, role
from purebp.oracle.asking.scripts import runs_by_itself
from purebp.textbook.arithmetic import PurebpError

USUAL_NAMES = (
    "backpropagation",
    "backprop",
    "back_propagation",
    "back_prop",
    "backward",
    "backward_pass",
    "backward_propagation",
    "gradients",
    "gradient",
    "compute_gradients",
    "compute_gradient",
    "get_gradients",
    "calculate_gradients",
    "grads",
    "grad",
    "train_step",
    "training_step",
    "gradient_step",
    "step",
    "update",
    "candidate",
)
WANTED = "(weights, biases, inputs, targets)"
ORDER = ("weights", "biases", "inputs", "targets")
MODULE = "purebp_candidate"
MOST = 12  # functions that are listed


class CannotLoad(PurebpError):
    """There is nothing to ask; the message says why."""

    status = 4  # of the command


def load(file: str, source: str) -> ModuleType:
    """The module in a file, as if imported, with the modules beside it to import; it leaves no bytecode there."""
    path = os.path.abspath(file)
    module = ModuleType(MODULE)
    module.__file__ = path
    sys.modules[MODULE] = module
    sys.argv = [path]
    if os.path.dirname(path) not in sys.path:
        sys.path.insert(0, os.path.dirname(path))
    linecache.cache[path] = len(source), None, source.splitlines(True), path  # for tracebacks, of standard input too
    try:
        code = compile(source, path, "exec", dont_inherit=True)
        module.__code__ = code  # type: ignore[attr-defined]  # for tracebacks
        exec(code, vars(module))  # this is what was asked for
    except SyntaxError as error:
        if error.filename != path:
            raise CannotLoad(_at_import(file, path, error)) from None
        line = f": {error.text.strip():.60}" if error.text else ""
        raise CannotLoad(f"{file!r} is not Python: {error.msg}, line {error.lineno}{line}") from None
    except (Exception, SystemExit) as error:
        raise CannotLoad(_at_import(file, path, error)) from None
    return module


def _at_import(file: str, path: str, error: BaseException) -> str:
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    where = f"line {lines[-1].lineno}: {lines[-1].line}: " if lines else ""
    told = f"{file!r} cannot be loaded: {where}{type(error).__name__}: {error!s:.200}"
    runs = isinstance(error, (SystemExit, EOFError))
    return told + ('; put what it runs by itself under if __name__ == "__main__"' if runs else "")


def find(module: ModuleType, file: str, wanted: str | None) -> str:
    """The name of the candidate: the one wanted, one of the usual names, or the only function that fits."""
    own = [
        name
        for name, value in vars(module).items()
        if isinstance(value, FunctionType) and value.__module__ == MODULE and not name.startswith("_")
    ]
    listed = ", ".join(name + _parameters(vars(module)[name]) for name in own[:MOST])
    there = f"it has {listed}" if own else "it has no functions"
    if wanted is not None:
        try:
            function = attribute(module, wanted)
        except AttributeError:
            raise CannotLoad(f"{file!r} has no function {wanted!r}: {there}") from None
        if not callable(function):
            raise CannotLoad(f"{wanted!r} in {file!r} is no function: {there}")
        if not _fits(function):
            raise CannotLoad(f"{wanted!r} in {file!r} takes {_parameters(function)}: it is called with {WANTED}")
        return wanted
    usual = sorted((name for name in USUAL_NAMES if callable(vars(module).get(name))), key=lambda name: name not in own)
    fitting = [name for name in usual if _fits(vars(module)[name])][:1]
    fitting = fitting or [name for name in own if _fits(vars(module)[name])]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise CannotLoad(f"which function of {file!r} is meant? Say {file}:{fitting[0]} or another: {there}")
    raise CannotLoad(f"{file!r} has no function that can be called with {WANTED}: {there}")


def scripted(file: str, source: str) -> CannotLoad | None:
    """What to say of a script that trains when it is loaded, where nothing in it can be asked."""
    told = runs_by_itself(source)
    if not told:
        return None
    return CannotLoad(f"{file!r} cannot be asked: {told}: purebp init {file} moves them into a function")


def unasked(module: ModuleType, file: str) -> CannotLoad | None:
    """What to say of classes that could not be asked, where there are some."""
    names = [name for name, value in vars(module).items() if isclass(value) and value.__module__ == MODULE]
    if not names:
        return None
    return CannotLoad(
        f"{file!r} cannot be asked: no way was found to make {' or '.join(names[:3])}, to set its weights, and to get "
        'gradients or a step from it; say how with --class, --weights-in and --call "forward(x); backward(x, y)", or let '
        f"purebp init {file} write a function around it"
    )


def in_order(function: Any) -> bool:
    """Whether the names of its parameters do not say that they are others than weights, biases, inputs and targets.

    >>> in_order(lambda w, b, x, y: 0), in_order(lambda X, y, w1, w2: 0)
    (True, False)
    """
    try:
        names = list(signature(function).parameters)[: len(ORDER)]
    except (TypeError, ValueError):
        return True
    said = [{"weights": "weights", "biases": "biases"}.get(kind_of(name)) or role(name) for name in names]
    return not any(what in (*ORDER, "network", "outputs") and what != meant for what, meant in zip(said, ORDER))


def attribute(module: ModuleType, dotted: str) -> Any:
    """What the module calls by that name, such as "Net.backward"."""
    return reduce(getattr, dotted.split("."), module)


def pairs_in(source: str) -> list[tuple[str, str, str]]:
    """The backward functions that a file declares, each with its forward function and the inputs of that.

    >>> pairs_in('PUREBP = {"f_backward": {"of": "f", "inputs": "x: n"}}')
    [('f_backward', 'f', 'x: n')]
    """
    given: Any = {}
    try:
        body = ast.parse(source).body if "PUREBP" in source else []
    except (SyntaxError, ValueError):
        return []
    for each in body:
        if isinstance(each, ast.Assign) and [ast.unparse(target) for target in each.targets] == ["PUREBP"]:
            try:
                given = ast.literal_eval(each.value)
            except ValueError:
                return []
    if not isinstance(given, dict):
        return []
    pairs = ((name, said) for name, said in given.items() if isinstance(said, dict) and {"of", "inputs"} <= said.keys())
    return [(str(name), str(said["of"]), str(said["inputs"])) for name, said in pairs]


def attribute_of(module: ModuleType, file: str, dotted: str) -> Any:
    """The same, if it is a function; an error that says what there is."""
    try:
        function = attribute(module, dotted)
    except AttributeError:
        own = [
            name
            for name, value in vars(module).items()
            if isinstance(value, FunctionType) and value.__module__ == MODULE
        ]
        raise CannotLoad(f"{file!r} has no function {dotted!r}: it has {', '.join(own[:MOST]) or 'none'}") from None
    if not callable(function):
        raise CannotLoad(f"{dotted!r} in {file!r} is no function")
    return function


def _fits(function: Any) -> bool:
    """Whether it can be called with four arguments."""
    try:
        signature(function).bind(None, None, None, None)
    except TypeError:
        return False
    except ValueError:  # there is no telling, as of functions written in C
        pass
    return True


def _parameters(function: Any) -> str:
    try:
        return f"({', '.join(signature(function).parameters)})"
    except ValueError:
        return "(...)"


def hinted(module: ModuleType, task_hints: Mapping[str, Any], function: str | None) -> Hints:
    """What is declared of code as it is: in the file, and on the command line, which wins."""
    given = getattr(module, "PUREBP", {})
    own = {key: x for key, x in given.items() if key in HINTS} if isinstance(given, dict) else {}
    return hints({**own, **task_hints}, function)


def declarations(module: ModuleType, file: str) -> dict[str, Any]:
    """What the file declares itself: a dictionary `PUREBP` of arguments of `check`."""
    given = getattr(module, "PUREBP", {})
    try:
        if not isinstance(given, dict):
            raise ValueError(f"it is {given!r:.40}: a dictionary is wanted")
        return {key: declaration(key, value) for key, value in given.items() if value is not None and key not in HINTS}
    except Exception as error:
        raise CannotLoad(f"PUREBP in {file!r} cannot be used: {error}") from None
