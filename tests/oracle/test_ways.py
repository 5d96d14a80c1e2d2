"""`check` takes a function, a class, an object or a module, finds out how it is asked, and says so."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from purebp import Batch, Layer, Network, PurebpError, backpropagation
from purebp.oracle import check
from purebp.testing import assert_gradients_correct
from tests.oracle.asking.test_limits import candidate


class Net:
    """Two layers, tanh and sigmoid, of half the sum of squares; `train` takes a step of its gradient."""

    sign = -1.0

    def __init__(self, n_in: int, n_hidden: int, n_out: int) -> None:
        self.weights = [[[0.0] * a for _ in range(b)] for a, b in ((n_in, n_hidden), (n_hidden, n_out))]
        self.biases = [[0.0] * n for n in (n_hidden, n_out)]

    def backprop(self, x: Any, y: Any) -> Any:
        layers = [Layer(w, b, f) for w, b, f in zip(self.weights, self.biases, ("tanh", "sigmoid"))]
        found = backpropagation(Network(layers), Batch(x, y), "half_sse").layers
        return [[list(row) for row in g.weights] for g in found], [list(g.biases or ()) for g in found]

    def train(self, x: Any, y: Any, rate: float) -> None:
        gradients, offsets = self.backprop(x, y)
        for rows, moves in zip([*self.weights, self.biases], [*gradients, offsets]):
            for row, moved in zip(rows, moves):
                row[:] = [w + self.sign * rate * g for w, g in zip(row, moved)]


class Uphill(Net):
    sign = 1.0


class Trains(Net):
    backprop = None  # type: ignore[assignment]  # it has a step alone

    def train(self, x: Any, y: Any, rate: float) -> None:
        own = Net(1, 1, 1)
        own.weights, own.biases = self.weights, self.biases
        own.train(x, y, rate)


class Forgets(Net):
    def backprop(self, x: Any, y: Any) -> Any:
        gradients, offsets = super().backprop(x, y)
        return gradients, [[2 * b for b in offsets[0]], *offsets[1:]]


def flat(x: Any, y: Any, w1: Any, w2: Any) -> Any:
    """Its arguments are in another order."""
    layers = [Layer(w, None, "sigmoid") for w in (w1, w2)]
    return [g.weights for g in backpropagation(Network(layers), Batch(x, y), "sse").layers]


def module(name: str, **members: Any) -> ModuleType:
    made = ModuleType(name)
    for key, value in members.items():
        if isinstance(value, type):
            value = type(key, (value,), {"__module__": name})
        else:
            value.__module__ = name
        setattr(made, key, value)
    return made


@pytest.mark.parametrize("given", [Net, Net(2, 3, 1), module("a_lesson", Net=Net)], ids=["class", "object", "module"])
def test_a_class_an_object_and_a_module_are_asked_as_they_are(given: Any) -> None:
    report = check(given)
    assert report.conforms and report.candidate.endswith(".backprop"), str(report)
    assert any("backprop(x, y) returns the gradients" in note for note in report.notes)
    assert any(".train is a right step" in note for note in report.notes)


def test_what_trains_is_judged_as_well() -> None:
    report = check(Uphill)
    assert not report.conforms and report.explanations[0].name == "sign turned"
    assert report.candidate == "Uphill.train" and "The gradients of Uphill.backprop are right." in report.notes


def test_wrong_gradients_are_named() -> None:
    report = check(Forgets)
    assert report.verdict == "wrong" and report.explanations[0].name == "factor 2 in ∂loss/∂b¹"


def test_a_function_is_asked_by_the_names_of_its_arguments() -> None:
    report = check(flat)
    assert report.conforms and "It is asked as functions: flat(x, y, w1, w2) returns the gradients." in report.notes


def test_one_line_in_a_suite_takes_a_class() -> None:
    assert assert_gradients_correct(Net, activations=("tanh", "sigmoid")).conforms
    with pytest.raises(AssertionError, match="sign turned"):
        assert_gradients_correct(Uphill)


def test_what_cannot_be_asked_is_an_error_that_says_what_is_wanted() -> None:
    with pytest.raises(
        PurebpError, match=r"cannot be asked: a function of \(weights, biases, inputs, targets\) is wanted"
    ):
        check(3)  # type: ignore[arg-type]  # that is what is tested


def test_what_goes_together_is_declared_together() -> None:
    """A step and its learning rate: neither is read without the other."""
    report = check(Trains, returns="step", learning_rate=0.5)
    assert report.conforms and report.candidate == "Trains.train"


def test_what_was_declared_is_kept() -> None:
    report = check(Net, activations=("tanh", "identity"))
    assert not report.conforms


def test_numbers_that_are_cut_are_not_called_wrong() -> None:
    """Right for whole numbers, and no other: it may be meant for those."""
    right = candidate(lambda network, batch: False)

    def cut(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
        return right(weights, biases, [[float(int(x)) for x in row] for row in inputs], targets)

    report = check(cut)
    assert (report.verdict, report.exit_status) == ("undecided", 5) and "--inputs whole" in report.notes[0]
    assert check(cut, inputs="whole").verdict == "correct"
