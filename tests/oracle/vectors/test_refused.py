"""What is to be refused is refused."""

from __future__ import annotations

import pytest

from purebp import Batch, backpropagation
from tests.oracle.vectors.samples import TESTS


def test_what_is_to_be_refused_is_refused_by_purebp() -> None:
    for vector, _ in TESTS:
        if vector.family == "refused":
            with pytest.raises(ValueError):
                case = vector.case
                backpropagation(case.network, Batch(case.batch.inputs, case.batch.targets), vector.given["loss"])
