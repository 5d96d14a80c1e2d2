"""Verdicts: a row for each, and the one function that comes to one, for layers and graphs alike.

A verdict is the last thing that is computed: from evidence, findings, the convention and the reasons, which are all
there by then. The rows stand in order: the first that holds is the verdict.

>>> piece = Facts(evidence=(), findings=(), found=False, fits=True)
>>> reached(piece).name, VERDICTS["undecided"].exit_status(conforms=False)
('skipped', 5)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from purebp.oracle.answer import BROKEN, LOCAL, Finding
from purebp.oracle.evidence import Evidence, undecided_tensors
from purebp.oracle.reasons import Reasons


@dataclass(frozen=True, slots=True)
class Facts:
    """What a verdict is computed from.

    found: a convention was found, in the place of the one that is usual. fits: nothing that was declared is otherwise.
    """

    evidence: Sequence[Evidence]
    findings: Sequence[Finding]
    found: bool
    fits: bool
    reasons: Reasons = field(default_factory=Reasons)

    @property
    def kinds(self) -> set[str]:
        return {finding.kind for finding in self.findings}

    @property
    def right(self) -> bool:
        """Whether there is nothing against any answer, and none depends on another."""
        return all(piece.passed for piece in self.evidence) and self.kinds.isdisjoint(("flaky", "keeps state"))

    @property
    def broken(self) -> str:
        """How a program broke off, if no number of it is wrong."""
        numbers = any(piece.off for piece in self.evidence)
        return next((f.kind for f in self.findings if f.kind in BROKEN and not numbers), "")

    @property
    def undecided(self) -> bool:
        return "not given" in self.kinds or bool(undecided_tensors(self.evidence))

    @property
    def conventional(self) -> bool:
        """Whether all that is wrong is a convention that was declared otherwise."""
        elsewhere = any(kind not in LOCAL for piece in self.evidence for kind, _ in piece.off)
        fatal = any(finding.fatal for finding in self.findings)
        return self.reasons.conventional and not elsewhere and not fatal


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a candidate: in one line, and as an exit status."""

    name: str
    headline: str
    holds: Callable[[Facts], bool] = field(repr=False)
    decided: bool = True

    def exit_status(self, conforms: bool) -> int:
        """0 it conforms, 1 it does not, 5 nothing was decided."""
        return 5 if not self.decided else 0 if conforms else 1


ROWS = (
    Verdict("crash", "no verdict: the candidate's process ended", lambda facts: facts.broken == "crash"),
    Verdict("timeout", "no verdict: it took too long", lambda facts: facts.broken == "timeout"),
    Verdict("malformed", "no verdict: what it says is no answer", lambda facts: facts.broken == "malformed"),
    Verdict("not-loaded", "no verdict: there is nothing to ask", lambda facts: False),  # said of it before it is asked
    Verdict("flaky", "flaky: the same case was answered differently", lambda facts: "flaky" in facts.kinds),
    Verdict(
        "undecided",
        "undecided: the error budgets are too wide to tell",
        lambda facts: facts.right and facts.undecided,
        decided=False,
    ),
    Verdict(
        "skipped",
        "no verdict: it skips every case",
        lambda facts: facts.right and not any(piece.claim for piece in facts.evidence),
        decided=False,
    ),
    Verdict(
        "correct",
        "correct: every number lies inside its error budget",
        lambda facts: facts.right and facts.fits and not facts.found,
    ),
    Verdict(
        "correct-under-convention",
        "correct under another convention",
        lambda facts: facts.right or facts.conventional,
    ),
    Verdict("imprecise", "imprecise", lambda facts: bool(facts.reasons.approximation)),
    Verdict("wrong", "wrong", lambda facts: True),
)
VERDICTS = {verdict.name: verdict for verdict in ROWS}


def reached(facts: Facts) -> Verdict:
    """The verdict: the first row that holds."""
    return next(verdict for verdict in ROWS if verdict.holds(facts))
