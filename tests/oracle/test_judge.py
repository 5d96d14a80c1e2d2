"""`judge` and `diagnose`: one answer that is at hand, with nothing called."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purebp import Batch, Layer, Network, PurebpError, backpropagation
from purebp.oracle import diagnose, judge
from purebp.oracle.answer import tensor_name
from tests.strategies import Exercise, cases


@pytest.mark.parametrize("sizes", [[2, 4, 1], [3, 3, 1], [2, 3, 2], [2, 4, 2, 1], [2, 1]])
def test_gradients_of_another_network_are_no_answer(sizes: list[int]) -> None:
    network, batch = Network.random([2, 3, 1]), Batch([[0.5, 1.0]], [[1.0]])
    other = Network.random(sizes)
    claimed = backpropagation(other, Batch([[0.5] * sizes[0]], [[1.0] * sizes[-1]]))
    report = judge(network, batch, claimed)
    assert report.verdict == "wrong" and report.findings[0].kind in ("wrong shape", "wrong number of layers")
    with pytest.raises(PurebpError, match="not gradients of the network 2-3-1"):
        diagnose(network, batch, claimed)


@pytest.mark.parametrize("claimed", [None, {}, ([], []), {("weights", 5): [[1.0]]}])
def test_what_cannot_be_diagnosed_is_refused(claimed: Any) -> None:
    with pytest.raises(PurebpError, match="no Gradients"):
        diagnose(Network.random([2, 3, 1]), Batch([[0.5, 1.0]], [[1.0]]), claimed)


def test_where_the_budget_is_wider_than_the_numbers_nothing_is_decided() -> None:
    network = Network([Layer([[40.0]], None, "sigmoid"), Layer([[40.0]], None, "sigmoid")])
    batch = Batch([[1.0]], [[1.0]])
    report = judge(network, batch, backpropagation(network, batch), format="bfloat16")
    assert report.verdict == "undecided" and report.exit_status == 5 and not report.conforms


@given(cases(), st.data())
@settings(max_examples=5)  # each searches the catalogue
def test_one_number_that_is_off_is_the_worst(case: Exercise, data: st.DataObject) -> None:
    gradients = backpropagation(*case)
    assert judge(*case[:2], gradients, case.loss).verdict == "correct"
    weights = [[list(row) for row in layer.weights] for layer in gradients.layers]
    l = data.draw(st.integers(0, len(weights) - 1))
    i, j = (data.draw(st.integers(0, n - 1)) for n in (len(weights[l]), len(weights[l][0])))
    weights[l][i][j] += 0.125
    report = judge(*case[:2], {"weights": weights}, case.loss)
    assert report.worst is not None and not report.conforms and report.exit_status == 1
    assert (report.worst.tensor, report.worst.row, report.worst.column) == (tensor_name(("weights", l)), i, j)
    assert report.worst.given == weights[l][i][j]
    assert [tensor.wrong for tensor in report.tensors] == [int(tensor.layer == l) for tensor in report.tensors]


@given(cases())
@settings(max_examples=8)
def test_every_form_of_an_answer_is_judged_alike(case: Exercise) -> None:
    network, batch, loss = case
    gradients = backpropagation(*case)
    weights, biases = [layer.weights for layer in gradients.layers], [layer.biases for layer in gradients.layers]
    for claimed in (gradients, (weights, biases), {"weights": weights}):
        assert judge(network, batch, claimed, loss).verdict == "correct"
    turned = [[[-g for g in row] for row in rows] for rows in weights]
    any_gradient = any(g for rows in weights for row in rows for g in row)
    for returns, verdict in (("descent", "correct"), (None, "correct-under-convention"), ("gradients", None)):
        report = judge(network, batch, {"weights": turned}, loss, returns=returns)
        assert report.verdict == verdict or not any_gradient or (verdict is None and not report.conforms)


def test_the_name_and_the_format_are_in_the_report() -> None:
    network, batch = Network.random([2, 3, 1]), Batch([[0.5, 1.0]], [[1.0]])
    report = judge(network, batch, backpropagation(network, batch), format="binary32", name="mine")
    assert (report.candidate, report.format, report.cases[0].name) == ("mine", "binary32", "the case")
    assert report.cases[0].sizes == network.sizes and report.cases[0].samples == 1


def test_a_graph_is_no_network() -> None:
    from purebp.graph import Input

    with pytest.raises(PurebpError, match="check_graph asks"):
        judge(Input("x"), Batch([[1.0]], [[1.0]]), ([], None))  # type: ignore[arg-type]
