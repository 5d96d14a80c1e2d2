"""The conforming panel: implementations of backpropagation that are right, each in its own way.

Every error budget must hold for all of them. They are written in plain loops and know nothing of purebp.textbook.backprop: a
`Recipe` says in which order sums are taken, by which formulas, and where the 1/n is applied; a `Machine` rounds every
single operation. A textbook formula that overflows where the value is finite, such as log(1 + e^z) for large z, is no
conforming one there; the panel then does what such code has to do, and takes another. Nor does code conform that
divides by p (1 − p) and then multiplies by a σ′ computed from z: the reciprocal has lost what p rounded away, and only
the same p (1 − p) takes it out again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from ctypes import c_float
from dataclasses import dataclass, replace
from functools import cache, reduce
from math import copysign, erf, erfc, exp, expm1, fsum, inf, isfinite, log, log1p, sqrt, tanh
from operator import add
from random import Random
from typing import Any, NamedTuple

from purebp import Batch, Layer, Loss, Network, backpropagation, evaluate, loss
from purebp.number_systems.ball import Ball, ball
from purebp.number_systems.formats import BFLOAT16, BINARY16, BINARY32, BINARY64, TF32, Format
from purebp.oracle.evidence import enclosures, share

Rows = list[list[float]]
Rounding = Callable[[float], float]
Library = Callable[[Callable[[float], float], float], float]  # an elementary function, and its argument
Summation = Callable[[Sequence[float], Sequence[float], Rounding, Random], float]


def rounding(format: Format, bits: int | None = None, whole: Callable[[float], int] = round) -> Rounding:
    """To a number of the format, or to one of so many bits: the nearest, or as the mantissa is made a whole number."""
    precision, largest = bits or format.precision, format.largest

    def rounded(x: float) -> float:
        if not isfinite(x):
            return x
        mantissa, exponent = math.frexp(x)
        kept = precision - max(0, format.emin + 1 - exponent)
        y = math.ldexp(whole(math.ldexp(mantissa, kept)), exponent - kept)
        return y if abs(y) <= largest else copysign(inf, y)

    return rounded


def single(x: float) -> float:
    return c_float(x).value


def single_flushing(x: float) -> float:
    y = c_float(x).value
    return y if abs(y) >= 2.0**-126 else 0.0


def away(x: float) -> int:
    return math.ceil(x) if x > 0 else math.floor(x)


def either(x: float) -> int:
    """One of the two whole numbers beside x, from its digits as by chance."""
    return math.floor(x) + (hash(x * 0.7548776662466927) >> 7 & 1) if x % 1 else int(x)


@dataclass(frozen=True)
class Machine:
    """What rounds what."""

    name: str
    format: Format
    stored: Rounding
    step: Rounding  # inside an elementary formula
    summed: Rounding  # inside a sum
    operand: Rounding = float  # of a matrix product
    sloppiness: float = 0.0  # how far off the elementary functions of its library are, relatively

    def library(self, random: Random) -> Library:
        def compute(f: Callable[[float], float], x: float) -> float:
            try:
                y = f(x) if x == x else x
            except OverflowError:
                y = inf
            except ValueError:  # the logarithm of 0
                y = -inf
            return self.step(y * (1 + random.uniform(-1, 1) * self.sloppiness) if self.sloppiness else y)

        return compute


def at_the_limit(format: Format, how: str, whole: Callable[[float], int]) -> Machine:
    """The model allows any result within u: with one bit more than the format, both neighbours are that close."""
    stored, wide = rounding(format, format.precision + 1, whole), rounding(format, format.accumulate_bits + 1, whole)
    return Machine(f"{format.name} rounded {how}", format, stored, wide, wide)


# Sums of products.


def naive(x: Sequence[float], y: Sequence[float], r: Rounding, random: Random) -> float:
    total = 0.0
    for a, b in zip(x, y):
        total = r(total + r(a * b))
    return total


def from_the_end(x: Sequence[float], y: Sequence[float], r: Rounding, random: Random) -> float:
    return naive(x[::-1], y[::-1], r, random)


def shuffled(x: Sequence[float], y: Sequence[float], r: Rounding, random: Random) -> float:
    pairs = list(zip(x, y))
    random.shuffle(pairs)
    return naive([a for a, _ in pairs], [b for _, b in pairs], r, random)


def pairwise(x: Sequence[float], y: Sequence[float], r: Rounding, random: Random) -> float:
    terms = [r(a * b) for a, b in zip(x, y)] or [0.0]
    while len(terms) > 1:
        terms = [r(sum(terms[i : i + 2])) for i in range(0, len(terms), 2)]
    return terms[0]


def in_lanes(x: Sequence[float], y: Sequence[float], r: Rounding, random: Random) -> float:
    """Four running sums, as vector units keep them."""
    lanes = [naive(x[i::4], y[i::4], r, random) for i in range(4)]
    return r(r(lanes[0] + lanes[2]) + r(lanes[1] + lanes[3]))


def compensated(x: Sequence[float], y: Sequence[float], r: Rounding, random: Random) -> float:
    """Neumaier 1974."""
    total = correction = 0.0
    for a, b in zip(x, y):
        term = r(a * b)
        t = r(total + term)
        larger, smaller = (total, term) if abs(total) >= abs(term) else (term, total)
        correction, total = r(correction + r(r(larger - t) + smaller)), t
    result = r(total + correction)
    return result if isfinite(result) else total


def fused_multiply_add(x: Sequence[float], y: Sequence[float], r: Rounding, random: Random) -> float:
    """Each product and sum is rounded once."""
    return reduce(lambda total, pair: _added_exactly(total, _exact_product(*pair), r), zip(x, y), 0.0)


def _halves(x: float) -> tuple[float, float]:
    high = x * 134217729.0
    high -= high - x
    return high, x - high


def in_warps(x: Sequence[float], y: Sequence[float], r: Rounding, random: Random) -> float:
    """Thirty-two running sums, of every thirty-second term each; then halves are added to halves, as threads of a warp do."""
    lanes = [naive(x[i::32], y[i::32], r, random) for i in range(32)]
    while len(lanes) > 1:
        half = len(lanes) // 2
        lanes = [r(a + b) for a, b in zip(lanes[:half], lanes[half:])]
    return lanes[0]


def split(x: Sequence[float], y: Sequence[float], r: Rounding, random: Random) -> float:
    """Parts of eight terms, whose sums are added to one number in the order in which they come, as atomics do."""
    parts = [naive(x[i : i + 8], y[i : i + 8], r, random) for i in range(0, len(x), 8)]
    random.shuffle(parts)
    return reduce(lambda total, part: r(total + part), parts, 0.0)


def in_tensor_cores(x: Sequence[float], y: Sequence[float], r: Rounding, random: Random) -> float:
    """Four products at a time are added to the sum exactly, and rounded once."""
    products = [_exact_product(a, b) for a, b in zip(x, y)]
    fours = (sum(products[i : i + 4], []) for i in range(0, len(products), 4))
    return reduce(lambda total, terms: _added_exactly(total, terms, r), fours, 0.0)


def _added_exactly(total: float, terms: list[float], r: Rounding) -> float:
    """The sum of all, rounded once: `fsum` rounds correctly."""
    plain = total + sum(terms)
    return r(fsum([total, *terms]) if isfinite(plain) else plain)


def _exact_product(a: float, b: float) -> list[float]:
    """Two numbers whose sum is a b (Veltkamp and Dekker); the product alone where that is out of range."""
    product = a * b
    parts = [*_halves(a), *_halves(b)]
    if not isfinite(sum(parts) + product):
        return [product]
    return [product, fsum([-product, *(p * q for p in parts[:2] for q in parts[2:])])]


SUMS: list[Summation] = [naive, from_the_end, shuffled, pairwise, in_lanes, compensated, fused_multiply_add]
SUMS += [in_warps, split, in_tensor_cores]


# Formulas: of z for values, of z and a for slopes; p is the parameter, r rounds, f is the library.

Value = Callable[[float, float, Rounding, Library], float]
Slope = Callable[[float, float, float, Rounding, Library], float]


def sigmoid_naive(z: float, p: float, r: Rounding, f: Library) -> float:
    return r(1 / r(1 + f(exp, -z)))


def sigmoid_stable(z: float, p: float, r: Rounding, f: Library) -> float:
    if z >= 0:
        return r(1 / r(1 + f(exp, -z)))
    power = f(exp, z)
    return r(power / r(1 + power))


def sigmoid_by_tanh(z: float, p: float, r: Rounding, f: Library) -> float:
    return r(0.5 + r(0.5 * f(tanh, r(z / 2))))


def tanh_by_exp(z: float, p: float, r: Rounding, f: Library) -> float:
    power = f(exp, r(2 * z))
    return r(r(power - 1) / r(power + 1)) if power < inf else 1.0


def softplus_naive(z: float, p: float, r: Rounding, f: Library) -> float:
    power = f(exp, z)
    return f(log, r(1 + power)) if r(1 + power) < inf else z


def softplus_stable(z: float, p: float, r: Rounding, f: Library) -> float:
    return r(max(z, 0.0) + f(log1p, f(exp, -abs(z))))


def normal_by_erf(z: float, p: float, r: Rounding, f: Library) -> float:
    return r(r(1 + f(erf, r(z * r(sqrt(0.5))))) / 2)


def normal_by_erfc(z: float, p: float, r: Rounding, f: Library) -> float:
    return r(f(erfc, r(-z * r(sqrt(0.5)))) / 2)


def density(z: float, r: Rounding, f: Library) -> float:
    return r(r(1 / sqrt(2 * math.pi)) * f(exp, r(r(-z * z) / 2)))


def shrunk(z: float, r: Rounding, f: Library) -> float:
    """σ′ = e^−|z| / (1 + e^−|z|)²."""
    power = f(exp, -abs(z))
    return r(power / r(r(1 + power) * r(1 + power)))


def one_over_cosh(z: float, r: Rounding, f: Library) -> float:
    cosh = f(math.cosh, z)
    square = r(cosh * cosh)
    return r(1 / square)


VALUES: dict[str, list[Value]] = {
    "identity": [lambda z, p, r, f: z],
    "relu": [lambda z, p, r, f: max(z, 0.0), lambda z, p, r, f: z if z > 0 else 0.0],
    "leaky_relu": [lambda z, p, r, f: z if z > 0 else r(r(p) * z)],
    "sigmoid": [sigmoid_naive, sigmoid_stable, sigmoid_by_tanh],
    "tanh": [
        lambda z, p, r, f: f(tanh, z),
        tanh_by_exp,
        lambda z, p, r, f: r(2 * sigmoid_naive(r(2 * z), p, r, f) - 1),
    ],
    "softplus": [
        softplus_naive,
        softplus_stable,
        lambda z, p, r, f: f(log1p, f(exp, z)) if f(exp, z) < inf else z,
    ],
    "elu": [
        lambda z, p, r, f: z if z > 0 else r(r(p) * r(f(exp, z) - 1)),
        lambda z, p, r, f: z if z > 0 else r(r(p) * f(expm1, z)),
    ],
    "silu": [
        lambda z, p, r, f: r(z * sigmoid_naive(z, p, r, f)),
        lambda z, p, r, f: r(z / r(1 + f(exp, -z))),
        lambda z, p, r, f: r(z * sigmoid_by_tanh(z, p, r, f)),
        lambda z, p, r, f: r(z * sigmoid_stable(z, p, r, f)),
    ],
    "gelu": [
        lambda z, p, r, f: r(z * normal_by_erf(z, p, r, f)),
        lambda z, p, r, f: r(z * normal_by_erfc(z, p, r, f)),
        lambda z, p, r, f: r(r(z / 2) * r(1 + f(erf, r(z / r(sqrt(2)))))),
    ],
}
SLOPES: dict[str, list[Slope]] = {  # from a first, where there is such a formula
    "identity": [lambda z, a, p, r, f: 1.0],
    "relu": [lambda z, a, p, r, f: float(a > 0), lambda z, a, p, r, f: float(z >= 0)],
    "leaky_relu": [lambda z, a, p, r, f: 1.0 if z > 0 else r(p), lambda z, a, p, r, f: 1.0 if z >= 0 else r(p)],
    "sigmoid": [
        lambda z, a, p, r, f: r(a * r(1 - a)),
        lambda z, a, p, r, f: shrunk(z, r, f),
        lambda z, a, p, r, f: r(a - r(a * a)),
        lambda z, a, p, r, f: r(sigmoid_naive(z, p, r, f) * sigmoid_naive(-z, p, r, f)),
    ],
    "tanh": [
        lambda z, a, p, r, f: r(1 - r(a * a)),
        lambda z, a, p, r, f: one_over_cosh(z, r, f),
        lambda z, a, p, r, f: r(r(1 - a) * r(1 + a)),
        lambda z, a, p, r, f: r(4 * shrunk(2 * z, r, f)),  # 2 z is exact
    ],
    "softplus": [
        lambda z, a, p, r, f: r(1 - f(exp, -a)),
        lambda z, a, p, r, f: sigmoid_naive(z, p, r, f),
        lambda z, a, p, r, f: sigmoid_by_tanh(z, p, r, f),
    ],
    "elu": [
        lambda z, a, p, r, f: 1.0 if z > 0 else r(a + r(p)),
        lambda z, a, p, r, f: 1.0 if z > 0 else r(r(p) * f(exp, z)),
    ],
    "silu": [
        lambda z, a, p, r, f: r(a + r(sigmoid_naive(z, p, r, f) * r(1 - a))),
        lambda z, a, p, r, f: r(sigmoid_naive(z, p, r, f) * r(1 + r(z * r(1 - sigmoid_naive(z, p, r, f))))),
        lambda z, a, p, r, f: r(sigmoid_stable(z, p, r, f) + r(z * shrunk(z, r, f))),
        lambda z, a, p, r, f: r(sigmoid_by_tanh(z, p, r, f) * r(1 + r(z * r(1 - sigmoid_by_tanh(z, p, r, f))))),
    ],
    "gelu": [
        lambda z, a, p, r, f: r(normal_by_erf(z, p, r, f) + r(z * density(z, r, f))),
        lambda z, a, p, r, f: r(normal_by_erfc(z, p, r, f) + r(z * density(z, r, f))),
    ],
}

STABLE = {  # the places of the formulas that do not cancel; where there are none, a strict budget is that of all
    "sigmoid": ((0, 1), (1, 3)),
    "tanh": ((0,), (1, 3)),
    "softplus": ((1, 2), (1,)),
    "elu": ((1,), (1,)),
    "silu": ((0, 1, 3), ()),
}


def softmax(z: Sequence[float], form: int, total: Summation, r: Rounding, f: Library, random: Random) -> list[float]:
    """Shifted; plain, where no power is near underflow or overflow; and through the logarithm of the sum, twice."""
    ones, largest = [1.0] * len(z), max(z)
    powers = [f(exp, r(x - largest)) for x in z]
    if form == 1 and 2.0**-100 < f(exp, min(z)) <= f(exp, largest) < 2.0**100:
        powers = [f(exp, x) for x in z]
    shifted = total(powers, ones, r, random)
    if form == 2:
        logarithm = f(log, shifted)
        return [f(exp, r(r(x - largest) - logarithm)) for x in z]
    if form == 3:
        logarithm = r(largest + f(log, shifted))
        return [f(exp, r(x - logarithm)) for x in z]
    return [r(power / shifted) for power in powers]


# What an entry adds to the loss: of an output and its target, or of what comes before the output.

LossValue = Callable[[float, float, float, Rounding, Library], float]


def huber_value(p: float, t: float, d: float, r: Rounding, f: Library) -> float:
    e, d = abs(r(p - t)), r(d)
    return r(r(e * e) / 2) if e <= d else r(d * r(e - r(d / 2)))


def huber_expanded(p: float, t: float, d: float, r: Rounding, f: Library) -> float:
    e, d = abs(r(p - t)), r(d)
    return r(e * r(e / 2)) if e <= d else r(r(d * e) - r(r(d * d) / 2))


def binary_value(logarithm_of_rest: Callable[[float, Rounding, Library], float]) -> LossValue:
    """−y log ŷ − (1 − y) log(1 − ŷ), with 0 log 0 = 0."""

    def value(p: float, t: float, _: float, r: Rounding, f: Library) -> float:
        hit = r(t * f(log, p)) if t else 0.0
        return -r(hit + (r(r(1 - t) * logarithm_of_rest(p, r, f)) if t != 1 else 0.0))

    return value


ERRORS: dict[str, list[LossValue]] = {
    "sse": [lambda p, t, d, r, f: r(r(p - t) * r(p - t))],
    "half_sse": [
        lambda p, t, d, r, f: r(r(r(p - t) * r(p - t)) / 2),
        lambda p, t, d, r, f: r(r(r(p - t) / 2) * r(p - t)),
    ],
    "mae": [lambda p, t, d, r, f: abs(r(p - t))],
    "huber": [huber_value, huber_expanded],
    "binary_cross_entropy": [
        binary_value(lambda p, r, f: f(log, r(1 - p))),
        binary_value(lambda p, r, f: f(log1p, -p)),
    ],
    "cross_entropy": [lambda p, t, d, r, f: -r(t * f(log, p)) if t else 0.0],
}
FUSED: list[Callable[[float, float, Rounding, Library], float]] = [  # binary cross-entropy from z
    lambda z, t, r, f: r(r(max(z, 0.0) - r(z * t)) + f(log1p, f(exp, -abs(z)))),
    lambda z, t, r, f: r(
        r(r(1 - t) * softplus_stable(z, 1.0, r, f)) + r(t * softplus_stable(-z, 1.0, r, f))  # fmt: skip
    ),
    lambda z, t, r, f: r(softplus_naive(z, 1.0, r, f) - r(t * z)),
]


def logarithms(z: Sequence[float], form: int, total: Summation, r: Rounding, f: Library, random: Random) -> list[float]:
    """log softmax(z): (z − c) − log Σ e^(z − c), or z − (c + log Σ e^(z − c)), with c the largest z."""
    largest = max(z)
    sum_of_powers = total([f(exp, r(x - largest)) for x in z], [1.0] * len(z), r, random)
    rest = f(log, sum_of_powers)
    return [r(x - r(largest + rest)) if form % 2 else r(r(x - largest) - rest) for x in z]


def error_slope(base: str, p: float, t: float, parameter: float, r: Rounding) -> float:
    """∂loss/∂p before it is divided by n; the reciprocals of 0 are left to IEEE 754."""
    e = r(p - t)
    if base == "sse":
        return r(2 * e)
    if base == "mae":
        return copysign(1.0, e) if e else 0.0
    if base == "huber":
        return max(-r(parameter), min(r(parameter), e))
    if base == "cross_entropy":
        return -divided(t, p, r) if t else 0.0
    if base == "binary_cross_entropy":
        return r((divided(r(1 - t), r(1 - p), r) if t != 1 else 0.0) - (divided(t, p, r) if t else 0.0))
    return e


def divided(x: float, y: float, r: Rounding) -> float:
    return r(x / y) if y else copysign(inf, x)


def named(text: str) -> tuple[str, float]:
    """The name and the parameter, if any, of an activation or a loss such as "elu(0.5)"."""
    match = re.fullmatch(r"(\w+)(?:\((.*)\))?", text)
    assert match
    return match[1], float(match[2] or 1)


@dataclass(frozen=True)
class Recipe:
    """One way to compute gradients: formulas by their place in the tables above, counted around."""

    machine: Machine
    total: Summation = naive
    bias: str = "last"  # or "first", or "apart": after the product has been stored
    mean: str = "start"  # or "end", or "parts": outputs at the start, samples at the end
    value: int = 0
    slope: int = 0
    softmax: int = 0
    fused: bool = True

    @property
    def name(self) -> str:
        total, of = self.total.__name__, f"formulas {self.value}, {self.slope}, {self.softmax}"
        unfused = "" if self.fused else ", unfused"
        return f"{self.machine.name}, {total}, bias {self.bias}, 1/n {self.mean}, {of}{unfused}"

    def __call__(self, network: Network, batch: Batch, loss: Loss) -> list[float]:
        """The gradients."""
        found = _Run(self, Random(len(batch.inputs))).gradients(network, batch, loss)
        if self.mean != "start" and not all(map(isfinite, found)):  # n times the gradient is out of range
            return replace(self, mean="start")(network, batch, loss)
        return found

    def values(self, network: Network, batch: Batch, loss: Loss) -> list[float]:
        """The outputs, then the loss."""
        found = _Run(self, Random(len(batch.inputs))).values(network, batch, loss)
        if self.mean != "start" and not isfinite(found[-1]):
            return replace(self, mean="start").values(network, batch, loss)
        return found


class _Run:
    def __init__(self, recipe: Recipe, random: Random) -> None:
        self.recipe, self.random, machine = recipe, random, recipe.machine
        self.r, self.step, self.f, self.summed = machine.stored, machine.step, machine.library(random), machine.summed

    def forward(self, network: Network, batch: Batch) -> tuple[list[Rows], list[Rows]]:
        """z of every layer; the inputs, and a of every layer."""
        zs, activations = [], [self.rounded(batch.inputs)]
        for layer in network.layers:
            biases = None if layer.biases is None else self.rounded([layer.biases])[0]
            zs.append(self.product(activations[-1], self.rounded(layer.weights), biases))
            activations.append(self.apply(named(layer.activation.name), zs[-1]))
        return zs, activations

    def values(self, network: Network, batch: Batch, loss: Loss) -> list[float]:
        zs, activations = self.forward(network, batch)
        a, y, name = activations[-1], self.rounded(batch.targets), named(network.layers[-1].activation.name)
        first, last = self.divisors(loss, len(y), len(y[0]))
        summands = [[self.r(x / first) for x in row] for row in self.summands(name, zs[-1], a, y, loss)]
        if self.recipe.mean == "parts":  # the mean of every sample, and of these
            summands = [[self.added(row)] for row in summands]
        return [*(x for row in a for x in row), self.r(self.added([x for row in summands for x in row]) / last)]

    def added(self, terms: list[float]) -> float:
        return self.r(self.recipe.total(terms, [1.0] * len(terms), self.summed, self.random))

    def summands(self, name: tuple[str, float], z: Rows, a: Rows, y: Rows, loss: Loss) -> Rows:
        """What each entry adds to the loss; from the outputs, or from z where that is to be, or where a logarithm is of 0."""
        (base, parameter), recipe = named(loss.base), self.recipe
        formulas = ERRORS[base]
        formula = formulas[recipe.value % len(formulas)]
        plain = [[formula(p, t, parameter, self.step, self.f) for p, t in zip(*rows)] for rows in zip(a, y)]
        finite = all(isfinite(x) for row in plain for x in row)
        if (base, name[0]) == ("cross_entropy", "softmax") and (recipe.fused or not finite):
            rows = [logarithms(row, recipe.softmax, recipe.total, self.step, self.f, self.random) for row in z]
            return [[-self.r(t * x) if t else 0.0 for t, x in zip(*pair)] for pair in zip(y, rows)]
        if (base, name[0]) == ("binary_cross_entropy", "sigmoid") and (recipe.fused or not finite):
            fused = FUSED[recipe.value % len(FUSED)]
            return [[self.r(fused(x, t, self.step, self.f)) for x, t in zip(*pair)] for pair in zip(z, y)]
        return [[self.r(x) for x in row] for row in plain]

    def gradients(self, network: Network, batch: Batch, loss: Loss) -> list[float]:
        weights = [self.rounded(layer.weights) for layer in network.layers]
        names = [named(layer.activation.name) for layer in network.layers]
        zs, activations = self.forward(network, batch)
        deltas, after = self.output_deltas(names[-1], zs[-1], activations[-1], self.rounded(batch.targets), loss)
        result: list[list[float]] = []
        for l in reversed(range(len(names))):
            columns = [list(column) for column in zip(*deltas)]
            rows = self.product(columns, [list(column) for column in zip(*activations[l])], None)
            if network.layers[l].biases is not None:
                rows.append(self.product(columns, [[1.0] * len(deltas)], None, exact=True, across=True)[0])
            result.append([after(x) for row in rows for x in row])
            if l:
                error = self.product(deltas, [list(column) for column in zip(*weights[l])], None)
                deltas = self.backward(names[l - 1], error, zs[l - 1], activations[l])
        return [x for entries in reversed(result) for x in entries]

    def rounded(self, rows: Sequence[Sequence[float]]) -> Rows:
        return [[self.r(x) for x in row] for row in rows]

    def product(self, x: Rows, y: Rows, biases: list[float] | None, exact: bool = False, across: bool = False) -> Rows:
        """Rows with rows; sums are kept in the wider format, and stored once, or twice with the bias apart."""
        bias, operand, total = self.recipe.bias, self.recipe.machine.operand, self.recipe.total
        if operand is not float and not exact:
            x, y = [[operand(u) for u in row] for row in x], [[operand(u) for u in row] for row in y]
        if biases is not None and bias == "first":
            x, y = [[1.0, *row] for row in x], [[b, *row] for b, row in zip(biases, y)]
        elif biases is not None and bias == "last":
            x, y = [[*row, 1.0] for row in x], [[*row, b] for b, row in zip(biases, y)]
        rows = [[self.r(total(u, v, self.summed, self.random)) for v in y] for u in x]
        if biases is not None and bias == "apart":
            rows = [[self.r(z + b) for z, b in zip(row, biases)] for row in rows]
        return [list(column) for column in zip(*rows)] if across else rows

    def apply(self, name: tuple[str, float], z: Rows) -> Rows:
        if name[0] == "softmax":
            form, total = self.recipe.softmax % 4, self.recipe.total
            return [[self.r(x) for x in softmax(row, form, total, self.step, self.f, self.random)] for row in z]
        formulas = VALUES[name[0]]
        formula = formulas[self.recipe.value % len(formulas)]
        return [[self.r(formula(x, name[1], self.step, self.f)) for x in row] for row in z]

    def slopes(self, name: tuple[str, float], z: Rows, a: Rows) -> Rows:
        formulas = SLOPES[name[0]]
        formula = formulas[self.recipe.slope % len(formulas)]
        return [[self.r(formula(x, y, name[1], self.step, self.f)) for x, y in zip(*rows)] for rows in zip(z, a)]

    def backward(self, name: tuple[str, float], error: Rows, z: Rows, a: Rows) -> Rows:
        r = self.r
        if name[0] != "softmax":
            return [[r(e * s) for e, s in zip(*rows)] for rows in zip(error, self.slopes(name, z, a))]
        result = []
        for e, p in zip(error, a):
            mean = r(self.recipe.total(e, p, self.summed, self.random))
            result.append([r(y * r(x - mean)) for x, y in zip(e, p)])
        return result

    def divisors(self, loss: Loss, samples: int, outputs: int) -> tuple[int, int]:
        """What is divided by at the start, and at the end."""
        n = {"sum": (1, 1), "samples": (samples, 1), "outputs": (1, outputs), "entries": (samples, outputs)}
        by_samples, by_outputs = n[loss.reduction]
        return {
            "start": (by_samples * by_outputs, 1),
            "end": (1, by_samples * by_outputs),
            "parts": (by_outputs, by_samples),
        }[self.recipe.mean]

    def output_deltas(self, name: tuple[str, float], z: Rows, a: Rows, y: Rows, loss: Loss) -> tuple[Rows, Rounding]:
        """δ, and what is left to do to every gradient at the end."""
        r, (base, parameter) = self.r, named(loss.base)
        first, last = self.divisors(loss, len(y), len(y[0]))
        error = [[r(error_slope(base, p, t, parameter, r) / first) for p, t in zip(*rows)] for rows in zip(a, y)]
        if (base, name[0]) not in (("cross_entropy", "softmax"), ("binary_cross_entropy", "sigmoid")):
            deltas = self.backward(name, error, z, a)
        elif self.recipe.fused or not all(isfinite(e) for row in error for e in row):
            # not `sum`, which compensates for rounding from Python 3.12 on
            sums = [r(reduce(add, row)) if base == "cross_entropy" else 1.0 for row in y]
            deltas = [[r(r(r(p * s) - t) * r(1 / first)) for p, t in zip(*rows)] for *rows, s in zip(a, y, sums)]
        elif name[0] == "softmax":
            deltas = self.backward(name, error, z, a)
        else:
            deltas = [[r(e * r(p * r(1 - p))) for e, p in zip(*rows)] for rows in zip(error, a)]
        return deltas, lambda x: r(x * r(1 / last)) if last > 1 else x


class Implementation(NamedTuple):
    """A conforming implementation; its gradients are in the order of `Network.parameters()`."""

    name: str
    format: Format
    gradients: Callable[[Network, Batch, Loss], list[float]]
    values: Callable[[Network, Batch, Loss], list[float]] | None = None  # the outputs, then the loss


bfloat, half = rounding(BFLOAT16), rounding(BINARY16)
MACHINES = [
    Machine("binary64", BINARY64, float, float, float),
    Machine("binary64 with a rough library", BINARY64, float, float, float, sloppiness=3 * 2.0**-53),
    Machine("binary32", BINARY32, single, single, single),
    Machine("binary32 flushing", BINARY32, single_flushing, single_flushing, single_flushing),
    Machine("binary32 with a rough library", BINARY32, single, single, single, sloppiness=3 * 2.0**-24),
    Machine("tf32", TF32, single, single, single, rounding(TF32, 11)),
    Machine("bfloat16 with wide formulas", BFLOAT16, bfloat, single, single),
    Machine("bfloat16 throughout", BFLOAT16, bfloat, bfloat, single),
    Machine("binary16 with wide formulas", BINARY16, half, single, single),
    *(
        at_the_limit(format, how, whole)
        for format in (BINARY32, BFLOAT16)
        for how, whole in (("towards zero", math.trunc), ("away from zero", away), ("either way", either))
    ),
]
WAYS: list[dict[str, Any]] = [
    {},
    {"total": from_the_end, "bias": "first", "mean": "end", "value": 1, "slope": 1, "softmax": 1, "fused": False},
    {"total": pairwise, "bias": "apart", "mean": "parts", "value": 2, "slope": 2, "softmax": 2},
    {"total": compensated, "bias": "last", "mean": "end", "value": 2, "slope": 0, "softmax": 3},
    {"total": shuffled, "bias": "first", "mean": "start", "value": 0, "slope": 3, "fused": False},
    {"total": in_warps, "bias": "apart", "mean": "parts", "value": 3, "slope": 1, "softmax": 1},
    {"total": fused_multiply_add, "bias": "first", "mean": "start", "value": 1, "slope": 2, "softmax": 2},
]


def implementation(recipe: Recipe) -> Implementation:
    return Implementation(recipe.name, recipe.machine.format, recipe, recipe.values)


PANEL = [implementation(Recipe(machine, **way)) for machine in MACHINES for way in WAYS]


def drawn(random: Random, machine: Machine) -> Implementation:
    """An implementation outside the panel's rows."""
    bias, mean = random.choice(["first", "last", "apart"]), random.choice(["start", "end", "parts"])
    value, slope, form = (random.randrange(12) for _ in range(3))
    recipe = Recipe(machine, random.choice(SUMS), bias, mean, value, slope, form, random.random() < 0.5)
    return implementation(recipe)


