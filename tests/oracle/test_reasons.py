"""Reasons: which explanation is a convention, and what is kept from call to call."""

from __future__ import annotations

import pytest

from purebp.oracle.answer import Finding
from purebp.oracle.explaining.catalogue import CATALOGUE
from purebp.oracle.explaining.diagnosis import Diagnosis
from purebp.oracle.explaining.recipe import STATE
from purebp.oracle.reasons import Reasons, of_state


def explained(*changes: str) -> Diagnosis:
    return Diagnosis(" and ".join(changes), "", "", "", changes)


@pytest.mark.parametrize(
    ("changes", "conventional"),
    [
        (["sign turned"], True),
        (["gradient of another loss"], True),
        (["factor ½ / n"], True),
        (["factor 2", "sign turned"], True),
        (["factor 2 in ∂loss/∂W¹"], False),
        (["sign turned", "a clipped before the derivative"], False),
        *(([name], False) for name in CATALOGUE),
    ],
)
def test_a_sign_a_factor_and_another_loss_are_conventions(changes: list[str], conventional: bool) -> None:
    assert Reasons((explained(*changes),)).conventional == conventional
    assert Reasons((explained("squashed twice"), explained(*changes))).conventional is False  # the likeliest counts


def test_without_an_explanation_there_is_no_convention() -> None:
    assert not Reasons().conventional and not Reasons(approximation="It was rounded.").conventional


def test_what_is_kept_from_call_to_call_is_the_reason_if_it_was_found() -> None:
    kept = Finding("keeps state", "the gradients are added up")
    (found,) = of_state([Finding("prints", "it prints"), kept]).diagnoses
    assert (found.name, found.family) == ("not reset between calls", STATE)
    assert found.sentence == "The gradients are added up."
    assert of_state([Finding("flaky", "it is")]) == of_state([]) == Reasons()
