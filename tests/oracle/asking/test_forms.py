"""Forms: what cannot be seen can be declared."""

from __future__ import annotations

from typing import Any

from purebp.oracle.asking.forms import forms
from purebp.oracle.asking.making import Hints, hints


class Odd:
    """Its methods have names that nobody would look for."""

    def __init__(self, n_in: int, n_out: int) -> None:
        self.spam, self.rows = [[0.0] * n_in for _ in range(n_out)], [[0.0] * n_in for _ in range(n_out)]

    def eggs(self, x: Any, y: Any) -> Any:
        errors = [sum(w * v for w, v in zip(row, x)) - t for row, t in zip(self.spam, y)]
        return [[e * v for v in x] for e in errors]


def test_what_cannot_be_seen_can_be_declared() -> None:
    assert not list(forms({"Odd": Odd}))
    told = hints({"class": "Odd", "weights_in": "spam", "call": "eggs(x, y)"})
    assert told == Hints("Odd", ("spam",), (), (("eggs", ("x", "y")),))
    (form, *_) = [form for form in forms({"Odd": Odd}, told) if form.options["samples"] == "vector"]
    assert form.name == "Odd.eggs" and "weights spam" in form.sentence