def resolution(budget: Ball) -> float:
    """r / |m|: a relative error larger than twice that is seen."""
    if budget.spread is None:
        return inf
    try:
        return budget.spread / abs(budget.mantissa) if budget.mantissa else inf
    except OverflowError:
        return inf


class Shares(NamedTuple):
    """What one implementation used of its budgets, entry by entry, and the resolution of each."""

    name: str
    format: Format
    shares: list[float]
    resolutions: list[float]
    kind: str = "gradients"  # or "values": outputs, then the loss


def shares(network: Network, batch: Batch, loss: Loss, panel: Sequence[Implementation] = PANEL) -> Iterator[Shares]:
    """The gradients of each implementation of the panel, held against the budgets of its format."""

    @cache
    def budgets(format: Format) -> list[Ball]:
        return backpropagation(network, batch, loss, ball(format)).parameters()

    for name, format, gradients, _ in panel:
        yield _held(name, format, gradients(network, batch, loss), budgets(format), "gradients")


def value_shares(
    network: Network, batch: Batch, loss: Loss, panel: Sequence[Implementation] = PANEL
) -> Iterator[Shares]:
    """The same of outputs and loss, of those that compute them."""

    @cache
    def budgets(format: Format) -> list[Ball]:
        found = enclosures(network, batch, loss, format)
        return [x for kind in ("outputs", "loss") for row in found[kind, -1] for x in row]

    for name, format, _, values in panel:
        if values is not None:
            yield _held(name, format, values(network, batch, loss), budgets(format), "values")


