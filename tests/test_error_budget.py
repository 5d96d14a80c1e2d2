"""Attempts to refute docs/error-budget.md, rule by rule; and that the document, its tests and its picture agree.

The errors that the model allows are put in on purpose here, as large as they may be and all in one direction, where
studies/conforming.py runs code that merely rounds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from math import inf, isfinite
from random import Random

import pytest

from purebp import Activation, Batch, Layer, Network, activation, backpropagation, forward, loss
from purebp.number_systems.ball import K_STRICT, Ball, K, Rules, ball, steepest
from purebp.number_systems.decimals import decimal
from purebp.number_systems.formats import BFLOAT16, BINARY16, BINARY32, BINARY64, TF32, Format
from purebp.oracle import certified_loss, certified_outputs
from purebp.oracle.evidence import share
from purebp.textbook.activations import Elementwise
from purebp.textbook.arithmetic import FLOAT, Function
from studies.conforming import MACHINES, SLOPES, STABLE, VALUES, Recipe, implementation, named, shares
from studies.plots.budget import PICTURE, drawing
from tests import ROOT

DOCUMENT = (ROOT / "docs" / "error-budget.md").read_text(encoding="utf-8")
FORMATS = [BINARY64, BINARY32, TF32, BFLOAT16, BINARY16]
MACHINES_OF_BINARY32 = [machine for machine in MACHINES if machine.name == "binary32"]
SMOOTH = ["sigmoid", "tanh", "softplus", "elu(0.1)", "elu(1.0)", "elu(50.0)", "silu", "gelu"]


def elementwise(name: str) -> Elementwise:
    found: Activation = activation(name)
    assert isinstance(found, Elementwise)
    return found


def functions(name: str) -> list[Function]:
    """f, f′ and f″."""
    f = elementwise(name)
    assert f.value.derivative is f.derivative and f.derivative.derivative is not None
    return [f.value, f.derivative, f.derivative.derivative]


# The document.


def test_every_test_that_the_document_names_exists() -> None:
    named_there = set(re.findall(r"`(test_\w+)`", DOCUMENT))
    texts = [path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/*.py")]
    defined = {name for text in texts for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)}
    assert named_there - defined == set()
    assert len(named_there) >= 10


def test_the_picture_is_what_its_script_draws() -> None:
    assert PICTURE.read_bytes() == drawing().encode(), "python -m studies.plots.budget --write"


# The model, at its worst: every operation errs by as much as it may, all in one direction.


class Adversary:
    """x ∘ y returned as (x ∘ y)(1 + δ) + η′; a result below the smallest normal number may be flushed."""

    def __init__(self, random: Random, format: Format) -> None:
        self.random, self.side = random, random.choice([-1, 1])
        self.storage, self.accumulate = Fraction(1, 2**format.precision), Fraction(1, 2**format.accumulate_bits)
        self.operand = Fraction(1, 2**format.operand_bits) if format.operand_bits else Fraction(0)
        self.smallest = Fraction(2) ** format.emin

    def errs(self, x: Fraction, roundoff: Fraction) -> Fraction:
        if abs(x) < self.smallest and self.random.random() < 0.3:
            return Fraction(0)
        underflow = self.smallest if self.random.random() < 0.5 else 0
        return x + self.side * (abs(x) * roundoff + underflow if self.random.random() < 0.9 else 0)

    def reads(self, x: Fraction) -> Fraction:
        return x + self.random.choice([-1, 1]) * self.operand * abs(x)


def any_ball(random: Random, rules: Rules) -> Ball:
    bits = random.choice([0, 3, 30, 200])
    mantissa = random.randint(-(2**bits), 2**bits)
    spread = random.choice([0, random.randint(0, 3), abs(mantissa) // 9, 2 ** random.randint(1, 60)])
    exponent = random.randint(-160, 20) if random.random() < 0.8 else random.randint(-1100, -900)
    return Ball(mantissa, exponent, spread, rules)


def inside(random: Random, x: Ball) -> Fraction:
    """Any number of the ball; often an end."""
    assert x.spread is not None
    place = random.choice([Fraction(-1), Fraction(1), Fraction(random.randint(-99, 99), 100)])
    return (x.mantissa + place * x.spread) * Fraction(2) ** x.exponent


def holds(x: Ball, value: Fraction) -> bool:
    return x.spread is None or abs(value / Fraction(2) ** x.exponent - x.mantissa) <= x.spread


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)
def test_sums_products_and_quotients_hold_the_worst_roundings(format: Format) -> None:
    random = Random(format.name)
    for _ in range(500):
        rules, model = Rules(format, random.choice([2, 10, 38])), Adversary(random, format)
        a, b = any_ball(random, rules), any_ball(random, rules)
        x, y = inside(random, a), inside(random, b)
        results = [(a + b, x + y), (a - b, x - y), (a * b, x * y)]
        if b.mantissa and y:
            results.append((a / b, x / y))
        for result, exact in results:
            assert holds(result, exact)
            assert holds(result, model.errs(exact, model.storage))


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)
def test_dot_products_hold_the_worst_roundings_in_any_order(format: Format) -> None:
    random = Random(format.name)
    for _ in range(500):
        rules, model, n = Rules(format, random.choice([2, 10, 38])), Adversary(random, format), random.randint(1, 6)
        a, b = ([any_ball(random, rules) for _ in range(n)] for _ in range(2))
        bias = [any_ball(random, rules)] if random.random() < 0.6 else None
        result = rules.inner([a], [b], bias)[0][0]
        x, y = ([inside(random, ball) for ball in row] for row in (a, b))
        added = Fraction(0) if bias is None else inside(random, bias[0])
        assert holds(result, sum((p * q for p, q in zip(x, y)), added))
        terms = [model.errs(model.reads(p) * model.reads(q), model.accumulate) for p, q in zip(x, y)]
        apart = bias is not None and random.random() < 0.5
        if bias is not None and not apart:
            terms.append(added)
        while len(terms) > 1:  # any tree
            random.shuffle(terms)
            terms.append(model.errs(terms.pop() + terms.pop(), model.accumulate))
        found = terms[0]
        if model.storage != model.accumulate:
            found = model.errs(found, model.storage)
        if apart:
            found = model.errs(found + added, model.storage)
        assert holds(result, found)


@pytest.mark.parametrize("name", [*SMOOTH, "relu", "leaky_relu(0.1)", "elu(-3.0)"])
def test_functions_of_a_ball_hold_the_function_of_all_its_numbers(name: str) -> None:
    """By the same formulas at 150 digits; mantissas longer than the reference's, ends on and across kinks."""
    random, many = Random(name), decimal(150)
    for _ in range(30):
        digits, bits = random.choice([3, 10, 38]), random.choice([1, 53, 140, 300])
        system = ball(random.choice([None, None, "binary64", "bfloat16"]), digits)
        mantissa = random.randint(-(2**bits), 2**bits)
        spread = random.choice([0, 0, 1, abs(mantissa), abs(mantissa) // 10, abs(mantissa) // 10**9])
        x = Ball(mantissa, random.choice([-300, -20, 0, 3, 6, 10]) - bits, spread, system.ratio(1, 1).rules)
        for function in functions(name):
            result = system.elementwise(function, [[x]])[0][0]
            assert result.spread is not None
            for side in (-1, 0, 1):
                point = many.ratio(mantissa + side * spread, 2 ** max(0, -x.exponent)) * 2 ** max(0, x.exponent)
                exact = Fraction(function.formula(point, many)) / Fraction(2) ** result.exponent
                assert abs(exact - result.mantissa) <= result.spread + abs(exact) / 2**450  # what the witness may err


# What is known of the functions.


@pytest.mark.parametrize("name", [*SMOOTH, "elu(-3.0)"])
def test_no_slope_is_steeper_than_the_ends_and_the_peaks(name: str) -> None:
    random = Random(name)
    for _ in range(300):
        low, width = random.gauss(0, 3), 10 ** random.uniform(-3, 1.5)
        for function in functions(name):
            bounds = function.bounds
            assert bounds is not None and bounds.slope is not None
            steep = steepest(function, bounds, low, low + width)
            assert all(abs(bounds.slope(low + width * i / 200, FLOAT)) <= steep for i in range(201))


class Faulty:
    """A machine that rounds nothing, but whose n-th operation errs by 2⁻²⁴; it notes which were of the library."""

    ERROR = 2.0**-24

    def __init__(self, n: int | None = None) -> None:
        self.n = n
        self.of_library: list[bool] = []

    def result(self, x: float, of_library: bool) -> float:
        self.of_library.append(of_library)
        return x * (1 + self.ERROR) if len(self.of_library) - 1 == self.n else x

    def r(self, x: float) -> float:
        return self.result(x, False)

    def f(self, function: Callable[[float], float], x: float) -> float:
        try:
            return self.result(function(x), True)
        except OverflowError:
            return inf


def roundoffs(compute: Callable[[Faulty], float], library: float) -> float:
    """To first order, how many roundoffs all operations together may commit, those of the library `library` each."""
    plain = Faulty()
    value = compute(plain)
    moved = [abs(compute(Faulty(i)) - value) / Faulty.ERROR for i in range(len(plain.of_library))]
    return sum(x * (library if slow else 1) for x, slow in zip(moved, plain.of_library))


def most_roundoffs(name: str, derivative: bool, strict: bool = False) -> float:
    """In units of max(|f|, C), for the worst formula of the panel and the worst of many arguments; or of |f|, if stable."""
    base, p = named(name)
    arguments = [side * m / 16 for m in range(96) for side in (-1, 1)]
    arguments += [side * m for m in (1e-8, 1e-3, 7.0, 9.0, 12.0, 17.0, 37.0, 60.0, 90.0, 500.0) for side in (-1, 1)]
    function = elementwise(name).derivative if derivative else elementwise(name).value
    assert function.bounds is not None
    intermediate, worst = function.bounds.intermediate, 0.0
    values, slopes = ([VALUES[base][i] for i in STABLE[base][0]], STABLE[base][1]) if strict else (VALUES[base], ())
    for z in arguments:
        unit = abs(function(z)) if strict else max(abs(function(z)), intermediate(abs(z)))
        if unit < 1e-300:  # which η allows for
            continue
        for value in values:

            def compute(on: Faulty, value: Callable[..., float] = value, z: float = z) -> float:
                return value(z, p, on.r, on.f)

            if not derivative:
                worst = max(worst, roundoffs(compute, LIBRARY) / unit)
                continue
            for slope in [SLOPES[base][i] for i in slopes] if strict else SLOPES[base]:

                def through(on: Faulty, slope: Callable[..., float] = slope, z: float = z) -> float:
                    return float(slope(z, compute(on), p, on.r, on.f))

                if isfinite(through(Faulty())):
                    worst = max(worst, roundoffs(through, LIBRARY) / unit)
    return worst


LIBRARY = 4  # roundoffs of an elementary function: two units in the last place


@pytest.mark.parametrize("name", SMOOTH)
def test_every_formula_in_use_stays_within_its_roundoffs(name: str) -> None:
    """And the document's table says how near it comes."""
    (row,) = re.findall(rf"^\| {named(name)[0]} \|(.*)\|$", DOCUMENT, re.MULTILINE)
    _, _, of_value, _, _, of_derivative = row.split("|")
    for derivative, shown in ((False, of_value), (True, of_derivative)):
        assert most_roundoffs(name, derivative) <= float(shown) < K


@pytest.mark.parametrize("name", [name for name in SMOOTH if named(name)[0] in STABLE])
def test_every_stable_formula_stays_within_its_roundoffs(name: str) -> None:
    """And the document's table of them has those of the row."""
    (row,) = re.findall(rf"^\| {named(name)[0]}, strict \|(.*)\|$", DOCUMENT, re.MULTILINE)
    of_value, value, of_slope, slope = (cell.strip() for cell in row.split(" | "))
    f = elementwise(name)
    assert f.value.bounds is not None and f.derivative.bounds is not None
    assert (f.value.bounds.stable, f.derivative.bounds.stable) == (of_value, of_slope if of_slope != "none" else "")
    for derivative, shown in ((False, value), (True, slope)):
        if shown:
            assert most_roundoffs(name, derivative, strict=True) <= float(shown) < K_STRICT


@pytest.mark.parametrize("name", SMOOTH)
def test_the_document_lists_the_formulas_and_the_intermediate_results_of_the_row(name: str) -> None:
    (row,) = re.findall(rf"^\| {named(name)[0]} \|(.*)\|$", DOCUMENT, re.MULTILINE)
    cells = [cell.strip() for cell in row.split(" | ")]
    for function, formulas, largest in (
        (elementwise(name).value, cells[0], cells[1]),
        (elementwise(name).derivative, cells[3], cells[4]),
    ):
        assert function.bounds is not None and function.bounds.formulas == formulas
        for z in (0.0, 0.5, 3.0):
            expected = {"1": 1.0, "2": 2.0, "max(1, ǀzǀ)": max(1.0, z), "max(1, ǀαǀ)": max(1.0, abs(named(name)[1]))}
            assert function.bounds.intermediate(z) == expected[largest]


# Claims that were wrong once.


def test_the_reference_knows_how_far_it_rounded_a_long_argument() -> None:
    """1 + 2⁻¹⁴⁰ + 2⁻¹⁷⁰ has more digits than the formula is given, and its logarithm is all in the last of them."""
    row = [1.0, 2.0**-70, 2.0**-85, 2.0**-150]
    found = certified_loss(Network([Layer([row], None, "identity")]), Batch([row], [[1.0]]), "cross_entropy")
    assert found.rounded and found.value == -(2.0**-140 + 2.0**-170)


def test_a_number_below_all_floats_keeps_its_side_of_a_kink() -> None:
    layers = [Layer([[5e-324]], None, "relu")] * 16 + [Layer([[2.0**1000]], None, "relu")] * 17
    assert certified_outputs(Network(layers), [[1.0]])[0][0].value == 2.0 ** (17 * 1000 - 16 * 1074)


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)
def test_a_sum_that_only_its_last_rounding_overflows_has_no_bound(format: Format) -> None:
    largest, beyond = format.largest, 2.0 ** (format.emax - format.precision)
    system = ball(format)
    row = system.lift([[largest, beyond]])
    assert system.inner(row, system.lift([[1.0, 1.0]]), None)[0][0].spread is None
    assert (row[0][0] + row[0][1]).spread is None


def test_an_argument_beyond_the_largest_float_has_no_bound() -> None:
    w, x = 1.134364244112401, 1.5847582857029711e308
    for name in ("silu", "softplus", "gelu"):
        assert forward(Network([Layer([[w]], [0.0], name)]), [[x]], ball("binary64")).outputs[0][0].spread is None


def test_a_flushed_result_may_be_doubled_afterwards() -> None:
    """The factor 2 of a squared error at the end: w e f′ is flushed to 0 there, and normal where 2 e comes first."""
    layers = [Layer([[1.0]], None, "leaky_relu(0.0078125)"), Layer([[127 * 2.0**-126]], None, "identity")]
    budget = backpropagation(Network(layers), Batch([[-1024.0]], [[-1.0]]), "sse", ball("binary32")).parameters()[0]
    assert share(0.0, budget) <= 1


@pytest.mark.parametrize(
    ("weights", "x"),
    [
        ([-69.21910858154297, 0.6241993308067322, 0.7372369170188904], 0.9246141314506531),
        ([-65.92086791992188, 1.309159755706787, 0.8797536492347717], 0.9806828498840332),
        ([-64.97402954101562, 1.1403532028198242, 0.667948842048645], 0.9890419840812683),
    ],
)
def test_softmax_may_go_through_its_logarithm(weights: list[float], x: float) -> None:
    """e^(z − max − log Σ), as PyTorch's cross_entropy does; found by searching for the largest share."""
    network, (single,) = Network([Layer([[w] for w in weights], None, "softmax")]), MACHINES_OF_BINARY32
    batch = Batch([[x]], [[0.0, 1.0, 0.0]])
    for found in shares(network, batch, loss("cross_entropy"), [implementation(Recipe(single, softmax=2))]):
        assert max(found.shares) <= 1


def test_softmax_may_sum_its_powers_in_any_order() -> None:
    """1 + ε + ε + … with every ε below half a unit: beginning with the 1, the sum stays 1."""
    n, depth = 300, -16.8
    assert 1.5 * 2.0**-25 < math.exp(depth) < 2.0**-24
    network, (single,) = Network([Layer([[0.0], *[[depth]] * n], None, "softmax")]), MACHINES_OF_BINARY32
    batch = Batch([[1.0]], [[0.5] + [0.0] * n])
    for found in shares(network, batch, loss("half_sse"), [implementation(Recipe(single))]):
        assert max(found.shares) <= 1


# Correct rounding.


def test_a_function_without_known_bounds_is_refused() -> None:
    cube = Function("cube", lambda z, on: z * z * z)
    with pytest.raises(ValueError, match="cube"):
        ball().elementwise(cube, ball().lift([[1.0]]))
