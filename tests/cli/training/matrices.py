"""Matrices that Hypothesis draws, for the tests of this room."""

from __future__ import annotations

from hypothesis import strategies as st

numbers = st.floats(-1e3, 1e3, allow_subnormal=False)


@st.composite
def matrices(draw: st.DrawFn) -> list[list[float]]:
    columns = draw(st.integers(1, 4))
    return draw(st.lists(st.lists(numbers, min_size=columns, max_size=columns), min_size=1, max_size=8))
