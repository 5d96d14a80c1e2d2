"""Evidence: a number is wrong if it is provably outside of its budget, and everything is counted once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import inf, isfinite, isnan, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import FLOAT, Layer, Network, backpropagation, evaluate, forward
from purebp.number_systems.ball import Ball, Rules
from purebp.number_systems.formats import BINARY32, BINARY64
from purebp.oracle.answer import LOCAL, ORDER, Answer, Claim, Finding, Key, as_claim
from purebp.oracle.conventions import Convention
from purebp.oracle.evidence import (
    Budgets,
    Evidence,
    compare,
    enclosures,
    gathered,
    inside,
    over_cases,
    regathered,
    rounded_anew,
    share,
    turned_claim,
    undecided_tensors,
    worst_entry,
)
from purebp.textbook.arithmetic import Matrix
from tests.strategies import Exercise, cases

NUMBERS = st.floats() | st.sampled_from([0.0, 1.0, nan, inf, -inf])
BALLS = st.builds(
    Ball,
    st.integers(-9, 9) | st.integers(-(2**60), 2**60),
    st.integers(-1100, 900) | st.integers(-60, 0),
    st.none() | st.integers(0, 9) | st.integers(0, 2**60),
    st.sampled_from([Rules(BINARY64, 38), Rules(BINARY32, 5), Rules(None, 5)]),
)
KEYS = st.tuples(st.sampled_from(ORDER), st.integers(0, 2))


def near(b: Ball) -> st.SearchStrategy[float]:
    """Numbers beside the middle and the ends of a ball, and any others."""
    places = [b.mantissa + k * (b.spread or 0) // 2 for k in (-5, -2, -1, 0, 1, 2, 5)]
    return NUMBERS | st.sampled_from([float(Fraction(k) * Fraction(2) ** b.exponent) for k in places])


@st.composite
def pieces(draw: st.DrawFn) -> Evidence:
    """An answer beside budgets that have nothing to do with it."""
    claim: dict[Any, Any] = {}
    budgets: dict[Any, Any] = {}
    for key in draw(st.lists(KEYS, unique=True, max_size=4)):
        width = draw(st.integers(1, 2))
        budgets[key] = draw(st.lists(st.lists(BALLS, min_size=width, max_size=width), min_size=1, max_size=2))
        claim[key] = [[draw(near(b)) for b in row] for row in budgets[key]]
    findings = draw(st.sampled_from([(), (Finding("prints", "", fatal=False),), (Finding("raises", ""),)]))
    return Evidence(None, Answer(claim, findings), budgets, tuple(compare(claim, budgets)))


def numbers(claim: Claim) -> list[float]:
    return [x for rows in claim.values() for row in rows for x in row]


def distance(x: float, b: Ball) -> Fraction:
    return abs(Fraction(x) - b.mantissa * Fraction(2) ** b.exponent)


@given(st.data(), BALLS)
def test_the_share_is_the_exact_distance_from_the_middle_over_the_radius(data: st.DataObject, b: Ball) -> None:
    x = data.draw(near(b))
    found = share(x, b)
    if b.spread is None:
        assert found == 0
    elif not isfinite(x):
        assert found == inf
    else:
        off, radius = distance(x, b), b.spread * Fraction(2) ** b.exponent
        assert (found > 1) <= (off > radius), "what is inside is not accused"
        assert (off > radius * (1 + Fraction(1, 2**52))) <= (found > 1), "what is outside is seen"
        assert found == 0 or off > 0
        if radius and found < inf:
            assert abs(Fraction(found) - off / radius) <= off / radius * Fraction(1, 2**52) + Fraction(1, 2**1074)


@given(st.data(), st.lists(st.lists(BALLS, min_size=2, max_size=2), min_size=1, max_size=3))
def test_an_entry_is_wrong_exactly_if_its_share_is_above_one(data: st.DataObject, budgets: list[list[Ball]]) -> None:
    rows = [[data.draw(near(b)) for b in row] for row in budgets]
    (tensor,) = compare({("weights", 0): rows}, {("weights", 0): budgets})
    shares = [share(x, b) for pair in zip(rows, budgets) for x, b in zip(*pair)]
    assert [x for row in tensor.shares for x in row] == shares
    assert (tensor.entries, tensor.wrong) == (len(shares), sum(x > 1 for x in shares))
    assert tensor.share == max(shares)
    assert inside({("weights", 0): rows}, {("weights", 0): budgets}) == (tensor.wrong == 0)
    worst = tensor.worst
    assert worst is not None and worst.share == tensor.share
    given = rows[worst.row][worst.column]
    assert worst.given == given or (isnan(given) and isnan(worst.given))
    assert worst.allowed == budgets[worst.row][worst.column].radius


def test_what_has_no_bound_and_what_is_wide_decides_nothing() -> None:
    def judged(budget: Ball, x: float = 1.0) -> Any:
        (tensor,) = compare({("weights", 0): [[x]]}, {("weights", 0): [[budget]]})
        return tensor

    rules = Rules(BINARY64, 38)
    unbounded, half, more = (Ball(4, 0, spread, rules) for spread in (None, 2, 3))
    assert judged(unbounded, nan).wrong == judged(unbounded, inf).wrong == 0
    assert (judged(unbounded).undecided, judged(half).undecided, judged(more).undecided) == (True, False, True)
    assert not judged(Ball(0, 0, 0, rules), 0.0).undecided  # 0 is expected, and no more is allowed
    assert not judged(Ball(0, -60, 9, rules), 0.0).undecided and judged(Ball(0, 0, 9, rules), 0.0).undecided
    assert judged(Ball(1, 0, 1, rules), 1 + 2.0**-50).ulps == 0  # at a kink, where the middle is no value
    assert judged(Ball(4, 0, 2, rules), 4 + 2.0**-49).ulps == 2


@given(st.lists(pieces(), max_size=4))
def test_over_all_cases_entries_and_wrong_ones_add_up(evidence: list[Evidence]) -> None:
    every = [tensor for piece in evidence for tensor in piece.tensors]
    merged = over_cases(evidence)
    assert [tensor.name for tensor in merged] == list(dict.fromkeys(tensor.name for tensor in every))
    for tensor in merged:
        parts = [part for part in every if part.name == tensor.name]
        assert tensor.entries == sum(part.entries for part in parts)
        assert tensor.wrong == sum(part.wrong for part in parts)
        assert tensor.share == max(part.share for part in parts)
        assert tensor.worst is not None and tensor.worst.share == tensor.share


def test_over_all_cases_the_finest_resolution_and_the_largest_error_count() -> None:
    rules = Rules(BINARY64, 38)

    def piece(x: float, budget: Ball) -> Evidence:
        claim: dict[Key, Matrix] = {("loss", -1): [[x]]}
        budgets = {("loss", -1): [[budget]]}
        return Evidence(None, Answer(claim), budgets, tuple(compare(claim, budgets)))

    fine, wide, nothing = Ball(8, 0, 1, rules), Ball(8, 0, 5, rules), Ball(0, 0, 0, rules)
    assert [t.resolution for t in over_cases([piece(8.0, wide), piece(8.0, fine), piece(0.0, nothing)])] == [1 / 8]
    assert [t.ulps for t in over_cases([piece(8 + 2.0**-48, fine), piece(8 + 2.0**-49, fine)])] == [2.0]
    assert undecided_tensors([piece(8.0, wide)]) == ["loss"] == undecided_tensors([piece(8.0, wide)] * 2)
    assert undecided_tensors([piece(8.0, wide), piece(8.0, fine), piece(8.0, wide)]) == []


@given(st.lists(pieces(), max_size=3))
def test_the_worst_entry_is_the_largest_share_of_what_is_wrong(evidence: list[Evidence]) -> None:
    wrong = [tensor for piece in evidence for tensor in piece.tensors if tensor.wrong]
    worst = worst_entry(evidence)
    assert (worst is None) == (not wrong)
    if worst is not None:
        assert worst.share == max(tensor.share for tensor in wrong) > 1


@given(pieces(), st.sets(KEYS))
def test_without_some_tensors_exactly_those_are_left_out(piece: Evidence, keys: set[Any]) -> None:
    left = piece.without(keys)
    assert left.claim == {key: rows for key, rows in piece.claim.items() if key not in keys}
    assert left.tensors == tuple(tensor for tensor in piece.tensors if tensor.key not in keys)
    assert left.off == piece.off - keys
    assert (left.case, left.answer.findings) == (piece.case, piece.answer.findings)
    assert piece.of_gradients() == piece.without({key for key in piece.claim if key[0] not in LOCAL})


@given(pieces())
def test_it_is_passed_if_nothing_is_off_and_an_answer_was_given(piece: Evidence) -> None:
    keys = set(piece.claim)
    assert piece.off == {k for k in keys if not inside({k: piece.claim[k]}, {k: piece.budgets[k]})}
    assert piece.passed == (not piece.off and not any(finding.fatal for finding in piece.answer.findings))


def test_tensors_come_as_the_forward_pass_and_then_the_backward_pass_meet_them() -> None:
    rules = Rules(BINARY64, 38)
    keys = [("weights", 0), ("loss", -1), ("biases", 1), ("deltas", 1), ("outputs", -1), ("weights", 1), ("deltas", 0)]
    claim, budgets = {key: [[0.0]] for key in keys}, {key: [[rules.exact(0)]] for key in keys}
    names = [tensor.name for tensor in compare(claim, budgets)]
    assert names == ["ŷ", "loss", "δ²", "∂loss/∂W²", "∂loss/∂b²", "δ¹", "∂loss/∂W¹"]


@given(cases())
def test_the_budgets_hold_all_that_the_textbook_computes(case: Exercise) -> None:
    network, batch, loss = case
    gradients = backpropagation(*case)
    claim: dict[Any, Any] = as_claim(gradients) | {("deltas", l): g.deltas for l, g in enumerate(gradients.layers)}
    budgets = enclosures(network, batch, loss, "binary64", forwards=False)
    assert budgets.keys() == claim.keys() and inside(claim, budgets)
    claim["outputs", -1], claim["loss", -1] = forward(network, batch.inputs).outputs, [[evaluate(*case)]]
    budgets = enclosures(network, batch, loss, "binary64")
    assert budgets.keys() == claim.keys() and inside(claim, budgets)


def test_what_is_claimed_in_the_place_of_gradients_is_made_of_them_and_their_parameters() -> None:
    network = Network([Layer([[2.0, 3.0]], [5.0], "identity")])
    claim: dict[Key, Matrix] = {("weights", 0): [[0.5, 0.25]], ("loss", -1): [[7.0]]}
    assert turned_claim(claim, network, FLOAT, None) is claim
    turned = turned_claim(claim, network, FLOAT, lambda g, w, kind: w - g)
    assert turned == {("weights", 0): [[1.5, 2.75]], ("loss", -1): [[7.0]]}


def test_budgets_are_asked_for_what_is_claimed_alone() -> None:
    asked: list[tuple[Any, ...]] = []

    def enclose(case: Any, convention: Any, format: Any, claim: Claim) -> Budgets:
        asked.append((case, convention, format))
        return {key: [[Rules(BINARY64, 38).exact(0)]] for key in claim}

    usual = Convention(None)
    answers = [Answer({("loss", -1): [[0.0]]}), Answer(findings=(Finding("raises", ""),)), Answer({("a", 0): [[1.0]]})]
    evidence = gathered("xyz", answers, usual, "binary64", enclose)
    assert [(piece.case, piece.answer, piece.passed) for piece in evidence] == [
        (case, answer, case == "x") for case, answer in zip("xyz", answers)
    ]
    assert asked == [("x", usual, "binary64"), ("z", usual, "binary64")]
    other = replace(usual, returns="descent")
    again: Sequence[Evidence] = regathered(evidence, other, "binary32", enclose)
    assert asked[2:] == [("x", other, "binary32"), ("z", other, "binary32")] and list(again) == list(evidence)
    with pytest.raises(ValueError, match="shorter|longer"):
        gathered("xy", answers, usual, "binary64", enclose)


@given(st.data(), pieces())
def test_answers_are_rounded_anew_if_they_are_no_further_apart_than_right_ones(
    data: st.DataObject, piece: Evidence
) -> None:
    """Beside a right answer only right ones are; beside another, whatever is at most two radii from it."""
    claim = {key: [[data.draw(near(b)) for b in row] for row in rows] for key, rows in piece.budgets.items()}
    pairs = zip(
        numbers(piece.claim), numbers(claim), (b for rows in piece.budgets.values() for row in rows for b in row)
    )
    if piece.passed:
        assert rounded_anew([claim], piece) == inside(claim, piece.budgets)
    else:
        apart = all(x == y or abs(x - y) <= 2 * b.radius for x, y, b in pairs)
        assert rounded_anew([claim, claim], piece) == apart
        assert rounded_anew([piece.claim, claim], piece) == (apart and not any(map(isnan, numbers(piece.claim))))
    if claim:
        assert not rounded_anew([{}], piece)
