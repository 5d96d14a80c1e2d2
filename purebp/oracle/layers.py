"""Networks of layers before the oracle: what answers follow, why they are wrong, and what is said of them.

>>> from purebp import Batch, Network, backpropagation
>>> from purebp.oracle.answer import Answer, as_claim
>>> from purebp.oracle.pipeline import judged
>>> case = Case("a case", Network.random([2, 1], "tanh", seed=1), Batch([[0.5, -1.0]], [[1.0]]))
>>> half = as_claim(backpropagation(case.network, case.batch, "half_sse"))
>>> judged(Layers(Declared(("tanh",))), [case], [Answer(half)], "mine").convention.loss_name
'half_sse'
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from math import isfinite

from purebp.number_systems.formats import Format
from purebp.oracle.answer import LOCAL, STEPS, Answer, Claim, Finding, Key, gradients_in, tensor_name
from purebp.oracle.asking.declared import Declared, arguments
from purebp.oracle.asking.watching import Quantity, told, watched
from purebp.oracle.cases import Case
from purebp.oracle.conventions import Convention, budgets, default_convention
from purebp.oracle.evidence import Budgets, Evidence, inside, regathered
from purebp.oracle.explaining.diagnosis import (
    Diagnosis,
    Observation,
    followed,
    likely_step,
    line_by_line,
    named,
)
from purebp.oracle.explaining.localisation import approximation, less_than_claimed, localised
from purebp.oracle.explaining.sought import as_answered, given_in, sought
from purebp.oracle.reasons import Reasons, of_state
from purebp.textbook.activations import sigmoid
from purebp.textbook.arithmetic import Matrix
from purebp.textbook.linalg import transpose
from purebp.textbook.network import Batch

Tried = tuple[str | None, float | None]  # what is returned, and the learning rate
MORE = 5  # cases of which a sample is asked alone, where an answer is wrong
CALLS = 6  # with the same case, one more than are made at most
SMALL = (0.1, 0.05, 0.01, 0.001)  # learning rates that are no factors of a loss
LARGEST_SHOWN = 60  # parameters of a case whose tensors are shown in full


@dataclass(frozen=True, slots=True)
class Layers:
    """The question for networks of layers; `complete` if all gradients must be given; `again` asks one case more."""

    declared: Declared
    complete: bool = False
    again: Callable[[Case], Answer] | None = field(default=None, compare=False, repr=False)

    @property
    def usual(self) -> Convention:
        return default_convention(self.declared)

    def enclose(self, case: Case, convention: Convention, format: Format | str, claim: Claim) -> Budgets:
        return budgets(case, convention, format, claim)

    def follows(self, evidence: Sequence[Evidence]) -> Convention | None:
        """The plainest convention that explains all answers, where loss or direction was left open."""
        gradients = _of_gradients(evidence)
        if not any(piece.off for piece in evidence):
            return None
        damped: list[Tried] = [(self.declared.returns, rate)] if (rate := self.declared.damped_rate) else []
        tries = damped if self._closed else [*damped, *self._tries()]
        told = (self._told(gradients, *tried, plain=True) for tried in tries)
        found = [diagnoses[0].convention for diagnoses in told if diagnoses]
        return min((c for c in found if c and self._is_one(c)), key=lambda c: c.named is None, default=None)

    def relevant(self, evidence: Sequence[Evidence], convention: Convention) -> tuple[Sequence[Evidence], list[str]]:
        """Without the answers to cases that ask for more than is usual, where there are none; with notes that say so."""
        kept, notes = list[Evidence](), dict[str, str]()
        right = all(piece.passed for piece in evidence if counts(piece))
        for piece in evidence:
            beyond, told = piece.case.beyond, _without_numbers(piece)
            if not piece.passed and not counts(piece):
                if told or right:
                    notes.setdefault(beyond, piece.case.told(told, self.declared.format))
                piece = replace(piece, answer=Answer(), tensors=())
            kept.append(piece)
        return kept, list(notes.values())

    def departure(self, evidence: Sequence[Evidence], convention: Convention) -> Sequence[Diagnosis]:
        return self._told(_of_gradients(evidence), *self._as_declared)[:1]

    def reasons(self, evidence: Sequence[Evidence], convention: Convention, findings: Sequence[Finding]) -> Reasons:
        evidence, _ = self.relevant(evidence, convention)
        gradients, format = _of_gradients(evidence), self.declared.format
        if format.strict and (note := less_than_claimed(evidence, convention, format, self.enclose)):
            return Reasons(approximation=note)
        step = self._step(gradients)
        tries = [*[("step", self.declared.learning_rate)] * (step is not None), self._as_declared]
        tries += [(self.declared.returns, rate)] if (rate := self.declared.damped_rate) else []
        told = (self._told(gradients, *tried) for tried in tries)
        diagnoses = next(filter(None, ([d for d in found if d.changes] for found in told)), [])
        flaky = any(finding.kind in ("flaky", "keeps state") for finding in findings)
        if not diagnoses and not flaky:
            if any(finding.fatal for finding in findings):
                return next((reasons for reasons, holds in self._of_most(evidence, convention) if holds), Reasons())
            elsewhere = any(kind not in LOCAL for piece in evidence for kind, _ in piece.off)
            if not elsewhere and (note := self._approximation(gradients, convention)):
                return Reasons(approximation=note)
            diagnoses, lines, open_ = self._line_by_line(gradients, tries)
            if not diagnoses:
                another = self._under_another(evidence, convention, tried=not elsewhere)
                return replace(
                    another, convention=another.convention or step, lines=tuple(lines), unexplained=tuple(open_)
                )
        if diagnoses:
            by_chance = any(finding.kind == "flaky" for finding in findings)
            return Reasons(tuple(diagnoses), convention=None if by_chance else diagnoses[0].convention)
        return of_state(findings)

    def goes_on(self, claims: Sequence[Claim], piece: Evidence, convention: Convention) -> bool:
        """With momentum, the k-th step from the same weights is η (1 + μ + … + μᵏ⁻¹) times the gradient."""
        momentum, rate = self.declared.momentum, convention.learning_rate
        if momentum is None or rate is None or not piece.passed:
            return False
        steps = (replace(convention, learning_rate=rate * sum(momentum**i for i in range(k))) for k in range(1, CALLS))
        allowed = [self.enclose(piece.case, step, self.declared.format, piece.claim) for step in steps]
        return all(any(inside(claim, budgets) for budgets in allowed) for claim in claims)

    def missing(self, evidence: Sequence[Evidence], convention: Convention) -> Finding | None:
        """The first gradient that was not given, where all that was given is right."""
        if not self.complete or not convention.fits(self.declared) or not all(piece.passed for piece in evidence):
            return None
        kinds = LOCAL if self.declared.biases else LOCAL[:1]
        for piece in (piece for piece in evidence if piece.claim):
            for l, layer in enumerate(piece.case.network.layers):
                for key in ((kind, l) for kind in kinds if kind == "weights" or layer.biases is not None):
                    if key not in piece.claim:
                        sentence = (
                            f"{tensor_name(key, self.declared.returns)} was not given, so that it is not judged: return "
                            "all gradients, or use purebp.oracle.judge for a part of them"
                        )
                        return Finding("not given", sentence, piece.case.name, fatal=False)
        return None

    def remarks(self, evidence: Sequence[Evidence], convention: Convention) -> list[str]:
        if not convention.fits(self.declared):
            notes = ["It is the gradient of no known loss."] if convention.named is None else []
            uphill = ["The step goes uphill: subtract the gradient from the weights."]
            rate = self.declared.learning_rate
            other = (
                [f"The learning rate that was declared is {rate:g}."]
                if rate not in (None, convention.learning_rate)
                else []
            )
            return notes + other * (convention.returns in STEPS) + uphill * (convention.returns == "ascent")
        gradients = _of_gradients(evidence)
        unseen = self.declared.biases and not any(kind == "biases" for piece in gradients for kind, _ in piece.claim)
        rate = self.declared.learning_rate
        damped = convention.returns in STEPS and rate not in (None, convention.learning_rate)
        notes = ["Gradients of biases were not given, and are not judged."] if gradients and unseen else []
        if damped:
            notes.append(
                f"The learning rate {convention.learning_rate:g} is {rate:g} (1 − {self.declared.momentum:g}): from rest, v ← μ v + "
                "(1 − μ) g takes that."
            )
        return [*notes, *_often_accused(self.declared, convention)]

    def located(self, evidence: Sequence[Evidence], convention: Convention, reasons: Reasons) -> list[str]:
        notes = localised(evidence, convention, bool(reasons.diagnoses), reasons.lines)
        return [*notes, *self._their_lines(evidence, reasons)]

    def _their_lines(self, evidence: Sequence[Evidence], reasons: Reasons) -> Iterator[str]:
        """The lines of the candidate's own code that make what is wrong, if it is Python that can be watched."""
        hypothesis = reasons.diagnoses[0].hypothesis if reasons.diagnoses else None
        if self.again is None or not (hypothesis or reasons.unexplained):
            return
        again, asked = self.again, list[tuple[bool, int, int, Case, list[Quantity]]]()
        for case, claim in ((piece.case, gradients_in(piece.claim)) for piece in evidence if piece.claim):
            if hypothesis:
                convention = hypothesis.convention
                updated = claim if convention.returns in STEPS else None
                looked_for = list(sought(hypothesis.made, case, convention.effective, updated))
            else:
                looked_for = list(as_answered(reasons.unexplained, case, claim))
            if looked_for:
                single = any(len(form) == 1 for q in looked_for for form in q.forms)
                asked.append((single, case.samples, len(case.network.parameters()), case, looked_for))
        if asked:
            *_, case, looked_for = min(asked, key=lambda one: one[:3])
            again(next((piece.case for piece in evidence if piece.case != case), case))  # what is kept is no news
            lines = list(dict.fromkeys(filter(None, watched(lambda: again(case), looked_for, given_in(case)))))
            if lines:
                yield told(lines)

    def shown(self, piece: Evidence, convention: Convention) -> str:
        """The numbers of a small case in the layout of the candidate, expected and given side by side."""
        lines = list(_numbers(piece.case, self.declared))
        if convention.returns in STEPS:
            lines.append(f"  learning rate {convention.learning_rate:g}")
        if len(piece.case.network.parameters()) <= LARGEST_SHOWN:
            for tensor in piece.tensors:
                if tensor.wrong:
                    turned = tensor.kind == "weights" and self.declared.weights == "in_out"
                    expected = [[float(b.midpoint) for b in row] for row in piece.budgets[tensor.key]]
                    lines += _beside(tensor.name, expected, piece.claim[tensor.key], turned)
        return "\n".join(lines)

    @property
    def _closed(self) -> bool:
        """Whether loss and direction are declared."""
        return self.declared.loss is not None and self.declared.returns is not None

    def _told(
        self, gradients: Sequence[Evidence], returns: str | None, rate: float | None, plain: bool = False
    ) -> list[Diagnosis]:
        """What explains the gradients, as one mistake or a convention."""
        if not gradients:
            return []
        declared = self.declared
        return named(_observed(gradients), declared.loss, declared.format, returns, rate, plain, declared.penalty)

    def _line_by_line(
        self, gradients: Sequence[Evidence], tries: Sequence[Tried]
    ) -> tuple[list[Diagnosis], Sequence[str], Sequence[Key]]:
        """What explains the gradients, each line of the recurrence held by itself; or which lines hold, and which do not."""
        observed, declared, lines, unexplained = _observed(gradients), self.declared, list[str](), list[Key]()
        asked = self._single([o.case for o in observed])
        for tried in tries:
            told, held, off = line_by_line(observed, declared.loss, declared.format, *tried, declared.penalty, asked)
            if found := [d for d in told if d.changes]:
                return found, (), ()
            lines, unexplained = (lines, unexplained) if lines else (held, off)
        return [], lines, unexplained

    def _single(self, cases: Sequence[Case]) -> list[Observation]:
        """Answers to the first sample of some cases alone, which show δ; given twice, if alone it counts for nothing."""
        found = list[Observation]()
        usual = [case for case in cases if case.samples > 1 and not (case.beyond or case.further)]
        for case, times in product(usual[:MORE] if self.again else (), (1, 2)):
            inputs, targets = (
                [rows[0]] * (self.declared.batch or times) for rows in (case.batch.inputs, case.batch.targets)
            )
            alone = replace(case, name=f"{case.name}, the first sample alone", batch=Batch(inputs, targets))
            if times == 2 and alone.network in [o.network for o in found]:
                continue
            answer = self.again(alone) if self.again else Answer()
            claim = {} if answer.fatal else gradients_in(answer.claim)
            if any(x for rows in claim.values() for row in rows for x in row):
                found.append(Observation(alone, claim))
        return found

    @property
    def _as_declared(self) -> Tried:
        """What is returned, and the learning rate."""
        return self.declared.returns, self.declared.learning_rate

    def _tries(self) -> Iterator[Tried]:
        """What is returned, and the learning rate: as declared; and where that is open, a step, of any rate."""
        yield self._as_declared
        if self.declared.returns is None:
            yield from product(("step", "change"), dict.fromkeys((self.declared.learning_rate, None)))

    def _step(self, gradients: Sequence[Evidence]) -> Convention | None:
        """The step that answers seem to be, where nothing is declared of what is returned."""
        if self.declared.returns is not None or not gradients:
            return None
        step = likely_step(
            [Observation(piece.case, piece.claim) for piece in gradients], self.declared.loss, self.declared.penalty
        )
        return replace(step, learning_rate=self.declared.learning_rate or step.learning_rate) if step else None

    def _is_one(self, convention: Convention) -> bool:
        """Whether it is no factor that went astray: the change alone looks like that, unless its rate is a common one."""
        rate = self.declared.learning_rate
        return convention.returns not in ("change", "rise") or (
            convention.returns == "change" and (rate == convention.learning_rate or convention.learning_rate in SMALL)
        )

    def _voted(self, gradients: Sequence[Evidence]) -> list[Convention]:
        """What was left open, as the answers to more than half of the cases have it, in a quick pass; most votes first."""
        votes = Counter[Convention]()
        for tried in () if self._closed else self._tries():
            for piece in gradients:
                observed = Observation(piece.case, piece.claim)
                found = followed(observed, self.declared.loss, self.declared.format, *tried, self.declared.penalty)
                votes.update(dict.fromkeys(found, 1))
        most = [c for c, n in votes.items() if 2 * n > len(gradients) and c.fits(self.declared) and self._is_one(c)]
        return sorted(most, key=lambda c: (-votes[c], c.plainness))

    def _of_most(self, evidence: Sequence[Evidence], convention: Convention) -> Iterator[tuple[Reasons, bool]]:
        """The conventions that most cases vote for, each with the answers beside its budgets, and whether most hold."""
        for voted in self._voted(_of_gradients(evidence)):
            known = voted == convention
            pieces = evidence if known else regathered(evidence, voted, self.declared.format, self.enclose)
            off = [bool(piece.off) for piece in _of_gradients(pieces)]
            yield Reasons(convention=voted, evidence=tuple(pieces)), 2 * sum(off) < len(off)

    def _under_another(self, evidence: Sequence[Evidence], convention: Convention, tried: bool) -> Reasons:
        """Nothing explains all answers: what most of them follow, or what all of them approximate.

        tried: they are no approximation under that convention.
        """
        voted = list(self._of_most(evidence, convention))
        if meant := next((reasons for reasons, holds in voted if holds), None):
            return meant
        for reasons, _ in voted:
            assert reasons.convention is not None  # of most
            again = tried and reasons.convention == convention
            if not again and (note := self._approximation(_of_gradients(reasons.evidence), reasons.convention)):
                return replace(reasons, approximation=note)
        return Reasons()

    def _approximation(self, gradients: Sequence[Evidence], convention: Convention) -> str:
        return approximation(gradients, convention, self.declared.format, self.enclose)


