"""Which smallest counterexamples are found."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purebp import Batch, PurebpError
from purebp import loss as known_loss
from purebp.oracle import check
from purebp.oracle.asking.declared import Declared
from purebp.oracle.cases import Case
from purebp.oracle.conventions import Convention
from purebp.testing import assert_gradients_correct
from purebp.testing.explore import _fails, _wide, counterexample
from tests import ROOT
from tests.testing.slips import NARROW, NOTHING, Answer, Numbers, Slip, Smallest, candidate, no_slip, smallest


def off_where_an_input_is_below_minus_two(weights: Sequence[Numbers], inputs: Numbers, answer: Answer) -> None:
    if min(map(min, inputs)) < -2:
        answer[0][0][0][0] += 0.125


def off_where_three_layers_are_wide(weights: Sequence[Numbers], inputs: Numbers, answer: Answer) -> None:
    if len(weights) == 3 and len(weights[0]) >= 5:
        answer[0][0][0][0] *= 2


def raises_for_eight_inputs(weights: Sequence[Numbers], inputs: Numbers, answer: Answer) -> None:
    {n: n for n in range(1, 8)}[len(inputs[0])]


def one_bias_for_eight_neurons(weights: Sequence[Numbers], inputs: Numbers, answer: Answer) -> None:
    if len(weights[0]) == 8:
        del answer[1][0][1:]


def off_for_the_thirty_third_neuron(weights: Sequence[Numbers], inputs: Numbers, answer: Answer) -> None:
    if len(weights[0]) > 32:
        answer[1][0][32] += 1


def off_for_more_than_thirty_two_samples(weights: Sequence[Numbers], inputs: Numbers, answer: Answer) -> None:
    if len(inputs) > 32:
        answer[1][0][0] += 1


TWO, THREE = ("sigmoid", "identity"), ("tanh", "sigmoid", "identity")


FOUND: list[tuple[Slip, Declared, Smallest]] = [
    (off_where_an_input_is_below_minus_two, Declared(TWO), ((1, 1, 1), [0.0] * 4, Batch([[-3.0]], [[0.0]]))),
    (
        off_where_three_layers_are_wide,
        Declared(THREE, biases=False, batch=1),
        ((1, 5, 1, 1), [0.0] * 5 + [1.0] + [0.0] * 4 + [1.0], Batch([[1.0]], [[0.0]])),
    ),
    (raises_for_eight_inputs, Declared(("identity",)), ((8, 1), [0.0] * 9, Batch([[0.0] * 8], [[0.0]]))),
    (one_bias_for_eight_neurons, Declared(("identity",)), ((1, 8), [0.0] * 16, Batch([[0.0]], [[0.0] * 8]))),
]


HALF_SSE = Convention(known_loss("half_sse"))


@pytest.mark.parametrize(("slip", "declared", "expected"), FOUND, ids=[slip.__name__ for slip, *_ in FOUND])
def test_the_smallest_counterexample_is_found(slip: Slip, declared: Declared, expected: Smallest) -> None:
    found = counterexample(candidate(slip, declared.per_layer()), declared, HALF_SSE)
    assert found is not None and found.name == "found by exploring"
    assert smallest(found) == expected


@pytest.mark.parametrize(
    ("slip", "sizes", "samples"),
    [(off_for_the_thirty_third_neuron, (1, 33), 1), (off_for_more_than_thirty_two_samples, (1, 1), 33)],
)
def test_widths_and_samples_up_to_forty_are_explored(slip: Slip, sizes: tuple[int, ...], samples: int) -> None:
    found = counterexample(candidate(slip, ["tanh"]), Declared(("tanh",)), HALF_SSE)
    assert found is not None and (found.sizes, found.samples) == (sizes, samples)


def test_outputs_that_were_declared_are_explored_alone() -> None:
    """Who takes two outputs, and is asked for two, is not shown to fail on one."""

    def takes_two(weights: Sequence[Numbers], inputs: Numbers, answer: Answer) -> None:
        if len(weights[0]) != 2:
            raise ValueError("two outputs are wanted")
        answer[1][0][0] += len(inputs[0]) > 10

    found = counterexample(candidate(takes_two, ["tanh"]), Declared(("tanh",), outputs=2), HALF_SSE)
    assert found is not None and found.sizes == (11, 2)


def slipping(slip: Slip) -> Callable[[Case], bool]:
    """Whether a layer with that slip fails a case."""
    asked, declared = candidate(slip, ["identity"]), Declared(("identity",))
    return lambda case: _fails(asked, case, declared, HALF_SSE)


def test_numbers_of_every_kind_of_the_ladder_are_explored() -> None:
    """What the small cases do not have: a significand beyond some bits, |z| beyond 300, a sample that is there twice."""

    def off_for_long_numbers(weights: Sequence[Numbers], inputs: Numbers, answer: Answer) -> None:
        answer[1][0][0] += any(x * 2**20 % 1 for row in inputs for x in row)

    def off_for_large_numbers(weights: Sequence[Numbers], inputs: Numbers, answer: Answer) -> None:
        answer[1][0][0] += max(abs(w) for row in weights[0] for w in row) > 300

    def off_for_samples_that_are_there_twice(weights: Sequence[Numbers], inputs: Numbers, answer: Answer) -> None:
        answer[1][0][0] += len(inputs) > 16 and len(set(map(tuple, inputs))) < len(inputs)

    for slip in (off_for_long_numbers, off_for_large_numbers, off_for_samples_that_are_there_twice):
        assert _wide(slipping(slip), Declared(("identity",), "half_sse").wanted, 60) is not None, slip


@pytest.mark.usefixtures("briefly")
def test_nothing_is_found_where_nothing_is_wrong() -> None:
    right = candidate(no_slip, ["softmax"], "cross_entropy")
    assert counterexample(right, Declared(("softmax",), "cross_entropy", (2, 2), True, 1, returns="gradients")) is None


@pytest.mark.usefixtures("briefly")
def test_a_loss_that_an_output_may_not_have_is_no_counterexample() -> None:
    """The binary cross-entropy of an output that is not between 0 and 1: there is no right answer."""
    right = candidate(no_slip, ["identity"], "binary_cross_entropy")
    declared = Declared(("identity",), "binary_cross_entropy", (1, 1), True, 1, returns="gradients")
    assert counterexample(right, declared) is None


def test_networks_of_any_depth_are_explored_where_the_depth_is_free() -> None:
    def off_in_three_layers(weights: Sequence[Numbers], inputs: Numbers, answer: Answer) -> None:
        if len(weights) == 3:
            answer[1][2][0] += 1

    found = counterexample(candidate(off_in_three_layers, ["tanh"]), Declared("tanh"), HALF_SSE)
    assert found is not None and smallest(found) == ((1, 1, 1, 1), [0.0] * 6, NOTHING)


def test_what_is_found_is_in_the_report_under_the_convention_of_the_ladder() -> None:
    slipping = candidate(off_where_an_input_is_below_minus_two, ["tanh"])
    assert check(slipping, **NARROW).conforms
    report = check(slipping, explore=counterexample, **NARROW)
    assert report.verdict == "wrong" and not report.conforms
    assert [case.name for case in report.cases if not case.passed] == ["found by exploring"]
    assert "On 17 of 18 cases it returns the gradient of half" in str(report) and "inputs [[0, -3]]" in report.smallest


def test_a_candidate_that_fails_but_once_is_no_crash() -> None:
    calls = iter(range(10**6))

    def once(weights: Sequence[Numbers], inputs: Numbers, answer: Answer) -> None:
        if next(calls) == 50:
            answer[1][0][0] += 1

    found = counterexample(candidate(once, ["tanh"]), Declared(("tanh",), "half_sse", (2, 1), True, 1), HALF_SSE)
    assert found is not None


PROGRAM = """
from hypothesis import Phase, settings
settings.register_profile("another", max_examples=1, phases=[Phase.reuse], derandomize=True)
settings.load_profile("another")
from tests.testing.test_explore import *
print(smallest(counterexample(candidate(FOUND[0][0], TWO), Declared(TWO, sizes=(1, 1, 1)), HALF_SSE)))
"""


@settings(max_examples=1)
@given(st.just(Declared(TWO, sizes=(1, 1, 1))))
def test_the_search_is_the_same_in_every_profile_and_test_and_leaves_no_directory(declared: Declared) -> None:
    """Here it runs within a test of Hypothesis, there on its own in another profile and an empty directory."""
    found = counterexample(candidate(off_where_an_input_is_below_minus_two, TWO), declared, HALF_SSE)
    assert found is not None
    with TemporaryDirectory() as directory:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "CI": "true"}
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=directory, env=environment, capture_output=True, text=True, check=False
        )
        assert (ran.stdout, ran.stderr) == (f"{smallest(found)}\n", "")
        assert os.listdir(directory) == []


def test_without_hypothesis_exploring_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    monkeypatch.delitem(sys.modules, "purebp.testing.explore")
    assert check(candidate(no_slip, ["tanh"]), **NARROW).conforms
    with pytest.raises(PurebpError, match="pip install hypothesis"):
        assert_gradients_correct(candidate(no_slip, ["tanh"]), explore=True, **NARROW)
    with pytest.raises(PurebpError, match="a search is wanted, such as purebp.testing.counterexample"):
        check(candidate(no_slip, ["tanh"]), explore=True, **NARROW)


def test_more_layers_than_the_ladder_has_where_depth_is_free_are_explored() -> None:
    declared = Declared((*["tanh"] * 11, "identity"), "half_sse")
    right = candidate(no_slip, declared.per_layer())
    assert _wide(lambda case: _fails(right, case, declared, HALF_SSE), declared.wanted, 6) is None
