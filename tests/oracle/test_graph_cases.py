"""Cases for graphs: numbers that have budgets and show mistakes, and budgets that hold shared buffers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import exp
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import FLOAT
from purebp.graph import (
    Add,
    BinaryCrossEntropy,
    Constant,
    CrossEntropy,
    Exp,
    HalfSSE,
    Identity,
    Input,
    LeakyReLU,
    Linear,
    Log,
    MatMul,
    Multiply,
    Negative,
    Node,
    Operation,
    Parameter,
    ReLU,
    Sigmoid,
    Softmax,
    SoftmaxCrossEntropy,
    Subtract,
    Sum,
    Transpose,
    backward_graph,
    forward_graph,
)
from purebp.graphs.tensors import entries
from purebp.number_systems.ball import ball
from purebp.number_systems.formats import BFLOAT16, is_exact
from purebp.oracle import check
from purebp.oracle.conventions import Convention, Factor
from purebp.oracle.evidence import share
from purebp.oracle.explaining.graph_mistakes import mistakes
from purebp.oracle.graph_cases import (
    LOSS_KEY,
    _dull,
    _made,
    bounded,
    continued,
    graph_budgets,
    graph_cases,
    independent,
    key_of,
    keys_of,
    named,
    quantities,
)
from tests.oracle.samples import Feed, in_single, name_of, of_engine, residual, single


def test_the_budget_holds_sums_that_are_continued_in_another_buffer() -> None:
    """1 comes back by the skip, and a hundred products of little more than half an ulp are added to it one by one.

    Each is rounded up to an ulp of 1. As sums of their own, which are added when they are whole, they come to half.
    """
    n, little = 100, 2.0**-53 * (1 + 2.0**-10)
    p = Parameter("p", (1, 1))
    graph = Add(Sum(p), Sum(Linear(p, Constant([[little]] * n))), name="loss")

    def continued(feed: Feed) -> dict[str, Any]:
        buffer = 1.0
        for _ in range(n):
            buffer += little
        return {"p": [[buffer]]}

    strict = backward_graph(graph, {p: [[1.0]]}, ball("binary64"))[p][0][0]
    assert share(continued({})["p"][0][0], strict) > 10
    assert check(continued, graph=graph).verdict == "correct"
    assert check(lambda feed: {"p": [[1.0 + n * little]]}, graph=graph).verdict == "correct"
    assert not check(lambda feed: {"p": [[1.0 + 3 * n * little]]}, graph=graph).conforms


def test_a_buffer_may_be_that_of_several_nodes() -> None:
    """Through views: 8.5 is there first, and 0.6 ulps of it are added twenty times, each rounded up to one."""
    W, c = Parameter("W", (1, 2)), 0.6 * 2.0**-49
    node, graph = W, Sum(Multiply(W, Constant([[8.5, 8.5]])))
    for _ in range(20):
        node = Transpose(node)
        graph = graph + Sum(node * c)

    def through_views(feed: Feed) -> dict[str, Any]:
        buffer = 8.5
        for _ in range(20):
            buffer += c
        return {"W": [[buffer, buffer]]}

    strict = backward_graph(graph, {W: [[1.0, 1.0]]}, ball("binary64"))[W][0][0]
    assert share(through_views({})["W"][0][0], strict) > 1
    assert check(through_views, graph=graph).verdict == "correct"
    assert not check(lambda feed: {"W": [[8.5 + 100 * c] * 2]}, graph=graph).conforms


@given(
    st.lists(st.tuples(st.sampled_from([Transpose, Negative, Identity, ReLU]), st.floats(0.5, 0.75)), min_size=8),
    st.randoms(use_true_random=False),
)
def test_terms_may_meet_in_one_buffer_in_any_order(
    links: list[tuple[Callable[[Node], Node], float]], random: Random
) -> None:
    """Little more than half an ulp of 8.5 each, as above, from nodes that pass on their gradient in different ways."""
    p = node = Parameter("p", (1, 1))
    graph, feed, terms, sign = Sum(p * 8.5), {"p": [[1.0]]}, list[float](), 1.0
    for operation, ulps in links:
        sign = -sign if operation is Negative else sign
        if operation is not ReLU or sign > 0:
            node, little = operation(node), ulps * 2.0**-49
            graph, terms = graph + Sum(node * (sign * little)), [*terms, little]
    random.shuffle(terms)
    buffer = 8.5
    for term in terms:
        buffer += term
    assert (
        share(buffer, backward_graph(graph, feed, ball("binary64", extra_terms=continued(graph, feed)))["p"][0][0]) <= 1
    )


def test_a_target_that_roundoff_may_leave_has_its_budget() -> None:
    """x y − y x is 0, and with a fused multiply-add the roundoff of x y, which the gradient of −t log p then has."""
    w, x, y = Parameter("w", (1,)), Input("x", (1,)), Input("y", (1,))
    cost = CrossEntropy(Subtract(Multiply(x, y), Multiply(y, x)), Multiply(w, 2.0**-40))
    feed: Feed = {"w": [1.0], "x": [1.1], "y": [1.3]}
    fused = float(Fraction(1.1) * Fraction(1.3) - Fraction(1.1 * 1.3))
    (budget,) = backward_graph(cost, feed, ball("binary64", extra_terms=continued(cost, feed)))["w"]
    assert fused != 0.0 and share(-fused, budget) < 1


# What is asked.


x3, y2 = Input("x", (3,)), Input("y", (2,))


W43, b4, V24 = Parameter("W", (4, 3)), Parameter("b", (4,)), Parameter("V", (2, 4))


KINKED = {
    "a number": ReLU(Parameter("p", ())),
    "one sample, half_sse": HalfSSE(y2, Linear(ReLU(Linear(x3, W43, b4)), V24)),
    "one sample, softmax": SoftmaxCrossEntropy(y2, Linear(ReLU(Linear(x3, W43, b4)), V24)),
    "one neuron": HalfSSE(
        Input("y", (None, 1)),
        ReLU(Linear(Input("x", (None, 3)), Parameter("W", (1, 3)), Parameter("b", (1,)))),
    ),
    "leaky": HalfSSE(y2, Linear(LeakyReLU(Linear(x3, W43, b4), 0.25), V24)),
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("graph", KINKED.values(), ids=KINKED)
def test_a_missing_mask_is_seen_also_of_a_single_sample(graph: Node, seed: int) -> None:
    (missing, *_) = (mistake for mistake in mistakes(graph) if mistake.name == "activation derivative missing")
    assert check(of_engine(graph), graph=graph, seed=seed).verdict == "correct"
    assert name_of(check(of_engine(graph, missing), graph=graph, seed=seed)) == "activation derivative missing"


p3, y3, z3 = Parameter("p", (3,)), Input("y", (None, 3)), Parameter("z", (2, 3))


STEEP = [
    Log(Sum(Exp(p3 * 60.0))),
    Sum(Exp(z3 * 300.0)),
    BinaryCrossEntropy(Input("y", (2, 3)), Sigmoid(z3 * 30.0)),
    CrossEntropy(Input("y", (2, 3)), Softmax(z3 * 30.0)),
]


@pytest.mark.parametrize("format", ["binary64", "binary32"])
@pytest.mark.parametrize("graph", STEEP, ids=repr)
def test_numbers_are_such_that_nothing_overflows_in_the_format(graph: Node, format: str) -> None:
    right = of_engine(graph)
    report = check(in_single(right) if format == "binary32" else right, graph=graph, format=format)
    assert report.verdict == "correct", str(report)
    for case in graph_cases(graph, format=format):
        found = backward_graph(graph, case.feed, ball(format))
        balls = [x for node in found if node.parents for x in entries(found[node]) + entries(found.values[node])]
        assert all(x.spread is not None for x in balls)


def test_what_overflows_in_single_precision_alone_is_not_asked() -> None:
    """The right formula in single precision, where e^89 is ∞ and ∞/∞ NaN."""

    def candidate(feed: Feed) -> dict[str, Any]:
        powers = [single(exp(single(60 * x))) for x in feed["p"]]
        total = single(sum(powers))
        return {"p": [single(60 * single(power / total)) for power in powers]}

    assert candidate({"p": [1.5, 0.0, 0.0]})["p"][0] != candidate({"p": [1.5, 0.0, 0.0]})["p"][0]
    assert check(candidate, graph=STEEP[0], format="binary32").verdict == "correct"


def test_without_such_numbers_nothing_is_decided() -> None:
    graph = Sum(p3 * Exp(Constant(100.0)))
    report = check(in_single(of_engine(graph)), graph=graph, format="binary32")
    assert (report.verdict, report.conforms, report.cases) == ("undecided", False, ())
    assert "has a budget in binary32" in str(report)
    assert check(of_engine(graph), graph=graph).verdict == "correct"


def test_what_is_above_zero_only_is_asked_with_such_numbers() -> None:
    graph = Sum(Log(Parameter("p", (4, 6))))
    assert check(of_engine(graph), graph=graph).verdict == "correct"


@pytest.mark.parametrize("first", [True, False])
def test_targets_of_two_losses_are_those_of_the_stricter(first: bool) -> None:
    x, y = Input("x", (None, 3)), Input("y", (None, 4))
    squares = HalfSSE(y, Linear(x, Parameter("V", (4, 3))))
    entropy = SoftmaxCrossEntropy(y, Linear(x, Parameter("W", (4, 3))))
    for case in graph_cases(squares + entropy if first else entropy + squares):
        assert all(sorted(row) == [0.0, 0.0, 0.0, 1.0] for row in case.feed["y"])


ASKED = {
    "residual": residual(),
    "softmax": SoftmaxCrossEntropy(y3, Linear(Input("x", (None, 2)), Parameter("W", (3, 2)))),
    "one sample": KINKED["one sample, half_sse"],
    "steep": STEEP[1],
}


@pytest.mark.parametrize("graph", ASKED.values(), ids=ASKED)
def test_numbers_are_exact_in_single_precision_and_the_same_for_the_same_seed(graph: Node) -> None:
    asked = list(graph_cases(graph, seed=1))
    assert asked == list(graph_cases(graph, seed=1)) != list(graph_cases(graph, seed=2))
    for case in asked:
        assert all(single(x) == x and (2**20 * x).is_integer() for fed in case.feed.values() for x in entries(fed))
        assert case.feed.keys() == {leaf.name for leaf in named(graph) if leaf.operation is None}


def test_numbers_are_short_and_a_layer_neither_dims_nor_floods() -> None:
    """Whole multiples of 1/8 or 1/64 up to 3/2; of parameters, times a power of 2 near 1/√n_in."""
    inner = Linear(Input("x", (32,)), Parameter("W", (16, 32)))
    graph = HalfSSE(y2, Linear(inner, Parameter("V", (2, 16))) * Parameter("s", ()))
    drawn: dict[str, list[float]] = {}
    for case in graph_cases(graph):
        for name, tensor in case.feed.items():
            drawn[name] = drawn.get(name, []) + [abs(x) for x in entries(tensor)]
    for name, unit, scale in (("x", 64, 1.0), ("y", 8, 1.0), ("W", 64, 0.25), ("V", 64, 0.25), ("s", 8, 1.0)):
        units = [x / scale * unit for x in drawn[name]]
        assert all(x.is_integer() and x >= 1 for x in units), name
        assert max(units) <= 3 * unit // 2 <= 1.5 * max(units), name


def test_every_other_case_has_dead_neurons_and_the_others_none() -> None:
    """Of a single ReLU: it is 0 for a sample at least, or for none."""
    graph = KINKED["one neuron"]
    for case in graph_cases(graph):
        outputs = entries(forward_graph(graph, case.feed)[graph.parents[-1]])
        assert (0.0 in outputs) == (case.samples % 2 == 0), case.name


@pytest.mark.parametrize("format", ["binary64", "binary32", "bfloat16"])
def test_every_case_has_budgets_with_a_bound(format: str) -> None:
    for case in graph_cases(residual(), format=format):
        assert bounded(case, format)
        budgets = graph_budgets(case, Convention(None), format, {key: [] for key in keys_of(case.graph)})
        assert budgets.keys() == keys_of(case.graph).keys()
        assert all(b.spread is not None for rows in budgets.values() for row in rows for b in row)
    steep = next(graph_cases(STEEP[0], format="binary64"))
    assert not bounded(replace(steep, feed={"p": [100.0] * 3}), "binary64")


def test_free_dimensions_are_one_sample_and_then_several() -> None:
    asked = list(graph_cases(residual()))
    assert [case.name for case in asked] == ["one sample", "2 samples", "3 samples", "4 samples", "5 samples"]
    assert [len(case.feed["x"]) for case in asked] == [case.samples for case in asked] == [1, 2, 3, 4, 5]
    assert {(case.outputs, case.sizes) for case in asked} == {(2, ())}


def test_what_may_be_returned_is_what_has_a_name() -> None:
    graph = residual()
    assert {key for key, _ in keys_of(graph)} == {
        *(f"∂loss/∂{name}" for name in ("x", "A", "a", "W1", "b1", "V", "y")),
        *("z", "h", "z1", "t1", "h1", "outputs", "loss"),
    }
    assert keys_of(graph)[LOSS_KEY] is graph
    assert all(key_of(node) == key for key, node in keys_of(graph).items() if key != LOSS_KEY)


def test_quantities_are_values_or_gradients_of_nodes_turned_where_they_are_gradients() -> None:
    graph = residual()
    case, keys = next(graph_cases(graph)), [("∂loss/∂W1", 0), ("t1", 0)]
    found = backward_graph(graph, case.feed)
    turned = Convention(None, Factor(Fraction(2)), "descent")
    assert quantities(case, FLOAT, Convention(None), keys) == {keys[0]: found["W1"], keys[1]: found.values["t1"]}
    assert quantities(case, FLOAT, turned, keys) == {
        keys[0]: [[-2 * g for g in row] for row in found["W1"]],
        keys[1]: found.values["t1"],
    }
    as_gradients = quantities(case, FLOAT, Convention(None), keys, gradients_only=True)
    assert as_gradients == {keys[0]: found["W1"], keys[1]: found["t1"]}


def test_the_seed_is_0_where_none_is_given_and_outputs_are_columns_of_the_last_parent() -> None:
    graph = MatMul(Input("x", (1, 3)), Parameter("p", (3, 1)))
    assert [case.feed for case in graph_cases(graph)] == [case.feed for case in graph_cases(graph, 0)]
    assert {case.outputs for case in graph_cases(graph)} == {1}


def test_zeros_are_counted_among_the_gradients_of_leaves() -> None:
    graph = Sum(Multiply(Parameter("p", (2,)), Parameter("q", (2,))))
    assert _dull(graph, {"p": [1.0, 2.0], "q": [0.0, 3.0]}) == (0, 1)


def test_independent_cases_are_of_one_sample_with_numbers_of_eight_bits() -> None:
    graph = HalfSSE(Input("y", (None, 2)), Linear(Input("x", (None, 3)), Parameter("W", (2, 3))))
    found = list(independent(graph, 20, "bfloat16"))
    assert len(found) == 20 and {case.samples for case in found} == {1}
    assert found[0].feed != found[1].feed and found == list(independent(graph, 20, "bfloat16"))
    numbers = {abs(x) for case in found for value in case.feed.values() for x in entries(value)}
    assert len(numbers) > 60 and all(is_exact(x, BFLOAT16) for x in numbers)
    assert found[0].feed != next(independent(graph, 1, "bfloat16", seed=1)).feed


def test_of_independent_cases_those_without_a_budget_are_left_out() -> None:
    graph = Sum(Exp(Multiply(Parameter("p", (1,)), Constant([20.0]))))
    found = list(independent(graph, 40, "binary16"))
    assert 0 < len(found) < 40 and all(bounded(case, "binary16") for case in found)


def test_a_case_that_cannot_be_computed_has_no_bound() -> None:
    graph = BinaryCrossEntropy(Input("y", (1,)), Parameter("p", (1,)))
    case = _made(graph, {"y": [1.0], "p": [0.5]}, 1)
    assert bounded(case, "binary64") and not bounded(replace(case, feed={"y": [1.0], "p": [-0.5]}), "binary64")


def test_a_product_that_takes_no_other_numbers_is_no_sum() -> None:
    """Of an operation of one's own: how many terms its gradient has is counted with numbers that it never gets else."""

    def product(on: Any, g: Any, y: Any, x: Any) -> Any:
        if max(g) > 1:
            raise ValueError("an error above 1")
        return g

    picky = Operation("Picky", shape=lambda x: x, value=lambda on, x: x, products=(product,))
    graph = Sum(picky(Parameter("p", (2,))))
    assert continued(graph, {"p": [1.0, 2.0]}) == 0
