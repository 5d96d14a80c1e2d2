"""Low precision that sees: results stored once are held to a set, and those stored on the way by the mean of their errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from math import log, sqrt
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import Batch, Layer, Network, PurebpError, loss
from purebp.graph import Cost, Exp, Input, Log, Multiply, Parameter, Softmax, Sum, forward_graph
from purebp.graphs.engine import accumulated, uses_of
from purebp.number_systems.ball import Ball, Rules, ball
from purebp.number_systems.formats import BFLOAT16, BINARY16, BINARY32, FORMATS, Format, rounds_to, stored_once
from purebp.oracle import Report, check, check_graph, judge, random_cases
from purebp.oracle.answer import Finding
from purebp.oracle.evidence import TensorReport, share, storable
from purebp.oracle.mean_test import ALLOWED, ALPHA, CASES, NO_CASES, Lean, Mean, _told, lean
from studies.conforming import MACHINES, SUMS, Recipe, implementation, shares, wild_case
from tests.oracle.samples import Candidate

MACHINE = {machine.name: machine for machine in MACHINES}
NARROW = {"bfloat16": BFLOAT16, "binary16": BINARY16}


# Stored once.


@pytest.mark.parametrize("narrow", NARROW.values(), ids=str)
@given(
    mantissa=st.integers(-(2**40), 2**40), spread=st.integers(0, 2**33), exponent=st.integers(-180, 90), data=st.data()
)
def test_whatever_of_a_ball_is_stored_is_storable_and_nothing_beyond_its_ends(
    narrow: Format, mantissa: int, spread: int, exponent: int, data: st.DataObject
) -> None:
    budget = Ball(mantissa, exponent, spread, Rules(stored_once(narrow), 38))
    for within in (-spread, spread, data.draw(st.integers(-spread, spread))):
        stored = rounds_to((mantissa + within) * Fraction(2) ** exponent, narrow)
        assert share(stored, budget) <= 1
        if abs(stored) < narrow.smallest_normal:
            assert share(0.0, budget) <= 1  # flushed
    found = storable(budget)
    if found.spread is not None:
        unit = Fraction(2) ** found.exponent
        ends = [(found.mantissa + side * found.spread) * unit for side in (-1, 1)]
        for end, outwards in zip(ends, (-1, 1)):
            step = 2 * Fraction(max(narrow.storage * max(abs(float(x)) for x in ends), narrow.smallest_normal))
            beyond = float(end + outwards * step)
            assert float(end) == end and share(rounds_to(beyond, narrow), budget) > 1


@pytest.mark.parametrize("side", [-1, 1])
def test_the_smallest_normal_number_is_not_flushed(side: int) -> None:
    """From 1 to 1½ of it: 0 is beyond."""
    budget = Ball(side * 5, -128, 1, Rules(stored_once(BFLOAT16), 38))
    assert share(side * 2.0**-126, budget) <= 1 < share(0.0, budget)


@pytest.mark.parametrize("narrow", NARROW.values(), ids=str)
def test_no_implementation_in_single_precision_is_accused_for_what_it_stores(narrow: Format) -> None:
    """Of numbers that the format has, with sums in any order, and every result rounded to the format once."""
    recipes = [Recipe(MACHINE["binary32"], total, value=k, slope=k) for k, total in enumerate(SUMS)]
    panel = [implementation(recipe)._replace(format=stored_once(narrow)) for recipe in recipes]
    checked = 0
    for seed in range(12):
        network, batch, chosen = wild_case(Random(seed), widest=4, deepest=3)
        kept = network.with_parameters(rounds_to(x, narrow) for x in network.parameters())
        rows = [[[rounds_to(x, narrow) for x in row] for row in rows] for rows in (batch.inputs, batch.targets)]
        members = [each._replace(gradients=_stored(each.gradients, narrow)) for each in panel]
        for found in shares(kept, Batch(*rows), chosen, members):
            assert max(found.shares) <= 1, (seed, found.name)
            checked += len(found.shares)
    assert checked > 500


def _stored(gradients: Callable[..., list[float]], narrow: Format) -> Callable[..., list[float]]:
    return lambda *case: [rounds_to(x, narrow) for x in gradients(*case)]


def candidate(names: Sequence[str], cost: str, machine: str, narrow: Format, factor: float = 1.0) -> Candidate:
    """The gradients of a machine, times the factor, rounded to the format at the end."""
    recipe = Recipe(MACHINE[machine])

    def gradients(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
        network = Network([Layer(w, b, name) for w, b, name in zip(weights, biases, names)])
        found = [rounds_to(factor * x, narrow) for x in recipe(network, Batch(inputs, targets), loss(cost))]
        layers = network.with_parameters(found).layers
        return [layer.weights for layer in layers], [layer.biases for layer in layers]

    return gradients


SETTINGS = [(("identity",), "half_sse"), (("softmax",), "cross_entropy"), (("sigmoid", "sigmoid"), "mse")]


@pytest.mark.parametrize(("setting", "narrow"), [(0, BFLOAT16), (1, BINARY16), (2, BFLOAT16)])
def test_what_is_stored_once_is_seen_to_a_fraction_of_a_thousandth(setting: int, narrow: Format) -> None:
    names, cost = SETTINGS[setting]
    declared: dict[str, Any] = {"activations": names, "loss": cost, "returns": "gradients", "format": narrow.name}
    declared |= {"sizes": (2, 3, 2)[: len(names) + 1]}
    for factor, conforms in ((1.0, True), (0.9995 if setting else 1.0005, False)):
        asked = candidate(names, cost, "binary32", narrow, factor)
        report = check(asked, **declared, stored="once")
        assert report.conforms == conforms and report.format == f"{narrow.name}, stored once"
        assert check(asked, **declared).verdict in ("correct", "undecided")
    assert all(tensor.resolution <= 2 * narrow.storage for tensor in report.tensors)


def test_what_is_stored_on_the_way_is_told_so() -> None:
    names, cost = SETTINGS[1]
    asked = candidate(names, cost, "bfloat16 throughout", BFLOAT16)
    report = check(asked, activations=names, loss=cost, returns="gradients", format="bfloat16", stored="once")
    assert report.verdict == "imprecise" and "stored on the way" in report.notes[0]


@pytest.mark.parametrize("format", ["binary64", "binary32", "tf32"])
@pytest.mark.parametrize("stored", ["once", "every-step"])
def test_it_is_refused_where_no_format_is_narrow(format: str, stored: str) -> None:
    with pytest.raises(
        PurebpError, match=f"stored='{stored}' is for formats narrower than binary32.* not for {format}"
    ):
        check(lambda *given: None, activations="tanh", format=format, stored=stored)
    with pytest.raises(PurebpError, match="a narrower format than binary32 is wanted"):
        stored_once(FORMATS[format])


def test_a_single_answer_stored_once_is_judged_so() -> None:
    network, batch = Network([Layer([[0.5, 0.25]], None, "identity")]), Batch([[1.0, 3.0]], [[0.0]])
    right, beside = [[[1.25, 3.75]]], [[[1.25, 3.75 + 2.0**-6]]]
    for said, verdict in ((right, "correct"), (beside, "imprecise")):
        report = judge(network, batch, {"weights": said}, "half_sse", "bfloat16", stored="once")
        assert report.verdict == verdict


# Stored on the way.


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=50))
def test_the_threshold_is_that_of_maurer_and_pontil(shares: list[float]) -> None:
    n, mean = len(shares), sum(shares) / len(shares)
    spread = sum((x - mean) ** 2 for x in shares) / (n - 1)
    bound = sqrt(2 * spread * log(4 / ALPHA) / n) + 14 * log(4 / ALPHA) / (3 * (n - 1))
    assert Mean(tuple(Lean(x, 1.0) for x in shares)).threshold == pytest.approx(ALLOWED + bound, rel=1e-9)


def test_a_case_leans_by_the_mean_of_its_entries_away_from_0() -> None:
    on = ball("bfloat16")
    budgets = [[on.number(3.0) / 7, -(on.number(3.0) / 7), on.zero]]
    y, r = float(budgets[0][0].midpoint), budgets[0][0].radius
    found = lean([[y + r / 2, -y - r / 2, 5.0]], budgets)
    assert found.share == pytest.approx(1 / 3, abs=1e-6) and found.sensitivity == pytest.approx(2 * y / r / 3, rel=1e-6)


@pytest.mark.parametrize(("names", "cost"), SETTINGS[:2])
def test_a_few_hundredths_are_seen_where_everything_is_stored(names: tuple[str, ...], cost: str) -> None:
    declared: dict[str, Any] = {"activations": names, "loss": cost, "returns": "gradients", "format": "bfloat16"}
    right = candidate(names, cost, "bfloat16 throughout", BFLOAT16)
    report = check(right, **declared, stored="every-step")
    told = re.match(rf"Over {CASES:,} independent cases the errors of \S+ lean by (\S+) of", report.notes[-1])
    assert report.verdict == "correct" and told and abs(float(told[1])) < ALLOWED / 10
    wrong = candidate(names, cost, "bfloat16 throughout", BFLOAT16, 1.04)
    assert check(wrong, **declared, stored="every-step").verdict != "correct"


def test_what_no_budget_decides_may_be_decided_by_the_mean() -> None:
    names, cost = SETTINGS[2]
    declared: dict[str, Any] = {"activations": names, "loss": cost, "returns": "gradients", "format": "bfloat16"}
    declared |= {"sizes": (2, 2, 1), "batch": 2}
    verdicts = [
        (check(asked, **declared).verdict, check(asked, **declared, stored="every-step").verdict)
        for asked in (candidate(names, cost, "bfloat16 throughout", BFLOAT16, factor) for factor in (1.0, 1.2))
    ]
    assert verdicts == [("undecided", "correct"), ("undecided", "imprecise")]


def test_an_independent_case_that_is_answered_wrongly_is_proof() -> None:
    """It is right on the built-in cases, which have another number of samples or of inputs."""
    names, cost = SETTINGS[0]
    right = candidate(names, cost, "bfloat16 throughout", BFLOAT16)

    def wrong(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
        tall = len(weights[0]) == 2 and len(weights[0][0]) == 3 and len(inputs) == 1
        (w,), (b,) = right(weights, biases, inputs, targets)
        return [[[2 * x for x in row] for row in w] if tall else w], [b]

    declared: dict[str, Any] = {"activations": names, "loss": cost, "returns": "gradients", "format": "bfloat16"}
    assert check(wrong, **declared).verdict == "correct"
    report = check(wrong, **declared, stored="every-step")
    assert report.verdict == "wrong" and report.cases[-1].name == "independent numbers"


def test_operators_of_a_graph_are_held_to_both() -> None:
    x = Parameter("x", (3,))
    graph = Cost(Input("y", (3,)), Softmax(x), "half_sse")

    def stored(factor: float) -> Any:
        def gradients(feed: dict[str, Any]) -> dict[str, Any]:
            (found,) = in_floats(graph, feed)
            return {"x": [rounds_to(factor * rounds_to(g, BINARY32), BFLOAT16) for g in found]}

        return gradients

    for factor, conforms in ((1.0, True), (1.002, False)):
        assert check_graph(stored(factor), graph, format="bfloat16", stored="once").conforms == conforms
    for factor, conforms in ((1.002, True), (1.2, False)):
        assert check_graph(stored(factor), graph, format="bfloat16", stored="every-step").conforms == conforms


def in_floats(graph: Any, feed: dict[str, Any]) -> list[Any]:
    values = forward_graph(graph, feed)
    gradients = accumulated(values, uses_of(values))
    return [gradients[node] for node in values if node.trained]


def test_of_what_is_wrong_no_mean_is_taken() -> None:
    names, cost = SETTINGS[0]
    wrong = candidate(names, cost, "bfloat16 throughout", BFLOAT16, 3.0)
    declared: dict[str, Any] = {"activations": names, "loss": cost, "returns": "gradients", "format": "bfloat16"}
    report = check(wrong, **declared, stored="every-step")
    assert report.verdict == "correct-under-convention" or not any("independent" in note for note in report.notes)
    assert not report.conforms


# Found by trying to break it.


def test_a_tensor_that_nothing_decides_is_not_acquitted_by_the_others() -> None:
    """Of several that are undecided, one has a mean that shows nothing."""
    names = [f"∂loss/∂W{k}" for k in "¹²³"]
    tensors = tuple(
        TensorReport(name, "weights", l, 6, 0, 0.1, 1.0, resolution, None, ())
        for l, (name, resolution) in enumerate(zip(names, (0.9, 0.7, 1e-3)))
    )
    report = Report("mine", "undecided", False, None, (), (), (), tensors, None, ())

    def told(*sensitivities: float) -> Report:
        means = [Mean((Lean(0.0, x),) * CASES, name, 3) for name, x in zip(names, sensitivities)]
        return _told(report, means)

    assert [told(20.0, 20.0, 0.1).verdict, told(20.0, 0.1, 20.0).verdict] == ["correct", "undecided"]
    assert (
        "of ∂loss/∂W² lean by +0.000" in told(20.0, 0.1, 20.0).notes[0]
        and "shows little" in told(20.0, 0.1, 20.0).notes[0]
    )
    partial = replace(report, findings=(Finding("not given", "it was not given", fatal=False),))
    chatty = replace(report, findings=(Finding("prints", "it prints", fatal=False),))
    means = [Mean((Lean(0.0, 20.0),) * CASES, name, 3) for name in names]
    assert [_told(each, means).verdict for each in (partial, chatty)] == ["undecided", "correct"]
    assert told(20.0, 20.0, 20.0).conforms and _told(report, []).notes == (NO_CASES,)


def test_what_overflows_or_vanishes_when_it_is_stored_is_no_evidence() -> None:
    network = Network([Layer([[1.0]], None, "identity")])
    for x, y, said in ((300.0, -300.0, -7.0), (2.0**-13, 0.0, 0.0)):
        report = judge(network, Batch([[x]], [[y]]), {"weights": [[[said]]]}, "sse", "binary16", stored="once")
        assert report.verdict == "undecided" and report.tensors[0].open == 1


def test_numbers_that_are_printed_with_nine_digits_or_not_rounded_are_read_as_what_is_stored() -> None:
    names, cost = SETTINGS[1]
    declared: dict[str, Any] = {"activations": names, "loss": cost, "returns": "gradients", "format": "bfloat16"}
    exact = candidate(names, cost, "binary32", BFLOAT16)

    def printed(*given: Any) -> Any:
        (w,), (b,) = exact(*given)
        return [[[float(f"{x:.9g}") for x in row] for row in w]], [[float(f"{x:.9g}") for x in b]]

    assert check(printed, **declared, stored="once").verdict == "correct"


def test_one_answer_for_what_the_format_does_not_have_is_refused() -> None:
    network, batch = Network([Layer([[0.1]], None, "identity")]), Batch([[1.0]], [[0.0]])
    with pytest.raises(
        PurebpError, match=r"0.1 is no number of bfloat16, and with results stored once all .* round it"
    ):
        judge(network, batch, {"weights": [[[0.1]]]}, "half_sse", "bfloat16", stored="once")


def test_where_nothing_is_declared_what_is_stored_once_is_found() -> None:
    asked = candidate(("relu", "identity"), "mse", "binary32", BFLOAT16)
    assert check(asked, format="bfloat16", stored="once").conforms


def test_graphs_that_want_positive_numbers_or_overflow_have_a_mean_or_none() -> None:
    positive = Sum(Log(Parameter("p", (3,))))

    def stored(graph: Any) -> Any:
        return lambda feed: {"p": [rounds_to(x, BFLOAT16) for x in in_floats(graph, feed)[0]]}

    report = check_graph(stored(positive), positive, format="bfloat16", stored="every-step")
    assert report.verdict == "correct" and "independent cases the errors of ∂loss/∂p lean" in report.notes[-1]
    large = Exp(Sum(Multiply(Parameter("p", (40,)), Parameter("q", (40,)))) * 100.0)
    report = check_graph(lambda feed: 1 / 0, large, format="binary16", stored="every-step")
    assert report.verdict != "correct"


def test_a_remark_does_not_hide_the_mean_and_a_large_network_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    names, cost = SETTINGS[0]
    right = candidate(names, cost, "bfloat16 throughout", BFLOAT16)

    def chatty(*given: Any) -> Any:
        print("hi")
        return right(*given)

    declared: dict[str, Any] = {"activations": names, "loss": cost, "returns": "gradients", "format": "bfloat16"}
    assert "independent cases the errors" in check(chatty, **declared, stored="every-step").notes[-1]
    monkeypatch.setattr(random_cases, "LARGEST", 5)
    report = check(right, **declared, sizes=(3, 2), batch=1, stored="every-step")
    assert "they take too long" in report.notes[-1]
