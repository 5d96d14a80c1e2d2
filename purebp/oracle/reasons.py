"""Why an answer is not what was declared: explanations, or the approximation that it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from purebp.oracle.answer import Finding, Key
from purebp.oracle.conventions import Convention
from purebp.oracle.evidence import Evidence
from purebp.oracle.explaining.diagnosis import ANSWERED, ONLINE, PENALTIES, Diagnosis
from purebp.oracle.explaining.recipe import STATE

RECURRENCE = "∂loss/∂Wˡ = δˡᵀ aˡ⁻¹"


@dataclass(frozen=True, slots=True)
class Reasons:
    """diagnoses: what explains all answers, the likeliest first. approximation: what they are instead, in a sentence.

    convention: what the answers follow but for that, if it was found on the way; evidence: the answers beside its
    budgets, if they were computed for it. lines: which lines of the recurrence hold, and which do not, in sentences;
    unexplained: what those make that nothing explains.
    """

    diagnoses: tuple[Diagnosis, ...] = ()
    approximation: str = ""
    convention: Convention | None = None
    evidence: tuple[Evidence, ...] = ()
    lines: tuple[str, ...] = ()
    unexplained: tuple[Key, ...] = ()

    @property
    def conventional(self) -> bool:
        """Whether the likeliest explanation is a sign, a factor or another loss, and no mistake."""
        return bool(self.diagnoses) and all(map(_conventional, self.diagnoses[0].changes))


def of_state(findings: Sequence[Finding]) -> Reasons:
    """That something is kept from call to call, where nothing else explains the answers."""
    name = "not reset between calls"
    kept = next((finding for finding in findings if finding.kind == "keeps state"), None)
    if kept is None:
        return Reasons()
    return Reasons((Diagnosis(name, STATE, f"{kept.sentence[0].upper()}{kept.sentence[1:]}.", RECURRENCE, (name,)),))


def _conventional(change: str) -> bool:
    return change in (
        "sign turned",
        "gradient of another loss",
        "another learning rate",
        ONLINE,
        *PENALTIES,
        *(name for name, _ in ANSWERED.values()),
    ) or (change.startswith("factor ") and " in " not in change)
