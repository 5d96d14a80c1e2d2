"""What goes wrong in backpropagation on graphs, as data: the same backward pass with some of its uses changed.

A backward pass is a sum over the uses of each node (`purebp.graph`). A mistake takes uses away, gives some of them
another product, or goes in another order; run over balls it is as strict as the verdict: an answer is that mistake, or
provably is not.

>>> from purebp.graph import Add, Input, Tanh
>>> x = Tanh(Input("x"))
>>> list(dict.fromkeys(found.name for found in mistakes(Add(x, x))))[:2]
['overwritten instead of accumulated', 'passed on before it is complete']
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import add
from typing import Any

from purebp.graphs.engine import (
    GraphGradients,
    Use,
    Uses,
    Values,
    accumulated,
    labels,
    topological_order,
    uses_of,
)
from purebp.graphs.nodes import Node
from purebp.graphs.tensors import Tensor, dimensions, entries, entrywise
from purebp.oracle.explaining.recipe import BIASES, DERIVATIVE, LOSS, OPERANDS, STATE
from purebp.textbook.linalg import transpose

Product = Callable[..., Tensor]
Gradients = GraphGradients | dict[Node, Tensor]
MOST_VISITS = 2000  # of nodes, along all paths
MOST_USES = 50  # of a node, of which each is left out in turn
THE_SUM = "v̄ = Σ over the uses of v, in y = f(…, v, …), of ȳ ∂f/∂v"
SLOPED = {"Sigmoid", "Tanh", "ReLU", "LeakyReLU", "ELU", "Softplus", "SiLU", "GELU"}


@dataclass(frozen=True, slots=True)
class GraphMistake:
    """A mistake: what it is, and the nodes that have other uses with it, or the walk in which it is made."""

    name: str
    family: str
    sentence: str
    line: str
    changed: Mapping[Node, Sequence[Use]] = field(default_factory=dict)
    walk: Callable[[Values], Gradients] | None = None

    def backward(self, values: Values) -> Gradients:
        """The backward pass with the mistake, from the values to gradients by node."""
        return self.walk(values) if self.walk else accumulated(values, {**uses_of(values), **self.changed})


def mistakes(graph: Node) -> Iterator[GraphMistake]:
    """All that can be made on the graph and change the gradient of a parameter, everywhere at once first."""
    order = topological_order(graph)
    asked = {node for node in order if node.trained} or {node for node in order if node.operation is None}
    for node in order:
        if any(parent in asked for parent in node.parents):
            asked.add(node)
    uses = {node: found for node, found in uses_of(order).items() if node in asked}
    yield from _of_accumulation(order, uses)
    yield from _of_order(order, uses)
    for slip in SLIPS:
        yield from _of_products(order, uses, slip)


def _of_accumulation(order: Sequence[Node], uses: Uses) -> Iterator[GraphMistake]:
    """Of the several uses of a node only the first or the last counts, or one is left out.

    Which of them was written last depends on the order in which the candidate goes backwards.
    """
    names = labels(order)
    shared = {node: found for node, found in uses.items() if len(found) > 1}
    name = "overwritten instead of accumulated"

    def told(nodes: Sequence[Node]) -> str:
        listed = ", ".join(names[node] for node in nodes)
        return (
            f"Only one of the several uses of {listed} is counted: its gradient is overwritten by the next one. It is "
            "the sum over all uses: += in place of =."
        )

    for nodes in [list(shared)] * (len(shared) > 1) + [[node] for node in shared]:
        for which in (slice(-1, None), slice(1)):
            yield GraphMistake(name, STATE, told(nodes), THE_SUM, {n: shared[n][which] for n in nodes})
    for node, found in shared.items():
        for i, (child, _) in enumerate(found if 2 < len(found) <= MOST_USES else ()):
            sentence = (
                f"What {names[node]} gets from {names[child]} is not counted: its gradient is the sum over all uses."
            )
            others = {node: [*found[:i], *found[i + 1 :]]}
            yield GraphMistake("one use is not counted", STATE, sentence, THE_SUM, others)


def _of_order(order: Sequence[Node], uses: Uses) -> Iterator[GraphMistake]:
    """Depth first, each node passes on what it has so far, every time that something comes back to it."""
    early = [name for node, name in labels(order).items() if node.parents and len(uses.get(node, ())) > 1]
    paths: dict[Node, int] = {}
    for node, found in reversed(uses_of(order).items()):
        paths[node] = sum(paths[child] for child, _ in found) or 1
    if not early or sum(paths.values()) > MOST_VISITS:
        return
    sentence = (
        f"{', '.join(early)} passes on its gradient before all of its uses have added to it, and then what it passed "
        "on already once more: visit nodes in reverse topological order, each once."
    )
    for step in (1, -1):
        yield GraphMistake(
            "passed on before it is complete", STATE, sentence, THE_SUM, walk=partial(_depth_first, step)
        )


def _depth_first(step: int, values: Values) -> dict[Node, Tensor]:
    """A walk along every path, with the parents of each node in order or in reverse."""

    def edges(node: Node) -> Iterator[tuple[Node, Product]]:
        return iter(list(zip(node.parents, node.operation.products if node.operation else ()))[::step])

    *_, cost = values
    found = {cost: entrywise(lambda _: values.arithmetic.one, values[cost])}
    path = [(cost, edges(cost))]
    while path:
        node, rest = path[-1]
        parent, product = next(rest, (None, None))
        if parent is None or product is None:
            path.pop()
            continue
        part = product(values.arithmetic, found[node], values[node], *(values[p] for p in node.parents))
        found[parent] = entrywise(add, found[parent], part) if parent in found else part
        path.append((parent, edges(parent)))
    return found


@dataclass(frozen=True, slots=True)
class Slip:
    """Another product for some parent of some operations; {where} in the sentence stands for the nodes.

    scales: it shows only where what comes back to a node is not 1.
    """

    name: str
    family: str
    sentence: str
    line: str
    operations: frozenset[str]
    position: int
    wrong: Callable[[Product], Product]
    possible: Callable[[Node], bool] = lambda node: True
    scales: bool = False


def _square(node: Node) -> bool:
    """Whether the weights are; a transposed matrix of another shape does not fit."""
    shape = node.parents[1].shape or ()
    return len(shape) == 2 and shape[0] == shape[1]


def _ones(g: Any) -> Any:
    return entrywise(lambda gi: gi * 0 + 1, g)


def _at_the_input(slope: Callable[[Any, Any], Any]) -> Callable[[Product], Product]:
    """A slope in terms of the output, and of 1, given the input."""
    return lambda right: lambda arithmetic, g, y, x: entrywise(lambda gi, xi: gi * slope(xi, arithmetic.one), g, x)


def _averaged(right: Product) -> Product:
    def product(arithmetic: Any, g: Any, z: Any, x: Any, *rest: Any) -> Any:
        n = len(x) if len(dimensions(x)) == 2 else 1
        return entrywise(lambda b: b * arithmetic.ratio(1, n), right(arithmetic, g, z, x, *rest))

    return product


def _broadcast(mean: bool) -> Callable[[Product], Product]:
    def wrong(right: Product) -> Product:
        def product(arithmetic: Any, g: Any, value: Any, targets: Any, outputs: Any) -> Any:
            numbers = entries(targets)
            n = len(numbers)
            if n < 2 or max(dimensions(outputs)) < n:  # pairs of vectors, or of columns
                return right(arithmetic, g, value, targets, outputs)
            parts = [right(arithmetic, g, value, entrywise(lambda _: y, targets), outputs) for y in numbers]
            return entrywise(lambda *given: sum(given[1:], given[0]) * arithmetic.ratio(1, n if mean else 1), *parts)

        return product

    return wrong


SQUARES = frozenset({"MSE", "HalfMSE", "SSE", "HalfSSE"})
LINEAR = frozenset({"Linear"})
SLIPS = (
    Slip(
        "activation derivative missing",
        DERIVATIVE,
        "f′ is missing at {where}: multiply what comes back by the derivative of the activation.",
        "x̄ = ȳ ⊙ f′(x)",
        frozenset(SLOPED),
        0,
        lambda right: lambda arithmetic, g, y, x: g,
    ),
    Slip(
        "squashed twice",
        DERIVATIVE,
        "f′ is evaluated at the output in place of the input of {where}: give it x, or write it in terms of y.",
        "x̄ = ȳ ⊙ f′(x)",
        frozenset(SLOPED),
        0,
        lambda right: lambda arithmetic, g, y, x: right(arithmetic, g, y, y),
    ),
    Slip(
        "what comes back is left out",
        DERIVATIVE,
        "What comes back to {where} is left out: multiply f′ by it, which is 1 at the cost alone.",
        "x̄ = ȳ ⊙ f′(x)",
        frozenset(SLOPED),
        0,
        lambda right: lambda arithmetic, g, y, x: right(arithmetic, _ones(g), y, x),
        scales=True,
    ),
    *(
        Slip(
            "formula for the output given the input",
            DERIVATIVE,
            f"f′ is written as {formula} at {{where}}, with the input in the place of a: a is the output.",
            "x̄ = ȳ ⊙ f′(x)",
            frozenset({name}),
            0,
            _at_the_input(slope),
        )
        for name, formula, slope in (
            ("Sigmoid", "a (1 − a)", lambda x, one: x * (one - x)),
            ("Tanh", "1 − a²", lambda x, one: one - x * x),
        )
    ),
    Slip(
        "softmax Jacobian taken as diagonal",
        DERIVATIVE,
        "The derivative of softmax is taken as a (1 − a) at {where}: every output depends on every input, so the whole "
        "Jacobian is needed.",
        "x̄ⱼ = aⱼ (ȳⱼ − Σₖ ȳₖ aₖ)",
        frozenset({"Softmax"}),
        0,
        lambda right: lambda arithmetic, g, a, x: entrywise(lambda gi, ai: gi * ai * (1 - ai), g, a),
    ),
    Slip(
        "weights transposed",
        OPERANDS,
        "The error is passed down through Wᵀ in place of W at {where}.",
        "x̄ = z̄ W",
        LINEAR,
        0,
        lambda right: lambda arithmetic, g, z, x, w, *biases: right(arithmetic, g, z, x, transpose(w), *biases),
        _square,
    ),
    Slip(
        "weight gradient transposed",
        OPERANDS,
        "The gradient of the weights of {where} is transposed.",
        "W̄ = z̄ᵀ x",
        LINEAR,
        1,
        lambda right: lambda arithmetic, g, z, x, w, *biases: transpose(right(arithmetic, g, z, x, w, *biases)),
        _square,
    ),
    Slip(
        "bias gradient averaged",
        BIASES,
        "The gradient of the biases of {where} is divided by the number of samples, that of the weights is not.",
        "b̄ = Σ over the samples of z̄",
        LINEAR,
        2,
        _averaged,
    ),
    Slip(
        "bias gradient of one sample",
        BIASES,
        "The gradient of the biases of {where} is that of one sample.",
        "b̄ = Σ over the samples of z̄",
        LINEAR,
        2,
        lambda right: (
            lambda arithmetic, g, z, x, *rest: (
                right(arithmetic, g[-1:], z, x[-1:], *rest)
                if len(dimensions(x)) == 2
                else right(arithmetic, g, z, x, *rest)
            )
        ),
    ),
    *(
        Slip(
            "(n,) minus (n, 1)",
            LOSS,
            "Every output is compared with every target at {where}, as when an array of shape (n,) meets one of shape (n, 1): "
            "give both the same shape.",
            "∂loss/∂ŷ, from ŷ and y",
            SQUARES,
            1,
            _broadcast(mean),
        )
        for mean in (False, True)
    ),
)


def _given_one(order: Sequence[Node]) -> set[Node]:
    """The nodes to which 1 comes back, whatever the numbers are: the cost, and what is added to it and used once."""
    found = {order[-1]}
    for node, used in reversed(uses_of(order).items()):
        if len(used) == 1 and used[0][0] in found and used[0][0].kind in ("Add", "Sum"):
            found.add(node)
    return found


def _of_products(order: Sequence[Node], uses: Uses, slip: Slip) -> Iterator[GraphMistake]:
    names, i = labels(order), slip.position
    children = [node for node in order if node.kind.partition("(")[0] in slip.operations and node.parents[i:]]
    children = [child for child in children if child.parents[i] in uses and slip.possible(child)]
    if slip.scales:
        given_one = _given_one(order)
        children = [child for child in children if child not in given_one]
    for chosen in [children, *([child] for child in children if len(children) > 1)]:
        right = {(child, child.operation.products[i]) for child in chosen if child.operation}
        changed = {
            child.parents[i]: [
                (user, slip.wrong(product) if (user, product) in right else product)
                for user, product in uses[child.parents[i]]
            ]
            for child in chosen
        }
        if changed:
            sentence = slip.sentence.format(where=", ".join(names[child] for child in chosen))
            yield GraphMistake(slip.name, slip.family, sentence, slip.line, changed)
