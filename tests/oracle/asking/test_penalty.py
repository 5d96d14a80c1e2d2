"""A penalty is read as it is shown, and its share is that of one parameter."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp.oracle.asking.penalty import Penalty, read
from purebp.textbook.arithmetic import PurebpError

PENALTIES = st.builds(Penalty, st.floats(1e-6, 1e3).map(lambda x: Fraction(f"{x:.6g}")), st.booleans(), st.booleans())


@given(PENALTIES)
def test_what_is_shown_is_read_back(penalty: Penalty) -> None:
    assert read(penalty.name) == penalty == read(penalty)


@given(PENALTIES, st.integers(1, 100))
def test_what_is_divided_by_the_samples_adds_up_to_the_whole(penalty: Penalty, samples: int) -> None:
    assert penalty.share(samples) * (samples if penalty.by_samples else 1) == penalty.rate


@pytest.mark.parametrize("given", ["", "spam", "0", "-1", "0.1/m", "0.1,some", "1/0", "inf"])
def test_what_is_none_is_refused(given: str) -> None:
    with pytest.raises(PurebpError, match="a positive number is wanted"):
        read(given)
