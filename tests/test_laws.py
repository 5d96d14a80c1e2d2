"""What holds for backpropagation whatever the network, the batch and the loss; `laws.py` says how it is checked."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given

from purebp import Batch, Layer, Loss, Network, backpropagation, evaluate, forward, numerical_gradients
from tests import laws
from tests.strategies import ACTIVATIONS, CORNERS, LOSSES, MARGIN, Exercise, Rows, cases, losses, matrices


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
def test_backpropagation(law: laws.Law) -> None:
    laws.hold(backpropagation, law, share=0.4 if law is laws.lies_within_the_error_of_richardson else 1.0)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_backpropagation_is_right_for_every_activation(name: str) -> None:
    laws.hold(backpropagation, laws.equals_the_complex_step, cases(with_activation=name), share=0.4)


@pytest.mark.parametrize("name", LOSSES)
def test_backpropagation_is_right_for_every_loss(name: str) -> None:
    laws.hold(backpropagation, laws.equals_the_complex_step, cases(losses_from=[name]), share=0.4)


@given(cases())
def test_no_case_lies_near_a_corner(case: Exercise) -> None:
    """The promise of the strategies, on which the laws above rely."""
    trace = forward(case.network, case.batch.inputs)
    errors = [[a - y for a, y in zip(*rows)] for rows in zip(trace.outputs, case.batch.targets)]
    for name, rows in [
        (case.loss.base, errors),
        *((layer.activation.name, z) for layer, z in zip(case.network.layers, trace.pre_activations)),
    ]:
        assert all(abs(x - corner) >= MARGIN for row in rows for x in row for corner in CORNERS.get(name, []))


@pytest.mark.parametrize(
    ("name", "below", "above"), [("relu", 0.0, 1.0), ("leaky_relu(0.25)", 0.25, 1.0), ("elu(0.5)", 0.5, 1.0)]
)
def test_finite_differences_are_wrong_at_a_kink(name: str, below: float, above: float) -> None:
    """They find the mean of the slopes on both sides, whatever the step; backpropagation takes that from below."""
    network, batch = Network([Layer([[1.0]], [0.0], name)]), Batch([[0.0]], [[-0.5]])
    assert backpropagation(network, batch, "sse").layers[0].biases == (below,)  # as ∂loss/∂ŷ = 2 (0 − (−½)) = 1
    for method in ("central", "richardson"):
        (found,) = numerical_gradients(network, batch, "sse", method).layers[0].biases or ()
        assert found == pytest.approx((below + above) / 2, abs=0.05)


@given(cases(losses_from=["sse", "half_sse", "mse", "half_mse"]))
def test_the_gradient_vanishes_where_nothing_is_wrong(case: Exercise) -> None:
    perfect = Batch(case.batch.inputs, forward(case.network, case.batch.inputs).outputs)
    gradients = backpropagation(case.network, perfect, case.loss)
    assert not any(gradients.parameters() + laws.deltas(gradients))


@given(cases())
def test_the_same_gives_the_same_bits(case: Exercise) -> None:
    assert repr(backpropagation(*case)) == repr(backpropagation(*deepcopy(case)[:2], case.loss))


@given(matrices(3, 2), matrices(3, 2), losses())
def test_nothing_given_is_changed(inputs: Rows, targets: Rows, loss: Loss) -> None:
    network, given_ = Network.random([2, 3, 2], "sigmoid", seed=1), (deepcopy(inputs), deepcopy(targets))
    before = deepcopy(network)
    forward(network, inputs)
    batch = Batch(inputs, targets)
    backpropagation(network, batch, loss)
    evaluate(network, batch, loss)
    assert (inputs, targets, network) == (*given_, before)
    inputs[0][0] += 1
    assert batch.inputs[0][0] == given_[0][0][0]  # a batch is a copy
