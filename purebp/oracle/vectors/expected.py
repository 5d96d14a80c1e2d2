"""What is expected of a vector: every number correctly rounded, and by how much an answer may be off.

>>> from purebp.oracle.vectors.drawn import vectors
>>> vector = next(vector for vector in vectors("gradients") if vector.id == "gradients-sigmoid-identity-mse-one-sample")
>>> expected(vector)["expected"]["gradients"][1]["biases"]
[0.5290179675613658]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction
from math import inf, nextafter
from typing import Any

from purebp.number_systems.ball import Ball, ball
from purebp.oracle.answer import Key
from purebp.oracle.certify import Certified, certify
from purebp.oracle.conventions import ONE, Convention, budgets
from purebp.oracle.evidence import enclosures
from purebp.oracle.vectors.vector import ASKED_FOR, BUDGETED, FORWARDS, Vector
from purebp.textbook.arithmetic import Matrix, PurebpError
from purebp.textbook.backprop import forward
from purebp.textbook.losses import loss as known_loss

DIGITS = 38  # of the first attempt to round correctly


def expected(vector: Vector) -> dict[str, Any]:
    """intermediate, expected and budget; clarke as well where a number is the middle of an interval."""
    if vector.family == "refused":
        return {"expected": {"error": "shape"}}
    wanted, ways, depth = ASKED_FOR[vector.family], _on_the_way(vector), len(vector.given["layers"])
    exact = _certified(vector)

    def read(names: Sequence[str], number: Callable[[Certified], float]) -> dict[str, Any]:
        return quantities({key: [list(map(number, row)) for row in rows] for key, rows in exact.items()}, names, depth)

    result: dict[str, Any] = {
        "intermediate": read(ways, lambda x: x.value),
        "expected": read(wanted, lambda x: x.value),
        "budget": {format: quantities(_room(vector, exact, format), wanted, depth) for format in BUDGETED},
    }
    if "Kink" in vector.flags:
        result["clarke"] = {
            "lower": read(wanted, lambda x: float(x.lower)),
            "upper": read(wanted, lambda x: float(x.upper)),
        }
    elif not all(x.rounded for rows in exact.values() for row in rows for x in row):
        raise PurebpError(f"{vector.id}: a number could not be rounded correctly")
    return result


def _on_the_way(vector: Vector) -> list[str]:
    """The quantities that a file has under intermediate."""
    ways = ("pre_activations", "activations", *["deltas"] * (vector.family not in FORWARDS))
    return [way for way in ways if way not in ASKED_FOR[vector.family]]


def _convention(vector: Vector) -> Convention:
    loss, declared = known_loss(vector.given["loss"]), vector.declared
    return Convention(loss, ONE, declared["returns"], declared["learning_rate"])


def _certified(vector: Vector) -> dict[Key, list[list[Certified]]]:
    """Every quantity of the vector by key."""
    found: dict[Key, Matrix[Ball]] = {}

    def in_a_row(digits: int) -> list[Ball]:
        found.update(_enclosed(vector, digits))
        return [x for rows in found.values() for row in rows for x in row]

    entries = iter(certify(in_a_row, DIGITS))
    return {key: [[next(entries) for _ in row] for row in rows] for key, rows in found.items()}


def _enclosed(vector: Vector, digits: int) -> dict[Key, Matrix[Ball]]:
    arithmetic, case, convention = ball(None, digits), vector.case, _convention(vector)
    samples = len(case.batch.targets), len(case.batch.targets[0])
    turned = convention.turned(*samples, arithmetic)
    trace = forward(case.network, case.batch.inputs, arithmetic)
    found = enclosures(case.network, case.batch, vector.given["loss"], None, turned, digits=digits)
    found |= {("pre_activations", l): z for l, z in enumerate(trace.pre_activations)}
    found |= {("activations", l): a for l, a in enumerate(trace.activations)}
    names = (*ASKED_FOR[vector.family], *_on_the_way(vector))
    return {key: rows for key, rows in found.items() if vector.family not in FORWARDS or key[0] in names}


def _room(vector: Vector, exact: Mapping[Key, list[list[Certified]]], format: str) -> dict[Key, Matrix]:
    """By how much an answer in the format may be off."""
    allowed = budgets(vector.case, _convention(vector), format, {("outputs", -1): []})
    return {
        key: [list(map(_allowed, *pair)) for pair in zip(rows, allowed[key])]
        for key, rows in exact.items()
        if key in allowed
    }


def quantities(tensors: Mapping[Key, Matrix], names: Sequence[str], depth: int) -> dict[str, Any]:
    """Tensors by key as quantities by name, in the shapes of JSON.

    >>> quantities({("weights", 0): [[2.0]], ("loss", -1): [[0.5]]}, ["loss", "gradients"], 1)
    {'loss': 0.5, 'gradients': [{'weights': [[2.0]], 'biases': None}]}
    """

    def layer(l: int) -> dict[str, Any]:
        biases = tensors.get(("biases", l))
        return {"weights": tensors["weights", l], "biases": None if biases is None else biases[0]}

    def made(name: str) -> Any:
        if name in ("gradients", "step"):
            return [layer(l) for l in range(depth)]
        if name == "loss":
            return tensors["loss", -1][0][0]
        return tensors["outputs", -1] if name == "outputs" else [tensors[name, l] for l in range(depth)]

    return {name: made(name) for name in names}


def _allowed(exact: Certified, budget: Ball) -> float:
    """What an answer may be off from the expected double, in three significant digits, rounded upwards."""
    if budget.spread is None:
        return inf
    unit = Fraction(2) ** budget.exponent
    room = abs(budget.mantissa * unit - Fraction(exact.value)) + budget.spread * unit
    short = float(Context(prec=3, rounding=ROUND_CEILING).divide(Decimal(room.numerator), Decimal(room.denominator)))
    return short if Fraction(short) >= room else nextafter(short, inf)
