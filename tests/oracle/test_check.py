"""`check`: layouts, manners, what is refused, and a report in every format."""

from __future__ import annotations

import json
import re
from functools import cache
from html.parser import HTMLParser
from itertools import count
from random import Random
from typing import Any, cast
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purebp import FLOAT, Batch, Gradients, PurebpError, backpropagation, transpose
from purebp.number_systems.ball import ball
from purebp.oracle import Report, check
from purebp.oracle.asking.declared import Declared
from purebp.oracle.cases import Case
from purebp.oracle.check import replayed
from purebp.oracle.explaining.catalogue import CATALOGUE
from purebp.oracle.explaining.recipe import planted, run
from purebp.oracle.reports import render
from tests.oracle.samples import SIGMOIDS, Candidate, Pair, flat, lists, lists_of, rebuilt, right


@pytest.mark.parametrize("weights", ["out_in", "in_out"])
@pytest.mark.parametrize("samples", ["rows", "columns"])
def test_layouts(weights: str, samples: str) -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        if weights == "in_out":
            w = [transpose(rows) for rows in w]
        if samples == "columns":
            x, y = transpose(x), transpose(y)
        gradients, offsets = right()(w, b, x, y)
        return [transpose(rows) for rows in gradients] if weights == "in_out" else gradients, offsets

    assert check(candidate, loss="mse", returns="gradients", weights=weights, samples=samples).verdict == "correct"


def test_a_single_sample_as_a_vector() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        assert isinstance(x[0], float)
        return right()(w, b, [x], [y])

    assert check(candidate, loss="mse", returns="gradients", batch=1, samples="vector").verdict == "correct"


@pytest.mark.parametrize("second", [True, False])
def test_without_biases_the_second_item_may_be_missing(second: bool) -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        assert b is None
        gradients, _ = right()(w, b, x, y)
        return (gradients, None) if second else gradients

    assert check(candidate, loss="mse", returns="gradients", biases=False).verdict == "correct"


def test_gradients_objects_are_understood() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Gradients:
        return backpropagation(rebuilt(w, b), Batch(x, y), "mse")

    assert check(candidate, loss="mse", returns="gradients").verdict == "correct"


def test_any_depth_of_one_activation() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        return right("mse", names=["tanh"] * len(w))(w, b, x, y)

    report = check(candidate, activations="tanh", loss="mse", returns="gradients")
    assert report.verdict == "correct"
    assert {len(case.sizes) for case in report.cases} == {2, 3, 4, 6, 10}


def test_one_layer_of_one_activation() -> None:
    report = check(right("mse", names=["tanh"]), activations="tanh", sizes=[3, 3], loss="mse", returns="gradients")
    assert report.verdict == "correct"
    assert {case.sizes for case in report.cases} == {(3, 3)}


def test_weights_that_are_read_row_by_row_are_told_where_columns_were_declared() -> None:
    report = check(right("mse"), loss="mse", returns="gradients", weights="in_out", sizes=[3, 3, 3])
    assert (report.verdict, report.conforms) == ("correct-under-convention", False)
    assert report.notes[0].startswith("It declares weights=in_out, and reads the numbers")


@pytest.mark.parametrize(
    ("shape", "words", "conforms"),
    [
        (lambda w, b: ([transpose(m) for m in w], b), "are transposed", False),
        (lambda w, b: [[[*row, c] for row, c in zip(*pair)] for pair in zip(w, b)], "the last column", True),
        (lambda w, b: ([[[c, *row] for row, c in zip(*pair)] for pair in zip(w, b)], None), "the first column", True),
        (lambda w, b: [transpose([[*row, c] for row, c in zip(*p)]) for p in zip(w, b)], "wrong", False),
        (lambda w, b: [[*m, [0.0] * len(m[0])] for m in w], "wrong", False),
    ],
)
def test_the_layout_of_an_answer_is_recognised(shape: Any, words: str, conforms: bool) -> None:
    report = check(lambda w, b, x, y: shape(*right()(w, b, x, y)), loss="mse", returns="gradients")
    assert report.conforms == conforms
    assert words in flat(report)
    if words != "wrong":
        assert report.verdict == "correct-under-convention"


