"""Certified values: the double nearest to the exact gradient, with an interval that provably holds the gradient.

The textbook code runs over `ball(None)`. Where both ends of an interval round to the same double, that double is the
correctly rounded value; for what is left open the digits are doubled, up to `MOST_DIGITS`. A correctly rounded
value depends on nothing but the network, the batch and the loss: not on the order of a sum, nor on how a batch is
split among processes.

>>> from purebp import Layer
>>> network = Network([Layer([[0.1, 0.2]], None, "tanh")])
>>> entry = certified_gradients(network, Batch([[1.0, 3.0]], [[0.5]])).layers[0].weights[0][0]
>>> entry.value, entry.rounded, entry.lower <= entry.upper
(0.1324927201094..., True, True)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import chain, islice
from math import inf, ldexp, nan
from os import cpu_count
from typing import TYPE_CHECKING, NamedTuple

from purebp.number_systems.ball import Ball, ball, exact_decimal, exact_sum
from purebp.number_systems.dual import Dual, dual
from purebp.textbook import losses
from purebp.textbook.arithmetic import Matrix, PurebpError, Undecided, Vector
from purebp.textbook.backprop import backpropagation, evaluate, forward
from purebp.textbook.losses import Loss, mse
from purebp.textbook.network import Batch, Network

if TYPE_CHECKING:
    from concurrent.futures import Executor  # its logging takes as long to load as all of this

MOST_DIGITS = 608


class Certified(NamedTuple):
    """A double, and the ball around the exact value that it was read from.

    rounded: value is the exact value correctly rounded (to nearest, ties to even). Where it is False the exact value,
    or at a kink every element of Clarke's subdifferential, lies between lower and upper, and value in the middle; it
    is NaN where these are infinite, because intermediate results are too large or too small by far.
    """

    value: float
    rounded: bool
    ball: Ball

    @property
    def lower(self) -> Decimal:
        """The exact value is not below."""
        return self._end(-1)

    @property
    def upper(self) -> Decimal:
        """The exact value is not above."""
        return self._end(1)

    def _end(self, side: int) -> Decimal:
        if self.ball.spread is None:
            return Decimal("Infinity") * side
        return exact_decimal(self.ball.mantissa + side * self.ball.spread, self.ball.exponent)


@dataclass(frozen=True, slots=True)
class CertifiedLayer:
    """Certified ∂loss/∂W, ∂loss/∂b (None without biases) and δ of one layer."""

    weights: tuple[tuple[Certified, ...], ...]
    biases: tuple[Certified, ...] | None
    deltas: tuple[tuple[Certified, ...], ...]


@dataclass(frozen=True, slots=True)
class CertifiedGradients:
    """Certified gradients, layer by layer, in the shapes of `Gradients`."""

    layers: tuple[CertifiedLayer, ...]

    def parameters(self) -> list[Certified]:
        """All entries, in the order of `Network.parameters()`."""
        return [x for layer in self.layers for row in (*layer.weights, layer.biases or ()) for x in row]


def certified_gradients(
    network: Network,
    batch: Batch,
    loss: Loss | str = mse,
    *,
    digits: int = 38,
    executor: Executor | None = None,
    parts: int | None = None,
) -> CertifiedGradients:
    """The gradients that `backpropagation` approximates, each correctly rounded and enclosed.

    With an executor the batch is split into `parts` (one per processor where not said), and the result is the same.

    >>> network = Network.random([2, 2, 1], "relu", seed=2)
    >>> batch = Batch([[0.5, 1.0], [2.0, -1.0]], [[1.0], [0.0]])
    >>> {entry.rounded for entry in certified_gradients(network, batch).parameters()}
    {True}
    """
    if parts is not None and (not isinstance(parts, int) or parts < 1):
        raise PurebpError(f"parts={parts!r}: a whole number above 0 is wanted")
    chosen, samples = losses.loss(loss), len(batch.inputs)
    chosen = chosen.over(chosen.samples or samples)
    size = -(-samples // min(samples, parts or (cpu_count() or 1 if executor else 1)))
    chunks = [
        Batch(batch.inputs[start : start + size], batch.targets[start : start + size])
        for start in range(0, samples, size)
    ]

    def balls(digits: int) -> list[Ball]:
        return _gradients(network, chunks, chosen, digits, executor)

    entries = iter(certify(balls, digits))

    def rows(count: int, width: int) -> tuple[tuple[Certified, ...], ...]:
        return tuple(tuple(islice(entries, width)) for _ in range(count))

    weights, biases = [], []
    for layer in network.layers:
        weights.append(rows(len(layer.weights), len(layer.weights[0])))
        biases.append(None if layer.biases is None else rows(1, len(layer.weights))[0])
    deltas = [rows(samples, len(layer.weights)) for layer in network.layers]
    return CertifiedGradients(tuple(map(CertifiedLayer, weights, biases, deltas)))


def certified_outputs(network: Network, inputs: Matrix, *, digits: int = 38) -> tuple[tuple[Certified, ...], ...]:
    """The outputs that `forward` approximates, samples × n_out, each correctly rounded and enclosed.

    >>> network = Network.random([1, 1], "sigmoid").with_parameters([1.0, 0.0])
    >>> certified_outputs(network, [[0.0], [-800.0]])[1][0].value
    0.0
    """

    def balls(digits: int) -> list[Ball]:
        return [x for row in forward(network, inputs, ball(None, digits)).outputs for x in row]

    entries, width = certify(balls, digits), network.sizes[-1]
    return tuple(tuple(entries[start : start + width]) for start in range(0, len(entries), width))


def certified_loss(network: Network, batch: Batch, loss: Loss | str = mse, *, digits: int = 38) -> Certified:
    """The loss that `evaluate` approximates, correctly rounded and enclosed.

    >>> certified_loss(Network.random([1, 1], "identity").with_parameters([1.0, 0.0]), Batch([[3.0]], [[1.0]])).value
    4.0
    """
    return certify(lambda digits: [evaluate(network, batch, loss, ball(None, digits))], digits)[0]


def certified_hessian_product(
    network: Network, batch: Batch, loss: Loss | str, vectors: Matrix[float], *, digits: int = 38
) -> tuple[tuple[Certified, ...], ...]:
    """H v for each of the vectors v, H being the Hessian of the loss by the parameters, rounded and enclosed.

    A vector has a number for each parameter, in the order of `Network.parameters()`, and so has its product: the change
    of the gradient along v, found by backpropagation over dual numbers of balls (Pearlmutter 1994). At a kink, where
    there is no Hessian, the interval holds the limits of H v from all sides.

    >>> from purebp import Layer
    >>> network = Network([Layer([[0.5]], None, "identity")])  # (½ · 3 − 1)², by the weight: 2 · 3²
    >>> certified_hessian_product(network, Batch([[3.0]], [[1.0]]), "sse", [[1.0], [0.5]])[0][0].value
    18.0
    """
    parameters, vectors = network.parameters(), list(vectors)
    for v in vectors:
        if not isinstance(v, Sequence) or len(v) != len(parameters):
            given = f"a vector of {len(v)} numbers" if isinstance(v, Sequence) else f"{v!r:.60}"
            raise PurebpError(f"vectors holds {given}: each must have {len(parameters)}, one for each parameter")

    def product(v: Vector[float], digits: int) -> list[Ball]:
        on = ball(None, digits)
        along = network.with_parameters(Dual(*on.lift([pair])[0]) for pair in zip(parameters, v))
        return [x.slope for x in backpropagation(along, batch, loss, dual(on)).parameters()]

    return tuple(tuple(certify(partial(product, v), digits)) for v in vectors)


def certify(compute: Callable[[int], Sequence[Ball]], digits: int) -> list[Certified]:
    """Round what `compute` encloses with that many digits, doubling them for what is still open or undecided.

    >>> from purebp.number_systems.ball import Rules
    >>> [entry.value for entry in certify(lambda digits: [Rules(None, digits).ratio(1, 3)], 5)]
    [0.3333333333333333]
    """
    entries = list[Certified]()
    while True:
        try:
            found = list(map(_rounded, compute(digits)))
            entries = [old if old.rounded else new for old, new in zip(entries or found, found)]
        except Undecided:
            if digits >= MOST_DIGITS:
                raise
        else:
            if digits >= MOST_DIGITS or all(entry.rounded for entry in entries):
                return entries
        digits *= 2


def _rounded(x: Ball) -> Certified:
    mantissa, exponent, spread, _ = x
    if spread is None:
        return Certified(nan, False, x)
    below, above = nearest_double(mantissa - spread, exponent), nearest_double(mantissa + spread, exponent)
    return Certified(below if below == above else nearest_double(mantissa, exponent), below == above, x)


def nearest_double(mantissa: int, exponent: int) -> float:
    """mantissa · 2^exponent correctly rounded, as division of integers is; never −0.

    >>> nearest_double(3, -1), nearest_double(1, -1075), nearest_double(3, -1076), nearest_double(1, 5000)
    (1.5, 0.0, 5e-324, inf)
    """
    bits = mantissa.bit_length()
    if bits < 1000 and -1000 < bits + exponent < 1000:  # float() alone rounds, and correctly
        return ldexp(float(mantissa), exponent)
    try:
        return (mantissa << max(0, exponent)) / (1 << max(0, -exponent)) + 0.0
    except OverflowError:
        return inf if mantissa > 0 else -inf


def _gradients(network: Network, chunks: list[Batch], loss: Loss, digits: int, executor: Executor | None) -> list[Ball]:
    """All parameters, then the deltas of each layer, enclosed; sums over samples are exact, so parts add up exactly."""
    work = partial(_part, network, loss, digits)  # one iterable: not every executor takes endless ones beside it
    parts = list(executor.map(work, chunks) if executor else map(work, chunks))
    parameters = map(exact_sum, zip(*(parameters for parameters, _ in parts)))
    deltas = chain.from_iterable(chain(*layer) for layer in zip(*(deltas for _, deltas in parts)))
    return [*parameters, *deltas]


def _part(network: Network, loss: Loss, digits: int, batch: Batch) -> tuple[list[Ball], list[list[Ball]]]:
    gradients = backpropagation(network, batch, loss, ball(None, digits))
    return gradients.parameters(), [[x for row in layer.deltas for x in row] for layer in gradients.layers]
