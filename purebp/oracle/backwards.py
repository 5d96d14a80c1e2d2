"""Backward functions before the oracle: what is allowed of them, and why they are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from purebp.number_systems.formats import BINARY32, FORMATS, Format
from purebp.oracle.answer import Claim, Finding
from purebp.oracle.asking.declared import Declared
from purebp.oracle.conventions import ONE, Convention
from purebp.oracle.evidence import Budgets, Evidence, compare, regathered, undecided_tensors
from purebp.oracle.explaining.by_line import by_line
from purebp.oracle.explaining.diagnosis import Diagnosis
from purebp.oracle.explaining.localisation import patterns, rounded_to
from purebp.oracle.program_cases import ProgramCase, key_of, name_of_key, program_budgets
from purebp.oracle.reasons import Reasons, of_state

CANCELS = (
    "Every number is right up to an arrangement that cancels, such as E[x²] − E[x]² for a variance: the formula is right, and "
    "loses digits where the numbers are large beside their differences."
)


@dataclass(frozen=True, slots=True)
class Backwards:
    """The question for a backward function; of `declared`, the format counts. wanted: the inputs by which it answers."""

    wanted: tuple[str, ...]
    declared: Declared

    @property
    def usual(self) -> Convention:
        return Convention(None, ONE, "gradients")

    def enclose(self, case: ProgramCase, convention: Convention, format: Format | str, claim: Claim) -> Budgets:
        return program_budgets(case, format, claim)

    def follows(self, evidence: Sequence[Evidence]) -> Convention | None:
        return None

    def relevant(self, evidence: Sequence[Evidence], convention: Convention) -> tuple[Sequence[Evidence], list[str]]:
        return evidence, []

    def departure(self, evidence: Sequence[Evidence], convention: Convention) -> Sequence[Diagnosis]:
        return ()

    def reasons(self, evidence: Sequence[Evidence], convention: Convention, findings: Sequence[Finding]) -> Reasons:
        answered = [piece for piece in evidence if piece.claim]
        if not any(piece.off for piece in answered):
            return of_state(findings)
        if note := self._approximation(answered, convention):
            return Reasons(approximation=note)
        return Reasons(tuple(by_line(answered, self.declared.format)))

    def goes_on(self, claims: Sequence[Claim], piece: Evidence, convention: Convention) -> bool:
        return False

    def missing(self, evidence: Sequence[Evidence], convention: Convention) -> Finding | None:
        """The gradients that were asked for and not given."""
        asked = [piece for piece in evidence if piece.claim]
        names = [name for name in self.wanted if any(key_of(name) not in piece.claim for piece in asked)]
        if not names:
            return None
        sentence = f"the gradient by {', '.join(names)} was not given, so that it is not judged: return it as well, or name those that are wanted"
        return Finding("not given", sentence, fatal=False)

    def remarks(self, evidence: Sequence[Evidence], convention: Convention) -> list[str]:
        return []

    def located(self, evidence: Sequence[Evidence], convention: Convention, reasons: Reasons) -> list[str]:
        """Which gradients are off, and which are not."""
        asked = [piece for piece in evidence if piece.claim]
        keys = list(dict.fromkeys(key for piece in asked for key in piece.claim))
        off = [key for key in keys if any(key in piece.off for piece in asked)]
        if not off:
            return []
        right = [name_of_key(key) for key in keys if key not in off]
        wrong = ", ".join(name_of_key(key) for key in off)
        beside = f"; right by {', '.join(right)}" if right else ""
        notes = [f"Wrong is the gradient by {wrong}{beside}."]
        failing = [piece.case.name for piece in asked if piece.off]
        if len(failing) < len(asked):
            notes.append(f"It is wrong on {len(failing)} of {len(asked)} cases: {', '.join(failing)}.")
        return notes if reasons.diagnoses else notes + patterns(off, asked, "gradients", most=len(asked))

    def shown(self, piece: Evidence, convention: Convention) -> str:
        """What the candidate is given."""
        lines = [f"  {name} = {value}" for name, value in piece.case.inputs.items()]
        lines += [f"  upstream {name}".rstrip() + f" = {value}" for name, value in piece.case.upstream.items()]
        return "\n".join(line if len(line) < 400 else line[:396] + " ..." for line in lines)

    def _approximation(self, evidence: Sequence[Evidence], convention: Convention) -> str:
        """Another arrangement, or a lower precision, that all answers are; "" if they are neither."""
        format = self.declared.format
        expanded = [compare(piece.claim, program_budgets(piece.case, format, piece.claim, True)) for piece in evidence]
        if not any(tensor.wrong for tensors in expanded for tensor in tensors):
            return CANCELS

        def inside_all(coarser: Format) -> bool:
            pieces = regathered(evidence, convention, coarser, self.enclose)
            return not any(piece.off for piece in pieces) and not undecided_tensors(pieces)

        if name := rounded_to(evidence, format, inside_all):
            return f"Every number lies inside the budget of {name}, and is one of {name}: it was rounded to it."
        coarser = sorted(
            (f for f in FORMATS.values() if BINARY32.precision <= f.precision < format.precision),
            key=lambda f: -f.precision,
        )
        for held in coarser:
            if inside_all(held):
                return (
                    f"Every number lies inside the budget of {held.name}: it is off as that would be. It computes in "
                    f"{held.name} somewhere, adds an epsilon such as 1e-8, or has a constant with too few digits."
                )
        return ""
