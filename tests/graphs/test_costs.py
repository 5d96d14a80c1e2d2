"""Losses as operations: fused and plain forms, targets, and what a sample is."""

from __future__ import annotations

import pytest

from purebp import Loss, PurebpError, graph, loss
from purebp.graph import (
    MSE,
    Cost,
    CrossEntropy,
    Input,
    Operation,
    Sigmoid,
    SigmoidBinaryCrossEntropy,
    Softmax,
    SoftmaxCrossEntropy,
    backward_graph,
    forward_graph,
)
from purebp.graphs.tensors import entries
from purebp.textbook.losses import LOSSES, REDUCTIONS
from tests.laws import assert_close

X, Y, A = Input("x", (None, 3)), Input("y", (3,)), Input("a")


@pytest.mark.parametrize("base", ["binary_cross_entropy", "cross_entropy"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_fused_and_plain_cost_agree_by_targets_and_outputs(base: str, reduction: str) -> None:
    """∂/∂z of the fused form is that through the activation, and ∂/∂y is the same."""
    y, z = Input("y"), Input("z")
    feed = {y: [[0.25, 0.75, 0.5], [1.0, 0.0, 0.125]], z: [[0.5, -1.0, 0.25], [2.0, 0.0, -0.5]]}
    activation, after = (Sigmoid, "sigmoid") if base[0] == "b" else (Softmax, "softmax")
    plain = backward_graph(Cost(y, activation(z), f"{base}/{reduction}"), feed)
    fused = backward_graph(Cost(y, z, f"{base}/{reduction}", after=after), feed)
    for x in (y, z):
        assert_close(entries(plain[x]), entries(fused[x]))


def test_the_fused_costs_do_not_overflow() -> None:
    y, z = Input("y"), Input("z")
    for cost in (SigmoidBinaryCrossEntropy(y, z), SoftmaxCrossEntropy(y, z)):
        gradients = backward_graph(cost, {y: [0.0, 1.0], z: [1000.0, -1000.0]})
        assert gradients.values[cost] in (1000.0, 2000.0)
        assert gradients[z] in ([0.5, -0.5], [1.0, -1.0])


def test_a_cross_entropy_is_told_what_a_sample_is() -> None:
    y, z = Input("y"), Input("z")
    for cost in (SoftmaxCrossEntropy(y, z), CrossEntropy(y, Softmax(z)), Cost(y, z, "half_sse/samples")):
        row = forward_graph(cost, {y: [[0.0, 1.0, 0.0]], z: [0.5, 1.1, 1.7]})[cost]
        assert row == forward_graph(cost, {y: [0.0, 1.0, 0.0], z: [0.5, 1.1, 1.7]})[cost] > 0
        for feed in ({y: [[0.0], [1.0], [0.0]], z: [0.5, 1.1, 1.7]}, {y: [0.0, 1.0, 0.0], z: [[0.5], [1.1], [1.7]]}):
            with pytest.raises(PurebpError, match="depends on what a sample is"):
                forward_graph(cost, feed)


def test_the_targets_of_a_loss_of_ones_own_have_no_gradient() -> None:
    own = Loss("own", "sum", lambda p, t, arithmetic: p * t * t, lambda p, t, arithmetic: t * t)
    gradients = backward_graph(Cost(Y, A, own), {Y: [1, 2, 3], A: [1, 1, 1]})
    assert gradients[A] == [1.0, 4.0, 9.0]
    with pytest.raises(PurebpError, match="targets is not known"):
        gradients[Y]


def test_a_vector_goes_with_a_column_and_never_becomes_a_square() -> None:
    """(n,) and (n, 1): n pairs, whichever of the two is the vector."""
    for targets, outputs in (([1, 2, 3], [[4], [6], [8]]), ([[1], [2], [3]], [4, 6, 8])):
        gradients = backward_graph(MSE(Y_ := Input("y"), A), {Y_: targets, A: outputs})
        assert gradients.values["MSE#3"] == pytest.approx((9 + 16 + 25) / 3)
        assert entries(gradients[A]) == pytest.approx([2.0, 8 / 3, 10 / 3])
        assert len(gradients[A]) == 3 and isinstance(gradients[A][0], list) == isinstance(outputs[0], list)


def test_a_cost_knows_its_loss() -> None:
    found = [each.loss for each in map(vars(graph).get, graph.__all__) if isinstance(each, Operation)]
    assert {row.name for row in found if row} == set(LOSSES)
    for row in ("half_sse/samples", "huber(0.5)/outputs", "cross_entropy"):
        for after in (None, "softmax"):
            operation = Cost(Y, A, row, after).operation
            assert operation and operation.loss == loss(row) and operation.activation is None
