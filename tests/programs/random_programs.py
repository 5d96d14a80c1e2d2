"""Random programs of up to so many operations, with loops, branches and numbers used again, for floats and traced alike."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from purebp.programs import exp, log, maximum, sqrt, tanh

SMOOTH: dict[str, Callable[[Any], Any]] = {
    "tanh": tanh,
    "exp of tanh": lambda x: exp(tanh(x)),
    "log of 2 + x²": lambda x: log(2 + x * x),
    "sqrt of 1 + x²": lambda x: sqrt(1 + x * x),
    "1 over 2 + x²": lambda x: 1 / (2 + x * x),
    "square": lambda x: x**2,
}


def program(seed: int, operations: int, rational: bool = False, kinks: bool = False) -> Callable[..., Any]:
    """A function of x, a list of numbers; with `rational` of + − * / alone."""

    def run(x: list[Any]) -> Any:
        random, numbers = Random(seed), list(x)
        for _ in range(operations):
            a, b = random.choice(numbers), random.choice(numbers[-6:])
            kind = random.choice(["+", "−", "*", "/", "f", "f", "branch", "loop"])
            if kind == "+":
                made = a + b
            elif kind == "−":
                made = a - b * random.choice([1, 2])
            elif kind == "*":
                made = a * b / 4 if rational else a * tanh(b)
            elif kind == "/":
                made = a / (3 + b * b)
            elif kind == "branch":
                made = (a if random.random() < 0.5 else -b) if not kinks else maximum(a, b)
            elif kind == "loop":
                made = sum(numbers[-3:]) / 3
            else:
                name = random.choice(sorted(SMOOTH))
                made = 1 / (2 + a * a) if rational else SMOOTH[name](a)
            numbers.append(made)
        return sum(numbers[-3:])

    return run
