"""Losses: what they are, how they reduce, and that their fused forms are the same function, but stable."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import (
    FLOAT,
    Activation,
    Batch,
    Layer,
    Loss,
    Network,
    PurebpError,
    activation,
    backpropagation,
    binary_cross_entropy,
    cross_entropy,
    evaluate,
    half_mse,
    half_sse,
    huber,
    loss,
    mae,
    mse,
    numerical_gradients,
    softplus,
    sse,
)
from purebp.textbook.backprop import output_deltas
from tests.enclosures import QUARTIC
from tests.strategies import LOSSES, REDUCTIONS, Rows, matrices

FUSED = [(binary_cross_entropy, activation("sigmoid")), (cross_entropy, activation("softmax"))]
OUTPUTS, TARGETS = [[0.5, 0.25, 0.125], [0.5, 0.75, 0.5]], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
LOG2 = math.log(2)


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("sse", 0.25 + 0.0625 + 0.015625 + 0.25 + 0.0625 + 0.25),
        ("half_sse", 0.4453125),
        ("mse", 0.890625),
        ("half_mse", 0.4453125),
        ("mae", 0.5 + 0.25 + 0.125 + 0.5 + 0.25 + 0.5),
        ("huber(0.25)", 3 * 0.25 * (0.5 - 0.125) + (0.0625 + 0.0625 + 0.015625) / 2),
        ("binary_cross_entropy", LOG2 - math.log(0.75) - math.log(0.875) + LOG2 - math.log(0.75) + LOG2),
        ("cross_entropy", LOG2 - math.log(0.75)),
    ],
)
def test_a_loss_is_its_sum_divided_by_what_its_reduction_says(name: str, total: float) -> None:
    found = {reduction: loss(name).reduced(reduction)(OUTPUTS, TARGETS) for reduction in REDUCTIONS}
    assert found == pytest.approx({"sum": total, "samples": total / 2, "outputs": total / 3, "entries": total / 6})


def test_the_plain_names_stand_for_the_reductions_of_pytorch() -> None:
    assert [loss(name).reduction for name in LOSSES] == ["sum", "sum", *["entries"] * 5, "samples"]
    assert sse.reduced("entries") == mse and half_sse.reduced("entries") == half_mse and mse.reduced("sum") == sse


@given(matrices(2, 3), matrices(2, 3))
def test_the_halves_are_half_exactly(outputs: Rows, targets: Rows) -> None:
    for whole, half in ((sse, half_sse), (mse, half_mse)):
        assert half(outputs, targets) == whole(outputs, targets) / 2
        slopes = whole.derivative(outputs, targets), half.derivative(outputs, targets)
        assert all(x == 2 * y for rows in zip(*slopes) for x, y in zip(*rows))


@given(st.floats(-10, 10), st.sampled_from([0.5, 1.0, 2.0]))
def test_huber_is_half_the_square_near_0_and_a_line_of_that_slope_beyond(e: float, d: float) -> None:
    value, slope = huber(d)([[e]], [[0.0]]), huber(d).derivative([[e]], [[0.0]])[0][0]
    assert value == pytest.approx(e * e / 2 if abs(e) <= d else d * (abs(e) - d / 2))
    assert slope == (e if abs(e) <= d else math.copysign(d, e))


def test_mae_has_the_slope_0_where_nothing_is_wrong() -> None:
    assert mae.derivative([[1.0, 2.0, 3.0]], [[2.0, 2.0, 2.0]]) == [[-1 / 3, 0.0, 1 / 3]]


@pytest.mark.parametrize("fused", FUSED, ids=lambda fused: fused[0].name)
@given(z=matrices(2, 3), targets=matrices(2, 3))
def test_the_fused_forms_equal_the_others_where_both_are_stable(
    fused: tuple[Loss, Activation], z: Rows, targets: Rows
) -> None:
    """Also for targets that are no probabilities, and that do not sum to 1."""
    of, f = fused
    a = f.apply(z, FLOAT)
    assert of.at(f, z, a, targets, FLOAT) == pytest.approx(of(a, targets), rel=1e-12, abs=1e-12)
    deltas = output_deltas(of, f, z, a, targets), f.backward(of.derivative(a, targets), z, a, FLOAT)
    assert all(x == pytest.approx(y, rel=1e-12, abs=1e-12) for x, y in zip(*deltas))


def one(x: float, f: str, of: Loss, y: float) -> tuple[float, float]:
    """The loss and δ of a single neuron, or of two for softmax, the other with z = 0 and target 1 − y."""
    weights, targets = ([[1.0], [0.0]], [[y, 1 - y]]) if f == "softmax" else ([[1.0]], [[y]])
    network, batch = Network([Layer(weights, None, f)]), Batch([[x]], targets)
    return evaluate(network, batch, of), backpropagation(network, batch, of).layers[0].deltas[0][0]


@pytest.mark.parametrize(("of", "f"), [(binary_cross_entropy, "sigmoid"), (cross_entropy, "softmax")])
def test_the_fused_forms_do_not_overflow(of: Loss, f: str) -> None:
    for huge in (1000.0, 1e308):
        assert [one(huge, f, of, y) for y in (0.0, 1.0)] == [(huge, 1.0), (0.0, 0.0)]
        assert [one(-huge, f, of, y) for y in (0.0, 1.0)] == [(0.0, 0.0), (huge, -1.0)]


@given(z=st.floats(-700, 700))
def test_the_fused_forms_are_accurate(z: float) -> None:
    """−log σ(z) = softplus(−z); the binary one even relatively, where the loss is tiny beside z."""
    assert one(z, "sigmoid", binary_cross_entropy, 1.0)[0] == pytest.approx(softplus(-z), rel=1e-13, abs=1e-307)
    assert one(z, "softmax", cross_entropy, 1.0)[0] == pytest.approx(softplus(-z), rel=1e-13, abs=1e-15)


def test_the_fused_cross_entropy_of_the_largest_floats_is_a_number() -> None:
    """log Σ e^z − z overflows to ∞ for the other output, whose target 0 must not make a NaN of it."""
    network = Network([Layer([[1.0], [-1.0]], None, "softmax")])
    assert evaluate(network, Batch([[1e308]], [[1.0, 0.0]]), cross_entropy) == 0.0


@pytest.mark.parametrize(("of", "right"), [(binary_cross_entropy, [[0.0, 1.0]]), (cross_entropy, [[0.0, 1.0]])])
def test_certainty_costs_nothing_if_right_and_everything_if_wrong(of: Loss, right: Rows) -> None:
    assert of(right, right) == 0.0
    assert of([row[::-1] for row in right], right) == math.inf
    with pytest.raises(PurebpError, match=f"{of.name} has no derivative at an output of exactly 0 or 1"):
        of.derivative([row[::-1] for row in right], right)


@pytest.mark.parametrize(
    ("of", "output"), [(binary_cross_entropy, -0.5), (binary_cross_entropy, 1.5), (cross_entropy, -0.5)]
)
def test_an_output_that_is_no_probability_is_refused(of: Loss, output: float) -> None:
    for call in (of, of.derivative):
        with pytest.raises(PurebpError, match="outputs from 0 to 1"):
            call([[output]], [[0.5]])


@pytest.mark.parametrize("name", LOSSES)
def test_other_shapes_are_refused_with_both_shapes(name: str) -> None:
    for call in (loss(name), loss(name).derivative):
        with pytest.raises(PurebpError, match=r"outputs are \(1, 2\), targets \(2, 1\)"):
            call([[0.5, 0.5]], [[0.5], [0.5]])


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_a_loss_is_found_by_its_name(name: str, reduction: str) -> None:
    reduced = loss(name).reduced(reduction)
    assert loss(reduced.name) == loss(f"{reduced.base}/{reduction}") == loss(reduced) == reduced


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("msse", f"unknown loss 'msse'; known are {', '.join([*LOSSES[:5], *LOSSES[6:]])}, huber(number)"),
        ("mse/row", "unknown reduction 'row'; known are sum, samples, outputs, entries"),
        ("huber(x)", "'x' is not a number"),
        ("huber(0)", "delta must be a positive number"),
        ("huber(-1)", "delta must be a positive number"),
        ("huber(nan)", "delta must be a positive number"),
        ("huber(inf)", "delta must be a positive number"),
    ],
)
def test_another_name_is_refused(name: str, message: str) -> None:
    with pytest.raises(PurebpError, match=re.escape(message)):
        loss(name)


@pytest.mark.parametrize("name", LOSSES)
@given(outputs=matrices(2, 2), targets=matrices(2, 2), moved=matrices(2, 2))
def test_a_loss_says_how_it_depends_on_its_targets(name: str, outputs: Rows, targets: Rows, moved: Rows) -> None:
    """Through ŷ − y alone, or linearly: then the loss in the middle of two targets is the middle of two losses."""
    of = loss(name)
    assert of.of_error != of.linear_in_targets
    if of.of_error:
        shifted = [[[x + d for x, d in zip(*rows)] for rows in zip(matrix, moved)] for matrix in (outputs, targets)]
        assert of(shifted[0], shifted[1]) == pytest.approx(of(outputs, targets), rel=1e-13)
    else:
        shares = [[(x + 3) / 6 for x in row] for row in outputs]
        middle = [[(x + y) / 2 for x, y in zip(*rows)] for rows in zip(targets, moved)]
        assert 2 * of(shares, middle) == pytest.approx(of(shares, targets) + of(shares, moved), rel=1e-12, abs=1e-12)


def test_every_loss_has_a_title_a_definition_a_form_and_words() -> None:
    known = {of.form: (of.title, of.definition, of.words) for of in map(loss, LOSSES)}
    assert known["huber(d)"][0] == "Huber" and known["mse"][0] == "MSE" and known["sse"][0] == "SSE"
    assert len(known) == len(LOSSES) and all(all(words) and words[1].isascii() for words in known.values())
    assert loss("huber(0.5)").words == "huber(0.5) losses"
    assert {name: loss(name).targets for name in LOSSES if loss(name).targets != "real"} == {
        "binary_cross_entropy": "binary",
        "cross_entropy": "one_hot",
    }


def test_a_loss_is_its_base_and_its_reduction() -> None:
    """How it is called in a graph and in documents makes no other of it."""
    assert repr(sse) == "Loss(base='sse', natural='sum', reduction='sum', samples=None)"
    words: dict[str, Any] = {
        "base_title": "S",
        "base_definition": "s",
        "parameter": "d",
        "words": "errors",
        "targets": "binary",
    }
    assert replace(mse, **words, of_error=False, linear_in_targets=True, mean=None) == mse != mse.over(3)
    assert replace(binary_cross_entropy, fusion=None) == binary_cross_entropy


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("sse", "SSE"),
        ("sse/samples", "SSE"),
        ("sse/entries", "MSE"),
        ("half_mse", "HalfMSE"),
        ("half_sse/sum", "HalfSSE"),
        ("cross_entropy/entries", "CrossEntropy"),
    ],
)
def test_the_mean_of_the_squares_has_a_title_of_its_own(name: str, title: str) -> None:
    assert loss(name).title == title


def test_a_loss_of_ones_own_is_one_object() -> None:
    plain = Loss("cubes", "sum", lambda p, t, arithmetic: p * p * p, lambda p, t, arithmetic: 3 * p * p)
    assert (plain.title, plain.words, plain.targets, plain.definition) == ("cubes", "cubes losses", "real", "")
    network, batch = Network.random([2, 3, 1], "tanh", seed=2), Batch([[0.5, 1.0], [-1.0, 0.25]], [[0.5], [1.0]])
    for own in (plain, QUARTIC, QUARTIC.reduced("sum")):
        differences = numerical_gradients(network, batch, own, "complex").parameters()
        assert backpropagation(network, batch, own).parameters() == pytest.approx(differences, rel=1e-12, abs=1e-15)
