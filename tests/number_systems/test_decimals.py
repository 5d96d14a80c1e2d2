"""Elementary functions of decimals, held against series in fractions and against themselves at three times the digits."""

from __future__ import annotations

import decimal as standard
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import PurebpError
from purebp.number_systems.decimals import _expm1, _log1p, decimal


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


@given(st.floats(-0.9, 9), st.integers(-60, 0), st.integers(2, 40))
def test_what_the_subtraction_cancels_was_there(x: float, power: int, work: int) -> None:
    """Before any guard digit, the error of eˣ − 1 and of ln(1 + x) is below one unit of the digits that are wanted."""
    lifted = Decimal(f"{x:.6e}").scaleb(power)
    for f, exact in (
        (_expm1, exponential_series(Fraction(lifted), Fraction(1, 2**590), 1)),
        (_log1p, SERIES["log1p"](Fraction(lifted))),
    ):
        error = abs(Fraction(f(lifted, work)) - exact)
        assert error <= Fraction(10) ** (1 - work) * abs(exact) + Fraction(1, 2**580)


def test_the_tail_of_the_normal_distribution_lies_between_its_classical_bounds() -> None:
    """φ(y) (1/y − 1/y³) < Φ(−y) < φ(y)/y (Gordon 1941), at any distance."""
    on = decimal(40)
    for y in (5.0, 13.7, 13.8, 20.0, 1e3, 1e6):
        ((number,),) = on.lift([[y]])
        upper = on.normal_pdf(number) / number
        assert upper * (1 - 1 / (number * number)) < on.normal_cdf(-number) < upper


@given(st.floats(-30, 30))
def test_decimal_functions_satisfy_their_identities(x: float) -> None:
    on = decimal(60)
    ((z,),) = on.lift([[x]])
    tiny = Decimal("1e-56")
    assert abs(on.exp(z) * on.exp(-z) - 1) < tiny
    assert abs(on.log(on.exp(z)) - z) <= tiny * max(Decimal(1), abs(z))
    assert abs(on.log1p(on.expm1(z)) - z) <= Decimal("1e-42") * max(Decimal(1), abs(z))  # 1 + e^−30 loses 13 digits
    assert abs(on.tanh(z) - (on.exp(2 * z) - 1) / (on.exp(2 * z) + 1)) < tiny
    assert abs(on.normal_cdf(z) + on.normal_cdf(-z) - 1) < tiny


def test_what_is_no_real_number_is_refused() -> None:
    with pytest.raises(PurebpError, match="1j is no decimal number: a real number is wanted"):
        decimal(20).lift([[1j]])  # type: ignore[list-item]  # as users do
