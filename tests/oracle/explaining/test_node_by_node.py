"""On a graph, each node is held by itself: several mistakes fall apart, and what has no name is said of its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp.graph import Node, forward_graph
from purebp.graphs.engine import Use, accumulated, uses_of
from purebp.graphs.tensors import entries, entrywise
from purebp.oracle import Report, check_graph
from purebp.oracle.explaining.graph_mistakes import mistakes
from purebp.oracle.explaining.node_by_node import Seen, solution
from purebp.oracle.graph_cases import graph_cases
from tests.oracle.explaining.test_graph_mistakes import GRAPHS
from tests.oracle.samples import Feed, GraphCandidate, flat, residual

DEEP = {"two skip connections": GRAPHS["two skip connections"], "residual": residual(blocks=2)}


def with_uses(graph: Node, changed: Mapping[Node, Sequence[Use]], times: Mapping[str, float] = {}) -> GraphCandidate:
    """The backward pass with other uses; some of its gradients are multiplied."""

    def candidate(feed: Feed) -> dict[str, Any]:
        values = forward_graph(graph, feed)
        found = accumulated(values, {**uses_of(values), **changed})
        return {n.name: entrywise(lambda g: times.get(n.name, 1) * g, found[n]) for n in values if n.trained}

    return candidate


def told(report: Report) -> list[str]:
    return sorted(report.explanations[0].changes) if report.explanations else []


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", DEEP)
def test_several_mistakes_fall_apart(name: str, count: int) -> None:
    graph, random = DEEP[name], Random(f"{name} {count}")
    options = [mistake for mistake in mistakes(graph) if mistake.changed]
    for _ in range(3):
        made = random.sample(options, count)
        while sum(len(m.changed) for m in made) > len({node for m in made for node in m.changed}):
            made = random.sample(options, count)  # they would be one
        changed = {node: uses for mistake in made for node, uses in mistake.changed.items()}
        report = check_graph(with_uses(graph, changed), graph)
        assert report.verdict == "wrong" and set(told(report)) == {mistake.name for mistake in made}


def test_a_factor_at_one_place_is_told_beside_a_mistake() -> None:
    graph = residual()
    f_missing = next(m for m in mistakes(graph) if m.sentence.startswith("f′ is missing at t1:"))
    report = check_graph(with_uses(graph, f_missing.changed, {"W1": 3.0, "a": -0.5}), graph)
    assert report.verdict == "wrong"
    assert told(report) == ["activation derivative missing", "factor -1/2 in a", "factor 3 in W1"]
    assert "∂loss/∂W1 is 3 times what it should be." in flat(report)


def test_factors_alone_are_told_of_their_places() -> None:
    report = check_graph(with_uses(residual(), {}, {"W1": 3.0, "A": -0.25}), residual())
    assert report.verdict == "wrong" and not report.explanations
    assert "∂loss/∂W1 is 3 times what it should be. ∂loss/∂A is -1/4 times what it should be." in flat(report)


def test_what_has_no_name_is_said_of_its_place_alone() -> None:
    graph = residual(blocks=2)

    def odd(feed: Feed) -> dict[str, Any]:
        found = with_uses(graph, {})(feed)
        return {**found, "W1": [[x * (1.2 + 0.1 * i) + 0.01 for i, x in enumerate(row)] for row in found["W1"]]}

    report = check_graph(odd, graph)
    assert report.verdict == "wrong" and not report.explanations
    assert "∂loss/∂W1 does not follow from what comes back to z1." in flat(report)
    assert "What is right, made of your own numbers: ∂loss/∂V, ∂loss/∂b2, ∂loss/∂W2, ∂loss/∂b1" in flat(report)


def test_numbers_that_are_not_finite_are_no_equations() -> None:
    graph = residual()

    def infinite(feed: Feed) -> dict[str, Any]:
        found = with_uses(graph, {})(feed)
        return {**found, "W1": [[float("inf") for _ in row] for row in found["W1"]]}

    report = check_graph(infinite, graph)
    assert report.verdict == "wrong" and not report.explanations and "own numbers" not in flat(report)


def test_what_is_wrong_for_several_samples_alone_is_not_called_right() -> None:
    graph = residual()

    def odd(feed: Feed) -> dict[str, Any]:
        found = with_uses(graph, {})(feed)
        return {**found, "b1": [g * (1 + 0.01 * (len(feed["x"]) - 1)) + len(feed["x"]) - 1 for g in found["b1"]]}

    text = flat(check_graph(odd, graph))
    assert "∂loss/∂b1 does not follow from what comes back to z1." in text
    assert "∂loss/∂b1" not in text.partition("made of your own numbers: ")[2].partition(".")[0]


def test_right_above_and_below_a_node_that_is_wrong() -> None:
    """What comes back to z1 is squared: that has no name, and all that is made of it is right."""
    graph = residual(blocks=2)
    values = forward_graph(graph, next(graph_cases(graph)).feed)
    z1 = values.find("z1")
    changed = {
        z1: [
            (child, lambda a, g, *rest, p=product: entrywise(lambda x: x * x + x / 4, p(a, g, *rest)))
            for child, product in uses_of(values)[z1]
        ]
    }
    report = check_graph(with_uses(graph, changed), graph)
    assert report.verdict == "wrong" and not report.explanations
    assert "What comes back to z1 is wrong: it should be the sum of what comes from t1." in flat(report)
    assert flat(report).count("is wrong: it should be") == 1 and "does not follow" not in flat(report)


@pytest.mark.parametrize("name", DEEP)
def test_of_a_right_answer_everything_follows(name: str) -> None:
    for case in graph_cases(DEEP[name]):
        values = forward_graph(DEEP[name], case.feed)
        found = accumulated(values, uses_of(values))
        seen = Seen.of(values, {node: found[node] for node in values if node.trained})
        assert (seen.own or case.samples > 1) and not seen.off({})
        for node, tensor in seen.own.items():
            assert entries(tensor) == pytest.approx(entries(found[node]), rel=1e-6, abs=1e-9)


whole = st.integers(-4, 4).map(float)


@given(st.data())
def test_a_solution_is_the_only_one(data: st.DataObject) -> None:
    """Ax of some x is solved by x, unless the columns depend on one another: then by none."""
    unknown = data.draw(st.integers(1, 4))
    rows = data.draw(st.lists(st.lists(whole, min_size=unknown, max_size=unknown), min_size=unknown, max_size=6))
    x = data.draw(st.lists(whole, min_size=unknown, max_size=unknown))
    right = [sum(a * b for a, b in zip(row, x)) for row in rows]
    found = solution(rows, right)
    if found is None:
        assert rank(rows) < unknown
    else:
        assert found == pytest.approx(x, abs=1e-6)


def rank(rows: Sequence[Sequence[float]]) -> int:
    numpy = pytest.importorskip("numpy")
    return int(numpy.linalg.matrix_rank(numpy.array(rows)))
