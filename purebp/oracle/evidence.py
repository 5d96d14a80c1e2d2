"""Evidence: claimed numbers beside their error budgets. What lies outside is provably wrong.

>>> from purebp import Layer
>>> network, batch = Network([Layer([[0.5]], None, "sigmoid")]), Batch([[1.0]], [[0.0]])
>>> budgets = enclosures(network, batch, "half_sse", "binary64")
>>> right = backpropagation(network, batch, "half_sse").layers[0].weights
>>> compare({("weights", 0): [[0.15]]}, budgets)[0].wrong, compare({("weights", 0): right}, budgets)[0].wrong
(1, 0)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf, isfinite, isnan, ulp
from typing import Any

from purebp.number_systems.ball import Ball, ball
from purebp.number_systems.formats import Format, rounds_to
from purebp.oracle.answer import LOCAL, ORDER, Answer, Claim, Key, as_claim, tensor_name
from purebp.oracle.certify import nearest_double
from purebp.textbook import losses
from purebp.textbook.arithmetic import Arithmetic, Matrix
from purebp.textbook.backprop import backpropagation, forward
from purebp.textbook.losses import Loss
from purebp.textbook.network import Batch, Network

Turned = Callable[[Any, Any, str], Any]
Budgets = Mapping[Key, Matrix[Ball]]
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
    decided. Where all are 0 it is 0, unless the budget is no small number. open: the entries whose own budget holds 0
    and twice the value, so that nothing is decided of them.
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
    open: int = 0

    @property
    def key(self) -> Key:
        return self.kind, self.layer

    @property
    def undecided(self) -> bool:
        return not self.resolution <= UNDECIDED


@dataclass(frozen=True, slots=True)
class Evidence:
    """One answer beside the enclosure of all that it claims, each computed once; complete before anybody judges."""

    case: Any  # `cases.Case` or `graph_cases.GraphCase`
    answer: Answer
    budgets: Budgets
    tensors: tuple[TensorReport, ...]

    @property
    def claim(self) -> Claim:
        return self.answer.claim

    @property
    def passed(self) -> bool:
        """Whether there is nothing against it."""
        return self.answer.fatal is None and not self.off

    @property
    def off(self) -> frozenset[Key]:
        """The tensors that are outside of their budgets somewhere."""
        return frozenset(tensor.key for tensor in self.tensors if tensor.wrong)

    def without(self, keys: Collection[Key]) -> Evidence:
        """What is left without these tensors."""
        claim = {key: rows for key, rows in self.claim.items() if key not in keys}
        tensors = tuple(tensor for tensor in self.tensors if tensor.key not in keys)
        return replace(self, answer=replace(self.answer, claim=claim), tensors=tensors)

    def of_gradients(self) -> Evidence:
        """What concerns weights and biases alone."""
        return self.without([key for key in self.claim if key[0] not in LOCAL])


Enclose = Callable[[Any, Any, Format | str, Claim], Budgets]  # of a case, under a convention, in a format: of a claim


def gathered(
    cases: Sequence[Any], answers: Sequence[Answer], convention: Any, format: Format | str, enclose: Enclose
) -> tuple[Evidence, ...]:
    """Every answer beside its budgets under a convention."""
    pieces = []
    for case, answer in zip(cases, answers, strict=True):
        allowed = enclose(case, convention, format, answer.claim) if answer.claim else {}
        tensors = tuple(compare(answer.claim, allowed, convention.returns))
        pieces.append(Evidence(case, answer, allowed, tensors))
    return tuple(pieces)


def regathered(evidence: Sequence[Evidence], convention: Any, format: Format | str, enclose: Enclose) -> Any:
    """The same answers beside other budgets."""
    return gathered([e.case for e in evidence], [e.answer for e in evidence], convention, format, enclose)


def undecided_tensors(evidence: Sequence[Evidence]) -> list[str]:
    """Tensors that no case decided."""
    seen: dict[str, bool] = {}
    for tensor in (tensor for piece in evidence for tensor in piece.tensors):
        seen[tensor.name] = seen.get(tensor.name, False) or not tensor.undecided
    return [name for name, decided in seen.items() if not decided]


def over_cases(evidence: Sequence[Evidence]) -> tuple[TensorReport, ...]:
    """Each tensor over all cases: entries and wrong ones added up, the largest share and error, the best resolution."""
    merged: dict[str, TensorReport] = {}
    for tensor in (tensor for piece in evidence for tensor in piece.tensors):
        old = merged.get(tensor.name)
        if old is None:
            merged[tensor.name] = tensor
            continue
        merged[tensor.name] = replace(
            tensor if not tensor.share <= old.share else old,
            entries=old.entries + tensor.entries,
            wrong=old.wrong + tensor.wrong,
            open=old.open + tensor.open,
            ulps=max(old.ulps, tensor.ulps),
            resolution=min(filter(None, (old.resolution, tensor.resolution)), default=0.0),
        )
    return tuple(merged.values())


def worst_entry(evidence: Sequence[Evidence]) -> Entry | None:
    """The entry with the largest share of what is allowed, if any is wrong."""
    entries = [tensor.worst for piece in evidence for tensor in piece.tensors if tensor.wrong and tensor.worst]
    return max(entries, key=lambda entry: entry.share, default=None)


def enclosures(
    network: Network | Network[Ball],
    batch: Batch | Batch[Ball],
    loss: Loss | str,
    format: Format | str | None,
    turned: Turned | None = None,
    forwards: bool = True,
    digits: int = 38,
) -> dict[Key, Matrix[Ball]]:
    """Budgets of all quantities, of outputs and loss only if `forwards`; for no format, the exact values enclosed.

    `turned` makes of a gradient and its parameter, "weights" or "biases", what is claimed in their place.
    """
    arithmetic = ball(format, digits)
    gradients = backpropagation(network, batch, loss, arithmetic)
    found = turned_claim(as_claim(gradients), network, arithmetic, turned)
    found |= {("deltas", l): layer.deltas for l, layer in enumerate(gradients.layers)}
    if forwards:
        trace, f = forward(network, batch.inputs, arithmetic), network.layers[-1].activation
        z, targets = trace.pre_activations[-1], arithmetic.lift(batch.targets)
        found["outputs", -1] = trace.outputs
        found["loss", -1] = [[losses.loss(loss).at(f, z, trace.outputs, targets, arithmetic)]]
    return found


def turned_claim(
    claim: dict[Key, Matrix[Any]],
    network: Network | Network[Ball],
    arithmetic: Arithmetic[Any],
    turned: Turned | None,
) -> dict[Key, Matrix[Any]]:
    """Gradients turned into what is claimed in their place, such as updated weights."""
    if turned is None:
        return claim
    found = dict(claim)
    for key, parameters in as_claim(network).items():
        if key in claim:
            pairs = zip(claim[key], arithmetic.lift(parameters))
            found[key] = [[turned(g, w, key[0]) for g, w in zip(*row)] for row in pairs]
    return found


def compare(claim: Claim, budgets: Budgets, returns: str | None = None) -> list[TensorReport]:
    """Every claimed tensor against its budget, what comes first in the forward pass first."""
    return [_compare(key, tensor_name(key, returns), claim[key], budgets[key]) for key in sorted(claim, key=_position)]


def inside(claim: Claim, budgets: Budgets) -> bool:
    """Whether every entry lies in its budget."""
    return all(share(x, b) <= 1 for key in claim for rows in zip(claim[key], budgets[key]) for x, b in zip(*rows))


def rounded_anew(claims: Sequence[Claim], piece: Evidence) -> bool:
    """Whether further answers differ from the one that is judged by no more than right ones may.

    Those in the place of a right one lie in its budgets; those in the place of another one, no further from it than two
    right ones from each other.
    """
    if any(claim.keys() != piece.claim.keys() for claim in claims):
        return False
    if piece.passed:
        return all(inside(claim, piece.budgets) for claim in claims)
    return all(
        x == y or abs(x - y) <= 2 * storable(b).radius
        for claim in claims
        for key, rows in claim.items()
        for row in zip(rows, piece.claim[key], piece.budgets[key])
        for x, y, b in zip(*row)
    )


def _position(key: Key) -> tuple[int, int]:
    place = ORDER.index(key[0]) if key[0] in ORDER else 0  # tensors of a graph stay as they come
    return place if key[0] in ORDER[:2] else 2, -key[1] * 4 + place


def _compare(key: Key, name: str, rows: Matrix, budgets: Matrix[Ball]) -> TensorReport:
    held = [[storable(b) for b in row] for row in budgets]
    shares = tuple(tuple(share(x, b) for x, b in zip(*pair)) for pair in zip(rows, budgets))
    spread = [x for row in budgets for x in row]
    values = [nearest_double(b.mantissa, b.exponent) for b in spread]
    reach = [b.radius + _stored_off(y, spread[0]) for b, y in zip((b for row in held for b in row), values)]
    sizes, radii, format = sum(map(abs, values)), sum(reach), spread[0].rules.format
    places = [(i, j) for i, row in enumerate(shares) for j in range(len(row))]
    i, j = max(places, key=lambda place: (not shares[place[0]][place[1]] <= 1, _nan_last(shares[place[0]][place[1]])))
    expected = nearest_double(held[i][j].mantissa, held[i][j].exponent)
    worst = Entry(name, i, j, rows[i][j], expected, held[i][j].radius, shares[i][j])
    unit = ulp(max(map(abs, values)))
    if format is not None:
        unit *= 2.0 ** (53 - format.of_numbers.precision)
    pairs = [
        (x, y, b) for x, y, b in zip((x for row in rows for x in row), values, spread) if y and b.radius <= abs(y) / 2
    ]
    ulps = max((abs(x - y) / unit for x, y, _ in pairs), default=0.0)
    wrong = sum(not x <= 1 for row in shares for x in row)
    resolution = radii / sizes if sizes else 0.0 if radii < FAR_BELOW else inf
    open = sum(r == inf or 0 < abs(y) <= r for r, y in zip(reach, values))
    return TensorReport(name, key[0], key[1], len(spread), wrong, shares[i][j], ulps, resolution, worst, shares, open)


def _stored_off(y: float, budget: Ball) -> float:
    """By how much a right number that is stored once may be off on top of that: half a unit, or all of it, flushed to 0."""
    kept = budget.rules.kept
    return 0.0 if kept is None else kept.storage * abs(y) if abs(y) >= kept.smallest_normal else kept.smallest_normal


def _nan_last(x: float) -> float:
    return inf if isnan(x) else x


def storable(budget: Ball) -> Ball:
    """Where a format stores results once, from a lower end rounded to an upper end rounded; else the budget as it is.

    Rounding is monotone: whatever of the budget is stored lies between these. A subnormal one may be flushed to 0.

    >>> from purebp.number_systems.formats import BFLOAT16, stored_once
    >>> third = ball(stored_once(BFLOAT16)).ratio(1, 3)
    >>> float(storable(third).midpoint), storable(third).radius
    (0.333984375, 0.0)
    """
    kept, spread = budget.rules.kept, budget.spread
    if kept is None or spread is None:
        return budget
    unit = Fraction(2) ** budget.exponent
    low, high = (rounds_to((budget.mantissa + side * spread) * unit, kept) for side in (-1, 1))
    rules = replace(budget.rules, format=kept)
    if not isfinite(high - low):
        return budget._replace(spread=None, rules=rules)
    low, high = 0.0 if 0 < low < kept.smallest_normal else low, 0.0 if 0 > high > -kept.smallest_normal else high
    bits = max(x.as_integer_ratio()[1].bit_length() for x in (low, high))
    first, last = (int(x * Fraction(2) ** bits) for x in (low, high))  # twice, in units of 2^−bits
    return Ball(first + last >> 1, -bits, last - first >> 1, rules)


def share(x: float, budget: Ball) -> float:
    """|x − midpoint| / radius, computed exactly, of the budget of what may be stored; 0 where it has no bound.

    >>> from purebp.number_systems.ball import Rules
    >>> budget = Rules(None, 5).ratio(1, 3)
    >>> share(1 / 3, budget) < 1 < share(0.3334, budget)
    True
    """
    if (kept := budget.rules.kept) is not None:
        x = rounds_to(x, kept)  # as who prints it with few digits may not have it
    budget = storable(budget)
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
