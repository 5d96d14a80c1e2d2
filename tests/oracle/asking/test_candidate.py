"""Asking a function: every form of an answer is the same claim, and what is none is a finding."""

from __future__ import annotations

from functools import partial, wraps
from typing import Any

import pytest

from purebp import backpropagation, evaluate, forward
from purebp.oracle.answer import Answer, as_claim
from purebp.oracle.asking.candidate import LAYOUTS, NoAnswer, ask, called, imported_by, named_tensors, quoted
from purebp.oracle.asking.declared import Declared
from purebp.textbook.linalg import transpose

DECLARED = Declared(["tanh", "identity"])
CASE = DECLARED.ladder()[2]
RIGHT = backpropagation(CASE.network, CASE.batch)
PAIR = [layer.weights for layer in RIGHT.layers], [layer.biases for layer in RIGHT.layers]


def answers(answer: Any, declared: Declared = DECLARED) -> Answer:
    return ask(lambda *given: answer, CASE, declared)


@pytest.mark.parametrize(
    "answer",
    [
        PAIR,
        list(PAIR),
        {"weights": PAIR[0], "biases": PAIR[1]},
        (PAIR[0], [[[x] for x in row or ()] for row in PAIR[1]]),
        (PAIR[0], [[row] for row in PAIR[1]]),
    ],
)
def test_every_form_is_the_same_claim(answer: Any) -> None:
    assert answers(answer) == Answer({key: [list(row) for row in rows] for key, rows in as_claim(RIGHT).items()})


def test_gradients_hold_their_deltas_whatever_layout_is_declared() -> None:
    turned = Declared(["tanh", "identity"], weights="in_out", samples="columns")
    claims = [answers(RIGHT, declared).claim for declared in (DECLARED, turned)]
    assert claims[0] == claims[1] and ("deltas", 1) in claims[0]


def test_a_dictionary_may_hold_every_quantity() -> None:
    outputs = forward(CASE.network, CASE.batch.inputs).outputs
    value = evaluate(CASE.network, CASE.batch)
    deltas = [transpose(layer.deltas) for layer in RIGHT.layers]
    declared = Declared(["tanh", "identity"], weights="in_out", samples="columns")
    said = {
        "outputs": transpose(outputs),
        "loss": [[value]],
        "deltas": deltas,
        "weights": list(map(transpose, PAIR[0])),
        "biases": None,
    }
    claim = answers(said, declared).claim
    assert claim["outputs", -1] == list(map(list, outputs)) and claim["loss", -1] == [[value]]
    assert claim["weights", 0] == list(map(list, PAIR[0][0])) and ("biases", 0) not in claim
    assert claim["deltas", 0] == list(map(list, RIGHT.layers[0].deltas))


OUTPUTS = forward(CASE.network, CASE.batch.inputs).outputs


@pytest.mark.parametrize("answer", [(*PAIR, OUTPUTS), (OUTPUTS, *PAIR), [OUTPUTS, *PAIR]])
def test_outputs_may_stand_before_the_gradients_or_behind_them(answer: Any) -> None:
    claim = answers(answer).claim
    assert claim["outputs", -1] == list(map(list, OUTPUTS))
    assert {key: rows for key, rows in claim.items() if key[0] != "outputs"} == answers(PAIR).claim


def test_outputs_beside_columns_and_without_biases() -> None:
    declared = Declared(["tanh", "identity"], biases="columns", samples="columns")
    columns = [[[x] for x in row or ()] for row in PAIR[1]]
    for answer in ((PAIR[0], columns, transpose(OUTPUTS)), (transpose(OUTPUTS), PAIR[0], columns)):
        assert answers(answer, declared).claim == answers((*PAIR, OUTPUTS)).claim
    bare = Declared(["tanh", "identity"], biases=False)
    case = bare.ladder()[2]
    weights, outputs = PAIR[0], forward(case.network, case.batch.inputs).outputs
    forms: list[Any] = [(weights, None, outputs), (outputs, weights, None)]
    for answer in forms:
        keys = ask(lambda *given, answer=answer: answer, case, bare).claim.keys()
        assert keys == {("outputs", -1), ("weights", 0), ("weights", 1)}