def _of_gradients(evidence: Sequence[Evidence]) -> list[Evidence]:
    """What concerns weights and biases alone, of the cases in which some were given, and that count."""
    return [piece.of_gradients() for piece in evidence if gradients_in(piece.claim) and counts(piece)]


def _observed(gradients: Sequence[Evidence]) -> list[Observation]:
    """Of networks of several depths, those of the commonest."""
    depths = [len(piece.case.network.layers) for piece in gradients]
    depth = max(depths, key=depths.count, default=0)
    return [Observation(g.case, g.claim) for g, d in zip(gradients, depths) if d == depth]


def counts(piece: Evidence) -> bool:
    """Whether an answer that is not right is held against the candidate."""
    return piece.case.beyond != "soft" and not (piece.case.beyond and _without_numbers(piece))


def _without_numbers(piece: Evidence) -> str:
    """Why an answer has no numbers, or none that are finite; "" if it has."""
    if piece.answer.fatal:
        return (
            piece.answer.fatal.sentence.partition("\n")[0]
            if piece.answer.fatal.kind in ("raises", "NaN", "error")
            else ""
        )
    finite = all(isfinite(x) for rows in piece.claim.values() for row in rows for x in row)
    return "" if finite else "some are infinite"


def _often_accused(declared: Declared, convention: Convention) -> list[str]:
    """What is often taken for a mistake, and is right here."""
    functions, notes = declared.per_layer(), []
    if convention.effective.fused_with(functions[-1]):
        notes.append(
            "If δ at the output is ŷ − y without f′: that is right here, f′ cancels against the derivative of the loss."
        )
    if sigmoid in functions and not declared.format.strict:
        notes.append("If σ′ is written a (1 − a), with a = σ(z): that is right.")
    if convention.returns == "descent":
        notes.append("If the error is y − ŷ and the result is added: that is right, the two signs cancel.")
    return notes


