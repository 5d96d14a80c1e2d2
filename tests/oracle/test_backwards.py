"""What is said of a backward function: what is off, what it approximates, and what it was given."""

from __future__ import annotations

import struct
from typing import Any

from purebp.oracle import check_backward
from purebp.programs import exp


def product(x: Any, y: Any) -> Any:
    return [a * exp(b) for a, b in zip(x, y)]


def backward(upstream: Any, x: Any, y: Any) -> Any:
    return [u * exp(b) for u, b in zip(upstream, y)], [u * a * exp(b) for u, a, b in zip(upstream, x, y)]


INPUTS = "x: n, y: n"


def test_what_is_off_and_what_is_right_is_said() -> None:
    report = check_backward(lambda up, x, y: (backward(up, x, y)[0], [0.0] * len(y)), product, INPUTS)
    assert "Wrong is the gradient by y; right by x." in report.notes
    some = check_backward(
        lambda up, x, y: backward(up, x, y) if len(x) < 5 else ([0.0] * len(x), [0.0] * len(x)), product, INPUTS
    )
    assert any(note.startswith("It is wrong on 1 of ") for note in some.notes)


def single(x: float) -> float:
    found: float = struct.unpack("f", struct.pack("f", x))[0]
    return found


def test_lower_precision_is_imprecise() -> None:
    rounded = check_backward(
        lambda *given: tuple([single(g) for g in part] for part in backward(*given)), product, INPUTS
    )
    assert rounded.verdict == "imprecise" and "binary32" in rounded.notes[0]
    inside = check_backward(
        lambda up, x, y: ([u * single(exp(b)) for u, b in zip(up, y)], backward(up, x, y)[1]), product, INPUTS
    )
    assert inside.verdict == "imprecise" and "binary32" in inside.notes[0]


def test_the_numbers_of_the_smallest_case_are_shown() -> None:
    report = check_backward(lambda up, x, y: (up, up), product, INPUTS)
    assert report.smallest.splitlines()[0].startswith("  x = [") and "upstream = [" in report.smallest


def test_what_keeps_state_is_told() -> None:
    kept: list[float] = [0.0]

    def grows(upstream: Any, x: Any, y: Any) -> Any:
        dx, dy = backward(upstream, x, y)
        kept[0] += 1.0
        return [d + kept[0] for d in dx], dy

    assert any(finding.kind == "keeps state" for finding in check_backward(grows, product, INPUTS).findings)
