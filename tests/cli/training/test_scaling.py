"""The scaling, and that it folds away."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import Network, PurebpError, forward
from purebp.cli.training.scaling import Scaling, fold, standardisation, unfold
from tests.cli.training.matrices import matrices


@st.composite
def scalings_of(draw: st.DrawFn, columns: int) -> Scaling:
    shift = draw(st.lists(st.floats(-100, 100), min_size=columns, max_size=columns))
    scale = draw(st.lists(st.floats(0.01, 100), min_size=columns, max_size=columns))
    return Scaling(tuple(shift), tuple(scale))


@given(matrices())
def test_standardised_columns_have_mean_0_and_deviation_1_or_0(rows: list[list[float]]) -> None:
    for raw, column in zip(zip(*rows), zip(*standardisation(rows).apply(rows))):
        mean = math.fsum(column) / len(column)
        deviation = math.sqrt(math.fsum((x - mean) ** 2 for x in column) / len(column))
        spread = (max(raw) - min(raw)) / max(map(abs, (*raw, 1e-300)))
        if spread == 0:
            assert set(column) == {0.0}
        elif spread > 1e-6:
            assert mean == pytest.approx(0, abs=1e-8) and deviation == pytest.approx(1)


@pytest.mark.parametrize("column", [[0.1] * 7, [1e308, -1e308], [5e-324, 0.0], [1.0, math.nextafter(1.0, 2.0)]])
def test_extreme_columns_have_a_scale_that_can_be_divided_by(column: list[float]) -> None:
    scaling = standardisation([[x] for x in column])
    assert 0 < scaling.scale[0] < math.inf and 0 < 1 / scaling.scale[0] < math.inf


@given(st.data(), st.sampled_from(["tanh", "relu", "identity", "sigmoid"]), st.booleans(), st.integers(0, 2))
def test_the_folded_network_on_raw_data_is_the_network_on_scaled_data(
    data: st.DataObject, activation: str, biases: bool, hidden: int
) -> None:
    n_in, n_out = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    names = [*[activation] * hidden, "identity"]
    network = Network.random([n_in, *[4] * hidden, n_out], names, seed=1, biases=biases)
    inputs, outputs = data.draw(scalings_of(n_in)), data.draw(scalings_of(n_out))
    rows = data.draw(st.lists(st.lists(st.floats(-100, 100), min_size=n_in, max_size=n_in), min_size=1, max_size=4))
    expected = outputs.inverse().apply(forward(network, inputs.apply(rows)).outputs)
    folded = forward(fold(network, inputs, outputs), rows).outputs
    size = max(map(max, [[abs(x) for row in rows for x in row], map(abs, inputs.shift)])) / min(inputs.scale)
    for row, other in zip(expected, folded):
        for x, y, s, m in zip(row, other, outputs.scale, outputs.shift):
            assert x == pytest.approx(y, abs=1e-12 * (s * (1 + 10 * size) + abs(m)))


@given(st.data())
def test_unfold_undoes_fold(data: st.DataObject) -> None:
    network = Network.random([2, 3, 1], ["tanh", "identity"], seed=data.draw(st.integers(0, 9)))
    inputs, outputs = data.draw(scalings_of(2)), data.draw(scalings_of(1))
    back = unfold(fold(network, inputs, outputs), inputs, outputs)
    spread = 1 + max(map(abs, (*inputs.shift, *outputs.shift))) / min(*inputs.scale, *outputs.scale)
    assert network.parameters() == pytest.approx(back.parameters(), abs=1e-13 * spread)


def test_powers_of_two_fold_without_rounding() -> None:
    network, scaling = Network.random([3, 2], "softmax", seed=3), Scaling((0.0,) * 3, (16.0,) * 3)
    assert network == unfold(fold(network, scaling), scaling)


def test_scaled_outputs_need_an_identity_layer() -> None:
    with pytest.raises(PurebpError, match="identity only"):
        fold(Network.random([1, 1], "tanh"), Scaling((0.0,), (1.0,)), Scaling((0.0,), (2.0,)))
