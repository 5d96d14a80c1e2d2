"""How far off a correct backward function may be, whatever its arrangement: a bound for every gradient entry.

Along the tape, forwards and backwards, each number carries

    m   its value, to DIGITS digits
    a   the sum of the magnitudes of the terms that it is the sum of
    e   the error that these terms may have
    t   the number of terms

so that its whole error is e + γ (a + e) with γ = (t − 1) u / (1 − (t − 1) u): so much a sum of t terms errs beyond the
errors of its terms, in any order and tree (Higham, Accuracy and Stability of Numerical Algorithms, 2002, § 4.2). A
product is a new term, with the errors of both factors, and ROUNDED roundoffs of its own: whatever distributes it over a
sum, or divides before it multiplies, rounds as much. No difference is allowed to cancel in a bound. docs/error-budget.md
has the lemma, and what is known to leave these budgets though it is right.

expanded: magnitudes survive a product, as where (x − μ)² is computed as x² − 2xμ + μ². That is the second tier: a right
formula in an arrangement that cancels.

>>> tape = Tape()
>>> x, y = tape.input(0.1), tape.input(0.2)
>>> z = x * y
>>> bars = budgets(tape, {z.index: 1.0}, 2.0**-53)
>>> float(bars[x.index].value), bars[x.index].radius < 1e-15
(0.2, True)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from math import inf
from types import MappingProxyType
from typing import NamedTuple

from purebp.number_systems.decimals import context, decimal
from purebp.number_systems.traced import Tape
from purebp.programs.tracing import Edge

DIGITS = 40
ROUNDED = 4  # roundoffs of a product
FUNCTION = 8.0  # of an elementary function
WIDER = 1.0 + 2.0**-20  # for the rounding of these bounds themselves, which are doubles
FUNCTIONS = decimal(DIGITS)
PLAIN: dict[str, Callable[[Decimal], Decimal]] = {"exp": Decimal.exp, "log": Decimal.ln, "sqrt": Decimal.sqrt}
FLOORS = {"expm1": 1.0, "normal_cdf": 1.0}  # C₀: intermediates are as large


class Bar(NamedTuple):
    """The gradient by one number of the tape: the value, and by how much a correct answer may differ from it."""

    value: Decimal
    radius: float


Changed = Mapping[Edge, tuple[str, float]]  # what flows back there instead: "times" c of it, or ȳ times c, "slope"
NOTHING: Changed = MappingProxyType({})


def budgets(
    tape: Tape,
    upstream: Mapping[int, float],
    unit: float,
    expanded: bool = False,
    changed: Changed = NOTHING,
    tiny: float = 0.0,
) -> list[Bar | None]:
    """The gradient by every number on the tape, with its budget; None where nothing comes back.

    upstream: what comes back to what the program returns, by index, exactly. unit: the roundoff of the format; tiny: what
    may be lost where it underflows. changed: what a mistake makes of what flows back along some edges.
    """
    with localcontext(context(DIGITS)):
        return _budgets(tape, upstream, unit, expanded, changed, tiny)


Sweep = tuple[list[Decimal], list[float], list[float], list[float], list[int]]
# m, what counts of it in products (|m|, or a where expanded), a, e, t, of every number on the tape


def _budgets(
    tape: Tape, upstream: Mapping[int, float], unit: float, expanded: bool, changed: Changed, tiny: float
) -> list[Bar | None]:
    n, steps = len(tape.steps), tape.steps
    m, s, a, e, t = [Decimal()] * n, [0.0] * n, [0.0] * n, [0.0] * n, [1] * n
    rest: dict[int, float] = {}  # |x| of c + x with a constant c, which may be found as the difference of both
    one = (1 + unit) ** ROUNDED - 1

    for i, (step, given) in enumerate(zip(steps, tape.values)):
        kind, l, r = step.kind, step.left, step.right
        if kind == "*":
            m[i] = m[l] * m[r]
            x, y = s[l], s[r]
            size = x * y
            if steps[l].kind == "constant" or steps[r].kind == "constant":  # terms stay terms
                c, v = (x, r) if steps[l].kind == "constant" else (y, l)
                a[i], e[i], t[i] = a[v] * c, (e[v] + one * (a[v] + e[v])) * c, t[v]
            else:
                ex, ey = _whole(a[l], e[l], t[l], unit), _whole(a[r], e[r], t[r], unit)
                a[i], e[i] = size, (x * ey + y * ex + ex * ey) * (1 + one) + one * size + tiny
            s[i] = a[i] if expanded else abs(float(m[i]))
        elif kind in "+−":
            m[i] = m[l] + m[r] if kind == "+" else m[l] - m[r]
            a[i], e[i], t[i] = a[l] + a[r], e[l] + e[r], t[l] + t[r]
            s[i] = a[i] if expanded else abs(float(m[i]))
            if steps[l].kind == "constant" or steps[r].kind == "constant":
                rest[i] = s[r] if steps[l].kind == "constant" else s[l]
        elif kind in ("input", "constant"):
            m[i] = Decimal(given)
            a[i] = s[i] = abs(given)
            t[i] = 1 if given else 0
        elif kind == "/":
            m[i] = m[l] / m[r]
            inverse, ei = _inverse(abs(float(m[r])), _whole(a[r], e[r], t[r], unit), unit)
            if steps[r].kind == "constant":
                a[i], e[i], t[i] = a[l] * inverse, (e[l] + one * (a[l] + e[l])) * inverse, t[l]
            else:
                x, ex = s[l], _whole(a[l], e[l], t[l], unit)
                a[i] = x * inverse
                e[i] = (x * ei + inverse * ex + ex * ei) * (1 + one) + one * a[i] + tiny
            s[i] = a[i] if expanded else abs(float(m[i]))
        elif kind == "neg":
            m[i], a[i], e[i], t[i], s[i] = -m[l], a[l], e[l], t[l], s[l]
        else:
            x, ex = float(m[l]), _whole(a[l], e[l], t[l], unit)
            m[i] = _value(kind, m[l])
            a[i] = s[i] = abs(float(m[i]))
            e[i] = _function(kind, m[i], x, ex, a[l], unit) * (1 + FUNCTION * unit) + tiny
    return _backwards(tape, upstream, unit, expanded, (m, s, a, e, t), rest, changed, tiny)


def _whole(a: float, e: float, t: int, unit: float) -> float:
    """The error of a sum of t terms whose magnitudes add up to a, and errors to e: e + γ (a + e), γ = (t − 1) u / (1 − (t − 1) u)."""
    if t <= 1:
        return e
    lost = (t - 1) * unit
    return e + (a + e) * lost / (1 - lost) if lost < 1 else inf


def _inverse(exact: float, error: float, unit: float) -> tuple[float, float]:
    """|1/y| and its error: |1/(y + δ) − 1/y| ≤ δ / (|y| (|y| − δ))."""
    if not exact:
        return inf, inf
    return 1 / exact, (error / (exact * (exact - error)) if error < exact else inf) + unit / exact


def _value(kind: str, m: Decimal) -> Decimal:
    if kind in PLAIN:
        return PLAIN[kind](m)
    return Decimal(getattr(FUNCTIONS, kind)(FUNCTIONS.lift([[m]])[0][0]))


def _function(kind: str, value: Decimal, x: float, error: float, magnitude: float, unit: float) -> float:
    """The error of f(x) where x is off by as much."""
    y = abs(float(value))
    floor = FLOORS.get(kind, 0.0)
    if kind in ("exp", "expm1"):
        grown = (y + floor) * (error * 1.5 if error < 0.5 else inf)
        shifted = magnitude * unit * (y + floor)  # whoever shifts or scales the argument rounds it
        return grown + shifted + FUNCTION * unit * max(y, floor)
    if kind == "sqrt":
        slope = 0.5 / y if y else inf
        spread = error * slope * 2 if error < x / 2 or not error else inf
        return spread + 2 * unit * y
    if kind in ("log", "log1p"):
        at = x if kind == "log" else 1 + x
        spread = error / (at - error) if error < at else inf
        return spread + FUNCTION * unit * max(y, 1.0)
    if kind == "tanh":
        return error + FUNCTION * unit * y
    return error + FUNCTION * unit * max(y, floor)  # of the normal distribution: slopes are below 1


def _backwards(
    tape: Tape,
    upstream: Mapping[int, float],
    unit: float,
    expanded: bool,
    forwards: Sweep,
    rest: Mapping[int, float],
    changed: Changed,
    tiny: float,
) -> list[Bar | None]:
    """v̄ with the same bookkeeping."""
    m, s, a, e, t = forwards
    n, steps, one = len(tape.steps), tape.steps, (1 + unit) ** ROUNDED - 1
    gm: list[Decimal | None] = [None] * n
    ga, ge, gt = [0.0] * n, [0.0] * n, [0] * n
    bars: dict[int, Bar] = {}

    def arrives(at: int, value: Decimal, terms: float, error: float, count: int, edge: Edge = (-1, 0)) -> None:
        """A share flows back to a number."""
        if edge in changed:
            how, c = changed[edge]
            if how == "times":
                size = abs(c)
                value, terms, error = value * Decimal(c), terms * size, (error + terms * unit) * size
            else:
                bar, size = bars[edge[0]], abs(c)
                value, terms, error = (
                    bar.value * Decimal(c),
                    size * abs(float(bar.value)),
                    size * (bar.radius + FUNCTION * unit * abs(float(bar.value))),
                )
                count = 1
            if not c:
                return
        old = gm[at]
        gm[at] = value if old is None else old + value
        ga[at] += terms
        ge[at] += error
        gt[at] += count

    for index, bar in upstream.items():
        arrives(index, Decimal(bar), abs(bar), 0.0, 1 if bar else 0)
    for i in range(n - 1, -1, -1):
        g, step = gm[i], steps[i]
        kind, l, r = step.kind, step.left, step.right
        if g is None or l < 0:
            continue
        terms, error, count = ga[i], ge[i], gt[i]
        if (i, 0) in changed or (i, 1) in changed:
            bars[i] = Bar(g, _whole(terms, error, count, unit))
        if kind in "+−":
            if steps[l].kind != "constant":
                arrives(l, g, terms, error, count, (i, 0))
            if steps[r].kind != "constant":
                arrives(r, g if kind == "+" else -g, terms, error, count, (i, 1))
            continue
        if kind == "neg":
            arrives(l, -g, terms, error, count, (i, 0))
            continue
        size = terms if expanded else abs(float(g))
        whole = _whole(terms, error, count, unit)

        def term(at: int, value: Decimal, by: float, off: float, side: int = 0) -> None:
            """A share that is ȳ times a number of size `by` that is off by `off`."""
            arrives(
                at,
                value,
                size * by,
                (size * off + by * whole + whole * off) * (1 + one) + one * size * by + tiny,
                1,
                (i, side),
            )

        if kind == "*":
            for side, at, other in ((0, l, r), (1, r, l)):
                if steps[at].kind == "constant":
                    continue
                if steps[other].kind == "constant":
                    c = s[other]
                    arrives(at, g * m[other], terms * c, (error + one * (terms + error)) * c, count, (i, side))
                else:
                    term(at, g * m[other], s[other], _whole(a[other], e[other], t[other], unit), side)
        elif kind == "/":
            off = _whole(a[r], e[r], t[r], unit)
            inverse, more = _inverse(abs(float(m[r])), off, unit)
            if steps[l].kind != "constant":
                if steps[r].kind == "constant":
                    arrives(l, g / m[r], terms * inverse, (error + one * (terms + error)) * inverse, count, (i, 0))
                else:
                    term(l, g / m[r], inverse, more)
            if steps[r].kind != "constant":
                by = s[i] * inverse
                off = s[i] * more + inverse * _whole(a[i], e[i], t[i], unit) + one * by
                if rest.get(r):
                    off += by * abs(float(m[r])) / rest[r] * unit * ROUNDED
                term(r, -(g * m[i] / m[r]), by, off, 1)
        else:
            off = _whole(a[l], e[l], t[l], unit)
            slope, more = _slope(kind, m[l], m[i], off, e[i], unit)
            term(l, g * slope, abs(float(slope)), more)
    return [
        None if value is None else Bar(value, _whole(terms, error, count, unit) * WIDER)
        for value, terms, error, count in zip(gm, ga, ge, gt)
    ]


def _slope(kind: str, m: Decimal, y: Decimal, error: float, of_y: float, unit: float) -> tuple[Decimal, float]:
    """f′(m) where m is off by `error` and y = f(m) by `of_y`, and by how much it may be off."""
    if kind == "exp":
        return y, of_y
    if kind == "expm1":
        return y + 1, of_y + unit * abs(float(y + 1))
    if kind in ("log", "log1p"):
        at = m if kind == "log" else 1 + m
        inverse, off = _inverse(abs(float(at)), error + (0.0 if kind == "log" else unit * abs(float(at))), unit)
        return 1 / at, off
    if kind == "sqrt":
        inverse, off = _inverse(abs(float(y)), of_y, unit)
        return (1 / (2 * y) if y else Decimal("Infinity")), (off + 2 * unit * inverse) / 2
    if kind == "tanh":
        return 1 - y * y, 2 * error + FUNCTION * unit * 2
    density = _value("normal_pdf", m) if kind == "normal_cdf" else y
    x, size = abs(float(m)), abs(float(density))
    near = size * (error * (x + error) * 2 + unit * (FUNCTION + x * x)) if error < 0.5 else inf
    if kind == "normal_cdf":
        return density, near
    return -(m * density), x * near + size * error + 2 * unit * size * x
