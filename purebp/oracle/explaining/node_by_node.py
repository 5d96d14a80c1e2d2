"""One node at a time: on a graph, what comes back to each node held by itself, with the candidate's own numbers above it.

The gradient of a parameter is a linear function of what comes back to the nodes that use it. Where that can be solved,
v̄ of these nodes is read off the answer, and everything else is made of the nearest v̄ that are known. So what is wrong
falls apart into single places, each explained alone.

>>> from purebp.graph import HalfSSE, Input, Linear, Parameter, Tanh, backward_graph
>>> x, y, W, V = Input("x", (None, 2)), Input("y", (None, 1)), Parameter("W", (2, 2)), Parameter("V", (1, 2))
>>> cost = HalfSSE(y, Linear(Tanh(Linear(x, W, name="z")), V, name="outputs"))
>>> feed = {"x": [[1.0, 2.0]], "y": [[0.5]], "W": [[0.5, 0.25], [1.0, -1.0]], "V": [[1.0, -2.0]]}
>>> right = backward_graph(cost, feed)
>>> seen = Seen.of(right.values, {V: [[2 * v for v in right[V][0]]], W: [[2 * w for w in row] for row in right[W]]})
>>> [node.name for node in seen.off({})]
['outputs']
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import combinations, product
from math import isfinite
from typing import Any

from purebp.graphs.engine import Use, Uses, Values, accumulated, gradient, labels, uses_of
from purebp.graphs.nodes import Node
from purebp.graphs.tensors import Tensor, arranged, dimensions, entries, entrywise
from purebp.oracle.conventions import shortest
from purebp.oracle.explaining.graph_mistakes import THE_SUM, GraphMistake, mistakes
from purebp.oracle.explaining.recipe import LOSS
from purebp.textbook.arithmetic import PurebpError

TOLERANCE = 1e-6  # of the largest number of a tensor
MOST_UNKNOWN = 40  # numbers that are solved for
MOST_DISPUTED = 3  # nodes of which two gradients tell different things, that are read in both ways
MOST_PAIRED = 16  # mistakes that are tried two by two

Changed = Mapping[Node, Sequence[Use]]  # nodes, and other uses in the place of theirs


@dataclass(frozen=True)
class Seen:
    """An answer to one case: gradients of inputs and parameters, and what comes back to nodes, as they tell it."""

    values: Values
    uses: Uses
    claim: Mapping[Node, Tensor]
    told: Mapping[Node, Sequence[Tensor]]  # by each gradient, those with the fewest entries first
    wide: Collection[Node] = ()  # nodes of which the last of these is believed, not the first

    @classmethod
    def of(cls, values: Values, claim: Mapping[Node, Tensor]) -> Seen:
        uses, told = uses_of(values), dict[Node, list[Tensor]]()
        *_, cost = values
        for leaf in sorted(claim, key=lambda leaf: len(entries(claim[leaf]))):
            for node, tensor in _solved(leaf, claim[leaf], values, uses).items():
                if node is not cost:  # to which 1 comes back
                    told.setdefault(node, []).append(tensor)
        return cls(values, uses, claim, told)

    @cached_property
    def own(self) -> Mapping[Node, Tensor]:
        return {node: tensors[-1 if node in self.wide else 0] for node, tensors in self.told.items()}

    def table(self, uses: Uses) -> Mapping[Node, Tensor]:
        """What comes back to each node, with what is known in the place of what should."""
        *_, cost = self.values
        told = {node: [(cost, _constant(tensor))] for node, tensor in self.own.items()}
        return accumulated(self.values, {**uses, **told}).table

    def made(self, changed: Changed) -> Iterator[tuple[Node, Tensor, Tensor]]:
        """What is known and what it should be, after some uses were changed: the last nodes first."""
        uses, given = {**self.uses, **changed}, {**self.claim, **self.own}
        table = self.table(uses)
        for node in reversed(tuple(self.values)):
            if node in given:
                yield node, given[node], gradient(node, self.values, uses, table)

    def off(self, changed: Changed) -> list[Node]:
        """What does not follow from the candidate's own numbers."""
        return [node for node, given, wanted in self.made(changed) if not _near(given, wanted)]

    def ratio(self, node: Node, changed: Changed) -> float | None:
        """What is known of a node as a multiple of what it should be; None if it is none."""
        given, wanted = next((entries(g), entries(w)) for other, g, w in self.made(changed) if other is node)
        i = max(range(len(wanted)), key=lambda j: abs(wanted[j]))
        c = given[i] / wanted[i] if wanted[i] else 0.0
        return c if c and _near(given, [c * x for x in wanted]) else None


def _constant(tensor: Tensor) -> Any:
    """A product that gives a tensor, whatever comes back."""
    return lambda *given: tensor


