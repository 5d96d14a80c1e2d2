"""JSON is strict, and agrees with the plain data."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp.oracle.reports.as_json import render
from purebp.oracle.reports.report import Report
from tests.oracle.reports.samples import reports


@given(st.lists(reports(), max_size=3))
def test_json_parses_and_agrees_with_the_plain_data(shown: list[Report]) -> None:
    found = json.loads(render(shown), parse_constant=lambda name: pytest.fail(name))
    expected = [without_infinities(report.as_dict()) for report in shown]
    assert found == (expected[0] if len(shown) == 1 else expected)


def without_infinities(x: Any) -> Any:
    if isinstance(x, dict):
        return {key: without_infinities(value) for key, value in x.items()}
    if isinstance(x, list):
        return list(map(without_infinities, x))
    return None if isinstance(x, float) and not isfinite(x) else x
