"""Certified values: the exact one rounded, whatever the digits, the batch and the processes, or an enclosure."""

from __future__ import annotations

import decimal as standard
import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purebp import Batch, Layer, Loss, Network, PurebpError, backpropagation, evaluate, forward, loss, mse, sse
from purebp.number_systems.ball import Ball, Rules, ball
from purebp.number_systems.decimals import decimal
from purebp.number_systems.dual import Dual, dual
from purebp.number_systems.rational import FRACTION
from purebp.oracle import Certified, certified_gradients, certified_hessian_product, certified_loss, certified_outputs
from purebp.oracle.certify import MOST_DIGITS, certify, nearest_double
from purebp.textbook.arithmetic import Undecided
from studies.conforming import Exercise, wild_case
from tests.enclosures import BELL, EXACT, QUARTIC, RATIONAL, SQUARES, gradients, one_neuron, wild_cases
from tests.strategies import cases


def bits(entries: Sequence[Certified]) -> list[str]:
    return [repr(entry.value) if entry.rounded else "open" for entry in entries]


@given(cases(activations=RATIONAL, losses_from=SQUARES))
def test_a_certified_value_of_a_rational_network_is_its_fraction_rounded(case: Exercise) -> None:
    for entry, exact in zip(certified_gradients(*case).parameters(), gradients(case, FRACTION), strict=True):
        assert entry.rounded
        assert repr(entry.value) == repr(float(exact))


@given(wild_cases)
def test_so_it_is_of_wild_ones(case: Exercise) -> None:
    layers = [Layer(layer.weights, layer.biases, RATIONAL[l % 3]) for l, layer in enumerate(case.network.layers)]
    case = Exercise(Network(layers), case.batch, loss("sse").reduced(case.loss.reduction))
    for entry, exact in zip(certified_gradients(*case).parameters(), gradients(case, FRACTION), strict=True):
        if entry.rounded:
            assert repr(entry.value) == repr(float(exact))
        else:  # at a kink; a fraction takes the side that PyTorch takes
            assert entry.lower <= exact <= entry.upper


@given(wild_cases, st.sampled_from([7, 20, 50]))
def test_certified_bits_do_not_depend_on_the_digits_to_begin_with(case: Exercise, digits: int) -> None:
    assert bits(certified_gradients(*case).parameters()) == bits(certified_gradients(*case, digits=digits).parameters())


@given(wild_cases)
def test_certified_bits_do_not_depend_on_how_the_batch_is_split(case: Exercise) -> None:
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


class Counting(ThreadPoolExecutor):
    """It asks how much there is to do, as that of dask.distributed."""

    def __init__(self) -> None:
        super().__init__(2)
        self.tasks: list[int] = []

    def map(self, fn: Callable[..., Any], *iterables: Any, timeout: float | None = None, chunksize: int = 1) -> Any:
        assert len(set(map(len, iterables))) == 1
        self.tasks.append(len(iterables[0]))
        return super().map(fn, *iterables, timeout=timeout, chunksize=chunksize)


def test_nor_on_an_executor_that_asks_how_much_there_is_to_do() -> None:
    case = wild_case(Random(4), widest=6)
    with Counting() as executor:
        found = certified_gradients(*case, executor=executor)
    assert bits(found.parameters()) == bits(certified_gradients(*case).parameters())


def test_an_executor_has_as_many_tasks_as_parts_or_samples() -> None:
    network, batch = Network.random([2, 3, 1], "tanh"), Batch([[0.1 * k, 1.0] for k in range(7)], [[1.0]] * 7)
    with Counting() as executor:
        for parts in (1, 2, 3, 7, 8):
            certified_gradients(network, batch, executor=executor, parts=parts)
        assert executor.tasks == [1, 2, 3, 7, 7]


@given(wild_cases)
def test_certified_bits_do_not_depend_on_the_order_of_the_samples(case: Exercise) -> None:
    turned = Batch(case.batch.inputs[::-1], case.batch.targets[::-1])
    expected = bits(certified_gradients(*case).parameters())
    assert bits(certified_gradients(case.network, turned, case.loss).parameters()) == expected


@given(wild_cases)
@settings(max_examples=20)
def test_the_callers_decimal_context_is_neither_read_nor_changed(case: Exercise) -> None:
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
def test_the_certified_loss_is_the_exact_one_rounded(case: Exercise) -> None:
    found, exact = certified_loss(*case), evaluate(*case, EXACT)
    assert found.rounded and repr(found.value + 0.0) == repr(float(exact) + 0.0)
    assert found.lower <= exact <= found.upper


def test_fractions_and_decimals_are_certified_for_what_they_are() -> None:
    for x in (Fraction(1, 3), Decimal("0.1"), Fraction(5, 8)):
        network: Network[Any] = Network([Layer([[x]], None, "identity")])
        (entry,) = certified_gradients(network, Batch([[1.0]], [[0.0]]), "half_sse").parameters()
        assert entry.rounded and entry.value == float(x)
        assert Fraction(entry.lower) <= Fraction(x) <= Fraction(entry.upper)