def _numbers(case: Case, declared: Declared) -> Iterator[str]:
    """What the candidate is given, in its layout."""
    given = arguments(case, replace(declared, arrays=None))
    for l, layer in enumerate(case.network.layers):
        biases = "" if layer.biases is None else f", biases {_listed([layer.biases])[1:-1]}"
        yield f"  layer {l + 1}: {layer.activation.name}, weights {_listed(given[0][l])}{biases}"
    yield f"  inputs {_listed(given[2] if declared.samples != 'vector' else [given[2]])}"
    labels = given[3] if isinstance(given[3], int) or isinstance(given[3][0], int) else None
    shown = _listed(given[3] if declared.samples != "vector" else [given[3]]) if labels is None else labels
    yield f"  targets {shown}"


def _beside(name: str, expected: Matrix, given: Matrix, turned: bool) -> list[str]:
    """Expected and given, with as many digits as it takes to see that they differ."""
    pair = [transpose(rows) if turned else rows for rows in (expected, given)]
    digits = 6 if _listed(pair[0]) != _listed(pair[1]) else 17
    return [
        f"  {name} expected {_listed(pair[0], digits)}",
        f"  {' ' * len(name)}    given {_listed(pair[1], digits)}",
    ]


def _listed(rows: Matrix, digits: int = 6) -> str:
    return "[" + ", ".join("[" + ", ".join(f"{x:.{digits}g}" for x in row) + "]" for row in rows) + "]"
