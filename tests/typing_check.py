"""For mypy alone: the number type goes all the way through, from the arithmetic to the gradients.

Nothing here runs; `mypy --strict` fails where one of the types is another.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any, assert_type

from purebp import FLOAT, Batch, Gradients, Network, Trace, backpropagation, evaluate, forward, sgd_step
from purebp.number_systems.ball import Ball, ball
from purebp.number_systems.decimals import decimal
from purebp.number_systems.dual import DUAL, Dual, dual
from purebp.number_systems.rational import FRACTION
from purebp.oracle import Certified, certified_gradients
from purebp.textbook.arithmetic import Arithmetic
from purebp.textbook.backprop import error_below, weight_gradients
from purebp.textbook.network import lifted


def gradients_have_the_number_type_of_the_arithmetic(network: Network, batch: Batch) -> None:
    assert_type(backpropagation(network, batch), Gradients[float])
    assert_type(backpropagation(network, batch, "mse", decimal(20)), Gradients[Decimal])
    assert_type(backpropagation(network, batch, "mse", FRACTION), Gradients[Fraction])
    assert_type(backpropagation(network, batch, "mse", ball("binary32")), Gradients[Ball])
    assert_type(backpropagation(network, batch, "mse", DUAL), Gradients[Dual[float]])
    assert_type(backpropagation(network, batch, "mse", decimal(20)).parameters(), list[Decimal])


def so_have_outputs_and_losses(network: Network, batch: Batch) -> None:
    assert_type(forward(network, batch.inputs, decimal(20)), Trace[Decimal])
    assert_type(evaluate(network, batch, "mse", FRACTION), Fraction)
    assert_type(evaluate(network, batch, "mse", ball()), Ball)
    assert_type(evaluate(network, batch, "mse", dual(DUAL)), Dual[Dual[float]])
    assert_type(certified_gradients(network, batch).parameters(), list[Certified])


def so_have_the_equations_and_the_steps(network: Network, batch: Batch, rows: list[list[Decimal]]) -> None:
    exact = backpropagation(network, batch, "mse", FRACTION)
    assert_type(backpropagation(network, batch, "mse", FLOAT), Gradients[float])
    assert_type(error_below([[2.0]], [[3.0]]), list[list[float]])
    assert_type(weight_gradients(rows, rows, decimal(20)), list[list[Decimal]])
    assert_type(lifted(network, DUAL), Network[Dual[float]])
    assert_type(sgd_step(network, backpropagation(network, batch), 0.5), Network[float])
    assert_type(sgd_step(network, exact, 0.5, FRACTION), Network[Fraction])
    assert_type(sgd_step({"w": 1.0}, {"w": 0.5}, 0.5), dict[Any, Any])


def so_have_number_systems_over_others(network: Network[Dual[Decimal]], batch: Batch) -> None:
    on = dual(decimal(20))
    assert_type(on, Arithmetic[Dual[Decimal]])
    assert_type(evaluate(network, Batch(on.lift(batch.inputs), on.lift(batch.targets)), "mse", on), Dual[Decimal])
