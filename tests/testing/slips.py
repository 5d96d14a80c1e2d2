"""Candidates with a slip, and what is smallest: for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeVar

from hypothesis import find
from hypothesis import strategies as st

from purebp import Batch, Layer, Network, backpropagation
from purebp.oracle.cases import Case
from purebp.testing import explore
from purebp.textbook.activations import Activation

T = TypeVar("T")
Smallest = tuple[tuple[int, ...], list[float], Batch]


def smallest(case: Case) -> Smallest:
    """Widths, parameters and batch."""
    return case.network.sizes, case.network.parameters(), case.batch


def first(strategy: st.SearchStrategy[T], condition: Callable[[T], object]) -> T:
    """As Hypothesis's `find`, the same on every run; without its phase of explanations, which takes longest."""
    return find(strategy, lambda x: bool(condition(x)), settings=explore.QUIET, random=Random(0))


NOTHING = Batch([[0.0]], [[0.0]])
Numbers = Sequence[Sequence[float]]


Answer = tuple[list[list[list[float]]], list[list[float]]]
Slip = Callable[[Sequence[Numbers], Numbers, Answer], object]


def candidate(slip: Slip, activations: Sequence[str | Activation], loss: str = "half_sse") -> Callable[..., Answer]:
    """Right, but for what the slip makes of the weights, the inputs and the right answer."""

    def learnt(weights: Any, biases: Any, inputs: Any, targets: Any) -> Answer:
        names = list(activations) * len(weights) if len(activations) == 1 else activations
        network = Network(Layer(w, b, f) for w, b, f in zip(weights, biases or [None] * len(weights), names))
        layers = backpropagation(network, Batch(inputs, targets), loss).layers
        answer = [[list(row) for row in g.weights] for g in layers], [list(g.biases or ()) for g in layers]
        slip(weights, inputs, answer)
        return answer

    return learnt


def no_slip(weights: Sequence[Numbers], inputs: Numbers, answer: Answer) -> None:
    pass


NARROW: dict[str, Any] = {"activations": ["tanh"], "sizes": [2, 1], "batch": 1}  # so that exploring takes little time
