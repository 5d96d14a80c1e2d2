"""Numbers, vectors and matrices: copied where they enter and where they leave."""

from __future__ import annotations

from operator import sub
from typing import Any

import pytest

from purebp import FLOAT
from purebp.graph import (
    Input,
    Linear,
    Parameter,
    Sum,
    backward_graph,
    forward_graph,
)
from purebp.graphs.tensors import arranged, as_rows, copied, dimensions, entries, entrywise, lifted, like, runs_down


def test_a_feed_may_hold_more_and_inputs_may_be_tuples_or_arrays() -> None:
    x, W = Input("x"), Parameter("W")

    class Array:
        def tolist(self) -> list[float]:
            return [1.0, 2.0]

    z = Sum(Linear(x, W))
    assert forward_graph(z, {"x": Array(), "W": ((1, 2), (3, 4)), "elsewhere": 1.0})[z] == 16.0


def test_what_is_fed_is_not_what_is_returned() -> None:
    x = Input("x")
    given = [1.0, 2.0]
    values = forward_graph(Sum(x), {x: given})
    values[x].append(3.0)
    assert given == [1.0, 2.0]


def test_what_is_returned_is_one_s_own() -> None:
    a, b = Parameter("a", (2,)), Parameter("b", (2,))
    gradients = backward_graph(Sum(a + b), {a: [1.0, 2.0], b: [3.0, 4.0]})
    gradients["a"][0] *= 0.5
    gradients.values["a"][0] = 7.0
    assert (gradients["a"], gradients["b"], gradients.values["a"]) == ([1.0, 1.0], [1.0, 1.0], [1.0, 2.0])
    assert (
        "a" in gradients and a in gradients and "c" not in gradients and repr(gradients).startswith("GraphGradients(a")
    )


@pytest.mark.parametrize("tensor", [5.0, [1.0, 2.0], [[1.0], [2.0]], [[1.0, 2.0, 3.0]]])
def test_what_is_taken_apart_is_put_together_again(tensor: Any) -> None:
    assert arranged(entries(tensor), dimensions(tensor)) == tensor
    assert like(tensor, as_rows(tensor)) == tensor
    assert copied(tensor) == tensor
    assert lifted("x", tensor, FLOAT) == tensor


def test_a_number_stands_in_every_place() -> None:
    assert entrywise(sub, [[1.0, 2.0], [3.0, 4.0]], 1.0) == [[0.0, 1.0], [2.0, 3.0]]
    assert entrywise(sub, 1.0, [1.0, 2.0]) == [0.0, -1.0]
    assert entrywise(sub, 3.0, 1.0) == 2.0


def test_an_axis_runs_down_a_matrix_or_along_its_rows() -> None:
    assert [axis for axis in (-2, -1, 0, 1, None) if runs_down([[1.0, 2.0]], axis)] == [-2, 0]
    assert not any(runs_down(x, axis) for x in (1.0, [1.0]) for axis in (-1, 0, None))
