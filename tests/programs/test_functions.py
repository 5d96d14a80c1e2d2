"""Functions of floats and of traced numbers give the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from purebp import programs
from purebp.number_systems.traced import Tape

ONE = ["exp", "expm1", "log", "log1p", "sqrt", "tanh", "normal_cdf", "erf", "sigmoid"]


@pytest.mark.parametrize("name", ONE)
def test_of_one_number(name: str) -> None:
    function: Callable[[Any], Any] = getattr(programs, name)
    assert function(Tape().input(0.625)).value == pytest.approx(function(0.625), rel=1e-15)


def test_of_two_numbers_and_of_several() -> None:
    tape = Tape()
    x, y = tape.input(1.0), tape.input(2.0)
    assert programs.maximum(x, y) is y and programs.minimum(x, y) is x
    assert programs.where(x > 1.5, x, y) is y
    assert programs.dot([x, y], [3, 4]).value == 11.0 and programs.total([x, y]).value == 3.0
    assert programs.maximum(1.0, 2.0) == 2.0 and programs.minimum(1.0, 2.0) == 1.0
