"""Balls: every one holds the exact value, and what is unknown of it is in the radius."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from operator import mul
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, reject, settings
from hypothesis import strategies as st

from purebp import FLOAT, Batch, Layer, Network, PurebpError, backpropagation, evaluate, loss
from purebp.number_systems.ball import (
    _EXP,
    _EXPM1,
    _LOG,
    _LOG1P,
    FEW,
    Ball,
    Rules,
    ball,
    exact_sum,
    float_above,
    products,
)
from purebp.number_systems.decimals import decimal
from purebp.number_systems.formats import (
    BFLOAT16,
    BINARY16,
    BINARY32,
    BINARY64,
    FORMATS,
    TF32,
    Format,
    is_exact,
    rounds_to,
)
from purebp.number_systems.rational import FRACTION
from purebp.oracle import certified_gradients, certified_loss, certified_outputs
from purebp.textbook.activations import Elementwise, tanh
from purebp.textbook.arithmetic import Function
from studies.conforming import Exercise, wild_case
from tests.enclosures import BELL, E4M3, EXACT, QUARTIC, ends, gradients, holds, one_neuron, wild_cases, within
from tests.strategies import cases


@given(wild_cases)
def test_every_ball_holds_the_exact_gradient(case: Exercise) -> None:
    try:
        exact = gradients(case, EXACT)
    except PurebpError as error:  # an output that is 1 to two hundred digits
        assert "no derivative at an output of exactly 0 or 1" in str(error)
        reject()
    for format in (None, *FORMATS):
        for x, value in zip(gradients(case, ball(format)), exact, strict=True):
            assert holds(x, value, Fraction(10) ** -120), format


@given(cases())
def test_every_ball_holds_the_exact_loss(case: Exercise) -> None:
    exact = evaluate(*case, EXACT)
    for format in (None, *FORMATS):
        assert holds(evaluate(*case, ball(format)), exact, Fraction(10) ** -150)


@pytest.mark.parametrize(
    ("coarse", "fine"),
    [
        (BINARY32, BINARY64),
        (TF32, BINARY32),
        (BFLOAT16, BINARY32),
        (BINARY16, BINARY64),
        (BINARY64, None),
    ],
)
def test_the_ball_of_a_coarser_format_contains_that_of_a_finer_one(coarse: Format, fine: Format | None) -> None:
    """But for underflow, whose η is rounded upwards to units that are not the same."""
    underflow = 64 * Fraction(fine.smallest_normal) if fine else Fraction(0)
    for seed in range(40):
        case = wild_case(Random(seed), widest=4, deepest=3)
        for x, y in zip(gradients(case, ball(fine)), gradients(case, ball(coarse)), strict=True):
            assert within(x, y, underflow), seed


@given(wild_cases)
def test_more_digits_make_a_ball_smaller_around_the_same_value(case: Exercise) -> None:
    few, more, many = (gradients(case, ball(None, digits)) for digits in (12, 38, 76))
    for x, y, z in zip(few, more, many, strict=True):
        assert within(z, y) and within(y, x)


@given(wild_cases, st.sampled_from([None, *FORMATS]), st.floats(-300, 300))
@settings(max_examples=60)
def test_a_radius_is_never_nan_and_never_negative(case: Exercise, format: str | None, power: float) -> None:
    scaled = case.network.with_parameters(min(max(x * 10**power, -1e308), 1e308) for x in case.network.parameters())
    try:
        found = backpropagation(scaled, case.batch, case.loss, ball(format))
    except PurebpError as error:  # an output of exactly 0 or 1
        assert "no derivative" in str(error)
        return
    for x in [*found.parameters(), *(x for layer in found.layers for row in layer.deltas for x in row)]:
        assert x.radius >= 0 and x.midpoint.is_finite()


def test_a_midpoint_of_zero_among_huge_numbers_is_a_number() -> None:
    huge = ball("binary32").lift([[2.0**100, -(2.0**100)]])[0]
    assert (huge[0] * huge[0] + huge[0] * huge[1]).midpoint == 0
    network = Network([Layer([[2.0**1000, 2.0**1000]], None, "identity")])
    ((entry,),) = certified_outputs(network, [[2.0**900, -(2.0**900)]])
    assert entry.value == entry.lower == entry.upper == 0


def test_the_radius_of_tiny_numbers_does_not_vanish() -> None:
    system = ball(None, 5)
    third = system.ratio(1, 3)
    for _ in range(12):
        third = third * third
    low, high = ends(third)
    assert 0 < low < Fraction(1, 3) ** 2**12 < high and third.midpoint > 0
    assert third.radius == 5e-324  # as a float it is rounded upwards


def test_numbers_that_a_format_does_not_have_get_a_radius() -> None:
    for format, x, exact in [
        (BINARY64, 0.1, True),
        (BINARY32, 0.1, False),
        (BINARY32, 0.5, True),
        (BFLOAT16, 1.00390625, False),
        (BFLOAT16, 1.0078125, True),
        (BINARY64, 5e-324, False),  # may be flushed to zero
    ]:
        ((lifted,),) = ball(format).lift([[x]])
        assert (lifted.radius == 0) == exact == is_exact(x, format)
        assert holds(lifted, Fraction(x)) and holds(lifted, Fraction(rounds_to(x, format)))
        assert holds(lifted, Fraction(0)) or abs(x) >= format.smallest_normal


@pytest.mark.parametrize(("x", "format"), [(1e39, BINARY32), (65520.0, BINARY16), (-3.4e38, BFLOAT16)])
def test_numbers_beyond_a_format_have_no_bound(x: float, format: Format) -> None:
    assert ball(format).lift([[x]])[0][0].radius == math.inf


def test_a_sum_too_long_for_its_accumulator_has_no_bound() -> None:
    """γₙ = n u / (1 − n u) is a bound for n u < 1 alone."""
    tiny = Format("tiny", 4, -126, 127, accumulate_bits=4)
    for width, bounded in ((14, True), (15, True), (16, False), (100, False)):
        network, batch = Network([Layer([[1.0] * width], None, "identity")]), Batch([[1.0] * width], [[0.0]])
        for x in gradients(Exercise(network, batch, loss("sse")), ball(tiny)):
            assert (x.radius < math.inf) == bounded


@pytest.mark.parametrize("least", [0, FEW])
@given(st.integers(0, 2**32), st.tuples(*[st.sampled_from([-1, 0, 1, 8, 63, 900, 3000])] * 2))
def test_integer_products_are_those_of_the_definition(least: int, seed: int, bits: tuple[int, int]) -> None:
    """Of few rows and columns, and of many, which are packed; with −1 bits, all are 0."""
    random = Random(seed)
    length, *counts = max(1, least) + random.randrange(4), *(least + random.randrange(6) for _ in bits)

    def entry(n: int) -> int:
        most = 1 << n if n >= 0 else 0
        return random.choice([-most, most, random.randint(-most, most)])

    a, b = ([[entry(n) for _ in range(length)] for _ in range(count)] for n, count in zip(bits, counts))
    assert list(map(list, products(a, b))) == [[sum(map(mul, row, other)) for other in b] for row in a]


@pytest.mark.parametrize("digits", [0, -1, 2.5, "38", None])
def test_a_precision_that_is_none_is_refused(digits: int) -> None:
    case = wild_case(Random(0), widest=2, deepest=1)
    for attempt in (
        lambda: decimal(digits),
        lambda: ball(None, digits),
        lambda: ball("binary32", digits),
        lambda: certified_gradients(*case, digits=digits),
        lambda: certified_outputs(case.network, case.batch.inputs, digits=digits),
        lambda: certified_loss(*case, digits=digits),
    ):
        with pytest.raises(PurebpError, match="digits: a whole number above 0 is wanted"):
            attempt()


@pytest.mark.parametrize("x", [math.inf, -math.inf, math.nan])
def test_infinities_and_nan_are_refused(x: float) -> None:
    good, sse = Batch([[1.0]], [[0.0]]), loss("sse")
    for network, batch in (
        (one_neuron("identity", x), good),
        (one_neuron("identity", 1.0, x), good),
        (one_neuron("identity", 1.0), Batch([[x]], [[0.0]])),
        (one_neuron("identity", 1.0), Batch([[1.0]], [[x]])),
    ):
        for system in (ball(), ball("bfloat16")):
            with pytest.raises(PurebpError, match="finite"):
                backpropagation(network, batch, sse, system)
        with pytest.raises(PurebpError, match="finite"):
            backpropagation(network, batch, sse, decimal(20))
        with pytest.raises(PurebpError, match="no fraction"):
            backpropagation(network, batch, sse, FRACTION)
        with pytest.raises(PurebpError, match="finite"):
            certified_gradients(network, batch, sse)


# Made by somebody else.


@given(st.integers(0, 2**32))
def test_balls_hold_gradients_through_an_activation_and_a_loss_of_ones_own(seed: int) -> None:
    """The exact ones, and those of floats; with the bounds in their rows, and nothing registered anywhere."""
    case = wild_case(Random(seed), widest=3, deepest=3)
    layers = [Layer(layer.weights, layer.biases, BELL) for layer in case.network.layers]
    own = Exercise(Network(layers), case.batch, QUARTIC)
    exact, floats = gradients(own, EXACT), gradients(own, FLOAT)
    for format in (None, "binary64"):
        for x, value, number in zip(gradients(own, ball(format)), exact, floats, strict=True):
            assert holds(x, value, Fraction(10) ** -120)
            assert format is None or holds(x, Fraction(number))


def test_balls_of_a_format_of_ones_own_hold_what_is_rounded_to_it() -> None:
    random = Random(0)
    for _ in range(200):
        w, x = (rounds_to(random.uniform(-4, 4), E4M3) for _ in range(2))
        system = ball(E4M3)
        ((product,),) = system.inner(system.lift([[w]]), system.lift([[x]]))
        assert holds(product, Fraction(rounds_to(Fraction(w) * Fraction(x), E4M3)))


def test_a_format_is_its_numbers_and_not_its_name() -> None:
    case = wild_case(Random(3), widest=4, deepest=3)
    named, own = (gradients(case, ball(format)) for format in ("binary32", replace(BINARY32, name="mine")))
    assert [(x.midpoint, x.radius) for x in own] == [(x.midpoint, x.radius) for x in named]


def test_a_function_without_bounds_is_refused_with_what_to_give() -> None:
    bell = Elementwise("bell", Function("bell", BELL.value.formula), BELL.derivative)
    network = Network([Layer([[1.0]], None, bell)])
    with pytest.raises(
        PurebpError, match=r"nothing is known about the error of bell: give its Function bounds=Bounds\(\.\.\.\)"
    ):
        backpropagation(network, Batch([[1.0]], [[0.0]]), "mse", ball())


@given(st.integers(-(2**70), 2**70), st.integers(-1100, 900))
def test_the_float_above_is_the_next_one(mantissa: int, exponent: int) -> None:
    """At or above the number; no float lies between, but next to 0."""
    exact = mantissa * Fraction(2) ** exponent
    above = float_above(mantissa, exponent)
    assert Fraction(above) >= exact
    if abs(above) >= 2.0**-1020:
        assert Fraction(math.nextafter(above, -math.inf)) < exact
    assert float_above(1, -1021) == 2.0**-1021


def test_a_sum_of_one_ball_is_that_ball() -> None:
    x = ball("binary64").lift([[0.1]])[0][0]
    assert exact_sum([x]) == x and ends(exact_sum([x, x])) == (2 * ends(x)[0], 2 * ends(x)[1])


def test_a_number_that_is_tiny_beside_another_is_not_lost() -> None:
    """What is cut off, 20000 bits below, goes into the radius."""
    one, tiny = ball(None).lift([[1.0, 2.0**-1000]])[0]
    for _ in range(5):
        tiny = tiny * tiny
    low, high = ends(exact_sum([one, tiny]))
    assert low <= 1 + Fraction(1, 2**32000) <= high < 1 + Fraction(1, 2**16000)


@pytest.mark.parametrize("x", [Fraction(1, 3), Fraction(-22, 7), Fraction(10**40, 3)])
def test_a_fraction_is_enclosed(x: Any) -> None:
    for format in (None, *FORMATS):
        ((found,),) = ball(format).lift([[x]])
        assert holds(found, x) and (format or found.radius <= abs(x) * 1e-37)


@pytest.mark.parametrize("function", [_EXP, _EXPM1, _LOG, _LOG1P], ids=lambda function: function.name)
@given(st.floats(0.1, 20))
def test_the_slopes_of_the_functions_of_balls_are_theirs(function: Function, x: float) -> None:
    assert function.bounds is not None and function.bounds.slope is not None
    difference = (function(x + 1e-6) - function(x - 1e-6)) / 2e-6
    assert function.bounds.slope(x, FLOAT) == pytest.approx(difference, rel=1e-5)


def unit(x: Ball) -> Fraction:
    return Fraction(2) ** x.exponent


ROWS = st.tuples(st.integers(-(2**60), 2**60), st.integers(-70, -58), st.integers(0, 2**30))


@given(
    st.sampled_from([format for format in FORMATS.values() if not format.operand_bits]),
    st.lists(st.tuples(ROWS, ROWS), min_size=1, max_size=5),
    st.none() | ROWS,
    st.integers(0, 9),
)
def test_a_dot_product_has_the_radius_of_the_document_and_hardly_more(
    format: Format, pairs: list[tuple[tuple[int, int, int], tuple[int, int, int]]], bias: Any, more: int
) -> None:
    """r = E + 2nη + γₙ (E + M + 2nη), and where sums are stored in a narrower format that of storing them, twice."""
    rules = Rules(format, 38, more)
    a, b = ([Ball(m, e, r, rules) for m, e, r in side] for side in zip(*pairs))
    added = None if bias is None else [Ball(bias[0], bias[1], bias[2], rules)]
    found = rules.inner([a], [b], added)[0][0]
    terms = [*zip(a, b), *([] if added is None else [(rules.of(1), added[0])])]
    numbers = [[(x.mantissa * unit(x), (x.spread or 0) * unit(x)) for x in pair] for pair in terms]
    n, eta = len(terms) + more, 2 * Fraction(2) ** format.emin
    gamma = Fraction(n, 2**format.accumulate_bits - n)
    error = sum((abs(m) * s + r * (abs(k) + s) for (m, r), (k, s) in numbers), Fraction(0))
    size = sum((abs(m * k) for (m, _), (k, _) in numbers), Fraction(0))
    wanted = error + 2 * n * eta + gamma * (error + size + 2 * n * eta)
    if format.precision < format.accumulate_bits:
        middle = abs(sum((m * k for (m, _), (k, _) in numbers), Fraction(0)))
        for magnitude in (middle + (abs(numbers[-1][1][0]) if added else 0), middle):
            wanted += (magnitude + wanted) / 2**format.precision + eta
    assert found.spread is not None
    assert wanted <= found.spread * unit(found) <= wanted * (1 + Fraction(1, 2**60)) + 9 * unit(found)


def test_the_value_at_0_is_exact_where_it_is_0() -> None:
    on = ball()
    ((zero, near),) = on.elementwise(tanh.value, [[on.zero, on.number(1e-300)]])
    assert zero.mantissa == zero.radius == 0 and near.radius > 0


@given(
    st.sampled_from(list(FORMATS.values())),
    st.integers(-(2**80), 2**80) | st.integers(2**125, 2**127),
    st.integers(0, 2**60),
    st.integers(-220, 0),
    st.integers(1, 8),
)
@example(BINARY16, 2**126 + 1, 0, -200, 1)  # where η is whole units, and the share of m is not
def test_what_is_stored_has_the_radius_of_the_document(
    format: Format, mantissa: int, spread: int, exponent: int, roundoffs: int
) -> None:
    """r + k u (|m| + r) + η, and no unit less."""
    rules = Rules(format, 38)
    found = rules.stored(mantissa, spread, exponent, roundoffs)
    if found.spread is not None:
        m, r = abs(mantissa) * Fraction(2) ** exponent, spread * Fraction(2) ** exponent
        wanted = r + roundoffs * (m + r) / 2**format.precision + 2 * Fraction(2) ** format.emin
        off = abs(found.mantissa * unit(found) - mantissa * Fraction(2) ** exponent)
        assert wanted <= found.spread * unit(found) - off and found.spread * unit(found) <= wanted * 1.01 + 2 * unit(
            found
        )


def test_by_exactly_0_nothing_is_divided_and_by_what_may_be_0_without_a_bound() -> None:
    on = ball()
    with pytest.raises(ZeroDivisionError):
        on.one / on.zero
    assert (on.one / Ball(0, 0, 1, Rules(None, 38))).spread is None
