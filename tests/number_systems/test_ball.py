"""The same code over fractions, decimals, duals and balls: what each claims, held against the others.

Wild cases have saturated units, exact kinks, zeros, tiny and huge weights; ordinary ones come from `strategies`.
"""

from __future__ import annotations

import decimal as standard
import math
import struct
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from functools import cache
from operator import mul
from random import Random
from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from purebp import Batch, Gradients, Layer, Network, PurebpError, backpropagation, evaluate, loss
from purebp.number_systems.ball import Ball, ball, products
from purebp.number_systems.decimals import decimal
from purebp.number_systems.dual import DUAL, Dual, dual
from purebp.number_systems.formats import (
    BFLOAT16,
    BINARY16,
    BINARY32,
    BINARY64,
    FORMATS,
    TF32,
    Format,
    format_named,
    is_exact,
    rounds_to,
)
from purebp.number_systems.rational import FRACTION
from purebp.oracle import Certified, certified_gradients, certified_loss, certified_outputs
from purebp.textbook.arithmetic import Arithmetic, N
from studies.conforming import Case as WildCase
from studies.conforming import wild_case
from tests import laws
from tests.strategies import ACTIVATIONS, LOSSES, Case, cases

RATIONAL = ["identity", "relu", "leaky_relu(0.25)"]
SQUARES = ["sse", "half_sse", "mse", "half_mse"]
EXACT = decimal(200)
wild_cases = (
    st.integers(0, 2**32)
    .map(lambda seed: wild_case(Random(seed), widest=4, deepest=3))
    # Over softmax it divides by 1 − p, and p can be 1 to all digits: decimals refuse that.
    .filter(
        lambda case: (case.loss.base, case.network.layers[-1].activation.name) != ("binary_cross_entropy", "softmax")
    )
)


def ends(x: Ball) -> tuple[Fraction, Fraction]:
    """The ends of a ball with a radius, exactly."""
    assert x.spread is not None
    unit = Fraction(2) ** x.exponent
    return (x.mantissa - x.spread) * unit, (x.mantissa + x.spread) * unit


def holds(x: Ball, value: Fraction | Decimal, accuracy: Fraction = Fraction(0)) -> bool:
    """The ball holds the value, which is itself known to that accuracy, relatively or absolutely."""
    if x.spread is None:
        return True
    (low, high), exact = ends(x), Fraction(value)
    room = accuracy * max(Fraction(1), abs(exact))
    return low - room <= exact <= high + room


def within(x: Ball, y: Ball, room: Fraction = Fraction(0)) -> bool:
    """x is a part of y, made larger by so much."""
    if x.spread is None or y.spread is None:
        return y.spread is None
    return ends(y)[0] - room <= ends(x)[0] and ends(x)[1] <= ends(y)[1] + room


def one_neuron(name: str, weight: float, bias: float | None = None) -> Network:
    return Network([Layer([[weight]], None if bias is None else [bias], name)])


def gradients(case: Case | WildCase, on: Arithmetic[N]) -> list[N]:
    return backpropagation(case.network, case.batch, case.loss, on).parameters()


def all_three(case: Case, digits: int = 38) -> tuple[list[Fraction], list[Decimal], list[Ball]]:
    return gradients(case, FRACTION), gradients(case, EXACT), gradients(case, ball(None, digits))


# Exact where exact arithmetic is enough.


@given(cases(activations=RATIONAL, losses_from=SQUARES))
def test_fractions_decimals_and_balls_agree(case: Case) -> None:
    for exact, number, x in zip(*all_three(case), strict=True):
        assert abs(Fraction(number) - exact) <= Fraction(10) ** -190 * max(Fraction(1), abs(exact))
        assert abs(Fraction(x.midpoint) - exact) <= Fraction(10) ** -36 * max(Fraction(1), abs(exact))
        assert holds(x, exact)


@given(cases(activations=RATIONAL, losses_from=["sse", "half_sse"]))
def test_without_a_division_all_three_are_exact(case: Case) -> None:
    summed = case._replace(loss=case.loss.reduced("sum"))
    for exact, number, x in zip(*all_three(summed, digits=100), strict=True):
        assert Fraction(number) == exact == Fraction(x.midpoint)
        assert x.radius == 0


