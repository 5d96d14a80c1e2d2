"""What a graph costs beside the layers it was lowered from, and how its time grows with its nodes.

`make bench`, or `python tests/benchmarks/graph.py [--json FILE]`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from timeit import timeit

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from purebp import Add, Input, Node, Tanh, backpropagation, backward_graph, to_feed, to_graph  # noqa: E402
from tests.benchmarks.training import Result, ours, progress, random_problem, ratios, report, write  # noqa: E402

NODES = (10, 100, 1000, 10_000)


def lowered() -> Iterator[Result]:
    """All gradients of one batch, the graph made beforehand as it is in training."""
    for sizes, samples in (([256, 128, 10], 32), ([4, 8, 3], 4)):
        network, batch = ours(*random_problem(sizes, samples))
        cost, feed = to_graph(network), to_feed(network, batch)
        progress(f"{sizes}, graph and layers in turn")
        (ratio,) = ratios(
            [lambda: backward_graph(cost, feed), lambda: backpropagation(network, batch)], rounds=31, repeats=len(sizes)
        )
        what = f"{'-'.join(map(str, sizes))}, batch {samples}: the graph / the layers"
        yield Result(what, ratio, "×", 1.3 if samples == 32 else 3)


def chains() -> Iterator[Result]:
    """The time per node, from 10 nodes to 10,000: its growth would show a quadratic step."""
    times: dict[int, list[float]] = {n: [] for n in NODES}
    works = {n: chain(n) for n in NODES}
    for turn in range(8):
        progress(f"time per node, round {turn} of 7")
        for n, work in works.items():
            times[n].append(timeit(work, number=10_000 // n) / 10_000)
    costs = {n: 1e6 * median(column[1:]) for n, column in times.items()}
    for n in NODES:
        yield Result(f"{n:,} nodes in a chain, forwards and backwards: per node", costs[n], "µs", 1.5 * costs[100])


def chain(n: int) -> Callable[[], object]:
    x = Input("x")
    y: Node = x
    for k in range(n):
        y = Tanh(y) if k % 2 else Add(y, x)
    return lambda: backward_graph(y, {x: 0.5})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to FILE")
    arguments = parser.parse_args()
    found = report([lowered, chains])
    if arguments.json:
        write(arguments.json, [found])


if __name__ == "__main__":
    main()
