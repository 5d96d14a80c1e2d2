"""What certified gradients cost: as ratios, like the table of training.py, whose bars and manners these are.

`make bench`, or `python tests/benchmarks/certificates.py [--json FILE]`. The comparisons with python-flint and
PyTorch want an interpreter that has them: `make peers`, then `make bench PYTHON=.venv-peers/bin/python`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from statistics import median
from timeit import timeit
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from purebp import Batch, Network, backpropagation, forward  # noqa: E402  # found through ROOT
from purebp.activations import Elementwise  # noqa: E402
from purebp.number_systems.ball import ball  # noqa: E402
from purebp.oracle.certify import certified_gradients  # noqa: E402
from tests.benchmarks.peers import Layers, Rows, in_flint  # noqa: E402
from tests.benchmarks.training import Result, ours, progress, random_problem, ratios, report, write  # noqa: E402

SAMPLES = 8
SIZES = [[64, 32, 10], [784, 32, 10], [784, 64, 10], [784, 128, 10], [784, 256, 10]]
MEMORY = """
import resource, sys
from tests.benchmarks.certificates import SAMPLES, SIZES, certified_gradients, ours, random_problem
certified_gradients(*ours(*random_problem(SIZES[-1], SAMPLES)))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


def against_floats() -> Iterator[Result]:
    network, batch = ours(*random_problem([784, 32, 10], SAMPLES))
    (ratio,) = ratios([certifying(network, batch), lambda: backpropagation(network, batch)], rounds=11)
    yield Result("784-32-10, batch 8: certified gradients / float gradients", ratio, "×", 15)


def per_parameter() -> Iterator[Result]:
    """The bar is one and a half times the cheapest."""
    problems = [ours(*random_problem(sizes, SAMPLES)) for sizes in SIZES]
    works = [work for problem in problems for work in (certifying(*problem), activating(*problem))]
    times: list[list[float]] = []
    for turn in range(6):
        progress(f"cost per parameter, round {turn} of 5")
        times.append([timeit(work, number=1) for work in works])
    medians = [1e9 * median(column) for column in zip(*times[1:])]  # the first round warms up
    terms = [SAMPLES * len(network.parameters()) for network, _ in problems]
    costs = [(all / n, part / n) for all, part, n in zip(medians[::2], medians[1::2], terms)]
    for sizes, n, (cost, part) in zip(SIZES, terms, costs):
        name = f"{'-'.join(map(str, sizes))}, {n // SAMPLES:,} parameters"
        what = f"{name}: certified, per parameter and sample; activations {part:.0f} of it"
        yield Result(what, cost, "ns", 1.5 * min(costs)[0])


def certifying(network: Network, batch: Batch) -> Callable[[], object]:
    return lambda: certified_gradients(network, batch)


def activating(network: Network, batch: Batch) -> Callable[[], object]:
    """f(z) and f′(z) of every neuron, and nothing else."""
    system = ball(None)
    functions = [layer.activation for layer in network.layers]
    pairs = list(zip(functions, forward(network, batch.inputs, system).pre_activations))

    def work() -> None:
        for f, z in pairs:
            assert isinstance(f, Elementwise)
            system.elementwise(f.value, z)
            system.elementwise(f.derivative, z)

    return work


def memory() -> Iterator[Result]:
    try:
        import_module("resource")
    except ImportError:
        print("  the resource module is missing here: peak memory stays unmeasured")
        return
    answer = subprocess.run([sys.executable, "-c", MEMORY], cwd=ROOT, check=True, capture_output=True, text=True)
    what = "784-256-10, 203,530 parameters, batch 8: peak memory of the process"
    yield Result(what, int(answer.stdout) / 2**20, "MiB", 1024)


def against_flint() -> Iterator[Result]:
    try:
        flint = import_module("flint")
    except ImportError:
        print("  python-flint is not installed: no comparison with arb")
        return
    flint.ctx.prec = 200
    problem = random_problem([784, 32, 10], SAMPLES)
    network, batch = ours(*problem)
    theirs = [float(x) for weights, biases in in_flint(flint, *problem) for row in (*weights, biases) for x in row]
    assert theirs == [entry.value for entry in certified_gradients(network, batch).parameters()], "the gradients differ"
    (ratio,) = ratios([certifying(network, batch), lambda: in_flint(flint, *problem)], rounds=11)
    yield Result("784-32-10, batch 8: certified gradients / python-flint's arb at 200 bits", ratio, "×", 12)


def against_gradcheck() -> Iterator[Result]:
    try:
        torch = import_module("torch")
    except ImportError:
        print("  PyTorch is not installed: no comparison with gradcheck")
        return
    problem = random_problem([784, 32, 10], SAMPLES)
    network, batch = ours(*problem)
    check, turn = gradcheck(torch, *problem), 0

    def checking() -> None:
        nonlocal turn
        turn += 1
        progress(f"gradcheck, round {turn} of 4")
        assert check()

    (ratio,) = ratios([checking, certifying(network, batch)], rounds=3)
    yield Result("784-32-10, batch 8: torch.autograd.gradcheck / certified gradients", ratio, "×", 1, at_least=True)


def gradcheck(torch: Any, layers: Layers, inputs: Rows, targets: Rows) -> Callable[[], bool]:
    torch.set_num_threads(1)  # as many as purebp uses; on a busy machine, more are slower
    x, y = torch.tensor(inputs, dtype=torch.float64), torch.tensor(targets, dtype=torch.float64)
    parameters = [torch.tensor(p, dtype=torch.float64, requires_grad=True) for layer in layers for p in layer]

    def loss(*parameters: Any) -> Any:
        a = x
        for weights, biases in zip(parameters[::2], parameters[1::2]):
            a = torch.sigmoid(torch.nn.functional.linear(a, weights, biases))
        return torch.nn.functional.mse_loss(a, y)

    return lambda: bool(torch.autograd.gradcheck(loss, parameters, fast_mode=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to FILE")
    arguments = parser.parse_args()
    found = report([against_floats, per_parameter, memory, against_flint, against_gradcheck])
    if arguments.json:
        write(arguments.json, [found])


if __name__ == "__main__":
    main()
