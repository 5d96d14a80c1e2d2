"""For tests: Hypothesis strategies, and an assertion whose message is the oracle's report.

Networks, batches, cases and losses are drawn by Hypothesis, which is imported when the first
of them is asked for. With purebp installed, pytest has a fixture `assert_gradients_correct` as well.

>>> from purebp.testing import assert_gradients_correct, cases
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from purebp.testing.assertions import assert_backward_correct, assert_gradients_correct

if TYPE_CHECKING:
    from purebp.testing.explore import counterexample
    from purebp.testing.strategies import batches, cases, losses, networks

__all__ = [
    "assert_backward_correct",
    "assert_gradients_correct",
    "batches",
    "cases",
    "counterexample",
    "losses",
    "networks",
]


def __getattr__(name: str) -> Any:
    """The strategies and the search, when they are asked for: pytest loads this package in every session, Hypothesis or not."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "explore" if name == "counterexample" else "strategies"
    return getattr(import_module(f"{__name__}.{module}"), name)
