"""`judge` and `diagnose`: one answer that is at hand, with nothing called."""

from __future__ import annotations

from typing import Any

import pytest

from purebp import (
    Batch,
    Layer,
    Network,
    PurebpError,
    backpropagation,
)
from purebp.oracle import diagnose, judge


@pytest.mark.parametrize("sizes", [[2, 4, 1], [3, 3, 1], [2, 3, 2], [2, 4, 2, 1], [2, 1]])
def test_gradients_of_another_network_are_no_answer(sizes: list[int]) -> None:
    network, batch = Network.random([2, 3, 1]), Batch([[0.5, 1.0]], [[1.0]])
    other = Network.random(sizes)
    claimed = backpropagation(other, Batch([[0.5] * sizes[0]], [[1.0] * sizes[-1]]))
    report = judge(network, batch, claimed)
    assert report.verdict == "wrong" and report.findings[0].kind in ("wrong shape", "wrong number of layers")
    with pytest.raises(PurebpError, match="not gradients of the network 2-3-1"):
        diagnose(network, batch, claimed)


@pytest.mark.parametrize("claimed", [None, {}, ([], []), {("weights", 5): [[1.0]]}])
def test_what_cannot_be_diagnosed_is_refused(claimed: Any) -> None:
    with pytest.raises(PurebpError, match="no Gradients"):
        diagnose(Network.random([2, 3, 1]), Batch([[0.5, 1.0]], [[1.0]]), claimed)


def test_where_the_budget_is_wider_than_the_numbers_nothing_is_decided() -> None:
    network = Network([Layer([[40.0]], None, "sigmoid"), Layer([[40.0]], None, "sigmoid")])
    batch = Batch([[1.0]], [[1.0]])
    report = judge(network, batch, backpropagation(network, batch), format="bfloat16")
    assert report.verdict == "undecided" and report.exit_status == 5 and not report.conforms