def test_three_that_are_no_gradients_and_outputs_are_refused() -> None:
    assert [finding.kind for finding in answers((PAIR[1], PAIR[1], OUTPUTS)).findings] == ["not understood"]
    transposed = answers((*PAIR, transpose(OUTPUTS))).findings
    assert "ŷ has shape (2, 3), (3, 2) is wanted: it is transposed" in transposed[0].sentence


@pytest.mark.parametrize(("given", "told"), [((2, 3), "(2, 1) is wanted: it is not summed"), ((2, 2), "(2, 1) is")])
def test_biases_declared_as_columns_are_wanted_as_columns(given: tuple[int, int], told: str) -> None:
    declared = Declared(["tanh", "identity"], biases="columns")
    wide = [[[1.0] * given[1]] * given[0], [[1.0]] * 2]
    (finding,) = answers((PAIR[0], wide), declared).findings
    assert f"∂loss/∂b¹ has shape {given}, {told}" in finding.sentence
    assert answers(PAIR, declared).claim == answers(PAIR).claim  # vectors will do


def test_without_biases_the_weights_alone_are_an_answer() -> None:
    declared = Declared(["tanh", "identity"], biases=False)
    case = declared.ladder()[2]
    right = backpropagation(case.network, case.batch)
    weights = [layer.weights for layer in right.layers]
    forms: list[Any] = [weights, (weights, None), (weights, [])]
    for answer in forms:
        claim = ask(lambda *given, answer=answer: answer, case, declared).claim
        assert claim.keys() == {("weights", 0), ("weights", 1)}


@pytest.mark.parametrize("name", LAYOUTS)
def test_another_layout_is_read_as_what_is_meant(name: str) -> None:
    weights, biases = [[list(row) for row in w] for w in PAIR[0]], [list(b or ()) for b in PAIR[1]]
    said: dict[str, Any] = {
        "the gradients of the weights are transposed": ([transpose(w) for w in weights], biases),
        "the layers are in reverse order": (weights[::-1], biases[::-1]),
        "the biases are the last column of the weights": [
            [[*row, x] for row, x in zip(*layer)] for layer in zip(weights, biases)
        ],
        "the biases are the first column of the weights": [
            [[x, *row] for row, x in zip(*layer)] for layer in zip(weights, biases)
        ],
        "the biases are the last row of the weights": [
            transpose([[*row, x] for row, x in zip(*layer)]) for layer in zip(weights, biases)
        ],
        "the biases are the first row of the weights": [
            transpose([[x, *row] for row, x in zip(*layer)]) for layer in zip(weights, biases)
        ],
    }
    read = LAYOUTS[name](said[name])
    declared = Declared(["tanh", "identity"], weights="in_out") if name.endswith("row of the weights") else DECLARED
    assert answers(read, declared).claim == answers(PAIR).claim


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        ({}, "not understood", "it returns a dictionary with []"),
        ({"weights": None}, "not understood", "a dictionary in which everything is None"),
        ({"deltas": [[[1.0]]]}, "wrong number of layers", "its deltas are not one matrix for each layer"),
        ({"loss": None}, "not understood", "loss holds None"),
        ({"outputs": [[1.0]]}, "wrong shape", "ŷ has shape (1, 1), (3, 2) is wanted: it is summed over all axes"),
        ((5, 5), "not understood", "its weights are 5: a list with one item per layer is wanted"),
        (([None, None], PAIR[1]), "not understood", "∂loss/∂W¹ is None: numbers are wanted"),
        (([[], []], PAIR[1]), "wrong shape", "∂loss/∂W¹ is []: a matrix of numbers is wanted"),
        ((PAIR[0], [[float("inf")] * 2, ["1"] * 2]), "not understood", "∂loss/∂b² holds '1'"),
    ],
)
def test_what_is_no_answer_is_a_finding(answer: Any, kind: str, told: str) -> None:
    (finding,) = answers(answer).findings
    assert (finding.kind, finding.case, finding.fatal) == (kind, CASE.name, True) and told in finding.sentence


