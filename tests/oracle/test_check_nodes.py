"""`check_nodes`: right classes pass, however they are written; of wrong ones class and method are named, and the mistake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purebp.oracle import Report
from purebp.oracle.asking.candidate import NoAnswer
from purebp.oracle.asking.nodes import Nodes, nodes_in
from purebp.oracle.check_nodes import check_nodes
from tests.oracle.learners import EDITS, FLOW, LAYERS, RIGHT, SHARED, VALUE, Edit, namespace_of

NUMPY = pytest.importorskip("numpy")


def found(source: str, old: str = "", new: str = "") -> Nodes:
    nodes = nodes_in(namespace_of(source, old, new))
    assert nodes is not None
    return nodes


def checked(source: str, old: str = "", new: str = "", seed: int = 0) -> Report:
    return check_nodes(found(source, old, new), "mine", seed=seed)


@pytest.mark.parametrize("source", RIGHT.values(), ids=RIGHT)
def test_right_classes_are_correct(source: str) -> None:
    report = checked(source)
    assert (report.verdict, report.conforms) == ("correct", True), str(report)
    assert not report.explanations and not report.findings
    assert report.cases and all(case.passed for case in report.cases)
    assert report.tensors and not any(tensor.wrong for tensor in report.tensors)


@pytest.mark.parametrize("source", [FLOW, VALUE, LAYERS, SHARED])
@given(seed=st.integers(1, 10**6))
@settings(max_examples=2, deadline=None)
def test_right_classes_are_correct_on_any_numbers(source: str, seed: int) -> None:
    report = checked(source, seed=seed)
    assert report.verdict == "correct", str(report)


EVERY = [(RIGHT[kind], edit) for kind, edits in EDITS.items() for edit in edits]


@pytest.mark.parametrize(("source", "edit"), EVERY, ids=[f"{edit[2]} {edit[1][:30]!r}" for _, edit in EVERY])
def test_of_a_wrong_class_the_method_is_named_and_the_mistake(source: str, edit: Edit) -> None:
    old, new, method, mistake = edit
    report = checked(source, old, new)
    assert (report.verdict, report.conforms, report.exit_status) == ("wrong", False, 1), str(report)
    (explanation,) = report.explanations
    assert explanation.name.startswith(method) and mistake in explanation.name
    assert report.headline == f"mine: wrong: {explanation.name}"
    assert method.rstrip(".") in explanation.sentence


def test_the_classes_that_are_right_are_listed_beside_the_wrong_one() -> None:
    old, new, *_ = EDITS["nodes"][6]
    report = checked(FLOW, old, new)
    assert "Right: Input, Sigmoid, Add, MSE." in report.notes
    assert any(note.startswith("Not judged before that is mended: a network of") for note in report.notes)


def test_several_wrong_classes_are_all_named_and_the_simplest_is_explained() -> None:
    source = FLOW.replace("np.sum(grad, axis=0)", "np.mean(grad, axis=0)").replace("-2 / self.m", "2 / self.m")
    report = checked(source)
    assert report.explanations[0].name == "Linear.backward: bias gradient averaged"
    assert "Wrong as well: MSE." in report.notes


def test_a_factor_that_another_class_makes_good_is_no_mistake_and_is_said() -> None:
    report = checked(SHARED)
    assert any("MSELoss.backward alone" in note and "factor n" in note for note in report.notes)
    alone = checked(SHARED, "self.d ** 2) / len(target)", "self.d ** 2)")
    assert alone.verdict == "wrong"


def test_a_loss_that_is_right_for_one_output_alone_is_no_mistake_and_is_said() -> None:
    report = checked(FLOW)
    assert "MSE: with several outputs, backward is not the gradient of forward; with one it is." in report.notes


@pytest.mark.parametrize(
    ("old", "new", "known"),
    [("np.mean(self.diff ** 2)", "0.5 * np.sum(self.diff ** 2)", "half_sse"), ("2 / self.m", "2 / self.m", "mse")],
)
def test_the_loss_is_the_one_that_forward_computes(old: str, new: str, known: str) -> None:
    source = FLOW
    if known == "half_sse":
        source = source.replace("-2 / self.m * self.diff", "-self.diff").replace("2 / self.m * self.diff", "self.diff")
    nodes = found(source, old, new)
    assert f"MSE ({known})" in nodes.sentence
    assert check_nodes(nodes, "mine").verdict == "correct"


def test_gradients_of_targets_need_not_be_given() -> None:
    report = checked(
        FLOW,
        "self.gradients[self.inbound_nodes[0]] = 2 / self.m * self.diff",
        "self.gradients[self.inbound_nodes[0]] = 0",
    )
    assert report.verdict == "correct"


def test_all_user_code_of_a_trial_runs_through_call() -> None:
    labels = []

    def call(label: str, thunk: Callable[[], Any]) -> Any:
        labels.append(label)
        return thunk()

    assert check_nodes(found(FLOW), "mine", call=call).conforms
    assert {"Input, alone", "Sigmoid, used twice", "Linear, run a second time"} <= set(labels)


def test_what_call_refuses_is_said_of_the_class() -> None:
    def late(label: str, thunk: Callable[[], Any]) -> Any:
        if label.startswith("Sigmoid"):
            raise NoAnswer("timeout", "Sigmoid.forward has not answered after 1 second")
        return thunk()

    report = check_nodes(found(FLOW), "mine", call=late)
    assert not report.conforms and "Sigmoid" in report.explanations[0].name


def test_what_is_raised_is_a_sentence_with_the_line() -> None:
    report = checked(FLOW, "np.sum(grad, axis=0)", "np.sum(grad, axis=7)")
    assert report.explanations[0].name == "Linear.backward: raises AxisError"
    line = FLOW[: FLOW.index("np.sum(grad, axis=0)")].count("\n") + 1
    assert report.explanations[0].sentence.endswith(f"in line {line}.")


def test_what_is_printed_is_a_finding_and_no_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    report = checked(FLOW, "self.diff = y - a", "self.diff = y - a\n        print('error', self.diff)")
    assert report.conforms and [finding.kind for finding in report.findings] == ["prints"]


def test_the_text_names_class_and_method() -> None:
    old, new, *_ = EDITS["values"][0]
    text = str(checked(VALUE, old, new))
    assert text.startswith("mine: wrong: Value.__add__: overwritten instead of accumulated")
    assert "+= in place of =" in text