def test_biases_as_a_row_of_weights_of_the_other_layout() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        gradients, offsets = right()([transpose(m) for m in w], b, x, y)
        return [[*transpose(m), v] for m, v in zip(gradients, offsets)]

    report = check(candidate, loss="mse", returns="gradients", weights="in_out")
    assert report.conforms and "the last row of the weights" in flat(report)


def test_biases_may_be_columns() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        gradients, offsets = right()(w, [[v for (v,) in column] for column in b], x, y)
        return gradients, [[[v] for v in row] for row in offsets]

    assert check(candidate, loss="mse", returns="gradients", biases="columns").verdict == "correct"


# Manners.


def test_what_a_candidate_prints_does_not_reach_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        print("epoch 1")
        return right()(w, b, x, y)

    report = check(candidate, loss="mse", returns="gradients")
    assert [finding.kind for finding in report.findings] == ["prints"]
    assert report.conforms and "epoch 1" in flat(report)
    assert capsys.readouterr().out == ""


def test_changed_arguments_are_a_finding() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        answer = right()(w, b, x, y)
        w[0][0][0] += 1.0
        return answer

    report = check(candidate, loss="mse", returns="gradients")
    assert [finding.kind for finding in report.findings] == ["changes its arguments"]
    assert "the weights" in report.findings[0].sentence


def test_gradients_that_pile_up_are_state() -> None:
    kept: dict[tuple[int, ...], list[float]] = {}

    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        network = rebuilt(w, b)
        gradients = backpropagation(network, Batch(x, y), "mse").parameters()
        old = kept.get(network.sizes, [0.0] * len(gradients))
        kept[network.sizes] = [p + q for p, q in zip(old, gradients)]
        return lists_of(network.with_parameters(kept[network.sizes]))

    report = check(candidate, loss="mse", returns="gradients")
    assert not report.conforms
    assert report.explanations[0].name == "not reset between calls"
    assert "never reset to 0" in flat(report)


def test_answers_by_chance_are_flaky() -> None:

    random = Random(1)
    report = check(lambda w, b, x, y: lists(backpropagation(rebuilt(w, b), Batch(x, y)), lambda g: g * random.random()))
    assert report.verdict == "flaky" and report.exit_status == 1


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (lambda w, b: None, "not understood", "it returns None"),
        (lambda w, b: (w, b, 1, 2), "not understood", "(weight_gradients, bias_gradients)"),
        (lambda w, b: (w[:1], b), "wrong number of layers", "weights for 1 layer, and is asked with 2"),
        (lambda w, b: ([transpose(m) for m in w], b), "wrong shape", "it is transposed"),
        (lambda w, b: (w, [[[0.0] * len(v)] * 5 for v in b]), "wrong shape", "has shape (5, 3), (1, 3) is wanted"),
        (lambda w, b: (w, [[0.0]] * 2), "wrong shape", "it is summed over all axes"),
        (lambda w, b: ([[[*row, 0.0] for row in m] for m in w], b), "wrong shape", "a column more, for the biases"),
        (lambda w, b: (w, [[float("nan")] * len(v) for v in b]), "NaN", "holds NaN"),
        (lambda w, b: ([[["x"] * len(row) for row in m] for m in w], b), "not understood", "a number is wanted"),
        (lambda w, b: ([[[1.0], [1.0, 2.0]]] * 2, b), "wrong shape", "ragged"),
        (lambda w, b: {"gradients": w}, "not understood", "the keys outputs, loss"),
        (lambda w, b: (w, None), "not understood", "no biases, but they were declared"),
    ],
)
def test_what_cannot_be_understood_is_said(answer: Any, kind: str, words: str) -> None:
    report = check(lambda w, b, x, y: answer(w, b), activations=SIGMOIDS, loss="mse", returns="gradients")
    assert report.verdict == "wrong" and report.exit_status == 1
    assert kind in [finding.kind for finding in report.findings]
    assert words in flat(report)


