"""The catalogue: every mistake that is planted is found again, and said as a teacher says it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from math import cosh, exp, pi, sqrt, tanh
from typing import Any

import pytest

from purebp import Batch, Gradients, Layer, Network, backpropagation
from purebp.oracle.asking.declared import Declared
from purebp.oracle.asking.subject import Subject
from purebp.oracle.check import check
from purebp.oracle.explaining.catalogue import CATALOGUE, REPORTS, _catalogue, seen
from purebp.oracle.explaining.recipe import LINES, Mistake
from purebp.textbook.activations import Elementwise
from purebp.textbook.arithmetic import Function
from studies.power import FAMILIES, Seen, looked_at, place, plain_sentence


@cache
def found(name: str) -> Seen:
    """What `check` says of the mistake, in the first place where it changes something."""
    return looked_at(*place(CATALOGUE[name]))


@pytest.mark.parametrize("mistake", CATALOGUE.values(), ids=CATALOGUE)
def test_a_planted_mistake_is_recovered(mistake: Mistake) -> None:
    seen = found(mistake.name)
    assert seen.caught
    assert seen.among_three, [found.name for found in seen.report.explanations]


OF_EACH_KIND = {(mistake.family, mistake.step): mistake for mistake in CATALOGUE.values()}.values()


@pytest.mark.parametrize("mistake", OF_EACH_KIND, ids=lambda mistake: mistake.name)
def test_a_program_with_the_mistake_is_told_the_same_over_a_pipe(mistake: Mistake) -> None:
    """One of each family in each step: what differs is how the numbers come, not what they are."""
    seen = found(mistake.name)
    setting, layers = seen.setting, map(str, seen.planting.made[0][1])
    declared = Declared(setting.names, setting.loss, returns="gradients")
    with Subject([sys.executable, "-m", "tests.subjects.planted", mistake.name, *layers]) as subject:
        report = check(subject.candidate(declared), activations=setting.names, loss=setting.loss, returns="gradients")
    here = [note for note in seen.report.notes if not note.startswith("It is probably made in line")]  # of Python alone
    assert replace(report, candidate="") == replace(seen.report, candidate="", notes=tuple(here))


APPROXIMATIONS: dict[str, tuple[str, Callable[[float], Any], Callable[[float], Any]]] = {
    "gelu by its approximation with tanh": (
        "gelu",
        lambda z: 0.5 * z * (1 + tanh(sqrt(2 / pi) * (z + 0.044715 * z**3))),
        lambda z: (
            0.5 * (1 + tanh(sqrt(2 / pi) * (z + 0.044715 * z**3)))
            + 0.5 * z * sqrt(2 / pi) * (1 + 0.134145 * z**2) / cosh(sqrt(2 / pi) * (z + 0.044715 * z**3)) ** 2
        ),
    ),
    "gelu by its approximation with the sigmoid": (
        "gelu",
        lambda z: z / (1 + exp(-1.702 * z)),
        lambda z: (1 + exp(-1.702 * z) + 1.702 * z * exp(-1.702 * z)) / (1 + exp(-1.702 * z)) ** 2,
    ),
    "a clipped before the derivative": (
        "sigmoid",
        lambda z: 1 / (1 + exp(-z)),
        lambda z: (a := min(max(1 / (1 + exp(-z)), 0.01), 0.99)) * (1 - a),
    ),
}


@pytest.mark.parametrize("name", APPROXIMATIONS)
def test_what_libraries_put_in_the_place_of_a_function_is_named_as_others_write_it(name: str) -> None:
    of, value, derivative = APPROXIMATIONS[name]
    mine = Elementwise("mine", Function("mine", lambda z, on: value(z)), Function("mine′", lambda z, on: derivative(z)))

    def candidate(weights: Any, biases: Any, inputs: Any, targets: Any) -> Gradients:
        layers = [Layer(weights[0], biases[0], mine), Layer(weights[1], biases[1], "identity")]
        return backpropagation(Network(layers), Batch(inputs, targets), "mse")

    report = check(candidate, activations=(of, "identity"))
    assert [found.name for found in report.explanations][:1] == [name], str(report)
    assert any(note.startswith("The first quantity that is off is δ") for note in report.notes)  # δ are given as well


def test_no_two_mistakes_have_one_name() -> None:
    assert list(CATALOGUE.values()) == list(_catalogue())


def test_there_are_mistakes_of_every_family_and_in_every_step() -> None:
    assert {mistake.family for mistake in CATALOGUE.values()} == set(FAMILIES)
    assert {mistake.step for mistake in CATALOGUE.values()} == set(LINES)


@pytest.mark.parametrize("kind", REPORTS)
def test_what_was_reported_is_in_the_catalogue(kind: str) -> None:
    count, beginnings = REPORTS[kind]
    for beginning in beginnings:
        first = next(mistake for mistake in CATALOGUE.values() if mistake.name.startswith(beginning))
        assert seen(first) == count


@pytest.mark.parametrize("mistake", CATALOGUE.values(), ids=CATALOGUE)
def test_sentences_are_those_of_a_teacher(mistake: Mistake) -> None:
    for sentence in (mistake.sentence.format(where="in the hidden layers"), plain_sentence(mistake.sentence)):
        assert not re.search(r"[{}]|  | \.", sentence)
        assert re.match(r"[A-ZΑ-Ω(]|[δf∂]", sentence) and sentence.endswith((".", ".)"))
        assert not re.search(r"\b(recipe|ball|budget|trunk)s?\b", sentence, re.IGNORECASE)
        assert ("in layer 7" in mistake.sentence.format(where="in layer 7")) == mistake.layerwise
