"""Whether gradients are difference quotients: of which kind, and with what step, which is fitted from their error.

A quotient of step h errs by f″ h / 2 if it is one-sided and by f‴ h² / 6 if it is central, and by the rounding of the
loss divided by h. Where the first is seen, h follows from it; where the second is, every number times its step is a
whole number of units in the last place of the loss, which no other gradient is.

>>> from purebp import Batch, Network
>>> from purebp.oracle import judge
>>> network, batch = Network.random([2, 3, 1], "tanh", seed=4), Batch([[0.5, -1.0]], [[1.0]])
>>> def loss(i, h):
...     moved = [w + h * (i == j) for j, w in enumerate(network.parameters())]
...     return evaluate(network.with_parameters(moved), batch)
>>> layers = network.with_parameters([(loss(i, 1e-3) - loss(i, 0)) / 1e-3 for i in range(13)]).layers
>>> print(judge(network, batch, ([layer.weights for layer in layers], [layer.biases for layer in layers])).notes[0])
Every number is that of a forward finite difference with a step of 0.001: an approximation, no backpropagation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from math import inf, isfinite, log2, sqrt, ulp
from typing import NamedTuple

from purebp.oracle.certify import nearest_double
from purebp.oracle.conventions import Convention
from purebp.oracle.evidence import Evidence
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.backprop import evaluate

STEP = 3e-3  # for the derivatives that the errors begin with: to five digits or so
ROOM = 40  # units in the last place of the loss, for its own computation
SMALLEST, LARGEST = 1e-14, 0.7  # steps
COARSE = 1e-3  # beyond such a step, the error is more than its first term
ALIKE = 0.5  # is the cosine between the errors seen and those of a quotient at least
FEWEST = 4  # numbers that fit by chance
SEEN = 0.3  # of the errors may be left unexplained


class Kind(NamedTuple):
    """Of a quotient (f(w + right h) − f(w − left h)) / h: and the power of h that its error begins with."""

    name: str
    right: int
    left: int
    order: int


EPSILON = 2.0**-52
USUAL = sorted(  # steps that people take: powers of ten and of two, halves of them, and roots of ε
    {10.0**-k for k in range(1, 14)}
    | {c * 10.0**-k for c in (2, 5) for k in range(2, 14)}
    | {2.0**-k for k in range(4, 44)}
    | {sqrt(EPSILON), EPSILON ** (1 / 3)}
)
KINDS = (Kind("forward", 1, 0, 1), Kind("backward", 0, 1, 1), Kind("central", 1, 1, 2))
Scale = Callable[[float], float]
SCALES: dict[str, Scale] = {"": lambda w: 1.0, " |w|": abs, " max(1, |w|)": lambda w: max(1.0, abs(w))}


@dataclass(frozen=True)
class Answered:
    """An answer on one case, as one list, beside the loss, which can be asked for exactly at any place."""

    piece: Evidence
    convention: Convention

    @cached_property
    def parameters(self) -> list[float]:
        found: list[float] = self.piece.case.network.parameters()
        return found

    @cached_property
    def keys(self) -> list[tuple[str, int]]:
        return sorted(self.piece.claim, key=lambda key: (key[1], key[0] == "biases"))

    @cached_property
    def given(self) -> list[float]:
        return [x for key in self.keys for row in self.piece.claim[key] for x in row]

    @cached_property
    def exact(self) -> list[float]:
        return [
            nearest_double(b.mantissa, b.exponent) for key in self.keys for row in self.piece.budgets[key] for b in row
        ]

    @cached_property
    def loss(self) -> float:
        return self.rounded(0, 0.0)

    def rounded(self, i: int, step: float) -> float:
        """The loss with one parameter moved, as floats compute it."""
        numbers = [w + step if i == j else w for j, w in enumerate(self.parameters)]
        case = self.piece.case
        found: float = evaluate(case.network.with_parameters(numbers), case.batch, self.convention.effective)
        return found

    def quotient(self, kind: Kind, i: int, h: float) -> float:
        return (self.rounded(i, kind.right * h) - self.rounded(i, -kind.left * h)) / ((kind.right + kind.left) * h)

    def errors(self, kind: Kind, h: float, scale: Scale) -> list[float]:
        """By how much the quotients of that step differ from the gradient."""
        steps = [h * scale(w) for w in self.parameters]
        if h > COARSE:  # the rounding of floats is nothing beside them
            return [self.quotient(kind, i, step) - g for i, (step, g) in enumerate(zip(steps, self.exact))]
        return [c * step**kind.order for c, step in zip(self.coefficients[kind.name], steps)]

    @cached_property
    def coefficients(self) -> dict[str, list[float]]:
        """Of h in the error of a one-sided quotient, f″/2, and of h² in that of a central one, f‴/6; by differences."""
        found: dict[str, list[float]] = {kind.name: [] for kind in KINDS}
        for i in range(len(self.parameters)):
            far, left, right, farther = (self.rounded(i, k * STEP) for k in (-2, -1, 1, 2))
            curvature = (right - 2 * self.loss + left) / STEP**2
            found["forward"].append(curvature / 2)
            found["backward"].append(-curvature / 2)
            found["central"].append((farther - 2 * right + 2 * left - far) / (2 * STEP**3) / 6)
        return found

    def fitted(self, kind: Kind, scale: Scale) -> tuple[float, float] | None:
        """The step whose errors are nearest to those seen (least squares), and what they leave of these, from 0 to 1."""
        if not all(map(scale, self.parameters)):
            return None
        seen = [x - g for x, g in zip(self.given, self.exact)]
        h, size = SMALLEST, sqrt(sum(x * x for x in seen))
        for _ in range(12):
            errors = self.errors(kind, h, scale)
            along, length = sum(e * x for e, x in zip(errors, seen)), sqrt(sum(e * e for e in errors))
            if along <= ALIKE * length * size:
                return None
            share = along / length**2
            before, h = h, h * share ** (1 / kind.order)
            if not SMALLEST <= h <= LARGEST:
                return None
            if abs(h - before) < 1e-6 * h:
                break
        left = [x - e for x, e in zip(seen, self.errors(kind, h, scale))]
        return _rounded(h), sqrt(sum(x * x for x in left)) / size

    @cached_property
    def short(self) -> bool:
        """Whether all numbers have few digits, as if rounded to a shorter format: they are multiples of many steps."""
        whole = (abs(x.as_integer_ratio()[0]) for x in self.given)
        return all((n // (n & -n)).bit_length() <= 26 for n in whole if n)

    def whole_ulps(self, kind: Kind, h: float, scale: Scale) -> bool:
        """Whether every number times its step is a multiple of half an ulp of the loss, as a difference of two losses is.

        A number that is none passes by chance where the step is large; multiples of the step pass as well.
        """
        widths = [(kind.right + kind.left) * h * scale(w) for w in self.parameters]
        counts = [2 * x * width / ulp(self.loss) for x, width in zip(self.given, widths)]
        telling = [n for n in counts if 0 < abs(n) < 2.0**47]  # beyond, the quotient's own rounding hides it
        return len(telling) > 3 and all(abs(n - round(n)) < 0.05 for n in telling)

    def distance(self, kind: Kind, h: float, scale: Scale) -> float:
        """From the quotients of that step, as floats compute them, in roundoffs of the loss: the mean, over the entries."""
        steps = [h * scale(w) for w in self.parameters]
        if not all(steps):
            return inf
        pairs = enumerate(zip(self.given, steps))
        away = [abs(x - self.quotient(kind, i, step)) * step / ulp(self.loss) for i, (x, step) in pairs]
        return inf if max(away) > ROOM else sum(away) / len(away)


def difference_quotient(evidence: Sequence[Evidence], convention: Convention) -> str:
    """The sentence that says so; "" if the smallest cases that are off were answered otherwise."""
    off = [piece for piece in evidence if piece.off]
    if convention.returns != "gradients" or 2 * len(off) < len(evidence):
        return ""
    smallest = sorted(off, key=lambda piece: len(piece.case.network.parameters()))[:2]
    asked = [Answered(piece, convention) for piece in smallest]
    if any(len(one.given) != len(one.parameters) or not all(map(isfinite, one.given)) for one in asked):
        return ""
    if sum(len(one.given) for one in asked) < FEWEST:
        return ""
    try:
        found = _by_its_error(asked) or _by_rounding(asked)
    except PurebpError:  # the loss is not defined where a parameter is moved to, as a cross-entropy below 0
        return ""
    return found and f"Every number is that of a {found}: an approximation, no backpropagation."


def _by_its_error(asked: Sequence[Answered]) -> str:
    """What quotients err by their step: all of them by the same one."""
    fits = []
    for (name, scale), kind in product(SCALES.items(), KINDS):
        if fitted := asked[0].fitted(kind, scale):
            fits.append((fitted[1], fitted[0], kind, name))
    for left, h, kind, name in sorted(fits, key=lambda fit: fit[0])[:1]:
        again = [one.fitted(kind, SCALES[name]) for one in asked[1:]]
        if left < SEEN and all(fit and fit[1] < SEEN and abs(fit[0] - h) < h / 10 for fit in again):
            return f"{kind.name} finite difference with a step of {h:.3g}{name}"
    return ""


def _by_rounding(asked: Sequence[Answered]) -> str:
    """What quotients err by the rounding of the loss: multiples of its last place, over the step."""
    fits = []
    if any(one.short for one in asked):
        return ""
    for (name, scale), kind in product(SCALES.items(), KINDS):
        steps = (h for h in USUAL if all(one.whole_ulps(kind, h, scale) for one in asked))
        for h in islice(steps, 4):  # multiples of the step pass as well
            fits.append((max(one.distance(kind, h, scale) for one in asked), h, kind, name))
    (best, h, kind, name), *others = sorted(fits, key=lambda fit: fit[0]) or [(inf, 0.0, KINDS[0], "")]
    if best == inf:
        return ""
    sure = all(other > 2 * best + 0.1 for other, _, another, _ in others if another != kind)
    return f"{kind.name + ' ' if sure else ''}finite difference with a step of {h:.3g}{name}"


def _rounded(h: float) -> float:
    """A usual step that is nearly so large, or the step itself."""
    near = min(USUAL, key=lambda usual: abs(log2(usual / h)))
    return near if abs(near - h) < 0.01 * h else h
