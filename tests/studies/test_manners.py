"""Right code is cleared however it is written; `python -m studies.manners 2000` is the long version."""

from __future__ import annotations

import pytest

from studies.manners import cleared, drawn

ACCUSED_ONCE = [110094, 100781, 117989, 101011, 100361, 104327, 112004, 316391]  # in 40,000 of them, one of each kind


@pytest.mark.parametrize("seed", [3, 14, 17, 27, 36, 144, *ACCUSED_ONCE])
def test_right_code_is_cleared(seed: int) -> None:
    right, manner, report = cleared(seed)
    assert right, (manner, str(report))


def test_every_manner_is_drawn() -> None:
    manners = [drawn(seed) for seed in range(300)]
    assert {manner.kind for manner in manners} == {"function", "other order", "widths", "sizes", "batch", "dictionary"}
    assert {manner.takes for manner in manners} >= {
        "one output",
        "one sample",
        "fixed widths",
        "labels",
        "whole numbers",
    }
