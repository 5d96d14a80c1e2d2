"""purebp.testing: what the strategies promise, which smallest cases are found, the plugin in a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from textwrap import dedent
from typing import Any, TypeVar

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

import purebp
from purebp import Batch, Layer, Network, PurebpError, backpropagation, evaluate
from purebp import loss as known_loss
from purebp.number_systems.formats import BFLOAT16, is_exact
from purebp.oracle import check, judge
from purebp.oracle.asking.candidate import Declared
from purebp.oracle.cases import Case
from purebp.oracle.conventions import Convention
from purebp.testing import assert_gradients_correct, batches, cases, explore, losses, networks, plugin
from purebp.testing.explore import counterexample
from purebp.testing.strategies import LARGEST_SUM

pytest_plugins = ["pytester"]
ROOT = Path(purebp.__file__).parents[1]
T = TypeVar("T")
Smallest = tuple[tuple[int, ...], list[float], Batch]


def smallest(case: Case) -> Smallest:
    """Widths, parameters and batch."""
    return case.network.sizes, case.network.parameters(), case.batch


def first(strategy: st.SearchStrategy[T], condition: Callable[[T], object]) -> T:
    """As Hypothesis's `find`, the same on every run; without its phase of explanations, which takes longest."""
    return find(strategy, lambda x: bool(condition(x)), settings=explore.QUIET, random=Random(0))


# Strategies.


@given(cases())
def test_cases_are_of_numbers_with_few_bits_and_of_neurons_with_small_sums_of_weights(case: Case) -> None:
    rows = [row for layer in case.network.layers for row in layer.weights]
    numbers = [*case.network.parameters(), *(x for row in (*case.batch.inputs, *case.batch.targets) for x in row)]
    assert all(is_exact(x, BFLOAT16) for x in numbers)  # of eight bits; the other formats have more
    assert all(sum(map(abs, row)) <= LARGEST_SUM for row in rows)


@settings(max_examples=30)
@given(cases())
def test_the_oracle_has_budgets_for_every_case(case: Case) -> None:
    """Undecided are ReLUs whose pre-activation is exactly 0."""
    loss = "cross_entropy" if case.network.layers[-1].activation.name == "softmax" else "mse"
    report = judge(case.network, case.batch, backpropagation(case.network, case.batch, loss), loss)
    assert report.verdict in ("correct", "undecided")


@given(cases(["relu", "tanh", "sigmoid"], sizes=[3, 2, 4, 1], biases=False, batch=2))
def test_what_is_declared_is_held_to(case: Case) -> None:
    assert [layer.activation.name for layer in case.network.layers] == ["relu", "tanh", "sigmoid"]
    assert case.network.sizes == (3, 2, 4, 1) and len(case.batch.inputs) == 2
    assert all(layer.biases is None for layer in case.network.layers)


@pytest.mark.parametrize("last", ["sigmoid", "softmax"])
@given(st.data())
def test_targets_suit_the_loss(last: str, data: st.DataObject) -> None:
    loss = data.draw(losses())
    case = data.draw(cases(["tanh", last], loss=loss))
    if last == "softmax" or loss.base == "cross_entropy":
        assert all(sorted(row) == [0.0] * (len(row) - 1) + [1.0] for row in case.batch.targets)
    elif loss.base == "binary_cross_entropy":
        assert {x for row in case.batch.targets for x in row} <= {0.0, 1.0}
    assert evaluate(case.network, case.batch, loss) < inf


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_a_single_name_is_for_networks_of_any_depth(activation: str) -> None:
    network = first(networks(activation), lambda network: len(network.layers) == 4)
    assert {layer.activation.name for layer in network.layers} == {activation}


