"""Two interval libraries enclose the same gradients: python-flint's `arb` and mpmath's `iv`, both at 300 bits.

The backpropagation below is written for them, from the equations, and takes nothing from purebp but the numbers of
the network. Where a library cannot tell on which side of a kink a number lies, it returns the hull of both sides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import import_module
from random import Random
from typing import Any

import pytest

from purebp import Batch, Loss, Network
from purebp.oracle.certify import Certified, certified_gradients
from studies.conforming import Exercise, named, wild_case

flint: Any = import_module("flint")  # neither has types that mypy could read
mpmath: Any = import_module("mpmath")

BITS, NETWORKS, FAR = 300, 1000, 20_000  # what is beyond 2^±FAR is bounded by it
flint.ctx.prec = mpmath.iv.prec = BITS
Interval = Any
Row = list[Interval]
Ends = tuple[Fraction | float, Fraction | float]


@dataclass(frozen=True)
class Library:
    """Interval arithmetic: exp, log, the hull of two intervals, the ends, and Φ with φ where there is an erfc."""

    name: str
    number: Callable[[float], Interval]
    exp: Callable[[Interval], Interval]
    log: Callable[[Interval], Interval]
    hull: Callable[[Interval, Interval], Interval]
    ends: Callable[[Interval], Ends]
    normal: tuple[Callable[[Interval], Interval], Callable[[Interval], Interval]] | None = None

    def sides(self, x: Interval, left: Interval, right: Interval) -> Interval:
        """left where x < 0, right where x > 0, and their hull where that is open."""
        return right if x > 0 else left if x < 0 else self.hull(left, right)


def end(mantissa: int, exponent: int, upwards: bool) -> Fraction:
    if abs(size := mantissa.bit_length() + exponent) < FAR:
        return mantissa * Fraction(2) ** exponent
    near, far = (Fraction(0), Fraction(1, 2**FAR)) if size < 0 else (Fraction(2) ** FAR, math.inf)
    return (1 if mantissa > 0 else -1) * (far if upwards == (mantissa > 0) else near)  # type: ignore[return-value]


def arb_ends(x: Interval) -> Ends:
    if not x.is_finite():
        return -math.inf, math.inf
    (m, e), (n, f) = x.lower().man_exp(), x.upper().man_exp()
    return end(int(m), int(e), False), end(int(n), int(f), True)


def iv_ends(x: Interval) -> Ends:
    low, high = x._mpi_
    if any(not mantissa and exponent for _, mantissa, exponent, _ in (low, high)):  # ±inf, nan
        return -math.inf, math.inf
    (s, m, e, _), (t, n, f, _) = low, high
    return end(int(m) * (-1) ** s, e, False), end(int(n) * (-1) ** t, f, True)


ARB = Library(
    "arb",
    flint.arb,
    lambda x: x.exp(),
    lambda x: x.log(),
    lambda x, y: x.union(y),
    arb_ends,
    (lambda x: (-x / flint.arb(2).sqrt()).erfc() / 2, lambda x: (-x * x / 2).exp() / (2 * flint.arb.pi()).sqrt()),
)
IV = Library(
    "iv",
    mpmath.iv.mpf,
    mpmath.iv.exp,
    mpmath.iv.log,
    lambda x, y: mpmath.iv.mpf([min(x.a, y.a), max(x.b, y.b)]),
    iv_ends,
)


def logistic(z: Interval, on: Library) -> Interval:
    return 1 / (1 + on.exp(-z))


def bell(z: Interval, on: Library) -> Interval:
    return 1 / ((1 + on.exp(z)) * (1 + on.exp(-z)))


def value(name: str, p: Interval, z: Interval, on: Library) -> Interval:
    match name:
        case "identity":
            return z
        case "relu":
            return on.sides(z, on.number(0.0), z)
        case "leaky_relu":
            return on.sides(z, p * z, z)
        case "elu":
            return on.sides(z, p * (on.exp(z) - 1), z)
        case "sigmoid":
            return logistic(z, on)
        case "tanh":
            return 1 - 2 / (1 + on.exp(2 * z))
        case "softplus":
            return on.log(1 + on.exp(z))
        case "silu":
            return z * logistic(z, on)
        case "gelu":
            assert on.normal
            return z * on.normal[0](z)
    raise AssertionError(name)


def slope(name: str, p: Interval, z: Interval, on: Library) -> Interval:
    one = on.number(1.0)
    match name:
        case "identity":
            return one
        case "relu":
            return on.sides(z, on.number(0.0), one)
        case "leaky_relu":
            return on.sides(z, p, one)
        case "elu":
            return on.sides(z, p * on.exp(z), one)
        case "sigmoid":
            return bell(z, on)
        case "tanh":
            return 4 * bell(2 * z, on)
        case "softplus":
            return logistic(z, on)
        case "silu":
            return logistic(z, on) * (1 + z * logistic(-z, on))
        case "gelu":
            assert on.normal
            return on.normal[0](z) + z * on.normal[1](z)
    raise AssertionError(name)


def softmax(z: Row, on: Library) -> Row:
    return [1 / sum(on.exp(other - x) for other in z) for x in z]


def error_slope(base: str, p: Interval, a: Interval, y: float, on: Library) -> Interval:
    """The derivative of one summand of the loss by the output a."""
    e, t, one = a - on.number(y), on.number(y), on.number(1.0)
    match base:
        case "sse":
            return 2 * e
        case "half_sse":
            return e
        case "mae":
            return on.sides(e, -one, one)
        case "huber":
            return on.sides(e - p, on.sides(e + p, -p, e), p)
        case "cross_entropy":
            return -t / a if y else t
        case "binary_cross_entropy":
            return ((1 - t) / (1 - a) if y != 1 else 0 * t) - (t / a if y else t)
    raise AssertionError(base)


def output_delta(f: str, parameter: Interval, z: Row, a: Row, y: Sequence[float], loss: Loss, on: Library) -> Row:
    """∂(summands of one sample)/∂z of the last layer."""
    base, p = named(loss.base)
    if (base, f) == ("cross_entropy", "softmax"):
        total = sum(map(on.number, y))
        return [x * total - on.number(t) for x, t in zip(a, y)]
    if (base, f) == ("binary_cross_entropy", "sigmoid"):
        return [x - on.number(t) for x, t in zip(a, y)]
    errors = [error_slope(base, on.number(p), x, t, on) for x, t in zip(a, y)]
    return through(f, parameter, errors, z, a, on)


def through(f: str, parameter: Interval, errors: Row, z: Row, a: Row, on: Library) -> Row:
    """∂/∂z from ∂/∂a."""
    if f == "softmax":
        mean = sum(e * x for e, x in zip(errors, a))
        return [x * (e - mean) for e, x in zip(errors, a)]
    return [e * slope(f, parameter, x, on) for e, x in zip(errors, z)]


def gradients(network: Network, batch: Batch, loss: Loss, on: Library) -> Row:
    """Sample by sample; in the order of `Network.parameters()`."""
    layers = [[[on.number(x) for x in row] for row in layer.weights] for layer in network.layers]
    functions = [(name, on.number(p)) for name, p in (named(layer.activation.name) for layer in network.layers)]
    sums = [[[on.number(0.0)] * len(row) for row in w] for w in layers]
    bias_sums = [[on.number(0.0)] * len(w) for w in layers]
    factor = on.number(1.0) / loss.divisor(len(batch.targets), len(batch.targets[0]))
    for inputs, targets in zip(batch.inputs, batch.targets):
        z: list[Row] = []
        a = [[on.number(x) for x in inputs]]
        for layer, w, (f, p) in zip(network.layers, layers, functions):
            biases = [on.number(b) for b in layer.biases or [0.0] * len(w)]
            z.append([b + sum(x * y for x, y in zip(row, a[-1])) for row, b in zip(w, biases)])
            a.append(softmax(z[-1], on) if f == "softmax" else [value(f, p, x, on) for x in z[-1]])
        deltas = [factor * d for d in output_delta(*functions[-1], z[-1], a[-1], targets, loss, on)]
        for l in reversed(range(len(layers))):
            for j, d in enumerate(deltas):
                bias_sums[l][j] += d
                sums[l][j] = [s + d * x for s, x in zip(sums[l][j], a[l])]
            if l:
                errors = [sum(d * row[k] for d, row in zip(deltas, layers[l])) for k in range(len(a[l]))]
                deltas = through(*functions[l - 1], errors, z[l - 1], a[l], on)
    return [
        x
        for layer, rows, biases in zip(network.layers, sums, bias_sums)
        for row in (*rows, biases if layer.biases is not None else ())
        for x in row
    ]


def case(seed: int) -> Exercise:
    return wild_case(Random(seed), widest=6, deepest=4)


@cache
def certified(seed: int) -> list[Certified]:
    return certified_gradients(*case(seed)).parameters()


def nearest(x: Fraction | float) -> float:
    try:
        return float(x)
    except OverflowError:
        return math.copysign(math.inf, x)


@pytest.mark.parametrize("on", [ARB, IV], ids=lambda on: on.name)
def test_every_enclosure_meets_theirs_and_every_rounded_double_is_theirs(on: Library) -> None:
    entries = rounded = decided = 0
    for seed in range(NETWORKS):
        network, batch, loss = case(seed)
        if on.normal is None and any(layer.activation.name == "gelu" for layer in network.layers):
            continue
        theirs = gradients(network, batch, loss, on)
        for k, (entry, their) in enumerate(zip(certified(seed), theirs, strict=True)):
            low, high = on.ends(their)
            double, ends = entry.value, (nearest(low), nearest(high))
            where = f"seed {seed}, entry {k}: {double}; {on.name} says {ends}"
            assert entry.lower <= high and low <= entry.upper, where
            assert not entry.rounded or ends[0] <= double <= ends[1], where
            entries, rounded, decided = entries + 1, rounded + entry.rounded, decided + (ends[0] == ends[1])
    print(f"{on.name}: {entries} entries, {rounded} rounded by us, {decided} by {on.name}")
    assert decided > 0.9 * entries and rounded > 0.9 * entries
