"""What trials are made of: the user's code run, with sentences for what it raises, and numbers in the shape that is wanted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from purebp.graphs.nodes import Input
from purebp.oracle.asking.candidate import NoAnswer
from purebp.oracle.asking.trials import (
    Arrays,
    arrays_of,
    method,
    numeric,
    place_of_targets,
    plain,
    required,
    shaped,
    state,
    weighed,
    within,
)


def failing() -> None:
    raise KeyError("x")


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def odd() -> None:
    raise Unprintable


def test_what_is_raised_becomes_a_sentence_with_its_line() -> None:
    with pytest.raises(NoAnswer, match=r"Sum\.forward raises KeyError: 'x', in line \d+: raise KeyError"):
        within("Sum.forward", failing, [failing.__code__])
    with pytest.raises(NoAnswer, match=r"Sum\.forward raises Unprintable, in line"):
        within("Sum.forward", odd, [odd.__code__])


def test_no_answer_passes_as_it_is() -> None:
    def none() -> None:
        raise NoAnswer("timeout", "late")

    with pytest.raises(NoAnswer, match="^late$"):
        within("Sum.forward", none)


@pytest.mark.parametrize(
    ("given", "wanted", "hint"),
    [
        ([[1.0, 2.0, 3.0]] * 4, (3,), "not summed over the samples"),
        ([[1.0, 2.0, 3.0]] * 4, (1, 3), "not summed over the samples"),
        ([1.0] * 4, (3,), "summed over the neurons"),
        ([[1.0, 2.0]], (2, 5), "wanted"),
        ([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], (2, 3), "it is transposed"),
        (1.0, (3,), "it is one number"),
        (None, (3,), "gives no"),
        (["a"], (1,), "numbers are wanted"),
    ],
)
def test_a_wrong_shape_is_said_with_what_it_looks_like(given: Any, wanted: tuple[int, ...], hint: str) -> None:
    with pytest.raises(NoAnswer, match=hint):
        shaped("Linear.backward", "the gradient of b", given, wanted, 4)


def test_dimensions_of_one_are_no_difference() -> None:
    for given in ([1.0, 2.0], [[1.0, 2.0]], [[1.0], [2.0]]):
        assert shaped("f", "x", given, (2,)) in (given, [1.0, 2.0])


def test_numbers_are_told_from_other_things() -> None:
    assert plain(((1, 2), (3, 4))) == [[1.0, 2.0], [3.0, 4.0]]
    for other in ("1", None, True, [], {}, object()):
        assert not numeric(other)


def test_arrays_are_those_of_the_namespace() -> None:
    numpy = pytest.importorskip("numpy")
    for names in ({"np": numpy}, {"dot": numpy.dot}, {"exp": numpy.exp}):
        assert arrays_of(names).library is numpy
    assert arrays_of({"numpy": 1}).library is None
    assert Arrays(numpy)([1.0, 2.0]).shape == (2,) and Arrays(None)([1.0]) == [1.0] and Arrays(numpy)(1.0) == 1.0


def test_signatures_are_read_with_and_without_self() -> None:
    class Some:
        def of(self, x: int, y: int = 1) -> None: ...

    assert required(Some.of, bound=False) == (1, 2, False) and required(Some().of) == (1, 2, False)
    assert method(Some, "of") == "of" and method(Some, "no") == ""


@pytest.mark.parametrize(
    ("names", "place"),
    [(["y", "a"], 0), (["y_pred", "y_true"], 1), (["a", "b"], 1), (["u", "v"], None), (["x"], None)],
)
def test_targets_are_found_by_name(names: list[str], place: int | None) -> None:
    assert place_of_targets(names) == place


def test_the_state_of_a_thing_is_its_attributes() -> None:
    class Slotted:
        __slots__ = ("x", "y")

        def __init__(self) -> None:
            self.x = 1

    thing = Slotted()
    assert state(thing) == {"x": 1} and state(SimpleNamespace(a=2)) == {"a": 2}


def test_what_comes_back_is_of_the_shape_of_the_node() -> None:
    cost = weighed(Input("x", (None, 3)), 2)
    shapes = {node.name: node.shape for node in _leaves(cost)}
    assert shapes == {"x": (None, 3), "G¹": (None, 3), "G²": (None, 3)}


def _leaves(node: Any) -> set[Any]:
    return {node} if not node.parents else set().union(*map(_leaves, node.parents))
