"""The ladder: small cases first, whose numbers are exact, and in which every mistake can show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import purebp.oracle.cases
from purebp import PurebpError, activation, backpropagation, forward
from purebp.number_systems.formats import FORMATS, Format, is_exact
from purebp.oracle import judge
from purebp.oracle.asking.declared import Declared, arguments
from purebp.oracle.cases import MORE, RUNGS, Case, default_loss, ladder
from purebp.oracle.vectors.drawn import vectors
from purebp.oracle.vectors.files import load
from purebp.oracle.vectors.vector import FAMILIES
from studies.power import HIDDEN
from tests.oracle.samples import SIGMOIDS, single


def test_the_ladder_climbs_from_small_to_large() -> None:
    sizes = [len(case.network.parameters()) for case in ladder(SIGMOIDS)]
    assert sizes[0] < 15 and max(sizes[: len(RUNGS) - 1]) == sizes[len(RUNGS) - 2]
    assert ladder(SIGMOIDS) == ladder(SIGMOIDS) != ladder(SIGMOIDS, seed=1)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_published_vectors_are_cases_of_this_ladder(family: str) -> None:
    """Whoever changes a case of the ladder changes what others have copied."""
    assert [(vector.id, vector.given) for vector in vectors(family)] == [(v.id, v.given) for v in load(family)]


def test_the_widest_case_has_more_of_everything() -> None:
    *others, wide = ladder(SIGMOIDS)[: len(RUNGS) - 1]
    assert (wide.name, wide.sizes, wide.samples) == ("wide", (5, 7, 3), 6)
    assert all(wide.samples > case.samples for case in others)


def test_the_numbers_of_the_ladder_are_exact_in_single_precision() -> None:
    for case in ladder(("relu", "identity")):
        numbers = [] if case.long else numbers_of(case)
        assert all(single(x) == x and (4096 * x).is_integer() for x in numbers)


@pytest.mark.parametrize(
    "names", [SIGMOIDS, ("tanh", "identity"), ("relu", "softmax"), ("gelu", "silu", "elu(0.5)"), ("softmax",)]
)
@pytest.mark.parametrize("format", ["binary64", "binary32"])
def test_the_ladder_leaves_nothing_undecided(names: tuple[str, ...], format: str) -> None:
    for case in ladder(names):
        if "kink" in case.name or case.beyond == "large":
            continue
        loss = "cross_entropy" if names[-1] == "softmax" else "mse"
        gradients = backpropagation(case.network, case.batch, loss)
        assert judge(case.network, case.batch, gradients, loss, format=format).verdict == "correct"


@pytest.mark.parametrize("output", ["sigmoid", "tanh"])
@pytest.mark.parametrize("hidden", HIDDEN)
def test_the_ladder_saturates_the_first_neurons_that_can_be(hidden: str, output: str) -> None:
    for depth, biases in ((1, True), (2, False), (3, True), (4, False)):
        names = (hidden,) * (depth - 1) + (output,)
        (case,) = (case for case in ladder(names, biases=biases) if case.name == "a saturated neuron")
        z = [max(abs(row[0]) for row in rows) for rows in forward(case.network, case.batch.inputs).pre_activations]
        first = next(l for l, name in enumerate(names) if name in ("sigmoid", "tanh"))
        assert z[first] >= 8 and z[-1] >= 8, (names, z)


def test_a_case_is_named_after_its_rung_and_by_one_word() -> None:
    cases = ladder(SIGMOIDS)
    names = [rung.name for rung in RUNGS if rung.special != "kink"]
    assert [case.name for case in cases][: len(names)] == names
    assert [case.id for case in cases][:3] == ["one-sample", "two-samples", "several-outputs"]
    assert len({case.id for case in cases}) == len(cases)


@pytest.mark.parametrize(("sizes", "batch"), [((2, 3, 1), None), (None, 4), ((1, 5, 3), 1), ((4, 4, 4), 7)])
def test_what_is_wired_in_is_that_of_every_case(sizes: tuple[int, ...] | None, batch: int | None) -> None:
    for case in ladder(("relu", "tanh"), sizes=sizes, batch=batch, biases=False):
        assert sizes in (None, case.sizes) and batch in (None, case.samples)
        assert all(layer.biases is None for layer in case.network.layers)


def test_no_sample_and_too_many_numbers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PurebpError, match="a batch of 0 samples: at least one is wanted"):
        ladder(SIGMOIDS, batch=0)
    with pytest.raises(PurebpError, match="with 1 samples are 1,003,001 numbers: 1,000,000 can be checked"):
        ladder(SIGMOIDS, sizes=(1000, 1000, 1))
    monkeypatch.setattr(purebp.oracle.cases, "MOST_NUMBERS", 24)
    assert ladder(["tanh"], sizes=(5, 2), batch=2)  # 24 numbers
    with pytest.raises(PurebpError, match="are 31 numbers: 24 can be checked"):
        ladder(["tanh"], sizes=(5, 2), batch=3)


def test_a_single_activation_is_asked_at_several_depths() -> None:
    assert {len(case.network.layers) for case in ladder("relu")} == {1, 2, 3, 5, 9}
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
    for case in (case for case in ladder(names, loss=loss) if case.beyond != "soft"):
        if names[-1] == "sigmoid" and loss == "mse" and case.name in {rung.name for rung in MORE}:
            continue  # of either sign
        assert {y for row in case.batch.targets for y in row} <= allowed
        assert names[-1] != "softmax" or all(sum(row) == 1 and len(row) > 1 for row in case.batch.targets)


def test_the_loss_is_that_which_was_declared_or_goes_with_the_outputs() -> None:
    relu, softmax = activation("relu"), activation("softmax")
    assert default_loss([relu, relu]).name == "mse" and default_loss([relu, softmax]).name == "cross_entropy"
    assert default_loss([relu, softmax], "half_sse").name == "half_sse"


# What short, small and few numbers do not show.


def named(name: str, *given: Any, **rest: Any) -> Case:
    (case,) = (case for case in ladder(*given, **rest) if case.name == name)
    return case


def numbers_of(case: Case) -> list[float]:
    return [*case.network.parameters(), *(x for row in (*case.batch.inputs, *case.batch.targets) for x in row)]


@pytest.mark.parametrize("format", FORMATS.values(), ids=lambda format: format.name)
@pytest.mark.parametrize("seed", range(3))
def test_long_numbers_have_the_digits_of_the_format_and_no_fewer(format: Format, seed: int) -> None:
    case = named("full-length numbers", SIGMOIDS, format=format, seed=seed)
    shorter = replace(format, precision=format.precision - 2)
    numbers = numbers_of(case)
    assert case.long and all(is_exact(x, format) for x in numbers)
    assert sum(is_exact(x, shorter) for x in numbers) < len(numbers) / 2
    assert not any(other.long for other in ladder(SIGMOIDS, format=format) if other.name != case.name)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("f", ["relu", "leaky_relu(0.25)"])
def test_every_layer_meets_its_kink_and_a_target_is_hit(f: str, depth: int) -> None:
    case = named("a kink in every layer", (f,) * depth)
    passes = forward(case.network, case.batch.inputs)
    assert all(z[0][0] == 0 for z in passes.pre_activations)
    assert passes.outputs[0] == case.batch.targets[0] != passes.outputs[1] != case.batch.targets[1]


def test_samples_are_many_and_one_of_them_is_there_twice() -> None:
    case = named("many samples, many neurons", ("relu", "identity"))
    assert (case.sizes, case.samples) == ((18, 19, 3), 17)
    pairs = list(zip(case.batch.inputs, case.batch.targets))
    assert len(set(pairs)) == 16
    assert not any("many neurons" in each.name for each in ladder(SIGMOIDS, sizes=(784, 30, 10)))


@pytest.mark.parametrize(("name", "reach"), [("large numbers", 40), ("larger numbers", 800)])
@pytest.mark.parametrize("f", ["sigmoid", "relu"])
def test_large_numbers_are_as_large_as_they_should_be(name: str, reach: float, f: str) -> None:
    case = named(name, (f, f))
    z = [max(abs(row[0]) for row in rows) for rows in forward(case.network, case.batch.inputs).pre_activations]
    assert case.beyond == "large" and 0.9 * reach < z[0] <= reach and case.largest_z > 0.9 * reach


def test_whole_numbers_are_given_as_integers() -> None:
    case, declared = named("whole numbers", SIGMOIDS), Declared(SIGMOIDS)
    assert all(x.is_integer() for x in numbers_of(case))
    text = repr(arguments(case, declared))
    assert "." not in text and "1" in text
    assert all(
        "." in repr(arguments(other, declared)) for other in ladder(SIGMOIDS) if other is not case and other != case
    )


@pytest.mark.parametrize("names", [("tanh", "softmax"), ("tanh", "sigmoid")])
def test_soft_targets_of_softmax_add_up_to_1(names: tuple[str, str]) -> None:
    loss = "cross_entropy" if names[-1] == "softmax" else "binary_cross_entropy"
    targets = named("soft targets", names, loss=loss).batch.targets
    assert all(0 < y < 1 for row in targets for y in row)
    assert names[-1] == "sigmoid" or all(sum(row) == 1 for row in targets)
    assert not any(case.beyond == "soft" for case in ladder(names, loss="mse"))


@pytest.mark.parametrize("outputs", [1, 2, 16, 17, 33])
def test_soft_targets_of_any_number_of_classes_add_up_to_1(outputs: int) -> None:
    targets = named("soft targets", ["softmax"], sizes=(2, outputs)).batch.targets
    assert all(len(row) == outputs and sum(row) == 1 and min(row) > 0 for row in targets)


@pytest.mark.parametrize("seed", range(3))
def test_all_numbers_but_the_long_ones_are_numbers_of_binary32(seed: int) -> None:
    for names in (SIGMOIDS, ("relu",) * 4, ("tanh", "softmax")):
        for case in ladder(names, seed=seed):
            assert case.long or all(single(x) == x for x in numbers_of(case))


def test_targets_have_either_sign_where_the_loss_allows() -> None:
    for name in ("full-length numbers", "many samples, many neurons", "whole numbers"):
        targets = [y for row in named(name, SIGMOIDS).batch.targets for y in row]
        assert min(targets) < 0 < max(targets)


def test_where_depth_is_free_it_is_nine_as_well() -> None:
    deep = named("deep", "tanh")
    assert (deep.sizes, deep.samples, deep.further) == ((2, 3, 2, 4, 3, 2), 2, False)
    assert max(len(case.network.layers) for case in ladder("tanh")) == 9
    assert max(len(case.network.layers) for case in ladder(SIGMOIDS)) == 2


def test_the_ladder_is_the_one_of_the_documents() -> None:
    """Widths and samples of every case: reports, vectors and replay commands name them."""
    found = {case.name: ("-".join(map(str, case.sizes)), case.samples) for case in ladder("softplus", loss="mse")}
    assert found == {
        "one sample": ("2-3-1", 1),
        "two samples": ("2-3-1", 2),
        "several outputs": ("3-2", 3),
        "square layers": ("2-2-2-2", 3),
        "wider square layers": ("3-3-3", 2),
        "one sample, wider": ("4-5-2", 1),
        "zeros": ("3-2-2", 2),
        "one neuron per layer": ("1-1-1", 3),
        "a saturated neuron": ("2-3-2", 2),
        "as many samples as neurons": ("4-4-4", 4),
        "wide": ("5-7-3", 6),
        "deep": ("2-3-2-4-3-2", 2),
        "nine layers": ("2-3-2-3-2-3-2-3-2-2", 2),
        "full-length numbers": ("3-4-2", 3),
        "one sample, moved by little": ("2-3-1", 1),
        "many samples, many neurons": ("18-19-3", 17),
        "large numbers": ("2-3-2", 3),
        "larger numbers": ("2-3-2", 2),
        "whole numbers": ("3-2-2", 2),
    }
    deeper = {case.name: "-".join(map(str, case.sizes)) for case in ladder(["tanh", "relu", "tanh"], loss="mse")}
    assert deeper == {
        "one sample": "2-3-2-1",
        "two samples": "2-3-2-1",
        "several outputs": "3-2-4-2",
        "square layers": "2-2-2-2",
        "wider square layers": "3-3-3-3",
        "one sample, wider": "4-5-3-2",
        "zeros": "3-2-3-2",
        "one neuron per layer": "1-1-1-1",
        "a saturated neuron": "2-3-2-2",
        "a kink": "2-3-2-2",
        "as many samples as neurons": "4-4-4-4",
        "wide": "5-7-6-3",
        "full-length numbers": "3-4-4-2",
        "one sample, moved by little": "2-3-2-1",
        "a kink in every layer": "3-4-3-2",
        "many samples, many neurons": "18-19-19-3",
        "large numbers": "2-3-2-2",
        "larger numbers": "2-3-2-2",
        "whole numbers": "3-2-2-2",
    }
