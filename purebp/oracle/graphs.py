"""Graphs before the oracle: what answers follow, why they are wrong, and what is said of them.

Where the gradient of a node is given in the place of its value, it is not judged.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from purebp.graphs.engine import Values, forward_graph, labels, topological_order
from purebp.graphs.nodes import Node
from purebp.graphs.tensors import Tensor, arranged, dimensions, entrywise
from purebp.number_systems.formats import BINARY32, BINARY64, Format
from purebp.oracle.answer import STEPS, Claim, Finding, Key
from purebp.oracle.asking.declared import Declared
from purebp.oracle.conventions import ONE, Convention, factors
from purebp.oracle.evidence import Budgets, Evidence, inside, over_cases, regathered, undecided_tensors
from purebp.oracle.explaining.diagnosis import Diagnosis
from purebp.oracle.explaining.graph_mistakes import GraphMistake, mistakes
from purebp.oracle.explaining.localisation import less_than_claimed, patterns, rounded_to
from purebp.oracle.explaining.node_by_node import in_words, places
from purebp.oracle.explaining.recipe import LOSS
from purebp.oracle.graph_cases import Backward, GraphCase, bounded, graph_budgets, key_of, keys_of, quantities
from purebp.oracle.reasons import Reasons, of_state
from purebp.textbook.arithmetic import FLOAT, Matrix

FIRST_LINE = "∂loss/∂ŷ, from ŷ and y"


@dataclass(frozen=True, slots=True)
class Graphs:
    """The question for an architecture that is declared by a graph; of `declared`, format and direction count."""

    graph: Node
    declared: Declared

    @property
    def usual(self) -> Convention:
        return Convention(None, ONE, self.declared.returns or "gradients", self.declared.learning_rate)

    def enclose(self, case: GraphCase, convention: Convention, format: Format | str, claim: Claim) -> Budgets:
        return graph_budgets(case, convention, format, claim)

    def follows(self, evidence: Sequence[Evidence]) -> Convention | None:
        """Gradients with a factor, or with their sign turned, where they are not as declared."""
        asked = [piece for piece in evidence if piece.claim]
        if self.declared.returns in STEPS or all(self._holds(piece, self.usual, known=piece.off) for piece in asked):
            return None
        ratios = [ratio for piece in asked if (ratio := self._ratio(piece))]
        roundoff = self.declared.format.of_numbers.storage
        known = factors(ratios, max(1e-6, 4 * roundoff)) if ratios else ()
        for factor in sorted(known, key=lambda factor: factor.outputs != 0):  # their number is a constant here
            ones = all(abs(factor(piece.case.samples, piece.case.outputs)) == 1 for piece in asked)
            if ones and factor not in (ONE, -ONE):
                continue  # it says no more than they do
            turned = factor.constant < 0
            found = Convention(None, -factor if turned else factor, "descent" if turned else "gradients")
            if found != self.usual and self._explains(asked, found):
                return found
        return None

    def relevant(self, evidence: Sequence[Evidence], convention: Convention) -> tuple[Sequence[Evidence], list[str]]:
        """Without nodes of which the gradient is given where the value is wanted, on every case."""
        nodes = keys_of(self.graph)
        doubtful = {key for piece in evidence for key in piece.off if nodes[key].operation}
        for piece in evidence:
            given = {key: rows for key, rows in piece.claim.items() if key in doubtful}
            if given:
                exact = quantities(
                    piece.case, piece.case.balls(self.declared.format), convention, given.keys(), gradients_only=True
                )
                doubtful -= {key for key in given if not inside({key: given[key]}, exact)}
        notes = [
            f"Of {key} the gradient is given, where its value is wanted: it is not judged."
            for key, _ in sorted(doubtful)
        ]
        return [piece.without(doubtful) for piece in evidence] if doubtful else evidence, notes

    def departure(self, evidence: Sequence[Evidence], convention: Convention) -> Sequence[Diagnosis]:
        plain = convention.factor == ONE
        name = "sign turned" if plain else f"factor {convention.factor}"
        times = "" if plain else f"{convention.factor} times "
        direction = ", with its sign turned" if convention.returns == "descent" else ""
        sentence = f"It returns {times}the gradient of the graph{direction} (n samples, m outputs)."
        return [Diagnosis(name, LOSS, sentence, FIRST_LINE, (name,))]

    def reasons(self, evidence: Sequence[Evidence], convention: Convention, findings: Sequence[Finding]) -> Reasons:
        if not all(piece.claim for piece in evidence) or not any(piece.off for piece in evidence):
            return of_state(findings)
        if told := self._told(evidence, convention):
            return Reasons(tuple(told))
        if note := self._approximation(evidence, convention):
            return Reasons(approximation=note)
        return self._node_by_node(evidence, convention)

    def goes_on(self, claims: Sequence[Claim], piece: Evidence, convention: Convention) -> bool:
        return False

    def missing(self, evidence: Sequence[Evidence], convention: Convention) -> Finding | None:
        """What must be given: the parameters, or where there are none all that is fed."""
        leaves = [node for node in topological_order(self.graph) if node.operation is None]
        wanted = [leaf for leaf in leaves if leaf.trained] or leaves
        asked = [piece for piece in evidence if piece.claim]
        names = [leaf.name for leaf in wanted if any(key_of(leaf) not in piece.claim for piece in asked)]
        if not names:
            return None
        sentence = f"the gradient of {', '.join(names)} was not given, so that it is not judged: return it as well"
        return Finding("not given", sentence, fatal=False)

    def remarks(self, evidence: Sequence[Evidence], convention: Convention) -> list[str]:
        turned = convention.returns == "descent" and self.declared.returns is None and convention.factor == ONE
        return ["It returns the gradient with its sign turned, to be added."] * turned

    def located(self, evidence: Sequence[Evidence], convention: Convention, reasons: Reasons) -> list[str]:
        """Which gradients are off, the node that all of them and none of the right ones come through, and patterns."""
        if reasons.diagnoses or not any(piece.off for piece in evidence):
            return []
        order, keys = topological_order(self.graph), keys_of(self.graph)
        off = frozenset[Key]().union(*(piece.off for piece in evidence))
        if values := [key[0] for key, node in keys.items() if node.operation and key in off]:
            return [f"The value of {values[0]} is off already: look at the forward pass."]
        given = {node for node in order if not node.operation and any(key_of(node) in p.claim for p in evidence)}
        wrong = [node for node in order if node in given and key_of(node) in off]
        names = ", ".join(node.name for node in wrong)
        notes = [f"The gradient{'s' * (len(wrong) > 1)} of {names} {'is' if len(wrong) == 1 else 'are'} off."]
        if (common := _common(order, given, wrong)) and len(wrong) < len(given):
            notes.append(
                f"All of them come through {common}, and none of the right ones: look at what comes back there."
            )
        notes += reasons.lines
        return notes + patterns([key_of(node) for node in wrong], evidence, convention.returns, most=len(evidence))

    def shown(self, piece: Evidence, convention: Convention) -> str:
        """What the candidate is fed."""
        lines = [f"  {name} = {value}" for name, value in piece.case.feed.items()]
        if convention.returns in STEPS:
            lines.append(f"  learning rate {convention.learning_rate:g}")
        return "\n".join(lines)

    def _ratio(self, piece: Evidence) -> tuple[float, int, int] | None:
        """The largest gradient as a multiple of the right one, and the size of the case."""
        nodes = keys_of(self.graph)
        claim = {key: rows for key, rows in piece.claim.items() if nodes[key].operation is None}
        right = quantities(piece.case, FLOAT, Convention(None), claim.keys())
        pairs = [(x, y) for key in claim for rows in zip(claim[key], right[key]) for x, y in zip(*rows)]
        x, y = max(pairs, key=lambda pair: abs(pair[1]), default=(0.0, 0.0))
        return (x / y, piece.case.samples, piece.case.outputs) if x and y else None

    def _told(self, evidence: Sequence[Evidence], convention: Convention) -> list[Diagnosis]:
        """The mistakes that explain all answers, of either sign where that is open; the first that does, and its likes."""
        found: dict[str, Diagnosis] = {}
        for made in mistakes(self.graph):
            for returns in self._directions(convention):
                if made.sentence not in found and self._explains(
                    evidence, replace(convention, returns=returns), made.backward
                ):
                    found[made.sentence] = _diagnosis(made, made.line, (made.name,))
        return list(found.values())

    def _node_by_node(self, evidence: Sequence[Evidence], convention: Convention) -> Reasons:
        """Several mistakes, each where what is given does not follow from the candidate's own numbers; or these places.

        Factors alone are told as places: where they come from is not known.
        """
        lines: list[str] = []
        for returns in self._directions(convention):
            chosen = replace(convention, returns=returns)
            found = places(self.graph, [self._gradients(piece, chosen) for piece in evidence])
            if found is None:
                continue
            if not found.unexplained and not all(mistake.name.startswith("factor ") for mistake in found.made):
                names, families, sentences, where = zip(*((m.name, m.family, m.sentence, m.line) for m in found.made))
                together = GraphMistake(" and ".join(names), families[0], " ".join(sentences), where[0], found.changed)
                if self._explains(evidence, chosen, together.backward):
                    return Reasons((_diagnosis(together, "; ".join(dict.fromkeys(where)), names),))
            lines = lines or in_words(found, topological_order(self.graph))
        return Reasons(lines=tuple(lines))

    def _gradients(self, piece: Evidence, convention: Convention) -> tuple[Values, dict[Node, Tensor]]:
        """The values of a case, and what is claimed of inputs and parameters as gradients that one would subtract."""
        values, nodes = forward_graph(self.graph, piece.case.feed), keys_of(self.graph)
        factor, rate = float(convention.factor(piece.case.samples, piece.case.outputs)), convention.learning_rate or 1.0

        def gradient(c: float, w: float) -> float:
            if convention.returns in STEPS:
                c = ((w if convention.returns == "step" else 0.0) - c) / rate
            return (-c if convention.returns == "descent" else c) / factor

        claim = {}
        for node, rows in ((nodes[key], rows) for key, rows in piece.claim.items() if not nodes[key].operation):
            given = arranged((x for row in rows for x in row), dimensions(values[node]))
            claim[node] = entrywise(gradient, given, values[node])
        return values, claim

    def _directions(self, convention: Convention) -> Sequence[str]:
        return ["gradients", "descent"] if self.declared.returns is None else [convention.returns]

    def _explains(self, evidence: Sequence[Evidence], convention: Convention, backward: Backward | None = None) -> bool:
        """Whether everything that was said lies in the budgets of that convention; floats tell most that do not."""
        return all(
            self._holds(piece, convention, backward, nearly=nearly) for nearly in (True, False) for piece in evidence
        )

    def _holds(
        self,
        piece: Evidence,
        convention: Convention,
        backward: Backward | None = None,
        *,
        nearly: bool = False,
        known: Collection[Key] | None = None,
    ) -> bool:
        """Whether nothing is outside of its budget; the gradient of a node in the place of its value is not.

        known: what is outside, where the budgets have been computed.
        """
        arithmetic = FLOAT if nearly else piece.case.balls(self.declared.format)
        agrees = _near if nearly else lambda rows, balls: inside({("", 0): rows}, {("", 0): balls})
        nodes, off = keys_of(self.graph), {key: piece.claim[key] for key in (piece.claim if known is None else known)}
        for gradients_only in (False, True) if known is None else (True,):
            if not off or (gradients_only and any(nodes[key].operation is None for key in off)):
                break
            wanted = quantities(
                piece.case, arithmetic, convention, off.keys(), backward=backward, gradients_only=gradients_only
            )
            off = {key: rows for key, rows in off.items() if not agrees(rows, wanted[key])}
        return not off

    def _approximation(self, evidence: Sequence[Evidence], convention: Convention) -> str:
        """The lower precision that every answer has, or how far off it is if it is in the budget of binary32; else ""."""

        def inside_all(coarser: Format) -> bool:
            if not all(bounded(piece.case, coarser) for piece in evidence):
                return False
            pieces = regathered(evidence, convention, coarser, self.enclose)
            return not any(piece.off for piece in pieces) and not undecided_tensors(pieces)

        if note := less_than_claimed(evidence, convention, self.declared.format, self.enclose):
            return note
        if name := rounded_to(evidence, self.declared.format, inside_all):
            return f"Every number lies inside the budget of {name}, and is one of {name}: it was rounded to it."
        if self.declared.format.precision < BINARY64.precision or not inside_all(BINARY32):
            return ""
        off = [tensor for tensor in over_cases(evidence) if tensor.wrong]
        return (
            f"It is off by up to {max(t.ulps for t in off):.0f} units in the last place of the largest number of a "
            f"tensor, and {max(t.share for t in off):.2g} times what is allowed: an approximation, such as a difference "
            "quotient, single precision somewhere on the way, an epsilon, or a constant with too few digits."
        )


def _diagnosis(made: GraphMistake, line: str, changes: tuple[str, ...]) -> Diagnosis:
    return Diagnosis(made.name, made.family, made.sentence, line, changes)


def _common(order: Sequence[Node], given: set[Node], wrong: Sequence[Node]) -> str:
    """The last node that depends on all that is wrong, and on nothing that is right."""
    names, below = labels(order), dict[Node, set[Node]]()
    for node in order:
        below[node] = set().union({node} & given, *(below[parent] for parent in node.parents))
    return next((names[node] for node in reversed(order) if node.operation and below[node] == set(wrong)), "")


def _near(rows: Matrix, others: Matrix) -> bool:
    """Whether they agree in their first digits."""
    a, b = [x for row in rows for x in row], [x for row in others for x in row]
    room = 0.05 * max(map(abs, b)) + 1e-6
    return all(abs(x - y) <= room for x, y in zip(a, b))