@given(cases(activations=RATIONAL, losses_from=SQUARES))
def test_a_certified_value_of_a_rational_network_is_its_fraction_rounded(case: Case) -> None:
    for entry, exact in zip(certified_gradients(*case).parameters(), gradients(case, FRACTION), strict=True):
        assert entry.rounded
        assert repr(entry.value) == repr(float(exact))


@given(wild_cases)
def test_so_it_is_of_wild_ones(case: WildCase) -> None:
    layers = [Layer(layer.weights, layer.biases, RATIONAL[l % 3]) for l, layer in enumerate(case.network.layers)]
    case = WildCase(Network(layers), case.batch, loss("sse").reduced(case.loss.reduction))
    for entry, exact in zip(certified_gradients(*case).parameters(), gradients(case, FRACTION), strict=True):
        if entry.rounded:
            assert repr(entry.value) == repr(float(exact))
        else:  # at a kink; a fraction takes the side that PyTorch takes
            assert entry.lower <= exact <= entry.upper


# The exact value lies in every ball.


@given(wild_cases)
def test_every_ball_holds_the_exact_gradient(case: WildCase) -> None:
    try:
        exact = gradients(case, EXACT)
    except PurebpError as error:  # an output that is 1 to two hundred digits
        assert "no derivative at an output of exactly 0 or 1" in str(error)
        reject()
    for format in (None, *FORMATS):
        for x, value in zip(gradients(case, ball(format)), exact, strict=True):
            assert holds(x, value, Fraction(10) ** -120), format


@given(cases())
def test_every_ball_holds_the_exact_loss(case: Case) -> None:
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
def test_more_digits_make_a_ball_smaller_around_the_same_value(case: WildCase) -> None:
    few, more, many = (gradients(case, ball(None, digits)) for digits in (12, 38, 76))
    for x, y, z in zip(few, more, many, strict=True):
        assert within(z, y) and within(y, x)


@given(wild_cases, st.sampled_from([None, *FORMATS]), st.floats(-300, 300))
@settings(max_examples=200)
def test_a_radius_is_never_nan_and_never_negative(case: WildCase, format: str | None, power: float) -> None:
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


# Formats.


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
        for x in gradients(WildCase(network, batch, loss("sse")), ball(tiny)):
            assert (x.radius < math.inf) == bounded


@given(st.floats(allow_nan=False))
def test_rounding_agrees_with_struct(x: float) -> None:
    for format, code in ((BINARY32, "<f"), (BINARY16, "<e")):
        try:
            expected = struct.unpack(code, struct.pack(code, x))[0]
        except OverflowError:
            expected = math.copysign(math.inf, x)
        assert repr(rounds_to(x, format)) == repr(expected)
    assert rounds_to(x, BINARY64) == x


@given(st.floats(-1e4, 1e4))
def test_rounding_a_single_to_bfloat16_is_rounding_its_upper_half(x: float) -> None:
    (bits,) = struct.unpack("<I", struct.pack("<f", x))
    kept = bits + 0x7FFF + (bits >> 16 & 1) & 0xFFFF0000
    single = struct.unpack("<f", struct.pack("<f", x))[0]
    assert rounds_to(single, BFLOAT16) == struct.unpack("<f", struct.pack("<I", kept))[0]


def test_known_values_of_the_formats() -> None:
    """The largest numbers as published: IEEE 754 for 65504, Intel's bfloat16 for 3.38953139e38."""
    assert (BINARY16.largest, BINARY16.smallest_normal) == (65504.0, 2.0**-14)
    assert BFLOAT16.largest == float.fromhex("0x1.fep127") == pytest.approx(3.38953139e38)
    assert BINARY64.largest == 1.7976931348623157e308 and BINARY64.storage == 2.0**-53
    assert rounds_to(3.14159265, BFLOAT16) == 3.140625
    assert rounds_to(1e-3, BFLOAT16) == 0.00099945068359375
    assert TF32.operand == 2.0**-11 and rounds_to(math.inf, BINARY32) == math.inf
    assert [format_named(name) for name in FORMATS] == list(FORMATS.values())
    with pytest.raises(PurebpError, match="known are binary64"):
        format_named("binary128")


