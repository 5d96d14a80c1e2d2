"""A wrong backward function, explained by the lines of the forward function.

Each edge of the tape leads from a line of the forward function to the line that made what it uses. A hypothesis is
something that is done to all that flows back from one line, or from one line to another, or to an input: it is lost,
has the wrong sign, a factor, or another slope. Gradients are linear in what flows back, so that factors are solved for.
What explains an answer must hold it inside its budgets on every case.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations
from math import sqrt
from typing import Any

from purebp.number_systems.formats import Format
from purebp.oracle.answer import Claim
from purebp.oracle.conventions import shortest
from purebp.oracle.evidence import Evidence, inside
from purebp.oracle.explaining.diagnosis import Diagnosis
from purebp.oracle.explaining.recipe import DERIVATIVE, LOSS, OPERANDS
from purebp.oracle.program_cases import ProgramCase, name_of_key, program_budgets
from purebp.programs.budget import Changed
from purebp.programs.sweeps import gradients, shares_of
from purebp.programs.tracing import Edge, Group, Place, entries
from purebp.textbook.arithmetic import FLOAT

Vector = list[float]
NEARLY = 1e-6  # relative, in the quick pass in floats
MOST_LOOKED_AT = 2  # cases in which hypotheses are looked for; on all others they are confirmed
MOST_GROUPS = 400
MOST_THROUGH = 256  # numbers that a line makes, of which slopes are looked at
MOST_WORK = 1_000_000  # pairs of lines, times the operations of the tape


@dataclass(frozen=True)
class Hypothesis:
    """Something that is done to what flows back along a group of edges; or to what comes in from above, if there is none."""

    group: Group | None
    how: str  # "times", or the words for another slope
    factor: Callable[[ProgramCase], float] = field(compare=False)
    said: str
    other: Place | None = None  # what stands in the place of the other factor of products

    def changed(self, case: ProgramCase) -> Changed:
        """What flows back in a case instead, along each edge."""
        edges = case.program.edges.get(self.group, ()) if self.group else ()
        if self.how == "times":
            return dict.fromkeys(edges, ("times", self.factor(case)))
        if self.other is not None:
            return {edge: ("slope", x) for edge, x in exchanged(case, edges, self.other).items()}
        if self.group and self.how in THROUGH:
            made = THROUGH[self.how]
            return {edge: ("times", made(x, y, s) / s) for edge, (x, y, s) in through(case, self.group).items()}
        slopes = ((edge, other_slopes(case, edge)) for edge in edges)
        return {edge: ("slope", found[self.how]) for edge, found in slopes if self.how in found}


def by_line(evidence: Sequence[Evidence], format: Format) -> list[Diagnosis]:
    """What explains all answers: the plainest, since what explains them as well cannot be told apart from it."""
    pieces = [piece for piece in evidence if piece.off] + [piece for piece in evidence if not piece.off]
    first = pieces[:MOST_LOOKED_AT]
    for made in chain(((one,) for one in hypotheses(first)), pairs_detached(first)):
        if all(_holds(piece, made, format) for piece in pieces):
            names, sentences, families = zip(*map(_words, made))
            line = "v̄ = Σ ȳ ∂f/∂v, over the uses y of v"
            return [Diagnosis(" and ".join(names), families[0], " ".join(sentences), line, names)]
    return []


def _holds(piece: Evidence, made: Sequence[Hypothesis], format: Format) -> bool:
    changed = {edge: what for hypothesis in made for edge, what in hypothesis.changed(piece.case).items()}
    seeds = _seeds(piece.case, made[0])
    return inside(piece.claim, program_budgets(piece.case, format, piece.claim, changed=changed, seeds=seeds))


def _seeds(case: ProgramCase, hypothesis: Hypothesis) -> Mapping[int, float]:
    """What comes in from above, under a hypothesis about that."""
    if hypothesis.group is not None:
        return case.seeds
    c = hypothesis.factor(case)
    return {index: 1.0 if hypothesis.how == "ones" else c * x for index, x in case.seeds.items()}


# What flows back instead.


def other_slopes(case: ProgramCase, edge: Edge) -> dict[str, float]:
    """What may stand in the place of the derivative along an edge, in words and by mistake."""
    step, values = case.program.tape.steps[edge[0]], case.program.tape.values
    x, y = values[step.left], values[edge[0]]
    if step.kind == "*":
        own, other = (step.left, step.right) if edge[1] == 0 else (step.right, step.left)
        if values[other] == 1.0:
            return {}
        return {"without the other factor": 1.0, "with its own value for the other factor": values[own]}
    if step.kind == "/":
        return {"as 1/y in place of −x/y²": 1 / values[step.right]} if edge[1] else {"without the division": 1.0}
    if step.kind in ("+", "−", "neg"):
        return {}
    slopes = {"without the derivative of the function": 1.0, "with the function in place of its derivative": y}
    if step.kind == "tanh":
        slopes |= {
            "with 1 − x² for 1 − y²": 1 - x * x,
            "with 1 − tanh(y)², squashed twice": 1 - FLOAT.tanh(y) ** 2,
            "with y² for 1 − y²": y * y,
        }
    if step.kind == "sqrt" and x > 0:
        slopes |= {"with 1/(2 x) for 1/(2 √x)": 0.5 / x, "with √x / 2 for 1/(2 √x)": y / 2}
    if step.kind == "log" and y:
        slopes |= {"with 1/ln x for 1/x": 1 / y}
    return slopes


Slope = Callable[[float, float, float], float]
THROUGH: dict[str, Slope] = {  # of a line that makes y of x, one by one: what for its slope
    "with y for its slope, where y is what it makes": lambda x, y, slope: y,
    "with 1 for its slope: its derivative is missing": lambda x, y, slope: 1.0,
    "with 1 − y for its slope, where y is what it makes": lambda x, y, slope: 1 - y,
    "with y (1 − y) for its slope, where y is what it makes": lambda x, y, slope: y * (1 - y),
    "with 1 − y² for its slope, where y is what it makes": lambda x, y, slope: 1 - y * y,
    "with x (1 − x) for its slope, where x is what it takes": lambda x, y, slope: x * (1 - x),
    "with 1 − x² for its slope, where x is what it takes": lambda x, y, slope: 1 - x * x,
    "with its slope squared: it is multiplied in twice": lambda x, y, slope: slope * slope,
}


def exchanged(case: ProgramCase, edges: Sequence[Edge], place: Place) -> dict[Edge, float]:
    """Of products the other factor of each edge, taken from another place of as many numbers; nothing where it has not."""
    program = case.program
    if any(program.tape.steps[i].kind != "*" for i, _ in edges):
        return {}
    others = {(i, side): program.operand((i, 1 - side)) for i, side in edges}
    theirs, ours = sorted(set(others.values())), program.made_at(place)
    if len(theirs) != len(ours) or theirs == ours:
        return {}
    taken = dict(zip(theirs, ours))
    return {edge: program.tape.values[taken[other]] for edge, other in others.items()}


def through(case: ProgramCase, group: Group) -> dict[Edge, tuple[float, float, float]]:
    """x, y and dy/dx along each edge from a line that makes numbers y of numbers x one by one; nothing where it does not."""
    here, there = group
    program, tape = case.program, case.program.tape
    made = [] if there is None or here == there else program.made_at(here)
    if len(made) > MOST_THROUGH:
        return {}
    edges, own = program.edges.get(group, ()), program.steps_of(here)
    operands, slopes = set(map(program.operand, edges)), dict[int, tuple[int, float]]()
    for y in made:
        bars = {y: 1.0}
        for i in sorted((i for i in own if i <= y), reverse=True):
            if i in bars:
                for operand, share in shares_of(tape.steps[i], bars.pop(i), tape.values[i], tape.values, FLOAT):
                    bars[operand] = bars.get(operand, 0.0) + share
        for x in operands & bars.keys():
            if x in slopes:
                return {}
            slopes[x] = y, bars[x]
    found = {}
    for edge in edges:
        y, slope = slopes.get(x := program.operand(edge), (0, 0.0))
        if slope:
            found[edge] = tape.values[x], tape.values[y], slope
    return found


# The search.


def hypotheses(pieces: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """Those under which the first answers are nearly what they are, the plainest first."""
    given = [_flat(piece.claim) for piece in pieces]
    right = [_gradient(piece, {}) for piece in pieces]
    yield from _of_the_whole(pieces, given, right)
    groups = list(dict.fromkeys(chain.from_iterable(piece.case.program.edges for piece in pieces)))[:MOST_GROUPS]
    found: list[tuple[float, Hypothesis]] = []
    for group in groups:
        ratios = []
        for piece, claim, whole in zip(pieces, given, right):
            edges = piece.case.program.edges.get(group, ())
            without = _gradient(piece, dict.fromkeys(edges, ("times", 0.0)))
            ratios.append(_multiple([c - w for c, w in zip(claim, without)], [r - w for r, w in zip(whole, without)]))
        for price, said, factor in _factors(ratios, [piece.case for piece in pieces]):
            found.append((price + 0.1 * (group[1] is not None), Hypothesis(group, "times", factor, said)))
        edges = [(piece.case, edge) for piece in pieces for edge in piece.case.program.edges.get(group, ())]
        one_by_one = THROUGH if all(through(piece.case, group) for piece in pieces) else ()
        for how in dict.fromkeys((*(how for edge in edges for how in other_slopes(*edge)), *one_by_one)):
            hypothesis = Hypothesis(group, how, lambda case: 1.0, how)
            changes = [hypothesis.changed(piece.case) for piece in pieces]
            if any(changes) and all(_near(_gradient(p, c), g) for p, c, g in zip(pieces, changes, given)):
                found.append((1.5, hypothesis))
        for place in dict.fromkeys(place for group_ in groups for place in group_ if place is not None):
            hypothesis = Hypothesis(group, "exchanged", lambda case: 1.0, "", place)
            changes = [hypothesis.changed(piece.case) for piece in pieces]
            if all(changes) and all(_near(_gradient(p, c), g) for p, c, g in zip(pieces, changes, given)):
                found.append((1.6, hypothesis))
    yield from (hypothesis for _, hypothesis in sorted(found, key=lambda one: one[0]))


def pairs_detached(pieces: Sequence[Evidence]) -> Iterator[tuple[Hypothesis, Hypothesis]]:
    """Two lines through which nothing comes back, or sums in them, as where softmax is differentiated without its sum."""
    groups = [group for group in pieces[0].case.program.edges if group[1] is None or group[0] == group[1]]
    if len(groups) ** 2 * len(pieces[0].case.program.tape.steps) > MOST_WORK:
        return
    given = [_flat(piece.claim) for piece in pieces]
    for one, other in combinations(groups, 2):
        made = tuple(Hypothesis(group, "times", lambda case: 0.0, "0") for group in (one, other))
        changes = [{e: c for hypothesis in made for e, c in hypothesis.changed(piece.case).items()} for piece in pieces]
        if all(_near(_gradient(piece, changed), g) for piece, changed, g in zip(pieces, changes, given)):
            yield made[0], made[1]


def _of_the_whole(pieces: Sequence[Evidence], given: Sequence[Vector], right: Sequence[Vector]) -> Iterator[Hypothesis]:
    """A factor of everything, or what comes in from above taken for 1."""
    ratios = [_multiple(g, r) for g, r in zip(given, right)]
    for _, said, factor in _factors(ratios, [piece.case for piece in pieces]):
        yield Hypothesis(None, "times", factor, said)
    ones = Hypothesis(None, "ones", lambda case: 1.0, "")
    if not pieces[0].case.program.scalar and all(
        _near(_gradient(piece, {}, _seeds(piece.case, ones)), g) for piece, g in zip(pieces, given)
    ):
        yield ones


def _gradient(piece: Evidence, changed: Changed, seeds: Mapping[int, float] | None = None) -> Vector:
    """What is claimed, as a backward sweep gives it in which something flows back otherwise."""
    case: ProgramCase = piece.case

    def shares(step: Any, index: int, bar: float, own: Sequence[tuple[int, float]]) -> Sequence[tuple[int, float]]:
        if (index, 0) not in changed and (index, 1) not in changed:
            return own
        found = []
        for side, (operand, share) in enumerate(own):
            how, c = changed.get((index, side), ("times", 1.0))
            found.append((operand, share * c if how == "times" else bar * c))
        return found

    tape = case.program.tape
    bars = gradients(tape, tape.values, seeds or case.seeds, FLOAT, shares if changed else None)
    parts = case.program.inputs
    return [bars[i] or 0.0 for key in piece.claim for i in parts[name_of_key(key)].indices]


def _flat(claim: Claim) -> Vector:
    return [x for rows in claim.values() for row in rows for x in row]


def _multiple(target: Vector, value: Vector) -> float | None:
    """c, if target = c · value; None if there is none, or nothing to see."""
    size = sum(v * v for v in value)
    if not size or not size < float("inf"):
        return None
    c = sum(t * v for t, v in zip(target, value)) / size
    off = sqrt(sum((t - c * v) ** 2 for t, v in zip(target, value)))
    return c if off <= NEARLY * max(abs(c), 1e-3) * sqrt(size) else None


def _near(a: Vector, b: Vector) -> bool:
    size = sqrt(sum(x * x for x in b))
    return sqrt(sum((x - y) ** 2 for x, y in zip(a, b))) <= NEARLY * size


def _factors(
    ratios: Sequence[float | None], cases: Sequence[ProgramCase]
) -> Iterator[tuple[float, str, Callable[[ProgramCase], float]]]:
    """What a factor may be, with its price and in words: the same in all cases, or a size of an input, or 1 over it."""
    known = [(c, case) for c, case in zip(ratios, cases) if c is not None]
    if len(known) < len(ratios) or all(abs(c - 1) < NEARLY for c, _ in known):
        return
    first = known[0][0]
    if all(abs(c - first) <= NEARLY * max(abs(first), 1) for c, _ in known):
        c = 0.0 if abs(first) <= NEARLY else float(shortest(first, NEARLY))
        common = {0.0: 0.0, -1.0: 0.1, 2.0: 0.2, 0.5: 0.2}.get(c, 0.6)
        yield common, f"{c:.10g}".replace("-", "−"), lambda case: c
    for name, axis in _axes(cases[0]):
        for power, text in ((1.0, "{}"), (-1.0, "1 / {}"), (0.5, "√{}"), (-0.5, "1 / √{}")):
            for sign in (1, -1):
                if all(abs(c - sign * _length(case, name, axis) ** power) <= NEARLY * abs(c) for c, case in known):
                    told = text.format(f"the size of axis {axis} of {name}")

                    def factor(
                        case: ProgramCase, name: str = name, axis: int = axis, power: float = power, sign: int = sign
                    ) -> float:
                        return float(sign * _length(case, name, axis) ** power)

                    yield 0.4, ("−" if sign < 0 else "") + told, factor


def _axes(case: ProgramCase) -> Iterator[tuple[str, int]]:
    for name, value in case.inputs.items():
        yield from ((name, axis) for axis in range(len(entries(value)[1])))


def _length(case: ProgramCase, name: str, axis: int) -> int:
    return entries(case.inputs[name])[1][axis]


# In words.


def _words(hypothesis: Hypothesis) -> tuple[str, str, str]:
    """A name, a sentence, and the family."""
    if hypothesis.group is None:
        if hypothesis.how == "ones":
            return "upstream gradient left out", "The upstream gradient is left out: multiply by it.", OPERANDS
        if hypothesis.said == "−1":
            return "sign turned", "Every gradient has the wrong sign.", LOSS
        return f"factor {hypothesis.said}", f"Every gradient is {hypothesis.said} times what it should be.", LOSS
    here, there = hypothesis.group
    at, to = _said(here), "" if there is None else _passed_to(there)
    line = f"line {here[1]}" if isinstance(here, tuple) else here
    where = line + ("" if there is None else f" → {there if isinstance(there, str) else f'line {there[1]}'}")
    if hypothesis.other is not None:
        with_ = f"with {_said(hypothesis.other)} for the other factor"
        return f"{where}: another factor", f"What {at} gives back{to} is computed {with_}.", OPERANDS
    if hypothesis.how != "times":
        return f"{where}: {hypothesis.how}", f"What {at} gives back{to} is computed {hypothesis.how}.", DERIVATIVE
    if hypothesis.said == "0":
        if there == here:
            return f"{where}: a sum detached", f"Nothing comes back through what {at} adds up or divides by.", OPERANDS
        if there is None:
            return (
                f"{where} detached",
                f"Nothing comes back through {at}: its share of the gradients is missing.",
                OPERANDS,
            )
        return f"{where} missing", f"What {at} gives back{to} is missing.", OPERANDS
    if hypothesis.said == "−1":
        return f"{where}: sign turned", f"What {at} gives back{to} has the wrong sign.", LOSS
    return (
        f"{where}: factor {hypothesis.said}",
        f"What {at} gives back{to} is {hypothesis.said} times what it should be.",
        LOSS,
    )


def _said(place: Place) -> str:
    if isinstance(place, str):
        return place
    file, number = place
    text = linecache.getline(file, number).strip()
    return f"line {number}{f', `{text}`' if text else ''}"


def _passed_to(place: Place) -> str:
    return f" to the gradient by {place}" if isinstance(place, str) else f" to {_said(place)}"
