"""Conventions: a right gradient of another loss, of either sign, or a step along it, is told from a mistake."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from purebp import (
    Batch,
    Network,
    backpropagation,
    forward,
    sgd_step,
)
from purebp.oracle import check, judge
from tests.oracle.samples import (
    Answer,
    flat,
    lists_of,
    rebuilt,
    right,
    single,
)


@pytest.mark.parametrize(
    "loss", ["sse", "half_sse", "mse", "half_mse", "half_sse/samples", "sse/outputs", "mae", "huber(1.0)"]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_loss_and_the_sign_are_found_where_they_are_left_open(loss: str, sign: int) -> None:
    names = ("tanh", "identity")
    report = check(right(loss, lambda n, m: sign, names), activations=names)
    assert report.conforms and report.exit_status == 0 and report.score == 1
    if (loss, sign) == ("mse", 1):
        assert report.verdict == "correct" and report.convention is None
        return
    assert report.verdict == "correct-under-convention"
    assert report.convention is not None
    assert report.convention.loss_name == loss
    assert report.convention.returns == ("gradients" if sign > 0 else "descent")
    assert report.convention.sentence in flat(report)


@pytest.mark.parametrize("batch", [None, 1, 2, 4])
@pytest.mark.parametrize("sizes", [None, [2, 3, 1], [2, 3, 2], [2, 3, 4]])
@pytest.mark.parametrize("loss", ["sse", "half_sse", "mse", "half_mse", "half_sse/samples", "sse/outputs"])
def test_no_right_candidate_is_accused_where_factors_coincide(loss: str, sizes: Any, batch: int | None) -> None:
    """½ is 1/m where there are two outputs."""
    for sign in (1, -1):
        report = check(
            right(loss, lambda n, m: sign, ("tanh", "tanh")), activations=("tanh", "tanh"), sizes=sizes, batch=batch
        )
        assert report.conforms, str(report)
    if sizes == [2, 3, 4] and batch is None:
        found = check(right(loss, lambda n, m: -1, ("tanh", "tanh")), activations=("tanh", "tanh"), sizes=sizes)
        assert found.convention is not None and found.convention.loss_name == loss


@pytest.mark.parametrize("loss", ["mse", "half_sse", "sse"])
@pytest.mark.parametrize("rate", [-0.1, -1.0])
def test_a_step_uphill_conforms_nowhere(loss: str, rate: float) -> None:
    def climbs(weights: Any, biases: Any, inputs: Any, targets: Any) -> Answer:
        network = rebuilt(weights, biases)
        return lists_of(sgd_step(network, backpropagation(network, Batch(inputs, targets), loss), rate))

    report = check(climbs)
    assert not report.conforms and report.exit_status == 1
    assert "The step goes uphill" in flat(report)


def test_a_stray_factor_conforms_in_no_step() -> None:
    names = ("tanh", "tanh")

    def strays(weights: Any, biases: Any, inputs: Any, targets: Any) -> Answer:
        network = rebuilt(weights, biases, names)
        return lists_of(sgd_step(network, backpropagation(network, Batch(inputs, targets), "half_sse"), 0.4))

    for declared in ({"returns": "step", "learning_rate": 0.1}, {"learning_rate": 0.1}, {}):
        assert not check(strays, activations=names, **declared).conforms, declared


def test_a_turned_sign_is_that_of_the_plainest_loss() -> None:
    """With outputs of sigmoid every error is below 1, where huber(1.0) is half_sse."""
    report = check(right("mse", lambda n, m: -1), returns="gradients")
    assert report.exit_status == 1 and report.convention is not None and report.convention.loss_name == "mse"


@pytest.mark.parametrize("loss", ["cross_entropy", "cross_entropy/sum", "cross_entropy/entries"])
def test_cross_entropies_are_found(loss: str) -> None:
    names = ("relu", "softmax")
    report = check(right(loss, names=names), activations=names)
    assert report.conforms
    assert (report.convention.loss_name if report.convention else "cross_entropy") == loss


@pytest.mark.parametrize(
    ("factor", "name"),
    [
        (lambda n, m: 0.5, "factor ½"),
        (lambda n, m: 2.0, "factor 2"),
        (lambda n, m: n * m, "factor n m"),
        (lambda n, m: 1 / n, "factor 1 / n"),
        (lambda n, m: -1.0, "sign turned"),
        (lambda n, m: m / 2, "factor ½ m"),
    ],
)
def test_what_is_declared_is_held_to(factor: Callable[[int, int], float], name: str) -> None:
    report = check(right("mse", factor), loss="mse", returns="gradients")
    assert (report.verdict, report.conforms, report.exit_status) == ("correct-under-convention", False, 1)
    assert report.explanations[0].name == name
    assert report.explanations[0].family == "loss and scale"
    assert report.score < 1


def test_a_factor_that_is_no_convention_is_none() -> None:
    report = check(right("mse", lambda n, m: 0.9), loss="mse", returns="gradients")
    assert report.verdict == "wrong"


def test_divided_by_the_samples_twice_is_no_convention() -> None:
    report = check(right("half_sse", lambda n, m: 1 / n**2))
    assert not report.conforms and report.exit_status == 1


def test_an_updated_network_is_judged_as_a_step() -> None:
    def step(weights: Any, biases: Any, inputs: Any, targets: Any) -> Answer:
        network = rebuilt(weights, biases)
        return lists_of(sgd_step(network, backpropagation(network, Batch(inputs, targets), "mse"), 0.1))

    def uphill(weights: Any, biases: Any, inputs: Any, targets: Any) -> Answer:
        network = rebuilt(weights, biases)
        return lists_of(sgd_step(network, backpropagation(network, Batch(inputs, targets), "mse"), -0.1))

    assert check(step, loss="mse", returns="step", learning_rate=0.1).verdict == "correct"
    found = check(step, learning_rate=0.1).convention
    assert found is not None and found.returns == "step"
    report = check(uphill, loss="mse", returns="step", learning_rate=0.1)
    assert not report.conforms
    assert "uphill" in flat(report)


@pytest.mark.parametrize("seed", range(60))
def test_a_step_may_be_taken_sample_by_sample(seed: int) -> None:
    random = Random(seed)
    sizes = [random.randint(1, 5) for _ in range(3)]
    n, rate = random.randint(1, 12), random.choice([0.1, 0.5, 3.0])
    network = Network.random(sizes, ("sigmoid", "identity"), seed)
    scale = 10 ** random.uniform(-3, 2)
    network = network.with_parameters([scale * random.gauss(0, 1) for _ in network.parameters()])
    batch = Batch(*([[random.gauss(0, 3) for _ in range(m)] for _ in range(n)] for m in (sizes[0], sizes[-1])))
    for format, rounded in (("binary64", float), ("binary32", single)):
        if format == "binary32":
            network = network.with_parameters([single(x) for x in network.parameters()])
            batch = Batch(*([list(map(single, row)) for row in rows] for rows in (batch.inputs, batch.targets)))
        gradients = backpropagation(network, batch, "half_sse")
        parts = []
        for l, layer in enumerate(network.layers):
            below = forward(network, batch.inputs).activations[l - 1] if l else batch.inputs
            deltas = gradients.layers[l].deltas
            weights, biases = [list(row) for row in layer.weights], list(layer.biases or ())
            for s in random.sample(range(n), n):
                for j, delta in enumerate(deltas[s]):
                    change = rounded(rounded(rate) * rounded(delta))
                    biases[j] = rounded(biases[j] - change)
                    for k, a in enumerate(below[s]):
                        weights[j][k] = rounded(weights[j][k] - rounded(change * rounded(a)))
            parts.append((weights, biases))
        answer = [weights for weights, _ in parts], [biases for _, biases in parts]
        report = judge(network, batch, answer, "half_sse", format, returns="step", learning_rate=rounded(rate))
        assert not any(tensor.wrong for case in report.cases for tensor in case.tensors)


def test_a_step_that_is_off_by_little_is_still_seen() -> None:
    def step(weights: Any, biases: Any, inputs: Any, targets: Any) -> Answer:
        network = rebuilt(weights, biases)
        weights, biases = lists_of(sgd_step(network, backpropagation(network, Batch(inputs, targets), "mse"), 0.1))
        weights[0][0][0] *= 1 + 1e-13
        return weights, biases

    assert not check(step, loss="mse", returns="step", learning_rate=0.1).conforms
