"""Verdicts: the rows are tried in order, each is reached, and each has its exit status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from random import Random
from typing import Any

import pytest

from purebp import Batch, Network, backpropagation
from purebp.number_systems.ball import Ball, Rules
from purebp.number_systems.formats import BINARY64
from purebp.oracle import Report, check, judge
from purebp.oracle.answer import Answer, Finding, Key
from purebp.oracle.asking.candidate import NoAnswer
from purebp.oracle.evidence import Evidence, compare
from purebp.oracle.explaining.diagnosis import Diagnosis
from purebp.oracle.reasons import Reasons
from purebp.oracle.verdict import ROWS, VERDICTS, Facts, reached
from purebp.textbook.arithmetic import Matrix
from tests.oracle.samples import SIGMOIDS, lists, rebuilt, right, single


def piece(x: float = 1.0, spread: int = 0, key: Key = ("weights", 0), *findings: Finding) -> Evidence:
    """One number, where 1 ± spread is expected."""
    claim: dict[Key, Matrix] = {key: [[x]]}
    budgets = {key: [[Ball(1, 0, spread, Rules(BINARY64, 38))]]}
    return Evidence(None, Answer(claim, findings), budgets, tuple(compare(claim, budgets)))


def found(kind: str, fatal: bool = True) -> Finding:
    return Finding(kind, "", fatal=fatal)


SILENT = Evidence(None, Answer(findings=(found("crash"),)), {}, ())
FINE = Facts((piece(),), (), found=False, fits=True)
WRONG = replace(FINE, evidence=(piece(), piece(2.0)))
TURNED = Reasons((Diagnosis("sign turned", "", "", "", ("sign turned",)),))
TWICE = Reasons((Diagnosis("squashed twice", "", "", "", ("squashed twice",)),))
ROUNDED = Reasons(approximation="It was rounded.")


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (FINE, "correct"),
        (replace(FINE, evidence=(piece(), SILENT), findings=(found("crash"),)), "crash"),
        (replace(FINE, evidence=(SILENT,), findings=(found("timeout"), found("flaky"))), "timeout"),
        (replace(FINE, evidence=(SILENT,), findings=(found("malformed"),)), "malformed"),
        (replace(WRONG, evidence=(piece(2.0), SILENT), findings=(found("crash"),)), "wrong"),  # a number counts more
        (replace(FINE, findings=(found("flaky"),)), "flaky"),
        (replace(WRONG, findings=(found("flaky"),)), "flaky"),
        (replace(FINE, evidence=(piece(spread=2),)), "undecided"),
        (replace(FINE, evidence=(piece(spread=2), piece())), "correct"),  # some case decides it
        (replace(FINE, findings=(found("not given", fatal=False),)), "undecided"),
        (replace(WRONG, findings=(found("not given", fatal=False),)), "wrong"),
        (replace(FINE, evidence=(), fits=False), "skipped"),
        (replace(FINE, evidence=(Evidence(None, Answer(), {}, ()), piece())), "correct"),  # some cases are enough
        (replace(FINE, found=True), "correct-under-convention"),
        (replace(FINE, fits=False), "correct-under-convention"),
        (replace(FINE, findings=(found("prints", fatal=False),)), "correct"),
        (replace(FINE, findings=(found("keeps state"),)), "wrong"),
        (replace(WRONG, reasons=TURNED), "correct-under-convention"),
        (replace(WRONG, reasons=TURNED, findings=(found("NaN"),)), "wrong"),
        (replace(WRONG, evidence=(piece(2.0), piece(2.0, 0, ("outputs", -1))), reasons=TURNED), "wrong"),
        (replace(WRONG, reasons=TWICE), "wrong"),
        (replace(WRONG, reasons=ROUNDED), "imprecise"),
        (WRONG, "wrong"),
        (replace(FINE, evidence=(piece(1.0, 0, ("weights", 0), found("raises")),)), "wrong"),
    ],
)
def test_the_first_row_that_holds_is_the_verdict(facts: Facts, name: str) -> None:
    assert reached(facts) is VERDICTS[name]
    assert [row.name for row in ROWS if row.holds(facts)][0] == name


def test_every_row_is_there_once_and_the_last_one_always_holds() -> None:
    assert list(VERDICTS.values()) == list(ROWS)
    assert all(a.name != b.name and a.headline != b.headline for a, b in combinations(ROWS, 2))
    assert ROWS[-1].holds(FINE) and ROWS[-1].name == "wrong"


def test_exit_statuses_are_those_of_the_command_line() -> None:
    """0 if it conforms, 1 if it is wrong, 5 if something was left open (docstring of `purebp.cli`)."""
    for verdict in ROWS:
        statuses = verdict.exit_status(conforms=True), verdict.exit_status(conforms=False)
        assert statuses == ((5, 5) if verdict.name in ("undecided", "skipped") else (0, 1))


def refuses(kind: str, fatal: bool = True) -> Callable[..., Any]:
    def candidate(*given: Any) -> Any:
        raise NoAnswer(kind, "it does so", fatal)

    return candidate


def by_chance(random: Random) -> Callable[..., Any]:
    return lambda w, b, x, y: lists(backpropagation(rebuilt(w, b), Batch(x, y)), lambda g: g * random.random())


def checked(candidate: Callable[..., Any], **declared: Any) -> Report:
    return check(candidate, **{"activations": SIGMOIDS, "loss": "mse", "returns": "gradients"} | declared)


@pytest.mark.parametrize(
    ("candidate", "name", "status"),
    [
        (refuses("crash"), "crash", 1),
        (refuses("timeout"), "timeout", 1),
        (refuses("malformed"), "malformed", 1),
        (refuses("skipped", fatal=False), "skipped", 5),
        (by_chance(Random(2)), "flaky", 1),
        (lambda *given: {"weights": right()(*given)[0]}, "undecided", 5),
        (right(), "correct", 0),
        (right("mse", lambda n, m: -1), "correct-under-convention", 1),
        (lambda *given: lists(backpropagation(rebuilt(*given[:2]), Batch(*given[2:])), single), "imprecise", 1),
        (right("mse", lambda n, m: 0.9), "wrong", 1),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_every_verdict_is_reached_by_a_candidate(candidate: Callable[..., Any], name: str, status: int) -> None:
    report = checked(candidate)
    assert (report.verdict, report.exit_status) == (name, status)
    assert report.conforms == (status == 0)


def test_a_convention_conforms_where_it_was_left_open() -> None:
    report = checked(right("sse"), loss=None)
    assert (report.verdict, report.conforms, report.exit_status) == ("correct-under-convention", True, 0)


def test_wide_budgets_are_no_evidence_for_either() -> None:
    network, batch = Network.random([2, 3, 1], "sigmoid", seed=1), Batch([[0.5, -1.0]], [[1.0]])
    steep = network.with_parameters([400 * x for x in network.parameters()])
    report = judge(steep, batch, backpropagation(steep, batch), format="bfloat16")
    assert (report.verdict, report.conforms, report.exit_status) == ("undecided", False, 5)
