"""Penalties: λ w in a gradient is right where it is declared, and named with its rate where it is not."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purebp import FLOAT, Batch, Gradients, LayerGradients, Network, backpropagation, evaluate, forward
from purebp import loss as known_loss
from purebp.number_systems.ball import ball
from purebp.oracle import check
from purebp.oracle.answer import as_claim
from purebp.oracle.asking.penalty import Penalty, read
from purebp.oracle.cases import Case
from purebp.oracle.conventions import ONE, Convention, budgets
from purebp.oracle.evidence import inside, turned_claim
from purebp.oracle.explaining.catalogue import CATALOGUE
from purebp.oracle.explaining.recipe import planted, run
from purebp.testing.strategies import cases
from tests.oracle.samples import SIGMOIDS, Candidate, Pair, flat, lists, name_of, rebuilt

Rate = str  # as it is declared


def added(rate: Rate, network: Network, batch: Batch, gradients: Gradients) -> Gradients:
    """Gradients with λ w, in the weights or in all."""
    penalty = read(rate)
    share = float(penalty.rate) / (len(batch.inputs) if penalty.by_samples else 1)
    return Gradients(
        tuple(
            LayerGradients(
                tuple(tuple(g + share * w for g, w in zip(*rows)) for rows in zip(layer.weights, of.weights)),
                tuple(g + share * b for g, b in zip(layer.biases, of.biases or ()))
                if layer.biases and penalty.on_all
                else layer.biases,
                layer.deltas,
            )
            for layer, of in zip(gradients.layers, network.layers)
        )
    )


def penalised(rate: Rate, loss: str = "half_sse", learning_rate: float = 0.0, mistake: str = "") -> Candidate:
    """Gradients with a penalty, or a step along them; perhaps with a mistake in the hidden layer."""
    recipe = planted(CATALOGUE[mistake], {0}) if mistake else None

    def candidate(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        network, batch = rebuilt(weights, biases), Batch(inputs, targets)
        gradients = run(recipe, network, batch, loss, FLOAT) if recipe else backpropagation(network, batch, loss)
        of_weights, of_biases = lists(added(rate, network, batch, gradients))
        if not learning_rate:
            return of_weights, of_biases
        for rows, moved in zip([*weights, *([b] for b in biases or ())], [*of_weights, *([b] for b in of_biases if b)]):
            for row, steps in zip(rows, moved):
                steps[:] = [w - learning_rate * g for w, g in zip(row, steps)]
        return of_weights, of_biases

    return candidate


RATES = ["0.01", "0.01/n", "0.25,all", "0.0001/n,all", "2"]


@pytest.mark.parametrize("rate", RATES)
def test_a_penalty_that_is_declared_is_right_and_no_other(rate: Rate) -> None:
    declared: dict[str, Any] = {"activations": SIGMOIDS, "loss": "half_sse", "returns": "gradients"}
    assert check(penalised(rate), **declared, penalty=rate).verdict == "correct"
    step = {**declared, "returns": "step", "learning_rate": 0.125}
    assert check(penalised(rate, learning_rate=0.125), **step, penalty=rate).verdict == "correct"
    other = check(penalised(rate), **declared, penalty="0.02")
    assert (other.verdict, other.conforms, name_of(other)) == ("correct-under-convention", False, "another penalty")
    assert f"with {read(rate).words}; 0.02 was declared" in flat(other)


@pytest.mark.parametrize("rate", ["0.01", "0.25,all"])
def test_a_penalty_that_is_declared_and_left_out_is_missed(rate: Rate) -> None:
    def without(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        return lists(backpropagation(rebuilt(weights, biases), Batch(inputs, targets), "half_sse"))

    report = check(without, activations=SIGMOIDS, loss="half_sse", returns="gradients", penalty=rate)
    assert (report.verdict, report.conforms, name_of(report)) == ("correct-under-convention", False, "penalty missing")
    assert f"It is the gradient without {read(rate).words}, which was declared." in flat(report)


def test_a_mistake_beside_a_penalty_is_named() -> None:
    report = check(
        penalised("0.01", mistake="squashed twice"),
        activations=SIGMOIDS,
        loss="half_sse",
        returns="gradients",
        penalty=0.01,
    )
    assert report.verdict == "wrong" and name_of(report) == "squashed twice"


SETTINGS = [  # every pair, not all four at once
    (rate, step, open_loss)
    for i, rate in enumerate(["0.0001", "0.03", "2", "0.0001/n", "0.03/n", "0.5,all", "0.03/n,all"])
    for step, open_loss in product([False, True], repeat=2)
    if (i + step + open_loss) % 2 == 0
]


@pytest.mark.parametrize(("rate", "step", "open_loss"), SETTINGS)
def test_a_penalty_that_is_not_declared_is_named_with_its_rate(rate: Rate, step: bool, open_loss: bool) -> None:
    """0.0001 is the default of scikit-learn, where it is divided by n."""
    declared: dict[str, Any] = {"returns": "step", "learning_rate": 0.125} if step else {}
    candidate = penalised(rate, "half_sse/samples", 0.125 * step)
    loss = None if open_loss else "half_sse/samples"
    report = check(candidate, activations=SIGMOIDS, loss=loss, **declared)
    assert (report.verdict, report.conforms, name_of(report)) == ("correct-under-convention", False, "penalty added")
    whose = "the weights" if "all" not in rate else "its parameter"
    assert f"has {rate.replace(',all', '').replace('/n', ' / n')} times {whose}" in flat(report)
    assert f"It is the gradient with {read(rate).words}: declare --penalty {rate}." in flat(report)
    assert check(candidate, activations=SIGMOIDS, loss=loss, **declared, penalty=rate).conforms


@pytest.mark.parametrize("loss", ["sse", None])
def test_a_penalty_is_named_without_biases(loss: str | None) -> None:
    report = check(penalised("0.01", "sse"), activations=SIGMOIDS, loss=loss, returns="gradients", biases=False)
    assert name_of(report) == "penalty added" and not report.conforms


def test_what_is_no_penalty_is_not_called_so() -> None:
    def of_another_rate_each_time(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        found: Pair = penalised(str(0.01 / (len(inputs) + 1)))(weights, biases, inputs, targets)
        return found

    report = check(of_another_rate_each_time, activations=SIGMOIDS, loss="half_sse", returns="gradients")
    assert report.verdict == "wrong" and "penalty" not in flat(report)


def test_a_loss_that_is_given_may_hold_its_penalty_or_not() -> None:
    for share, right in ((0.0, True), (0.5, True), (0.6, False)):

        def candidate(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
            network, batch = rebuilt(weights, biases), Batch(inputs, targets)
            of_weights, of_biases = penalised("0.5")(weights, biases, inputs, targets)
            squares = sum(w * w for layer in network.layers for row in layer.weights for w in row)
            loss = evaluate(network, batch, "half_sse") + share * 0.5 * squares
            outputs = forward(network, batch.inputs).outputs
            return {"weights": of_weights, "biases": of_biases, "loss": loss, "outputs": outputs}

        report = check(candidate, activations=SIGMOIDS, loss="half_sse", returns="gradients", penalty=0.5)
        assert (report.verdict == "correct") == right


PENALTIES = st.builds(Penalty, st.fractions(Fraction(1, 8), 4, max_denominator=64), st.booleans(), st.booleans())


def by_sample(case: Case, penalty: Penalty) -> dict[Any, Any]:
    """The gradient added up sample by sample, each with its share of the penalty."""
    share = float(penalty.share(case.samples)) / case.samples
    total: dict[Any, Any] = {}
    for x, y in zip(case.batch.inputs, case.batch.targets):
        found = as_claim(backpropagation(case.network, Batch([x], [y]), "half_sse"))
        for key, parameters in as_claim(case.network).items():
            part = share if key[0] in penalty.kinds else 0.0
            rows = [[g + part * w for g, w in zip(*pair)] for pair in zip(found[key], parameters)]
            before = total.get(key, [[0.0] * len(row) for row in rows])
            total[key] = [[a + b for a, b in zip(*pair)] for pair in zip(before, rows)]
    return total


@given(cases(("tanh", "identity")), PENALTIES, st.sampled_from(["gradients", "descent", "step", "change"]))
@settings(max_examples=60)
def test_no_right_penalty_leaves_its_budget_at_once_or_sample_by_sample(
    case: Case, penalty: Penalty, returns: str
) -> None:
    convention = Convention(known_loss("half_sse"), ONE, returns, 0.3, penalty)
    allowed = budgets(case, convention, "binary64", {})
    plain = as_claim(backpropagation(case.network, case.batch, "half_sse"))
    at_once = turned_claim(plain, case.network, FLOAT, convention.turned(case.samples, 1, FLOAT))
    assert inside(at_once, allowed)
    bare = Convention(known_loss("half_sse"), ONE, returns, 0.3)
    in_parts = turned_claim(by_sample(case, penalty), case.network, FLOAT, bare.turned(case.samples, 1, FLOAT))
    assert inside(in_parts, allowed)
    if returns == "step":  # weights that decay first: (1 − η λ) w − η g
        share = float(penalty.share(case.samples))
        decayed = {
            key: [
                [(1 - 0.3 * share * (key[0] in penalty.kinds)) * w - 0.3 * g for w, g in zip(*pair)]
                for pair in zip(parameters, plain[key])
            ]
            for key, parameters in as_claim(case.network).items()
        }
        assert inside(decayed, allowed)


def test_a_penalty_is_enclosed_without_a_format() -> None:
    turned = Convention(known_loss("half_sse"), penalty=read("0.5")).turned(1, 1, ball(None))
    ((g, w),) = ball(None).lift([[0.25, 0.75]])
    assert turned is not None and float(turned(g, w).midpoint) == 0.625 and turned(g, w).radius == 0
    assert turned(g, w, "biases") == g
