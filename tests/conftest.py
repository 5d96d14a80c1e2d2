"""Hypothesis profiles: "laws" is the same on every run; `--hypothesis-profile=hunt` looks for what it missed."""

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("tests.laws")
settings.register_profile("laws", max_examples=60, derandomize=True, deadline=None)
settings.register_profile("hunt", max_examples=2000, deadline=None)
settings.load_profile("laws")
