"""What is not declared is found by asking, in the plainest layout that is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from purebp import Activation, Batch, Layer, Network, activation, backpropagation
from purebp.oracle.answer import Answer, Finding
from purebp.oracle.asking.candidate import NoAnswer, ask
from purebp.oracle.asking.declared import Declared, declaration
from purebp.oracle.asking.guessing import HIDDEN, MOST_CRASHES, OUTPUT, PLAIN, guess
from purebp.oracle.cases import Case
from purebp.textbook.linalg import transpose

PYTHON = {name: value for name, value in PLAIN.items() if name != "biases"}


def right(*names: str, weights: str = "out_in", samples: str = "rows", loss: str | None = None) -> Callable[..., Any]:
    """Backpropagation in a layout, of as many layers as there are names; what is called otherwise raises."""

    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        turned: Callable[[Any], Any] = transpose if weights == "in_out" else list
        layers = [Layer(turned(rows), b and b[l], names[l]) for l, rows in enumerate(w)]
        if len(layers) != len(names):
            raise ValueError(f"{len(names)} layers are wanted")
        batch = Batch(transpose(x), transpose(y)) if samples == "columns" else Batch(x, y)
        cost = loss or ("cross_entropy" if names[-1] == "softmax" else "mse")
        found = backpropagation(Network(layers), batch, cost).layers
        return [turned(layer.weights) for layer in found], [layer.biases for layer in found]

    return candidate


def asking(candidate: Callable[..., Any]) -> Callable[[Case, Declared], Answer]:
    return lambda case, declared: ask(candidate, case, declared)


def names(found: dict[str, Any]) -> list[str]:
    return [f.name for f in found["activations"]]


@pytest.mark.parametrize("output", OUTPUT)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_the_usual_activations_are_found(hidden: str, output: str) -> None:
    guessed = guess(asking(right(hidden, output)), {**PYTHON, "biases": True})
    assert guessed.state == "found" and names(guessed.options) == [hidden, output]


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("weights", ["out_in", "in_out"])
@pytest.mark.parametrize("samples", ["rows", "columns"])
def test_depth_and_layout_are_found(depth: int, weights: str, samples: str) -> None:
    wanted = ("tanh",) * (depth - 1) + ("identity",)
    guessed = guess(asking(right(*wanted, weights=weights, samples=samples)), {})
    assert guessed.state == "found" and names(guessed.options) == list(wanted)
    assert (guessed.options["weights"], guessed.options["samples"]) == (weights, samples)


def test_the_other_loss_of_a_sigmoid_is_no_other_activation() -> None:
    candidate = right("relu", "sigmoid", loss="binary_cross_entropy")
    assert names(guess(asking(candidate), PYTHON).options) == ["relu", "sigmoid"]


@pytest.mark.parametrize("change", [lambda g: 3 * g, lambda g: -g, lambda g: g / 7])
def test_a_factor_and_a_sign_are_left_to_the_check(change: Callable[[float], float]) -> None:
    def candidate(*given: Any) -> Any:
        weights, biases = right("tanh", "identity")(*given)
        changed = [[[change(g) for g in row] for row in w] for w in weights]
        return changed, [[change(g) for g in row] for row in biases]

    guessed = guess(asking(candidate), PYTHON)
    assert guessed.state == "found" and names(guessed.options) == ["tanh", "identity"]


def test_what_is_declared_is_not_guessed() -> None:
    declared = {"activations": "tanh,identity", "weights": "in_out"}
    guessed = guess(asking(right("tanh", "identity", weights="in_out")), declared)
    assert guessed.options.keys() == {"samples", "biases", "arrays"} and guessed.shown == {}
    whole = {**declared, "samples": "rows", "biases": True, "arrays": None}
    assert (guess(asking(right("tanh", "identity")), whole).asked, guessed.asked) == (False, True)


def test_none_is_not_declared() -> None:
    given = {**PYTHON, "activations": None, "loss": None, "sizes": None, "batch": None, "returns": None}
    assert names(guess(asking(right("tanh", "identity")), given).options) == ["tanh", "identity"]


def test_a_single_activation_is_asked_in_two_layers() -> None:
    depths = set()

    def counts(case: Case, declared: Declared) -> Answer:
        depths.add(len(case.network.layers))
        return ask(right("relu", "relu"), case, declared)

    guess(counts, {"activations": activation("relu")})
    assert depths == {2}


def test_fixed_sizes_say_the_depth() -> None:
    guessed = guess(asking(right("tanh", "tanh", "identity")), {**PYTHON, "sizes": (2, 3, 2, 1)})
    assert names(guessed.options) == ["tanh", "tanh", "identity"]


@pytest.mark.parametrize("output", ["sigmoid", "identity", "tanh"])
def test_where_every_tensor_is_one_number_the_multiple_tells(output: str) -> None:
    """∂W = x ∂b of one sample, whatever the activation is."""
    guessed = guess(asking(right(output)), {**PYTHON, "biases": True, "sizes": (1, 1), "batch": 1})
    assert names(guessed.options) == [output]


@pytest.mark.parametrize("hidden", ["sigmoid", "relu"])
def test_softmax_is_found_of_one_sample_of_whole_numbers(hidden: str) -> None:
    """Most of the first cases have one output, of which softmax is 1 whatever is below it."""

    def bare(w: Any, _: None, x: Any, y: Any) -> Any:
        return right(hidden, "softmax")(w, None, x, y)[0]

    guessed = guess(asking(bare), {**PYTHON, "biases": False, "inputs": "whole", "batch": 1})
    assert names(guessed.options) == [hidden, "softmax"]


def test_a_library_that_is_imported_is_tried_first() -> None:
    pytest.importorskip("numpy")
    seen: list[str | None] = []

    def notes(case: Case, declared: Declared) -> Answer:
        seen.append(declared.arrays)
        return Answer(findings=(Finding("raises", "no", case.name),))

    guess(notes, {}, "import os\nimport numpy as np\n")
    assert seen[0] == "numpy" and None in seen


@pytest.mark.parametrize(
    ("kind", "most", "state"),
    [
        ("timeout", 1, "assumed"),
        ("malformed", 1, "assumed"),
        ("NaN", 1, "assumed"),
        ("crash", MOST_CRASHES + 1, "assumed"),
        ("skipped", 600, "assumed"),  # in every layout, and with no other widths
    ],
)
def test_what_no_layout_cures_is_not_asked_again_and_again(kind: str, most: int, state: str) -> None:
    asked = 0

    def fails(*given: Any) -> Any:
        nonlocal asked
        asked += 1
        raise NoAnswer(kind, "no", fatal=kind != "skipped")

    assert guess(asking(fails), {}).state == state
    assert asked == most if kind != "skipped" else 1 < asked < most


def test_what_answers_in_no_layout_is_lost_and_what_to_declare_is_said() -> None:
    guessed = guess(asking(lambda *given: 1 / 0), {})
    assert guessed.state == "lost"
    (cli,), (program,), (python,) = (guessed.notes(False, **how) for how in ({}, {"program": True}, {"python": True}))
    assert cli.endswith("--activations, --sizes, --weights, --samples, --batch, --no-biases or --arrays.")
    assert program.endswith("--activations, --sizes, --weights, --samples, --batch or --no-biases.")
    assert python.endswith("activations, sizes, weights, samples, batch, biases or arrays.")


def test_the_note_says_what_was_found_in_words_that_declare_it() -> None:
    guessed = guess(asking(right("tanh", "identity", weights="in_out")), {})
    assert list(guessed.notes(True)) == [
        "Not declared, and found by trying: --weights in_out --activations tanh,identity"
    ]
    (python,) = guessed.notes(False, python=True)
    said = "Not declared, and found by trying: weights='in_out', activations=('tanh', 'identity')"
    assert python == f"{said}. If that is not so, declare it."
    functions: tuple[Activation, ...] = declaration("activations", ("tanh", "identity"))
    assert guessed.shown == {"weights": "in_out", "activations": functions}
