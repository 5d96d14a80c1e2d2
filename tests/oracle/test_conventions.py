"""Conventions: a right gradient of another loss, of either sign, or a step along it, is told from a mistake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import prod
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import FLOAT, Batch, Network, backpropagation, forward, loss, sgd_step
from purebp.number_systems.ball import Ball, Rules
from purebp.number_systems.formats import FORMATS, Format
from purebp.oracle import check, judge
from purebp.oracle.asking.declared import Declared
from purebp.oracle.check import checked
from purebp.oracle.conventions import FACTORS, ONE, Convention, Factor, default_convention, factors, plain, stepped
from purebp.oracle.layers import Layers
from purebp.textbook.losses import REDUCTIONS
from tests.oracle.samples import Pair, flat, lists_of, rebuilt, right, single

LOSSES = ["mse", "half_sse", "mae", "huber(1.0)", "binary_cross_entropy", "cross_entropy"]
RETURNS = ["gradients", "descent", "step", "ascent"]
TANHS = ("tanh", "tanh")
SIGNED = [signed for factor in FACTORS for signed in (factor, -factor)]
SIZES = [(1, 1), (2, 1), (3, 2), (5, 3), (7, 4)]  # samples and outputs


# Factors.


def read(text: str) -> Factor:
    """A factor from its text."""
    above, _, below = text.removeprefix("−").partition(" / ")
    words = [*((word, 1) for word in above.split()), *((word, -1) for word in below.split())]
    power = {symbol: sum(sign for word, sign in words if word == symbol) for symbol in "nm"}
    named = {"½": Fraction(1, 2), "¼": Fraction(1, 4)}
    constant = prod((named.get(word) or Fraction(word) for word, _ in words if word not in "nm"), start=Fraction(1))
    return Factor(-constant if text.startswith("−") else constant, power["n"], power["m"])


@pytest.mark.parametrize("factor", SIGNED, ids=str)
def test_the_text_of_a_factor_says_it_all(factor: Factor) -> None:
    assert read(str(factor)) == factor


def test_factors_are_multiplied_and_turned_as_their_numbers_are() -> None:
    for f in SIGNED[::7]:
        for n, m in SIZES:
            assert (-f)(n, m) == -f(n, m) and (f * ONE)(n, m) == f(n, m)
            assert all((f * g)(n, m) == f(n, m) * g(n, m) for g in SIGNED[::5])
    assert len(set(FACTORS)) == len(FACTORS)


def test_the_plainest_factor_comes_first() -> None:
    assert FACTORS[0] == ONE and [f.weight for f in FACTORS] == sorted(f.weight for f in FACTORS)
    assert Factor(samples=-1).weight < Factor(Fraction(1, 2), -1).weight < Factor(samples=-1, outputs=1).weight


@pytest.mark.parametrize("factor", SIGNED[::3], ids=str)
def test_a_factor_is_found_from_what_it_makes_of_several_sizes(factor: Factor) -> None:
    ratios = [(float(factor(n, m)), n, m) for n, m in SIZES]
    assert list(factors(ratios, 1e-9)) == [factor]
    (x, n, m), *others = ratios
    assert list(factors([(1.01 * x, n, m), *others], 1e-3)) == list(factors([(-x, n, m), *others], 1e-9)) == []


# Conventions.


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_the_factor_of_its_plain_sum(name: str, reduction: str) -> None:
    chosen = loss(name).reduced(reduction)
    assert Convention(chosen).named == Convention(*plain(chosen)).named == chosen
    assert "times" not in Convention(chosen).words
    for factor in FACTORS:
        named = Convention(chosen, factor).named
        if named is not None:
            assert plain(named)[0] == plain(chosen)[0] and plain(named)[1] == plain(chosen)[1] * factor


@pytest.mark.parametrize("returns", RETURNS)
@pytest.mark.parametrize(
    "factor", [ONE, Factor(Fraction(1, 2)), Factor(samples=-1), Factor(samples=-2), Factor(Fraction(4))]
)
def test_it_fits_if_nothing_that_was_declared_is_otherwise(factor: Factor, returns: str) -> None:
    found = Convention(loss("sse"), factor, returns, 0.1)
    of_graph = replace(found, loss=None)
    named = {"1": "sse", "½": "half_sse", "1 / n": "sse/samples"}.get(str(factor))
    for declares in (None, "gradients", "descent", "step"):
        direction = returns != "ascent" and declares in (None, returns)
        assert of_graph.fits(Declared(returns=declares, learning_rate=0.1)) == (direction and factor == ONE)
        for declared_loss in (None, "sse", "half_sse", "sse/samples", "mse"):
            declared = Declared(TANHS, declared_loss, returns=declares, learning_rate=0.1)
            assert found.fits(declared) == (direction and named is not None and declared_loss in (None, named))


def test_a_loss_without_a_name_is_called_by_its_factor() -> None:
    named = [Convention(of, Factor(Fraction(3))).loss_name for of in (loss("sse"), loss("mae"), None)]
    assert named == ["3 × sse", "3 × mae", "3 × the graph"]


@pytest.mark.parametrize("returns", RETURNS)
@pytest.mark.parametrize("factor", SIGNED[:40:2], ids=str)
def test_what_is_returned_is_what_the_sentence_says(factor: Factor, returns: str) -> None:
    network = Network.random([2, 3, 2], TANHS, seed=1)
    batch = Batch([[0.5, -1.0], [0.25, 2.0], [1.5, 0.75]], [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    convention = Convention(loss("sse"), factor, returns, 0.25)
    turned = convention.turned(3, 2, FLOAT) or (lambda g, w: g)
    sign = {"gradients": 1, "descent": -1, "step": -0.25, "ascent": 0.25}[returns]
    kept = float(returns in ("step", "ascent"))
    whole = backpropagation(network, batch, "sse").parameters()
    effective = backpropagation(network, batch, convention.effective).parameters()
    for g, e, w in zip(whole, effective, network.parameters(), strict=True):
        assert turned(e, w) == pytest.approx(kept * w + sign * float(factor(3, 2)) * g, rel=1e-12, abs=1e-12)
    told = {
        "gradients": "to be subtracted",
        "descent": "with its sign turned, to be added",
        "step": "as updated weights, learning rate 0.25",
        "ascent": "as weights updated uphill, learning rate 0.25",
    }
    assert convention.sentence == f"the gradient of {convention.words}, {told[returns]}"
    assert convention.words.startswith(f"{factor} times ") == (convention.named is None)


def test_a_graph_has_its_own_loss() -> None:
    plainly, doubled = Convention(None), Convention(None, Factor(Fraction(2)))
    assert (plainly.words, plainly.turned(3, 2, FLOAT)) == ("the graph", None)
    turned = doubled.turned(3, 2, FLOAT)
    assert doubled.words == "2 times the graph (n samples, m outputs)" and turned is not None and turned(1.5, 9.0) == 3
    assert Convention(None, Factor(outputs=-1)).turned(3, 1, FLOAT) is None  # with one output, 1/m is no factor


def test_what_is_usual_is_what_was_declared_or_the_loss_of_the_last_layer() -> None:
    assert default_convention(Declared(TANHS)) == Convention(loss("mse"))
    assert default_convention(Declared(("relu", "softmax"))) == Convention(loss("cross_entropy"))
    declared = Declared(("relu", "softmax"), "sse", returns="step", learning_rate=0.5)
    assert default_convention(declared) == Convention(loss("sse"), ONE, "step", 0.5)


def test_the_plainest_convention_has_a_name_and_divides_by_the_least() -> None:
    named = [Convention(loss("sse").reduced(reduction)) for reduction in REDUCTIONS]
    tried = [Convention(loss("sse"), Factor(samples=-2)), *named]
    assert max(tried, key=lambda convention: convention.plainness) == tried[0]
    assert [c.plainness for c in named] == sorted(c.plainness for c in named)


# What candidates return.


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


COINCIDING: list[list[Any]] = [
    ["sse", "half_sse", "mse", "half_mse", "half_sse/samples", "sse/outputs"],
    [None, [2, 3, 1], [2, 3, 2], [2, 3, 4]],
    [None, 1, 2, 4],
]


@pytest.mark.parametrize("batch", COINCIDING[2])
@pytest.mark.parametrize("sizes", COINCIDING[1])
@pytest.mark.parametrize("loss", COINCIDING[0])
def test_no_right_candidate_is_accused_where_factors_coincide(loss: str, sizes: Any, batch: int | None) -> None:
    """½ is 1/m where there are two outputs. Every pair of settings meets each sign."""
    question = Layers(Declared(TANHS, sizes=sizes, batch=batch), complete=True)
    # What two cases with as many samples and outputs say of a factor is the same.
    ladder = {(case.samples, case.sizes[-1]): case for case in question.declared.ladder()[::-1]}
    sign = (-1) ** sum(map(list.index, COINCIDING, (loss, sizes, batch)))
    report = checked(right(loss, lambda n, m: sign, TANHS), question, [*ladder.values()][::-1], "mine")
    assert report.conforms, str(report)
    if sizes == [2, 3, 4] and batch is None:
        assert report.convention is not None and report.convention.loss_name == loss


@pytest.mark.parametrize("loss", ["mse", "half_sse", "sse"])
@pytest.mark.parametrize("rate", [-0.1, -1.0])
def test_a_step_uphill_conforms_nowhere(loss: str, rate: float) -> None:
    def climbs(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        network = rebuilt(weights, biases)
        return lists_of(sgd_step(network, backpropagation(network, Batch(inputs, targets), loss), rate))

    report = check(climbs)
    assert not report.conforms and report.exit_status == 1
    assert "The step goes uphill" in flat(report)


def test_a_stray_factor_conforms_in_no_step() -> None:
    names = ("tanh", "tanh")

    def strays(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        network = rebuilt(weights, biases, names)
        return lists_of(sgd_step(network, backpropagation(network, Batch(inputs, targets), "half_sse"), 0.4))

    for declared in ({"returns": "step", "learning_rate": 0.1}, {"learning_rate": 0.1}):
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


def test_a_factor_of_the_samples_may_be_their_square() -> None:
    assert next(factors([(1 / 9, 3, 1), (1 / 16, 4, 2)], 1e-9)) == Factor(Fraction(1), -2)
    assert not list(factors([(1 / 27, 3, 1), (1 / 64, 4, 2)], 1e-9))


def test_divided_by_the_samples_twice_is_no_convention() -> None:
    report = check(right("half_sse", lambda n, m: 1 / n**2))
    assert not report.conforms and report.exit_status == 1


def test_an_updated_network_is_judged_as_a_step() -> None:
    def step(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        network = rebuilt(weights, biases)
        return lists_of(sgd_step(network, backpropagation(network, Batch(inputs, targets), "mse"), 0.1))

    def uphill(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
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
    """With the gradients of the old weights: right, and rounded once for each sample."""
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
    def step(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        network = rebuilt(weights, biases)
        weights, biases = lists_of(sgd_step(network, backpropagation(network, Batch(inputs, targets), "mse"), 0.1))
        weights[0][0][0] *= 1 + 1e-13
        return weights, biases

    assert not check(step, loss="mse", returns="step", learning_rate=0.1).conforms


@given(
    st.sampled_from(list(FORMATS.values())),
    st.tuples(st.integers(-(2**60), 2**60), st.integers(-80, -60), st.integers(0, 2**20)),
    st.tuples(st.integers(-(2**60), 2**60), st.integers(-80, -60), st.integers(0, 2**20)),
    st.integers(1, 9),
)
def test_a_step_sample_by_sample_gets_all_of_the_radius_that_its_proof_wants(
    format: Format, of: tuple[int, int, int], by: tuple[int, int, int], samples: int
) -> None:
    """2 n u (|w| + r) and twice the radius of the change, as sums are rounded, beyond that of the difference: never less."""
    rules = Rules(format, 38)
    parameter, change = Ball(*of, rules), Ball(*by, rules)
    at_once, found = parameter - change, stepped(parameter, change, samples)
    assert at_once.spread is not None and found.spread is not None and parameter.spread is not None
    u = Fraction(1, 2**format.precision)
    largest = (abs(parameter.mantissa) + parameter.spread) * Fraction(2) ** parameter.exponent
    inherited = by[2] * Fraction(2) ** (by[1] + format.accumulate_bits - format.precision)
    wanted = at_once.spread * Fraction(2) ** at_once.exponent + 2 * samples * u * largest + 2 * inherited
    given_by = found.spread * Fraction(2) ** found.exponent
    assert wanted <= given_by <= wanted + Fraction(2) ** found.exponent
