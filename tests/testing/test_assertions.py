"""The assertion: what passes, what fails, and with which message."""

from __future__ import annotations

import pytest

from purebp import PurebpError
from purebp.oracle import check
from purebp.testing import assert_gradients_correct
from tests.testing.slips import NARROW, candidate, no_slip


@pytest.mark.usefixtures("briefly")
def test_the_assertion_needs_no_pytest() -> None:
    right, wrong = candidate(no_slip, ["tanh"]), candidate(no_slip, ["tanh"], "sse")
    assert assert_gradients_correct(right, loss="half_sse", explore=True, **NARROW).verdict == "correct"
    with pytest.raises(AssertionError) as caught:
        assert_gradients_correct(wrong, loss="half_sse", **NARROW)
    assert str(caught.value) == str(check(wrong, loss="half_sse", **NARROW))


def test_undecided_is_a_failure_that_says_so() -> None:
    with pytest.raises(AssertionError, match=r"undecided: the error budgets are too wide to tell(.|\n)*no evidence"):
        assert_gradients_correct(candidate(no_slip, ["sigmoid"]), loss="half_sse", format="bfloat16")


def test_what_is_declared_wrongly_is_no_failure_of_the_candidate() -> None:
    with pytest.raises(PurebpError, match="unknown loss"):
        assert_gradients_correct(candidate(no_slip, ["tanh"]), loss="mess")