def _near(a: Tensor, b: Tensor) -> bool:
    pairs = list(zip(entries(a), entries(b)))
    room = TOLERANCE * max(max(abs(x), abs(y)) for x, y in pairs) + 1e-12
    return all(abs(x - y) <= room for x, y in pairs)


def _solved(leaf: Node, given: Tensor, values: Values, uses: Uses) -> dict[Node, Tensor]:
    """What comes back to the nodes that use a leaf, if its gradient tells all of it; {} if not."""
    children = list(dict.fromkeys(child for child, _ in uses[leaf]))
    shapes = [dimensions(values[child]) for child in children]
    sizes = [len(entries(values[child])) for child in children]
    if not children or sum(sizes) > min(MOST_UNKNOWN, len(entries(given))):
        return {}
    columns = []
    for child, size, shape in zip(children, sizes, shapes):
        zeros = {other: entrywise(lambda _: 0.0, values[other]) for other in children}
        for i in range(size):
            table = {**zeros, child: arranged([float(j == i) for j in range(size)], shape)}
            columns.append(entries(gradient(leaf, values, uses, table)))
    apart = all(sum(map(bool, column)) == 1 for column in columns)  # each entry tells one number
    if not apart and sum(sizes) == len(entries(given)):
        return {}  # whatever was given, something would make it
    found = solution(list(zip(*columns)), entries(given))
    if found is None:
        return {}
    rest, own = iter(found), dict[Node, Tensor]()
    for child, size, shape in zip(children, sizes, shapes):
        own[child] = arranged([next(rest) for _ in range(size)], shape)
    return own


def solution(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float] | None:
    """x with A x = b for n equations in m ≤ n unknowns, by elimination; None if it is not the only one, or there is none.

    >>> solution([[1.0, 1.0], [1.0, -1.0], [2.0, 0.0]], [3.0, 1.0, 4.0])
    [2.0, 1.0]
    >>> solution([[1.0], [1.0]], [3.0, 1.0]), solution([[1.0, 1.0], [2.0, 2.0]], [3.0, 6.0])
    (None, None)
    """
    rows = [[*row, b] for row, b in zip(matrix, right)]
    unknown, size = len(matrix[0]), max(abs(x) for row in matrix for x in row)
    for k in range(unknown):
        pivot = max(range(k, len(rows)), key=lambda i: abs(rows[i][k]))
        rows[k], rows[pivot] = rows[pivot], rows[k]
        if not abs(rows[k][k]) > 1e-9 * size:
            return None
        for i in range(len(rows)):
            if i != k and (c := rows[i][k] / rows[k][k]):
                rows[i] = [x - c * y for x, y in zip(rows[i], rows[k])]
    room = TOLERANCE * max(map(abs, right)) + 1e-12
    if not all(abs(row[-1]) <= room for row in rows[unknown:]):
        return None
    return [row[-1] / row[k] for k, row in enumerate(rows[:unknown])]


@dataclass(frozen=True)
class Places:
    """Where an answer is wrong by itself: mistakes that explain places, and the nodes that none explains."""

    made: tuple[GraphMistake, ...]
    changed: Changed
    right: tuple[Node, ...]
    unexplained: tuple[Node, ...]
    own: frozenset[Node]  # nodes of which v̄ is known


def places(graph: Node, answers: Sequence[tuple[Values, Mapping[Node, Tensor]]]) -> Places | None:
    """The plainest reading of some answers; None where nothing is known of any node, or some numbers are not finite."""
    if not all(isfinite(x) for _, claim in answers for tensor in claim.values() for x in entries(tensor)):
        return None
    seen = [Seen.of(values, claim) for values, claim in answers]
    most = max(len(one.told) for one in seen)
    if not most:
        return None
    disputed = [
        node for node, (first, *others) in seen[0].told.items() if not all(_near(first, other) for other in others)
    ]
    found: Places | None = None
    for chosen in product((False, True), repeat=min(len(disputed), MOST_DISPUTED)):
        wide = frozenset(node for node, is_wide in zip(disputed, chosen) if is_wide)
        read = _read(graph, [replace(one, wide=wide) for one in seen], most)
        if found is None or (len(read.unexplained), len(read.made)) < (len(found.unexplained), len(found.made)):
            found = read
    return found