def _held(name: str, format: Format, found: list[float], budgets: list[Ball], kind: str) -> Shares:
    assert len(found) == len(budgets)
    return Shares(name, format, list(map(share, found, budgets)), list(map(resolution, budgets)), kind)


# Cases that are not well scaled.

ACTIVATIONS = ["identity", "sigmoid", "tanh", "relu", "leaky_relu(0.01)", "leaky_relu(3.0)", "softplus", "elu(1.0)"]
ACTIVATIONS += ["elu(0.1)", "elu(50.0)", "silu", "gelu", "softmax"]
LOSSES = ["sse", "half_sse", "mae", "huber(1.0)", "huber(0.1)", "binary_cross_entropy", "cross_entropy"]


class Exercise(NamedTuple):
    """What backpropagation is given."""

    network: Network
    batch: Batch
    loss: Loss

    def value(self, network: Network | None = None) -> float:
        """The loss of the exercise, or of another network in its place."""
        return evaluate(network or self.network, self.batch, self.loss)


def wild_case(random: Random, widest: int = 32, deepest: int = 6) -> Exercise:
    """A network with weights of any scale from 1e-3 to 1e3, in which zeros, exact kinks and saturation are common."""
    chosen = loss(random.choice(LOSSES)).reduced(random.choice(["sum", "samples", "outputs", "entries"]))
    depth, samples = random.randint(1, deepest), random.randint(1, 6)
    names = random.choices(ACTIVATIONS, k=depth)
    if "entropy" in chosen.base:
        names[-1] = random.choice(["sigmoid", "softmax"])
    sizes = [int(2 ** random.uniform(0, math.log2(widest + 0.99))) for _ in range(depth + 1)]
    if names[-1] == "softmax" and "entropy" in chosen.base:
        sizes[-1] = max(sizes[-1], 2)
    wild, short = random.random() < 0.3, random.random() < 0.4
    scale = 10 ** random.uniform(-3, 3) if wild else 10 ** random.uniform(-0.7, 0.5)
    kind = random.randrange(4)

    def number(spread: float) -> float:
        x = random.gauss(0, spread)
        if random.random() < 0.05:
            return 0.0
        if kind == 0:  # small integers meet kinks exactly
            return float(round(4 * x)) / 4
        return bfloat(x) if short else x

    layers = []
    for (n_in, n_out), name in zip(zip(sizes, sizes[1:]), names):
        here = 10 ** random.uniform(-3, 3) if wild and random.random() < 0.5 else scale
        biases = [number(here) if random.random() < 0.7 else 0.0 for _ in range(n_out)]
        weights = [[number(here / sqrt(n_in)) for _ in range(n_in)] for _ in range(n_out)]
        layers.append(Layer(weights, biases if random.random() < 0.7 else None, name))
    inputs = [[number(1.0) for _ in range(sizes[0])] for _ in range(samples)]
    if random.random() < 0.2:
        inputs[0] = [0.0] * sizes[0]
    if "entropy" in chosen.base:
        targets = [[random.choice([0.0, 1.0, random.random()]) for _ in range(sizes[-1])] for _ in range(samples)]
    else:
        targets = [[number(1.0) for _ in range(sizes[-1])] for _ in range(samples)]
    return Exercise(Network(layers), Batch(inputs, targets), chosen)
