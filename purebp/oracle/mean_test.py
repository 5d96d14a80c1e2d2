"""Whether errors lean one way: where everything is stored in a narrow format, each number alone shows little.

Over n independent cases, tᵢ is the mean of sign(y) err / allowed over the entries of a tensor in a case, in [−1, 1]
inside the budgets. By the empirical Bernstein inequality (Maurer and Pontil 2009, theorem 4) their mean is further from its
expectation than √(2 V ln(4k/α) / n) + 14 ln(4k/α) / (3 (n − 1)) with a probability of at most α/k, V being the variance of
the sample and k the number of tensors. Rounding to nearest errs either way, so that the expectation is near 0: below
`ALLOWED`.

>>> right = Mean(tuple(Lean(0.1 if i % 2 else -0.1, 20.0) for i in range(CASES)))
>>> wrong = Mean((Lean(0.5, 20.0),) * CASES)
>>> right.conforms, wrong.conforms
(True, False)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import copysign, inf, log, sqrt
from statistics import fmean, variance
from typing import NamedTuple, TypeVar

from purebp.number_systems.ball import Ball
from purebp.oracle.answer import Answer, Key, tensor_name
from purebp.oracle.certify import nearest_double
from purebp.oracle.evidence import UNDECIDED, inside
from purebp.oracle.pipeline import Question
from purebp.oracle.reports.report import Report
from purebp.textbook.arithmetic import Matrix

C = TypeVar("C")  # a case

CASES = 1024
ALPHA = 1e-9  # the probability of accusing a candidate whose errors lean by no more than is allowed
ALLOWED = 0.02  # of the budgets: what rounding to nearest may lean by
NO_CASES = "No independent cases could be drawn, or they take too long: nothing is said of the mean of the errors."


class Lean(NamedTuple):
    """Of one case: the mean of sign(y) err / allowed, and that of |y| / allowed, by which a factor moves it."""

    share: float
    sensitivity: float


def lean(rows: Matrix, budgets: Matrix[Ball]) -> Lean:
    """How far, and to which side, the entries of a tensor lie in their budgets; those expected to be 0 aside."""
    shares, sensitivities = [0.0], [0.0]
    for x, b in ((x, b) for pair in zip(rows, budgets) for x, b in zip(*pair)):
        y = nearest_double(b.mantissa, b.exponent)
        if y and b.spread:
            shares.append((x - y) / copysign(b.radius, y))
            sensitivities.append(abs(y) / b.radius)
    return Lean(fmean(shares), fmean(sensitivities))


@dataclass(frozen=True, slots=True)
class Mean:
    """What the leans of a tensor in independent cases say together; one of so many tensors, of which each may be flagged."""

    leans: tuple[Lean, ...]
    tensor: str = ""
    tensors: int = 1

    @property
    def mean(self) -> float:
        return fmean(share for share, _ in self.leans)

    @property
    def threshold(self) -> float:
        """From which on a mean is beyond what rounding may do."""
        n, shares, level = len(self.leans), [share for share, _ in self.leans], log(4 * self.tensors / ALPHA)
        return ALLOWED + sqrt(2 * variance(shares) * level / n) + 14 * level / (3 * (n - 1))

    @property
    def conforms(self) -> bool:
        return abs(self.mean) <= self.threshold

    @property
    def smallest_visible_error(self) -> float:
        """The relative error of all of the tensor that moves the mean as far as that."""
        sensitivity = fmean(lean.sensitivity for lean in self.leans)
        return self.threshold / sensitivity if sensitivity else inf

    @property
    def sentence(self) -> str:
        """What is told."""
        told = (
            f"Over {len(self.leans):,} independent cases the errors of {self.tensor} lean by {self.mean:+.3f} of what is "
            f"allowed; from {self.threshold:.3f} on that would not be rounding (α = {ALPHA:g})"
        )
        if not self.conforms:
            return f"{told}, and is not: look for a factor, an epsilon, or a term that is left out."
        seen = self.smallest_visible_error
        return f"{told}. An error of {seen:.0%} in all of it would show." if seen <= 1 else f"{told}. It shows little."


def unbiased(
    question: Question, report: Report, cases: Iterable[C], ask: Callable[[C], Answer]
) -> tuple[Report, tuple[C, Answer] | None]:
    """The report on what was found right, or undecided, with what the means of the errors over independent cases say.

    If one of them is answered wrongly, that is what is returned with it.
    """
    if not (report.conforms or report.verdict == "undecided") or any(finding.fatal for finding in report.findings):
        return report, None
    format, convention, leans = question.declared.format, report.convention or question.usual, dict[Key, list[Lean]]()
    for case in cases:
        answer = ask(case)
        allowed = question.enclose(case, convention, format, answer.claim)
        if answer.fatal or not inside(answer.claim, allowed):
            return report, (case, answer)
        for key, rows in answer.claim.items():
            leans.setdefault(key, []).append(lean(rows, allowed[key]))
    many = {key: tuple(found) for key, found in leans.items() if len(found) > 1}
    means = [Mean(found, tensor_name(key, convention.returns), len(many)) for key, found in many.items()]
    return _told(report, means), None


def _told(report: Report, means: Sequence[Mean]) -> Report:
    """The report with the mean that is furthest, or else the tensor of which least is seen.

    What no budget decides is decided if an error of half its size would move the mean of every such tensor, and if all
    was given.
    """
    if not means:
        return replace(report, notes=(*report.notes, NO_CASES))
    told = max(means, key=lambda mean: (not mean.conforms, mean.smallest_visible_error))
    report = replace(report, notes=(*report.notes, told.sentence))
    if not told.conforms:
        return replace(report, verdict="imprecise", conforms=False)
    seen = {mean.tensor for mean in means if mean.smallest_visible_error <= UNDECIDED}
    undecided = {tensor.name for tensor in report.tensors if tensor.undecided}
    whole = not any(finding.kind == "not given" for finding in report.findings)
    if report.verdict == "undecided" and whole and undecided and undecided <= seen:
        return replace(report, verdict="correct", conforms=True)
    return report