NOTHING = Batch([[0.0]], [[0.0]])
SMALLEST: list[tuple[str, Callable[[Case], bool], Smallest]] = [
    ("case", lambda case: True, ((1, 1), [0.0], NOTHING)),
    ("of two layers", lambda case: len(case.network.layers) > 1, ((1, 1, 1), [0.0, 0.0], NOTHING)),
    (
        "with a square layer",
        lambda case: case.network.sizes[0] == case.network.sizes[1] > 1,
        ((2, 2), [0.0] * 4, Batch([[0.0, 0.0]], [[0.0, 0.0]])),
    ),
    ("with a weight above 1.2", lambda case: max(case.network.layers[0].weights[0]) > 1.2, ((1, 1), [2.0], NOTHING)),
    ("with a negative input", lambda case: min(case.batch.inputs[0]) < 0, ((1, 1), [0.0], Batch([[-1.0]], [[0.0]]))),
    ("with two samples", lambda case: len(case.batch.inputs) > 1, ((1, 1), [0.0], Batch([[0.0]] * 2, [[0.0]] * 2))),
]


@pytest.mark.parametrize(("condition", "expected"), [row[1:] for row in SMALLEST], ids=[row[0] for row in SMALLEST])
def test_the_smallest_case(condition: Callable[[Case], bool], expected: Smallest) -> None:
    assert smallest(first(cases(), condition)) == expected


def test_sizes_that_do_not_fit_are_refused() -> None:
    for sizes in ([2], [2, 3], []):
        with pytest.raises(PurebpError, match="widths|width more"):
            first(networks(["tanh", "identity"], sizes=sizes), lambda network: True)
    assert first(batches(2, 1, batch=3), lambda batch: True) == Batch([[0.0, 0.0]] * 3, [[0.0]] * 3)


# Exploring.

Numbers = Sequence[Sequence[float]]
Answer = tuple[list[list[list[float]]], list[list[float]]]
Slip = Callable[[Sequence[Numbers], Numbers, Answer], object]


def candidate(slip: Slip, activations: Sequence[str], loss: str = "half_sse") -> Callable[..., Answer]:
    """Right, but for what the slip makes of the weights, the inputs and the right answer."""

    def learnt(weights: Any, biases: Any, inputs: Any, targets: Any) -> Answer:
        names = list(activations) * len(weights) if len(activations) == 1 else activations
        network = Network(Layer(w, b, f) for w, b, f in zip(weights, biases or [None] * len(weights), names))
        layers = backpropagation(network, Batch(inputs, targets), loss).layers
        answer = [[list(row) for row in g.weights] for g in layers], [list(g.biases or ()) for g in layers]
        slip(weights, inputs, answer)
        return answer

    return learnt


def no_slip(weights: Sequence[Numbers], inputs: Numbers, answer: Answer) -> None:
    pass


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
    found = counterexample(candidate(slip, declared.activations), declared, HALF_SSE)
    assert found is not None and found.name == "found by exploring"
    assert smallest(found) == expected


NARROW: dict[str, Any] = {"activations": ["tanh"], "sizes": [2, 1], "batch": 1}  # so that exploring takes little time


@pytest.fixture
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is found, all examples are tried."""
    monkeypatch.setattr(explore, "QUIET", settings(explore.QUIET, max_examples=30))


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

    found = counterexample(candidate(off_in_three_layers, ["tanh"]), Declared(("tanh",)), HALF_SSE, any_depth=True)
    assert found is not None and smallest(found) == ((1, 1, 1, 1), [0.0] * 6, NOTHING)


def test_what_is_found_is_in_the_report_under_the_convention_of_the_ladder() -> None:
    slipping = candidate(off_where_an_input_is_below_minus_two, ["tanh"])
    assert check(slipping, **NARROW).conforms
    report = check(slipping, explore=counterexample, **NARROW)
    assert report.verdict == "wrong" and not report.conforms
    assert [case.name for case in report.cases if not case.passed] == ["found by exploring"]
    assert "On 11 of 12 cases it returns the gradient of half" in str(report) and "inputs [[0, -3]]" in report.smallest


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


# The assertion and the plugin.

TEST_FILE = """
from hypothesis import given, strategies as st