# Duals: derivatives without backpropagation.


def directions(case: Case, random: Random) -> list[list[float]]:
    """Along one parameter, and along all of them."""
    n = len(case.network.parameters())
    k = random.randrange(n)
    return [[float(i == k) for i in range(n)], [random.uniform(-1, 1) for _ in range(n)]]


def slopes_along(case: Case, v: Sequence[float]) -> Dual[float]:
    x = case.network.parameters()
    return evaluate(case.network.with_parameters(map(Dual, x, v)), case.batch, case.loss, DUAL)


def hold_duals(strategy: st.SearchStrategy[Case]) -> None:
    @settings(max_examples=15)
    @given(strategy, st.randoms(use_true_random=False))
    def run(case: Case, random: Random) -> None:
        g = backpropagation(*case).parameters()
        for v in directions(case, random):
            found = slopes_along(case, v)
            scale = 1 + sum(abs(a * b) for a, b in zip(g, v))
            laws.assert_close([found.value, found.slope], [case.value(), sum(a * b for a, b in zip(g, v))], scale=scale)

    run()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_derivative_in_every_direction_is_the_gradient_times_it_for_every_activation(name: str) -> None:
    hold_duals(cases(with_activation=name))


@pytest.mark.parametrize("name", LOSSES)
def test_the_derivative_in_every_direction_is_the_gradient_times_it_for_every_loss(name: str) -> None:
    hold_duals(cases(losses_from=[name]))


