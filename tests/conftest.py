"""Hypothesis profiles: "laws" is the same on every run; `make test-thorough` looks for what it missed, elsewhere each time."""

import signal
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from purebp.oracle import layers
from purebp.oracle.answer import Claim
from purebp.oracle.conventions import budgets
from purebp.oracle.evidence import Budgets
from purebp.testing.strategies import ACTIVATIONS

pytest.register_assert_rewrite("tests.laws")
NAMES = {str(getattr(f, "name", f)).partition("(")[0] for f in ACTIVATIONS}
BUSY = [HealthCheck.too_slow]  # says how busy the machine is
settings.register_profile("laws", max_examples=25, derandomize=True, deadline=None, suppress_health_check=BUSY)
settings.register_profile("thorough", max_examples=200, deadline=None, suppress_health_check=BUSY)
settings.load_profile("laws")


@pytest.fixture(scope="session", autouse=True)
def remembered() -> Iterator[None]:
    """The budgets of a case, which most checks ask for, are computed once in all tests: nothing else enters them."""

    @lru_cache(1 << 11)
    def once(case: Any, convention: Any, format: Any, forwards: bool) -> Budgets:
        return budgets(case, convention, format, {("outputs", -1): []} if forwards else {})

    def remembering(case: Any, convention: Any, format: Any, claim: Claim) -> Budgets:
        if not all(layer.activation.name.partition("(")[0] in NAMES for layer in case.network.layers):
            return budgets(case, convention, format, claim)  # activations of one's own are told apart by name alone
        return once(case, convention, format, any(kind in ("outputs", "loss") for kind, _ in claim))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(layers, "budgets", remembering)
        yield


def default_signals() -> None:
    """For a child that is to be interrupted: a shell lets what runs in the background, as tests may, ignore that."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
