"""The short form of `make power`."""

from __future__ import annotations

import pytest

from studies.power import DOCS, QUICK, Measured, catalogue, document, measure


@pytest.fixture(scope="module")
def measured() -> Measured:
    return measure(QUICK, seed=1)


def test_every_planted_mistake_is_caught(measured: Measured) -> None:
    for seen in (*measured.singles, *measured.conventions, *measured.pairs, *measured.triples):
        assert seen.caught, f"{seen.planting} in {seen.setting}: {seen.report.verdict}"


def test_mistakes_are_named(measured: Measured) -> None:
    for seen in (*measured.singles, *measured.conventions):
        if seen.named:
            assert seen.first, f"{seen.planting} in {seen.setting}: {[e.name for e in seen.report.explanations]}"
    assert sum(seen.first for seen in measured.pairs) >= 0.8 * len(measured.pairs)


def test_single_entries_are_caught(measured: Measured) -> None:
    for entries in measured.entries:
        if entries.required:
            assert (entries.anywhere, entries.hardest) == (entries.tried, entries.settings), entries


def test_what_is_imprecise_is_called_so(measured: Measured) -> None:
    assert [kind for kind, called in measured.imprecise if not called] == []


def test_no_right_implementation_is_accused(measured: Measured) -> None:
    assert measured.alarms.alarms == []


def test_the_page_shows_what_was_measured(measured: Measured) -> None:
    headings = [line for line in document(measured).splitlines() if line.startswith("#")]
    assert headings == [line for line in (DOCS / "power.md").read_text("utf-8").splitlines() if line.startswith("#")]
    assert measured.good


def test_the_page_of_mistakes_is_generated() -> None:
    """`python -m studies.power --mistakes --write` writes it."""
    assert catalogue().encode() == (DOCS / "mistakes.md").read_bytes()