@given(cases(), st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_nested_duals_are_the_differences_of_gradients(case: Case, random: Random) -> None:
    """vᵀHw three ways: nested duals, duals through backpropagation, and (∇(x + hw) − ∇(x − hw)) / 2h."""
    x, (w, v) = case.network.parameters(), directions(case, random)
    nested = case.network.with_parameters(Dual(Dual(a, b), Dual(c, 0.0)) for a, b, c in zip(x, v, w))
    curvature = evaluate(nested, case.batch, case.loss, dual(DUAL)).slope.slope
    through: Gradients[Dual[float]] = backpropagation(
        case.network.with_parameters(map(Dual, x, w)), case.batch, case.loss, DUAL
    )
    products = [number.slope for number in through.parameters()]
    h = 2.0**-17
    moved = (case.network.with_parameters(a + s * b for a, b in zip(x, w)) for s in (h, -h))
    above, below = (backpropagation(network, case.batch, case.loss).parameters() for network in moved)
    scale = 1 + case.value() + max(map(abs, [*above, *products]))
    laws.assert_close(products, [(p - q) / (2 * h) for p, q in zip(above, below)], 1e-7, scale)
    laws.assert_close([curvature], [sum(a * b for a, b in zip(v, products))], 1e-10, scale * len(x))


def test_duals_over_fractions_and_decimals_are_as_exact_as_these() -> None:
    network, batch = one_neuron("identity", 0.5), Batch([[0.1]], [[0.7]])
    (exact,) = backpropagation(network, batch, "sse", FRACTION).parameters()
    assert slope_over(FRACTION, batch) == exact
    assert abs(Fraction(slope_over(EXACT, batch)) - exact) < Fraction(10) ** -190


def slope_over(on: Arithmetic[N], batch: Batch) -> N:
    system = dual(on)
    moving = Network([Layer([[Dual(on.ratio(1, 2), on.ratio(1, 1))]], None, "identity")])
    lifted = Batch(system.lift(batch.inputs), system.lift(batch.targets))
    return evaluate(moving, lifted, "sse", system).slope


# Certified values.


def bits(entries: Sequence[Certified]) -> list[str]:
    return [repr(entry.value) if entry.rounded else "open" for entry in entries]


@given(wild_cases, st.sampled_from([7, 20, 50]))
@settings(max_examples=40)
def test_certified_bits_do_not_depend_on_the_digits_to_begin_with(case: WildCase, digits: int) -> None:
    assert bits(certified_gradients(*case).parameters()) == bits(certified_gradients(*case, digits=digits).parameters())


@given(st.data(), st.integers(1, 4), st.tuples(*[st.sampled_from([0, 1, 8, 63, 900, 3000])] * 2))
def test_integer_products_are_those_of_the_definition(data: st.DataObject, length: int, bits: tuple[int, int]) -> None:
    a, b = (
        data.draw(st.lists(st.lists(entries | st.just(-(2**n)), min_size=length, max_size=length), max_size=5))
        for n in bits
        for entries in [st.integers(-(2**n), 2**n)]
    )
    assert list(map(list, products(a, b))) == [[sum(map(mul, row, other)) for other in b] for row in a]


@given(wild_cases)
@settings(max_examples=40)
def test_certified_bits_do_not_depend_on_how_the_batch_is_split(case: WildCase) -> None:
    expected = certified_gradients(*case)
    with ThreadPoolExecutor(2) as executor:
        for parts in (1, 2, 3, None):
            found = certified_gradients(*case, executor=executor, parts=parts)
            assert bits(found.parameters()) == bits(expected.parameters())
            for layer, other in zip(found.layers, expected.layers, strict=True):
                assert [bits(row) for row in layer.deltas] == [bits(row) for row in other.deltas]


def test_nor_on_being_computed_in_other_processes() -> None:
    case = wild_case(Random(4), widest=6)
    expected = bits(certified_gradients(*case).parameters())
    executor: Executor
    with ProcessPoolExecutor(2) as executor:
        assert bits(certified_gradients(*case, executor=executor).parameters()) == expected


def test_nor_on_an_executor_that_asks_how_much_there_is_to_do() -> None:
    class Counting(ThreadPoolExecutor):  # as that of dask.distributed
        def map(self, fn: Callable[..., Any], *iterables: Any, timeout: float | None = None, chunksize: int = 1) -> Any:
            assert len(set(map(len, iterables))) == 1
            return super().map(fn, *iterables, timeout=timeout, chunksize=chunksize)

    case = wild_case(Random(4), widest=6)
    with Counting(2) as executor:
        found = certified_gradients(*case, executor=executor)
    assert bits(found.parameters()) == bits(certified_gradients(*case).parameters())


@given(wild_cases)
def test_certified_bits_do_not_depend_on_the_order_of_the_samples(case: WildCase) -> None:
    turned = Batch(case.batch.inputs[::-1], case.batch.targets[::-1])
    expected = bits(certified_gradients(*case).parameters())
    assert bits(certified_gradients(case.network, turned, case.loss).parameters()) == expected


@given(wild_cases)
@settings(max_examples=20)
def test_the_callers_decimal_context_is_neither_read_nor_changed(case: WildCase) -> None:
    expected = certified_gradients(*case).parameters(), [x.midpoint for x in gradients(case, ball("binary32"))]
    numbers = gradients(case, decimal(30))
    traps = [standard.Inexact, standard.Rounded, standard.FloatOperation, standard.Subnormal, standard.Underflow]
    strange = standard.Context(prec=3, rounding=standard.ROUND_UP, Emin=-5, Emax=5, traps=traps)
    with standard.localcontext(strange) as own:
        found = certified_gradients(*case).parameters(), [x.midpoint for x in gradients(case, ball("binary32"))]
        ends_found = [(entry.lower, entry.upper) for entry in found[0]]
        again = gradients(case, decimal(30))
        assert own.flags == dict.fromkeys(own.flags, False)
        assert (own.prec, own.rounding, own.Emin, own.Emax) == (3, standard.ROUND_UP, -5, 5)
    assert found == expected and again == numbers
    assert ends_found == [(entry.lower, entry.upper) for entry in expected[0]]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (-1 - 2.0**-60, 1.0),
        (-(2.0**-53), 1.0),  # 1 + 2⁻⁵³ lies halfway between 1 and 1 + 2⁻⁵²: to the even one
        (-3 * 2.0**-53, 1 + 2.0**-51),
        (-(2.0**-53) - 2.0**-80, 1 + 2.0**-52),
        (1.0, 0.0),
    ],
)
def test_ties_go_to_the_even_neighbour(target: float, expected: float) -> None:
    """∂loss/∂b of ½(w x + b − y)² is w x + b − y, here 1 − y."""
    weight = 0.0 if target < -0.5 else 1.0
    network, batch = one_neuron("identity", weight, 0.0), Batch([[1.0]], [[target]])
    entry = certified_gradients(network, batch, "half_sse").parameters()[1]
    assert entry.rounded and repr(entry.value) == repr(expected)


