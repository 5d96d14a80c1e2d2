"""Gradients that are clipped, normalised or divided by their size, as their authors write it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from purebp import Batch, Layer, Network, backpropagation
from purebp.oracle.check import check
from purebp.textbook.arithmetic import Matrix

ACTIVATIONS = ("tanh", "sigmoid")
Tensors = list[list[list[float]]]


def each(change: Callable[[float], float]) -> Callable[[Tensors], Tensors]:
    return lambda tensors: [[[change(x) for x in row] for row in rows] for rows in tensors]


def norm(tensors: Tensors) -> float:
    return math.sqrt(sum(x * x for rows in tensors for row in rows for x in row))


def scaled(tensors: Tensors, factor: float) -> Tensors:
    return each(lambda x: factor * x)(tensors)


def one_by_one(change: Callable[[Tensors], Tensors]) -> Callable[[Tensors], Tensors]:
    return lambda tensors: [rows for tensor in tensors for rows in change([tensor])]


def kept(bound: float, epsilon: float = 0.0) -> Callable[[Tensors], Tensors]:
    return lambda t: scaled(t, min(1.0, bound / (norm(t) + epsilon))) if norm(t) else t


def largest(tensors: Tensors) -> float:
    return max(abs(x) for rows in tensors for row in rows for x in row)


LIMITS: dict[str, Callable[[Tensors], Tensors]] = {
    "kept within ±0.1, each entry for itself": each(lambda x: max(-0.1, min(x, 0.1))),
    "kept within norm 0.25, all together": kept(0.25),
    "kept within norm 0.25, each tensor for itself": one_by_one(kept(0.25)),
    "divided by their norm, all together": lambda t: scaled(t, 1 / norm(t)) if norm(t) else t,
    "divided by their norm + 1e-08, each tensor for itself": one_by_one(lambda t: scaled(t, 1 / (norm(t) + 1e-8))),
    "divided by their norm, times 5, all together": lambda t: scaled(t, 5 / norm(t)) if norm(t) else t,
    "divided by their largest entry, all together": lambda t: scaled(t, 1 / largest(t)) if largest(t) else t,
    "divided by their own size, each entry for itself": each(lambda x: math.copysign(1.0, x) if x else 0.0),
    "divided by their own size + 1e-08, each entry for itself": each(lambda x: x / (math.sqrt(x * x) + 1e-8)),
}


def limited(change: Callable[[Tensors], Tensors], step: float | None = None, weights_alone: bool = False) -> Any:
    """Right gradients, or a step with them, of which something becomes at last."""

    def candidate(weights: list[Matrix], biases: list[list[float]], inputs: Matrix, targets: Matrix) -> Any:
        network = Network(Layer(w, b, f) for w, b, f in zip(weights, biases, ACTIVATIONS))
        layers = backpropagation(network, Batch(inputs, targets), "mse").layers
        tensors = [[list(row) for row in layer.weights] for layer in layers]
        if weights_alone:
            return change(tensors), [layer.biases for layer in layers]
        changed = change([*tensors, *([list(layer.biases or ())] for layer in layers)])
        if step:
            old = [*weights, *([b] for b in biases)]
            changed = [[[w - step * g for w, g in zip(*pair)] for pair in zip(*both)] for both in zip(old, changed)]
        return changed[: len(weights)], [rows[0] for rows in changed[len(weights) :]]

    return candidate


@pytest.mark.parametrize("done", LIMITS)
def test_what_is_done_to_right_gradients_is_told_with_its_bound(done: str) -> None:
    report = check(limited(LIMITS[done]), activations=ACTIVATIONS, loss="mse", returns="gradients")
    assert [found.name for found in report.explanations][:1] == [f"gradients {done}"], str(report)
    assert report.verdict == "wrong"


def test_the_bound_of_torchs_clipping_is_told() -> None:
    """norm + 1e-6 is what torch.nn.utils.clip_grad_norm_ divides by."""
    report = check(limited(kept(0.25, 1e-6)), activations=ACTIVATIONS, loss="mse", returns="gradients")
    wanted = "gradients kept within norm 0.25 (divided by the norm + 1e-06), all together"
    assert [found.name for found in report.explanations][:1] == [wanted], str(report)


def test_the_gradients_of_the_weights_may_be_clipped_alone() -> None:
    done = "kept within ±0.1, each entry for itself"
    report = check(limited(LIMITS[done], weights_alone=True), activations=ACTIVATIONS, loss="mse", returns="gradients")
    assert [found.name for found in report.explanations][:1] == [f"gradients of the weights {done}"], str(report)


@pytest.mark.parametrize("loss", ["mse", None])
def test_in_a_step_as_well_and_where_the_loss_is_open(loss: str | None) -> None:
    done = "kept within ±0.1, each entry for itself"
    given: dict[str, Any] = {"returns": "step", "learning_rate": 0.5} if loss else {"returns": "gradients"}
    candidate = limited(LIMITS[done], step=0.5 if loss else None)
    report = check(candidate, activations=ACTIVATIONS, loss=loss, **given)
    assert [found.name for found in report.explanations][:1] == [f"gradients {done}"], str(report)


def test_gradients_that_are_wrong_are_not_said_to_be_right_and_clipped() -> None:
    twice = limited(lambda t: each(lambda x: max(-0.1, min(2 * x, 0.1)))(t))
    report = check(twice, activations=ACTIVATIONS, loss="mse", returns="gradients")
    assert report.verdict == "wrong" and not any("are right" in found.sentence for found in report.explanations)
