"""Graphs before the oracle: certified gradients, cases for a declared graph, and the verdict on a candidate for it.

A candidate is called with one dictionary from the names of inputs, targets and parameters to lists, and returns one
from the names of the parameters to their gradients; "loss", and the values of nodes that have a name, are judged too.

>>> from purebp.graph import HalfSSE, Input, Linear, Parameter
>>> from purebp.oracle import check
>>> x, y, W = Input("x", (None, 2)), Input("y", (None, 1)), Parameter("W", (1, 2))
>>> def gradients(feed):
...     errors = [sum(w * a for w, a in zip(feed["W"][0], row)) - t for row, (t,) in zip(feed["x"], feed["y"])]
...     return {"W": [[sum(e * row[k] for e, row in zip(errors, feed["x"])) for k in range(2)]]}
>>> check(gradients, graph=HalfSSE(y, Linear(x, W))).verdict
'correct'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, prod
from random import Random
from typing import Any

from purebp.arithmetic import FLOAT, Arithmetic, Matrix, PurebpError, Vector
from purebp.graph import (
    Feed,
    GraphGradients,
    Node,
    Values,
    accumulated,
    backward_graph,
    forward_graph,
    labels,
    topological_order,
    uses_of,
)
from purebp.number_systems.ball import Ball, ball
from purebp.oracle.candidate import Answer, Candidate, Declared, called, named_tensors
from purebp.oracle.certify import certify
from purebp.oracle.check import over_cases, stateful, undecided_tensors
from purebp.oracle.conventions import ONE, Factor, factors, stepped
from purebp.oracle.diagnosis import Diagnosis
from purebp.oracle.graph_mistakes import GraphMistake, mistakes
from purebp.oracle.judge import UPDATED, Claim, Key, compare, inside, tensor_name
from purebp.oracle.localisation import pattern
from purebp.oracle.mistakes import LOSS
from purebp.oracle.report import CaseReport, Report
from purebp.tensors import Tensor, arranged, as_rows, dimensions, entries, entrywise

SAMPLES = (1, 2, 3, 4, 5)  # for dimensions that are free, case by case
DRAWS = 40
FIRST_LINE = "∂loss/∂ŷ, from ŷ and y"


def certified_graph(node: Node, feed: Feed, digits: int = 38) -> Values:
    """The gradients that `backward_graph` approximates, each entry `Certified`, by node or by name.

    >>> from purebp.graph import HalfSSE, Input
    >>> x = Input("x")
    >>> entry = certified_graph(HalfSSE(0.1, x), {x: 0.3})[x]
    >>> entry.value, entry.rounded  # what 0.3 and 0.1 are in binary, subtracted
    (0.19999999999999998, True)
    """
    found = backward_graph(node, feed)
    shapes = {each: dimensions(found.values[each]) for each in found if _has_gradient(found, each)}

    def balls(digits: int) -> list[Ball]:
        gradients = backward_graph(node, feed, ball(None, digits))
        return [x for each in shapes for x in entries(gradients[each])]

    numbers = iter(certify(balls, digits))
    table = {each: arranged([next(numbers) for _ in range(prod(size))], size) for each, size in shapes.items()}
    return Values(table, found.values.arithmetic)


def _has_gradient(gradients: GraphGradients, node: Node) -> bool:
    """That by the targets of a loss of one's own is not known."""
    try:
        return gradients[node] is not None
    except PurebpError:
        return False


# Cases.


@dataclass(frozen=True, slots=True)
class GraphCase:
    """Values for all that is fed to a graph."""

    name: str
    feed: dict[str, Tensor]
    samples: int
    outputs: int  # columns of what is compared with the targets


