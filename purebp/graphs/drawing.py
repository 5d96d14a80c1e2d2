"""A graph as a picture: SVG with shapes, values and gradients, and the text that Graphviz draws from.

Columns go from the inputs to the cost. A node stands right of all its parents, and an input just left of the first node
that uses it; an edge that passes a column has a place of its own there, so that it runs through no box. The order
within a column follows the mean of the neighbours (Sugiyama, Tagawa and Toda, IEEE Trans. SMC 11, 1981), and the
heights are as near to the mean of the neighbours as they can be without overlap.

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
from numbers import Rational
from statistics import fmean
from typing import Any
from xml.etree import ElementTree as ET

from purebp.graphs.engine import GraphGradients, Values, labels, shapes, topological_order, uses_of
from purebp.graphs.nodes import Node
from purebp.graphs.tensors import Tensor, as_rows, dimensions, lifted
from purebp.textbook.arithmetic import FLOAT, PurebpError
from purebp.textbook.names import printable

CHARACTER, LINE, MARGIN = 7.23, 16.0, 9.0  # of 12 px monospace, a line of it, and the inside of a box
GAP, BETWEEN, PASSAGE = 16.0, 44.0, 8.0  # between boxes, between columns, and the height of a passing edge
MOST_ROWS, MOST_COLUMNS, LONGEST = 3, 4, 48  # of a tensor that is shown in a box; characters of a name
SWEEPS = 12
NO_BREAK = "\u00a0"
COLOURS = {"Input": "#dbeafe", "Parameter": "#fef3c7", "Constant": "#e5e7eb", "cost": "#dcfce7", "": "#f8fafc"}
MARKER = {"id": "arrow", "viewBox": "0 0 8 8", "refX": "7", "refY": "4", "orient": "auto"}
MARKER |= {"markerWidth": "7", "markerHeight": "7"}
STYLE = (
    ".purebp text{font:12px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#111827}"
    ".purebp .name{font-weight:bold}.purebp .shape{fill:#4b5563}.purebp .gradient{fill:#b91c1c}"
    ".purebp rect{stroke:#64748b}.purebp path{fill:none;stroke:#7c8798;stroke-width:1.4}"
    ".purebp marker path{fill:#7c8798;stroke:none}"
)


def to_svg(
    graph: Node, values: Values | Mapping[Any, Tensor] | None = None, gradients: GraphGradients | Values | None = None
) -> str:
    """The graph as a drawing: for each node its name, operation and shape, and where given its value and its gradient.

    Boxes have a background of their own, for light and for dark pages. Of large tensors a corner is shown.

    >>> from purebp.graph import Input
    >>> to_svg(Input("x", (None, 3))).count("<rect")
    1
    """
    order = topological_order(graph)
    texts = described(order, values, gradients)
    widths = {node: max(len(text) for _, text in lines) * CHARACTER + 2 * MARGIN for node, lines in texts.items()}
    boxes = {node: Box(node, widths[node], len(texts[node]) * LINE + MARGIN) for node in order}
    width, height, edges = arrange(order, boxes)
    size = {"viewBox": f"0 0 {width:.0f} {height:.0f}", "width": f"{width:.0f}", "height": f"{height:.0f}"}
    root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "class": "purebp", **size})
    ET.SubElement(root, "title").text = printable(repr(graph))
    ET.SubElement(root, "style").text = STYLE
    ET.SubElement(ET.SubElement(ET.SubElement(root, "defs"), "marker", MARKER), "path", {"d": "M0 0L8 4L0 8z"})
    for points in edges:
        ET.SubElement(root, "path", {"d": _curve(points), "marker-end": "url(#arrow)"})
    for node, box in boxes.items():
        group = ET.SubElement(root, "g")
        ET.SubElement(group, "title").text = printable(repr(node))
        left, top = box.x, box.y - box.height / 2
        place = {"x": left, "y": top, "width": box.width, "height": box.height}
        rect = {name: f"{number:.1f}" for name, number in place.items()}
        ET.SubElement(group, "rect", {**rect, "rx": "5", "fill": _colour(node, graph)})
        for row, (kind, text) in enumerate(texts[node], start=1):
            shown = text.lstrip()
            x = left + MARGIN + (len(text) - len(shown)) * CHARACTER
            at = {"class": kind, "x": f"{x:.1f}", "y": f"{top + row * LINE:.1f}"}
            ET.SubElement(group, "text", at).text = shown.replace(" ", NO_BREAK)  # SVG runs spaces together
    return ET.tostring(root, encoding="unicode") + "\n"


def to_dot(
    graph: Node, values: Values | Mapping[Any, Tensor] | None = None, gradients: GraphGradients | Values | None = None
) -> str:
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


def described(
    order: Sequence[Node], values: Values | Mapping[Any, Tensor] | None, gradients: GraphGradients | Values | None
) -> dict[Node, list[tuple[str, str]]]:
    """The lines of each box, each with its kind: name, shape, value, gradient."""
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


def _held(tensors: Values | GraphGradients | Mapping[Any, Tensor] | None, node: Node) -> Tensor | None:
    if tensors is None:
        return None
    key = node if node in tensors else node.name
    if key not in tensors:
        return None
    if not isinstance(tensors, (Values, GraphGradients)):
        return lifted(node.name or node.kind, tensors[key], FLOAT)
    try:
        return tensors[key]
    except PurebpError:  # the gradient by targets is not known
        return None


def _colour(node: Node, graph: Node) -> str:
    return COLOURS["cost"] if node is graph and node.parents else COLOURS.get(node.kind, COLOURS[""])


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
    """A node, or the place where an edge passes a column (without a node): its size, and where it stands."""

    node: Node | None
    width: float = 0.0
    height: float = PASSAGE
    x: float = 0.0  # of the left side
    y: float = 0.0  # of the middle
    column: tuple[float, float] = (0.0, 0.0)  # left and right side of its column
    before: list[Box] = field(default_factory=list)
    after: list[Box] = field(default_factory=list)


def arrange(order: Sequence[Node], boxes: Mapping[Node, Box]) -> tuple[float, float, list[list[tuple[float, float]]]]:
    """Put the boxes in their places; the size of the picture, and the points of every edge."""
    columns, chains = _columns(order, boxes)
    place = {box: i for column in columns for i, box in enumerate(column)}
    for sweep in range(SWEEPS):
        forwards = sweep % 2 == 0
        for column in columns if forwards else reversed(columns):
            near = {box: box.before if forwards else box.after for box in column}
            means = {box: fmean(place[b] for b in near[box]) if near[box] else float(place[box]) for box in column}
            column.sort(key=means.__getitem__)
            place.update((box, i) for i, box in enumerate(column))
    for column in columns:
        _spread(column, [0.0] * len(column))
    for sweep in range(SWEEPS):
        for column in columns if sweep % 2 else reversed(columns):
            _spread(
                column,
                [fmean(b.y for b in box.before + box.after) if box.before + box.after else 0.0 for box in column],
            )
    left = GAP
    for column in columns:
        width = max(box.width for box in column)
        for box in column:
            box.width = box.width or width
            box.x = left + (width - box.width) / 2
            box.column = left, left + width
        left += width + BETWEEN
    top = min(box.y - box.height / 2 for column in columns for box in column) - GAP
    for column in columns:
        for box in column:
            box.y -= top
    height = max(box.y + box.height / 2 for column in columns for box in column) + GAP
    return left - BETWEEN + GAP, height, [list(dict.fromkeys(_points(chain))) for chain in chains]


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
            chain = [boxes[parent]]
            for passed in range(column[parent] + 1, column[node]):
                chain.append(Box(None))
                columns[passed].append(chain[-1])
            chain.append(boxes[node])
            for one, next_one in zip(chain, chain[1:]):
                one.after.append(next_one)
                next_one.before.append(one)
            chains.append(chain)
    return columns, chains


def _spread(column: Sequence[Box], wanted: Sequence[float]) -> None:
    """Heights nearest to those wanted, in this order and without overlap.

    With yᵢ = tᵢ + dᵢ, dᵢ the distance that i must keep from the first, the tᵢ must not decrease: that is a monotone
    regression, solved by pooling neighbours that violate it (Ayer et al., Annals of Mathematical Statistics 26, 1955).
    """
    distances = [0.0]
    for upper, lower in zip(column, column[1:]):
        distances.append(distances[-1] + (upper.height + lower.height) / 2 + GAP)
    pools: list[tuple[float, int]] = []  # mean and size
    for want, distance in zip(wanted, distances):
        mean, size = want - distance, 1
        while pools and pools[-1][0] > mean:
            other, count = pools.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        pools.append((mean, size))
    means = [mean for mean, size in pools for _ in range(size)]
    for box, mean, distance in zip(column, means, distances):
        box.y = mean + distance


def _points(chain: Sequence[Box]) -> Iterator[tuple[float, float]]:
    """From the first box straight out of its column, through each passage, and straight to the last box."""
    first, *passages, last = chain
    yield first.x + first.width, first.y
    yield first.column[1], first.y
    for box in passages:
        yield box.x, box.y
        yield box.x + box.width, box.y
    yield last.column[0], last.y
    yield last.x, last.y


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """A smooth line through the points that leaves and enters horizontally."""
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x, y), (x2, y2) in zip(points, points[1:]):
        bend = (x2 - x) / 2
        path += f"C{x + bend:.1f} {y:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    return path
