"""Activations of one's own: floats and enclosures agree, whatever their functions compare; tables and steps are exact."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import FLOAT, PurebpError
from purebp.number_systems.ball import Ball, Rules, ball
from purebp.number_systems.formats import BINARY64
from purebp.textbook.activations import tanh
from purebp.textbook.own_activations import Seen, Way, enclosed, fixed_point, of_functions, read, table, to_steps

FINE = ball("binary64")
Z = st.floats(-4, 4).map(lambda x: round(x * 1024) / 1024)
RADII = st.integers(0, 2**20)
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "cube": lambda z: z**3 - 0.5 * z + 1,
    "leaky": lambda z: z if z > 0 else 0.125 * z,
    "clipped": lambda z: max(-1.0, min(1, z)),
    "softsign": lambda z: z / (1 + abs(z)),
    "steps": lambda z: 0 if z < -1 else 1 if z >= 1 else z,
    "swish": lambda z, on: z / (1 + on.exp(-z)),
    "of tanh": lambda z, on: 2 * on.tanh(z / 3) - on.log(1 + z * z) + on.expm1(z) * on.log1p(z**2),
    "inverse": lambda z: (2 + z * z) ** -2,
    "equal": lambda z: 5 if z == 0.5 else -z,
    "truth": lambda z: +z if z else 3,
}


def at(function: Callable[..., Any], z: float) -> float:
    return float(of_functions(function, function)(z))


def holds(enclosure: Ball, x: float) -> bool:
    unit = Fraction(2) ** enclosure.exponent
    return enclosure.spread is None or abs(Fraction(x) - enclosure.mantissa * unit) <= enclosure.spread * unit


@pytest.mark.parametrize("name", FUNCTIONS)
@given(Z, RADII, st.floats(-1, 1))
def test_an_enclosure_holds_the_function_of_all_its_numbers(name: str, z: float, radius: int, where: float) -> None:
    """Also where a comparison goes one way for some of them, and the other way for others."""
    own = of_functions(FUNCTIONS[name], FUNCTIONS[name])
    width = Fraction(radius, 2**20)
    around = Ball(int(Fraction(z) * 2**40), -40, int(width * 2**40), Rules(BINARY64, 38))
    ((found,),) = own.apply([[around]], FINE)
    inside = z + where * float(width) * (1 - 2**-40)
    for x in (z, inside):
        assert holds(found, at(FUNCTIONS[name], x))


def test_what_a_comparison_does_not_decide_goes_both_ways() -> None:
    around = Ball(0, 0, 1, Rules(BINARY64, 38))  # −1 to 1
    found = enclosed(lambda z: 1 if z > 0 else -1, around, FINE)
    assert (float(found.midpoint), found.radius) == (0.0, 1.0)

    def many(z: Any) -> Any:
        return sum(1 if z * (k + 1) > 0 else 0 for k in range(9))

    with pytest.raises(PurebpError, match="may go more than 64 ways"):
        enclosed(many, around, FINE)


def rooted(z: Any, on: Any) -> Any:
    of_way: Any = on
    return of_way.sqrt(z) if isinstance(on, Way) else 0.0


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda z: math.exp(z), "a float is wanted of it, as by math.exp"),
        (lambda z: z**0.5 if z > 0 else z, "a power to 0.5"),
        (lambda z: "z" if isinstance(z, Seen) else 1.0, "a number is wanted, and 'z' is none"),
        (rooted, "AttributeError"),
    ],
)
def test_what_cannot_be_enclosed_says_how_it_must_be_written(function: Any, told: str) -> None:
    own = of_functions(function, function, "mine")
    ((half,),) = FINE.lift([[0.5]])
    with pytest.raises(PurebpError, match="exp of the arithmetic|with exp, expm1") as refused:
        own.apply([[half]], FINE)
    assert told in str(refused.value)


def test_what_cannot_be_computed_says_where() -> None:
    own = of_functions(lambda z: 1 / (z - 1), lambda z: z, "mine")
    with pytest.raises(PurebpError, match="mine cannot be computed at 1.0: ZeroDivisionError"):
        own(1.0)


POINTS = st.lists(st.tuples(Z, Z), min_size=2, max_size=6, unique_by=lambda p: p[0]).map(sorted)


@given(POINTS, Z)
def test_a_table_is_linear_between_its_points_and_constant_beyond(points: list[tuple[float, float]], z: float) -> None:
    own, exact = table(points), Fraction(z)
    pieces = zip(points, points[1:])
    (first, low), (last, high) = points[0], points[-1]
    if z < first:
        wanted, slope = Fraction(low), Fraction(0)
    elif z >= last:
        wanted, slope = Fraction(high), Fraction(0)
    else:
        (x, y), (x1, y1) = next(pair for pair in pieces if pair[0][0] <= z < pair[1][0])
        rise = (Fraction(y1) - Fraction(y)) / (Fraction(x1) - Fraction(x))
        wanted, slope = Fraction(y) + (exact - Fraction(x)) * rise, rise
    assert own(z) == pytest.approx(float(wanted), abs=1e-12 * max(1, *(abs(y) for _, y in points)))
    assert own.derivative(z) == pytest.approx(float(slope))
    ((value,),), ((rate,),) = (FINE.elementwise(f, FINE.lift([[z]])) for f in (own.value, own.derivative))
    t_form = _by_shares(points, z)
    assert holds(value, own(z)) and holds(value, t_form) and holds(rate, own.derivative(z))


def _by_shares(points: list[tuple[float, float]], z: float) -> float:
    """y (1 − t) + y₁ t, as others write it."""
    if z <= points[0][0]:
        return points[0][1]
    for (x, y), (x1, y1) in zip(points, points[1:]):
        if z <= x1:
            t = (z - x) / (x1 - x)
            return y * (1 - t) + y1 * t
    return points[-1][1]


def test_at_a_point_of_a_table_either_slope_is_right() -> None:
    own = table([(-1, 0), (0, 0.5), (1, 3)])
    assert own.kinks == (-1.0, 0.0, 1.0)
    ((rate,),) = FINE.elementwise(own.derivative, FINE.lift([[0.0]]))
    assert holds(rate, 0.5) and holds(rate, 2.5) and not holds(rate, 0.4)


@given(Z, st.sampled_from([1 / 256, 0.125, 0.01, 0.3]))
def test_fixed_point_is_the_nearest_step(z: float, step: float) -> None:
    own = fixed_point("tanh", step)
    exact = math.tanh(z)
    assert abs(own(z) - exact) <= step / 2 + 1e-15
    assert own(z) / step == pytest.approx(round(own(z) / step), abs=1e-9)
    ((found,),) = own.apply(FINE.lift([[z]]), FINE)
    assert holds(found, own(z)) and found.radius < 1e-12  # one step alone, where no tie is near
    assert own.derivative == tanh.derivative


def test_near_a_tie_both_steps_are_right() -> None:
    around = Ball(3, -3, 1, Rules(BINARY64, 38))  # 0.375 ± 0.125
    found = to_steps(around, 0.25, FINE)
    assert (float(found.midpoint), found.radius) == (0.375, 0.125)
    assert to_steps(-0.3, 0.25, FLOAT) == -0.25 and to_steps(1e6, 0.25, FLOAT) == 1e6
    assert to_steps(Ball(3, 0, None, Rules(BINARY64, 38)), 0.25, FINE).spread is None


def test_the_slopes_may_have_steps_as_well() -> None:
    own = fixed_point("tanh", 1 / 16, slopes=1 / 8)
    assert own.derivative(0.5) == 0.75 and own(0.5) == 0.4375


def test_an_activation_is_read_from_each_form() -> None:
    pair = (lambda z: z, lambda z: 1)
    assert read("tanh") is read(read("tanh")) and read(pair).name == "own"
    assert (
        read([(0, 0), (1, 1)]).name == "table of 2 points"
        and read(["sigmoid", 0.25]).name == "sigmoid in steps of 0.25"
    )
    assert read((pair, 0.5)).name == "own in steps of 0.5"


@pytest.mark.parametrize(
    ("given_so", "told"),
    [
        (lambda z: z, "a pair \\(value, derivative\\) of functions"),
        ([(0, 0)], "two points"),
        ([(0, 0), (0, 1)], "with x from left to right"),
        ([(0, math.nan), (1, 1)], "of finite numbers"),
        (("softmax", 0.5), "softmax is not computed entry by entry"),
        (("tanh", 0), "0 is no step of a fixed point"),
        (("swish", 0.5), "unknown activation 'swish'"),
        ([1, 2, 3], "unknown activation"),
        ((), "unknown activation"),
    ],
)
def test_what_is_no_activation_is_refused(given_so: Any, told: str) -> None:
    with pytest.raises(PurebpError, match=told):
        read(given_so)
