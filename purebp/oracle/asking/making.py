"""What holds parameters, and how it is made: classes, objects, and functions that make what others are called with.

>>> class Net:
...     def __init__(self, n_inputs, hidden, n_outputs, rate): self.sizes = n_inputs, hidden, n_outputs
...     def train(self, x, y): pass
>>> (owner,) = owners({"Net": Net}, Hints())
>>> [made.sentence for made in owner.made][:1], owner.made[0].make((2, 3, 1), None, None).sizes
(['Net(n_inputs, hidden, n_outputs, rate)'], (2, 3, 1))
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from inspect import Parameter, isclass, isfunction, signature
from typing import Any

from purebp.oracle.asking.calling import RATE, CannotCall
from purebp.oracle.asking.leaves import Leaf
from purebp.oracle.asking.roles import kind_of, role, words
from purebp.textbook.arithmetic import PurebpError

SIZES = {"sizes", "layers", "architecture", "dims", "dimensions", "structure", "topology", "shape", "nodes"}
SIZES |= {"neurons", "units", "widths"}
INITS = ("init", "initialize", "initialise", "create", "build", "make", "new", "setup")


def calls_in(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The calls that a text has, one behind the other; an error if they are none.

    >>> calls_in("feedforward(x); backprop(x, y)")
    (('feedforward', ('x',)), ('backprop', ('x', 'y')))
    """
    try:
        found = [each.value for each in ast.parse(text).body if isinstance(each, ast.Expr)]
        calls = [(each.func.id, tuple(ast.unparse(x) for x in each.args)) for each in found]  # type: ignore[attr-defined]  # caught
    except (SyntaxError, AttributeError):
        calls = []
    if not calls or not all(name.isidentifier() for _, names in calls for name in names):
        raise PurebpError(f'{text!r:.60} are no calls of methods, such as "feedforward(x); backprop(x, y)"')
    return tuple(calls)


HINTS = {
    "class": ("NAME", "the class to ask, where there are several"),
    "weights_in": ("NAME,NAME", "its attributes that hold the weights, the first layer first"),
    "biases_in": ("NAME,NAME", "those that hold the biases"),
    "call": ("CALLS", 'the methods to call for a batch (x, y), such as "feedforward(x); backprop(x, y)"'),
}


def hints(given: Mapping[str, Any], name: str | None = None) -> Hints:
    """What was declared of code as it is, by the names of `HINTS`; an error if it cannot be used.

    >>> hints({"weights_in": "w1,w2", "call": "train(x, y)"}).weights
    ('w1', 'w2')
    """

    def listed(key: str) -> tuple[str, ...]:
        value = given.get(key) or ()
        return tuple(filter(None, map(str.strip, value.split(",") if isinstance(value, str) else map(str, value))))

    call = given.get("call")
    return Hints(given.get("class") or name, listed("weights_in"), listed("biases_in"), calls_in(call) if call else ())


@dataclass(frozen=True, slots=True)
class Hints:
    """What was declared of it: the class, the attributes, the calls.

    >>> print(hints({"class": "Net", "weights_in": "w1,w2", "call": "forward(x); backward(y)"}))
    Net, weights in w1, w2, forward(x); backward(y)
    """

    name: str | None = None  # of a class, a function or a method, "Net" or "Net.train"
    weights: tuple[str, ...] = ()
    biases: tuple[str, ...] = ()
    calls: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __str__(self) -> str:
        held = [
            f"{what} in {', '.join(names)}"
            for what, names in (("weights", self.weights), ("biases", self.biases))
            if names
        ]
        calls = "; ".join(f"{name}({', '.join(given)})" for name, given in self.calls)
        return ", ".join(filter(None, [self.name, *held, calls]))

    def chosen(self, found: Sequence[Leaf]) -> list[Leaf]:
        """The tensors that were named; where none were, all that may be of that kind."""
        if not self.weights and not self.biases:
            return list(found)
        return [*_named(self.weights, "weights", found), *_named(self.biases, "biases", found)]


def _named(names: Sequence[str], kind: str, found: Sequence[Leaf]) -> list[Leaf]:
    """The tensors of these names, in their order; where none are given, those whose names say that they are of that kind."""
    if not names:
        return [leaf for leaf in found if any(kind_of(name) == kind for name in leaf.said[:1])]
    return [x for name in names for x in found if x.name == name or x.name.startswith((f"{name}[", f"{name}."))]


@dataclass(frozen=True, slots=True)
class Owner:
    """What holds parameters and has functions: a class, an object, or a function that makes what others are called with."""

    name: str
    made: tuple[Made, ...]
    functions: Callable[[Any], dict[str, Callable[..., Any]]]
    is_class: bool


@dataclass(frozen=True, slots=True)
class Made:
    """A way to make it. fixed: its widths are its own. batch: it is made for a batch."""

    sentence: str
    make: Callable[[Sequence[int], Any, Any], Any]
    fixed: bool = False
    batch: bool = False


