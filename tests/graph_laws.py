"""What tests of graphs share: laws of operations, mistakes in them, and graphs that Hypothesis draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import count, product
from operator import mul
from typing import Any

from hypothesis import strategies as st

from purebp import PurebpError, central_differences, graph
from purebp.graph import (
    ELU,
    Concatenate,
    Constant,
    Cost,
    Huber,
    Input,
    LeakyReLU,
    Linear,
    Mean,
    Multiply,
    Node,
    Operation,
    Reshape,
    Sum,
    Values,
    backward_graph,
    forward_graph,
)
from purebp.graphs.tensors import Tensor, arranged, dimensions, entries, entrywise
from purebp.number_systems.ball import ball
from purebp.number_systems.dual import DUAL, Dual, dual
from purebp.oracle.evidence import share
from purebp.textbook.linalg import transpose
from tests.laws import assert_close

Feed = dict[Node, Tensor]
Law = Callable[[Operation], None]
_X, _Y = Input(), Input()
_BY_EXAMPLE: tuple[Node, ...] = (
    Linear(_X, _Y),
    Linear(_X, _Y, _X),
    Reshape(_X, (-1,)),
    Reshape(_X, (3, -1)),
    Concatenate(_X, _Y),
    Concatenate(_X, _Y, _X, axis=0),
    *(make(_X, axis=axis) for make in (Sum, Mean) for axis in (None, 0, 1)),
    LeakyReLU(_X, 0.25),
    ELU(_X, 0.5),
    Huber(_X, _Y, 0.5),
    Cost(_X, _Y, "half_sse/samples"),
    Cost(_X, _Y, "mse", after="tanh"),
    Cost(_X, _Y, "cross_entropy", after="sigmoid"),
)
# All that is public, what has parameters by example.
OPERATIONS: tuple[Operation, ...] = (
    *(each for each in map(vars(graph).get, graph.__all__) if isinstance(each, Operation)),
    *(node.operation for node in _BY_EXAMPLE if node.operation),
)
SHAPES: list[tuple[int, ...]] = [(), (3,), (2, 3), (3, 2), (3, 3), (1, 3), (3, 1), (2,)]


def named(operation: Operation) -> str:
    return f"{operation.name} of {len(operation.products)}"


def examples(operation: Operation) -> Iterator[tuple[Node, Feed]]:
    """Sum(weights ⊙ operation(…)) for all shapes it accepts: once in (0, 1), and of both signs where possible."""
    found = 0
    for shapes, shape in accepted(operation, SHAPES):
        inputs = [Input(f"x{i}") for i in range(len(shapes))]
        size = len(entries(filled(shape, lambda k: k)))
        weights = filled(shape, lambda k, size=size: (7 * k % 11 + 3) / 8 - size / 16)
        cost = Sum(Multiply(operation(*inputs), Constant(weights)))
        for low, high in ((1, 15), (-15, 15)):
            numbers = distinct(low, high)
            feed = {x: filled(s, lambda k, numbers=numbers: next(numbers)) for x, s in zip(inputs, shapes)}
            try:
                backward_graph(cost, feed)
            except PurebpError:  # the logarithm of a negative number
                assert low < 0
                continue
            found += 1
            yield cost, feed
    assert found > 0, f"no shape of {SHAPES} suits {operation.name}"


def filled(shape: Any, number: Callable[..., Any]) -> Tensor:
    size = 1
    for n in shape:
        size *= n
    return arranged([number(k) for k in range(size)], shape)


def distinct(low: int, high: int) -> Iterator[float]:
    """Numbers from low/16 to high/16, none near 0, of the first 31 no two equal or ½ apart: away from all corners."""
    wholes = [n for n in range(low, high + 1) if n not in (-1, 0)]
    for k in count():
        yield wholes[5 * k % len(wholes)] / 16 + (k % 31 + 1) / 1024


def slopes(cost: Node, feed: Feed, x: Node) -> list[float]:
    """∂cost/∂x by dual numbers, entry by entry."""
    found = []
    for place in range(len(entries(feed[x]))):
        moved = arranged(
            [Dual(value, float(k == place)) for k, value in enumerate(entries(feed[x]))], dimensions(feed[x])
        )
        found.append(forward_graph(cost, feed | {x: moved}, DUAL)[cost].slope)
    return found


def has_the_shapes_of_the_parents(operation: Operation) -> None:
    for cost, feed in examples(operation):
        gradients = backward_graph(cost, feed)
        for x in feed:
            assert dimensions(gradients[x]) == dimensions(feed[x])


def equals_dual_numbers(operation: Operation) -> None:
    """Forward mode knows no products but those of +, −, ×, ÷ and the elementary functions."""
    for cost, feed in examples(operation):
        gradients = backward_graph(cost, feed)
        for x in feed:
            assert_close(entries(gradients[x]), slopes(cost, feed, x))


def equals_central_differences(operation: Operation) -> None:
    for cost, feed in examples(operation):
        gradients = backward_graph(cost, feed)
        for x in feed:

            def at(numbers: Sequence[float], x: Node = x, cost: Node = cost, feed: Feed = feed) -> float:
                value: float = forward_graph(cost, feed | {x: arranged(numbers, dimensions(feed[x]))})[cost]
                return value

            assert_close(entries(gradients[x]), central_differences(at, entries(feed[x])), 1e-6)


def lies_within_its_budget(operation: Operation) -> None:
    for cost, feed in examples(operation):
        gradients, allowed = backward_graph(cost, feed), backward_graph(cost, feed, ball("binary64"))
        for x in feed:
            assert all(share(g, b) <= 1 for g, b in zip(entries(gradients[x]), entries(allowed[x])))


LAWS: list[Law] = [
    has_the_shapes_of_the_parents,
    equals_dual_numbers,
    equals_central_differences,
    lies_within_its_budget,
]


# Mistakes: for one parent of an operation, another product.

Product = Callable[..., Tensor]


def with_product(operation: Operation, position: int, wrong: Product) -> Operation:
    products = list(operation.products)
    products[position] = wrong
    return replace(operation, products=products)


def off_by_a_little(operation: Operation, position: int) -> Operation:
    """One part in a thousand too large."""
    right = operation.products[position]
    return with_product(operation, position, lambda *given: entrywise(lambda g: g * (1 + 2**-10), right(*given)))


@dataclass(frozen=True)
class Slip:
    """A classical mistake: for which parent, and what comes back to it, from the right product and its arguments."""

    sentence: str
    position: int
    wrong: Callable[..., Tensor]

    def __call__(self, operation: Operation) -> Operation:
        return with_product(operation, self.position, partial(self.wrong, operation.products[self.position]))


def turned(right: Product, *given: Any) -> Tensor:
    return entrywise(lambda g: -g, right(*given))


def doubled(right: Product, *given: Any) -> Tensor:
    return entrywise(lambda g: 2 * g, right(*given))


def unchanged(right: Product, arithmetic: Any, g: Any, y: Any, x: Any) -> Tensor:
    return g


def at_the_output(right: Product, arithmetic: Any, g: Any, y: Any, x: Any) -> Tensor:
    return right(arithmetic, g, y, y)


def in_rows(right: Product, arithmetic: Any, g: Any, y: Any, x: Any) -> Tensor:
    """What comes back, in its own order."""
    return arranged(entries(g), dimensions(x))


def in_columns(right: Product, arithmetic: Any, g: Any, y: Any, x: Any) -> Tensor:
    if len(dimensions(x)) < 2:
        return right(arithmetic, g, y, x)
    return transpose(arranged(entries(g), dimensions(x)[::-1]))


def not_transposed(right: Product, arithmetic: Any, g: Any, z: Any, x: Any, w: Any, *biases: Any) -> Tensor:
    size = dimensions(w)
    return right(arithmetic, g, z, x, transpose(w) if len(size) == 2 and size[0] == size[1] else w, *biases)


def only_the_first(right: Product, arithmetic: Any, g: Any, y: Any, x: Any) -> Tensor:
    return entrywise(mul, right(arithmetic, g, y, x), filled(dimensions(x), lambda k: float(k == 0)))


def not_divided(right: Product, arithmetic: Any, g: Any, y: Any, x: Any) -> Tensor:
    return entrywise(lambda r: r * len(entries(x)) / len(entries(y)), right(arithmetic, g, y, x))


def the_beginning(right: Product, arithmetic: Any, g: Any, y: Any, *parts: Any) -> Tensor:
    return arranged(entries(g)[: len(entries(parts[1]))], dimensions(parts[1]))


def diagonal(right: Product, arithmetic: Any, g: Any, a: Any, z: Any) -> Tensor:
    return entrywise(lambda gi, ai: gi * ai * (1 - ai), g, a)


SLIPS = {
    "Add": Slip(
        "the second summand gets nothing", 1, lambda right, arithmetic, g, z, x, y: entrywise(lambda yi: 0 * yi, y)
    ),
    "Subtract": Slip("the sign of what is subtracted is forgotten", 1, turned),
    "Negative": Slip("the sign is forgotten", 0, turned),
    "Multiply": Slip("each factor gets itself", 0, lambda right, arithmetic, g, z, x, y: right(arithmetic, g, z, x, x)),
    "Divide": Slip("the sign of −1/y² is forgotten", 1, turned),
    "Exp": Slip("the derivative is taken for 1", 0, unchanged),
    "Log": Slip("times x in place of 1/x", 0, lambda right, arithmetic, g, y, x: entrywise(mul, g, x)),
    "Linear": Slip("square weights are not transposed", 0, not_transposed),
    "MatMul": Slip("square factors are not transposed", 0, not_transposed),
    "Transpose": Slip("what comes back is not turned", 0, in_rows),
    "Reshape": Slip("columns are taken for rows", 0, in_columns),
    "Concatenate": Slip("every part gets the beginning", 1, the_beginning),
    "Sum": Slip("only the first summand gets the gradient", 0, only_the_first),
    "Mean": Slip("1/n is forgotten", 0, not_divided),
    "Identity": Slip("times its value", 0, lambda right, arithmetic, g, y, x: entrywise(mul, g, y)),
    **dict.fromkeys(("Sigmoid", "Tanh", "Softplus", "SiLU", "GELU", "ELU"), Slip("squashed twice", 0, at_the_output)),
    **dict.fromkeys(("ReLU", "LeakyReLU"), Slip("f′ is taken for 1", 0, unchanged)),
    "Softmax": Slip("the Jacobian is taken for diagonal", 0, diagonal),
    **dict.fromkeys(
        ("MSE", "HalfMSE", "SSE", "HalfSSE", "HalfSSE/samples", "MAE", "Huber", "TanhMSE"),
        Slip("y − ŷ for ŷ − y", 1, turned),
    ),
    **dict.fromkeys(
        (
            "BinaryCrossEntropy",
            "CrossEntropy",
            "SigmoidBinaryCrossEntropy",
            "SoftmaxCrossEntropy",
            "SigmoidCrossEntropy",
        ),
        Slip("a factor 2 too many", 1, doubled),
    ),
}


# Graphs.

RATIONAL = [
    "Add",
    "Subtract",
    "Negative",
    "Multiply",
    "Linear",
    "MatMul",
    "Transpose",
    "Reshape",
    "Concatenate",
    "Sum",
    "Mean",
    "ReLU",
    "LeakyReLU",
    "MSE",
    "SSE",
]
SMOOTH = [*RATIONAL, "Sigmoid", "Tanh", "Softplus", "SiLU", "GELU", "Softmax", "Identity", "ELU", "HalfMSE"]
HIGHEST = 6  # degree of a polynomial in the inputs, so that numbers stay small


def plain_name(operation: Operation) -> str:
    return operation.name.partition("(")[0]


@dataclass(frozen=True)
class Recipe:
    """A graph as data: the shapes of its inputs, and steps, each an operation and the numbers of its parents."""

    inputs: tuple[tuple[int, ...], ...]
    steps: tuple[tuple[Operation, tuple[int, ...]], ...]
    numbers: tuple[tuple[float, ...], ...]

    def built(self, backwards: bool = False) -> tuple[Node, list[Node]]:
        """The cost and the inputs; `backwards`, nodes are made from the cost on, last parents first."""
        made: dict[int, Node] = {}
        first = len(self.inputs)

        def make(number: int) -> Node:
            if number not in made:
                if number < first:
                    made[number] = Input(f"x{number}")
                else:
                    operation, parents = self.steps[number - first]
                    nodes = {p: make(p) for p in (parents[::-1] if backwards else parents)}
                    made[number] = operation(*(nodes[p] for p in parents))
            return made[number]

        last = first + len(self.steps) - 1
        for number in [] if backwards else range(last):
            make(number)
        cost = make(last)
        return cost, [make(number) for number in range(first)]

    def feed(self, inputs: Sequence[Node]) -> Feed:
        return {x: arranged(numbers, shape) for x, shape, numbers in zip(inputs, self.inputs, self.numbers)}


def accepted(operation: Operation, shapes: Sequence[Any]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The combinations of these shapes that an operation takes, and what shape it makes of them."""
    for combination in product(shapes, repeat=len(operation.products)):
        with suppress(PurebpError):
            yield combination, operation.shape(*combination)


