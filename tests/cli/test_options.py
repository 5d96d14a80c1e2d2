"""What options mean: every value is read back, and what is none is said with what was given."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from math import isfinite
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import PurebpError
from purebp.cli import options
from purebp.textbook import losses

COUNTS = st.integers(1, 10**9)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(COUNTS)
def test_a_count_is_read_back(n: int) -> None:
    assert options.count(str(n)) == options.count(f" +{n} ") == n


@given(st.integers())
def test_a_whole_number_is_read_back(n: int) -> None:
    assert options.whole(str(n)) == n


@given(st.lists(COUNTS, min_size=1, max_size=4))
def test_widths_are_read_back(widths: list[int]) -> None:
    assert options.widths(",".join(map(str, widths))) == widths


def test_no_hidden_layer_is_none() -> None:
    assert options.widths("none") == []


@given(NUMBERS)
def test_a_number_is_read_back_where_its_option_allows_it(x: float) -> None:
    assert options.finite(repr(x)) == x
    for reader, allowed in ((options.positive, x > 0), (options.fraction, 0 <= x < 1)):
        if allowed:
            assert reader(repr(x)) == x
        else:
            with pytest.raises(ArgumentTypeError) as refused:
                reader(repr(x))
            assert repr(x) in str(refused.value)


@given(st.text(max_size=60))
def test_any_text_is_a_value_or_refused(text: str) -> None:
    for reader, allowed in (
        (options.count, lambda n: 1 <= n <= 10**9),
        (options.whole, lambda n: isinstance(n, int)),
        (options.widths, lambda ns: all(1 <= n <= 10**9 for n in ns)),
        (options.finite, isfinite),
        (options.positive, lambda x: 0 < x < float("inf")),
        (options.fraction, lambda x: 0 <= x < 1),
    ):
        read: Callable[[str], Any] = reader
        try:
            assert allowed(read(text))
        except ArgumentTypeError as refused:
            assert len(str(refused)) < 120


@pytest.mark.parametrize(
    ("reader", "text", "told"),
    [
        (options.count, "0", "'0' is not a whole number above 0"),
        (options.count, "-5", "'-5' is not a whole number above 0"),
        (options.count, "1.5", "'1.5' is not a whole number above 0"),
        (options.count, "1000000001", "'1000000001' is not a whole number above 0, or too large"),
        (options.count, "x" * 99, "'" + "x" * 39 + " is not a whole number above 0"),
        (options.whole, "1e3", "'1e3' is not a whole number"),
        (options.whole, "", "'' is not a whole number"),
        (options.widths, "3,wide", "'wide' is not a whole number above 0; give widths such as 32,16, or none"),
        (options.widths, "", "'' is not a whole number above 0; give widths such as 32,16, or none"),
        (options.finite, "fast", "'fast' is not a finite number"),
        (options.finite, "nan", "'nan' is not a finite number"),
        (options.finite, "-inf", "'-inf' is not a finite number"),
        (options.finite, "1e999", "'1e999' is not a finite number"),
        (options.positive, "0", "'0' is not above 0"),
        (options.positive, "nan", "'nan' is not a finite number"),
        (options.fraction, "1", "'1' is not a share of the samples, from 0 to below 1"),
        (options.fraction, "-0.1", "'-0.1' is not a share of the samples, from 0 to below 1"),
        (options.activation, "frob", "unknown activation 'frob'; known are "),
        (options.loss, "frob", "unknown loss 'frob'; known are "),
        (options.loss, "huber(wide)", "'wide' is not a number; write huber(0.5)"),
    ],
)
def test_what_is_no_value_is_said(reader: Callable[[str], Any], text: str, told: str) -> None:
    with pytest.raises(ArgumentTypeError) as refused:
        reader(text)
    found = str(refused.value)
    assert told in found if told.endswith(("are ", ")")) else told == found.partition("unknown")[0]


def test_activations_and_losses_have_their_names() -> None:
    assert options.activation(" leaky_relu ") == "leaky_relu(0.01)"
    assert options.loss("huber(0.5)/samples") == losses.loss("huber(0.5)/samples")
    assert options.loss("mse") is losses.mse


def test_a_typed_reader_is_refused_by_the_name_of_its_option(capsys: pytest.CaptureFixture[str]) -> None:
    def read(text: str) -> str:
        if text == "bad":
            raise PurebpError("that is bad")
        return text.upper()

    parser = ArgumentParser()
    parser.add_argument("--mine", type=options.typed(read))
    assert parser.parse_args(["--mine", "good"]).mine == "GOOD"
    with pytest.raises(SystemExit):
        parser.parse_args(["--mine", "bad"])
    assert "argument --mine: that is bad" in capsys.readouterr().err


def test_a_defect_of_a_reader_is_not_blamed_on_the_text() -> None:
    def read(text: str) -> str:
        raise KeyError(text)

    with pytest.raises(KeyError):
        options.typed(read)("good")