def owners(namespace: Mapping[str, Any], hints: Hints) -> Iterator[Owner]:
    """Classes first, the last one before the others; then functions, and objects."""
    name = (hints.name or "").partition(".")[0]
    for each, value in reversed(list(namespace.items())):
        if each.startswith("__") or (name and each != name):
            continue
        if isclass(value) and _own(value, namespace) and not issubclass(value, BaseException):
            yield Owner(each, tuple(_constructions(each, value)), _methods, True)
    functions: dict[str, Callable[..., Any]] = {
        each: value for each, value in namespace.items() if isfunction(value) and _own(value, namespace)
    }
    if functions and (not name or name in functions):

        def all_functions(made: Any) -> dict[str, Callable[..., Any]]:
            return functions

        for each, value in functions.items():
            if words(each)[:1] and words(each)[0] in INITS:
                yield Owner(each, tuple(_constructions(each, value)), all_functions, False)
        yield Owner("", (Made("", lambda sizes, x, y: None),), all_functions, False)
    for each, value in namespace.items():
        if (not name or name == each) and not isclass(value) and not callable(value) and _own(type(value), namespace):
            yield Owner(each, (Made(each, partial(_copied, value), fixed=True),), _methods, True)


def _copied(value: Any, *given: Any) -> Any:
    return deepcopy(value)


def _own(value: Any, namespace: Mapping[str, Any]) -> bool:
    """Whether it is of this code, or is all there is."""
    return "__name__" not in namespace or getattr(value, "__module__", None) == namespace["__name__"]


def _methods(made: Any) -> dict[str, Callable[..., Any]]:
    """The bound methods of an object, those of its class in the order in which they are written."""
    names = [
        name for each in reversed(type(made).__mro__[:-1]) for name, value in vars(each).items() if callable(value)
    ]
    return {name: getattr(made, name) for name in dict.fromkeys(names) if not name.startswith("__")}


def _constructions(name: str, maker: Callable[..., Any]) -> Iterator[Made]:
    """Ways to call what makes a network: with widths, a list of them, a batch, or nothing."""
    try:
        parameters = [
            each
            for each in signature(maker).parameters.values()
            if each.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
        ]
    except Exception:  # of what does not say what it takes, or of a class that is not what it looks like
        return
    wanted = [each for each in parameters if each.default is Parameter.empty]
    others = [each for each in parameters if each.default is not Parameter.empty]
    free = [each.name for each in wanted if role(each.name) not in ("rate", "epochs", "none", "size")]
    given = {each.name: {"rate": RATE, "epochs": 1}.get(role(each.name), 1) for each in wanted if each.name not in free}
    widths = [
        each.name
        for each in (*wanted, *others)
        if each.name in free or (_width(each.name) and isinstance(each.default, int))
    ]

    def by_widths(sizes: Sequence[int], listed: bool = False) -> dict[str, Any]:
        hidden = [each for each in widths if _width(each) == "hidden"]
        if len(sizes) == len(widths) and not listed:
            ends = {_width(each): each for each in widths}
            if len(widths) == 3 and {"in", "out", "hidden"} == ends.keys():
                return dict(zip((ends["in"], ends["hidden"], ends["out"]), sizes))
            return dict(zip(widths, sizes))
        if listed and len(widths) == 3 and len(hidden) == 1:
            first, last = (each for each in widths if each not in hidden)
            return {first: sizes[0], hidden[0]: list(sizes[1:-1]), last: sizes[-1]}
        if listed and len(widths) == 2:
            return {widths[0]: sizes[0], widths[1]: list(sizes[1:])}
        raise CannotCall(f"{name} takes {len(widths)} widths")

    def shown(names: Sequence[str]) -> str:
        some = [*names, *given]
        return f"{name}({', '.join(some)})"

    single = len(free) == 1
    arrays = len(free) == 2 and [role(each) for each in free] in (["inputs", "targets"], ["inputs", "outputs"])
    if single and (SIZES & {*words(free[0])} or not _width(free[0])):
        yield Made(shown(free), lambda sizes, x, y: maker(**{free[0]: list(sizes)}, **given))
    if single and not SIZES & {*words(free[0])}:
        yield Made(shown(free), lambda sizes, x, y: maker(**{free[0]: sizes[0]}, **given))
    if arrays and not ({_width(each) for each in free} == {"in", "out"} and words(free[0])[0] == "n"):
        yield Made(shown(free), lambda sizes, x, y: maker(**{free[0]: x, free[1]: y}, **given), fixed=True, batch=True)
    if widths and len(widths) > 1:
        yield Made(shown(widths), lambda sizes, x, y: maker(**by_widths(sizes), **given))
        yield Made(shown(widths), lambda sizes, x, y: maker(**by_widths(sizes, listed=True), **given))
    if not free:
        yield Made(shown([]), lambda sizes, x, y: maker(**given), fixed=True)


WIDTHS = {  # a width of a network: words of its name, and whole names
    "hidden": ("hidden hid h hiddens", "hiddennodes hnodes nh hiddensize hiddenlayers"),
    "out": ("out output outputs classes o y", "outputnodes onodes no outputsize nout nouts"),
    "in": ("in input inputs features i x", "inputnodes inodes ni inputsize nin"),
}


def _width(name: str) -> str:
    """Which width a parameter is: a key of `WIDTHS`, or ""."""
    said, whole = {*words(name)}, name.lower()
    found = (
        each for each, (some, names) in WIDTHS.items() if said.intersection(some.split()) or whole in names.split()
    )
    return next(found, "")
