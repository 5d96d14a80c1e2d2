"""Certified gradients of a graph: of every node the double nearest to each exact number, and an interval that holds it."""

from __future__ import annotations

from math import prod

from purebp.graphs.engine import Feed, GraphGradients, Values, backward_graph
from purebp.graphs.nodes import Node
from purebp.graphs.tensors import arranged, dimensions, entries
from purebp.number_systems.ball import Ball, ball
from purebp.oracle.certify import certify
from purebp.textbook.arithmetic import PurebpError


def certified_graph(node: Node, feed: Feed, digits: int = 38) -> Values:
    """The gradients that `backward_graph` approximates, each entry `Certified`, by node or by name.

    >>> from purebp.graph import HalfSSE, Input
    >>> x = Input("x")
    >>> entry = certified_graph(HalfSSE(0.1, x), {x: 0.3})[x]
    >>> entry.value, entry.rounded  # what 0.3 and 0.1 are in binary, subtracted
    (0.19999999999999998, True)
    """
    shapes = dict[Node, tuple[int, ...]]()

    def balls(digits: int) -> list[Ball]:
        found = backward_graph(node, feed, ball(None, digits))
        shapes.update((each, dimensions(found.values[each])) for each in found if _has_gradient(found, each))
        return [x for each in shapes for x in entries(found[each])]

    numbers = iter(certify(balls, digits))
    table = {each: arranged([next(numbers) for _ in range(prod(size))], size) for each, size in shapes.items()}
    return Values(table, ball(None, digits))


def _has_gradient(gradients: GraphGradients, node: Node) -> bool:
    """That by the targets of a loss of one's own is not known."""
    try:
        return gradients[node] is not None
    except PurebpError:
        return False
