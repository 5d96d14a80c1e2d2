"""Objects are made in the usual ways, and what is declared of them is read."""

from __future__ import annotations

from typing import Any

import pytest

from purebp.oracle.asking.making import Hints, calls_in, owners
from purebp.textbook.arithmetic import PurebpError


@pytest.mark.parametrize("text", ["", "x", "f(x", "f(x).g()", "f(1 + x)"])
def test_calls_that_are_none_are_said(text: str) -> None:
    with pytest.raises(PurebpError, match="are no calls of methods"):
        calls_in(text)


class ByWidths:
    def __init__(self, hidden: int, n_out: int, n_in: int) -> None:
        self.made = n_in, hidden, n_out


class BySizes:
    def __init__(self, layer_sizes: Any, learning_rate: float) -> None:
        self.made = tuple(layer_sizes)


class ByHidden:
    def __init__(self, n_inputs: int, hidden_layers: Any, n_outputs: int) -> None:
        self.made = n_inputs, *hidden_layers, n_outputs


class ByBatch:
    def __init__(self, x: Any, y: Any) -> None:
        self.made = len(x[0]), len(y[0])


@pytest.mark.parametrize(
    ("made", "expected"), [(ByWidths, (2, 3, 1)), (BySizes, (2, 3, 1)), (ByHidden, (2, 3, 1)), (ByBatch, (2, 1))]
)
def test_a_network_is_made_as_it_wants_to_be(made: Any, expected: tuple[int, ...]) -> None:
    (owner,) = owners({made.__name__: made}, Hints())
    found = []
    for each in owner.made:
        try:
            found.append(each.make((2, 3, 1), [[0.5, 1.0]], [[1.0]]).made)
        except Exception:
            continue
    assert expected in found
