"""The smallest expression with given numbers is found, and what has none is not."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from purebp import FLOAT, Batch, Network
from purebp.number_systems.ball import ball
from purebp.oracle.explaining.expressions import (
    CORE,
    OPERATIONS,
    Tree,
    expression,
    names_in,
    operands_of,
    shown,
    smallest,
    standing,
)
from purebp.oracle.explaining.recipe import Recipe, places

NAMES = ("a", "b", "c", "d")


def value(tree: Tree, operands: dict[str, list[float]]) -> list[float]:
    if isinstance(tree, str):
        return operands[tree]
    return [OPERATIONS[tree[0]](x, y) for x, y in zip(value(tree[1], operands), value(tree[2], operands))]


def operands(seed: int) -> dict[str, list[float]]:
    random = Random(seed)
    return {name: [random.uniform(0.5, 3.0) for _ in range(12)] for name in NAMES}


trees = st.recursive(
    st.sampled_from(NAMES), lambda inner: st.tuples(st.sampled_from("+−·/"), inner, inner), max_leaves=4
)


@given(trees, st.integers(0, 1000))
def test_what_is_found_has_the_same_numbers_elsewhere(tree: Tree, seed: int) -> None:
    here, elsewhere = operands(seed), operands(seed + 5000)
    target = value(tree, here)
    if not any(target) or max(map(abs, target)) > 1e6 or min(map(abs, target)) < 1e-3:
        return
    found = smallest(target, here, set(NAMES))
    assert found is not None and names_in(found) <= set(NAMES)
    for x, y in zip(value(found, elsewhere), value(tree, elsewhere)):
        assert abs(x - y) <= 1e-6 * max(1.0, abs(y)), (shown(found), shown(tree))


def test_what_has_no_expression_is_not_found() -> None:
    random = Random(3)
    assert smallest([random.random() for _ in range(12)], operands(1), set(NAMES)) is None


def test_what_stands_in_a_step_is_the_same_over_every_number_system() -> None:
    network, batch = Network.random([2, 3, 2], "tanh", seed=4), Batch([[0.5, -1.0]], [[1.0, 0.0]])
    mistake = standing("deltas", ("·", "∂loss/∂a", ("+", "f′(z)", "a")))
    below, enclosed = (
        places(Recipe(), network, batch, "sse", arithmetic)[1] for arithmetic in (FLOAT, ball("binary64"))
    )
    for x, b in zip(mistake.change(below)[0], mistake.change(enclosed)[0]):
        assert abs(x - float(b.midpoint)) <= b.radius
    found = expression("deltas", [below], [mistake.change(below)])
    assert found is not None
    assert all(abs(x - y) < 1e-9 for x, y in zip(found.change(below)[0], mistake.change(below)[0]))


def test_the_core_is_in_reach() -> None:
    network, batch = Network.random([3, 3, 3], "tanh", seed=4), Batch([[0.5, -1.0, 2.0]], [[1.0, 0.0, 0.0]])
    output, below = places(Recipe(), network, batch, "sse", FLOAT)
    for step, core in CORE.items():
        assert core <= operands_of(step, output).keys() | operands_of(step, below).keys(), step
