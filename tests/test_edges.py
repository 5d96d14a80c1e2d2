"""Arguments at the edge of what is allowed, and beyond: ragged matrices, NaN on its way through relu, booleans among numbers."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from dataclasses import replace

import pytest

from purebp import (
    Batch,
    Layer,
    Network,
    PurebpError,
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


def test_a_loss_is_pickled_by_name_or_without_its_formulas() -> None:
    assert pickle.loads(pickle.dumps(huber(2.0).reduced("sum").over(3))) == huber(2.0).reduced("sum").over(3)
    own = replace(sse, summand=mse.slope)
    sent = pickle.loads(pickle.dumps(own.over(3)))
    assert (sent, sent.words) == (own.over(3), own.words)
    with pytest.raises(PurebpError, match="cannot be sent to another process"):
        sent([[1.0]], [[0.0]])


def test_an_activation_is_pickled_by_a_name_that_is_its_own() -> None:
    with pytest.raises(PurebpError, match="not the one of this package"):
        pickle.dumps(replace(tanh, title="Mine"))


@pytest.mark.parametrize("digits", [True, 10**19])
def test_digits_that_cannot_be_are_refused(digits: int) -> None:
    with pytest.raises(PurebpError, match="digits"):
        ball(None, digits)


def test_an_activation_is_called_over_balls() -> None:
    assert abs(float(tanh(ball(None).number(1.0), ball(None)).midpoint) - math.tanh(1.0)) < 1e-15
