"""What a graph costs beside the layers it was lowered from, and how its time grows with its nodes."""

from __future__ import annotations

from purebp import Add, Input, Node, Tanh, backpropagation, backward_graph, to_feed, to_graph
from studies.benchmarks.measuring import Table, Work, medians, ours, random_problem

NODES = (10, 100, 1000, 10_000)


def lowered() -> Table:
    """All gradients of one batch, the graph made beforehand as it is in training."""
    table: Table = {}
    for sizes, samples in (([256, 128, 10], 32), ([4, 8, 3], 4)):
        network, batch = ours(random_problem(sizes, samples))
        cost, feed = to_graph(network), to_feed(network, batch)
        works: dict[str, Work] = {
            "layers": lambda: backpropagation(network, batch),
            "graph": lambda: backward_graph(cost, feed),
        }
        table[f"{'-'.join(map(str, sizes))}, batch {samples}"] = medians(works, seconds=3.0)
    return table


def chains() -> Table:
    """The time for each of the nodes of a chain: its growth would show a quadratic step."""
    times = medians({f"{n:,} nodes": chain(n) for n in NODES}, seconds=3.0)
    return {"forwards and backwards, per node": {name: times[name] / n for name, n in zip(times, NODES)}}


def chain(n: int) -> Work:
    x = Input("x")
    y: Node = x
    for k in range(n):
        y = Tanh(y) if k % 2 else Add(y, x)
    return lambda: backward_graph(y, {x: 0.5})
