"""The seam: the textbook code asks a number for + − × / and an `Arithmetic` for the rest, and never what it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NoReturn

import pytest
from hypothesis import given, settings

from purebp import FLOAT, Arithmetic, Batch, Layer, Network, PurebpError, backpropagation, evaluate, forward, sgd_step
from purebp.number_systems.rational import FRACTION
from purebp.textbook.arithmetic import Function
from tests.enclosures import BOUNDED
from tests.laws import assert_close
from tests.strategies import LOSSES, Exercise, cases

RATIONAL = cases(activations=["identity", "relu", "leaky_relu(0.25)"], losses_from=LOSSES[:-2])


class Sealed:
    """A float that adds, subtracts, multiplies and divides, with its like and with integers, and nothing else."""

    __slots__ = ("_value",)

    def __init__(self, value: float) -> None:
        self._value = value

    def __add__(self, other: Sealed | int) -> Sealed:
        return Sealed(self._value + opened(other))

    def __sub__(self, other: Sealed | int) -> Sealed:
        return Sealed(self._value - opened(other))

    def __mul__(self, other: Sealed | int) -> Sealed:
        return Sealed(self._value * opened(other))

    def __truediv__(self, other: Sealed | int) -> Sealed:
        return Sealed(self._value / opened(other))

    def __radd__(self, other: int) -> Sealed:
        return Sealed(opened(other) + self._value)

    def __rsub__(self, other: int) -> Sealed:
        return Sealed(opened(other) - self._value)

    def __rmul__(self, other: int) -> Sealed:
        return Sealed(opened(other) * self._value)

    def __rtruediv__(self, other: int) -> Sealed:
        return Sealed(opened(other) / self._value)

    def __neg__(self) -> Sealed:
        return Sealed(-self._value)

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError("the textbook code asked a number what it is")

    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __hash__ = __float__ = __int__ = __abs__ = __pow__ = _refuse
    __round__ = __trunc__ = __floor__ = __ceil__ = __repr__ = __str__ = __format__ = _refuse


def opened(number: Sealed | float) -> float:
    """The value of a sealed number, or an integer."""
    if isinstance(number, Sealed):
        return number._value
    assert type(number) is int, "a float met a number of another system"
    return number


def sealed(function: Callable[[float], float]) -> Callable[[Sealed], Sealed]:
    return lambda x: Sealed(function(opened(x)))


def rows_of(matrix: Sequence[Sequence[Sealed]]) -> list[list[float]]:
    return [[opened(x) for x in row] for row in matrix]


def sealed_inner(
    a: Sequence[Sequence[Sealed]], b: Sequence[Sequence[Sealed]], biases: Sequence[Sealed] | None = None
) -> list[list[Sealed]]:
    products = FLOAT.inner(rows_of(a), rows_of(b), None if biases is None else [opened(bias) for bias in biases])
    return [[Sealed(x) for x in row] for row in products]


SEALED: Arithmetic[Sealed] = Arithmetic(
    name="sealed",
    lift=lambda rows: [[x if isinstance(x, Sealed) else Sealed(x) for x in row] for row in rows],
    ratio=lambda p, q: Sealed(p / q),
    inner=sealed_inner,
    elementwise=lambda function, rows: [[function.formula(x, SEALED) for x in row] for row in rows],
    exp=sealed(FLOAT.exp),
    expm1=sealed(FLOAT.expm1),
    log=sealed(FLOAT.log),
    log1p=sealed(FLOAT.log1p),
    tanh=sealed(FLOAT.tanh),
    normal_cdf=sealed(FLOAT.normal_cdf),
    normal_pdf=sealed(FLOAT.normal_pdf),
    less=lambda x, y: opened(x) < opened(y),
)


@pytest.mark.parametrize(
    "question", [float, int, bool, abs, round, repr, hash, lambda x: x == 1, lambda x: x < 1, lambda x: x**2]
)
def test_a_sealed_number_answers_no_question(question: Callable[[Sealed], object]) -> None:
    with pytest.raises(TypeError, match="asked a number what it is"):
        question(Sealed(1.0))


def test_a_sealed_number_meets_no_float() -> None:
    with pytest.raises(AssertionError, match="a float met a number of another system"):
        Sealed(1.0) * 0.5  # type: ignore[operator]  # that is what is tested


@given(cases())
def test_the_textbook_code_never_asks_what_a_number_is(case: Exercise) -> None:
    """Over numbers that answer nothing, it computes what it computes over floats, to the last bit."""
    network, batch, loss = case
    value, gradients = evaluate(network, batch, loss, SEALED), backpropagation(network, batch, loss, SEALED)
    updated = sgd_step(network, gradients, 0.125, SEALED)
    again = forward(updated, batch.inputs, SEALED)
    expected = backpropagation(network, batch, loss)
    step = sgd_step(network, expected, 0.125)
    assert opened(value) == case.value()
    assert [opened(g) for g in gradients.parameters()] == expected.parameters()
    assert [rows_of(layer.deltas) for layer in gradients.layers] == [
        [[*row] for row in layer.deltas] for layer in expected.layers
    ]
    assert [opened(w) for w in updated.parameters()] == step.parameters()
    assert rows_of(again.outputs) == [[*row] for row in forward(step, batch.inputs).outputs]


@settings(max_examples=15)
@given(RATIONAL)
def test_in_fractions_backpropagation_equals_central_differences_exactly(case: Exercise) -> None:
    """Along one parameter the loss of a piecewise linear network is a parabola: its central differences are exact."""
    x, h = [Fraction(w) for w in case.network.parameters()], Fraction(1, 2**80)

    def value(*shifted: Fraction) -> Fraction:
        return evaluate(case.network.with_parameters(shifted), case.batch, case.loss, FRACTION)

    found = backpropagation(*case, FRACTION).parameters()
    for i, g in enumerate(found):
        assert g == (value(*x[:i], x[i] + h, *x[i + 1 :]) - value(*x[:i], x[i] - h, *x[i + 1 :])) / (2 * h)


@given(RATIONAL)
def test_floats_are_the_fractions_but_for_rounding(case: Exercise) -> None:
    exact = [float(g) for g in backpropagation(*case, FRACTION).parameters()]
    assert_close(backpropagation(*case).parameters(), exact, tolerance=1e-13)


def test_gradient_descent_in_fractions_is_exact() -> None:
    """(w − ⅓)² / 2 with rate 1 arrives in one step, where floats can only come near."""
    network = Network([Layer([[Fraction(1)]], None, "identity")])
    gradients = backpropagation(network, Batch([[Fraction(1)]], [[Fraction(1, 3)]]), "half_sse", FRACTION)
    assert sgd_step(network, gradients, 1.0, FRACTION).parameters() == [Fraction(1, 3)]


@pytest.mark.parametrize("name", ["sigmoid", "gelu", "softmax"])
def test_what_a_number_system_cannot_compute_it_refuses(name: str) -> None:
    with pytest.raises(PurebpError, match="irrational"):
        forward(Network.random([1, 2], name), [[1.0]], FRACTION)


GRID = [k / 64 for k in range(-640, 641)]  # peaks and kinks lie on it or between two of its points
TINY = 1e-9


def test_a_function_is_shown_by_its_name() -> None:
    assert {repr(function) for function in BOUNDED.values()} == {f"Function(name={name!r})" for name in BOUNDED}


@pytest.mark.parametrize("function", BOUNDED.values(), ids=BOUNDED)
def test_bounds_say_where_a_function_breaks(function: Function) -> None:
    """It jumps at kinks alone, from the value that they name to the other; if it has no slope, it is linear between them."""
    bounds = function.bounds
    assert bounds is not None
    for z, left, right in bounds.kinks:
        assert (function(z - TINY), function(z + TINY)) == pytest.approx((left, right), abs=1e-8)
    near = [z for z in GRID if all(abs(z - kink) > TINY for kink, _, _ in bounds.kinks)]
    assert all(abs(function(z + TINY) - function(z - TINY)) < 1e-6 for z in near)
    if bounds.slope is None:
        assert all(function(z + TINY) + function(z - TINY) == pytest.approx(2 * function(z), abs=1e-15) for z in near)


@pytest.mark.parametrize("function", BOUNDED.values(), ids=BOUNDED)
def test_bounds_say_where_a_function_is_steepest(function: Function) -> None:
    """|g′| has no local maximum but at the peaks, and is highest right there."""
    assert function.bounds is not None
    slope, peaks = function.bounds.slope, function.bounds.peaks
    if slope is None:
        assert not peaks
        return
    steep = [abs(slope(z, FLOAT)) for z in GRID]
    for z in [z for z, a, b, c in zip(GRID[1:], steep, steep[1:], steep[2:]) if a < b > c]:
        (peak,) = (peak for peak in peaks if abs(peak - z) <= 1 / 64)
        assert all(abs(slope(peak, FLOAT)) >= abs(slope(peak + d, FLOAT)) for d in (-1e-5, 1e-5))


@pytest.mark.parametrize("function", BOUNDED.values(), ids=BOUNDED)
def test_bounds_say_which_formulas_cancel_near_a_root(function: Function) -> None:
    """One that changes its sign elsewhere than at 0."""
    assert function.bounds is not None
    signs = {side: {function(z) > 0 for z in GRID if z * side > 0 and function(z)} for side in (-1, 1)}
    assert function.bounds.signed == any(len(found) == 2 for found in signs.values())
