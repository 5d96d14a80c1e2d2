"""Leaves: numbers are found in lists, dictionaries and objects, and changed where they are."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from purebp.oracle.asking.leaves import leaves, shape_of

NUMBERS = st.floats(-10, 10)
VECTORS = st.lists(NUMBERS, min_size=1, max_size=4)
MATRICES = st.integers(1, 3).flatmap(
    lambda n: st.lists(st.lists(NUMBERS, min_size=n, max_size=n), min_size=1, max_size=3)
)
HELD = st.dictionaries(st.sampled_from("abcd"), NUMBERS | VECTORS | MATRICES, min_size=1)


@given(HELD)
def test_every_number_is_found_once_and_can_be_changed(held: dict[str, Any]) -> None:
    found = {leaf.name: leaf for leaf in leaves(held)}
    assert {name: leaf.read() for name, leaf in found.items()} == held
    assert all(leaf.shape == shape_of(held[name]) for name, leaf in found.items())
    for leaf in found.values():
        leaf.write(_negative(leaf.read()))
    assert {name: leaf.read() for name, leaf in found.items()} == held
    assert [leaf.read() for leaf in leaves(held)] == [leaf.read() for leaf in found.values()]


def _negative(x: Any) -> Any:
    return [_negative(each) for each in x] if isinstance(x, list) else -x


def test_what_holds_itself_ends() -> None:
    held: dict[str, Any] = {"w": [1.0]}
    held["self"] = held
    assert [leaf.name for leaf in leaves(held)] == ["w"]


def test_text_and_truth_are_no_numbers() -> None:
    assert [shape_of(x) for x in ("text", True, None, [True], [[1.0], [1.0, 2.0]], [])] == [None] * 6