def graph_cases(graph: Node, seed: int = 0) -> Iterator[GraphCase]:
    """Cases for a graph whose inputs and parameters have names and shapes: from one sample to several, where free.

    Numbers are short dyadic fractions. Of several draws the one with the fewest zeros among the gradients is taken.

    >>> from purebp.graph import Input, Linear, Parameter, SSE
    >>> graph = SSE([[0.5]], Linear(Input("x", (None, 2)), Parameter("W", (1, 2))))
    >>> [case.name for case in graph_cases(graph)]  # 2 samples do not go with one target
    ['one sample']
    """
    leaves = [node for node in topological_order(graph) if node.operation is None]
    if any(not leaf.name or leaf.shape is None for leaf in leaves) or len({leaf.name for leaf in leaves}) < len(leaves):
        raise PurebpError(f"inputs {leaves!r:.200}: each needs a name of its own, and a shape (None where it is free)")
    found = False
    for samples in SAMPLES:
        best: tuple[int, dict[str, Tensor]] | None = None
        for draw in range(DRAWS):
            feed = _drawn(graph, leaves, samples, Random(f"{seed} {samples} {draw}"))
            zeros = _zeros(graph, feed)
            if zeros is not None and (best is None or zeros < best[0]):
                best = zeros, feed
            if zeros == 0:
                break
        if best is not None:
            found = True
            compared = graph.parents and dimensions(forward_graph(graph, best[1])[graph.parents[-1]])
            outputs = compared[-1] if compared and len(compared) == 2 else 1
            yield GraphCase("one sample" if samples == 1 else f"{samples} samples", best[1], samples, outputs)
    if not found:
        raise PurebpError("no numbers were found on which the graph can be computed: are the declared shapes right?")


