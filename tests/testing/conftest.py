"""Fixtures of this room."""

from __future__ import annotations

import pytest
from hypothesis import settings

from purebp.testing import explore


@pytest.fixture
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is found, all examples are tried."""
    monkeypatch.setattr(explore, "QUIET", settings(explore.QUIET, max_examples=30))
