"""What is expected is certified, and the budgets hold the textbook and are not wide."""

from __future__ import annotations

import pytest

from purebp.oracle.certify import certified_gradients
from tests.oracle.vectors.samples import ANSWERED, TESTS, answer, numbers, right


@pytest.mark.parametrize("family", ["gradients", "deltas"])
def test_expected_gradients_are_those_that_are_certified(family: str) -> None:
    for vector, test in TESTS:
        if vector.family != family or "Kink" in vector.flags:
            continue
        found = certified_gradients(vector.case.network, vector.case.batch, vector.given["loss"])
        assert all(entry.rounded for entry in found.parameters())
        if family == "gradients":
            assert numbers(test["expected"]["gradients"]) == [entry.value for entry in found.parameters()]
        else:
            deltas = [entry.value for layer in found.layers for row in layer.deltas for entry in row]
            assert numbers(test["expected"]["deltas"]) == deltas


def test_the_textbook_is_inside_every_budget_and_no_budget_is_wide() -> None:
    for vector, test in ANSWERED:
        given = numbers(answer(vector, right(vector)))
        wanted = numbers(test["expected"])
        for format in ("binary64", "binary32"):
            allowed = numbers(test["budget"][format])
            assert len(given) == len(wanted) == len(allowed)
            assert all(abs(x - y) <= room for x, y, room in zip(given, wanted, allowed)), vector.id
            if "Kink" not in vector.flags:
                assert sum(allowed) < 0.01 * sum(map(abs, wanted)), vector.id


def test_at_a_kink_both_ends_of_clarkes_interval_are_accepted_and_nothing_beyond() -> None:
    kinks = [(vector.family, test) for vector, test in ANSWERED if "Kink" in vector.flags]
    assert len(kinks) == 9
    for family, test in kinks:
        width = 1.52 if family == "step" else 0.51  # a step may be taken sample by sample: conventions.stepped
        assert any(low < high for low, high in zip(*(numbers(test["clarke"][end]) for end in ("lower", "upper"))))
        rows = [numbers(test["clarke"]["lower"]), numbers(test["clarke"]["upper"]), numbers(test["expected"])]
        for low, high, middle, room in zip(*rows, numbers(test["budget"]["binary64"])):
            assert low <= high and abs(low - middle) <= room and abs(high - middle) <= room
            assert room <= (high - low) * width + 1e-12 * max(1.0, abs(middle))