def test_gradients_that_are_not_summed_are_named() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        gradients = backpropagation(rebuilt(w, b), Batch(x, y), "mse")
        return lists(gradients)[0], [[list(row) for row in layer.deltas] for layer in gradients.layers]

    report = check(candidate, activations=SIGMOIDS, loss="mse", returns="gradients")
    assert "it is not summed over the samples" in flat(report)


def test_an_exception_shows_the_candidates_own_lines() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        return w["first"]

    report = check(candidate)
    assert report.verdict == "undecided" and report.score == 0
    assert "it raises TypeError" in flat(report) and 'return w["first"]' in flat(report)
    assert "candidate.py" not in flat(report)


def test_leaving_the_interpreter_is_an_exception_like_others() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        raise SystemExit(3)

    assert "it raises SystemExit" in flat(check(candidate))


# Bad declarations.


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"activations": ["sigmoyd"]}, "unknown activation"),
        ({"loss": "mean"}, "unknown loss"),
        ({"format": "binary33"}, "unknown format"),
        ({"weights": "columns"}, "weights='columns'"),
        ({"returns": "step"}, "needs the learning_rate"),
        ({"activations": SIGMOIDS, "sizes": [2, 3]}, "one width more than layers"),
        ({"sizes": "abc"}, "whole numbers above 0 are wanted"),
        ({"sizes": [2, 0, 1]}, "whole numbers above 0 are wanted"),
        ({"batch": 0}, "at least one"),
        ({"samples": "vector"}, "declare batch=1"),
        ({"activations": []}, "one for each layer"),
        ({"arrays": "cupy"}, "arrays='cupy'"),
        ({"returns": "step", "learning_rate": -1.0}, "a positive number"),
    ],
)
def test_declarations_that_cannot_be_are_refused(declared: dict[str, Any], words: str) -> None:
    with pytest.raises(PurebpError, match=re.escape(words)):
        check(right(), **declared)


def test_what_cannot_be_called_is_refused() -> None:
    with pytest.raises(PurebpError, match="cannot be asked"):
        check(3)  # type: ignore[arg-type]  # that is what is refused


# Reports.


@cache
def verdicts() -> list[Report]:
    return [
        check(right(), loss="mse", returns="gradients", name="right"),
        check(right("sse"), name="open"),
        check(right("mse", lambda n, m: 0.9), loss="mse", returns="gradients", name="<wrong> & “odd”"),
        check(lambda w, b, x, y: 1 / 0, name="raises\x00"),
    ]


def test_json_is_strict_and_says_the_same() -> None:
    for report in verdicts():
        data = json.loads(report.to_json(), parse_constant=lambda name: pytest.fail(name))
        assert data["verdict"] == report.verdict and data["conforms"] == report.conforms
        assert data["score"] == report.score and 0 <= report.score <= 1
        assert len(data["cases"]) == len(report.cases)


def test_junit_counts_what_failed() -> None:
    reports = verdicts()
    root = ElementTree.fromstring(render(reports, "junit"))
    suites = list(root)
    assert len(suites) == len(reports)
    for suite, report in zip(suites, reports):
        failures = suite.findall("testcase/failure")
        assert len(failures) == int(suite.attrib["failures"])
        assert (not failures) == report.conforms
        assert len(suite.findall("testcase")) == int(suite.attrib["tests"])
        if failures:
            assert failures[0].text is not None and report.headline.split(":")[1] in failures[0].text


def test_html_is_one_page_with_nothing_left_open() -> None:
    class Balance(HTMLParser):
        open: list[str] = []

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            if tag not in ("meta", "!doctype"):
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    page = render(verdicts(), "html")
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    assert page.count("<h1 ") == 4 and "&lt;wrong&gt; &amp;" in page


