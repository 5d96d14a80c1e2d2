"""Pictures of graphs: everything is there, nothing overlaps, and no edge runs through a box."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given

from purebp import Network, cli
from purebp.graph import Add, Input, Node, Tanh, backward_graph, to_graph, topological_order
from purebp.graphs.drawing import Box, arrange, described, to_dot, to_svg
from purebp.number_systems.ball import ball
from purebp.number_systems.rational import FRACTION
from tests import ROOT
from tests.graph_laws import Recipe, recipes
from tests.oracle.samples import residual

SVG = "{http://www.w3.org/2000/svg}"


def boxes_of(svg: str) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of each rectangle."""
    found = []
    for rect in ET.fromstring(svg).iter(f"{SVG}rect"):
        x, y, width, height = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
        found.append((x, y, x + width, y + height))
    return found


def apart(one: Sequence[float], other: Sequence[float], gap: float) -> bool:
    return one[2] + gap <= other[0] or other[2] + gap <= one[0] or one[3] + gap <= other[1] or other[3] + gap <= one[1]


@given(recipes())
def test_no_two_boxes_overlap_and_every_text_lies_in_its_box(recipe: Recipe) -> None:
    cost, inputs = recipe.built()
    gradients = backward_graph(cost, recipe.feed(inputs))
    svg = to_svg(cost, gradients.values, gradients)
    boxes = boxes_of(svg)
    assert len(boxes) == len(topological_order(cost))
    assert all(apart(one, other, 5.0) for one, other in combinations(boxes, 2))
    root = ET.fromstring(svg)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    assert all(0 <= left and 0 <= top and right <= width and bottom <= height for left, top, right, bottom in boxes)
    for group, (left, top, right, bottom) in zip(root.iter(f"{SVG}g"), boxes):
        baselines = []
        for text in group.iter(f"{SVG}text"):
            x, y = float(text.attrib["x"]), float(text.attrib["y"])
            assert left <= x and x + 7.2 * len(text.text or "") <= right
            assert top + 10 <= y <= bottom
            baselines.append(y)
        assert all(b - a >= 15 for a, b in zip(baselines, baselines[1:]))


@given(recipes())
def test_edges_go_from_left_to_right_and_through_no_box(recipe: Recipe) -> None:
    """Where an edge passes a column it is level, in a place of its own; only between columns does it bend."""
    cost, _ = recipe.built()
    order = topological_order(cost)
    texts = described(order, None, None)
    boxes = {node: Box(60.0 + 37 * number % 100, 16.0 * len(texts[node])) for number, node in enumerate(order)}
    _, _, edges = arrange(order, boxes)
    assert len(edges) == sum(len(set(node.parents)) for node in order)
    for points in edges:
        assert all(a[0] < b[0] for a, b in zip(points, points[1:]))
        for (x, y), (x2, y2) in zip(points, points[1:]):
            met = [box for box in boxes.values() if x < box.x + box.width and box.x < x2]
            assert not met if y != y2 else not any(abs(box.y - y) < box.height / 2 for box in met)


@given(recipes())
def test_the_picture_depends_on_the_graph_alone(recipe: Recipe) -> None:
    (cost, _), (other, _) = recipe.built(), recipe.built(backwards=True)
    assert to_svg(cost) == to_svg(other)
    assert to_dot(cost) == to_dot(other)


def test_names_shapes_values_and_gradients_are_there() -> None:
    svg = to_svg(to_graph(Network.random([2, 3, 1], "tanh")))
    texts = [text.text for text in ET.fromstring(svg).iter(f"{SVG}text")]
    for wanted in (
        "W1",
        "3\u00a0×\u00a02",
        "z1\u00a0=\u00a0Linear",
        "n\u00a0×\u00a03",
        "loss\u00a0=\u00a0MSE",
        "number",
    ):
        assert wanted in texts
    x = Input("x")
    cost = Tanh(x, name="y") * 3.0
    gradients = backward_graph(cost, {x: 0.0})
    svg = to_svg(cost, gradients.values, gradients)
    assert '<text class="gradient"' in svg and ">∂\u00a03<" in svg
    assert 'gradient"' not in to_svg(cost, gradients.values)
    assert ">n\u00a0×" not in svg and ">number<" not in svg


def test_a_large_tensor_shows_a_corner() -> None:
    x = Input("x")
    values = {x: [[float(10 * i + j) for j in range(6)] for i in range(5)]}
    texts = [text.text for text in ET.fromstring(to_svg(x, values)).iter(f"{SVG}text")]
    assert texts == [
        "x",
        "5 × 6".replace(" ", "\u00a0"),
        *(t.replace(" ", "\u00a0") for t in ("0  1  2  3 …", "10 11 12 13 …", "20 21 22 23 …", "…")),
    ]


@pytest.mark.parametrize("name", ['<b> & "quotes"', "\\l", "δ"])
def test_any_name_is_written_so_that_it_is_read_again(name: str) -> None:
    node = Tanh(Input(name), name=name)
    texts = [text.text for text in ET.fromstring(to_svg(node)).iter(f"{SVG}text")]
    assert name.replace(" ", "\u00a0") in texts
    labels = re.findall(r'label="((?:[^"\\]|\\.)*)"', to_dot(node))
    assert labels[0].removesuffix("\\l").replace('\\"', '"').replace("\\\\", "\\") == name


def test_numbers_of_every_system_are_shown() -> None:
    x = Input("x")
    for arithmetic, shown in ((FRACTION, "1/3"), (ball("binary64"), "Ball(")):
        third = x / 3.0
        gradients = backward_graph(third, {x: 0.5}, arithmetic)
        assert f">∂\u00a0{shown}" in to_svg(third, None, gradients)


def test_a_thousand_nodes_are_drawn() -> None:
    y: Node = Input("x")
    for _ in range(1000):
        y = Tanh(y)
    assert to_svg(y).count("<rect") == 1001
    assert to_dot(y).count("->") == 1000


def test_a_residual_network_of_twenty_four_nodes_fits_a_page() -> None:
    svg = to_svg(residual(blocks=3))
    width, height = map(float, ET.fromstring(svg).attrib["viewBox"].split()[2:])
    assert svg.count("<rect") == 24 and width < 2000 and height < 400


def test_a_node_twice_in_one_operation_has_one_edge() -> None:
    x = Input("x")
    assert to_svg(Add(x, x)).count("marker-end") == 1
    assert to_dot(Add(x, x)).count("->") == 2


def test_a_picture_stays_as_it_was_looked_at() -> None:
    """tests/graphs/residual.svg: open it, and the one drawn now, before you change it."""
    drawn = to_svg(residual(blocks=2))
    assert drawn == (Path(__file__).parent / "residual.svg").read_text(encoding="utf-8")


def test_explain_draws_the_picture_of_the_documents(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`purebp explain --graph --output docs/graph.svg` makes it anew."""
    shown = (ROOT / "docs" / "graph.svg").read_text(encoding="utf-8")
    assert cli.main(["explain", "--graph", "--output", str(tmp_path / "net.svg")]) == 0
    assert (tmp_path / "net.svg").read_text(encoding="utf-8") == shown
    capsys.readouterr()
    assert cli.main(["explain", "--graph"]) == 0
    assert capsys.readouterr().out == shown + "\n"
