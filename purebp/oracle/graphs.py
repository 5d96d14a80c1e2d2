"""Graphs before the oracle: certified gradients, cases for a declared graph, and the verdict on a candidate for it.

A candidate is called with one dictionary from the names of inputs, targets and parameters to lists, and returns one
from the names of the parameters to their gradients. "loss", and the values of nodes that have a name, are judged too;
where a gradient is given in their place, it is passed over.

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

from purebp.graphs.engine import (
    Feed,
    GraphGradients,
    Node,
    Values,
    accumulated,
    backward_graph,
    forward_graph,
    labels,
    shapes,
    topological_order,
    uses_of,
)
from purebp.graphs.tensors import Tensor, arranged, as_rows, dimensions, entries, entrywise
from purebp.number_systems.ball import Ball, ball
from purebp.number_systems.formats import format_named
from purebp.oracle.asking.candidate import Answer, Candidate, Finding, called, named_tensors
from purebp.oracle.asking.declared import Declared
from purebp.oracle.certify import certify
from purebp.oracle.check import over_cases, stateful, undecided_tensors
from purebp.oracle.conventions import ONE, Factor, factors, stepped
from purebp.oracle.evidence import UPDATED, Claim, Key, compare, inside, tensor_name
from purebp.oracle.explaining.catalogue import LOSS
from purebp.oracle.explaining.diagnosis import Diagnosis
from purebp.oracle.explaining.graph_mistakes import GraphMistake, mistakes
from purebp.oracle.explaining.localisation import COARSER, pattern, stored
from purebp.oracle.reports.report import CaseReport, Report
from purebp.textbook.arithmetic import FLOAT, Arithmetic, Matrix, PurebpError, Vector

SAMPLES = (1, 2, 3, 4, 5)  # for dimensions that are free, case by case
DRAWS = 40
HALVINGS = 12
LOSS_KEY: Key = ("loss", -1)
FIRST_LINE = "∂loss/∂ŷ, from ŷ and y"


def certified_graph(node: Node, feed: Feed, digits: int = 38) -> Values:
    """The gradients that `backward_graph` approximates, each entry `Certified`, by node or by name.

    >>> from purebp.graph import HalfSSE, Input
    >>> x = Input("x")
    >>> entry = certified_graph(HalfSSE(0.1, x), {x: 0.3})[x]
    >>> entry.value, entry.rounded  # what 0.3 and 0.1 are in binary, subtracted
    (0.19999999999999998, True)
    """
    found = backward_graph(node, feed, ball(None, digits))
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


def graph_cases(graph: Node, seed: int = 0, format: str = "binary64") -> Iterator[GraphCase]:
    """Cases for a graph whose inputs and parameters have names and shapes: from one sample to several, where free.

    Numbers are short dyadic fractions. Of several draws the one with the fewest zeros among the gradients is taken, in
    every other case after the most nodes that meet their kinks from below; if something in it has no budget, as it
    overflows in the format, smaller numbers are. There may be no case at all.

    >>> from purebp.graph import Input, Linear, Parameter, SSE
    >>> graph = SSE([[0.5]], Linear(Input("x", (None, 2)), Parameter("W", (1, 2))))
    >>> [case.name for case in graph_cases(graph)]  # 2 samples do not go with one target
    ['one sample']
    """
    order, refused = named(graph), []
    leaves = [node for node in order if node.operation is None]
    for samples in SAMPLES:
        sizes = {leaf: tuple(samples if n is None else n for n in leaf.shape or ()) for leaf in leaves}
        try:
            size = shapes(order, sizes)[graph] or ()
            if prod(n or 1 for n in size) != 1:
                raise PurebpError(f"{graph!r:.100} is {size}: the cost must be one number; Sum or Mean makes it one")
            for feed in _feeds(graph, sizes, f"{seed} {samples}", dead=samples % 2 == 0):
                if _bounded(graph, feed, format):
                    compared = graph.parents and dimensions(forward_graph(graph, feed)[graph.parents[-1]])
                    outputs = compared[-1] if compared and len(compared) == 2 else 1
                    yield GraphCase("one sample" if samples == 1 else f"{samples} samples", feed, samples, outputs)
                    break
        except PurebpError as error:
            refused.append(error)
    if len(refused) == len(SAMPLES):
        raise refused[0]


def named(graph: Node) -> tuple[Node, ...]:
    """All nodes in topological order, if names are such that numbers can be told apart by them."""
    order = topological_order(graph)
    leaves = [node for node in order if node.operation is None]
    if any(not leaf.name or leaf.shape is None for leaf in leaves):
        raise PurebpError(f"inputs {leaves!r:.200}: each needs a name of its own, and a shape (None where it is free)")
    names = [node.name for node in order if node.name]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PurebpError(f"{', '.join(map(repr, twice))}: several nodes have this name; each needs a name of its own")
    if "loss" in names and graph.name != "loss":
        raise PurebpError('"loss" is the name of the value of the cost: give another one to the node that has it')
    return order


def _feeds(graph: Node, sizes: Mapping[Node, tuple[int, ...]], seed: str, dead: bool) -> Iterator[dict[str, Tensor]]:
    """The best of many draws, then of numbers half as large, and so on; the later half of all draws is positive.

    The best has the fewest zeros among its gradients; where some of it can be dead, so it is, as far as that goes.
    """
    refused: PurebpError | None = None
    some = False
    for halvings in range(HALVINGS):
        best: tuple[tuple[int, ...], dict[str, Tensor]] | None = None
        for draw in range(DRAWS):
            signs = (-1, 1) if draw < DRAWS // 2 else (1,)
            feed = _drawn(graph, sizes, Random(f"{seed} {draw}"), signs, 2.0**-halvings)
            try:
                above, zeros = _dull(graph, feed)
            except PurebpError as error:
                refused = error
                continue
            dull = (above, zeros) if dead else (zeros,)
            if best is None or dull < best[0]:
                best = dull, feed
            if not any(dull):
                break
        if best is not None:
            some = True
            yield best[1]
    if not some:
        raise PurebpError(f"no numbers were found on which the graph can be computed; of the last, {refused}")


def _drawn(
    graph: Node, sizes: Mapping[Node, tuple[int, ...]], random: Random, signs: Sequence[int], factor: float
) -> dict[str, Tensor]:
    targets_of = {(parent, _entropy(node)) for node in topological_order(graph) for parent in node.parents[:1]}
    feed: dict[str, Tensor] = {}
    for leaf, size in sizes.items():
        width = (size or (1,))[-1]
        if (leaf, "CrossEntropy") in targets_of:
            classes = [random.randrange(width) for _ in range(prod(size) // width)]
            numbers = [float(j == hot) for hot in classes for j in range(width)]
        elif (leaf, "BinaryCrossEntropy") in targets_of:
            numbers = [float(random.randint(0, 1)) for _ in range(prod(size))]
        else:
            unit = 8 if prod(size) < 16 else 64
            scale = 2.0 ** -((width.bit_length() - 1) // 2) / unit if leaf.trained else 1 / unit  # about 1/√n_in
            largest = 3 * unit // 2
            numbers = [random.choice(signs) * random.randint(1, largest) * scale * factor for _ in range(prod(size))]
        feed[leaf.name] = arranged(numbers, size)
    return feed


def _entropy(node: Node) -> str:
    """Whether a node wants targets that are 0 or 1, one of each sample or any of them."""
    return next((name for name in ("BinaryCrossEntropy", "CrossEntropy") if name in node.kind), "")


def _dull(graph: Node, feed: Feed) -> tuple[int, int]:
    """How many nodes meet no z below their kinks, and how many gradients are 0: both show nothing."""
    gradients = backward_graph(graph, feed)
    numbers = [x for node in gradients if node.operation is None for x in entries(gradients[node])]
    if not all(map(isfinite, numbers)):
        raise PurebpError("gradients are not finite")
    kinked = [(node, kink) for node in gradients if node.operation for kink in node.operation.kinks]
    above = (all(z > kink for z in entries(gradients.values[node.parents[0]])) for node, kink in kinked)
    return sum(above), sum(x == 0 for x in numbers)


def _bounded(graph: Node, feed: Feed, format: str) -> bool:
    """Whether all values and gradients have a budget with a bound: what has none may overflow, and become NaN."""
    try:
        found = backward_graph(graph, feed, roomy(graph, feed, format))
        gradients = [found[node] for node in found if node.parents or node.operation is None]
    except PurebpError:
        return False
    return all(x.spread is not None for tensor in (*found.values.table.values(), *gradients) for x in entries(tensor))


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
        if (factor := self.factor(case.samples, case.outputs)) != 1:
            g = on.ratio(*factor.as_integer_ratio()) * g
        if self.returns == "gradients":
            return g
        if self.returns == "descent":
            return -g
        assert self.learning_rate is not None
        return stepped(w, on.number(self.learning_rate) * g, case.samples)


def keys_of(graph: Node) -> dict[Key, Node]:
    """What may be returned: gradients of inputs and parameters, values of nodes with a name, the loss."""
    nodes: dict[Key, Node] = {_key(node): node for node in topological_order(graph) if node.name}
    return nodes | {LOSS_KEY: graph}


def _key(node: Node) -> Key:
    return node.name if node.operation else f"∂loss/∂{node.name}", 0


def quantities(
    graph: Node,
    case: GraphCase,
    on: Arithmetic[Any],
    reading: Reading,
    keys: Sequence[Key],
    gradients_only: bool = False,
) -> dict[Key, Matrix[Any]]:
    """The quantities with these keys, as matrices; `gradients_only`, those of nodes whose values are wanted as well."""
    values = forward_graph(graph, case.feed, on)
    gradients = reading.mistake.backward(values) if reading.mistake else accumulated(values, uses_of(values))
    found: dict[Key, Matrix[Any]] = {}
    for key, node in keys_of(graph).items():
        if key in keys and node.operation and not gradients_only:
            found[key] = as_rows(values[node])
        elif key in keys:
            found[key] = as_rows(entrywise(lambda g, w: reading.of(g, w, case, on), gradients[node], values[node]))
    return found


def roomy(graph: Node, feed: Feed, format: str) -> Arithmetic[Ball]:
    """Balls in which every sum has room for being continued in the buffer of another one."""
    return ball(format, extra_terms=continued(graph, feed))


def continued(graph: Node, feed: Feed) -> int:
    """By how many terms the buffer of a sum may be continued: those of all sums that may be in one buffer, but one.

    Several nodes may have one buffer where a gradient is passed on unchanged, as by Add, Transpose or ReLU. Whether a
    product does is seen by what it makes of numbers from 1 to 2: none of them is another one times a power of 2.

    >>> from purebp.graph import Parameter, Sum, Transpose
    >>> p = Parameter("p")
    >>> q = Transpose(p)
    >>> continued(Sum(p * p), {"p": [[1.5]]}), continued(Sum(p * 3.0) + Sum(q * 3.0) + Sum(q * 5.0), {"p": [[1.5]]})
    (1, 3)
    """
    values, length = forward_graph(graph, feed), 0

    def measured(a: Matrix, b: Matrix, biases: Vector | None) -> list[list[float]]:
        nonlocal length
        length += len(a[0])
        return FLOAT.inner(a, b, biases)

    on, uses, terms = replace(FLOAT, inner=measured), uses_of(values), dict.fromkeys(values, 0)
    buffers = {node: [node] for node in values}
    for node, child, product in [(n, *use) for n in values if n.parents or not n.operation for use in uses[n]]:
        shape, length = dimensions(values[child]), 0
        numbers = [1 + 1 / i for i in range(2, prod(shape) + 2)]
        try:
            part = product(on, arranged(numbers, shape), values[child], *(values[parent] for parent in child.parents))
        except (ArithmeticError, ValueError):
            continue  # by the targets of a loss of one's own
        terms[node] += max(1, length)
        if not set(numbers).isdisjoint(map(abs, entries(part))):
            small, large = sorted((buffers[node], buffers[child]), key=len)
            if small is not large:
                large += small
                buffers.update(dict.fromkeys(small, large))
    return max(
        sum(terms[node] for node in buffer) - 1 if any(len(uses[node]) > 1 for node in buffer) else 0
        for buffer in {id(buffer): buffer for buffer in buffers.values()}.values()
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """A case, what was said to it, and the numbers of its budgets."""

    case: GraphCase
    claim: Claim
    on: Arithmetic[Ball]

    def outside(self, graph: Node, reading: Reading, gradients_only: bool = False, nearly: bool = False) -> set[Key]:
        """What lies outside its budget; nearly: what differs in the first digits, in floats, which is faster."""
        on: Arithmetic[Any] = FLOAT if nearly else self.on
        wanted = quantities(graph, self.case, on, reading, list(self.claim), gradients_only)
        if nearly:
            return {key for key, rows in self.claim.items() if not _near(rows, wanted[key])}
        return {key for key, rows in self.claim.items() if not inside({key: rows}, wanted)}

    def lies_in(self, graph: Node, reading: Reading, nearly: bool = False) -> bool:
        """Whether nothing is outside; gradients in the place of values are not."""
        off, nodes = self.outside(graph, reading, nearly=nearly), keys_of(graph)
        if any(nodes[key].operation is None for key in off):
            return False
        return not off or off.isdisjoint(self.outside(graph, reading, gradients_only=True, nearly=nearly))


def _holds(graph: Node, asked: Sequence[Asked], reading: Reading) -> bool:
    """Whether everything that was said lies in the budgets of that reading."""
    return all(one.lies_in(graph, reading, nearly) for nearly in (True, False) for one in asked)


def _near(rows: Matrix, others: Matrix) -> bool:
    a, b = [x for row in rows for x in row], [x for row in others for x in row]
    room = 0.05 * max(map(abs, b)) + 1e-6
    return all(abs(x - y) <= room for x, y in zip(a, b))


# The verdict.


def check_graph(candidate: Candidate, graph: Node, declared: Declared, name: str, seed: int) -> Report:
    """`purebp.oracle.check` for an architecture declared by a graph; of `declared`, format and direction count."""
    for option in ("activations", "biases", "weights", "samples"):
        if (given := getattr(declared, option)) != getattr(Declared(("sigmoid", "sigmoid")), option):
            raise PurebpError(f"{option}={given!r} is for layers, and does not go with graph=…, which says it all")
    cases = list(graph_cases(graph, seed, declared.format.name))
    if not cases:
        note = f"No numbers were found on which every value and gradient has a budget in {declared.format.name}."
        return Report(name, "undecided", False, None, (), (), (note,), (), None, (), declared.format.name)

    def again(case: GraphCase) -> Answer:
        values = forward_graph(graph, case.feed)
        wanted = {
            "loss" if key == LOSS_KEY else node.name: (key, dimensions(values[node]))
            for key, node in keys_of(graph).items()
        }
        feed = {each: entrywise(lambda x: x, value) for each, value in case.feed.items()}
        return called(candidate, {"feed": feed}, case.name, lambda answer: named_tensors(_by_name(answer), wanted))

    answers = [again(case) for case in cases]
    numbers = [roomy(graph, case.feed, declared.format.name) for case in cases]
    asked = [Asked(case, answer.claim, on) for case, answer, on in zip(cases, answers, numbers) if answer.claim]
    findings = {f.kind: f for answer in reversed(answers) for f in reversed(answer.findings)}
    findings |= {f.kind: f for f in stateful(cases, answers, again)}
    if missing := _missing(graph, asked):
        sentence = f"the gradient of {', '.join(missing)} was not given, so that it is not judged: return it as well"
        findings["not given"] = Finding("not given", sentence, fatal=False)
    reading = _reading(graph, asked, declared)
    passed = _gradients_for_values(graph, asked, reading)
    reports = []
    for case, answer, on in zip(cases, answers, numbers):
        claim = {key: rows for key, rows in answer.claim.items() if key not in passed}
        allowed = quantities(graph, case, on, reading, list(claim))
        tensors = compare(claim, allowed, reading.returns)
        fatal = next((finding for finding in answer.findings if finding.fatal), None)
        reports.append(CaseReport(case.name, (), case.samples, tuple(tensors), fatal))
    verdict, conforms, told, notes = _verdict(graph, asked, reports, reading, declared)
    notes += [f"For {key} its gradient was given, not its value: it is passed over." for key, _ in sorted(passed)]
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
        name,
        verdict,
        conforms,
        None,
        tuple(told),
        tuple(findings.values()),
        tuple(notes),
        over_cases(reports),
        worst,
        tuple(reports),
        declared.format.name,
        "\n".join(shown),
    )


def _by_name(answer: Any) -> Any:
    """What `backward_graph` returns as a dictionary; other answers as they are."""
    if not isinstance(answer, GraphGradients):
        return answer
    leaves = [node for node in answer if node.operation is None and node.name]
    return {leaf.name: answer[leaf] for leaf in leaves if leaf.trained or not any(each.trained for each in leaves)}


def _gradients_for_values(graph: Node, asked: Sequence[Asked], reading: Reading) -> set[Key]:
    """Of what node the gradient is given where its value is wanted, on every case."""
    nodes = keys_of(graph)
    values = [replace(one, claim={key: one.claim[key] for key in one.claim if nodes[key].operation}) for one in asked]
    values = [one for one in values if one.claim]
    off = set[Key]().union(*(one.outside(graph, reading) for one in values))
    return off.difference(*(one.outside(graph, reading, gradients_only=True) for one in values))


def _missing(graph: Node, asked: Sequence[Asked]) -> list[str]:
    """What must be given, and is not: the parameters, or where there are none all that is fed."""
    leaves = [node for node in topological_order(graph) if node.operation is None]
    wanted = [leaf for leaf in leaves if leaf.trained] or leaves
    return [leaf.name for leaf in wanted if any(_key(leaf) not in one.claim for one in asked)]


def _reading(graph: Node, asked: Sequence[Asked], declared: Declared) -> Reading:
    """What the answers are: as declared, or else gradients with a factor, or with their sign turned."""
    plain = Reading(declared.returns or "gradients", learning_rate=declared.learning_rate)
    if declared.returns == "step" or all(one.lies_in(graph, plain) for one in asked):
        return plain
    ratios = []
    for one in asked:
        claim = {key: rows for key, rows in one.claim.items() if keys_of(graph)[key].operation is None}
        expected = quantities(graph, one.case, FLOAT, Reading(), list(claim))
        pairs = [(x, y) for key in claim for rows in zip(claim[key], expected[key]) for x, y in zip(*rows)]
        x, y = max(pairs, key=lambda pair: abs(pair[1]), default=(0.0, 0.0))
        if x and y:
            ratios.append((x / y, one.case.samples, one.case.outputs))
    known = factors(ratios, 1e-6) if ratios else ()
    for factor in sorted(known, key=lambda factor: factor.outputs != 0):  # the number of outputs is a constant here
        if factor not in (ONE, -ONE) and all(abs(factor(one.case.samples, one.case.outputs)) == 1 for one in asked):
            continue  # it says no more than they do
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
    if len(asked) == len(reports) and (note := _approximation(graph, asked, reports, reading, declared.format.name)):
        return "imprecise", False, [], [note]
    return "wrong", False, [], _localised(graph, asked, reports, reading)


def _of_right_answers(
    graph: Node, asked: Sequence[Asked], reports: Sequence[CaseReport], reading: Reading, declared: Declared
) -> Verdict:
    """All that was said lies in the budgets of the reading; whether that is what was wanted, and all of it."""
    if open_ones := undecided_tensors(reports):
        return "undecided", False, [], [f"The budgets of {', '.join(open_ones)} are wider than half the values."]
    if _missing(graph, asked):
        return "undecided", False, [], []
    turned, direction = reading.returns == "descent", {"descent": ", with its sign turned"}.get(reading.returns, "")
    if reading.factor != ONE or declared.returns not in (None, reading.returns):
        name = "sign turned" if reading.factor == ONE else f"factor {reading.factor}"
        times = "" if reading.factor == ONE else f"{reading.factor} times "
        sentence = f"It returns {times}the gradient of the graph{direction} (n samples, m outputs)."
        return "correct-under-convention", False, [Diagnosis(name, LOSS, sentence, FIRST_LINE, (name,))], []
    if turned and declared.returns is None:
        return "correct-under-convention", True, [], ["It returns the gradient with its sign turned, to be added."]
    return "correct", True, [], []


def _approximation(
    graph: Node, asked: Sequence[Asked], reports: Sequence[CaseReport], reading: Reading, format: str
) -> str:
    """The lower precision that every answer has, or how far off it is if it is in the budget of binary32; else ""."""

    def lie_in(coarser: str) -> bool:
        return all(
            _bounded(graph, one.case.feed, coarser)
            and replace(one, on=roomy(graph, one.case.feed, coarser)).lies_in(graph, reading)
            for one in asked
        )

    for coarser in [name for name in COARSER if format_named(name).precision < format_named(format).precision]:
        if all(stored(one.claim, coarser) for one in asked) and lie_in(coarser):
            return f"Every number is one of {coarser}, and lies inside its budget: it was rounded to {coarser}."
    if format != "binary64" or not lie_in("binary32"):
        return ""
    off = [tensor for report in reports for tensor in report.tensors if tensor.wrong]
    return (
        f"It is off by up to {max(t.ulps for t in off):.0f} units in the last place of the largest number of a tensor, "
        f"and {max(t.share for t in off):.2g} times what is allowed: an approximation, such as a difference quotient, "
        "single precision somewhere on the way, an epsilon, or a constant with too few digits."
    )


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
    names = labels(order)
    off = {(tensor.kind, tensor.layer) for report in reports for tensor in report.tensors if tensor.wrong}
    values = [key[0] for key, node in keys.items() if node.operation and key in off]
    if values:
        return [f"The value of {values[0]} is off already: look at the forward pass."]
    given = {node for node in order if not node.operation and any(_key(node) in one.claim for one in asked)}
    wrong = [node for node in order if node in given and _key(node) in off]
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
    for key in map(_key, wrong):
        pairs = [(a.claim[key], quantities(graph, a.case, a.on, reading, [key])[key]) for a in asked if key in a.claim]
        patterns = {pattern(rows, balls) for rows, balls in pairs if not inside({key: rows}, {key: balls})}
        if len(patterns) == 1 and "" not in patterns:
            notes.append(f"{tensor_name(key, reading.returns)} {patterns.pop()}.")
    return notes
