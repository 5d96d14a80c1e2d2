"""Beyond one machine: certified gradients and checks over `dask.distributed`, here on a cluster of two processes.

`Client.get_executor()` is a `concurrent.futures.Executor`, which is all that purebp needs to know of a cluster. Held
to it by tests/scaling (`make scaling`); timed as a part of `make bench`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import product
from typing import Any

from purebp import Batch, Network
from purebp.oracle.certify import certified_gradients
from purebp.oracle.check import check
from purebp.oracle.explaining.catalogue import CATALOGUE
from studies.benchmarks.measuring import Table, medians, ours, random_problem
from studies.power import Planting, Setting

SETTING = Setting(("sigmoid", "sigmoid"), "half_sse")
CANDIDATES = ("", "activation derivative missing", "biases never updated", "W transposed on the way down")
Case = tuple[str, int]  # a mistake or none, and the seed of the ladder
WORKERS = 2
ALONE, SPREAD = "one process", "dask, two processes"


@contextmanager
def cluster() -> Iterator[Any]:
    """A client of two processes of one thread each, which are started again if they die."""
    distributed = import_module("distributed")
    options = {"n_workers": WORKERS, "threads_per_worker": 1, "dashboard_address": None, "silence_logs": 50}
    with distributed.LocalCluster(**options) as local, distributed.Client(local) as client:
        yield client


def campaign(seeds: int) -> list[Case]:
    return list(product(CANDIDATES, range(seeds)))


def judged(case: Case) -> tuple[str, ...]:
    """The verdict on a candidate, and what explains it."""
    name, seed = case
    made = ((CATALOGUE[name], frozenset({0})),) if name else ()
    candidate = SETTING.candidate(Planting(made).answer(SETTING))
    report = check(candidate, activations=SETTING.names, loss=SETTING.loss, returns="gradients", seed=seed)
    return report.verdict, *(found.name for found in report.explanations)


def large() -> tuple[Network, Batch]:
    """What one machine certifies in seconds, and several in less."""
    return ours(random_problem([64, 32, 10], 128))


def measure(seeds: int = 10) -> Table:
    """Seconds per check, and for the certified gradients of a large batch, alone and over the cluster."""
    cases, problem = campaign(seeds), large()
    with cluster() as client:
        executor = client.get_executor(pure=False)
        list(executor.map(judged, campaign(1)))  # the workers import

        checks = medians(
            {ALONE: lambda: list(map(judged, cases)), SPREAD: lambda: list(executor.map(judged, cases))}, fewest=3
        )
        certifying = medians(
            {
                ALONE: lambda: certified_gradients(*problem),
                SPREAD: lambda: certified_gradients(*problem, executor=executor, parts=WORKERS),
            },
            fewest=3,
        )
    return {
        f"a check, of {len(cases)}": {name: seconds / len(cases) for name, seconds in checks.items()},
        "64-32-10, 128 samples, certified": certifying,
    }
