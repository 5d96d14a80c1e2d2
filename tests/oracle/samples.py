"""Candidates that are right or wrong in a way, on layers and on graphs, for the tests of the oracle."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf, tanh
from struct import pack, unpack
from typing import Any

from purebp import Batch, Gradients, Layer, Network, backpropagation
from purebp.graph import Add, HalfSSE, Input, Linear, Node, Parameter, Tanh, forward_graph
from purebp.graphs.engine import accumulated, uses_of
from purebp.graphs.tensors import entrywise
from purebp.oracle import Report
from purebp.oracle.explaining.graph_mistakes import GraphMistake
from purebp.textbook.linalg import transpose

Pair = tuple[list[Any], list[Any]]  # gradients of weights and of biases, layer by layer
Candidate = Callable[[Any, Any, Any, Any], Any]
SIGMOIDS = ("sigmoid", "sigmoid")


def flat(report: Report) -> str:
    """The text, without its line breaks."""
    return " ".join(str(report).split())


def rebuilt(weights: Any, biases: Any, names: Any = SIGMOIDS) -> Network:
    return Network(Layer(w, b, f) for w, b, f in zip(weights, biases or [None] * len(weights), names))


def lists(gradients: Gradients, change: Callable[[float], float] = float) -> Pair:
    weights = [[[change(x) for x in row] for row in layer.weights] for layer in gradients.layers]
    return weights, [None if layer.biases is None else [change(x) for x in layer.biases] for layer in gradients.layers]


def lists_of(network: Network) -> Pair:
    weights = [[list(row) for row in layer.weights] for layer in network.layers]
    return weights, [list(layer.biases or ()) for layer in network.layers]


def right(
    loss: str = "mse", factor: Callable[[int, int], float] = lambda n, m: 1.0, names: Any = SIGMOIDS
) -> Candidate:
    """The gradient of a loss, times a factor of n samples and m outputs."""

    def candidate(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        scale = factor(len(targets), len(targets[0]))
        gradients = backpropagation(rebuilt(weights, biases, names), Batch(inputs, targets), loss)
        return lists(gradients, lambda x: scale * x)

    return candidate


Feed = Mapping[str, Any]
GraphCandidate = Callable[[Feed], dict[str, Any]]


def residual(width: int = 3, blocks: int = 1) -> Node:
    """h = tanh(x A + a); h = h + tanh(h W + b) for each block; half_sse of a last linear layer."""
    h = Tanh(Linear(Input("x", (None, 2)), Parameter("A", (width, 2)), Parameter("a", (width,)), name="z"), name="h")
    for k in range(1, blocks + 1):
        z = Linear(h, Parameter(f"W{k}", (width, width)), Parameter(f"b{k}", (width,)), name=f"z{k}")
        h = Add(h, Tanh(z, name=f"t{k}"), name=f"h{k}")
    outputs = Linear(h, Parameter("V", (2, width)), name="outputs")
    return HalfSSE(Input("y", (None, 2)), outputs, name="loss")


Rows = list[list[float]]


def dot(a: Rows, b: Rows) -> Rows:
    """A B, in loops."""
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def by_hand(feed: Feed, *, overwrite: bool = False, in_place: bool = False) -> dict[str, Any]:
    """`residual()` with one block, written out, with nothing of this package in it."""

    def affine(a: Rows, w: Rows, b: Sequence[float]) -> Rows:
        return [[z + bj for z, bj in zip(row, b)] for row in dot(a, transpose(w))]

    def through(error: Rows, a: Rows) -> Rows:
        return [[e * (1 - x * x) for e, x in zip(*rows)] for rows in zip(error, a)]

    h = [[tanh(z) for z in row] for row in affine(feed["x"], feed["A"], feed["a"])]
    t = [[tanh(z) for z in row] for row in affine(h, feed["W1"], feed["b1"])]
    h1 = [[x + y for x, y in zip(*rows)] for rows in zip(h, t)]
    outputs = dot(h1, transpose(feed["V"]))
    delta = [[p - y for p, y in zip(*rows)] for rows in zip(outputs, feed["y"])]
    d_h1 = dot(delta, feed["V"])
    d_z1 = through(d_h1, t)
    if in_place:  # += into the buffer of the skip connection, product by product
        d_h = [row[:] for row in d_h1]
        for i, row in enumerate(d_z1):
            for j, d in enumerate(row):
                for k, w in enumerate(feed["W1"][j]):
                    d_h[i][k] += d * w
    else:
        d_h = dot(d_z1, feed["W1"])
        if not overwrite:
            d_h = [[x + y for x, y in zip(*rows)] for rows in zip(d_h, d_h1)]
    d_z = through(d_h, h)
    return {
        "A": dot(transpose(d_z), feed["x"]),
        "a": [sum(column) for column in zip(*d_z)],
        "W1": dot(transpose(d_z1), h),
        "b1": [sum(column) for column in zip(*d_z1)],
        "V": dot(transpose(delta), h1),
    }


def of_engine(graph: Node, mistake: GraphMistake | None = None, factor: float = 1.0) -> GraphCandidate:
    """The backward pass of this package in floats, with a mistake in it."""

    def candidate(feed: Feed) -> dict[str, Any]:
        values = forward_graph(graph, feed)
        gradients = mistake.backward(values) if mistake else accumulated(values, uses_of(values))
        return {n.name: entrywise(lambda g: factor * g, gradients[n]) for n in values if n.trained}

    return candidate


def single(x: float) -> float:
    """In single precision; what is too large becomes ∞, as it does there."""
    try:
        rounded: float = unpack("f", pack("f", x))[0]
    except OverflowError:
        rounded = inf
    return rounded


def in_single(candidate: GraphCandidate) -> GraphCandidate:
    return lambda feed: {name: entrywise(single, g) for name, g in candidate(feed).items()}


def name_of(report: Report) -> str:
    return report.explanations[0].name if report.explanations else ""
