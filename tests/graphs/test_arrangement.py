"""The same numbers in other places: what there is no place for is refused."""

from __future__ import annotations

from typing import Any

import pytest

from purebp import PurebpError
from purebp.graph import (
    Concatenate,
    Input,
    forward_graph,
)


@pytest.mark.parametrize("axis", ["a", (0, 1), 2, None])
def test_an_axis_that_is_none_is_refused(axis: Any) -> None:
    x = Input("x")
    with pytest.raises(PurebpError, match="there is no axis|two nodes|Concatenate"):
        forward_graph(Concatenate(x, x, axis=axis), {x: [[1.0]]})
