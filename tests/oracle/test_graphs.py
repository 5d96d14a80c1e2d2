"""The oracle on graphs: conventions are recognised, mistakes have their name, and what is off is located."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from purebp import FLOAT
from purebp.graph import (
    Add,
    Cost,
    Exp,
    HalfSSE,
    Input,
    Linear,
    Node,
    Parameter,
    Sigmoid,
    Softmax,
    Sum,
    Tanh,
    backward_graph,
    forward_graph,
)
from purebp.graphs.engine import accumulated, topological_order, uses_of
from purebp.graphs.tensors import as_rows, entries, entrywise
from purebp.number_systems.ball import ball
from purebp.number_systems.formats import BFLOAT16, BINARY16, Format, rounds_to
from purebp.oracle import check, check_graph
from purebp.oracle.answer import Answer
from purebp.oracle.asking.declared import Declared
from purebp.oracle.conventions import ONE, Convention, Factor
from purebp.oracle.evidence import Evidence, gathered
from purebp.oracle.explaining.graph_mistakes import GraphMistake, mistakes
from purebp.oracle.graph_cases import LOSS_KEY, graph_cases, keys_of, quantities
from purebp.oracle.graphs import Graphs
from purebp.oracle.reasons import Reasons
from tests.oracle.samples import Feed, GraphCandidate, by_hand, dot, in_single, name_of, of_engine, residual

# Conventions.


def test_a_turned_sign_is_a_convention_unless_declared() -> None:
    negative = of_engine(residual(), factor=-1.0)
    report = check(negative, graph=residual())
    assert (report.verdict, report.conforms) == ("correct-under-convention", True)
    assert "to be added" in str(report)
    assert check(negative, graph=residual(), returns="descent").verdict == "correct"
    report = check(negative, graph=residual(), returns="gradients")
    assert (report.conforms, name_of(report)) == (False, "sign turned")
    report = check(of_engine(residual()), graph=residual(), returns="descent")
    assert (report.verdict, report.conforms, name_of(report)) == ("correct-under-convention", False, "sign turned")


@pytest.mark.parametrize(("factor", "name"), [(2.0, "factor 2"), (-0.5, "factor ½")])
def test_a_constant_factor_is_recognised(factor: float, name: str) -> None:
    report = check(of_engine(residual(), factor=factor), graph=residual())
    assert (report.verdict, report.conforms, name_of(report)) == ("correct-under-convention", False, name)


def test_a_factor_of_the_samples_is_recognised() -> None:
    def averaged(feed: Feed) -> dict[str, Any]:
        return {name: entrywise(lambda g: g / len(feed["x"]), g) for name, g in by_hand(feed).items()}

    assert name_of(check(averaged, graph=residual())) == "factor 1 / n"
    report = check(
        lambda feed: {name: entrywise(lambda g: g / 2, g) for name, g in averaged(feed).items()}, graph=residual()
    )
    assert name_of(report) == "factor ½ / n"


def test_a_factor_of_the_outputs_is_recognised() -> None:
    graph = HalfSSE(Input("y", (None, 3)), Linear(Input("x", (None, 2)), Parameter("W", (3, 2))))
    assert name_of(check(of_engine(graph, factor=1 / 3), graph=graph)) == "factor 1 / m"


@pytest.mark.parametrize("units", [3, 10, 30, 100])
def test_a_factor_that_is_1_in_every_case_explains_nothing(units: int) -> None:
    """With one output, 1/m of a gradient is that gradient, and must not be held to a wider budget than it."""
    graph = HalfSSE(Input("y", (None, 1)), Linear(Input("x", (None, 2)), Parameter("W", (1, 2))))
    report = check(of_engine(graph, factor=1 + units * 2.0**-52), graph=graph)
    assert report.verdict in ("correct", "imprecise") and not report.explanations
    case = next(graph_cases(graph))
    on, keys = ball("binary64"), [("∂loss/∂W", 0)]
    plain, divided = (quantities(case, on, Convention(None, f), keys) for f in (ONE, Factor(outputs=-1)))
    assert plain == divided


def test_a_step_is_judged_as_one() -> None:
    def step(feed: Feed) -> dict[str, Any]:
        return {name: entrywise(lambda w, g: w - 0.25 * g, feed[name], g) for name, g in by_hand(feed).items()}

    assert check(step, graph=residual(), returns="step", learning_rate=0.25).verdict == "correct"
    report = check(step, graph=residual(), returns="step", learning_rate=0.5)
    assert report.verdict == "wrong" and report.smallest.endswith("\n  learning rate 0.5")
    names = [f"{name} after the step" for name in ("A", "a", "W1", "b1", "V")]
    assert [tensor.name for tensor in report.tensors] == names


# Mistakes.


def test_overwritten_instead_of_accumulated() -> None:
    """The classical mistake for graphs: = instead of +=, so that only the last of the uses counts."""
    report = check(lambda feed: by_hand(feed, overwrite=True), graph=residual())
    assert (report.verdict, name_of(report)) == ("wrong", "overwritten instead of accumulated")
    assert "uses of h " in report.explanations[0].sentence and "+=" in report.explanations[0].sentence
    assert [tensor.name for tensor in report.tensors if tensor.wrong] == ["∂loss/∂A", "∂loss/∂a"]


def test_passed_on_before_it_is_complete() -> None:
    """Backwards by recursion, as one writes it first: every visit passes on all that has come back so far."""

    def recursive(feed: Feed) -> dict[str, Any]:
        values = forward_graph(residual(blocks=2), feed)
        found: dict[Node, Any] = {}

        def visit(node: Node) -> None:
            for parent, product in zip(node.parents, node.operation.products if node.operation else ()):
                part = product(FLOAT, found[node], values[node], *(values[p] for p in node.parents))
                found[parent] = entrywise(lambda x, y: x + y, found[parent], part) if parent in found else part
                visit(parent)

        *_, cost = values
        found[cost] = 1.0
        visit(cost)
        return {node.name: found[node] for node in values if node.trained}

    report = check(recursive, graph=residual(blocks=2))
    assert name_of(report) == "passed on before it is complete"
    assert "reverse topological order" in str(report)


GRAPHS = {
    "residual, two blocks": residual(blocks=2),
    "softmax": Cost(
        Input("y", (None, 3)),
        Softmax(Linear(Input("x", (None, 3)), Parameter("W", (3, 3)), Parameter("b", (3,)))),
        "sse",
    ),
    "three uses": Sum(
        Add(
            Add(Sigmoid(Parameter("p", (3,)), name="s"), node := Tanh(Parameter("q", (3,)), name="t")),
            Add(node, Sigmoid(node)),
        )
    ),
}


@pytest.mark.parametrize(
    ("graph", "mistake"),
    [(graph, mistake) for graph in GRAPHS.values() for mistake in mistakes(graph)],
    ids=lambda part: part.name if isinstance(part, GraphMistake) else "",
)
def test_every_mistake_is_caught_and_named(graph: Node, mistake: GraphMistake) -> None:
    report = check(of_engine(graph, mistake), graph=graph)
    assert report.verdict == "wrong"
    assert mistake.name in {found.name for found in report.explanations}


@pytest.mark.parametrize("size", [(None,), (None, 1)])
@pytest.mark.parametrize("mean", [False, True])
def test_outputs_that_meet_every_target_are_named(size: tuple[int | None, ...], mean: bool) -> None:
    """ŷ − y of shapes (n, 1) and (n,), as NumPy computes it."""
    graph = HalfSSE(Input("y", size), Linear(Input("x", (None, 2)), Parameter("W", (1, 2)), Parameter("b", (1,))))

    def candidate(feed: Feed) -> dict[str, Any]:
        outputs = [sum(w * v for w, v in zip(feed["W"][0], row)) + feed["b"][0] for row in feed["x"]]
        targets = entries(feed["y"])
        errors = [sum(p - t for t in targets) / (len(targets) if mean else 1) for p in outputs]
        return {"W": dot([errors], feed["x"]), "b": [sum(errors)]}

    assert name_of(check(candidate, graph=graph)) == "(n,) minus (n, 1)"


def test_what_has_no_name_is_located() -> None:
    def off(feed: Feed) -> dict[str, Any]:
        right = by_hand(feed)
        return right | {name: entrywise(lambda g: g * g + 0.5, right[name]) for name in ("A", "a")}

    report = check(off, graph=residual())
    assert report.verdict == "wrong" and not report.explanations
    assert "The gradients of A, a are off." in report.notes[0]
    assert "come through h" in report.notes[1]


def test_a_wrong_value_is_located_in_the_forward_pass() -> None:
    def off(feed: Feed) -> dict[str, Any]:
        return by_hand(feed) | {"outputs": forward_graph(residual(), feed)["h1"], "loss": 1.0}

    report = check(lambda feed: by_hand(feed) | {"loss": 2.0}, graph=residual())
    assert "The value of loss is off already" in str(report)
    assert check(off, graph=residual()).findings[0].kind == "wrong shape"


# Precision.


def test_single_precision_is_imprecise() -> None:
    report = check(in_single(by_hand), graph=residual())
    assert report.verdict == "imprecise" and "is one of binary32: it was rounded to it" in report.notes[0]
    assert check(in_single(by_hand), graph=residual(), format="binary32").verdict == "correct"


def test_what_is_a_little_off_is_imprecise_with_its_size() -> None:
    report = check(of_engine(residual(), factor=1 + 1e-11), graph=residual())
    assert report.verdict == "imprecise"
    ulps, times = max(t.ulps for t in report.tensors), max(t.share for t in report.tensors)
    assert 1e-11 < ulps * 2.0**-52 < 3e-11
    assert report.notes[0].startswith(f"It is off by up to {ulps:.0f} units in the last place") and times > 10
    assert f"{times:.2g} times what is allowed" in report.notes[0]


def test_a_step_uphill_on_short_numbers_is_no_rounding_to_a_format_whose_budgets_tell_nothing() -> None:
    W = Parameter("W", (2, 3))
    graph = HalfSSE(Input("y", (None, 2)), Linear(Input("x", (None, 3)), W))

    def uphill(feed: Feed) -> dict[str, Any]:
        return {"W": entrywise(lambda w, g: w + 0.5 * g, feed["W"], backward_graph(graph, feed)["W"])}

    report = check_graph(uphill, graph, returns="step", learning_rate=0.5)
    assert (report.verdict, report.conforms) == ("wrong", False)


def test_difference_quotients_are_imprecise() -> None:
    W = Parameter("W", (1, 2))
    graph = HalfSSE(Input("y", (None, 1)), Tanh(Linear(Input("x", (None, 2)), W)))

    def quotients(feed: Feed) -> dict[str, Any]:
        def at(k: int, h: float) -> float:
            moved = [[w + h * (i == k) for i, w in enumerate(feed["W"][0])]]
            loss: float = forward_graph(graph, {**feed, "W": moved})[graph]
            return loss

        return {"W": [[(at(k, 1e-5) - at(k, -1e-5)) / 2e-5 for k in range(2)]]}

    report = check(quotients, graph=graph)
    assert report.verdict == "imprecise" and "such as a difference quotient" in report.notes[0]


# Gradients in the place of values.


def of_all_nodes(graph: Node, mistake: GraphMistake | None = None) -> GraphCandidate:
    """Gradients of whatever has a name, as libraries give them."""

    def candidate(feed: Feed) -> dict[str, Any]:
        values = forward_graph(graph, feed)
        gradients = mistake.backward(values) if mistake else accumulated(values, uses_of(values))
        return {n.name: gradients[n] for n in values if n.name and (n.trained or n.operation)}

    return candidate


def test_gradients_of_inner_nodes_are_passed_over() -> None:
    report = check(of_all_nodes(residual()), graph=residual())
    assert report.verdict == "correct", str(report)
    assert "Of t1 the gradient is given, where its value is wanted: it is not judged." in report.notes
    assert {tensor.name for tensor in report.tensors} == {f"∂loss/∂{name}" for name in ("A", "a", "W1", "b1", "V")}
    turned = check(
        lambda feed: {k: entrywise(lambda g: -g, v) for k, v in of_all_nodes(residual())(feed).items()},
        graph=residual(),
    )
    assert (turned.verdict, turned.conforms) == ("correct-under-convention", True)


def test_mistakes_have_their_name_with_gradients_of_inner_nodes_too() -> None:
    graph = residual()
    overwritten = next(mistakes(graph))
    report = check(of_all_nodes(graph, overwritten), graph=graph)
    assert (report.verdict, name_of(report)) == ("wrong", overwritten.name)


def test_what_is_neither_value_nor_gradient_is_wrong() -> None:
    report = check(lambda feed: by_hand(feed) | {"h": entrywise(lambda x: 2 * x, feed["x"])}, graph=residual(2))
    assert report.verdict == "wrong"
    graph = residual()

    def with_values(feed: Feed, factor: float = 1.0) -> dict[str, Any]:
        values = forward_graph(graph, feed)
        given = {name: values[name] for name in ("outputs", "loss")}
        return by_hand(feed) | given | {"t1": entrywise(lambda x: factor * x, values["t1"])}

    report = check(lambda feed: with_values(feed, 2.0), graph=graph)
    assert report.verdict == "wrong" and "The value of t1 is off already" in str(report)
    report = check(with_values, graph=graph)
    assert report.verdict == "correct" and {"t1", "loss"} < {tensor.name for tensor in report.tensors}


# The steps of the question.


def under(question: Graphs, candidate: Any, convention: Convention | None = None) -> list[Evidence]:
    """What a candidate says to the cases of the graph, beside its budgets."""
    asked = list(graph_cases(question.graph))[:2]
    keys = {node.name: key for key, node in keys_of(question.graph).items()}
    answers = [Answer({keys[name]: as_rows(given) for name, given in candidate(case.feed).items()}) for case in asked]
    return list(gathered(asked, answers, convention or question.usual, "binary64", question.enclose))


def test_gradients_of_nodes_are_irrelevant_and_of_leaves_never() -> None:
    question = Graphs(residual(), Declared())
    evidence = under(question, of_all_nodes(residual()))
    left, notes = question.relevant(evidence, question.usual)
    values = {key for piece in evidence for key in piece.claim if not key[0].startswith("∂")} - {LOSS_KEY}
    assert [piece.claim.keys() for piece in left] == [piece.claim.keys() - values - {LOSS_KEY} for piece in evidence]
    assert {note.split()[1] for note in notes} >= {name for name, _ in values - {("h1", 0)}}
    assert all(piece.off for piece in evidence) and not any(piece.off for piece in left)


def test_what_is_neither_a_value_nor_a_gradient_is_relevant() -> None:
    question = Graphs(residual(), Declared())

    def with_value(feed: Feed, factor: float) -> dict[str, Any]:
        return by_hand(feed) | {"t1": entrywise(lambda x: factor * x, forward_graph(residual(), feed)["t1"])}

    for factor in (1.0, 2.0):
        evidence = under(question, lambda feed, factor=factor: with_value(feed, factor))
        assert question.relevant(evidence, question.usual) == (evidence, [])
        assert any(piece.off for piece in evidence) == (factor != 1)


def test_gradients_of_nodes_are_turned_as_those_of_leaves_are() -> None:
    question, turned = Graphs(residual(), Declared()), Convention(None, ONE, "descent")

    def negative(feed: Feed) -> dict[str, Any]:
        return {name: entrywise(lambda g: -g, given) for name, given in of_all_nodes(residual())(feed).items()}

    evidence = under(question, negative, turned)
    assert question.follows(under(question, negative)) == turned
    assert not any(piece.off for piece in question.relevant(evidence, turned)[0])
    assert question.relevant(evidence, question.usual)[1] == []


def test_every_parameter_must_be_given_or_where_there_are_none_every_input() -> None:
    question = Graphs(residual(), Declared())

    def missing(*names: str) -> Any:
        return lambda feed: {name: given for name, given in by_hand(feed).items() if name not in names}

    found = question.missing(under(question, missing("A", "b1")), question.usual)
    assert found is not None and (found.kind, found.fatal) == ("not given", False)
    assert found.sentence.startswith("the gradient of A, b1 was not given")
    assert question.missing(under(question, by_hand), question.usual) is None
    x, y = Input("x", (2,)), Input("y", (2,))
    inputs = Graphs(Sum(x * y), Declared())
    of_x = inputs.missing(under(inputs, lambda feed: {"x": feed["y"]}), inputs.usual)
    assert of_x is not None and of_x.sentence.startswith("the gradient of y was not given")


@pytest.mark.parametrize(
    ("convention", "name", "words"),
    [
        (Convention(None, ONE, "descent"), "sign turned", "It returns the gradient of the graph, with its sign turned"),
        (Convention(None, Factor(samples=-1)), "factor 1 / n", "It returns 1 / n times the gradient of the graph ("),
        (
            Convention(None, Factor(outputs=1), "descent"),
            "factor m",
            "It returns m times the gradient of the graph, with its sign turned",
        ),
    ],
)
def test_right_answers_depart_by_what_is_said(convention: Convention, name: str, words: str) -> None:
    (found,) = Graphs(residual(), Declared()).departure((), convention)
    assert found.name == name and found.sentence.startswith(words)


def test_one_gradient_that_is_off_is_and_several_are() -> None:
    right = of_engine(residual())

    def off(*names: str) -> GraphCandidate:
        return lambda feed: right(feed) | {name: entrywise(lambda g: g + 1.0, right(feed)[name]) for name in names}

    assert check(off("A"), graph=residual()).notes[0] == "The gradient of A is off."
    assert check(off("A", "a"), graph=residual()).notes[0] == "The gradients of A, a are off."
    everything = check(off(*(node.name for node in topological_order(residual()) if node.trained)), graph=residual())
    assert everything.verdict == "wrong" and not any("come through" in note for note in everything.notes)


@pytest.mark.parametrize("returns", [None, "gradients", "descent"])
@pytest.mark.parametrize("found", ["gradients", "descent"])
@pytest.mark.parametrize("factor", [ONE, Factor(Fraction(2))])
def test_a_turned_sign_is_remarked_where_it_was_left_open_and_is_all(
    returns: str | None, found: str, factor: Factor
) -> None:
    told = Graphs(residual(), Declared(returns=returns)).remarks([], Convention(None, factor, found))
    assert bool(told) == (returns is None and found == "descent" and factor == ONE)


def test_where_an_answer_is_missing_nothing_is_explained_but_state() -> None:
    graph, cases = residual(), list(graph_cases(residual()))[:2]
    question = Graphs(graph, Declared(returns="gradients"))
    coarse = in_single(of_engine(graph))
    answers = [Answer({(f"∂loss/∂{name}", 0): as_rows(x) for name, x in coarse(case.feed).items()}) for case in cases]
    whole = gathered(cases, answers, question.usual, "binary64", question.enclose)
    part = gathered(cases, [answers[0], Answer()], question.usual, "binary64", question.enclose)
    assert "binary32" in question.reasons(whole, question.usual, []).approximation
    assert question.reasons(part, question.usual, []) == Reasons()


def test_a_named_mistake_has_its_name_with_either_sign_where_no_direction_is_declared() -> None:
    graph = residual(blocks=2)
    mistake = next(each for each in mistakes(graph) if each.name == "overwritten instead of accumulated")
    for factor in (1.0, -1.0):
        report = check(of_engine(graph, mistake, factor), graph=graph)
        assert (report.verdict, name_of(report)) == ("wrong", mistake.name)
    assert name_of(check(of_engine(graph, mistake, -1.0), graph=graph, returns="gradients")) != mistake.name


def test_what_has_no_budget_in_single_precision_is_not_called_off_by_it() -> None:
    """e^(80 p) is beyond binary32."""
    graph = Sum(Exp(80 * Parameter("p", (3,))))
    assert check(of_engine(graph), graph=graph).verdict == "correct"
    assert check(of_engine(graph, factor=1 + 1e-9), graph=graph).verdict == "wrong"


@pytest.mark.parametrize("format", [BFLOAT16, BINARY16], ids=str)
@pytest.mark.parametrize(("factor", "name"), [(-1.0, "to be added"), (2.0, "factor 2")])
def test_conventions_are_recognised_in_narrow_formats(factor: float, name: str, format: Format) -> None:
    graph = HalfSSE(Input("y", (None, 2)), Linear(Input("x", (None, 3)), Parameter("W", (2, 3))))
    exact = of_engine(graph, factor=factor)

    def stored(feed: Feed) -> dict[str, Any]:
        return {key: entrywise(lambda x: rounds_to(x, format), value) for key, value in exact(feed).items()}

    report = check(stored, graph=graph, format=format)
    assert report.verdict == "correct-under-convention" and name in str(report)
