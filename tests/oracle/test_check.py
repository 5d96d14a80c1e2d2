"""`check` and `judge`: conventions, layouts, manners, verdicts, and the report in every format."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from html.parser import HTMLParser
from random import Random
from typing import Any
from xml.etree import ElementTree

import pytest

from purebp import (
    FLOAT,
    Batch,
    Gradients,
    Layer,
    Network,
    PurebpError,
    backpropagation,
    evaluate,
    forward,
    sgd_step,
    transpose,
)
from purebp.oracle import Report, check, diagnose, judge
from purebp.oracle.cases import ladder
from purebp.oracle.explaining.catalogue import CATALOGUE
from purebp.oracle.explaining.recipe import planted, run
from purebp.oracle.reports import render
from studies.power import HIDDEN

Answer = tuple[list[Any], list[Any]]
Candidate = Callable[[Any, Any, Any, Any], Any]
SIGMOIDS = ("sigmoid", "sigmoid")


def flat(report: Report) -> str:
    """The text, without its line breaks."""
    return " ".join(str(report).split())


def rebuilt(weights: Any, biases: Any, names: Any = SIGMOIDS) -> Network:
    return Network(Layer(w, b, f) for w, b, f in zip(weights, biases or [None] * len(weights), names))


def lists(gradients: Gradients, change: Callable[[float], float] = float) -> Answer:
    weights = [[[change(x) for x in row] for row in layer.weights] for layer in gradients.layers]
    return weights, [None if layer.biases is None else [change(x) for x in layer.biases] for layer in gradients.layers]


def right(
    loss: str = "mse", factor: Callable[[int, int], float] = lambda n, m: 1.0, names: Any = SIGMOIDS
) -> Candidate:
    """The gradient of a loss, times a factor of n samples and m outputs."""

    def candidate(weights: Any, biases: Any, inputs: Any, targets: Any) -> Answer:
        scale = factor(len(targets), len(targets[0]))
        gradients = backpropagation(rebuilt(weights, biases, names), Batch(inputs, targets), loss)
        return lists(gradients, lambda x: scale * x)

    return candidate


# Conventions.


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


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("loss", ["sse", "half_sse", "mse", "half_sse/samples", "binary_cross_entropy"])
@pytest.mark.parametrize("off", [1, 2, 5, 6])
def test_what_most_cases_follow_is_found_though_some_are_wrong(off: int, loss: str, sign: int) -> None:
    cases = ladder(SIGMOIDS)
    failing = Random(f"{off} {loss}").sample(cases, off)
    answer = right(loss, lambda n, m: sign)

    def candidate(weights: Any, biases: Any, inputs: Any, targets: Any) -> Answer:
        found: Answer = answer(weights, biases, inputs, targets)
        if any(case.batch == Batch(inputs, targets) for case in failing):
            found[0][0][0][0] += 0.01
        return found

    report = check(candidate, activations=SIGMOIDS)
    assert report.verdict == "wrong" and report.exit_status == 1
    if off > len(cases) / 2:
        assert report.convention is None
        return
    assert [case.name for case in report.cases if not case.passed] == [c.name for c in cases if c in failing]
    if (loss, sign) == ("mse", 1):  # the default
        assert report.convention is None
    else:
        assert report.convention is not None
        assert report.convention.loss_name == loss
        assert report.convention.returns == ("gradients" if sign == 1 else "descent")
        assert f"On {len(cases) - off} of {len(cases)} cases it returns the gradient of" in flat(report)
    assert (f"It is wrong on {off} of {len(cases)} cases only:" in flat(report)) == (off < 5)


def test_a_mistake_of_few_cases_is_judged_under_what_the_others_follow() -> None:
    recipe = planted(CATALOGUE["a clipped before the derivative"], {0})

    def candidate(weights: Any, biases: Any, inputs: Any, targets: Any) -> Answer:
        gradients = run(recipe, rebuilt(weights, biases), Batch(inputs, targets), "half_sse", FLOAT)
        return lists(gradients, lambda x: -x)

    report = check(candidate)
    assert [found.name for found in report.explanations] == ["a clipped before the derivative"]
    assert [case.name for case in report.cases if not case.passed] == ["a saturated neuron"]
    assert "On 10 of 11 cases it returns the gradient of half the sum of squares, with its sign turned" in flat(report)


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


def parameters(network: Network) -> Answer:
    return [layer.weights for layer in network.layers], [layer.biases for layer in network.layers]


@pytest.mark.parametrize("loss", ["mse", "half_sse", "sse"])
@pytest.mark.parametrize("rate", [-0.1, -1.0])
def test_a_step_uphill_conforms_nowhere(loss: str, rate: float) -> None:
    def climbs(weights: Any, biases: Any, inputs: Any, targets: Any) -> Answer:
        network = rebuilt(weights, biases)
        return parameters(sgd_step(network, backpropagation(network, Batch(inputs, targets), loss), rate))

    report = check(climbs)
    assert not report.conforms and report.exit_status == 1
    assert "The step goes uphill" in flat(report)


def test_a_stray_factor_conforms_in_no_step() -> None:
    names = ("tanh", "tanh")

    def strays(weights: Any, biases: Any, inputs: Any, targets: Any) -> Answer:
        network = rebuilt(weights, biases, names)
        return parameters(sgd_step(network, backpropagation(network, Batch(inputs, targets), "half_sse"), 0.4))

    for declared in ({"returns": "step", "learning_rate": 0.1}, {"learning_rate": 0.1}, {}):
        assert not check(strays, activations=names, **declared).conforms, declared


def test_a_turned_sign_is_that_of_the_plainest_loss() -> None:
    """With outputs of sigmoid every error is below 1, where huber(1.0) is half_sse."""
    report = check(right("mse", lambda n, m: -1), returns="gradients")
    assert report.exit_status == 1 and report.convention is not None and report.convention.loss_name == "mse"


def test_what_is_wanted_is_said_of_wrong_answers_alone() -> None:
    names = ("tanh", "tanh")
    report = check(right("mse", lambda n, m: -1, names), activations=names, loss="mse", returns="gradients")
    assert report.exit_status == 1 and "It returns the gradient of the mean of squares" in flat(report)
    assert "What is wanted" not in flat(report)


def test_where_every_case_is_wrong_the_convention_of_the_mistake_is_what_is_wanted() -> None:
    recipe = planted(CATALOGUE["activation derivative missing"], {0, 1})

    def candidate(weights: Any, biases: Any, inputs: Any, targets: Any) -> Answer:
        return lists(run(recipe, rebuilt(weights, biases), Batch(inputs, targets), "half_sse", FLOAT), lambda x: -x)

    report = check(candidate)
    assert report.explanations[0].name == "activation derivative missing"
    assert "What is wanted is the gradient of half the sum of squares, with its sign turned" in flat(report)


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


def penalised(
    rate: Callable[[int], float], loss: str, biases_too: bool = False, learning_rate: float = 0.0
) -> Candidate:
    """Gradients with a penalty of so much times W for n samples, or a step along them."""

    def candidate(weights: Any, biases: Any, inputs: Any, targets: Any) -> Answer:
        network, decay = rebuilt(weights, biases), rate(len(targets))
        gradients = backpropagation(network, Batch(inputs, targets), loss)
        found = lists(gradients)
        for l, layer in enumerate(network.layers):
            for own, row in zip(found[0][l], layer.weights):
                own[:] = [g + decay * w for g, w in zip(own, row)]
            if biases_too and layer.biases is not None:
                found[1][l] = [g + decay * b for g, b in zip(found[1][l], layer.biases)]
        if not learning_rate:
            return found
        for rows, moved in zip([*weights, *([b] for b in biases)], [*found[0], *([b] for b in found[1])]):
            for row, steps in zip(rows, moved):
                steps[:] = [w - learning_rate * g for w, g in zip(row, steps)]
        return found

    return candidate


@pytest.mark.parametrize("rate", [1e-4, 0.03, 2.0])
@pytest.mark.parametrize("by_samples", [False, True])
@pytest.mark.parametrize("declared", [{}, {"returns": "step", "learning_rate": 0.125}])
@pytest.mark.parametrize("open_loss", [False, True])
def test_a_penalty_is_named_with_its_rate(rate: float, by_samples: bool, declared: Any, open_loss: bool) -> None:
    """1e-4 is the default of scikit-learn, where it is divided by n."""
    candidate = penalised(
        lambda n: rate / n if by_samples else rate, "half_sse/samples", learning_rate=declared.get("learning_rate", 0.0)
    )
    report = check(candidate, loss=None if open_loss else "half_sse/samples", **declared)
    assert (report.verdict, [found.name for found in report.explanations]) == ("wrong", ["penalty added"])
    assert f"has {rate:g}{' / n' * by_samples} times the weights" in flat(report)


def test_a_penalty_is_named_without_biases_where_the_loss_is_declared() -> None:
    report = check(penalised(lambda n: 0.01, "sse"), loss="sse", returns="gradients", biases=False)
    assert [found.name for found in report.explanations] == ["penalty added"]


@pytest.mark.parametrize(
    "candidate",
    [penalised(lambda n: 0.01, "sse", biases_too=True), penalised(lambda n: 0.01 / (n + 1), "sse")],
    ids=["of the biases too", "of another rate each time"],
)
def test_what_is_no_penalty_of_the_weights_is_not_called_so(candidate: Candidate) -> None:
    report = check(candidate, loss="sse", returns="gradients")
    assert report.verdict == "wrong" and "penalty" not in flat(report)


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


def test_what_is_off_in_a_step_is_named_as_updated_parameters() -> None:
    network, batch = Network([Layer([[0.5]], [0.25], "identity")]), Batch([[1.0]], [[0.0]])
    answer = ([[[0.3125]]], [[0.0]])  # b − η ∂loss/∂b = 0.25 − 0.25 · 0.75 = 0.0625 is right
    report = judge(network, batch, answer, "half_sse", returns="step", learning_rate=0.25)
    assert [tensor.name for tensor in report.tensors] == ["W¹ after the step", "b¹ after the step"]
    assert report.worst is not None and report.worst.tensor == "b¹ after the step"
    assert report.smallest.splitlines()[-3:] == [
        "  learning rate 0.25",
        "  b¹ after the step expected [[0.0625]]",
        "                       given [[0]]",
    ]
    again = judge(network, batch, answer, "half_sse")
    assert [tensor.name for tensor in again.tensors] == ["∂loss/∂W¹", "∂loss/∂b¹"]
    assert "learning rate" not in again.smallest


def lists_of(network: Network) -> Answer:
    weights = [[list(row) for row in layer.weights] for layer in network.layers]
    return weights, [list(layer.biases or ()) for layer in network.layers]


# Layouts.


@pytest.mark.parametrize("weights", ["out_in", "in_out"])
@pytest.mark.parametrize("samples", ["rows", "columns"])
def test_layouts(weights: str, samples: str) -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        if weights == "in_out":
            w = [transpose(rows) for rows in w]
        if samples == "columns":
            x, y = transpose(x), transpose(y)
        gradients, offsets = right()(w, b, x, y)
        return [transpose(rows) for rows in gradients] if weights == "in_out" else gradients, offsets

    assert check(candidate, loss="mse", returns="gradients", weights=weights, samples=samples).verdict == "correct"


def test_a_single_sample_as_a_vector() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        assert isinstance(x[0], float)
        return right()(w, b, [x], [y])

    assert check(candidate, loss="mse", returns="gradients", batch=1, samples="vector").verdict == "correct"


@pytest.mark.parametrize("second", [True, False])
def test_without_biases_the_second_item_may_be_missing(second: bool) -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        assert b is None
        gradients, _ = right()(w, b, x, y)
        return (gradients, None) if second else gradients

    assert check(candidate, loss="mse", returns="gradients", biases=False).verdict == "correct"


def test_gradients_objects_are_understood() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Gradients:
        return backpropagation(rebuilt(w, b), Batch(x, y), "mse")

    assert check(candidate, loss="mse", returns="gradients").verdict == "correct"


def test_any_depth_of_one_activation() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        return right("mse", names=["tanh"] * len(w))(w, b, x, y)

    report = check(candidate, activations="tanh", loss="mse", returns="gradients")
    assert report.verdict == "correct"
    assert {len(case.sizes) for case in report.cases} == {2, 3, 4, 6}


@pytest.mark.parametrize(
    ("shape", "words", "conforms"),
    [
        (lambda w, b: ([transpose(m) for m in w], b), "are transposed", False),
        (lambda w, b: [[[*row, c] for row, c in zip(*pair)] for pair in zip(w, b)], "the last column", True),
        (lambda w, b: ([[[c, *row] for row, c in zip(*pair)] for pair in zip(w, b)], None), "the first column", True),
        (lambda w, b: [transpose([[*row, c] for row, c in zip(*p)]) for p in zip(w, b)], "wrong", False),
        (lambda w, b: [[*m, [0.0] * len(m[0])] for m in w], "wrong", False),
    ],
)
def test_the_layout_of_an_answer_is_recognised(shape: Any, words: str, conforms: bool) -> None:
    report = check(lambda w, b, x, y: shape(*right()(w, b, x, y)), loss="mse", returns="gradients")
    assert report.conforms == conforms
    assert words in flat(report)
    if words != "wrong":
        assert report.verdict == "correct-under-convention"


def test_biases_as_a_row_of_weights_of_the_other_layout() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        gradients, offsets = right()([transpose(m) for m in w], b, x, y)
        return [[*transpose(m), v] for m, v in zip(gradients, offsets)]

    report = check(candidate, loss="mse", returns="gradients", weights="in_out")
    assert report.conforms and "the last row of the weights" in flat(report)


def test_biases_may_be_columns() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        gradients, offsets = right()(w, [[v for (v,) in column] for column in b], x, y)
        return gradients, [[[v] for v in row] for row in offsets]

    assert check(candidate, loss="mse", returns="gradients", biases="columns").verdict == "correct"


@pytest.mark.parametrize(
    "part",
    [
        lambda w, b: {"biases": b},
        lambda w, b: {"weights": w},
        lambda w, b: {"weights": w} if len(w[0]) == 3 else {"biases": b},
        lambda w, b: {"loss": 0.0} if len(w[0]) > 99 else {"biases": b},
    ],
)
def test_a_part_of_the_gradients_is_no_proof_of_all(part: Any) -> None:
    report = check(lambda w, b, x, y: part(*right()(w, b, x, y)), loss="mse", returns="gradients")
    assert report.verdict == "undecided" and report.exit_status == 5 and "was not given" in flat(report)
    assert report.headline.endswith("undecided: not all gradients were given")


def test_divided_by_the_samples_twice_is_no_convention() -> None:
    report = check(right("half_sse", lambda n, m: 1 / n**2))
    assert not report.conforms and report.exit_status == 1


@pytest.mark.parametrize("sizes", [[2, 4, 1], [3, 3, 1], [2, 3, 2], [2, 4, 2, 1], [2, 1]])
def test_gradients_of_another_network_are_no_answer(sizes: list[int]) -> None:
    network, batch = Network.random([2, 3, 1]), Batch([[0.5, 1.0]], [[1.0]])
    other = Network.random(sizes)
    claimed = backpropagation(other, Batch([[0.5] * sizes[0]], [[1.0] * sizes[-1]]))
    report = judge(network, batch, claimed)
    assert report.verdict == "wrong" and report.findings[0].kind in ("wrong shape", "wrong number of layers")
    with pytest.raises(PurebpError, match="not gradients of the network 2-3-1"):
        diagnose(network, batch, claimed)


@pytest.mark.parametrize("claimed", [None, {}, ([], []), {("weights", 5): [[1.0]]}])
def test_what_cannot_be_diagnosed_is_refused(claimed: Any) -> None:
    with pytest.raises(PurebpError, match="no Gradients"):
        diagnose(Network.random([2, 3, 1]), Batch([[0.5, 1.0]], [[1.0]]), claimed)


def test_what_no_convention_explains_is_given_as_a_number() -> None:
    assert "is 0.37 times what it should be" in flat(
        check(right("mse", lambda n, m: 0.37), loss="mse", returns="gradients")
    )


# Quantities on the way: the first that is off is named.


def test_the_first_quantity_that_is_off_is_named() -> None:
    network, batch = Network.random([2, 3, 2], seed=1), Batch([[0.5, -1.0]], [[1.0, 0.0]])
    gradients, outputs = backpropagation(network, batch), forward(network, batch.inputs).outputs
    weights, biases = lists(gradients)
    quantities = {
        "outputs": outputs,
        "loss": evaluate(network, batch),
        "deltas": [layer.deltas for layer in gradients.layers],
        "weights": weights,
        "biases": biases,
    }
    assert judge(network, batch, quantities).verdict == "correct"
    assert judge(network, batch, {"loss": quantities["loss"]}).verdict == "correct"
    off = judge(network, batch, quantities | {"outputs": [[x + 0.1 for x in row] for row in outputs]})
    assert off.verdict == "wrong" and "forward pass" in flat(off)
    deltas = [gradients.layers[0].deltas, [[2 * x for x in gradients.layers[1].deltas[0]]]]
    off = judge(network, batch, quantities | {"deltas": deltas})
    assert off.verdict == "wrong" and off.worst is not None and off.worst.tensor == "δ²"


# Manners.


def test_what_a_candidate_prints_does_not_reach_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        print("epoch 1")
        return right()(w, b, x, y)

    report = check(candidate, loss="mse", returns="gradients")
    assert [finding.kind for finding in report.findings] == ["prints"]
    assert report.conforms and "epoch 1" in flat(report)
    assert capsys.readouterr().out == ""


def test_changed_arguments_are_a_finding() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        answer = right()(w, b, x, y)
        w[0][0][0] += 1.0
        return answer

    report = check(candidate, loss="mse", returns="gradients")
    assert [finding.kind for finding in report.findings] == ["changes its arguments"]
    assert "the weights" in report.findings[0].sentence


def test_gradients_that_pile_up_are_state() -> None:
    kept: dict[tuple[int, ...], list[float]] = {}

    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        network = rebuilt(w, b)
        gradients = backpropagation(network, Batch(x, y), "mse").parameters()
        old = kept.get(network.sizes, [0.0] * len(gradients))
        kept[network.sizes] = [p + q for p, q in zip(old, gradients)]
        return lists_of(network.with_parameters(kept[network.sizes]))

    report = check(candidate, loss="mse", returns="gradients")
    assert not report.conforms
    assert report.explanations[0].name == "not reset between calls"
    assert "never reset to 0" in flat(report)


def test_answers_by_chance_are_flaky() -> None:

    random = Random(1)
    report = check(lambda w, b, x, y: lists(backpropagation(rebuilt(w, b), Batch(x, y)), lambda g: g * random.random()))
    assert report.verdict == "flaky" and report.exit_status == 1


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (lambda w, b: None, "not understood", "it returns None"),
        (lambda w, b: (w, b, 1), "not understood", "(weight_gradients, bias_gradients)"),
        (lambda w, b: (w[:1], b), "wrong number of layers", "weights for 1 layer, and is asked with 2"),
        (lambda w, b: ([transpose(m) for m in w], b), "wrong shape", "it is transposed"),
        (lambda w, b: (w, [[[0.0] * len(v)] * 5 for v in b]), "wrong shape", "has shape (5, 3), (1, 3) is wanted"),
        (lambda w, b: (w, [[0.0]] * 2), "wrong shape", "it is summed over all axes"),
        (lambda w, b: ([[[*row, 0.0] for row in m] for m in w], b), "wrong shape", "a column more, for the biases"),
        (lambda w, b: (w, [[float("nan")] * len(v) for v in b]), "NaN", "holds NaN"),
        (lambda w, b: ([[["x"] * len(row) for row in m] for m in w], b), "not understood", "a number is wanted"),
        (lambda w, b: ([[[1.0], [1.0, 2.0]]] * 2, b), "wrong shape", "ragged"),
        (lambda w, b: {"gradients": w}, "not understood", "the keys outputs, loss"),
        (lambda w, b: (w, None), "not understood", "no biases, but they were declared"),
    ],
)
def test_what_cannot_be_understood_is_said(answer: Any, kind: str, words: str) -> None:
    report = check(lambda w, b, x, y: answer(w, b), activations=SIGMOIDS, loss="mse", returns="gradients")
    assert report.verdict == "wrong" and report.exit_status == 1
    assert kind in [finding.kind for finding in report.findings]
    assert words in flat(report)


def test_gradients_that_are_not_summed_are_named() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        gradients = backpropagation(rebuilt(w, b), Batch(x, y), "mse")
        return lists(gradients)[0], [[list(row) for row in layer.deltas] for layer in gradients.layers]

    report = check(candidate, activations=SIGMOIDS, loss="mse", returns="gradients")
    assert "it is not summed over the samples" in flat(report)


def test_an_exception_shows_the_candidates_own_lines() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        return w["first"]

    report = check(candidate)
    assert report.verdict == "wrong" and report.score == 0
    assert "it raises TypeError" in flat(report) and 'return w["first"]' in flat(report)
    assert "candidate.py" not in flat(report)


def test_leaving_the_interpreter_is_an_exception_like_others() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        raise SystemExit(3)

    assert "it raises SystemExit" in flat(check(candidate))


# Precision.


def single(x: float) -> float:
    return float(struct.unpack("f", struct.pack("f", x))[0])


def test_single_precision_is_called_so_by_name() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Answer:
        return lists(backpropagation(rebuilt(w, b), Batch(x, y), "mse"), single)

    report = check(candidate, loss="mse", returns="gradients")
    assert report.verdict == "imprecise" and "binary32" in flat(report) and report.exit_status == 1
    assert check(candidate, loss="mse", returns="gradients", format="binary32").verdict == "correct"


@pytest.mark.parametrize("step", [1e-4, 1e-6])
def test_finite_differences_are_called_so_by_name(step: float) -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Answer:
        network, batch = rebuilt(w, b), Batch(x, y)
        parameters = network.parameters()

        def at(i: int, h: float) -> float:
            return evaluate(network.with_parameters([p + h * (i == j) for j, p in enumerate(parameters)]), batch)

        quotients = [(at(i, step) - at(i, -step)) / (2 * step) for i in range(len(parameters))]
        return lists_of(network.with_parameters(quotients))

    report = check(candidate, loss="mse", returns="gradients")
    assert report.verdict == "imprecise" and "central finite difference" in flat(report)


def test_where_the_budget_is_wider_than_the_numbers_nothing_is_decided() -> None:
    network = Network([Layer([[40.0]], None, "sigmoid"), Layer([[40.0]], None, "sigmoid")])
    batch = Batch([[1.0]], [[1.0]])
    report = judge(network, batch, backpropagation(network, batch), format="bfloat16")
    assert report.verdict == "undecided" and report.exit_status == 5 and not report.conforms


# The ladder.


@pytest.mark.parametrize(
    "names", [SIGMOIDS, ("tanh", "identity"), ("relu", "softmax"), ("gelu", "silu", "elu(0.5)"), ("softmax",)]
)
@pytest.mark.parametrize("format", ["binary64", "binary32"])
def test_the_ladder_leaves_nothing_undecided(names: tuple[str, ...], format: str) -> None:
    for case in ladder(names):
        if case.name == "a kink":
            continue
        loss = "cross_entropy" if names[-1] == "softmax" else "mse"
        gradients = backpropagation(case.network, case.batch, loss)
        assert judge(case.network, case.batch, gradients, loss, format=format).verdict == "correct"


@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("output", ["sigmoid", "tanh"])
@pytest.mark.parametrize("hidden", HIDDEN)
def test_the_ladder_saturates_the_first_neurons_that_can_be(hidden: str, output: str, biases: bool) -> None:
    for depth in (1, 2, 3, 4):
        names = (hidden,) * (depth - 1) + (output,)
        (case,) = (case for case in ladder(names, biases=biases) if case.name == "a saturated neuron")
        z = [max(abs(row[0]) for row in rows) for rows in forward(case.network, case.batch.inputs).pre_activations]
        first = next(l for l, name in enumerate(names) if name in ("sigmoid", "tanh"))
        assert z[first] >= 8 and z[-1] >= 8, (names, z)


def test_the_ladder_climbs_from_small_to_large() -> None:
    sizes = [len(case.network.parameters()) for case in ladder(SIGMOIDS)]
    assert sizes[0] < 15 and max(sizes) == sizes[-1]
    assert ladder(SIGMOIDS) == ladder(SIGMOIDS) != ladder(SIGMOIDS, seed=1)


def test_the_numbers_of_the_ladder_are_exact_in_single_precision() -> None:
    for case in ladder(("relu", "identity")):
        numbers = [*case.network.parameters(), *(x for row in (*case.batch.inputs, *case.batch.targets) for x in row)]
        assert all(single(x) == x and (256 * x).is_integer() for x in numbers)


# Bad declarations.


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"activations": ["sigmoyd"]}, "unknown activation"),
        ({"loss": "mean"}, "unknown loss"),
        ({"format": "binary33"}, "unknown format"),
        ({"weights": "columns"}, "weights='columns'"),
        ({"returns": "step"}, "needs the learning_rate"),
        ({"activations": SIGMOIDS, "sizes": [2, 3]}, "one width more than layers"),
        ({"sizes": "abc"}, "whole numbers above 0 are wanted"),
        ({"sizes": [2, 0, 1]}, "whole numbers above 0 are wanted"),
        ({"batch": 0}, "at least one"),
        ({"samples": "vector"}, "declare batch=1"),
        ({"activations": []}, "one for each layer"),
        ({"arrays": "cupy"}, "arrays='cupy'"),
        ({"returns": "step", "learning_rate": -1.0}, "a positive number"),
    ],
)
def test_declarations_that_cannot_be_are_refused(declared: dict[str, Any], words: str) -> None:
    with pytest.raises(PurebpError, match=re.escape(words)):
        check(right(), **declared)


def test_what_cannot_be_called_is_refused() -> None:
    with pytest.raises(PurebpError, match="cannot be called"):
        check(3)  # type: ignore[arg-type]  # that is what is refused


# Reports.


def verdicts() -> list[Report]:
    return [
        check(right(), loss="mse", returns="gradients", name="right"),
        check(right("sse"), name="open"),
        check(right("mse", lambda n, m: 0.9), loss="mse", returns="gradients", name="<wrong> & “odd”"),
        check(lambda w, b, x, y: 1 / 0, name="raises\x00"),
    ]


def test_json_is_strict_and_says_the_same() -> None:
    for report in verdicts():
        data = json.loads(report.to_json(), parse_constant=lambda name: pytest.fail(name))
        assert data["verdict"] == report.verdict and data["conforms"] == report.conforms
        assert data["score"] == report.score and 0 <= report.score <= 1
        assert len(data["cases"]) == len(report.cases)


def test_junit_counts_what_failed() -> None:
    reports = verdicts()
    root = ElementTree.fromstring(render(reports, "junit"))
    suites = list(root)
    assert len(suites) == len(reports)
    for suite, report in zip(suites, reports):
        failures = suite.findall("testcase/failure")
        assert len(failures) == int(suite.attrib["failures"])
        assert (not failures) == report.conforms
        assert len(suite.findall("testcase")) == int(suite.attrib["tests"])
        if failures:
            assert failures[0].text is not None and report.headline.split(":")[1] in failures[0].text


def test_html_is_one_page_with_nothing_left_open() -> None:
    class Balance(HTMLParser):
        open: list[str] = []

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            if tag not in ("meta", "!doctype"):
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    page = render(verdicts(), "html")
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    assert page.count("<h1 ") == 4 and "&lt;wrong&gt; &amp;" in page


def test_the_text_begins_with_the_verdict() -> None:
    for report in verdicts():
        assert str(report).startswith(report.headline + "\n")
        assert not re.search(r"[ \t]+$", str(report), re.MULTILINE)


# Steps that are taken sample by sample, with the gradients of the old weights: right, and rounded once for each sample.


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
