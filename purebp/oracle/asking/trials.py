"""Trials of a learner's classes: each runs some of them, unmodified, and has the graph of what they should have computed.

>>> plain((1, [2.0])), within("Sum.forward", lambda: 1 + 1)
([1.0, [2.0]], 2)
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter as Argument
from inspect import signature
from types import CodeType, ModuleType
from typing import Any

from purebp.graphs.engine import shapes, topological_order
from purebp.graphs.nodes import Add, Input, Multiply, Node, Parameter
from purebp.graphs.operations import Sum
from purebp.graphs.tensors import Shape, Tensor, copied, dimensions
from purebp.oracle.asking.candidate import NoAnswer

Runner = Callable[[str, Callable[[], Any]], Any]  # what runs the code of the user: its label, and what to call
Feed = Mapping[str, Tensor]
NOT_CHANGED = "not changed"  # a step of length 0


def direct(label: str, thunk: Callable[[], Any]) -> Any:
    """The plain way to run something.

    >>> direct("two", lambda: 2)
    2
    """
    return thunk()


@dataclass(frozen=True, slots=True)
class Trial:
    """What is asked of one class, or of several together.

    subject: what is judged, and `forward` and `backward` its methods. how: the circumstances. graph: the same, with
    these leaves trained; leaves: those whose gradients it gives. needs: subjects that must be right for it to tell
    anything. mistake: name and sentence, where no mistake on graphs is recognised. learning_rate: of a step, in the
    place of gradients. note: what is said in place of a verdict. refuses: whether it may raise. shared: whether a factor may be
    made good by another class. otherwise: graphs with such a factor, by its name, for a step.
    cured: what else can be run, with the mistake that was made if that is right.
    """

    subject: str
    forward: str
    backward: str
    how: str
    graph: Callable[[Sequence[str]], Node]
    leaves: tuple[str, ...]
    run: Callable[[Feed], dict[str, Any]]
    needs: tuple[str, ...] = ()
    mistake: tuple[str, str] = ("", "")
    learning_rate: float | None = None
    note: str = ""
    refuses: bool = False
    shared: bool = False
    cured: tuple[tuple[str, str, Callable[[Feed], dict[str, Any]]], ...] = ()
    otherwise: tuple[tuple[str, Callable[[Sequence[str]], Node]], ...] = ()
    is_network: bool = False


def within(label: str, thunk: Callable[[], Any], codes: Sequence[CodeType] = ()) -> Any:
    """What the user's code gives; what it raises becomes a sentence with the class, the method and the line.

    >>> within("Halve.forward", lambda: 1 // 0)
    Traceback (most recent call last):
      ...
    purebp.oracle.asking.candidate.NoAnswer: Halve.forward raises ZeroDivisionError: ...
    """
    try:
        return thunk()
    except NoAnswer:
        raise
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)[1:]
        files = {code.co_filename for code in codes}
        own = [frame for frame in frames if frame.filename in files] or [
            frame for frame in frames if frame.filename != __file__
        ]
        try:
            told = f"{label} raises {type(error).__name__}: {error!s:.200}"
        except Exception:
            told = f"{label} raises {type(error).__name__}"
        if own:
            told += f", in line {own[-1].lineno}" + (f": {own[-1].line}" if own[-1].line else "")
        raise NoAnswer("raises", told) from None


def codes_of(cls: Any) -> list[CodeType]:
    """The code of all methods of a class, and of a function its own.

    >>> len(codes_of(Trial)) > 0
    True
    """
    found = (
        [cls] if hasattr(cls, "__code__") else [x for base in getattr(cls, "__mro__", ()) for x in vars(base).values()]
    )
    return [x.__code__ for x in found if hasattr(x, "__code__")]


def plain(x: Any) -> Any:
    """Numbers, lists and lists of lists, from arrays and the like; an error if it holds anything else."""
    x = x.tolist() if hasattr(x, "tolist") else x
    if isinstance(x, (list, tuple)):
        return [plain(item) for item in x]
    if isinstance(x, (str, bytes, bool)) or not hasattr(x, "__float__"):
        raise NoAnswer("not understood", f"{x!r:.60} is no number")
    return float(x)


def numeric(x: Any) -> bool:
    """Whether it is a number, or holds numbers alone, and some.

    >>> numeric([[1, 2.0]]), numeric([]), numeric("1"), numeric(None), numeric(True)
    (True, False, False, False, False)
    """
    try:
        found = plain(x)
    except Exception:
        return False
    return found not in ([], [[]])


def shaped(label: str, name: str, given: Any, wanted: Sequence[int], samples: int = 0) -> Tensor:
    """What is given as the gradient of `name`, in the shape that is wanted; an error with a sentence if it does not fit.

    >>> shaped("Linear.backward", "b", [[1.0, 2.0]], (2,))
    [[1.0, 2.0]]
    """
    if given is None:
        raise NoAnswer("not given", f"{label} gives no {name}")
    try:
        x = plain(given)
        size = dimensions(x)
    except (NoAnswer, IndexError):
        raise NoAnswer("not understood", f"{label} gives {given!r:.60} for {name}: numbers are wanted") from None
    if tuple(n for n in size if n != 1) == tuple(n for n in wanted if n != 1):
        return x
    hint = ""
    if samples and size in ((samples, *wanted), (samples, *wanted[1:])) and len(size) == 2:
        hint = ": it is not summed over the samples"
    elif samples and size == (samples,):
        hint = ": it is summed over the neurons, not over the samples"
    elif size == tuple(wanted)[::-1]:
        hint = ": it is transposed"
    elif not size:
        hint = ": it is one number"
    raise NoAnswer("wrong shape", f"{label} gives {name} in the shape {size}, {tuple(wanted)} is wanted{hint}")


def leaf(name: str, shape: Shape, trained: Sequence[str]) -> Node:
    """An input, or a parameter if its name is among those that are trained.

    >>> leaf("x", (None, 3), ["x"]), leaf("y", (), ["x"])
    (x = Parameter((None, 3)), y = Input(()))
    """
    return (Parameter if name in trained else Input)(name, shape)


def weighed(node: Node, times: int = 1) -> Node:
    """One number made of a node that may be any shape: the sum of its entries, times so many inputs G.

    So what comes back to the node is G, any numbers, or the sum of several.

    >>> weighed(Input("x", (None, 3)), 2)
    Add(Sum, Sum)
    """
    order = topological_order(node)
    shape = shapes(order, {each: each.shape for each in order if each.operation is None})[node]
    parts = [Multiply(Input(upstream(k), shape), node) for k in range(times)]
    sums = [part if shape == () else Sum(part) for part in parts]
    return sums[0] if times == 1 else Add(*sums)


def upstream(number: int) -> str:
    """The name of what comes back to a node from the use with that number.

    >>> upstream(0)
    'G¹'
    """
    return "G" + "¹²³⁴"[number]


@dataclass(frozen=True, slots=True)
class Arrays:
    """How numbers are handed over: as arrays of a library, or as lists where there is none."""

    library: ModuleType | None

    def __call__(self, x: Tensor) -> Any:
        if self.library is None or not isinstance(x, list):
            return copied(x)
        return self.library.asarray(x, dtype=float)  # type: ignore[no-any-return, unused-ignore]


def arrays_of(namespace: Mapping[str, Any]) -> Arrays:
    """With NumPy, if the namespace has it or something of it.

    >>> arrays_of({"x": 1}).library is None
    True
    """
    for value in list(namespace.values()):
        name = getattr(value, "__name__", "") if isinstance(value, ModuleType) else type(value).__module__
        module = getattr(value, "__module__", "")
        for each in (name, module if isinstance(module, str) else ""):
            if each and each.partition(".")[0] == "numpy":
                return Arrays(sys.modules.get("numpy"))
    return Arrays(None)


def required(function: Any, bound: bool = True) -> tuple[int, int, bool]:
    """How many arguments must be given, how many can be, and whether any number can; without self, if not bound.

    >>> required(lambda x, y, z=1: 0), required(lambda *x: 0)
    ((2, 3, False), (0, 0, True))
    """
    try:
        given = list(signature(function).parameters.values())
    except (TypeError, ValueError):
        return 0, 0, True
    given = given[0 if bound else 1 :]
    places = [p for p in given if p.kind in (Argument.POSITIONAL_ONLY, Argument.POSITIONAL_OR_KEYWORD)]
    several = any(p.kind is Argument.VAR_POSITIONAL for p in given)
    return sum(p.default is Argument.empty for p in places), len(places), several


def names_of(function: Any, bound: bool = True) -> list[str]:
    """The names of the arguments, without self, if not bound.

    >>> names_of(lambda x, y: 0)
    ['x', 'y']
    """
    try:
        return list(signature(function).parameters)[0 if bound else 1 :]
    except (TypeError, ValueError):
        return []


TARGETS = ("y", "target", "targets", "label", "labels", "t", "y_true", "ytrue", "expected", "true", "actual", "desired")
OUTPUTS = (
    "a",
    "out",
    "output",
    "outputs",
    "pred",
    "preds",
    "prediction",
    "predictions",
    "y_pred",
    "ypred",
    "y_hat",
    "yhat",
    "p",
    "logits",
)


def is_targets(name: str) -> bool:
    """Whether an argument is called as targets are.

    >>> is_targets("y_true"), is_targets("grad")
    (True, False)
    """
    low = name.lower().strip("_")
    return low in TARGETS or "true" in low or "target" in low or "label" in low


def place_of_targets(names: Sequence[str]) -> int | None:
    """Which of two arguments of a loss is the targets, by their names.

    >>> place_of_targets(["y_pred", "y_true"]), place_of_targets(["a", "b"]), place_of_targets(["u", "v"])
    (1, 1, None)
    """
    if len(names) != 2:
        return None
    low = [name.lower().strip("_") for name in names]
    said = list(map(is_targets, low))
    other = [name in OUTPUTS or "pred" in name or "hat" in name or "out" in name for name in low]
    if said[0] != said[1]:
        return said.index(True)
    return 1 - other.index(True) if other[0] != other[1] else None


def state(thing: Any) -> dict[str, Any]:
    """The attributes that an object has itself, with slots or without.

    >>> state(Arrays(None))
    {'library': None}
    """
    slots = [name for base in type(thing).__mro__ for name in _listed(getattr(base, "__slots__", ()))]
    kept = {name: getattr(thing, name) for name in slots if hasattr(thing, name) and name != "__dict__"}
    return {**kept, **getattr(thing, "__dict__", {})}


def _listed(slots: Any) -> list[str]:
    return [slots] if isinstance(slots, str) else list(slots)


def method(cls: type, *stems: str) -> str:
    """The name of the method that is called so, or begins so; "" if there is none.

    >>> method(Trial, "back"), method(dict, "up")
    ('', 'update')
    """
    names = [name for name in dir(cls) if callable(getattr(cls, name, None)) and not name.startswith("__")]
    for stem in stems:
        if stem in names:
            return stem
    return next((name for stem in stems for name in names if name.startswith(stem)), "")


def types_in(namespace: Mapping[str, Any]) -> list[type]:
    """The classes in a namespace, each once, in their order.

    >>> types_in({"a": int, "b": int, "c": 1})
    [<class 'int'>]
    """
    return list(dict.fromkeys(value for value in list(namespace.values()) if isinstance(value, type)))
