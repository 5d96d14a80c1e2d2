"""What is drawn is what was asked for, and what cannot be asked for is told."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from purebp.programs.drawing import Spec, between, draw, fixed, integers, letters, mask, one_hot, positive, specified
from purebp.programs.tracing import entries
from purebp.textbook.arithmetic import PurebpError


def test_as_text_and_as_a_dictionary() -> None:
    text = "x: n 5, w: 5 d, i: integers(10) n, h: one_hot() n 3, m: mask() n, p: positive() d, b: between(0, 1) n, s:, e: fixed(1e-5)"
    said = {
        "x": ("n", 5),
        "w": (5, "d"),
        "i": integers(10, "n"),
        "h": one_hot("n 3"),
        "m": mask("n"),
        "p": positive(("d",)),
        "b": between(0, 1, "n"),
        "s": (),
        "e": fixed(1e-5),
    }
    assert specified(text) == specified(said)
    assert letters(specified(text)) == ["n", "d"]


def test_every_kind_is_what_it_says() -> None:
    specs = specified(
        {
            "x": "n 3",
            "i": integers(4, "n"),
            "h": one_hot("n 3"),
            "m": mask("n"),
            "p": positive("n"),
            "b": between(2, 3, "n"),
        }
    )
    drawn = draw(specs, {"n": 50}, Random(1))
    assert entries(drawn["x"])[1] == (50, 3) and any(x < 0 for row in drawn["x"] for x in row)
    assert set(drawn["i"]) == {0, 1, 2, 3} and all(isinstance(i, int) for i in drawn["i"])
    assert all(sorted(row) == [0.0, 0.0, 1.0] for row in drawn["h"])
    assert set(drawn["m"]) == {0.0, 1.0} and min(drawn["p"]) > 0 and all(2 <= b <= 3 for b in drawn["b"])
    assert [spec.real for spec in specs.values()] == [True, False, False, False, True, True]
    assert draw(specs, {"n": 50}, Random(1)) == drawn
    far = draw({"x": Spec("real", (5,))}, {}, Random(0), scale=2.0, shift=100.0)["x"]
    assert all(95 < x < 105 for x in far)


@pytest.mark.parametrize(
    "inputs", ["", "x", "x: -1", "x n: 5", {}, 3, {"x": (0,)}, {"x": (1.5,)}, {"x": (True,)}, "x: 5, x y: 3"]
)
def test_what_is_no_input(inputs: Any) -> None:
    with pytest.raises(PurebpError, match="is wanted|are wanted|is no input|is no shape"):
        specified(inputs)
    with pytest.raises(PurebpError, match="below the second"):
        between(1, 0)
