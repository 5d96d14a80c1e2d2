"""Forwards and backwards along a tape, over any number system.

With v̄ = ∂cost/∂v for every number v on the tape, and backwards from what the program returns:

    v̄ = Σ over the uses of v in y = f(…, v, …) of ȳ ∂f/∂v

(Linnainmaa 1970; Griewank and Walther, Evaluating Derivatives, 2008, ch. 3). It is the recurrence of the layers, one
number at a time.

>>> from purebp.number_systems.rational import FRACTION
>>> tape = Tape()
>>> x = tape.input(3.0)
>>> y = x * x + 1 / x
>>> gradients(tape, values(tape, FRACTION), {y.index: FRACTION.one}, FRACTION)[x.index]  # 2 x − 1 / x²
Fraction(53, 9)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from purebp.number_systems.traced import Step, Tape
from purebp.textbook.arithmetic import Arithmetic

Shares = Callable[[Step, int, Any, Any], Sequence[tuple[int, Any]]]  # what flows back to the operands of a step


def values(tape: Tape, arithmetic: Arithmetic[Any], given: Sequence[Any] = ()) -> list[Any]:
    """Every number on the tape, made anew; from these inputs, by their places, where they are given.

    >>> from purebp import FLOAT
    >>> tape = Tape()
    >>> _ = 2 * tape.input(3.0)
    >>> values(tape, FLOAT)
    [3.0, 2.0, 6.0]
    """
    found: list[Any] = []
    for i, (step, value) in enumerate(zip(tape.steps, tape.values)):
        kind, left, right = step.kind, step.left, step.right
        if kind in ("input", "constant"):
            found.append(given[i] if given and kind == "input" else arithmetic.number(value))
        elif kind == "+":
            found.append(found[left] + found[right])
        elif kind == "−":
            found.append(found[left] - found[right])
        elif kind == "*":
            found.append(found[left] * found[right])
        elif kind == "/":
            found.append(found[left] / found[right])
        elif kind == "neg":
            found.append(-found[left])
        else:
            found.append(function(kind, found[left], arithmetic))
    return found


def function(kind: str, x: Any, arithmetic: Arithmetic[Any]) -> Any:
    """An elementary function; the square root is e^(ln(x) / 2), and 0 at 0."""
    if kind != "sqrt":
        return getattr(arithmetic, kind)(x)
    if hasattr(x, "sqrt"):
        return x.sqrt()
    if isinstance(x, float):
        return x**0.5
    return x * 0 if arithmetic.order(x, 0) == 0 else arithmetic.exp(arithmetic.log(x) / 2)


def gradients(
    tape: Tape,
    values: Sequence[Any],
    upstream: Mapping[int, Any],
    arithmetic: Arithmetic[Any],
    shares: Shares | None = None,
) -> list[Any]:
    """v̄ of every number; None where nothing comes back to it.

    upstream: v̄ of what the program returns, by index. shares: what flows back in a step, where it is not `shares_of`.
    """
    bars: list[Any] = [None] * len(tape.steps)
    for index, bar in upstream.items():
        bars[index] = bar
    for index in range(len(tape.steps) - 1, -1, -1):
        bar, step = bars[index], tape.steps[index]
        if bar is None or step.left < 0:
            continue
        own = shares_of(step, bar, values[index], values, arithmetic)
        for operand, share in own if shares is None else shares(step, index, bar, own):
            if tape.steps[operand].kind != "constant":
                bars[operand] = share if bars[operand] is None else bars[operand] + share
    return bars


def shares_of(
    step: Step, bar: Any, y: Any, values: Sequence[Any], arithmetic: Arithmetic[Any]
) -> list[tuple[int, Any]]:
    """What flows back to the operands of y: ȳ times the derivative."""
    kind, left, right = step.kind, step.left, step.right
    if kind == "+":
        return [(left, bar), (right, bar)]
    if kind == "−":
        return [(left, bar), (right, -bar)]
    if kind == "*":
        return [(left, bar * values[right]), (right, bar * values[left])]
    if kind == "/":
        share = bar / values[right]
        return [(left, share), (right, -(share * y))]
    if kind == "neg":
        return [(left, -bar)]
    x = values[left]
    if kind == "exp":
        return [(left, bar * y)]
    if kind == "expm1":
        return [(left, bar * (y + 1))]
    if kind == "log":
        return [(left, bar / x)]
    if kind == "log1p":
        return [(left, bar / (x + 1))]
    if kind == "sqrt":
        return [(left, bar / (y * 2))]
    if kind == "tanh":
        return [(left, bar * (1 - y * y))]
    if kind == "normal_cdf":
        return [(left, bar * arithmetic.normal_pdf(x))]
    return [(left, -(bar * x * y))]  # normal_pdf
