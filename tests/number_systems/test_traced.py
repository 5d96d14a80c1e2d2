"""Traced numbers remember every operation and its line, and say what they cannot follow."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from purebp.number_systems.traced import CannotTrace, Tape, Traced


def test_operations_are_kept_with_their_lines() -> None:
    tape = Tape()
    x = tape.input(2.0)
    y = x * 3
    z = (y - 1) / x
    kinds = [(step.kind, step.line) for step in tape.steps if step.line]
    first = test_operations_are_kept_with_their_lines.__code__.co_firstlineno
    assert kinds == [("*", first + 3), ("−", first + 4), ("/", first + 4)]
    assert z.value == 2.5


@pytest.mark.parametrize("power", [0, 1, 2, 3, 5, 10, -1, -2, 0.5, -0.5, 1.5, 2.5, 0.3, -1.7])
def test_powers(power: float) -> None:
    assert (Tape().input(1.3) ** power).value == pytest.approx(1.3**power, rel=1e-15)


FUNCTIONS: dict[str, Callable[[float], float]] = {
    "exp": math.exp,
    "expm1": math.expm1,
    "log": math.log,
    "log1p": math.log1p,
    "sqrt": math.sqrt,
    "tanh": math.tanh,
    "exp2": lambda x: 2**x,
    "log2": math.log2,
    "log10": math.log10,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_the_names_that_numpy_calls(name: str) -> None:
    assert getattr(Tape().input(0.7), name)().value == pytest.approx(FUNCTIONS[name](0.7), rel=1e-14)


def test_numbers_on_either_side() -> None:
    x = Tape().input(4.0)
    assert [(1 + x).value, (1 - x).value, (2 * x).value, (2 / x).value, (+x).value, abs(-x).value, (2**x).value] == [
        5.0,
        -3.0,
        8.0,
        0.5,
        4.0,
        4.0,
        pytest.approx(16.0),
    ]
    assert (0 + x) is x  # as where a sum begins
    with pytest.raises(TypeError):
        x + "1"


def test_comparisons_are_decided_and_kept() -> None:
    tape = Tape()
    x, y = tape.input(1.0), tape.input(2.0)
    assert x < y and y > x and x <= 1 and y >= 2 and x != y and x == 1.0 and bool(x)
    assert len(tape.decisions) == 7 and tape.decisions[0].margin == 0.5
    assert {x: 1}[x] == 1


@pytest.mark.parametrize(
    "forget, word",
    [
        (float, "purebp.programs.exp"),
        (math.exp, "purebp.programs.exp"),
        (int, "integers"),
        (complex, "real and imaginary"),
        (lambda x: x // 2, "x // y"),
        (lambda x: x % 2, "x % y"),
        (lambda x: [1, 2][x], "integers"),
    ],
)
def test_what_would_forget_says_what_to_write(forget: Callable[[Any], Any], word: str) -> None:
    with pytest.raises(CannotTrace, match=word):
        forget(Tape().input(1.0))


def test_constants_are_kept_once() -> None:
    tape = Tape()
    x = tape.input(1.0)
    (x * 2) * 2
    assert [step.kind for step in tape.steps].count("constant") == 1
    assert repr(x) == "Traced(1.0)" and isinstance(x.real, Traced) and x.conjugate() is x
