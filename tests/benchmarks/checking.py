"""What a check costs, from a cold start and for each case: as rows of the table of training.py.

`make bench`, or `python tests/benchmarks/checking.py [--json FILE]`. The comparison with `import torch` wants an
interpreter that has it: `make peers`, then `make bench PYTHON=.venv-peers/bin/python`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from timeit import timeit

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from purebp import Batch, Network, backpropagation  # noqa: E402  # found through ROOT
from purebp.oracle import judge  # noqa: E402
from tests.benchmarks.training import Result, ours, progress, random_problem, ratios, report, write  # noqa: E402

RIGHT, WRONG = "docs/examples/two_layers_with_biases.py", "docs/examples/two_layers_with_biases_wrong.py"
SIZES = [[2, 3, 1], [4, 8, 3], [16, 16, 8], [64, 32, 10]]
SAMPLES = 4


def starting(*arguments: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True)


def cold() -> Iterator[Result]:
    checks = [starting("-m", "purebp", "check", name) for name in (RIGHT, WRONG)]
    times = [[timeit(work, number=1) for work in checks] for _ in range(6)][1:]
    right, wrong = (median(column) for column in zip(*times))
    yield Result("check of a right two-layer candidate, from a cold start", right, "s", 0.5)
    yield Result("check of a wrong one, with its diagnosis, from a cold start", wrong, "s", 3)
    if find_spec("torch") is None:
        print("  PyTorch is not installed: no comparison with its import")
        return
    (ratio,) = ratios([checks[0], starting("-c", "import torch")], rounds=3)
    yield Result("check of a right candidate / import torch, both cold", ratio, "×", 0.25)


def per_case() -> Iterator[Result]:
    """The bar is one and a half times the cheapest of the smaller ones: at most in proportion to parameters × samples."""
    problems = [ours(*random_problem(sizes, SAMPLES)) for sizes in SIZES]
    answers = [backpropagation(network, batch, "mse") for network, batch in problems]
    works = [judging(network, batch, answer) for (network, batch), answer in zip(problems, answers)]
    times = []
    for turn in range(6):
        progress(f"cost per case, round {turn} of 5")
        times.append([timeit(work, number=1) for work in works])
    terms = [SAMPLES * len(network.parameters()) for network, _ in problems]
    costs = [1e6 * median(column) / n for column, n in zip(zip(*times[1:]), terms)]
    for i, (sizes, n, cost) in enumerate(zip(SIZES, terms, costs), start=1):
        what = f"{'-'.join(map(str, sizes))}, {n // SAMPLES:,} parameters: judged, per parameter and sample"
        yield Result(what, cost, "µs", 1.5 * min(costs[:i]))


def judging(network: Network, batch: Batch, answer: object) -> Callable[[], object]:
    return lambda: judge(network, batch, answer, "mse")  # type: ignore[arg-type]  # gradients


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to FILE")
    arguments = parser.parse_args()
    found = report([cold, per_case])
    if arguments.json:
        write(arguments.json, [found])


if __name__ == "__main__":
    main()
