"""The same numbers in other places: what there is no place for is refused."""

from __future__ import annotations

from typing import Any

import pytest

from purebp import PurebpError
from purebp.graph import Concatenate, Input, Reshape, forward_graph


@pytest.mark.parametrize("axis", ["a", (0, 1), 2, None])
def test_an_axis_that_is_none_is_refused(axis: Any) -> None:
    x = Input("x")
    with pytest.raises(PurebpError, match="there is no axis|two nodes|Concatenate"):
        forward_graph(Concatenate(x, x, axis=axis), {x: [[1.0]]})


@pytest.mark.parametrize("shape", [(-1, -1), (0, -1), (-2, 3), 0, -3])
def test_a_shape_that_is_none_is_refused(shape: Any) -> None:
    with pytest.raises(PurebpError, match="at most two dimensions are wanted, at most one of them −1"):
        Reshape(Input("x"), shape)


@pytest.mark.parametrize("x", [[1.0, 2.0], [[1.0, 2.0], [3.0, 4.0]]])
def test_one_node_alone_stays_as_it_is(x: Any) -> None:
    node = Input("x")
    together = Concatenate(node)
    assert forward_graph(together, {node: x})[together] == x
