"""Calling functions and methods by what their parameters are named: each gets what it takes, or is not called.

>>> def forward(x, w1): return [[sum(a * w for a, w in zip(row, w1[0]))] for row in x]
>>> def backward(x, y, w1, o): return [o[0][0] - y[0][0]]
>>> known = Bindings([[1.0, 2.0]], [[1.0]], weights=[[[0.5, 0.5]]])
>>> performed([Call("forward", forward), Call("backward", backward)], known)
[0.5]
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from inspect import Parameter, getsource, signature
from textwrap import dedent
from typing import Any

from purebp.oracle.asking.roles import by_number, kind_of, role, words

RATE = 0.5  # the learning rate that is given where one is wanted
CACHES = {"cache", "caches", "memory", "ctx", "context", "intermediates", "saved", "tape", "memo"}
GIVEN = {"epochs": 1, "rate": RATE, "none": 0}


class CannotCall(Exception):
    """A parameter is wanted of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Call:
    """A function, or a method of an object, by its name; and the names of its arguments, if they were declared."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[str, ...] | None = None


@dataclass(slots=True)
class Bindings:
    """What there is to give: a batch, the parameters of the network or what holds them, and what was returned before."""

    inputs: Any
    targets: Any
    weights: Sequence[Any] = ()
    biases: Sequence[Any] = ()
    network: Any = None  # an object, or what a function made, that holds the parameters
    pairs: Sequence[tuple[Any, Any]] = ()
    results: dict[str, Any] = field(default_factory=dict)
    last: Any = None  # what the function before returned
    used: set[str] = field(default_factory=set)  # "inputs" and "targets", where they were given


def performed(calls: Sequence[Call], known: Bindings) -> Any:
    """Call one after the other; what the last one returns."""
    result: Any = None
    for call in calls:
        given, named = _bound(call, known)
        result = call.function(*given, **named)
        known.last = result
        names = returned_names(call.function)
        parts = result if isinstance(result, tuple) and len(names) == len(result) > 1 else (result,)
        known.results |= {name: part for name, part in zip(names, parts) if name}
    return result


def _bound(call: Call, known: Bindings) -> tuple[list[Any], dict[str, Any]]:
    if call.arguments is not None:
        return [_value(name, call.arguments, known) for name in call.arguments], {}
    try:
        parameters = list(signature(call.function).parameters.values())
    except ValueError:
        raise CannotCall(f"{call.name} does not say what it takes") from None
    names = [each.name for each in parameters]
    given: list[Any] = []
    named: dict[str, Any] = {}
    for each in parameters:
        if each.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
            continue
        try:
            value = _value(each.name, names, known)
        except CannotCall:
            if each.default is not Parameter.empty:
                continue
            raise
        meant = role(each.name) or kind_of(each.name)
        if each.default is not Parameter.empty and (
            meant in ("size", "") or (meant == "none" and type(each.default) is not float)
        ):
            continue
        if each.kind is Parameter.KEYWORD_ONLY or len(given) < names.index(each.name):
            named[each.name] = value
        else:
            given.append(value)
    return given, named


def _value(name: str, names: Sequence[str], known: Bindings) -> Any:
    """What a parameter of that name takes, among the others."""
    if name in known.results:
        return known.results[name]
    meant, kind = role(name), kind_of(name)
    roles = [role(each) for each in names]
    if meant in GIVEN:
        return GIVEN[meant]
    if meant == "size":
        return max(1, len(known.pairs))
    if meant == "pairs" and "inputs" in roles:
        meant = "targets"
    if meant == "inputs" and "targets" not in roles and name.lower() in ("data", "samples", "train", "dataset"):
        meant = "pairs"
    if meant == "pairs":
        known.used |= {"inputs", "targets"}
        return list(known.pairs)
    if meant == "outputs" and "targets" not in roles and "inputs" in roles:
        meant = "targets"
    if meant in ("inputs", "targets"):
        known.used.add(meant)
        if name == "row" and isinstance(known.inputs, list) and not isinstance(known.inputs[0], list):
            return [*known.inputs, 0]  # the label of a row of a table stands at its end
        return known.inputs if meant == "inputs" else known.targets
    if meant == "outputs" and known.last is not None:
        return known.last[0] if isinstance(known.last, tuple) else known.last
    if kind in ("weights", "biases") and known.network is None and known.weights:
        tensors = known.weights if kind == "weights" else known.biases
        alike = [each for each in names if kind_of(each) == kind]
        if not tensors:
            raise CannotCall(f"{name}: there are none")
        if len(alike) == 1 and (len(tensors) > 1 or words(name)[-1][-1:] == "s"):
            return list(tensors)
        if len(alike) != len(tensors):
            raise CannotCall(f"{name}: {len(alike)} of {len(tensors)} {kind} are taken")
        return tensors[(by_number(alike, str) or alike).index(name)]
    if meant == "network" and known.network is not None:
        return known.network
    if kind == "gradients" and known.last is not None:
        return known.last
    if CACHES.intersection(words(name)) and known.last is not None:
        return known.last[-1] if isinstance(known.last, tuple) else known.last
    unknown = [each for each in names if not role(each) and not kind_of(each) and each not in known.results]
    if known.network is not None and "network" not in roles and name == next(iter(unknown), None):
        return known.network
    if meant == "network" and known.weights:
        both = {f"W{l + 1}": w for l, w in enumerate(known.weights)}
        return both | {f"b{l + 1}": b for l, b in enumerate(known.biases)}
    if known.last is not None and not meant and sum(not role(each) and not kind_of(each) for each in names) == 1:
        return known.last
    raise CannotCall(f"{name} is wanted, of which nothing is known")


def returned_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names in the last `return` of a function: () if its text is not there.

    >>> import textwrap
    >>> returned_names(textwrap.dedent)
    ('text',)
    """
    try:
        tree = ast.parse(dedent(getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return ()
    found = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value is not None]
    if not found:
        return ()
    last = max(found, key=lambda node: node.lineno)
    parts = last.elts if isinstance(last, ast.Tuple) else [last]
    return tuple(part.id if isinstance(part, ast.Name) else "" for part in parts)