def slope(weights, biases, inputs, targets):  # of half the squared error of y = w x, for a single sample
    (((w,),),), ((x,),), ((y,),) = weights, inputs, targets
    return [[[(w * x - y) * x]]]

def forgetful(weights, biases, inputs, targets):
    (((w,),),), ((x,),), ((y,),) = weights, inputs, targets
    return [[[w * x - y]]]

DECLARED = dict(activations=["identity"], loss="half_sse", sizes=[1, 1], biases=False, batch=1)
"""


def run_file(pytester: pytest.Pytester, body: str) -> pytest.RunResult:
    """Run a file of tests with the plugin, installed or not."""
    pytester.makepyfile(TEST_FILE + dedent(body))
    return pytester.runpytest_inprocess("-p", "no:purebp", "-p", "purebp.testing.plugin", "-p", "no:cacheprovider")


def test_conforming_gradients_pass_and_give_the_report(pytester: pytest.Pytester) -> None:
    result = run_file(
        pytester,
        """
        def test_it(assert_gradients_correct):
            assert assert_gradients_correct(slope, **DECLARED).verdict == "correct"

        @given(st.sampled_from([None, "gradients"]))
        def test_it_within_a_property(assert_gradients_correct, returns):
            assert_gradients_correct(slope, **DECLARED, returns=returns)
        """,
    )
    result.assert_outcomes(passed=2)


def test_the_message_of_a_failure_is_the_report_and_nothing_else(pytester: pytest.Pytester) -> None:
    result = run_file(
        pytester,
        """
        def test_it(assert_gradients_correct):
            assert_gradients_correct(forgetful, **DECLARED)
        """,
    )
    result.assert_outcomes(failed=1)
    names: dict[str, Any] = {}
    exec(TEST_FILE, names)
    report = check(names["forgetful"], **names["DECLARED"])
    shown = [line[1:].removeprefix(" " * 7) for line in result.outlines if line.startswith("E")]
    assert "\n".join(shown) == f"AssertionError: {report}"
    assert "wrong" in report.headline and "inputs" in report.smallest
    assert not [line for line in result.outlines if "assertions.py" in line or "check.py" in line]


@pytest.mark.usefixtures("briefly")
def test_the_assertion_needs_no_pytest() -> None:
    right, wrong = candidate(no_slip, ["tanh"]), candidate(no_slip, ["tanh"], "sse")
    assert assert_gradients_correct(right, loss="half_sse", explore=True, **NARROW).verdict == "correct"
    with pytest.raises(AssertionError) as caught:
        assert_gradients_correct(wrong, loss="half_sse", **NARROW)
    assert str(caught.value) == str(check(wrong, loss="half_sse", **NARROW))


def test_undecided_is_a_failure_that_says_so() -> None:
    with pytest.raises(AssertionError, match=r"undecided: the error budgets are too wide to tell(.|\n)*no evidence"):
        assert_gradients_correct(candidate(no_slip, ["sigmoid"]), loss="half_sse", format="bfloat16")


def test_what_is_declared_wrongly_is_no_failure_of_the_candidate() -> None:
    with pytest.raises(PurebpError, match="unknown loss"):
        assert_gradients_correct(candidate(no_slip, ["tanh"]), loss="mess")


def test_the_plugin_is_declared_as_an_entry_point() -> None:
    with open(ROOT / "pyproject.toml", "rb") as file:
        assert tomllib.load(file)["project"]["entry-points"]["pytest11"] == {"purebp": plugin.__name__}


def test_the_plugin_loads_neither_hypothesis_nor_numpy_nor_the_oracle() -> None:
    """It is loaded in every session of pytest, whatever is tested there."""
    program = "import sys, purebp.testing.plugin; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = ("hypothesis", "numpy", "purebp.oracle", "purebp.number_systems")
    assert [name for name in loaded.stdout.split() if name.startswith(heavy)] == []
