"""Hypothesis profiles: "laws" is the same on every run; `make test-thorough` looks for what it missed, elsewhere each time."""

import signal

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("tests.laws")
BUSY = [HealthCheck.too_slow]  # says how busy the machine is
settings.register_profile("laws", max_examples=25, derandomize=True, deadline=None, suppress_health_check=BUSY)
settings.register_profile("thorough", max_examples=200, deadline=None, suppress_health_check=BUSY)
settings.load_profile("laws")


def default_signals() -> None:
    """For a child that is to be interrupted: a shell lets what runs in the background, as tests may, ignore that."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
