"""Losses as data: what an entry contributes, its derivative, and what the sum is divided by.

With outputs ŷ and targets y, both n samples × m outputs:

| name | definition |
| --- | --- |
| `sse`, `half_sse` | Σ (ŷ − y)², and half of it |
| `mse`, `half_mse` | 1/(n m) Σ (ŷ − y)², and half of it |
| `mae` | 1/(n m) Σ ǀŷ − yǀ, with derivative 0 where ŷ = y |
| `huber(d)` | 1/(n m) Σ h(ŷ − y), where h(e) = ½ e² for ǀeǀ ≤ d, d (ǀeǀ − ½ d) beyond |
| `binary_cross_entropy` | −1/(n m) Σ y log ŷ + (1 − y) log(1 − ŷ) |
| `cross_entropy` | −1/n Σ y log ŷ |

`loss.reduced("sum" | "samples" | "outputs" | "entries")` divides the sum by 1, n, m or n m instead.

>>> mse([[1.0, 2.0]], [[0.0, 4.0]]), mse.derivative([[1.0, 2.0]], [[0.0, 4.0]])
(2.5, [[1.0, -2.0]])
>>> sse.reduced("entries") == mse, half_sse.reduced("samples").name
(True, 'half_sse/samples')
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from math import isfinite
from typing import Any, Literal, Protocol

from purebp.textbook.activations import Activation, exponentials, sigmoid, softmax, softplus
from purebp.textbook.arithmetic import DEFAULT, Arithmetic, Bounds, Function, Matrix, N, PurebpError
from purebp.textbook.linalg import shape, subtract, total
from purebp.textbook.names import look_up
from purebp.textbook.validation import matrix

REDUCTIONS = ("sum", "samples", "outputs", "entries")


class Summand(Protocol):
    """A function of one output and its target."""

    def __call__(self, output: N, target: N, arithmetic: Arithmetic[N], /) -> N: ...


class Pairing(Protocol):
    """A function of a matrix and the targets."""

    def __call__(self, rows: Matrix[N], targets: Matrix[N], arithmetic: Arithmetic[N], /) -> Matrix[N]: ...


@dataclass(frozen=True)
class Fusion:
    """A loss together with the activation before it: summands from z, and δ from a = f(z), both stable."""

    activation: Activation
    summands: Pairing
    deltas: Pairing


@dataclass(frozen=True)
class Loss:
    """A sum of summands, divided; losses are equal when base and reduction are.

    base_title is what a node of a graph that computes it is called, base_definition the formula in ASCII, in which
    `parameter` stands for the number in the name. If the mean over all entries has a name of its own, `mean` is that
    name, its title and its definition. targets says which suit it: any "real" numbers, "binary" ones, 0 or 1, or
    "one_hot" rows.
    """

    base: str
    natural: str  # the reduction that the base name alone stands for
    summand: Summand = field(compare=False, repr=False)
    slope: Summand = field(compare=False, repr=False)
    fusion: Fusion | None = field(default=None, compare=False, repr=False)
    reduction: str = ""
    samples: int | None = None  # of the whole batch, where this one is a part of it
    base_title: str = field(default="", compare=False, repr=False)
    base_definition: str = field(default="", compare=False, repr=False)
    parameter: str = field(default="", compare=False, repr=False)
    words: str = field(default="", compare=False, repr=False)  # what is summed, in the plural
    targets: Literal["real", "binary", "one_hot"] = field(default="real", compare=False, repr=False)
    of_error: bool = field(default=False, compare=False, repr=False)  # a function of ŷ − y: ∂loss/∂y = −∂loss/∂ŷ
    linear_in_targets: bool = field(default=False, compare=False, repr=False)
    mean: tuple[str, str, str] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reduction", self.reduction or self.natural)
        object.__setattr__(self, "base_title", self.base_title or self.base.partition("(")[0])
        object.__setattr__(self, "words", self.words or f"{self.base} losses")

    def __reduce__(self) -> tuple[Callable[..., Loss], tuple[Any, ...]]:
        """Formulas do not pickle: the name finds those of this package again, and others are missed where they are used."""
        if self.base.startswith("huber(") or (self.base in LOSSES and LOSSES[self.base].summand is self.summand):
            return _restored, (self.name, self.samples)
        held = {each.name: getattr(self, each.name) for each in fields(self)}
        return Loss, (*{**held, "summand": _missed, "slope": _missed, "fusion": None}.values(),)

    @property
    def _called(self) -> tuple[str, str, str]:
        if self.mean and self.reduction == "entries":
            return self.mean
        name = self.base if self.reduction == self.natural else f"{self.base}/{self.reduction}"
        return name, self.base_title, self.base_definition

    @property
    def name(self) -> str:
        """The name that finds it again."""
        return self._called[0]

    @property
    def title(self) -> str:
        """What a node of a graph that computes it is called, without parameter and reduction."""
        return self._called[1]

    @property
    def definition(self) -> str:
        """The formula, for the reduction that the base name alone stands for, or for a mean with a name of its own."""
        return self._called[2]

    @property
    def form(self) -> str:
        """The name, with the letter of the definition in the place of its number.

        >>> huber(0.5).form, mse.form
        ('huber(d)', 'mse')
        """
        return f"{self.name.partition('(')[0]}({self.parameter})" if self.parameter else self.name

    def reduced(self, reduction: str) -> Loss:
        """The same loss with its sum divided by 1 ("sum"), the "samples", the "outputs" or all "entries"."""
        if reduction not in REDUCTIONS:
            raise PurebpError(f"unknown reduction {reduction!r}; known are {', '.join(REDUCTIONS)}")
        return replace(self, reduction=reduction)

    def over(self, samples: int) -> Loss:
        """What a part of a batch of that many samples contributes: over parts, it adds up to the loss of the whole.

        >>> part = mse.over(2)
        >>> part([[3.0]], [[0.0]]) + part([[1.0]], [[0.0]]) == mse([[3.0], [1.0]], [[0.0], [0.0]])
        True
        """
        return replace(self, samples=samples)

    def __call__(self, outputs: Matrix[N], targets: Matrix[N], arithmetic: Arithmetic[N] = DEFAULT) -> N:
        """The loss; outputs and targets are samples × n_out."""
        a, y = _pair(outputs, targets, arithmetic)
        return self._total([[self.summand(p, t, arithmetic) for p, t in zip(*rows)] for rows in zip(a, y)], arithmetic)

    def derivative(self, outputs: Matrix[N], targets: Matrix[N], arithmetic: Arithmetic[N] = DEFAULT) -> list[list[N]]:
        """∂loss/∂ŷ, samples × n_out."""
        return self.slopes(*_pair(outputs, targets, arithmetic), arithmetic)

    def slopes(self, a: Matrix[N], y: Matrix[N], arithmetic: Arithmetic[N]) -> list[list[N]]:
        """`derivative` of numbers that are lifted already."""
        _check_shapes(a, y)
        factor, slope = self._factor(a, arithmetic), self.slope
        try:
            return [[factor * slope(p, t, arithmetic) for p, t in zip(row, other)] for row, other in zip(a, y)]
        except ZeroDivisionError:
            advice = "binary_cross_entropy after sigmoid, and cross_entropy after softmax, do without the division"
            raise PurebpError(f"{self.name} has no derivative at an output of exactly 0 or 1; {advice}") from None

    def fused_with(self, f: Activation) -> Fusion | None:
        """The closed form of this loss after the activation f, if there is one."""
        return self.fusion if self.fusion is not None and self.fusion.activation == f else None

    def at(self, f: Activation, z: Matrix[N], a: Matrix[N], y: Matrix[N], arithmetic: Arithmetic[N]) -> N:
        """The loss of the outputs a = f(z), from z itself where that is the stable way."""
        if fusion := self.fused_with(f):
            stable = self._total(fusion.summands(*_pair(z, y, arithmetic), arithmetic), arithmetic)
            return arithmetic.either(stable, lambda: self(a, y, arithmetic))
        return self(a, y, arithmetic)

    def closed_deltas(
        self, f: Activation, a: Matrix[N], y: Matrix[N], arithmetic: Arithmetic[N]
    ) -> list[list[N]] | None:
        """δ = ∂loss/∂z of the outputs a = f(z) in closed form, such as ŷ − y; None where there is none."""
        _check_shapes(a, y)
        if not (fusion := self.fused_with(f)):
            return None
        factor = self._factor(a, arithmetic)
        return [[factor * delta for delta in row] for row in fusion.deltas(a, y, arithmetic)]

    def divisor(self, samples: int, outputs: int) -> int:
        """What the sum is divided by: 1, n, m or n m.

        >>> mse.divisor(4, 2)
        8
        """
        n = self.samples or samples
        return {"sum": 1, "samples": n, "outputs": outputs, "entries": n * outputs}[self.reduction]

    def _total(self, summands: Matrix[N], arithmetic: Arithmetic[N]) -> N:
        return total([x for row in summands for x in row], arithmetic) * self._factor(summands, arithmetic)

    def _factor(self, rows: Matrix[N], arithmetic: Arithmetic[N]) -> N:
        return arithmetic.ratio(1, self.divisor(*shape(rows)))


def _pair(outputs: Matrix[N], targets: Matrix[N], arithmetic: Arithmetic[N]) -> tuple[Matrix[N], Matrix[N]]:
    a, y = matrix("outputs", outputs), matrix("targets", targets)
    _check_shapes(a, y)
    return arithmetic.lift(a), arithmetic.lift(y)


def _check_shapes(a: Matrix[N], y: Matrix[N]) -> None:
    if shape(a) != shape(y):
        raise PurebpError(f"outputs are {shape(a)}, targets {shape(y)}: both must be samples × n_out")


def of_error(base: str, value: Function, derivative: Function, natural: str = "entries", **rest: Any) -> Loss:
    """The loss that is a function of the error ŷ − y alone; natural is the reduction that its name stands for.

    >>> quartic = of_error("quartic", Function("e⁴", lambda e, _: e * e * e * e), Function("4e³", lambda e, _: 4 * e * e * e))
    >>> quartic([[3.0]], [[1.0]]), quartic.derivative([[3.0]], [[1.0]]), quartic.reduced("sum").name
    (16.0, [[32.0]], 'quartic/sum')
    """
    return Loss(
        base,
        natural,
        lambda p, t, arithmetic: arithmetic.elementwise(value, [[p - t]])[0][0],
        lambda p, t, arithmetic: arithmetic.elementwise(derivative, [[p - t]])[0][0],
        of_error=True,
        **rest,
    )


sse = Loss(
    "sse",
    "sum",
    lambda p, t, arithmetic: (p - t) * (p - t),
    lambda p, t, arithmetic: 2 * (p - t),
    base_title="SSE",
    base_definition="sum over all entries of (output - target)^2",
    words="squares",
    of_error=True,
    mean=("mse", "MSE", "mean over all entries of (output - target)^2"),
)
half_sse = Loss(
    "half_sse",
    "sum",
    lambda p, t, arithmetic: (p - t) * (p - t) / 2,
    lambda p, t, arithmetic: p - t,
    base_title="HalfSSE",
    base_definition="half of sse",
    words="squares",
    of_error=True,
    mean=("half_mse", "HalfMSE", "half of mse"),
)
mse, half_mse = sse.reduced("entries"), half_sse.reduced("entries")
_sign = Function(
    "mae′",
    lambda e, arithmetic: arithmetic.ratio(1 if arithmetic.less(0, e) else -1 if arithmetic.less(e, 0) else 0, 1),
    Bounds(kinks=((0.0, -1.0, 1.0),)),
    Function("mae″", lambda e, arithmetic: arithmetic.zero, Bounds()),
)
mae = of_error(
    "mae",
    Function("mae", lambda e, arithmetic: -e if arithmetic.less(e, 0) else e, Bounds(kinks=((0.0, 0.0, 0.0),)), _sign),
    _sign,
    base_title="MAE",
    base_definition="mean over all entries of |output - target|",
    words="absolute errors",
)


def huber(delta: float = 1.0) -> Loss:
    """h(e) = ½ e² for |e| ≤ delta, delta (|e| − ½ delta) beyond.

    >>> huber(1.0)([[3.0]], [[0.0]]), huber(1.0).derivative([[3.0]], [[0.0]])
    (2.5, [[1.0]])
    """
    if not (isfinite(delta) and delta > 0):
        raise PurebpError(f"huber({delta}): delta must be a positive number")

    def clipped(e: N, arithmetic: Arithmetic[N]) -> N:
        bound = arithmetic.number(delta)
        return bound if arithmetic.less(bound, e) else -bound if arithmetic.less(e, -bound) else e

    def value(e: N, arithmetic: Arithmetic[N]) -> N:
        """With c = e clipped to ±delta, both branches of h are c (2 e − c) / 2, and h′ = c."""
        return clipped(e, arithmetic) * (2 * e - clipped(e, arithmetic)) / 2

    def curvature(e: N, arithmetic: Arithmetic[N]) -> N:
        bound = arithmetic.number(delta)
        return arithmetic.zero if arithmetic.less(bound, e) or arithmetic.less(e, -bound) else arithmetic.one

    name = f"huber({float(delta)!r})"
    second = Function(f"{name}″", curvature, Bounds(kinks=((-delta, 0.0, 1.0), (delta, 1.0, 0.0))))
    derivative = Function(f"{name}′", clipped, Bounds(lambda e, arithmetic: arithmetic.one), second)
    return of_error(
        name,
        Function(name, value, Bounds(clipped), derivative),
        derivative,
        base_title="Huber",
        base_definition="mean over all entries of h(output - target), h(e) = e^2/2 for |e| <= d, d (|e| - d/2) beyond",
        parameter="d",
    )


def _weighted(y: N, off: int, f: Callable[[N], N], x: N, arithmetic: Arithmetic[N]) -> N:
    """y f(x) where off = 0, (1 − y) f(x) where it is 1; and 0 where y is `off` for certain, whatever f(x) is: 0 log 0 = 0."""
    weight = 1 - y if off else y
    return weight if arithmetic.order(y, off) == 0 else weight * f(x)


def _share(p: N, rest: N, arithmetic: Arithmetic[N]) -> N:
    """p, unless it or the rest is negative for certain."""
    if -1 in (arithmetic.order(p, 0), arithmetic.order(rest, 0)):
        raise PurebpError("cross-entropies are of outputs from 0 to 1: let the network end in sigmoid or softmax")
    return p


def _reciprocal(x: N) -> N:
    return 1 / x


def _softmax_deltas(a: Matrix[N], y: Matrix[N], arithmetic: Arithmetic[N]) -> Matrix[N]:
    """ŷ Σy − y, which is ŷ − y where the targets of a sample sum to 1."""
    sums = [total(row, arithmetic) for row in y]
    return [[p * s - t for p, t in zip(outputs, targets)] for outputs, targets, s in zip(a, y, sums)]


def _log_softmax_summands(z: Matrix[N], y: Matrix[N], arithmetic: Arithmetic[N]) -> Matrix[N]:
    """−y log softmax(z) = y (log Σ e^z − z), both taken from the largest z on."""
    summands = []
    for row, targets in zip(z, y):
        largest, _, total_power = exponentials(row, arithmetic)
        rest = arithmetic.log(total_power)
        summands.append([_weighted(t, 0, lambda x: rest - (x - largest), x, arithmetic) for x, t in zip(row, targets)])
    return summands


binary_cross_entropy = Loss(
    "binary_cross_entropy",
    "entries",
    lambda p, t, arithmetic: (
        -_weighted(t, 0, arithmetic.log, _share(p, 1 - p, arithmetic), arithmetic)
        - _weighted(t, 1, arithmetic.log1p, -p, arithmetic)
    ),
    lambda p, t, arithmetic: (
        _weighted(t, 1, _reciprocal, 1 - p, arithmetic)
        - _weighted(t, 0, _reciprocal, _share(p, 1 - p, arithmetic), arithmetic)
    ),
    fusion=Fusion(
        sigmoid,
        lambda z, y, arithmetic: [
            [(1 - t) * softplus(x, arithmetic) + t * softplus(-x, arithmetic) for x, t in zip(*rows)]
            for rows in zip(z, y)
        ],
        lambda a, y, arithmetic: subtract(a, y),
    ),
    base_title="BinaryCrossEntropy",
    base_definition="mean over all entries of -(y log(output) + (1 - y) log(1 - output)), y the target",
    words="binary cross-entropies",
    targets="binary",
    linear_in_targets=True,
)
cross_entropy = Loss(
    "cross_entropy",
    "samples",
    lambda p, t, arithmetic: -_weighted(t, 0, arithmetic.log, _share(p, p, arithmetic), arithmetic),
    lambda p, t, arithmetic: -_weighted(t, 0, _reciprocal, _share(p, p, arithmetic), arithmetic),
    fusion=Fusion(softmax, _log_softmax_summands, _softmax_deltas),
    base_title="CrossEntropy",
    base_definition="mean over the samples of -sum of target log(output)",
    words="cross-entropies",
    targets="one_hot",
    linear_in_targets=True,
)
LOSSES = {loss.name: loss for loss in (sse, half_sse, mse, half_mse, mae, binary_cross_entropy, cross_entropy)}


def _missed(output: N, target: N, arithmetic: Arithmetic[N]) -> N:
    """Stands for the formulas of a loss from outside the package, in another process."""
    raise PurebpError("the formulas of a loss that is not of this package cannot be sent to another process")


def _restored(name: str, samples: int | None) -> Loss:
    return replace(loss(name), samples=samples)


def loss(name: str | Loss) -> Loss:
    """The loss of that name, such as "mse", "huber(1.5)" or "half_sse/samples".

    >>> loss("half_sse/entries") == half_mse
    True
    """
    if isinstance(name, Loss):
        return name
    head, slash, reduction = str(name).partition("/")
    found = look_up("loss", head, LOSSES, {"huber": huber})
    return found.reduced(reduction) if slash else found
