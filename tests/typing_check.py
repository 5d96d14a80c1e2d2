"""For mypy alone: the number type goes all the way through, from the arithmetic to the gradients.

Nothing here runs; `mypy --strict` fails where one of the types is another.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import assert_type

from purebp import Batch, Gradients, Network, Trace, backpropagation, evaluate, forward
from purebp.number_systems.ball import Ball, ball
from purebp.number_systems.decimals import decimal
from purebp.number_systems.dual import DUAL, Dual, dual
from purebp.number_systems.rational import FRACTION
from purebp.oracle import Certified, certified_gradients
from purebp.textbook.arithmetic import Arithmetic


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


def so_have_number_systems_over_others(network: Network[Dual[Decimal]], batch: Batch) -> None:
    on = dual(decimal(20))
    assert_type(on, Arithmetic[Dual[Decimal]])
    assert_type(evaluate(network, Batch(on.lift(batch.inputs), on.lift(batch.targets)), "mse", on), Dual[Decimal])
