"""The line of somebody's own code that makes what is wrong is found by watching it, whatever it is written like."""

from __future__ import annotations

import sys
from collections.abc import Callable
from math import exp
from time import monotonic
from typing import Any

import pytest

from purebp.oracle.asking.watching import Line, Quantity, told, vectors, watched
from purebp.oracle.check import check


def squashed(x: float) -> float:
    return 1 / (1 + exp(-x)) if x > -700 else 0.0


def slope(a: float) -> float:
    return a * (1 - a)


def with_lists(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
    """A loop over layers and samples; what is passed down goes through the layer's own weights no more than once."""
    gw = [[[0.0] * len(row) for row in w] for w in weights]
    gb = [[0.0] * len(b) for b in biases]
    for x, y in zip(inputs, targets):
        activations = [list(x)]
        for w, b in zip(weights, biases):
            activations.append([squashed(sum(u * v for u, v in zip(row, activations[-1])) + c) for row, c in zip(w, b)])
        delta = [(o - t) * slope(o) for o, t in zip(activations[-1], y)]
        for l in reversed(range(len(weights))):
            for i, d in enumerate(delta):
                gb[l][i] += d
                for j, a in enumerate(activations[l]):
                    gw[l][i][j] += d * a
            if l:
                error = [sum(d * row[j] for d, row in zip(delta, weights[l])) for j in range(len(activations[l]))]
                delta = [e * slope(squashed(a)) for e, a in zip(error, activations[l])]  # twice
    return gw, gb


def with_names(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
    """Two inputs, two neurons, one output, each number with a name of its own; the hidden slope is forgotten."""
    ((w11, w12), (w21, w22)), ((v1, v2),) = weights
    (b1, b2), (c,) = biases
    gradients = [0.0] * 9
    for (x1, x2), (y,) in zip(inputs, targets):
        h1 = squashed(w11 * x1 + w12 * x2 + b1)
        h2 = squashed(w21 * x1 + w22 * x2 + b2)
        o = squashed(v1 * h1 + v2 * h2 + c)
        d_o = (o - y) * slope(o)
        d_h1 = d_o * v1  # forgotten
        d_h2 = d_o * v2
        found = d_h1 * x1, d_h1 * x2, d_h2 * x1, d_h2 * x2, d_h1, d_h2, d_o * h1, d_o * h2, d_o
        gradients = [g + f for g, f in zip(gradients, found)]
    g = gradients
    return [[[g[0], g[1]], [g[2], g[3]]], [[g[6], g[7]]]], [[g[4], g[5]], [g[8]]]


def with_arrays(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
    """NumPy, in which the gradient of the first weights takes the activations of its own layer's inputs squashed."""
    import numpy as np

    a1 = 1 / (1 + np.exp(-np.clip(inputs @ weights[0].T + biases[0], -700, 700)))
    a2 = 1 / (1 + np.exp(-np.clip(a1 @ weights[1].T + biases[1], -700, 700)))
    d2 = (a2 - targets) * a2 * (1 - a2)
    d1 = d2 @ weights[1] * a1 * (1 - a1)
    gw2 = d2.T @ (a1 * (1 - a1))  # the slope in the place of a
    return [d1.T @ inputs, gw2], [d1.sum(axis=0), d2.sum(axis=0)]


def line_with(candidate: Callable[..., Any], comment: str) -> int:
    """The number of the line that ends so."""
    import inspect

    lines, first = inspect.getsourcelines(candidate)
    return next(first + i for i, line in enumerate(lines) if line.rstrip().endswith(comment))


@pytest.mark.parametrize(
    "candidate, comment, declared",
    [
        (with_lists, "# twice", {}),
        (with_names, "# forgotten", {"sizes": (2, 2, 1)}),
        (with_arrays, "in the place of a", {}),
    ],
    ids=["lists", "names", "arrays"],
)
def test_the_line_is_found(candidate: Callable[..., Any], comment: str, declared: dict[str, Any]) -> None:
    if candidate is with_arrays:
        pytest.importorskip("numpy")
        declared = {"arrays": "numpy"}
    report = check(candidate, activations="sigmoid,sigmoid", loss="half_sse", returns="gradients", **declared)
    assert report.verdict == "wrong" and report.explanations, str(report)
    (note,) = [note for note in report.notes if note.startswith("It is probably made in line ")]
    line = line_with(candidate, comment)
    assert note.startswith(f"It is probably made in line {line} of {candidate.__name__}: "), note


def test_whoever_watched_before_goes_on_watching() -> None:
    def tracer(*given: Any) -> None:
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        watched(lambda: squashed(0.3), [Quantity([[0.1]])])
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)


def test_an_error_of_the_code_is_its_own_and_nothing_is_watched_any_more() -> None:
    before = sys.gettrace()
    with pytest.raises(ZeroDivisionError):
        watched(lambda: 1 / 0, [Quantity([[0.1]])])
    assert sys.gettrace() is before


def test_what_a_function_is_given_was_made_where_it_is_called_or_outside() -> None:
    def kept(x: list[float]) -> list[float]:
        y = x
        return y

    given = [1 / 3, 1 / 7]
    (line,) = watched(lambda: kept(given), [Quantity([given])])
    assert (
        line is not None
        and line.function == test_what_a_function_is_given_was_made_where_it_is_called_or_outside.__name__
    )
    assert watched(lambda: kept(given), [Quantity([given])], {tuple(given)}) == [None]


def test_what_takes_long_is_let_go_and_large_tables_are_not_read() -> None:
    def slow() -> float:
        table = [float(k) for k in range(100_000)]
        x = 0.0
        for k in range(3_000_000):
            x += table[k % 100]
        y = [x / 3, x / 7]
        return y[0]

    start = monotonic()
    assert watched(slow, [Quantity([[1.0, 3 / 7]])]) == [None]
    assert monotonic() - start < 10


def test_objects_that_answer_to_anything_are_not_asked() -> None:
    class Odd:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("asked")

        def __float__(self) -> float:
            raise RuntimeError("asked")

    def code() -> list[float]:
        odd, loop = Odd(), list[Any]()
        loop.append(loop)
        labels = [odd, "a", 10**400]
        made = [len(labels) / 9, 1 / 7]
        return made

    (line,) = watched(code, [Quantity([[1 / 3, 1 / 7]])])
    assert line is not None and line.text == "made = [len(labels) / 9, 1 / 7]"


def test_numbers_that_are_met_by_chance_tell_nothing() -> None:
    def ones() -> float:
        x = 0.5
        return x

    assert watched(ones, [Quantity([[0.5]])]) == [None]


def test_numbers_are_found_in_whatever_holds_them() -> None:
    class Layer:
        def __init__(self) -> None:
            self.grads = {"W": [(1.0, 2.0)]}

    assert [1.0, 2.0] in list(vectors(Layer()))
    assert not list(vectors("12")) and not list(vectors(True)) and not list(vectors([1.0, "2"], 1))


def test_several_lines_are_told_together() -> None:
    lines = [Line("mine.py", 3, "f"), Line("mine.py", 9, "g"), Line("mine.py", 4, "f")]
    assert told(lines) == "It is probably made in lines 3 and 4 of f and line 9 of g."
