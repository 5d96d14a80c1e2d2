"""Reports of every verdict, drawn by Hypothesis: empty tables, ∞ and NaN, control characters."""

from __future__ import annotations

from math import nan

from hypothesis import strategies as st

from purebp.oracle.answer import Finding
from purebp.oracle.conventions import ONE, Convention
from purebp.oracle.evidence import Entry, TensorReport
from purebp.oracle.explaining.diagnosis import Diagnosis
from purebp.oracle.reports.report import CaseReport, Report
from purebp.oracle.verdict import VERDICTS
from purebp.textbook.losses import loss

TEXTS = st.text(max_size=12)
SIZES = st.floats(0) | st.just(nan)
NAMES = st.sampled_from(["∂loss/∂W¹", "∂loss/∂b²", "W¹ after the step", "ŷ", "<&>"])
CONVENTIONS = [
    Convention(loss(name), ONE, returns, None) for name in ("mse", "sse") for returns in ("gradients", "descent")
]


@st.composite
def tensors(draw: st.DrawFn) -> TensorReport:
    """How entries of a tensor lie in their budgets."""
    width = draw(st.integers(1, 3))
    shares = draw(st.lists(st.tuples(*[SIZES] * width), min_size=1, max_size=3).map(tuple))
    wrong = sum(not share <= 1 for row in shares for share in row)
    name, kind = draw(NAMES), draw(st.sampled_from(["outputs", "loss", "deltas", "weights", "biases"]))
    entry = Entry(name, 0, 0, draw(st.floats()), draw(st.floats()), draw(SIZES), shares[0][0])
    entries, layer = width * len(shares), draw(st.integers(-1, 3))
    worst = draw(st.sampled_from([entry, None]))
    return TensorReport(name, kind, layer, entries, wrong, shares[0][0], draw(SIZES), draw(SIZES), worst, shares)


FINDINGS = st.builds(Finding, TEXTS, TEXTS, TEXTS)
EXPLANATIONS = st.builds(Diagnosis, TEXTS, TEXTS, TEXTS, TEXTS, st.just(("δ",)))
CASES = st.builds(
    CaseReport,
    TEXTS,
    st.lists(st.integers(1, 9), max_size=3).map(tuple),
    st.integers(1, 9),
    st.lists(tensors(), max_size=2).map(tuple),
    st.none() | FINDINGS,
)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """A report with any verdict, whatever else it says."""
    verdict = draw(st.sampled_from(sorted(VERDICTS)))
    return Report(
        draw(TEXTS),
        verdict,
        verdict == "correct" or (verdict == "correct-under-convention" and draw(st.booleans())),
        draw(st.none() | st.sampled_from(CONVENTIONS)),
        draw(st.lists(EXPLANATIONS, max_size=4).map(tuple)),
        draw(st.lists(FINDINGS, max_size=2).map(tuple)),
        draw(st.lists(TEXTS, max_size=2).map(tuple)),
        draw(st.lists(tensors(), max_size=3).map(tuple)),
        draw(tensors()).worst,
        draw(st.lists(CASES, max_size=3).map(tuple)),
        smallest=draw(TEXTS),
        replay=draw(TEXTS),
    )