@st.composite
def recipes(draw: st.DrawFn, names: Sequence[str] = SMOOTH, most: int = 30) -> Recipe:
    """Graphs of up to so many nodes, in which a parent may be used many times, and which end in a number."""
    known = [operation for operation in OPERATIONS if plain_name(operation) in names]
    add_up, add = (next(operation for operation in known if operation.name == name) for name in ("Sum", "Add"))
    inputs = tuple(draw(st.lists(st.sampled_from(SHAPES), max_size=2)) + [(2, 3), (3, 3), (3,)])
    shapes, degrees, used = list[Any](inputs), [1] * len(inputs), set[int]()
    steps: list[tuple[Operation, tuple[int, ...]]] = []

    def append(operation: Operation, parents: tuple[int, ...], shape: Any, degree: int) -> int:
        steps.append((operation, parents))
        shapes.append(shape)
        degrees.append(degree)
        used.update(parents)
        return len(shapes) - 1

    def chosen(shape: Any) -> int:
        """A node of that shape, rather one that nobody uses yet."""
        fitting = [number for number, other in enumerate(shapes) if other == shape]
        return draw(st.sampled_from([*(number for number in fitting if number not in used), *fitting][::-1]))

    while len(shapes) + 2 * (len(shapes) - len(used)) < most - 4 and draw(st.integers(0, 24)) > 0:
        operation = draw(st.sampled_from(known))
        suited = list(accepted(operation, sorted(set(shapes))))
        if not suited:
            continue
        combination, shape = draw(st.sampled_from(suited))
        parents = tuple(map(chosen, combination))
        if plain_name(operation) in ("Multiply", "Linear", "MatMul"):
            degree = sum(degrees[p] for p in parents[:2])
        else:
            degree = max(degrees[p] for p in parents) * (2 if operation.name in ("MSE", "SSE", "HalfMSE") else 1)
        if degree <= HIGHEST:
            append(operation, parents, shape, degree)
    # What nobody uses is added up, so that every node counts.
    loose = [number for number in range(len(shapes)) if number not in used]
    sums = [append(add_up, (number,), (), degrees[number]) for number in loose]
    result = sums[0] if sums else append(add_up, (len(shapes) - 1,), (), HIGHEST)
    for other in sums[1:]:
        result = append(add, (result, other), (), HIGHEST)
    sizes = [len(entries(filled(shape, lambda k: k))) for shape in inputs]
    numbers = tuple(
        tuple(k / 8 + 1 / 64 for k in draw(st.lists(st.integers(-8, 7), min_size=size, max_size=size)))
        for size in sizes
    )
    return Recipe(inputs, tuple(steps), numbers)


def away_from_kinks(values: Values) -> bool:
    """Whether no corner is near, where dual numbers take the other side."""
    bent = [(node.parents[0], kink) for node in values if node.operation for kink in node.operation.kinks]
    return all(abs(x - kink) > 1e-9 for node, kink in bent for x in entries(values[node]))


def directional(cost: Node, feed: Feed, directions: Feed, arithmetic: Any) -> Any:
    """The slope of the cost along a direction in all inputs, by dual numbers over the arithmetic's numbers."""
    moved = {
        x: entrywise(
            lambda value, slope: Dual(arithmetic.number(value), arithmetic.number(slope)), feed[x], directions[x]
        )
        for x in feed
    }
    return forward_graph(cost, moved, dual(arithmetic))[cost].slope


def along(gradients: Any, directions: Feed) -> Any:
    """Σ over the inputs of gradient · direction."""
    return sum(
        (g * Fraction(d) if isinstance(g, Fraction) else g * d)
        for x in directions
        for g, d in zip(entries(gradients[x]), entries(directions[x]))
    )
