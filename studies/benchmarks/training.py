"""Training arithmetic: one gradient of a small network, by everyone, at four sizes (part of `make bench`).

python -m studies.benchmarks.training     as JSON, by the interpreter that runs this
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from operator import mul
from tempfile import TemporaryDirectory
from typing import Any

from purebp import FLOAT, Batch, Network, backpropagation, mse
from purebp.textbook.arithmetic import Matrix, Vector
from studies.benchmarks import implementations as by
from studies.benchmarks.measuring import ROOT, Table, interpreter, medians, minor, ours, progress, random_problem
from studies.interpreters import found

SIZES = {"2-3-1": 4, "4-8-3": 8, "64-32-10": 32, "256-128-10": 32}  # and the samples in a batch
OTHERS: dict[str, tuple[str, Callable[..., Callable[[], Any]]]] = {  # by column: what must be installed, and who
    "nested loops": ("math", by.nested_loops),
    "micrograd": ("micrograd", by.in_micrograd),
    "NumPy, from lists": ("numpy", by.in_numpy_from_lists),
    "NumPy": ("numpy", by.in_numpy),
    "PyTorch": ("torch", by.in_torch),
    "JAX": ("jax", by.in_jax),
}
SLOW = {"micrograd": 10_000}  # parameters above which it is not asked


def gradients() -> Table:
    """Seconds for one gradient; `floor` is the time of its dot products alone."""
    table: Table = {}
    for name, samples in SIZES.items():
        problem = random_problem([int(n) for n in name.split("-")], samples)
        network, batch = ours(problem)
        works: dict[str, Callable[[], Any]] = {"purebp": lambda: backpropagation(network, batch)}
        works["floor"] = dot_products(network, batch)
        for other, (package, implementation) in OTHERS.items():
            if find_spec(package) and len(network.parameters()) <= SLOW.get(other, sys.maxsize):
                works[other] = implementation(*problem)
                assert_same(network, batch, works[other]())
        table[f"{name}, {samples} samples"] = medians(works, seconds=4)
    return table


def dot_products(network: Network, batch: Batch) -> Callable[[], None]:
    """The multiply-adds of one backpropagation alone, by the fastest kernel of this interpreter."""
    pairs: list[tuple[Matrix, Matrix]] = []

    def inner(a: Matrix, b: Matrix, biases: Vector | None = None) -> list[list[float]]:
        pairs.append((a, b))
        return FLOAT.inner(a, b, biases)

    backpropagation(network, batch, mse, replace(FLOAT, inner=inner))

    def work() -> None:
        for a, b in pairs:
            if sys.version_info >= (3, 12):
                [[math.sumprod(row, other) for other in b] for row in a]
            else:
                [[sum(map(mul, row, other), 0.0) for other in b] for row in a]

    return work


def assert_same(network: Network, batch: Batch, theirs: Any) -> None:
    flat = [float(x) for weights, biases in theirs for row in (*weights, biases) for x in row]
    pairs = zip(backpropagation(network, batch).parameters(), flat, strict=True)
    assert all(abs(x - y) <= 1e-9 for x, y in pairs), "the gradients differ"


def everywhere() -> dict[str, Table]:
    """The table of this interpreter, and those of the others that are here, one of each minor version."""
    here = interpreter()
    others = {minor(name): (name, program) for name, program in found()[0].items() if minor(name) != minor(here)}
    tables = {here: gradients()}
    for name, program in others.values():
        progress(name)
        command = [program, "-m", "studies.benchmarks.training"]
        answer = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        tables[name] = json.loads(answer.stdout)
    return dict(sorted(tables.items()))


def imports() -> dict[str, float]:
    """Seconds of a fresh process that imports `dataclasses`, which purebp needs in any case, or purebp."""
    python = ["-S", "-c"]  # without site-packages, which may import more than either
    return fresh({name: [*python, f"import {name}"] for name in ("dataclasses", "purebp")})


def first_check() -> dict[str, float]:
    """Seconds of a fresh process that imports NumPy, or that checks an example, which needs no NumPy."""
    check = ["-m", "purebp", "check", "docs/examples/two_layers.py"]
    return fresh({"import numpy": ["-c", "import numpy"], "purebp check": check})


def fresh(arguments: dict[str, list[str]]) -> dict[str, float]:
    """Seconds of a fresh process of this interpreter with these arguments."""
    with TemporaryDirectory() as folder:  # for byte code, which a first import leaves to the next
        environment = os.environ | {"PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}

        def running(given: list[str]) -> Callable[[], object]:
            command = [sys.executable, *given]
            return lambda: subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)

        return medians({name: running(given) for name, given in arguments.items()}, fewest=15)


if __name__ == "__main__":
    print(json.dumps(gradients()))
