"""Small expressions, looked for where no product has the right numbers: from the bottom up, and met in the middle.

Of all expressions with the same numbers the smallest is kept (observational equivalence); up to three operands on either
side of an operation are tried, so that there are six in all. (Alur and others, Syntax-guided synthesis, 2013.)

>>> shown(smallest([8.0, 21.0, 1.0], {"a": [2.0, 3.0, 0.5], "z": [1.0, 5.0, 0.25], "b": [3.0, 2.0, 1.75]}, {"a", "z", "b"}))
'(z + b) · a'
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import mul
from typing import Any

from purebp.oracle.explaining.grammar import (
    LEFT,
    MATRICES,
    PASSED,
    POINTS,
    RIGHT,
    RIGHT_SIDES,
    SENT,
    Operands,
    passed_down,
    slopes,
)
from purebp.oracle.explaining.recipe import Mistake, Place, Rows
from purebp.textbook.arithmetic import PurebpError

Vector = list[float]
Tree = Any  # a name, or (operation, tree, tree)
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda x, y: x + y,
    "−": lambda x, y: x - y,
    "·": lambda x, y: x * y,
    "/": lambda x, y: x / y,
}
SOLVED: dict[str, Callable[[float, float], float]] = {  # the y with t = x ∘ y; and the last, with t = y − x
    "+": lambda t, x: t - x,
    "−": lambda t, x: x - t,
    "·": lambda t, x: t / x,
    "/": lambda t, x: x / t,
    "− of": lambda t, x: t + x,
}
MOST = 4000  # expressions kept
FEW = 8  # numbers that are compared first
ROOTS = [k**0.5 for k in range(1, FEW + 1)]  # of which short numbers have no equal sums


def _applied(f: Callable[[float, float], float], a: Sequence[float], b: Sequence[float]) -> Vector | None:
    try:
        found = list(map(f, a, b))
    except (ZeroDivisionError, OverflowError):
        return None
    return found if all(abs(x) < 1e9 for x in found) else None


def _enumerated(operands: Mapping[str, Vector], core: set[str]) -> list[list[tuple[Vector, Tree]]]:
    """By size: all operands, then what two and three of the core give."""
    seen = set[tuple[str, ...]]()
    levels: list[list[tuple[Vector, Tree]]] = [[], [], [], []]

    def keep(size: int, value: Vector | None, tree: Tree) -> None:
        if value is not None and any(value) and len(seen) < MOST:
            key = tuple(f"{x:.9g}" for x in value)
            if key not in seen:
                seen.add(key)
                levels[size].append((value, tree))

    for name, value in operands.items():
        keep(1, value, name)
    small = [one for one in levels[1] if one[1] in core]
    for left_size, right_size in ((1, 1), (1, 2), (2, 1)):
        for a, left in small if left_size == 1 else list(levels[2]):
            for b, right in small if right_size == 1 else list(levels[2]):
                for name, f in OPERATIONS.items():
                    if left_size >= right_size or name in ("−", "/"):
                        keep(left_size + right_size, _applied(f, a, b), (name, left, right))
    return levels


def _mixed(few: Vector) -> float:
    found: float = sum(map(mul, ROOTS, few))
    return found


def smallest(target: Vector, operands: Mapping[str, Vector], core: set[str], tolerance: float = 1e-8) -> Tree | None:
    """The smallest expression with the numbers of the target; None if none is found."""
    step = max(1, len(target) // (2 * FEW))
    few = sorted(range(0, len(target), step), key=lambda i: -abs(target[i]))[:FEW]
    levels = _enumerated({name: [value[i] for i in few] for name, value in operands.items()}, core)
    wanted = [target[i] for i in few]
    known = sorted((_mixed(value), n, k) for n, level in enumerate(levels) for k, (value, _) in enumerate(level))
    keys = [x for x, _, _ in known]
    room = tolerance * max(map(abs, target))

    def holds(tree: Tree) -> bool:
        value = _evaluated(tree, operands)
        return value is not None and all(abs(x - y) <= room for x, y in zip(value, target))

    def equal(few_wanted: Vector) -> Iterator[tuple[int, Tree]]:
        key, near = _mixed(few_wanted), 1e-9 * _mixed(list(map(abs, few_wanted))) + 1e-12
        for j in range(bisect_left(keys, key - near), len(known)):
            if known[j][0] > key + near:
                return
            value, tree = levels[known[j][1]][known[j][2]]
            if all(abs(x - y) <= 1e-6 * abs(y) + 1e-11 for x, y in zip(value, few_wanted)):
                yield known[j][1], tree

    whole = [(n, tree) for n, tree in equal(wanted) if holds(tree)]
    if whole:
        return min(whole, key=lambda one: one[0])[1]
    best: tuple[int, Tree] | None = None
    for n in (1, 2, 3):
        for value, left in levels[n]:
            for name, solve in SOLVED.items():
                if (other := _applied(solve, wanted, value)) is None:
                    continue
                for m, right in equal(other):
                    tree = ("−", right, left) if name == "− of" else (name, left, right)
                    if (best is None or n + m < best[0]) and holds(tree):
                        best = n + m, tree
        if best and best[0] <= n + 2:
            break
    return best and best[1]


def _evaluated(tree: Tree, operands: Mapping[str, Any]) -> Any:
    if isinstance(tree, str):
        return operands[tree]
    left, right = _evaluated(tree[1], operands), _evaluated(tree[2], operands)
    return None if left is None or right is None else _applied(OPERATIONS[tree[0]], left, right)


def names_in(tree: Tree) -> set[str]:
    """Its operands."""
    return {tree} if isinstance(tree, str) else names_in(tree[1]) | names_in(tree[2])


def shown(tree: Tree, inside: bool = False) -> str:
    """As a formula."""
    if isinstance(tree, str):
        return tree
    text = f"{shown(tree[1], True)} {tree[0]} {shown(tree[2], True)}"
    return f"({text})" if inside else text


# What there is, in each step.

CORE = {
    "deltas": {"∂loss/∂a", "f′(z)", "1", "2", "z", "a", "b", "a below", "y"},
    "weights": {"δ", "a below", "W", "1", "2", "a", "z", "the error", "own a"},
    "biases": {"δ", "b", "1", "2", "a", "z", "the error", "f′(z)"},
}


def operands_of(step: str, p: Place, wanted: set[str] | None = None) -> dict[str, list[list[Any]]]:
    """What is in reach of a step at a place, or what is wanted of it: of each sample, as many numbers as the step has."""
    number = p.arithmetic.ratio
    found: dict[str, list[list[Any]]] = {}

    def reach(rows: Operands, spread: Callable[[Sequence[Any]], list[Any]] = list) -> None:
        for name, operand in rows.items():
            if wanted is not None and name not in wanted:
                continue
            try:
                found.setdefault(name, [spread(row) for row in operand(p)])
            except (PurebpError, ArithmeticError):
                continue

    if step == "deltas":
        reach({"∂loss/∂a": lambda p: p.full_error(), "y": lambda p: p.targets if p.last else ()})
        reach({"f′(z)": slopes()["f′(z)"]} | dict(slopes()))
        if not p.last:
            reach({f"{q} {m}": lambda p, q=q, m=m: passed_down(SENT[q], MATRICES[m], p) for q, m in PASSED})  # type: ignore[misc]
        width = len(p.z[0])
    else:
        own: Operands = {**LEFT, "b": POINTS["b"], "f′(z)": slopes()["f′(z)"]}
        width = len(p.z[0]) * (len(p.below[0]) if step == "weights" else 1)
        if step == "weights":
            n_in, n_out = len(p.below[0]), len(p.z[0])
            reach(own, lambda row: [x for x in row for _ in range(n_in)])
            reach(RIGHT, lambda row: [x for _ in range(n_out) for x in row])
            found["W"] = [[x for row in p.weights for x in row]] * p.samples
        else:
            reach(own)
    found["2"] = [[number(2, 1)] * width] * p.samples
    found["1"] = [[number(1, 1)] * width] * p.samples
    return {name: rows for name, rows in found.items() if len(rows) == p.samples and all(len(r) == width for r in rows)}


def standing(step: str, tree: Tree) -> Mistake:
    """The expression in the place of what should stand in a step."""

    def change(p: Place) -> Any:
        reach = operands_of(step, p, names_in(tree))
        if missing := names_in(tree) - reach.keys():
            raise PurebpError(f"{missing} is not there")
        samples = [_numbers(tree, {name: rows[s] for name, rows in reach.items()}) for s in range(p.samples)]
        if step == "deltas":
            return samples
        total = samples[0]
        for more in samples[1:]:
            total = [x + y for x, y in zip(total, more)]
        if step == "biases":
            return total
        n_in = len(p.below[0])
        return [total[i : i + n_in] for i in range(0, len(total), n_in)]

    family = RIGHT_SIDES[step][0]
    whole = {"deltas": "∂loss/∂a ⊙ f′(z)", "weights": "δ ⊗ a below", "biases": "δ, summed over the samples"}[step]
    what = {"deltas": "δ", "weights": "The gradient of the weights", "biases": "The gradient of the biases"}[step]
    text = shown(tree)
    return Mistake(
        f"{text} in place of {whole}", family, f"{what} {{where}} is {text}: it should be {whole}.", step, change
    )


def _numbers(tree: Tree, reach: Mapping[str, list[Any]]) -> list[Any]:
    if isinstance(tree, str):
        return reach[tree]
    return list(map(OPERATIONS[tree[0]], _numbers(tree[1], reach), _numbers(tree[2], reach)))


def expression(step: str, places: Sequence[Place], targets: Sequence[Rows]) -> Mistake | None:
    """What stands in a step, of places of one sample each, found as an expression; None if none is."""
    reach = [operands_of(step, p) for p in places]
    shared = [name for name in reach[0] if all(name in other for other in reach)]
    operands = {name: [x for one in reach for row in one[name] for x in row] for name in shared}
    target = [x for rows in targets for row in rows for x in row]
    tree = smallest(target, operands, CORE[step]) if any(target) else None
    return tree and standing(step, tree)
