"""Speed, as ratios: what is compared takes turns within one run, and the median over the rounds is shown.

`make bench`, or `python tests/benchmarks/training.py [--all] [--json FILE]`; --all adds every other CPython that
pyenv and PATH offer. The exit status says that the benchmark ran, not that the bars were met.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time
from timeit import timeit
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from purebp import FLOAT, Batch, Layer, Network, backpropagation, mse, train  # noqa: E402  # found through ROOT
from purebp.arithmetic import Matrix, Vector  # noqa: E402
from purebp.datasets import accuracy, confusion, load, scalings, split  # noqa: E402
from tests.benchmarks.peers import Layers, Rows, dot_products, in_numpy, nested_loops  # noqa: E402

Problem = tuple[Layers, Rows, Rows]  # layers, inputs, targets


@dataclass(frozen=True, slots=True)
class Result:
    """A line of the table: what was measured, and the bar it should stay below or, if `at_least`, above."""

    what: str
    measured: float
    unit: str
    bar: float
    at_least: bool = False

    def __str__(self) -> str:
        sign, missed = ("≥", self.measured < self.bar) if self.at_least else ("≤", self.measured > self.bar)
        verdict = ("below" if self.at_least else "above") if missed else "ok"
        return f"{self.measured:7.2f} {self.unit}  {sign} {self.bar:<4g} {verdict:6} {self.what}"


def ratios(works: Sequence[Callable[[], object]], rounds: int, repeats: int = 1) -> list[float]:
    """How much longer the first work takes than each of the others: the median of rounds in which all take turns."""
    times = [[timeit(work, number=repeats) for work in works] for _ in range(rounds + 1)]
    _, *counted = times  # the first round warms up
    return [median(row[0] / row[i] for row in counted) for i in range(1, len(works))]


def random_problem(sizes: list[int], samples: int) -> Problem:
    random = Random(1)

    def rows(n: int, m: int) -> Rows:
        return [[random.uniform(-1, 1) for _ in range(m)] for _ in range(n)]

    layers = [(rows(n_out, n_in), rows(1, n_out)[0]) for n_in, n_out in pairwise(sizes)]
    return layers, rows(samples, sizes[0]), rows(samples, sizes[-1])


def ours(layers: Layers, inputs: Rows, targets: Rows) -> tuple[Network, Batch]:
    return Network(Layer(weights, biases, "sigmoid") for weights, biases in layers), Batch(inputs, targets)


def assert_same(network: Network, batch: Batch, theirs: Layers) -> None:
    flat = [x for weights, biases in theirs for row in (*weights, biases) for x in row]
    pairs = zip(backpropagation(network, batch).parameters(), flat, strict=True)
    assert all(abs(x - y) <= 1e-9 for x, y in pairs), "the gradients differ"


def operands(network: Network, batch: Batch) -> list[tuple[Matrix, Matrix]]:
    """Those of every `inner` of a backpropagation."""
    found = []

    def inner(a: Matrix, b: Matrix, biases: Vector | None) -> list[list[float]]:
        found.append((a, b))
        return FLOAT.inner(a, b, biases)

    backpropagation(network, batch, mse, replace(FLOAT, inner=inner))
    return found


def large() -> Iterator[Result]:
    problem = random_problem([256, 128, 10], 32)
    network, batch = ours(*problem)
    assert_same(network, batch, nested_loops(*problem))
    pairs = operands(network, batch)
    works = [lambda: backpropagation(network, batch), lambda: dot_products(pairs), lambda: nested_loops(*problem)]
    floor, loops = ratios(works, rounds=11)
    yield Result("256-128-10, batch 32: backpropagation / its dot products alone", floor, "×", 1.3)
    bar = 2.5 if sys.version_info >= (3, 12) else 1.0
    yield Result("256-128-10, batch 32: nested loops / backpropagation", 1 / loops, "×", bar, at_least=True)


def small() -> Iterator[Result]:
    try:
        np = import_module("numpy")
    except ImportError:
        print("  NumPy is not installed: 2-3-1 stays without its comparison")
        return
    problem = random_problem([2, 3, 1], 4)
    network, batch = ours(*problem)
    assert_same(network, batch, in_numpy(np, *problem))
    (ratio,) = ratios([lambda: backpropagation(network, batch), lambda: in_numpy(np, *problem)], rounds=500, repeats=20)
    yield Result("2-3-1, batch 4: backpropagation / NumPy, lists in and out", ratio, "×", 2.0)


def digits() -> Iterator[Result]:
    start, data, network = process_time(), load("digits"), Network.random([64, 32, 10], ["tanh", "softmax"])
    training, test = [Batch(scalings(data, p)[0].apply(p.inputs), p.targets) for p in split(data, 0.2, 0) if p]
    for epoch in train(
        network, training, loss="cross_entropy", optimizer="adam", learning_rate=0.01, batch_size=32, epochs=60
    ):
        network = epoch.network
        progress(f"digits, epoch {epoch.epoch}")
    name = "60 epochs of the digits, 64-32-10, as the command line trains it: processor time"
    yield Result(name, process_time() - start, "s", 60)
    yield Result("… accuracy on the test samples", 100 * accuracy(confusion(network, test)), "%", 95, at_least=True)


def imports() -> Iterator[Result]:
    with TemporaryDirectory() as folder:  # for byte code, which a first import leaves to the next
        environment = os.environ | {"PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}
        python = [sys.executable, "-S", "-c"]  # without site-packages, which may import more than either

        def importing(name: str) -> None:
            subprocess.run([*python, f"import {name}"], cwd=ROOT, env=environment, check=True)

        (ratio,) = ratios([lambda: importing("purebp"), lambda: importing("dataclasses")], rounds=25)
    yield Result('python -c "import purebp" / python -c "import dataclasses"', ratio, "×", 2.0)


def progress(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what}", end="", file=sys.stderr, flush=True)


def other_interpreters() -> Iterator[str]:
    """Every other CPython that is new enough, one of each version."""
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    on_path = filter(None, (shutil.which(f"python3.{minor}") for minor in range(11, 30)))
    query = "import sys; print(sys.version_info >= (3, 11) and sys.implementation.name == 'cpython' and sys.version)"
    seen = {sys.version, "False", ""}
    for python in (*map(str, pyenv.glob("versions/*/bin/python")), *on_path):
        answer = subprocess.run([python, "-c", query], capture_output=True, text=True).stdout.strip()
        if answer not in seen:
            seen.add(answer)
            yield python


def report(parts: Sequence[Callable[[], Iterator[Result]]]) -> dict[str, Any]:
    """Print the table line by line, and return it."""
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"
    interpreter = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{interpreter} on {machine}", flush=True)
    results = []
    for part in parts:
        progress(part.__name__)
        for result in part():
            progress("")
            print(result, flush=True)
            results.append(asdict(result))
    return {"interpreter": interpreter, "machine": machine, "results": results}


def write(file: Path, reports: list[dict[str, Any]]) -> None:
    file.write_text(json.dumps(reports, indent=1, ensure_ascii=False) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--all", action="store_true", help="also on every other CPython of pyenv and PATH")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to FILE")
    arguments = parser.parse_args()
    reports = [report([large, small, digits, imports])]
    with TemporaryDirectory() as folder:
        for python in sorted(other_interpreters()) if arguments.all else ():
            file = Path(folder, "report.json")
            subprocess.run([python, __file__, "--json", str(file)], check=True)
            reports += json.loads(file.read_text("utf-8"))
    if arguments.json:
        write(arguments.json, reports)


if __name__ == "__main__":
    main()
