"""explain: the lesson's steps, in the lesson's order, with the numbers of backpropagation."""

from __future__ import annotations

import json

from hypothesis import given

from purebp import Batch, Explanation, Network, backpropagation, explain, forward, sgd_step
from tests.laws import assert_close
from tests.strategies import Exercise, cases


def explained(case: Exercise) -> Explanation:
    return explain(case.network, case.batch, case.loss, 0.25)


def named(explanation: Explanation, name: str) -> dict[int, list[list[float]]]:
    """By layer, the values of the steps whose name begins so."""
    return {step.layer: [list(row) for row in step.values] for step in explanation.steps if step.name.startswith(name)}


@given(cases())
def test_the_steps_stand_in_the_order_of_the_lesson(case: Exercise) -> None:
    down = range(len(case.network.layers), 0, -1)
    expected = [("output error", down[0]), ("output delta (delta output sum)", down[0])]
    for l in down[1:]:
        expected += [(f"error passed to layer {l} (layer{l} error)", l), (f"hidden delta, layer {l}", l)]
    for weights, biases in (("weight gradients", "bias gradients"), ("updated weights", "updated biases")):
        for l in down:
            expected.append((f"{weights}, layer {l}", l))
            if case.network.layers[l - 1].biases is not None:
                expected.append((f"{biases}, layer {l}", l))
    assert [(step.name, step.layer + 1) for step in explained(case).steps] == expected


@given(cases())
def test_the_numbers_are_those_of_backpropagation_and_of_one_step(case: Exercise) -> None:
    explanation, gradients = explained(case), backpropagation(*case)
    updated = sgd_step(case.network, gradients, 0.25)
    outputs = forward(case.network, case.batch.inputs).outputs
    last = len(case.network.layers) - 1
    assert named(explanation, "output error")[last] == [
        [a - y for a, y in zip(*rows)] for rows in zip(outputs, case.batch.targets)
    ]
    assert named(explanation, "output delta")[last] == [list(row) for row in gradients.layers[last].deltas]
    for l, layer in enumerate(gradients.layers):
        assert l == last or named(explanation, "hidden delta")[l] == [list(row) for row in layer.deltas]
        assert named(explanation, "weight gradients")[l] == [list(row) for row in layer.weights]
        assert named(explanation, "updated weights")[l] == [list(row) for row in updated.layers[l].weights]
        if layer.biases is not None:
            assert named(explanation, "bias gradients")[l] == [list(layer.biases)]
            assert named(explanation, "updated biases")[l] == [list(updated.layers[l].biases or ())]
    assert (explanation.value, explanation.gradients, explanation.updated) == (case.value(), gradients, updated)
    assert (explanation.loss, explanation.network) == (case.loss.name, case.network)


@given(cases())
def test_the_error_passed_down_is_the_deltas_above_times_the_weights(case: Exercise) -> None:
    explanation = explained(case)
    for l, error in named(explanation, "error passed").items():
        above = case.network.layers[l + 1].weights
        deltas = explanation.gradients.layers[l + 1].deltas
        expected = [[sum(d * row[k] for d, row in zip(delta, above)) for k in range(len(above[0]))] for delta in deltas]
        assert_close([x for row in error for x in row], [x for row in expected for x in row])


@given(cases())
def test_the_text_names_every_step_with_its_number_and_json_holds_the_same(case: Exercise) -> None:
    explanation = explained(case)
    text, document = str(explanation), json.loads(explanation.to_json())
    for number, (step, written) in enumerate(zip(explanation.steps, document["steps"], strict=True), start=1):
        assert f"{number:2}. {step.name}: {step.formula}\n" in text
        assert written["name"] == step.name and written["values"] == [list(row) for row in step.values]
    assert text.startswith(f"{case.loss.name} of the ")
    assert (document["loss"], document["value"]) == (case.loss.name, case.value())


def test_the_text_of_a_large_network_is_cut_and_says_so() -> None:
    text = str(explain(Network.random([12, 1]), Batch([[0.5] * 12] * 11, [[1.0]] * 11)))
    assert "… 12 columns" in text and "… 11 rows" in text
    assert max(map(len, text.splitlines())) <= 200
    assert "…" not in str(explain(Network.random([10, 1]), Batch([[0.5] * 10] * 10, [[1.0]] * 10)))


def test_the_learning_rate_left_out_is_1() -> None:
    network, batch = Network.random([2, 1]), Batch([[0.5, 1.0]], [[1.0]])
    assert (
        explain(network, batch)
        == explain(network, batch, learning_rate=1.0)
        != explain(network, batch, learning_rate=0.5)
    )
