"""The catalogue: a recipe is backpropagation, and every mistake that is planted is found again."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given

from purebp import FLOAT, backpropagation
from purebp.oracle.candidate import Declared
from purebp.oracle.check import check
from purebp.oracle.mistakes import CATALOGUE, seen
from purebp.oracle.recipe import LINES, Mistake, Recipe, run
from purebp.oracle.subject import Subject
from tests.power import FAMILIES, budgets_once, looked_at, place, plain_sentence
from tests.strategies import Case, cases


@pytest.fixture(scope="module", autouse=True)
def once() -> Iterator[None]:
    """No budget is computed twice."""
    with budgets_once():
        yield


@given(cases())
def test_the_recipe_without_changes_is_backpropagation_bit_for_bit(case: Case) -> None:
    network, batch, loss = case
    assert run(Recipe(), network, batch, loss, FLOAT) == backpropagation(network, batch, loss)


@pytest.mark.parametrize("mistake", CATALOGUE.values(), ids=CATALOGUE)
def test_a_planted_mistake_is_recovered(mistake: Mistake) -> None:
    seen = looked_at(*place(mistake))
    assert seen.caught
    assert seen.among_three, [found.name for found in seen.report.explanations]


@pytest.mark.parametrize("mistake", CATALOGUE.values(), ids=CATALOGUE)
def test_a_program_with_the_mistake_is_told_the_same_over_a_pipe(mistake: Mistake) -> None:
    planting, setting = place(mistake)
    layers = map(str, planting.made[0][1])
    declared = Declared(setting.names, setting.loss, returns="gradients")
    with Subject([sys.executable, "-m", "tests.subjects.planted", mistake.name, *layers]) as subject:
        report = check(subject.candidate(declared), activations=setting.names, loss=setting.loss, returns="gradients")
    seen = looked_at(planting, setting)
    assert replace(report, candidate="") == replace(seen.report, candidate="")


def test_names_are_their_keys_and_families_are_five() -> None:
    assert all(name == mistake.name for name, mistake in CATALOGUE.items())
    assert {mistake.family for mistake in CATALOGUE.values()} == set(FAMILIES)
    assert {mistake.step for mistake in CATALOGUE.values()} <= set(LINES)
    assert all(seen(mistake) >= 0 for mistake in CATALOGUE.values())


@pytest.mark.parametrize("mistake", CATALOGUE.values(), ids=CATALOGUE)
def test_sentences_are_those_of_a_teacher(mistake: Mistake) -> None:
    for sentence in (mistake.sentence.format(where="in the hidden layers"), plain_sentence(mistake.sentence)):
        assert not re.search(r"[{}]|  | \.", sentence)
        assert re.match(r"[A-ZΑ-Ω(]|[δf∂]", sentence) and sentence.endswith((".", ".)"))
        assert not re.search(r"\b(recipe|ball|budget|trunk)s?\b", sentence, re.IGNORECASE)
        assert ("in the hidden layers" in mistake.sentence.format(where="in the hidden layers")) == mistake.layerwise
