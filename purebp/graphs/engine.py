"""Backpropagation on any directed acyclic graph: one pass over the nodes for the values, one back for the gradients.

With v̄ = ∂cost/∂v for each node v, starting from 1 for the cost itself, and backwards in topological order:

    v̄ = Σ over the uses of v, as the i-th parent of a node y = f(…, v, …), of ȳ ∂f/∂xᵢ

which is the chain rule along every path from v to the cost (Linnainmaa 1970; Griewank and Walther, Evaluating
Derivatives, 2008, ch. 3). A node that is used twice gets a sum of two: it is accumulated, never overwritten. What an
operation computes, and its vector–Jacobian products, are data of `purebp.graphs.nodes`; nothing here knows of layers.

>>> from purebp.graph import MSE, Input, Linear, Parameter, Sigmoid
>>> x, y = Input("x", (None, 2)), Input("y", (None,))
>>> W, b = Parameter("W", (1, 2)), Parameter("b", (1,))
>>> cost = MSE(y, Sigmoid(Linear(x, W, b)))
>>> feed = {x: [[-1.0, -2.0], [-1.0, -2.0]], y: [1.0, 2.0], W: [[2.0, 3.0]], b: [-3.0]}
>>> forward_graph(cost, feed)[cost]
2.499949...
>>> gradients = backward_graph(cost, feed)
>>> gradients[W], gradients["b"]
([[5.01...e-05, 0.000100...]], [-5.01...e-05])
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from purebp.graphs.nodes import Node
from purebp.graphs.tensors import Shape, Tensor, arranged, copied, dimensions, entries, lifted
from purebp.textbook.arithmetic import FLOAT, Arithmetic, PurebpError, Undecided

__all__ = ["GraphGradients", "Values", "backward_graph", "forward_graph", "topological_order"]

Feed = Mapping[Any, Tensor]  # from input and parameter nodes, or their names, to values
Use = tuple[Node, Callable[..., Tensor]]  # the node made of it, and the product that comes back from there
Uses = Mapping[Node, Sequence[Use]]


def topological_order(node: Node) -> tuple[Node, ...]:
    """All nodes that the node depends on, parents before children, and itself last.

    A walk in depth that takes parents in their order: the same for every graph of the same form, however it was built.

    >>> from purebp.graph import Add, Input, Multiply
    >>> x = Input("x")
    >>> topological_order(Multiply(x, Add(x, 1.0)))
    (x = Input(), Constant(()), Add(x, Constant), Multiply(x, Add))
    """
    if not isinstance(node, Node):
        raise PurebpError(f"{node!r:.60} is no node: Input, Parameter and the operations make nodes")
    order, done = list[Node](), set[Node]()
    path: dict[Node, Iterator[Node]] = {node: iter(node.parents)}  # from the node to the one being looked at
    while path:
        last = next(reversed(path))
        parent = next((p for p in path[last] if p not in done), None)
        if parent is None:
            path.popitem()  # pop(last) would leave a gap, over which reversed has to walk
            done.add(last)
            order.append(last)
        elif parent in path:
            circle = [n.name or n.kind for n in path][list(path).index(parent) :]
            raise PurebpError(f"a cycle: {' ← '.join([*circle, circle[0]]):.200}; a graph must have none")
        else:
            path[parent] = iter(parent.parents)
    return tuple(order)


def labels(order: Sequence[Node]) -> dict[Node, str]:
    """The name of each node, or else its operation and its number in the order.

    >>> from purebp.graph import Add, Input
    >>> list(labels(topological_order(Add(Input("x"), 1.0))).values())
    ['x', 'Constant#2', 'Add#3']
    """
    return {node: node.name or f"{node.kind}#{number}" for number, node in enumerate(order, start=1)}


def shapes(order: Sequence[Node], known: Mapping[Node, Shape | None]) -> dict[Node, Shape | None]:
    """The shape of every node from those of inputs and parameters; None of what depends on one that is not known.

    >>> from purebp.graph import Input, Sum
    >>> x = Input("x", (None, 3))
    >>> list(shapes(topological_order(Sum(x, axis=1)), {x: x.shape}).values())
    [(None, 3), (None,)]
    """
    found, names = dict[Node, Shape | None](), labels(order)
    for node in order:
        if node.operation is None:
            found[node] = known[node]
            continue
        of_parents = [found[parent] for parent in node.parents]
        try:
            found[node] = None if None in of_parents else node.operation.shape(*of_parents)
        except PurebpError as error:
            of = " and ".join(f"{names[p]} {s}" for p, s in zip(node.parents, of_parents))
            raise PurebpError(f"{names[node]} of {of}: {error}") from None
    return found


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Values:
    """The value of each node by node or by name: `values[x]`, `values["x"]`, `values["Add#3"]`."""

    table: Mapping[Node, Tensor]
    arithmetic: Arithmetic[Any]
    named: Mapping[str, Node] = field(init=False)  # those whose name no other has

    def __post_init__(self) -> None:
        names = labels(tuple(self.table))
        count = Counter(names.values())
        object.__setattr__(self, "named", {name: node for node, name in names.items() if count[name] == 1})

    def find(self, key: Node | str) -> Node:
        """The node of that name, if it is one only."""
        if isinstance(key, Node) and key in self.table:
            return key
        if isinstance(key, str) and key in self.named:
            return self.named[key]
        several = any(node.name == key for node in self.table) and isinstance(key, str)
        why = "has several nodes of that name; index it by the node" if several else "does not have it"
        raise PurebpError(f"{key!r:.60}: the graph {why}")

    def __getitem__(self, key: Node | str) -> Tensor:
        return copied(self.table[self.find(key)])

    def __contains__(self, key: object) -> bool:
        return key in self.table or key in self.named

    def __repr__(self) -> str:
        return f"Values({', '.join(labels(tuple(self.table)).values()):.200})"

    def __iter__(self) -> Iterator[Node]:
        return iter(self.table)

    def __len__(self) -> int:
        return len(self.table)


def forward_graph(node: Node, feed: Feed, arithmetic: Arithmetic[Any] = FLOAT) -> Values:
    """The value of the node, and of all that it depends on; feed holds those of inputs and parameters.

    Shapes are checked for the whole graph before anything is computed.

    >>> from purebp.graph import Add, Input, Multiply
    >>> a, b = Input("a"), Input("b")
    >>> forward_graph(Add(a, Multiply(a, b, name="ab")), {"a": 2.0, "b": [3.0, 4.0]})["ab"]
    [6.0, 8.0]
    """
    order = topological_order(node)
    names = labels(order)
    table = dict[Node, Tensor]()
    fed = _fed(order, names, feed, arithmetic)
    shapes(order, {leaf: dimensions(value) for leaf, value in fed.items()})
    for each in order:
        if each.operation is None:
            table[each] = fed[each]
            continue
        try:
            table[each] = each.operation.value(arithmetic, *[table[parent] for parent in each.parents])
        except (ArithmeticError, ValueError) as error:
            given = " and ".join(f"{names[parent]} = {table[parent]!r:.40}" for parent in each.parents)
            kind = Undecided if isinstance(error, Undecided) else PurebpError
            raise kind(f"{names[each]} cannot be computed of {given}: {error}") from None
    return Values(table, arithmetic)


def _fed(
    order: Sequence[Node], names: Mapping[Node, str], feed: Feed, arithmetic: Arithmetic[Any]
) -> dict[Node, Tensor]:
    """The lifted values of inputs and parameters; what else is in the feed may belong to a larger graph."""
    if not isinstance(feed, Mapping):
        raise PurebpError(f"the feed is {feed!r:.60}: a dictionary from nodes, or their names, to values is wanted")
    leaves = [node for node in order if node.operation is None]
    for node in order:
        if node in feed or (node.name and node.name in feed):
            if node.operation is not None:
                raise PurebpError(f"{names[node]} is computed by the graph: only inputs and parameters are fed")
            if node in feed and node.name in feed:
                raise PurebpError(f"{names[node]} is fed twice, as a node and by its name: give one of them")
    keys = {leaf: leaf if leaf in feed else leaf.name for leaf in leaves}
    if missing := [names[leaf] for leaf, key in keys.items() if not (key and key in feed)]:
        given = ", ".join(key.name or key.kind if isinstance(key, Node) else repr(key) for key in feed)
        raise PurebpError(f"no value for {', '.join(missing)}: the feed has {given or 'nothing'}")
    fed, count = dict[Node, Tensor](), Counter(leaf.name for leaf in leaves)
    for leaf, key in keys.items():
        if isinstance(key, str) and count[key] > 1:
            raise PurebpError(f"{key!r} is the name of several inputs: feed them by node")
        fed[leaf] = lifted(names[leaf], feed[key], arithmetic)
        found = dimensions(fed[leaf])
        wanted = found if leaf.shape is None else leaf.shape
        if len(found) != len(wanted) or any(n not in (None, m) for n, m in zip(wanted, found)):
            raise PurebpError(f"{names[leaf]} is declared {wanted}, and its value is {found}")
    return fed


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GraphGradients:
    """∂cost/∂v for every node v, in the shape of v, by node or by name; `values` are those of the forward pass.

    Those of what is fed and not trained are computed when asked for: nobody else needs them, and for the inputs of a
    network they cost as much as a layer.
    """

    values: Values
    uses: Uses
    table: Mapping[Node, Tensor]

    def __getitem__(self, key: Node | str) -> Tensor:
        node = self.values.find(key)
        found = self.table[node] if node in self.table else gradient(node, self.values, self.uses, self.table)
        return copied(found)

    def __contains__(self, key: object) -> bool:
        return key in self.values

    def __repr__(self) -> str:
        return f"GraphGradients({', '.join(labels(tuple(self.values)).values()):.200})"

    def __iter__(self) -> Iterator[Node]:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)


def backward_graph(node: Node, feed: Feed, arithmetic: Arithmetic[Any] = FLOAT) -> GraphGradients:
    """The gradient of the node, which must be a single number, by all that it depends on; subtract it to descend.

    >>> from purebp.graph import Input, Multiply
    >>> x = Input("x")
    >>> backward_graph(Multiply(x, x), {x: 3.0})[x]  # used twice: 3 + 3
    6.0
    """
    values = forward_graph(node, feed, arithmetic)
    if len(entries(values[node])) != 1:
        name = labels(tuple(values))[node]
        raise PurebpError(
            f"{name} is {dimensions(values[node])}: the cost must be one number; Sum or Mean makes it one"
        )
    return accumulated(values, uses_of(values))


def uses_of(order: Values | Sequence[Node]) -> dict[Node, list[Use]]:
    """For each node the nodes that it is a parent of, with the vector–Jacobian product of each.

    >>> from purebp.graph import Input, Subtract
    >>> x = Input("x")
    >>> [child for child, _ in uses_of(topological_order(Subtract(x, x)))[x]]
    [Subtract(x, x), Subtract(x, x)]
    """
    uses: dict[Node, list[Use]] = {node: [] for node in order}
    for child in order:
        if child.operation is not None:
            for parent, product in zip(child.parents, child.operation.products):
                uses[parent].append((child, product))
    return uses


def accumulated(values: Values, uses: Uses) -> GraphGradients:
    """The backward pass over these uses: gradients of the last node by all the others."""
    table = dict[Node, Tensor]()
    for node in reversed(tuple(values)):
        if node.parents or node.trained or not uses[node]:
            table[node] = gradient(node, values, uses, table)
    return GraphGradients(values, uses, table)


def gradient(node: Node, values: Values, uses: Uses, table: Mapping[Node, Tensor]) -> Tensor:
    """v̄ from the gradients ȳ of the nodes that use v: 1 for the cost, which is used by none.

    The sum over several uses is one `inner`, so that an error budget holds it in any order of the terms.
    """
    arithmetic, shape = values.arithmetic, dimensions(values[node])
    parts = []
    for child, product in reversed(uses[node]):  # in the order in which they are known
        parents = [values.table[parent] for parent in child.parents]
        try:
            parts.append(product(arithmetic, table[child], values.table[child], *parents))
        except (ArithmeticError, ValueError) as error:
            raise PurebpError(f"{labels(tuple(values))[child]}: {error}") from None
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return arranged([arithmetic.one] * len(entries(values[node])), shape)
    sums = arithmetic.inner(list(zip(*map(entries, parts))), [[arithmetic.one] * len(parts)])
    return arranged((x for (x,) in sums), shape)
