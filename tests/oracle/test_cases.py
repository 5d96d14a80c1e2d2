"""The ladder: small cases first, whose numbers are exact, and in which every mistake can show."""

from __future__ import annotations

from math import log2

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from purebp import Layer, Network, PurebpError, activation, backpropagation, forward
from purebp.oracle import judge
from purebp.oracle.cases import RUNGS, _saturated, default_loss, ladder
from purebp.oracle.vectors.drawn import vectors
from purebp.oracle.vectors.files import load
from purebp.oracle.vectors.vector import FAMILIES
from studies.power import HIDDEN
from tests.oracle.samples import SIGMOIDS, single


def test_the_ladder_climbs_from_small_to_large() -> None:
    sizes = [len(case.network.parameters()) for case in ladder(SIGMOIDS)]
    assert sizes[0] < 15 and max(sizes) == sizes[-1]
    assert ladder(SIGMOIDS) == ladder(SIGMOIDS) != ladder(SIGMOIDS, seed=1)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_published_vectors_are_cases_of_this_ladder(family: str) -> None:
    """Whoever changes a case of the ladder changes what others have copied."""
    assert [(vector.id, vector.given) for vector in vectors(family)] == [(v.id, v.given) for v in load(family)]


def test_the_widest_case_has_more_of_everything() -> None:
    *others, wide = ladder(SIGMOIDS)
    assert (wide.name, wide.sizes, wide.samples) == ("wide", (5, 7, 3), 6)
    assert all(wide.samples > case.samples for case in others)


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


@example(weight=64, bias=0, halvings=0)  # 8 exactly
@given(st.integers(-160, 160).filter(bool), st.integers(-64, 64), st.integers(0, 12))
def test_a_neuron_is_saturated_by_as_few_doublings_as_it_takes(weight: int, bias: int, halvings: int) -> None:
    """Of its weights, until |z| is 8 or more; after twelve it is left as it is."""
    w, b = weight / 16 / 2**halvings, bias / 8
    changed = _saturated(Network([Layer([[w], [1.0]], [b, 0.0], "sigmoid")]), [[1.0]]).layers[0]
    doublings = log2(changed.weights[0][0] / w)
    z = [abs(w * 2**k + b) for k in range(13)]
    assert changed.biases == (b, 0.0) and changed.weights[1] == (1.0,)
    assert doublings == next((k for k in range(12) if z[k] >= 8), 12)


def test_a_case_is_named_after_its_rung_and_by_one_word() -> None:
    cases = ladder(SIGMOIDS)
    assert [case.name for case in cases] == [rung.name for rung in RUNGS if rung.special != "kink"]
    assert [case.id for case in cases][:3] == ["one-sample", "two-samples", "several-outputs"]
    assert len({case.id for case in cases}) == len(cases)


@pytest.mark.parametrize(("sizes", "batch"), [((2, 3, 1), None), (None, 4), ((1, 5, 3), 1), ((4, 4, 4), 7)])
def test_what_is_wired_in_is_that_of_every_case(sizes: tuple[int, ...] | None, batch: int | None) -> None:
    for case in ladder(("relu", "tanh"), sizes=sizes, batch=batch, biases=False):
        assert sizes in (None, case.sizes) and batch in (None, case.samples)
        assert all(layer.biases is None for layer in case.network.layers)


def test_no_sample_and_too_many_numbers_are_refused() -> None:
    with pytest.raises(PurebpError, match="a batch of 0 samples: at least one is wanted"):
        ladder(SIGMOIDS, batch=0)
    with pytest.raises(PurebpError, match="with 1 samples are 1,003,001 numbers: 1,000,000 can be checked"):
        ladder(SIGMOIDS, sizes=(1000, 1000, 1))


def test_a_single_activation_is_asked_at_several_depths() -> None:
    assert {len(case.network.layers) for case in ladder("relu")} == {1, 2, 3, 5}
    assert {len(case.network.layers) for case in ladder("relu", sizes=(2, 3, 1))} == {2}


@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("name", ["relu", "leaky_relu(0.25)", "elu(0.5)"])
def test_a_kink_is_met_exactly(name: str, biases: bool) -> None:
    (case,) = (case for case in ladder((name, "identity"), biases=biases) if case.name == "a kink")
    assert forward(case.network, case.batch.inputs).pre_activations[0][0][0] == 0


@pytest.mark.parametrize("names", [("relu", "identity"), ("tanh", "relu")])
def test_no_batch_meets_a_kink_from_above_alone(names: tuple[str, ...]) -> None:
    """Or a missing mask would show nowhere."""
    for case in ladder(names):
        for layer, z in zip(case.network.layers, forward(case.network, case.batch.inputs).pre_activations):
            assert not layer.activation.kinks or case.samples == 1 or min(x for row in z for x in row) <= 0


def test_the_rung_with_zeros_has_them() -> None:
    (case,) = (case for case in ladder(SIGMOIDS) if case.name == "zeros")
    assert case.batch.inputs[0][-1] == 0 and case.network.layers[0].weights[-1][0] == 0


@pytest.mark.parametrize(
    ("names", "loss", "allowed"),
    [
        (("relu", "softmax"), None, {0.0, 1.0}),
        (("relu", "softmax"), "mse", {0.0, 1.0}),
        (("relu", "sigmoid"), "binary_cross_entropy", {0.0, 1.0}),
        (("relu", "sigmoid"), "mse", {k / unit for unit in (4, 8, 16) for k in range(unit + 1)}),
    ],
)
def test_targets_suit_the_loss(names: tuple[str, ...], loss: str | None, allowed: set[float]) -> None:
    for case in ladder(names, loss=loss):
        assert {y for row in case.batch.targets for y in row} <= allowed
        assert names[-1] != "softmax" or all(sum(row) == 1 and len(row) > 1 for row in case.batch.targets)


def test_the_loss_is_that_which_was_declared_or_goes_with_the_outputs() -> None:
    relu, softmax = activation("relu"), activation("softmax")
    assert default_loss([relu, relu]).name == "mse" and default_loss([relu, softmax]).name == "cross_entropy"
    assert default_loss([relu, softmax], "half_sse").name == "half_sse"