def test_the_text_begins_with_the_verdict() -> None:
    for report in verdicts():
        assert str(report).startswith(report.headline + "\n")
        assert not re.search(r"[ \t]+$", str(report), re.MULTILINE)


# Where nothing is declared.


@pytest.mark.parametrize(
    ("names", "loss", "conforms"),
    [(("tanh", "identity"), "mse", True), (("relu", "softmax"), "cross_entropy", True), (("tanh",), "half_sse", True)],
)
def test_right_code_is_found_right_where_nothing_is_declared(names: tuple[str, ...], loss: str, conforms: bool) -> None:
    report = check(right_of(names, loss), name="mine")
    assert report.conforms and report.verdict == ("correct-under-convention" if loss == "half_sse" else "correct")
    assert f"activations={names!r}" in report.notes[-1]


WITH_ARRAYS = """
import numpy as np

def gradients(w, b, x, y):
    first, second = w[0]{T}, w[1]{T}
    h = np.tanh(x @ first.T + b[0])
    delta = 2 * (h @ second.T + b[1] - y) / y.size
    below = (delta @ second) * (1 - h * h)
    return [(below.T @ x){T}, (delta.T @ h){T}], [below.sum(axis=0), delta.sum(axis=0)]
"""


@pytest.mark.parametrize(("turned", "found"), [("", []), (".T", ["weights='in_out'"])])
def test_right_code_with_arrays_is_found_right_where_nothing_is_declared(turned: str, found: list[str]) -> None:
    pytest.importorskip("numpy")
    module: dict[str, Any] = {}
    exec(WITH_ARRAYS.replace("{T}", turned), module)
    report = check(module["gradients"])
    assert report.verdict == "correct", str(report)
    assert all(words in report.notes[-1] for words in ["('tanh', 'identity')", "arrays='numpy'", *found])


def test_wrong_code_is_not_found_right_where_nothing_is_declared() -> None:
    names = ("tanh", "identity")

    def missing(w: Any, b: Any, x: Any, y: Any) -> Any:
        """Without f′ of the hidden layer."""
        recipe = planted(CATALOGUE["activation derivative missing"], {0})
        return lists(run(recipe, rebuilt(w, b, require(w, names)), Batch(x, y), "mse", FLOAT))

    report = check(missing)
    assert not report.conforms and report.exit_status == 1
    assert not check(right_of(names, "mse", lambda n, m: 0.9)).conforms
    assert not check(lambda w, b, x, y: (w, b)).conforms


def require(weights: Any, names: tuple[str, ...]) -> tuple[str, ...]:
    """The activations, for a candidate that has as many layers."""
    if len(weights) != len(names):
        raise ValueError(f"{len(names)} layers are wanted")
    return names


def right_of(names: tuple[str, ...], loss: str, factor: Any = lambda n, m: 1.0) -> Candidate:
    """Right code that has so many layers, and raises otherwise."""
    return lambda w, b, x, y: right(loss, factor, require(w, names))(w, b, x, y)


def test_what_is_declared_in_part_is_kept() -> None:
    report = check(right_of(("tanh", "identity"), "sse"), loss="mse", returns="gradients")
    assert not report.conforms and report.explanations[0].name == "factor n m"
    assert "activations=('tanh', 'identity')" in report.notes[-1] and "loss" not in report.notes[-1]


@pytest.mark.parametrize("explore", [True, "counterexample", 3])
def test_a_search_that_is_none_is_refused_with_the_advice(explore: Any) -> None:
    with pytest.raises(PurebpError, match="a search is wanted, such as purebp.testing.counterexample"):
        check(right(), explore=explore)


