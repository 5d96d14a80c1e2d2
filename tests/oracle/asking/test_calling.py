"""Calls: every parameter gets what its name says, or nothing is called."""

from __future__ import annotations

from typing import Any

import pytest

from purebp.oracle.asking.calling import Bindings, Call, CannotCall, performed


def test_who_wants_what_nobody_knows_is_not_called() -> None:
    def backward(x: Any, y: Any, spam: Any, eggs: Any) -> None:
        raise AssertionError

    with pytest.raises(CannotCall, match="spam is wanted"):
        performed([Call("backward", backward)], Bindings([[1.0]], [[1.0]]))


def test_arguments_go_by_their_names() -> None:
    def train(lr: float, y: Any, x: Any, epochs: int, w2: Any, w1: Any, verbose: bool = False, reg: float = 0.1) -> Any:
        return [lr, y, x, epochs, w2, w1, verbose, reg]

    known = Bindings("inputs", "targets", weights=["first", "second"])
    assert performed([Call("train", train)], known) == [0.5, "targets", "inputs", 1, "second", "first", False, 0]


def test_what_was_returned_is_handed_on_by_its_name() -> None:
    def forward(x: Any) -> Any:
        hidden, output = x + 1, x + 2
        return output, hidden

    def backward(y: Any, hidden: Any, y_hat: Any) -> Any:
        return [y, hidden, y_hat]

    calls = [Call("forward", forward), Call("backward", backward)]
    assert performed(calls, Bindings(1, "targets")) == ["targets", 2, 3]
