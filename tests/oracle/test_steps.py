"""Steps: updated weights are judged as that, whatever is declared of them, with the learning rate that was taken."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purebp import FLOAT, Batch, Gradients, Network, backpropagation, sgd_step
from purebp import loss as known_loss
from purebp.number_systems.ball import ball
from purebp.oracle import Report, check, judge
from purebp.oracle.answer import as_claim
from purebp.oracle.asking.declared import Declared
from purebp.oracle.cases import Case
from purebp.oracle.conventions import ONE, Convention
from purebp.oracle.evidence import inside
from purebp.oracle.explaining.catalogue import CATALOGUE
from purebp.oracle.explaining.diagnosis import Observation, explanations, one_by_one
from purebp.oracle.explaining.recipe import Inapplicable, planted, run
from purebp.testing.strategies import cases
from tests.oracle.samples import Candidate, Pair, flat, lists, lists_of, name_of, rebuilt

TANHS = ("tanh", "identity")
STEP: dict[str, Any] = {"activations": TANHS, "loss": "half_sse", "returns": "step"}


def gradient(network: Network, batch: Batch, loss: str = "half_sse") -> Gradients:
    return backpropagation(network, batch, loss)


def stepping(
    rate: float, of: Callable[[Network, Batch], Gradients] = gradient, names: Collection[str] = TANHS
) -> Candidate:
    """One step of gradient descent."""

    def step(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        network = rebuilt(weights, biases, names)
        return lists_of(sgd_step(network, of(network, Batch(inputs, targets)), rate))

    return step


def mistaken(name: str, layers: Collection[int]) -> Callable[[Network, Batch], Gradients]:
    """The gradient with a mistake of the catalogue, wherever it can be made."""
    recipe = planted(CATALOGUE[name], layers)

    def of(network: Network, batch: Batch) -> Gradients:
        try:
            return run(recipe, network, batch, "half_sse", FLOAT)
        except Inapplicable:
            return gradient(network, batch)

    return of


def rates_of(report: Report) -> tuple[str, float | None]:
    assert report.convention is not None
    return report.convention.returns, report.convention.learning_rate


# The learning rate.


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.0125, 1 / 3, 2.0])
def test_a_right_step_is_recognised_although_another_learning_rate_was_declared(rate: float) -> None:
    report = check(stepping(rate), **STEP, learning_rate=0.7)
    assert (report.verdict, report.conforms, report.exit_status) == ("correct-under-convention", False, 1)
    assert report.headline.endswith("not as declared: another learning rate")
    assert f"It is a right step with the learning rate {rate:.15g}; 0.7 was declared." in flat(report)
    returns, found = rates_of(report)
    assert returns == "step" and found == pytest.approx(rate, rel=1e-14)
    assert check(stepping(rate), **STEP, learning_rate=rate).verdict == "correct"


def test_what_may_be_a_factor_of_the_loss_is_told_as_that_and_as_another_learning_rate() -> None:
    report = check(stepping(0.3), **STEP, learning_rate=0.6)
    assert [told.name for told in report.explanations] == ["factor ½", "another learning rate"]


@pytest.mark.parametrize(("taken", "declared", "name"), [(1.0, 0.7, "missing"), (0.7**2, 0.7, "twice")])
def test_a_learning_rate_that_is_missing_or_taken_twice_is_called_that_first(
    taken: float, declared: float, name: str
) -> None:
    report = check(stepping(taken), **STEP, learning_rate=declared)
    assert name_of(report) == f"learning rate {name}" and not report.conforms


def test_a_step_uphill_of_another_rate_is_told_both() -> None:
    report = check(stepping(-0.3), **STEP, learning_rate=0.7)
    assert name_of(report) == "another learning rate and sign turned" and not report.conforms
    assert "0.7 was declared, but for its sign: it goes uphill." in flat(report)


def test_where_the_rate_is_1_a_sign_is_a_sign_and_no_missing_rate() -> None:
    report = check(stepping(-1.0), **STEP, learning_rate=1.0)
    assert [told.name for told in report.explanations] == ["sign turned", "derivative with the opposite sign"]


@pytest.mark.parametrize(
    ("loss", "rate"),
    [(None, 0.1), (None, 0.4), (None, 1 / 3), ("mse", 0.03), ("half_sse", 0.0125), ("half_sse", 1 / 3)],
)
def test_a_step_of_any_rate_is_recognised_where_nothing_is_declared_of_it(rate: float, loss: str | None) -> None:
    taken = stepping(rate, lambda network, batch: gradient(network, batch, loss or "half_sse/samples"))
    report = check(taken, activations=TANHS, loss=loss)
    assert report.verdict == "correct-under-convention" and report.conforms
    returns, found = rates_of(report)
    assert returns == "step" and found is not None and report.convention is not None
    halved = found != pytest.approx(rate, rel=1e-14)
    assert report.convention.loss_name == ("sse/samples" if halved else loss or "half_sse/samples")
    assert not halved or (loss is None and found == pytest.approx(rate / 2, rel=1e-14))  # which is the same


def test_a_rate_that_is_declared_is_that_of_the_step_also_where_the_step_is_not() -> None:
    taken = stepping(0.4)
    assert check(taken, activations=TANHS, learning_rate=0.4).conforms
    assert not check(taken, activations=TANHS, learning_rate=0.1).conforms


@given(cases(TANHS), st.integers(1, 999))
@settings(max_examples=40)
def test_a_right_step_lies_in_its_budgets_under_the_rate_that_is_found(case: Case, thousandths: int) -> None:
    rate = thousandths / 1000
    answer = sgd_step(case.network, gradient(case.network, case.batch), rate)
    weights, biases = lists_of(answer)
    given_biases = any(layer.biases is not None for layer in case.network.layers)
    report = judge(
        case.network,
        case.batch,
        {"weights": weights, "biases": biases} if given_biases else {"weights": weights},
        "half_sse",
        returns="step",
        learning_rate=rate,
    )
    assert not any(tensor.wrong for found in report.cases for tensor in found.tensors)


# A wrong step of which nothing is declared.


@pytest.mark.parametrize("loss", [None, "half_sse"])
@pytest.mark.parametrize(
    ("name", "layers", "rate"),
    [
        ("squashed twice", {0}, 0.1),
        ("biases never updated", {0}, 0.3),
        ("bias gradient of one sample", {0, 1}, 0.05),
        ("targets missing", (), 0.2),
        ("z in place of a in the outer product", {1}, 0.01),
    ],
)
def test_a_mistake_in_a_step_is_named_though_nothing_is_declared_of_the_step(
    name: str, layers: Collection[int], rate: float, loss: str | None
) -> None:
    report = check(stepping(rate, mistaken(name, layers)), activations=TANHS, loss=loss)
    assert report.verdict == "wrong" and name_of(report) == name
    returns, found = rates_of(report)
    assert returns == "step" and found in (rate, rate / 2)  # of sse, half of that of half_sse
    assert {tensor.name for tensor in report.tensors} == {
        f"{parameter} after the step" for parameter in ("W¹", "b¹", "W²", "b²")
    }


def test_a_wrong_step_that_nothing_explains_is_judged_as_a_step() -> None:
    def odd(network: Network, batch: Batch) -> Gradients:
        found = gradient(network, batch)
        layers = [
            type(layer)(
                tuple(tuple(x * (1.2 + 0.01 * i) + 0.001 for i, x in enumerate(row)) for row in layer.weights),
                layer.biases,
                layer.deltas,
            )
            for layer in found.layers
        ]
        return Gradients(tuple(layers))

    report = check(stepping(0.2, odd), activations=TANHS, loss="half_sse")
    assert report.verdict == "wrong" and rates_of(report) == ("step", 0.2)
    assert all(tensor.wrong == 0 for tensor in report.tensors if tensor.kind == "biases")
    assert (
        "made of your own numbers: δ², ∂loss/∂b², δ¹ and ∂loss/∂b¹. ∂loss/∂W² does not follow from your own δ²"
        in flat(report)
    )


def test_wrong_gradients_are_not_taken_for_a_step() -> None:
    def wrong(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        found = mistaken("squashed twice", {0})(rebuilt(weights, biases, TANHS), Batch(inputs, targets))
        return [[list(row) for row in layer.weights] for layer in found.layers], [
            list(layer.biases or ()) for layer in found.layers
        ]

    report = check(wrong, activations=TANHS)
    assert name_of(report) == "squashed twice" and {t.name[0] for t in report.tensors} == {"∂"}


def test_the_rate_that_explains_most_is_that_of_the_tensors_that_are_right() -> None:
    declared = Declared(TANHS, "half_sse")
    observations = []
    for case in declared.ladder()[:5]:
        network = sgd_step(case.network, mistaken("squashed twice", {0})(case.network, case.batch), 0.3)
        observations.append(Observation(case, as_claim(network)))
    (found, *_) = explanations(observations, "half_sse", returns="step", learning_rate=None)
    assert found.name == "squashed twice" and found.convention is not None
    assert found.convention.learning_rate == 0.3


# The change alone.


def changing(rate: float, of: Callable[[Network, Batch], Gradients] = gradient) -> Candidate:
    """−η times the gradient, which is to be added to the weights."""

    def change(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        return lists(of(rebuilt(weights, biases, TANHS), Batch(inputs, targets)), lambda g: -rate * g)

    return change


def test_the_change_alone_may_be_declared() -> None:
    declared: dict[str, Any] = {**STEP, "returns": "change", "learning_rate": 0.3}
    report = check(changing(0.3), **declared)
    assert (report.verdict, report.conforms) == ("correct", True)
    assert [tensor.name for tensor in report.tensors][0] == "change of W²"
    wrong = check(changing(0.3, mistaken("squashed twice", {0})), **declared)
    assert wrong.verdict == "wrong" and name_of(wrong) == "squashed twice"
    assert not check(changing(0.29), **declared).conforms
    turned = check(changing(-0.3), **declared)
    assert name_of(turned) == "sign turned" and "It goes uphill" not in flat(turned) and not turned.conforms


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (0.3, "It returns the change, not the updated weights."),
        (0.2, "It returns the change, not the updated weights with the learning rate 0.2; 0.3 was declared."),
        (-0.3, "It returns the change, not the updated weights, but for its sign: it goes uphill."),
    ],
)
def test_the_change_in_the_place_of_the_updated_weights_is_called_so(rate: float, words: str) -> None:
    report = check(changing(rate), **STEP, learning_rate=0.3)
    assert (report.verdict, report.conforms) == ("correct-under-convention", False)
    assert name_of(report).startswith("the change in place of the updated weights") and words in flat(report)


def test_updated_weights_in_the_place_of_the_change_are_called_so() -> None:
    report = check(stepping(0.3), **{**STEP, "returns": "change"}, learning_rate=0.3)
    assert name_of(report) == "the updated weights in place of the change" and not report.conforms


def test_the_change_is_recognised_where_nothing_is_declared_of_it_but_no_stray_factor() -> None:
    found = check(changing(0.1), activations=TANHS, loss="half_sse")
    assert found.conforms and rates_of(found) == ("change", 0.1)
    assert rates_of(check(changing(0.3), activations=TANHS, loss="half_sse", learning_rate=0.3)) == ("change", 0.3)
    for stray in (0.3, 0.9, -0.1):
        assert not check(changing(stray), activations=TANHS, loss="half_sse").conforms
    assert not check(changing(0.1), activations=TANHS, loss="half_sse", returns="gradients").conforms


# A step for each sample.


def one_after_the_other(
    rate: float, loss: str = "half_sse", times: Callable[[int], float] = lambda n: 1.0
) -> Candidate:
    """A step for each sample, from where the one before has led."""

    def step(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        network = rebuilt(weights, biases, TANHS)
        for x, y in zip(inputs, targets):
            network = sgd_step(network, gradient(network, Batch([x], [y]), loss), times(len(inputs)) * rate)
        return lists_of(network)

    return step


ONE_BY_ONE = "That is right, if each sample is a step: declare --batch 1."


@pytest.mark.parametrize(
    ("candidate", "declared"),
    [
        (one_after_the_other(0.125), {**STEP, "learning_rate": 0.125}),
        (one_after_the_other(0.3), {"activations": TANHS}),
        (one_after_the_other(0.125, "mse", lambda n: 1 / n), {**STEP, "loss": "mse", "learning_rate": 0.125}),
    ],
    ids=["declared", "open", "1/n of the batch"],
)
def test_steps_for_each_sample_are_right_if_that_is_declared(candidate: Candidate, declared: dict[str, Any]) -> None:
    report = check(candidate, **declared)
    assert (report.verdict, report.conforms) == ("correct-under-convention", False)
    assert name_of(report) == "updated after every sample" and ONE_BY_ONE in flat(report)
    right = check(candidate, **declared, batch=1)
    assert right.conforms and (right.verdict == "correct") == ("returns" in declared)


def test_steps_for_each_sample_that_are_wrong_are_not_called_right() -> None:
    def off(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        found: Pair = one_after_the_other(0.125)(weights, biases, inputs, targets)
        found[0][0][0][0] *= 1 + 1e-11
        return found

    report = check(off, **STEP, learning_rate=0.125)
    assert report.verdict != "correct-under-convention" and ONE_BY_ONE not in flat(report)


@given(cases(TANHS, biases=True), st.integers(1, 32))
@settings(max_examples=30)
def test_steps_for_each_sample_lie_in_the_budgets_of_their_balls(case: Case, thirtyseconds: int) -> None:
    convention = Convention(known_loss("half_sse"), ONE, "step", thirtyseconds / 32)
    network = case.network
    for x, y in zip(case.batch.inputs, case.batch.targets):
        network = sgd_step(network, gradient(network, Batch([x], [y])), thirtyseconds / 32)
    observed = Observation(case, as_claim(network))
    assert inside(observed.claim, one_by_one(observed, convention, ball("binary64")))


# Momentum.


class Momentum:
    """Steps with momentum: v ← μ v + share · g, w ← w − η v; from rest, but for the same question asked twice in a row."""

    def __init__(self, share: float = 1.0, keeps: bool = False, slip: float = 1.0) -> None:
        self.share, self.keeps, self.slip = share, keeps, slip
        self.asked: Any = None
        self.velocity: list[float] = []

    def __call__(self, weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        network, batch = rebuilt(weights, biases, TANHS), Batch(inputs, targets)
        parameters, gradients = network.parameters(), gradient(network, batch).parameters()
        again = self.keeps and self.asked == (parameters, batch)
        before = [self.slip * v for v in self.velocity] if again else [0.0] * len(parameters)
        self.velocity, self.asked = [0.9 * v + self.share * g for v, g in zip(before, gradients)], (parameters, batch)
        return lists_of(network.with_parameters([w - 0.3 * v for w, v in zip(parameters, self.velocity)]))


MOMENTUM: dict[str, Any] = {**STEP, "learning_rate": 0.3, "momentum": 0.9}


def test_a_first_step_with_momentum_is_judged_from_rest() -> None:
    assert check(Momentum(), **MOMENTUM).verdict == "correct"
    damped = check(Momentum(1 - 0.9), **MOMENTUM)
    assert (damped.verdict, damped.conforms) == ("correct-under-convention", True)
    assert "learning rate 0.03" in flat(damped) and "The learning rate 0.03 is 0.3 (1 − 0.9)" in flat(damped)
    assert not check(Momentum(0.2), **MOMENTUM).conforms


def test_a_first_step_with_momentum_that_is_not_declared_is_told_to_be_that() -> None:
    report = check(Momentum(1 - 0.9), **STEP, learning_rate=0.3)
    assert name_of(report) == "another learning rate" and not report.conforms
    assert "with the learning rate 0.03; 0.3 was declared" in flat(report) and "(--momentum 0.9)" in flat(report)


@pytest.mark.parametrize("share", [1.0, 1 - 0.9])
def test_a_velocity_that_is_kept_is_right_if_the_next_steps_are(share: float) -> None:
    report = check(Momentum(share, keeps=True), **MOMENTUM)
    assert report.conforms and "it goes on with the velocity that it had" in flat(report)
    wrong = check(Momentum(share, keeps=True, slip=1.01), **MOMENTUM)
    assert not wrong.conforms and {finding.kind for finding in wrong.findings} & {"keeps state", "flaky"}
    undeclared = check(Momentum(share, keeps=True), **STEP, learning_rate=0.3 * share)
    assert not undeclared.conforms


def test_a_mistake_in_a_damped_first_step_is_named() -> None:
    report = check(stepping(0.3 * (1 - 0.9), mistaken("squashed twice", {0})), **MOMENTUM)
    assert report.verdict == "wrong" and name_of(report) == "squashed twice"