@pytest.mark.parametrize(
    ("x", "weight", "expected"),
    [
        (2.0**-500, 2.0**-74, 2.0**-1074),
        (2.0**-500, 2.0**-75, 0.0),  # half the smallest number: to the even one, which is 0
        (2.0**-500, 3 * 2.0**-75, 2.0**-1073),
        (2.0**-500, -(2.0**-75) * 1.5, -(2.0**-1074)),
        (2.0**-500, -(2.0**-76), 0.0),  # never −0.0
        (2.0**500, 2.0**24, math.inf),
        (-(2.0**500), 2.0**23 * (2 - 2.0**-52), 1.7976931348623157e308),
        (2.0**500, -(2.0**24), -math.inf),
    ],
)
def test_the_smallest_and_the_largest_gradients_are_rounded_too(x: float, weight: float, expected: float) -> None:
    """∂loss/∂w of ½(w x)² is w x²."""
    (entry,) = certified_gradients(one_neuron("identity", weight), Batch([[x]], [[0.0]]), "half_sse").parameters()
    assert entry.rounded and repr(entry.value) == repr(expected)


@pytest.mark.parametrize("z", [-700.0, -740.0, -744.4, -745.0, -745.2, -800.0, -1e5, -1e300, 36.0, 37.0, 1e300])
def test_the_tails_of_the_sigmoid_are_rounded_correctly(z: float) -> None:
    """Below −745.13 it is nearer to 0 than to the smallest number; above 36.7 nearer to 1 than to the largest below."""
    ((entry,),) = certified_outputs(one_neuron("sigmoid", 1.0), [[z]])
    expected = float(1 / (1 + EXACT.exp(-EXACT.lift([[z]])[0][0])))
    assert entry.rounded and entry.value == expected
    assert (entry.value == 0.0) == (z < -745.1332191019411)
    slope = certified_gradients(one_neuron("sigmoid", 1.0, 0.0), Batch([[z]], [[0.0]]), "sse").parameters()[1]
    assert slope.rounded and 0 <= slope.value < 1


@pytest.mark.parametrize(
    ("name", "below", "above"),
    [("relu", 0.0, 1.0), ("leaky_relu(0.25)", 0.25, 1.0), ("leaky_relu(3.0)", 3.0, 1.0), ("elu(0.5)", 0.5, 1.0)],
)
def test_at_a_kink_the_enclosure_holds_the_gradients_of_both_sides(name: str, below: float, above: float) -> None:
    """Clarke's interval; here z = 0.1 · 10 − 1 rounds to 0 in floats but is above, and 0.5 · 2 − 1 is 0."""
    for error in (3.0, -3.0):
        entry = certified_gradients(one_neuron(name, 0.5, -1.0), Batch([[2.0]], [[-error]]), "half_sse").parameters()[1]
        assert not entry.rounded
        assert entry.lower <= min(error * below, error * above) and max(error * below, error * above) <= entry.upper
        assert entry.upper - entry.lower <= Decimal(abs(error * (above - below))) * Decimal("1.0000001")
        batch = Batch([[10.0]], [[-error]])
        near = certified_gradients(one_neuron(name, 0.1, -1.0), batch, "half_sse").parameters()[1]
        assert near.rounded and near.value == pytest.approx(error * above)


