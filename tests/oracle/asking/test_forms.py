"""Forms: parameters are found in whatever layout they are kept, set, and read back."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from purebp.oracle.asking.calling import Call, CannotCall, Known, performed
from purebp.oracle.asking.forms import forms
from purebp.oracle.asking.leaves import leaves
from purebp.oracle.asking.making import Hints, calls_in, hints
from purebp.oracle.asking.placing import places
from purebp.oracle.asking.roles import kind_of, role
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.linalg import transpose

WEIGHTS = [[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[7.0, 8.0, 9.0], [10.0, 11.0, 12.0]]]
BIASES = [[0.1, 0.2, 0.3], [0.4, 0.5]]


class Kept:
    """Matrices in a layout."""

    def __init__(self, turned: bool, biases: str, listed: bool) -> None:
        sizes = (2, 3, 2)
        pairs = [(n_out, n_in + (biases == "inside")) for n_in, n_out in zip(sizes, sizes[1:])]
        rows = [[[0.0] * b for _ in range(a)] for a, b in pairs]
        matrices = [transpose(w) if turned else w for w in rows]
        offsets: Any = {"vector": lambda n: [0.0] * n, "column": lambda n: [[0.0]] * n, "row": lambda n: [[0.0] * n]}
        if listed:
            self.weights = matrices
            if biases in offsets:
                self.biases = [
                    list(map(list, offsets[biases](n))) if biases != "vector" else [0.0] * n for n in sizes[1:]
                ]
            return
        self.W2, self.W1 = matrices[1], matrices[0]  # in any order: the numbers tell
        if biases in offsets:
            for name, n in zip(("b1", "b2"), sizes[1:]):
                setattr(self, name, [list(x) if isinstance(x, list) else x for x in offsets[biases](n)])


@pytest.mark.parametrize(
    ("turned", "biases", "listed"),
    list(product([False, True], ["", "vector", "column", "row", "inside"], [False, True])),
)
def test_what_is_written_is_read_back(turned: bool, biases: str, listed: bool) -> None:
    kept = Kept(turned, biases, listed)
    found = [place for place in places(leaves(kept), (2, 3, 2)) if place.turned == turned]
    assert found and {place.biased for place in found} == {bool(biases)}
    for place in found:
        place.write(WEIGHTS, BIASES if biases else [])
        weights, offsets = place.read()
        assert weights == WEIGHTS and (offsets == BIASES if biases else not any(offsets))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["x", "X_train", "inputs", "inputs_list", "features", "trainingInputs"], "inputs"),
        (["y", "targets", "expected", "labels", "y_true", "training_set_outputs"], "targets"),
        (["lr", "learning_rate", "eta", "alpha", "l_rate", "learningRate"], "rate"),
        (["epochs", "iterations", "n_iter", "num_iterations"], "epochs"),
        (["y_hat", "o", "output", "predictions"], "outputs"),
        (["spam", "hidden", "w1", "b"], ""),
    ],
)
def test_names_of_parameters_have_the_usual_meaning(names: list[str], expected: str) -> None:
    assert {name: role(name) for name in names} == dict.fromkeys(names, expected)


def test_gradients_are_no_weights() -> None:
    assert [kind_of(name) for name in ("W1", "weights_ih", "syn0", "theta1", "who")] == ["weights"] * 5
    assert [kind_of(name) for name in ("dW1", "nabla_w", "grad_weights", "delta_w", "db1")] == ["gradients"] * 5
    assert [kind_of(name) for name in ("vW1", "weights_momentum", "prev_w")] == ["kept"] * 3


def test_who_wants_what_nobody_knows_is_not_called() -> None:
    def backward(x: Any, y: Any, spam: Any, eggs: Any) -> None:
        raise AssertionError

    with pytest.raises(CannotCall, match="spam is wanted"):
        performed([Call("backward", backward)], Known([[1.0]], [[1.0]]))


@pytest.mark.parametrize("text", ["", "x", "f(x", "f(x).g()", "f(1 + x)"])
def test_calls_that_are_none_are_said(text: str) -> None:
    with pytest.raises(PurebpError, match="are no calls of methods"):
        calls_in(text)


class Odd:
    """Its methods have names that nobody would look for."""

    def __init__(self, n_in: int, n_out: int) -> None:
        self.spam, self.rows = [[0.0] * n_in for _ in range(n_out)], [[0.0] * n_in for _ in range(n_out)]

    def eggs(self, x: Any, y: Any) -> Any:
        errors = [sum(w * v for w, v in zip(row, x)) - t for row, t in zip(self.spam, y)]
        return [[e * v for v in x] for e in errors]


def test_what_cannot_be_seen_can_be_declared() -> None:
    assert not list(forms({"Odd": Odd}))
    told = hints({"class": "Odd", "weights_in": "spam", "call": "eggs(x, y)"})
    assert told == Hints("Odd", ("spam",), (), (("eggs", ("x", "y")),))
    (form, *_) = [form for form in forms({"Odd": Odd}, told) if form.options["samples"] == "vector"]
    assert form.name == "Odd.eggs" and "weights spam" in form.sentence
