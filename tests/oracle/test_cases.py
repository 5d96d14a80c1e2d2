"""The ladder: small cases first, whose numbers are exact, and in which every mistake can show."""

from __future__ import annotations

import pytest

from purebp import (
    backpropagation,
    forward,
)
from purebp.oracle import judge
from purebp.oracle.cases import ladder
from studies.power import HIDDEN
from tests.oracle.samples import (
    SIGMOIDS,
    single,
)


def test_the_ladder_climbs_from_small_to_large() -> None:
    sizes = [len(case.network.parameters()) for case in ladder(SIGMOIDS)]
    assert sizes[0] < 15 and max(sizes) == sizes[-1]
    assert ladder(SIGMOIDS) == ladder(SIGMOIDS) != ladder(SIGMOIDS, seed=1)


def test_the_numbers_of_the_ladder_are_exact_in_single_precision() -> None:
    for case in ladder(("relu", "identity")):
        numbers = [*case.network.parameters(), *(x for row in (*case.batch.inputs, *case.batch.targets) for x in row)]
        assert all(single(x) == x and (256 * x).is_integer() for x in numbers)


@pytest.mark.parametrize(
    "names", [SIGMOIDS, ("tanh", "identity"), ("relu", "softmax"), ("gelu", "silu", "elu(0.5)"), ("softmax",)]
)
@pytest.mark.parametrize("format", ["binary64", "binary32"])
def test_the_ladder_leaves_nothing_undecided(names: tuple[str, ...], format: str) -> None:
    for case in ladder(names):
        if case.name == "a kink":
            continue
        loss = "cross_entropy" if names[-1] == "softmax" else "mse"
        gradients = backpropagation(case.network, case.batch, loss)
        assert judge(case.network, case.batch, gradients, loss, format=format).verdict == "correct"


@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("output", ["sigmoid", "tanh"])
@pytest.mark.parametrize("hidden", HIDDEN)
def test_the_ladder_saturates_the_first_neurons_that_can_be(hidden: str, output: str, biases: bool) -> None:
    for depth in (1, 2, 3, 4):
        names = (hidden,) * (depth - 1) + (output,)
        (case,) = (case for case in ladder(names, biases=biases) if case.name == "a saturated neuron")
        z = [max(abs(row[0]) for row in rows) for rows in forward(case.network, case.batch.inputs).pre_activations]
        first = next(l for l, name in enumerate(names) if name in ("sigmoid", "tanh"))
        assert z[first] >= 8 and z[-1] >= 8, (names, z)