def test_at_a_kink_below_another_layer_the_enclosure_holds_all_four_gradients() -> None:
    network = Network([Layer([[1.0], [-2.0]], [-1.0, 2.0], "relu"), Layer([[3.0, 0.5]], [1.0], "identity")])
    entries = certified_gradients(network, Batch([[1.0]], [[0.0]]), "half_sse").layers[0].biases
    assert entries is not None
    for entry, value in zip(entries, (3.0, 0.5), strict=True):
        assert entry.lower <= 0 and value <= entry.upper and not entry.rounded


def test_where_an_absolute_error_is_zero_the_enclosure_holds_both_signs() -> None:
    entry = certified_gradients(one_neuron("identity", 1.0), Batch([[2.0]], [[2.0]]), "mae").parameters()[0]
    assert not entry.rounded and entry.lower <= -2 and entry.upper >= 2


@given(cases())
@settings(max_examples=30)
def test_the_certified_loss_is_the_exact_one_rounded(case: Case) -> None:
    found, exact = certified_loss(*case), evaluate(*case, EXACT)
    assert found.rounded and repr(found.value + 0.0) == repr(float(exact) + 0.0)
    assert found.lower <= exact <= found.upper


# Elementary functions of decimals, held against series in fractions and against themselves at three times the digits.


def exponential_series(x: Fraction, bound: Fraction, first: int) -> Fraction:
    """Σ xᵏ/k! from k = first on, for |x| ≤ 40."""
    k, total = first, Fraction(0)
    term = x**k / math.factorial(k)
    while k < 60 or abs(term) > bound:
        total += term
        k += 1
        term = shortened(term * x / k)
    return total


def shortened(x: Fraction) -> Fraction:
    """x to 600 bits behind the point: far below what is compared, and fractions stay short."""
    return Fraction(round(x * 2**600), 2**600)


def logarithm_series(x: Fraction) -> Fraction:
    """log x = 2 artanh((x − 1)/(x + 1)), for x not far from 1."""
    t = (x - 1) / (x + 1)
    power, total, k = t, Fraction(0), 1
    while abs(power) > Fraction(1, 2**590):
        total += power / k
        power, k = shortened(power * t * t), k + 2
    return 2 * total


def hyperbolic_tangent_fraction(x: Fraction) -> Fraction:
    """x / (1 + x²/(3 + x²/(5 + …))) (Lambert 1768)."""
    result = Fraction(401)
    for odd in range(399, 0, -2):
        result = odd + shortened(x * x / result)
    return x / result


def normal_series(x: Fraction) -> Fraction:
    """Φ(x) = ½ + (2π)^−½ Σ (−1)ᵏ x^(2k+1) / (2ᵏ k! (2k + 1)) (Abramowitz and Stegun 26.2.10)."""
    term, total, k = x, Fraction(0), 0
    while k < 200 or abs(term) > Fraction(1, 2**590):
        total += term / (2 * k + 1)
        k += 1
        term = shortened(-term * x * x / (2 * k))
    return Fraction(1, 2) + total * root_of_two_pi()


@cache
def root_of_two_pi() -> Fraction:
    """1/√(2π), with π from 4 (44 arctan 1/57 + 7 arctan 1/239 − 12 arctan 1/682 + 24 arctan 1/12943) (Størmer 1896)."""

    def arctan(n: int) -> Fraction:
        return sum((Fraction((-1) ** k, (2 * k + 1) * n ** (2 * k + 1)) for k in range(60)), Fraction(0))

    pi = 4 * (44 * arctan(57) + 7 * arctan(239) - 12 * arctan(682) + 24 * arctan(12943))
    square = 2**1200 / (2 * pi)
    return Fraction(math.isqrt(int(square)), 2**600)


SERIES: dict[str, Callable[[Fraction], Fraction]] = {
    "exp": lambda x: exponential_series(x, Fraction(1, 2**590), 0),
    "expm1": lambda x: exponential_series(x, Fraction(1, 2**590), 1),
    "log": logarithm_series,
    "log1p": lambda x: logarithm_series(1 + x),
    "tanh": hyperbolic_tangent_fraction,
    "normal_cdf": normal_series,
    "normal_pdf": lambda x: root_of_two_pi() * exponential_series(-x * x / 2, Fraction(1, 2**590), 0),
}
FUNCTIONS = list(SERIES)


