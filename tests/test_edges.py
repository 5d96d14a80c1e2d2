"""Arguments at the edge of what is allowed, and beyond: ragged matrices, NaN on its way through relu, booleans among numbers."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from purebp import (
    Batch,
    Layer,
    Loss,
    Network,
    PurebpError,
    backpropagation,
    evaluate,
    hadamard,
    huber,
    inner,
    mse,
    relu,
    sse,
    tanh,
    train,
    transpose,
)
from purebp.number_systems.ball import ball
from purebp.oracle import certified_gradients, certified_outputs

RAGGED = [[1.0, 2.0], [3.0]]
FULL = [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    "call",
    [
        lambda: mse(RAGGED, FULL),
        lambda: mse.derivative(FULL, RAGGED),
        lambda: hadamard(FULL, RAGGED),
        lambda: inner(RAGGED, FULL),
        lambda: transpose(RAGGED),
    ],
)
def test_ragged_matrices_are_refused(call: Callable[[], object]) -> None:
    with pytest.raises(PurebpError, match="ragged"):
        call()


def test_as_many_biases_as_rows_are_wanted() -> None:
    with pytest.raises(PurebpError, match="needs 2 biases, not 1"):
        inner([[1.0, 2.0]], FULL, [1.0])


def test_relu_does_not_hide_nan() -> None:
    network = Network([Layer([[math.nan]], None, "relu")])
    assert math.isnan(relu(math.nan)) and math.isnan(evaluate(network, Batch([[1.0]], [[0.0]])))
    with pytest.raises(PurebpError, match="diverged"):
        list(train(network, Batch([[1.0]], [[0.0]]), epochs=1))


@pytest.mark.parametrize("name", ["mse/", "mse/rows"])
def test_a_reduction_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(PurebpError, match="unknown reduction"):
        evaluate(Network([Layer([[1.0]], None, "identity")]), Batch([[1.0]], [[0.0]]), name)


def test_the_repr_of_a_ball_is_short_whatever_its_size() -> None:
    one = ball(None).lift([[1.0]])[0][0]
    assert repr(one._replace(mantissa=3**40_000)) == "Ball(7.0825359317191844e+19084 ± 0)"
    assert repr(one._replace(exponent=-60_000, spread=None)).endswith(" ± inf)")


def test_fractions_and_decimals_are_certified_for_what_they_are() -> None:
    for x in (Fraction(1, 3), Decimal("0.1"), Fraction(5, 8)):
        network: Network[Any] = Network([Layer([[x]], None, "identity")])
        (entry,) = certified_gradients(network, Batch([[1.0]], [[0.0]]), "half_sse").parameters()
        assert entry.rounded and entry.value == float(x)
        assert Fraction(entry.lower) <= Fraction(x) <= Fraction(entry.upper)


def test_a_complex_number_is_not_certified() -> None:
    network: Network[Any] = Network([Layer([[1j]], None, "identity")])
    with pytest.raises(PurebpError, match="finite numbers"):
        certified_gradients(network, Batch([[1.0]], [[0.0]]))


def test_the_loss_that_is_given_is_the_one_that_is_certified() -> None:
    network, batch = Network([Layer([[2.0]], None, "identity")]), Batch([[1.0]], [[0.0]])
    own = Loss("cube", "sum", lambda p, t, on: (p - t) * (p - t) * (p - t), lambda p, t, on: 3 * (p - t) * (p - t))
    for loss in (mse.over(10), own, replace(sse, summand=own.summand, slope=own.slope)):
        (entry,) = certified_gradients(network, batch, loss).parameters()
        assert entry.value == backpropagation(network, batch, loss).parameters()[0]


def test_a_loss_is_pickled_by_name_or_not_at_all() -> None:
    assert pickle.loads(pickle.dumps(huber(2.0).reduced("sum").over(3))) == huber(2.0).reduced("sum").over(3)
    with pytest.raises(PurebpError, match="not the one of this package"):
        pickle.dumps(replace(sse, summand=mse.slope))


def test_arguments_beyond_all_floats_are_certified() -> None:
    network = Network([Layer([[1.79e308]], None, "identity"), Layer([[2.0]], None, "tanh")])
    ((entry,),) = certified_outputs(network, [[1.0]])
    assert entry.rounded and entry.value == 1.0


@pytest.mark.parametrize("parts", [0, -1, 1.5, "a"])
def test_parts_that_are_no_number_of_parts_are_refused(parts: Any) -> None:
    with pytest.raises(PurebpError, match="parts="):
        certified_gradients(Network.random([1, 1]), Batch([[1.0]], [[0.0]]), parts=parts)


@pytest.mark.parametrize("digits", [True, 10**19])
def test_digits_that_cannot_be_are_refused(digits: int) -> None:
    with pytest.raises(PurebpError, match="digits"):
        ball(None, digits)


def test_an_activation_is_called_over_balls() -> None:
    assert abs(float(tanh(ball(None).number(1.0), ball(None)).midpoint) - math.tanh(1.0)) < 1e-15
