"""The oracle on layers: what most answers follow, what explains them, and where to look where nothing does."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from random import Random
from typing import Any

import pytest

from purebp import FLOAT, Batch, Layer, Network, backpropagation, evaluate, forward, loss, sgd_step
from purebp.oracle import check, judge
from purebp.oracle.answer import Answer, Claim, Finding, Key, as_claim, tensor_name
from purebp.oracle.asking.declared import Declared
from purebp.oracle.asking.state import Changed
from purebp.oracle.cases import Case, ladder
from purebp.oracle.conventions import ONE, Convention
from purebp.oracle.evidence import Evidence, gathered
from purebp.oracle.explaining.catalogue import CATALOGUE
from purebp.oracle.explaining.recipe import planted, run
from purebp.oracle.layers import Layers, _beside
from purebp.oracle.pipeline import judged
from purebp.textbook.arithmetic import Matrix
from purebp.textbook.linalg import transpose
from tests.oracle.samples import SIGMOIDS, Candidate, Pair, flat, lists, lists_of, rebuilt, right, single

FOLLOWED = list(product(["sse", "half_sse", "mse", "half_sse/samples", "binary_cross_entropy"], [1, -1]))


@pytest.mark.parametrize(  # one, as many as may be, and one more: each with every sign, and losses in turn
    ("off", "loss", "sign"), [((1, 5, 6)[i % 3], *followed) for i, followed in enumerate(FOLLOWED)]
)
def test_what_most_cases_follow_is_found_though_some_are_wrong(off: int, loss: str, sign: int) -> None:
    cases = [case for case in ladder(SIGMOIDS) if not case.further]
    failing = Random(f"{off} {loss}").sample(cases, off)
    answer = right(loss, lambda n, m: sign)

    def candidate(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        found: Pair = answer(weights, biases, inputs, targets)
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

    def candidate(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        gradients = run(recipe, rebuilt(weights, biases), Batch(inputs, targets), "half_sse", FLOAT)
        return lists(gradients, lambda x: -x)

    report = check(candidate)
    assert [found.name for found in report.explanations] == ["a clipped before the derivative"]
    assert [case.name for case in report.cases if not case.passed] == ["a saturated neuron"]
    assert "On 10 of 11 cases it returns the gradient of half the sum of squares, with its sign turned" in flat(report)


def test_what_is_wanted_is_said_of_wrong_answers_alone() -> None:
    names = ("tanh", "tanh")
    report = check(right("mse", lambda n, m: -1, names), activations=names, loss="mse", returns="gradients")
    assert report.exit_status == 1 and "It returns the gradient of the mean of squares" in flat(report)
    assert "What is wanted" not in flat(report)


def test_where_every_case_is_wrong_the_convention_of_the_mistake_is_what_is_wanted() -> None:
    recipe = planted(CATALOGUE["activation derivative missing"], {0, 1})

    def candidate(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        return lists(run(recipe, rebuilt(weights, biases), Batch(inputs, targets), "half_sse", FLOAT), lambda x: -x)

    report = check(candidate)
    assert report.explanations[0].name == "activation derivative missing"
    assert "What is wanted is the gradient of half the sum of squares, with its sign turned" in flat(report)


@pytest.mark.parametrize("rate", [1.0, 0.5, 0.25, 0.1, 0.05, 0.01, 0.001])
def test_a_step_of_a_common_rate_is_recognised_where_nothing_is_declared_of_it(rate: float) -> None:
    def step(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        network, batch = rebuilt(weights, biases), Batch(inputs, targets)
        return lists_of(sgd_step(network, backpropagation(network, batch, "half_sse"), rate))

    report = check(step, activations=SIGMOIDS, loss="half_sse")
    assert report.conforms and report.convention is not None
    assert (report.convention.returns, report.convention.learning_rate) == ("step", rate)


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


def test_what_no_convention_explains_is_given_as_a_number() -> None:
    assert "is 0.37 times what it should be" in flat(
        check(right("mse", lambda n, m: 0.37), loss="mse", returns="gradients")
    )


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


def test_single_precision_is_called_so_by_name() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Pair:
        return lists(backpropagation(rebuilt(w, b), Batch(x, y), "mse"), single)

    report = check(candidate, loss="mse", returns="gradients")
    assert report.verdict == "imprecise" and "binary32" in flat(report) and report.exit_status == 1
    assert check(candidate, loss="mse", returns="gradients", format="binary32").verdict == "correct"


@pytest.mark.parametrize("step", [1e-4, 1e-6])
def test_finite_differences_are_called_so_by_name(step: float) -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Pair:
        network, batch = rebuilt(w, b), Batch(x, y)
        parameters = network.parameters()

        def at(i: int, h: float) -> float:
            return evaluate(network.with_parameters([p + h * (i == j) for j, p in enumerate(parameters)]), batch)

        quotients = [(at(i, step) - at(i, -step)) / (2 * step) for i in range(len(parameters))]
        return lists_of(network.with_parameters(quotients))

    report = check(candidate, loss="mse", returns="gradients")
    assert report.verdict == "imprecise" and "central finite difference" in flat(report)


@pytest.mark.parametrize("decimals", [7, 8])
def test_few_decimals_are_called_so_also_where_the_loss_is_left_open(decimals: int) -> None:
    """Beside the budgets of the loss that most answers follow."""

    def candidate(w: Any, b: Any, x: Any, y: Any) -> Pair:
        gradients = backpropagation(rebuilt(w, b), Batch(x, y), "half_sse")
        return lists(gradients, lambda g: float(f"{g:.{decimals}f}"))

    for declared in ("half_sse", None):
        report = check(candidate, activations=SIGMOIDS, loss=declared)
        assert report.verdict == "imprecise" and f"right up to {decimals} decimals" in flat(report)
    assert report.convention is not None and report.convention.loss_name == "half_sse"


# The steps of the question.


def under(question: Layers, claims: Callable[[Case], Claim], convention: Convention | None = None) -> list[Evidence]:
    """What is claimed of three cases, beside its budgets."""
    ladder = question.declared.ladder()[:3]
    answers = [Answer(dict(claims(case))) for case in ladder]
    return list(gathered(ladder, answers, convention or question.usual, "binary64", question.enclose))


def gradients_of(loss: str, factor: float = 1.0) -> Callable[[Case], Claim]:
    def claims(case: Case) -> Claim:
        found = as_claim(backpropagation(case.network, case.batch, loss))
        return {key: [[factor * g for g in row] for row in rows] for key, rows in found.items()}

    return claims


@pytest.mark.parametrize("key", [("weights", 0), ("weights", 1), ("biases", 0), ("biases", 1)])
def test_the_first_gradient_that_is_missing_is_named(key: Key) -> None:
    question = Layers(Declared(SIGMOIDS, "mse"), complete=True)

    def all_but_one(case: Case) -> Claim:
        return {k: rows for k, rows in gradients_of("mse")(case).items() if k != key}

    evidence = under(question, all_but_one)
    found = question.missing(evidence, question.usual)
    assert found is not None and (found.kind, found.case, found.fatal) == ("not given", "one sample", False)
    assert found.sentence.startswith(tensor_name(key) + " was not given")
    assert question.missing(under(question, gradients_of("mse")), question.usual) is None
    assert question.missing(under(question, gradients_of("mse", 2.0)), question.usual) is None  # what is wrong is said
    assert Layers(question.declared).missing(evidence, question.usual) is None  # a part may be judged
    assert question.missing(evidence, Convention(loss("sse"))) is None  # that it is another loss is said
    without = Layers(Declared(SIGMOIDS, "mse", biases=False), complete=True)
    assert (without.missing(evidence, without.usual) is None) == (key[0] == "biases")


@pytest.mark.parametrize(("factor", "name"), [(2.0, "factor 2"), (-1.0, "sign turned"), (0.5, "factor ½")])
def test_right_answers_depart_from_what_was_declared_by_what_is_said(factor: float, name: str) -> None:
    question = Layers(Declared(SIGMOIDS, "mse", returns="gradients"))
    (found,) = question.departure(under(question, gradients_of("mse", factor)), question.usual)
    assert found.name == name and found.family == "loss and scale"
    assert question.departure(under(question, lambda case: {("loss", -1): [[0.0]]}), question.usual) == []


def test_what_is_followed_is_found_where_it_is_open_alone() -> None:
    open_loss, closed = Layers(Declared(SIGMOIDS)), Layers(Declared(SIGMOIDS, "mse", returns="gradients"))
    followed = open_loss.follows(under(open_loss, gradients_of("half_sse", -1.0)))
    assert followed is not None and (followed.loss_name, followed.returns) == ("half_sse", "descent")
    assert closed.follows(under(closed, gradients_of("half_sse", -1.0))) is None
    assert open_loss.follows(under(open_loss, gradients_of("mse"))) is None  # as is usual
    assert open_loss.follows(under(open_loss, lambda case: {("loss", -1): [[-1.0]]})) is None


@pytest.mark.parametrize(
    ("names", "loss_name", "returns", "told"),
    [
        (("relu", "softmax"), "cross_entropy", "gradients", ["ŷ − y without f′"]),
        (("tanh", "sigmoid"), "binary_cross_entropy", "gradients", ["ŷ − y without f′", "a (1 − a)"]),
        (("sigmoid", "identity"), "mse", "descent", ["a (1 − a)", "the two signs cancel"]),
        (("tanh", "identity"), "mse", "gradients", []),
    ],
)
def test_what_is_often_taken_for_a_mistake_is_defended(
    names: tuple[str, ...], loss_name: str, returns: str, told: list[str]
) -> None:
    question = Layers(Declared(names, loss_name))
    notes = question.remarks(under(question, gradients_of(loss_name)), Convention(loss(loss_name), ONE, returns))
    assert len(notes) == len(told) and all(words in note for words, note in zip(told, notes))


def test_the_numbers_of_a_case_are_shown_in_the_layout_that_was_declared() -> None:
    network, batch = Network([Layer([[0.5, 0.25]], [1.0], "identity")]), Batch([[1.0, 2.0]], [[0.0]])
    wrong: dict[Key, Matrix] = {("weights", 0): [[2.0, 3.0]], ("biases", 0): [[2.0]]}
    for weights, shown in (("out_in", ["[[2, 4]]", "[[2, 3]]"]), ("in_out", ["[[2], [4]]", "[[2], [3]]"])):
        question = Layers(Declared(("identity",), "half_sse", weights=weights))
        (piece,) = gathered([Case("", network, batch)], [Answer(wrong)], question.usual, "binary64", question.enclose)
        text = question.shown(piece, question.usual)
        assert [line.rpartition(" [[")[2] for line in text.splitlines()[-2:]] == [x[2:] for x in shown]
        assert ("weights [[0.5], [0.25]]" in text) == (weights == "in_out") and "∂loss/∂b" not in text


@pytest.mark.parametrize("kind", ["flaky", "keeps state"])
def test_what_chance_answers_follow_is_not_said(kind: str) -> None:
    """A mistake is still named."""
    recipe, cases = planted(CATALOGUE["a clipped before the derivative"], {0}), ladder(("sigmoid", "sigmoid"))
    answers = [Answer(as_claim(run(recipe, case.network, case.batch, "half_sse", FLOAT))) for case in cases]
    finding = Finding(kind, "so it is", cases[0].name)
    report = judged(Layers(Declared(SIGMOIDS)), cases, answers, "mine", state=[Changed(0, ({},), finding)])
    assert report.explanations[0].name == "a clipped before the derivative"
    assert (report.convention is None) == (kind == "flaky")


def test_the_smallest_case_is_shown_in_the_layout_of_the_candidate() -> None:
    answer = right("mse")

    def off(weights: Any, biases: Any, inputs: Any, targets: Any, by: float = 0.5) -> Pair:
        found: Pair = answer(weights, biases, inputs, targets)
        found[0][1][0][0] += by
        return found

    def shown(candidate: Candidate, **declared: Any) -> list[str]:
        return check(candidate, activations=SIGMOIDS, loss="mse", returns="gradients", **declared).smallest.splitlines()

    assert shown(off) == [
        "  layer 1: sigmoid, weights [[-0.75, 0.625], [0.375, 1], [0.875, -1.25]], biases [0.25, 0.5, 0.375]",
        "  layer 2: sigmoid, weights [[1.5, 0.25, -1.125]], biases [0.125]",
        "  inputs [[-1.375, -0.125]]",
        "  targets [[0.75]]",
        "  ∂loss/∂W² expected [[-0.00483575, -0.00292316, -0.00212573]]",
        "               given [[0.495164, -0.00292316, -0.00212573]]",
    ]
    expected, given = shown(lambda w, b, x, y: off(w, b, x, y, by=1e-9))[-2:]
    assert expected.split("[[")[1][:20] != given.split("[[")[1][:20]  # as many digits as it takes
    low, high = 1 + 2.0**-52, 1 + 2.0**-51
    assert [line.split()[-1] for line in _beside("b", [[low]], [[high]], turned=False)] == [
        f"[[{low:.17g}]]",
        f"[[{high:.17g}]]",
    ]

    def turned(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        gw, gb = off([transpose(rows) for rows in weights], biases, inputs, targets)
        return list(map(transpose, gw)), gb

    assert shown(turned, weights="in_out")[1:] == [
        "  layer 2: sigmoid, weights [[1.5], [0.25], [-1.125]], biases [0.125]",
        "  inputs [[-1.375, -0.125]]",
        "  targets [[0.75]]",
        "  ∂loss/∂W² expected [[-0.00483575], [-0.00292316], [-0.00212573]]",
        "               given [[0.495164], [-0.00292316], [-0.00212573]]",
    ]


@pytest.mark.parametrize(("inputs", "shown"), [(5, True), (6, False)])
def test_the_tensors_of_a_case_with_sixty_parameters_are_shown_and_of_larger_ones_not(inputs: int, shown: bool) -> None:
    network, batch = Network.random([inputs, 10], "tanh", seed=1), Batch([[0.5] * inputs], [[0.25] * 10])
    wrong = [[[7.0] * inputs for _ in range(10)]]
    assert ("expected" in judge(network, batch, {"weights": wrong}, "mse").smallest) == shown