def applied(name: str, digits: int, x: float | Decimal) -> Decimal:
    on = decimal(digits)
    f: Callable[[Decimal], Decimal] = getattr(on, name)
    return f(on.lift([[x]])[0][0])


@pytest.mark.parametrize("name", FUNCTIONS)
@given(st.floats(-6, 6), st.sampled_from([-40, -12, -3, -1, 0]), st.sampled_from([1, 5, 17, 38, 60]))
def test_decimal_functions_agree_with_their_series(name: str, x: float, power: int, digits: int) -> None:
    x *= 10.0**power
    if name.startswith("log"):
        x = abs(x) + (name == "log") * 0.1
    x = float(f"{x:.{min(digits, 15) - 1}e}")  # so short that lifting it is exact, or all but
    lifted = decimal(digits).lift([[x]])[0][0]
    exact = SERIES[name](Fraction(lifted))
    accuracy = Fraction(10) ** (1 - digits) * abs(exact) + Fraction(1, 2**580)
    assert abs(Fraction(applied(name, digits, x)) - exact) <= accuracy


@pytest.mark.parametrize("name", FUNCTIONS)
@given(st.floats(-1, 1, exclude_min=True), st.integers(-320, 300), st.sampled_from([1, 2, 9, 38]))
def test_decimal_functions_agree_with_three_times_the_digits(name: str, x: float, power: int, digits: int) -> None:
    """At every argument: next to 0, in both tails, and where the result leaves every float."""
    lifted = Decimal(x).scaleb(power)
    lifted = Decimal(decimal(digits).lift([[lifted]])[0][0])
    if name == "log":
        lifted = abs(lifted) or Decimal(1)
    if name == "log1p" and lifted <= -1:
        lifted = -1 / lifted
    if lifted == -1:
        return
    found, exact = applied(name, digits, lifted), applied(name, 3 * digits + 10, lifted)
    if not exact.is_finite() or not exact:
        assert found == exact  # beyond 10^(10^18), or below its inverse
        return
    wide = standard.Context(prec=400, Emax=standard.MAX_EMAX, Emin=standard.MIN_EMIN)
    error = wide.abs(wide.subtract(found, exact))
    assert error <= wide.multiply(wide.scaleb(Decimal(1), 1 - digits), wide.abs(exact))


def test_the_tail_of_the_normal_distribution_lies_between_its_classical_bounds() -> None:
    """φ(y) (1/y − 1/y³) < Φ(−y) < φ(y)/y (Gordon 1941), at any distance."""
    on = decimal(40)
    for y in (5.0, 13.7, 13.8, 20.0, 1e3, 1e6):
        ((number,),) = on.lift([[y]])
        upper = on.normal_pdf(number) / number
        assert upper * (1 - 1 / (number * number)) < on.normal_cdf(-number) < upper


@given(st.floats(-30, 30))
@settings(max_examples=30)
def test_decimal_functions_satisfy_their_identities(x: float) -> None:
    on = decimal(60)
    ((z,),) = on.lift([[x]])
    tiny = Decimal("1e-56")
    assert abs(on.exp(z) * on.exp(-z) - 1) < tiny
    assert abs(on.log(on.exp(z)) - z) <= tiny * max(Decimal(1), abs(z))
    assert abs(on.log1p(on.expm1(z)) - z) <= Decimal("1e-42") * max(Decimal(1), abs(z))  # 1 + e^−30 loses 13 digits
    assert abs(on.tanh(z) - (on.exp(2 * z) - 1) / (on.exp(2 * z) + 1)) < tiny
    assert abs(on.normal_cdf(z) + on.normal_cdf(-z) - 1) < tiny


# What is refused.


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


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus", "elu(1.0)", "silu", "gelu", "softmax"])
def test_fractions_refuse_what_is_irrational_and_say_what_to_do(name: str) -> None:
    with pytest.raises(PurebpError, match=r"of a fraction is irrational.*decimal\(digits\)"):
        backpropagation(one_neuron(name, -1.0), Batch([[1.0]], [[0.0]]), "sse", FRACTION)


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
