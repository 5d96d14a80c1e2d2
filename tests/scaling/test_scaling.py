"""Over a cluster of processes nothing changes but the time (`make scaling`)."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from purebp.oracle.certify import certified_gradients
from studies.benchmarks.scaling import campaign, cluster, judged, large


@pytest.fixture
def client() -> Iterator[Any]:
    with cluster() as client:
        yield client


@pytest.mark.parametrize("parts", [2, 7])
def test_certified_gradients_are_the_same_bits(client: Any, parts: int) -> None:
    alone = [(x.value.hex(), x.rounded) for x in certified_gradients(*large()).parameters()]
    spread = certified_gradients(*large(), executor=client.get_executor(pure=False), parts=parts)
    assert [(x.value.hex(), x.rounded) for x in spread.parameters()] == alone


def test_a_campaign_finds_the_same(client: Any) -> None:
    cases = campaign(3)
    assert list(client.get_executor(pure=False).map(judged, cases)) == list(map(judged, cases))


def test_a_worker_killed_half_way_loses_nothing(client: Any) -> None:
    cases = campaign(5)
    before = client.run(os.getpid)
    executor = client.get_executor(pure=False)
    futures = [executor.submit(judged, case) for case in cases]
    results = [future.result() for future in futures[: len(cases) // 2]]
    assert not all(future.done() for future in futures)
    os.kill(next(iter(before.values())), signal.SIGKILL)
    results += [future.result(timeout=120) for future in futures[len(cases) // 2 :]]
    assert results == list(map(judged, cases))
    client.wait_for_workers(len(before), timeout=60)
    assert len(set(client.run(os.getpid).values()) & set(before.values())) == len(before) - 1
