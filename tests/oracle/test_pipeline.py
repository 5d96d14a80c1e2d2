"""One pipeline: each budget is computed once, and layers and graphs are judged alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import cos
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from purebp import Batch, Network, backpropagation
from purebp.graph import to_feed, to_graph
from purebp.graphs.tensors import entrywise
from purebp.number_systems.formats import Format, format_named
from purebp.oracle import check, graph_cases
from purebp.oracle import graphs as of_graphs
from purebp.oracle.answer import Answer, Claim, Key, as_claim
from purebp.oracle.asking.candidate import NoAnswer, ask
from purebp.oracle.asking.declared import Declared
from purebp.oracle.cases import Case
from purebp.oracle.check import checked
from purebp.oracle.conventions import Convention
from purebp.oracle.evidence import Budgets
from purebp.oracle.graph_cases import GraphCase
from purebp.oracle.graph_cases import continued as room
from purebp.oracle.graphs import Graphs
from purebp.oracle.layers import Layers
from purebp.oracle.pipeline import judged
from purebp.textbook.arithmetic import FLOAT, Matrix
from tests.oracle.samples import (
    SIGMOIDS,
    Candidate,
    Feed,
    by_hand,
    in_single,
    lists,
    of_engine,
    rebuilt,
    residual,
    right,
    single,
)
from tests.strategies import Exercise, cases

# Each budget is computed once.


@dataclass(frozen=True, slots=True)
class Counted(Layers):
    """Layers that write down for what budgets are computed."""

    asked: list[tuple[Case, Convention, str]] = field(default_factory=list)

    def enclose(self, case: Any, convention: Convention, format: Format | str, claim: Claim) -> Budgets:
        self.asked.append((case, convention, format_named(format).name))
        return Layers.enclose(self, case, convention, format, claim)


def off(*given: Any, loss: str = "mse", samples: int = 0) -> Any:
    """A mistake that has no name, in batches of so many samples (0: in all)."""
    weights, biases = right(loss)(*given)
    if samples in (0, len(given[2])):
        weights[0][0][0] = weights[0][0][0] ** 2 + 0.5
    return weights, biases


def silent(*given: Any) -> Any:
    if len(given[2]) == 1:
        raise NoAnswer("NaN", "it holds NaN")
    return right("sse")(*given)


def rounded(change: Callable[[float], float], loss: str = "half_sse") -> Candidate:
    return lambda w, b, x, y: lists(backpropagation(rebuilt(w, b), Batch(x, y), loss), change)


@pytest.mark.parametrize(
    ("candidate", "verdict", "conventions"),
    [
        (right(), "correct", 1),
        (right("half_sse"), "correct-under-convention", 2),
        (off, "wrong", 1),
        (lambda *given: off(*given, samples=2), "wrong", 1),
        (lambda *given: off(*given, loss="sse", samples=1), "wrong", 2),
        (lambda *given: {"weights": right("sse")(*given)[0], "loss": 3.0}, "wrong", 2),
        (silent, "wrong", 2),
        (right("mse", lambda n, m: 0.9), "wrong", 1),
        (rounded(single), "imprecise", 2),
        (rounded(lambda g: float(f"{g:.7f}")), "imprecise", 3),  # most follow either of two in their first digits
        (rounded(lambda g: g * (1 + 8e-6 * cos(1e4 * g)), "mse"), "wrong", 1),
    ],
    ids=[
        "right",
        "right for another loss",
        "unknown mistake",
        "of some cases",
        "of some cases of another loss",
        "a wrong loss",
        "no answer to some",
        "stray factor",
        "single precision",
        "seven decimals",
        "noise in the sixth digit",
    ],
)
def test_each_budget_is_computed_once(candidate: Candidate, verdict: str, conventions: int) -> None:
    question = Counted(Declared(SIGMOIDS), complete=True)
    ladder = question.declared.ladder()
    assert checked(candidate, question, ladder, "mine").verdict == verdict
    assert len(question.asked) == len(set(question.asked))
    whole = {convention for _, convention, format in question.asked if format == "binary64"}
    assert len(whole) == conventions


def unknown(feed: Feed) -> dict[str, Any]:
    found = by_hand(feed)
    return found | {name: entrywise(lambda g: g * g + 0.5, found[name]) for name in ("A", "a")}


@pytest.mark.parametrize(
    ("candidate", "verdict"),
    [
        (by_hand, "correct"),
        (unknown, "wrong"),
        (lambda feed: by_hand(feed, overwrite=True), "wrong"),
        (in_single(by_hand), "imprecise"),
        (of_engine(residual(), factor=1 + 1e-11), "imprecise"),
    ],
    ids=["right", "unknown mistake", "known mistake", "single precision", "a little off"],
)
def test_each_budget_of_a_graph_is_computed_once(candidate: Any, verdict: str, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[Any] = []

    def quantities(case: GraphCase, arithmetic: Any, convention: Convention, keys: Any, **how: Any) -> Any:
        if arithmetic is not FLOAT:
            computed.append((case.name, arithmetic.name, convention, how.get("backward"), how.get("gradients_only")))
        return compute(case, arithmetic, convention, keys, **how)

    compute = graph_cases.quantities
    for module in (graph_cases, of_graphs):
        monkeypatch.setattr(module, "quantities", quantities)
    assert check(candidate, graph=residual()).verdict == verdict
    assert len(computed) == len({(*key[:3], id(key[3]), bool(key[4])) for key in computed})
    assert len({key[0] for key in computed}) == 5


# Where the report has its numbers from.


def test_the_worst_entry_stands_where_the_candidate_has_it() -> None:
    def candidate(w: Any, b: Any, x: Any, y: Any) -> Any:
        gradients, offsets = right()([list(map(list, zip(*rows))) for rows in w], b, x, y)
        turned = [list(map(list, zip(*rows))) for rows in gradients]
        turned[0][1][2] += 1.0
        return turned, offsets

    worst = check(candidate, activations=SIGMOIDS, loss="mse", returns="gradients", sizes=(2, 3, 1), weights="in_out")
    assert worst.worst is not None
    assert (worst.worst.tensor, worst.worst.row, worst.worst.column) == ("∂loss/∂W¹", 1, 2)


def test_nothing_is_explained_where_that_is_not_asked() -> None:
    declared = Declared(SIGMOIDS, "mse", returns="gradients")
    ladder = declared.ladder()[:3]
    answers = [ask(right("mse", lambda n, m: -1), case, declared) for case in ladder]
    report = judged(Layers(declared, complete=True), ladder, answers, "mine", explained=False)
    assert (report.verdict, report.explanations, report.notes) == ("wrong", (), ())
    assert judged(Layers(declared, complete=True), ladder, answers, "mine").explanations[0].name == "sign turned"


def test_what_is_known_to_be_followed_is_not_sought() -> None:
    question = Counted(Declared(SIGMOIDS))
    ladder, known = question.declared.ladder()[:3], Convention(question.usual.loss, returns="descent")
    answers = [ask(right("mse", lambda n, m: -1), case, question.declared) for case in ladder]
    report = judged(question, ladder, answers, "mine", known=known)
    assert (report.verdict, report.convention) == ("correct-under-convention", known)
    assert {convention for _, convention, _ in question.asked} == {known}


# Two questions, one verdict.

ANSWERS: dict[str, Callable[[float], float]] = {
    "right": lambda g: g,
    "scaled": lambda g: 2 * g,
    "sign turned": lambda g: -g,
    "single precision": single,
    "wrong": lambda g: g * g + 0.5,
}


@given(
    cases(losses_from=["mse", "half_sse", "binary_cross_entropy", "cross_entropy"]), st.sampled_from(sorted(ANSWERS))
)
@settings(max_examples=8)  # each may search the catalogue twice
def test_a_network_and_its_graph_get_the_same_verdict(case: Exercise, answer: str) -> None:
    network, batch, loss = case
    change = ANSWERS[answer]
    right_one = as_claim(backpropagation(*case))
    assume(all(any(map(any, rows)) for rows in right_one.values()))  # of 0 nobody sees whether it was scaled
    claim: dict[Key, Matrix] = {key: [[change(g) for g in row] for row in rows] for key, rows in right_one.items()}
    by_name: dict[Key, Matrix] = {
        (f"∂loss/∂{kind[0].replace('w', 'W')}{l + 1}", 0): rows for (kind, l), rows in claim.items()
    }
    graph, feed = to_graph(network, loss), to_feed(network, batch)
    samples, outputs = len(batch.targets), len(batch.targets[0])
    asked, fed = Case("a case", network, batch), GraphCase("a case", graph, feed, samples, outputs, room(graph, feed))
    layers = Layers(Declared(tuple(layer.activation for layer in network.layers), loss, biases=True))
    one = judged(layers, [asked], [Answer(claim)], "mine")
    other = judged(Graphs(graph, Declared()), [fed], [Answer(by_name)], "mine")
    assert (one.verdict, one.conforms) == (other.verdict, other.conforms)
    if one.verdict != "correct-under-convention":  # a factor is a convention of a graph, and of layers a departure
        assert [tensor.wrong > 0 for tensor in one.tensors] == [tensor.wrong > 0 for tensor in other.tensors]


def test_the_same_verdict_is_found_by_asking() -> None:
    names, network = ("tanh", "identity"), Network.random([2, 3, 2], ("tanh", "identity"))
    graph = to_graph(network, "half_sse")
    verdicts = []
    for change in ANSWERS.values():
        on_layers = check(
            lambda w, b, x, y, change=change: lists(
                backpropagation(rebuilt(w, b, names), Batch(x, y), "half_sse"), change
            ),
            activations=names,
            loss="half_sse",
        )
        on_graph = check(
            lambda feed, change=change: {name: entrywise(change, g) for name, g in of_engine(graph)(feed).items()},
            graph=graph,
        )
        assert (on_layers.verdict, on_layers.conforms) == (on_graph.verdict, on_graph.conforms)
        verdicts.append(on_layers.verdict)
    assert verdicts == ["correct", *["correct-under-convention"] * 2, "imprecise", "wrong"]
