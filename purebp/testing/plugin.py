"""The pytest plugin, loaded wherever purebp is installed: the fixture `assert_gradients_correct`.

def test_mine(assert_gradients_correct):
    assert_gradients_correct(my_backpropagation, activations=["tanh", "identity"], loss="half_sse")
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from purebp.testing import assertions

if TYPE_CHECKING:
    from purebp.oracle import Report


@pytest.fixture(scope="session")
def assert_gradients_correct() -> Callable[..., Report]:
    """Check a candidate, with what it declares; the message of a failure is the report."""
    return assertions.assert_gradients_correct
