"""What is drawn has every activation, loss and flag, in numbers that every parser reads; what is to be refused is refused."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest

from purebp import Batch, backpropagation
from purebp.testing.strategies import ACTIVATIONS, LOSSES
from tests.oracle.vectors.samples import ANSWERED, TESTS, numbers


def test_ids_are_unique_and_every_activation_and_loss_is_there() -> None:
    ids = [vector.id for vector, _ in TESTS]
    assert len(ids) == len(set(ids)) and all(re.fullmatch("[a-z0-9-]+", name) for name in ids)
    layers = {layer["activation"] for vector, _ in TESTS for layer in vector.given["layers"]}
    assert layers == set(ACTIVATIONS)
    assert set(LOSSES) <= {vector.given["loss"] for vector, _ in ANSWERED}
    for flag in ("Kink", "Saturated", "NoBiases", "Zeros", "Deep", "SquareLayers", "SeveralSamples", "Shapes"):
        assert any(flag in vector.flags for vector, _ in TESTS)


def test_what_is_given_is_read_exactly_by_every_parser() -> None:
    for vector, _ in TESTS:
        for x in numbers(vector.given):
            numerator = Fraction(x).numerator
            assert numerator == 0 or (abs(numerator) // (numerator & -numerator)).bit_length() <= 12


def test_what_is_to_be_refused_is_refused_by_purebp() -> None:
    for vector, _ in TESTS:
        if vector.family == "refused":
            with pytest.raises(ValueError):
                case = vector.case
                backpropagation(case.network, Batch(case.batch.inputs, case.batch.targets), vector.given["loss"])
