"""A class of values: where it keeps number and gradient, and what it can do."""

from __future__ import annotations

import pytest

from purebp.oracle.asking.value_nodes import ValueClass, find_values
from tests.oracle.learners import FLOW, SLOTS, VALUE, namespace_of

pytest.importorskip("numpy")


def values(source: str) -> ValueClass:
    found = find_values(namespace_of(source))
    assert found is not None
    return found


def test_number_and_gradient_are_found_with_slots_and_without() -> None:
    assert (values(VALUE).data, values(VALUE).gradient) == ("data", "grad")
    assert (values(SLOTS).data, values(SLOTS).gradient) == ("v", "grad")


def test_methods_are_known_by_their_numbers() -> None:
    known = {each.name: each.computes for each in values(VALUE.replace("def tanh", "def squash")).operators}
    assert (known["squash"], known["relu"], known["exp"]) == ("tanh", "relu", "exp")


def test_methods_that_change_a_value_are_no_operators() -> None:
    assert "zero_grad" not in {each.name for each in values(SLOTS).operators} and not values(SLOTS).unknown


def test_what_nobody_knows_is_said() -> None:
    odd = "    def odd(self):\n        return Value(self.data ** 5 + 1, (self,))\n\n    def tanh(self)"
    assert values(VALUE.replace("    def tanh(self)", odd)).unknown == ("Value.odd",)


def test_a_wrong_operator_does_not_hide_the_class() -> None:
    assert values(VALUE.replace("self.data + other.data", "self.data - other.data")).data == "data"


def test_classes_of_another_kind_are_none() -> None:
    assert find_values(namespace_of(FLOW)) is None
    assert find_values({"complex": complex, "str": str}) is None
