"""What is done to what flows back from a line is told with that line; the operators of test_check_backwards.py are more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from purebp.oracle import check_backward
from purebp.programs import exp, log, sqrt, tanh


def chain(x: Any, w: Any) -> Any:
    a = tanh(x * w)
    b = a + x / w
    c = sqrt(1 + b * b)
    return log(c) * a


def right(x: float, w: float, **slip: float) -> tuple[float, float]:
    """The gradient by x and w, with factors for what flows back along some edges."""
    a = tanh(x * w)
    b = a + x / w
    c = sqrt(1 + b * b)
    dc = a / c * slip.get("log", 1.0)
    db = dc * slip.get("sqrt", b / c)
    da = slip.get("product", log(c)) + db * slip.get("sum", 1.0)
    dz = da * slip.get("tanh", 1 - a * a)
    dx = dz * w + db / w * slip.get("quotient", 1.0)
    dw = dz * x - db * x / w**2
    return dx, dw


SLIPS: dict[str, tuple[Callable[[float, float], dict[str, float]], str]] = {
    "lost": (lambda x, w: {"sum": 0.0}, "What line {b} gives back to line {a} is missing."),
    "nothing from c": (
        lambda x, w: {"log": 0.0},
        "Nothing comes back through line {b}",
    ),  # or through c, which is all the same
    "sign": (lambda x, w: {"sum": -1.0}, "What line {b} gives back to line {a} has the wrong sign."),
    "factor": (lambda x, w: {"quotient": 3.0}, "What line {b} gives back to the gradient by x is 3 times"),
    "half": (lambda x, w: {"log": 0.5}, "What line {b} gives back is 0.5 times"),  # likewise
    "squashed": (lambda x, w: {"tanh": 1 - tanh(tanh(x * w)) ** 2}, "squashed twice"),
    "at z": (lambda x, w: {"tanh": 1 - (x * w) ** 2}, "1 − x² for 1 − y²"),
    "without slope": (lambda x, w: {"tanh": 1.0}, "without the derivative of the function"),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_is_told_with_its_line(name: str) -> None:
    slip, said = SLIPS[name]
    report = check_backward(lambda x, w: right(x, w, **slip(x, w)), chain, {"x": (), "w": ()})
    assert report.verdict == "wrong" and report.explanations, str(report)
    first = chain.__code__.co_firstlineno
    texts = {"a": "a = tanh(x * w)", "b": "b = a + x / w", "c": "c = sqrt(1 + b * b)"}
    lines = {name: f"{first + i}, `{text}`" for i, (name, text) in enumerate(texts.items(), start=1)}
    assert said.format(**lines) in report.explanations[0].sentence, report.explanations[0].sentence


def test_without_a_slip_it_is_right() -> None:
    assert check_backward(right, chain, {"x": (), "w": ()}).verdict == "correct"


def test_what_nothing_explains_is_not_explained() -> None:
    report = check_backward(lambda x, w: (exp(x), w), chain, {"x": (), "w": ()})
    assert report.verdict == "wrong" and not report.explanations


def test_the_whole_and_the_upstream_gradient() -> None:
    def doubled(x: Any) -> Any:
        return [2 * v for v in x]

    said = {
        "Every gradient has the wrong sign.": lambda up, x: [-2 * u for u in up],
        "Every gradient is 0.5 times what it should be.": lambda up, x: list(up),
        "Every gradient is the size of axis 0 of x times what it should be.": lambda up, x: [
            2 * u * len(x) for u in up
        ],
        "The upstream gradient is left out: multiply by it.": lambda up, x: [2.0] * len(x),
    }
    for sentence, backward in said.items():
        report = check_backward(backward, doubled, "x: n")
        assert [found.sentence for found in report.explanations] == [sentence], str(report)


def parts(x: Any, w: Any) -> Any:
    u = x * x
    v = exp(x)
    return u + v + x * w


def test_two_lines_through_which_nothing_comes_back_are_told_together() -> None:
    report = check_backward(lambda x, w: (w, x), parts, {"x": (), "w": ()})
    (found,) = report.explanations
    assert len(found.changes) == 2 and "`u = x * x`" in found.sentence and "`v = exp(x)`" in found.sentence
    assert check_backward(lambda x, w: (2 * x + exp(x) + w, x), parts, {"x": (), "w": ()}).verdict == "correct"
