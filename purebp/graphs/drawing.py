"""A graph as a picture: SVG with shapes, values and gradients, and the text that Graphviz draws from.

Columns go from the inputs to the cost. A node stands right of all its parents, and an input just left of the first node
that uses it; an edge that passes a column has a place of its own there, so that it runs through no box. Sweeping to and fro,
each column is ordered by the mean height of the neighbours (Sugiyama, Tagawa and Toda, IEEE Trans. SMC 11, 1981), and
its boxes come as near to that mean as they can without overlap.

>>> from purebp.graph import Input, MSE, Parameter, backward_graph
>>> p = Parameter("p")
>>> cost = MSE(Input("y"), p * 2.0, name="loss")
>>> gradients = backward_graph(cost, {"y": 1.0, "p": 3.0})
>>> picture = to_svg(cost, gradients.values, gradients)
>>> picture.startswith("<svg"), ">∂\N{NO-BREAK SPACE}20<" in picture
(True, True)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from numbers import Rational
from statistics import fmean
from typing import Any

from purebp.graphs.engine import GraphGradients, Values, labels, shapes, topological_order, uses_of
from purebp.graphs.nodes import Node
from purebp.graphs.tensors import Tensor, as_rows, dimensions, lifted
from purebp.textbook.arithmetic import FLOAT, PurebpError
from purebp.textbook.names import printable

Held = Values | GraphGradients | Mapping[Any, Tensor] | None  # tensors by node, or by name
Line = tuple[str, str]  # of a box: its kind (name, shape, value or gradient) and its text
Point = tuple[float, float]

CHARACTER, LINE, MARGIN = 7.23, 16.0, 9.0  # of 12 px monospace, a line of it, and the inside of a box
GAP, BETWEEN, PASSAGE = 16.0, 44.0, 8.0  # between boxes, between columns, and the height of a passing edge
MOST_ROWS, MOST_COLUMNS, LONGEST = 3, 4, 48  # of a tensor that is shown in a box; characters of a name
SWEEPS = 6
NO_BREAK = "\u00a0"  # SVG runs spaces together
COLOURS = {"Input": "#dbeafe", "Parameter": "#fef3c7", "Constant": "#e5e7eb"}
COST, COMPUTED = "#dcfce7", "#f8fafc"
HEAD = (
    "<style>.purebp text{font:12px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#111827}"
    ".purebp .name{font-weight:bold}.purebp .shape{fill:#4b5563}.purebp .gradient{fill:#b91c1c}"
    ".purebp rect{stroke:#64748b}.purebp path{fill:none;stroke:#7c8798;stroke-width:1.4}"
    ".purebp marker path{fill:#7c8798;stroke:none}</style>"
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" orient="auto" markerWidth="7" markerHeight="7">'
    '<path d="M0 0L8 4L0 8z" /></marker></defs>'
)


def to_svg(graph: Node, values: Held = None, gradients: Held = None) -> str:
    """The graph as a drawing: for each node its name, operation and shape, and where given its value and its gradient.

    Boxes have a background of their own, for light and for dark pages. Of large tensors a corner is shown.

    >>> from purebp.graph import Input
    >>> to_svg(Input("x", (None, 3))).count("<rect")
    1
    """
    order = topological_order(graph)
    texts = described(order, values, gradients)
    boxes = {
        node: Box(max(len(text) for _, text in lines) * CHARACTER + 2 * MARGIN, len(lines) * LINE + MARGIN)
        for node, lines in texts.items()
    }
    width, height, edges = arrange(order, boxes)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" class="purebp" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}">{_title(graph)}{HEAD}'
        + "".join(f'<path d="{_curve(points)}" marker-end="url(#arrow)" />' for points in edges)
        + "".join(_drawn(node, boxes[node], texts[node], _colour(node, graph)) for node in order)
        + "</svg>\n"
    )


def _title(node: Node) -> str:
    return f"<title>{escape(printable(repr(node)), quote=False)}</title>"


def _drawn(node: Node, box: Box, lines: Sequence[Line], colour: str) -> str:
    left, top = box.x, box.y - box.height / 2
    place = f'x="{left:.1f}" y="{top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
    drawn = f'<g>{_title(node)}<rect {place} rx="5" fill="{colour}" />'
    for row, (kind, text) in enumerate(lines, start=1):
        shown = text.lstrip()
        x, y = left + MARGIN + (len(text) - len(shown)) * CHARACTER, top + row * LINE
        shown = escape(shown.replace(" ", NO_BREAK), quote=False)
        drawn += f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{shown}</text>'
    return drawn + "</g>"


def to_dot(graph: Node, values: Held = None, gradients: Held = None) -> str:
    r"""The same as text for Graphviz: `dot -Tsvg`.

    >>> from purebp.graph import Input, Tanh
    >>> print(to_dot(Tanh(Input("x", (2,)))))
    digraph {
      rankdir=LR; node [shape=box, style="rounded,filled", fontname=monospace];
      n1 [label="x\l2\l", fillcolor="#dbeafe"];
      n2 [label="Tanh#2\l2\l", fillcolor="#dcfce7"];
      n1 -> n2;
    }
    """
    order = topological_order(graph)
    texts = described(order, values, gradients)
    number = {node: i for i, node in enumerate(order, start=1)}
    lines = ["digraph {", '  rankdir=LR; node [shape=box, style="rounded,filled", fontname=monospace];']
    for node in order:
        label = "".join(text.replace("\\", "\\\\").replace('"', '\\"') + "\\l" for _, text in texts[node])
        lines.append(f'  n{number[node]} [label="{label}", fillcolor="{_colour(node, graph)}"];')
    lines += [f"  n{number[parent]} -> n{number[node]};" for node in order for parent in node.parents]
    return "\n".join([*lines, "}"])


def _colour(node: Node, graph: Node) -> str:
    return COST if node is graph and node.parents else COLOURS.get(node.kind, COMPUTED)


# What stands in a box.


def described(order: Sequence[Node], values: Held, gradients: Held) -> dict[Node, list[Line]]:
    """The lines of each box: name, shape, value, gradient.

    >>> from purebp.graph import Input
    >>> x = Input("x")
    >>> described([x], {x: [1.0, 2.0]}, None)[x]
    [('name', 'x'), ('shape', '2'), ('value', '  1 2')]
    """
    names = labels(order)
    static = shapes(order, {node: node.shape for node in order})
    found = {}
    for given in (values, gradients):
        if given is not None and not isinstance(given, (Values, GraphGradients, Mapping)):
            raise PurebpError(f"{given!r:.60} holds no values: what forward_graph or backward_graph returns is wanted")
    for node in order:
        value, gradient = _held(values, node), _held(gradients, node)
        shape = static[node] if value is None else dimensions(value)
        name = f"{node.name} = {node.kind}" if node.name and node.operation else names[node]
        lines = [("name", name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…")]
        if shape or (shape == () and value is None):
            lines.append(("shape", " × ".join("n" if n is None else str(n) for n in shape) or "number"))
        for kind, tensor, mark in (("value", value, "  "), ("gradient", gradient, "∂ ")):
            lines += [(kind, text) for text in _numbers(tensor, mark)] if tensor is not None else []
        found[node] = [(kind, printable(text)) for kind, text in lines]
    return found


def _held(tensors: Held, node: Node) -> Tensor | None:
    key = next((key for key in (node, node.name) if tensors is not None and key in tensors), None)
    if tensors is None or key is None:
        return None
    if not isinstance(tensors, (Values, GraphGradients)):
        return lifted(node.name or node.kind, tensors[key], FLOAT)
    try:
        return tensors[key]
    except PurebpError:  # the gradient by targets is not known
        return None


def _short(x: Any) -> str:
    """Four digits; of fractions, and of numbers that cannot be formatted so, all of it."""
    x = getattr(x, "value", x)  # of a certified gradient
    try:
        return str(x) if isinstance(x, Rational) else f"{x:.4g}"
    except (TypeError, ValueError):
        return str(x)


def _numbers(tensor: Tensor, mark: str) -> list[str]:
    """A tensor in few lines, its columns aligned; the first line begins with the mark."""
    rows = as_rows(tensor)
    cells = [[_short(x) for x in row[:MOST_COLUMNS]] for row in rows[:MOST_ROWS]]
    widths = [max(map(len, column)) for column in zip(*cells)]
    more = " …" if len(rows[0]) > MOST_COLUMNS else ""
    lines = [" ".join(map(str.rjust, row, widths)) + more for row in cells]
    lines += ["…"] * (len(rows) > MOST_ROWS)
    return [(mark if i == 0 else " " * len(mark)) + line for i, line in enumerate(lines)]


# The layout.


@dataclass(slots=True, eq=False)
class Box:
    """Where a node stands, or where an edge passes a column."""

    width: float = 0.0
    height: float = PASSAGE
    x: float = 0.0  # of the left side
    y: float = 0.0  # of the middle
    before: list[Box] = field(default_factory=list)
    after: list[Box] = field(default_factory=list)


def arrange(order: Sequence[Node], boxes: Mapping[Node, Box]) -> tuple[float, float, list[list[Point]]]:
    """Put the boxes in their places, all of a column equally wide; the size of the picture, the points of every edge."""
    columns, chains = _columns(order, boxes)
    for column in columns:
        _spread(column, dict.fromkeys(column, 0.0))
    for sweep in range(SWEEPS):
        forwards = sweep % 2 == 0
        for column in columns if forwards else columns[::-1]:
            near = {box: (box.before if forwards else box.after) or [box] for box in column}
            wanted = {box: fmean(other.y for other in near[box]) for box in column}
            column.sort(key=wanted.__getitem__)
            _spread(column, wanted)
    top, right = min(box.y - box.height / 2 for column in columns for box in column) - GAP, GAP
    for column in columns:
        width = max(box.width for box in column)
        for box in column:
            box.x, box.y, box.width = right, box.y - top, width
        right += width + BETWEEN
    bottom = max(box.y + box.height / 2 for column in columns for box in column)
    return right - BETWEEN + GAP, bottom + GAP, [list(_points(chain)) for chain in chains]


def _columns(order: Sequence[Node], boxes: Mapping[Node, Box]) -> tuple[list[list[Box]], list[list[Box]]]:
    """The boxes of each column, with passages for edges that go further, and the boxes along each edge."""
    column = dict[Node, int]()
    for node in order:
        column[node] = 1 + max((column[parent] for parent in node.parents), default=-1)
    for node, uses in uses_of(order).items():
        if uses and not node.parents:
            column[node] = min(column[child] for child, _ in uses) - 1
    columns: list[list[Box]] = [[] for _ in range(max(column.values()) + 1)]
    for node in order:
        columns[column[node]].append(boxes[node])
    chains = []
    for node in order:
        for parent in dict.fromkeys(node.parents):
            passages = {passed: Box() for passed in range(column[parent] + 1, column[node])}
            for passed, box in passages.items():
                columns[passed].append(box)
            chain = [boxes[parent], *passages.values(), boxes[node]]
            for box, after in zip(chain, chain[1:]):
                box.after.append(after)
                after.before.append(box)
            chains.append(chain)
    return columns, chains


def _spread(column: Sequence[Box], wanted: Mapping[Box, float]) -> None:
    """Heights nearest to those wanted, in this order and without overlap.

    With yᵢ = tᵢ + dᵢ, dᵢ the distance that i must keep from the first, the tᵢ must not decrease: that is a monotone
    regression, solved by pooling neighbours that violate it (Ayer et al., Annals of Mathematical Statistics 26, 1955).
    """
    distances = [0.0]
    for upper, lower in zip(column, column[1:]):
        distances.append(distances[-1] + (upper.height + lower.height) / 2 + GAP)
    pools: list[tuple[float, int]] = []  # mean and size
    for box, distance in zip(column, distances):
        mean, size = wanted[box] - distance, 1
        while pools and pools[-1][0] > mean:
            other, count = pools.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        pools.append((mean, size))
    means = [mean for mean, size in pools for _ in range(size)]
    for box, mean, distance in zip(column, means, distances):
        box.y = mean + distance


def _points(chain: Sequence[Box]) -> Iterator[Point]:
    """From the first box, level through each passage, to the last box."""
    first, *passages, last = chain
    yield first.x + first.width, first.y
    for box in passages:
        yield box.x, box.y
        yield box.x + box.width, box.y
    yield last.x, last.y


def _curve(points: Sequence[Point]) -> str:
    """A smooth line through the points that leaves and enters horizontally."""
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x, y), (x2, y2) in zip(points, points[1:]):
        bend = (x + x2) / 2
        path += f"C{bend:.1f} {y:.1f} {bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    return path
