"""Names: what they find, and what they say where they find nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import PurebpError
from purebp.textbook.names import look_up, printable, superscript

PLAIN = {"one": 1.0, "two": 2.0}


def power(exponent: float = 2.0) -> float:
    return float(2.0**exponent)


@pytest.mark.parametrize(
    ("name", "found"),
    [("one", 1.0), (" two ", 2.0), ("power(3)", 8.0), ("power( -1e0 )", 0.5), ("power", 4.0)],
)
def test_a_name_finds_its_entry_or_what_a_factory_makes_of_its_number(name: str, found: float) -> None:
    assert look_up("number", name, PLAIN, {"power": power}) == found


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("three", "unknown number 'three'; known are one, two, power(number)"),
        ("one(1)", "unknown number 'one(1)'; known are one, two, power(number)"),
        ("power(two)", "number 'power(two)': 'two' is not a number; write power(0.5)"),
        ("power()", "number 'power()': '' is not a number; write power(0.5)"),
        ("power(1)(2)", "unknown number 'power(1)(2)'; known are one, two, power(number)"),
        ("", "unknown number ''; known are one, two, power(number)"),
    ],
)
def test_another_name_is_refused_with_the_known_ones(name: str, message: str) -> None:
    with pytest.raises(PurebpError, match=f"^{re.escape(message)}$"):
        look_up("number", name, PLAIN, {"power": power})


@given(st.integers(0, 10**6))
def test_a_raised_number_has_the_digits_of_the_number(number: int) -> None:
    raised = superscript(number)
    assert str(int("".join(str("⁰¹²³⁴⁵⁶⁷⁸⁹".index(digit)) for digit in raised))) == str(number)


@given(st.text())
def test_what_is_printable_steers_no_terminal(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text) and shown.isprintable() and printable(shown) == shown
    assert all(c == d or (d == "?" and not c.isprintable()) for c, d in zip(text, shown))
    assert printable(text, also="\n").count("\n") == text.count("\n")
