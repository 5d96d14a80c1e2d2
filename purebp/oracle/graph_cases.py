"""Cases for a graph, from one sample to several, and the budgets of what may be returned for them.

A candidate is called with one dictionary from the names of inputs, targets and parameters to lists, and returns one
from the names of the parameters to their gradients. "loss", and the values of nodes that have a name, are judged too.

>>> from purebp.graph import Input, Linear, Parameter, SSE
>>> graph = SSE([[0.5]], Linear(Input("x", (None, 2)), Parameter("W", (1, 2))))
>>> [case.name for case in graph_cases(graph)]  # 2 samples do not go with one target
['one sample']
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import isfinite, prod
from random import Random
from typing import Any, ClassVar

from purebp.graphs.engine import (
    Feed,
    GraphGradients,
    Values,
    accumulated,
    backward_graph,
    forward_graph,
    shapes,
    topological_order,
    uses_of,
)
from purebp.graphs.nodes import Node
from purebp.graphs.tensors import Tensor, arranged, as_rows, dimensions, entries, entrywise
from purebp.number_systems.ball import Ball, ball
from purebp.number_systems.formats import Format
from purebp.oracle.answer import Claim, Key
from purebp.oracle.conventions import Convention
from purebp.oracle.evidence import Budgets
from purebp.textbook.arithmetic import FLOAT, Arithmetic, Matrix, PurebpError, Vector

Backward = Callable[[Values], GraphGradients | dict[Node, Tensor]]
SAMPLES = (1, 2, 3, 4, 5)  # for dimensions that are free, case by case
DRAWS = 40
HALVINGS = 12
LOSS_KEY: Key = ("loss", -1)


@dataclass(frozen=True, slots=True)
class GraphCase:
    """Values for all that is fed to a graph.

    outputs: columns of what is compared with the targets. room: by how many terms a buffer may be continued.
    """

    name: str
    graph: Node
    feed: dict[str, Tensor]
    samples: int
    outputs: int
    room: int
    further: ClassVar[bool] = False

    @property
    def sizes(self) -> tuple[int, ...]:
        """A graph has no widths."""
        return ()

    def balls(self, format: Format | str) -> Arithmetic[Ball]:
        """Balls in which every sum has room for being continued in the buffer of another one."""
        return ball(format, extra_terms=self.room)


def graph_cases(graph: Node, seed: int = 0, format: Format | str = "binary64") -> Iterator[GraphCase]:
    """Cases for a graph whose inputs and parameters have names and shapes: from one sample to several, where free.

    Numbers are short dyadic fractions. Of several draws the one with the fewest zeros among the gradients is taken, in
    every other case after the most nodes that meet their kinks from below; if something in it has no budget, as it
    overflows in the format, smaller numbers are. There may be no case at all.

    >>> from purebp.graph import Parameter, Sum
    >>> [case.samples for case in graph_cases(Sum(Parameter("p", (3,))))]
    [1, 2, 3, 4, 5]
    """
    order, refused = named(graph), []
    leaves = [node for node in order if node.operation is None]
    for samples in SAMPLES:
        sizes = {leaf: tuple(samples if n is None else n for n in leaf.shape or ()) for leaf in leaves}
        try:
            size = shapes(order, sizes)[graph] or ()
            if prod(n or 1 for n in size) != 1:
                raise PurebpError(f"{graph!r:.100} is {size}: the cost must be one number; Sum or Mean makes it one")
            for feed in _feeds(graph, sizes, f"{seed} {samples}", dead=samples % 2 == 0):
                case = _made(graph, feed, samples)
                if bounded(case, format):
                    yield case
                    break
        except PurebpError as error:
            refused.append(error)
    if len(refused) == len(SAMPLES):
        raise refused[0]


def independent(graph: Node, count: int, format: Format | str, seed: int = 0) -> Iterator[GraphCase]:
    """So many cases of one sample, drawn one without the other, with numbers of eight bits; without those that have no budget."""
    leaves = [node for node in named(graph) if node.operation is None]
    sizes = {leaf: tuple(1 if n is None else n for n in leaf.shape or ()) for leaf in leaves}
    for n in range(count):
        for signs in ((-1, 1), (1,)):  # positive ones, where it cannot be computed with others
            with suppress(PurebpError):
                case = _made(graph, _drawn(graph, sizes, Random(f"independent {seed} {n}"), signs, 1.0, unit=128), 1)
                if bounded(case, format):
                    yield case
                    break


def _made(graph: Node, feed: dict[str, Tensor], samples: int) -> GraphCase:
    compared = graph.parents and dimensions(forward_graph(graph, feed)[graph.parents[-1]])
    outputs = compared[-1] if compared and len(compared) == 2 else 1
    name = "one sample" if samples == 1 else f"{samples} samples"
    return GraphCase(name, graph, feed, samples, outputs, continued(graph, feed))


def named(graph: Node) -> tuple[Node, ...]:
    """All nodes in topological order, if names are such that numbers can be told apart by them."""
    order = topological_order(graph)
    leaves = [node for node in order if node.operation is None]
    if any(not leaf.name or leaf.shape is None for leaf in leaves):
        raise PurebpError(f"inputs {leaves!r:.200}: each needs a name of its own, and a shape (None where it is free)")
    names = [node.name for node in order if node.name]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PurebpError(f"{', '.join(map(repr, twice))}: several nodes have this name; each needs a name of its own")
    if "loss" in names and graph.name != "loss":
        raise PurebpError('"loss" is the name of the value of the cost: give another one to the node that has it')
    return order


def _feeds(graph: Node, sizes: Mapping[Node, tuple[int, ...]], seed: str, dead: bool) -> Iterator[dict[str, Tensor]]:
    """The best of many draws, then of numbers half as large, and so on; the later half of all draws is positive.

    The best has the fewest zeros among its gradients; where some of it can be dead, so it is, as far as that goes.
    """
    refused: PurebpError | None = None
    some = False
    for halvings in range(HALVINGS):
        best: tuple[tuple[int, ...], dict[str, Tensor]] | None = None
        for draw in range(DRAWS):
            signs = (-1, 1) if draw < DRAWS // 2 else (1,)
            feed = _drawn(graph, sizes, Random(f"{seed} {draw}"), signs, 2.0**-halvings)
            try:
                above, zeros = _dull(graph, feed)
            except PurebpError as error:
                refused = error
                continue
            dull = (above, zeros) if dead else (zeros,)
            if best is None or dull < best[0]:
                best = dull, feed
            if not any(dull):
                break
        if best is not None:
            some = True
            yield best[1]
    if not some:
        raise PurebpError(f"no numbers were found on which the graph can be computed; of the last, {refused}")


def _drawn(
    graph: Node,
    sizes: Mapping[Node, tuple[int, ...]],
    random: Random,
    signs: Sequence[int],
    factor: float,
    unit: int | None = None,
) -> dict[str, Tensor]:
    losses = ((node, node.operation.loss) for node in topological_order(graph) if node.operation)
    suited = {(node.parents[0], loss.targets) for node, loss in losses if loss}
    feed: dict[str, Tensor] = {}
    for leaf, size in sizes.items():
        width = (size or (1,))[-1]
        if (leaf, "one_hot") in suited:
            classes = [random.randrange(width) for _ in range(prod(size) // width)]
            numbers = [float(j == hot) for hot in classes for j in range(width)]
        elif (leaf, "binary") in suited:
            numbers = [float(random.randint(0, 1)) for _ in range(prod(size))]
        else:
            whole = unit or (8 if prod(size) < 16 else 64)
            scale = 2.0 ** -((width.bit_length() - 1) // 2) / whole if leaf.trained else 1 / whole  # about 1/√n_in
            largest = 3 * whole // 2
            numbers = [random.choice(signs) * random.randint(1, largest) * scale * factor for _ in range(prod(size))]
        feed[leaf.name] = arranged(numbers, size)
    return feed


def _dull(graph: Node, feed: Feed) -> tuple[int, int]:
    """How many nodes meet no z below their kinks, and how many gradients are 0: both show nothing."""
    gradients = backward_graph(graph, feed)
    numbers = [x for node in gradients if node.operation is None for x in entries(gradients[node])]
    if not all(map(isfinite, numbers)):
        raise PurebpError("gradients are not finite")
    kinked = [(node, kink) for node in gradients if node.operation for kink in node.operation.kinks]
    above = (all(z > kink for z in entries(gradients.values[node.parents[0]])) for node, kink in kinked)
    return sum(above), sum(x == 0 for x in numbers)


def bounded(case: GraphCase, format: Format | str) -> bool:
    """Whether all values and gradients have a budget with a bound: what has none may overflow, and become NaN."""
    try:
        found = backward_graph(case.graph, case.feed, case.balls(format))
        gradients = [found[node] for node in found if node.parents or node.operation is None]
    except PurebpError:
        return False
    return all(x.spread is not None for tensor in (*found.values.table.values(), *gradients) for x in entries(tensor))


# Budgets.


def keys_of(graph: Node) -> dict[Key, Node]:
    """What may be returned: gradients of inputs and parameters, values of nodes with a name, the loss."""
    nodes: dict[Key, Node] = {key_of(node): node for node in topological_order(graph) if node.name}
    return nodes | {LOSS_KEY: graph}


def key_of(node: Node) -> Key:
    """Of an input or a parameter its gradient, of a node its value."""
    return node.name if node.operation else f"∂loss/∂{node.name}", 0


def quantities(
    case: GraphCase,
    arithmetic: Arithmetic[Any],
    convention: Convention,
    keys: Collection[Key],
    *,
    backward: Backward | None = None,
    gradients_only: bool = False,
) -> dict[Key, Matrix[Any]]:
    """The quantities with these keys, as matrices; `gradients_only`, those of nodes whose values are wanted as well.

    backward: another backward pass, such as one with a mistake in it.
    """
    values = forward_graph(case.graph, case.feed, arithmetic)
    gradients = backward(values) if backward else accumulated(values, uses_of(values))
    turned = convention.turned(case.samples, case.outputs, arithmetic)
    found: dict[Key, Matrix[Any]] = {}
    for key, node in keys_of(case.graph).items():
        if key in keys and node.operation and not gradients_only:
            found[key] = as_rows(values[node])
        elif key in keys:
            gradient = gradients[node]
            found[key] = as_rows(gradient if turned is None else entrywise(turned, gradient, values[node]))
    return found


def graph_budgets(case: GraphCase, convention: Convention, format: Format | str, claim: Claim) -> Budgets:
    """The budgets of what is claimed of a case, under a convention."""
    return quantities(case, case.balls(format), convention, claim.keys())


def continued(graph: Node, feed: Feed) -> int:
    """By how many terms the buffer of a sum may be continued: those of all sums that may be in one buffer, but one.

    Several nodes may have one buffer where a gradient is passed on unchanged, as by Add, Transpose or ReLU. Whether a
    product does is seen by what it makes of numbers from 1 to 2: none of them is another one times a power of 2.

    >>> from purebp.graph import Parameter, Sum, Transpose
    >>> p = Parameter("p")
    >>> q = Transpose(p)
    >>> continued(Sum(p * p), {"p": [[1.5]]}), continued(Sum(p * 3.0) + Sum(q * 3.0) + Sum(q * 5.0), {"p": [[1.5]]})
    (1, 3)
    """
    values, length = forward_graph(graph, feed), 0

    def measured(a: Matrix, b: Matrix, biases: Vector | None = None) -> list[list[float]]:
        nonlocal length
        length += len(a[0])
        return FLOAT.inner(a, b, biases)

    on, uses, terms = replace(FLOAT, inner=measured), uses_of(values), dict.fromkeys(values, 0)
    buffers = {node: [node] for node in values}
    for node, child, product in [(n, *use) for n in values if n.parents or not n.operation for use in uses[n]]:
        shape, length = dimensions(values[child]), 0
        numbers = [1 + 1 / i for i in range(2, prod(shape) + 2)]
        try:
            part = product(on, arranged(numbers, shape), values[child], *(values[parent] for parent in child.parents))
        except (ArithmeticError, ValueError):
            continue  # by the targets of a loss of one's own
        terms[node] += max(1, length)
        if not set(numbers).isdisjoint(map(abs, entries(part))):
            small, large = sorted((buffers[node], buffers[child]), key=len)
            if small is not large:
                large += small
                buffers.update(dict.fromkeys(small, large))
    return max(
        sum(terms[node] for node in buffer) - 1 if any(len(uses[node]) > 1 for node in buffer) else 0
        for buffer in {id(buffer): buffer for buffer in buffers.values()}.values()
    )
