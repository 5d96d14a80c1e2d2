"""What may stand in a line: every product can be made somewhere, has a name of its own, and is no right answer."""

from __future__ import annotations

import pytest

from purebp import Batch, Network
from purebp.oracle.explaining.equations import tried
from purebp.oracle.explaining.grammar import ORDERS, RIGHT_SIDES, ordered, products
from purebp.oracle.explaining.recipe import Place, Recipe, places
from purebp.textbook.arithmetic import FLOAT

SQUARE = Network.random([3, 3, 3, 3], ["tanh", "elu(0.5)", "softplus"], seed=2)
SQUARE = SQUARE.with_parameters([w + 0.1 * (i % 7) for i, w in enumerate(SQUARE.parameters())])
PLACES = places(Recipe(), SQUARE, Batch([[0.5, -1.0, 0.25]], [[1.0, 0.5, -0.5]]), "half_sse", FLOAT)
STEPS = list(RIGHT_SIDES)


def where(step: str) -> Place:
    """The output for what stands there, else the layer in the middle."""
    return PLACES[0] if step == "error" else PLACES[1]


@pytest.mark.parametrize("step", STEPS)
def test_every_product_can_be_made_and_is_not_what_should_stand_there(step: str) -> None:
    place = where(step)
    right = {"error": place.error, "passed": place.error, "deltas": place.deltas}
    for mistake in products(step):
        value = tried(mistake, place)
        assert value is not None, mistake.name
        if step in right and mistake.name.partition(" in place")[0] not in ("ŷ − y",):
            assert [list(row) for row in value] != [list(row) for row in right[step] or ()], mistake.name


@pytest.mark.parametrize("step", STEPS)
def test_names_and_sentences_are_their_own(step: str) -> None:
    names = [mistake.name for mistake in products(step)]
    assert len(set(names)) == len(names)
    assert all(mistake.sentence.count("{where}") == (step != "error") for mistake in products(step))


@pytest.mark.parametrize(
    ("order", "row"),
    [("in reverse", [3, 2, 1]), ("shifted by one", [2, 3, 1]), ("shifted back by one", [3, 1, 2]),
     ("without the first", [0, 2, 3]), ("without the last", [1, 2, 0]), ("with the first alone", [1, 0, 0]),
     ("with the last alone", [0, 0, 3])],
)  # fmt: skip
def test_columns_are_ordered(order: str, row: list[float]) -> None:
    assert ordered([[1.0, 2.0, 3.0]], order, PLACES[0]) == [row] and order in ORDERS
