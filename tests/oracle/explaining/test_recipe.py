"""Recipes: without a change, backpropagation."""

from __future__ import annotations

from hypothesis import given

from purebp import FLOAT, backpropagation
from purebp.oracle.explaining.recipe import Recipe, run
from tests.strategies import Exercise, cases


@given(cases())
def test_the_recipe_without_changes_is_backpropagation_bit_for_bit(case: Exercise) -> None:
    network, batch, loss = case
    assert run(Recipe(), network, batch, loss, FLOAT) == backpropagation(network, batch, loss)