def test_a_complex_number_is_not_certified() -> None:
    network: Network[Any] = Network([Layer([[1j]], None, "identity")])
    with pytest.raises(PurebpError, match="finite numbers"):
        certified_gradients(network, Batch([[1.0]], [[0.0]]))


def test_the_loss_that_is_given_is_the_one_that_is_certified() -> None:
    network, batch = Network([Layer([[2.0]], None, "identity")]), Batch([[1.0]], [[0.0]])
    own = Loss("cube", "sum", lambda p, t, on: (p - t) * (p - t) * (p - t), lambda p, t, on: 3 * (p - t) * (p - t))
    for given_loss in (mse.over(10), own, replace(sse, summand=own.summand, slope=own.slope)):
        (entry,) = certified_gradients(network, batch, given_loss).parameters()
        assert entry.value == backpropagation(network, batch, given_loss).parameters()[0]


def test_arguments_beyond_all_floats_are_certified() -> None:
    network = Network([Layer([[1.79e308]], None, "identity"), Layer([[2.0]], None, "tanh")])
    ((entry,),) = certified_outputs(network, [[1.0]])
    assert entry.rounded and entry.value == 1.0


@pytest.mark.parametrize("parts", [0, -1, 1.5, "a"])
def test_parts_that_are_no_number_of_parts_are_refused(parts: Any) -> None:
    with pytest.raises(PurebpError, match="parts="):
        certified_gradients(Network.random([1, 1]), Batch([[1.0]], [[0.0]]), parts=parts)


def test_a_gradient_that_is_zero_without_being_computed_exactly_is_found_in_the_end() -> None:
    """tanh(0.1) − tanh(0.1): the radius falls under half the smallest subnormal number at 608 digits."""
    layers = [Layer([[1.0], [1.0]], None, "tanh"), Layer([[1.0, -1.0]], None, "identity")]
    entries = certified_gradients(Network(layers), Batch([[0.1]], [[0.0]])).parameters()
    assert {(entry.value, entry.rounded) for entry in entries} == {(0.0, True)}


@given(st.integers(-(2**70), 2**70) | st.integers(-99, 99), st.integers(-1200, 1100))
def test_the_nearest_double_is_that_of_the_fraction(mantissa: int, exponent: int) -> None:
    exact, found = mantissa * Fraction(2) ** exponent, nearest_double(mantissa, exponent)
    try:
        assert repr(found) == repr(float(exact) + 0.0)
    except OverflowError:
        assert found == math.copysign(math.inf, mantissa)


@pytest.mark.parametrize("first", [5, 19, 38])
def test_digits_are_doubled_for_what_is_left_open_alone(first: int) -> None:
    """1 + 10⁻⁵⁰ needs more digits than there are at first; of 1/3 the first value stays."""
    asked: list[int] = []

    def compute(digits: int) -> list[Ball]:
        asked.append(digits)
        rules = Rules(None, digits)
        tiny = rules.ratio(1, 10**50)
        halfway = rules.exact(1) + rules.ratio(1, 2**53)  # between two doubles, up to what is added
        return [rules.ratio(1, 3), halfway + tiny]

    third, above = certify(compute, first)
    assert (third.value, above.value) == (1 / 3, 1 + 2.0**-52) and third.rounded and above.rounded
    assert asked == [first * 2**k for k in range(len(asked))] and first * 2 ** (len(asked) - 1) >= 50
    assert third.ball.rules.digits < above.ball.rules.digits


def test_what_is_open_at_the_most_digits_is_enclosed() -> None:
    asked: list[int] = []

    def compute(digits: int) -> list[Ball]:
        asked.append(digits)
        return [Ball(1, 0, 1, Rules(None, digits)), Ball(1, 0, None, Rules(None, digits))]

    open_one, unbounded = certify(compute, 38)
    assert asked == [38, 76, 152, 304, MOST_DIGITS]
    assert (open_one.value, open_one.rounded, open_one.lower, open_one.upper) == (1.0, False, Decimal(0), Decimal(2))
    assert math.isnan(unbounded.value) and not unbounded.rounded
    assert (unbounded.lower, unbounded.upper) == (Decimal("-Infinity"), Decimal("Infinity"))


def test_certified_outputs_are_rows_of_samples() -> None:
    network, inputs = Network.random([2, 2, 3], "identity"), [[0.5, 1.0], [0.25, -1.0], [2.0, 0.0], [1.0, 1.0]]
    found = certified_outputs(network, inputs)
    exact = forward(network, inputs, FRACTION).outputs
    assert [[x.value for x in row] for row in found] == [[float(x) for x in row] for row in exact]


# Second order.


def within(entry: Certified, x: Decimal, accuracy: float = 1e-30) -> bool:
    return float(x - entry.upper) <= accuracy * (1 + abs(float(x))) >= float(entry.lower - x)