def test_a_candidate_may_say_itself_that_it_has_no_answer() -> None:
    def skips(*given: Any) -> Any:
        raise NoAnswer("skipped", "no tanh", fatal=False)

    (finding,) = ask(skips, CASE, DECLARED).findings
    assert (finding.kind, finding.sentence, finding.fatal) == ("skipped", "no tanh", False)


def test_what_is_printed_and_changed_is_remarked_beside_the_claim(capsys: pytest.CaptureFixture[str]) -> None:
    def careless(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
        print("epoch 1\nepoch 2")
        weights[0][0][0], targets[0][0] = 7.0, 7.0
        return PAIR

    answer = ask(careless, CASE, DECLARED)
    assert [(finding.kind, finding.fatal) for finding in answer.findings] == [
        ("prints", False),
        ("changes its arguments", False),
    ]
    assert (
        "'epoch 1'" in answer.findings[0].sentence and "the weights, targets it is given" in answer.findings[1].sentence
    )
    assert answer.claim == answers(PAIR).claim and capsys.readouterr().out == ""


def test_arguments_may_have_any_names() -> None:
    given: dict[str, Any] = {"feed": {"x": [[1.0]]}}

    def changes(feed: dict[str, Any]) -> Any:
        feed["x"] = 2.0
        return {"x": 3.0}

    wanted = {"x": (("x", 0), (1, 1)), "v": (("v", 0), (3,))}
    answer = called(changes, given, "a case", lambda said: named_tensors(said, wanted))
    assert answer.claim == {("x", 0): [[3.0]]}
    assert "it changes the feed" in answer.findings[0].sentence


def test_tensors_are_known_by_their_names() -> None:
    wanted = {"W": (("W", 0), (2, 3)), "v": (("v", 0), (3,)), "c": (("c", 0), ())}
    column = [[1.0], [2.0], [3.0]]
    assert named_tensors({"v": column, "c": 4.0}, wanted) == {("v", 0): [[1.0, 2.0, 3.0]], ("c", 0): [[4.0]]}
    for answer, told in (({}, "known are 'W', 'v', 'c'"), ({"w": 1.0}, "it returns 'w'"), ({"W": [[1.0]]}, "(2, 3)")):
        with pytest.raises(NoAnswer) as none:
            named_tensors(answer, wanted)
        assert told in str(none.value)


def test_what_is_quoted_stays_on_one_short_line() -> None:
    assert "\n" not in quoted("a\nb" * 100) and len(quoted("a" * 100)) == 62
    assert quoted([1]) == "'[1]'"


def imports_numpy(weights: Any) -> Any:
    import numpy  # type: ignore[import-not-found, unused-ignore]

    return numpy.asarray(weights)


def imports_torch(weights: Any) -> Any:
    import torch  # type: ignore[import-not-found, unused-ignore]

    return torch.tensor(weights)


class Importing:
    def __call__(self, weights: Any) -> Any:
        import numpy

        return numpy.asarray(weights)


@wraps(imports_numpy)
def wrapped(*given: Any) -> Any:
    return imports_numpy(*given)


@pytest.mark.parametrize(
    ("candidate", "library"),
    [
        (imports_numpy, "numpy"),
        (partial(imports_numpy, []), "numpy"),
        (wrapped, "numpy"),
        (partial(wrapped), "numpy"),
        (Importing(), "numpy"),
        (Importing().__call__, "numpy"),
        (imports_torch, "torch"),
    ],
)
def test_what_a_function_imports_is_seen_through_what_wraps_it(candidate: Any, library: str) -> None:
    assert imported_by(candidate) == f"import {library}\n"


def test_what_has_no_code_imports_nothing() -> None:
    assert imported_by(sorted) == imported_by(list) == imported_by(partial(max, 3)) == ""