def test_a_case_that_is_found_by_a_search_is_judged_with_the_others() -> None:
    wide, tried = Declared(SIGMOIDS, "mse", sizes=(2, 4, 1)).ladder(), list[Any]()

    def search(candidate: Candidate, declared: Declared, convention: Any) -> Case:
        tried.append(convention)
        return wide[1]

    def off_if_wide(w: Any, b: Any, x: Any, y: Any) -> Any:
        return right("sse", (lambda n, m: 1.0 if len(w[0]) < 4 else 1.5))(w, b, x, y)

    report = check(off_if_wide, activations=SIGMOIDS, sizes=(2, 3, 1), explore=search)
    assert report.verdict == "wrong" and [case.passed for case in report.cases] == [True] * len(wide) + [False]
    assert [convention.loss_name for convention in tried] == ["sse"]
    again = check(off_if_wide, activations=SIGMOIDS, loss="mse", sizes=(2, 3, 1), explore=search)
    assert not again.conforms and len(tried) == 1  # what is not right has its failing case already
    assert check(right("sse"), activations=SIGMOIDS, explore=lambda *given: None).conforms


# Asked once more.


class Shuffled:
    """Right but for rounding: at each call, its answer is drawn from the budgets, made larger by a factor."""

    def __init__(self, reach: float, seed: int, factor: float = 1.0) -> None:
        self.reach, self.random, self.factor = reach, Random(seed), factor

    def __call__(self, weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        balls = backpropagation(rebuilt(weights, biases), Batch(inputs, targets), "half_sse", ball("binary64"))

        def drawn(b: Any) -> float:
            low, high = float(b.midpoint) - b.radius, float(b.midpoint) + b.radius
            middle, reach = (low + high) / 2, 0.99 * self.reach * (high - low) / 2
            return float(self.factor * (middle + self.random.uniform(-reach, reach)))

        return lists(cast(Gradients, balls), drawn)


@settings(max_examples=2)
@given(st.integers(0, 2**32))
def test_what_is_rounded_anew_at_each_call_is_correct(seed: int) -> None:
    declared: dict[str, Any] = {"activations": SIGMOIDS, "loss": "half_sse", "returns": "gradients"}
    report = check(Shuffled(1.0, seed), **declared)
    assert report.verdict == "correct" and report.conforms and not report.findings
    assert "Not reproducible bit by bit" in flat(report)
    assert "Not reproducible" not in flat(check(Shuffled(0.0, seed), **declared))
    assert check(Shuffled(1000.0, seed), **declared).verdict == "flaky"


def test_what_is_rounded_anew_and_wrong_is_named() -> None:
    report = check(Shuffled(0.4, 1, factor=-1.0), activations=SIGMOIDS, loss="half_sse", returns="gradients")
    assert report.verdict == "correct-under-convention" and report.explanations[0].name == "sign turned"
    assert "Not reproducible bit by bit" in flat(report) and not report.findings


def test_a_right_answer_that_is_off_when_asked_again_is_not_correct() -> None:
    cases, calls = len(Declared(SIGMOIDS).ladder()), count()
    candidate = right("mse", lambda n, m: 1.0 if next(calls) < cases else 1 + 1e-9)

    report = check(candidate, activations=SIGMOIDS, loss="mse", returns="gradients")
    assert not report.conforms and [finding.kind for finding in report.findings] == ["keeps state"]


def test_a_failure_that_is_not_seen_again_is_flaky() -> None:
    declared = Declared(SIGMOIDS, "mse", returns="gradients")
    ladder = declared.ladder()
    wrong = right("mse", lambda n, m: 0.9)
    report = check(wrong, activations=SIGMOIDS, loss="mse", returns="gradients")
    assert replayed(wrong, ladder, declared, report) == report
    again = replayed(right(), ladder, declared, report)
    assert (again.verdict, again.conforms) == ("flaky", False)
    assert again.findings[-1].kind == "flaky" and again.findings[-1].case == "one sample"
    hardly = right("mse", lambda n, m: 0.9 + 2.0**-54)  # rounded anew
    assert replayed(hardly, ladder, declared, report) == report
    fine = check(right(), activations=SIGMOIDS, loss="mse", returns="gradients")
    assert replayed(wrong, ladder, declared, fine) == fine  # nothing failed