@given(cases(), st.randoms(use_true_random=False))
def test_a_certified_hessian_product_is_the_difference_of_gradients(case: Exercise, random: Random) -> None:
    """In 200 digits, with steps of 10⁻⁶⁰."""
    x = case.network.parameters()
    directions = [[float(i == 0) for i in range(len(x))], [random.uniform(-2, 2) for _ in x]]
    found = certified_hessian_product(*case, directions)
    h = EXACT.ratio(1, 10**60)
    for entries, v in zip(found, directions, strict=True):
        above, below = (
            backpropagation(case.network.with_parameters(moved), case.batch, case.loss, EXACT).parameters()
            for moved in ([EXACT.number(a) + s * h * EXACT.number(b) for a, b in zip(x, v)] for s in (1, -1))
        )
        assert len(entries) == len(x)
        assert all(within(entry, (p - q) / (2 * h)) for entry, p, q in zip(entries, above, below))
        assert all(entry.ball.radius <= 1e-30 * (1 + abs(entry.value)) for entry in entries)


def test_so_it_is_of_an_activation_and_a_loss_of_ones_own() -> None:
    """Whose rows have no second derivatives: by their formulas."""
    batch, step = Batch([[1.0]], [[0.25]]), EXACT.ratio(1, 10**60)
    network = Network([Layer([[0.5]], None, BELL)])
    ((entry,),) = certified_hessian_product(network, batch, QUARTIC, [[1.0]])
    above, below = (
        backpropagation(network.with_parameters([w]), batch, QUARTIC, EXACT).parameters()[0]
        for w in (EXACT.ratio(1, 2) + step, EXACT.ratio(1, 2) - step)
    )
    assert entry.rounded and within(entry, (above - below) / (2 * step))


@given(cases(activations=RATIONAL, losses_from=SQUARES), st.randoms(use_true_random=False))
def test_that_of_a_rational_network_is_its_fraction_rounded_and_symmetric(case: Exercise, random: Random) -> None:
    x = case.network.parameters()
    u, v = ([Fraction(random.randint(-9, 9), 8) for _ in x] for _ in range(2))
    through = case.network.with_parameters(Dual(Fraction(a), b) for a, b in zip(x, v))
    exact = [each.slope for each in backpropagation(through, case.batch, case.loss, dual(FRACTION)).parameters()]
    hv, hu = certified_hessian_product(*case, [list(map(float, v)), list(map(float, u))])
    assert [entry.value for entry in hv] == list(map(float, exact))
    assert sum(a * b.value for a, b in zip(u, hv)) == pytest.approx(
        float(sum(a * b.value for a, b in zip(v, hu))), rel=1e-12, abs=1e-12
    )


@pytest.mark.parametrize(
    ("name", "bend", "products"),
    [("relu", "half_sse", (1.0, 0.0)), ("elu(0.5)", "half_sse", (1.0, -0.25)), ("identity", "huber(1.0)", (1.0, 0.0))],
)
def test_at_a_kink_the_product_holds_the_limits_from_both_sides(
    name: str, bend: str, products: tuple[float, float]
) -> None:
    """½ (f(w) − 1)² and f at 0: f′² + f″ (f − 1); huber at an error of its δ: 1 below and 0 above."""
    target = 1.0 if bend == "half_sse" else -1.0
    network = Network([Layer([[0.0]], None, name)])
    case = network, Batch([[1.0]], [[target]]), loss(bend).reduced("sum")
    ((entry,),) = certified_hessian_product(*case, [[1.0]])
    assert not entry.rounded and all(entry.lower <= Decimal(limit) <= entry.upper for limit in products)
    for side, limit in zip((1e-30, -1e-30) if bend == "half_sse" else (-1e-30, 1e-30), products):
        beside = network.with_parameters([side])
        ((found,),) = certified_hessian_product(beside, *case[1:], [[1.0]])
        assert found.rounded and found.value == pytest.approx(limit)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [([[1.0]], "a vector of 1 numbers: each must have 2"), ([1.0, 0.0], "vectors holds 1.0: each must have 2")],
)
def test_vectors_have_a_number_for_each_parameter(vectors: Any, message: str) -> None:
    network = Network.random([1, 1], "tanh", seed=1)
    with pytest.raises(PurebpError, match=message):
        certified_hessian_product(network, Batch([[1.0]], [[0.0]]), "mse", vectors)
    assert certified_hessian_product(network, Batch([[1.0]], [[0.0]]), "mse", []) == ()


def test_what_stays_undecided_with_all_digits_is_refused() -> None:
    tried: list[int] = []

    def undecided(digits: int) -> list[Ball]:
        tried.append(digits)
        raise Undecided("it is not known which is less")

    with pytest.raises(Undecided):
        certify(undecided, 38)
    assert tried == [38, 76, 152, 304, 608]
