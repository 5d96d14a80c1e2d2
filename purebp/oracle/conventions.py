"""Conventions: right gradients of a slightly different loss, recognised exactly.

A factor is c nⁱ mʲ, with c from a short list, n samples and m outputs: fitted to nothing, it either is the same on
every case or is none. So is the direction: gradients to be subtracted, their negatives to be added, updated weights.

>>> half = Convention(loss("mse"), Factor(Fraction(1, 2), 1, 1))
>>> half.loss_name, half.sentence
('half_sse', 'the gradient of half the sum of squares, to be subtracted')
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from purebp.number_systems.ball import Ball, Rules, ball
from purebp.number_systems.formats import Format, format_named
from purebp.oracle.answer import STEPS, Claim, as_claim
from purebp.oracle.asking.declared import Declared
from purebp.oracle.asking.penalty import Penalty
from purebp.oracle.cases import Case, default_loss
from purebp.oracle.evidence import Budgets, enclosures
from purebp.textbook.arithmetic import Arithmetic, Matrix
from purebp.textbook.losses import REDUCTIONS, Loss, loss
from purebp.textbook.network import Batch, Layer, Network


@dataclass(frozen=True, slots=True)
class Factor:
    """constant · nˢ · mᵒ, for n samples and m outputs.

    >>> Factor(Fraction(1, 2), -1)(4, 3), str(Factor(Fraction(-1, 2), -1, 1))
    (Fraction(1, 8), '−½ m / n')
    """

    constant: Fraction = Fraction(1)
    samples: int = 0
    outputs: int = 0

    def __call__(self, samples: int, outputs: int) -> Fraction:
        return self.constant * Fraction(samples) ** self.samples * Fraction(outputs) ** self.outputs

    def __mul__(self, other: Factor) -> Factor:
        return Factor(self.constant * other.constant, self.samples + other.samples, self.outputs + other.outputs)

    def __neg__(self) -> Factor:
        return Factor(-self.constant, self.samples, self.outputs)

    @property
    def weight(self) -> int:
        """How much it takes to say it: the plainest explanation comes first."""
        return (abs(self.constant) != 1) + abs(self.samples) + abs(self.outputs) + 2 * (self.samples * self.outputs < 0)

    def __str__(self) -> str:
        named = {Fraction(1, 2): "½", Fraction(1, 4): "¼"}
        size = abs(self.constant)
        above = [] if size == 1 else [named.get(size, str(size))]
        below: list[str] = []
        for symbol, power in (("n", self.samples), ("m", self.outputs)):
            (above if power > 0 else below).extend([symbol] * abs(power))
        text = " ".join(above) or "1"
        return ("−" if self.constant < 0 else "") + (f"{text} / {' '.join(below)}" if below else text)


CONSTANTS = [Fraction(1), Fraction(1, 2), Fraction(2), Fraction(1, 4), Fraction(4)]
FACTORS = sorted(
    (Factor(c, i, j) for c in CONSTANTS for i in (0, -1, 1, -2) for j in (0, -1, 1)), key=lambda factor: factor.weight
)
_IN_FLOATS = [(factor, (float(factor.constant), factor.samples, factor.outputs)) for factor in FACTORS]
ONE = Factor()
COMMON_RATES = [1.0, 0.5, 0.25, 0.1, 0.05, 0.01, 0.001]  # of several that explain a step, the first
_REDUCTION = {"sum": (0, 0), "samples": (-1, 0), "outputs": (0, -1), "entries": (-1, -1)}
_TOTALS = {
    "sum": "the sum of {}",
    "samples": "the sum of {} divided by the number of samples",
    "outputs": "the sum of {} divided by the number of outputs",
    "entries": "the mean of {} over all entries",
}


def plain(chosen: Loss) -> tuple[Loss, Factor]:
    """The loss as a factor times its plain sum; half_sse is half of sse."""
    factor = Factor(Fraction(1), *_REDUCTION[chosen.reduction])
    if chosen.base == "half_sse":
        return loss("sse"), Factor(Fraction(1, 2)) * factor
    return chosen.reduced("sum"), factor


@dataclass(frozen=True, slots=True)
class Convention:
    """What an implementation returns: a factor times the gradient of a loss, and in which direction.

    loss: None is that of a graph, which has its own.
    """

    loss: Loss | None
    factor: Factor = ONE  # of the gradient of that loss, and positive: the sign is in `returns`
    returns: str = "gradients"
    learning_rate: float | None = None
    penalty: Penalty | None = None

    @property
    def named(self) -> Loss | None:
        """The loss of which this is the gradient, if it has a name."""
        if self.loss is None:
            return None
        base, factor = plain(self.loss)
        factor = factor * self.factor
        reductions = {power: name for name, power in _REDUCTION.items()}
        reduction = reductions.get((factor.samples, factor.outputs))
        if reduction is None:
            return None
        if factor.constant == 1:
            return base.reduced(reduction)
        if factor.constant == Fraction(1, 2) and base.base == "sse":
            return loss("half_sse").reduced(reduction)
        return None

    @property
    def base(self) -> str:
        """The base of the loss."""
        return "" if self.loss is None else self.loss.base

    @property
    def loss_name(self) -> str:
        """Its name, or the factor and the name of the loss next to it."""
        whole = "the graph" if self.loss is None else self.loss.name
        return self.named.name if self.named else f"{self.factor} × {whole}"

    @property
    def sentence(self) -> str:
        """In words."""
        rate = f"learning rate {self.learning_rate:g}" if self.learning_rate else ""
        direction = {
            "gradients": "to be subtracted",
            "descent": "with its sign turned, to be added",
            "step": f"as updated weights, {rate}",
            "ascent": f"as weights updated uphill, {rate}",
            "change": f"as the change of the weights, {rate}",
            "rise": f"as the change of the weights with its sign turned, {rate}",
        }[self.returns]
        added = f" with {self.penalty.words}" if self.penalty else ""
        return f"the gradient of {self.words}{added}, {direction}"

    @property
    def words(self) -> str:
        """The loss, in words."""
        if self.loss is None:
            return "the graph" if self.factor == ONE else f"{self.factor} times the graph (n samples, m outputs)"
        if found := self.named:
            half = "half " if found.base == "half_sse" else ""
            return half + _TOTALS[found.reduction].format(found.words)
        return f"{self.factor} times {Convention(self.loss).words} (n samples, m outputs)"

    @property
    def plainness(self) -> tuple[bool, int]:
        """For sorting, the plainest first: what has a name, and of these what is divided by the least."""
        return self.named is None, REDUCTIONS.index(self.named.reduction) if self.named else 0

    def fits(self, declared: Declared) -> bool:
        """Whether nothing that was declared is otherwise."""
        if self.loss is None:
            loss_fits = self.factor == ONE
        elif self.named is None:  # 1/n twice is no convention of any loss
            return False
        else:
            loss_fits = declared.loss is None or self.named == loss(declared.loss)
        rate_fits = self.returns not in STEPS or (
            declared.learning_rate is None or self.learning_rate in (declared.learning_rate, declared.damped_rate)
        )
        uphill = self.returns in ("ascent", "rise")
        rate_fits = rate_fits and self.penalty == declared.penalty
        return loss_fits and rate_fits and declared.returns in (None, self.returns) and not uphill

    def turned(self, samples: int, outputs: int, arithmetic: Arithmetic[Any]) -> Callable[..., Any] | None:
        """What is returned for a gradient g of `self.effective` and its parameter w; None for g itself.

        A penalty is of weights, which is what a third argument says that parameters are, if it is not given.
        """
        factor = self.factor(samples, outputs)
        exact = self.named or (self.loss is None and factor == 1)  # of a graph, sizes are constants: 1 is no factor
        scale = None if exact else arithmetic.ratio(*factor.as_integer_ratio())
        share = None if self.penalty is None else shared(self.penalty, samples, arithmetic)

        def gradient(g: Any, w: Any, kind: str = "weights") -> Any:
            g = g if scale is None else scale * g
            with_penalty = self.penalty is not None and kind in self.penalty.kinds
            return stepped(share * w, -g, samples) if with_penalty else g

        if self.returns == "gradients":
            return None if scale is None and share is None else gradient
        if self.returns == "descent":
            return lambda g, w, kind="weights": -gradient(g, w, kind)
        assert self.learning_rate is not None
        downhill = self.returns in ("step", "change")
        rate = arithmetic.number(self.learning_rate if downhill else -self.learning_rate)
        if self.returns in ("change", "rise"):
            return lambda g, w, kind="weights": -(rate * gradient(g, w, kind))
        return lambda g, w, kind="weights": stepped(w, rate * gradient(g, w, kind), samples)

    @property
    def effective(self) -> Loss:
        """The loss whose gradient `turned` is given."""
        chosen = self.named or self.loss
        assert chosen is not None  # a graph has its own loss
        return chosen


def shared(penalty: Penalty, samples: int, arithmetic: Arithmetic[Any]) -> Any:
    """What a penalty multiplies each parameter by, where there are n samples."""
    rate = arithmetic.number(float(penalty.rate))
    return rate * arithmetic.ratio(1, samples) if penalty.by_samples and samples > 1 else rate


def stepped(parameter: Any, change: Any, samples: int) -> Any:
    """parameter − change, also if each of n samples makes its change for itself, one after the other.

    Then n partial sums are rounded, each at most |w| + η Σ|gₛ|. The radius of the change is at least η γₙ Σ|gₛ|, from
    the sum over the samples in its gradient; twice n u |w| and twice that radius hold the rounding errors, and theirs.
    """
    result = parameter - change
    if not isinstance(result, Ball) or result.rules.format is None or result.spread is None or change.spread is None:
        return result
    format, low = result.rules.format, min(result.exponent, parameter.exponent, change.exponent)
    size = abs(parameter.mantissa) + (parameter.spread or 0) << parameter.exponent - low
    inherited = change.spread << change.exponent - low + format.accumulate_bits - format.precision
    extra = (2 * samples * size >> format.precision) + 1 + 2 * inherited
    return Ball(
        result.mantissa << result.exponent - low, low, (result.spread << result.exponent - low) + extra, result.rules
    )


def default_convention(declared: Declared) -> Convention:
    """What answers follow where nothing is declared otherwise."""
    chosen = default_loss(declared.per_layer(), declared.loss)
    return Convention(chosen, ONE, declared.returns or "gradients", declared.learning_rate, declared.penalty)


def budgets(case: Case, convention: Convention, format: Format | str, claim: Claim) -> Budgets:
    """The budgets of what is claimed of a case, under a convention."""
    turned = convention.turned(len(case.batch.targets), len(case.batch.targets[0]), ball(format))
    forwards = any(kind in ("outputs", "loss") for kind, _ in claim)
    network, batch = read_off(case.network, case.batch, format) if case.long else (case.network, case.batch)
    found = enclosures(network, batch, convention.effective, format, turned, forwards)
    if convention.penalty and forwards:
        found["loss", -1] = [
            [_with_or_without(convention.penalty, network, found["loss", -1][0][0], len(batch.inputs))]
        ]
    return found


def _with_or_without(penalty: Penalty, network: Network | Network[Ball], loss: Ball, samples: int) -> Ball:
    """A loss that is given may hold its penalty, ½ λ |w|², or not."""
    arithmetic = ball(loss.rules.format, loss.rules.digits)
    rows = [row for (kind, _), rows in as_claim(network).items() if kind in penalty.kinds for row in rows]
    squares = [x for row in arithmetic.lift(rows) for x in row]
    ((sum_of_squares,),) = arithmetic.inner([squares], [squares])
    added = shared(penalty, samples, arithmetic) * sum_of_squares * arithmetic.ratio(1, 2)
    return arithmetic.hull([loss, loss + added])


def read_off(network: Network, batch: Batch, format: Format | str) -> tuple[Network[Ball], Batch[Ball]]:
    """Their numbers as somebody reads them whose parser errs by one roundoff."""
    rules = Rules(format_named(format), 38)

    def read(rows: Matrix[Any]) -> list[list[Ball]]:
        return [[rules.rounded(rules.lift_one(x), 1) for x in row] for row in rows]

    layers = [
        Layer(read(layer.weights), None if layer.biases is None else read([layer.biases])[0], layer.activation)
        for layer in network.layers
    ]
    return Network(layers), Batch(read(batch.inputs), read(batch.targets))


def factors(ratios: Sequence[tuple[float, int, int]], tolerance: float) -> Iterator[Factor]:
    """The factors, with their sign, that explain every ratio, each seen with n samples and m outputs; plainest first.

    >>> [str(f) for f in factors([(-0.5, 1, 1), (-0.25, 2, 1)], 1e-9)][:1]
    ['−½ / n']
    """
    for factor, (c, i, j) in _IN_FLOATS:
        if all(abs(abs(ratio) - c * n**i * m**j) <= tolerance * abs(ratio) for ratio, n, m in ratios):
            yield from (
                signed for signed in (factor, -factor) if all(ratio * signed.constant > 0 for ratio, _, _ in ratios)
            )


def shortest(x: float, within: float) -> Fraction:
    """The decimal with the fewest digits that is relatively so near to a number.

    >>> shortest(0.1000000004, 1e-6), shortest(1 / 3, 1e-3)
    (Fraction(1, 10), Fraction(333, 1000))
    """
    found = (Fraction(f"{x:.{digits}g}") for digits in range(1, 17))
    return next((rate for rate in found if abs(rate - Fraction(x)) <= within * abs(x)), Fraction(x))


def unusual(rate: float) -> tuple[int, int]:
    """For sorting, the commonest learning rates first, then those with few digits.

    >>> sorted([0.125, 0.3, 0.1, 1.0], key=unusual)
    [1.0, 0.1, 0.3, 0.125]
    """
    return COMMON_RATES.index(rate) if rate in COMMON_RATES else len(COMMON_RATES), len(f"{rate:g}")
