"""How everything here is timed: what is compared takes turns, and the median over the rounds counts."""

from __future__ import annotations

import gc
import os
import platform
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

from purebp import Batch, Layer, Network
from studies.benchmarks.implementations import Problem, Rows

ROOT = Path(__file__).resolve().parents[2]
Work = Callable[[], object]
Table = dict[str, dict[str, float]]  # rows, and in each of them seconds by column
PACKAGES = ("autograd", "dask", "jax", "micrograd", "numdifftools", "numpy", "python-flint", "scipy", "torch")


def medians(works: Mapping[str, Work], seconds: float = 1.0, fewest: int = 5) -> dict[str, float]:
    """The median time of each, in rounds in which all take turns, for about so many seconds.

    A work that takes less than a millisecond is repeated within its turn. Garbage is collected between the rounds, so
    that nobody pays for another's.

    >>> sorted(medians({"a": lambda: None, "b": lambda: sum(range(99))}, 0.01))
    ['a', 'b']
    """
    for work in works.values():
        work()  # whatever is done at a first call alone
    repeats = {name: max(1, round(1e-3 / max(1e-7, _seconds(work, 1)))) for name, work in works.items()}
    times: dict[str, list[float]] = {name: [] for name in works}
    start, turns = perf_counter(), 0
    while turns < fewest or perf_counter() - start < seconds:
        progress(f"{', '.join(works)}: round {turns}")
        gc.collect()
        for name, work in works.items():
            times[name].append(_seconds(work, repeats[name]))
        turns += 1
    return {name: median(column) for name, column in times.items()}


def _seconds(work: Work, repeats: int) -> float:
    gc.disable()
    try:
        start = perf_counter()
        for _ in range(repeats):
            work()
        return (perf_counter() - start) / repeats
    finally:
        gc.enable()


def progress(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what[:100]}", end="", file=sys.stderr, flush=True)


def random_problem(sizes: list[int], samples: int) -> Problem:
    random = Random(1)

    def rows(n: int, m: int) -> Rows:
        return [[random.uniform(-1, 1) for _ in range(m)] for _ in range(n)]

    layers = [(rows(n_out, n_in), rows(1, n_out)[0]) for n_in, n_out in pairwise(sizes)]
    return layers, rows(samples, sizes[0]), rows(samples, sizes[-1])


def ours(problem: Problem) -> tuple[Network, Batch]:
    layers, inputs, targets = problem
    return Network(Layer(weights, biases, "sigmoid") for weights, biases in layers), Batch(inputs, targets)


def parameters(sizes: list[int]) -> int:
    """How many weights and biases there are.

    >>> parameters([2, 3, 1])
    13
    """
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))


def interpreter() -> str:
    return f"{platform.python_implementation()} {platform.python_version()}"


def minor(name: str) -> str:
    """An interpreter without its patch version.

    >>> minor("CPython 3.13.0")
    'CPython 3.13'
    """
    return name.rpartition(".")[0]


def machine() -> dict[str, str]:
    """What the numbers were measured on and with."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    processor = f"{os.cpu_count()} processors {models[0] if models else platform.processor()}".strip()
    found = {"machine": f"{platform.system()} {platform.machine()}, {processor}", "interpreter": interpreter()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