def _read(graph: Node, seen: Sequence[Seen], most: int) -> Places:
    """From the cases in which the most is known, then from the others."""
    sharp = [one for one in seen if len(one.told) == most]
    whole = [one if len(one.told) == most else replace(one, told={}) for one in seen]
    wrong = _off(sharp, {})
    known = [mistake for mistake in mistakes(graph) if mistake.changed]
    options = known
    made, changed = list[GraphMistake](), dict[Node, Sequence[Use]]()
    for cases in (sharp, whole):
        left = _off(cases, changed)
        while left:
            options = [mistake for mistake in options if not mistake.changed.keys() & changed.keys()]
            times = _factors(sharp, left, changed)
            best = _best(cases, changed, left, [[mistake] for mistake in (*options, *times)])
            if best is None:
                acting = [m for m in options if _acts(cases, changed, m.changed, next(iter(left)))][:MOST_PAIRED]
                with_factors = [[m, f] for m in acting for f in _factors(sharp, left, {**changed, **m.changed})]
                best = _best(cases, changed, left, [*map(list, combinations(acting, 2)), *with_factors])
            if best is None:
                break
            made += best
            for mistake in best:
                changed.update(mistake.changed)
            left = _off(cases, changed)
        if left:
            break
    for everywhere in known:
        parts = [mistake for mistake in made if mistake.name == everywhere.name]
        nodes = {node for mistake in parts for node in mistake.changed}
        if len(parts) > 1 and nodes == everywhere.changed.keys():
            as_one = {**changed, **everywhere.changed}
            if _off(whole, as_one).keys() <= _off(whole, changed).keys():
                made, changed = [everywhere, *(mistake for mistake in made if mistake not in parts)], as_one
    given = {node for one in sharp for node in (*one.claim, *one.own)}
    right = tuple(node for node in reversed(tuple(seen[0].values)) if node in given - {*wrong, *left})
    return Places(tuple(made), changed, right, tuple(left), frozenset(sharp[0].own))


def _best(
    seen: Sequence[Seen], changed: Changed, left: Mapping[Node, None], options: Sequence[list[GraphMistake]]
) -> list[GraphMistake] | None:
    """The mistakes that leave the least of what is left, in the fewest nodes; None if none leaves less."""
    fits = []
    for several in options:
        more = {node: uses for mistake in several for node, uses in mistake.changed.items()}
        if len(more) < sum(len(mistake.changed) for mistake in several):
            continue  # they are in the same place
        try:
            rest = _off(seen, {**changed, **more})
        except PurebpError:  # it cannot be made here
            continue
        if rest.keys() < left.keys():
            fits.append((len(rest), len(more), several))
    return min(fits, key=lambda one: one[:2])[2] if fits else None


def _acts(seen: Sequence[Seen], changed: Changed, more: Changed, node: Node) -> bool:
    """Whether other uses make a difference to what a node should be."""
    pairs = ((one.made(changed), one.made({**changed, **more})) for one in seen)
    return any(n is node and not _near(a, b) for before, after in pairs for (n, _, a), (_, _, b) in zip(before, after))


def _off(seen: Sequence[Seen], changed: Changed) -> dict[Node, None]:
    return dict.fromkeys(node for one in seen for node in one.off(changed))


def _factors(seen: Sequence[Seen], left: Mapping[Node, None], changed: Changed) -> Iterator[GraphMistake]:
    """Constants by which single places differ from what they should be, on all cases alike."""
    for node in left:
        ratios = [one.ratio(node, changed) for one in seen if node in one.off(changed)] or [None]
        first = ratios[0]
        if first is None or not isfinite(first) or any(c is None or abs(c - first) > 1e-6 * abs(first) for c in ratios):
            continue
        simple = Fraction(first).limit_denominator(100)
        factor = simple if abs(simple - Fraction(first)) < 1e-9 * abs(first) else shortest(first, 1e-6)
        uses = seen[0].uses[node]
        name = labels(tuple(seen[0].values))[node]
        what = f"What comes back to {name}" if node.operation else f"∂loss/∂{name}"
        scaled = {node: [(child, _times(factor, right)) for child, right in uses]}
        text = f"{what} is {factor} times what it should be."
        yield GraphMistake(f"factor {factor} in {name}", LOSS, text, THE_SUM, scaled)


def _times(factor: Fraction, right: Any) -> Any:
    def scaled(arithmetic: Any, *given: Any) -> Any:
        c = arithmetic.ratio(*factor.as_integer_ratio())
        return entrywise(lambda x: c * x, right(arithmetic, *given))

    return scaled


def in_words(found: Places, order: Sequence[Node]) -> list[str]:
    """What holds with the candidate's own numbers, and what does not."""
    names, uses = labels(order), uses_of(order)

    right = [f"∂loss/∂{names[node]}" for node in found.right if not node.operation]
    notes = [f"What is right, made of your own numbers: {', '.join(right)}."] if right else []
    notes += [mistake.sentence for mistake in found.made]
    for node in found.unexplained:
        users = [child for child, _ in uses[node]]
        listed = ", ".join(dict.fromkeys(names[child] for child in users))
        if node.operation:
            notes.append(
                f"What comes back to {names[node]} is wrong: it should be the sum of what comes from {listed}."
            )
        elif all(child in found.own for child in users):
            notes.append(f"∂loss/∂{names[node]} does not follow from what comes back to {listed}.")
        else:
            notes.append(f"∂loss/∂{names[node]} is wrong: it should be the sum of what comes from {listed}.")
    return notes
