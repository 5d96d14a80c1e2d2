"""No branch of a formula is taken by a midpoint: a ball that holds both sides of a decision gets a result that holds both.

The ball is put around the decision, and what comes out is held against the formula in 200 digits at numbers in it.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import cache, partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purebp import Batch, Layer, Network, PurebpError, loss, softmax
from purebp.graph import Node, Operation, backward_graph
from purebp.graphs.tensors import entries, entrywise
from purebp.number_systems.ball import Ball, Rules, ball
from purebp.number_systems.dual import Dual, dual
from purebp.number_systems.formats import FORMATS
from purebp.oracle.explaining.catalogue import CATALOGUE
from purebp.oracle.explaining.recipe import Inapplicable, planted, run
from purebp.textbook.arithmetic import Arithmetic, Function, Undecided
from tests import graph_laws as graphs
from tests.enclosures import BOUNDED, EXACT, holds
from tests.strategies import LOSSES

BALLS = ball(None, 38)
TINY = Fraction(1, 10**100)
sides = st.tuples(st.integers(0, 8), st.integers(0, 8), st.sampled_from([2, 30, 90])).filter(lambda s: s[0] + s[1] > 0)
Sides = tuple[int, int, int]


def around(decision: float, sides: Sides) -> Ball:
    """From so many units below to so many above it, a unit being a power of 2; the midpoint may lie on either side."""
    below, above, bits = sides
    middle = (int(decision * 2) << bits) + above - below
    return Ball(middle, -bits - 1, below + above, Rules(None, 38))


def within(decision: float, sides: Sides) -> list[Fraction]:
    """Numbers of that ball: its ends, the decision, and numbers next to it."""
    below, above, bits = sides
    steps = [Fraction(-below), Fraction(-below, 3), Fraction(0), Fraction(above, 7), Fraction(above)]
    return [Fraction(decision) + step / 2**bits for step in steps]


def exactly(x: Fraction) -> Decimal:
    return EXACT.ratio(*x.as_integer_ratio())


@pytest.mark.parametrize("function", BOUNDED.values(), ids=BOUNDED)
@given(sides=sides, format=st.sampled_from([None, *FORMATS]))
def test_functions_of_one_number(function: Function, sides: Sides, format: str | None) -> None:
    assert function.bounds is not None
    for decision in {0.0, 0.5, -0.5, *(z for z, _, _ in function.bounds.kinks)}:
        ((found,),) = ball(format).elementwise(function, [[around(decision, sides)]])
        for x in within(decision, sides):
            assert holds(found, function.formula(exactly(x), EXACT), TINY)


@given(st.lists(sides, min_size=2, max_size=3))
def test_softmax_whichever_is_the_largest(rows: list[Sides]) -> None:
    found = softmax([around(0.0, sides) for sides in rows], BALLS)
    for i in range(5):
        exact = softmax([exactly(within(0.0, sides)[i - j]) for j, sides in enumerate(rows)], EXACT)
        assert all(map(partial(holds, accuracy=TINY), found, map(Fraction, exact)))


@pytest.mark.parametrize("name", LOSSES)
@given(output=sides, target=sides, at=st.sampled_from([0.0, 0.5, 1.0]), aim=st.sampled_from([0.0, 0.5, 1.0]))
def test_losses_of_an_output_and_a_target(name: str, output: Sides, target: Sides, at: float, aim: float) -> None:
    """Also where the output may be no probability, and the target no 0."""
    of = loss(name)
    for formula in (of.summand, of.slope):
        found = formula(around(at, output), around(aim, target), BALLS)
        for p in within(at, output):
            for t in within(aim, target):
                try:
                    exact = formula(exactly(p), exactly(t), EXACT)
                except (PurebpError, ArithmeticError):  # it is no probability
                    continue
                if Decimal(exact).is_finite():
                    assert holds(found, exact, TINY), (p, t)


@cache
def examples(operation: Operation) -> list[tuple[Node, graphs.Feed]]:
    """Those of the laws of graphs, found once."""
    return list(graphs.examples(operation))


@pytest.mark.parametrize("operation", graphs.OPERATIONS, ids=graphs.named)
@given(sides=sides, data=st.data())
@settings(max_examples=10)
def test_operations_of_a_graph(operation: Operation, sides: Sides, data: st.DataObject) -> None:
    """One number of one input is not known: values and gradients hold what each number in its ball gives."""
    cost, feed = data.draw(st.sampled_from(examples(operation)))
    chosen = data.draw(st.sampled_from(sorted(feed, key=lambda node: node.name)))
    decision = data.draw(st.sampled_from([0.0, 1.0]))
    place = data.draw(st.integers(0, len(entries(feed[chosen])) - 1))

    def fed(number: Any, arithmetic: Arithmetic[Any]) -> list[Any]:
        position = iter(range(len(entries(feed[chosen]))))
        tensor = entrywise(lambda x: number if next(position) == place else x, feed[chosen])
        found = backward_graph(cost, {**feed, chosen: tensor}, arithmetic)
        return [x for node in feed for x in entries(found[node])] + entries(found.values[cost])

    found = fed(around(decision, sides), BALLS)
    for x in within(decision, sides):
        try:
            exact = fed(exactly(x), EXACT)
        except (PurebpError, ArithmeticError):  # the logarithm of a negative number
            continue
        assert all(map(partial(holds, accuracy=TINY), found, map(Fraction, exact)))


BRANCHING = ("relu", "leaky_relu(0.25)", "elu(0.5)", "sigmoid", "softmax")


@pytest.mark.parametrize("name", BRANCHING)
@given(z=sides, y=sides)
@settings(max_examples=2, deadline=None)
def test_mistakes(name: str, z: Sides, y: Sides) -> None:
    """Pre-activations and errors of which the sign is not known."""
    last = name if name == "softmax" else "identity"
    network = Network(
        [
            Layer([[1.0], [0.5]], [0.0, 0.0], "sigmoid" if name == "softmax" else name),
            Layer([[1.0, -0.75], [0.5, 2.0]], [0.25, 0.0], last),
        ]
    )

    def gradients(mistake: Any, x: Any, t: Any, arithmetic: Arithmetic[Any]) -> list[Any]:
        batch = Batch([[x], [0.5]], [[t, 0.5], [1.0, 0.0]])
        return run(planted(mistake, range(2)), network, batch, "half_sse", arithmetic).parameters()

    for mistake in CATALOGUE.values():
        try:
            found = gradients(mistake, around(0.0, z), around(0.0, y), BALLS)
        except (Inapplicable, PurebpError):
            continue
        for x, t in zip(within(0.0, z), reversed(within(0.0, y))):
            exact = gradients(mistake, exactly(x), exactly(t), EXACT)
            assert all(map(partial(holds, accuracy=TINY), found, map(Fraction, exact))), mistake.name


@given(sides)
def test_what_is_not_known_cannot_be_compared(sides: Sides) -> None:
    x = around(0.0, sides)
    with pytest.raises(Undecided, match="overlap"):
        BALLS.less(x, 0)
    assert BALLS.order(x, 0) is None and BALLS.order(0, x) is None
    held = BALLS.choose(x, 0, below=lambda: BALLS.number(-2.0), at=lambda: BALLS.zero, above=lambda: BALLS.number(5.0))
    assert all(holds(held, Fraction(value)) for value in (-2, 0, 5)) and not holds(held, Fraction(6))
    above, nothing = around(2.0, (1, 1, 2)), around(2.0, (1, 1, 2))._replace(spread=None)
    assert (BALLS.order(0, above), BALLS.order(above, 0), BALLS.order(above, 3)) == (-1, 1, -1)
    assert (BALLS.order(BALLS.one, 1), BALLS.order(nothing, 100)) == (0, None)


def test_what_is_not_known_of_a_dual_number_holds_both_slopes() -> None:
    on = dual(BALLS)
    x = Dual(around(0.0, (1, 2, 3)), BALLS.one)
    held = on.choose(x, 0, below=lambda: -x, at=lambda: on.zero, above=lambda: x)
    assert all(holds(held.slope, Fraction(slope)) for slope in (-1, 0, 1)) and holds(held.value, Fraction(1, 4))