def _drawn(graph: Node, leaves: Sequence[Node], samples: int, random: Random) -> dict[str, Tensor]:
    targets_of = {parent: node.kind for node in topological_order(graph) for parent in node.parents[:1]}
    feed: dict[str, Tensor] = {}
    for leaf in leaves:
        size = tuple(samples if n is None else n for n in leaf.shape or ())
        width, kind = (size or (1,))[-1], targets_of.get(leaf, "")
        if "BinaryCrossEntropy" in kind:
            numbers = [float(random.randint(0, 1)) for _ in range(prod(size))]
        elif "CrossEntropy" in kind:
            classes = [random.randrange(width) for _ in range(prod(size) // width)]
            numbers = [float(j == hot) for hot in classes for j in range(width)]
        else:
            unit = 8 if prod(size) < 16 else 64
            scale = 2.0 ** -((width.bit_length() - 1) // 2) / unit if leaf.trained else 1 / unit  # about 1/√n_in
            numbers = [random.choice((-1, 1)) * random.randint(1, 3 * unit // 2) * scale for _ in range(prod(size))]
        feed[leaf.name] = arranged(numbers, size)
    return feed


def _zeros(graph: Node, feed: Mapping[str, Tensor]) -> int | None:
    """How many of the gradients are 0: dead neurons show nothing. None if the graph cannot be computed."""
    try:
        gradients = backward_graph(graph, feed)
        numbers = [x for node in gradients if node.operation is None for x in entries(gradients[node])]
    except PurebpError:
        return None
    return sum(x == 0 for x in numbers) if all(map(isfinite, numbers)) else None


# Budgets.


@dataclass(frozen=True, slots=True)
class Reading:
    """What may be returned in the place of gradients: a factor of them, in a direction, from some backward pass."""

    returns: str = "gradients"
    factor: Factor = ONE
    learning_rate: float | None = None
    mistake: GraphMistake | None = None

    def of(self, g: Any, w: Any, case: GraphCase, on: Arithmetic[Any]) -> Any:
        """What is returned for a gradient g of the parameter w."""
        if self.factor != ONE:
            g = on.ratio(*self.factor(case.samples, case.outputs).as_integer_ratio()) * g
        if self.returns == "gradients":
            return g
        if self.returns == "descent":
            return -g
        assert self.learning_rate is not None
        return stepped(w, on.number(self.learning_rate) * g, case.samples)


def keys_of(graph: Node) -> dict[str, Key]:
    """What may be returned, by name: gradients of inputs and parameters, values of nodes with a name, the loss."""
    order = topological_order(graph)
    found: dict[str, Key] = {n.name: (n.name if n.operation else f"∂loss/∂{n.name}", 0) for n in order if n.name}
    return found | {"loss": ("loss", -1)}


def quantities(
    graph: Node, case: GraphCase, on: Arithmetic[Any], reading: Reading, keys: Sequence[Key]
) -> dict[Key, Matrix[Any]]:
    """The quantities with these keys, as matrices."""
    values = forward_graph(graph, case.feed, on)
    gradients = reading.mistake.backward(values) if reading.mistake else accumulated(values, uses_of(values))
    found: dict[Key, Matrix[Any]] = {}
    for node in values:
        key: Key = (node.name if node.operation else f"∂loss/∂{node.name}", 0)
        if node.operation is not None and key in keys:
            found[key] = as_rows(values[node])
        elif key in keys:
            found[key] = as_rows(entrywise(lambda g, w: reading.of(g, w, case, on), gradients[node], values[node]))
    if ("loss", -1) in keys:
        found["loss", -1] = as_rows(values[graph])
    return found


def roomy(graph: Node, case: GraphCase, format: str) -> Arithmetic[Ball]:
    """Balls in which every sum has room for being continued in the buffer of another one.

    Where a node is used k times, an implementation may add the terms of all its sums to one buffer, in any order. A
    product that is summed there passes through as many additions as there are terms in all, not only in its own sum. So
    each sum counts as many more terms as the others can have: (k − 1) (longest + 1) zeros, which change no value.
    """
    on, longest = ball(format), 0

    def measured(a: Matrix, b: Matrix, biases: Vector | None) -> list[list[float]]:
        nonlocal longest
        longest = max(longest, len(a[0]))
        return FLOAT.inner(a, b, biases)

    backward_graph(graph, case.feed, replace(FLOAT, inner=measured))
    most = max(map(len, uses_of(topological_order(graph)).values()))
    room = [on.ratio(0, 1)] * ((most - 1) * (longest + 1))

    def inner(a: Matrix[Ball], b: Matrix[Ball], biases: Vector[Ball] | None) -> list[list[Ball]]:
        return on.inner([[*row, *room] for row in a], [[*row, *room] for row in b], biases)

    return replace(on, inner=inner)


@dataclass(frozen=True, slots=True)
class Asked:
    """A case, what was said to it, and the numbers of its budgets."""

    case: GraphCase
    claim: Claim
    on: Arithmetic[Ball]

    def lies_in(self, graph: Node, reading: Reading) -> bool:
        return inside(self.claim, quantities(graph, self.case, self.on, reading, list(self.claim)))

    def is_near(self, graph: Node, reading: Reading) -> bool:
        """To a digit, in floats, which is faster."""
        near = quantities(graph, self.case, FLOAT, reading, list(self.claim))
        return all(_near(rows, near[key]) for key, rows in self.claim.items())


def _holds(graph: Node, asked: Sequence[Asked], reading: Reading) -> bool:
    """Whether everything that was said lies in the budgets of that reading."""
    return all(one.is_near(graph, reading) for one in asked) and all(one.lies_in(graph, reading) for one in asked)


def _near(rows: Matrix, others: Matrix) -> bool:
    a, b = [x for row in rows for x in row], [x for row in others for x in row]
    room = 0.05 * max(map(abs, b)) + 1e-6
    return all(abs(x - y) <= room for x, y in zip(a, b))


# The verdict.


def check_graph(candidate: Candidate, graph: Node, declared: Declared, name: str, seed: int) -> Report:
    """`purebp.oracle.check` for an architecture declared by a graph; of `declared`, format and direction count."""
    cases, keys = list(graph_cases(graph, seed)), keys_of(graph)

    def again(case: GraphCase) -> Answer:
        values = forward_graph(graph, case.feed)
        known = {node.name: node for node in values if node.name} | {"loss": graph}
        wanted = {each: (key, _size(values[known[each]])) for each, key in keys.items()}
        feed = {each: entrywise(lambda x: x, value) for each, value in case.feed.items()}
        return called(candidate, {"feed": feed}, case.name, lambda answer: named_tensors(answer, wanted))

    answers = [again(case) for case in cases]
    numbers = [roomy(graph, case, declared.format) for case in cases]
    asked = [Asked(case, answer.claim, on) for case, answer, on in zip(cases, answers, numbers) if answer.claim]
    findings = {f.kind: f for answer in reversed(answers) for f in reversed(answer.findings)}
    findings |= {f.kind: f for f in stateful(cases, answers, again)}
    plain = Reading(declared.returns or "gradients", learning_rate=declared.learning_rate)
    reading = _reading(graph, asked, plain, declared) if asked else plain
    reports = []
    for case, answer, on in zip(cases, answers, numbers):
        allowed = quantities(graph, case, on, reading, list(answer.claim))
        tensors = compare(answer.claim, allowed, reading.returns)
        fatal = next((finding for finding in answer.findings if finding.fatal), None)
        reports.append(CaseReport(case.name, (), case.samples, tuple(tensors), fatal))
    verdict, conforms, told, notes = _verdict(graph, asked, reports, reading, declared)
    if kept := next((findings[kind] for kind in ("flaky", "keeps state") if kind in findings), None):
        verdict, conforms = "flaky" if kept.kind == "flaky" else "wrong", False
    worst = max(
        (t.worst for report in reports for t in report.tensors if t.wrong and t.worst),
        key=lambda e: e.share,
        default=None,
    )
    failing = next((case for case, report in zip(cases, reports) if not report.passed), None)
    shown = [] if failing is None else [f"  {each} = {value}" for each, value in failing.feed.items()]
    if shown and reading.returns in UPDATED:
        shown.append(f"  learning rate {reading.learning_rate:g}")
    return Report(
        name, verdict, conforms, None, tuple(told), tuple(findings.values()), tuple(notes), over_cases(reports), worst,
        tuple(reports), declared.format, "\n".join(shown),
    )  # fmt: skip


def _size(value: Tensor) -> tuple[int, int]:
    rows = as_rows(value)
    return len(rows), len(rows[0])


def _reading(graph: Node, asked: Sequence[Asked], plain: Reading, declared: Declared) -> Reading:
    """What the answers are: as declared, or else gradients with a factor, or with their sign turned."""
    if declared.returns == "step" or all(one.lies_in(graph, plain) for one in asked):
        return plain
    ratios = []
    for one in asked:
        claim = {key: rows for key, rows in one.claim.items() if key[0].startswith("∂")}
        expected = quantities(graph, one.case, FLOAT, Reading(), list(claim))
        pairs = [(x, y) for key in claim for rows in zip(claim[key], expected[key]) for x, y in zip(*rows)]
        x, y = max(pairs, key=lambda pair: abs(pair[1]), default=(0.0, 0.0))
        if x and y:
            ratios.append((x / y, one.case.samples, one.case.outputs))
    known = factors(ratios, 1e-6) if ratios else ()
    for factor in sorted(known, key=lambda factor: factor.outputs != 0):  # the number of outputs is a constant here
        found = Reading("gradients", factor) if factor.constant > 0 else Reading("descent", -factor)
        if _holds(graph, asked, found):
            return found
    return plain


Verdict = tuple[str, bool, list[Diagnosis], list[str]]


def _verdict(
    graph: Node, asked: Sequence[Asked], reports: Sequence[CaseReport], reading: Reading, declared: Declared
) -> Verdict:
    """The verdict, whether it conforms, explanations and notes."""
    if asked and all(report.passed for report in reports):
        return _of_right_answers(graph, asked, reports, reading, declared)
    if len(asked) == len(reports) and (told := _told(graph, asked, reading, declared)):
        return "wrong", False, told, []
    coarser = [replace(one, on=roomy(graph, one.case, "binary32")) for one in asked]
    if asked and declared.format == "binary64" and all(one.lies_in(graph, reading) for one in coarser):
        return (
            "imprecise",
            False,
            [],
            ["Every number lies inside the budget of binary32: it is off as single precision is."],
        )
    return "wrong", False, [], _localised(graph, asked, reports, reading)


def _of_right_answers(
    graph: Node, asked: Sequence[Asked], reports: Sequence[CaseReport], reading: Reading, declared: Declared
) -> Verdict:
    """All that was said lies in the budgets of the reading; whether that is what was wanted, and all of it."""
    if open_ones := undecided_tensors(reports):
        return "undecided", False, [], [f"The budgets of {', '.join(open_ones)} are wider than half the values."]
    if missing := [name for name in _parameters(graph) if any((f"∂loss/∂{name}", 0) not in one.claim for one in asked)]:
        return "undecided", False, [], [f"The gradient of {', '.join(missing)} was not given: it is not judged."]
    turned, direction = reading.returns == "descent", {"descent": ", with its sign turned"}.get(reading.returns, "")
    if reading.factor != ONE or declared.returns not in (None, reading.returns):
        name = "sign turned" if reading.factor == ONE else f"factor {reading.factor}"
        times = "" if reading.factor == ONE else f"{reading.factor} times "
        sentence = f"It returns {times}the gradient of the graph{direction} (n samples, m outputs)."
        return "correct-under-convention", False, [Diagnosis(name, LOSS, sentence, FIRST_LINE, (name,))], []
    if turned and declared.returns is None:
        return "correct-under-convention", True, [], ["It returns the gradient with its sign turned, to be added."]
    return "correct", True, [], []


def _parameters(graph: Node) -> list[str]:
    """What must be given: the parameters, or where there are none all that is fed."""
    leaves = [node for node in topological_order(graph) if node.operation is None]
    return [leaf.name for leaf in leaves if leaf.trained] or [leaf.name for leaf in leaves]


def _told(graph: Node, asked: Sequence[Asked], reading: Reading, declared: Declared) -> list[Diagnosis]:
    """The mistakes that explain all answers, of either sign where that is open; the first that does, and its likes."""
    found: dict[str, Diagnosis] = {}
    directions = ["gradients", "descent"] if declared.returns is None else [reading.returns]
    for made in mistakes(graph):
        for returns in directions:
            tried = replace(reading, returns=returns, mistake=made)
            if made.sentence not in found and _holds(graph, asked, tried):
                found[made.sentence] = Diagnosis(made.name, made.family, made.sentence, made.line, (made.name,))
    return list(found.values())


def _localised(graph: Node, asked: Sequence[Asked], reports: Sequence[CaseReport], reading: Reading) -> list[str]:
    """Which gradients are off, the node that all of them and none of the right ones come through, and patterns."""
    order, keys = topological_order(graph), keys_of(graph)
    names, off = labels(order), {tensor.kind for report in reports for tensor in report.tensors if tensor.wrong}
    values = [node.name for node in order if node.operation and node.name in off] + ["loss"] * ("loss" in off)
    if values:
        return [f"The value of {values[0]} is off already: look at the forward pass."]
    given = {node for node in order if not node.operation and any(keys[node.name] in one.claim for one in asked)}
    wrong = [node for node in order if node in given and keys[node.name][0] in off]
    if not wrong:
        return []
    notes = [f"Off {'is' if len(wrong) == 1 else 'are'} the gradient of {', '.join(node.name for node in wrong)}."]
    below: dict[Node, set[Node]] = {}
    for node in order:
        below[node] = set().union({node} & given, *(below[parent] for parent in node.parents))
    common = [names[node] for node in order if node.operation and below[node] == set(wrong)]
    if common and len(wrong) < len(given):
        notes.append(
            f"All of them come through {common[-1]}, and none of the right ones: look at what comes back there."
        )
    for key in [keys[node.name] for node in wrong]:
        pairs = [(a.claim[key], quantities(graph, a.case, a.on, reading, [key])[key]) for a in asked if key in a.claim]
        patterns = {pattern(rows, balls) for rows, balls in pairs if not inside({key: rows}, {key: balls})}
        if len(patterns) == 1 and "" not in patterns:
            notes.append(f"{tensor_name(key, reading.returns)} {patterns.pop()}.")
    return notes
