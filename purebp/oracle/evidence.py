"""Claimed numbers against error budgets: what lies outside is provably wrong.

>>> from purebp import Layer
>>> network, batch = Network([Layer([[0.5]], None, "sigmoid")]), Batch([[1.0]], [[0.0]])
>>> budgets = enclosures(network, batch, "half_sse", "binary64")
>>> right = backpropagation(network, batch, "half_sse").layers[0].weights
>>> compare({("weights", 0): [[0.15]]}, budgets)[0].wrong, compare({("weights", 0): right}, budgets)[0].wrong
(1, 0)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, isnan, ulp
from typing import Any

from purebp.number_systems.ball import Ball, ball
from purebp.number_systems.formats import Format
from purebp.oracle.certify import nearest_double
from purebp.textbook.arithmetic import Arithmetic, Matrix
from purebp.textbook.backprop import backpropagation, evaluate, forward
from purebp.textbook.losses import Loss
from purebp.textbook.names import superscript
from purebp.textbook.network import Batch, Gradients, Layer, LayerGradients, Network

Key = tuple[str, int]  # what it is ("outputs", "loss", "deltas", "weights", "biases"), and the layer from 0 on
Claim = Mapping[Key, Matrix]  # one row for biases, and one number in it for the loss
Budgets = Mapping[Key, Matrix[Ball]]
ORDER = ("outputs", "loss", "deltas", "weights", "biases")
UPDATED = ("step", "ascent")  # what returns parameters after a step, and not gradients
UNDECIDED = 0.5  # a resolution above this is no evidence
FAR_BELOW = 1e-6  # where all of a tensor is expected to be 0, a smaller budget decides it


@dataclass(frozen=True, slots=True)
class Entry:
    """One number: where it stands, what was given, what is expected, and what is allowed."""

    tensor: str
    row: int
    column: int
    given: float
    expected: float
    allowed: float
    share: float

    def __str__(self) -> str:
        place = f"{self.tensor}[{self.row}][{self.column}]"
        return f"{place}: given {self.given!r}, expected {self.expected!r}, allowed ± {self.allowed:.1e}"


@dataclass(frozen=True, slots=True)
class TensorReport:
    """How the entries of one tensor lie in their budgets.

    share: the largest |given − expected| / allowed. ulps: the largest error, in units in the last place (of the
    format) of the largest expected number, kinks aside. resolution: Σ allowed / Σ |expected|; above ½ nothing is
    decided. Where all are 0 it is 0, unless the budget is no small number.
    """

    name: str
    kind: str
    layer: int
    entries: int
    wrong: int
    share: float
    ulps: float
    resolution: float
    worst: Entry | None
    shares: tuple[tuple[float, ...], ...]

    @property
    def undecided(self) -> bool:
        return not self.resolution <= UNDECIDED


def tensor_name(key: Key, returns: str | None = None) -> str:
    """As in docs/lesson.md; where a step is returned, parameters stand in the place of gradients.

    >>> tensor_name(("weights", 0)), tensor_name(("weights", 0), "step"), tensor_name(("deltas", 1), "step")
    ('∂loss/∂W¹', 'W¹ after the step', 'δ²')
    """
    kind, l = key
    symbols = {"weights": "∂loss/∂W", "biases": "∂loss/∂b", "deltas": "δ"}
    name = symbols[kind] + superscript(l + 1) if kind in symbols else {"outputs": "ŷ"}.get(kind, kind)
    parameter = name.removeprefix("∂loss/∂")
    return f"{parameter} after the step" if returns in UPDATED and parameter != name else name


def as_claim(of: Gradients[Any] | Network[Any]) -> dict[Key, Matrix[Any]]:
    """Gradients, or the parameters of a network, as tensors by name."""
    found: dict[Key, Matrix[Any]] = {}
    layers: Sequence[LayerGradients[Any] | Layer[Any]] = of.layers
    for l, layer in enumerate(layers):
        found["weights", l] = layer.weights
        if layer.biases is not None:
            found["biases", l] = [layer.biases]
    return found


def enclosures(
    network: Network,
    batch: Batch,
    loss: Loss | str,
    format: Format | str | None,
    turned: Callable[[Ball, Ball], Ball] | None = None,
    forwards: bool = True,
    digits: int = 38,
) -> dict[Key, Matrix[Ball]]:
    """Budgets of all quantities, of outputs and loss only if `forwards`; for no format, the exact values enclosed.

    `turned` makes of a gradient and its parameter what is claimed in their place.
    """
    on = ball(format, digits)
    gradients = backpropagation(network, batch, loss, on)
    found = turned_claim(as_claim(gradients), network, on, turned)
    found |= {("deltas", l): layer.deltas for l, layer in enumerate(gradients.layers)}
    if forwards:
        found["outputs", -1] = forward(network, batch.inputs, on).outputs
        found["loss", -1] = [[evaluate(network, batch, loss, on)]]
    return found


def turned_claim(
    claim: dict[Key, Matrix[Any]], network: Network, on: Arithmetic[Any], turned: Callable[[Any, Any], Any] | None
) -> dict[Key, Matrix[Any]]:
    """Gradients turned into what is claimed in their place, such as updated weights."""
    if turned is None:
        return claim
    found = dict(claim)
    for key, parameters in as_claim(network).items():
        if key in claim:
            found[key] = [[turned(g, w) for g, w in zip(*row)] for row in zip(claim[key], on.lift(parameters))]
    return found


def compare(claim: Claim, budgets: Budgets, returns: str | None = None) -> list[TensorReport]:
    """Every claimed tensor against its budget, what comes first in the forward pass first."""
    return [_compare(key, tensor_name(key, returns), claim[key], budgets[key]) for key in sorted(claim, key=_position)]


def inside(claim: Claim, budgets: Budgets) -> bool:
    """Whether every entry lies in its budget."""
    return all(share(x, b) <= 1 for key in claim for rows in zip(claim[key], budgets[key]) for x, b in zip(*rows))


def same(a: Claim, b: Claim) -> bool:
    """Whether two claims hold the same numbers."""
    return a.keys() == b.keys() and all(list(map(list, a[key])) == list(map(list, b[key])) for key in a)


def _position(key: Key) -> tuple[int, int]:
    place = ORDER.index(key[0]) if key[0] in ORDER else 0  # tensors of a graph stay as they come
    return place if key[0] in ORDER[:2] else 2, -key[1] * 4 + place


def _compare(key: Key, name: str, rows: Matrix, budgets: Matrix[Ball]) -> TensorReport:
    shares = tuple(tuple(share(x, b) for x, b in zip(*pair)) for pair in zip(rows, budgets))
    spread = [x for row in budgets for x in row]
    values = [nearest_double(b.mantissa, b.exponent) for b in spread]
    sizes, radii = sum(map(abs, values)), sum(b.radius for b in spread)
    places = [(i, j) for i, row in enumerate(shares) for j in range(len(row))]
    i, j = max(places, key=lambda place: (not shares[place[0]][place[1]] <= 1, _nan_last(shares[place[0]][place[1]])))
    expected = nearest_double(budgets[i][j].mantissa, budgets[i][j].exponent)
    worst = Entry(name, i, j, rows[i][j], expected, budgets[i][j].radius, shares[i][j])
    unit = ulp(max(map(abs, values)))
    if (format := spread[0].rules.format) is not None:
        unit *= 2.0 ** (53 - format.precision)
    pairs = [
        (x, y, b) for x, y, b in zip((x for row in rows for x in row), values, spread) if y and b.radius <= abs(y) / 2
    ]
    ulps = max((abs(x - y) / unit for x, y, _ in pairs), default=0.0)
    wrong = sum(not x <= 1 for row in shares for x in row)
    resolution = radii / sizes if sizes else 0.0 if radii < FAR_BELOW else inf
    return TensorReport(name, key[0], key[1], len(spread), wrong, shares[i][j], ulps, resolution, worst, shares)


def _nan_last(x: float) -> float:
    return inf if isnan(x) else x


def share(x: float, budget: Ball) -> float:
    """|x − midpoint| / radius, computed exactly; 0 where the budget has no bound.

    >>> from purebp.number_systems.ball import Rules
    >>> budget = Rules(None, 5).ratio(1, 3)
    >>> share(1 / 3, budget) < 1 < share(0.3334, budget)
    True
    """
    if budget.spread is None:
        return 0.0
    if not isfinite(x):
        return inf
    numerator, denominator = x.as_integer_ratio()
    bits = denominator.bit_length() - 1
    exponent = min(budget.exponent, -bits)
    error = abs((numerator << -bits - exponent) - (budget.mantissa << budget.exponent - exponent))
    if not error:
        return 0.0
    try:
        return error / (budget.spread << budget.exponent - exponent) if budget.spread else inf
    except OverflowError:
        return inf
