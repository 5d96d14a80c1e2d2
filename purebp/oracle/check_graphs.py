"""`check_graph`: ask a candidate for an architecture that is declared by a graph, judge it, and explain it.

>>> from purebp.graph import HalfSSE, Input, Linear, Parameter
>>> x, y, W = Input("x", (None, 2)), Input("y", (None, 1)), Parameter("W", (1, 2))
>>> def gradients(feed):
...     errors = [sum(w * a for w, a in zip(feed["W"][0], row)) - t for row, (t,) in zip(feed["x"], feed["y"])]
...     return {"W": [[sum(e * row[k] for e, row in zip(errors, feed["x"])) for k in range(2)]]}
>>> check_graph(gradients, HalfSSE(y, Linear(x, W))).verdict
'correct'
"""

from __future__ import annotations

from typing import Any

from purebp.graphs.engine import GraphGradients, forward_graph
from purebp.graphs.nodes import Node
from purebp.graphs.tensors import copied, dimensions
from purebp.number_systems.formats import Format
from purebp.oracle.answer import Answer
from purebp.oracle.asking.candidate import Candidate, called, name_of, named_tensors
from purebp.oracle.asking.declared import Declared
from purebp.oracle.asking.state import stateful
from purebp.oracle.graph_cases import LOSS_KEY, GraphCase, graph_cases, independent, keys_of
from purebp.oracle.graphs import Graphs
from purebp.oracle.mean_test import CASES, unbiased
from purebp.oracle.pipeline import judged
from purebp.oracle.reports.report import Report


def check_graph(
    candidate: Candidate,
    graph: Node,
    *,
    returns: str | None = None,
    learning_rate: float | None = None,
    format: str | Format = "binary64",
    stored: str | None = None,
    strict: bool = False,
    seed: int = 0,
    name: str | None = None,
) -> Report:
    """Ask the candidate on cases for the graph, and report what is proven about its answers.

    graph: the cost; its inputs and parameters have names and shapes. The candidate is called with one dictionary from
    names to lists, and returns one from the names of the parameters to their gradients (docs/graph.md). returns:
    "gradients", "descent" (their negative) or "step" (updated parameters, with learning_rate); None leaves it open.
    """
    declared = Declared(returns=returns, learning_rate=learning_rate, format=format, stored=stored, strict=strict)
    called_so = name_of(candidate, name, "one dictionary, from names to lists,")
    question, cases = Graphs(graph, declared), list(graph_cases(graph, seed, declared.format))
    if not cases:
        note = f"There are no numbers on which every value and gradient has a budget in {declared.format.name}."
        return Report(called_so, "undecided", False, None, (), (), (note,), (), None, (), str(declared.format))

    def ask(case: GraphCase) -> Answer:
        values = forward_graph(graph, case.feed)
        wanted = {
            "loss" if key == LOSS_KEY else node.name: (key, dimensions(values[node]))
            for key, node in keys_of(graph).items()
        }
        feed = {each: copied(value) for each, value in case.feed.items()}
        return called(candidate, {"feed": feed}, case.name, lambda said: named_tensors(_by_name(said), wanted))

    answers = [ask(case) for case in cases]
    state = list(stateful(cases, answers, ask))
    report, failed = judged(question, cases, answers, called_so, state=state), None
    if stored == "every-step":
        report, failed = unbiased(question, report, independent(graph, CASES, declared.format), ask)
    return judged(question, [*cases, failed[0]], [*answers, failed[1]], called_so, state=state) if failed else report


def _by_name(answer: Any) -> Any:
    """What `backward_graph` returns as a dictionary; other answers as they are."""
    if not isinstance(answer, GraphGradients):
        return answer
    leaves = [node for node in answer if node.operation is None and node.name]
    return {leaf.name: answer[leaf] for leaf in leaves if leaf.trained or not any(each.trained for each in leaves)}
