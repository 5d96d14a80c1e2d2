"""Each line of the recurrence held by itself: what holds is cleared, what does not is explained alone, on any network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import FLOAT, Batch, Layer, Network, backpropagation
from purebp.oracle import check
from purebp.oracle.answer import as_claim
from purebp.oracle.explaining.catalogue import CATALOGUE, updated_weights
from purebp.oracle.explaining.equations import Question, Reading, in_words, merged, ratio, readings, two_slopes
from purebp.oracle.explaining.grammar import products
from purebp.oracle.explaining.recipe import Mistake, Recipe, planted, run
from purebp.textbook import losses
from purebp.textbook.losses import Loss

LOSS = losses.half_sse
NAMES = ("tanh", "sigmoid", "identity")
WIDTHS = ((3, 4, 2, 3), (4, 3, 5, 2), (3, 3, 3, 3), (2, 4, 4, 2))
Given = Sequence[tuple[Mistake, set[int]]]


def drawn(seed: int, widths: Sequence[int], names: Sequence[str] = NAMES, samples: int = 1) -> tuple[Network, Batch]:
    random = Random(seed)
    network = Network.random(list(widths), list(names), seed)
    network = network.with_parameters([random.choice((-1, 1)) * random.uniform(0.3, 1.5) for _ in network.parameters()])
    rows = [[random.gauss(0, 1) for _ in range(widths[0])] for _ in range(samples)]
    return network, Batch(rows, [[random.gauss(0, 1) for _ in range(widths[-1])] for _ in range(samples)])


def recipe_of(made: Given) -> Recipe:
    recipe = Recipe()
    for mistake, layers in made:
        recipe = planted(mistake, layers, recipe)
    return recipe


def answered(made: Given, seed: int = 0, loss: Loss = LOSS, names: Sequence[str] = NAMES) -> list[Question]:
    found = []
    for i, widths in enumerate(WIDTHS):
        network, batch = drawn(seed + i, widths, names)
        found.append(Question(network, batch, as_claim(run(recipe_of(made), network, batch, loss, FLOAT))))
    return found


def read(questions: Sequence[Question], loss: Loss = LOSS) -> Reading:
    return readings(questions, loss, list(CATALOGUE.values()))[0]


def holds_elsewhere(reading: Reading, made: Given, names: Sequence[str] = NAMES) -> bool:
    """Whether what was found gives the same as what was made, up to a factor, on networks that were not asked about."""
    recipe = Recipe()
    for mistake, layers in reading.made:
        recipe = planted(mistake, layers, recipe)
    for seed in range(1000, 1020):
        network, batch = drawn(seed, WIDTHS[seed % len(WIDTHS)], names)
        given, found = (run(each, network, batch, LOSS, FLOAT).parameters() for each in (recipe_of(made), recipe))
        if ratio(given, found, 1e-6) is None:
            return False
    return True


@given(st.integers(0, 10**6), st.sampled_from(["sse", "mse", "mae"]))
def test_of_right_answers_every_line_holds(seed: int, loss: str) -> None:
    questions = [
        Question(network, batch, as_claim(backpropagation(network, batch, loss)))
        for network, batch in (drawn(seed + i, widths) for i, widths in enumerate(WIDTHS))
    ]
    reading = read(questions, losses.loss(loss))
    assert reading.made == () and all(line.found == () and line.seen for line in reading.lines)


STEPS = {"passed": {0, 1}, "deltas": {0, 1, 2}, "weights": {0, 1, 2}, "biases": {0, 1, 2}}


@given(st.sampled_from(sorted(STEPS)), st.data(), st.integers(0, 10**6))
def test_what_is_made_by_rule_is_explained_and_holds_on_networks_that_were_not_asked_about(
    step: str, data: st.DataObject, seed: int
) -> None:
    mistake = data.draw(st.sampled_from(products(step)))
    made = [(mistake, {data.draw(st.sampled_from(sorted(STEPS[step])))})]
    questions = answered(made, seed)
    reading = read(questions)
    if not reading.unexplained:
        assert holds_elsewhere(reading, made), [m.name for m, _ in reading.made]
    wrong = {line.layer for line in reading.lines if line.found != ()}
    assert wrong <= made[0][1]  # what lies below, and beside, is cleared


@pytest.mark.parametrize("step", STEPS)
def test_nearly_all_that_is_made_by_rule_is_explained(step: str) -> None:
    layer = {1}
    missed = [m.name for m in products(step)[::7] if read(answered([(m, layer)], 5)).unexplained]
    assert not missed


@pytest.mark.parametrize(
    "made",
    [
        [("squashed twice", {0}), ("input missing", {1}), ("bias gradient with the wrong sign", {0, 1, 2})],
        [("W transposed on the way down", {0, 1}), ("activation derivative missing", {1})],
        [("passed down without the weights", {0}), ("the function itself", {0})],
        [("biases left out of the forward pass", set()), ("raw error passed down", {0, 1})],
    ],
)
def test_several_mistakes_fall_apart(made: list[tuple[str, set[int]]]) -> None:
    given_ = [(CATALOGUE[name], layers) for name, layers in made]
    reading = read(answered(given_))
    assert not reading.unexplained and len(reading.made) == len(made)
    assert holds_elsewhere(reading, given_)


def test_rates_slopes_and_constants_are_solved_for() -> None:
    (found,) = read(answered([(updated_weights(0.37), {1})])).made
    assert found == (updated_weights(0.37), frozenset({1})) and "0.37" in found[0].name
    (found,) = read(answered([(two_slopes(0.2, 1.5), {0, 1})])).made
    assert found == (two_slopes(0.2, 1.5), frozenset({0, 1}))
    questions = answered([])
    tripled = [
        replace(q, claim={key: [[3 * x for x in row] for row in rows] if key == ("weights", 1) else rows for key, rows in q.claim.items()})
        for q in questions
    ]  # fmt: skip
    ((scaled, layers),) = read(tripled).made
    assert scaled.name == "factor 3 in the gradient of the weights" and layers == {1}


def test_what_nothing_explains_is_said_of_its_line_alone() -> None:
    random = Random(1)
    spoilt = [
        replace(q, claim={**q.claim, ("weights", 1): [[random.random() for _ in row] for row in q.claim["weights", 1]]})
        for q in answered([(CATALOGUE["bias gradient with the wrong sign"], {2})])
    ]
    right, sign, odd = in_words(read(spoilt))
    assert (
        right == "What is right, made of your own numbers: δ³, ∂loss/∂W³, δ², ∂loss/∂b², δ¹, ∂loss/∂b¹ and ∂loss/∂W¹."
    )
    assert "biases at the output layer" in sign
    assert odd == "∂loss/∂W² does not follow from your own δ²: it should be the outer product of δ² and a¹."


def test_without_biases_delta_is_read_off_the_weights() -> None:
    questions = [
        replace(q, claim={key: rows for key, rows in q.claim.items() if key[0] == "weights"})
        for q in answered([(CATALOGUE["squashed twice"], {1}), (CATALOGUE["input missing"], {0})])
    ]
    assert {m.name for m, _ in read(questions).made} == {"squashed twice", "input missing"}


def test_one_sample_given_often_shows_delta_as_one() -> None:
    questions = []
    for q in answered([]):
        batch = Batch([*q.batch.inputs] * 3, [*q.batch.targets] * 3)
        made = recipe_of([(CATALOGUE["squashed twice"], {0})])
        questions.append(Question(q.network, batch, as_claim(run(made, q.network, batch, LOSS, FLOAT))))
    assert all(q.alike for q in questions)
    assert [m.name for m, _ in read(questions).made] == ["squashed twice"]


def test_what_stands_in_the_same_line_takes_the_place_of_what_was_found_before() -> None:
    once, twice, own = (CATALOGUE[name] for name in ("squashed twice", "the function itself", "input missing"))
    first, later = [(once, frozenset({0, 1})), (own, frozenset({0}))], [(twice, frozenset({1}))]
    assert set(merged(first, later)) == {(once, frozenset({0})), (own, frozenset({0})), (twice, frozenset({1}))}


def test_a_batch_is_explained_on_top_of_what_one_sample_shows() -> None:
    def learnt(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
        layers = zip(weights, biases, ("tanh", "identity"))
        network = Network([Layer(*layer) for layer in layers])
        made = [("squashed twice", {0}), ("input missing", {1}), ("bias gradient averaged", {0, 1})]
        return run(recipe_of([(CATALOGUE[n], at) for n, at in made]), network, Batch(inputs, targets), "mse", FLOAT)

    report = check(learnt, activations=["tanh", "identity"], loss="mse", returns="gradients")
    assert set(report.explanations[0].changes) == {"squashed twice", "input missing", "bias gradient averaged"}
